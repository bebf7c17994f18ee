"""Exponentials, logarithms and what is made of them, elementwise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.samples import T, rejects, sample, values

from . import complex_exponentials
from .complex_exponentials import by_kind
from .core import cast
from .elementwise import (
    as_tensors,
    binary_samples,
    in_float32,
    inf,
    nan,
    promote,
    real_only,
    to_real_float,
    unary_float,
    unary_samples,
    widened,
)

TensorLike = Any
Tensor = Any


@unary_float(p.exp, reference=np.exp)
def exp(x: TensorLike) -> Tensor:
    """The exponential `e**x`, elementwise.

    Example:
        >>> import kerata
        >>> float(kerata.ops.exp(0.0))
        1.0
    """


@unary_float(
    by_kind(p.exp2, complex_exponentials.exp2),
    samples=[
        sample(values(100.0, -100.0, 10.5)),
        sample(values(1023.5, -1000.25, dtype="float64"), gradient=False),
    ],
    reference=np.exp2,
)
def exp2(x: TensorLike) -> Tensor:
    """Two to the power of the numbers.

    Example:
        >>> import kerata
        >>> float(kerata.ops.exp2(3.0))
        8.0
    """


@unary_float(
    by_kind(p.expm1, complex_exponentials.expm1),
    samples=[sample(values(1e-8, -1e-8))],
    reference=np.expm1,
)
def expm1(x: TensorLike) -> Tensor:
    """`e**x - 1`, exact also near 0.

    Example:
        >>> import kerata
        >>> float(kerata.ops.expm1(0.0))
        0.0
    """


@unary_float(p.log, domain=(0.1, 2.0), reference=np.log)
def log(x: TensorLike) -> Tensor:
    """The natural logarithm; minus infinity at 0, NaN for negative real numbers.

    Example:
        >>> import kerata
        >>> float(kerata.ops.log(1.0))
        0.0
    """


@unary_float(
    by_kind(p.log2, complex_exponentials.log_to(2)), domain=(0.1, 2.0),
    samples=[sample(values(8.0, 0.25, 1.0)), sample(values(1.00000000000001, 3.0, dtype="float64"))],
    reference=np.log2,
)  # fmt: skip
def log2(x: TensorLike) -> Tensor:
    """The logarithm to base 2; minus infinity at 0, NaN for negative real numbers.

    Example:
        >>> import kerata
        >>> float(kerata.ops.log2(8.0))
        3.0
    """


@unary_float(
    by_kind(p.log10, complex_exponentials.log_to(10)), domain=(0.1, 2.0),
    samples=[sample(values(1000.0, 0.01, 1.0)), sample(values(1.00000000000001, 3.0, dtype="float64"))],
    reference=np.log10,
)  # fmt: skip
def log10(x: TensorLike) -> Tensor:
    """The logarithm to base 10; minus infinity at 0, NaN for negative real numbers.

    Example:
        >>> import kerata
        >>> round(float(kerata.ops.log10(100.0)), 4)
        2.0
    """


@unary_float(
    by_kind(p.log1p, complex_exponentials.log1p),
    domain=(-0.9, 2.0),
    samples=[sample(values(1e-8, -1e-8))],
    reference=np.log1p,
)
def log1p(x: TensorLike) -> Tensor:
    """The natural logarithm of `1 + x`, exact also near 0.

    Example:
        >>> import kerata
        >>> float(kerata.ops.log1p(0.0))
        0.0
    """


@unary_float(
    complex_exponentials.logistic,
    samples=[
        sample(values(-100.0, 100.0)),
        sample(values(-100.0 + 1j, 100.0 + 1j, dtype="complex64"), gradient=False),
    ],
    reference=lambda x: 1 / (1 + np.exp(-1.0 * x)),
)
def sigmoid(x: TensorLike) -> Tensor:
    """The logistic function `1 / (1 + e**-x)`, which maps the real line to (0, 1).

    Example:
        >>> import kerata
        >>> float(kerata.ops.sigmoid(0.0))
        0.5
    """


def _log_sum(base: float, x1: Any, x2: Any) -> Tensor:
    """log(base**a + base**b) to that base: the larger, and a correction that cannot overflow."""
    (a, b), name = widened(*as_tensors(*promote(real_only(x1, "x1"), real_only(x2, "x2"), at_least=float)))
    scale = math.log(base)
    difference = p.sub(a, b)
    equal = p.eq(a, b)  # infinities too, whose difference is NaN; the derivative is then 1/2 each
    apart = p.where(equal, 0, difference)
    tail = p.log1p(p.exp(p.mul(p.abs(apart), -scale)))
    sum_ = p.add(p.maximum(a, b), p.div(tail, scale))
    middle = p.add(p.mul(p.add(p.mul(a, 0.5), p.mul(b, 0.5)), 1.0), math.log(2) / scale)
    return cast(p.where(equal, middle, sum_), name)


_PAIRS = (*binary_samples(), sample(values(-inf, 1000.0, inf), values(-inf, 1000.0, -inf), gradient=False))
_REJECTS = (
    rejects(T((2, 3)), T((2, 4)), argument="x2"),
    rejects(T((2,), "complex64"), T((2,)), argument="x1"),
)


@op(samples=_PAIRS, rejects=_REJECTS, weak=True, reference=np.logaddexp)
def logaddexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`log(e**x1 + e**x2)` without overflow.

    Args:
        x1: real numbers of any shape; integers and bool become floats.
        x2: real numbers of a shape that broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, in the common dtype.

    Example:
        >>> import kerata
        >>> round(float(kerata.ops.logaddexp(0.0, 0.0)), 4)
        0.6931
    """
    return _log_sum(math.e, x1, x2)


