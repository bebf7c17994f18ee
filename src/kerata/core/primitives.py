"""The closed set of primitives: all that an engine can be asked.

Each row: name, shape and dtype rule, derivative. Families hold the rules. A derivative is
`(g, y, *arguments)` -> cotangents, written with primitives, where `g` is the cotangent of the result
`y`. `None` says that no derivative passes.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from typing import Any

from kerata.core import rules
from kerata.core.declare import new_abstract, primitive
from kerata.core.dispatch import abstract, dtype_of, shape_of
from kerata.core.dtypes import complex_for, is_complex, is_float, real_of
from kerata.core.errors import ArgumentError
from kerata.core.state import STATE

Tensor = Any
Bind = Callable[..., Any]

# ---- families ------------------------------------------------------------------------------------


def _same(x: Tensor, **_: Any) -> Tensor:
    return new_abstract(x._shape, x._dtype)


def _to_bool(x: Tensor) -> Tensor:
    return new_abstract(x._shape, "bool")


def unary(name: str, grad: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None) -> Bind:
    """Elementwise, same dtype. `grad(g, y, x)`."""
    return primitive(name, _same, None if grad is None else lambda g, y, x: (grad(g, y, x),))


def predicate(name: str) -> Bind:
    """Elementwise, bool."""
    return primitive(name, _to_bool)


def _shape_or_scalar(x: Any) -> tuple[int, ...]:
    return getattr(x, "_shape", ())


def _pairwise(x1: Any, x2: Any) -> Tensor:
    tensor = x1 if hasattr(x1, "_dtype") else x2
    return new_abstract(rules.broadcast_two(_shape_or_scalar(x1), _shape_or_scalar(x2)), tensor._dtype)


def _pairwise_bool(x1: Any, x2: Any) -> Tensor:
    return new_abstract(rules.broadcast_two(_shape_or_scalar(x1), _shape_or_scalar(x2)), "bool")


_NUMBERS = (int, float, complex)  # arguments that no derivative reaches


def unbroadcast(g: Tensor, like: Any) -> Tensor:
    """Sums a cotangent over the axes along which `like` was broadcast."""
    have, want = shape_of(g), shape_of(like)
    if have == want:
        return g
    lead = len(have) - len(want)
    axes = tuple(range(lead)) + tuple(lead + i for i, d in enumerate(want) if d == 1 and have[lead + i] != 1)
    return reshape(sum(g, axis=axes, keepdims=False), shape=want)


def binary(name: str, grad: Callable[..., tuple[Any, Any]] | None = None) -> Bind:
    """Elementwise with broadcasting, equal dtypes (or a Python scalar). `grad(g, y, x1, x2)`."""
    if grad is None:
        return primitive(name, _pairwise)

    def whole(g: Tensor, y: Tensor, x1: Tensor, x2: Tensor) -> tuple[Any, Any]:
        pair = grad(g, y, x1, x2)
        return tuple(  # type: ignore[return-value]
            None if c is None or isinstance(x, _NUMBERS) else unbroadcast(c, x)
            for c, x in zip(pair, (x1, x2), strict=True)
        )

    bind = primitive(name, _pairwise, whole)
    bind.primitive.pairwise = grad  # type: ignore[attr-defined]
    return bind


def comparison(name: str) -> Bind:
    return primitive(name, _pairwise_bool)


def _reduce(x: Tensor, *, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    return new_abstract(rules.reduced(x._shape, axis, keepdims), x._dtype)


def _reduce_bool(x: Tensor, *, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    return new_abstract(rules.reduced(x._shape, axis, keepdims), "bool")


def _reduce_index(x: Tensor, *, axis: int) -> Tensor:
    if x._shape[axis] == 0:
        raise ArgumentError("x", expected="a tensor with at least one element along the axis", got=x)
    return new_abstract(rules.reduced(x._shape, (axis,), False), "int32")


def expand(g: Tensor, x: Tensor, axis: tuple[int, ...]) -> Tensor:
    """Puts a reduced cotangent back over the shape of `x`."""
    kept = tuple(1 if i in axis else d for i, d in enumerate(shape_of(x)))
    return broadcast_to(reshape(g, shape=kept), shape=shape_of(x))


# ---- elementwise, floating -----------------------------------------------------------------------


def pull(g: Tensor, slope: Tensor) -> Tensor:
    """A cotangent times a slope, and 0 where the cotangent is 0 and the slope is no finite number.

    So what `where` does not choose, a logarithm of 0 or an exponential that overflows, spoils no derivative.
    """
    lost = logical_and(eq(g, 0), logical_not(isfinite(slope)))
    return mul(g, conj_(where(lost, 0, slope)))


def steep(name: str, slope: Callable[[Tensor, Tensor], Tensor]) -> Bind:
    """Elementwise, with a derivative `slope(y, x)` that may be infinite."""
    return unary(name, lambda g, y, x: pull(g, slope(y, x)))


def gentle(name: str, slope: Callable[[Tensor, Tensor], Tensor]) -> Bind:
    """Elementwise, with a derivative `slope(y, x)` that is finite wherever the function is."""
    return unary(name, lambda g, y, x: mul(g, conj_(slope(y, x))))


def _root_slope(y: Tensor, x: Tensor) -> Tensor:
    """0 at 0, where there is no derivative: so lengths and deviations are flat where they vanish."""
    none = eq(y, 0)
    return where(none, 0, div(0.5, where(none, 1, y)))


_HALVES = ("float16", "bfloat16")


def _saturating(fn: Bind, slope: Callable[[Tensor], Tensor], y: Tensor, x: Tensor) -> Tensor:
    """A slope that is told from `y`, which is rounded to its limit long before the slope is to 0: in half precision, `y`
    is computed again."""
    name = dtype_of(x)
    if name not in _HALVES:
        return slope(y)
    return cast(slope(fn(cast(x, dtype="float32"))), dtype=name)


exp: Bind = steep("exp", lambda y, x: y)
exp2: Bind = steep("exp2", lambda y, x: mul(y, math.log(2)))
expm1: Bind = steep("expm1", lambda y, x: add(y, 1))
log: Bind = steep("log", lambda y, x: div(1, x))
log2: Bind = steep("log2", lambda y, x: div(1 / math.log(2), x))
log10: Bind = steep("log10", lambda y, x: div(1 / math.log(10), x))
log1p: Bind = steep("log1p", lambda y, x: div(1, add(x, 1)))
sqrt: Bind = steep("sqrt", _root_slope)
rsqrt: Bind = steep("rsqrt", lambda y, x: mul(mul(y, mul(y, y)), -0.5))
sin: Bind = gentle("sin", lambda y, x: cos(x))
cos: Bind = gentle("cos", lambda y, x: neg(sin(x)))
tan: Bind = gentle("tan", lambda y, x: add(mul(y, y), 1))
asin: Bind = steep("asin", lambda y, x: rsqrt(sub(1, mul(x, x))))
acos: Bind = steep("acos", lambda y, x: neg(rsqrt(sub(1, mul(x, x)))))
atan: Bind = gentle("atan", lambda y, x: div(1, add(mul(x, x), 1)))
sinh: Bind = steep("sinh", lambda y, x: cosh(x))
cosh: Bind = steep("cosh", lambda y, x: sinh(x))
tanh: Bind = gentle("tanh", lambda y, x: _saturating(tanh, lambda y: sub(1, mul(y, y)), y, x))
asinh: Bind = gentle("asinh", lambda y, x: rsqrt(add(mul(x, x), 1)))
acosh: Bind = steep("acosh", lambda y, x: mul(rsqrt(sub(x, 1)), rsqrt(add(x, 1))))
atanh: Bind = steep("atanh", lambda y, x: div(1, sub(1, mul(x, x))))
sigmoid: Bind = gentle("sigmoid", lambda y, x: _saturating(sigmoid, lambda y: mul(y, sub(1, y)), y, x))
erf: Bind = gentle("erf", lambda y, x: mul(exp(neg(mul(x, x))), 2 / math.sqrt(math.pi)))
erfc: Bind = gentle("erfc", lambda y, x: mul(exp(neg(mul(x, x))), -2 / math.sqrt(math.pi)))
erfinv: Bind = steep("erfinv", lambda y, x: mul(exp(mul(y, y)), math.sqrt(math.pi) / 2))
lgamma: Bind = steep("lgamma", lambda y, x: digamma(x))
digamma: Bind = unary("digamma")

# ---- elementwise, any number ---------------------------------------------------------------------

neg: Bind = unary("neg", lambda g, y, x: neg(g))
sign: Bind = unary("sign")
floor: Bind = unary("floor")
ceil: Bind = unary("ceil")
round: Bind = unary("round")  # half to even
trunc: Bind = unary("trunc")
bitwise_not: Bind = unary("bitwise_not")
logical_not: Bind = predicate("logical_not")
isnan: Bind = predicate("isnan")
isinf: Bind = predicate("isinf")
isfinite: Bind = predicate("isfinite")


def _real_rule(x: Tensor) -> Tensor:
    return new_abstract(x._shape, real_of(x._dtype))


def _complex_rule(x1: Tensor, x2: Tensor) -> Tensor:
    return new_abstract(rules.broadcast_two(x1._shape, x2._shape), complex_for(x1._dtype))


def _abs_grad(g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
    if not is_complex(dtype_of(x)):
        return (mul(g, sign(x)),)
    safe = where(eq(y, 0), 1, y)
    return (mul(complex_(g, mul(g, 0)), div(x, complex_(safe, mul(safe, 0)))),)


abs: Bind = primitive("abs", _real_rule, _abs_grad)
real: Bind = primitive("real", _real_rule, lambda g, y, x: (complex_(g, mul(g, 0)),))
imag: Bind = primitive("imag", _real_rule, lambda g, y, x: (complex_(mul(g, 0), g),))
conj: Bind = unary("conj", lambda g, y, x: conj(g))
complex_: Bind = primitive(
    "complex", _complex_rule, lambda g, y, a, b: (unbroadcast(real(g), a), unbroadcast(imag(g), b))
)


def zeros_of(x: Tensor) -> Tensor:
    """Zeros in the shape and dtype of `x`, also where it is infinite or NaN."""
    shape = shape_of(x)
    if not shape:
        return cast(logical_and(eq(x, x), ne(x, x)), dtype=dtype_of(x))
    start = (0,) * len(shape)  # the sum of no elements
    none = slice(x, starts=start, limits=start, strides=(1,) * len(shape))
    return broadcast_to(sum(none, axis=tuple(range(len(shape))), keepdims=False), shape=shape)


def conj_(x: Tensor) -> Tensor:
    """The conjugate of complex values, anything else as it is."""
    return conj(x) if is_complex(dtype_of(x)) else x


# ---- elementwise, two arguments ------------------------------------------------------------------


def _share(chosen: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., tuple[Tensor, Tensor]]:
    """Derivative of maximum and minimum: ties share the cotangent equally, and so do two NaN; one NaN has all."""

    def grad(g: Tensor, y: Tensor, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
        tie, wins = eq(x1, x2), chosen(x1, x2)
        bad1, bad2 = (None if isinstance(x, (int, float)) else ne(x, x) for x in (x1, x2))
        if bad1 is not None:
            wins = logical_or(wins, bad1)
        if bad2 is not None:
            wins = logical_and(wins, logical_not(bad2))
        if bad1 is not None and bad2 is not None:
            tie = logical_or(tie, logical_and(bad1, bad2))
        first = where(tie, mul(g, 0.5), where(wins, g, 0))
        return first, sub(g, first)

    return grad


def _pow_grad(g: Tensor, y: Tensor, x1: Any, x2: Any) -> tuple[Any, Any]:
    """`d/dx = n x^(n-1)`, zero where n is zero; `d/dn = y log x`, zero where x is not positive."""
    first = second = None
    if not isinstance(x1, (int, float, complex)):
        if isinstance(x2, (int, float, complex)):
            first = zeros_of(g) if x2 == 0 else pull(g, mul(pow(x1, x2 - 1), x2))
        else:
            lower = where(eq(x2, 0), 1, sub(x2, 1))  # x^(0-1) may be infinite, and is multiplied by 0
            none = eq(x2, 0)
            first = pull(g, where(none, 0, mul(x2, pow(x1, lower))))
    if not isinstance(x2, (int, float, complex)):
        if isinstance(x1, (int, float, complex)):
            base = _log_of_number(x1)
            second = pull(g, mul(y, base)) if base else zeros_of(g)
        else:
            flat = eq(x1, 0) if is_complex(dtype_of(x1)) else le(x1, 0)
            second = pull(g, where(flat, 0, mul(y, log(where(flat, 1, x1)))))
    return first, second


def _log_of_number(x: float | complex) -> float | complex:
    """Zero where there is none."""
    if isinstance(x, complex):
        return cmath.log(x) if x else 0.0
    return math.log(x) if x > 0 else 0.0


def _mul_grad(g: Tensor, y: Tensor, x1: Any, x2: Any) -> tuple[Any, Any]:
    first = None if isinstance(x1, _NUMBERS) else mul(g, _conj(x2))
    return first, None if isinstance(x2, _NUMBERS) else mul(g, _conj(x1))


def _div_grad(g: Tensor, y: Tensor, x1: Any, x2: Any) -> tuple[Any, Any]:
    if isinstance(x2, (int, float, complex)):
        return div(g, x2.conjugate()), None
    return None if isinstance(x1, (int, float, complex)) else pull(g, div(1, x2)), neg(pull(g, div(y, x2)))


add: Bind = binary("add", lambda g, y, x1, x2: (g, g))
sub: Bind = binary("sub", lambda g, y, x1, x2: (g, neg(g)))
mul: Bind = binary("mul", _mul_grad)
div: Bind = binary("div", _div_grad)
pow: Bind = binary("pow", _pow_grad)
floor_divide: Bind = binary("floor_divide")  # toward minus infinity
# Sign of the divisor.
remainder: Bind = binary("remainder", lambda g, y, x1, x2: (g, neg(mul(g, floor_divide(x1, x2)))))
maximum: Bind = binary("maximum", _share(lambda a, b: gt(a, b)))  # NaN wins
minimum: Bind = binary("minimum", _share(lambda a, b: lt(a, b)))
atan2: Bind = binary(
    "atan2",
    lambda g, y, x1, x2: (
        mul(g, _angle_slope(x2, x1)),
        neg(mul(g, _angle_slope(x1, x2))),
    ),
)
nextafter: Bind = binary("nextafter")
bitwise_and: Bind = binary("bitwise_and")
bitwise_or: Bind = binary("bitwise_or")
bitwise_xor: Bind = binary("bitwise_xor")
shift_left: Bind = binary("shift_left")
shift_right: Bind = binary("shift_right")  # arithmetic for signed, logical for unsigned integers

eq: Bind = comparison("eq")
ne: Bind = comparison("ne")
lt: Bind = comparison("lt")
le: Bind = comparison("le")
gt: Bind = comparison("gt")
ge: Bind = comparison("ge")
logical_and: Bind = comparison("logical_and")
logical_or: Bind = comparison("logical_or")
logical_xor: Bind = comparison("logical_xor")


def _conj(x: Any) -> Any:
    return x.conjugate() if isinstance(x, _NUMBERS) else conj_(x)


def _angle_slope(x1: Tensor, x2: Tensor) -> Tensor:
    """`x1 / (x1**2 + x2**2)`, also where a square is too large or too small for the dtype; 0 at (0, 0)."""
    size = maximum(abs(x1), abs(x2))
    size = where(logical_or(eq(size, 0), logical_not(isfinite(size))), 1, size)
    a, b = div(x1, size), div(x2, size)
    total = add(mul(a, a), mul(b, b))
    return div(div(a, where(eq(total, 0), 1, total)), size)


def _where_rule(condition: Tensor, x1: Any, x2: Any) -> Tensor:
    tensor = x1 if hasattr(x1, "_dtype") else x2
    shape = rules.broadcast(condition._shape, _shape_or_scalar(x1), _shape_or_scalar(x2))
    return new_abstract(shape, tensor._dtype)


def _where_grad(g: Tensor, y: Tensor, condition: Tensor, x1: Any, x2: Any) -> tuple[Any, Any, Any]:
    first = None if isinstance(x1, _NUMBERS) else unbroadcast(where(condition, g, 0), x1)
    second = None if isinstance(x2, _NUMBERS) else unbroadcast(where(condition, 0, g), x2)
    return None, first, second


where: Bind = primitive("where", _where_rule, _where_grad)


# ---- dtypes --------------------------------------------------------------------------------------


def _cast_grad(g: Tensor, y: Tensor, x: Tensor, *, dtype: str) -> tuple[Tensor | None]:
    source = dtype_of(x)
    if not (is_float(source) or is_complex(source)) or not (is_float(dtype) or is_complex(dtype)):
        return (None,)
    if is_complex(dtype) and not is_complex(source):
        g = real(g)
    return (cast(g, dtype=source),)


cast: Bind = primitive("cast", lambda x, *, dtype: new_abstract(x._shape, dtype), _cast_grad)
bitcast: Bind = primitive("bitcast", lambda x, *, dtype: new_abstract(x._shape, dtype))

# ---- reductions ----------------------------------------------------------------------------------


def _extreme_grad(g: Tensor, y: Tensor, x: Tensor, *, axis: tuple[int, ...], keepdims: bool) -> tuple[Tensor]:
    """Ties share the cotangent equally."""
    hits = eq(x, expand(y, x, axis))
    hits = logical_or(hits, isnan(x)) if is_float(dtype_of(x)) else hits
    share = cast(hits, dtype=dtype_of(g))
    count = expand(sum(share, axis=axis, keepdims=True), x, axis)
    return (div(mul(expand(g, x, axis), share), count),)


def products_of_others(x: Tensor) -> Tensor:
    """Along the last axis, the product of all other elements."""
    n = len(shape_of(x))
    first = tuple(1 if i == n - 1 else d for i, d in enumerate(shape_of(x)))
    one = add(mul(slice(x, starts=(0,) * n, limits=first, strides=(1,) * n), 0), 1)
    return _prod_grad(one, None, x, axis=(n - 1,), keepdims=True)[0]


def _prod_grad(g: Tensor, y: Any, x: Tensor, *, axis: tuple[int, ...], keepdims: bool) -> tuple[Tensor]:
    """The product of the other elements, right also where some are zero: prefix times suffix products."""
    rest = tuple(i for i in range(len(shape_of(x))) if i not in axis)
    perm = rest + axis
    shape = shape_of(x)
    if 0 in [shape[i] for i in axis if type(shape[i]) is int]:
        return (zeros_of(x),)
    lead = tuple(shape[i] for i in rest)
    flat = reshape(transpose(x, axes=perm), shape=(*lead, math.prod(shape[i] for i in axis)))
    last = len(lead)
    first = slice(flat, starts=(0,) * (last + 1), limits=(*lead, 1), strides=(1,) * (last + 1))
    ones = add(zeros_of(first), 1)
    n = shape_of(flat)[-1]

    def exclusive(values: Tensor) -> Tensor:
        head = slice(values, starts=(0,) * (last + 1), limits=(*lead, n - 1), strides=(1,) * (last + 1))
        return cumprod(concatenate((ones, head), axis=last), axis=last)

    before = exclusive(flat)
    after = flip(exclusive(flip(flat, axis=(last,))), axis=(last,))
    others = reshape(mul(before, after), shape=tuple(shape[i] for i in perm))
    inverse = tuple(perm.index(i) for i in range(len(perm)))
    return (mul(expand(g, x, axis), conj_(transpose(others, axes=inverse))),)


sum: Bind = primitive("sum", _reduce, lambda g, y, x, *, axis, keepdims: (expand(g, x, axis),))
prod: Bind = primitive("prod", _reduce, _prod_grad)
max: Bind = primitive("max", _reduce, _extreme_grad)  # NaN wins
peak: Bind = primitive("peak", _reduce, _extreme_grad)  # max for shifts of exponentials: may lose NaN
min: Bind = primitive("min", _reduce, _extreme_grad)
any: Bind = primitive("any", _reduce_bool)
all: Bind = primitive("all", _reduce_bool)
argmax: Bind = primitive("argmax", _reduce_index)  # the first of equals; NaN wins; int32
argmin: Bind = primitive("argmin", _reduce_index)


def _cumsum_grad(g: Tensor, y: Tensor, x: Tensor, *, axis: int) -> tuple[Tensor]:
    return (flip(cumsum(flip(g, axis=(axis,)), axis=axis), axis=(axis,)),)


def _cumprod_grad(g: Tensor, y: Tensor, x: Tensor, *, axis: int) -> tuple[Tensor]:
    """Of `x_j`: the sum over `i >= j` of `g_i y_i / x_j`. At the first zero, the products without it take their
    place; after it all products are zero, whatever the elements there."""

    def back(products: Tensor) -> Tensor:
        return flip(cumsum(flip(mul(g, conj_(products)), axis=(axis,)), axis=axis), axis=(axis,))

    zero = eq(x, 0)
    first = logical_and(zero, eq(cumsum(cast(zero, dtype="int32"), axis=axis), 1))
    without = cumprod(where(first, 1, x), axis=axis)
    ratio = div(back(cumprod(x, axis=axis)), conj_(where(zero, 1, x)))
    return (where(first, back(without), where(zero, 0, ratio)),)


cumsum: Bind = primitive("cumsum", lambda x, *, axis: _same(x), _cumsum_grad)
cumprod: Bind = primitive("cumprod", lambda x, *, axis: _same(x), _cumprod_grad)

# ---- shapes --------------------------------------------------------------------------------------


def _reshape_rule(x: Tensor, *, shape: tuple[int, ...]) -> Tensor:
    return new_abstract(rules.reshaped(x._shape, shape), x._dtype)


def _transpose_rule(x: Tensor, *, axes: tuple[int, ...]) -> Tensor:
    return new_abstract(tuple(x._shape[i] for i in axes), x._dtype)


def _transpose_grad(g: Tensor, y: Tensor, x: Tensor, *, axes: tuple[int, ...]) -> tuple[Tensor]:
    return (transpose(g, axes=tuple(axes.index(i) for i in range(len(axes)))),)


def _broadcast_rule(x: Tensor, *, shape: tuple[int, ...]) -> Tensor:
    spread = rules.broadcast_two(x._shape, tuple(shape)) if len(x._shape) <= len(shape) else None
    if spread is None or builtins_any(rules.differ(a, b) for a, b in zip(spread, shape, strict=True)):
        raise ArgumentError("shape", expected=f"a shape that {x._shape} can be broadcast to", got=shape)
    return new_abstract(tuple(shape), x._dtype)


def _concatenate_rule(xs: tuple[Tensor, ...], *, axis: int) -> Tensor:
    return new_abstract(rules.concatenated([x._shape for x in xs], axis), xs[0]._dtype)


def _concatenate_grad(g: Tensor, y: Tensor, xs: tuple[Tensor, ...], *, axis: int) -> tuple[Any]:
    pieces, start, shape = [], 0, shape_of(g)
    for x in xs:
        stop = start + shape_of(x)[axis]
        starts = tuple(start if i == axis else 0 for i in range(len(shape)))
        limits = tuple(stop if i == axis else d for i, d in enumerate(shape))
        pieces.append(slice(g, starts=starts, limits=limits, strides=(1,) * len(shape)))
        start = stop
    return (tuple(pieces),)


def _pad_rule(x: Tensor, *, pads: tuple[tuple[int, int], ...], value: float) -> Tensor:
    return new_abstract(tuple(d + lo + hi for d, (lo, hi) in zip(x._shape, pads, strict=True)), x._dtype)


def _pad_grad(
    g: Tensor, y: Tensor, x: Tensor, *, pads: tuple[tuple[int, int], ...], value: float
) -> tuple[Tensor]:
    starts = tuple(lo for lo, _ in pads)
    limits = tuple(lo + d for (lo, _), d in zip(pads, shape_of(x), strict=True))
    return (slice(g, starts=starts, limits=limits, strides=(1,) * len(pads)),)


def _slice_rule(x: Tensor, *, starts: Any, limits: Any, strides: Any) -> Tensor:
    return new_abstract(rules.sliced(x._shape, starts, limits, strides), x._dtype)


def _slice_grad(g: Tensor, y: Tensor, x: Tensor, *, starts: Any, limits: Any, strides: Any) -> tuple[Tensor]:
    shape, sizes = shape_of(x), shape_of(g)
    if 0 in sizes:
        return (zeros_of(x),)
    for axis, step in enumerate(strides):
        if step > 1:
            g = dilate(g, axis=axis, step=step)
    spans = tuple((n - 1) * s + 1 for n, s in zip(sizes, strides, strict=True))
    pads = tuple((a, d - a - n) for a, d, n in zip(starts, shape, spans, strict=True))
    return (pad(g, pads=pads, value=0),)


def dilate(x: Tensor, axis: int, step: int) -> Tensor:
    """Puts `step - 1` zeros between neighbours along an axis."""
    shape = shape_of(x)
    n = shape[axis]
    wide = reshape(x, shape=(*shape[: axis + 1], 1, *shape[axis + 1 :]))
    pads = tuple((0, step - 1) if i == axis + 1 else (0, 0) for i in range(len(shape) + 1))
    flat = reshape(pad(wide, pads=pads, value=0), shape=(*shape[:axis], n * step, *shape[axis + 1 :]))
    limits = tuple((n - 1) * step + 1 if i == axis else d for i, d in enumerate(shape))
    return slice(flat, starts=(0,) * len(shape), limits=limits, strides=(1,) * len(shape))


reshape: Bind = primitive(
    "reshape", _reshape_rule, lambda g, y, x, *, shape: (reshape(g, shape=shape_of(x)),)
)
transpose: Bind = primitive("transpose", _transpose_rule, _transpose_grad)
_broadcast: Bind = primitive("broadcast_to", _broadcast_rule, lambda g, y, x, *, shape: (unbroadcast(g, x),))


def broadcast_to(x: Tensor, *, shape: tuple[Any, ...]) -> Tensor:
    return _broadcast(_without_values(x, shape), shape=shape)


def _without_values(x: Tensor, sizes: tuple[Any, ...]) -> Tensor:
    """In an abstract run, what would get a size that stands for an unknown one must not be made."""
    if STATE.abstract and builtins_any(type(d) is int and d >= rules.UNKNOWN for d in sizes):
        return abstract(x)
    return x


concatenate: Bind = primitive("concatenate", _concatenate_rule, _concatenate_grad)
_pad: Bind = primitive("pad", _pad_rule, _pad_grad)


def pad(x: Tensor, *, pads: tuple[tuple[int, int], ...], value: float) -> Tensor:
    """With a constant."""
    return _pad(_without_values(x, tuple(n for pair in pads for n in pair)), pads=pads, value=value)


slice: Bind = primitive("slice", _slice_rule, _slice_grad)  # 0 <= start <= limit <= size, strides > 0
flip: Bind = primitive("flip", lambda x, *, axis: _same(x), lambda g, y, x, *, axis: (flip(g, axis=axis),))


def _dynamic_slice_rule(x: Tensor, starts: Tensor, *, sizes: tuple[int, ...]) -> Tensor:
    if starts._shape != (len(x._shape),) or len(sizes) != len(x._shape):
        raise ArgumentError(
            "start_indices", expected=f"{len(x._shape)} integers, one for each dimension", got=starts
        )
    if builtins_any(n > d for n, d in zip(sizes, x._shape, strict=True)):
        raise ArgumentError("shape", expected=f"at most the shape of the input {x._shape}", got=sizes)
    return new_abstract(tuple(sizes), x._dtype)


def _dynamic_slice_grad(g: Tensor, y: Tensor, x: Tensor, starts: Tensor, *, sizes: Any) -> tuple[Any, Any]:
    return dynamic_update_slice(zeros_of(x), g, starts), None


def _update_grad(g: Tensor, y: Tensor, x: Tensor, update: Tensor, starts: Tensor) -> tuple[Any, Any, Any]:
    sizes = shape_of(update)
    return dynamic_update_slice(g, zeros_of(update), starts), dynamic_slice(g, starts, sizes=sizes), None


def builtins_any(items: Any) -> bool:
    """Python's own `any`; in this file the name is the reduction."""
    return True in (bool(i) for i in items)


# Starts are clamped so that the slice lies inside the tensor.
dynamic_slice: Bind = primitive("dynamic_slice", _dynamic_slice_rule, _dynamic_slice_grad)
dynamic_update_slice: Bind = primitive(
    "dynamic_update_slice", lambda x, update, starts: _same(x), _update_grad
)

# ---- indices -------------------------------------------------------------------------------------
# Indices are int32 or int64 and in range: the ops see to that.


def _take_rule(x: Tensor, indices: Tensor, *, axis: int) -> Tensor:
    return new_abstract(x._shape[:axis] + indices._shape + x._shape[axis + 1 :], x._dtype)


def _take_grad(g: Tensor, y: Tensor, x: Tensor, indices: Tensor, *, axis: int) -> tuple[Tensor, None]:
    shape, n = shape_of(x), len(shape_of(indices))
    front = tuple(range(axis, axis + n)) + tuple(range(axis)) + tuple(range(axis + n, len(shape) - 1 + n))
    rows = transpose(g, axes=front)
    count = math.prod(shape_of(indices))
    rest = shape[:axis] + shape[axis + 1 :]
    target = zeros_of(transpose(x, axes=(axis, *range(axis), *range(axis + 1, len(shape)))))
    flat = reshape(indices, shape=(count, 1))
    summed = scatter(target, flat, reshape(rows, shape=(count, *rest)), mode="add")
    return transpose(summed, axes=(*range(1, axis + 1), 0, *range(axis + 1, len(shape)))), None


