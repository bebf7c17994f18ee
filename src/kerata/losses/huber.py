"""Huber's loss."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.registry import register_builtin

from .loss import LossFunctionWrapper, operands

Tensor = Any


@register_builtin("losses")
def huber(y_true: Tensor, y_pred: Tensor, delta: float = 1.0) -> Tensor:
    """The mean along the last axis of `x**2 / 2` for errors within `delta`, `delta * (|x| - delta / 2)` beyond.

    Args:
        y_true: targets, of shape (batch, …).
        y_pred: predictions, of the same shape.
        delta: where the parabola turns into a line.

    Returns:
        Values of shape (batch, …) without the last axis.

    Source:
        Huber, "Robust Estimation of a Location Parameter", 1964.

    Example:
        >>> import kerata
        >>> float(kerata.losses.huber([[0.0, 0.0]], [[1.0, 3.0]])[0])
        1.5
    """
    y_true, y_pred = operands(y_true, y_pred)
    size = ops.absolute(ops.subtract(y_true, y_pred))
    inside = ops.minimum(size, delta)
    return ops.mean(ops.multiply(inside, ops.subtract(size, ops.multiply(inside, 0.5))), axis=-1)


@register_builtin("losses")
class Huber(LossFunctionWrapper):
    """Huber's loss: squared for small errors, linear for large ones.

    Args:
        delta: where the parabola turns into a line.
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> float(kerata.losses.Huber()([[0.0, 0.0]], [[1.0, 3.0]]))
        1.5
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(huber, reduction, name, dtype, delta=checks.number("delta", delta, 0))
