"""The coefficient of determination."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin
from kerata.losses.loss import as_float, fit_weight, numbers, squeeze_or_expand

from .metric import Metric, accumulate

Tensor = Any
_AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


@register_builtin("metrics", "r2_score")
class R2Score(Metric):
    """The share of the variance of the targets that predictions explain: 1 is perfect, 0 as good as the mean.

    Args:
        class_aggregation: None (a score for each column), "uniform_average" or "variance_weighted_average".
        num_regressors: number of independent variables, for the adjusted score; 0: not adjusted.
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])), 4)
        0.5714
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.class_aggregation = checks.option("class_aggregation", class_aggregation, _AGGREGATIONS)
        self.num_regressors = checks.natural("num_regressors", num_regressors)
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._shaped = False

    def _shape(self, columns: int) -> None:
        for name in ("squared_sum", "sum", "residual", "count"):
            setattr(
                self,
                "total_mse" if name == "residual" else name,
                self.add_variable((columns,), "zeros", name=name),
            )
        self._shaped = True

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        y_true, y_pred = squeeze_or_expand(
            numbers("y_true", y_true, self.dtype), ops.cast(as_float(y_pred), self.dtype)
        )
        shape = ops.shape(y_pred)
        if len(shape) != 2 or ops.shape(y_true) != shape:
            raise ArgumentError("y_true", expected="of the shape of `y_pred`, (batch, columns)", got=y_true)
        if not self._shaped:
            self._shape(shape[1])
        weight = ops.ones((shape[0], 1), self.dtype)
        if sample_weight is not None:
            weight = fit_weight(numbers("sample_weight", sample_weight, self.dtype), y_true)
        weighted = ops.multiply(y_true, weight)
        own = [self.squared_sum, self.sum, self.total_mse, self.count, self.num_samples]  # type: ignore[attr-defined]
        new = [
            ops.sum(ops.multiply(y_true, weighted), axis=0),
            ops.sum(weighted, axis=0),
            ops.sum(ops.multiply(ops.square(ops.subtract(y_true, y_pred)), weight), axis=0),
            ops.sum(ops.broadcast_to(weight, shape), axis=0),
            ops.cast(shape[0] * shape[1], self.dtype),
        ]
        accumulate(own, new)

    def result(self) -> Tensor:
        if not self._shaped:
            return ops.zeros((), self.dtype)
        total, count = self.sum.raw(), self.count.raw()  # type: ignore[attr-defined]
        spread = ops.subtract(self.squared_sum.raw(), ops.divide_no_nan(ops.square(total), count))  # type: ignore[attr-defined]
        missed = self.total_mse.raw()  # type: ignore[attr-defined]
        # Constant targets leave nothing to explain: 1 where all are met, else 0.
        rest = ops.cast(ops.greater(missed, 0), self.dtype)
        share = ops.where(ops.equal(spread, 0), rest, ops.divide_no_nan(missed, spread))
        scores = ops.subtract(1.0, share)
        if self.class_aggregation == "uniform_average":
            scores = ops.mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            scores = ops.divide_no_nan(ops.sum(ops.multiply(scores, spread)), ops.sum(spread))
        if not self.num_regressors:
            return scores
        free = ops.subtract(self.num_samples.raw(), 1.0)
        left = ops.subtract(free, float(self.num_regressors))
        adjusted = ops.subtract(1.0, ops.multiply(ops.subtract(1.0, scores), ops.divide_no_nan(free, left)))
        return ops.where(ops.greater(left, 0), adjusted, scores)  # too few samples: not adjusted
