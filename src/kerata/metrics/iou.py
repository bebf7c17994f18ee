"""Intersection over union, for segmentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.core import checks, dtypes
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin
from kerata.losses.loss import fit_weight, numbers

from .metric import Metric, accumulate

Tensor = Any


class _Confusion(Metric):
    """Keeps how often each class was taken for each."""

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(dtype or "int32", name)
        self.num_classes = checks.positive_int("num_classes", num_classes)
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = sparse_y_true, sparse_y_pred
        self.total_confusion_matrix = self.add_variable(
            (num_classes, num_classes), "zeros", name="total_confusion_matrix"
        )

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        y_true, y_pred = numbers("y_true", y_true), numbers("y_pred", y_pred)
        if not self.sparse_y_true:
            y_true = ops.argmax(y_true, axis=self.axis)
        if not self.sparse_y_pred:
            y_pred = ops.argmax(y_pred, axis=self.axis)
        self._add(y_true, y_pred, sample_weight)

    def _add(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None) -> None:
        n = self.num_classes
        weight = self._weight(sample_weight, y_true)
        true, pred = (ops.reshape(ops.cast(y, "int32"), (-1,)) for y in (y_true, y_pred))
        place = ops.add(ops.multiply(true, n), pred)
        known = ops.logical_and(
            ops.logical_and(ops.greater_equal(true, 0), ops.less(true, n)),
            ops.logical_and(ops.greater_equal(pred, 0), ops.less(pred, n)),
        )
        if self.ignore_class is not None:
            known = ops.logical_and(known, ops.not_equal(true, self.ignore_class))
        place = ops.where(known, place, n * n)  # what is no class goes to a place that is cut off
        found = ops.reshape(ops.segment_sum(weight, place, n * n + 1)[: n * n], (n, n))
        accumulate([self.total_confusion_matrix], [found])

    def _weight(self, sample_weight: Tensor | None, y_true: Tensor) -> Tensor:
        shape = ops.shape(y_true)
        if sample_weight is None:
            return ops.reshape(ops.ones(shape, self.dtype), (-1,))
        weight = numbers("sample_weight", sample_weight)
        if dtypes.is_float(ops.dtype(weight)) and not dtypes.is_float(self.dtype):
            raise ArgumentError(
                "sample_weight", expected="integers, as the metric counts in integers", got=weight,
                fix='Make the metric with dtype="float32".',
            )  # fmt: skip
        return ops.reshape(ops.broadcast_to(fit_weight(ops.cast(weight, self.dtype), y_true), shape), (-1,))


@register_builtin("metrics", "iou", "io_u")
class IoU(_Confusion):
    """The mean intersection over union of some classes: `tp / (tp + fp + fn)`.

    Args:
        num_classes: number of classes.
        target_class_ids: the classes of which the mean is taken.
        name: name of the metric.
        dtype: dtype of the counts, int32 by default; a floating one for weights that are no integers.
        ignore_class: a class whose pixels take no part, such as 255.
        sparse_y_true: whether targets are integers; else they are one-hot.
        sparse_y_pred: whether predictions are integers; else values for each class.
        axis: the axis of the classes.

    Example:
        >>> import kerata
        >>> metric = kerata.metrics.IoU(num_classes=2, target_class_ids=[0])
        >>> round(float(metric([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)
        ids = checks.several("target_class_ids", target_class_ids, "a list of classes")
        self.target_class_ids = [checks.natural("target_class_ids", i) for i in ids]
        if not self.target_class_ids:
            raise ArgumentError("target_class_ids", expected="at least one class", got=target_class_ids)
        if max(self.target_class_ids) >= num_classes:
            raise ArgumentError(
                "target_class_ids", expected=f"classes below {num_classes}", got=target_class_ids
            )

    def result(self) -> Tensor:
        matrix = ops.cast(self.total_confusion_matrix.raw(), "float32")
        both = ops.diagonal(matrix)
        union = ops.subtract(ops.add(ops.sum(matrix, axis=0), ops.sum(matrix, axis=1)), both)
        chosen = ops.convert_to_tensor([float(i in self.target_class_ids) for i in range(self.num_classes)])
        # A class that nobody saw has no share in the mean.
        present = ops.cast(ops.greater(union, 0), "float32")
        share = ops.multiply(ops.divide_no_nan(both, union), chosen)
        return ops.divide_no_nan(ops.sum(share), ops.sum(ops.multiply(present, chosen)))


@register_builtin("metrics", "binary_iou", "binary_io_u")
class BinaryIoU(IoU):
    """The mean intersection over union of the classes 0 and 1, predictions as probabilities of 1.

    Args:
        target_class_ids: the classes of which the mean is taken.
        threshold: from which a prediction is class 1.
        name: name of the metric.
        dtype: dtype of the counts.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])), 4)
        0.3333
    """

    _direction = "up"

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = checks.number("threshold", threshold)

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        self._add(
            numbers("y_true", y_true),
            ops.greater_equal(numbers("y_pred", y_pred), self.threshold),
            sample_weight,
        )


@register_builtin("metrics", "mean_iou", "mean_io_u")
class MeanIoU(IoU):
    """The mean intersection over union of all classes.

    Args:
        num_classes: number of classes.
        name: name of the metric.
        dtype: dtype of the counts.
        ignore_class: a class whose pixels take no part.
        sparse_y_true: whether targets are integers; else they are one-hot.
        sparse_y_pred: whether predictions are integers; else values for each class.
        axis: the axis of the classes.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        classes = range(checks.positive_int("num_classes", num_classes))
        super().__init__(num_classes, classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)


@register_builtin("metrics", "one_hot_iou", "one_hot_io_u")
class OneHotIoU(IoU):
    """The mean intersection over union of some classes, targets one-hot.

    Args:
        num_classes: number of classes.
        target_class_ids: the classes of which the mean is taken.
        name: name of the metric.
        dtype: dtype of the counts.
        ignore_class: a class whose pixels take no part.
        sparse_y_pred: whether predictions are integers; else values for each class.
        axis: the axis of the classes.

    Example:
        >>> import kerata
        >>> metric = kerata.metrics.OneHotIoU(num_classes=2, target_class_ids=[0])
        >>> float(metric([[1, 0], [0, 1]], [[0.8, 0.2], [0.6, 0.4]]))
        0.5
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


@register_builtin("metrics", "one_hot_mean_iou", "one_hot_mean_io_u")
class OneHotMeanIoU(MeanIoU):
    """The mean intersection over union of all classes, targets one-hot.

    Args:
        num_classes: number of classes.
        name: name of the metric.
        dtype: dtype of the counts.
        ignore_class: a class whose pixels take no part.
        sparse_y_pred: whether predictions are integers; else values for each class.
        axis: the axis of the classes.

    Example:
        >>> import kerata
        >>> float(kerata.metrics.OneHotMeanIoU(num_classes=2)([[1, 0], [0, 1]], [[0.8, 0.2], [0.6, 0.4]]))
        0.25
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
