"""The crossentropy of two outcomes that looks at hard samples."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.registry import register_builtin

from .binary_crossentropy import smooth
from .loss import LossFunctionWrapper, operands

Tensor = Any


@register_builtin("losses")
def binary_focal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """The binary crossentropy times `(1 - p) ** gamma`, `p` the probability given to what is true.

    Args:
        y_true: probabilities of the first outcome, of shape (batch, …).
        y_pred: predicted probabilities, of the same shape.
        apply_class_balancing: whether the outcomes are weighted, by `alpha` and `1 - alpha`.
        alpha: weight of the first outcome.
        gamma: how much less easy samples count.
        from_logits: whether `y_pred` holds logits, of which the sigmoid is the probability.
        label_smoothing: how far targets are drawn to 0.5, in [0, 1].
        axis: the axis of the mean.

    Returns:
        Values of the shape of `y_pred` without the axis.

    Source:
        Lin et al., "Focal Loss for Dense Object Detection", 2018.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.binary_focal_crossentropy([[1.0]], [[0.5]])[0]), 4)
        0.1733
    """
    y_true, y_pred = operands(y_true, y_pred)
    if label_smoothing:
        y_true = smooth(y_true, label_smoothing, 2)
    values = ops.binary_crossentropy(y_true, y_pred, from_logits)
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    wrong = ops.subtract(ops.add(y_true, y_pred), ops.multiply(ops.multiply(y_true, y_pred), 2.0))  # 1 - p
    values = ops.multiply(ops.power(wrong, gamma), values)
    if apply_class_balancing:
        values = ops.multiply(values, ops.add(ops.multiply(y_true, 2 * alpha - 1.0), 1.0 - alpha))
    return ops.mean(values, axis=axis)


@register_builtin("losses")
class BinaryFocalCrossentropy(LossFunctionWrapper):
    """The binary crossentropy in which easy samples count less.

    Args:
        apply_class_balancing: whether the outcomes are weighted, by `alpha` and `1 - alpha`.
        alpha: weight of the first outcome.
        gamma: how much less easy samples count.
        from_logits: whether predictions are logits, of which the sigmoid is the probability.
        label_smoothing: how far targets are drawn to 0.5, in [0, 1].
        axis: the axis whose mean is a sample's value.
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.BinaryFocalCrossentropy()([[1.0]], [[0.5]])), 4)
        0.1733
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        checks.number("label_smoothing", label_smoothing, 0, 1)
        super().__init__(
            binary_focal_crossentropy, reduction, name, dtype, apply_class_balancing=apply_class_balancing,
            alpha=checks.number("alpha", alpha, 0, 1), gamma=checks.number("gamma", gamma, 0),
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip
