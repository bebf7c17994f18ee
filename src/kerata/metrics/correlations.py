"""Correlations of targets and predictions."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import config
from kerata.core.registry import register_builtin
from kerata.losses.loss import operands

from .mean_metric_wrapper import MeanMetricWrapper

Tensor = Any


def _centred(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    mean = ops.mean(x, axis=axis, keepdims=True)
    return ops.subtract(x, mean), mean


def pearson_correlation(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """Pearson's correlation along an axis, in [-1, 1]; NaN where either sequence is constant.

    Args:
        y_true: targets, of shape (batch, …).
        y_pred: predictions, of the same shape.
        axis: the axis along which sequences run.

    Returns:
        Values without the axis.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.pearson_correlation([[0.0, 1.0, 2.0]], [[1.0, 2.0, 3.0]])[0]), 4)
        1.0
    """
    y_true, y_pred = operands(y_true, y_pred)
    true, pred = (_centred(x, axis)[0] for x in (y_true, y_pred))
    lengths = [ops.sqrt(ops.sum(ops.square(x), axis=axis)) for x in (true, pred)]
    return ops.divide(ops.sum(ops.multiply(true, pred), axis=axis), ops.multiply(*lengths))


def concordance_correlation(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """Lin's concordance correlation (1989) along an axis: `2 cov / (var + var + (mean - mean)**2)`.

    Args:
        y_true: targets, of shape (batch, …).
        y_pred: predictions, of the same shape.
        axis: the axis along which sequences run.

    Returns:
        Values without the axis.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.concordance_correlation([[0.0, 1.0, 2.0]], [[0.0, 1.0, 2.0]])[0]), 4)
        1.0
    """
    y_true, y_pred = operands(y_true, y_pred)
    (true, true_mean), (pred, pred_mean) = _centred(y_true, axis), _centred(y_pred, axis)
    common = ops.mean(ops.multiply(true, pred), axis=axis)
    spread = ops.add(ops.mean(ops.square(true), axis=axis), ops.mean(ops.square(pred), axis=axis))
    shift = ops.squeeze(ops.square(ops.subtract(true_mean, pred_mean)), axis)
    return ops.divide(ops.multiply(common, 2.0), ops.add(ops.add(spread, shift), config.epsilon()))


@register_builtin("metrics", "pearson_correlation")
class PearsonCorrelation(MeanMetricWrapper):
    """The mean of Pearson's correlation.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.
        axis: the axis along which sequences run.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.PearsonCorrelation()([[0.0, 1.0, 2.0]], [[1.0, 2.0, 3.0]])), 4)
        1.0
    """

    _direction = "up"

    def __init__(self, name: str = "pearson_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)


@register_builtin("metrics", "concordance_correlation")
class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of Lin's concordance correlation, which also sees a shift or a scale.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.
        axis: the axis along which sequences run.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.ConcordanceCorrelation()([[0.0, 1.0, 2.0]], [[0.0, 1.0, 2.0]])), 4)
        1.0
    """

    _direction = "up"

    def __init__(self, name: str = "concordance_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)
