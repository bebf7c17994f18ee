"""Sums and means of values."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core.registry import register_builtin
from kerata.core.variable import update_all
from kerata.losses.loss import fit_weight

from .metric import Metric

Tensor = Any


@register_builtin("metrics")
class Mean(Metric):
    """The mean of all values seen, each weighted by its sample's weight.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> m = kerata.metrics.Mean()
        >>> m.update_state([1.0, 3.0]); m.update_state([5.0])
        >>> float(m.result())
        3.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, values: Tensor, sample_weight: Tensor | None = None) -> None:
        values, weight, size = weighted_values(values, sample_weight, self.dtype)
        added, count = (values, None) if weight is None else (ops.multiply(values, weight), ops.sum(weight))
        total = ops.add(self.total.value, ops.sum(added) if ops.shape(added) else added)
        update_all([self.total, self.count], [total, ops.add(self.count.value, float(size) if count is None else count)])

    def result(self) -> Tensor:
        return ops.divide_no_nan(self.total.value, self.count.value)


def weighted_values(values: Tensor, sample_weight: Tensor | None, dtype: str) -> tuple[Tensor, Tensor | None, Any]:
    """Values in the dtype of the metric, weights broadcast to them (None: all 1), and the number of values."""
    values = ops.cast(ops.convert_to_tensor(values), dtype)
    mask = getattr(values, "_keras_mask", None)
    if sample_weight is None and mask is None:
        size: Any = 1
        for d in ops.shape(values):
            size = size * d
        return values, None, size
    weight = None if sample_weight is None else ops.cast(ops.convert_to_tensor(sample_weight), dtype)
    if mask is not None:
        mask = fit_weight(ops.cast(mask, dtype), values)
        weight = mask if weight is None else ops.multiply(fit_weight(weight, values), mask)
    rank, want = len(ops.shape(values)), len(ops.shape(weight))
    if want < rank and ops.shape(values)[want:]:  # a weight for each sample: values are first averaged per sample
        values = ops.mean(values, axis=tuple(range(want, rank)))
    weight = ops.broadcast_to(fit_weight(weight, values), ops.shape(values))
    return values, weight, None
