"""The Poisson loss."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import config
from kerata.core.registry import register_builtin

from .loss import LossFunctionWrapper, operands

Tensor = Any


@register_builtin("losses")
def poisson(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The mean of `y_pred - y_true * log(y_pred)` along the last axis.

    Args:
        y_true: targets, of shape (batch, …).
        y_pred: predictions, of the same shape.

    Returns:
        Values of shape (batch, …) without the last axis.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.poisson([[1.0, 2.0]], [[1.0, 1.0]])[0]), 4)
        1.0
    """
    y_true, y_pred = operands(y_true, y_pred)
    logs = ops.log(ops.add(y_pred, config.epsilon()))
    return ops.mean(ops.subtract(y_pred, ops.multiply(y_true, logs)), axis=-1)


@register_builtin("losses")
class Poisson(LossFunctionWrapper):
    """The mean of `y_pred - y_true * log(y_pred)`: the negative log likelihood of counts, without its constant.

    Args:
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.Poisson()([[1.0, 2.0]], [[1.0, 1.0]])), 4)
        1.0
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "poisson", dtype: Any = None
    ) -> None:
        super().__init__(poisson, reduction, name, dtype)
