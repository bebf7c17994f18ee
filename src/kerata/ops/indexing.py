"""Reading and writing by index, sorting, searching and counting.

Indices: negative ones count from the end. Python integers out of range, alone or in lists, are refused, for they are
known before anything runs. Of tensors and arrays, what is out of range becomes the nearest index that is not, on every
engine, eager and compiled.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata.core import dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, engine_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values
from kerata.core.tensor import KerasTensor

from .core import cast
from .creation import range_tensor
from .elementwise import constant, count_bools, here, promote, real_only
from .reduction import flattened
from .subscript import check_known_indices, check_not_empty, in_range, index_tensor, known_values

TensorLike = Any
Tensor = Any


# ---- reading -------------------------------------------------------------------------------------


def _size_along(x: Any, axis: int | None) -> Any:
    """The size that indices along an axis refer to; of all elements, where there is no axis."""
    shape = shape_of(x)
    if axis is not None:
        return shape[rules.axis_index(axis, len(shape))]
    return math.prod(shape) if builtins.all(map(rules.known, shape)) else None


def _check_given(x: Any, indices: Any, axis: int | None = None) -> None:
    if isinstance(indices, (int, list, tuple)):
        check_known_indices("indices", indices, _size_along(x, axis))


def _check_places(indices: Any, shape: Sequence[Any]) -> None:
    """Of lists of shape (..., depth): each column is in the range of its own dimension."""
    if isinstance(indices, (list, tuple)):
        table = np.asarray(indices)
        if table.dtype.kind == "i" and table.ndim and table.shape[-1] <= len(shape):
            for i, size in enumerate(shape[: table.shape[-1]]):
                check_known_indices("indices", table[..., i].ravel().tolist(), size)


@op(
    precheck=_check_given,
    samples=[
        sample(T((5,)), values(0, 2, 4, dtype="int32")), sample(T((3, 4)), values(1, -1, dtype="int32"), axis=1), sample(T((3, 4)), 5),
        sample(T((3, 4)), values([[0, 1], [2, 2]], dtype="int64"), axis=0), sample(T((3,)), values(7, -9, dtype="int32")), sample(T((2, 3)), [0, 1], -1),
        sample(T((3,), "int32"), values(0, dtype="uint8")), sample(T((3, 2)), T((0,), "int32"), 0),
    ],
    rejects=[rejects(T((3,)), 0.5, argument="indices"), rejects(T((3,)), 0, 1, argument="axis"), rejects(T((0,)), [0], argument="indices"), rejects(T((3,)), 3, argument="indices"), rejects(T((2, 3)), [0, -3], 0, argument="indices")],
)  # fmt: skip
def take(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """Elements along an axis, by index.

    Args:
        x: any tensor.
        indices: integers of any shape. Negative ones count from the end. Python integers out of range are
            refused; in tensors, what is out of range becomes the nearest index that is not.
        axis: the axis; None for all elements in one dimension.

    Returns:
        A tensor in which the shape of `indices` stands in the place of the axis.

    Raises:
        ArgumentError: the indices are not integers, are known and out of range, or there is nothing to take.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.take([10, 20, 30], [2, 0, -1]))
        array([30, 10, 30], dtype=int32)
    """
    x = flattened(x) if axis is None else x
    place = rules.axis_index(0 if axis is None else axis, len(shape_of(x)))
    size = shape_of(x)[place]
    check_not_empty("indices", size, indices)
    return p.take(x, in_range(index_tensor(indices), size), axis=place)


@op(
    precheck=_check_given,
    samples=[
        sample(T((3, 4)), values([[0, 3], [1, 1], [-1, 2]], dtype="int32"), axis=1), sample(T((3, 4)), values([[0, 1, 2, 9]], dtype="int32"), 0),
        sample(T((2, 3)), values(5, 0, dtype="int64")), sample(T((2, 1, 3)), T((2, 4, 1), "int32", 0, 2), axis=-1),
    sample(T((0, 3)), T((0, 2), "int32", low=0, high=2), 1), sample(T((2, 3), "bool"), values([[-9, 9]], dtype="int32"), 1)],
    rejects=[rejects(T((3, 4)), values(0, dtype="int32"), 1, argument="indices"), rejects(T((3,)), T((3,)), 0, argument="indices"), rejects(T((3,)), [0, 3], 0, argument="indices"), rejects(T((0,)), values(0, dtype="int32"), 0, argument="indices")],
)  # fmt: skip
def take_along_axis(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """Elements along an axis, by an index for each place of the other axes.

    Args:
        x: any tensor.
        indices: integers, with as many dimensions as `x`; the other axes broadcast. Negative ones count
            from the end; of those out of range, see `take`.
        axis: the axis; None for all elements in one dimension.

    Returns:
        A tensor of the shape of `indices` (broadcast).

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.take_along_axis([[10, 20], [30, 40]], [[1], [0]], 1))
        array([[20],
               [30]], dtype=int32)
    """
    indices = index_tensor(indices)
    if axis is None:
        x, indices = flattened(x), flattened(indices)
    shape, have = shape_of(x), shape_of(indices)
    place = rules.axis_index(0 if axis is None else axis, len(shape))
    if len(have) != len(shape):
        raise ArgumentError("indices", expected=f"with {len(shape)} dimensions, as many as `x`", got=indices)
    check_not_empty("indices", shape[place], indices)
    try:
        common = rules.broadcast_two(_without(shape, place), _without(have, place))
    except ArgumentError:
        raise ArgumentError(
            "indices", expected=f"of a shape that broadcasts with {shape}, except along the axis", got=indices
        ) from None
    x = p.broadcast_to(x, shape=_with(common, place, shape[place]))
    indices = p.broadcast_to(indices, shape=_with(common, place, have[place]))
    return p.take_along_axis(x, in_range(indices, shape[place]), axis=place)


def _without(shape: Sequence[Any], axis: int) -> tuple[Any, ...]:
    return (*shape[:axis], 1, *shape[axis + 1 :])


def _with(shape: Sequence[Any], axis: int, size: Any) -> tuple[Any, ...]:
    return (*shape[:axis], size, *shape[axis + 1 :])


# ---- slices at places known only at run time -----------------------------------------------------


def _starts(start_indices: Any, ndim: int) -> Any:
    """A tuple of integers, or an int32 tensor of shape (ndim,)."""
    items = list(start_indices) if isinstance(start_indices, (list, tuple)) else None
    if isinstance(start_indices, str) or (items and builtins.any(isinstance(i, (str, bool)) for i in items)):
        raise ArgumentError("start_indices", expected="integers", got=start_indices)
    if items is not None and builtins.all(isinstance(i, (int, np.integer)) for i in items):
        starts: Any = tuple(int(i) for i in items)
        count = len(starts)
    else:
        if items is not None:
            starts = p.concatenate(
                tuple(p.reshape(cast(here(i), "int32"), shape=(1,)) for i in items), axis=0
            )
        else:
            starts = cast(index_tensor(here(start_indices), "start_indices"), "int32")
        count = shape_of(starts)[0] if len(shape_of(starts)) == 1 else -1
    if count != ndim:
        raise ArgumentError(
            "start_indices", expected=f"{ndim} integers, one for each dimension", got=start_indices
        )
    return starts


@op(
    samples=[
        sample(T((4, 5)), (1, 2), (2, 3)), sample(T((4, 5)), values(1, 2, dtype="int32"), (2, 3)), sample(T((4,)), (9,), (2,)), sample(T((4,)), values(-9, dtype="int32"), (2,)),
        sample(T((3, 2), "int32"), (0, 0), (3, 2)), sample(T((3, 4)), values(9, -9, dtype="int64"), (2, 2)), sample(T(()), (), ())],
    rejects=[rejects(T((4, 5)), (1,), (2, 3), argument="start_indices"), rejects(T((4,)), (0,), (5,), argument="shape"), rejects(T((4,)), (0,), (2, 2), argument="shape")],
)  # fmt: skip
def slice(inputs: TensorLike, start_indices: Any, shape: Any) -> Tensor:
    """A box of a tensor, at a place that may be known only at run time.

    Args:
        inputs: any tensor.
        start_indices: where the box begins: an integer for each dimension, or an integer tensor. A start is
            moved so that the box lies inside the tensor.
        shape: sizes of the box.

    Raises:
        ArgumentError: the box is larger than the tensor.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.slice([1, 2, 3, 4], (1,), (2,)))
        array([2, 3], dtype=int32)
    """
    have, sizes = shape_of(inputs), rules.as_shape(shape)
    if len(sizes) != len(have) or builtins.any(
        type(n) is int and (n < 0 or (rules.known(d) and rules.known(n) and n > d))
        for n, d in zip(sizes, have, strict=True)
    ):
        raise ArgumentError("shape", expected=f"sizes within the shape {have} of the input", got=shape)
    starts = _starts(start_indices, len(have))
    if isinstance(starts, tuple) and builtins.all(map(rules.known, have)):
        starts = tuple(min(max(s, 0), d - n) for s, d, n in zip(starts, have, sizes, strict=True))
        limits = tuple(s + n for s, n in zip(starts, sizes, strict=True))
        return p.slice(inputs, starts=starts, limits=limits, strides=(1,) * len(have))
    return p.dynamic_slice(
        inputs, constant(starts, "int32") if isinstance(starts, tuple) else starts, sizes=sizes
    )


@op(
    samples=[
        sample(T((4, 5)), (1, 2), T((2, 3))), sample(T((4,)), values(3, dtype="int32"), T((2,))), sample(T((3,), "int32"), (0,), T((2,), "int32")),
        sample(T((4, 5)), values(1, 2, dtype="int64"), T((2, 3))),
    sample(T((0, 2)), (0, 0), T((0, 1))), sample(T(()), (), T(())), sample(T((3,), "bool"), values(-5, dtype="int32"), T((2,)))],
    rejects=[rejects(T((4, 5)), (1,), T((2, 3)), argument="start_indices"), rejects(T((4,)), (0,), T((5,)), argument="updates")],
)  # fmt: skip
def slice_update(inputs: TensorLike, start_indices: Any, updates: TensorLike) -> Tensor:
    """A tensor in which a box has other values.

    Args:
        inputs: any tensor.
        start_indices: where the box begins: an integer for each dimension, or an integer tensor. A start is
            moved so that the box lies inside the tensor.
        updates: the new values; their shape is that of the box, their dtype becomes that of `inputs`.

    Raises:
        ArgumentError: the box is larger than the tensor.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.slice_update([1, 2, 3, 4], (1,), [7, 8]))
        array([1, 7, 8, 4], dtype=int32)
    """
    have, sizes = shape_of(inputs), shape_of(updates)
    if len(sizes) != len(have) or builtins.any(
        rules.known(n) and rules.known(d) and n > d for n, d in zip(sizes, have, strict=True)
    ):
        raise ArgumentError("updates", expected=f"of sizes within the shape {have} of the input", got=updates)
    starts = _starts(start_indices, len(have))
    starts = constant(starts, "int32") if isinstance(starts, tuple) else starts
    return p.dynamic_update_slice(inputs, cast(updates, dtype_of(inputs)), starts)


# ---- writing -------------------------------------------------------------------------------------


def _flat_indices(indices: Any, shape: tuple[Any, ...]) -> Tensor:
    """(n, depth) indices in range, each column in its own dimension."""
    indices = index_tensor(indices)
    have = shape_of(indices)
    if not have or not rules.known(have[-1]) or not 1 <= have[-1] <= len(shape):
        raise ArgumentError(
            "indices", expected=f"of shape (..., depth) with a depth in [1, {len(shape)}]", got=indices
        )
    depth = have[-1]
    columns = []
    for i in range(depth):
        column = p.slice(
            indices,
            starts=(0,) * (len(have) - 1) + (i,),
            limits=(*have[:-1], i + 1),
            strides=(1,) * len(have),
        )
        columns.append(in_range(column, shape[i]))
    whole = p.concatenate(tuple(columns), axis=len(have) - 1) if depth > 1 else columns[0]
    count: Any = 1
    for d in have[:-1]:
        count = count * d
    return p.reshape(whole, shape=(count, depth))


def _rows(updates: Tensor, indices: Tensor, shape: tuple[Any, ...], argument: str) -> Tensor:
    """Updates of shape (..., rest) as (n, rest)."""
    lead, depth = shape_of(indices)[:-1], shape_of(indices)[-1]
    want, have = (*lead, *shape[depth:]), shape_of(updates)
    if len(have) != len(want) or builtins.any(rules.differ(a, b) for a, b in zip(have, want, strict=True)):
        raise ArgumentError(argument, expected=f"of shape {tuple(want)}", got=updates)
    count: Any = 1
    for d in lead:
        count = count * d
    return p.reshape(updates, shape=(count, *shape[depth:]))


def _check_scatter(indices: Any, values: Any, shape: Any) -> None:
    _check_places(indices, rules.as_shape(shape))


@op(
    precheck=_check_scatter,
    samples=[
        sample(values([[0, 1], [2, 0]], dtype="int32"), T((2,)), (3, 2)), sample(values([[1], [1]], dtype="int32"), T((2, 4)), (3, 4)),
        sample(values([[0], [-1]], dtype="int64"), T((2,), "int32"), (3,)),
    sample(T((0, 1), "int32"), T((0, 2)), (3, 2)), sample(values([0], [0], dtype="int32"), values(2.0, 3.0, dtype="float64"), (2,)), sample(values([[[0, 9]], [[-1, 0]]], dtype="int32"), T((2, 1)), (2, 3)), sample([[0], [0]], T((2,), "bool"), (2,))],
    rejects=[rejects([[3]], T((1,)), (3,), argument="indices"), rejects(values([[0]], dtype="int32"), T((2,)), (3,), argument="values"), rejects(values([[0, 0]], dtype="int32"), T((1,)), (3,), argument="indices")],
)  # fmt: skip
def scatter(indices: TensorLike, values: TensorLike, shape: Any) -> Tensor:
    """Values added into a tensor of zeros, by index.

    Args:
        indices: integers of shape `(..., depth)`: each last axis is a place in the first `depth` dimensions.
        values: of shape `(..., rest)`. Those of equal places add up.
        shape: shape of the result.

    Returns:
        A tensor of the dtype of `values`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.scatter([[0], [2]], [5, 6], (3,)))
        array([5, 0, 6], dtype=int32)
    """
    sizes = rules.as_shape(shape)
    flat = _flat_indices(indices, sizes)
    rows = _rows(values, indices, sizes, "values")
    name = dtype_of(values)
    if name == "bool":
        return cast(p.scatter(_zeros(sizes, "int32"), flat, cast(rows, "int32"), mode="max"), "bool")
    return p.scatter(_zeros(sizes, name), flat, rows, mode="add")


def _zeros(shape: Any, name: str) -> Tensor:
    return p.broadcast_to(constant(0, name), shape=shape)


_REDUCTIONS = {None: "set", "add": "add", "max": "max", "min": "min", "mul": "mul"}


def _check_scatter_update(inputs: Any, indices: Any, updates: Any, reduction: Any = None) -> None:
    _check_places(indices, shape_of(inputs))


@op(
    precheck=_check_scatter_update,
    samples=[
        sample(T((3, 2)), values([[0, 1], [2, 0]], dtype="int32"), T((2,))), sample(T((4,)), values([[1], [1]], dtype="int32"), T((2,)), reduction="add"),
        sample(T((4, 2)), values([[1], [3]], dtype="int32"), T((2, 2))), sample(T((4,)), values([[0], [2]], dtype="int32"), T((2,)), "max"),
        sample(T((4,)), values([[0], [2]], dtype="int32"), T((2,)), "min"), sample(T((4,)), values([[0], [0]], dtype="int32"), T((2,), low=0.5), "mul"),
        sample(T((3,), "bool"), values([[0]], dtype="int32"), T((1,), "bool")), sample(values(float("nan"), 1.0, 2.0), values([[0], [1]], dtype="int32"), values(1.0, float("nan")), "max", gradient=False), sample(T((3,), "uint32"), values([[0], [0]], dtype="int32"), T((2,), "uint32"), "min"), sample(values(0.0, 2.0, 3.0), values([[0], [1], [1]], dtype="int32"), values(5.0, 0.0, 4.0), "mul"), sample(T((3, 2)), values([[1], [1]], dtype="int32"), T((2, 2)))],
    rejects=[
        rejects(T((3,)), values([[0]], dtype="int32"), T((2,)), argument="updates"), rejects(T((3,)), values([[0]], dtype="int32"), T((1,)), "sum", argument="reduction"),
        rejects(T((3,)), values([[0, 0]], dtype="int32"), T((1,)), argument="indices"), rejects(T((3,)), [[-4]], T((1,)), argument="indices"),
    ],
)  # fmt: skip
def scatter_update(
    inputs: TensorLike, indices: TensorLike, updates: TensorLike, reduction: str | None = None
) -> Tensor:
    """A tensor with other values at some places.

    Args:
        inputs: any tensor.
        indices: integers of shape `(..., depth)`: each last axis is a place in the first `depth` dimensions.
        updates: of shape `(..., rest)`; their dtype becomes that of `inputs`.
        reduction: None replaces (of equal places, the last wins); "add", "max", "min" and "mul" combine.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.scatter_update([1, 2, 3], [[0], [2]], [7, 8]))
        array([7, 2, 8], dtype=int32)
    """
    if reduction not in _REDUCTIONS:
        raise ArgumentError("reduction", expected='None, "add", "max", "min" or "mul"', got=reduction)
    if reduction in ("max", "min"):
        real_only(inputs, "inputs")
    shape, name = shape_of(inputs), dtype_of(inputs)
    flat = _flat_indices(indices, shape)
    rows = _rows(cast(updates, name), indices, shape, "updates")
    if name == "bool":
        return cast(
            p.scatter(cast(inputs, "int32"), flat, cast(rows, "int32"), mode=_REDUCTIONS[reduction]), "bool"
        )
    return p.scatter(inputs, flat, rows, mode=_REDUCTIONS[reduction])


# ---- segments ------------------------------------------------------------------------------------


def _segments(data: Any, segment_ids: Any, num_segments: Any, mode: str, start: Any) -> Tensor:
    """Rows combined by their segment; ids out of range fall into a last row, which is cut off."""
    ids, shape = index_tensor(segment_ids, "segment_ids"), shape_of(data)
    if len(shape_of(ids)) != 1 or not shape or rules.differ(shape_of(ids)[0], shape[0]):
        raise ArgumentError(
            "segment_ids",
            expected=f"of shape ({shape[0] if shape else 'n'},), one for each row of `data`",
            got=segment_ids,
        )
    if num_segments is None:
        found = known_values(
            ids,
            "num_segments",
            "the number of segments, which must be given in a compiled function or a model",
        )
        num_segments = int(found.max()) + 1 if found.size else 0
    if (
        isinstance(num_segments, bool)
        or not hasattr(num_segments, "__index__")
        or num_segments.__index__() < 0
    ):
        raise ArgumentError("num_segments", expected="an integer that is not negative", got=num_segments)
    n = num_segments.__index__()
    data = count_bools(data)
    name = dtype_of(data)
    outside = p.logical_or(p.lt(ids, 0), p.ge(ids, n))
    places = p.reshape(p.where(outside, n, ids), shape=(shape[0], 1))
    target = p.broadcast_to(constant(start(name), name), shape=(n + 1, *shape[1:]))
    full = p.scatter(target, places, data, mode=mode)
    return p.slice(full, starts=(0,) * len(shape), limits=(n, *shape[1:]), strides=(1,) * len(shape))


def _lowest(name: str) -> Any:
    return -float("inf") if dtypes.is_float(name) else int(dtypes.iinfo(name).min)


def _highest(name: str) -> Any:
    return float("inf") if dtypes.is_float(name) else int(dtypes.iinfo(name).max)


_IDS = values(0, 1, 0, 1, dtype="int32")
_SEGMENTS = [
    sample(T((4,)), _IDS), sample(T((4, 3)), _IDS, num_segments=2), sample(T((4,), "int32"), _IDS, 4),
    sample(T((4,)), values(0, -1, 5, 1, dtype="int32"), 2), sample(T((4,)), values(0, 2, 0, 2, dtype="int32"), gradient=False),
    sample(values(float("nan"), 1.0, 2.0), values(0, 0, 1, dtype="int32"), 2, gradient=False), sample(T((0, 2)), T((0,), "int32"), 2, gradient=False), sample(values(0.0, 0.0, 3.0, 2.0), values(0, 0, 1, 1, dtype="int32"), 2, gradient=False),
]  # fmt: skip
_SEGMENT_REJECTS = [
    rejects(T((4,)), T((3,), "int32"), argument="segment_ids"), rejects(T((4,)), T((4,)), argument="segment_ids"), rejects(T((4,)), _IDS, -1, argument="num_segments"),
]  # fmt: skip


@op(needs_values=True, samples=_SEGMENTS, rejects=_SEGMENT_REJECTS)
def segment_sum(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The sums of the rows of each segment.

    Args:
        data: rows along the first axis.
        segment_ids: the segment of each row. Rows of segments out of range are left out.
        num_segments: how many segments; one more than the largest id where not given and ids are known.
        sorted: whether the ids are sorted: a hint that some engines can use.

    Returns:
        A tensor with a row for each segment; 0 for segments without rows.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.segment_sum([1, 2, 3], [0, 1, 0]))
        array([4, 2], dtype=int32)
    """
    return _segments(data, segment_ids, num_segments, "add", lambda name: 0)


@op(needs_values=True, samples=_SEGMENTS, rejects=_SEGMENT_REJECTS)
def segment_prod(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The products of the rows of each segment; 1 for segments without rows. Arguments as in `segment_sum`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.segment_prod([1, 2, 3], [0, 1, 0]))
        array([3, 2], dtype=int32)
    """
    return _segments(data, segment_ids, num_segments, "mul", lambda name: 1)


@op(needs_values=True, samples=_SEGMENTS, rejects=_SEGMENT_REJECTS)
def segment_max(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The maxima of the rows of each segment; the lowest number of the dtype (minus infinity) for segments
    without rows. Arguments as in `segment_sum`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.segment_max([1, 2, 3], [0, 1, 0]))
        array([3, 2], dtype=int32)
    """
    return _segments(real_only(data, "data"), segment_ids, num_segments, "max", _lowest)


@op(needs_values=True, samples=_SEGMENTS, rejects=_SEGMENT_REJECTS)
def segment_min(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The minima of the rows of each segment; the highest number of the dtype (infinity) for segments
    without rows. Arguments as in `segment_sum`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.segment_min([1, 2, 3], [0, 1, 0]))
        array([1, 2], dtype=int32)
    """
    return _segments(real_only(data, "data"), segment_ids, num_segments, "min", _highest)


# ---- classes -------------------------------------------------------------------------------------


def _classes(num_classes: Any) -> int:
    if isinstance(num_classes, bool) or not hasattr(num_classes, "__index__") or num_classes.__index__() < 0:
        raise ArgumentError("num_classes", expected="an integer that is not negative", got=num_classes)
    return num_classes.__index__()


def _hot(x: Any, num_classes: int, axis: Any, name: str) -> Tensor:
    shape = shape_of(x)
    place = rules.axis_index(axis, len(shape) + 1)
    column = p.reshape(x, shape=(*shape[:place], 1, *shape[place:]))
    line = p.reshape(
        range_tensor(num_classes, dtype_of(x)),
        shape=tuple(num_classes if i == place else 1 for i in range(len(shape) + 1)),
    )
    return cast(p.eq(column, line), name)


@op(
    samples=[
        sample(values(0, 2, 1, dtype="int32"), 3), sample(values([[0], [4]], dtype="int64"), 3, axis=1), sample(values(-1, 3, dtype="int32"), 3, dtype="int32"),
        sample(2, 4), sample(values(0, 1, dtype="int32"), 2, axis=0, dtype="bool"), sample(values(0, 1, dtype="uint8"), 300),
    ],
    rejects=[rejects(T((2,)), 3, argument="x"), rejects(values(0, dtype="int32"), -1, argument="num_classes"), rejects(values(0, dtype="int32"), 3, axis=3, argument="axis")],
    differentiable=False,
)  # fmt: skip
def one_hot(
    x: TensorLike, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Tensor:
    """Classes as vectors with a one in their place and zeros elsewhere.

    Args:
        x: integers; what is not in `[0, num_classes)` gives zeros only.
        num_classes: size of the vectors.
        axis: place of the new axis in the result.
        dtype: dtype of the result; `floatx()` where not given.
        sparse: accepted for compatibility; the result is dense.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.one_hot([0, 2], 3))
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    return _hot(index_tensor(x, "x"), _classes(num_classes), axis, dtypes.standardize(dtype))


@op(
    samples=[sample(values([[0, 2], [1, 1]], dtype="int32"), 3), sample(values(0, 2, dtype="int32"), num_classes=4), sample(values([[0, -1]], dtype="int32"), 3, dtype="int32"), sample(values([5, 1], dtype="int32"), 3), sample(T((0, 2), "int32", low=0, high=3), 3), sample(values([[[0], [9]]], dtype="uint8"), 3, dtype="bool")],
    rejects=[rejects(T((2,)), 3, argument="inputs"), rejects(values(0, dtype="int32"), None, argument="num_classes")],
    differentiable=False,
)  # fmt: skip
def multi_hot(
    inputs: TensorLike,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Tensor:
    """Sets of classes as vectors with a one in the place of each.

    Args:
        inputs: integers of shape `(classes,)` or `(batch, classes, ...)`; what is not in
            `[0, num_classes)` is left out.
        num_classes: size of the vectors.
        axis: place of their axis before the axis of classes is reduced.
        dtype: dtype of the result; `floatx()` where not given.
        sparse: accepted for compatibility; the result is dense.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.multi_hot([0, 2], 3))
        array([1., 0., 1.], dtype=float32)
    """
    size = _classes(kwargs.get("num_tokens") if num_classes is None else num_classes)
    hot = _hot(index_tensor(inputs, "inputs"), size, axis, "bool")
    return cast(
        p.any(hot, axis=(1 if len(shape_of(inputs)) > 1 else 0,), keepdims=False), dtypes.standardize(dtype)
    )


# ---- sorting and searching -----------------------------------------------------------------------

_SORTS = [
    sample(T((2, 5))), sample(T((3, 4)), 0), sample(T((6,), "int32", -3, 3)), sample(values(3.0, float("nan"), 1.0, float("-inf"), 3.0), gradient=False), sample(T((2, 3)), None),
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
    samples=[sample(T((2, 5)), 2), sample(T((6,), "int32", 0, 3), 3), sample(T((4,)), 4, sorted=False), sample(T((2, 3, 4)), 1), sample(T((3,)), 0), sample(T((4,), "float16"), 2, gradient=False), sample(values(1.0, float("nan"), float("inf"), float("nan"), 0.0, -0.0), 4, gradient=False)],
    rejects=[rejects(T((3,)), 4, argument="k"), rejects(T((3,)), -1, argument="k"), rejects(T(()), 1, argument="x"), rejects(T((2,), "complex64"), 1, argument="x")],
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
    if (
        isinstance(k, bool)
        or not hasattr(k, "__index__")
        or k.__index__() < 0
        or (rules.known(shape[-1]) and k > shape[-1])
    ):
        raise ArgumentError("k", expected=f"an integer in [0, {shape[-1]}]", got=k)
    found, places = p.top_k(count_bools(x), k=k.__index__())
    return cast(found, dtype_of(x)), places


@op(
    samples=[sample(values(1, 0, dtype="int32"), T((2, 4)), 2), sample(values(0, 1, 9, dtype="int32"), values([[1.0, 1.0, 0.0], [0.0, float("nan"), 1.0], [0.0, 1.0, 2.0]]), 1), sample(values(0, 2, dtype="int32"), T((2, 3)), 3), sample(values(-1, 1, dtype="int32"), T((2, 3)), 1), sample(T((0,), "int32"), T((0, 3)), 1), sample(values(1, 0, dtype="int64"), T((2, 3), "bool"), 2), sample(values(-1, 3, dtype="int32"), T((2, 3)), 3)],
    rejects=[rejects(T((2,)), T((2, 3)), 1, argument="targets"), rejects(values(0, dtype="int32"), T((2, 3)), 1, argument="targets")],
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
    if isinstance(k, bool) or not hasattr(k, "__index__"):
        raise ArgumentError("k", expected="an integer", got=k)
    if len(shape) != 2:
        raise ArgumentError("predictions", expected="a tensor of shape (batch, classes)", got=predictions)
    if len(shape_of(places)) != 1 or builtins.any(
        rules.differ(a, b) for a, b in zip(shape_of(places), shape, strict=False)
    ):
        raise ArgumentError("targets", expected=f"of shape ({shape[0]},)", got=targets)
    wanted = p.take_along_axis(
        predictions, p.reshape(in_range(places, shape[1]), shape=(shape[0], 1)), axis=1
    )
    better = p.sum(cast(p.gt(predictions, wanted), "int32"), axis=(1,), keepdims=False)
    valid = p.logical_and(p.ge(places, 0), p.lt(places, shape[1]))
    finite = (
        p.reshape(p.isfinite(wanted), shape=(shape[0],)) if dtypes.is_float(dtype_of(predictions)) else valid
    )
    return p.logical_and(p.lt(better, k.__index__()), p.logical_and(valid, finite))


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
    samples=[sample(values(1.0, 2.0, 2.0, 3.0), values(0.0, 2.0, 2.5, 9.0)), sample(values(1.0, 2.0, 2.0), values([[2.0], [1.0]]), side="right"), sample(values(1, 3, dtype="int32"), 2), sample(T((0,)), T((2,))), sample(values(1.0, 2.0, dtype="float64"), values(1.5, float("nan"), float("inf"), dtype="float64")), sample(values(1.0, float("nan"), float("nan")), values(0.0, float("nan"), 2.0)), sample(values(1.0, float("nan")), values(5.0, float("nan")), side="right")],
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


@op(
    samples=[
        sample(T((2, 3)), values(-1.0, 0.0, 1.0)),
        sample(values(1.0, 2.0), [1.0, 2.0]),
        sample(values(3, 1, 2, dtype="int32"), values(1, 2, dtype="int32")),
        sample(T((2,)), T((0,))),
        sample(values(float("nan"), float("inf"), float("-inf")), values(0.0, 1.0)),
        sample(values(float("nan"), 1.0, 2.0), values(1, 2, dtype="int32")),
    ],
    rejects=[rejects(T((2,)), T((2, 2)), argument="bins")],
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
    return _search(bins, x, "right", "bins")


# ---- counting ------------------------------------------------------------------------------------


def _concrete(x: Any) -> bool:
    return not isinstance(x, KerasTensor) and engine_of(x).is_concrete(x)


@op(
    needs_values=True,
    samples=[sample(values(0, 1, 1, 4, dtype="int32")), sample(values(1, 1, dtype="int32"), minlength=5), sample(values(0, 1, 1, dtype="int32"), T((3,))), sample(values([[0, 1], [2, 2]], dtype="int32")), sample(T((0,), "int32"), minlength=2), sample(values(-1, 2, dtype="int32"), minlength=3)],
    rejects=[rejects(T((2,)), argument="x"), rejects(T((2, 2, 2), "int32", 0, 2), argument="x"), rejects(values(0, dtype="int32"), T((2,)), argument="weights")],
)  # fmt: skip
def bincount(x: TensorLike, weights: TensorLike = None, minlength: int = 0, sparse: bool = False) -> Tensor:
    """How often each integer occurs.

    Args:
        x: integers that are not negative, of shape `(n,)` or `(batch, n)`. Negative ones are left out.
        weights: what each occurrence counts, of the shape of `x`; 1 where not given.
        minlength: least length of the result. Where values are unknown (in a compiled function or a model) it is
            the length, and larger integers are left out.
        sparse: accepted for compatibility; the result is dense.

    Returns:
        A tensor of shape `(length,)` or `(batch, length)`: int32, or the dtype of the weights.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.bincount([0, 1, 1, 3]))
        array([1, 2, 0, 1], dtype=int32)
    """
    places, shape = index_tensor(x, "x"), shape_of(x)
    if len(shape) not in (1, 2):
        raise ArgumentError("x", expected="a tensor with one or two dimensions", got=x)
    if weights is not None and shape_of(weights) != shape:
        raise ArgumentError("weights", expected=f"of the shape {shape} of `x`", got=weights)
    length = _classes(minlength)
    if _concrete(places):
        found = known_values(places, "x", "the number of counts")
        length = max(length, int(found.max()) + 1 if found.size else 0)
    elif not length:
        raise ArgumentError("minlength", expected="given where the values of `x` are unknown", got=minlength)
    hot = _hot(places, length, -1, "int32" if weights is None else dtype_of(count_bools(weights)))
    if weights is not None:
        hot = p.mul(hot, p.reshape(count_bools(weights), shape=(*shape, 1)))
    return p.sum(hot, axis=(len(shape) - 1,), keepdims=False)


@op(
    needs_values=True,
    samples=[
        sample(values([[1, 0], [0, 2]])),
        sample(T((5,), "bool")),
        sample(T((0,))),
        sample(T((2, 2, 2), "int32")),
        sample(values(float("nan"), -0.0, 0.0, float("inf"))),
        sample(values([[[0.0, float("nan")]]])),
    ],
    differentiable=False,
    reference=np.nonzero,
)
def nonzero(x: TensorLike) -> tuple[Tensor, ...]:
    """Where the elements that are not 0 are. Their number must be known, so not in compiled functions.

    Args:
        x: any tensor whose values are known.

    Returns:
        A tuple of int32 tensors, one for each dimension.

    Example:
        >>> import kerata
        >>> [kerata.ops.convert_to_numpy(v).tolist() for v in kerata.ops.nonzero([0, 3, 4])]
        [[1, 2]]
    """
    found = known_values(x, "x", "the number of elements that are not 0")
    return tuple(constant(places, "int32") for places in np.nonzero(found))


def _grid_sizes(shape: Any) -> tuple[int, ...]:
    sizes = rules.as_shape(shape)
    if builtins.any(type(d) is not int or d < 0 for d in sizes):
        raise ArgumentError("shape", expected="integers that are not negative", got=shape)
    return sizes


def _check_unravel(indices: Any, shape: Any) -> None:
    check_known_indices("indices", indices, math.prod(_grid_sizes(shape)))


@op(
    precheck=_check_unravel,
    samples=[
        sample(values(5, 0, 11, dtype="int32"), (3, 4)),
        sample(values([[-1], [2]], dtype="int32"), (2, 3)),
        sample(4, (6,)),
        sample(T((0,), "int32"), (2, 2)),
        sample(values(3, 0, dtype="int64"), (4,)),
        sample(values(7, -9, dtype="int32"), (2, 3)),
        sample([1, 5], [2, 3]),
    ],
    rejects=[
        rejects(T((2,)), (2, 2), argument="indices"),
        rejects(6, (2, 3), argument="indices"),
        rejects(0, (0, 3), argument="indices"),
        rejects(values(0, dtype="int32"), (-1, 3), argument="shape"),
    ],
    differentiable=False,
)
def unravel_index(indices: TensorLike, shape: Any) -> tuple[Tensor, ...]:
    """The coordinates of places in a tensor laid out in one line.

    Args:
        indices: integers of any shape.
        shape: shape of the tensor.

    Returns:
        A tuple of tensors of the shape of `indices`, one for each dimension.

    Example:
        >>> import kerata
        >>> [int(v) for v in kerata.ops.unravel_index(5, (2, 3))]
        [1, 2]
    """
    sizes = _grid_sizes(shape)
    rest, total = index_tensor(indices), math.prod(sizes)
    check_not_empty("indices", total, indices)
    rest = in_range(rest, total)
    out = []
    for d in reversed(sizes):
        out.append(p.remainder(rest, d))
        rest = p.floor_divide(rest, d)
    return tuple(reversed(out))
