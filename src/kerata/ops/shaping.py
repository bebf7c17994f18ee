"""Ops that move elements and compute nothing: reshape, transpose, join, split, pad, repeat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata.core import rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample

from .elementwise import promote

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
        sample([T((2,), "int32"), T((2,), "float32")]), sample([T((2, 2))], axis=1),
    ],
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
    if not isinstance(xs, (list, tuple)) or not xs:
        raise ArgumentError("xs", expected="a list of at least one tensor", got=xs)
    if not shape_of(xs[0]):
        raise ArgumentError("xs", expected="tensors with at least one dimension", got=xs[0], fix="Use stack for scalars.")
    axis = rules.axis_index(axis, len(shape_of(xs[0])))
    return p.concatenate(tuple(promote(*xs)), axis=axis)
