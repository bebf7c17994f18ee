"""The primitives on JAX, mostly `jax.lax`, whose functions never promote.

With the user's x64 flag off, whatever makes a constant of a 64-bit dtype must run inside
`jax.enable_x64(True)`; `guarded` does that for calls whose tensors have 64 bits.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from kerata.backends.tables import alternatives, gathers_in_float32, implementing, interpolation
from kerata.core import dtypes
from kerata.core.state import STATE

from . import decompositions, derivatives, windows
from .derivatives import ruled
from .nans import nan_wins

Array = Any
TABLE: dict[str, Callable[..., Any]] = {}
_WIDE = frozenset(map(np.dtype, ("int64", "uint64", "float64", "complex128")))
_SCALARS = (bool, int, float, complex)


implements = implementing(TABLE)


def guarded(
    fn: Callable[..., Any], concrete: type | None = None, traced: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    """Runs `fn` with 64-bit types allowed where one of its tensors has 64 bits (a choice between two: the second).

    Where `fn` is for tensors of the class `concrete` alone, `traced` runs instead as soon as one is traced.
    """

    def call(*args: Any, **params: Any) -> Any:
        wide = False
        for x in args[0] if type(args[0]) is tuple else args:
            if type(x) is not concrete and traced is not None and isinstance(x, jax.core.Tracer):
                return traced(*args, **params)
            wide = wide or getattr(x, "dtype", None) in _WIDE
        if wide and not jax.config.jax_enable_x64:
            with jax.enable_x64(True):
                return fn(*args, **params)
        return fn(*args, **params)

    return call


INDEXED = ("take", "take_along_axis", "put_along_axis", "gather_nd", "scatter")


def narrowed(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Runs `fn` with indices of 32 bits: derivatives are made later, where 64 bits may not be allowed."""

    def call(x: Any, indices: Any, *rest: Any, **params: Any) -> Any:
        if is_wide(indices) and max(x.shape, default=0) < 1 << 31:
            with jax.enable_x64(True):
                indices = lax.convert_element_type(jnp.clip(indices, -(1 << 31), (1 << 31) - 1), np.int32)
        return fn(x, indices, *rest, **params)

    return call


def is_wide(x: Any) -> bool:
    return getattr(x, "dtype", None) in _WIDE


# ---- elementwise ---------------------------------------------------------------------------------


def _weak(x: Any) -> bool:
    """A Python scalar, also one that became an argument of a compiled primitive."""
    return isinstance(x, _SCALARS) or x.weak_type


def _aligned(*xs: Any) -> list[Any]:
    """All in the tensors' dtype and broadcast to one shape."""
    dtype = next((x.dtype for x in xs if not _weak(x)), None) or next(
        x.dtype for x in xs if not isinstance(x, _SCALARS)
    )
    shape = np.broadcast_shapes(*(() if isinstance(x, _SCALARS) else x.shape for x in xs))
    out = []
    for x in xs:
        if isinstance(x, _SCALARS):
            x = np.asarray(x, dtype)
        elif x.dtype != dtype:
            x = lax.convert_element_type(x, dtype)
        out.append(x if x.shape == shape else _broadcast(x, shape))
    return out


def _adds_up(x: Any) -> bool:
    """Whether a derivative may be asked for that is a sum, of a dtype in which sums are too inexact."""
    return isinstance(x, jax.core.Tracer) and STATE.backward > 0 and _half(x)


def _broadcast(x: Any, shape: tuple[int, ...]) -> Any:
    if _adds_up(x):
        wide = _spread(lax.convert_element_type(x, np.float32), shape)
        return lax.convert_element_type(wide, x.dtype)
    return _spread(x, shape)


