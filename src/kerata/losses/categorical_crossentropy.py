"""The crossentropy of several classes, targets as probabilities."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin

from .binary_crossentropy import smooth
from .loss import LossFunctionWrapper, operands

Tensor = Any


@register_builtin("losses")
def categorical_crossentropy(
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """`-sum(y_true * log(y_pred))` along the axis of the classes.

    Args:
        y_true: probabilities of the classes (one-hot rows, for instance), of shape (batch, …, classes).
        y_pred: predicted probabilities, of the same shape.
        from_logits: whether `y_pred` holds logits, of which the softmax is the probability.
        label_smoothing: how far targets are drawn to the uniform distribution, in [0, 1].
        axis: the axis of the classes.

    Returns:
        Values of the shape of `y_pred` without the axis.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4)
        0.6931
    """
    y_true, y_pred = class_operands(y_true, y_pred)
    if label_smoothing:
        y_true = smooth(y_true, label_smoothing, ops.shape(y_pred)[axis])
    return ops.categorical_crossentropy(y_true, y_pred, from_logits, axis)


def class_operands(y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
    """Targets and predictions of one shape; classes as integers are a likely mistake."""
    true, pred = ops.shape(y_true), ops.shape(y_pred)
    if len(true) < len(pred) or (true[-1:] == (1,) and pred[-1:] != (1,)):
        raise ArgumentError(
            "y_true",
            expected=f"a probability for each class, of shape {tuple(pred)}",
            got=f"shape {tuple(true)}",
            fix="For classes as integers, use SparseCategoricalCrossentropy, or kerata.utils.to_categorical.",
        )
    return operands(y_true, y_pred)


@register_builtin("losses")
class CategoricalCrossentropy(LossFunctionWrapper):
    """The crossentropy of predicted classes, with targets as probabilities (one-hot rows).

    Args:
        from_logits: whether predictions are logits, of which the softmax is the probability.
        label_smoothing: how far targets are drawn to the uniform distribution, in [0, 1].
        axis: the axis of the classes.
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        checks.number("label_smoothing", label_smoothing, 0, 1)
        super().__init__(
            categorical_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip
