"""The mean absolute percentage error."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import config
from kerata.core.registry import register_builtin

from .loss import LossFunctionWrapper, operands

Tensor = Any


@register_builtin("losses", "mape", "MAPE")
def mean_absolute_percentage_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """A hundred times the mean of the absolute differences relative to the targets, along the last axis.

    Args:
        y_true: targets, of shape (batch, …).
        y_pred: predictions, of the same shape.

    Returns:
        Values of shape (batch, …) without the last axis.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.mean_absolute_percentage_error([[2.0, 1.0]], [[3.0, 1.0]])[0]), 4)
        25.0
    """
    y_true, y_pred = operands(y_true, y_pred)
    size = ops.maximum(ops.absolute(y_true), config.epsilon())  # a target of 0 must not divide
    return ops.multiply(
        ops.mean(ops.absolute(ops.divide(ops.subtract(y_true, y_pred), size)), axis=-1), 100.0
    )


@register_builtin("losses")
class MeanAbsolutePercentageError(LossFunctionWrapper):
    """A hundred times the mean of the absolute differences relative to the targets.

    Args:
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.MeanAbsolutePercentageError()([[2.0, 1.0]], [[3.0, 1.0]])), 4)
        25.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)
