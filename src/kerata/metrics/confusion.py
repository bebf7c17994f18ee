"""Counts of true and false positives and negatives at thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata import ops
from kerata.core import checks, rules
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin
from kerata.core.variable import Variable
from kerata.losses.loss import as_float, fit_weight, mask_of, numbers, squeeze_or_expand

from .metric import Metric, accumulate

Tensor = Any
Thresholds = float | Sequence[float] | None
# Two counts each, in the order (true class 1, true class 0).
ABOVE, BELOW = ("true_positives", "false_positives"), ("false_negatives", "true_negatives")


def as_thresholds(thresholds: Thresholds, default: float = 0.5) -> list[float]:
    """A list of numbers in [0, 1]."""
    if thresholds is None:
        return [default]
    items: Any = [thresholds] if np.ndim(thresholds) == 0 else thresholds
    return [float(checks.number("thresholds", t, 0, 1)) for t in items]


def prepare(
    y_true: Tensor,
    y_pred: Tensor,
    sample_weight: Tensor | None,
    dtype: str,
    top_k: int | None = None,
    class_id: int | None = None,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Targets as 0 and 1, predictions and weights of one shape."""
    mask = mask_of(y_pred)
    y_true, y_pred = squeeze_or_expand(numbers("y_true", y_true), ops.cast(as_float(y_pred), dtype))
    y_true = ops.cast(ops.not_equal(y_true, 0), dtype)
    weight = (
        None if sample_weight is None else fit_weight(numbers("sample_weight", sample_weight, dtype), y_pred)
    )
    if mask is not None:
        mask = fit_weight(ops.cast(mask, dtype), y_pred, "mask")
        weight = mask if weight is None else ops.multiply(weight, mask)
    if weight is not None:
        weight = ops.broadcast_to(weight, ops.shape(y_pred))
    if top_k is not None:
        y_pred = _only_top(y_pred, top_k)
    if class_id is not None:
        if len(ops.shape(y_pred)) < 2:
            raise ArgumentError(
                "y_pred", expected="of shape (batch, …, classes) for a `class_id`", got=y_pred
            )
        classes = ops.shape(y_pred)[-1]
        if rules.known(classes) and class_id >= classes:
            raise ArgumentError("class_id", expected=f"a class in [0, {classes})", got=class_id)
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
        weight = None if weight is None else weight[..., class_id]
    return y_true, y_pred, weight


def _only_top(y_pred: Tensor, k: int) -> Tensor:
    """Predictions that are not among the `k` largest of their row become as small as can be."""
    classes = ops.shape(y_pred)[-1]
    if rules.known(classes) and k > classes:
        raise ArgumentError("top_k", expected=f"at most {classes}, the number of classes", got=k)
    chosen = ops.max(ops.one_hot(ops.top_k(y_pred, k)[1], classes, dtype=ops.dtype(y_pred)), axis=-2)
    return ops.where(ops.greater(chosen, 0), y_pred, ops.full_like(y_pred, -1e10))


def counts(
    y_true: Tensor, y_pred: Tensor, weight: Tensor | None, thresholds: Tensor, wanted: Sequence[str]
) -> dict[str, Tensor]:
    """The counts at each threshold, of shape (thresholds,); with labels kept apart, (thresholds, labels).

    Args:
        y_true: 0 and 1, of shape (samples,) or (samples, labels).
        y_pred: predictions, of the same shape.
        weight: weights, of the same shape.
        thresholds: of shape (thresholds,).
        wanted: names of the counts.
    """
    one, zero = y_true, ops.subtract(1.0, y_true)
    if weight is not None:
        one, zero = ops.multiply(one, weight), ops.multiply(zero, weight)
    labels = len(ops.shape(y_true)) == 2
    above = ops.greater(ops.expand_dims(y_pred, -1), thresholds)
    found: dict[str, Tensor] = {}
    for names, side in ((ABOVE, above), (BELOW, None)):
        if not set(names) & set(wanted):
            continue
        side = ops.cast(ops.logical_not(above) if side is None else side, ops.dtype(y_true))
        for name, kind in zip(names, (one, zero), strict=True):
            if name in wanted:
                found[name] = ops.einsum("nl,nlt->tl", kind, side) if labels else ops.matmul(kind, side)
    return found