def _along_rule(x: Tensor, indices: Tensor, *, axis: int) -> Tensor:
    return new_abstract(indices._shape, x._dtype)


def _along_grad(g: Tensor, y: Tensor, x: Tensor, indices: Tensor, *, axis: int) -> tuple[Tensor, None]:
    return put_along_axis(zeros_of(x), indices, g, axis=axis), None


def _gather_rule(x: Tensor, indices: Tensor) -> Tensor:
    depth = indices._shape[-1]
    return new_abstract(indices._shape[:-1] + x._shape[depth:], x._dtype)


def _gather_grad(g: Tensor, y: Tensor, x: Tensor, indices: Tensor) -> tuple[Tensor, None]:
    depth = shape_of(indices)[-1]
    count = math.prod(shape_of(indices)[:-1])
    rows = reshape(g, shape=(count, *shape_of(x)[depth:]))
    return scatter(zeros_of(x), reshape(indices, shape=(count, depth)), rows, mode="add"), None


def _last_updates(x: Tensor, indices: Tensor) -> Tensor:
    """Which updates are the last ones of their place."""
    depth = shape_of(indices)[-1]
    rest = tuple(range(depth, len(shape_of(x))))
    places = any(ne(x, x), axis=rest, keepdims=False) if rest else ne(x, x)
    row = reshape(
        slice(indices, starts=(0, 0), limits=(shape_of(indices)[0], 1), strides=(1, 1)),
        shape=shape_of(indices)[:1],
    )
    order = cumsum(cast(eq(row, row), dtype="int32"), axis=0)
    last = scatter(mul(cast(places, dtype="int32"), 0), indices, order, mode="max")
    return eq(gather_nd(last, indices), order)


