"""Gumbel values."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import primitives as p
from kerata.core.declare import new_abstract
from kerata.core.samples import T, Tolerance, rejects, sample
from kerata.core.state import STATE

from . import stream
from .arguments import check_broadcast, float_dtype, is_number, sizes_of, work_dtype
from .declare import draw
from .seed_generator import state_of
from .uniform import apart, wide_integers

Tensor = Any
TensorLike = Any


@draw(
    tolerance=Tolerance(),
    samples=[
        sample((300,), seed=11),
        sample((30,), 1.5, 0.3, seed=2**40),
        sample((30,), dtype="float64", seed=3),
        sample((30,), dtype="bfloat16", seed=3),
        sample((3, 2), T((2,)), 2.0, seed=3),
    ],
    rejects=[
        rejects((2,), T((3,)), seed=3, argument="loc"),
        rejects((2,), dtype="int32", seed=3, argument="dtype"),
        rejects((-1,), seed=3, argument="shape"),
    ],
)
def gumbel(
    shape: Any, loc: TensorLike = 0.0, scale: TensorLike = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Values with the standard Gumbel distribution, times `scale`, plus `loc`.

    Engines agree to 1e-6 (relative, and absolute near 0): the logarithms are their own.

    Args:
        shape: shape of the result.
        loc: mode: a number, or a tensor that broadcasts to the shape.
        scale: scale, likewise.
        dtype: a float dtype; `floatx()` if None.
        seed: an integer, a `SeedGenerator`, the state of one, or None for the global stream.

    Source:
        `-log(-log(1 - u))`, with the fine end of u where the long tail is.

    Example:
        >>> import kerata
        >>> kerata.random.gumbel((2, 3), seed=1).shape == (2, 3)
        True
    """
    sizes, name = sizes_of(shape), float_dtype(dtype)
    check_broadcast(loc, "loc", sizes)
    check_broadcast(scale, "scale", sizes)
    state = state_of(seed)
    if STATE.abstract:
        return new_abstract(sizes, name)
    wide = work_dtype(name)
    loc, scale = (float(v) if is_number(v) else v for v in (loc, scale))
    values = stream.by_reference(state, sizes, wide, lambda: _standard(state, sizes, wide))
    return ops.cast(ops.add(ops.multiply(values, scale), loc), name)


def _standard(state: stream.State, shape: tuple[Any, ...], dtype: str) -> Tensor:
    if dtype == "float64":
        whole = apart(p.add(wide_integers(stream.random_bits(state, (*shape, 2))), 2.0**52))
        u = p.minimum(p.mul(p.add(whole, 0.5), 2.0**-53), 1 - 2.0**-53)
    else:
        words = p.bitwise_and(stream.random_bits(state, shape), 2**31 - 1)
        u = p.minimum(p.mul(p.add(p.cast(words, dtype="float32"), 0.5), 2.0**-31), 1 - 2.0**-24)
    return p.neg(p.log(p.neg(p.log1p(p.neg(u)))))
