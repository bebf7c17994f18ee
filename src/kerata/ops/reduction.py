"""Reductions: sums, means, extremes, logic and their cumulative forms."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from kerata.core import dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values

from .core import cast, stop_gradient
from .elementwise import constant, count_bools, inf, promote, real_only, to_float, widened

TensorLike = Any
Tensor = Any
Axis = int | tuple[int, ...] | None

_SAMPLES = (
    sample(T((2, 3))), sample(T((2, 3, 4)), axis=(0, 2)), sample(T((2, 3)), axis=-1, keepdims=True),
    sample(T((2, 0)), axis=0), sample(T(())), sample(T((3,), "int32"), gradient=False),
    sample(T((3,), "bool"), gradient=False), sample(values(1.0, float("nan"), float("inf")), gradient=False),
    sample(T((3, 4), "float64"), axis=0), sample(T((64,), "float16"), gradient=False),
    sample(values([[1, 40000], [40000, 3]], dtype="uint16"), axis=0, gradient=False),
)  # fmt: skip
_REJECTS = (
    rejects(T((2, 3)), axis=2, argument="axis"),
    rejects(T((2, 3)), axis=(0, 0), argument="axis"),
    rejects(T(()), axis=-1, argument="axis"),
    rejects(T((2, 3)), axis="last", argument="axis"),
)


@op(samples=_SAMPLES, rejects=_REJECTS, reference=np.sum)
def sum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum of the elements along axes.

    Args:
        x: numbers of any shape. Small integers and bool are added as int32 (uint32), so sums do not wrap early.
        axis: axis or axes; None for all.
        keepdims: whether reduced axes stay with size 1.

    Returns:
        A tensor without the reduced axes. The sum of nothing is 0.

    Raises:
        ArgumentError: an axis is out of range or repeated.

    Example:
        >>> import kerata
        >>> int(kerata.ops.sum([1, 2, 3]))
        6
    """
    axes = rules.axes_tuple(axis, len(shape_of(x)))
    return p.sum(cast(x, dtypes.sum_dtype(dtype_of(x))), axis=axes, keepdims=bool(keepdims))


@op(samples=_SAMPLES, rejects=_REJECTS, reference=np.mean)
def mean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The arithmetic mean of the elements along axes.

    Args:
        x: numbers of any shape. The mean of integers and bool is a float.
        axis: axis or axes; None for all.
        keepdims: whether reduced axes stay with size 1.

    Returns:
        A tensor without the reduced axes. The mean of nothing is NaN.

    Raises:
        ArgumentError: an axis is out of range or repeated.

    Example:
        >>> import kerata
        >>> float(kerata.ops.mean([1.0, 2.0, 6.0]))
        3.0
    """
    name = dtypes.float_for(dtype_of(x))
    wide = cast(x, wide_dtype(dtype_of(x)))
    axes = rules.axes_tuple(axis, len(shape_of(x)))
    return cast(mean_over(wide, axes, bool(keepdims)), name)


def wide_dtype(name: str) -> str:
    """The dtype in which averages are computed: half precision would overflow or stall in long sums."""
    name = dtypes.float_for(name)
    return "float32" if dtypes.itemsize(name) < 4 else name


def _number_of(x: Tensor, axes: tuple[int, ...]) -> Any:
    """How many elements a reduction takes together: a float, or a scalar tensor where only the engine knows."""
    count: Any = 1
    for i in axes:
        count = count * shape_of(x)[i]
    return float(count) if type(count) is int else cast(count, dtype_of(x))


def mean_over(x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    return p.div(p.sum(x, axis=axes, keepdims=keepdims), _number_of(x, axes))


def variance_over(x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    return variance_around(mean_over(x, axes, True), x, axes, keepdims)


def variance_around(mean: Tensor, x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """The mean squared distance to the mean, which cannot become negative."""
    distance = p.sub(x, mean)
    if dtypes.is_complex(dtype_of(x)):
        a, b = p.real(distance), p.imag(distance)
        return mean_over(p.add(p.mul(a, a), p.mul(b, b)), axes, keepdims)
    return mean_over(p.mul(distance, distance), axes, keepdims)


_COMPLEX = (sample(T((2, 3), "complex64"), gradient=False),)


@op(samples=(*_SAMPLES, *_COMPLEX), rejects=_REJECTS, reference=np.var)
def var(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The variance of the elements along axes: the mean squared distance to their mean.

    Args:
        x: numbers of any shape; integers and bool become floats.
        axis: axis or axes; None for all.
        keepdims: whether reduced axes stay with size 1.

    Returns:
        A real tensor without the reduced axes. The variance of nothing is NaN.

    Raises:
        ArgumentError: an axis is out of range or repeated.

    Example:
        >>> import kerata
        >>> float(kerata.ops.var([1.0, 3.0]))
        1.0
    """
    axes = rules.axes_tuple(axis, len(shape_of(x)))
    value = variance_over(cast(x, wide_dtype(dtype_of(x))), axes, bool(keepdims))
    return cast(value, dtypes.real_of(dtypes.float_for(dtype_of(x))))


