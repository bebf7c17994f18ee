"""The crossentropy of several classes that looks at hard samples."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import checks, config
from kerata.core.registry import register_builtin

from .binary_crossentropy import smooth
from .categorical_crossentropy import class_operands
from .loss import LossFunctionWrapper

Tensor = Any


@register_builtin("losses")
def categorical_focal_crossentropy(
    y_true: Tensor,
    y_pred: Tensor,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """`-sum(alpha * (1 - y_pred) ** gamma * y_true * log(y_pred))` along the axis of the classes.

    Args:
        y_true: probabilities of the classes, of shape (batch, …, classes).
        y_pred: predicted probabilities, of the same shape.
        alpha: a weight, or one for each class.
        gamma: how much less easy samples count.
        from_logits: whether `y_pred` holds logits, of which the softmax is the probability.
        label_smoothing: how far targets are drawn to the uniform distribution, in [0, 1].
        axis: the axis of the classes.

    Returns:
        Values of the shape of `y_pred` without the axis.

    Source:
        Lin et al., "Focal Loss for Dense Object Detection", 2018.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4)
        0.0433
    """
    y_true, y_pred = class_operands(y_true, y_pred)
    if label_smoothing:
        y_true = smooth(y_true, label_smoothing, ops.shape(y_pred)[axis])
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    y_pred = ops.divide(y_pred, ops.sum(y_pred, axis=axis, keepdims=True))
    y_pred = ops.clip(y_pred, config.epsilon(), 1.0 - config.epsilon())
    values = ops.multiply(ops.power(ops.subtract(1.0, y_pred), gamma), ops.multiply(y_true, ops.log(y_pred)))
    weight = alpha if isinstance(alpha, (int, float)) else ops.convert_to_tensor(alpha, ops.dtype(y_pred))
    return ops.negative(ops.sum(ops.multiply(values, weight), axis=axis))


@register_builtin("losses")
class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """The categorical crossentropy in which easy samples count less.

    Args:
        alpha: a weight, or one for each class.
        gamma: how much less easy samples count.
        from_logits: whether predictions are logits, of which the softmax is the probability.
        label_smoothing: how far targets are drawn to the uniform distribution, in [0, 1].
        axis: the axis of the classes.
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.0433
    """

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        checks.number("label_smoothing", label_smoothing, 0, 1)
        super().__init__(
            categorical_focal_crossentropy, reduction, name, dtype, alpha=alpha, gamma=checks.number("gamma", gamma, 0),
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip
