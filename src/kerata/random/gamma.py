"""Gamma values."""

from __future__ import annotations

import math
from typing import Any

from kerata import ops
from kerata.core import primitives as p
from kerata.core.declare import new_abstract
from kerata.core.samples import T, Tolerance, rejects, sample
from kerata.core.state import STATE

from . import stream
from .arguments import float_dtype, sizes_of, work_dtype
from .declare import draw
from .normal import standard
from .rejection import check_parameter, parameter, unit, until_accepted
from .seed_generator import state_of

Tensor = Any
TensorLike = Any


@draw(
    tolerance=Tolerance(),
    samples=[
        sample((300,), 0.7, seed=11),
        sample((30,), 8.0, seed=2**40),
        sample((30,), 0.01, "float64", seed=3),
        sample((30,), 0, seed=3),
        sample((3, 2), T((2,), low=0.5, high=5.0), seed=3),
    ],
    rejects=[
        rejects((2,), -1.0, seed=3, argument="alpha"),
        rejects((2,), T((3,)), seed=3, argument="alpha"),
        rejects((2,), 1.0, "int32", seed=3, argument="dtype"),
    ],
)
def gamma(shape: Any, alpha: TensorLike, dtype: Any = None, seed: Any = None) -> Tensor:
    """Values with the gamma distribution of shape `alpha` and scale 1; engines agree to 1e-6.

    Args:
        shape: shape of the result.
        alpha: the shape parameter: a number, or a tensor that broadcasts to the shape. No derivative reaches it. Where
            it is 0 or infinite, so is the result; where a tensor is negative, or it is NaN, the result is NaN.
        dtype: a float dtype; `floatx()` if None.
        seed: an integer, a `SeedGenerator`, the state of one, or None for the global stream.

    Raises:
        ArgumentError: `alpha` is a negative number, or does not broadcast.

    Source:
        Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables", ACM TOMS 26 (2000).

    Example:
        >>> import kerata
        >>> bool(kerata.ops.all(kerata.random.gamma((100,), 0.5, seed=1) >= 0.0))
        True
    """
    sizes, name = sizes_of(shape), float_dtype(dtype)
    check_parameter(alpha, "alpha", sizes, lambda v: not v < 0, "a number, 0 or more")
    state = state_of(seed)
    if STATE.abstract:
        return new_abstract(sizes, name)

    def make(alpha: Any) -> Tensor:
        return p.exp(log_gamma_values(stream.family(state), sizes, parameter(alpha, sizes), work_dtype(name)))

    return ops.cast(stream.by_reference(state, sizes, "float64", make, alpha), name)


def log_gamma_values(first: stream.State, shape: tuple[Any, ...], alpha: Tensor, dtype: str) -> Tensor:
    """Logarithms of gamma values, float64: they do not vanish where `alpha` is small.

    Below 1 the values of `alpha + 1` are taken, and multiplied by `u**(1 / alpha)`.

    Args:
        first: the first state of a family.
        shape: shape of the result.
        alpha: float64 of that shape.
        dtype: float32 if normal values of that grain will do.
    """
    usable = p.logical_and(p.gt(alpha, 0), p.lt(alpha, math.inf))  # the others would never be accepted
    small = p.lt(alpha, 1)
    usual = p.where(usable, p.where(small, p.add(alpha, 1), alpha), 1.0)
    d = p.sub(usual, 1 / 3)
    c = p.div(1 / 3, p.sqrt(d))

    def propose(one: stream.State, other: stream.State) -> tuple[Tensor, Tensor]:
        x = ops.cast(standard(one, shape, dtype), "float64")
        v = p.add(p.mul(c, x), 1)
        positive = p.gt(v, 0)
        log_v = p.mul(p.log(p.where(positive, v, 1.0)), 3)
        bound = p.add(p.mul(p.mul(x, x), 0.5), p.mul(d, p.add(p.sub(1, p.exp(log_v)), log_v)))
        log_u = p.log(unit(other, shape))
        return p.add(p.log(d), log_v), p.logical_and(positive, p.lt(log_u, bound))

    values = until_accepted(first, p.mul(usual, 0), propose)
    boost = p.div(p.log(unit(stream.member(first, -1), shape)), p.where(small, alpha, 1.0))
    values = p.where(small, p.add(values, boost), values)
    return p.where(usable, values, p.where(p.lt(alpha, 0), math.nan, p.log(p.abs(alpha))))  # 0, infinity, NaN
