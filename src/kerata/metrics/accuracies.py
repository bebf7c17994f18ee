"""Accuracies: the share of predictions that are right."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import checks, config, dtypes
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin
from kerata.losses.loss import fit_classes, numbers, squeeze_or_expand

from .mean_metric_wrapper import MeanMetricWrapper

Tensor = Any


def accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 where targets and predictions are equal, else 0."""
    y_pred = numbers("y_pred", y_pred)
    y_true, y_pred = squeeze_or_expand(numbers("y_true", y_true, ops.dtype(y_pred)), y_pred)
    return _hits(ops.equal(y_true, y_pred))


def binary_accuracy(y_true: Tensor, y_pred: Tensor, threshold: float = 0.5) -> Tensor:
    """1 where a prediction is on the right side of a threshold, else 0.

    Args:
        y_true: targets 0 or 1, of shape (batch, …).
        y_pred: predictions, of the same shape.
        threshold: above it a prediction counts as 1.

    Returns:
        Values of the shape of the predictions.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.metrics.binary_accuracy([1, 1], [0.9, 0.2]))
        array([1., 0.], dtype=float32)
    """
    y_pred = numbers("y_pred", y_pred)
    y_true, y_pred = squeeze_or_expand(numbers("y_true", y_true), y_pred)
    guess = ops.cast(ops.greater(y_pred, threshold), ops.dtype(y_true))
    return _hits(ops.equal(y_true, guess))


def categorical_accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 where the largest prediction belongs to the largest target, else 0.

    Args:
        y_true: one-hot rows or probabilities, of shape (batch, …, classes).
        y_pred: predictions, of the same shape.

    Returns:
        Values of shape (batch, …).

    Example:
        >>> import kerata
        >>> float(kerata.metrics.categorical_accuracy([[0, 1]], [[0.2, 0.8]])[0])
        1.0
    """
    y_true, y_pred = numbers("y_true", y_true), numbers("y_pred", y_pred)
    check_rows(y_true, y_pred)
    return _hits(ops.equal(ops.argmax(y_true, -1), ops.argmax(y_pred, -1)))


def sparse_categorical_accuracy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """1 where the largest prediction is that of the true class, else 0.

    Args:
        y_true: classes as integers, of shape (batch, …) or (batch, …, 1).
        y_pred: predictions, of shape (batch, …, classes).

    Returns:
        Values of shape (batch, …).

    Example:
        >>> import kerata
        >>> float(kerata.metrics.sparse_categorical_accuracy([1], [[0.2, 0.8]])[0])
        1.0
    """
    y_pred = numbers("y_pred", y_pred)
    y_true = fit_classes(numbers("y_true", y_true), y_pred)
    return _hits(ops.equal(y_true, ops.cast(ops.argmax(y_pred, -1), ops.dtype(y_true))))


def check_rows(y_true: Tensor, y_pred: Tensor) -> None:
    """Targets with a value for each class."""
    true, pred = ops.shape(y_true), ops.shape(y_pred)
    if (
        not pred
        or len(true) != len(pred)
        or any(type(a) is int and type(b) is int and a != b for a, b in zip(true, pred, strict=True))
    ):
        raise ArgumentError(
            "y_true", expected=f"of shape {tuple(pred)}, that of `y_pred`", got=f"shape {tuple(true)}"
        )


def _hits(equal: Tensor) -> Tensor:
    return ops.cast(equal, config.floatx())


@register_builtin("metrics", "accuracy", "acc")
class Accuracy(MeanMetricWrapper):
    """How often predictions equal targets.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> float(kerata.metrics.Accuracy()([[1], [2]], [[1], [3]]))
        0.5
    """

    _direction = "up"

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


@register_builtin("metrics", "binary_accuracy")
class BinaryAccuracy(MeanMetricWrapper):
    """How often predictions are on the right side of a threshold.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.
        threshold: above it a prediction counts as 1.

    Example:
        >>> import kerata
        >>> float(kerata.metrics.BinaryAccuracy()([[1], [1]], [[0.9], [0.2]]))
        0.5
    """

    _direction = "up"

    def __init__(self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=checks.number("threshold", threshold))


@register_builtin("metrics", "categorical_accuracy")
class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction belongs to the largest target.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> float(kerata.metrics.CategoricalAccuracy()([[0, 1], [1, 0]], [[0.2, 0.8], [0.2, 0.8]]))
        0.5
    """

    _direction = "up"

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


