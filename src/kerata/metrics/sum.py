"""The sum of values."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core.registry import register_builtin

from .mean import weighted_values
from .metric import Metric, accumulate

Tensor = Any


@register_builtin("metrics", "sum")
class Sum(Metric):
    """The sum of all values seen, each times its sample's weight.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> m = kerata.metrics.Sum()
        >>> m.update_state([1.0, 3.0]); m.update_state([5.0])
        >>> float(m.result())
        9.0
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), "zeros", name="total")

    def update_state(self, values: Tensor, sample_weight: Tensor | None = None) -> None:
        added, _, _ = weighted_values(values, sample_weight, self.dtype)
        accumulate([self.total], [ops.sum(added) if ops.shape(added) else added])

    def result(self) -> Tensor:
        return self.total.value
