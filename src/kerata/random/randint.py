"""Uniform integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata import ops
from kerata.core import dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import new_abstract
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample
from kerata.core.state import STATE

from . import bits, stream
from .arguments import check_broadcast, is_number, sizes_of
from .bits import int32, uint32
from .declare import draw
from .seed_generator import state_of

Tensor = Any
TensorLike = Any


@draw(
    samples=[
        sample((1500,), -3, 7, seed=11),
        sample((300,), -3, 16381, seed=2**40),
        sample((300,), -(2**31), 2**31, seed=3),
        sample((30,), 4, 5, seed=3),
        sample((300,), 0, 256, "uint8", seed=3),
        sample((30,), 5, 2**32, "uint32", seed=3),
        sample((30,), -(2**40), 2**41, "int64", seed=3),
        sample((3, 2), T((2,), "int32", low=-9, high=0), 9, seed=3),
        sample((0, 2), 0, 2, seed=3),
    ],
    rejects=[
        rejects((2,), 2, 2, seed=3, argument="maxval"),
        rejects((2,), 0, 300, "uint8", seed=3, argument="maxval"),
        rejects((2,), 0, 2, "float32", seed=3, argument="dtype"),
        rejects((2,), 0.5, 2, seed=3, argument="minval"),
        rejects((-2,), 0, 2, seed=3, argument="shape"),
    ],
)
def randint(
    shape: Any, minval: TensorLike, maxval: TensorLike, dtype: Any = "int32", seed: Any = None
) -> Tensor:
    """Uniform integers in [minval, maxval), the same on every engine.

    The upper half of the product of a random word with the width of the range (Lemire 2019, without its rejection): no
    integer is favoured by more than `width / 2**32`, or by more than `2**-32` where a range wider than 32 bits takes
    two words.

    Args:
        shape: shape of the result.
        minval: smallest integer: a number, or a tensor that broadcasts to the shape.
        maxval: one more than the largest, likewise.
        dtype: an integer dtype that holds both ends.
        seed: an integer, a `SeedGenerator`, the state of one, or None for the global stream.

    Raises:
        ArgumentError: `dtype` is not an integer dtype, the range is empty, or it does not fit.

    Source:
        D. Lemire, "Fast Random Integer Generation in an Interval", ACM TOMACS 29 (2019).

    Example:
        >>> import kerata
        >>> x = kerata.random.randint((100,), 5, 8, seed=1)
        >>> sorted(set(kerata.ops.convert_to_numpy(x).tolist()))
        [5, 6, 7]
    """
    sizes, name = sizes_of(shape), dtypes.of_numbers(dtype)
    if not dtypes.is_int(name):
        raise ArgumentError("dtype", expected="an integer dtype", got=dtype)
    for bound, argument in ((minval, "minval"), (maxval, "maxval")):
        if is_number(bound) and not float(bound).is_integer():
            raise ArgumentError(argument, expected="an integer", got=bound)
        check_broadcast(bound, argument, sizes, "an integer")
    if is_number(minval) and is_number(maxval):
        return _between_numbers(sizes, int(minval), int(maxval), name, state_of(seed))
    return _between_tensors(sizes, minval, maxval, name, state_of(seed))


def _between_numbers(shape: tuple[Any, ...], low: int, high: int, name: str, state: stream.State) -> Tensor:
    limits, width = dtypes.iinfo(name), high - low
    if width <= 0:
        raise ArgumentError("maxval", expected=f"above minval ({low})", got=high)
    if low < limits.min or (high - 1 > limits.max and rules.known(high)):
        raise ArgumentError("maxval", expected=f"such that the range fits {name}", got=(low, high))
    if STATE.abstract:
        return new_abstract(shape, name)
    if width > 1 << 32:
        return _wide(shape, low, width, name, state)
    inside = -(2**31) <= low and high - 1 < 2**31
    if stream.on_host(state) and inside:
        array = randint_array(state, stream.size_of(shape), low, width)
        return ops.cast(stream.take_over(array, shape, "int32"), name)
    words = stream.random_bits(state, shape)
    if width == 1 << 32:
        offsets = words
    elif width & (width - 1) == 0:
        offsets = stream.logical_shift(words, 33 - width.bit_length()) if width > 1 else p.mul(words, 0)
    else:
        offsets = _upper_product(words, width >> 16, width & 0xFFFF)
    if inside:
        return ops.cast(p.add(offsets, low) if low else offsets, name)
    # Ends outside int32: offsets are unsigned numbers of 32 bits.
    wide = p.cast(p.bitcast(offsets, dtype="uint32"), dtype="int64")
    return ops.cast(p.add(wide, low), name)


def _between_tensors(
    shape: tuple[Any, ...], minval: Any, maxval: Any, name: str, state: stream.State
) -> Tensor:
    """Bounds of 32 bits whose values are known when the draw is made."""
    if STATE.abstract:
        return new_abstract(shape, name)
    ends = (
        bits.signed(int(v)) if is_number(v) else v for v in (minval, maxval)
    )  # unsigned ones by their bits
    low, high = (ops.cast(ops.convert_to_tensor(v), "int32") for v in ends)
    width = p.sub(high, low)
    upper = _upper_product(
        stream.random_bits(state, shape), stream.logical_shift(width, 16), p.bitwise_and(width, 0xFFFF)
    )
    return ops.cast(p.add(upper, low), name)


def _upper_product(words: Tensor, b1: Any, b0: Any) -> Tensor:
    """The upper 32 bits of `words * (b1 * 2**16 + b0)`, unsigned, in int32 that wraps."""
    a1, a0 = stream.logical_shift(words, 16), p.bitwise_and(words, 0xFFFF)
    low = stream.logical_shift(p.mul(a0, b0), 16)
    middle = p.add(p.mul(a1, b0), low)  # below 2**32: no carry is lost
    if type(b1) is int and b1 == 0:
        return stream.logical_shift(middle, 16)
    other = p.add(p.mul(a0, b1), p.bitwise_and(middle, 0xFFFF))
    return p.add(p.add(p.mul(a1, b1), stream.logical_shift(middle, 16)), stream.logical_shift(other, 16))


def randint_array(state: tuple[int, int], n: int, low: int, width: int) -> np.ndarray:
    """The same as int32, drawn by NumPy block by block."""
    power = width & (width - 1) == 0
    b1, b0 = (uint32(half) for half in (width >> 16, width & 0xFFFF))

    def finish(space: bits.Workspace) -> tuple[np.ndarray, ...]:
        words = space.x, space.y, space.z, space.w
        for v in words:
            u, t, s = (a.view(np.uint32) for a in (v, space.scratch[0], space.scratch[1]))
            if power:
                np.right_shift(u, uint32(33 - width.bit_length()), out=u) if width > 1 else u.fill(0)
            else:
                np.bitwise_and(u, uint32(0xFFFF), out=t)
                np.right_shift(u, uint32(16), out=u)
                np.multiply(t, b0, out=s)
                np.right_shift(s, uint32(16), out=s)
                _upper_into(u, t, s, b1, b0)
            if low:
                np.add(v, int32(low), out=v)
        return words

    return bits.draw(state, n, np.int32, finish)


def _upper_into(a1: np.ndarray, a0: np.ndarray, low: np.ndarray, b1: np.ndarray, b0: np.ndarray) -> None:
    """The last steps of `_upper_product`, into `a1`; `a0` and `low` are used up."""
    half, lower = uint32(16), uint32(0xFFFF)
    if not b1:
        np.multiply(a1, b0, out=a1)
        np.add(a1, low, out=a1)
        np.right_shift(a1, half, out=a1)
        return
    middle = np.multiply(a1, b0)
    np.add(middle, low, out=middle)
    np.multiply(a0, b1, out=a0)
    np.bitwise_and(middle, lower, out=low)
    np.add(a0, low, out=a0)
    np.right_shift(a0, half, out=a0)
    np.right_shift(middle, half, out=middle)
    np.multiply(a1, b1, out=a1)
    np.add(a1, middle, out=a1)
    np.add(a1, a0, out=a1)


def _wide(shape: tuple[Any, ...], low: int, width: int, name: str, state: stream.State) -> Tensor:
    """Ranges above 2**32: the upper half of the product of two words with the width, in four products of halves."""
    words = stream.random_bits(state, (*shape, 2))
    a1, a0 = (p.cast(p.bitcast(ops.take(words, i, axis=-1), dtype="uint32"), dtype="int64") for i in (0, 1))
    b1, b0 = width >> 32, width & 0xFFFFFFFF
    mask = 0xFFFFFFFF

    def upper(x: Tensor) -> Tensor:
        return p.bitwise_and(p.shift_right(x, 32), mask)

    def product(a: Tensor, b: int) -> Tensor:
        return p.mul(a, b if b < 1 << 63 else b - (1 << 64))

    middle = p.add(product(a1, b0), upper(product(a0, b0)))
    other = p.add(product(a0, b1), p.bitwise_and(middle, mask))
    offsets = p.add(p.add(product(a1, b1), upper(middle)), upper(other))
    start = low if low < 1 << 63 else low - (1 << 64)
    total = p.add(offsets, start)
    return p.bitcast(total, dtype="uint64") if name == "uint64" else ops.cast(total, name)
