"""Sequences of different lengths as one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata.core.errors import ArgumentError

_SIDES = ("pre", "post")


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Pads and cuts sequences to one length.

    Args:
        sequences: a list of sequences; their items are numbers, or arrays of one shape.
        maxlen: the length; by default that of the longest sequence.
        dtype: dtype of the result: a name or a NumPy dtype; `object` for text of any length.
        padding: whether `value` is put before ("pre") or after ("post") a sequence that is too short.
        truncating: whether a sequence that is too long loses its beginning ("pre") or its end ("post").
        value: what to pad with.

    Returns:
        An array of shape `(len(sequences), maxlen, ...)`.

    Raises:
        ArgumentError: if there are no sequences, items differ in shape or do not fit `dtype`, or an argument is none of
            those above.

    Example:
        >>> pad_sequences([[1], [2, 3], [4, 5, 6]])
        array([[0, 0, 1],
               [0, 2, 3],
               [4, 5, 6]], dtype=int32)
        >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2, padding="post", truncating="post")
        array([[1, 0],
               [2, 3],
               [4, 5]], dtype=int32)
    """
    _check_side("padding", padding)
    _check_side("truncating", truncating)
    lengths = _lengths(sequences)
    if maxlen is None:
        maxlen = max(lengths)
    elif isinstance(maxlen, bool) or not isinstance(maxlen, (int, np.integer)) or maxlen < 1:
        raise ArgumentError("maxlen", expected="a positive integer or None", got=maxlen)
    items = next((np.shape(s)[1:] for s, length in zip(sequences, lengths) if length), ())
    padded = _filled((len(sequences), maxlen, *items), value, _dtype(dtype, value))
    for i, sequence in enumerate(sequences):
        if not lengths[i]:
            continue
        kept = sequence[-maxlen:] if truncating == "pre" else sequence[:maxlen]
        rows = slice(maxlen - len(kept), None) if padding == "pre" else slice(len(kept))
        padded[i, rows] = _items(kept, i, items, padded.dtype)
    return padded


def _check_side(argument: str, value: Any) -> None:
    if value not in _SIDES:
        raise ArgumentError(argument, expected='"pre" or "post"', got=value)


def _lengths(sequences: Any) -> list[int]:
    if (
        not isinstance(sequences, (Sequence, np.ndarray))
        or isinstance(sequences, (str, bytes))
        or not len(sequences)
    ):
        raise ArgumentError("sequences", expected="a list of at least one sequence", got=sequences)
    return [_length(sequence, i) for i, sequence in enumerate(sequences)]


def _length(sequence: Any, i: int) -> int:
    try:
        return len(sequence[:])
    except TypeError:  # a number, a set, an array without axes
        raise ArgumentError(f"sequences[{i}]", expected="a sequence", got=sequence) from None


def _dtype(dtype: Any, value: Any) -> np.dtype[Any]:
    try:
        found = np.dtype(dtype)
    except TypeError:
        raise ArgumentError("dtype", expected="a dtype of NumPy", got=dtype) from None
    if isinstance(value, str) and found.kind not in "UO":
        raise ArgumentError("value", expected=f"a {found.name}", got=value, fix="Text needs `dtype=object`.")
    return found


def _filled(shape: tuple[int, ...], value: Any, dtype: np.dtype[Any]) -> np.ndarray:
    try:
        return np.full(shape, value, dtype=dtype)
    except (ValueError, TypeError, OverflowError):
        raise ArgumentError("value", expected=f"one value of dtype {dtype.name}", got=value) from None


def _items(sequence: Any, i: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    try:
        items = np.asarray(sequence, dtype="U" if dtype.kind == "U" else dtype)
    except (ValueError, TypeError, OverflowError):
        items = None
    if items is None or items.shape[1:] != shape or (dtype.kind == "U" and items.itemsize > dtype.itemsize):
        expected = f"a sequence of {dtype.name}" + (f" arrays of shape {shape}" if shape else " values")
        fix = "All items must have one shape; text needs `dtype=object`."
        raise ArgumentError(f"sequences[{i}]", expected=expected, got=sequence, fix=fix)
    return items