class ThresholdMetric(Metric):
    """A metric from counts at thresholds; subclasses name the counts they keep."""

    keeps: tuple[str, ...] = ()

    def _make_counts(self, shape: tuple[int, ...]) -> None:
        for name in self.keeps:
            setattr(self, name, self.add_variable(shape, "zeros", name=name))

    def _counted(
        self, y_true: Tensor, y_pred: Tensor, weight: Tensor | None, thresholds: Sequence[float]
    ) -> None:
        found = counts(
            y_true, y_pred, weight, ops.convert_to_tensor(list(thresholds), self.dtype), self.keeps
        )
        own: list[Variable] = [getattr(self, name) for name in self.keeps]
        accumulate(own, [found[n] for n in self.keeps])


class _Count(ThresholdMetric):
    """One of the four counts."""

    counted = ""

    def __init__(self, thresholds: Thresholds = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.init_thresholds = thresholds
        self.thresholds = as_thresholds(thresholds)
        self.accumulator = self.add_variable((len(self.thresholds),), "zeros", name="accumulator")

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        y_true, y_pred, weight = prepare(y_true, y_pred, sample_weight, self.dtype)
        thresholds = ops.convert_to_tensor(self.thresholds, self.dtype)
        found = counts(_flat(y_true), _flat(y_pred), _flat(weight), thresholds, (self.counted,))
        accumulate([self.accumulator], [found[self.counted]])

    def result(self) -> Tensor:
        return _single(self.accumulator.raw())

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self._policy.name, "thresholds": self.init_thresholds}


def _flat(x: Tensor | None) -> Tensor | None:
    return None if x is None else ops.reshape(x, (-1,))


def _single(x: Tensor) -> Tensor:
    """A scalar where there is one threshold."""
    return ops.reshape(x, ()) if ops.shape(x)[0] == 1 else x


def _describe(kind: str, targets: str, side: str, value: str) -> str:
    return f"""The weight of {kind}: targets {targets} with predictions {side} the threshold.

    Args:
        thresholds: a number or several in [0, 1]; 0.5 if None.
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> float(kerata.metrics.{kind.title().replace(" ", "")}()([0, 1, 1, 0, 0], [0.9, 0.9, 0.1, 0.1, 0.2]))
        {value}
    """


@register_builtin("metrics", "true_positives")
class TruePositives(_Count):
    __doc__ = _describe("true positives", "1", "above", "1.0")
    counted = "true_positives"


@register_builtin("metrics", "false_positives")
class FalsePositives(_Count):
    __doc__ = _describe("false positives", "0", "above", "1.0")
    counted = "false_positives"


@register_builtin("metrics", "true_negatives")
class TrueNegatives(_Count):
    __doc__ = _describe("true negatives", "0", "not above", "2.0")
    counted = "true_negatives"


@register_builtin("metrics", "false_negatives")
class FalseNegatives(_Count):
    __doc__ = _describe("false negatives", "1", "not above", "1.0")
    counted = "false_negatives"


class _Share(ThresholdMetric):
    """Precision and recall: true positives among something."""

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self.init_thresholds = thresholds
        self.top_k = None if top_k is None else checks.positive_int("top_k", top_k)
        self.class_id = None if class_id is None else checks.natural("class_id", class_id)
        # All of the top k count, however small.
        self.thresholds = [-1e9] if thresholds is None and top_k is not None else as_thresholds(thresholds)
        self._make_counts((len(self.thresholds),))

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        y_true, y_pred, weight = prepare(y_true, y_pred, sample_weight, self.dtype, self.top_k, self.class_id)
        self._counted(_flat(y_true), _flat(y_pred), _flat(weight), self.thresholds)

    def result(self) -> Tensor:
        found, other = (getattr(self, name).raw() for name in self.keeps)
        return _single(ops.divide_no_nan(found, ops.add(found, other)))

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name, "dtype": self._policy.name, "thresholds": self.init_thresholds, "top_k": self.top_k,
            "class_id": self.class_id,
        }  # fmt: skip


@register_builtin("metrics", "precision")
class Precision(_Share):
    """The share of positive predictions that are right.

    Args:
        thresholds: above which a prediction is positive: a number or several in [0, 1]; 0.5 if None.
        top_k: if given, the `k` largest predictions of a row are its positive ones.
        class_id: a class to look at alone.
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> float(kerata.metrics.Precision()([0, 1, 1, 1], [0.9, 0.9, 0.1, 0.2]))
        0.5
    """

    _direction = "up"

    keeps = ("true_positives", "false_positives")


