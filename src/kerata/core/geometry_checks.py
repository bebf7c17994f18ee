"""Checks of the arguments that describe sliding windows; what they let pass is integers.

Each gives its argument in one form, or says what is wrong with it. `kerata.core.geometry` makes plans of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata.core.errors import ArgumentError
from kerata.core.rules import integer_of

Ints = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]


def input_sizes(
    x_shape: Sequence[Any], data_format: Any, empty_channels: bool = False
) -> tuple[Ints, int, bool]:
    """(spatial sizes, channels, whether the channels come last)."""
    if data_format not in ("channels_last", "channels_first"):
        raise ArgumentError("data_format", expected='"channels_last" or "channels_first"', got=data_format)
    if not 3 <= len(x_shape) <= 5:
        raise ArgumentError(
            "inputs",
            expected="of a shape with a batch, 1 to 3 spatial dimensions, and channels",
            got=tuple(x_shape),
        )
    channels_last = data_format == "channels_last"
    spatial, channels = (x_shape[1:-1], x_shape[-1]) if channels_last else (x_shape[2:], x_shape[1])
    size, count = _integers(spatial), integer_of(channels)
    if size is None or count is None:
        raise ArgumentError(
            "inputs", expected="of a shape with known spatial sizes and channels", got=tuple(x_shape)
        )
    if min(size) < 1 or (count < 1 and not empty_channels):
        layout = "(batch, *spatial, channels)" if channels_last else "(batch, channels, *spatial)"
        raise ArgumentError(
            "inputs",
            expected="of a shape that is positive after the batch",
            got=tuple(x_shape),
            fix=f'With data_format="{data_format}" they are read as {layout}.',
        )
    return size, count, channels_last


def kernel_sizes(shape: Sequence[Any], rank: int, name: str) -> Ints:
    sizes = _integers(shape)
    if len(shape) != rank + 2:
        raise ArgumentError(
            name,
            expected=f"of a shape with {rank} spatial dimensions, like `inputs`, and two of channels",
            got=tuple(shape),
        )
    if sizes is None or min(sizes) < 1:
        raise ArgumentError(name, expected="of known, positive sizes", got=tuple(shape))
    return sizes


def _integers(values: Sequence[Any]) -> Ints | None:
    found = tuple(n for n in map(integer_of, values) if n is not None)
    return found if len(found) == len(values) else None


def positive_integers(name: str, value: Any, rank: int) -> Ints:
    """One positive integer for each spatial dimension, from one for all or from a sequence."""
    given = value if isinstance(value, tuple) else (value,) * rank
    sizes = _integers(given)
    if sizes is None or len(sizes) != rank or min(sizes) < 1:
        each = f"a positive integer, or {rank} of them, one for each spatial dimension"
        raise ArgumentError(name, expected="a positive integer" if rank == 1 else each, got=value)
    return sizes


def output_padding_of(value: Any, rank: int) -> tuple[int | None, ...]:
    given = value if isinstance(value, tuple) else (value,) * rank
    sizes = tuple(None if v is None else integer_of(v) for v in given)
    wrong = any(v is not None and (n is None or n < 0) for v, n in zip(given, sizes))
    if len(sizes) != rank or wrong:
        raise ArgumentError(
            "output_padding",
            expected=f"None, a non-negative integer, or {rank} of these, one for each spatial dimension",
            got=value,
        )
    return sizes


def named_padding(padding: Any, allowed: tuple[str, ...], also: str = "") -> str:
    name = padding.lower() if isinstance(padding, str) else None
    if name in allowed:
        return name
    raise ArgumentError("padding", expected=" or ".join(f'"{a}"' for a in allowed) + also, got=padding)


def pads_of(padding: Any, size: Ints, extent: Ints, strides: Ints) -> Pads:
    rank = len(size)
    if isinstance(padding, tuple):
        return _explicit_pads(padding, rank)
    allowed = ("valid", "same", "causal") if rank == 1 else ("valid", "same")
    name = named_padding(padding, allowed, f", or {rank} pairs (before, after)")
    if name == "valid":
        return ((0, 0),) * rank
    if name == "causal":
        return ((extent[0] - 1, 0),)
    totals = (max((-(-n // s) - 1) * s + e - n, 0) for n, e, s in zip(size, extent, strides))
    return tuple((total // 2, total - total // 2) for total in totals)


def _explicit_pads(padding: tuple[Any, ...], rank: int) -> Pads:
    if len(padding) == rank and all(isinstance(pair, tuple) and len(pair) == 2 for pair in padding):
        flat = _integers([n for pair in padding for n in pair])
        if flat is not None and min(flat) >= 0:
            return tuple(zip(flat[::2], flat[1::2]))
    raise ArgumentError(
        "padding",
        expected=f'"valid", "same", or {rank} pairs (before, after) of non-negative integers',
        got=padding,
    )


def output_sizes(size: Ints, extent: Ints, strides: Ints, pads: Pads, window: str) -> Ints:
    out = tuple((n + sum(p) - e) // s + 1 for n, e, s, p in zip(size, extent, strides, pads))
    if min(out) < 1:
        raise ArgumentError(
            "inputs",
            expected=f"of a spatial size not below the extent {extent} of `{window}`",
            got=size,
            fix='Use a larger input, a smaller window, or padding="same".',
        )
    return out
