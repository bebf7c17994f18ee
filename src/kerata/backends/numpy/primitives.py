"""Every primitive in NumPy: the living definition, which the other engines are compared with."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from kerata.backends.tables import implementing, interpolation
from kerata.core import dtypes

from . import decompositions, special, windows

Array = np.ndarray
TABLE: dict[str, Callable[..., Any]] = {}


implements = implementing(TABLE)


def _quiet(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Without NumPy's warnings: NaN and inf are values, here as on every engine."""

    def quiet(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            return fn(*args)

    return quiet


def _wide(x: Array) -> Array:
    """Half precision is computed in float32, as every engine's CPU kernels do."""
    return x.astype(np.float32) if x.dtype.itemsize <= 2 and dtypes.is_float(x.dtype) else x


def _power(x1: Any, x2: Any) -> Any:
    """NumPy takes the square root for 0.5, of which that of -inf is NaN and that of -0.0 is -0.0."""
    if type(x2) is float and x2 == 0.5 and x1.dtype.kind == "f":
        return np.sqrt(np.where(x1 == -np.inf, x1.dtype.type(np.inf), x1)) + x1.dtype.type(0)
    return np.power(x1, x2)


for _name, _fn in {
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2, "log10": np.log10,
    "log1p": np.log1p, "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin,
    "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "neg": np.negative, "abs": np.abs,
    "floor": np.floor, "ceil": np.ceil, "round": np.rint, "trunc": np.trunc, "bitwise_not": np.invert,
    "logical_not": np.logical_not, "isnan": np.isnan, "isinf": np.isinf, "isfinite": np.isfinite,
    "real": np.real, "imag": np.imag, "conj": np.conj, "add": np.add, "sub": np.subtract, "mul": np.multiply,
    "pow": _power, "maximum": np.maximum, "minimum": np.minimum, "atan2": np.arctan2,
    "nextafter": np.nextafter, "bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or,
    "bitwise_xor": np.bitwise_xor, "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal,
    "gt": np.greater, "ge": np.greater_equal, "logical_and": np.logical_and, "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
}.items():  # fmt: skip
    TABLE[_name] = _quiet(cast(Any, _fn))


@implements("sign")
def _(x: Array) -> Array:
    if dtypes.is_complex(x.dtype):  # x / |x|, and 0 at 0
        size = np.abs(x)
        return np.where(size == 0, 0, x / np.where(size == 0, 1, size)).astype(x.dtype)
    return np.sign(x)


@implements("div")
def _(x1: Any, x2: Any) -> Array:
    with np.errstate(all="ignore"):
        return np.true_divide(x1, x2)


@implements("rsqrt")
def _(x: Array) -> Array:
    with np.errstate(all="ignore"):
        return (1 / np.sqrt(_wide(x))).astype(x.dtype)


@implements("sigmoid")
def _(x: Array) -> Array:
    with np.errstate(all="ignore"):
        wide = _wide(x)
        z = np.exp(-np.abs(wide))  # no overflow on either side
        return (np.where(wide >= 0, 1, z) / (1 + z)).astype(x.dtype)


@implements("floor_divide")
def _(x1: Any, x2: Any) -> Array:
    with np.errstate(all="ignore"):
        out = np.floor_divide(x1, x2)
    return out


@implements("remainder")
def _(x1: Any, x2: Any) -> Array:
    with np.errstate(all="ignore"):
        return np.remainder(x1, x2)


@implements("complex")
def _(x1: Array, x2: Array) -> Array:
    out = np.empty(np.broadcast_shapes(x1.shape, x2.shape), dtypes.complex_for(dtypes.standardize(x1.dtype)))
    out.real, out.imag = x1, x2  # a product with 1j would make NaN of an infinite part
    return out


@implements("shift_left")
def _(x1: Any, x2: Any) -> Array:
    return np.left_shift(x1, x2)


@implements("shift_right")
def _(x1: Any, x2: Any) -> Array:
    return np.right_shift(x1, x2)


def _zeroed(x: Array, kept: Array, inverted: bool) -> Array:
    """`x` where `kept`, else 0, bit by bit: NumPy's own choice waits at each branch that it did not foresee, which
    takes nine times as long (8.0 against 0.9 ms for a million elements, dropped at random)."""
    words = np.dtype(f"i{x.dtype.itemsize}")
    mask = kept.astype(words)
    np.subtract(mask, 1, out=mask) if inverted else np.negative(mask, out=mask)
    return np.bitwise_and(mask, x.view(words), out=mask).view(x.dtype)


def _is_zero(x: Any) -> bool:
    return type(x) in (int, float) and x == 0 and math.copysign(1, x) > 0


def _can_be_zeroed(x: Any, condition: Any) -> bool:
    return (
        isinstance(x, np.ndarray) and x.size > 1024 and x.shape == condition.shape and x.dtype.itemsize <= 8
    )


@implements("where")
def _(condition: Array, x1: Any, x2: Any) -> Array:
    if _is_zero(x2) and _can_be_zeroed(x1, condition):
        return _zeroed(x1, condition, inverted=False)
    if _is_zero(x1) and _can_be_zeroed(x2, condition):
        return _zeroed(x2, condition, inverted=True)
    tensor = x1 if isinstance(x1, np.ndarray) else x2
    return np.where(condition, *(np.asarray(v, tensor.dtype) for v in (x1, x2)))


@implements("cast")
def _(x: Array, dtype: str) -> Array:
    target = dtypes.numpy_dtype(dtype)
    if x.dtype == target:
        return x
    with np.errstate(all="ignore"):
        if dtypes.is_complex(x.dtype) and not dtypes.is_complex(dtype) and dtype != "bool":
            x = x.real
        if dtypes.is_int(dtype) and dtypes.is_float(x.dtype):
            return _float_to_int(x, dtype, target)
        return x.astype(target)


def _float_to_int(x: Array, dtype: str, target: Any) -> Array:
    """Toward zero; NaN is 0 and what does not fit is the nearest limit."""
    info = np.iinfo(target)
    wide = np.trunc(x.astype(np.float64))
    out = np.where(
        wide >= float(info.max), 0, np.where(wide <= float(info.min), 0, np.nan_to_num(wide))
    ).astype(target)
    out = np.where(wide >= float(info.max), info.max, out)
    return np.where(wide <= float(info.min), info.min, out).astype(target)


@implements("bitcast")
def _(x: Array, dtype: str) -> Array:
    return np.ascontiguousarray(x).view(dtypes.numpy_dtype(dtype)).reshape(x.shape)


# ---- reductions ----------------------------------------------------------------------------------


def _reduction(fn: Callable[..., Any], wide: bool = False) -> Callable[..., Any]:
    def reduce(x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
        with np.errstate(all="ignore"):
            value = fn(_wide(x) if wide else x, axis=axis, keepdims=keepdims)
        return np.asarray(value)

    return reduce


def _innermost(x: Array) -> int:
    """The axis whose elements are next to each other in memory."""
    if x.flags.c_contiguous:
        return x.ndim - 1
    return min(range(x.ndim), key=lambda i: abs(x.strides[i]))


def _accumulation(fn: Callable[..., Any]) -> Callable[..., Any]:
    def reduce(x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
        with np.errstate(all="ignore"):
            wide = _wide(x)
            dtype = wide.dtype
            if dtype == np.float32 and _innermost(x) not in axis:
                # NumPy adds in pairs along the innermost axis only: 1e5 terms lose two digits.
                dtype = np.dtype(np.float64)
            return np.asarray(fn(wide, axis=axis, keepdims=keepdims, dtype=dtype)).astype(x.dtype, copy=False)

    return reduce


TABLE |= {
    "sum": _accumulation(np.sum),
    "prod": _accumulation(np.prod),
    "max": _reduction(np.max),
    "peak": _reduction(np.max),
    "min": _reduction(np.min),
    "any": _reduction(np.any),
    "all": _reduction(np.all),
}


@implements("argmax")
def _(x: Array, axis: int) -> Array:
    return np.argmax(_wide(x), axis=axis).astype(np.int32)


@implements("argmin")
def _(x: Array, axis: int) -> Array:
    return np.argmin(_wide(x), axis=axis).astype(np.int32)


@implements("cumsum")
def _(x: Array, axis: int) -> Array:
    return np.cumsum(_wide(x), axis=axis, dtype=_wide(x).dtype).astype(x.dtype)


@implements("cumprod")
def _(x: Array, axis: int) -> Array:
    return np.cumprod(_wide(x), axis=axis, dtype=_wide(x).dtype).astype(x.dtype)


# ---- shapes --------------------------------------------------------------------------------------


@implements("reshape")
def _(x: Array, shape: tuple[int, ...]) -> Array:
    return x.reshape(shape)


@implements("transpose")
def _(x: Array, axes: tuple[int, ...]) -> Array:
    return x.transpose(axes)


@implements("broadcast_to")
def _(x: Array, shape: tuple[int, ...]) -> Array:
    return np.broadcast_to(x, shape)


@implements("concatenate")
def _(xs: tuple[Array, ...], axis: int) -> Array:
    return np.concatenate(xs, axis)


@implements("pad")
def _(x: Array, pads: tuple[tuple[int, int], ...], value: float) -> Array:
    out = np.full([d + lo + hi for d, (lo, hi) in zip(x.shape, pads, strict=True)], value, x.dtype)
    out[tuple(np.s_[lo : lo + d] for d, (lo, _) in zip(x.shape, pads, strict=True))] = x
    return out


@implements("slice")
def _(x: Array, starts: Any, limits: Any, strides: Any) -> Array:
    return x[tuple(np.s_[a:b:c] for a, b, c in zip(starts, limits, strides, strict=True))]


@implements("flip")
def _(x: Array, axis: tuple[int, ...]) -> Array:
    return np.flip(x, axis)


def _window(x: Array, starts: Array, sizes: tuple[int, ...]) -> tuple[Any, ...]:
    places = [min(max(int(s), 0), d - n) for s, d, n in zip(starts, x.shape, sizes, strict=True)]
    return tuple(np.s_[a : a + n] for a, n in zip(places, sizes, strict=True))


@implements("dynamic_slice")
def _(x: Array, starts: Array, sizes: tuple[int, ...]) -> Array:
    return x[_window(x, starts, sizes)].copy()


@implements("dynamic_update_slice")
def _(x: Array, update: Array, starts: Array) -> Array:
    out = x.copy()
    out[_window(x, starts, update.shape)] = update
    return out


# ---- indices -------------------------------------------------------------------------------------


@implements("take")
def _(x: Array, indices: Array, axis: int) -> Array:
    return np.take(x, indices, axis)


@implements("take_along_axis")
def _(x: Array, indices: Array, axis: int) -> Array:
    return np.take_along_axis(x, indices, axis)


def _places(indices: Array, axis: int) -> tuple[Any, ...]:
    grid = list(np.ogrid[tuple(np.s_[:d] for d in indices.shape)])
    grid[axis] = indices
    return tuple(grid)


@implements("put_along_axis")
def _(x: Array, indices: Array, updates: Array, axis: int) -> Array:
    out = x.copy()
    np.add.at(out, _places(indices, axis), updates)
    return out


@implements("gather_nd")
def _(x: Array, indices: Array) -> Array:
    return (
        x[tuple(np.moveaxis(indices, -1, 0))]
        if indices.shape[-1]
        else np.broadcast_to(x, indices.shape[:-1] + x.shape)
    )


@implements("scatter")
def _(x: Array, indices: Array, updates: Array, mode: str) -> Array:
    out = x.copy()
    where = tuple(indices.T) if indices.shape[-1] else (Ellipsis,)
    if mode == "set":
        out[where] = updates
        return out
    if (
        mode == "add"
        and out.ndim == 2
        and indices.shape[-1] == 1
        and dtypes.is_float(x.dtype)
        and len(updates)
    ):
        return _scatter_rows(out, indices[:, 0], updates)
    ufunc = {"add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}[mode]
    with np.errstate(all="ignore"):
        ufunc.at(out, where, updates)
    return out


def _scatter_rows(out: Array, rows: Array, updates: Array) -> Array:
    """Adds rows sorted by place with one `reduceat`: much faster than `add.at` on wide rows."""
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    out[ordered[starts]] += np.add.reduceat(updates[order], starts, axis=0)
    return out


@implements("sort")
def _(x: Array, axis: int) -> Array:
    return np.sort(_wide(x), axis=axis, kind="stable").astype(x.dtype, copy=False)


@implements("argsort")
def _(x: Array, axis: int) -> Array:
    return np.argsort(_wide(x), axis=axis, kind="stable").astype(np.int32)


@implements("top_k")
def _(x: Array, k: int) -> tuple[Array, Array]:
    backwards = np.flip(_wide(x), -1)  # a stable ascending sort of the mirror image: first of equals last
    order = x.shape[-1] - 1 - np.flip(np.argsort(backwards, axis=-1, kind="stable"), -1)[..., :k]
    return np.take_along_axis(x, order, -1), order.astype(np.int32)


@implements("searchsorted")
def _(x: Array, v: Array, side: str) -> Array:
    return np.searchsorted(_wide(x), _wide(v), side=side).astype(np.int32)  # type: ignore[call-overload]


# ---- products ------------------------------------------------------------------------------------


@implements("matmul")
def _(x1: Array, x2: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(np.matmul(_wide(x1), _wide(x2))).astype(x1.dtype, copy=False)


@implements("einsum")
def _(*xs: Array, equation: str) -> Array:
    with np.errstate(all="ignore"):
        out = np.einsum(equation, *map(_wide, xs), optimize=len(xs) > 1)
    return np.asarray(out).astype(xs[0].dtype, copy=False)


def _if_finite(x: Array, usual: Callable[[], Array], other: Callable[[], Array]) -> Array:
    return usual() if np.isfinite(x.sum()) else other()


TABLE["interpolate"] = windows.quiet(
    interpolation(TABLE["take"], lambda v, x: v.astype(x.dtype), np.sum, TABLE["einsum"], _if_finite)
)


# ---- special functions: NumPy has none, and SciPy is not required ----------------------------------


def _special(name: str) -> Callable[[Array], Array]:
    def call(x: Array) -> Array:
        with np.errstate(all="ignore"):
            return getattr(special, name)(x.astype(np.float64)).astype(x.dtype)

    return call


for _name in ("erf", "erfc", "erfinv", "lgamma", "digamma"):
    TABLE[_name] = _special(_name)


def _same_dtype(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Python scalars as bfloat16 or float8 beside such arrays: NumPy would promote to float32."""
    if len(args) == 2:
        x1, x2 = args
        if isinstance(x1, np.ndarray):
            if x1.dtype.kind == "V" and type(x2) in (int, float):
                return x1, x1.dtype.type(x2)
        elif isinstance(x2, np.ndarray) and x2.dtype.kind == "V" and type(x1) in (int, float):
            return x2.dtype.type(x1), x2
    return args


def _array(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Zero-dimensional results as arrays: NumPy gives scalars of a class of their own."""

    def call(*args: Any, **params: Any) -> Any:
        out = fn(*_same_dtype(args), **params)
        return np.asarray(out) if isinstance(out, np.generic) else out

    return call


TABLE |= decompositions.TABLE
TABLE |= windows.TABLE
TABLE.update({name: _array(fn) for name, fn in TABLE.items() if name != "top_k"})
