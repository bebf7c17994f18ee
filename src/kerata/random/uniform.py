"""Uniform values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from ml_dtypes import finfo

from kerata import ops
from kerata.core import dtypes
from kerata.core import primitives as p
from kerata.core.declare import new_abstract
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample
from kerata.core.state import STATE

from . import bits, stream
from .arguments import check_broadcast, float_dtype, is_number, sizes_of, work_dtype
from .bits import float32, int32
from .declare import draw
from .seed_generator import state_of

Tensor = Any
TensorLike = Any


@draw(
    samples=[
        sample((700,), seed=11),
        sample((3, 500), -2.5, 7.25, seed=11),
        sample((300,), -0.3, 0.3, seed=2**40),
        sample((300,), 0.1, 0.2, dtype="float16", seed=3),
        sample((300,), dtype="bfloat16", seed=3),
        sample((300,), 1.0, 2.0, dtype="float8_e4m3fn", seed=3),
        sample((30,), 1, 3, dtype="float64", seed=3),
        sample((3, 4), T((4,), low=-1.0, high=0.0), 9.0, seed=3),
        sample((0, 2), seed=3),
        sample((), seed=3),
    ],
    rejects=[
        rejects((2,), 2.0, 1.0, seed=3, argument="maxval"),
        rejects((-1,), seed=3, argument="shape"),
        rejects((2,), dtype="int32", seed=3, argument="dtype"),
        rejects((2,), seed=-1, argument="seed"),
        rejects((2,), T((3,)), seed=3, argument="minval"),
    ],
)
def uniform(
    shape: Any, minval: TensorLike = 0.0, maxval: TensorLike = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Uniform values in [minval, maxval), the same bits on every engine.

    They are multiples of `(maxval - minval) * 2**-24`, of `2**-53` in float64. Values of 16 bits are rounded from
    float32, and what rounds to `maxval` becomes its lower neighbour.

    Args:
        shape: shape of the result.
        minval: lower bound: a number, or a tensor that broadcasts to the shape.
        maxval: upper bound, likewise.
        dtype: a float dtype; `floatx()` if None.
        seed: an integer, a `SeedGenerator`, the state of one (a uint32 tensor of shape (2,)), or None for the global
            stream.

    Raises:
        ArgumentError: `dtype` is not a float dtype, or `maxval` is below `minval`.

    Example:
        >>> import kerata
        >>> x = kerata.random.uniform((100,), seed=1)
        >>> bool(kerata.ops.all(x >= 0.0)) and bool(kerata.ops.all(x < 1.0))
        True
    """
    shape, name = sizes_of(shape), float_dtype(dtype)
    check_broadcast(minval, "minval", shape)
    check_broadcast(maxval, "maxval", shape)
    if not is_number(minval) or not is_number(maxval):
        return _between_tensors(shape, minval, maxval, name, state_of(seed))
    low, high = check_range(minval, maxval, work_dtype(name))
    state = state_of(seed)
    if STATE.abstract:
        return new_abstract(shape, name)
    if work_dtype(name) == "float64":
        return _scaled(wide_integers(stream.random_bits(state, (*shape, 2))), low, high, "float64")
    if stream.on_host(state):
        values = stream.take_over(uniform_array(state, stream.size_of(shape), low, high), shape, "float32")
    else:
        whole = ops.cast(p.shift_right(stream.random_bits(state, shape), 8), "float32")
        values = _scaled(whole, low, high, "float32")
    return narrowed(values, name, low, high)


def check_range(minval: Any, maxval: Any, dtype: str) -> tuple[float, float]:
    """The bounds as numbers of the dtype."""
    kind = np.float64 if dtype == "float64" else np.float32
    with np.errstate(over="ignore"):
        low, high = float(kind(minval)), float(kind(maxval))
    if not low <= high:
        raise ArgumentError("maxval", expected=f"not below minval ({minval})", got=maxval)
    if not math.isfinite(float(kind(0)) + low) or not math.isfinite(high):
        raise ArgumentError("maxval", expected=f"finite, as minval, in {dtype}", got=(minval, maxval))
    return low, high


# ---- float32 and float64 -------------------------------------------------------------------------
#
# A whole number k in [-2**23, 2**23) (2**52 in float64) is scaled to the range. Each way rounds once, or keeps the
# product from being contracted with the sum that follows: compilers fuse `a * b + c`, which rounds differently, but
# they cannot look through a minimum. So the bits are equal on all engines, compiled or not.


