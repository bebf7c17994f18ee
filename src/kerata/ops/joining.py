"""Tensors joined along an axis that they have, or along a new one."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata.core import primitives as p
from kerata.core import rules
from kerata.core.declare import op
from kerata.core.dispatch import is_tensor, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample

from .creation import fits
from .elementwise import promote
from .reduction import flattened
from .splitting import pieces

TensorLike = Any
Tensor = Any


@op(
    samples=[
        sample([T((2, 3)), T((1, 3))]), sample([T((2, 3)), T((2, 1))], axis=-1), sample([T((0, 2)), T((3, 2))]),
        sample([T((2,), "int32"), T((2,), "float32")]), sample([T((2, 2))], axis=1),
        sample([T((2, 1), "uint8"), T((2, 2), "int8")], axis=-1), sample(T((2, 3)))],
    rejects=[
        rejects([T((2, 3)), T((2, 4))], argument="xs"), rejects([T((2, 3))], axis=2, argument="axis"),
        rejects([], argument="xs"), rejects(T((0, 3)), argument="xs"),
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


_LISTS = [sample([T((2, 3)), T((2, 3))]), sample([T((2, 3))]), sample([T((3,), "int32"), T((3,))])]


def _tensors(xs: Any, argument: str) -> list[Any]:
    """The tensors to join; the slices of one tensor where it is not a list."""
    if is_tensor(xs) and shape_of(xs):
        xs = pieces(xs, 0)
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
    rejects=[
        rejects([T((2, 3)), T((2, 4))], argument="x"), rejects([T((2,))], axis=2, argument="axis"),
        rejects([], argument="x"),
    ],
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
