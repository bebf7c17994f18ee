"""A crossentropy that bears wrong labels."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin

from .loss import LossFunctionWrapper, as_float, fit_classes, numbers

Tensor = Any


@register_builtin("losses")
def categorical_generalized_cross_entropy(y_true: Tensor, y_pred: Tensor, q: float) -> Tensor:
    """`(1 - p ** q) / q`, `p` the probability given to the true class.

    Args:
        y_true: classes as integers, of shape (batch, …) or (batch, …, 1).
        y_pred: predicted probabilities, of shape (batch, …, classes).
        q: in (0, 1): near 0 the crossentropy, at 1 the mean absolute error.

    Returns:
        Values of shape (batch, …).

    Source:
        Zhang and Sabuncu, "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels", 2018.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.categorical_generalized_cross_entropy([1], [[0.75, 0.25]], q=0.5)[0]), 4)
        1.0
    """
    y_pred = as_float(y_pred)
    labels = fit_classes(numbers("y_true", y_true), y_pred)
    chosen = ops.one_hot(ops.cast(labels, "int32"), ops.shape(y_pred)[-1], dtype=ops.dtype(y_pred))
    right = ops.sum(ops.multiply(chosen, y_pred), axis=-1)
    return ops.divide(ops.subtract(1.0, ops.power(right, q)), q)


@register_builtin("losses")
class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """A loss between the crossentropy and the absolute error, which bears wrong labels.

    Args:
        q: in (0, 1): near 0 the crossentropy, at 1 the mean absolute error.
        reduction: how values are reduced; see `Loss`.
        name: name of the loss.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.losses.CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]])), 4)
        1.0
    """

    takes_labels = True

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0 < checks.number("q", q) < 1:
            raise ArgumentError("q", expected="a number between 0 and 1", got=q)
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)
