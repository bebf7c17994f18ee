"""Sorted values and their indices, the largest few, and places of values in a sorted sequence."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from kerata.core import checks, dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, engine_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values
from kerata.core.tensor import KerasTensor

from .core import cast, convert_to_numpy
from .elementwise import count_bools, promote, real_only
from .reduction import flattened
from .subscript import check_not_empty, in_range, index_tensor

TensorLike = Any
Tensor = Any


_SORTS = [
    sample(T((2, 5))), sample(T((3, 4)), 0), sample(T((6,), "int32", -3, 3)),
    sample(values(3.0, float("nan"), 1.0, float("-inf"), 3.0), gradient=False), sample(T((2, 3)), None),
    sample(T((4,), "bfloat16"), gradient=False), sample(T((0,))), sample(T((5,), "bool")),
]  # fmt: skip


_SORT_REJECTS = [rejects(T((2, 3)), 2, argument="axis"), rejects(T((2,), "complex64"), argument="x")]


@op(samples=_SORTS, rejects=_SORT_REJECTS, reference=np.sort)
def sort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """The elements in ascending order along an axis, NaN last.

    Args:
        x: real numbers of any shape.
        axis: the axis; None for all elements in one dimension.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.sort([3, 1, 2]))
        array([1, 2, 3], dtype=int32)
    """
    x = flattened(real_only(x)) if axis is None else real_only(x)
    place = rules.axis_index(-1 if axis is None else axis, len(shape_of(x)))
    return cast(p.sort(count_bools(x), axis=place), dtype_of(x))


@op(
    samples=_SORTS,
    rejects=_SORT_REJECTS,
    reference=lambda x, axis=-1: np.argsort(x, axis, kind="stable"),
    differentiable=False,
)
def argsort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """The indices that sort the elements along an axis: ascending, equals in their order, NaN last.

    Args:
        x: real numbers of any shape.
        axis: the axis; None for all elements in one dimension.

    Returns:
        An int32 tensor.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.argsort([3, 1, 2]))
        array([1, 2, 0], dtype=int32)
    """
    x = flattened(real_only(x)) if axis is None else real_only(x)
    return p.argsort(count_bools(x), axis=rules.axis_index(-1 if axis is None else axis, len(shape_of(x))))


@op(
    samples=[
        sample(T((2, 5)), 2),
        sample(T((6,)), 0),
        sample(T((3, 4)), -1, 0),
        sample(values(2, 2, 1, 1, dtype="int32"), 1),
        sample(T((2, 3)), 4, None),
        sample(values(2.0, float("nan"), 2.0, 1.0), 1),
    ],
    rejects=[rejects(T((3,)), 3, argument="kth")],
    differentiable=False,
)
def argpartition(x: TensorLike, kth: int, axis: int | None = -1) -> Tensor:
    """Indices that put the `kth` smallest element in its place, smaller ones before and larger ones after.

    The elements on either side are in ascending order as well, which makes the result the same everywhere.

    Args:
        x: real numbers of any shape.
        kth: the place.
        axis: the axis; None for all elements in one dimension.

    Returns:
        An int32 tensor.

    Example:
        >>> import kerata
        >>> int(kerata.ops.argpartition([3, 1, 2], 0)[0])
        1
    """
    flat = flattened(real_only(x)) if axis is None else real_only(x)
    place = rules.axis_index(-1 if axis is None else axis, len(shape_of(flat)))
    rules.axis_index(kth, shape_of(flat)[place], "kth")
    return p.argsort(count_bools(flat), axis=place)


@op(
    samples=[
        sample(T((2, 5)), 2), sample(T((6,), "int32", 0, 3), 3), sample(T((4,)), 4, sorted=False),
        sample(T((2, 3, 4)), 1), sample(T((3,)), 0), sample(T((4,), "float16"), 2, gradient=False),
        sample(values(1.0, float("nan"), float("inf"), float("nan"), 0.0, -0.0), 4, gradient=False),
    ],
    rejects=[
        rejects(T((3,)), 4, argument="k"), rejects(T((3,)), -1, argument="k"), rejects(T(()), 1, argument="x"),
        rejects(T((2,), "complex64"), 1, argument="x"),
    ],
)  # fmt: skip
def top_k(x: TensorLike, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The `k` largest elements along the last axis, and where they are.

    Args:
        x: real numbers.
        k: how many.
        sorted: accepted for compatibility; the elements are always in descending order, of equals the first first.

    Returns:
        A pair: the values, and their int32 indices.

    Example:
        >>> import kerata
        >>> [kerata.ops.convert_to_numpy(v).tolist() for v in kerata.ops.top_k([1, 5, 3], 2)]
        [[5, 3], [1, 2]]
    """
    shape = shape_of(real_only(x))
    if not shape:
        raise ArgumentError("x", expected="a tensor with at least one dimension", got=x)
    most = rules.integer_of(k)
    if most is None or most < 0 or (rules.known(shape[-1]) and most > shape[-1]):
        raise ArgumentError("k", expected=f"an integer in [0, {shape[-1]}]", got=k)
    found, places = p.top_k(count_bools(x), k=most)
    return cast(found, dtype_of(x)), places


@op(
    samples=[
        sample(values(1, 0, dtype="int32"), T((2, 4)), 2),
        sample(values(0, 1, 9, dtype="int32"), values([[1.0, 1.0, 0.0], [0.0, float("nan"), 1.0], [0.0, 1.0, 2.0]]), 1),
        sample(values(0, 2, dtype="int32"), T((2, 3)), 3), sample(values(-1, 1, dtype="int32"), T((2, 3)), 1),
        sample(T((0,), "int32"), T((0, 3)), 1), sample(values(1, 0, dtype="int64"), T((2, 3), "bool"), 2),
        sample(values(-1, 3, dtype="int32"), T((2, 3)), 3),
    ],
    rejects=[
        rejects(T((2,)), T((2, 3)), 1, argument="targets"),
        rejects(values(0, dtype="int32"), T((2, 3)), 1, argument="targets"),
        rejects(values(0, 0, dtype="int32"), T((2, 0)), 1, argument="targets"),
    ],
    differentiable=False,
)  # fmt: skip
def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> Tensor:
    """Whether each target class is among the `k` highest predictions; classes tied with the last count.

    Args:
        targets: integers of shape `(batch,)`.
        predictions: floats of shape `(batch, classes)`.
        k: how many.

    Returns:
        A bool tensor of shape `(batch,)`; False where the target or its prediction is out of range or not finite.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.in_top_k([1, 0], [[0.1, 0.9], [0.2, 0.8]], 1))
        array([ True, False])
    """
    predictions = count_bools(real_only(predictions, "predictions"))
    places, shape = index_tensor(targets, "targets"), shape_of(predictions)
    most = checks.integer("k", k)
    if len(shape) != 2:
        raise ArgumentError("predictions", expected="a tensor of shape (batch, classes)", got=predictions)
    if len(shape_of(places)) != 1 or builtins.any(
        rules.differ(a, b) for a, b in zip(shape_of(places), shape, strict=False)
    ):
        raise ArgumentError("targets", expected=f"of shape ({shape[0]},)", got=targets)
    check_not_empty("targets", shape[1], places)
    wanted = p.take_along_axis(
        predictions, p.reshape(in_range(places, shape[1]), shape=(shape[0], 1)), axis=1
    )
    better = p.sum(cast(p.gt(predictions, wanted), "int32"), axis=(1,), keepdims=False)
    valid = p.logical_and(p.ge(places, 0), p.lt(places, shape[1]))
    finite = (
        p.reshape(p.isfinite(wanted), shape=(shape[0],)) if dtypes.is_float(dtype_of(predictions)) else valid
    )
    return p.logical_and(p.lt(better, most), p.logical_and(valid, finite))


