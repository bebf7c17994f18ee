"""Draws by rejection: rounds of proposals, until every element has one that is accepted.

Round `i` draws from two states of the draw's own family. Everything is computed in float64, where engines differ by 1e-16:
that one of them accepts what another refuses happens about once in 10**14 draws.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kerata import ops
from kerata.core import primitives as p
from kerata.core.errors import ArgumentError

from . import stream
from .arguments import check_broadcast, is_number
from .uniform import apart, wide_integers

Tensor = Any
Shape = tuple[Any, ...]
# Each round refuses less than half: 100 rounds leave nothing, unless a parameter is NaN.
_ROUNDS = 100


def check_parameter(
    value: Any, name: str, shape: Shape, fits: Callable[[float], bool], expected: str
) -> None:
    """Refuses a number that is out of range, and a tensor that does not broadcast."""
    if is_number(value) and not fits(float(value)):
        raise ArgumentError(name, expected=expected, got=value)
    check_broadcast(value, name, shape, expected)


def parameter(value: Any, shape: Shape) -> Tensor:
    """A parameter as float64 of the shape of the draw. No derivative reaches it."""
    return ops.broadcast_to(ops.stop_gradient(ops.convert_to_tensor(value, "float64")), shape)


def unit(state: stream.State, shape: Shape) -> Tensor:
    """Uniform in (0, 1), float64."""
    whole = wide_integers(stream.random_bits(state, (*shape, 2)))
    return p.minimum(p.mul(p.add(apart(p.add(whole, 2.0**52)), 0.5), 2.0**-53), 1 - 2.0**-53)


def until_accepted(
    first: stream.State, start: Tensor, propose: Callable[[stream.State, stream.State], tuple[Tensor, Tensor]]
) -> Tensor:
    """For each element the first proposal that is accepted; `start` where none is.

    Args:
        first: the first state of a family; round `i` has its members `2 i` and `2 i + 1`.
        start: float64 of the shape of the result.
        propose: two states -> (values, whether they are accepted).
    """
    if type(first) is tuple:  # the number of the round is a tensor, so that its states are tensors as well
        first = ops.convert_to_tensor(np.array(first, np.uint32))

    def round_(i: Tensor, missing: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        proposal, accepted = propose(stream.member(first, i), stream.member(first, p.add(i, 1)))
        take = p.logical_and(missing, accepted)
        return p.add(i, 2), p.logical_and(missing, p.logical_not(accepted)), p.where(take, proposal, values)

    zero = ops.convert_to_tensor(np.zeros((), np.int32))
    missing = p.eq(p.mul(ops.cast(p.isnan(start), "int32"), 0), 0)  # true everywhere
    _, _, values = ops.while_loop(
        lambda i, missing, values: ops.any(missing),
        round_,
        (zero, missing, start),
        maximum_iterations=_ROUNDS,
    )
    return values
