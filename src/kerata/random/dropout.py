"""Dropout: random zeros."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata import ops
from kerata.core import checks, dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import new_abstract
from kerata.core.dispatch import engine_of, is_tensor
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values
from kerata.core.state import STATE
from kerata.core.variable import Variable, value_of

from . import bits, stream
from .arguments import sizes_of
from .bits import signed
from .declare import draw
from .seed_generator import state_of

Tensor = Any
TensorLike = Any


@draw(
    differentiable=True,
    samples=[
        sample(T((4, 5)), 0.5, seed=3),
        sample(T((4, 5)), 0.3, (4, 1), seed=2**40),
        sample(T((4, 5)), 0.3, (None, 1), seed=3),
        sample(T((4, 5)), 0.3, (5,), seed=3),
        sample(T((50, 30)), 0.25, seed=11),
        sample(T((4, 5), "bfloat16"), 0.5, seed=3),
        sample(T((4, 5), "int32"), 0.5, seed=3),
        sample(T((4, 5)), 0, seed=3),
        sample(T((4, 5)), 1, seed=3),
        sample(values(0.0, float("nan"), float("inf"), 1.0), 0.5, seed=3, gradient=False),
    ],
    rejects=[
        rejects(T((4, 5)), 1.5, seed=3, argument="rate"),
        rejects(T((4, 5)), -0.5, seed=3, argument="rate"),
        rejects(T((4, 5)), 0.5, (4, 2), seed=3, argument="noise_shape"),
        rejects(T((4, 5)), 0.5, "a", seed=3, argument="noise_shape"),
        rejects(T((4, 5)), 0.5, (4, "a"), seed=3, argument="noise_shape"),
        rejects(T((4, 5)), 0.5, seed=-1, argument="seed"),
    ],
)
def dropout(inputs: TensorLike, rate: Any, noise_shape: Any = None, seed: Any = None) -> Tensor:
    """Sets a random fraction of the inputs to zero and scales up the rest; the same elements on every engine.

    An element is dropped where a random word, as a number of 32 bits, is below `rate * 2**32`.

    Args:
        inputs: floats; integers become floats.
        rate: the fraction, in [0, 1]: a number, or a scalar tensor, which no derivative reaches.
        noise_shape: shape of the draw, which broadcasts to that of the inputs: axes of size 1 share their fate. None
            for an axis stands for its size.
        seed: an integer, a `SeedGenerator`, the state of one, or None for the global stream.

    Returns:
        A tensor like the inputs. What is dropped is 0, also where the input was NaN.

    Raises:
        ArgumentError: `rate` is not in [0, 1], or `noise_shape` does not broadcast.

    Source:
        Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 15 (2014).

    Example:
        >>> import kerata
        >>> y = kerata.random.dropout(kerata.ops.ones(1000), 0.25, seed=1)
        >>> 700 < int(kerata.ops.count_nonzero(y)) < 800
        True
    """
    x, rate = ops.convert_to_tensor(inputs), _fraction(rate)
    shape, known = _noise_shape(x, noise_shape), type(rate) is float
    if known and rate == 0:
        return x
    if not dtypes.is_float(ops.dtype(x)):
        x = ops.cast(x, dtypes.float_for(ops.dtype(x)))
    if known and rate == 1:
        return ops.zeros_like(x)  # 1 / (1 - rate) has no value
    if STATE.abstract:
        return new_abstract(ops.shape(x), ops.dtype(x))
    return _dropped(x, rate, shape, seed)


def _fraction(rate: Any) -> float | Tensor:
    """A rate as a number, or as a scalar of float64 where its value is not known yet."""
    if not isinstance(rate, Variable) and not is_tensor(rate):
        return float(checks.number("rate", rate, 0, 1))
    value = value_of(rate)
    if tuple(ops.shape(value)) != ():
        raise ArgumentError("rate", expected="a number in [0, 1]", got=rate)
    if not STATE.abstract and stream.is_known(value, engine_of(value)):
        return float(checks.number("rate", float(ops.convert_to_numpy(ops.stop_gradient(value))), 0, 1))
    return ops.cast(ops.stop_gradient(value), "float64")


def _noise_shape(x: Tensor, noise_shape: Any) -> tuple[Any, ...]:
    have = ops.shape(x)
    if noise_shape is None:
        return have
    given = (
        noise_shape if isinstance(noise_shape, (tuple, list)) else rules.as_shape(noise_shape, "noise_shape")
    )
    known = (None if n is None else rules.as_shape((n,), "noise_shape")[0] for n in given)
    sizes = (*(1,) * (len(have) - len(given)), *known)
    if len(sizes) != len(have) or not all(
        n is None or n == 1 or not rules.differ(n, d) for n, d in zip(sizes, have, strict=True)
    ):
        raise ArgumentError(
            "noise_shape",
            expected=f"a shape that broadcasts to that of the inputs {have}, None standing for a size of theirs",
            got=noise_shape,
        )
    return tuple(d if n is None else n for n, d in zip(sizes, have, strict=True))


def _dropped(x: Tensor, rate: float | Tensor, shape: tuple[Any, ...], seed: Any) -> Tensor:
    state = state_of(seed)
    if type(rate) is float:
        return p.where(kept(state, rate, shape), p.mul(x, 1.0 / (1.0 - rate)), 0.0)
    # The same decisions and factors as for the number: a rate is not known while a function is being compiled.
    threshold = ops.cast(p.sub(p.round(p.mul(rate, 2.0**32)), 2.0**31), "int32")
    some = p.logical_and(p.ge(stream.random_bits(state, shape), threshold), p.lt(rate, 1.0))
    return p.where(some, p.mul(x, ops.cast(p.div(1.0, p.sub(1.0, rate)), ops.dtype(x))), 0.0)


# ---- decisions -----------------------------------------------------------------------------------


def kept(state: stream.State, rate: float, shape: tuple[Any, ...]) -> Tensor:
    """Bool: false for a fraction `rate`. Words are compared as signed numbers, whose order is shifted by 2**31."""
    threshold = signed(min(round(rate * 2**32), 2**32 - 1) - 2**31)
    if stream.on_host(state):
        return stream.take_over(kept_array(state, stream.size_of(shape), threshold), shape, "bool")
    return p.ge(stream.random_bits(state, shape), threshold)


def kept_array(state: tuple[int, int], n: int, threshold: int) -> np.ndarray:
    """The comparison made by NumPy, block by block."""
    least = bits.int32(threshold)

    def finish(space: bits.Workspace) -> tuple[np.ndarray, ...]:
        return tuple(np.greater_equal(words, least) for words in (space.x, space.y, space.z, space.w))

    return bits.draw(state, n, np.bool_, finish)


@draw(
    samples=[
        sample((1500,), 0.2, seed=11),
        sample((30,), seed=2**40),
        sample((30,), 0.9, "int32", seed=3),
        sample((30,), 1, "bool", seed=3),
        sample((0, 2), 0.5, seed=3),
    ],
    rejects=[rejects((2,), 1.5, seed=3, argument="p"), rejects((-2,), 0.5, seed=3, argument="shape")],
)
def bernoulli(shape: Any, p: float = 0.5, dtype: Any = None, seed: Any = None) -> Tensor:
    """Ones with probability `p`, else zeros; the same on every engine.

    Args:
        shape: shape of the result.
        p: the probability of a one, in [0, 1].
        dtype: dtype of the result; `floatx()` if None.
        seed: an integer, a `SeedGenerator`, the state of one, or None for the global stream.

    Example:
        >>> import kerata
        >>> 200 < int(kerata.ops.sum(kerata.random.bernoulli((1000,), 0.25, "int32", seed=1))) < 300
        True
    """
    sizes, name = sizes_of(shape), dtypes.of_numbers(dtype)
    probability = float(checks.number("p", p, 0, 1))
    state = state_of(seed)
    if STATE.abstract:
        return new_abstract(sizes, name)
    if probability == 1:
        return ops.ones(sizes, name)
    return ops.cast(ops.logical_not(kept(state, probability, sizes)), name)
