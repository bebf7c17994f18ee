"""Arithmetic, elementwise: sums, products, quotients, powers, signs, extremes of two."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.core import dtypes
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values

from .core import cast
from .elementwise import (
    as_tensors,
    binary,
    binary_samples,
    constant,
    count_bools,
    counted,
    in_float32,
    inf,
    nan,
    promote,
    real_only,
    to_real_float,
    unary_float,
    unary_same,
    unary_samples,
    weak_dtype,
    widened,
)

TensorLike = Any
Tensor = Any

# ---- sums, products, quotients -------------------------------------------------------------------


def _kind(a: Any, b: Any) -> str:
    """Dtype of a promoted pair, one of which may be a Python scalar."""
    return dtype_of(b if isinstance(a, (bool, int, float, complex)) else a)


def _sum(a: Any, b: Any) -> Tensor:
    return p.logical_or(*as_tensors(a, b)) if _kind(a, b) == "bool" else p.add(a, b)


def _product(a: Any, b: Any) -> Tensor:
    return p.logical_and(*as_tensors(a, b)) if _kind(a, b) == "bool" else p.mul(a, b)


@binary(_sum, direct_way="add", reference=np.add)
def add(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The sum of two tensors, elementwise with broadcasting. The sum of two bools is their `or`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.add([1.0, 2.0], 1.0))
        array([2., 3.], dtype=float32)
    """


@binary(p.sub, count=True, reference=lambda x1, x2: np.subtract(x1 * 1, x2 * 1))
def subtract(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The difference of two tensors, elementwise with broadcasting. Bools count as int32.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.subtract([1.0, 2.0], 1.0))
        array([0., 1.], dtype=float32)
    """


@binary(_product, direct_way="mul", reference=np.multiply)
def multiply(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The product of two tensors, elementwise with broadcasting. The product of two bools is their `and`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.multiply([1, 2], 3))
        array([3, 6], dtype=int32)
    """


@binary(p.div, at_least=float, reference=np.true_divide)
def divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The quotient of two tensors, elementwise with broadcasting. `x / 0` is infinite, `0 / 0` NaN.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.divide([1, 2], 2))
        array([0.5, 1. ], dtype=float32)
    """


@binary(p.div, at_least=float, reference=np.true_divide)
def true_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Another name of `divide`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.true_divide(1, 2))
        0.5
    """


@op(samples=binary_samples(), rejects=[rejects(T((2, 3)), T((2, 4)), argument="x2")], weak=True)
def divide_no_nan(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The quotient of two tensors, and 0 where the divisor is 0. So is its derivative.

    Args:
        x1: numbers of any shape; integers and bool become floats.
        x2: numbers of a shape that broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, in the common dtype.

    Raises:
        ArgumentError: the shapes do not broadcast.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.divide_no_nan([1.0, 2.0], [0.0, 4.0]))
        array([0. , 0.5], dtype=float32)
    """
    a, b = promote(x1, x2, at_least=float)
    if isinstance(b, (float, complex)):
        b = constant(b, dtype_of(a))
    zero = p.eq(b, 0)
    quotient = p.div(a, p.where(zero, 1, b))  # 1 keeps the derivative of the branch not taken finite
    return p.where(zero, 0, quotient)


def _where_divisible(primitive: Any, a: Any, b: Any) -> Tensor:
    """Integers divided by 0 give 0, as in NumPy; some engines would stop, others give -1."""
    if not dtypes.is_int(_kind(a, b)):
        return primitive(a, b)
    if isinstance(b, int):
        return primitive(a, b) if b else p.mul(a, 0)
    zero = p.eq(b, 0)
    return p.where(zero, 0, primitive(a, p.where(zero, 1, b)))


def _floor_quotient(a: Any, b: Any) -> Tensor:
    return _where_divisible(p.floor_divide, a, b)


def _remainder(a: Any, b: Any) -> Tensor:
    return _where_divisible(p.remainder, a, b)


@binary(_floor_quotient, complex=False, count=True, direct_way="floor_divide", samples=[
    sample(values(7, -7, 7, -7, 1, dtype="int32"), values(2, 2, -2, -2, 0, dtype="int32"), gradient=False),
    sample(values(7.5, -7.5), values(2.0, 2.0), gradient=False),
    sample(values(inf, 5.0, -5.0, 0.5, 1.0), values(2.0, inf, inf, -inf, 0.0), gradient=False),
    sample(values(200, 7, 65535, dtype="uint16"), values(3, 0, 65534, dtype="uint16"), gradient=False),
], domain=(1.0, 3.0), differentiable=False, reference=np.floor_divide)  # fmt: skip
def floor_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The quotient rounded toward minus infinity. Integers divided by 0 give 0.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.floor_divide([7, -7], 2))
        array([ 3, -4], dtype=int32)
    """


