"""The Kullback-Leibler divergence."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import config
from kerata.core.registry import register_builtin

from .loss import LossFunctionWrapper, operands

Tensor = Any


@register_builtin("losses", "kld", "KLD")
def kl_divergence(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The sum of `y_true * log(y_true / y_pred)` along the last axis.

    Args:
        y_true: targets, of shape (batch, …), probabilities.
        y_pred: predictions, of the same shape.

    Returns:
        Values of shape (batch, …) without the last axis.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.kl_divergence([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4)
        0.6931
    """
    y_true, y_pred = operands(y_true, y_pred)
    true, pred = (ops.clip(x, config.epsilon(), 1.0) for x in (y_true, y_pred))
    return ops.sum(ops.multiply(true, ops.subtract(ops.log(true), ops.log(pred))), axis=-1)


@register_builtin("losses")
class KLDivergence(LossFunctionWrapper):
    """The Kullback-Leibler divergence of the predicted from the true probabilities.

    Args:
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.KLDivergence()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.6931
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "kl_divergence", dtype: Any = None
    ) -> None:
        super().__init__(kl_divergence, reduction, name, dtype)
