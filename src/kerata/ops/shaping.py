"""Ops that move elements and compute nothing: axes, joining, splitting, repeating."""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata.core import primitives as p
from kerata.core import rules
from kerata.core.declare import op
from kerata.core.dispatch import is_tensor, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample

from .core import convert_to_numpy
from .creation import fits
from .elementwise import promote
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
        rejects(T((2, 3)), (2.5,), argument="newshape"),
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


@op(
    samples=[
        sample([T((2, 3)), T((1, 3))]), sample([T((2, 3)), T((2, 1))], axis=-1), sample([T((0, 2)), T((3, 2))]),
        sample([T((2,), "int32"), T((2,), "float32")]), sample([T((2, 2))], axis=1), sample([T((2, 1), "uint8"), T((2, 2), "int8")], axis=-1), sample(T((2, 3)))],
    rejects=[
        rejects([T((2, 3)), T((2, 4))], argument="xs"), rejects([T((2, 3))], axis=2, argument="axis"),
        rejects([], argument="xs"),
    ],
    reference=np.concatenate,
)  # fmt: skip
def concatenate(xs: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """The tensors one after the other along an existing axis.

    Args:
        xs: tensors of equal shapes, except along `axis`.
        axis: the axis to join along.

    Returns:
        A tensor in the common dtype.

    Raises:
        ArgumentError: shapes that do not fit, or no tensors.

    Example:
        >>> import kerata
        >>> kerata.ops.concatenate([kerata.ops.ones((2, 3)), kerata.ops.zeros((1, 3))]).shape == (3, 3)
        True
    """
    xs = _tensors(xs, "xs")
    if not shape_of(xs[0]):
        raise ArgumentError(
            "xs", expected="tensors with at least one dimension", got=xs[0], fix="Use stack for scalars."
        )
    axis = rules.axis_index(axis, len(shape_of(xs[0])))
    return _joined(xs, axis, "xs")


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
    samples=[sample(T((2, 3))), sample(T((2, 3, 4)), (1, 2, 0)), sample(T((2, 3, 4)), axes=(0, -1, 1)), sample(T(())), sample(T((0, 2, 3), "int32")), sample(T((0, 2, 3), "int8"), [2, 0, 1])],
    rejects=[rejects(T((2, 3)), (0, 0), argument="axes"), rejects(T((2, 3)), (0,), argument="axes"), rejects(T((2, 3)), (0, 2), argument="axes")],
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


def _axes_in_order(axis: Any, ndim: int, argument: str) -> list[int]:
    """Non-negative axes in the order given, without repeats."""
    given = [axis] if hasattr(axis, "__index__") else axis
    if not isinstance(given, (list, tuple)):
        raise ArgumentError(argument, expected="an integer or a tuple of integers", got=axis)
    found = [rules.axis_index(a, ndim, argument) for a in given]
    if len(set(found)) != len(found):
        raise ArgumentError(argument, expected="without repeated axes", got=axis)
    return found


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
    sources, targets = _axes_in_order(source, n, "source"), _axes_in_order(destination, n, "destination")
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
    count = 1 if hasattr(axis, "__index__") or not isinstance(axis, (list, tuple)) else len(axis)
    places = _axes_in_order(axis, len(shape) + count, "axis")
    sizes = iter(shape)
    return p.reshape(x, shape=tuple(1 if i in places else next(sizes) for i in range(len(shape) + count)))


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
)
def squeeze(x: TensorLike, axis: Any = None) -> Tensor:
    """Without axes of size 1.

    Args:
        x: any tensor.
        axis: axis or axes to remove; all of size 1 where not given.

    Raises:
        ArgumentError: an axis is not of size 1.

    Example:
        >>> import kerata
        >>> kerata.ops.squeeze(kerata.ops.ones((1, 3, 1))).shape == (3,)
        True
    """
    shape = shape_of(x)
    if axis is None:
        gone = [i for i, d in enumerate(shape) if rules.known(d) and d == 1]
    else:
        gone = _axes_in_order(axis, len(shape), "axis")
        if builtins.any(rules.differ(shape[i], 1) for i in gone):
            raise ArgumentError("axis", expected=f"of size 1 in the shape {shape}", got=axis)
    return p.reshape(x, shape=tuple(d for i, d in enumerate(shape) if i not in gone))


