"""Small numerical tools for preparing data."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata import ops
from kerata.core import dispatch
from kerata.core.errors import ArgumentError


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """One-hot rows of integer classes.

    Args:
        x: classes from 0 to `num_classes - 1`: an array, a list, or a tensor of any engine, of any shape. A last axis
            of length 1 (of two or more axes) is dropped.
        num_classes: how many classes there are; by default the largest one in `x`, plus 1.

    Returns:
        An array of shape `(*x.shape, num_classes)` with a single 1 in each row: float64 for arrays and lists; a
        tensor of dtype `floatx()` for a tensor.

    Raises:
        ArgumentError: if `x` is empty and `num_classes` is not given, or holds values that are no such classes.

    Example:
        >>> to_categorical([0, 2, 1])
        array([[1., 0., 0.],
               [0., 0., 1.],
               [0., 1., 0.]])
    """
    if num_classes is not None and not _is_count(num_classes):
        raise ArgumentError("num_classes", expected="a positive integer or None", got=num_classes)
    labels = _labels(x)
    if num_classes is None:
        num_classes = int(labels.max()) + 1
    if labels.size and not 0 <= labels.min() <= labels.max() < num_classes:
        fix = f"Found {labels.min()} to {labels.max()}."
        raise ArgumentError("x", expected=f"classes from 0 to {num_classes - 1}", got=x, fix=fix)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels.reshape(labels.shape[:-1])
    if _is_native(x):
        return ops.one_hot(ops.reshape(x, labels.shape), num_classes)
    rows = np.zeros((labels.size, num_classes))
    rows[np.arange(labels.size), labels.reshape(-1)] = 1
    return rows.reshape(*labels.shape, num_classes)


def _labels(x: Any) -> np.ndarray:
    values = ops.convert_to_numpy(x) if _is_native(x) else _array(x)
    if not values.size:
        raise ArgumentError("x", expected="at least one class", got=x)
    with np.errstate(invalid="ignore"):  # NaN is refused below
        labels = values.astype(np.int64)
    if not np.array_equal(labels, values):
        raise ArgumentError("x", expected="whole numbers, which classes are", got=x)
    return labels


def normalize(x: Any, axis: int = -1, order: int | float = 2) -> Any:
    """`x`, divided by its norms along an axis; slices of zeros stay zeros.

    Args:
        x: an array, a list, or a tensor of any engine.
        axis: the axis along which norms are taken.
        order: the order of the norm: 2 is Euclidean, 1 sums absolute values, `inf` takes the largest.

    Returns:
        An array of the shape of `x` for an array (integers give float64), else a tensor.

    Raises:
        ArgumentError: if `x` holds no numbers, or has no such axis.

    Example:
        >>> import numpy as np
        >>> normalize(np.array([[3.0, 4.0], [0.0, 0.0]]))
        array([[0.6, 0.8],
               [0. , 0. ]])
    """
    if not isinstance(x, np.ndarray):
        return ops.normalize(x, axis=axis, order=order)
    if isinstance(order, bool) or not isinstance(order, (int, float)):
        raise ArgumentError("order", expected="a number", got=order)
    x = np.atleast_1d(_array(x))
    if not isinstance(axis, int) or not -x.ndim <= axis < x.ndim:
        raise ArgumentError("axis", expected=f"an axis of an array with {x.ndim}", got=axis)
    norms = np.atleast_1d(np.linalg.norm(x, order, axis))
    norms[norms == 0] = 1
    return x / np.expand_dims(norms, axis)


def _is_native(x: Any) -> bool:
    return not isinstance(x, np.ndarray) and dispatch.is_tensor(x)


def _array(x: Any) -> np.ndarray:
    try:
        array = np.asarray(x)
    except ValueError:  # rows of different lengths
        array = None
    if array is None or array.dtype.kind not in "iubf":
        raise ArgumentError("x", expected="an array of numbers", got=x)
    return array


def _is_count(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value > 0)
