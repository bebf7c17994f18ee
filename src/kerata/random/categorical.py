"""Classes drawn by their probabilities."""

from __future__ import annotations

import functools
from typing import Any

from kerata import ops
from kerata.core import checks, dtypes
from kerata.core import primitives as p
from kerata.core.declare import new_abstract
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values
from kerata.core.state import STATE

from . import stream
from .declare import draw
from .seed_generator import state_of
from .uniform import wide_integers

Tensor = Any
TensorLike = Any


@draw(
    samples=[
        sample(T((2, 5)), 7, seed=3),
        sample(values([[0.1, 2.0, -1.0], [0.0, -99.0, 0.5]]), 50, seed=11),
        sample(values([[float("-inf"), 0.0]]), 5, "int64", seed=3),
        sample(T((2, 5), "bfloat16"), 7, seed=2**40),
        sample(T((0, 5)), 2, seed=3),
        sample([[0.0, 1.0]], 0, seed=3),
    ],
    rejects=[
        rejects(T((3,)), 2, seed=3, argument="logits"),
        rejects(T((2, 0)), 2, seed=3, argument="logits"),
        rejects(T((2, 3)), -1, seed=3, argument="num_samples"),
    ],
)
def categorical(logits: TensorLike, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Classes drawn with the probabilities `softmax(logits)`, the same on every engine.

    The distribution function is inverted in float64, at a uniform number of 53 bits: engines, whose sums differ in the
    last place, choose differently about once in 10**14 draws.

    Args:
        logits: floats (batch, classes): logarithms of the probabilities, up to a constant for each row.
        num_samples: draws for each row.
        dtype: dtype of the result, an integer or a float one.
        seed: an integer, a `SeedGenerator`, the state of one, or None for the global stream.

    Returns:
        (batch, num_samples).

    Raises:
        ArgumentError: `logits` has not two dimensions, or no class.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.random.categorical([[0.0, 99.0]], 3, seed=1))
        array([[1, 1, 1]], dtype=int32)
    """
    name = dtypes.of_numbers(dtype)
    if len(ops.shape(logits)) != 2 or ops.shape(logits)[1] == 0:
        raise ArgumentError(
            "logits", expected="of shape (batch, classes), with at least one class", got=logits
        )
    samples = checks.natural("num_samples", num_samples)
    batch = ops.shape(logits)[0]
    if STATE.abstract:
        return new_abstract((batch, samples), name)
    state, sizes = state_of(seed), (batch, samples)
    make = functools.partial(_chosen, shape=sizes, state=state)
    return ops.cast(stream.by_reference(state, sizes, "int32", make, ops.stop_gradient(logits)), name)


def _chosen(logits: Tensor, shape: tuple[Any, Any], state: stream.State) -> Tensor:
    wide = ops.cast(logits, "float64")
    weights = p.exp(p.sub(wide, ops.max(wide, axis=1, keepdims=True)))
    reached = ops.cumsum(weights, axis=1)
    total = ops.max(reached, axis=1, keepdims=True)
    u = p.mul(p.add(wide_integers(stream.random_bits(state, (*shape, 2))), 2.0**52), 2.0**-53)
    target = p.mul(u, total)
    count = _below(reached, target)
    # A target that rounds up to the total: the last class that has a probability.
    last = ops.sum(ops.cast(p.lt(reached, total), "int32"), axis=1, keepdims=True)
    return p.minimum(count, ops.broadcast_to(last, shape))


def _below(reached: Tensor, target: Tensor) -> Tensor:
    """How many of the sums of a row are not above each target."""
    passed = p.le(ops.expand_dims(reached, 1), ops.expand_dims(target, 2))
    return ops.sum(ops.cast(passed, "int32"), axis=2)
