"""Sums and means of values."""

from __future__ import annotations

import math
from typing import Any

from kerata import ops
from kerata.core.registry import register_builtin
from kerata.losses.loss import fit_weight, mask_of, numbers

from .metric import Metric, accumulate

Tensor = Any


@register_builtin("metrics", "mean")
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
        if type(sample_weight) is int and ops.is_tensor(values) and not ops.shape(values):
            self._add(ops.multiply(ops.cast(values, self.dtype), sample_weight), float(sample_weight))
            return  # the mean of a batch, by its size: each step comes this way
        added, weight, size = weighted_values(values, sample_weight, self.dtype)
        count: Any = float(size) if weight is None else (ops.sum(weight) if ops.shape(weight) else weight)
        values_each = math.prod(ops.shape(added)[1:]) or 1
        added = ops.sum(added) if ops.shape(added) else added
        if values_each != 1:  # each sample counts once, however many values it has
            added = ops.divide(added, values_each)
            count = count / values_each if weight is None else ops.divide(count, values_each)
        self._add(added, count)

    def _add(self, total: Tensor, count: Tensor) -> None:
        accumulate([self.total, self.count], [total, count])

    def result(self) -> Tensor:
        return ops.divide_no_nan(self.total.value, self.count.value)


def weighted_values(
    values: Tensor, sample_weight: Tensor | None, dtype: str
) -> tuple[Tensor, Tensor | None, Any]:
    """Values times weights in the dtype of the metric, the weights broadcast to them (None: all 1), and the
    number of values."""
    mask = mask_of(values)
    values = numbers("values", values, dtype)
    shape = ops.shape(values)
    if sample_weight is None and mask is None:
        return values, None, math.prod(shape)
    weight = (
        None if sample_weight is None else fit_weight(numbers("sample_weight", sample_weight, dtype), values)
    )
    if mask is not None:
        mask = fit_weight(ops.cast(mask, dtype), values, "mask")
        weight = mask if weight is None else ops.multiply(weight, mask)
        values = ops.where(ops.equal(mask, 0), ops.zeros_like(values), values)
    if ops.shape(weight) != shape:
        weight = ops.broadcast_to(weight, shape)
    return ops.multiply(values, weight), weight, None