def _spread(x: Any, shape: tuple[int, ...]) -> Any:
    lead = len(shape) - x.ndim
    squeezed = [i for i, d in enumerate(x.shape) if d == 1 and shape[lead + i] != 1]
    if squeezed:
        x = lax.squeeze(x, squeezed)
    kept = [lead + i for i in range(len(shape) - lead) if i not in squeezed]
    return lax.broadcast_in_dim(x, shape, kept)


def _pairwise(fn: Callable[..., Any]) -> Callable[..., Any]:
    def call(x1: Any, x2: Any) -> Any:
        return fn(*_aligned(x1, x2))

    return call


TABLE |= {
    "exp": lax.exp, "expm1": lax.expm1, "log": lax.log, "log1p": lax.log1p, "sqrt": lax.sqrt,
    "rsqrt": lax.rsqrt, "sin": lax.sin, "cos": lax.cos, "tan": lax.tan, "asin": lax.asin, "acos": lax.acos,
    "atan": lax.atan, "sinh": lax.sinh, "cosh": lax.cosh, "tanh": lax.tanh, "asinh": lax.asinh,
    "acosh": lax.acosh, "atanh": lax.atanh, "erf": lax.erf, "erfc": lax.erfc, "erfinv": lax.erf_inv,
    "lgamma": lax.lgamma, "digamma": lax.digamma, "neg": lax.neg, "sign": lax.sign,
    "bitwise_not": lax.bitwise_not, "conj": lax.conj, "imag": jnp.imag, "real": jnp.real,
    "isfinite": jnp.isfinite, "isnan": jnp.isnan, "isinf": jnp.isinf, "logical_not": jnp.logical_not,
    "log2": jnp.log2, "log10": jnp.log10, "trunc": jnp.trunc,
}  # fmt: skip
TABLE |= {
    name: _pairwise(fn)
    for name, fn in {
        "add": lax.add, "sub": lax.sub, "mul": lax.mul, "pow": lax.pow, "maximum": lax.max, "minimum": lax.min,
        "atan2": lax.atan2, "nextafter": lax.nextafter, "bitwise_and": lax.bitwise_and,
        "bitwise_or": lax.bitwise_or, "bitwise_xor": lax.bitwise_xor, "eq": lax.eq, "ne": lax.ne, "lt": lax.lt,
        "le": lax.le, "gt": lax.gt, "ge": lax.ge, "logical_and": jnp.logical_and, "logical_or": jnp.logical_or,
        "logical_xor": jnp.logical_xor, "complex": lax.complex, "floor_divide": jnp.floor_divide,
        "remainder": jnp.remainder, "shift_left": jnp.left_shift, "shift_right": jnp.right_shift,
        "div": jnp.true_divide,
    }.items()
}  # fmt: skip


_of_complex = alternatives(TABLE, lambda x: x.dtype.kind == "c")


@_of_complex("sinh")
def _(z: Any) -> Array:
    """`-i sin(i z)`: that of JAX is a difference of exponentials, which has no digits left for small numbers."""
    y = lax.sin(lax.complex(-lax.imag(z), lax.real(z)))
    return lax.complex(lax.imag(y), -lax.real(y))


@_of_complex("cosh")
def _(z: Any) -> Array:
    return lax.cos(lax.complex(-lax.imag(z), lax.real(z)))


@_of_complex("rsqrt")
def _(z: Any) -> Array:
    return lax.div(lax.full_like(z, 1), TABLE["sqrt"](z))


def _reflected(name: str, part: Callable[[Any], Any], image: Callable[[Any], Any]) -> None:
    """Makes `f(z) = image(f(image(z)))` where a part of `z` is negative: JAX takes -0.0 for 0.0 on branch cuts."""
    fn = TABLE[name]

    @_of_complex(name)
    def _(z: Any) -> Array:
        other = jnp.signbit(part(z))
        y = fn(lax.select(other, image(z), z))
        return lax.select(other, image(y), y)


for _name in ("sqrt", "asin", "acos", "acosh", "atanh"):
    _reflected(_name, lax.imag, lax.conj)