def _scatter_grad(
    g: Tensor, y: Tensor, x: Tensor, indices: Tensor, updates: Tensor, *, mode: str
) -> tuple[Any, ...]:
    picked = gather_nd(g, indices)
    if mode == "add":
        return g, None, picked
    if mode == "set":  # of several updates of one place, the last one stays
        last = _last_updates(x, indices)
        picked = where(
            reshape(last, shape=(shape_of(last)[0], *(1,) * (len(shape_of(updates)) - 1))), picked, 0
        )
        return scatter(g, indices, zeros_of(updates), mode="set"), None, picked
    if mode == "mul":
        ones = add(mul(x, 0), 1)
        zero = eq(updates, 0)
        zeros = gather_nd(scatter(mul(ones, 0), indices, cast(zero, dtype=dtype_of(x)), mode="add"), indices)
        others = gather_nd(scatter(ones, indices, where(zero, 1, updates), mode="mul"), indices)
        others = where(
            zero, where(eq(zeros, 1), others, 0), where(eq(zeros, 0), div(others, where(zero, 1, updates)), 0)
        )
        all_ = scatter(ones, indices, updates, mode="mul")
        return mul(g, conj_(all_)), None, mul(picked, conj_(mul(others, gather_nd(x, indices))))
    won = cast(eq(y, x), dtype=dtype_of(g))  # max and min: those that hold the result share it
    hits = cast(eq(gather_nd(y, indices), updates), dtype=dtype_of(g))
    count = scatter(won, indices, hits, mode="add")
    return div(mul(g, won), count), None, div(mul(picked, hits), gather_nd(count, indices))