@register_builtin("metrics", "recall")
class Recall(_Share):
    """The share of positive targets that were found.

    Args:
        thresholds: above which a prediction is positive: a number or several in [0, 1]; 0.5 if None.
        top_k: if given, the `k` largest predictions of a row are its positive ones.
        class_id: a class to look at alone.
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> float(kerata.metrics.Recall()([0, 1, 1], [0.9, 0.9, 0.1]))
        0.5
    """

    _direction = "up"

    keeps = ("true_positives", "false_negatives")


class _AtValue(ThresholdMetric):
    """The best of one rate among the thresholds where another is high enough."""

    keeps = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    value_name = wanted = ""

    def _begin(self, value: float, num_thresholds: int, class_id: int | None) -> None:
        setattr(self, self.value_name, checks.number(self.value_name, value, 0, 1))
        self.num_thresholds = checks.positive_int("num_thresholds", num_thresholds)
        self.class_id = None if class_id is None else checks.natural("class_id", class_id)
        n = self.num_thresholds
        self.thresholds = [0.5] if n == 1 else [i / (n - 1) for i in range(n)]
        self._make_counts((n,))

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        y_true, y_pred, weight = prepare(y_true, y_pred, sample_weight, self.dtype, None, self.class_id)
        self._counted(_flat(y_true), _flat(y_pred), _flat(weight), self.thresholds)

    def result(self) -> Tensor:
        tp, fp, tn, fn = (getattr(self, name).raw() for name in self.keeps)
        rates = {
            "sensitivity": ops.divide_no_nan(tp, ops.add(tp, fn)),
            "specificity": ops.divide_no_nan(tn, ops.add(tn, fp)),
            "precision": ops.divide_no_nan(tp, ops.add(tp, fp)),
        }
        rates["recall"] = rates["sensitivity"]
        given, wanted = rates[self.value_name], rates[self.wanted]
        fits = ops.greater_equal(given, getattr(self, self.value_name))
        return ops.max(ops.where(fits, wanted, ops.zeros_like(wanted)))

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name, "dtype": self._policy.name, "num_thresholds": self.num_thresholds, "class_id": self.class_id,
            self.value_name: getattr(self, self.value_name),
        }  # fmt: skip


@register_builtin("metrics", "sensitivity_at_specificity")
class SensitivityAtSpecificity(_AtValue):
    """The best sensitivity (recall) at thresholds with at least a given specificity.

    Args:
        specificity: the least specificity, in [0, 1].
        num_thresholds: number of thresholds, evenly spaced in [0, 1].
        class_id: a class to look at alone.
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])), 4)
        0.5
    """

    _direction = "up"

    value_name, wanted = "specificity", "sensitivity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self._begin(specificity, num_thresholds, class_id)


@register_builtin("metrics", "specificity_at_sensitivity")
class SpecificityAtSensitivity(_AtValue):
    """The best specificity at thresholds with at least a given sensitivity (recall).

    Args:
        sensitivity: the least sensitivity, in [0, 1].
        num_thresholds: number of thresholds, evenly spaced in [0, 1].
        class_id: a class to look at alone.
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])), 4)
        0.6667
    """

    _direction = "up"

    value_name, wanted = "sensitivity", "specificity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self._begin(sensitivity, num_thresholds, class_id)


@register_builtin("metrics", "precision_at_recall")
class PrecisionAtRecall(_AtValue):
    """The best precision at thresholds with at least a given recall.

    Args:
        recall: the least recall, in [0, 1].
        num_thresholds: number of thresholds, evenly spaced in [0, 1].
        class_id: a class to look at alone.
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])), 4)
        0.5
    """

    _direction = "up"

    value_name, wanted = "recall", "precision"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self._begin(recall, num_thresholds, class_id)


@register_builtin("metrics", "recall_at_precision")
class RecallAtPrecision(_AtValue):
    """The best recall at thresholds with at least a given precision.

    Args:
        precision: the least precision, in [0, 1].
        num_thresholds: number of thresholds, evenly spaced in [0, 1].
        class_id: a class to look at alone.
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.RecallAtPrecision(0.8)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9])), 4)
        0.5
    """

    _direction = "up"

    value_name, wanted = "precision", "recall"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self._begin(precision, num_thresholds, class_id)