@binary(_remainder, complex=False, count=True, direct_way="remainder", samples=[
    sample(values(7, -7, 7, -7, 1, dtype="int32"), values(3, 3, -3, -3, 0, dtype="int32"), gradient=False),
    sample(values(7.5, -7.5, 1.0), values(2.0, 2.0, -0.75), gradient=False),
    sample(values(inf, 5.0, -5.0, 0.5, 1.0), values(2.0, inf, inf, -inf, 0.0), gradient=False),
    sample(values(200, 7, 65535, dtype="uint16"), values(3, 0, 65534, dtype="uint16"), gradient=False),
], domain=(1.0, 3.0), reference=np.mod)  # fmt: skip
def mod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The remainder of `floor_divide`; it has the sign of the divisor. Integers modulo 0 give 0.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.mod([7, -7], 3))
        array([1, 2], dtype=int32)
    """


@op(
    samples=(
        *binary_samples(1.0, 3.0),
        sample(
            values(-128, 127, -7, 7, -128, -128, dtype="int8"),
            values(-128, -128, -128, -128, -1, 3, dtype="int8"),
            gradient=False,
        ),
    ),
    rejects=[rejects(T((2,), "complex64"), T((2,)), argument="x1")],
    weak=True,
    reference=np.fmod,
)
def fmod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The remainder of the division rounded toward zero; it has the sign of the dividend.

    Args:
        x1: real numbers of any shape.
        x2: real numbers of a shape that broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, in the common dtype. Integers modulo 0 give 0.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.fmod([7, -7], 3))
        array([ 1, -1], dtype=int32)
    """
    real_only(x1, "x1"), real_only(x2, "x2")
    a, b = as_tensors(*counted(x1, x2))
    if dtypes.is_float(_kind(a, b)):
        rest = _remainder(p.abs(a), p.abs(b))
        return p.where(p.lt(a, 0), p.neg(rest), rest)
    rest = _remainder(a, b)  # the absolute value of the least integer is none
    other_side = p.logical_xor(p.lt(a, 0), p.lt(b, 0))
    return p.where(p.logical_and(p.ne(rest, 0), other_side), p.sub(rest, b), rest)


@op(
    samples=[
        *binary_samples(0.5, 2.0), sample(values(-2.0, 0.0, 2.0), 3), sample(values(0.0, 2.0), values(0.0, -1.0), gradient=False),
        sample(values(2, -3, dtype="int32"), 3), sample(2, values(0, 1, 5, dtype="int32")),
        sample(values(3, 5, 7, dtype="int32"), values(100, 33, 2147483647, dtype="int32"), gradient=False),
        sample(values(3, 7, dtype="uint16"), values(100, 65535, dtype="uint16"), gradient=False),
        sample(values(-0.0, -inf, inf, nan, 4.0), 0.5, gradient=False),
        sample(values(-0.0, -inf, inf, nan, 4.0), -0.5, gradient=False),
        sample(values(0, 0, 1j, dtype="complex64"), values(0, 1 + 1j, 2, dtype="complex64"), gradient=False),
    ],
    rejects=[rejects(T((2, 3)), T((2, 4)), argument="x2"), rejects(T((2,), "int32"), -1, argument="x2")],
    weak=True,
    # Of a lone 0.5 NumPy makes a square root.
    reference=lambda x1, x2: np.power(x1, x2 + np.zeros(np.shape(x1), np.asarray(x2).dtype)),
)  # fmt: skip
def power(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The first tensor to the power of the second, elementwise with broadcasting.

    `0 ** 0` is 1. A negative base has real powers only for integral exponents, else NaN.

    Args:
        x1: numbers of any shape. Bools count as int32.
        x2: exponents, of a shape that broadcasts with that of `x1`. Integers to the power of negative
            integers are 0, except those of 1 and -1.

    Returns:
        A tensor of the broadcast shape, in the common dtype.

    Raises:
        ArgumentError: the shapes do not broadcast, or a negative Python integer is the exponent of integers.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.power([1.0, 2.0, 3.0], 2))
        array([1., 4., 9.], dtype=float32)
    """
    a, b = counted(x1, x2)
    return _integer_power(a, b) if dtypes.is_int(_kind(a, b)) else p.pow(a, b)


def _integer_power(a: Any, b: Any) -> Tensor:
    if isinstance(b, int):
        if b < 0:
            raise ArgumentError(
                "x2", expected="not negative for integers", got=b, fix="Cast `x1` to a float first."
            )
        return p.pow(a, b)
    if dtypes.is_unsigned(dtype_of(b)):
        return p.pow(a, b)
    a, b = as_tensors(a, b)
    sign_of_inverse = p.where(p.eq(p.remainder(b, 2), 0), 1, a)  # of 1 and -1, the only units
    inverse = p.where(p.eq(p.mul(a, a), 1), sign_of_inverse, 0)
    return p.where(p.lt(b, 0), inverse, p.pow(a, p.maximum(b, 0)))


# ---- signs ---------------------------------------------------------------------------------------


@unary_same(p.neg, prepare=count_bools, reference=lambda x: np.negative(x * 1))
def negative(x: TensorLike) -> Tensor:
    """The numbers with the opposite sign. Unsigned integers wrap; bools count as int32.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.negative([1, -2]))
        array([-1,  2], dtype=int32)
    """


def _magnitude(x: Tensor) -> Tensor:
    name = dtype_of(x)
    return x if name == "bool" or dtypes.is_unsigned(name) else p.abs(x)


@op(samples=(*unary_samples(), sample(T((3,), "complex64"), gradient=False)), reference=np.abs)
def absolute(x: TensorLike) -> Tensor:
    """The absolute value; of complex numbers, the modulus.

    Args:
        x: numbers of any shape.

    Returns:
        A tensor of the shape and dtype of `x`; the real dtype for complex numbers.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.absolute([-1.5, 2.0]))
        array([1.5, 2. ], dtype=float32)
    """
    return _magnitude(x)


@op(samples=(*unary_samples(), sample(T((3,), "complex64"), gradient=False)), reference=np.abs)
def abs(x: TensorLike) -> Tensor:
    """Another name of `absolute`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.abs(-1.5))
        1.5
    """
    return _magnitude(x)


@unary_float(p.abs, complex=False, reference=np.fabs)
def fabs(x: TensorLike) -> Tensor:
    """The absolute value of real numbers as floats.

    Example:
        >>> import kerata
        >>> float(kerata.ops.fabs(-1.5))
        1.5
    """


def _direction(x: Tensor) -> Tensor:
    if not dtypes.is_complex(dtype_of(x)):
        return p.sign(x)
    size = p.abs(x)
    none = p.eq(size, 0)
    return p.where(none, 0, p.div(x, cast(p.where(none, 1, size), dtype_of(x))))


@unary_same(_direction, prepare=count_bools, direct_way="sign", reference=lambda x: np.sign(x * 1))
def sign(x: TensorLike) -> Tensor:
    """-1, 0 or 1; of complex numbers, the number of modulus 1 in the same direction. NaN stays NaN.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.sign([-2.0, 0.0, 3.0]))
        array([-1.,  0.,  1.], dtype=float32)
    """


@op(
    samples=unary_samples(),
    rejects=[rejects(T((2,), "complex64"), argument="x")],
    reference=np.signbit,
    differentiable=False,
)
def signbit(x: TensorLike) -> Tensor:
    """Whether the sign bit is set: for negative numbers and -0.0.

    Args:
        x: real numbers of any shape.

    Returns:
        A bool tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.signbit([-1.0, -0.0, 0.0]))
        array([ True,  True, False])
    """
    name = dtype_of(real_only(x))
    if not dtypes.is_float(name):
        return p.ne(x, x) if name == "bool" or dtypes.is_unsigned(name) else p.lt(x, 0)
    return p.lt(p.bitcast(x, dtype=f"int{8 * dtypes.itemsize(name)}"), 0)


# ---- powers and roots ----------------------------------------------------------------------------


@op(samples=(*unary_samples(), sample(T((3,), "complex64"), gradient=False)), reference=np.square)
def square(x: TensorLike) -> Tensor:
    """The square. Bools count as int32.

    Args:
        x: numbers of any shape.

    Returns:
        A tensor of the shape and dtype of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.square([2.0, -3.0]))
        array([4., 9.], dtype=float32)
    """
    x = count_bools(x)
    return p.mul(x, x)


@unary_float(p.sqrt, domain=(0.1, 2.0), reference=np.sqrt)
def sqrt(x: TensorLike) -> Tensor:
    """The square root; NaN for negative real numbers.

    Example:
        >>> import kerata
        >>> float(kerata.ops.sqrt(9.0))
        3.0
    """


@unary_float(p.rsqrt, domain=(0.1, 2.0), reference=lambda x: 1 / np.sqrt(x))
def rsqrt(x: TensorLike) -> Tensor:
    """The reciprocal of the square root; infinite at 0, NaN for negative real numbers.

    Example:
        >>> import kerata
        >>> float(kerata.ops.rsqrt(4.0))
        0.5
    """


@op(
    samples=(*unary_samples(0.1, 2.0), sample(values(3e38, -1e-30, 27.0), gradient=False)),
    rejects=[rejects(T((2,), "complex64"), argument="x")],
    reference=np.cbrt,
)
@in_float32
def cbrt(x: TensorLike) -> Tensor:
    """The real cube root, which negative numbers have too.

    Args:
        x: real numbers of any shape; integers and bool become floats.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> round(float(kerata.ops.cbrt(-8.0)), 5)
        -2.0
    """
    x = to_real_float(x)
    size = p.abs(x)
    special = p.logical_or(p.eq(size, 0), p.logical_not(p.isfinite(size)))
    safe = p.where(special, 1, size)
    root = p.pow(safe, 1 / 3)
    # One Newton step takes the rounding of 1/3 out.
    root = p.sub(root, p.div(p.sub(root, p.div(safe, p.mul(root, root))), 3.0))
    return p.where(special, x, p.mul(p.sign(x), root))


@op(
    samples=(*unary_samples(0.5, 2.0), sample(T((3,), "complex64", 0.5, 2.0), gradient=False)),
    reference=lambda x: 1 / x,
)
def reciprocal(x: TensorLike) -> Tensor:
    """One divided by the numbers; infinite at 0.

    Args:
        x: numbers of any shape; integers and bool become floats.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.reciprocal(4.0))
        0.25
    """
    name = dtypes.float_for(dtype_of(x))
    return p.div(1 + 0j if dtypes.is_complex(name) else 1.0, cast(x, name))


@op(
    samples=binary_samples(0.5, 2.0),
    rejects=[rejects(T((2, 3)), T((2, 4)), argument="x2")],
    weak=True,
    reference=np.hypot,
)
def hypot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The length `sqrt(x1**2 + x2**2)` of the hypotenuse, without overflow on the way.

    Args:
        x1: real numbers of any shape; integers and bool become floats.
        x2: real numbers of a shape that broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, in the common dtype.

    Example:
        >>> import kerata
        >>> float(kerata.ops.hypot(3.0, 4.0))
        5.0
    """
    real_only(x1, "x1"), real_only(x2, "x2")
    (a, b), name = widened(*as_tensors(*promote(x1, x2, at_least=float)))
    a, b = p.abs(a), p.abs(b)
    large, small = p.maximum(a, b), p.minimum(a, b)
    flat = p.logical_or(p.eq(large, 0), p.logical_not(p.isfinite(large)))
    ratio = p.div(p.where(flat, 0, small), p.where(flat, 1, large))
    length = p.mul(p.where(flat, 0, large), p.sqrt(p.add(p.mul(ratio, ratio), 1)))
    infinite = p.logical_or(p.isinf(a), p.isinf(b))  # even beside NaN, as IEEE 754 says
    return cast(p.where(infinite, inf, p.where(flat, large, length)), name)


# ---- extremes ------------------------------------------------------------------------------------


def _larger(a: Any, b: Any) -> Tensor:
    return p.logical_or(*as_tensors(a, b)) if _kind(a, b) == "bool" else p.maximum(a, b)


def _smaller(a: Any, b: Any) -> Tensor:
    return p.logical_and(*as_tensors(a, b)) if _kind(a, b) == "bool" else p.minimum(a, b)


@binary(_larger, complex=False, direct_way="maximum", reference=np.maximum)
def maximum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of two numbers, elementwise with broadcasting. NaN wins; equals share the derivative.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.maximum([1.0, 5.0], 3.0))
        array([3., 5.], dtype=float32)
    """


@binary(_smaller, complex=False, direct_way="minimum", reference=np.minimum)
def minimum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of two numbers, elementwise with broadcasting. NaN wins; equals share the derivative.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.minimum([1.0, 5.0], 3.0))
        array([1., 3.], dtype=float32)
    """


def _without_nan(choose: Any, a: Any, b: Any) -> Tensor:
    """The other number where one is NaN."""
    if not dtypes.is_float(_kind(a, b)):
        return choose(a, b)
    a, b = as_tensors(a, b)
    return p.where(p.isnan(a), b, p.where(p.isnan(b), a, choose(a, b)))


@op(
    samples=binary_samples(),
    rejects=[rejects(T((2, 3)), T((2, 4)), argument="x2")],
    weak=True,
    reference=np.fmax,
)
def fmax(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of two numbers; where one is NaN, the other.

    Args:
        x1: real numbers of any shape.
        x2: real numbers of a shape that broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, in the common dtype.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.fmax([1.0, float("nan")], 0.0))
        array([1., 0.], dtype=float32)
    """
    return _without_nan(_larger, *promote(real_only(x1, "x1"), real_only(x2, "x2")))


@op(
    samples=binary_samples(),
    rejects=[rejects(T((2, 3)), T((2, 4)), argument="x2")],
    weak=True,
    reference=np.fmin,
)
def fmin(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of two numbers; where one is NaN, the other.

    Args:
        x1: real numbers of any shape.
        x2: real numbers of a shape that broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, in the common dtype.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.fmin([1.0, float("nan")], 0.0))
        array([0., 0.], dtype=float32)
    """
    return _without_nan(_smaller, *promote(real_only(x1, "x1"), real_only(x2, "x2")))


def _within(end: Any, name: Any) -> Any:
    """A Python integer that is beyond the range of an integer dtype, as the limit on that side."""
    if type(end) is not int or not dtypes.is_int(name):
        return end
    limits = dtypes.iinfo(name)
    return sorted((int(limits.min), end, int(limits.max)))[1]


@op(
    samples=[
        sample(T((2, 3)), -1.0, 1.0, gradient=False), sample(T((2, 3)), T((3,)), 2.0, gradient=False),
        sample(T((3,), "int32", -9, 9), 0, 3), sample(values(nan, inf, -inf, 0.0), -1.0, 1.0, gradient=False),
        sample(T((3,), "bool"), 0, 1), sample(T((3,), "int32"), -0.5, 0.5), sample(T((3,), "float16"), -1, 1, gradient=False),
        sample(values(-128, 5, 127, dtype="int8"), -1000, 300), sample(values(0, 40000, dtype="uint16"), -1, 30000),
        sample(T((2, 3)), None, 0.1, gradient=False), sample(T((3,), "int32"), 2, None),
    ],
    rejects=[rejects(T((2,), "complex64"), 0, 1, argument="x")],
    weak=True,
reference=np.clip)  # fmt: skip
def clip(x: TensorLike, x_min: TensorLike | None, x_max: TensorLike | None) -> Tensor:
    """The numbers, those outside an interval moved to its nearest end. NaN stays NaN.

    Args:
        x: real numbers of any shape; bools count as int32.
        x_min: lower end, or None; broadcasts with `x`.
        x_max: upper end, or None; broadcasts with `x`. It wins where it is below `x_min`.

    Returns:
        A tensor in the common dtype. The derivative is 1 inside the interval, ends included, and 0 outside.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.clip([-2.0, 0.5, 3.0], 0.0, 1.0))
        array([0. , 0.5, 1. ], dtype=float32)
    """
    given = [real_only(v, name) for name, v in (("x_min", x_min), ("x_max", x_max)) if v is not None]
    x = count_bools(real_only(x))
    y, *ends = promote(x, *(_within(v, weak_dtype(x)) for v in given))
    if not hasattr(y, "dtype"):
        (y,) = as_tensors(y, *ends)[:1]
    if x_min is not None:
        low = ends.pop(0)
        y = p.where(p.lt(y, low), low, y)
    if x_max is not None:
        high = ends.pop(0)
        y = p.where(p.gt(y, high), high, y)
    return y
