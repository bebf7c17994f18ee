"""Tensors cut into pieces along an axis: by number, at places, or into single slices."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from kerata.core import checks, rules
from kerata.core import primitives as p
from kerata.core.budget import spend
from kerata.core.declare import op
from kerata.core.dispatch import is_tensor, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample

from .core import convert_to_numpy
from .shaping import _at_least

TensorLike = Any
Tensor = Any


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
    spend(shape[axis])
    return [p.reshape(cut(x, axis, i, i + 1), shape=rest) for i in range(shape[axis])]


def _bounds(indices: Any, n: Any) -> list[tuple[Any, Any]]:
    """(start, stop) of each part between split points, as slices of NumPy read them."""
    if is_tensor(indices):
        indices = convert_to_numpy(indices)
    points = [0, *(_split_point(i) for i in indices), n]
    if type(n) is not int:
        return list(itertools.pairwise(points))
    if not rules.known(n):  # how much a part takes depends on the size
        return [(0, n)] * (len(points) - 1)
    spans = [slice(a, b).indices(n) for a, b in itertools.pairwise(points)]
    return [(a, max(a, b)) for a, b, _ in spans]


def _split_point(i: Any) -> int:
    point = rules.integer_of(i)
    if point is None:
        raise ArgumentError("indices_or_sections", expected="integers as split points", got=i)
    return point


def _sections(indices_or_sections: Any) -> int | None:
    """The number of equal parts, or None where split points are given."""
    if isinstance(indices_or_sections, (list, tuple)) or (
        is_tensor(indices_or_sections) and shape_of(indices_or_sections)
    ):
        return None
    return checks.at_least(
        "indices_or_sections", indices_or_sections, 1, "a positive integer or split points"
    )


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
    rejects=[
        rejects(T((5,)), 2, argument="indices_or_sections"), rejects(T((4,)), 0, argument="indices_or_sections"),
        rejects(T((4,)), 2, 1, argument="axis"),
    ],
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
    count = rules.integer_of(num)
    if count is None or rules.differ(count, shape[place]):
        raise ArgumentError("num", expected=f"{shape[place]}, the size of axis {axis}", got=num)
    rest = shape[:place] + shape[place + 1 :]
    return [p.reshape(cut(x, place, i, i + 1), shape=rest) for i in range(count)]
