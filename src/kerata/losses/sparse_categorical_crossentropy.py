"""The crossentropy of several classes, targets as integers."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core.registry import register_builtin

from .loss import LossFunctionWrapper, as_float, numbers

Tensor = Any


@register_builtin("losses")
def sparse_categorical_crossentropy(
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Tensor:
    """`-log(y_pred)` at the true class, along the axis of the classes.

    Args:
        y_true: classes as integers, of shape (batch, …).
        y_pred: predicted probabilities, of shape (batch, …, classes).
        from_logits: whether `y_pred` holds logits, of which the softmax is the probability.
        ignore_class: a class whose samples give 0.
        axis: the axis of the classes.

    Returns:
        Values of the shape of `y_true`.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]])[0]), 4)
        0.6931
    """
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(y_true, as_float(y_pred), from_logits, axis)
    y_true = numbers("y_true", y_true)
    kept = ops.not_equal(y_true, ignore_class)
    y_true = ops.where(kept, y_true, ops.zeros_like(y_true))
    values = ops.sparse_categorical_crossentropy(y_true, as_float(y_pred), from_logits, axis)
    return ops.where(ops.reshape(kept, ops.shape(values)), values, ops.zeros_like(values))


@register_builtin("losses")
class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """The crossentropy of predicted classes, with targets as integers.

    Args:
        from_logits: whether predictions are logits, of which the softmax is the probability.
        ignore_class: a class whose samples take no part, such as -1 for "unlabelled".
        reduction: how values are reduced; see `Loss`.
        axis: the axis of the classes.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])), 4)
        0.6931
    """

    takes_labels = True

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, ignore_class=ignore_class, axis=axis,
        )  # fmt: skip
        self.ignore_class = ignore_class

    def counted(self, y_true: Tensor, values: Tensor) -> Tensor | None:
        if self.ignore_class is None:
            return None
        return ops.reshape(ops.not_equal(y_true, self.ignore_class), ops.shape(values))