@op(
    samples=[sample(T((3,)), (2, 3)), sample(T((2, 1)), (4, 2, 3)), sample(T(()), (2,)), sample(T((1, 3)), (0, 3)), sample(T((3,), "bool"), (2, 3)), sample(T((2, 1, 3), "int8"), [2, 4, 3])],
    rejects=[rejects(T((3,)), (2, 4), argument="shape"), rejects(T((2, 3)), (3,), argument="shape")],
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
    samples=[sample(T((2, 3))), sample(T((2, 3)), 2), sample(T((2, 3)), -1), sample(T((2, 3, 4)), 1, (2, 0)), sample(T((2, 3)), 4), sample(T((2, 3, 4), "int32"), -3, (0, -1))],
    rejects=[rejects(T((2, 3)), 1, (0, 0), argument="axes"), rejects(T((2, 3)), 1, (0,), argument="axes"), rejects(T((3,)), argument="axes")],
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
    plane = _axes_in_order(axes, n, "axes")
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


# ---- joining -------------------------------------------------------------------------------------

_LISTS = [sample([T((2, 3)), T((2, 3))]), sample([T((2, 3))]), sample([T((3,), "int32"), T((3,))])]


def _tensors(xs: Any, argument: str) -> list[Any]:
    """The tensors to join; the slices of one tensor where it is not a list."""
    if is_tensor(xs) and shape_of(xs):
        return list(pieces(xs, 0))
    if not isinstance(xs, (list, tuple)) or not xs:
        raise ArgumentError(argument, expected="a list of at least one tensor", got=xs)
    return promote(*xs)


def _joined(xs: list[Any], axis: int, argument: str) -> Tensor:
    check_joined(xs, axis, argument)
    return p.concatenate(tuple(xs), axis=axis)


def check_joined(xs: list[Any], axis: int, argument: str) -> None:
    """Refuses shapes that do not fit, where all sizes are known."""
    shapes = [tuple(shape_of(x)) for x in xs]
    rules.concatenated(shapes, axis, argument)


@op(
    samples=[*_LISTS, sample([T((2, 3)), T((2, 3))], axis=-1), sample([T(()), T(())]), sample(T((2, 3)), axis=1)],
    rejects=[rejects([T((2, 3)), T((2, 4))], argument="x"), rejects([T((2,))], axis=2, argument="axis"), rejects([], argument="x")],
    reference=np.stack,
)  # fmt: skip
def stack(x: Sequence[TensorLike], axis: int = 0) -> Tensor:
    """Tensors of one shape, one after the other along a new axis.

    Args:
        x: the tensors, or one tensor that stands for its slices.
        axis: place of the new axis in the result.

    Returns:
        A tensor in the common dtype.

    Raises:
        ArgumentError: the shapes differ, or there are no tensors.

    Example:
        >>> import kerata
        >>> kerata.ops.stack([kerata.ops.ones(3), kerata.ops.zeros(3)]).shape == (2, 3)
        True
    """
    xs = _tensors(x, "x")
    shape = shape_of(xs[0])
    place = rules.axis_index(axis, len(shape) + 1)
    if builtins.any(
        not fits(s, shape) or not fits(shape, s) if len(s) == len(shape) else True for s in map(shape_of, xs)
    ):
        raise ArgumentError(
            "x", expected="tensors of one shape", got=f"shapes {', '.join(str(shape_of(v)) for v in xs)}"
        )
    wide = [p.reshape(v, shape=(*shape_of(v)[:place], 1, *shape_of(v)[place:])) for v in xs]
    return p.concatenate(tuple(wide), axis=place)


def _raised(x: Any, ndim: int) -> Tensor:
    """With size-1 axes as NumPy's `atleast_1d`, `atleast_2d` and `atleast_3d` place them."""
    shape = shape_of(x)
    if len(shape) >= ndim:
        return x
    wide = {
        (0, 1): (1,),
        (0, 2): (1, 1),
        (0, 3): (1, 1, 1),
        (1, 2): (1, *shape),
        (1, 3): (1, *shape, 1),
        (2, 3): (*shape, 1),
    }
    return p.reshape(x, shape=wide[len(shape), ndim])


@op(
    samples=[*_LISTS, sample([T((2,)), T((3,))]), sample([T(()), T(())]), sample(T((2, 3)))],
    rejects=[rejects([T((2, 3)), T((3, 3))], argument="xs")],
    reference=np.hstack,
)
def hstack(xs: Sequence[TensorLike]) -> Tensor:
    """Tensors side by side: joined along axis 1, or axis 0 where they have one dimension.

    Args:
        xs: the tensors.

    Example:
        >>> import kerata
        >>> kerata.ops.hstack([kerata.ops.ones((2, 1)), kerata.ops.ones((2, 3))]).shape == (2, 4)
        True
    """
    raised = [_raised(v, 1) for v in _tensors(xs, "xs")]
    return _joined(raised, 0 if len(shape_of(raised[0])) == 1 else 1, "xs")


@op(
    samples=[*_LISTS, sample([T((2,)), T((2,))]), sample([T((0, 2)), T((1, 2))]), sample(T((2, 3)))],
    rejects=[rejects([T((2, 3)), T((2, 4))], argument="xs")],
    reference=np.vstack,
)
def vstack(xs: Sequence[TensorLike]) -> Tensor:
    """Tensors one below the other: joined along axis 0, those with one dimension as rows.

    Args:
        xs: the tensors.

    Example:
        >>> import kerata
        >>> kerata.ops.vstack([kerata.ops.ones(3), kerata.ops.ones((2, 3))]).shape == (3, 3)
        True
    """
    return _joined([_raised(v, 2) for v in _tensors(xs, "xs")], 0, "xs")


@op(
    samples=[
        *_LISTS,
        sample([T((2,)), T((2,))]),
        sample([T((1, 2, 3)), T((1, 2, 1))]),
        sample([T(()), T(())]),
    ],
    rejects=[rejects([T((2, 3)), T((2, 4))], argument="xs")],
    reference=np.dstack,
)
def dstack(xs: Sequence[TensorLike]) -> Tensor:
    """Tensors one behind the other: joined along axis 2.

    Args:
        xs: the tensors.

    Example:
        >>> import kerata
        >>> kerata.ops.dstack([kerata.ops.ones((2, 3)), kerata.ops.ones((2, 3))]).shape == (2, 3, 2)
        True
    """
    return _joined([_raised(v, 3) for v in _tensors(xs, "xs")], 2, "xs")


@op(
    samples=[
        sample(T((2, 3)), T((3,))),
        sample(T((2, 3)), T((1, 3)), axis=0),
        sample(T((2,), "int32"), T((2,))),
        sample(T((0, 3)), T((2, 3)), axis=0),
        sample(T(()), T((2, 2))),
        sample(T((0,)), T((2, 2), "int8")),
    ],
    rejects=[rejects(T((2, 3)), T((2, 4)), axis=0, argument="x2")],
    reference=np.append,
)
def append(x1: TensorLike, x2: TensorLike, axis: int | None = None) -> Tensor:
    """The elements of `x2` after those of `x1`.

    Args:
        x1: any tensor.
        x2: a tensor whose shape fits along `axis`.
        axis: axis to join along; None joins all elements in one dimension.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.append([1, 2], [3]))
        array([1, 2, 3], dtype=int32)
    """
    a, b = promote(x1, x2)
    if axis is None:
        return p.concatenate((flattened(a), flattened(b)), axis=0)
    place = rules.axis_index(axis, len(shape_of(a)))
    return _joined([a, b], place, "x2")


# ---- splitting -----------------------------------------------------------------------------------


def cut(x: Tensor, axis: int, start: Any, stop: Any) -> Tensor:
    """The part of a tensor from `start` to `stop` along one axis."""
    shape = shape_of(x)
    starts = tuple(start if i == axis else 0 for i in range(len(shape)))
    limits = tuple(stop if i == axis else d for i, d in enumerate(shape))
    return p.slice(x, starts=starts, limits=limits, strides=(1,) * len(shape))


def pieces(x: Tensor, axis: int) -> list[Tensor]:
    """The slices of a tensor along an axis, without the axis."""
    shape = shape_of(x)
    if not rules.known(shape[axis]):
        raise ArgumentError(
            "num",
            expected=f"given where the size of axis {axis} is unknown",
            got=None,
            fix="Use ops.unstack.",
        )
    rest = shape[:axis] + shape[axis + 1 :]
    return [p.reshape(cut(x, axis, i, i + 1), shape=rest) for i in range(shape[axis])]


def _bounds(indices: Any, n: Any) -> list[tuple[Any, Any]]:
    """(start, stop) of each part between split points, as slices of NumPy read them."""
    if is_tensor(indices):
        indices = [int(i) for i in convert_to_numpy(indices)]
    points = [0, *(_split_point(i) for i in indices), n]
    if type(n) is not int:
        return list(itertools.pairwise(points))
    if not rules.known(n):  # how much a part takes depends on the size
        return [(0, n)] * (len(points) - 1)
    spans = [slice(a, b).indices(n) for a, b in itertools.pairwise(points)]
    return [(a, max(a, b)) for a, b, _ in spans]


def _split_point(i: Any) -> int:
    if isinstance(i, bool) or not hasattr(i, "__index__"):
        raise ArgumentError("indices_or_sections", expected="integers as split points", got=i)
    return i.__index__()


def _sections(indices_or_sections: Any) -> int | None:
    """The number of equal parts, or None where split points are given."""
    if isinstance(indices_or_sections, bool):
        raise ArgumentError(
            "indices_or_sections", expected="an integer or split points", got=indices_or_sections
        )
    if isinstance(indices_or_sections, (list, tuple)) or (
        is_tensor(indices_or_sections) and shape_of(indices_or_sections)
    ):
        return None
    if not hasattr(indices_or_sections, "__index__") or indices_or_sections.__index__() < 1:
        raise ArgumentError(
            "indices_or_sections", expected="a positive integer or split points", got=indices_or_sections
        )
    return indices_or_sections.__index__()


def _split(x: Any, indices_or_sections: Any, axis: int) -> list[Tensor]:
    n = shape_of(x)[axis]
    sections = _sections(indices_or_sections)
    if sections is None:
        return [cut(x, axis, a, b) for a, b in _bounds(indices_or_sections, n)]
    if rules.known(n) and n % sections:
        raise ArgumentError(
            "indices_or_sections",
            expected=f"a divisor of the size {n} of axis {axis}",
            got=sections,
            fix="Use ops.array_split.",
        )
    size = n // sections
    return [cut(x, axis, i * size, (i + 1) * size) for i in range(sections)]


_SPLITS = [
    sample(T((4, 6)), 2),
    sample(T((4, 6)), 3, axis=1),
    sample(T((6,)), (1, 4)),
    sample(T((6,), "int32"), [2, 2, 9]),
]


@op(
    samples=[*_SPLITS, sample(T((6,)), (-2,)), sample(T((4,)), ())],
    rejects=[rejects(T((5,)), 2, argument="indices_or_sections"), rejects(T((4,)), 0, argument="indices_or_sections"), rejects(T((4,)), 2, 1, argument="axis")],
    reference=np.split,
)  # fmt: skip
def split(x: TensorLike, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """A tensor cut into parts along an axis.

    Args:
        x: any tensor.
        indices_or_sections: the number of equal parts, or the places to cut before.
        axis: the axis.

    Returns:
        A list of tensors.

    Raises:
        ArgumentError: the size is not divisible by the number of parts.

    Example:
        >>> import kerata
        >>> [kerata.ops.convert_to_numpy(v).tolist() for v in kerata.ops.split([1, 2, 3, 4], 2)]
        [[1, 2], [3, 4]]
    """
    return _split(x, indices_or_sections, rules.axis_index(axis, len(shape_of(x))))


@op(
    samples=[*_SPLITS, sample(T((7,)), 3), sample(T((2,)), 3)],
    rejects=[rejects(T((4,)), 0, argument="indices_or_sections")],
    reference=np.array_split,
)
def array_split(x: TensorLike, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """A tensor cut into parts along an axis; the first ones are larger where the size is not divisible.

    Args:
        x: any tensor.
        indices_or_sections: the number of parts, or the places to cut before.
        axis: the axis.

    Returns:
        A list of tensors.

    Example:
        >>> import kerata
        >>> [kerata.ops.convert_to_numpy(v).tolist() for v in kerata.ops.array_split([1, 2, 3], 2)]
        [[1, 2], [3]]
    """
    place = rules.axis_index(axis, len(shape_of(x)))
    sections = _sections(indices_or_sections)
    if sections is None:
        return _split(x, indices_or_sections, place)
    size, extra = divmod(shape_of(x)[place], sections)
    ends = [i * size + min(i, extra) for i in range(sections + 1)]
    return [cut(x, place, a, b) for a, b in itertools.pairwise(ends)]


@op(
    samples=[
        sample(T((4, 6)), 2),
        sample(T((6,)), 2),
        sample(T((2, 6)), (1, 4)),
        sample(T((2, 4, 1), "int32"), [1]),
        sample(T((0, 4)), 4),
        sample(T((2, 6)), [2, 2, 9]),
    ],
    rejects=[rejects(T((2, 3)), 2, argument="indices_or_sections"), rejects(T(()), 1, argument="x")],
    reference=np.hsplit,
)
def hsplit(x: TensorLike, indices_or_sections: Any) -> list[Tensor]:
    """A tensor cut into parts along axis 1, or axis 0 where it has one dimension.

    Args:
        x: any tensor.
        indices_or_sections: the number of equal parts, or the places to cut before.

    Example:
        >>> import kerata
        >>> len(kerata.ops.hsplit(kerata.ops.ones((2, 4)), 2))
        2
    """
    return _split(_at_least(x, 1), indices_or_sections, 0 if len(shape_of(x)) == 1 else 1)


@op(
    samples=[
        sample(T((4, 6)), 2),
        sample(T((4, 6)), (1, 3)),
        sample(T((2, 3, 4), "int32"), 1),
        sample(T((4, 0)), 4),
        sample(T((4, 2)), [3]),
        sample(T((3, 2)), [1, 9]),
    ],
    rejects=[rejects(T((3, 2)), 2, argument="indices_or_sections"), rejects(T((4,)), 2, argument="x")],
    reference=np.vsplit,
)
def vsplit(x: TensorLike, indices_or_sections: Any) -> list[Tensor]:
    """A tensor with at least two dimensions cut into parts along axis 0.

    Args:
        x: any tensor.
        indices_or_sections: the number of equal parts, or the places to cut before.

    Example:
        >>> import kerata
        >>> len(kerata.ops.vsplit(kerata.ops.ones((4, 2)), 2))
        2
    """
    return _split(_at_least(x, 2), indices_or_sections, 0)


@op(
    samples=[
        sample(T((2, 3, 4)), 2),
        sample(T((2, 3, 4)), (1, 3)),
        sample(T((1, 2, 2, 3)), 1),
        sample(T((2, 0, 4), "int32"), 4),
        sample(T((2, 3, 4)), [2]),
        sample(T((2, 3, 4)), [1, 3]),
    ],
    rejects=[rejects(T((2, 3)), 1, argument="x")],
    reference=np.dsplit,
)
def dsplit(x: TensorLike, indices_or_sections: Any) -> list[Tensor]:
    """A tensor with at least three dimensions cut into parts along axis 2.

    Args:
        x: any tensor.
        indices_or_sections: the number of equal parts, or the places to cut before.

    Example:
        >>> import kerata
        >>> len(kerata.ops.dsplit(kerata.ops.ones((2, 2, 4)), 2))
        2
    """
    return _split(_at_least(x, 3), indices_or_sections, 2)


@op(
    samples=[
        sample(T((2, 3))),
        sample(T((2, 3)), axis=-1),
        sample(T((2, 3)), 2),
        sample(T((2, 0, 3), "int32"), axis=2),
        sample(T((3,), "bool")),
        sample(T((2, 0, 3)), axis=0),
        sample(T((3, 2), "bool"), 3, 0),
    ],
    rejects=[rejects(T((2, 3)), 3, argument="num"), rejects(T((2, 3)), axis=2, argument="axis")],
    reference=lambda x, num=None, axis=0: (
        [np.squeeze(p, axis) for p in np.split(x, x.shape[axis], axis)] if x.shape[axis] else []
    ),
)
def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The slices of a tensor along an axis, without the axis.

    Args:
        x: any tensor.
        num: how many there are, where the size of the axis is unknown.
        axis: the axis.

    Returns:
        A list of tensors.

    Raises:
        ArgumentError: `num` is not the size of the axis.

    Example:
        >>> import kerata
        >>> len(kerata.ops.unstack(kerata.ops.ones((2, 3))))
        2
    """
    shape = shape_of(x)
    place = rules.axis_index(axis, len(shape))
    if num is None:
        return pieces(x, place)
    if isinstance(num, bool) or not hasattr(num, "__index__") or rules.differ(num.__index__(), shape[place]):
        raise ArgumentError("num", expected=f"{shape[place]}, the size of axis {axis}", got=num)
    rest = shape[:place] + shape[place + 1 :]
    return [p.reshape(cut(x, place, i, i + 1), shape=rest) for i in range(num)]
