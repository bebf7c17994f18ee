"""Draws from distributions, the same on every engine."""

from __future__ import annotations

import math
from typing import Any

from kerata import ops
from kerata.core import checks, dtypes, rules
from kerata.core.errors import ArgumentError

from .interim_bits import signed
from .stream import random_bits
from .seed_generator import state_of

Tensor = Any
Seed = Any


def _float_dtype(dtype: Any) -> str:
    name = dtypes.standardize(dtype)
    if not dtypes.is_float(name):
        raise ArgumentError("dtype", expected="a float dtype", got=dtype)
    return name


def _high_bits(bits: Tensor, n: int) -> Tensor:
    """The n highest bits, as a non-negative int32."""
    return ops.bitwise_and(ops.right_shift(bits, 32 - n), (1 << n) - 1)


def _unit(shape: Any, dtype: str, seed: Seed) -> Tensor:
    """Uniform in [0, 1): multiples of 2**-24 (of 2**-53 in float64), exact on every engine."""
    shape = rules.as_shape(shape)
    state = state_of(seed)
    if dtype == "float64":
        high = ops.cast(_high_bits(random_bits(state, (2, *shape)), 26), "float64")
        return ops.add(
            ops.multiply(ops.get_item(high, 0), 2.0**-26), ops.multiply(ops.floor(ops.multiply(ops.get_item(high, 1), 0.5)), 2.0**-51)
        )
    u = ops.multiply(ops.cast(_high_bits(random_bits(state, shape), 24), "float32"), 2.0**-24)
    return u


def uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Uniform values in [minval, maxval).

    Args:
        shape: shape of the result.
        minval: lower bound.
        maxval: upper bound.
        dtype: a float dtype; integers in the range with an integer dtype.
        seed: an integer, a `SeedGenerator`, or None for the global stream.

    Example:
        >>> import kerata
        >>> x = kerata.random.uniform((100,), seed=1)
        >>> bool(kerata.ops.all(x >= 0.0)) and bool(kerata.ops.all(x < 1.0))
        True
    """
    if dtype is not None and dtypes.is_int(dtypes.standardize(dtype)):
        return randint(shape, minval, maxval, dtype, seed)
    name = _float_dtype(dtype)
    wide = "float64" if name == "float64" else "float32"
    u = _unit(shape, wide, seed)
    if isinstance(minval, (int, float)) and isinstance(maxval, (int, float)):
        if minval == -maxval:  # `2 u - 1` is exact, so that one rounding is left on every engine
            return ops.cast(ops.multiply(ops.subtract(ops.multiply(u, 2.0), 1.0), float(maxval)), name)
        if minval == 0:
            return ops.cast(ops.multiply(u, float(maxval)), name)
    low, high = ops.cast(ops.convert_to_tensor(minval), wide), ops.cast(ops.convert_to_tensor(maxval), wide)
    return ops.cast(ops.add(ops.multiply(u, ops.subtract(high, low)), low), name)


def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Normal values.

    Args:
        shape: shape of the result.
        mean: mean.
        stddev: standard deviation.
        dtype: a float dtype.
        seed: an integer, a `SeedGenerator`, or None for the global stream.

    Example:
        >>> import kerata
        >>> kerata.random.normal((2, 3), seed=1).shape == (2, 3)
        True
    """
    name = _float_dtype(dtype)
    wide = "float64" if name == "float64" else "float32"
    z = _quantile(_centred(_unit(shape, wide, seed), wide))
    return ops.cast(ops.add(ops.multiply(z, stddev), mean), name)


def _centred(u: Tensor, dtype: str) -> Tensor:
    """Uniform in [0, 1) as uniform in (-1/2, 1/2), symmetric about 0 and exact."""
    return ops.add(u, (2.0**-54 if dtype == "float64" else 2.0**-25) - 0.5)


# Wichura 1988, algorithm AS 241 (PPND7 with 7 digits, PPND16 with 16): rational functions for the
# centre, the near and the far tails. Made of +, *, /, sqrt and log, so that engines differ little.
_PPND7 = (
    ((3.3871327179, 5.0434271938e1, 1.5929113202e2, 5.9109374720e1), (1.0, 1.7895169469e1, 7.8757757664e1, 6.7187563600e1)),
    ((1.4234372777, 2.7568153900, 1.3067284816, 1.7023821103e-1), (1.0, 7.3700164250e-1, 1.2021132975e-1)),
    ((6.6579051150, 3.0812263860, 4.2868294337e-1, 1.7337203997e-2), (1.0, 2.4197894225e-1, 1.2258202635e-2)),
)  # fmt: skip


def _rational(x: Tensor, parts: tuple[tuple[float, ...], tuple[float, ...]]) -> Tensor:
    return ops.divide(*(_polynomial(x, c) for c in parts))


