"""Choosing among tensors, membership and unique elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata.core import checks, dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import new_abstract, op
from kerata.core.dispatch import dtype_of, engine_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values
from kerata.core.tensor import KerasTensor

from .core import cast
from .elementwise import constant, promote
from .logic import where
from .reduction import flattened
from .splitting import cut
from .subscript import known_values

TensorLike = Any
Tensor = Any


@op(
    samples=[
        sample([values(1, 0, 0, dtype="bool"), values(1, 1, 0, dtype="bool")], [T((3,)), T((3,))]),
        sample([T((2, 3), "bool")], [T((3,))], default=7.0),
        sample([values(1, 0, dtype="bool")], [T((2,), "int32")], 3),
    sample([T((0, 2), "bool")], [T((0, 2))]), sample([T((2, 1), "bool"), T((3,), "bool")], [1, T((3,))], 2)],
    rejects=[rejects([T((2,), "bool")], [], argument="choicelist"), rejects([], [], argument="condlist")],
    reference=np.select,
)  # fmt: skip
def select(condlist: Sequence[TensorLike], choicelist: Sequence[TensorLike], default: Any = 0) -> Tensor:
    """Elements of the first choice whose condition holds.

    Args:
        condlist: bool tensors.
        choicelist: as many tensors of values; all shapes broadcast.
        default: the value where no condition holds.

    Returns:
        A tensor in the common dtype.

    Example:
        >>> import kerata
        >>> x = kerata.ops.array([1, 2, 3])
        >>> kerata.ops.convert_to_numpy(kerata.ops.select([x < 2, x < 3], [x * 10, x * 100]))
        array([ 10, 200,   0], dtype=int32)
    """
    if not isinstance(condlist, (list, tuple)) or not condlist:
        raise ArgumentError("condlist", expected="a list of at least one tensor", got=condlist)
    if not isinstance(choicelist, (list, tuple)) or len(choicelist) != len(condlist):
        raise ArgumentError(
            "choicelist", expected=f"a list of {len(condlist)} tensors, as many as `condlist`", got=choicelist
        )
    out = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        out = where(condition, choice, out)
    return out


@op(
    samples=[
        sample(values(1, 2, 3, dtype="int32"), values(2, 9, dtype="int32")), sample(T((2, 3)), 0.5, invert=True),
        sample(values([[1, 2]], dtype="int32"), values(2.0)), sample(T((3,)), T((0,))),
        sample(values(float("nan"), 1.0), values(float("nan"), 1.0)),
    ],
    reference=lambda x1, x2, assume_unique=False, invert=False: np.isin(x1, x2, assume_unique, invert),
    differentiable=False,
rejects=[rejects("a", T((2,)), argument="x1"), rejects(T((2,)), "a", argument="x2")])  # fmt: skip
def isin(x1: TensorLike, x2: TensorLike, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element of `x1` is among those of `x2`.

    Args:
        x1: any tensor.
        x2: any tensor.
        assume_unique: accepted for compatibility.
        invert: whether to ask the opposite.

    Returns:
        A bool tensor of the shape of `x1`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.isin([1, 2, 3], [2, 9]))
        array([False,  True, False])
    """
    a, b = promote(x1, x2)
    shape = shape_of(a)
    column = p.reshape(a, shape=(*shape, 1))
    found = p.any(p.eq(column, flattened(b)), axis=(len(shape),), keepdims=False)
    return p.logical_not(found) if invert else found


# ---- unique elements -----------------------------------------------------------------------------


def _slots(found: np.ndarray, size: int | None, axis: int, fill: Any) -> np.ndarray:
    """Cut off, or filled up, to a size along an axis."""
    if size is None or found.shape[axis] == size:
        return found
    if found.shape[axis] > size:
        return np.take(found, np.arange(size), axis)
    widths = [(0, size - found.shape[axis] if i == axis else 0) for i in range(found.ndim)]
    return np.pad(found, widths, constant_values=fill)


def _known(
    x: np.ndarray, in_order: bool, axis: int | None, size: int | None, fill: Any
) -> tuple[np.ndarray, ...]:
    comparable = x.astype(np.float32) if dtypes.is_float(x.dtype) and x.dtype.itemsize < 4 else x
    found, index, inverse, counts = np.unique(  # NumPy does not know the order of bfloat16
        comparable, return_index=True, return_inverse=True, return_counts=True, axis=axis
    )
    found = found.astype(x.dtype, copy=False)
    place = 0 if axis is None else axis
    inverse = inverse.reshape(x.shape if axis is None else -1)
    if not in_order:  # by first appearance
        order = np.argsort(index, kind="stable")
        found, index, counts = np.take(found, order, place), index[order], counts[order]
        inverse = np.argsort(order, kind="stable")[inverse]
    first = index[0] if len(index) else 0
    return (
        _slots(found, size, place, fill),
        _slots(index, size, 0, first),
        inverse,
        _slots(counts, size, 0, 0),
    )