@register_builtin("metrics", "sparse_categorical_accuracy")
class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is that of the true class.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> float(kerata.metrics.SparseCategoricalAccuracy()([1, 0], [[0.2, 0.8], [0.2, 0.8]]))
        0.5
    """

    _direction = "up"

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


@register_builtin("metrics", "top_k_categorical_accuracy")
class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class of the largest target is among the `k` largest predictions.

    Args:
        k: number of predictions that may hold the class.
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> float(kerata.metrics.TopKCategoricalAccuracy(k=2)([[1, 0, 0]], [[0.3, 0.6, 0.1]]))
        1.0
    """

    _direction = "up"

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=checks.positive_int("k", k))


@register_builtin("metrics", "sparse_top_k_categorical_accuracy")
class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the true class, an integer, is among the `k` largest predictions.

    Args:
        k: number of predictions that may hold the class.
        name: name of the metric.
        dtype: dtype of the computation.
        from_sorted_ids: whether predictions are classes, the likeliest first, instead of values.

    Example:
        >>> import kerata
        >>> float(kerata.metrics.SparseTopKCategoricalAccuracy(k=2)([0], [[0.3, 0.6, 0.1]]))
        1.0
    """

    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(
            sparse_top_k_categorical_accuracy,
            name,
            dtype,
            k=checks.positive_int("k", k),
            from_sorted_ids=from_sorted_ids,
        )


def top_k_categorical_accuracy(y_true: Tensor, y_pred: Tensor, k: int = 5) -> Tensor:
    """1 where the class of the largest target is among the `k` largest predictions, else 0.

    Args:
        y_true: one-hot rows or probabilities, of shape (batch, …, classes).
        y_pred: predictions, of the same shape.
        k: number of predictions that may hold the class.

    Example:
        >>> import kerata
        >>> float(kerata.metrics.top_k_categorical_accuracy([[1, 0, 0]], [[0.3, 0.6, 0.1]], k=2)[0])
        1.0
    """
    y_true, y_pred = numbers("y_true", y_true), numbers("y_pred", y_pred)
    check_rows(y_true, y_pred)
    return sparse_top_k_categorical_accuracy(ops.argmax(y_true, -1), y_pred, k)


def sparse_top_k_categorical_accuracy(
    y_true: Tensor, y_pred: Tensor, k: int = 5, from_sorted_ids: bool = False
) -> Tensor:
    """1 where the true class, an integer, is among the `k` largest predictions, else 0.

    Args:
        y_true: classes as integers, of shape (batch, …).
        y_pred: predictions, of shape (batch, …, classes).
        k: number of predictions that may hold the class.
        from_sorted_ids: whether `y_pred` holds classes, the likeliest first, instead of values.

    Example:
        >>> import kerata
        >>> float(kerata.metrics.sparse_top_k_categorical_accuracy([0], [[0.3, 0.6, 0.1]], k=2)[0])
        1.0
    """
    y_pred = numbers("y_pred", y_pred)
    y_true = fit_classes(numbers("y_true", y_true), y_pred)
    if not dtypes.is_int(ops.dtype(y_true)):
        y_true = ops.cast(y_true, "int32")
    if not from_sorted_ids:
        rows, classes = ops.reshape(y_true, (-1,)), ops.shape(y_pred)[-1]
        found = ops.in_top_k(rows, ops.reshape(y_pred, (-1, classes)), k)
        return _hits(ops.reshape(found, ops.shape(y_true)))
    first = ops.cast(y_pred[..., :k], ops.dtype(y_true))
    return _hits(ops.any(ops.equal(first, ops.expand_dims(y_true, -1)), axis=-1))
