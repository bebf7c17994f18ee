"""Ops that give a tensor another shape or another order: reshape, axes in other places, broadcasts, flips, quarter turns."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata.core import primitives as p
from kerata.core import rules
from kerata.core.declare import op
from kerata.core.dispatch import shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample

from .creation import fits
from .reduction import flattened

TensorLike = Any

Tensor = Any


@op(
    samples=[
        sample(T((2, 3)), (3, 2)), sample(T((2, 6)), (-1, 4)), sample(T(()), (1, 1)), sample(T((0, 3)), (3, 0)),
        sample(T((6,), "int32"), -1), sample(T((2, 2), "bool"), (4,)),
    ],
    rejects=[
        rejects(T((2, 3)), (4, 2), argument="newshape"), rejects(T((2, 3)), (-1, -1), argument="newshape"),
        rejects(T((2, 3)), (2.5,), argument="newshape"), rejects(T((2, 3)), T((2,)), argument="newshape"),
        rejects(T((0, 3)), (0, -1), argument="newshape"),
    ],
    reference=np.reshape,
)  # fmt: skip
def reshape(x: TensorLike, newshape: Any) -> Tensor:
    """The same elements in another shape, last index fastest.

    Args:
        x: any tensor.
        newshape: sizes; one of them may be -1, which is then worked out.

    Returns:
        A tensor of shape `newshape` and the dtype of `x`.

    Raises:
        ArgumentError: the sizes do not give the number of elements of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.reshape([[1, 2], [3, 4]], (4,)).shape == (4,)
        True
    """
    sizes = rules.as_shape(newshape, "newshape")
    have = shape_of(x)
    if all(type(d) is int for d in (*sizes, *have)):
        sizes = rules.reshaped(have, sizes)
    return p.reshape(x, shape=sizes)


# ---- axes ----------------------------------------------------------------------------------------


@op(
    samples=[
        sample(T((2, 3))),
        sample(T((0, 3), "int32")),
        sample(T(())),
        sample(T((2, 2, 2), "bool")),
        sample(T((1,), "complex64")),
        sample(T((2, 3, 2), "bfloat16"), gradient=False),
    ],
    reference=np.ravel,
)
def ravel(x: TensorLike) -> Tensor:
    """The same elements in one dimension, last index fastest.

    Example:
        >>> import kerata
        >>> kerata.ops.ravel([[1, 2], [3, 4]]).shape == (4,)
        True
    """
    return flattened(x)


@op(
    samples=[
        sample(T((2, 3))), sample(T((2, 3, 4)), (1, 2, 0)), sample(T((2, 3, 4)), axes=(0, -1, 1)), sample(T(())),
        sample(T((0, 2, 3), "int32")), sample(T((0, 2, 3), "int8"), [2, 0, 1]),
    ],
    rejects=[
        rejects(T((2, 3)), (0, 0), argument="axes"), rejects(T((2, 3)), (0,), argument="axes"),
        rejects(T((2, 3)), (0, 2), argument="axes"),
    ],
    reference=np.transpose,
)  # fmt: skip
def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """The axes in another order.

    Args:
        x: any tensor.
        axes: for each axis of the result, the axis of `x`; reversed where not given.

    Raises:
        ArgumentError: `axes` is not a permutation.

    Example:
        >>> import kerata
        >>> kerata.ops.transpose(kerata.ops.ones((2, 3))).shape == (3, 2)
        True
    """
    return p.transpose(x, axes=rules.permutation(axes, len(shape_of(x))))


@op(
    samples=[
        sample(T((2, 3, 4)), 0, 2),
        sample(T((2, 3)), -1, -2),
        sample(T((0, 2), "int32"), 0, 1),
        sample(T((2, 3)), 1, 1),
        sample(T((2, 3, 4), "bool"), 0, -1),
        sample(T((0, 3), "bool"), 0, 1),
    ],
    rejects=[rejects(T((2, 3)), 0, 2, argument="axis2")],
    reference=np.swapaxes,
)
def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """Two axes in each other's place.

    Example:
        >>> import kerata
        >>> kerata.ops.swapaxes(kerata.ops.ones((2, 3)), 0, 1).shape == (3, 2)
        True
    """
    order = list(range(len(shape_of(x))))
    a, b = rules.axis_index(axis1, len(order), "axis1"), rules.axis_index(axis2, len(order), "axis2")
    order[a], order[b] = order[b], order[a]
    return p.transpose(x, axes=tuple(order))


@op(
    samples=[
        sample(T((2, 3, 4)), 0, -1),
        sample(T((2, 3, 4)), (0, 1), (2, 0)),
        sample(T((2, 3, 4), "int32"), -1, 0),
        sample(T((0, 2)), 0, 1),
        sample(T((2, 3, 4)), [2], [1]),
        sample(T((2, 3, 4), "int32"), [0], [-1]),
    ],
    rejects=[
        rejects(T((2, 3)), 2, 0, argument="source"),
        rejects(T((2, 3)), (0, 1), (0,), argument="destination"),
    ],
    reference=np.moveaxis,
)
def moveaxis(x: TensorLike, source: Any, destination: Any) -> Tensor:
    """Axes moved to other places; the others keep their order.

    Args:
        x: any tensor.
        source: axis or axes to move.
        destination: where they go.

    Example:
        >>> import kerata
        >>> kerata.ops.moveaxis(kerata.ops.ones((2, 3, 4)), 0, -1).shape == (3, 4, 2)
        True
    """
    n = len(shape_of(x))
    sources, targets = (
        rules.axes_in_order(source, n, "source"),
        rules.axes_in_order(destination, n, "destination"),
    )
    if len(sources) != len(targets):
        raise ArgumentError(
            "destination", expected=f"{len(sources)} axes, as many as `source`", got=destination
        )
    order = [i for i in range(n) if i not in sources]
    for target, source_ in sorted(zip(targets, sources, strict=True)):
        order.insert(target, source_)
    return p.transpose(x, axes=tuple(order))


@op(
    samples=[
        sample(T((2, 3)), 0),
        sample(T((2, 3)), -1),
        sample(T((2,)), (0, 2)),
        sample(T(()), 0),
        sample(T((0, 2), "bool"), 1),
        sample(T((2, 3), "bool"), [0, -1]),
    ],
    rejects=[rejects(T((2, 3)), 4, argument="axis"), rejects(T((2,)), (0, 0), argument="axis")],
    reference=np.expand_dims,
)
def expand_dims(x: TensorLike, axis: Any) -> Tensor:
    """New axes of size 1.

    Args:
        x: any tensor.
        axis: place or places of the new axes in the result.

    Example:
        >>> import kerata
        >>> kerata.ops.expand_dims(kerata.ops.ones((2, 3)), -1).shape == (2, 3, 1)
        True
    """
    shape = shape_of(x)
    count = len(axis) if isinstance(axis, (list, tuple)) else 1
    places = rules.axes_in_order(axis, len(shape) + count, "axis")
    sizes = iter(shape)
    return p.reshape(x, shape=tuple(1 if i in places else next(sizes) for i in range(len(shape) + count)))


def _axes_to_squeeze(x: Any, axis: Any = None) -> tuple[Any, Any]:
    """The arguments of `squeeze`, with the axes that it removes."""
    ones = tuple(i for i, d in enumerate(shape_of(x)) if rules.known(d) and d == 1)
    return x, ones if axis is None else axis


@op(
    samples=[
        sample(T((3, 1, 1))),
        sample(T((2, 1, 3, 1))),
        sample(T((1, 3, 1)), -1),
        sample(T((1, 3, 1)), (0, 2)),
        sample(T((2, 3))),
        sample(T((2,)), ()),
    ],
    rejects=[rejects(T((2, 1)), 0, argument="axis"), rejects(T((1, 2)), 2, argument="axis")],
    reference=np.squeeze,
    in_graph=_axes_to_squeeze,
)
def squeeze(x: TensorLike, axis: Any = None) -> Tensor:
    """Without axes of size 1.

    Args:
        x: any tensor.
        axis: axis or axes to remove; where not given, all of size 1. Of a symbolic tensor, those that are known to be
            of size 1: an unknown size stays, also where it turns out to be 1.

    Raises:
        ArgumentError: an axis is not of size 1.

    Example:
        >>> import kerata
        >>> kerata.ops.squeeze(kerata.ops.ones((1, 3, 1))).shape == (3,)
        True
    """
    shape = shape_of(x)
    _, axis = _axes_to_squeeze(x, axis)
    gone = rules.axes_in_order(axis, len(shape), "axis")
    if builtins.any(rules.differ(shape[i], 1) for i in gone):
        raise ArgumentError("axis", expected=f"of size 1 in the shape {shape}", got=axis)
    return p.reshape(x, shape=tuple(d for i, d in enumerate(shape) if i not in gone))


@op(
    samples=[
        sample(T((3,)), (2, 3)), sample(T((2, 1)), (4, 2, 3)), sample(T(()), (2,)), sample(T((1, 3)), (0, 3)),
        sample(T((3,), "bool"), (2, 3)), sample(T((2, 1, 3), "int8"), [2, 4, 3]),
    ],
    rejects=[
        rejects(T((3,)), (2, 4), argument="shape"), rejects(T((2, 3)), (3,), argument="shape"),
        rejects(T((2, 1)), (2, -1), argument="shape"), rejects(T((3,)), T((2,)), argument="shape"),
    ],
    reference=np.broadcast_to,
)  # fmt: skip
def broadcast_to(x: TensorLike, shape: Any) -> Tensor:
    """The elements repeated along new axes, and along axes of size 1.

    Args:
        x: any tensor.
        shape: sizes of the result.

    Raises:
        ArgumentError: `x` does not broadcast to that shape.

    Example:
        >>> import kerata
        >>> kerata.ops.broadcast_to([1.0, 2.0], (3, 2)).shape == (3, 2)
        True
    """
    sizes, have = rules.as_shape(shape), shape_of(x)
    if builtins.any(type(d) is int and d < 0 for d in sizes):
        raise ArgumentError("shape", expected="sizes that are not negative", got=sizes)
    if len(have) > len(sizes) or not fits(have, sizes[len(sizes) - len(have) :]):
        raise ArgumentError("shape", expected=f"a shape that {have} can be broadcast to", got=sizes)
    return p.broadcast_to(x, shape=sizes)


@op(
    samples=[
        sample(T((2, 3))),
        sample(T((2, 3)), 1),
        sample(T((2, 3, 4)), (0, -1)),
        sample(T((0, 3))),
        sample(T((3,), "bool")),
        sample(T((2, 3)), [0, -1]),
    ],
    rejects=[rejects(T((2, 3)), 2, argument="axis")],
    reference=np.flip,
)
def flip(x: TensorLike, axis: Any = None) -> Tensor:
    """The elements in reverse order along axes.

    Args:
        x: any tensor.
        axis: axis or axes; all where not given.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.flip([1, 2, 3]))
        array([3, 2, 1], dtype=int32)
    """
    return p.flip(x, axis=rules.axes_tuple(axis, len(shape_of(x))))


def _at_least(x: Any, ndim: int) -> Any:
    if len(shape_of(x)) < ndim:
        raise ArgumentError("x", expected=f"a tensor with at least {ndim} dimensions", got=x)
    return x


@op(
    samples=[
        sample(T((2, 3))),
        sample(T((2, 3, 2), "int32")),
        sample(T((2, 0))),
        sample(T((1, 2), "bool")),
        sample(T((2, 2), "complex64")),
        sample(T((2, 0), "int32")),
    ],
    rejects=[rejects(T((3,)), argument="x")],
    reference=np.fliplr,
)
def fliplr(x: TensorLike) -> Tensor:
    """The columns in reverse order: `flip` along axis 1.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.fliplr([[1, 2]]))
        array([[2, 1]], dtype=int32)
    """
    return p.flip(_at_least(x, 2), axis=(1,))


@op(
    samples=[
        sample(T((2, 3))),
        sample(T((3,))),
        sample(T((2, 3, 2), "int32")),
        sample(T((0, 2))),
        sample(T((2, 2), "complex64")),
        sample(T((0, 2), "bool")),
    ],
    rejects=[rejects(T(()), argument="x")],
    reference=np.flipud,
)
def flipud(x: TensorLike) -> Tensor:
    """The rows in reverse order: `flip` along axis 0.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.flipud([1, 2]))
        array([2, 1], dtype=int32)
    """
    return p.flip(_at_least(x, 1), axis=(0,))


@op(
    samples=[
        sample(T((2, 3))), sample(T((2, 3)), 2), sample(T((2, 3)), -1), sample(T((2, 3, 4)), 1, (2, 0)),
        sample(T((2, 3)), 4), sample(T((2, 3, 4), "int32"), -3, (0, -1)),
    ],
    rejects=[
        rejects(T((2, 3)), 1, (0, 0), argument="axes"), rejects(T((2, 3)), 1, (0,), argument="axes"),
        rejects(T((3,)), argument="axes"),
    ],
    reference=np.rot90,
)  # fmt: skip
def rot90(array: TensorLike, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """A plane turned by 90 degrees `k` times, from the first of two axes toward the second.

    Args:
        array: any tensor.
        k: quarter turns; negative ones turn back.
        axes: the two axes of the plane.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.rot90([[1, 2], [3, 4]]))
        array([[2, 4],
               [1, 3]], dtype=int32)
    """
    n = len(shape_of(array))
    plane = rules.axes_in_order(axes, n, "axes")
    if len(plane) != 2:
        raise ArgumentError("axes", expected="two axes", got=axes)
    a, b = plane
    order = list(range(n))
    order[a], order[b] = b, a
    turns = k % 4
    if turns == 1:
        return p.transpose(p.flip(array, axis=(b,)), axes=tuple(order))
    if turns == 3:
        return p.flip(p.transpose(array, axes=tuple(order)), axis=(b,))
    return p.flip(array, axis=(min(a, b), max(a, b))) if turns == 2 else array