def _unknown(x: Tensor, in_order: bool, size: int, fill: Any) -> tuple[Tensor, ...]:
    """Of values that only the run will know, in a given number of slots: sorted, then each first one kept."""
    flat, name = flattened(x), dtype_of(x)
    n = shape_of(flat)[0]
    order = p.argsort(flat, axis=0)
    ordered = p.take(flat, order, axis=0)
    later, earlier = cut(ordered, 0, 1, n), cut(ordered, 0, 0, n - 1)
    differs = p.logical_and(p.ne(later, earlier), p.logical_or(p.eq(later, later), p.eq(earlier, earlier)))
    fresh = p.concatenate((constant([True], "bool"), differs), axis=0)
    rank = p.sub(p.cumsum(cast(fresh, "int32"), axis=0), 1)
    if not in_order:
        starts = _in_slots(rank, order, n, _FAR, "min")
        by_start = p.argsort(starts, axis=0)
        rank = p.take(p.argsort(by_start, axis=0), rank, axis=0)
    slot = p.where(p.lt(rank, size), rank, size)
    index = _in_slots(slot, order, size, _FAR, "min")
    inverse = p.scatter(p.mul(order, 0), p.reshape(order, shape=(n, 1)), rank, mode="add")
    counts = _in_slots(slot, p.add(p.mul(order, 0), 1), size, 0, "add")
    used = p.gt(counts, 0)
    found = p.where(used, p.take(flat, p.minimum(index, n - 1), axis=0), cast(constant(fill, name), name))
    first = p.broadcast_to(cut(index, 0, 0, 1), shape=(size,)) if size else index
    return found, p.where(used, index, first), p.reshape(inverse, shape=shape_of(x)), counts


def _announced(x: KerasTensor, axis: int | None, count: int) -> list[KerasTensor]:
    """Of a symbolic tensor."""
    shape = shape_of(x)
    found = (count,) if axis is None else (*shape[:axis], count, *shape[axis + 1 :])
    inverse = shape if axis is None else (shape[axis],)
    shapes = (found, (count,), inverse, (count,))
    names = (dtype_of(x), "int32", "int32", "int32")
    return [new_abstract(s, name) for s, name in zip(shapes, names, strict=True)]


_FAR = 2**31 - 1  # a place beyond every other


def _in_slots(slot: Tensor, updates: Tensor, size: int, start: int, mode: str) -> Tensor:
    n = shape_of(slot)[0]
    target = p.broadcast_to(constant(start, "int32"), shape=(size + 1,))
    return cut(p.scatter(target, p.reshape(slot, shape=(n, 1)), updates, mode=mode), 0, 0, size)


_DOUBLES = values([[3, 1], [1, 3]], dtype="int32")


@op(
    samples=[
        sample(values(3, 1, 1, dtype="int32")),
        sample(_DOUBLES, return_index=True, return_inverse=True, return_counts=True),
        sample(values([[3, 1], [3, 1], [1, 2]]), axis=0, return_inverse=True),
        sample(values(3, 1, 1), sorted=False, return_index=True, return_inverse=True),
        sample(values(3, 1, 1, dtype="int32"), size=4, return_index=True, return_counts=True),
        sample(values(3, 1, 2), size=2, fill_value=9),
        sample(values(3, 1, 1, 5, 3, dtype="int32"), False, True, True, True, size=4),
    ],
    rejects=[rejects(T((3,)), axis=1, argument="axis"), rejects(T((3,)), size=-1, argument="size")],
    needs_values=True, differentiable=False,
)  # fmt: skip
def unique(
    x: TensorLike, sorted: bool = True, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: int | None = None, size: int | None = None, fill_value: Any = None,
) -> Any:  # fmt: skip
    """The elements that differ, each once.

    Args:
        x: any tensor.
        sorted: whether they ascend; else they come in the order of their first appearance.
        return_index: whether to give the places of their first appearances.
        return_inverse: whether to give, for each element of `x`, which of the unique ones it is.
        return_counts: whether to give how often each appears.
        axis: axis along which whole slices are compared; None compares elements.
        size: how many to give: more are left out, and fewer filled up. Without it, or with an `axis`, a compiled
            function runs uncompiled, and of a symbolic tensor the size is None.
        fill_value: what fills up; 0 where not given.

    Returns:
        The unique elements; with other results wanted, a tuple of them all. Places and counts are int32.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.unique([3, 1, 1]))
        array([1, 3], dtype=int32)
    """
    size = None if size is None else checks.natural("size", size)
    place = None if axis is None else rules.axis_index(axis, len(shape_of(x)))
    fill = 0 if fill_value is None else fill_value
    if isinstance(x, KerasTensor) and (size is None or place is not None):
        parts = _announced(x, place, rules.COUNTED if size is None else size)
        return _wanted(parts, return_index, return_inverse, return_counts)
    concrete = x is None or (not isinstance(x, KerasTensor) and engine_of(x).is_concrete(x))
    if concrete or size is None or place is not None:
        known = known_values(x, "x", "the number of unique ones; give `size`")
        names = (dtypes.standardize(known.dtype), "int32", "int32", "int32")
        parts = [
            constant(v, name) for v, name in zip(_known(known, sorted, place, size, fill), names, strict=True)
        ]
    else:
        parts = list(_unknown(x, sorted, size, fill))
    return _wanted(parts, return_index, return_inverse, return_counts)


def _wanted(parts: Sequence[Tensor], *others: bool) -> Any:
    given = [v for v, give in zip(parts, (True, *others), strict=True) if give]
    return given[0] if len(given) == 1 else tuple(given)
