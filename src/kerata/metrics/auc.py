"""The area under a curve of rates at all thresholds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin
from kerata.losses.loss import as_float

from .confusion import ThresholdMetric, _flat, as_thresholds, prepare

Tensor = Any
_OUTSIDE = 1e-7  # the outer thresholds lie beyond 0 and 1, so that the curve has both its ends
_METHODS = ("interpolation", "minoring", "majoring")


@register_builtin("metrics", "auc")
class AUC(ThresholdMetric):
    """The area under the ROC curve, or under that of precision and recall.

    Args:
        num_thresholds: number of thresholds, evenly spaced in [0, 1].
        curve: "ROC" (recall by false-positive rate) or "PR" (precision by recall).
        summation_method: "interpolation", "minoring" (from below) or "majoring" (from above).
        name: name of the metric.
        dtype: dtype of the computation.
        thresholds: thresholds in [0, 1], instead of `num_thresholds`; 0 and 1 are added.
        multi_label: whether each column of targets has a curve of its own, of whose areas the mean is taken.
        num_labels: number of columns, if `multi_label`; found at the first update if None.
        label_weights: a weight for each column.
        from_logits: whether predictions are logits, of which the sigmoid is the probability.

    Source:
        Davis and Goadrich, "The Relationship Between Precision-Recall and ROC Curves", 2006 (interpolation of "PR").

    Example:
        >>> import kerata
        >>> float(kerata.metrics.AUC(num_thresholds=5)([0, 1, 1, 0], [0.1, 0.25, 0.8, 0.4]))
        0.625
    """

    _direction = "up"

    keeps = ("true_positives", "false_positives", "true_negatives", "false_negatives")

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(dtype, name)
        self.curve = checks.option("curve", _in_case(curve, str.upper), ("ROC", "PR"))
        self.summation_method = checks.option(
            "summation_method", _in_case(summation_method, str.lower), _METHODS
        )
        self._given = thresholds
        if thresholds is not None:
            inner = sorted(as_thresholds(thresholds))
        else:
            count = checks.positive_int("num_thresholds", num_thresholds)
            if count < 2:
                raise ArgumentError("num_thresholds", expected="2 or more", got=num_thresholds)
            inner = [i / (count - 1) for i in range(1, count - 1)]
        self.thresholds = [-_OUTSIDE, *inner, 1.0 + _OUTSIDE]
        self.num_thresholds = len(self.thresholds)
        if num_labels is not None and not multi_label:
            raise ArgumentError("num_labels", expected="None unless `multi_label` is True", got=num_labels)
        self.multi_label, self.num_labels, self.from_logits = multi_label, num_labels, from_logits
        self.label_weights = (
            None
            if label_weights is None
            else [
                float(checks.number("label_weights", w, 0))
                for w in checks.several("label_weights", label_weights, "a list of weights")
            ]
        )
        self._shaped = False
        if num_labels is not None:
            self._shape(checks.positive_int("num_labels", num_labels))
        elif not multi_label:
            self._shape(None)

    def _shape(self, labels: int | None) -> None:
        self._make_counts((self.num_thresholds,) if labels is None else (self.num_thresholds, labels))
        self._shaped = True

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        if self.from_logits:
            y_pred = ops.sigmoid(as_float(y_pred))
        y_true, y_pred, weight = prepare(y_true, y_pred, sample_weight, self.dtype)
        if (
            self._given is None
        ):  # what is beyond [0, 1] counts as the nearest, so that the curve has both its ends
            y_pred = ops.clip(y_pred, 0.0, 1.0)
        if self.label_weights is not None and not self.multi_label:
            labels = ops.broadcast_to(
                ops.convert_to_tensor(self.label_weights, self.dtype), ops.shape(y_pred)
            )
            weight = labels if weight is None else ops.multiply(weight, labels)
        if not self.multi_label:
            self._counted(_flat(y_true), _flat(y_pred), _flat(weight), self.thresholds)
            return
        shape = ops.shape(y_pred)
        if len(shape) != 2 or (self.num_labels is not None and shape[1] != self.num_labels):
            raise ArgumentError(
                "y_pred", expected=f"of shape (batch, {self.num_labels or 'labels'})", got=y_pred
            )
        if not self._shaped:
            self._shape(shape[1])
        self._counted(y_true, y_pred, weight, self.thresholds)

    def result(self) -> Tensor:
        if not self._shaped:
            return ops.zeros((), self.dtype)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._mean(self.interpolate_pr_auc())
        tp, fp, tn, fn = self._counts()
        recall = ops.divide_no_nan(tp, ops.add(tp, fn))
        if self.curve == "ROC":
            x, y = ops.divide_no_nan(fp, ops.add(fp, tn)), recall
        else:
            x, y = recall, ops.divide_no_nan(tp, ops.add(tp, fp))
        if self.summation_method == "interpolation":
            height = ops.multiply(ops.add(y[:-1], y[1:]), 0.5)
        else:
            height = (ops.minimum if self.summation_method == "minoring" else ops.maximum)(y[:-1], y[1:])
        return self._mean(ops.sum(ops.multiply(ops.subtract(x[:-1], x[1:]), height), axis=0))

    def interpolate_pr_auc(self) -> Tensor:
        """The area under precision by recall, true positives interpolated between thresholds."""
        tp, fp, _, fn = self._counts()
        predicted = ops.add(tp, fp)
        gained, width = ops.subtract(tp[:-1], tp[1:]), ops.subtract(predicted[:-1], predicted[1:])
        slope = ops.divide_no_nan(gained, ops.maximum(width, 0.0))
        intercept = ops.subtract(tp[1:], ops.multiply(slope, predicted[1:]))
        both = ops.logical_and(ops.greater(predicted[:-1], 0), ops.greater(predicted[1:], 0))
        ratio = ops.where(
            both, ops.divide_no_nan(predicted[:-1], ops.maximum(predicted[1:], 0.0)), ops.ones_like(width)
        )
        area = ops.multiply(slope, ops.add(gained, ops.multiply(intercept, ops.log(ratio))))
        return ops.sum(ops.divide_no_nan(area, ops.maximum(ops.add(tp[1:], fn[1:]), 0.0)), axis=0)

    def _counts(self) -> list[Tensor]:
        return [getattr(self, name).raw() for name in self.keeps]

    def _mean(self, areas: Tensor) -> Tensor:
        """The mean over labels, if there are several."""
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return ops.mean(areas)
        weights = ops.convert_to_tensor(self.label_weights, self.dtype)
        return ops.divide_no_nan(ops.sum(ops.multiply(areas, weights)), ops.sum(weights))

    def get_config(self) -> dict[str, Any]:
        config = {
            "name": self.name, "dtype": self._policy.name, "num_thresholds": self.num_thresholds, "curve": self.curve,
            "summation_method": self.summation_method, "multi_label": self.multi_label, "num_labels": self.num_labels,
            "label_weights": self.label_weights, "from_logits": self.from_logits,
        }  # fmt: skip
        return config if self._given is None else {**config, "thresholds": self.thresholds[1:-1]}


def _in_case(name: Any, change: Callable[[str], str]) -> Any:
    return change(name) if isinstance(name, str) else name
