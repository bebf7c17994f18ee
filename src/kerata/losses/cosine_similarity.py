"""The cosine of the angle between targets and predictions."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core.registry import register_builtin

from .loss import LossFunctionWrapper, operands

Tensor = Any


@register_builtin("losses")
def cosine_similarity(y_true: Tensor, y_pred: Tensor, axis: int = -1) -> Tensor:
    """The negative cosine of the angle between two vectors: -1 where they point the same way.

    Args:
        y_true: targets, of shape (batch, …).
        y_pred: predictions, of the same shape.
        axis: the axis of the vectors.

    Returns:
        Values without the axis.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.cosine_similarity([[0.0, 1.0]], [[1.0, 1.0]])[0]), 4)
        -0.7071
    """
    y_true, y_pred = operands(y_true, y_pred)
    return ops.negative(
        ops.sum(ops.multiply(ops.normalize(y_true, axis), ops.normalize(y_pred, axis)), axis=axis)
    )


@register_builtin("losses")
class CosineSimilarity(LossFunctionWrapper):
    """The negative cosine of the angle between targets and predictions.

    Args:
        axis: the axis of the vectors.
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.CosineSimilarity()([[0.0, 1.0]], [[1.0, 1.0]])), 4)
        -0.7071
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)
