"""Hinge losses as metrics."""

from __future__ import annotations

from typing import Any

from kerata.core.registry import register_builtin
from kerata.losses.hinge import categorical_hinge, hinge, squared_hinge

from .mean_metric_wrapper import MeanMetricWrapper


@register_builtin("metrics", "hinge")
class Hinge(MeanMetricWrapper):
    """The mean hinge loss.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.Hinge()([[1.0, -1.0]], [[0.5, 0.5]])), 4)
        1.0
    """

    _direction = "down"

    def __init__(self, name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(hinge, name, dtype)


@register_builtin("metrics", "squared_hinge")
class SquaredHinge(MeanMetricWrapper):
    """The mean squared hinge loss.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.SquaredHinge()([[1.0, -1.0]], [[0.5, 0.5]])), 4)
        1.25
    """

    _direction = "down"

    def __init__(self, name: str = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(squared_hinge, name, dtype)


@register_builtin("metrics", "categorical_hinge")
class CategoricalHinge(MeanMetricWrapper):
    """The mean categorical hinge loss.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        1.0
    """

    _direction = "down"

    def __init__(self, name: str = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(categorical_hinge, name, dtype)
