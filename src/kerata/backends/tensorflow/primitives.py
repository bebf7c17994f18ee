"""The primitives on TensorFlow: a table, then the irregular ones with the reason."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

from kerata.backends.tables import alternatives, gathers_in_float32, implementing, interpolation
from kerata.core import dtypes
from kerata.core.state import STATE

from . import decompositions, derivatives, indices, products, windows
from .many_axes import (
    AT_ONCE,
    BROADCASTING,
    MOST,
    MOST_BROADCAST,
    axis_by_axis,
    broadcast_to,
    of_many_axes,
    or_else,
    where,
)  # fmt: skip
from .products import half

Tensor = Any
with tf.init_scope():  # the engine may be loaded while a user's function is traced
    EAGER = type(tf.constant(0))
TABLE: dict[str, Callable[..., Any]] = {
    "exp": tf.math.exp, "expm1": tf.math.expm1, "log": tf.math.log, "log1p": tf.math.log1p, "sqrt": tf.math.sqrt,
    "rsqrt": tf.math.rsqrt, "sin": tf.math.sin, "cos": tf.math.cos, "tan": tf.math.tan, "asin": tf.math.asin,
    "acos": tf.math.acos, "atan": tf.math.atan, "sinh": tf.math.sinh, "cosh": tf.math.cosh,
    "tanh": tf.math.tanh, "asinh": tf.math.asinh, "acosh": tf.math.acosh, "atanh": tf.math.atanh,
    "sigmoid": tf.math.sigmoid, "erfc": tf.math.erfc, "lgamma": tf.math.lgamma,
    "digamma": tf.math.digamma, "floor": tf.math.floor,
    "ceil": tf.math.ceil, "round": tf.math.round, "bitwise_not": tf.bitwise.invert, "real": tf.math.real,
    "imag": tf.math.imag, "conj": tf.math.conj, "complex": tf.complex, "add": tf.math.add,
    "sub": tf.math.subtract, "mul": tf.math.multiply, "eq": tf.math.equal,
    "ne": tf.math.not_equal, "lt": tf.math.less, "le": tf.math.less_equal, "gt": tf.math.greater,
    "ge": tf.math.greater_equal, "atan2": tf.math.atan2, "nextafter": tf.math.nextafter,
    "bitwise_and": tf.bitwise.bitwise_and, "bitwise_or": tf.bitwise.bitwise_or,
    "bitwise_xor": tf.bitwise.bitwise_xor, "remainder": tf.math.floormod,
}  # fmt: skip


implements = implementing(TABLE)
_of_halves = alternatives(TABLE, half)


def native(dtype: str) -> tf.DType:
    return tf.as_dtype(dtypes.numpy_dtype(dtype)) if dtype != "string" else tf.string


def _pair(x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    """A Python scalar as a tensor of the other's dtype."""
    if not tf.is_tensor(x1):
        return tf.constant(_signed(x1, x2.dtype), x2.dtype), x2
    return x1, x2 if tf.is_tensor(x2) else tf.constant(_signed(x2, x1.dtype), x1.dtype)


def _signed(x: Any, dtype: tf.DType) -> Any:
    """A number as it is, but -0.0 in an array: TensorFlow keeps the tensors of numbers, and would give that of 0.0."""
    if type(x) is float and x == 0 and math.copysign(1.0, x) < 0:
        return np.negative(np.zeros((), dtype.as_numpy_dtype))
    return x


