"""The base class of losses: values for each sample, weighted and reduced to a scalar."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from kerata import backends, dtype_policies, ops
from kerata.core import checks, config, dispatch, dtypes, tree
from kerata.core.declare import leaves_of, tensor_like
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
        dtype: dtype of the computation, or a policy; `floatx` if None.

    Example:
        >>> import kerata
        >>> class Offset(kerata.losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return kerata.ops.mean(y_pred - y_true, axis=-1)
        >>> float(Offset()([[1.0, 2.0]], [[3.0, 3.0]]))
        1.5
    """

    takes_labels = False  # whether targets are classes, which stay integers

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        self.name = name or auto_name(type(self).__name__)
        self.reduction = checks.option("reduction", reduction, REDUCTIONS)
        self._policy = dtype_policies.get(dtype or config.floatx())
        self._dtype = self._policy.compute_dtype

    @property
    def dtype(self) -> str:
        """Dtype of the computation."""
        return self._dtype

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """The reduced loss.

        Args:
            y_true: targets.
            y_pred: predictions; a mask that goes with them sets the weight of the masked values to 0.
            sample_weight: a weight for each sample or value.
        """
        mask = mask_of(y_pred)
        y_pred = _as("y_pred", y_pred, self._dtype)
        # Classes keep their own dtype: a float could not hold every integer.
        y_true = numbers("y_true", y_true) if self.takes_labels else _as("y_true", y_true, self._dtype)
        values = self.call(y_true, y_pred)
        counted = self.counted(y_true, values)
        if counted is not None:
            mask = (
                counted
                if mask is None
                else ops.logical_and(counted, fit_weight(ops.cast(mask, "bool"), values, "mask"))
            )
        return reduce_weighted(values, sample_weight, mask, self.reduction, self._dtype)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """A value for each sample."""
        raise StateError(f"The loss class {type(self).__name__} must define `call(self, y_true, y_pred)`.")

    def counted(self, y_true: Tensor, values: Tensor) -> Tensor | None:
        """Which values take part, as booleans of their shape; None: all."""
        return None

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__` that make such a loss again, as plain data."""
        config = {"name": self.name, "reduction": self.reduction}
        for name in init_parameters(type(self)):
            if name not in ("name", "reduction", "dtype"):
                config[name] = serialize_keras_object(getattr(self, name))
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A loss from what `get_config` gave."""
        return cls(
            **{k: deserialize_keras_object(v) if isinstance(v, dict) else v for k, v in config.items()}
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _as(argument: str, x: Any, dtype: str) -> Any:
    """A tensor, or a structure of tensors, in the dtype of the loss."""
    if isinstance(x, dict) or (isinstance(x, (list, tuple)) and any(ops.is_tensor(v) for v in leaves_of(x))):
        return tree.map_structure(lambda v: _as(argument, v, dtype), x)
    return numbers(argument, x, dtype)


def mask_of(x: Any) -> Tensor | None:
    """The mask that a layer sent along with its output."""
    engine = dispatch.engine_of_type(type(x))
    if engine is None and isinstance(x, np.ndarray):
        engine = backends.get("numpy")
    return getattr(x, "_keras_mask", None) if engine is None else engine.mask_of(x)


def operands(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Targets and predictions as floating tensors of equal dtype and rank."""
    y_pred = as_float(y_pred)
    return squeeze_or_expand(numbers("y_true", y_true, ops.dtype(y_pred)), y_pred)


def numbers(argument: str, x: Any, dtype: str | None = None) -> Tensor:
    """A tensor of numbers: engines that have tensors of text compute with them no more than the others."""
    return ops.convert_to_tensor(tensor_like(argument, x), dtype)


def as_float(y_pred: Any) -> Tensor:
    """A tensor of a floating dtype: that of `y_pred`, or `floatx`."""
    x = numbers("y_pred", y_pred)
    return x if dtypes.is_float(ops.dtype(x)) else ops.cast(x, config.floatx())


def squeeze_or_expand(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """`same_rank` of two tensors that must fit each other."""
    found = same_rank(y_true, y_pred)
    if found[0] is y_true and found[1] is y_pred:
        _check_fit(ops.shape(y_true), ops.shape(y_pred))
    return found


def same_rank(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Makes ranks equal where only one of two tensors has a last axis of size 1.

    A vector gets the axis, so that each of its entries stays a sample; otherwise the axis is dropped.
    """
    true, pred = ops.shape(y_true), ops.shape(y_pred)
    if len(true) == len(pred) + 1 and true[-1] == 1:
        return (y_true, ops.expand_dims(y_pred, -1)) if len(pred) == 1 else (ops.squeeze(y_true, -1), y_pred)
    if len(pred) == len(true) + 1 and pred[-1] == 1:
        return (ops.expand_dims(y_true, -1), y_pred) if len(true) == 1 else (y_true, ops.squeeze(y_pred, -1))
    return y_true, y_pred


def _check_fit(true: tuple[Any, ...], pred: tuple[Any, ...]) -> None:
    """Shapes broadcast from the right, as NumPy's do."""
    if true == pred:
        return
    for a, b in zip(reversed(true), reversed(pred), strict=False):
        if a != b and type(a) is int and type(b) is int and a != 1 and b != 1:
            raise ArgumentError(
                "y_true",
                expected=f"of a shape that fits that of `y_pred`, {tuple(pred)}",
                got=f"shape {tuple(true)}",
            )


def fit_classes(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Classes of the shape of the predictions without their last axis."""
    true, pred = ops.shape(y_true), ops.shape(y_pred)
    if len(true) == len(pred) and true[-1:] == (1,):
        y_true, true = ops.squeeze(y_true, -1), true[:-1]
    if len(true) != len(pred) - 1 or any(
        type(a) is int and type(b) is int and a != b for a, b in zip(true, pred, strict=False)
    ):
        raise ArgumentError(
            "y_true",
            expected=f"classes as integers, of shape {tuple(pred[:-1])}, that of `y_pred` without its last axis",
            got=f"shape {tuple(true)}",
        )
    return y_true


def reduce_weighted(
    values: Tensor, sample_weight: Tensor | None, mask: Tensor | None, reduction: str | None, dtype: str
) -> Tensor:
    """Weights, masks and reduces the values of a loss."""
    if sample_weight is None and mask is None:
        if reduction in ("sum_over_batch_size", "mean", "mean_with_sample_weight"):
            return ops.mean(values) if ops.shape(values) else values
        return ops.sum(values) if reduction == "sum" else values
    weight = None if sample_weight is None else numbers("sample_weight", sample_weight, dtype)
    given = () if weight is None else ops.shape(weight)
    if not ops.shape(values):  # one value of a whole batch, such as Dice's, stands for each sample
        values = ops.broadcast_to(values, given or (() if mask is None else ops.shape(mask)))
    weight = None if weight is None else fit_weight(weight, values)
    count: Tensor | None = None
    if mask is not None:
        mask = fit_weight(ops.cast(mask, dtype), values, "mask")
        # The mean is over what is not masked: masked values change neither sum nor count.
        count = ops.sum(ops.broadcast_to(mask, ops.shape(values)))
        weight = mask if weight is None else ops.multiply(weight, mask)
        # A masked value may be NaN, which a weight of 0 would keep.
        values = ops.where(ops.equal(mask, 0), ops.zeros_like(values), values)
    assert weight is not None
    weighted = ops.multiply(values, weight)
    if reduction in ("none", None):  # a column of weights makes a column of values, as in Keras
        column = len(ops.shape(weighted)) == 1 and len(given) == 2
        return ops.expand_dims(weighted, -1) if column else weighted
    if reduction == "sum":
        return ops.sum(weighted)
    if reduction == "mean_with_sample_weight":
        count = ops.sum(ops.broadcast_to(weight, ops.shape(values)))
    if count is None:
        return ops.mean(weighted)
    return ops.divide_no_nan(ops.sum(weighted), count)


def fit_weight(weight: Tensor, values: Tensor, argument: str = "sample_weight") -> Tensor:
    """Weights with axes of size 1 added or dropped at the end, so that they multiply the values."""
    shape, want = ops.shape(weight), ops.shape(values)
    if shape == want or not shape:
        return weight
    if len(shape) == len(want) + 1 and shape[-1] == 1:
        weight, shape = ops.squeeze(weight, -1), shape[:-1]
    if len(shape) > len(want) or any(
        type(a) is int and type(b) is int and a not in (1, b) for a, b in zip(shape, want, strict=False)
    ):
        raise ArgumentError(
            argument, expected=f"of a shape that fits the values, {tuple(want)}", got=f"shape {tuple(shape)}"
        )
    for _ in range(len(want) - len(shape)):
        weight = ops.expand_dims(weight, -1)
    return weight


class LossFunctionWrapper(Loss):
    """A loss made from a function of targets and predictions.

    Args:
        fn: gives a value for each sample.
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.
        **kwargs: further arguments of `fn`.
    """

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
        if type(self) is LossFunctionWrapper:  # a user's function
            y_true, y_pred = same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        config = {"name": self.name, "reduction": self.reduction}
        if "fn" in init_parameters(type(self)):
            config["fn"] = serialize_keras_object(self.fn)
        return {**config, **{k: serialize_keras_object(v) for k, v in self._fn_kwargs.items()}}