@op(samples=_PAIRS, rejects=_REJECTS, weak=True, reference=np.logaddexp2)
def logaddexp2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`log2(2**x1 + 2**x2)` without overflow.

    Args:
        x1: real numbers of any shape; integers and bool become floats.
        x2: real numbers of a shape that broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, in the common dtype.

    Example:
        >>> import kerata
        >>> float(kerata.ops.logaddexp2(1.0, 1.0))
        2.0
    """
    return _log_sum(2.0, x1, x2)


# ---- the error function --------------------------------------------------------------------------


@unary_float(p.erf, complex=False, reference="scipy.special.erf")
def erf(x: TensorLike) -> Tensor:
    """The error function: twice the normal integral from 0 to `x * sqrt(2)`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.erf(0.0))
        0.0
    """


@op(
    samples=(
        *unary_samples(-0.9, 0.9), sample(values(-1.0, 1.0, 1.5), gradient=False),
        sample(values(1e-3, -1e-3, 1e-8)), sample(values(0.9999, -0.9999, 0.5)),
        sample(values(1e-3, 0.99999999, dtype="float64"), gradient=False),
    ),
    rejects=(rejects(T((2,), "complex64"), argument="x"),), reference="scipy.special.erfinv",
)  # fmt: skip
@in_float32
def erfinv(x: TensorLike) -> Tensor:
    """The inverse of the error function on (-1, 1); infinite at the ends, NaN outside.

    Args:
        x: real numbers of any shape; integers and bool become floats.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.erfinv(0.0))
        0.0
    """
    x = to_real_float(x)
    rough = p.erfinv(x)
    # Engines come near; one step of Newton's method comes as near as the dtype allows.
    inside = p.lt(p.abs(x), 1)
    y, target = p.where(inside, rough, 0), p.where(inside, x, 0)
    middle = p.sub(p.erf(y), target)
    tail = p.mul(p.sign(target), p.sub(p.sub(1, p.abs(target)), p.erfc(p.abs(y))))
    error = p.where(p.lt(p.abs(target), 0.5), middle, tail)
    better = p.sub(y, p.mul(error, p.mul(p.exp(p.mul(y, y)), math.sqrt(math.pi) / 2)))
    outside = p.where(p.gt(p.abs(x), 1), nan, rough)
    return p.where(p.logical_and(inside, p.ne(x, 0)), better, outside)
