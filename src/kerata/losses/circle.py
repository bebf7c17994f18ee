"""Circle loss: similarities within and between classes, for embeddings."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin

from .loss import LossFunctionWrapper, as_float, numbers

Tensor = Any


@register_builtin("losses")
def circle(
    y_true: Tensor,
    y_pred: Tensor,
    ref_labels: Tensor | None = None,
    ref_embeddings: Tensor | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Tensor:
    """Draws embeddings of one class together and those of different classes apart.

    Args:
        y_true: classes as integers, of shape (batch,).
        y_pred: embeddings of norm 1, of shape (batch, size).
        ref_labels: classes of the embeddings to compare with; `y_true` if None.
        ref_embeddings: those embeddings, of shape (references, size); `y_pred` if None.
        remove_diagonal: whether an embedding is not compared with itself.
        gamma: scale of the similarities.
        margin: how far similarities are relaxed, in (0, 1).

    Returns:
        Values of shape (batch,).

    Source:
        Sun et al., "Circle Loss: A Unified Perspective of Pair Similarity Optimization", 2020, equations 4 to 8.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.circle([0, 0], [[1.0, 0.0], [1.0, 0.0]], gamma=1.0)[0]), 4)
        0.0
    """
    y_pred = as_float(y_pred)
    labels = ops.reshape(ops.cast(numbers("y_true", y_true), "int32"), (-1,))
    others = (
        labels
        if ref_labels is None
        else ops.reshape(ops.cast(numbers("ref_labels", ref_labels), "int32"), (-1,))
    )
    references = (
        y_pred if ref_embeddings is None else numbers("ref_embeddings", ref_embeddings, ops.dtype(y_pred))
    )
    if len(ops.shape(y_pred)) != 2:
        raise ArgumentError("y_pred", expected="embeddings of shape (batch, size)", got=y_pred)
    # As in Keras: 0 for equal directions, and for what has a norm above 1 and would be nearer than that.
    distance = ops.maximum(ops.subtract(1.0, ops.matmul(y_pred, ops.transpose(references))), 0.0)
    return _from_distances(distance, *_pairs(labels, others, remove_diagonal), float(gamma), margin)


def _pairs(labels: Tensor, others: Tensor, remove_diagonal: bool) -> tuple[Tensor, Tensor]:
    """Which pairs are of one class, and which are not."""
    same = ops.equal(ops.expand_dims(labels, 1), ops.expand_dims(others, 0))
    different = ops.logical_not(same)
    if remove_diagonal:
        rows, columns = ops.shape(same)
        self_pair = ops.equal(ops.expand_dims(ops.arange(rows), 1), ops.expand_dims(ops.arange(columns), 0))
        same = ops.logical_and(same, ops.logical_not(self_pair))
    return same, different


def _from_distances(distance: Tensor, same: Tensor, different: Tensor, gamma: float, margin: float) -> Tensor:
    pull = ops.stop_gradient(ops.maximum(ops.add(distance, margin), 0.0))
    push = ops.stop_gradient(ops.maximum(ops.add(ops.subtract(1.0, distance), margin), 0.0))
    near = ops.multiply(ops.multiply(pull, ops.subtract(distance, margin)), gamma)
    far = ops.multiply(ops.multiply(push, ops.subtract(1.0 - margin, distance)), gamma)
    return ops.softplus(ops.add(_logsumexp_where(near, same), _logsumexp_where(far, different)))


def _logsumexp_where(x: Tensor, chosen: Tensor) -> Tensor:
    return ops.logsumexp(ops.where(chosen, x, ops.full_like(x, -1e9)), axis=1)


@register_builtin("losses")
class Circle(LossFunctionWrapper):
    """Draws embeddings of one class together and those of different classes apart.

    Targets are classes as integers, predictions embeddings of norm 1.

    Args:
        gamma: scale of the similarities.
        margin: how far similarities are relaxed.
        remove_diagonal: whether an embedding is not compared with itself.
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.Circle(gamma=1.0)([0, 0], [[1.0, 0.0], [1.0, 0.0]])), 4)
        0.0
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            circle, reduction, name, dtype,
            gamma=checks.number("gamma", gamma, 0), margin=checks.number("margin", margin, 0, 1), remove_diagonal=remove_diagonal,
        )  # fmt: skip
        self.remove_diagonal = remove_diagonal

    def counted(self, y_true: Tensor, values: Tensor) -> Tensor | None:
        """Embeddings that have another of their class to be drawn to."""
        labels = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        return ops.any(_pairs(labels, labels, self.remove_diagonal)[0], axis=1)