# The root has no derivative at 0, which the deviation of a single element is.
_SPREAD = tuple(s for s in _SAMPLES if repr(s.args) != repr((T(()),)))


@op(samples=(*_SPREAD, *_COMPLEX), rejects=_REJECTS, reference=np.std)
def std(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The standard deviation of the elements along axes: the root of the variance.

    Args:
        x: numbers of any shape; integers and bool become floats.
        axis: axis or axes; None for all.
        keepdims: whether reduced axes stay with size 1.

    Returns:
        A real tensor without the reduced axes. The deviation of nothing is NaN.

    Raises:
        ArgumentError: an axis is out of range or repeated.

    Example:
        >>> import kerata
        >>> float(kerata.ops.std([1.0, 3.0]))
        1.0
    """
    axes = rules.axes_tuple(axis, len(shape_of(x)))
    value = p.sqrt(variance_over(cast(x, wide_dtype(dtype_of(x))), axes, bool(keepdims)))
    return cast(value, dtypes.real_of(dtypes.float_for(dtype_of(x))))


@op(
    samples=(
        *_SAMPLES, sample(T((2, 3)), 1, dtype="float64"), sample(values(2.0, 0.0, 3.0)),
        sample(T((2, 3), "int32", 0, 2), 1, dtype="bool", gradient=False),
        sample(values(0.0, 0.0, 3.0)), sample(T((2, 3, 2)), axis=(0, 2)),
    ),
    rejects=_REJECTS, reference=np.prod,
)  # fmt: skip
def prod(x: TensorLike, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    """The product of the elements along axes.

    Args:
        x: numbers of any shape. Small integers and bool are multiplied as int32 (uint32).
        axis: axis or axes; None for all.
        keepdims: whether reduced axes stay with size 1.
        dtype: dtype to multiply in and of the result.

    Returns:
        A tensor without the reduced axes. The product of nothing is 1.

    Raises:
        ArgumentError: an axis is out of range or repeated.

    Example:
        >>> import kerata
        >>> int(kerata.ops.prod([2, 3, 4]))
        24
    """
    axes = rules.axes_tuple(axis, len(shape_of(x)))
    name = dtypes.sum_dtype(dtype_of(x)) if dtype is None else dtypes.of_numbers(dtype)
    if name == "bool":
        return p.all(cast(x, "bool"), axis=axes, keepdims=bool(keepdims))
    (wide,), _ = widened(cast(x, name))
    return cast(p.prod(wide, axis=axes, keepdims=bool(keepdims)), name)


# ---- extremes ------------------------------------------------------------------------------------

_FULL = tuple(s for s in _SAMPLES if not (isinstance(s.args[0], T) and 0 in s.args[0].shape))
_EXTREMES = (*_FULL, sample(values(1.0, 3.0, 3.0, 2.0)), sample(T((2, 0, 3)), axis=0))
_EXTREME_REJECTS = (
    *_REJECTS,
    rejects(T((2, 0)), axis=1, argument="x"),
    rejects(T((2,), "complex64"), argument="x"),
)
_INITIAL = (
    sample(T((2, 3), "int32"), initial=1.0, gradient=False),
    sample(T((3,), "bool"), initial=True, gradient=False),
    sample(T((2, 3)), initial=0.5),
    sample(T((2, 0)), 1, initial=1.0),
    sample(T((3,), "int32"), initial=7),
)


def _extreme(
    x: Any, axis: Axis, keepdims: bool, initial: Any, of_numbers: Any, of_bools: Any, choose: Any
) -> Tensor:
    shape = shape_of(real_only(x))
    axes = rules.axes_tuple(axis, len(shape))
    if any_empty(shape, axes):
        if initial is None:
            raise ArgumentError(
                "x",
                expected="a tensor with at least one element along the axes",
                got=x,
                fix="Give `initial`.",
            )
        kept = rules.reduced(shape, axes, bool(keepdims))
        return p.broadcast_to(_start(initial, dtype_of(x)), shape=kept)
    reduce = of_bools if dtype_of(x) == "bool" else of_numbers
    value = reduce(x, axis=axes, keepdims=bool(keepdims))
    return value if initial is None else choose(value, _start(initial, dtype_of(x)))


def _start(initial: Any, name: str) -> Tensor:
    """The first value of a reduction, in the dtype of the others."""
    real_only(initial, "initial")
    if type(initial) in (bool, int) or (type(initial) is float and dtypes.is_float(name)):
        if dtypes.is_int(name) and not dtypes.holds(name, initial, initial):
            raise ArgumentError("initial", expected=f"in the range of {name}", got=initial)
        return constant(initial, name)
    return cast(initial, name)


def any_empty(shape: tuple[Any, ...], axes: tuple[int, ...]) -> bool:
    """Whether one of the axes has no elements. Sizes that nobody knows count as having some."""
    return builtins.any(type(shape[i]) is int and shape[i] == 0 for i in axes)


@op(samples=(*_EXTREMES, *_INITIAL), rejects=_EXTREME_REJECTS, reference=np.max)
def max(x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """The largest of the elements along axes. NaN wins; equals share the derivative.

    Args:
        x: real numbers of any shape.
        axis: axis or axes; None for all.
        keepdims: whether reduced axes stay with size 1.
        initial: a number that takes part, and the result where there are no elements.

    Returns:
        A tensor without the reduced axes.

    Raises:
        ArgumentError: an axis is out of range or repeated, or there is nothing to take the maximum of.

    Example:
        >>> import kerata
        >>> float(kerata.ops.max([1.0, 3.0, 2.0]))
        3.0
    """
    return _extreme(x, axis, keepdims, initial, p.max, p.any, p.maximum)


@op(samples=(*_EXTREMES, *_INITIAL), rejects=_EXTREME_REJECTS, reference=np.min)
def min(x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """The smallest of the elements along axes. NaN wins; equals share the derivative.

    Args:
        x: real numbers of any shape.
        axis: axis or axes; None for all.
        keepdims: whether reduced axes stay with size 1.
        initial: a number that takes part, and the result where there are no elements.

    Returns:
        A tensor without the reduced axes.

    Raises:
        ArgumentError: an axis is out of range or repeated, or there is nothing to take the minimum of.

    Example:
        >>> import kerata
        >>> float(kerata.ops.min([1.0, 3.0, 2.0]))
        1.0
    """
    return _extreme(x, axis, keepdims, initial, p.min, p.all, p.minimum)


@op(samples=_EXTREMES, rejects=_EXTREME_REJECTS, reference=np.amax)
def amax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Another name of `max`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.amax([1.0, 3.0]))
        3.0
    """
    return _extreme(x, axis, keepdims, None, p.max, p.any, p.maximum)


@op(samples=_EXTREMES, rejects=_EXTREME_REJECTS, reference=np.amin)
def amin(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Another name of `min`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.amin([1.0, 3.0]))
        1.0
    """
    return _extreme(x, axis, keepdims, None, p.min, p.all, p.minimum)


@op(samples=[s for s in _EXTREMES if "bool" not in repr(s)], rejects=_EXTREME_REJECTS, reference=np.ptp)
def ptp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest of the elements along axes minus the smallest.

    Args:
        x: real numbers of any shape; bools count as int32.
        axis: axis or axes; None for all.
        keepdims: whether reduced axes stay with size 1.

    Example:
        >>> import kerata
        >>> float(kerata.ops.ptp([1.0, 3.0, 2.0]))
        2.0
    """
    x = count_bools(x)
    return p.sub(
        _extreme(x, axis, keepdims, None, p.max, p.any, p.maximum),
        _extreme(x, axis, keepdims, None, p.min, p.all, p.minimum),
    )


_INDEX_SAMPLES = (
    sample(T((2, 3))), sample(T((2, 3)), axis=0), sample(T((2, 3, 4)), -1, True), sample(T((2, 3)), None, True), sample(T(())),
    sample(values(1.0, 3.0, 3.0)), sample(values(1.0, float("nan"), 3.0, float("nan"))), sample(T((5,), "int32")),
    sample(T((5,), "bool")),
    sample(T((0, 3)), axis=1), sample(T((4,), "bfloat16")), sample(T((4,), "uint8")),
)  # fmt: skip
_INDEX_REJECTS = (
    rejects(T((2, 3)), axis=2, argument="axis"), rejects(T((2, 0)), axis=1, argument="x"),
    rejects(T((2,), "complex64"), argument="x"),
)  # fmt: skip


def flattened(x: Tensor) -> Tensor:
    """All elements in one dimension."""
    shape = shape_of(x)
    count: Any = 1
    for d in shape:
        count = count * d
    return x if len(shape) == 1 else p.reshape(x, shape=(count,))


def _place_of(pick: Callable[..., Tensor], x: Any, axis: int | None, keepdims: bool) -> Tensor:
    shape = shape_of(real_only(x))
    if axis is None:
        found = _place_of(pick, flattened(x), 0, False)
        return p.reshape(found, shape=(1,) * len(shape)) if keepdims else found
    i = rules.axis_index(axis, len(shape))
    if any_empty(shape, (i,)):
        raise ArgumentError("x", expected="a tensor with at least one element along the axis", got=x)
    found = pick(count_bools(x), axis=i)
    return p.reshape(found, shape=rules.reduced(shape, (i,), True)) if keepdims else found


@op(
    samples=_INDEX_SAMPLES,
    rejects=_INDEX_REJECTS,
    reference=lambda x, axis=None, keepdims=False: np.argmax(x, axis, keepdims=keepdims),
    differentiable=False,
)
def argmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the largest element along an axis is: the first of equals, or the first NaN.

    Args:
        x: real numbers of any shape.
        axis: the axis; None for the position among all elements.
        keepdims: whether reduced axes stay with size 1.

    Returns:
        An int32 tensor without the axis.

    Raises:
        ArgumentError: the axis is out of range or has no elements.

    Example:
        >>> import kerata
        >>> int(kerata.ops.argmax([1.0, 3.0, 2.0]))
        1
    """
    return _place_of(p.argmax, x, axis, keepdims)


@op(
    samples=_INDEX_SAMPLES,
    rejects=_INDEX_REJECTS,
    reference=lambda x, axis=None, keepdims=False: np.argmin(x, axis, keepdims=keepdims),
    differentiable=False,
)
def argmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the smallest element along an axis is: the first of equals, or the first NaN.

    Args:
        x: real numbers of any shape.
        axis: the axis; None for the position among all elements.
        keepdims: whether reduced axes stay with size 1.

    Returns:
        An int32 tensor without the axis.

    Raises:
        ArgumentError: the axis is out of range or has no elements.

    Example:
        >>> import kerata
        >>> int(kerata.ops.argmin([1.0, 3.0, 2.0]))
        0
    """
    return _place_of(p.argmin, x, axis, keepdims)


# ---- logic ---------------------------------------------------------------------------------------


@op(samples=_SAMPLES, rejects=_REJECTS, reference=np.any, differentiable=False)
def any(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether at least one element along axes is true. NaN is.

    Args:
        x: bools, or numbers, which are true where they are not 0.
        axis: axis or axes; None for all.
        keepdims: whether reduced axes stay with size 1.

    Returns:
        A bool tensor without the reduced axes. Of nothing: False.

    Example:
        >>> import kerata
        >>> bool(kerata.ops.any([False, True]))
        True
    """
    return p.any(cast(x, "bool"), axis=rules.axes_tuple(axis, len(shape_of(x))), keepdims=bool(keepdims))


@op(samples=_SAMPLES, rejects=_REJECTS, reference=np.all, differentiable=False)
def all(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether every element along axes is true. NaN is.

    Args:
        x: bools, or numbers, which are true where they are not 0.
        axis: axis or axes; None for all.
        keepdims: whether reduced axes stay with size 1.

    Returns:
        A bool tensor without the reduced axes. Of nothing: True.

    Example:
        >>> import kerata
        >>> bool(kerata.ops.all([False, True]))
        False
    """
    return p.all(cast(x, "bool"), axis=rules.axes_tuple(axis, len(shape_of(x))), keepdims=bool(keepdims))


@op(
    samples=[s for s in _SAMPLES if "keepdims" not in s.kwargs], rejects=_REJECTS,
    reference=np.count_nonzero, differentiable=False,
)  # fmt: skip
def count_nonzero(x: TensorLike, axis: Axis = None) -> Tensor:
    """How many elements along axes are not 0. NaN is not.

    Args:
        x: numbers of any shape.
        axis: axis or axes; None for all.

    Returns:
        An int32 tensor without the reduced axes.

    Example:
        >>> import kerata
        >>> int(kerata.ops.count_nonzero([0, 1, 2]))
        2
    """
    hits = cast(cast(x, "bool"), "int32")
    return p.sum(hits, axis=rules.axes_tuple(axis, len(shape_of(x))), keepdims=False)


# ---- sums of exponentials, averages --------------------------------------------------------------


@op(
    samples=(
        *_SAMPLES[:3], sample(T((2, 3), "float64")), sample(values(1000.0, 1000.0)),
        sample(T((2, 3), "complex64", 0.5, 2.0), 1, gradient=False),
        sample(values(-float("inf"), -float("inf")), gradient=False,
    ),
             sample(values(float("inf"), 1.0), gradient=False), sample(T((2, 0)), 1, gradient=False),
             sample(T((3,), "int32"), gradient=False)),
    rejects=_REJECTS, reference="scipy.special.logsumexp",
)  # fmt: skip
def logsumexp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The logarithm of the sum of exponentials along axes, without overflow.

    Args:
        x: numbers of any shape; integers and bool become floats.
        axis: axis or axes; None for all.
        keepdims: whether reduced axes stay with size 1.

    Returns:
        A tensor without the reduced axes. Of nothing: minus infinity.

    Example:
        >>> import kerata
        >>> round(float(kerata.ops.logsumexp([0.0, 0.0])), 4)
        0.6931
    """
    (x,), name = widened(to_float(x))
    shape = shape_of(x)
    axes = rules.axes_tuple(axis, len(shape))
    if any_empty(shape, axes):
        return cast(p.log(p.sum(x, axis=axes, keepdims=bool(keepdims))), name)
    sizes = p.real(x) if dtypes.is_complex(name) else x
    top = p.peak(stop_gradient(sizes), axis=axes, keepdims=True)
    top = cast(p.where(p.isfinite(top), top, 0), dtype_of(x))
    total = p.sum(p.exp(p.sub(x, top)), axis=axes, keepdims=bool(keepdims))
    none = p.eq(total, 0)  # of nothing but minus infinities, along which there is no derivative: it is 0
    logarithm = p.where(none, -inf, p.log(p.where(none, 1, total)))
    value = p.add(logarithm, top if keepdims else p.reshape(top, shape=shape_of(total)))
    return cast(value, name)


@op(
    samples=[
        sample(T((2, 3))), sample(T((2, 3)), 1, T((3,), low=0.5)), sample(T((2, 3)), weights=T((2, 3), low=0.5)),
        sample(T((3,), "int32"), gradient=False),
        sample(T((2, 3)), 0, T((2,), low=0.5)), sample(T((2, 3, 4)), (2, 0), T((4, 2), low=0.5)),
        sample(T((6,), "bfloat16"), weights=T((6,), "bfloat16", 0.5), gradient=False),
    ],
    rejects=[
        rejects(T((2, 3)), 1, T((2,)), argument="weights"), rejects(T((2, 3)), weights=T((3,)), argument="weights"),
        rejects(T((2, 3)), 2, argument="axis"),
    ],
reference=np.average)  # fmt: skip
def average(x: TensorLike, axis: Axis = None, weights: TensorLike = None) -> Tensor:
    """The weighted mean along axes.

    Args:
        x: numbers of any shape; integers and bool become floats.
        axis: axis or axes; None for all.
        weights: of the shape of `x`, or of its sizes along `axis`, in the order given there; equal weights where not
            given.

    Returns:
        A tensor without the reduced axes.

    Raises:
        ArgumentError: the weights do not fit.

    Example:
        >>> import kerata
        >>> float(kerata.ops.average([1.0, 4.0], weights=[2.0, 1.0]))
        2.0
    """
    shape = shape_of(x)
    axes = rules.axes_tuple(axis, len(shape))
    if weights is None:
        return mean(x, axes)
    x, w = promote(x, weights, at_least=float)
    have = shape_of(w)
    if have != shape:
        given = axes if axis is None else rules.axes_in_order(axis, len(shape), "axis")
        sizes = tuple(shape[i] for i in given)
        if axis is None or len(have) != len(sizes) or builtins.any(map(rules.differ, have, sizes)):
            raise ArgumentError("weights", expected=f"of shape {shape} or {sizes}", got=weights)
        w = p.transpose(w, axes=tuple(given.index(i) for i in axes))
        w = p.reshape(w, shape=tuple(d if i in axes else 1 for i, d in enumerate(shape)))
        w = p.broadcast_to(w, shape=shape)
    (x, w), name = widened(x, w)
    value = p.div(p.sum(p.mul(x, w), axis=axes, keepdims=False), p.sum(w, axis=axes, keepdims=False))
    return cast(value, name)


# ---- cumulative ----------------------------------------------------------------------------------

_RUNNING = (
    sample(T((2, 3))), sample(T((2, 3)), 0), sample(T((2, 3, 2)), axis=-2), sample(T((3,), "int8")), sample(T((3,), "bool")),
    sample(T((0,))), sample(T((3,)), dtype="float64"), sample(T(())), sample(T((3,), "float16"), gradient=False),
    sample(values(2.0, 0.0, 3.0)), sample(T((300,), "float16", 0.9, 1.1), gradient=False),
    sample(T((4,), "uint32"), gradient=False), sample(T((2, 3), "int32", 0, 2), 1, dtype="bool", gradient=False),
)  # fmt: skip
_RUNNING_REJECTS = (rejects(T((2, 3)), 2, argument="axis"),)


def _running(primitive: Callable[..., Tensor], x: Any, axis: int | None, dtype: Any) -> Tensor:
    x = flattened(x) if axis is None else x
    i = rules.axis_index(0 if axis is None else axis, len(shape_of(x)))
    if dtype is not None:
        x = cast(x, dtype)
    (wide,), name = widened(count_bools(x))
    return cast(primitive(wide, axis=i), name if dtype is None else dtype)


@op(samples=_RUNNING, rejects=_RUNNING_REJECTS, reference=np.cumsum)
def cumsum(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Running sums along an axis.

    Args:
        x: numbers of any shape. Bools count as int32; other dtypes stay.
        axis: the axis; None for all elements in one dimension.
        dtype: dtype to add in and of the result.

    Returns:
        A tensor of the shape of `x`, or in one dimension.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.cumsum([1, 2, 3]))
        array([1, 3, 6], dtype=int32)
    """
    return _running(p.cumsum, x, axis, dtype)


@op(samples=_RUNNING, rejects=_RUNNING_REJECTS, reference=np.cumprod)
def cumprod(x: TensorLike, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Running products along an axis.

    Args:
        x: numbers of any shape. Bools count as int32; other dtypes stay.
        axis: the axis; None for all elements in one dimension.
        dtype: dtype to multiply in and of the result.

    Returns:
        A tensor of the shape of `x`, or in one dimension.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.cumprod([1, 2, 3]))
        array([1, 2, 6], dtype=int32)
    """
    return _running(p.cumprod, x, axis, dtype)
