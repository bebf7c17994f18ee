"""Normal values, whole and cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kerata import ops
from kerata.core import primitives as p
from kerata.core.declare import new_abstract
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample
from kerata.core.state import STATE

from . import gaussian, stream
from .arguments import check_broadcast, float_dtype, is_number, sizes_of, work_dtype
from .declare import TWO_ULP, draw
from .seed_generator import state_of
from .uniform import apart, wide_integers

Tensor = Any
TensorLike = Any
Shape = tuple[Any, ...]


_REFUSED = [
    rejects((2,), 0.0, -1.0, seed=3, argument="stddev"),
    rejects((-1,), seed=3, argument="shape"),
    rejects((2,), dtype="int32", seed=3, argument="dtype"),
    rejects((2,), seed=-1, argument="seed"),
    rejects((2,), T((3,)), seed=3, argument="mean"),
]


@draw(
    tolerance=TWO_ULP,
    samples=[
        sample((1500,), seed=11),
        sample((7,), seed=11),
        sample((400,), 1.5, 0.3, seed=2**40),
        sample((30,), dtype="bfloat16", seed=3),
        sample((31,), dtype="float64", seed=3),
        sample((3, 4), T((4,)), 9.0, seed=3),
        sample((0, 2), seed=3),
    ],
    rejects=_REFUSED,
)
def normal(
    shape: Any, mean: TensorLike = 0.0, stddev: TensorLike = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Normal values, the same on every engine (2 units in the last place, where a device does not round correctly).

    Args:
        shape: shape of the result.
        mean: mean: a number, or a tensor that broadcasts to the shape.
        stddev: standard deviation, likewise. Derivatives reach both.
        dtype: a float dtype; `floatx()` if None.
        seed: an integer, a `SeedGenerator`, the state of one, or None for the global stream.

    Raises:
        ArgumentError: `dtype` is not a float dtype, or `stddev` is a negative number.

    Source:
        Box and Muller 1958; see `gaussian.py`.

    Example:
        >>> import kerata
        >>> kerata.random.normal((2, 3), seed=1).shape == (2, 3)
        True
    """
    return _drawn(shape, mean, stddev, dtype, seed, gaussian.normal_array, standard)


@draw(
    tolerance=TWO_ULP,
    samples=[
        sample((1500,), seed=11),
        sample((7,), 1.5, 0.3, seed=2**40),
        sample((30,), dtype="float16", seed=3),
        sample((3, 4), T((4,)), 9.0, seed=3),
        sample((), seed=3),
    ],
    rejects=_REFUSED,
)
def truncated_normal(
    shape: Any, mean: TensorLike = 0.0, stddev: TensorLike = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Normal values, none farther than two standard deviations from the mean; the same bits on every engine.

    Args:
        shape: shape of the result.
        mean: mean of the normal values before the cut: a number, or a tensor that broadcasts to the shape.
        stddev: their standard deviation, likewise; that of the result is 0.88 of it.
        dtype: a float dtype; `floatx()` if None.
        seed: an integer, a `SeedGenerator`, the state of one, or None for the global stream.

    Raises:
        ArgumentError: `dtype` is not a float dtype, or `stddev` is a negative number.

    Example:
        >>> import kerata
        >>> bool(kerata.ops.all(kerata.ops.abs(kerata.random.truncated_normal((100,), seed=1)) <= 2.0))
        True
    """
    return _drawn(shape, mean, stddev, dtype, seed, gaussian.cut_array, _standard_cut)


def _drawn(
    shape: Any,
    mean: Any,
    stddev: Any,
    dtype: Any,
    seed: Any,
    array: Callable[..., np.ndarray],
    tensor: Callable[..., Tensor],
) -> Tensor:
    sizes, name = sizes_of(shape), float_dtype(dtype)
    wide = work_dtype(name)
    plain = is_number(mean) and is_number(stddev)
    if is_number(stddev) and stddev < 0:
        raise ArgumentError("stddev", expected="a number, 0 or more", got=stddev)
    check_broadcast(mean, "mean", sizes)
    check_broadcast(stddev, "stddev", sizes)
    state = state_of(seed)
    if STATE.abstract:
        return new_abstract(sizes, name)
    if wide == "float32" and stream.on_host(state):
        scale = (float(mean), float(stddev)) if plain else (0.0, 1.0)
        values = stream.take_over(array(state, stream.size_of(sizes), *scale), sizes, "float32")
        return ops.cast(values if plain else _affine(values, mean, stddev), name)
    standard_values = stream.by_reference(state, sizes, wide, lambda: tensor(state, sizes, wide))
    return ops.cast(_affine(standard_values, mean, stddev), name)


def _affine(z: Tensor, mean: Any, stddev: Any) -> Tensor:
    dtype = ops.dtype(z)
    mean, stddev = (float(v) if is_number(v) else ops.convert_to_tensor(v, dtype) for v in (mean, stddev))
    if type(stddev) is not float or stddev != 1:
        z = p.mul(z, stddev)
    if type(mean) is not float or mean != 0:
        z = p.add(apart(z), mean)
    return z


def standard(state: stream.State, shape: Shape, dtype: str) -> Tensor:
    """Normal values with mean 0 and standard deviation 1, in float32 or float64."""
    count, state = stream.size_of(shape), stream.known(state)
    if dtype == "float64":
        return _standard_wide(state, count, shape)
    if stream.on_host(state):
        return stream.take_over(gaussian.normal_array(state, count, 0.0, 1.0), shape, dtype)
    x, y, z, w = stream.lanes(state, count)
    first = gaussian.pair(x, y)
    return stream.joined(
        first + first if stream.fits_one_lane(count) else first + gaussian.pair(z, w), count, shape
    )


def _standard_wide(state: stream.State, count: Any, shape: Shape) -> Tensor:
    """Four words for each two values, side by side."""
    pairs = (count + 1) // 2
    words = stream.random_bits(state, (pairs, 2, 2))
    whole = wide_integers(words)
    odd = p.ne(p.bitwise_and(_column(words, 1), 1), 0)  # the low bits that the whole numbers leave
    both = gaussian.wide_pair(_column(whole, 0), _column(whole, 1), _column(odd, 0), _column(odd, 1))
    flat = p.reshape(ops.stack(both, axis=-1), shape=(pairs * 2,))
    return p.reshape(p.slice(flat, starts=(0,), limits=(count,), strides=(1,)), shape=shape)


def _column(x: Tensor, i: int) -> Tensor:
    return ops.take(x, i, axis=-1)


def _standard_cut(state: stream.State, shape: Shape, dtype: str) -> Tensor:
    if dtype == "float64":
        return gaussian.wide_cut(wide_integers(stream.random_bits(state, (*shape, 2))))
    return gaussian.cut(stream.random_bits(state, shape))
