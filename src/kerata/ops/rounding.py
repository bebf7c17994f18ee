"""Rounding to integers, questions about NaN and infinities, neighbours of numbers, and parts of complex ones, elementwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.core import checks, dtypes, float8
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values

from .core import cast, stop_gradient
from .elementwise import (
    as_tensors,
    binary,
    count_bools,
    inf,
    nan,
    parameter,
    predicate,
    real_only,
    unary_float,
    unary_samples,
)

TensorLike = Any
Tensor = Any
_STEPS = (sample(values(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5), gradient=False),)


@unary_float(p.floor, complex=False, samples=_STEPS, reference=np.floor, differentiable=False)
def floor(x: TensorLike) -> Tensor:
    """The largest integer not above, as a float.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.floor([1.5, -1.5]))
        array([ 1., -2.], dtype=float32)
    """


@unary_float(p.ceil, complex=False, samples=_STEPS, reference=np.ceil, differentiable=False)
def ceil(x: TensorLike) -> Tensor:
    """The smallest integer not below, as a float.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.ceil([1.5, -1.5]))
        array([ 2., -1.], dtype=float32)
    """


@op(
    samples=(*unary_samples(), *_STEPS),
    rejects=[rejects(T((2,), "complex64"), argument="x")],
    reference=np.trunc,
    differentiable=False,
)
def trunc(x: TensorLike) -> Tensor:
    """The numbers without their fraction: rounded toward zero. Integers stay as they are.

    Args:
        x: real numbers of any shape.

    Returns:
        A tensor of the shape and dtype of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.trunc([1.5, -1.5]))
        array([ 1., -1.], dtype=float32)
    """
    return p.trunc(x) if dtypes.is_float(dtype_of(real_only(x))) else x


@op(
    samples=(
        *unary_samples(), *_STEPS, sample(values(1.256, -1.246, 12345.0), 2), sample(values(123.0, 155.0), -1),
        sample(values(15, 25, -15, 14, dtype="int32"), -1), sample(values(1.2345, dtype="float64"), decimals=3),
    ),
    rejects=[rejects(T((2,)), 0.5, argument="decimals")], differentiable=False,
reference=np.round)  # fmt: skip
def round(x: TensorLike, decimals: int = 0) -> Tensor:
    """The nearest number with that many decimals; halves go to the even neighbour.

    Args:
        x: real numbers of any shape; bools count as int32.
        decimals: digits after the point; negative ones round to tens, hundreds …

    Returns:
        A tensor of the shape and dtype of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.round([0.5, 1.5, 2.4]))
        array([0., 2., 2.], dtype=float32)
    """
    x, digits = count_bools(real_only(x)), checks.integer("decimals", decimals)
    name = dtype_of(x)
    if dtypes.is_float(name):
        return _round_float(x, digits)
    if digits >= 0:
        return x
    if digits < -18:  # beyond half of every integer
        return p.mul(x, 0)
    step = 10**-digits
    below = p.mul(p.floor_divide(x, step), step)
    rest = p.sub(x, below)
    twice, odd = p.mul(rest, 2), p.ne(p.remainder(p.floor_divide(x, step), 2), 0)
    up = p.logical_or(p.gt(twice, step), p.logical_and(p.eq(twice, step), odd))
    return p.where(up, p.add(below, step), below)


def _round_float(x: Tensor, digits: int) -> Tensor:
    if digits == 0:
        return p.round(x)
    if digits > 308:  # no float is that fine where its unit is
        return x
    if digits < -308:
        return p.where(p.isfinite(x), p.mul(x, 0.0), x)
    scale = float(10 ** (digits if digits > 0 else -digits))
    if digits > 0:
        return p.div(p.round(p.mul(x, scale)), scale)
    return p.mul(p.round(p.div(x, scale)), scale)


# ---- special values ------------------------------------------------------------------------------


@predicate(p.isnan, otherwise=False, reference=np.isnan)
def isnan(x: TensorLike) -> Tensor:
    """Whether the numbers are NaN; of complex ones, in either part.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.isnan([0.0, float("nan")]))
        array([False,  True])
    """


@predicate(p.isinf, otherwise=False, reference=np.isinf)
def isinf(x: TensorLike) -> Tensor:
    """Whether the numbers are infinite; of complex ones, in either part.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.isinf([0.0, float("-inf")]))
        array([False,  True])
    """


@predicate(p.isfinite, otherwise=True, reference=np.isfinite)
def isfinite(x: TensorLike) -> Tensor:
    """Whether the numbers are neither infinite nor NaN; of complex ones, in both parts.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.isfinite([0.0, float("inf"), float("nan")]))
        array([ True, False, False])
    """


@op(
    samples=unary_samples(),
    rejects=[rejects(T((2,), "complex64"), argument="x")],
    reference=np.isposinf,
    differentiable=False,
)
def isposinf(x: TensorLike) -> Tensor:
    """Whether the numbers are plus infinity.

    Args:
        x: real numbers of any shape.

    Returns:
        A bool tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.isposinf([float("inf"), float("-inf")]))
        array([ True, False])
    """
    return p.eq(x, inf) if dtypes.is_float(dtype_of(real_only(x))) else p.ne(x, x)


@op(
    samples=unary_samples(),
    rejects=[rejects(T((2,), "complex64"), argument="x")],
    reference=np.isneginf,
    differentiable=False,
)
def isneginf(x: TensorLike) -> Tensor:
    """Whether the numbers are minus infinity.

    Args:
        x: real numbers of any shape.

    Returns:
        A bool tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.isneginf([float("inf"), float("-inf")]))
        array([False,  True])
    """
    return p.eq(x, -inf) if dtypes.is_float(dtype_of(real_only(x))) else p.ne(x, x)


@op(
    samples=(
        *unary_samples(), sample(values(nan, inf, -inf, 1.0), nan=7.0, posinf=8.0, neginf=-8.0, gradient=False),
        sample(values(nan, inf, -inf, dtype="float16"), gradient=False),
    ),
    reference=np.nan_to_num,
    computes=False,
    wide=False,
rejects=[rejects(T((2,)), nan="a", argument="nan"), rejects(T((2,)), posinf="a", argument="posinf")])  # fmt: skip
def nan_to_num(
    x: TensorLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """The numbers with NaN and infinities replaced.

    Args:
        x: numbers of any shape.
        nan: what NaN becomes.
        posinf: what plus infinity becomes; the largest finite number where not given.
        neginf: what minus infinity becomes; the smallest finite number where not given.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        ArgumentError: what is put in is not a number.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.nan_to_num([float("nan"), 1.0]))
        array([0., 1.], dtype=float32)
    """
    name = dtype_of(x)
    if dtypes.is_complex(name):
        parts = (nan_to_num(part, nan, posinf, neginf) for part in (p.real(x), p.imag(x)))
        return p.complex_(*parts)
    if not dtypes.is_float(name):
        return x
    limits = dtypes.finfo(name)
    x = float8.widened(x)
    top = float(limits.max) if posinf is None else _number("posinf", posinf, x)
    bottom = float(limits.min) if neginf is None else _number("neginf", neginf, x)
    y = p.where(p.isnan(x), _number("nan", nan, x), x)
    return cast(p.where(p.eq(x, inf), top, p.where(p.eq(x, -inf), bottom, y)), name)


def _number(argument: str, value: Any, like: Tensor) -> Any:
    """A number, NaN and infinities included."""
    try:
        return parameter(value, like)
    except (TypeError, ValueError):
        raise ArgumentError(argument, expected="a number", got=value) from None


def _nextafter(a: Any, b: Any) -> Tensor:
    a, b = (stop_gradient(x) for x in as_tensors(a, b))
    return _next_of_8_bits(a, b) if dtypes.is_float8(dtype_of(a)) else p.nextafter(a, b)


def _next_of_8_bits(a: Tensor, b: Tensor) -> Tensor:
    """By the bits, which count from 0 outwards: no engine's function knows 8-bit floats."""
    x, y, bits = cast(a, "float32"), cast(b, "float32"), p.bitcast(a, dtype="int8")
    outwards = p.eq(p.gt(y, x), p.gt(x, 0))
    stepped = p.where(outwards, p.add(bits, 1), p.sub(bits, 1))
    stepped = p.where(p.eq(x, 0), p.where(p.gt(y, 0), 1, p.sub(p.sub(bits, bits), 127)), stepped)
    found = p.where(p.eq(x, y), y, cast(p.bitcast(stepped, dtype=dtype_of(a)), "float32"))
    return cast(p.where(p.logical_or(p.isnan(x), p.isnan(y)), nan, found), dtype_of(a))