def _added_up(grad: Callable[..., Any]) -> Callable[..., Any]:
    """A derivative that is a sum for each element of `x`: in float32 for half precision."""

    def wide(g: Tensor, y: Tensor, x: Tensor, indices: Tensor, **params: Any) -> tuple[Tensor, None]:
        name = dtype_of(x)
        if name not in _HALVES:
            return grad(g, y, x, indices, **params)
        total, _ = grad(cast(g, dtype="float32"), y, cast(x, dtype="float32"), indices, **params)
        return cast(total, dtype=name), None

    return wide


take: Bind = primitive("take", _take_rule, _added_up(_take_grad))
# Weighted sums of elements along an axis: `taps` is a `Taps`.
interpolate: Bind = primitive(
    "interpolate",
    lambda x, *, taps, axis: new_abstract((*x._shape[:axis], taps.new, *x._shape[axis + 1 :]), x._dtype),
    lambda g, y, x, *, taps, axis: (interpolate(g, taps=taps.turned, axis=axis),),
)
take_along_axis: Bind = primitive("take_along_axis", _along_rule, _added_up(_along_grad))
# Adds `updates` to `x` at the places that take_along_axis would read.
put_along_axis: Bind = primitive(
    "put_along_axis",
    lambda x, indices, updates, *, axis: _same(x),
    lambda g, y, x, indices, updates, *, axis: (g, None, take_along_axis(g, indices, axis=axis)),
)
gather_nd: Bind = primitive("gather_nd", _gather_rule, _added_up(_gather_grad))  # indices (..., depth)
# indices (n, depth); updates (n, rest); mode add, set (the last wins), max, min or mul
scatter: Bind = primitive("scatter", lambda x, indices, updates, *, mode: _same(x), _scatter_grad)


