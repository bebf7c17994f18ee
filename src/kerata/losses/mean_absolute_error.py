"""The mean absolute error."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core.registry import register_builtin

from .loss import LossFunctionWrapper, operands

Tensor = Any


@register_builtin("losses", "mae", "MAE")
def mean_absolute_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The mean of the absolute differences along the last axis.

    Args:
        y_true: targets, of shape (batch, …).
        y_pred: predictions, of the same shape.

    Returns:
        Values of shape (batch, …) without the last axis.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.mean_absolute_error([[0.0, 1.0]], [[3.0, 1.0]])[0]), 4)
        1.5
    """
    y_true, y_pred = operands(y_true, y_pred)
    return ops.mean(ops.absolute(ops.subtract(y_true, y_pred)), axis=-1)


@register_builtin("losses")
class MeanAbsoluteError(LossFunctionWrapper):
    """The mean of the absolute differences of targets and predictions.

    Args:
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.MeanAbsoluteError()([[0.0, 1.0]], [[3.0, 1.0]])), 4)
        1.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)
