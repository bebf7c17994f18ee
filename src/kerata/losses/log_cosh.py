"""The logarithm of the hyperbolic cosine of the error."""

from __future__ import annotations

import math
from typing import Any

from kerata import ops
from kerata.core.registry import register_builtin

from .loss import LossFunctionWrapper, operands

Tensor = Any


@register_builtin("losses", "logcosh")
def log_cosh(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The mean of `log(cosh(y_pred - y_true))` along the last axis: x**2 / 2 near 0, |x| - log 2 far off.

    Args:
        y_true: targets, of shape (batch, …).
        y_pred: predictions, of the same shape.

    Returns:
        Values of shape (batch, …) without the last axis.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.log_cosh([[0.0, 0.0]], [[1.0, 0.0]])[0]), 4)
        0.2169
    """
    y_true, y_pred = operands(y_true, y_pred)
    x = ops.subtract(y_pred, y_true)
    # x + softplus(-2 x) - log 2, which does not overflow as cosh does
    return ops.mean(ops.subtract(ops.add(x, ops.softplus(ops.multiply(x, -2.0))), math.log(2.0)), axis=-1)


@register_builtin("losses")
class LogCosh(LossFunctionWrapper):
    """The mean of the logarithms of the hyperbolic cosines of the errors.

    Args:
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.LogCosh()([[0.0, 0.0]], [[1.0, 0.0]])), 4)
        0.2169
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "log_cosh", dtype: Any = None
    ) -> None:
        super().__init__(log_cosh, reduction, name, dtype)
