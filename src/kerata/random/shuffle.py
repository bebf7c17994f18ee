"""Random orders."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import rules
from kerata.core.dispatch import is_tensor
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values
from kerata.core.state import STATE

from . import stream
from .declare import draw
from .seed_generator import state_of

Tensor = Any
TensorLike = Any


@draw(
    differentiable=True,
    samples=[
        sample(T((5, 2)), seed=3),
        sample(T((2, 5)), axis=-1, seed=2**40),
        sample(T((300,), "int32"), seed=3),
        sample(values(0.0, -0.0, float("nan"), float("inf")), seed=3, gradient=False),
        sample(T((0, 2)), seed=3),
        sample([3, 1, 2], seed=3),
    ],
    rejects=[rejects(T((2, 3)), axis=2, seed=3, argument="axis"), rejects(T((3,)), seed=-1, argument="seed")],
)
def shuffle(x: TensorLike, axis: int = 0, seed: Any = None) -> Tensor:
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
    axis = rules.axis_index(axis, len(ops.shape(x)))
    if STATE.abstract:
        return x
    return ops.take(x, permutation(ops.shape(x)[axis], seed), axis=axis)


@draw(
    samples=[sample(n, seed=seed) for n, seed in ((20, 3), (300, 11), (1, 3), (0, 3), (7, 2**40))],
    rejects=[
        rejects(-1, seed=3, argument="n"),
        rejects(2.5, seed=3, argument="n"),
        rejects(None, argument="n"),
        rejects(T((2, 3)), argument="n"),
    ],
)
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
    count = rules.integer_of(n)
    scalar = is_tensor(n) and ops.shape(n) == ()  # unknown, inside a traced function
    if (count is None and not scalar) or (count is not None and count < 0):
        raise ArgumentError("n", expected="an integer, 0 or more", got=n)
    words = stream.random_bits(state_of(seed), (n,))
    return ops.cast(ops.argsort(words), "int32")
