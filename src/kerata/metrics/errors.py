"""Errors of regression."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core.registry import register_builtin
from kerata.losses.cosine_similarity import cosine_similarity
from kerata.losses.log_cosh import log_cosh
from kerata.losses.loss import operands
from kerata.losses.mean_absolute_error import mean_absolute_error
from kerata.losses.mean_absolute_percentage_error import mean_absolute_percentage_error
from kerata.losses.mean_squared_error import mean_squared_error
from kerata.losses.mean_squared_logarithmic_error import mean_squared_logarithmic_error

from .mean import Mean
from .mean_metric_wrapper import MeanMetricWrapper

Tensor = Any


def _cosine(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    return ops.negative(cosine_similarity(y_true, y_pred, axis))


@register_builtin("metrics", "mean_squared_error", "mse", "MSE")
class MeanSquaredError(MeanMetricWrapper):
    """The mean of squared errors.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]])), 4)
        0.5
    """

    _direction = "down"

    def __init__(self, name: str = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(mean_squared_error, name, dtype)


@register_builtin("metrics", "mean_absolute_error", "mae", "MAE")
class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of absolute errors.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.MeanAbsoluteError()([[0.0, 1.0]], [[3.0, 1.0]])), 4)
        1.5
    """

    _direction = "down"

    def __init__(self, name: str = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(mean_absolute_error, name, dtype)


@register_builtin("metrics", "mean_absolute_percentage_error", "mape", "MAPE")
class MeanAbsolutePercentageError(MeanMetricWrapper):
    """A hundred times the mean of absolute errors relative to the targets.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.MeanAbsolutePercentageError()([[2.0, 1.0]], [[3.0, 1.0]])), 4)
        25.0
    """

    _direction = "down"

    def __init__(self, name: str = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(mean_absolute_percentage_error, name, dtype)


@register_builtin("metrics", "mean_squared_logarithmic_error", "msle", "MSLE")
class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """The mean of squared differences of `log(1 + x)`.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.MeanSquaredLogarithmicError()([[0.0, 1.0]], [[1.0, 1.0]])), 4)
        0.2402
    """

    _direction = "down"

    def __init__(self, name: str = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(mean_squared_logarithmic_error, name, dtype)


@register_builtin("metrics", "log_cosh_error", "logcosh", "log_cosh")
class LogCoshError(MeanMetricWrapper):
    """The mean of the logarithms of the hyperbolic cosines of errors.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.LogCoshError()([[0.0, 0.0]], [[1.0, 0.0]])), 4)
        0.2169
    """

    _direction = "down"

    def __init__(self, name: str = "logcosh", dtype: Any = None) -> None:
        super().__init__(log_cosh, name, dtype)


@register_builtin("metrics", "cosine_similarity")
class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between targets and predictions: 1 where they point the same way.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.
        axis: the axis of the vectors.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.CosineSimilarity()([[0.0, 1.0]], [[1.0, 1.0]])), 4)
        0.7071
    """

    _direction = "up"

    def __init__(self, name: str = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(_cosine, name, dtype, axis=axis)


@register_builtin("metrics", "root_mean_squared_error")
class RootMeanSquaredError(Mean):
    """The root of the mean of squared errors.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.RootMeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]])), 4)
        0.7071
    """

    _direction = "down"

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:  # type: ignore[override]
        y_true, y_pred = operands(y_true, y_pred)
        super().update_state(ops.square(ops.subtract(y_pred, y_true)), sample_weight)

    def result(self) -> Tensor:
        return ops.sqrt(super().result())
