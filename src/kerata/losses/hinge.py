"""Hinge losses: zero where the prediction has the right sign with a margin."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core.registry import register_builtin

from .loss import LossFunctionWrapper, operands

Tensor = Any


def _shortfall(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`max(1 - y_true * y_pred, 0)`, with targets 0 and 1 read as -1 and 1."""
    binary = ops.all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
    y_true = ops.where(binary, ops.subtract(ops.multiply(y_true, 2.0), 1.0), y_true)
    return ops.maximum(ops.subtract(1.0, ops.multiply(y_true, y_pred)), 0.0)


@register_builtin("losses")
def hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The mean of `max(1 - y_true * y_pred, 0)` along the last axis.

    Args:
        y_true: targets, of shape (batch, …), of -1 and 1, or of 0 and 1.
        y_pred: predictions, of the same shape.

    Returns:
        Values of shape (batch, …) without the last axis.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.hinge([[1.0, -1.0]], [[0.5, 0.5]])[0]), 4)
        1.0
    """
    y_true, y_pred = operands(y_true, y_pred)
    return ops.mean(_shortfall(y_true, y_pred), axis=-1)


@register_builtin("losses")
class Hinge(LossFunctionWrapper):
    """The mean of `max(1 - y_true * y_pred, 0)`. Targets are -1 and 1; 0 and 1 are read as these.

    Args:
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.Hinge()([[1.0, -1.0]], [[0.5, 0.5]])), 4)
        1.0
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "hinge", dtype: Any = None
    ) -> None:
        super().__init__(hinge, reduction, name, dtype)


@register_builtin("losses")
def squared_hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The mean of `max(1 - y_true * y_pred, 0) ** 2` along the last axis.

    Args:
        y_true: targets, of shape (batch, …), of -1 and 1, or of 0 and 1.
        y_pred: predictions, of the same shape.

    Returns:
        Values of shape (batch, …) without the last axis.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.squared_hinge([[1.0, -1.0]], [[0.5, 0.5]])[0]), 4)
        1.25
    """
    y_true, y_pred = operands(y_true, y_pred)
    return ops.mean(ops.square(_shortfall(y_true, y_pred)), axis=-1)


@register_builtin("losses")
class SquaredHinge(LossFunctionWrapper):
    """The mean of `max(1 - y_true * y_pred, 0) ** 2`. Targets are -1 and 1; 0 and 1 are read as these.

    Args:
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.SquaredHinge()([[1.0, -1.0]], [[0.5, 0.5]])), 4)
        1.25
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "squared_hinge", dtype: Any = None
    ) -> None:
        super().__init__(squared_hinge, reduction, name, dtype)


@register_builtin("losses")
def categorical_hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """`max(negative - positive + 1, 0)`: the best wrong class against the right one, along the last axis.

    Args:
        y_true: targets, of shape (batch, …), one-hot.
        y_pred: predictions, of the same shape.

    Returns:
        Values of shape (batch, …) without the last axis.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.categorical_hinge([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4)
        1.0
    """
    y_true, y_pred = operands(y_true, y_pred)
    right = ops.sum(ops.multiply(y_true, y_pred), axis=-1)
    wrong = ops.max(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=-1)
    return ops.maximum(ops.add(ops.subtract(wrong, right), 1.0), 0.0)


@register_builtin("losses")
class CategoricalHinge(LossFunctionWrapper):
    """`max(negative - positive + 1, 0)`: the score of the best wrong class against that of the right one.

    Args:
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_hinge, reduction, name, dtype)
