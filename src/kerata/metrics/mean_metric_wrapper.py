"""The mean of a function of targets and predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kerata import ops
from kerata.core.registry import register_builtin
from kerata.core.serialization import serialize_keras_object
from kerata.core.signature import init_parameters
from kerata.losses.loss import fit_weight, mask_of, numbers

from .mean import Mean

Tensor = Any


@register_builtin("metrics")
class MeanMetricWrapper(Mean):
    """The mean over all samples of `fn(y_true, y_pred, **kwargs)`.

    Args:
        fn: gives a value for each sample.
        name: name of the metric.
        dtype: dtype of the computation.
        **kwargs: further arguments of `fn`.

    Example:
        >>> import kerata
        >>> metric = kerata.metrics.MeanMetricWrapper(kerata.losses.mean_absolute_error)
        >>> float(metric([[1.0], [2.0]], [[1.0], [4.0]]))
        1.0
    """

    def __init__(
        self, fn: Callable[..., Tensor], name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(name or "mean_metric_wrapper", dtype)
        self.fn, self._fn_kwargs = fn, kwargs

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:  # type: ignore[override]
        values = self.fn(y_true, y_pred, **self._fn_kwargs)
        mask = mask_of(y_pred)
        if mask is not None:
            mask = fit_weight(ops.cast(mask, self.dtype), values, "mask")
            # A masked value may be NaN, which a weight of 0 would keep.
            values = ops.where(ops.equal(mask, 0), ops.zeros_like(values), values)
            weight = (
                None
                if sample_weight is None
                else fit_weight(numbers("sample_weight", sample_weight, self.dtype), values)
            )
            sample_weight = mask if weight is None else ops.multiply(mask, weight)
        super().update_state(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {"name": self.name, "dtype": self._policy.name}
        if "fn" in init_parameters(type(self)):
            config["fn"] = serialize_keras_object(self.fn)
        return {**config, **{k: serialize_keras_object(v) for k, v in self._fn_kwargs.items()}}
