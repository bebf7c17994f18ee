"""Binomial counts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kerata import ops
from kerata.core import dtypes
from kerata.core import primitives as p
from kerata.core.declare import new_abstract
from kerata.core.samples import T, rejects, sample
from kerata.core.state import STATE

from . import stream
from .arguments import sizes_of
from .declare import draw
from .rejection import check_parameter, parameter, unit, until_accepted
from .seed_generator import state_of

Tensor = Any
TensorLike = Any
Shape = tuple[Any, ...]
_FEW = 10.0  # below this mean the distribution function is searched from 0
_LONGEST = 150  # no count above this is drawn with such a mean (probability below 1e-100)


@draw(
    samples=[
        sample((300,), 10, 0.3, seed=11),
        sample((30,), 1000.0, 0.7, seed=2**40),
        sample((30,), 0, 0.5, seed=3),
        sample((30,), 9, 1.0, "int32", seed=3),
        sample((20, 2), T((2,), low=5.0, high=200.0), 0.4, seed=3),
    ],
    rejects=[
        rejects((2,), -1, 0.5, seed=3, argument="counts"),
        rejects((2,), 5, 1.5, seed=3, argument="probabilities"),
        rejects((2,), T((3,)), 0.5, seed=3, argument="counts"),
    ],
)
def binomial(
    shape: Any, counts: TensorLike, probabilities: TensorLike, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Numbers of successes in independent trials; engines draw the same.

    Args:
        shape: shape of the result.
        counts: numbers of trials, 0 or more: a number, or a tensor that broadcasts to the shape. Fractions are cut off.
        probabilities: of a success, in [0, 1], likewise. Where a tensor holds something else, the result is NaN.
        dtype: dtype of the result; `floatx()` if None.
        seed: an integer, a `SeedGenerator`, the state of one, or None for the global stream.

    Raises:
        ArgumentError: a number is out of range, or a tensor does not broadcast.

    Source:
        Where the mean (of successes, or of failures if these are fewer) is 10 or more, transformed rejection: W.
        Hörmann, "The generation of binomial random variates", J. Stat. Comput. Simul. 46 (1993), algorithm BTRS; below,
        inversion of the distribution function.

    Example:
        >>> import kerata
        >>> x = kerata.random.binomial((100,), 10, 0.5, seed=1)
        >>> bool(kerata.ops.all(x >= 0.0)) and bool(kerata.ops.all(x <= 10.0))
        True
    """
    sizes, name = sizes_of(shape), dtypes.of_numbers(dtype)
    check_parameter(counts, "counts", sizes, lambda v: 0 <= v < math.inf, "a finite number, 0 or more")
    check_parameter(probabilities, "probabilities", sizes, lambda v: 0 <= v <= 1, "a number in [0, 1]")
    state = state_of(seed)
    if STATE.abstract:
        return new_abstract(sizes, name)

    def make(n: Any, q: Any) -> Tensor:
        return _values(state, sizes, p.floor(parameter(n, sizes)), parameter(q, sizes))

    return ops.cast(stream.by_reference(state, sizes, "float64", make, counts, probabilities), name)


def _values(state: stream.State, shape: Shape, n: Tensor, q: Tensor) -> Tensor:
    valid = p.logical_and(p.logical_and(p.ge(q, 0), p.le(q, 1)), p.ge(n, 0))
    safe_n = p.where(valid, n, 0.0)
    often = p.gt(q, 0.5)
    r = p.where(valid, p.where(often, p.sub(1, q), q), 0.0)
    many = p.ge(p.mul(safe_n, r), _FEW)
    few_values = _searched(state, shape, p.where(many, 0.0, safe_n), p.where(many, 0.0, r))
    many_values = _transformed(
        stream.family(state), shape, p.where(many, safe_n, 40.0), p.where(many, r, 0.5), many
    )
    values = p.where(many, many_values, few_values)
    values = p.where(often, p.sub(safe_n, values), values)
    return p.where(valid, values, float("nan"))