def _either(fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def call(x1: Any, x2: Any) -> Tensor:
        return fn(*_pair(x1, x2))

    return call


for _name in (
    "add", "sub", "mul", "eq", "ne", "lt", "le", "gt", "ge", "atan2", "remainder",
    "bitwise_and", "bitwise_or", "bitwise_xor",
):  # fmt: skip
    TABLE[_name] = _either(TABLE[_name])


@implements("abs")
def _(x: Tensor) -> Tensor:
    return tf.math.abs(x) if not x.dtype.is_unsigned else x


@implements("neg")
def _(x: Tensor) -> Tensor:
    """TensorFlow's optimizer of graphs makes a negation of `0 - x`, for which unsigned integers have no kernel."""
    return tf.bitwise.invert(x) + tf.ones((), x.dtype) if x.dtype.is_unsigned else tf.math.negative(x)


@implements("sign")
def _(x: Tensor) -> Tensor:
    return tf.cast(x != tf.zeros((), x.dtype), x.dtype) if x.dtype.is_unsigned else tf.math.sign(x)


# Slopes that are told from rounded values are lost.
SATURATING = {"sigmoid": tf.math.sigmoid, "tanh": tf.math.tanh}
for _name, _fn in SATURATING.items():
    _of_halves(_name)((lambda fn: lambda x: tf.cast(fn(tf.cast(x, tf.float32)), x.dtype))(_fn))


@implements("erf")
def _(x: Tensor) -> Tensor:
    """In float64 TensorFlow gives NaN for infinite and very large numbers; from 6 on it is 1 anyway."""
    if x.dtype == tf.float64:  # no `clip_by_value`, which has no derivative at NaN
        x = where(tf.abs(x) > 30.0, 30.0 * tf.sign(x), x)
    return tf.math.erf(x)


@implements("div")
def _(x1: Any, x2: Any) -> Tensor:
    x1, x2 = _pair(x1, x2)
    return _complex_quotient(x1, x2) if x1.dtype.is_complex else tf.math.truediv(x1, x2)


def _complex_quotient(x1: Tensor, x2: Tensor) -> Tensor:
    """R. L. Smith, Communications of the ACM 5 (1962): TensorFlow gives NaN for a divisor that is 0 or infinite."""
    a, b, c, d = tf.math.real(x1), tf.math.imag(x1), tf.math.real(x2), tf.math.imag(x2)
    swap, none = tf.abs(c) < tf.abs(d), x2 == 0
    large, small = where(swap, d, c), where(swap, c, d)
    ratio = small / where(none, tf.ones_like(large), large)
    total = large + small * ratio
    re = where(swap, a * ratio + b, a + b * ratio) / total
    im = where(swap, b * ratio - a, b - a * ratio) / total
    zero = tf.abs(c)
    return tf.complex(where(none, a / zero, re), where(none, b / zero, im))


_of_complex = alternatives(TABLE, lambda x: x.dtype.is_complex)


@_of_complex("log")
def _(z: Tensor) -> Tensor:
    """That of TensorFlow squares the modulus: it is NaN for large and small numbers, and inexact near 1."""
    size = tf.math.log(tf.math.abs(tf.cast(z, tf.complex128)))
    angle = tf.math.angle(z)
    return tf.complex(tf.cast(size, angle.dtype), angle)


@_of_complex("sqrt")
def _(z: Tensor) -> Tensor:
    """In 128 bits, where the square of the modulus does not run over."""
    return tf.cast(tf.math.sqrt(tf.cast(z, tf.complex128)), z.dtype)


@_of_complex("rsqrt")
def _(z: Tensor) -> Tensor:
    return _complex_quotient(tf.ones((), z.dtype), TABLE["sqrt"](z))


@implements("floor_divide")
def _(x1: Any, x2: Any) -> Tensor:
    """From the exact remainder, as in NumPy: TensorFlow's rounded quotient may be one too large."""
    x1, x2 = _pair(x1, x2)
    if not x1.dtype.is_floating:
        return tf.math.floordiv(x1, x2)
    if half(x1):
        return tf.cast(TABLE["floor_divide"](tf.cast(x1, tf.float32), tf.cast(x2, tf.float32)), x1.dtype)
    rest = tf.truncatemod(x1, x2)
    whole = tf.math.round((x1 - rest) / x2)
    below = (rest != 0) & ((rest < 0) != (x2 < 0))
    return tf.stop_gradient(where(x2 == 0, x1 / x2, whole - tf.cast(below, x1.dtype)))


def _inside(x: Tensor, count: Tensor) -> Tensor:
    return (count >= tf.zeros((), count.dtype)) & (count < tf.constant(8 * x.dtype.size, count.dtype))


@implements("shift_left")
def _(x1: Any, x2: Any) -> Tensor:
    """No bit is left after as many places as there are; TensorFlow stops one place before."""
    x1, x2 = _pair(x1, x2)
    inside, zero = _inside(x1, x2), tf.zeros((), x1.dtype)
    return where(inside, tf.bitwise.left_shift(x1, where(inside, x2, zero)), zero)


@implements("shift_right")
def _(x1: Any, x2: Any) -> Tensor:
    x1, x2 = _pair(x1, x2)
    inside, zero = _inside(x1, x2), tf.zeros((), x1.dtype)
    most = tf.constant(8 * x1.dtype.size - 1, x1.dtype)
    if x1.dtype.is_unsigned:
        return where(inside, tf.bitwise.right_shift(x1, where(inside, x2, zero)), zero)
    return tf.bitwise.right_shift(x1, where(inside, x2, most))


@implements("nextafter")
def _(x1: Any, x2: Any) -> Tensor:
    """Of half precision by its bits; TensorFlow knows it for float32 and float64 only."""
    x1, x2 = _pair(x1, x2)
    if not half(x1):
        return tf.math.nextafter(x1, x2)
    bits, one = tf.bitcast(x1, tf.int16), tf.constant(1, tf.int16)
    away = (x2 > x1) == (x1 > 0)
    stepped = where(away, bits + one, bits - one)
    smallest = where(x2 > 0, one, tf.constant(-32767, tf.int16))
    stepped = where(x1 == 0, smallest, stepped)
    found = where(x1 == x2, x2, tf.bitcast(stepped, x1.dtype))
    return where(tf.math.is_nan(x1) | tf.math.is_nan(x2), tf.constant(math.nan, x1.dtype), found)


@implements("erfinv")
def _(x: Tensor) -> Tensor:
    """TensorFlow's CPU has no kernel for half precision, and near 1 none of the digits that it has near -1."""
    wide = tf.cast(x, tf.float32) if x.dtype.size < 4 else x
    left = tf.math.erfinv(-tf.math.abs(wide))
    return tf.cast(where(wide > 0, -left, left), x.dtype)


@implements("exp2")
def _(x: Tensor) -> Tensor:
    return tf.math.pow(tf.constant(2, x.dtype), x)


@implements("log2")
def _(x: Tensor) -> Tensor:
    return _exact_log(x, 2.0)


@implements("log10")
def _(x: Tensor) -> Tensor:
    return _exact_log(x, 10.0)


def _exact_log(x: Tensor, base: float) -> Tensor:
    """In float64, so that powers of the base give whole numbers."""
    if x.dtype.is_complex:
        return tf.math.log(x) / tf.constant(math.log(base), x.dtype)
    x64 = tf.cast(x, tf.float64)
    wide = tf.math.log(x64) / math.log(base)
    whole = tf.math.round(wide)
    power = (tf.math.pow(tf.constant(base, tf.float64), whole) == x64) & tf.math.is_finite(wide)
    return tf.cast(wide + tf.stop_gradient(where(power, whole - wide, 0.0)), x.dtype)


@implements("trunc")
def _(x: Tensor) -> Tensor:
    return where(x < 0, tf.math.ceil(x), tf.math.floor(x)) if x.dtype.is_floating else x


for _name in ("floor", "ceil", "round"):
    TABLE[_name] = (lambda fn: lambda x: fn(x) if x.dtype.is_floating else x)(TABLE[_name])


@implements("logical_not")
def _(x: Tensor) -> Tensor:
    return tf.math.logical_not(_as_bool(x))


@implements("isnan")
def _(x: Tensor) -> Tensor:
    if x.dtype.is_complex:
        return tf.math.is_nan(tf.math.real(x)) | tf.math.is_nan(tf.math.imag(x))
    return tf.math.is_nan(x) if x.dtype.is_floating else tf.zeros_like(x, tf.bool)


@implements("isinf")
def _(x: Tensor) -> Tensor:
    if x.dtype.is_complex:
        return tf.math.is_inf(tf.math.real(x)) | tf.math.is_inf(tf.math.imag(x))
    return tf.math.is_inf(x) if x.dtype.is_floating else tf.zeros_like(x, tf.bool)


@implements("isfinite")
def _(x: Tensor) -> Tensor:
    if x.dtype.is_complex:
        return tf.math.is_finite(tf.math.real(x)) & tf.math.is_finite(tf.math.imag(x))
    return tf.math.is_finite(x) if x.dtype.is_floating else tf.ones_like(x, tf.bool)


def _as_bool(x: Any) -> Tensor:
    return x if x.dtype == tf.bool else tf.math.not_equal(x, tf.zeros((), x.dtype))


for _name, _fn in {"and": tf.math.logical_and, "or": tf.math.logical_or, "xor": tf.math.logical_xor}.items():
    TABLE[f"logical_{_name}"] = (lambda fn: lambda a, b: fn(*map(_as_bool, _pair(a, b))))(_fn)


def _root(x: Tensor) -> Tensor:
    """The power 0.5. Inside functions TensorFlow takes the square root, of which that of -inf is NaN and that of -0.0
    is -0.0."""
    unsigned = (x == tf.zeros((), x.dtype)) | (x == tf.constant(-math.inf, x.dtype))
    return tf.math.sqrt(where(unsigned, tf.abs(x), x))


@implements("pow")
def _(x1: Any, x2: Any) -> Tensor:
    if type(x2) is float and x2 in (0.5, -0.5) and x1.dtype.is_floating:
        root = _root(x1) if not STATE.vectorising else derivatives.as_power(_root, x1)
        return root if x2 > 0 else 1 / root
    x1, x2 = _pair(x1, x2)
    if x1.dtype.is_unsigned:
        return _unsigned_power(x1, x2)
    y = tf.math.pow(x1, x2)
    if not x1.dtype.is_complex:
        return y
    # TensorFlow: 0j ** 0 is NaN, and 0j ** -1 is half infinite.
    y = where((x1 == 0) & (tf.math.real(x2) <= 0), tf.constant(complex(math.nan, math.nan), y.dtype), y)
    return where(x2 == 0, tf.ones_like(y), y)


def _unsigned_power(x1: Tensor, x2: Tensor) -> Tensor:
    """TensorFlow has powers of signed integers only: half the exponent, which has no sign, and squared."""
    signed = {1: tf.int8, 2: tf.int16, 4: tf.int32, 8: tf.int64}[x1.dtype.size]
    one = tf.constant(1, x1.dtype)
    half = tf.bitcast(tf.bitwise.right_shift(x2, one), signed)
    root = tf.math.pow(tf.bitcast(x1, signed), half)
    odd = tf.bitwise.bitwise_and(x2, one) == one
    return tf.bitcast(root * root, x1.dtype) * where(odd, x1, one)


def _keeping_nan(fn: Callable[..., Tensor], compare: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A maximum or minimum of floats. On CPUs XLA loses a NaN in the first argument of its own, where it is called by
    TensorFlow."""

    def call(x1: Tensor, x2: Tensor) -> Tensor:
        if type(x1) is EAGER is type(x2) or not GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()):
            return fn(x1, x2)
        return where(compare(x1, x2) | tf.math.is_nan(x1), x1, x2)

    return call


def _chosen(
    fn: Callable[..., Tensor], compare: Callable[..., Tensor], of_bools: Callable[..., Tensor]
) -> Callable[..., Tensor]:
    of_floats = _keeping_nan(fn, compare)

    def call(x1: Any, x2: Any) -> Tensor:
        x1, x2 = _pair(x1, x2)
        if x1.dtype == tf.bool:
            return of_bools(x1, x2)
        return of_floats(x1, x2) if x1.dtype.is_floating else fn(x1, x2)

    return call


TABLE["maximum"] = _chosen(tf.math.maximum, tf.math.greater_equal, tf.math.logical_or)
TABLE["minimum"] = _chosen(tf.math.minimum, tf.math.less_equal, tf.math.logical_and)


@implements("where")
def _(condition: Tensor, x1: Any, x2: Any) -> Tensor:
    return where(condition, *_pair(x1, x2))


@implements("cast")
def _(x: Tensor, dtype: str) -> Tensor:
    target = native(dtype)
    if x.dtype == target:
        return x
    if x.dtype.size == 1 and x.dtype.is_floating:  # float8 goes to other floats only, and comes from them
        followed = getattr(x, "_in_float32", None)
        x = tf.cast(x, tf.float32) if followed is None else followed
    if target == tf.bool:
        return _as_bool(x)
    if target.size == 1 and target.is_floating:
        return _followed(x if x.dtype.is_floating else TABLE["cast"](x, "float32"), target)
    if x.dtype.is_complex and not target.is_complex:
        x = tf.math.real(x)
    if target.is_integer and x.dtype.is_floating:
        return _float_to_int(x, target)
    return tf.cast(x, target)


def _followed(x: Tensor, target: tf.DType) -> Tensor:
    """A tensor of 8-bit floats. TensorFlow's tapes do not follow those: where a derivative may be wanted, the same
    numbers in float32, which they do follow, go along with it."""

    @tf.custom_gradient
    def rounded(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        y = tf.cast(tf.cast(x, target), tf.float32)
        return y, lambda g: tf.cast(tf.cast(tf.cast(g, target), tf.float32), x.dtype)

    y = tf.cast(x, target)
    if derivatives.wanted():
        y._in_float32 = rounded(x)
    return y


def _float_to_int(x: Tensor, target: tf.DType) -> Tensor:
    """Toward zero; NaN is 0 and what does not fit is the nearest limit (TensorFlow leaves that open)."""
    wide = tf.cast(x, tf.float64)
    low, high = target.min, target.max
    inside = (wide < float(high)) & (wide > float(low))
    out = tf.cast(where(inside, wide, tf.zeros_like(wide)), target)
    out = where(wide >= float(high), tf.constant(high, target), out)
    return where(wide <= float(low), tf.constant(low, target), out)


@implements("bitcast")
def _(x: Tensor, dtype: str) -> Tensor:
    target = native(dtype)
    if dtypes.is_float8(x.dtype.name):  # which TensorFlow's own does not take, as argument or as result
        x = _bits_of_float8(x)
    if not dtypes.is_float8(dtype):
        return tf.bitcast(x, target)
    values = np.arange(256, dtype=np.uint8).view(dtypes.numpy_dtype(dtype)).astype(np.float32)
    return tf.cast(tf.gather(values, tf.cast(tf.bitcast(x, tf.uint8), tf.int32)), target)


def _bits_of_float8(x: Tensor) -> Tensor:
    """As uint8. float8_e5m2 is the upper half of float16; float8_e4m3fn has a bias of 7 and 3 bits after the point."""
    if x.dtype.name == "float8_e5m2":
        return tf.bitcast(tf.cast(x, tf.float16), tf.uint8)[..., 1]
    wide = tf.cast(x, tf.float32)
    size = tf.abs(wide)
    normal = tf.bitwise.right_shift(tf.bitcast(size, tf.int32), 20) - ((127 - 7) << 3)
    bits = where(size < 2.0**-6, tf.cast(size * 512.0, tf.int32), where(tf.math.is_nan(wide), 0x7F, normal))
    return tf.cast(bits + where(tf.bitcast(wide, tf.int32) < 0, 0x80, 0), tf.uint8)


# ---- reductions ----------------------------------------------------------------------------------


@implements("sum")
def _(x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    if not axis:
        return x
    if half(x):  # added up in float32, as elsewhere
        return tf.cast(tf.reduce_sum(tf.cast(x, tf.float32), axis, keepdims), x.dtype)
    return tf.reduce_sum(x, axis, keepdims)


@implements("prod")
def _(x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    return tf.reduce_prod(x, axis, keepdims) if axis else x


def _extreme(fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """NaN wins; TensorFlow's kernels skip it in some layouts."""

    def reduce(x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
        if not axis:
            return x
        if x.dtype == tf.bool:
            return (tf.reduce_any if fn is tf.reduce_max else tf.reduce_all)(x, axis, keepdims)
        out = fn(x, axis, keepdims)
        if x.dtype.is_floating:
            bad = tf.reduce_any(tf.math.is_nan(x), axis, keepdims)
            out = where(bad, tf.constant(math.nan, x.dtype), out)
        return out

    return reduce


TABLE["max"], TABLE["min"] = _extreme(tf.reduce_max), _extreme(tf.reduce_min)


@implements("peak")
def _(x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    return tf.reduce_max(x, axis, keepdims) if axis else x


@implements("any")
def _(x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    return tf.reduce_any(_as_bool(x), axis, keepdims)


@implements("all")
def _(x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    return tf.reduce_all(_as_bool(x), axis, keepdims)


def _ordered(x: Tensor) -> Tensor:
    return tf.cast(x, tf.uint8) if x.dtype == tf.bool else x


def _arg(fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def call(x: Tensor, axis: int) -> Tensor:
        if len(x.shape) > 7:  # of more axes there is no kernel
            sizes = tf.shape(x)
            line = tf.reshape(x, (tf.reduce_prod(sizes[:axis]), sizes[axis], -1))
            return tf.reshape(call(line, 1), tf.concat((sizes[:axis], sizes[axis + 1 :]), 0))
        x = _ordered(x)
        found = fn(x, axis, output_type=tf.int32)
        if x.dtype.is_floating:  # the first NaN wins; TensorFlow ignores it
            bad = tf.math.is_nan(x)
            first = tf.argmax(tf.cast(bad, tf.uint8), axis, output_type=tf.int32)
            found = where(tf.reduce_any(bad, axis), first, found)
        return found

    return call


TABLE["argmax"], TABLE["argmin"] = _arg(tf.argmax), _arg(tf.argmin)


@implements("cumsum")
def _(x: Tensor, axis: int) -> Tensor:
    return tf.math.cumsum(x, axis)


@implements("cumprod")
def _(x: Tensor, axis: int) -> Tensor:
    if STATE.vectorising and derivatives.wanted() and x.shape[axis] is not None:
        return derivatives.products(x, axis)
    return tf.math.cumprod(x, axis)


# ---- shapes --------------------------------------------------------------------------------------

TABLE["broadcast_to"] = broadcast_to


@implements("reshape")
def _(x: Tensor, shape: tuple[Any, ...]) -> Tensor:
    return tf.reshape(x, shape)


@implements("transpose")
def _(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    return tf.transpose(x, axes)


@implements("concatenate")
def _(xs: tuple[Tensor, ...], axis: int) -> Tensor:
    return tf.concat(xs, axis)


@implements("pad")
def _(x: Tensor, pads: tuple[tuple[int, int], ...], value: float) -> Tensor:
    if any(n < 0 for pair in pads for n in pair):  # a negative pad takes elements away
        x = x[tuple(slice(max(-lo, 0), d - max(-hi, 0)) for (lo, hi), d in zip(pads, x.shape, strict=True))]
        pads = tuple((max(lo, 0), max(hi, 0)) for lo, hi in pads)
    if x.dtype == tf.bool:
        return tf.cast(TABLE["pad"](tf.cast(x, tf.int8), pads, int(value)), tf.bool)
    value = tf.constant(value, x.dtype)
    if len(pads) > MOST:
        padded = [i for i, pair in enumerate(pads) if pair != (0, 0)]
        edges = ((0, 0),)
        return axis_by_axis(
            x, padded, lambda y, i: tf.pad(y, (*edges, pads[i], *edges), constant_values=value)
        )
    if len(pads) > MOST_BROADCAST:
        none = ((0, 0),)
        for start in range(0, len(pads) - AT_ONCE, AT_ONCE):
            stop = start + AT_ONCE
            x = tf.pad(x, none * start + pads[start:stop] + none * (len(pads) - stop), constant_values=value)
        pads = none * stop + pads[stop:]
    return tf.pad(x, pads, constant_values=value) if pads else x


@implements("slice")
def _(x: Tensor, starts: Any, limits: Any, strides: Any) -> Tensor:
    if len(starts) <= MOST:
        return tf.strided_slice(x, list(starts), list(limits), list(strides)) if starts else x
    cuts = [slice(*cut) for cut in zip(starts, limits, strides, strict=True)]
    cut_axes = [i for i, (d, cut) in enumerate(zip(x.shape, cuts, strict=True)) if cut != slice(0, d, 1)]
    return axis_by_axis(x, cut_axes, lambda y, i: y[:, cuts[i]])


@implements("flip")
def _(x: Tensor, axis: tuple[int, ...]) -> Tensor:
    if len(x.shape) > MOST:
        return axis_by_axis(x, axis, lambda y, i: tf.reverse(y, (1,)))
    return tf.reverse(x, axis) if axis else x


TABLE |= indices.TABLE
gathers_in_float32(
    TABLE,
    lambda x: half(x) and derivatives.wanted(),
    lambda x: tf.reshape(
        tf.cast(x, tf.float32), tf.shape(x)
    ),  # whose derivative adds up the rows of a gather's
)
TABLE |= products.TABLE
TABLE |= decompositions.TABLE
TABLE |= windows.TABLE
TABLE["interpolate"] = interpolation(
    TABLE["take"],
    lambda v, x: tf.constant(v, x.dtype),
    tf.reduce_sum,
    TABLE["einsum"],
    windows.if_finite,
    cost=100,  # short slices are gathered one by one
)

# Of floating tensors alone, the bare operations: the layers above them cost more than they do.
_BARE = {
    "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "rsqrt": "Rsqrt", "sin": "Sin", "cos": "Cos", "tanh": "Tanh",
    "sigmoid": "Sigmoid", "neg": "Neg", "floor": "Floor", "ceil": "Ceil", "add": "AddV2", "sub": "Sub", "mul": "Mul",
    "div": "RealDiv", "maximum": "Maximum", "minimum": "Minimum",
}  # fmt: skip

# Around them is only a check that arguments come by name.
_bare = {name: inspect.unwrap(getattr(tf.raw_ops, operation)) for name, operation in _BARE.items()}
FLOATING = dict(_bare)
FLOATING["maximum"] = _keeping_nan(FLOATING["maximum"], tf.math.greater_equal)
FLOATING["minimum"] = _keeping_nan(FLOATING["minimum"], tf.math.less_equal)

derivatives.declare(TABLE)
derivatives.declare(FLOATING)

for _name in BROADCASTING:
    TABLE[_name] = of_many_axes(TABLE[_name])
for _name in FLOATING.keys() & set(BROADCASTING):
    FLOATING[_name] = of_many_axes(FLOATING[_name])
EAGERLY = derivatives.unless_recorded(_bare, FLOATING, EAGER)
for _name in EAGERLY.keys() & set(BROADCASTING):
    EAGERLY[_name] = or_else(EAGERLY[_name], FLOATING[_name])