for _name in ("atan", "asinh"):
    _reflected(_name, lax.real, lax.neg)


@implements("abs")
def _(x: Any) -> Array:
    """With derivative 0 at 0; that of `lax.abs` is 1 there."""
    return lax.mul(x, lax.sign(x)) if jnp.issubdtype(x.dtype, jnp.floating) else lax.abs(x)


def _exact(fn: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Rounding leaves integers as they are; lax knows it for floats only."""
    return lambda x: fn(x) if jnp.issubdtype(x.dtype, jnp.floating) else x


TABLE["floor"] = _exact(lax.floor)
TABLE["ceil"] = _exact(lax.ceil)
TABLE["round"] = _exact(lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN))


@implements("pow")
def _(x1: Any, x2: Any) -> Array:
    if isinstance(x2, int) and not isinstance(x1, _SCALARS):
        return (
            lax.integer_pow(x1, x2) if x2 >= 0 or jnp.issubdtype(x1.dtype, jnp.inexact) else jnp.power(x1, x2)
        )
    if isinstance(x2, float) and x2.is_integer() and abs(x2) <= 8:
        return lax.integer_pow(x1, int(x2))
    x1, x2 = _aligned(x1, x2)
    if jnp.issubdtype(x1.dtype, jnp.integer):
        return _integer_power(x1, x2)
    if jnp.issubdtype(x1.dtype, jnp.complexfloating):
        return _complex_power(x1, x2)
    return jnp.power(x1, x2)


def _complex_power(x1: Any, x2: Any) -> Array:
    """`exp(x2 log x1)`: the power of JAX squares the modulus, which runs over. Of 0, what NumPy gives."""
    zero, one, none = (lax.full_like(x1, v) for v in (0, 1, complex(math.nan, math.nan)))
    at_zero = lax.select(lax.gt(lax.real(x2), 0.0), zero, lax.select(lax.eq(x2, zero), one, none))
    nothing = lax.eq(x1, zero)
    return lax.select(nothing, at_zero, lax.exp(lax.mul(x2, lax.log(lax.select(nothing, one, x1)))))


def _integer_power(x: Any, n: Any) -> Array:
    """By squaring, for all bits of the exponent: `jnp.power` looks at the lowest six."""
    one = lax.full_like(x, 1)

    def step(_: Any, state: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        product, square, left = state
        odd = lax.ne(lax.bitwise_and(left, one), lax.full_like(x, 0))
        factor = lax.select(odd, square, one)
        return lax.mul(product, factor), lax.mul(square, square), lax.shift_right_logical(left, one)

    return lax.fori_loop(0, 8 * x.dtype.itemsize, step, (one, x, n))[0]


def _half(x: Any) -> bool:
    return x.dtype in (np.float16, jnp.bfloat16)


def _in_float32(fn: Callable[[Any], Array]) -> Callable[[Any], Array]:
    """Of halves: XLA takes `lax.logistic` apart, and rounds at each step; slopes told from rounded values are lost."""

    def call(x: Any) -> Array:
        if _half(x):
            return lax.convert_element_type(fn(lax.convert_element_type(x, np.float32)), x.dtype)
        return fn(x)

    return call


TABLE["sigmoid"], TABLE["tanh"] = _in_float32(lax.logistic), _in_float32(lax.tanh)


@implements("exp2")
def _(x: Any) -> Array:
    """Of the fraction, then the exponent's bits: `lax.exp2` is `exp(x * log(2))`, which loses digits of large `x`."""
    wide = lax.convert_element_type(x, np.float32) if _half(x) else x
    bits, bias, digits = (np.int64, 1023, 52) if wide.dtype == np.float64 else (np.int32, 127, 23)
    # Twice the largest exponent and more is infinite; the bits of either half must not run over.
    near = lax.stop_gradient(lax.clamp(-2.0 * bias, wide, 2.0 * bias + 2))
    whole = lax.round(near, lax.RoundingMethod.TO_NEAREST_EVEN)
    n = lax.convert_element_type(whole, bits)
    half = lax.shift_right_arithmetic(n, lax.full_like(n, 1))

    def power_of_two(k: Any) -> Any:
        shifted = lax.shift_left(lax.add(k, lax.full_like(k, bias)), lax.full_like(k, digits))
        return lax.bitcast_convert_type(shifted, wide.dtype)

    rest = lax.clamp(-1.0, lax.sub(wide, whole), 1.0)
    part = lax.exp(lax.mul(rest, lax.full_like(wide, math.log(2))))
    y = lax.mul(lax.mul(part, power_of_two(half)), power_of_two(lax.sub(n, half)))
    return lax.convert_element_type(y, x.dtype)


@implements("where")
def _(condition: Any, x1: Any, x2: Any) -> Array:
    x1, x2 = _aligned(x1, x2)
    shape = np.broadcast_shapes(condition.shape, x1.shape)
    return lax.select(*(x if x.shape == shape else _broadcast(x, shape) for x in (condition, x1, x2)))


def cast(x: Any, dtype: str) -> Array:
    target = dtypes.numpy_dtype(dtype)
    if x.dtype == target:
        return x
    wide = (target in _WIDE or is_wide(x)) and not jax.config.jax_enable_x64
    if wide:
        with jax.enable_x64(True):
            return _cast(x, target, dtype)
    return _cast(x, target, dtype)


def _cast(x: Any, target: Any, dtype: str) -> Array:
    if jnp.issubdtype(x.dtype, jnp.complexfloating) and not dtypes.is_complex(dtype):
        x = lax.ne(x, lax.full_like(x, 0)) if dtype == "bool" else lax.real(x)
    if dtype == "bool" and x.dtype != np.bool_:
        return lax.ne(x, lax.full_like(x, 0))
    if x.dtype == np.bool_ and target.kind not in "iu" and isinstance(x, jax.core.Tracer):
        # Of a converted bool times x XLA makes x or 0, also where 0 times x is NaN.
        return lax.select(x, lax.full(x.shape, 1, target), lax.full(x.shape, 0, target))
    return lax.convert_element_type(x, target)  # floats become integers toward zero, within limits; NaN 0


TABLE["cast"] = cast


@implements("bitcast")
def _(x: Any, dtype: str) -> Array:
    return lax.bitcast_convert_type(x, dtypes.numpy_dtype(dtype))


# ---- reductions ----------------------------------------------------------------------------------


def _kept(out: Any, x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    return lax.expand_dims(out, axis) if keepdims else out


@implements("sum")
def _(x: Any, axis: tuple[int, ...], keepdims: bool) -> Array:
    if _half(x):
        return _kept(
            lax.convert_element_type(lax.reduce_sum(lax.convert_element_type(x, np.float32), axis), x.dtype),
            x,
            axis,
            keepdims,
        )
    return _kept(lax.reduce_sum(x, axis), x, axis, keepdims)


@implements("prod")
def _(x: Any, axis: tuple[int, ...], keepdims: bool) -> Array:
    return _kept(lax.reduce_prod(x, axis), x, axis, keepdims)


@implements("peak")
def _(x: Any, axis: tuple[int, ...], keepdims: bool) -> Array:
    return _kept(lax.reduce_max(x, axis), x, axis, keepdims)


def _extreme(reduce: Callable[..., Array]) -> Callable[..., Array]:
    @functools.partial(jax.jit, static_argnums=1, inline=True)
    def over(x: Array, axis: tuple[int, ...]) -> Array:
        return nan_wins(lambda x: reduce(x, axis), x, lambda found: lax.reduce_or(found, axis))

    return lambda x, axis, keepdims: _kept(over(x, axis), x, axis, keepdims)


TABLE["max"], TABLE["min"] = _extreme(lax.reduce_max), _extreme(lax.reduce_min)


@implements("any")
def _(x: Any, axis: tuple[int, ...], keepdims: bool) -> Array:
    return _kept(
        lax.reduce_or(x if x.dtype == np.bool_ else lax.ne(x, lax.full_like(x, 0)), axis), x, axis, keepdims
    )


@implements("all")
def _(x: Any, axis: tuple[int, ...], keepdims: bool) -> Array:
    return _kept(
        lax.reduce_and(x if x.dtype == np.bool_ else lax.ne(x, lax.full_like(x, 0)), axis), x, axis, keepdims
    )


def _ordered(x: Any) -> Any:
    return x if x.dtype != np.bool_ else lax.convert_element_type(x, np.uint8)


@implements("argmax")
def _(x: Any, axis: int) -> Array:
    return lax.argmax(_ordered(x), axis, np.int32)


@implements("argmin")
def _(x: Any, axis: int) -> Array:
    return lax.argmin(_ordered(x), axis, np.int32)


@implements("cumsum")
def _(x: Any, axis: int) -> Array:
    return lax.cumsum(x, axis)


@implements("cumprod")
def _(x: Any, axis: int) -> Array:
    return lax.cumprod(x, axis)


# ---- shapes --------------------------------------------------------------------------------------


@implements("reshape")
def _(x: Any, shape: tuple[int, ...]) -> Array:
    return lax.reshape(x, shape) if -1 not in shape else jnp.reshape(x, shape)


@implements("transpose")
def _(x: Any, axes: tuple[int, ...]) -> Array:
    return lax.transpose(x, axes)


@implements("broadcast_to")
def _(x: Any, shape: tuple[int, ...]) -> Array:
    return x if x.shape == tuple(shape) else _broadcast(x, tuple(shape))


@implements("concatenate")
def _(xs: tuple[Any, ...], axis: int) -> Array:
    return lax.concatenate(xs, axis)


@implements("pad")
def _(x: Any, pads: tuple[tuple[int, int], ...], value: float) -> Array:
    return lax.pad(x, lax.full((), np.asarray(value, x.dtype)), [(lo, hi, 0) for lo, hi in pads])


@implements("slice")
def _(x: Any, starts: Any, limits: Any, strides: Any) -> Array:
    return lax.slice(x, starts, limits, strides)


@implements("flip")
def _(x: Any, axis: tuple[int, ...]) -> Array:
    return lax.rev(x, axis)


@implements("dynamic_slice")
def _(x: Any, places: Any, sizes: tuple[int, ...]) -> Array:
    places = lax.convert_element_type(places, np.int32)
    return lax.dynamic_slice(x, [places[i] for i in range(x.ndim)], sizes)


@implements("dynamic_update_slice")
def _(x: Any, update: Any, places: Any) -> Array:
    places = lax.max(lax.convert_element_type(places, np.int32), np.int32(0))  # JAX would count from the end
    return lax.dynamic_update_slice(x, update, [places[i] for i in range(x.ndim)])


# ---- indices -------------------------------------------------------------------------------------


@implements("take")
def _(x: Any, indices: Any, axis: int) -> Array:
    if 0 in indices.shape:  # of nothing from an empty axis, `jnp.take` forgets the shape of the indices
        nothing = lax.slice_in_dim(x, 0, 0, axis=axis)
        return nothing.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    return jnp.take(x, indices, axis=axis, mode="clip")


@implements("take_along_axis")
def _(x: Any, indices: Any, axis: int) -> Array:
    return jnp.take_along_axis(x, indices, axis=axis, mode="clip")


@implements("put_along_axis")
def _(x: Any, indices: Any, updates: Any, axis: int) -> Array:
    grid = [lax.broadcasted_iota(np.int32, indices.shape, i) for i in range(indices.ndim)]
    grid[axis] = indices
    return x.at[tuple(grid)].add(updates, mode="promise_in_bounds")


def _columns(indices: Any) -> tuple[Any, ...]:
    return tuple(indices[..., i] for i in range(indices.shape[-1]))


@implements("gather_nd")
def _(x: Any, indices: Any) -> Array:
    return (
        x.at[_columns(indices)].get(mode="clip")
        if indices.shape[-1]
        else _broadcast(x, indices.shape[:-1] + x.shape)
    )


def _scatter(x: Any, indices: Any, updates: Any, mode: str) -> Array:
    place = x.at[_columns(indices)]
    method = {"add": place.add, "max": place.max, "min": place.min, "mul": place.multiply}[mode]
    return method(updates)


_scatter_by_rule = ruled("scatter", _scatter)


@implements("scatter")
def _(x: Any, indices: Any, updates: Any, mode: str) -> Array:
    if mode == "set":
        return _last_wins(x, indices, updates)
    return (_scatter if mode == "add" else _scatter_by_rule)(x, indices, updates, mode=mode)


def _last_wins(x: Any, indices: Any, updates: Any) -> Array:
    """Of several updates of one place the last stays; XLA's own order is undefined."""
    depth = indices.shape[-1]
    sizes, rest = x.shape[:depth], x.shape[depth:]
    if not len(indices) or math.prod(x.shape) == 0:
        return x
    flat = jnp.zeros(len(indices), np.int32)
    for i, d in enumerate(sizes):
        flat = flat * np.int32(d) + indices[:, i].astype(np.int32)
    order = lax.iota(np.int32, len(indices))
    last = jnp.full((math.prod(sizes),), -1, np.int32).at[flat].max(order)
    table, values = x.reshape(math.prod(sizes), -1), updates.reshape(len(indices), -1)
    picked = jnp.take(values, jnp.maximum(last, 0), axis=0, mode="clip")
    return jnp.where((last >= 0)[:, None], picked, table).reshape(*sizes, *rest)


@implements("sort")
def _(x: Any, axis: int) -> Array:
    return lax.sort(x, dimension=axis, is_stable=True)


@implements("argsort")
def _(x: Any, axis: int) -> Array:
    places = lax.broadcasted_iota(np.int32, x.shape, axis)
    return lax.sort((_ordered(x), places), dimension=axis, is_stable=True, num_keys=1)[1]


@implements("top_k")
def _(x: Any, k: int) -> tuple[Array, Array]:
    if not jnp.issubdtype(x.dtype, jnp.floating):
        values, indices = lax.top_k(_ordered(x), k)
        return values.astype(x.dtype), indices.astype(np.int32)
    # For lax, -0 is below 0 and NaN with a sign below all.
    key = lax.stop_gradient(
        jnp.where(jnp.isnan(x), jnp.asarray(math.nan, x.dtype), jnp.where(x == 0, jnp.zeros((), x.dtype), x))
    )
    places = lax.top_k(key, k)[1].astype(np.int32)
    return jnp.take_along_axis(x, places, axis=-1, mode="clip"), places


@implements("searchsorted")
def _(x: Any, v: Any, side: str) -> Array:
    return jnp.searchsorted(x, v, side=side).astype(np.int32)


@implements("matmul")
def _(x1: Any, x2: Any) -> Array:
    return jnp.matmul(x1, x2, precision=None)


@implements("einsum")
def _(*xs: Any, equation: str) -> Array:
    return jnp.einsum(equation, *xs)


TABLE["interpolate"] = interpolation(
    TABLE["take"],
    lambda v, x: v.astype(x.dtype),
    jnp.sum,
    TABLE["einsum"],
    lambda x, usual, other: lax.cond(jnp.isfinite(jnp.sum(x)), usual, other),
    cost=10,  # it is one loop for all taps
)
gathers_in_float32(TABLE, _adds_up)
TABLE |= decompositions.TABLE
TABLE |= windows.TABLE
derivatives.declare(TABLE)