def _polynomial(x: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    total: Any = ops.add(ops.multiply(x, coefficients[-1]), coefficients[-2])
    for c in reversed(coefficients[:-2]):
        total = ops.add(ops.multiply(total, x), c)
    return total


def _quantile(q: Tensor) -> Tensor:
    """The standard normal quantile of `q + 1/2`, for q in (-1/2, 1/2)."""
    if ops.dtype(q) == "float64":
        return ops.multiply(ops.erfinv(ops.multiply(q, 2.0)), math.sqrt(2.0))
    size = ops.absolute(q)
    centre = ops.multiply(q, _rational(ops.subtract(0.180625, ops.square(q)), _PPND7[0]))
    r = ops.sqrt(ops.negative(ops.log(ops.maximum(ops.subtract(0.5, size), 2.0**-26))))
    near, far = _rational(ops.subtract(r, 1.6), _PPND7[1]), _rational(ops.subtract(r, 5.0), _PPND7[2])
    tail = ops.multiply(ops.where(ops.less_equal(r, 5.0), near, far), ops.sign(q))
    return ops.where(ops.less_equal(size, 0.425), centre, tail)


def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Normal values, none farther than two standard deviations from the mean.

    Args:
        shape: shape of the result.
        mean: mean of the normal values before the cut.
        stddev: their standard deviation.
        dtype: a float dtype.
        seed: an integer, a `SeedGenerator`, or None for the global stream.
    """
    name = _float_dtype(dtype)
    wide = "float64" if name == "float64" else "float32"
    edge = 0.9544997361036416  # the probability of [-2, 2]
    q = ops.multiply(_centred(_unit(shape, wide, seed), wide), edge)
    z = _quantile(q)
    z = ops.clip(z, -2.0, 2.0)
    return ops.cast(ops.add(ops.multiply(z, stddev), mean), name)


def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Seed = None) -> Tensor:
    """Uniform whole numbers in [minval, maxval).

    The product of 32 random bits with the width of the range, without its low half: no value is
    favoured by more than one part in `2**32 / width`.

    Args:
        shape: shape of the result.
        minval: smallest value.
        maxval: one more than the largest.
        dtype: an integer dtype.
        seed: an integer, a `SeedGenerator`, or None for the global stream.

    Example:
        >>> import kerata
        >>> kerata.random.randint((3,), 5, 6, seed=1).shape == (3,)
        True
    """
    name = dtypes.standardize(dtype)
    if not dtypes.is_int(name):
        raise ArgumentError("dtype", expected="an integer dtype", got=dtype)
    bits = random_bits(state_of(seed), rules.as_shape(shape))
    if isinstance(minval, int) and isinstance(maxval, int):
        if minval >= maxval:
            raise ArgumentError("maxval", expected=f"above minval ({minval})", got=maxval)
    low, high = ops.cast(ops.convert_to_tensor(minval), "int32"), ops.cast(ops.convert_to_tensor(maxval), "int32")
    return ops.cast(ops.add(_high_product(bits, ops.subtract(high, low)), low), name)


def _high_product(a: Tensor, b: Tensor) -> Tensor:
    """The upper 32 bits of the product of two unsigned 32-bit numbers held in int32, by halves."""

    def halves(x: Tensor) -> tuple[Tensor, Tensor]:
        return ops.bitwise_and(ops.right_shift(x, 16), 0xFFFF), ops.bitwise_and(x, 0xFFFF)

    def upper(x: Tensor) -> Tensor:
        return ops.bitwise_and(ops.right_shift(x, 16), 0xFFFF)

    a1, a0 = halves(a)
    b1, b0 = halves(b)
    low = upper(ops.multiply(a0, b0))
    middle = ops.add(ops.multiply(a1, b0), low)  # below 2**32: no carry is lost
    other = ops.add(ops.multiply(a0, b1), ops.bitwise_and(middle, 0xFFFF))
    return ops.add(ops.add(ops.multiply(a1, b1), upper(middle)), upper(other))


def _threshold(rate: float) -> int:
    """Of 2**32 words, how many are dropped; as the int32 to compare signed words with."""
    return signed(min(round(rate * 2**32), 2**32 - 1) - 2**31)


def dropout(inputs: Tensor, rate: float, noise_shape: Any = None, seed: Seed = None) -> Tensor:
    """Sets a random fraction of the inputs to zero and scales up the rest.

    Args:
        inputs: floats.
        rate: the fraction, in [0, 1].
        noise_shape: shape of the draw; axes of size 1 share their fate.
        seed: an integer, a `SeedGenerator`, or None for the global stream.
    """
    inputs = ops.convert_to_tensor(inputs)
    rate = checks.number("rate", rate, 0, 1)
    if rate == 0:
        return inputs
    if rate == 1:
        return ops.zeros_like(inputs)  # 1 / (1 - rate) has no value
    shape = ops.shape(inputs) if noise_shape is None else tuple(noise_shape)
    bits = random_bits(state_of(seed), shape)
    kept = ops.greater_equal(ops.bitwise_xor(bits, -(2**31)), _threshold(rate))
    return ops.where(kept, ops.divide(inputs, 1.0 - rate), 0.0)


def shuffle(x: Tensor, axis: int = 0, seed: Seed = None) -> Tensor:
    """The slices along an axis in a random order.

    Args:
        x: any tensor.
        axis: the axis.
        seed: an integer, a `SeedGenerator`, or None for the global stream.
    """
    x = ops.convert_to_tensor(x)
    axis = rules.axis_index(axis, len(ops.shape(x)))
    n = ops.shape(x)[axis]
    return ops.take(x, ops.argsort(random_bits(state_of(seed), (n,))), axis=axis)


def categorical(logits: Tensor, num_samples: int, dtype: Any = "int32", seed: Seed = None) -> Tensor:
    """Classes drawn with the probabilities `softmax(logits)`, by Gumbel's maximum.

    Args:
        logits: (batch, classes).
        num_samples: draws for each row.
        dtype: an integer dtype.
        seed: an integer, a `SeedGenerator`, or None for the global stream.

    Returns:
        (batch, num_samples)
    """
    logits = ops.convert_to_tensor(logits)
    if len(ops.shape(logits)) != 2:
        raise ArgumentError("logits", expected="of rank 2: (batch, classes)", got=logits)
    batch, classes = ops.shape(logits)
    u = ops.add(_unit((batch, num_samples, classes), "float32", seed), 2.0**-25)
    noise = ops.negative(ops.log(ops.negative(ops.log(u))))
    scores = ops.add(ops.expand_dims(ops.cast(logits, "float32"), 1), noise)
    return ops.cast(ops.argmax(scores, axis=-1), dtype)