def _search(sequence: Any, wanted: Any, side: str, argument: str) -> Tensor:
    if len(shape_of(sequence)) != 1:
        raise ArgumentError(argument, expected="a tensor with one dimension", got=sequence)
    a, b = promote(count_bools(real_only(sequence, argument)), count_bools(real_only(wanted, "values")))
    if not dtypes.is_float(dtype_of(a)):
        return p.searchsorted(a, b, side=side)
    # NaN comes after all numbers, which engines do not agree on.
    nan = p.isnan(a)
    found = p.searchsorted(p.where(nan, math.inf, a), p.where(p.isnan(b), 0, b), side=side)
    every = p.sum(cast(p.eq(nan, nan), "int32"), axis=(0,), keepdims=False)
    real = p.sum(cast(p.logical_not(nan), "int32"), axis=(0,), keepdims=False)
    return p.where(p.isnan(b), every if side == "right" else real, p.minimum(found, real))


@op(
    samples=[
        sample(values(1.0, 2.0, 2.0, 3.0), values(0.0, 2.0, 2.5, 9.0)),
        sample(values(1.0, 2.0, 2.0), values([[2.0], [1.0]]), side="right"), sample(values(1, 3, dtype="int32"), 2),
        sample(T((0,)), T((2,))),
        sample(values(1.0, 2.0, dtype="float64"), values(1.5, float("nan"), float("inf"), dtype="float64")),
        sample(values(1.0, float("nan"), float("nan")), values(0.0, float("nan"), 2.0)),
        sample(values(1.0, float("nan")), values(5.0, float("nan")), side="right"),
    ],
    rejects=[rejects(T((2, 2)), T((2,)), argument="sorted_sequence"), rejects(T((2,)), T((2,)), "middle", argument="side")],
    reference=np.searchsorted, differentiable=False,
)  # fmt: skip
def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Tensor:
    """Where values would have to be put into a sorted sequence to keep it sorted.

    Args:
        sorted_sequence: ascending numbers in one dimension.
        values: numbers of any shape.
        side: whether to go before ("left") or after ("right") equal numbers.

    Returns:
        An int32 tensor of the shape of `values`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.searchsorted([1, 3, 5], [3, 4]))
        array([1, 2], dtype=int32)
    """
    if side not in ("left", "right"):
        raise ArgumentError("side", expected="'left' or 'right'", got=side)
    return _search(sorted_sequence, values, side, "sorted_sequence")


def _check_ascending(x: Any, bins: Any) -> None:
    """As far as values are known."""
    if isinstance(bins, (list, tuple, np.ndarray)):
        edges = convert_to_numpy(bins)
        if edges.ndim == 1 and edges.dtype.kind in "fiu" and (edges[1:] < edges[:-1]).any():
            raise ArgumentError("bins", expected="edges that ascend", got=bins)


@op(
    precheck=_check_ascending,
    samples=[
        sample(T((2, 3)), values(-1.0, 0.0, 1.0)),
        sample(values(1.0, 2.0), [1.0, 2.0]),
        sample(values(3, 1, 2, dtype="int32"), values(1, 2, dtype="int32")),
        sample(T((2,)), T((0,))),
        sample(values(float("nan"), float("inf"), float("-inf")), values(0.0, 1.0)),
        sample(values(float("nan"), 1.0, 2.0), values(1, 2, dtype="int32")),
    ],
    rejects=[rejects(T((2,)), T((2, 2)), argument="bins"), rejects(T((2,)), [1, 3, 2], argument="bins")],
    reference=np.digitize,
    differentiable=False,
)
def digitize(x: TensorLike, bins: TensorLike) -> Tensor:
    """The bin of each number: how many edges are not above it.

    Args:
        x: numbers of any shape.
        bins: ascending edges in one dimension.

    Returns:
        An int32 tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.digitize([0.5, 1.5], [0.0, 1.0]))
        array([1, 2], dtype=int32)
    """
    if not isinstance(bins, KerasTensor) and engine_of(bins).is_concrete(bins):
        _check_ascending(x, convert_to_numpy(bins))
    return _search(bins, x, "right", "bins")
