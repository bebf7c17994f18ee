"""The crossentropy of two outcomes."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.registry import register_builtin

from .loss import LossFunctionWrapper, operands

Tensor = Any


@register_builtin("losses", "bce", "BCE")
def binary_crossentropy(
    y_true: Tensor, y_pred: Tensor, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """The mean of `-y_true * log(y_pred) - (1 - y_true) * log(1 - y_pred)` along an axis.

    Args:
        y_true: probabilities of the first outcome, of shape (batch, …).
        y_pred: predicted probabilities, of the same shape.
        from_logits: whether `y_pred` holds logits, of which the sigmoid is the probability.
        label_smoothing: how far targets are drawn to 0.5, in [0, 1].
        axis: the axis of the mean.

    Returns:
        Values of the shape of `y_pred` without the axis.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.binary_crossentropy([[1.0, 0.0]], [[0.5, 0.5]])[0]), 4)
        0.6931
    """
    y_true, y_pred = operands(y_true, y_pred)
    if label_smoothing:
        y_true = smooth(y_true, label_smoothing, 2)
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits), axis=axis)


def smooth(y_true: Tensor, amount: float, classes: Any) -> Tensor:
    """Probabilities drawn towards `1 / classes`."""
    checks.number("label_smoothing", amount, 0, 1)
    return ops.add(ops.multiply(y_true, 1.0 - amount), amount / classes)


@register_builtin("losses")
class BinaryCrossentropy(LossFunctionWrapper):
    """The crossentropy of predictions of two outcomes.

    Args:
        from_logits: whether predictions are logits, of which the sigmoid is the probability.
        label_smoothing: how far targets are drawn to 0.5, in [0, 1].
        axis: the axis whose mean is a sample's value.
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.BinaryCrossentropy()([[1.0, 0.0]], [[0.5, 0.5]])), 4)
        0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        checks.number("label_smoothing", label_smoothing, 0, 1)
        super().__init__(
            binary_crossentropy, reduction, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip
