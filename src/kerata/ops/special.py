"""Functions that no other family has: the complementary error function, Bessel's `i0`, steps, divisors, differences and
integrals along an axis, distances, complex numbers by angle."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kerata.core import checks, dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values

from .control import while_loop
from .core import cast
from .elementwise import (
    INTEGER_SAMPLES,
    as_tensors,
    binary_samples,
    constant,
    counted,
    integers_only,
    parameter,
    promote,
    real_only,
    to_float,
    to_real_float,
    unary_float,
    unary_samples,
    whole,
)  # fmt: skip
from .splitting import cut

TensorLike = Any
Tensor = Any
inf, nan = float("inf"), float("nan")


@unary_float(p.erfc, complex=False, samples=[sample(values(5.0, -5.0, 9.0))], reference="scipy.special.erfc")
def erfc(x: TensorLike) -> Tensor:
    """One minus the error function, exact also where that is nearly 1.

    Example:
        >>> import kerata
        >>> float(kerata.ops.erfc(0.0))
        1.0
    """


@op(
    samples=(
        *unary_samples(),
        sample(values(20.0, -50.0, 80.0)),
        sample(values(90.0, 1e3, -1e5, 1e30), gradient=False),
        sample(values(700.0, -705.0, dtype="float64"), gradient=False),
    ),
    rejects=[rejects(T((2,), "complex64"), argument="x")],
    reference=lambda x: np.where(np.isinf(x), np.inf, np.i0(x)),
)
def i0(x: TensorLike) -> Tensor:
    """The modified Bessel function of the first kind and order 0.

    It is the mean of `exp(x * cos(t))` over a period; the mean over equally spaced `t` converges exponentially
    (Trefethen and Weideman, SIAM Review 56, 2014).

    Args:
        x: real numbers of any shape; integers and bool become floats.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.i0(0.0))
        1.0
    """
    x = to_real_float(x)
    name = dtype_of(x)
    wide = "float32" if dtypes.itemsize(name) < 4 else name
    count = 128
    drops = constant(-2 * np.sin(np.pi * (np.arange(count) + 0.5) / (2 * count)) ** 2, wide)  # cos(t) - 1
    x = cast(x, wide)
    size = p.reshape(p.abs(x), shape=(*shape_of(x), 1))
    endless = p.gt(size, 1000)  # beyond the range of float64
    finite = p.where(endless, 0, size)
    scaled = p.exp(p.mul(finite, drops))
    mean = p.div(p.sum(scaled, axis=(len(shape_of(x)),), keepdims=True), float(count))
    root = p.exp(p.mul(finite, 0.5))
    found = p.mul(p.mul(mean, root), root)  # in two steps: exp(|x|) overflows before the result does
    return cast(p.reshape(p.where(endless, inf, found), shape=shape_of(x)), name)


@op(
    samples=(*binary_samples(), sample(values(-1.0, 0.0, 2.0, nan), 0.5, gradient=False)),
    rejects=[rejects(T((2, 3)), T((2, 4)), argument="x2")],
    weak=True,
    reference=np.heaviside,
)
def heaviside(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The step function: 0 for negative numbers, 1 for positive ones, `x2` at 0.

    Args:
        x1: real numbers of any shape; integers and bool become floats.
        x2: values at 0, of a shape that broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, in the common dtype. NaN stays NaN.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.heaviside([-1.0, 0.0, 2.0], 0.5))
        array([0. , 0.5, 1. ], dtype=float32)
    """
    a, b = as_tensors(*promote(real_only(x1, "x1"), real_only(x2, "x2"), at_least=float))
    step = p.where(p.gt(a, 0), 1, p.where(p.lt(a, 0), p.mul(b, 0), p.where(p.eq(a, 0), b, a)))
    return p.where(p.lt(a, 0), 0, step)


# ---- integers ------------------------------------------------------------------------------------


def _integer_pair(x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    integers_only(x1, x2, names=("x1", "x2"))
    a, b = counted(x1, x2)
    a, b = as_tensors(*whole(a, b, "x2"))
    shape = rules.broadcast_two(tuple(shape_of(a)), tuple(shape_of(b)))
    return _magnitude(p.broadcast_to(a, shape=shape)), _magnitude(p.broadcast_to(b, shape=shape))


def _magnitude(x: Tensor) -> Tensor:
    return x if dtypes.is_unsigned(dtype_of(x)) else p.abs(x)


def _gcd(a: Tensor, b: Tensor) -> Tensor:
    """Euclid's algorithm, on all elements until the last is done."""

    def unfinished(a: Tensor, b: Tensor) -> Tensor:
        return p.any(p.ne(b, 0), axis=tuple(range(len(shape_of(b)))), keepdims=False)

    def step(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        done = p.eq(b, 0)
        rest = p.remainder(a, p.where(done, 1, b))
        return p.where(done, a, b), p.where(done, 0, rest)

    return while_loop(unfinished, step, (a, b))[0]


_GCD = (*INTEGER_SAMPLES, sample(values(12, 0, -4, 0, dtype="int32"), values(18, 5, 6, 0, dtype="int32")))
_GCD_REJECTS = [
    rejects(T((2,)), T((2,)), argument="x1"),
    rejects(T((2,), "int32"), T((3,), "int32"), argument="x2"),
]


@op(samples=_GCD, rejects=_GCD_REJECTS, weak=True, reference=np.gcd, differentiable=False)
def gcd(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The greatest common divisor, not negative; of 0 and 0 it is 0.

    Args:
        x1: integers of any shape.
        x2: integers of a shape that broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, in the common dtype.

    Example:
        >>> import kerata
        >>> int(kerata.ops.gcd(12, 18))
        6
    """
    return _gcd(*_integer_pair(x1, x2))


@op(samples=_GCD, rejects=_GCD_REJECTS, weak=True, reference=np.lcm, differentiable=False)
def lcm(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The least common multiple, not negative; 0 where one of them is 0.

    Args:
        x1: integers of any shape.
        x2: integers of a shape that broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape, in the common dtype.

    Example:
        >>> import kerata
        >>> int(kerata.ops.lcm(4, 6))
        12
    """
    a, b = _integer_pair(x1, x2)
    divisor = _gcd(a, b)
    return p.mul(p.floor_divide(a, p.where(p.eq(divisor, 0), 1, divisor)), b)


def _power_of_two(n: Tensor, name: str) -> Tensor:
    """2**n, exact: the exponent bits of a float. `n` is within the normal range."""
    bits, bias, digits = ("int64", 1023, 52) if name == "float64" else ("int32", 127, 23)
    return p.bitcast(p.shift_left(p.add(cast(n, bits), bias), digits), dtype=name)


@op(
    samples=[
        sample(T((3,)), values(2, 3, -4, dtype="int32")),
        sample(values(1e-30, 1e30), values(150, -150, dtype="int32"), gradient=False),
        sample(T((2, 3), "float64"), 3), sample(T((2,), "int32"), T((2,), "int32"), gradient=False),
        sample(values(1.0, 1.0), values(1000, -1000, dtype="int32"), gradient=False),
        sample(T((3,), "float16"), 2, gradient=False),
    ],
    rejects=[rejects(T((2,)), T((2,)), argument="x2"), rejects(T((2,)), T((3,), "int32"), argument="x2")],
    reference=np.ldexp,
)  # fmt: skip
def ldexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 * 2**x2`, exactly.

    Args:
        x1: real numbers of any shape; integers and bool become floats.
        x2: integers of a shape that broadcasts with that of `x1`.

    Returns:
        A tensor of the broadcast shape.

    Example:
        >>> import kerata
        >>> float(kerata.ops.ldexp(0.75, 2))
        3.0
    """
    integers_only(x2, names=("x2",), bools=False)
    x = to_real_float(x1, "x1")
    name = dtype_of(x)
    wide = "float64" if name == "float64" else "float32"
    most = 3 * (1023 if wide == "float64" else 127)
    n = cast(x2, "int32")
    n = p.maximum(p.minimum(n, most), -most)
    y = x = cast(x, wide)
    for left in (3, 2, 1):  # in three steps: a power of two may be out of range where the product is not
        part = p.floor_divide(n, left)
        y = p.mul(y, _power_of_two(part, wide))
        if left > 1:  # compilers would multiply powers that are constants first
            y = p.minimum(y, float(np.finfo(wide).max))
        n = p.sub(n, part)
    x = p.where(p.isinf(x), x, y)
    return cast(x, name)


# ---- differences and sums along an axis ----------------------------------------------------------


@op(
    samples=[
        sample(T((5,))), sample(T((2, 4)), 2), sample(T((3, 4)), axis=0), sample(T((3,), "int32")),
        sample(T((4,), "bool")), sample(T((3,)), 0), sample(T((2,)), 3),
    ],
    rejects=[rejects(T((3,)), -1, argument="n"), rejects(T((3,)), axis=1, argument="axis")],
    reference=np.diff,
)  # fmt: skip
def diff(a: TensorLike, n: int = 1, axis: int = -1) -> Tensor:
    """The differences of neighbours along an axis, `n` times over. Of bools: whether they differ.

    Args:
        a: numbers of any shape.
        n: how often.
        axis: the axis.

    Returns:
        A tensor with `n` elements less along the axis.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.diff([1, 2, 4]))
        array([1, 2], dtype=int32)
    """
    times = checks.natural("n", n)
    place = rules.axis_index(axis, len(shape_of(a)))
    subtract = p.ne if dtype_of(a) == "bool" else p.sub
    for _ in range(times):
        size = shape_of(a)[place]
        if type(size) is int and size == 0:
            break
        a = subtract(cut(a, place, 1, size), cut(a, place, 0, size - 1))
    return a


@op(
    samples=[
        sample(T((4,))), sample(T((2, 4)), T((4,))), sample(T((2, 4)), dx=0.5), sample(T((3, 2)), T((3, 2)), axis=0),
        sample(T((3,), "int32"), gradient=False), sample(T((1,))),
    ],
    rejects=[rejects(T((3,)), T((2,)), argument="x"), rejects(T((3,)), axis=1, argument="axis")],
    reference=lambda y, x=None, dx=1.0, axis=-1: np.trapezoid(y, x, dx, axis),
)  # fmt: skip
def trapezoid(y: TensorLike, x: TensorLike = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    """The integral along an axis by the trapezoidal rule.

    Args:
        y: values; integers and bool become floats.
        x: where they are: in one dimension, or in the shape of `y`; equally spaced where not given.
        dx: distance of neighbours, where `x` is not given.
        axis: the axis.

    Returns:
        A tensor without the axis.

    Example:
        >>> import kerata
        >>> float(kerata.ops.trapezoid([1.0, 3.0]))
        2.0
    """
    y = to_float(y)
    place = rules.axis_index(axis, len(shape_of(y)))
    n = shape_of(y)[place]
    if type(n) is int and n == 0:
        return p.sum(y, axis=(place,), keepdims=False)
    means = p.mul(p.add(cut(y, place, 1, n), cut(y, place, 0, n - 1)), 0.5)
    if x is None:
        return p.mul(p.sum(means, axis=(place,), keepdims=False), parameter(dx, y))
    means, x = promote(means, x)
    have = shape_of(x)
    if len(have) not in (1, len(shape_of(y))) or have[0 if len(have) == 1 else place] != n:
        raise ArgumentError("x", expected=f"of shape ({n},) or {shape_of(y)}", got=x)
    along = 0 if len(have) == 1 else place
    steps = p.sub(cut(x, along, 1, n), cut(x, along, 0, n - 1))
    if len(have) == 1:
        steps = p.reshape(steps, shape=tuple(n - 1 if i == place else 1 for i in range(len(shape_of(y)))))
    return p.sum(p.mul(means, steps), axis=(place,), keepdims=False)


# ---- distances -----------------------------------------------------------------------------------


@op(
    samples=[
        sample(T((3, 2)), T((4, 2))), sample(T((2, 3, 2)), T((2, 4, 2))),
        sample(T((2, 2), "int32"), T((1, 2), "int32"), gradient=False),
        sample(values([[1.0, 2.0]]), values([[1.0, 2.0]]), gradient=False), sample(T((0, 2)), T((3, 2))),
    ],
    rejects=[rejects(T((3, 2)), T((4, 3)), argument="y"), rejects(T((3,)), T((3, 2)), argument="x")],
reference=lambda x, y: np.sqrt(np.sum((x[..., :, None, :] - y[..., None, :, :]) ** 2, -1)))  # fmt: skip
def cdist(x: TensorLike, y: TensorLike) -> Tensor:
    """The Euclidean distances between all pairs of rows. The derivative at distance 0 is 0.

    Args:
        x: of shape `(..., m, size)`; integers and bool become floats.
        y: of shape `(..., n, size)`.

    Returns:
        A tensor of shape `(..., m, n)`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.cdist([[0.0, 0.0]], [[3.0, 4.0]])[0, 0])
        5.0
    """
    a, b = promote(to_float(x), to_float(y))
    for v, name in ((a, "x"), (b, "y")):
        if len(shape_of(v)) < 2:
            raise ArgumentError(name, expected="a tensor with at least two dimensions", got=v)
    if shape_of(a)[-1] != shape_of(b)[-1]:
        raise ArgumentError("y", expected=f"with rows of {shape_of(a)[-1]} numbers, like `x`", got=y)
    a = p.reshape(a, shape=(*shape_of(a)[:-1], 1, shape_of(a)[-1]))
    b = p.reshape(b, shape=(*shape_of(b)[:-2], 1, *shape_of(b)[-2:]))
    apart = p.abs(p.sub(a, b))
    total = p.sum(p.mul(apart, apart), axis=(len(shape_of(apart)) - 1,), keepdims=False)
    none = p.eq(total, 0)
    return p.where(none, 0, p.sqrt(p.where(none, 1, total)))


@op(
    samples=[
        sample(T((2, 3)), T((2, 3)), 2.0), sample(values(1.0), values(1.0), 5.0, gradient=False),
        sample(T((3,), "int32"), T((3,), "int32"), 255, gradient=False),
        sample(T((2, 3), "float64"), T((2, 3), "float64"), 1), sample(T((2, 1)), T((2, 1)), 1.5),
    ],
    rejects=[
        rejects(T((2,)), T((3,)), 1.0, argument="x2"), rejects(T((2,)), T((2,)), 0.0, argument="max_val"),
        rejects(T((2,)), T((2,)), "a", argument="max_val"),
    ],
)  # fmt: skip
def psnr(x1: TensorLike, x2: TensorLike, max_val: float) -> Tensor:
    """The peak signal-to-noise ratio in decibels: `20 log10(max_val) - 10 log10(mean((x1 - x2)**2))`.

    Args:
        x1: real numbers of any shape.
        x2: real numbers of the same shape.
        max_val: the largest possible value, above 0.

    Returns:
        A scalar tensor; infinite where the two are equal.

    Example:
        >>> import kerata
        >>> round(float(kerata.ops.psnr([1.0, 2.0], [1.0, 3.0], 5.0)), 2)
        16.99
    """
    a, b = promote(to_real_float(x1, "x1"), to_real_float(x2, "x2"))
    if tuple(shape_of(a)) != tuple(shape_of(b)):
        raise ArgumentError("x2", expected=f"of the shape {tuple(shape_of(a))} of `x1`", got=x2)
    if not checks.number("max_val", max_val, 0):
        raise ArgumentError("max_val", expected="above 0", got=max_val)
    apart = p.sub(a, b)
    axes = tuple(range(len(shape_of(a))))
    squared = p.mul(apart, apart)
    count: Any = 1
    for d in shape_of(a):
        count = count * d
    mean = p.div(
        p.sum(squared, axis=axes, keepdims=False),
        float(count) if type(count) is int else cast(count, dtype_of(a)),
    )
    return p.sub(20 * math.log10(float(max_val)), p.mul(p.log10(mean), 10.0))


@op(
    samples=[
        sample(T((3,), low=0.0), T((3,))),
        sample(T((2, 3), "float64", 0.0), T((3,), "float64")),
        sample(values(0.0, 1.0, -1.0), values(1.0, 0.0, 0.5)),
        sample(T((0,)), T((0,))),
        sample(values(1, 2, dtype="int32"), values(0, 1, dtype="int32")),
    ],
    rejects=[rejects(T((2,)), T((3,)), argument="angle")],
    reference=lambda r, t: r * np.exp(1j * t),
)
def polar(abs_: TensorLike, angle: TensorLike) -> Tensor:
    """Complex numbers from their absolute value and angle.

    Args:
        abs_: real numbers of any shape.
        angle: angles in radians, of a shape that broadcasts with that of `abs_`.

    Returns:
        A complex tensor.

    Example:
        >>> import kerata
        >>> complex(kerata.ops.convert_to_numpy(kerata.ops.polar(2.0, 0.0)))
        (2+0j)
    """
    a, b = promote(to_real_float(abs_, "abs_"), to_real_float(angle, "angle"))
    name = "float64" if dtype_of(a) == "float64" else "float32"
    a, b = cast(a, name), cast(b, name)
    try:
        return p.complex_(p.mul(a, p.cos(b)), p.mul(a, p.sin(b)))
    except ArgumentError as error:
        error.argument = "angle"
        raise
