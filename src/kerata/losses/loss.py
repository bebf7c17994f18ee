"""The base class of losses: values for each sample, weighted and reduced to a scalar."""

from __future__ import annotations

from typing import Any, Self

from kerata import dtype_policies, ops
from kerata.core import checks
from kerata.core.declare import leaves_of
from kerata.core.errors import ArgumentError, StateError
from kerata.core.naming import auto_name
from kerata.core.serialization import deserialize_keras_object, serialize_keras_object
from kerata.core.signature import init_parameters

Tensor = Any
REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Loss:
    """Compares targets with predictions. Subclasses define `call(y_true, y_pred)`, a value for each sample.

    Args:
        name: name of the loss.
        reduction: "sum_over_batch_size" (the mean of all values), "sum", "mean",
            "mean_with_sample_weight" (the sum divided by the sum of the weights) or "none".
        dtype: dtype of the computation, or a policy.
    """

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None) -> None:
        self.name = name or auto_name(type(self).__name__)
        self.reduction = checks.option("reduction", reduction, REDUCTIONS)
        self._policy = dtype_policies.get(dtype)

    @property
    def dtype(self) -> str:
        """Dtype of the computation."""
        return self._policy.compute_dtype

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """The reduced loss.

        Args:
            y_true: targets.
            y_pred: predictions; a mask that goes with them sets the weight of the masked values to 0.
            sample_weight: a weight for each sample or value.
        """
        mask = getattr(y_pred, "_keras_mask", None) if not isinstance(y_pred, (list, tuple, dict)) else None
        y_pred = _as(y_pred, self.dtype)
        y_true = _as(y_true, self.dtype)
        return reduce_weighted(self.call(y_true, y_pred), sample_weight, mask, self.reduction, self.dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """A value for each sample."""
        raise StateError(f"The loss class {type(self).__name__} must define `call(self, y_true, y_pred)`.")

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__` that make such a loss again, as plain data."""
        config = {"name": self.name, "reduction": self.reduction}
        for name in init_parameters(type(self)):
            if name not in ("name", "reduction", "dtype"):
                config[name] = serialize_keras_object(getattr(self, name))
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**{k: deserialize_keras_object(v) if isinstance(v, dict) else v for k, v in config.items()})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _as(x: Any, dtype: str) -> Any:
    """A tensor, or a structure of tensors, in the dtype of the loss."""
    if isinstance(x, dict) or (isinstance(x, (list, tuple)) and any(ops.is_tensor(v) for v in leaves_of(x))):
        from kerata.core import tree

        return tree.map_structure(lambda v: _as(v, dtype), x)
    return ops.cast(ops.convert_to_tensor(x), dtype)


def squeeze_or_expand(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Drops a last axis of size 1 that only one of two tensors has."""
    a, b = ops.shape(x), ops.shape(y)
    if len(a) == len(b) + 1 and a[-1] == 1:
        return ops.squeeze(x, -1), y
    if len(b) == len(a) + 1 and b[-1] == 1:
        return x, ops.squeeze(y, -1)
    return x, y


def reduce_weighted(
    values: Tensor, sample_weight: Tensor | None, mask: Tensor | None, reduction: str | None, dtype: str
) -> Tensor:
    """Weights, masks and reduces the values of a loss."""
    if sample_weight is None and mask is None:
        if reduction in ("sum_over_batch_size", "mean", "mean_with_sample_weight"):
            return ops.mean(values)
        return ops.sum(values) if reduction == "sum" else values
    weight = None if sample_weight is None else ops.cast(ops.convert_to_tensor(sample_weight), dtype)
    count: Tensor | None = None
    if mask is not None:
        mask = fit_weight(ops.cast(mask, dtype), values)
        # The mean is over what is not masked: masked values change neither sum nor count.
        count = ops.sum(ops.broadcast_to(mask, ops.shape(values)))
        weight = mask if weight is None else ops.multiply(fit_weight(weight, values), mask)
    assert weight is not None
    weight = fit_weight(weight, values)
    weighted = ops.multiply(values, weight)
    if reduction in ("none", None):
        return weighted
    total = ops.sum(weighted)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight":
        count = ops.sum(ops.broadcast_to(weight, ops.shape(values)))
    if count is None:
        return ops.mean(weighted)
    return ops.divide_no_nan(total, count)


def fit_weight(weight: Tensor, values: Tensor) -> Tensor:
    """Weights with axes added or dropped so that they multiply the values."""
    weight, values_shape = weight, ops.shape(values)
    rank, want = len(ops.shape(weight)), len(values_shape)
    if rank == want + 1 and ops.shape(weight)[-1] == 1:
        return ops.squeeze(weight, -1)
    if rank > want:
        raise ArgumentError("sample_weight", expected=f"of a shape that fits the values {values_shape}", got=weight)
    for _ in range(want - rank):
        weight = ops.expand_dims(weight, -1)
    return weight


class LossFunctionWrapper(Loss):
    """A loss made from a function of targets and predictions; its other arguments are kept in `fn_kwargs`."""

    def __init__(
        self,
        fn: Any,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.fn, self._fn_kwargs = fn, kwargs

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        config = {"name": self.name, "reduction": self.reduction}
        if "fn" in init_parameters(type(self)):
            config["fn"] = serialize_keras_object(self.fn)
        return {**config, **{k: serialize_keras_object(v) for k, v in self._fn_kwargs.items()}}