def _sort_grad(g: Tensor, y: Tensor, x: Tensor, *, axis: int) -> tuple[Tensor]:
    return (put_along_axis(zeros_of(x), argsort(x, axis=axis), g, axis=axis),)


def _top_k_rule(x: Tensor, *, k: int) -> tuple[Tensor, Tensor]:
    shape = (*x._shape[:-1], k)
    return new_abstract(shape, x._dtype), new_abstract(shape, "int32")


def _top_k_grad(g: Any, y: Any, x: Tensor, *, k: int) -> tuple[Tensor]:
    return (put_along_axis(zeros_of(x), y[1], g[0], axis=len(shape_of(x)) - 1),)


sort: Bind = primitive("sort", lambda x, *, axis: _same(x), _sort_grad)  # stable; NaN last
argsort: Bind = primitive("argsort", lambda x, *, axis: new_abstract(x._shape, "int32"))  # stable; NaN last
top_k: Bind = primitive("top_k", _top_k_rule, _top_k_grad)  # largest first; of equals the first index
searchsorted: Bind = primitive("searchsorted", lambda x, v, *, side: new_abstract(v._shape, "int32"))

# ---- products ------------------------------------------------------------------------------------


def _swap(x: Tensor) -> Tensor:
    n = len(shape_of(x))
    return conj_(transpose(x, axes=(*range(n - 2), n - 1, n - 2)))