@binary(
    _nextafter,
    direct_way="",
    wide=False,
    computes=False,
    at_least=float,
    complex=False,
    samples=[sample(values(1.0, 0.0), values(2.0, -1.0), gradient=False)],
    reference=np.nextafter,
    differentiable=False,
)
def nextafter(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The next number of the dtype after `x1` in the direction of `x2`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.nextafter(1.0, 2.0)) > 1.0
        True
    """


# ---- complex numbers -----------------------------------------------------------------------------

_PARTS = (*unary_samples(), sample(T((2, 3), "complex64")))


@op(samples=_PARTS, reference=np.real)
def real(x: TensorLike) -> Tensor:
    """The real part; real numbers as they are.

    Example:
        >>> import kerata
        >>> float(kerata.ops.real(1 + 2j))
        1.0
    """
    return p.real(x) if dtypes.is_complex(dtype_of(x)) else x


@op(samples=_PARTS, reference=np.imag)
def imag(x: TensorLike) -> Tensor:
    """The imaginary part; 0 for real numbers.

    Example:
        >>> import kerata
        >>> float(kerata.ops.imag(1 + 2j))
        2.0
    """
    if dtypes.is_complex(dtype_of(x)):
        return p.imag(x)
    return cast(p.ne(p.eq(x, x), p.eq(x, x)), dtype_of(x))  # zeros, also where x is NaN


@op(samples=_PARTS, reference=np.conj)
def conj(x: TensorLike) -> Tensor:
    """The complex conjugate; real numbers as they are.

    Example:
        >>> import kerata
        >>> complex(kerata.ops.convert_to_numpy(kerata.ops.conj(1 + 2j)))
        (1-2j)
    """
    return p.conj_(x)


@op(samples=_PARTS, reference=np.conj)
def conjugate(x: TensorLike) -> Tensor:
    """Another name of `conj`.

    Example:
        >>> import kerata
        >>> complex(kerata.ops.convert_to_numpy(kerata.ops.conjugate(1 + 2j)))
        (1-2j)
    """
    return p.conj_(x)


@op(samples=_PARTS, reference=np.isreal, differentiable=False)
def isreal(x: TensorLike) -> Tensor:
    """Whether the imaginary part is 0, as for all real numbers.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.isreal([1 + 0j, 1 + 2j]))
        array([ True, False])
    """
    if dtypes.is_complex(dtype_of(x)):
        return p.eq(p.imag(x), 0)
    return p.eq(p.eq(x, x), p.eq(x, x))
