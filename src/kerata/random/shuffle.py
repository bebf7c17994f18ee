"""Random orders."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import rules
from kerata.core.declare import op
from kerata.core.dispatch import engine_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, sample
from kerata.core.state import STATE, setting
from kerata.core.tensor import KerasTensor

from . import stream
from .seed_generator import state_of

Tensor = Any
TensorLike = Any


def shuffle(x: Tensor, axis: int = 0, seed: Any = None) -> Tensor:
    """The slices along an axis in a random order, the same on every engine.

    Args:
        x: a tensor of one dimension or more.
        axis: the axis.
        seed: an integer, a `SeedGenerator`, the state of one, or None for the global stream.

    Raises:
        ArgumentError: `axis` is not an axis of `x`.

    Example:
        >>> import kerata
        >>> sorted(kerata.ops.convert_to_numpy(kerata.random.shuffle([3, 1, 2], seed=1)).tolist())
        [1, 2, 3]
    """
    if type(x) is KerasTensor and x.record_history:
        return _shuffle_node(x, axis, seed)
    x = ops.convert_to_tensor(x)
    axis = rules.axis_index(axis, len(ops.shape(x)))
    if STATE.abstract:
        return x
    with setting(engine=engine_of(x)):
        return ops.take(x, permutation(ops.shape(x)[axis], seed), axis=axis)


@op(name="shuffle_node", samples=[sample(T((5, 2)), seed=3), sample(T((2, 5)), axis=-1, seed=3)])
def _shuffle_node(x: TensorLike, axis: int = 0, seed: Any = None) -> Tensor:
    return shuffle(x, axis, seed)


def permutation(n: Any, seed: Any = None) -> Tensor:
    """The numbers 0 to `n - 1` in a random order: the stable order of `n` random words.

    Two words are equal, and then in their old order, once in 2**32 pairs.

    Args:
        n: how many.
        seed: an integer, a `SeedGenerator`, the state of one, or None for the global stream.

    Returns:
        int32 of shape (n,).

    Example:
        >>> import kerata
        >>> sorted(kerata.ops.convert_to_numpy(kerata.random.permutation(4, seed=1)).tolist())
        [0, 1, 2, 3]
    """
    if isinstance(n, (bool, float, str)) or (isinstance(n, int) and n < 0):
        raise ArgumentError("n", expected="an integer, 0 or more", got=n)
    words = stream.random_bits(state_of(seed), (n,))
    return ops.cast(ops.argsort(words), "int32")
