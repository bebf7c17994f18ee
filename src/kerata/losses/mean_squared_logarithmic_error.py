"""The mean squared logarithmic error."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import config
from kerata.core.registry import register_builtin

from .loss import LossFunctionWrapper, operands

Tensor = Any


@register_builtin("losses", "msle", "MSLE")
def mean_squared_logarithmic_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The mean of the squared differences of `log(1 + x)` along the last axis; values below 0 count as 0.

    Args:
        y_true: targets, of shape (batch, …).
        y_pred: predictions, of the same shape.

    Returns:
        Values of shape (batch, …) without the last axis.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.mean_squared_logarithmic_error([[0.0, 1.0]], [[1.0, 1.0]])[0]), 4)
        0.2402
    """
    y_true, y_pred = operands(y_true, y_pred)
    true, pred = (ops.log(ops.add(ops.maximum(x, config.epsilon()), 1.0)) for x in (y_true, y_pred))
    return ops.mean(ops.square(ops.subtract(true, pred)), axis=-1)


@register_builtin("losses")
class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """The mean of the squared differences of the logarithms of 1 + targets and 1 + predictions.

    Args:
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.MeanSquaredLogarithmicError()([[0.0, 1.0]], [[1.0, 1.0]])), 4)
        0.2402
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)
