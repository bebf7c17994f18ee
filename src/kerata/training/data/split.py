"""The part of the training data that is kept back for validation."""

from __future__ import annotations

from typing import Any

from kerata.core.errors import ArgumentError

from .batches import kind_of_batches
from .packing import Batch
from .structure import arrays_of, count_samples, slices_of


def split_validation(
    x: Any, y: Any = None, sample_weight: Any = None, validation_split: float = 0.2
) -> tuple[Batch, Batch]:
    """Splits arrays into the first samples, for training, and the last fraction, for validation.

    The order is that of the arrays: nothing is shuffled before. Both parts are views.

    Args:
        x, y, sample_weight: arrays, or nested structures of arrays.
        validation_split: the fraction to keep back, between 0 and 1 (both excluded).

    Returns:
        `(x, y, sample_weight)` for training, and the same for validation.

    Raises:
        ArgumentError: if the fraction is out of range, a part would be empty, or the data are no arrays.

    Example:
        >>> import numpy as np
        >>> (x, _, _), (x_val, _, _) = split_validation(np.arange(5), validation_split=0.4)
        >>> x, x_val
        (array([0, 1, 2]), array([3, 4]))
    """
    fraction = validation_split
    if isinstance(fraction, bool) or not isinstance(fraction, (int, float)) or not 0 < fraction < 1:
        raise ArgumentError("validation_split", expected="a number between 0 and 1", got=fraction)
    kind = kind_of_batches(x)
    if kind is not None:
        fix = "Only arrays can be split; give `validation_data` instead."
        raise ArgumentError(
            "validation_split", expected=f"left out where `x` is {kind}", got=fraction, fix=fix
        )
    x, y = arrays_of(x, "x"), arrays_of(y, "y")
    sample_weight = arrays_of(sample_weight, "sample_weight")
    count = count_samples(x, y, sample_weight)
    kept = int(count * (1 - fraction))
    if not 0 < kept < count:
        fix = f"Give more data or another fraction: {kept} for training and {count - kept} kept back are too few."
        raise ArgumentError(
            "validation_split", expected=f"a fraction that splits {count} samples", got=fraction, fix=fix
        )
    get_x, get_y, get_w = slices_of(x), slices_of(y), slices_of(sample_weight)
    first, last = slice(0, kept), slice(kept, count)
    return (get_x(first), get_y(first), get_w(first)), (get_x(last), get_y(last), get_w(last))