def _searched(state: stream.State, shape: Shape, n: Tensor, r: Tensor) -> Tensor:
    """The smallest k whose distribution function exceeds u, by adding probabilities from 0 on."""
    odds = p.div(r, p.sub(1, r))
    first = p.exp(p.mul(n, p.log1p(p.neg(r))))
    rest = p.sub(unit(state, shape), first)

    def open_(k: Tensor, rest: Tensor, mass: Tensor, found: Tensor) -> Tensor:
        return ops.any(p.logical_and(p.ge(rest, 0), p.lt(k, n)))

    def step(k: Tensor, rest: Tensor, mass: Tensor, found: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        more = p.logical_and(p.ge(rest, 0), p.lt(k, n))
        mass = p.mul(mass, p.mul(p.div(p.sub(n, k), p.add(k, 1)), odds))
        k = p.add(k, 1)
        return k, p.where(more, p.sub(rest, mass), rest), mass, p.where(more, k, found)

    zero = p.mul(n, 0)
    return ops.while_loop(open_, step, (zero, rest, first, zero), maximum_iterations=_LONGEST)[3]


_STIRLING = np.array(
    [
        math.lgamma(k + 1) - (k + 0.5) * math.log(k + 1) + (k + 1) - 0.5 * math.log(2 * math.pi)
        for k in range(10)
    ]
)


def _correction(k: Tensor) -> Tensor:
    """What Stirling's formula lacks of log k!: a table, then a series."""
    place = ops.cast(p.minimum(k, 9.0), "int32")
    table = ops.take(ops.convert_to_tensor(_STIRLING), place, axis=0)
    j = p.div(1, p.add(k, 1))
    square = p.mul(j, j)
    series = p.sub(
        1 / 12, p.mul(p.sub(1 / 360, p.mul(p.sub(1 / 1260, p.mul(square, 1 / 1680)), square)), square)
    )
    return p.where(p.gt(k, 9), p.mul(series, j), table)


def _transformed(first: stream.State, shape: Shape, n: Tensor, r: Tensor, wanted: Tensor) -> Tensor:
    """Hörmann's BTRS: a ratio of uniforms whose envelope is nearly the distribution."""
    spread = p.sqrt(p.mul(p.mul(n, r), p.sub(1, r)))
    b = p.add(p.mul(spread, 2.53), 1.15)
    a = p.add(p.add(p.mul(b, 0.0248), p.mul(r, 0.01)), -0.0873)
    c = p.add(p.mul(n, r), 0.5)
    v_r = p.sub(0.92, p.div(4.2, b))
    odds = p.div(r, p.sub(1, r))
    alpha = p.mul(p.add(p.div(5.1, b), 2.83), spread)
    m = p.floor(p.mul(p.add(n, 1), r))

    def propose(one: stream.State, other: stream.State) -> tuple[Tensor, Tensor]:
        u = p.sub(unit(one, shape), 0.5)
        v = unit(other, shape)
        us = p.sub(0.5, p.abs(u))
        k = p.floor(p.add(p.mul(p.add(p.div(p.mul(a, 2), us), b), u), c))
        inside = p.logical_and(p.ge(k, 0), p.le(k, n))
        quick = p.logical_and(p.ge(us, 0.07), p.le(v, v_r))
        j = p.where(inside, k, m)
        log_v = p.log(p.mul(v, p.div(alpha, p.add(p.div(a, p.mul(us, us)), b))))
        bound = _log_ratio(n, m, j, odds)
        accepted = p.logical_and(inside, p.logical_or(quick, p.le(log_v, bound)))
        return k, p.logical_or(accepted, p.logical_not(wanted))

    return until_accepted(first, m, propose)


def _log_ratio(n: Tensor, m: Tensor, k: Tensor, odds: Tensor) -> Tensor:
    """Logarithm of the probability of k over that of the mode m."""
    nm, nk = p.add(p.sub(n, m), 1), p.add(p.sub(n, k), 1)
    up = p.mul(p.add(m, 0.5), p.log(p.div(p.add(m, 1), p.mul(odds, nm))))
    across = p.mul(p.add(n, 1), p.log(p.div(nm, nk)))
    down = p.mul(p.add(k, 0.5), p.log(p.div(p.mul(odds, nk), p.add(k, 1))))
    fine = p.sub(
        p.add(_correction(m), _correction(p.sub(n, m))), p.add(_correction(k), _correction(p.sub(n, k)))
    )
    return p.add(p.add(up, across), p.add(down, fine))
