"""Reductions that leave NaN out."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from kerata.core import dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values

from .core import cast
from .elementwise import real_only
from .reduction import any_empty, argmax, argmin, cumprod, cumsum, max, min, prod, sum, wide_dtype
from .statistics import nanquantile

TensorLike = Any
Tensor = Any
Axis = int | tuple[int, ...] | None
nan, inf = float("nan"), float("inf")

_HOLES = values([[1.0, nan, 3.0], [nan, 2.0, 5.0]])
_SAMPLES = (
    sample(T((2, 3))), sample(_HOLES, gradient=False), sample(_HOLES, axis=0, gradient=False),
    sample(_HOLES, axis=(0, 1), keepdims=True, gradient=False),
    sample(values([[nan, nan], [1.0, 2.0]]), axis=1, gradient=False), sample(T((3,), "int32"), gradient=False),
    sample(T((2, 3), "float64"), axis=-1),
    sample(values(1.0, nan, inf), gradient=False), sample(_HOLES.astype("float16"), gradient=False),
)  # fmt: skip
_REJECTS = (rejects(T((2, 3)), axis=2, argument="axis"),)
_ORDERED_REJECTS = (
    *_REJECTS,
    rejects(T((2,), "complex64"), argument="x"),
    rejects(T((2, 0)), axis=1, argument="x"),
)


def _quietly(fn: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return fn(*args, **kwargs)

    return run


def _holes(x: Tensor) -> Tensor | None:
    """Where NaN is; None where there cannot be any."""
    name = dtype_of(x)
    return p.ne(x, x) if dtypes.is_float(name) or dtypes.is_complex(name) else None


def _filled(x: Tensor, value: Any) -> Tensor:
    holes = _holes(x)
    return x if holes is None else p.where(holes, value, x)


@op(samples=_SAMPLES, rejects=_REJECTS, reference=np.nansum)
def nansum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum of the elements that are not NaN; 0 where there are none. Arguments as in `sum`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.nansum([1.0, float("nan")]))
        1.0
    """
    return sum(_filled(x, 0), axis, keepdims)


@op(samples=_SAMPLES, rejects=_REJECTS, reference=np.nanprod)
def nanprod(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product of the elements that are not NaN; 1 where there are none. Arguments as in `prod`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.nanprod([2.0, float("nan")]))
        2.0
    """
    return prod(_filled(x, 1), axis, keepdims)


_RUNNING = (
    sample(_HOLES, gradient=False),
    sample(_HOLES, 1, gradient=False),
    sample(T((2, 3)), axis=0),
    sample(T((3,), "int32")),
    sample(T((3,)), dtype="float64"),
    sample(_HOLES.astype("float16"), 1, gradient=False),
)


@op(samples=_RUNNING, rejects=_REJECTS, reference=np.nancumsum)
def nancumsum(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Running sums in which NaN counts as 0. Arguments as in `cumsum`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.nancumsum([1.0, float("nan"), 2.0]))
        array([1., 1., 3.], dtype=float32)
    """
    return cumsum(_filled(x, 0), axis, dtype)


@op(samples=_RUNNING, rejects=_REJECTS, reference=np.nancumprod)
def nancumprod(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Running products in which NaN counts as 1. Arguments as in `cumprod`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.nancumprod([2.0, float("nan"), 3.0]))
        array([2., 2., 6.], dtype=float32)
    """
    return cumprod(_filled(x, 1), axis, dtype)


# ---- means ---------------------------------------------------------------------------------------


def _mean(x: Tensor, valid: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    count = p.sum(cast(valid, dtype_of(x)), axis=axes, keepdims=keepdims)
    return p.div(p.sum(p.where(valid, x, 0), axis=axes, keepdims=keepdims), count)


def _variance(x: Any, axis: Axis, keepdims: bool) -> Tensor:
    wide = cast(x, wide_dtype(dtype_of(x)))
    axes, valid = rules.axes_tuple(axis, len(shape_of(x))), p.eq(wide, wide)
    distance = p.abs(p.sub(p.where(valid, wide, 0), _mean(wide, valid, axes, True)))
    return _mean(p.mul(distance, distance), valid, axes, bool(keepdims))


@op(samples=_SAMPLES, rejects=_REJECTS, reference=_quietly(np.nanmean))
def nanmean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean of the elements that are not NaN; NaN where there are none. Arguments as in `mean`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.nanmean([1.0, float("nan"), 3.0]))
        2.0
    """
    wide = cast(x, wide_dtype(dtype_of(x)))
    value = _mean(wide, p.eq(wide, wide), rules.axes_tuple(axis, len(shape_of(x))), bool(keepdims))
    return cast(value, dtypes.float_for(dtype_of(x)))


@op(samples=_SAMPLES, rejects=_REJECTS, reference=_quietly(np.nanvar))
def nanvar(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The variance of the elements that are not NaN; NaN where there are none. Arguments as in `var`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.nanvar([1.0, float("nan"), 3.0]))
        1.0
    """
    return cast(_variance(x, axis, keepdims), dtypes.real_of(dtypes.float_for(dtype_of(x))))


@op(samples=_SAMPLES, rejects=_REJECTS, reference=_quietly(np.nanstd))
def nanstd(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The standard deviation of the elements that are not NaN; NaN where there are none. Arguments as in `std`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.nanstd([1.0, float("nan"), 3.0]))
        1.0
    """
    return cast(p.sqrt(_variance(x, axis, keepdims)), dtypes.real_of(dtypes.float_for(dtype_of(x))))


@op(samples=_SAMPLES, rejects=_ORDERED_REJECTS, reference=_quietly(np.nanmedian))
def nanmedian(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The median of the elements that are not NaN; NaN where there are none. Arguments as in `median`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.nanmedian([1.0, float("nan"), 3.0]))
        2.0
    """
    return cast(nanquantile(x, 0.5, axis, "linear", keepdims), dtypes.float_for(dtype_of(x)))


# ---- extremes ------------------------------------------------------------------------------------


def _extreme(reduce: Callable[..., Tensor], worst: float, x: Any, axis: Axis, keepdims: bool) -> Tensor:
    holes = _holes(real_only(x))
    if holes is None:
        return reduce(x, axis, keepdims)
    axes = rules.axes_tuple(axis, len(shape_of(x)))
    value = reduce(p.where(holes, worst, x), axis, keepdims)
    return p.where(p.all(holes, axis=axes, keepdims=bool(keepdims)), nan, value)


@op(samples=_SAMPLES, rejects=_ORDERED_REJECTS, reference=_quietly(np.nanmax))
def nanmax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest of the elements that are not NaN; NaN where there are none. Arguments as in `max`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.nanmax([1.0, float("nan")]))
        1.0
    """
    return _extreme(max, -inf, x, axis, keepdims)


@op(samples=_SAMPLES, rejects=_ORDERED_REJECTS, reference=_quietly(np.nanmin))
def nanmin(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest of the elements that are not NaN; NaN where there are none. Arguments as in `min`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.nanmin([1.0, float("nan")]))
        1.0
    """
    return _extreme(min, inf, x, axis, keepdims)


def _place(find: Callable[..., Tensor], worst: float, x: Any, axis: int | None, keepdims: bool) -> Tensor:
    holes = _holes(real_only(x))
    if holes is None:
        return find(x, axis, keepdims)
    axes = rules.axes_tuple(axis, len(shape_of(x)))
    # Beside an infinity of the worst sort, NaN must not be the one that is found.
    usable = p.where(holes, worst, x)
    best = (p.max if worst < 0 else p.min)(usable, axis=axes, keepdims=True)
    hit = p.logical_and(p.eq(usable, best), p.logical_not(holes))
    found = argmax(hit, axis, keepdims)
    return p.where(p.all(holes, axis=axes, keepdims=bool(keepdims)), -1, found)


_PLACES = (
    sample(_HOLES), sample(_HOLES, axis=0), sample(_HOLES, 1, True), sample(values([[nan, nan], [nan, 2.0]]), 1),
    sample(T((3,), "int32")), sample(values(nan, -inf, inf)),
    sample(values([[nan, -inf], [nan, inf]]), 1),
)  # fmt: skip


@op(samples=_PLACES, rejects=_ORDERED_REJECTS, differentiable=False)
def nanargmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the largest of the elements that are not NaN is; -1 where there are none. Arguments as in `argmax`.

    Example:
        >>> import kerata
        >>> int(kerata.ops.nanargmax([float("nan"), 1.0]))
        1
    """
    _check_elements(x, axis)
    return _place(argmax, -inf, x, axis, keepdims)


@op(samples=_PLACES, rejects=_ORDERED_REJECTS, differentiable=False)
def nanargmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the smallest of the elements that are not NaN is; -1 where there are none. Arguments as in `argmin`.

    Example:
        >>> import kerata
        >>> int(kerata.ops.nanargmin([float("nan"), 1.0]))
        1
    """
    _check_elements(x, axis)
    return _place(argmin, inf, x, axis, keepdims)


def _check_elements(x: Any, axis: int | None) -> None:
    if any_empty(shape_of(x), rules.axes_tuple(axis, len(shape_of(x)))):
        raise ArgumentError("x", expected="a tensor with at least one element along the axis", got=x)
