"""Order statistics, correlations and histograms."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from kerata.core import checks, dtypes, rules
from kerata.core import primitives as p
from kerata.core.budget import NUMBERS, spend
from kerata.core.declare import new_abstract, op, tensor_like
from kerata.core.dispatch import dtype_of, is_tensor, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values
from kerata.core.state import STATE

from .core import cast
from .creation import range_tensor
from .elementwise import constant, here, promote, real_only, to_real_float, widened
from .reduction import any_empty, flattened, wide_dtype
from .splitting import cut

TensorLike = Any
Tensor = Any
Axis = int | tuple[int, ...] | None
nan, inf = float("nan"), float("inf")


# ---- sorted along one axis -----------------------------------------------------------------------


def axes_last(x: Tensor, axis: Axis) -> tuple[Tensor, tuple[int, ...]]:
    """The reduced axes as one last axis, and which they were."""
    shape = shape_of(x)
    axes = rules.axes_tuple(axis, len(shape))
    if any_empty(shape, axes):
        raise ArgumentError("x", expected="a tensor with at least one element along the axes", got=x)
    rest = tuple(i for i in range(len(shape)) if i not in axes)
    count: Any = 1
    for i in axes:
        count = count * shape[i]
    return p.reshape(p.transpose(x, axes=(*rest, *axes)), shape=(*(shape[i] for i in rest), count)), axes


def _kept(y: Tensor, x: Tensor, axes: tuple[int, ...], keepdims: bool, lead: tuple[Any, ...] = ()) -> Tensor:
    """A reduced result, with the reduced axes as size 1 where wanted; `lead` are new axes in front."""
    if not keepdims:
        return y
    return p.reshape(y, shape=(*lead, *rules.reduced(tuple(shape_of(x)), axes, True)))


def _element(line: Tensor, i: Any) -> Tensor:
    last = len(shape_of(line)) - 1
    return p.reshape(cut(line, last, i, i + 1), shape=shape_of(line)[:-1])


def _has_nan(line: Tensor) -> Tensor:
    return p.any(p.isnan(line), axis=(len(shape_of(line)) - 1,), keepdims=False)


_SAMPLES = (
    sample(T((5,))), sample(T((2, 4))), sample(T((2, 3, 4)), axis=(0, 2)), sample(T((2, 3)), axis=-1, keepdims=True),
    sample(T(())),
    sample(T((5,), "int32"), gradient=False), sample(T((3,), "bool"), gradient=False),
    sample(values(1.0, nan, 2.0), gradient=False),
    sample(T((3, 4), "float64"), axis=0), sample(T((6,), "float16"), gradient=False), sample(T((2, 3)), None, True),
)  # fmt: skip
_REJECTS = (
    rejects(T((2, 3)), axis=2, argument="axis"), rejects(T((2, 0)), axis=1, argument="x"),
    rejects(T((2,), "complex64"), argument="x"),
)  # fmt: skip


@op(
    samples=_SAMPLES,
    rejects=_REJECTS,
    reference=lambda x, axis=None, keepdims=False: np.median(x, axis, keepdims=keepdims),
)
def median(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The middle of the sorted elements along axes, or the mean of the two in the middle. NaN wins.

    Args:
        x: real numbers of any shape; integers and bool become floats.
        axis: axis or axes; None for all.
        keepdims: whether reduced axes stay with size 1.

    Returns:
        A tensor without the reduced axes.

    Raises:
        ArgumentError: an axis is out of range, repeated or without elements.

    Example:
        >>> import kerata
        >>> float(kerata.ops.median([1.0, 9.0, 2.0]))
        2.0
    """
    x = to_real_float(x)
    line, axes = axes_last(x, axis)
    n = shape_of(line)[-1]
    ordered = p.sort(line, axis=len(shape_of(line)) - 1)
    low, high = _element(ordered, (n - 1) // 2), _element(ordered, n // 2)
    # Equal infinities have no mean.
    middle = p.where(p.eq(low, high), low, p.add(p.mul(low, 0.5), p.mul(high, 0.5)))
    return _kept(p.where(_has_nan(line), nan, middle), x, axes, bool(keepdims))


# ---- quantiles -----------------------------------------------------------------------------------

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _interpolate(ordered: Tensor, position: Tensor, method: str) -> Tensor:
    """Elements at real positions (q, 1 ...) of sorted lines: an axis of quantiles in front."""
    last = len(shape_of(ordered)) - 1
    low, high = p.floor(position), p.ceil(position)
    if method == "nearest":  # of two equally near, the even place, as NumPy does
        low = high = p.round(position)
    elif method == "lower":
        high = low
    elif method == "higher":
        low = high
    below, above = (p.take_along_axis(ordered, cast(v, "int32"), axis=last) for v in (low, high))
    if method in ("nearest", "lower", "higher"):
        return below
    fraction = cast(p.sub(position, low), dtype_of(ordered)) if method == "linear" else 0.5
    between = (
        p.add(p.mul(below, p.sub(1, fraction)), p.mul(above, fraction))
        if method == "linear"
        else p.mul(p.add(below, above), 0.5)
    )
    return p.where(p.eq(below, above), below, between)


def _quantiles(
    x: Any, q: Any, axis: Axis, method: str, keepdims: bool, skip_nan: bool = False, percent: bool = False
) -> Tensor:
    if method not in _METHODS:
        raise ArgumentError("method", expected=f"one of {', '.join(map(repr, _METHODS))}", got=method)
    x = to_real_float(x)
    name = (
        dtypes.result_type(dtype_of(x), float)
        if not hasattr(q, "dtype")
        else dtypes.result_type(dtype_of(x), dtype_of(q), float)
    )
    wide = "float64" if name == "float64" else "float32"
    x = cast(x, wide)
    wanted = _fractions(q, wide, 100.0 if percent else 1.0)
    line, axes = axes_last(x, axis)
    ordered = p.sort(line, axis=len(shape_of(line)) - 1)
    places = _places(wanted, ordered, skip_nan)
    found = _interpolate(ordered, places, method)
    if not skip_nan:
        found = p.where(p.reshape(_has_nan(line), shape=(*shape_of(found)[:-1], 1)), nan, found)
    rank = len(shape_of(found))
    found = p.transpose(found, axes=(rank - 1, *range(rank - 1)))
    lead = tuple(shape_of(wanted))
    shape = (*lead, *(rules.reduced(tuple(shape_of(x)), axes, True) if keepdims else shape_of(found)[1:]))
    return cast(p.reshape(found, shape=shape), name)


def _fractions(q: Any, dtype: str, whole: float) -> Tensor:
    """The quantiles as parts of 1. Those of a number or a list are checked; of a tensor, what is outside becomes the end."""
    if not hasattr(real_only(tensor_like("q", q), "q"), "dtype") and not np.all(
        (np.asarray(q) >= 0) & (np.asarray(q) <= whole)
    ):
        raise ArgumentError("q", expected=f"from 0 to {whole:g}", got=q)
    wanted = cast(here(q), dtype) if is_tensor(q) else constant(q, dtype)
    if len(shape_of(wanted)) > 1:
        raise ArgumentError("q", expected="a number or numbers in one dimension", got=q)
    if hasattr(q, "dtype"):
        wanted = p.where(p.ge(wanted, 0), p.minimum(wanted, whole), 0)
    return wanted if whole == 1 else p.div(wanted, whole)


def _places(wanted: Tensor, ordered: Tensor, skip_nan: bool) -> Tensor:
    """Where in the sorted lines the quantiles are; NaN stands last, and may be left out."""
    *batch, n = shape_of(ordered)
    size = shape_of(wanted)[0] if shape_of(wanted) else 1
    row = p.reshape(wanted, shape=(1,) * len(batch) + (size,))
    if not skip_nan:
        steps = float(n - 1) if type(n) is int else cast(n - 1, dtype_of(wanted))
        return p.broadcast_to(p.mul(row, steps), shape=(*batch, size))
    valid = p.sum(cast(p.logical_not(p.isnan(ordered)), "int32"), axis=(len(batch),), keepdims=True)
    # A line of nothing but NaN: its first element is NaN, too.
    return p.mul(cast(p.maximum(p.sub(valid, 1), 0), dtype_of(wanted)), row)


_QUANTILES = (
    sample(T((5,)), 0.3), sample(T((5,)), [0.0, 0.5, 1.0]), sample(T((2, 4)), [0.2, 0.7], axis=1),
    sample(T((2, 4)), 0.25, 0, "lower"),
    sample(T((2, 3, 4)), [0.1, 0.9], axis=(0, 2), keepdims=True), sample(T((5,)), 0.3, method="higher"),
    sample(T((5,)), 0.3, method="midpoint"),
    sample(T((5,)), [0.3, 0.125], method="nearest", gradient=False),
    sample(values(1, 2, 4, dtype="int32"), 0.5, gradient=False), sample(values(1.0, nan, 2.0), 0.5, gradient=False),
    sample(T((3, 4), "float64"), 0.4, 0), sample(T((5,)), values(0.5, 1.0, 0.0)),
)  # fmt: skip
_PERCENTILES = (
    sample(T((5,)), 30), sample(T((5,)), [0.0, 50.0, 100.0]), sample(T((2, 4)), [20.0, 70.0], axis=1),
    sample(T((2, 4)), 25.0, 0, "lower"), sample(T((2, 3)), 40.0, keepdims=True),
    sample(T((7,), "bfloat16"), 35.0, gradient=False),
)  # fmt: skip
_QUANTILE_REJECTS = (
    rejects(T((3,)), 0.5, method="cubic", argument="method"), rejects(T((3,)), [[0.5]], argument="q"),
    rejects(T((2, 0)), 0.5, axis=1, argument="x"), rejects(T((3,)), 0.5, 1, argument="axis"),
    rejects(T((3,)), 100.5, argument="q"), rejects(T((3,)), [0.5, -0.1], argument="q"),
)  # fmt: skip


@op(
    samples=_QUANTILES,
    rejects=_QUANTILE_REJECTS,
    reference=lambda x, q, axis=None, method="linear", keepdims=False: np.quantile(
        x, q, axis, method=method, keepdims=keepdims
    ),
)
def quantile(
    x: TensorLike, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """The numbers below which given fractions of the elements along axes lie. NaN wins.

    Args:
        x: real numbers of any shape; integers and bool become floats.
        q: a fraction in [0, 1], or several. Of a tensor, what lies outside counts as the nearer end.
        axis: axis or axes; None for all.
        method: between two elements: "linear", "lower", "higher", "midpoint" or "nearest".
        keepdims: whether reduced axes stay with size 1.

    Returns:
        A tensor without the reduced axes, and with an axis in front for several fractions.

    Raises:
        ArgumentError: a number outside [0, 1], an unknown method, or an axis out of range, repeated or without elements.

    Example:
        >>> import kerata
        >>> float(kerata.ops.quantile([1.0, 2.0, 3.0, 4.0], 0.5))
        2.5
    """
    return _quantiles(x, q, axis, method, bool(keepdims))


@op(
    samples=_PERCENTILES,
    rejects=_QUANTILE_REJECTS,
    reference=lambda x, q, axis=None, method="linear", keepdims=False: np.percentile(
        x, q, axis, method=method, keepdims=keepdims
    ),
)
def percentile(
    x: TensorLike, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """`quantile` with percentages in the place of fractions.

    Args:
        x: real numbers of any shape; integers and bool become floats.
        q: a percentage in [0, 100], or several.
        axis: axis or axes; None for all.
        method: between two elements: "linear", "lower", "higher", "midpoint" or "nearest".
        keepdims: whether reduced axes stay with size 1.

    Example:
        >>> import kerata
        >>> float(kerata.ops.percentile([1.0, 2.0, 3.0, 4.0], 50))
        2.5
    """
    return _quantiles(x, q, axis, method, bool(keepdims), percent=True)


_GAPS = (
    sample(values([[1.0, nan, 3.0], [4.0, 5.0, 7.0]]), 0.3, axis=1, gradient=False),
    sample(values(nan, nan), 0.5, gradient=False), sample(T((2, 4)), [0.2, 0.7], 1),
    sample(values([[1.0, nan, 3.0], [nan, nan, 7.0]]), [0.5, 0.9], gradient=False),
    sample(values(1.0, nan, 2.0, inf, dtype="float16"), 0.25, gradient=False),
)  # fmt: skip


def _nan_reference(name: str) -> Any:
    def run(x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(np, name)(x, q, axis, method=method, keepdims=keepdims)

    return run


@op(
    samples=[*_GAPS, sample(T((3, 2), "float64"), [0.25, 0.75], 0, keepdims=True)],
    rejects=_QUANTILE_REJECTS,
    reference=_nan_reference("nanquantile"),
)
def nanquantile(
    x: TensorLike, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """`quantile` of the elements that are not NaN; NaN where there are none.

    Args:
        x: real numbers of any shape; integers and bool become floats.
        q: a fraction in [0, 1], or several.
        axis: axis or axes; None for all.
        method: between two elements: "linear", "lower", "higher", "midpoint" or "nearest".
        keepdims: whether reduced axes stay with size 1.

    Example:
        >>> import kerata
        >>> float(kerata.ops.nanquantile([1.0, float("nan"), 3.0], 0.5))
        2.0
    """
    return _quantiles(x, q, axis, method, bool(keepdims), skip_nan=True)


@op(
    samples=[
        *tuple(sample(s.args[0], 40.0, *s.args[2:], gradient=s.gradient, **s.kwargs) for s in _GAPS),
        sample(T((3, 2), "float64"), [25.0, 75.0], 0, keepdims=True),
    ],
    rejects=_QUANTILE_REJECTS,
    reference=_nan_reference("nanpercentile"),
)
def nanpercentile(
    x: TensorLike, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """`percentile` of the elements that are not NaN; NaN where there are none.

    Args:
        x: real numbers of any shape; integers and bool become floats.
        q: a percentage in [0, 100], or several.
        axis: axis or axes; None for all.
        method: between two elements: "linear", "lower", "higher", "midpoint" or "nearest".
        keepdims: whether reduced axes stay with size 1.

    Example:
        >>> import kerata
        >>> float(kerata.ops.nanpercentile([1.0, float("nan"), 3.0], 50))
        2.0
    """
    return _quantiles(x, q, axis, method, bool(keepdims), skip_nan=True, percent=True)


# ---- correlations --------------------------------------------------------------------------------


@op(
    samples=(
        sample(T((3, 5))),
        sample(T((4,))),
        sample(values([[1, 2, 3], [1, 0, 1]], dtype="int32"), gradient=False),
        sample(T((2, 4), "float64")),
        sample(T((2, 3), "int32")),
        sample(T(()), gradient=False),
    ),
    rejects=(rejects(T((2, 2, 2)), argument="x"),),
    reference=np.corrcoef,
)
def corrcoef(x: TensorLike) -> Tensor:
    """Pearson's correlation coefficients of the rows, kept within [-1, 1].

    Args:
        x: a matrix of variables (rows) and observations (columns), or one variable.

    Returns:
        A square matrix; of one variable a scalar, 1, as in NumPy.

    Example:
        >>> import kerata
        >>> round(float(kerata.ops.corrcoef([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])[0, 1]), 4)
        -1.0
    """
    name = dtypes.float_for(dtype_of(x))
    x = cast(x, wide_dtype(dtype_of(x)))
    rank = len(shape_of(x))
    if rank > 2:
        raise ArgumentError("x", expected="a tensor with one or two dimensions", got=x)
    rows = x if rank == 2 else p.reshape(x, shape=(1, *(shape_of(x) or (1,))))
    total = p.sum(rows, axis=(1,), keepdims=True)
    n = shape_of(rows)[1]
    centred = p.sub(rows, p.div(total, float(n) if type(n) is int else cast(n, dtype_of(x))))
    products = p.matmul(centred, p.conj_(p.transpose(centred, axes=(1, 0))))
    size = p.sqrt(p.sum(p.mul(p.abs(centred), p.abs(centred)), axis=(1,), keepdims=True))
    scale = cast(p.mul(size, p.transpose(size, axes=(1, 0))), dtype_of(x))
    found = p.div(products, scale)
    if not dtypes.is_complex(name):
        found = p.where(p.gt(found, 1), 1, p.where(p.lt(found, -1), -1, found))
    one = rank < 2 or (rules.known(shape_of(x)[0]) and shape_of(x)[0] == 1)
    return cast(p.reshape(found, shape=()) if one else found, name)


@op(
    samples=(
        sample(T((5,)), T((3,))), sample(T((5,)), T((3,)), "same"), sample(T((5,)), T((3,)), mode="full"),
        sample(T((2,)), T((4,))), sample(T((2,)), T((5,)), "same"),
        sample(T((4,), "complex64"), T((2,), "complex64"), "full", gradient=False),
        sample(T((4,), "int32"), T((2,), "int32"), gradient=False), sample(T((4,)), T((4,)), "same"),
    ),
    rejects=(
        rejects(T((3,)), T((2,)), "circular", argument="mode"), rejects(T((2, 2)), T((2,)), argument="x1"),
        rejects(T((2,)), T((2, 2)), argument="x2"),
    ),
    reference=lambda x1, x2, mode="valid": np.correlate(x1, x2, mode),
)  # fmt: skip
def correlate(x1: TensorLike, x2: TensorLike, mode: str = "valid") -> Tensor:
    """The cross-correlation: sums of products of `x1` and shifted conjugates of `x2`.

    Args:
        x1: numbers in one dimension; integers and bool become floats.
        x2: numbers in one dimension.
        mode: "valid" for shifts where the shorter lies within the longer, "same" for as many results as the longer
            has elements, "full" for all shifts with an overlap.

    Returns:
        A tensor with one dimension, in the common dtype.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.correlate([1.0, 2.0, 3.0], [0.0, 1.0, 0.5]))
        array([3.5], dtype=float32)
    """
    if mode not in ("valid", "same", "full"):
        raise ArgumentError("mode", expected="'valid', 'same' or 'full'", got=mode)
    for x, argument in ((x1, "x1"), (x2, "x2")):
        if len(shape_of(x)) != 1 or shape_of(x)[0] == 0:
            raise ArgumentError(
                argument, expected="a tensor with one dimension and at least one element", got=x
            )
    (a, b), name = widened(*promote(x1, x2, at_least=float))
    m, n = shape_of(a)[0], shape_of(b)[0]
    if STATE.abstract and not (rules.known(m) or rules.known(n)):  # nor is it known which is longer
        return new_abstract((m,), name)
    if n > m:  # the same sums with the roles exchanged, backwards and conjugated
        return cast(p.conj_(p.flip(_correlated(b, a, mode), axis=(0,))), name)
    return cast(_correlated(a, b, mode), name)


def _correlated(a: Tensor, b: Tensor, mode: str) -> Tensor:
    m, n = shape_of(a)[0], shape_of(b)[0]
    before = {"valid": 0, "same": n // 2, "full": n - 1}[mode]
    after = {"valid": 0, "same": n - 1 - before, "full": n - 1}[mode]
    padded = p.pad(a, pads=((before, after),), value=0)
    count = m + before + after - n + 1
    places = p.add(p.reshape(range_tensor(count), shape=(count, 1)), p.reshape(range_tensor(n), shape=(1, n)))
    return p.matmul(p.take(padded, places, axis=0), p.conj_(b))


# ---- histograms ----------------------------------------------------------------------------------


@op(
    samples=(
        sample(values(1.0, 2.0, 2.0, 5.0), bins=4),
        sample(values([[1, 2], [2, 5]], dtype="int32"), bins=2, range=(0, 4)), sample(values(1.0, 1.0), 2),
        sample(T((20,))), sample(T((0,)), 3), sample(T((7,), "float64"), 3),
        sample(values(2, 7, 3, 3, dtype="uint8"), 5),
    ),
    rejects=(
        rejects(T((3,)), 0, argument="bins"), rejects(T((3,)), 3, (2.0, 1.0), argument="range"),
        rejects(T((3,)), 3, 1.5, argument="range"), rejects(T((3,)), 3, ("a", 1), argument="range"),
        rejects(T((3,), "complex64"), argument="x"),
    ),
    reference=lambda x, bins=10, range=None: tuple(np.histogram(x, bins, range)), differentiable=False,
)  # fmt: skip
def histogram(
    x: TensorLike, bins: int = 10, range: tuple[float, float] | None = None
) -> tuple[Tensor, Tensor]:
    """How many elements lie in each of several intervals of one width; the last one has both its ends.

    Args:
        x: real numbers of any shape.
        bins: how many intervals.
        range: the ends of all; those of the numbers where not given.

    Returns:
        A pair: int32 counts, and the `bins + 1` edges.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.histogram([1.0, 2.0, 2.0, 5.0], 4)[0])
        array([1, 2, 0, 1], dtype=int32)
    """
    count = checks.positive_int("bins", bins)
    x = flattened(to_real_float(x))
    spend(count // NUMBERS)
    name = "float64" if dtype_of(x) == "float64" else "float32"
    edges = cast(
        _edges(x, count) if range is None else constant(_edges_between(*_ends(range), count), "float64"), name
    )
    wide, last = cast(x, name), _element(edges, count)
    place = p.sub(p.searchsorted(edges, wide, side="right"), 1)
    place = p.where(p.eq(wide, last), count - 1, place)
    inside = p.logical_and(p.ge(wide, _element(edges, 0)), p.le(wide, last))
    target = p.broadcast_to(constant(0, "int32"), shape=(count + 1,))
    rows = p.reshape(p.where(inside, place, count), shape=(shape_of(x)[0], 1))
    counts = p.scatter(target, rows, cast(inside, "int32"), mode="add")
    return cut(counts, 0, 0, count), cast(edges, dtype_of(x))


def _ends(range: Any) -> tuple[float, float]:
    if not isinstance(range, (list, tuple)) or len(range) != 2:
        raise ArgumentError("range", expected="a pair of numbers", got=range)
    return checks.number("range", range[0]), checks.number("range", range[1])


def _edges_between(low: float, high: float, count: int) -> np.ndarray:
    if not low <= high or math.isinf(high - low):
        raise ArgumentError("range", expected="two finite numbers in ascending order", got=(low, high))
    return np.linspace(low - 0.5, high + 0.5, count + 1) if low == high else np.linspace(low, high, count + 1)


def _edges(x: Tensor, count: int) -> Tensor:
    """The same, of the least and the largest number."""
    if shape_of(x)[0] == 0:
        return constant(_edges_between(0.0, 1.0, count), "float64")
    low, high = (cast(end(x, axis=(0,), keepdims=False), "float64") for end in (p.min, p.max))
    alone = p.eq(low, high)
    low, high = p.where(alone, p.sub(low, 0.5), low), p.where(alone, p.add(high, 0.5), high)
    steps = constant(np.arange(count + 1), "float64")
    return p.where(p.eq(steps, count), high, p.add(low, p.mul(p.div(p.sub(high, low), count), steps)))
