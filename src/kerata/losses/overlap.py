"""Losses of the overlap of two sets: Dice's and Tversky's."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import config
from kerata.core.registry import register_builtin

from .loss import LossFunctionWrapper, operands

Tensor = Any
Axis = int | tuple[int, ...] | list[int] | None


def _axis(axis: Axis) -> int | tuple[int, ...] | None:
    return tuple(axis) if isinstance(axis, list) else axis


@register_builtin("losses")
def dice(y_true: Tensor, y_pred: Tensor, axis: Axis = None) -> Tensor:
    """`1 - 2 sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))`.

    Args:
        y_true: membership of the true set, in [0, 1].
        y_pred: predicted membership, of the same shape.
        axis: the axes of the sums; None: all, the batch included.

    Returns:
        Values without the axes.

    Source:
        Milletari, Navab and Ahmadi, "V-Net", 2016.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.dice([[1.0, 0.0]], [[0.5, 0.5]])), 4)
        0.5
    """
    y_true, y_pred = operands(y_true, y_pred)
    axis = _axis(axis)
    common = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    size = ops.add(ops.sum(y_true, axis=axis), ops.sum(y_pred, axis=axis))
    return ops.subtract(1.0, ops.divide(ops.multiply(common, 2.0), ops.add(size, config.epsilon())))


@register_builtin("losses")
def tversky(
    y_true: Tensor, y_pred: Tensor, alpha: float = 0.5, beta: float = 0.5, axis: Axis = None
) -> Tensor:
    """`1 - common / (common + alpha * false negatives + beta * false positives)`.

    Args:
        y_true: membership of the true set, in [0, 1].
        y_pred: predicted membership, of the same shape.
        alpha: weight of false negatives.
        beta: weight of false positives.
        axis: the axes of the sums; None: all, the batch included.

    Returns:
        Values without the axes.

    Source:
        Salehi, Erdogmus and Gholipour, "Tversky loss function for image segmentation", 2017.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.tversky([[1.0, 0.0]], [[0.5, 0.5]])), 4)
        0.5
    """
    y_true, y_pred = operands(y_true, y_pred)
    axis = _axis(axis)
    common = ops.sum(ops.multiply(y_true, y_pred), axis=axis)
    extra = ops.sum(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=axis)
    missed = ops.sum(ops.multiply(y_true, ops.subtract(1.0, y_pred)), axis=axis)
    size = ops.add(common, ops.add(ops.multiply(missed, alpha), ops.multiply(extra, beta)))
    return ops.subtract(1.0, ops.divide(common, ops.add(size, config.epsilon())))


@register_builtin("losses")
class Dice(LossFunctionWrapper):
    """How little two sets overlap, by Dice's coefficient.

    Args:
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        axis: the axes of the sums; None: all, the batch included.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.Dice()([[1.0, 0.0]], [[0.5, 0.5]])), 4)
        0.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "dice",
        axis: Axis = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dice, reduction, name, dtype, axis=axis)


@register_builtin("losses")
class Tversky(LossFunctionWrapper):
    """How little two sets overlap, with weights for what is too much and what is missing.

    Args:
        alpha: weight of false negatives.
        beta: weight of false positives.
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        axis: the axes of the sums; None: all, the batch included.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.Tversky()([[1.0, 0.0]], [[0.5, 0.5]])), 4)
        0.5
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "tversky",
        axis: Axis = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)
