"""Norms of vectors and matrices, of every order that NumPy has."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.core import dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values

from .core import cast
from .elementwise import inf
from .matrices import _svd, _wide

TensorLike = Any
Tensor = Any


def _vector_norm(x: Tensor, order: Any, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    size = p.abs(x)
    if order in (inf, -inf):
        return _extreme(size, order > 0, axes, keepdims)
    if order == 0:
        return p.sum(cast(p.ne(size, 0), dtype_of(size)), axis=axes, keepdims=keepdims)
    if order == 1:
        return p.sum(size, axis=axes, keepdims=keepdims)
    if order == 2:
        return p.sqrt(p.sum(p.mul(size, size), axis=axes, keepdims=keepdims))
    total = p.sum(_root(size, float(order)), axis=axes, keepdims=keepdims)
    return _root(total, 1 / order)


def _root(x: Tensor, exponent: float) -> Tensor:
    """Powers of numbers that are not negative; the derivative at 0, which may be infinite, is 0."""
    if exponent < 0:
        return p.pow(x, exponent)
    none = p.eq(x, 0)
    return p.where(none, 0, p.pow(p.where(none, 1, x), exponent))


def _extreme(x: Tensor, largest: bool, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """The largest or smallest element; of none, 0 is the largest one and there is no smallest."""
    if any(shape_of(x)[i] == 0 for i in axes):
        if not largest:
            raise ArgumentError("x", expected="with elements, for a norm of negative order", got=x)
        return p.sum(x, axis=axes, keepdims=keepdims)
    return (p.max if largest else p.min)(x, axis=axes, keepdims=keepdims)


def _matrix_norm(x: Tensor, order: Any, axes: tuple[int, int], keepdims: bool) -> Tensor:
    row, column = axes
    if order in (None, "fro"):
        return _vector_norm(x, 2, tuple(sorted(axes)), keepdims)
    if order in (1, -1, inf, -inf):
        summed, other = (row, column) if order in (1, -1) else (column, row)
        totals = p.sum(p.abs(x), axis=(summed,), keepdims=True)
        value = _extreme(totals, order > 0, (other,), True)
    else:
        n = len(shape_of(x))
        rest = tuple(i for i in range(n) if i not in axes)
        s = _svd(p.transpose(x, axes=(*rest, row, column)), full=False)[1]
        last = (len(rest),)
        value = p.sum(s, axis=last, keepdims=False) if order == "nuc" else _extreme(s, order > 0, last, False)
    kept = tuple(1 if i in axes else size for i, size in enumerate(shape_of(x)))
    return p.reshape(
        value, shape=kept if keepdims else tuple(size for i, size in enumerate(shape_of(x)) if i not in axes)
    )


@op(
    samples=(
        sample(T((3,))), sample(T((2, 3))), sample(T((2, 3, 4))), sample(T((2, 3)), axis=1, keepdims=True),
        sample(T((3,)), 1), sample(T((3,)), 3), sample(T((3,)), inf),
        sample(T((3,)), -inf), sample(T((3,)), 0, gradient=False), sample(T((2, 3)), 1),
        sample(T((2, 3)), -1, (0, 1)), sample(T((2, 3)), inf, (1, 0)), sample(T((2, 3)), "fro"),
        sample(T((3,), "int32"), gradient=False),
        sample(T((2, 3)), "nuc"), sample(T((2, 3)), 2), sample(T((2, 3, 4)), -2, (0, 2), True),
        sample(T((2, 3, 4)), "fro", axis=(0, -1)), sample(T((3,), "complex64"), gradient=False),
        sample(values(0.0, 0.0), 3, gradient=False), sample(T((0,)), inf, gradient=False),
        sample(T((0, 2)), 2, gradient=False), ),
    rejects=(
        rejects(T((3,)), "fro", argument="ord"), rejects(T((2, 3)), 3, (0, 1), argument="ord"),
        rejects(T((2, 3)), axis=2, argument="axis"), rejects(T((2, 3, 4)), 1, argument="axis"),
        rejects(T((2, 3, 4)), axis=(0, 1, 2), argument="axis"), rejects(T((2, 3)), "fra", argument="ord"),
    ),
    reference=lambda x, ord=None, axis=None, keepdims=False: np.linalg.norm(x, ord, axis, keepdims),
)  # fmt: skip
def norm(x: TensorLike, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The norm of vectors or matrices.

    Args:
        x: numbers of any shape; integers and bool become floats.
        ord: of vectors: any number, infinity for the largest and minus infinity for the smallest absolute value, 0 for
            the number of elements that are not 0. Of matrices: "fro" (Frobenius), "nuc" (nuclear), 1 and -1 (column
            sums), infinity and minus infinity (row sums), 2 and -2 (singular values). None: the root of the sum
            of squares.
        axis: one axis for vectors, two for matrices; None for all of `x`.
        keepdims: whether reduced axes stay with size 1.

    Returns:
        A real tensor without the reduced axes.

    Raises:
        ArgumentError: the order does not fit, or an axis is out of range.

    Example:
        >>> import kerata
        >>> float(kerata.ops.norm([3.0, 4.0]))
        5.0
    """
    x, name = _wide(x)
    n = len(shape_of(x))
    real = dtypes.real_of(name)
    if axis is None and ord is None:
        return cast(_vector_norm(x, 2, tuple(range(n)), bool(keepdims)), real)
    axes = _norm_axes(axis, n)
    if len(axes) == 1:
        if isinstance(ord, str) or not (ord is None or isinstance(ord, (int, float))):
            raise ArgumentError("ord", expected="a number, for vectors", got=ord)
        return cast(_vector_norm(x, 2 if ord is None else ord, axes, bool(keepdims)), real)
    if ord not in (None, "fro", "nuc", 1, -1, 2, -2, inf, -inf):
        raise ArgumentError(
            "ord", expected="'fro', 'nuc', 1, -1, 2, -2 or an infinity, for matrices", got=ord
        )
    return cast(_matrix_norm(x, ord, axes, bool(keepdims)), real)


def _norm_axes(axis: Any, n: int) -> Any:
    words = "one axis for vectors or two for matrices"
    found = list(range(n)) if axis is None else rules.axes_in_order(axis, n, expected=words)
    if len(found) not in (1, 2):
        raise ArgumentError("axis", expected=words, got=axis)
    return tuple(found)