def _steps(low: float, high: float, dtype: str) -> tuple[float, float]:
    """Half the number of values, and their distance."""
    half = 2.0**52 if dtype == "float64" else 2.0**23
    return half, (high / 2 - low / 2) / half


def _scaled(whole: Tensor, low: float, high: float, dtype: str) -> Tensor:
    half, step = _steps(low, high, dtype)
    if low == -high:
        return p.mul(whole, step)
    values = p.mul(p.add(whole, half), step)
    if low == 0:
        return values
    values = p.add(p.minimum(values, largest(dtype)), low)
    return p.minimum(values, below(high, dtype)) if low < high else values


def uniform_array(state: tuple[int, int], n: int, low: float, high: float) -> np.ndarray:
    """The same as `uniform` gives, drawn by NumPy, block by block; float32."""
    half, step = (float32(v) for v in _steps(low, high, "float32"))
    lowest, top = float32(low), float32(below(high, "float32"))

    def finish(space: bits.Workspace) -> tuple[np.ndarray, ...]:
        for words in (space.x, space.y, space.z, space.w):
            values = words.view(np.float32)
            np.right_shift(words, int32(8), out=words)
            np.copyto(values, words, casting="unsafe")
            if low != -high:
                np.add(values, half, out=values)
            np.multiply(values, step, out=values)
            if low not in (0, -high):
                np.add(values, lowest, out=values)
                if low < high:
                    np.minimum(values, top, out=values)
        return tuple(words.view(np.float32) for words in (space.x, space.y, space.z, space.w))

    return bits.draw(state, n, np.float32, finish)


def wide_integers(words: Tensor) -> Tensor:
    """Uniform whole numbers in [-2**52, 2**52) as float64, from words (..., 2); exact."""
    high = p.cast(p.shift_right(ops.take(words, 0, axis=-1), 5), dtype="float64")
    low = p.cast(stream.logical_shift(ops.take(words, 1, axis=-1), 6), dtype="float64")
    return p.add(p.mul(high, 2.0**26), low)


# ---- bounds that are tensors, and 16 bits --------------------------------------------------------


def _between_tensors(
    shape: tuple[Any, ...], minval: Any, maxval: Any, name: str, state: stream.State
) -> Tensor:
    wide = work_dtype(name)
    low, high = (ops.convert_to_tensor(v, wide) for v in (minval, maxval))
    if STATE.abstract:
        return new_abstract(shape, name)
    if wide == "float64":
        unit = _scaled(wide_integers(stream.random_bits(state, (*shape, 2))), 0.0, 1.0, wide)
    else:
        unit = _scaled(ops.cast(p.shift_right(stream.random_bits(state, shape), 8), wide), 0.0, 1.0, wide)
    values = p.add(apart(p.mul(unit, p.sub(high, low))), low)
    # What rounds up to the upper bound is its neighbour, which no derivative reaches: not all engines have one.
    ends = (ops.stop_gradient(v) for v in (high, p.sub(low, 1)))
    top = p.maximum(p.nextafter(*ends), ops.stop_gradient(low))
    return ops.cast(p.where(p.lt(values, high), values, top), name)


def apart(product: Tensor, negative: bool = False) -> Tensor:
    """A product that no compiler contracts with a sum: a minimum that changes nothing stands between them.

    Args:
        product: floats.
        negative: whether a compiler could find out that none is positive, as in a square times a negative constant.
            LLVM takes a minimum away that cannot matter by the signs; there a maximum stands instead.
    """
    top = largest(ops.dtype(product))
    return p.maximum(product, -top) if negative else p.minimum(product, top)


def largest(dtype: str) -> float:
    return float(finfo(dtypes.numpy_dtype(dtype)).max)


def below(x: float, dtype: str) -> float:
    """The number before `x` in a dtype."""
    kind = dtypes.numpy_dtype(dtype)
    return float(np.nextafter(kind.type(x), kind.type(-largest(dtype))))


def narrowed(values: Tensor, name: str, low: float, high: float) -> Tensor:
    """float32 values in a dtype of 16 bits or less, still below `high`."""
    if name == "float32":
        return values
    with np.errstate(over="ignore"):
        top = dtypes.numpy_dtype(name).type(high)
    rounded = ops.cast(values, name)
    if low >= high or float(top) < high:
        return rounded
    most = below(float(top), name)
    if dtypes.is_float8(name):  # which engines cannot compare
        return ops.cast(p.minimum(ops.cast(rounded, "float32"), most), name)
    return p.minimum(rounded, most)