def _matmul_grad(g: Tensor, y: Tensor, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
    a, b = shape_of(x1), shape_of(x2)
    left = reshape(x1, shape=(1, *a)) if len(a) == 1 else x1
    right = reshape(x2, shape=(*b, 1)) if len(b) == 1 else x2
    if len(b) == 1:
        g = reshape(g, shape=(*shape_of(g), 1))
    if len(a) == 1:
        g = reshape(g, shape=(*shape_of(g)[:-1], 1, shape_of(g)[-1]))
    dleft, dright = unbroadcast(matmul(g, _swap(right)), left), unbroadcast(matmul(_swap(left), g), right)
    return reshape(dleft, shape=a), reshape(dright, shape=b)


def _einsum_rule(*xs: Tensor, equation: str) -> Tensor:
    return new_abstract(rules.einsum_shape(equation, [x._shape for x in xs]), xs[0]._dtype)


def _einsum_grad(g: Tensor, y: Tensor, *xs: Tensor, equation: str) -> tuple[Tensor, ...]:
    """The cotangent of an operand is an einsum of `g` and the other operands."""
    terms, result = rules.parse_einsum(equation, tuple(len(shape_of(x)) for x in xs))
    sizes = {
        c: d
        for term, x in zip(terms, xs, strict=True)
        for c, d in zip(term, shape_of(x), strict=True)
        if d != 1
    }
    grads = []
    for i, (term, x) in enumerate(zip(terms, xs, strict=True)):
        others = [t for j, t in enumerate(terms) if j != i]
        rest = [conj_(v) for j, v in enumerate(xs) if j != i]
        unique = "".join(dict.fromkeys(term))
        known = "".join(c for c in unique if c in result or builtins_any(c in t for t in others))
        part = (
            einsum(g, *rest, equation=f"{','.join([result, *others])}->{known}")
            if rest or result != known
            else g
        )
        missing = tuple(sizes.get(c, 1) if c in unique and c not in known else 0 for c in unique)
        kept = iter(shape_of(part))
        part = reshape(part, shape=tuple(1 if m else next(kept) for m in missing))
        part = broadcast_to(part, shape=tuple(m or d for m, d in zip(missing, shape_of(part), strict=True)))
        grads.append(unbroadcast(_diagonal_back(part, unique, term, x), x))
    return tuple(grads)


def _diagonal_back(part: Tensor, unique: str, term: str, x: Tensor) -> Tensor:
    """A repeated letter read a diagonal: puts the cotangent back on it."""
    if unique == term:
        return part
    shape = shape_of(x)
    for i, c in enumerate(term):
        if c in term[:i]:
            first = term.index(c)
            n = shape[i]
            mask = eq(_index(x, shape, first), _index(x, shape, i))
            spread = tuple(j for j in range(len(shape)) if j != i)
            part = reshape(
                part, shape=tuple(shape_of(part)[spread.index(j)] if j != i else 1 for j in range(len(shape)))
            )
            part = where(
                mask,
                broadcast_to(
                    part, shape=tuple(n if j == i else shape_of(part)[j] for j in range(len(shape)))
                ),
                0,
            )
    return part


def _index(x: Tensor, shape: tuple[int, ...], axis: int) -> Tensor:
    """0, 1, 2 … along an axis, as a tensor of the domain of `x`."""
    ones = add(mul(cast(ne(x, x), dtype="int32"), 0), 1)
    return sub(cumsum(ones, axis=axis), 1)


matmul: Bind = primitive(
    "matmul", lambda x1, x2: new_abstract(rules.matmul_shape(x1._shape, x2._shape), x1._dtype), _matmul_grad
)
einsum: Bind = primitive("einsum", _einsum_rule, _einsum_grad)

# Whose derivative is a choice: at ties, at zero, where a slope is infinite. Engines with another rule follow these.
# (Of `interpolate` it is a matter of speed: engines would add up what was read, one element after the other.)
CHOSEN = (
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "asin", "acos", "acosh", "atanh", "sinh",
    "cosh", "erfinv", "lgamma", "div", "pow", "atan2", "maximum", "minimum", "max", "min", "prod", "cumprod",
    "remainder", "interpolate",
)  # fmt: skip
