"""F scores: means of precision and recall."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin
from kerata.losses.loss import as_float, fit_weight, numbers

from .accuracies import check_rows
from .metric import Metric, accumulate

Tensor = Any
_AVERAGES = (None, "micro", "macro", "weighted")


@register_builtin("metrics", "fbeta_score", "f_beta_score")
class FBetaScore(Metric):
    """The weighted harmonic mean of precision and recall: `(1 + b²) p r / (b² p + r)`.

    Args:
        average: None (a score for each class), "micro" (all classes together), "macro" (the mean over classes) or
            "weighted" (that mean weighted by how often a class is true).
        beta: how much more recall counts than precision.
        threshold: above which a prediction is positive; None: the largest of each row is.
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> metric = kerata.metrics.FBetaScore(average="micro", beta=2.0, threshold=0.5)
        >>> round(float(metric([[1, 0], [1, 1]], [[0.9, 0.9], [0.9, 0.1]])), 4)
        0.6667
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.average = checks.option("average", average, _AVERAGES)
        if not isinstance(beta, float) or beta <= 0:
            raise ArgumentError("beta", expected="a float above 0", got=beta)
        self.beta = beta
        if threshold is not None and (not isinstance(threshold, float) or not 0 < threshold <= 1):
            raise ArgumentError("threshold", expected="None or a float in (0, 1]", got=threshold)
        self.threshold = threshold
        self._shaped = False

    def _shape(self, classes: int) -> None:
        shape = () if self.average == "micro" else (classes,)
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        self.false_positives = self.add_variable(shape, "zeros", name="false_positives")
        self.false_negatives = self.add_variable(shape, "zeros", name="false_negatives")
        self.intermediate_weights = self.add_variable(shape, "zeros", name="intermediate_weights")
        self._shaped = True

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        y_true, y_pred = numbers("y_true", y_true, self.dtype), ops.cast(as_float(y_pred), self.dtype)
        check_rows(y_true, y_pred)
        if len(ops.shape(y_pred)) != 2:
            raise ArgumentError("y_pred", expected="of shape (batch, classes)", got=y_pred)
        if not self._shaped:
            self._shape(ops.shape(y_pred)[1])
        weight = (
            None
            if sample_weight is None
            else fit_weight(numbers("sample_weight", sample_weight, self.dtype), y_true)
        )
        guess = self._positive(y_pred)
        axis = None if self.average == "micro" else 0

        def total(x: Tensor) -> Tensor:
            return ops.sum(x if weight is None else ops.multiply(x, weight), axis=axis)

        both = ops.multiply(guess, y_true)
        own = [self.true_positives, self.false_positives, self.false_negatives, self.intermediate_weights]
        new = [
            total(both),
            total(ops.subtract(guess, both)),
            total(ops.subtract(y_true, both)),
            total(y_true),
        ]
        accumulate(own, new)

    def _positive(self, y_pred: Tensor) -> Tensor:
        if self.threshold is not None:
            return ops.cast(ops.greater(y_pred, self.threshold), self.dtype)
        largest = ops.greater_equal(y_pred, ops.max(y_pred, axis=-1, keepdims=True))
        # A row of zeros has no positive prediction.
        return ops.cast(ops.logical_and(largest, ops.greater(ops.absolute(y_pred), 1e-9)), self.dtype)

    def result(self) -> Tensor:
        if not self._shaped:
            return ops.zeros((), self.dtype)
        tp, fp, fn = self.true_positives.raw(), self.false_positives.raw(), self.false_negatives.raw()
        precision, recall = ops.divide_no_nan(tp, ops.add(tp, fp)), ops.divide_no_nan(tp, ops.add(tp, fn))
        square = self.beta**2
        above = ops.multiply(ops.multiply(precision, recall), 1 + square)
        score = ops.divide_no_nan(above, ops.add(ops.multiply(precision, square), recall))
        if self.average == "weighted":
            weight = self.intermediate_weights.raw()
            return ops.divide_no_nan(ops.sum(ops.multiply(score, weight)), ops.sum(weight))
        return ops.mean(score) if self.average == "macro" else score


@register_builtin("metrics", "f1_score")
class F1Score(FBetaScore):
    """The harmonic mean of precision and recall.

    Args:
        average: None, "micro", "macro" or "weighted"; see `FBetaScore`.
        threshold: above which a prediction is positive; None: the largest of each row is.
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> metric = kerata.metrics.F1Score(average="micro", threshold=0.5)
        >>> round(float(metric([[1, 0], [1, 1]], [[0.9, 0.9], [0.9, 0.1]])), 4)
        0.6667
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "dtype": self._policy.name,
            "average": self.average,
            "threshold": self.threshold,
        }
