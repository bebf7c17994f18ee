"""Reading and writing by index: `take`, slices, scatters; and indices of what is not zero.

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

from kerata.core import primitives as p
from kerata.core import rules
from kerata.core.declare import new_abstract, op
from kerata.core.dispatch import dtype_of, engine_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values
from kerata.core.state import STATE
from kerata.core.tensor import KerasTensor

from .core import cast
from .elementwise import constant, count_bools, here, real_only, widened
from .encoding import _classes, _hot
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
        try:
            table = np.asarray(indices)
        except ValueError:  # of unequal lengths, which their conversion refuses
            return
        if table.dtype.kind == "i" and table.ndim and table.shape[-1] <= len(shape):
            for i, size in enumerate(shape[: table.shape[-1]]):
                check_known_indices("indices", table[..., i].ravel().tolist(), size)


@op(
    precheck=_check_given,
    samples=[
        sample(T((5,)), values(0, 2, 4, dtype="int32")), sample(T((3, 4)), values(1, -1, dtype="int32"), axis=1),
        sample(T((3, 4)), 5),
        sample(T((3, 4)), values([[0, 1], [2, 2]], dtype="int64"), axis=0),
        sample(T((3,)), values(7, -9, dtype="int32")), sample(T((2, 3)), [0, 1], -1),
        sample(T((3,), "int32"), values(0, dtype="uint8")), sample(T((3, 2)), T((0,), "int32"), 0),
        sample(T((2, 0, 3), "float64"), T((4, 0), "int32"), 1), sample(T((2, 0, 3)), T((4, 0), "int32"), 2),
    ],
    rejects=[
        rejects(T((3,)), 0.5, argument="indices"), rejects(T((3,)), 0, 1, argument="axis"),
        rejects(T((0,)), [0], argument="indices"), rejects(T((3,)), 3, argument="indices"),
        rejects(T((2, 3)), [0, -3], 0, argument="indices"),
    ],
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
        sample(T((3, 4)), values([[0, 3], [1, 1], [-1, 2]], dtype="int32"), axis=1),
        sample(T((3, 4)), values([[0, 1, 2, 9]], dtype="int32"), 0),
        sample(T((2, 3)), values(5, 0, dtype="int64")), sample(T((2, 1, 3)), T((2, 4, 1), "int32", 0, 2), axis=-1),
    sample(T((0, 3)), T((0, 2), "int32", low=0, high=2), 1), sample(T((2, 3), "bool"), values([[-9, 9]], dtype="int32"), 1)],
    rejects=[
        rejects(T((3, 4)), values(0, dtype="int32"), 1, argument="indices"),
        rejects(T((3,)), T((3,)), 0, argument="indices"), rejects(T((3,)), [0, 3], 0, argument="indices"),
        rejects(T((0,)), values(0, dtype="int32"), 0, argument="indices"),
    ],
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
    if isinstance(start_indices, str) or (
        items and builtins.any(isinstance(i, (str, bool, list, tuple)) for i in items)
    ):
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
        sample(T((4, 5)), (1, 2), (2, 3)), sample(T((4, 5)), values(1, 2, dtype="int32"), (2, 3)),
        sample(T((4,)), (9,), (2,)), sample(T((4,)), values(-9, dtype="int32"), (2,)),
        sample(T((3, 2), "int32"), (0, 0), (3, 2)), sample(T((3, 4)), values(9, -9, dtype="int64"), (2, 2)),
        sample(T(()), (), ())],
    rejects=[
        rejects(T((4, 5)), (1,), (2, 3), argument="start_indices"), rejects(T((4,)), (0,), (5,), argument="shape"),
        rejects(T((4,)), (0,), (2, 2), argument="shape"),
    ],
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
        sample(T((4, 5)), (1, 2), T((2, 3))), sample(T((4,)), values(3, dtype="int32"), T((2,))),
        sample(T((3,), "int32"), (0,), T((2,), "int32")),
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
        check_not_empty("indices", shape[i], indices)
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
    _check_places(indices, rules.sizes(shape))


@op(
    precheck=_check_scatter,
    samples=[
        sample(values([[0, 1], [2, 0]], dtype="int32"), T((2,)), (3, 2)),
        sample(values([[1], [1]], dtype="int32"), T((2, 4)), (3, 4)),
        sample(values([[0], [-1]], dtype="int64"), T((2,), "int32"), (3,)),
    sample(T((0, 1), "int32"), T((0, 2)), (3, 2)),
    sample(values([0], [0], dtype="int32"), values(2.0, 3.0, dtype="float64"), (2,)),
    sample(values([[[0, 9]], [[-1, 0]]], dtype="int32"), T((2, 1)), (2, 3)),
    sample([[0], [0]], T((2,), "bool"), (2,))],
    rejects=[
        rejects([[3]], T((1,)), (3,), argument="indices"), rejects([[0, 1]], T((1,)), (-1, 2), argument="shape"),
        rejects(values([[0]], dtype="int32"), T((1,)), (0,), argument="indices"),
        rejects(values([[0]], dtype="int32"), T((2,)), (3,), argument="values"),
        rejects(values([[0, 0]], dtype="int32"), T((1,)), (3,), argument="indices"),
    ],
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
    sizes = rules.sizes(shape)
    flat = _flat_indices(indices, sizes)
    rows = _rows(values, indices, sizes, "values")
    name = dtype_of(values)
    if name == "bool":
        return cast(p.scatter(_zeros(sizes, "int32"), flat, cast(rows, "int32"), mode="max"), "bool")
    (rows,), _ = widened(rows)
    return cast(p.scatter(_zeros(sizes, dtype_of(rows)), flat, rows, mode="add"), name)


def _zeros(shape: Any, name: str) -> Tensor:
    return p.broadcast_to(constant(0, name), shape=shape)


_REDUCTIONS = {None: "set", "add": "add", "max": "max", "min": "min", "mul": "mul"}


def _check_scatter_update(inputs: Any, indices: Any, updates: Any, reduction: Any = None) -> None:
    _check_places(indices, shape_of(inputs))


@op(
    precheck=_check_scatter_update,
    samples=[
        sample(T((3, 2)), values([[0, 1], [2, 0]], dtype="int32"), T((2,))),
        sample(T((4,)), values([[1], [1]], dtype="int32"), T((2,)), reduction="add"),
        sample(T((4, 2)), values([[1], [3]], dtype="int32"), T((2, 2))),
        sample(T((4,)), values([[0], [2]], dtype="int32"), T((2,)), "max"),
        sample(T((4,)), values([[0], [2]], dtype="int32"), T((2,)), "min"),
        sample(T((4,)), values([[0], [0]], dtype="int32"), T((2,), low=0.5), "mul"),
        sample(T((3,), "bool"), values([[0]], dtype="int32"), T((1,), "bool")),
        sample(values(float("nan"), 1.0, 2.0), values([[0], [1]], dtype="int32"), values(1.0, float("nan")), "max", gradient=False),
        sample(T((3,), "uint32"), values([[0], [0]], dtype="int32"), T((2,), "uint32"), "min"),
        sample(values(0.0, 2.0, 3.0), values([[0], [1], [1]], dtype="int32"), values(5.0, 0.0, 4.0), "mul"),
        sample(T((3, 2)), values([[1], [1]], dtype="int32"), T((2, 2)))],
    rejects=[
        rejects(T((3,)), values([[0]], dtype="int32"), T((2,)), argument="updates"),
        rejects(T((3,)), values([[0]], dtype="int32"), T((1,)), "sum", argument="reduction"),
        rejects(T((3,)), values([[0, 0]], dtype="int32"), T((1,)), argument="indices"),
        rejects(T((3,)), [[-4]], T((1,)), argument="indices"),
        rejects(T((2, 0)), values([[0, 0]], dtype="int32"), T((1,)), argument="indices"),
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
    if reduction in ("add", "mul"):
        (inputs, rows), _ = widened(inputs, rows)
    return cast(p.scatter(inputs, flat, rows, mode=_REDUCTIONS[reduction]), name)


# ---- counting ------------------------------------------------------------------------------------


def _concrete(x: Any) -> bool:
    return not isinstance(x, KerasTensor) and engine_of(x).is_concrete(x)


@op(
    needs_values=True,
    samples=[
        sample(values(0, 1, 1, 4, dtype="int32")), sample(values(1, 1, dtype="int32"), minlength=5),
        sample(values(0, 1, 1, dtype="int32"), T((3,))), sample(values([[0, 1], [2, 2]], dtype="int32")),
        sample(T((0,), "int32"), minlength=2), sample(values(-1, 2, dtype="int32"), minlength=3),
    ],
    rejects=[
        rejects(T((2,)), argument="x"), rejects(T((2, 2, 2), "int32", 0, 2), argument="x"),
        rejects(values(0, dtype="int32"), T((2,)), argument="weights"),
    ],
)  # fmt: skip
def bincount(x: TensorLike, weights: TensorLike = None, minlength: int = 0, sparse: bool = False) -> Tensor:
    """How often each integer occurs.

    Args:
        x: integers that are not negative, of shape `(n,)` or `(batch, n)`. Negative ones are left out.
        weights: what each occurrence counts, of the shape of `x`; 1 where not given.
        minlength: least length of the result. Where values are unknown (in `vectorized_map`, in loops, in functions
            that JAX's or TensorFlow's own tools compile) it is the length, and larger integers are left out; a
            `kerata.function` runs uncompiled.
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
    if isinstance(places, KerasTensor):
        length = rules.COUNTED
    elif _concrete(places):
        found = known_values(places, "x", "the number of counts")
        length = max(length, int(found.max()) + 1 if found.size else 0)
    elif STATE.compiling:
        known_values(places, "x", "the number of counts")
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
    """Where the elements that are not 0 are. How many there are, only values tell: a `kerata.function` runs uncompiled.

    Args:
        x: any tensor.

    Returns:
        A tuple of int32 tensors, one for each dimension. Of a symbolic tensor, their size is None.

    Example:
        >>> import kerata
        >>> [kerata.ops.convert_to_numpy(v).tolist() for v in kerata.ops.nonzero([0, 3, 4])]
        [[1, 2]]
    """
    if not shape_of(x):
        raise ArgumentError("x", expected="a tensor with at least one dimension", got=x)
    if isinstance(x, KerasTensor):
        return tuple(new_abstract((rules.COUNTED,), "int32") for _ in shape_of(x))
    found = known_values(x, "x", "the number of elements that are not 0")
    return tuple(constant(places, "int32") for places in np.nonzero(found))


def _check_unravel(indices: Any, shape: Any) -> None:
    check_known_indices("indices", indices, math.prod(rules.known_shape(shape)))


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
    sizes = rules.known_shape(shape)
    rest, total = index_tensor(indices), math.prod(sizes)
    check_not_empty("indices", total, indices)
    rest = in_range(rest, total)
    out = []
    for d in reversed(sizes):
        out.append(p.remainder(rest, d))
        rest = p.floor_divide(rest, d)
    return tuple(reversed(out))
