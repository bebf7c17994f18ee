"""Connectionist temporal classification."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin

from .loss import LossFunctionWrapper, as_float, numbers

Tensor = Any


@register_builtin("losses")
def ctc(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """The negative log likelihood of label sequences of unknown alignment.

    Args:
        y_true: classes as integers from 1, padded with 0, of shape (batch, labels).
        y_pred: logits, of shape (batch, time, classes); class 0 is the blank.

    Returns:
        Values of shape (batch,).

    Source:
        Graves et al., "Connectionist Temporal Classification", 2006.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.ctc([[1, 2]], [[[0.0, 0.0, 0.0]] * 2])[0]), 4)
        2.1972
    """
    y_true, y_pred = ops.cast(numbers("y_true", y_true), "int32"), as_float(y_pred)
    labels, outputs = ops.shape(y_true), ops.shape(y_pred)
    if len(outputs) != 3:
        raise ArgumentError("y_pred", expected="of shape (batch, time, classes)", got=y_pred)
    if len(labels) != 2:
        raise ArgumentError("y_true", expected="of shape (batch, labels)", got=y_true)
    lengths = ops.sum(ops.cast(ops.not_equal(y_true, 0), "int32"), axis=-1)
    times = ops.add(ops.zeros_like(lengths), outputs[1])
    return ops.ctc_loss(y_true, y_pred, lengths, times, 0)


@register_builtin("losses")
class CTC(LossFunctionWrapper):
    """The negative log likelihood of label sequences of unknown alignment: speech, handwriting.

    Args:
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.CTC()([[1, 2]], [[[0.0, 0.0, 0.0]] * 2])), 4)
        2.1972
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "ctc", dtype: Any = None
    ) -> None:
        super().__init__(ctc, reduction, name, dtype)
