"""Products that sum over axes: matrix products, tensor contractions, inner and outer products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata.core import primitives as p
from kerata.core import rules
from kerata.core.declare import direct, op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample

from .arithmetic import multiply
from .core import cast
from .elementwise import count_bools, promote
from .reduction import flattened
from .splitting import cut

TensorLike = Any
Tensor = Any


def _pair(x1: Any, x2: Any) -> tuple[Any, Any, str]:
    """Both in the dtype to multiply in, and the dtype of the result: bool products are computed in int32."""
    a, b = promote(x1, x2)
    name = dtype_of(a)
    return count_bools(a), count_bools(b), name


_INTEGERS = [
    sample(T((2, 3), "int32"), T((3, 2), "int32"), gradient=False),
    sample(T((2, 2), "bool"), T((2, 2), "bool"), gradient=False),
]
# Products and sums that wrap around, and have more digits than a float64.
_WRAPPING = [
    [np.array([[top, top - 3, 5], [top // 2, 7, top]], name), np.array([[top], [3], [top - 1]], name)]
    for name, top in (
        ("int16", 2**15 - 1),
        ("int32", 2**31 - 1),
        ("uint32", 2**32 - 1),
        ("uint64", 2**64 - 1),
    )
]


@op(
    samples=[
        sample(T((2, 3)), T((3, 4))), sample(T((3,)), T((3,))), sample(T((2, 3)), T((3,))), sample(T((3,)), T((3, 2))),
        sample(T((5, 2, 3)), T((3, 4))), sample(T((5, 1, 2, 3)), T((4, 3, 2))), sample(T((2, 0)), T((0, 3))),
        sample(T((3,)), T((4, 3, 2))),
        sample(T((2, 3), "float16"), T((3, 4)), gradient=False),
        sample(T((2, 3), "complex64"), T((3, 2), "complex64"), gradient=False),
        sample(T((2, 3), "int8"), T((3, 2), "int8"), gradient=False),
        sample(T((2, 3), "bool"), T((3, 2), "int8"), gradient=False), *_INTEGERS,
        *(sample(*pair, gradient=False) for pair in _WRAPPING),
    ],
    rejects=[
        rejects(T((2, 3)), T((2, 4)), argument="x2"), rejects(T((2, 3)), T(()), argument="x2"),
        rejects(T((2, 1, 2)), T((3, 2, 2)), argument="x2"),
    ],
    reference=np.matmul,
    call=direct(None, 2),
)  # fmt: skip
def matmul(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The matrix product over the last two axes; the axes before broadcast.

    Args:
        x1: of shape `(..., rows, n)`, or `(n,)` for a row.
        x2: of shape `(..., n, columns)`, or `(n,)` for a column.

    Returns:
        A tensor of shape `(..., rows, columns)`, without the axes that vectors lack, in the common dtype;
        int8 times int8 gives int32.

    Raises:
        ArgumentError: the sizes do not fit.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.matmul([[1, 2], [3, 4]], [1, 1]))
        array([3, 7], dtype=int32)
    """
    a, b, name = _pair(x1, x2)
    if name == "int8" and "bool" not in (dtype_of(x1), dtype_of(x2)):
        a, b, name = cast(a, "int32"), cast(b, "int32"), "int32"
    _check_matmul(shape_of(a), shape_of(b))
    return cast(p.matmul(a, b), name)


def _check_matmul(a: tuple[Any, ...], b: tuple[Any, ...]) -> None:
    if all(type(d) is int for d in (*a, *b)):
        rules.matmul_shape(tuple(a), tuple(b))


def contract(a: Tensor, b: Tensor, axes1: Sequence[int], axes2: Sequence[int]) -> Tensor:
    """Sums over pairs of axes: both tensors as matrices, one product."""
    s1, s2 = shape_of(a), shape_of(b)
    free1, free2 = ([i for i in range(len(s)) if i not in axes] for s, axes in ((s1, axes1), (s2, axes2)))
    rows, columns = tuple(s1[i] for i in free1), tuple(s2[i] for i in free2)
    inner: Any = 1
    for i in axes1:
        inner = inner * s1[i]
    left = p.reshape(p.transpose(a, axes=(*free1, *axes1)), shape=(_product(rows), inner))
    right = p.reshape(p.transpose(b, axes=(*axes2, *free2)), shape=(inner, _product(columns)))
    return p.reshape(p.matmul(left, right), shape=(*rows, *columns))


def _product(sizes: Sequence[Any]) -> Any:
    count: Any = 1
    for d in sizes:
        count = count * d
    return count


def _axes_pair(axes: Any, n1: int, n2: int) -> tuple[list[int], list[int]]:
    count = rules.integer_of(axes)
    if count is not None:
        if not 0 <= count <= min(n1, n2):
            raise ArgumentError("axes", expected=f"an integer in [0, {min(n1, n2)}]", got=axes)
        return list(range(n1 - count, n1)), list(range(count))
    if not isinstance(axes, (list, tuple)) or len(axes) != 2:
        raise ArgumentError("axes", expected="an integer, or a pair of axes", got=axes)
    first, second = (list(a) if isinstance(a, (list, tuple)) else [a] for a in axes)
    if len(first) != len(second):
        raise ArgumentError("axes", expected="as many axes of `x1` as of `x2`", got=axes)
    found = (
        [rules.axis_index(a, n1, "axes") for a in first],
        [rules.axis_index(a, n2, "axes") for a in second],
    )
    if any(len(set(part)) != len(part) for part in found):
        raise ArgumentError("axes", expected="without repeated axes", got=axes)
    return found


@op(
    samples=[
        sample(T((2, 3)), T((3, 4)), 1), sample(T((2, 3, 4)), T((3, 4, 2))),
        sample(T((2, 3)), T((4, 2)), axes=((0,), (1,))), sample(T((2,)), T((3,)), axes=0),
        sample(T((2, 3)), T((3, 2)), axes=((0, 1), (1, 0))), sample(T((2, 3)), T((3,)), axes=(1, 0)),
        sample(T((2, 3), "int32"), T((3,), "int32"), 1, gradient=False),
    ],
    rejects=[
        rejects(T((2, 3)), T((4, 2)), 1, argument="x2"), rejects(T((2,)), T((2,)), 2, argument="axes"),
        rejects(T((2,)), T((2,)), ((0,), ()), argument="axes"),
        rejects(T((2, 3)), T((2, 3)), ((0, 0), (0, 0)), argument="axes"),
    ],
    reference=np.tensordot,
)  # fmt: skip
def tensordot(x1: TensorLike, x2: TensorLike, axes: Any = 2) -> Tensor:
    """The sum of products over pairs of axes.

    Args:
        x1: any tensor.
        x2: any tensor.
        axes: how many of the last axes of `x1` meet the first of `x2`; or the axes of each, as a pair.

    Returns:
        A tensor with the other axes of `x1`, then those of `x2`.

    Raises:
        ArgumentError: sizes of axes that meet differ.

    Example:
        >>> import kerata
        >>> int(kerata.ops.tensordot([1, 2], [3, 4], 1))
        11
    """
    a, b, name = _pair(x1, x2)
    first, second = _axes_pair(axes, len(shape_of(a)), len(shape_of(b)))
    for i, j in zip(first, second, strict=True):
        _check_equal(shape_of(a)[i], shape_of(b)[j], j, shape_of(b))
    return cast(contract(a, b, first, second), name)


def _check_equal(size1: Any, size2: Any, axis: int, shape: tuple[Any, ...]) -> None:
    if rules.differ(size1, size2):
        raise ArgumentError(
            "x2",
            expected=f"of size {size1} along axis {axis}, like the axis of `x1` that it meets",
            got=f"shape {shape}",
        )


@op(
    samples=[
        sample(T((3,)), T((3,))), sample(T((2, 3)), T((3, 2))), sample(T((2, 3)), 2.0), sample(T((2, 3, 4)), T((4,))),
        sample(T((2, 3)), T((5, 3, 2))), *_INTEGERS,
    ],
    rejects=[rejects(T((2, 3)), T((2,)), argument="x2")],
    reference=np.dot,
)  # fmt: skip
def dot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The sum of products over the last axis of `x1` and the second to last (or only) one of `x2`.

    Args:
        x1: any tensor; a scalar multiplies.
        x2: any tensor; a scalar multiplies.

    Example:
        >>> import kerata
        >>> int(kerata.ops.dot([1, 2], [3, 4]))
        11
    """
    a, b, name = _pair(x1, x2)
    n1, n2 = len(shape_of(a)), len(shape_of(b))
    if n1 == 0 or n2 == 0:
        return cast(multiply(a, b), name)
    j = max(n2 - 2, 0)
    _check_equal(shape_of(a)[-1], shape_of(b)[j], j, shape_of(b))
    return cast(contract(a, b, [n1 - 1], [j]), name)


@op(
    samples=[
        sample(T((3,)), T((3,))),
        sample(T((2, 3)), T((4, 3))),
        sample(T((2,)), 3.0),
        *_INTEGERS[1:],
        sample(T((2, 0)), T((3, 0))),
        sample(2, T((3,), "int32")),
    ],
    rejects=[rejects(T((2, 3)), T((2,)), argument="x2")],
    reference=np.inner,
)
def inner(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The sum of products over the last axes.

    Args:
        x1: any tensor; a scalar multiplies.
        x2: a tensor with the same last size.

    Example:
        >>> import kerata
        >>> int(kerata.ops.inner([1, 2], [3, 4]))
        11
    """
    a, b, name = _pair(x1, x2)
    n1, n2 = len(shape_of(a)), len(shape_of(b))
    if n1 == 0 or n2 == 0:
        return cast(multiply(a, b), name)
    _check_equal(shape_of(a)[-1], shape_of(b)[-1], n2 - 1, shape_of(b))
    return cast(contract(a, b, [n1 - 1], [n2 - 1]), name)


@op(
    samples=[
        sample(T((3,)), T((2,))),
        sample(T((2, 2)), T((3,))),
        sample(T((2,), "bool"), T((3,), "bool"), gradient=False),
        sample(T((0,)), T((2,))),
        sample(2, T((3,), "int32")),
        sample(2.0, T((2, 2))),
    ],
    reference=np.outer,
)
def outer(x1: TensorLike, x2: TensorLike) -> Tensor:
    """All products of an element of `x1` and one of `x2`, as a matrix.

    Args:
        x1: any tensor, in one line.
        x2: any tensor, in one line.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.outer([1, 2], [3, 4]))
        array([[3, 4],
               [6, 8]], dtype=int32)
    """
    a, b = (flattened(v) for v in promote(x1, x2))
    return multiply(p.reshape(a, shape=(shape_of(a)[0], 1)), p.reshape(b, shape=(1, shape_of(b)[0])))


@op(
    samples=[
        sample(T((3,)), T((3,))), sample(T((2, 3)), T((2, 3))),
        sample(T((3,), "complex64"), T((3,), "complex64"), gradient=False), *_INTEGERS[1:], sample(T((0,)), T((0,))),
        sample(T((2,), "float16"), T((2,), "bfloat16"), gradient=False),
    ],
    rejects=[rejects(T((3,)), T((2,)), argument="x2")],
    reference=np.vdot,
)  # fmt: skip
def vdot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The sum of all products, with the conjugate of `x1`.

    Args:
        x1: any tensor, in one line.
        x2: a tensor with as many elements.

    Example:
        >>> import kerata
        >>> int(kerata.ops.vdot([1, 2], [3, 4]))
        11
    """
    a, b, name = _pair(x1, x2)
    a, b = flattened(p.conj_(a)), flattened(b)
    _check_equal(shape_of(a)[0], shape_of(b)[0], 0, shape_of(b))
    return cast(contract(a, b, [0], [0]), name)


def _component(x: Tensor, axis: int, i: int) -> Tensor:
    shape = shape_of(x)
    return p.reshape(cut(x, axis, i, i + 1), shape=shape[:axis] + shape[axis + 1 :])


@op(
    samples=[
        sample(T((3,)), T((3,))), sample(T((2, 3)), T((3,))), sample(T((2,)), T((2,))), sample(T((4, 2)), T((4, 3))),
        sample(T((3, 4)), T((3, 4)), axis=0),
        sample(T((3, 4)), T((4, 3)), axisa=0, axisc=0), sample(T((3,), "int32"), T((3,), "int32"), gradient=False),
        sample(T((5, 1, 3)), T((4, 3)))],
    rejects=[rejects(T((4,)), T((3,)), argument="x1"), rejects(T((3,)), T((4,)), argument="x2")],
reference=np.cross)  # fmt: skip
def cross(
    x1: TensorLike, x2: TensorLike, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Tensor:
    """The cross product of vectors with two or three components; a missing third one is 0.

    Args:
        x1: vectors along `axisa`.
        x2: vectors along `axisb`; the other axes broadcast.
        axisa: axis of the components of `x1`.
        axisb: axis of the components of `x2`.
        axisc: axis of the components of the result.
        axis: all three at once.

    Returns:
        A tensor of vectors with three components; of two and two components, of their third one alone.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.cross([1, 0, 0], [0, 1, 0]))
        array([0, 0, 1], dtype=int32)
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = promote(count_bools(x1), count_bools(x2))
    i, j = (
        rules.axis_index(axisa, len(shape_of(a)), "axisa"),
        rules.axis_index(axisb, len(shape_of(b)), "axisb"),
    )
    na, nb = shape_of(a)[i], shape_of(b)[j]
    for n, name, x in ((na, "x1", x1), (nb, "x2", x2)):
        if n not in (2, 3):
            raise ArgumentError(name, expected="vectors with two or three components", got=x)
    u = [_component(a, i, c) for c in range(na)]
    v = [_component(b, j, c) for c in range(nb)]
    third = p.sub(p.mul(u[0], v[1]), p.mul(u[1], v[0]))
    if na == nb == 2:
        return third
    first = (
        p.sub(p.mul(u[1], v[2]), p.mul(u[2], v[1]))
        if na == nb
        else p.mul(u[1], v[2])
        if nb == 3
        else p.neg(p.mul(u[2], v[1]))
    )
    second = (
        p.sub(p.mul(u[2], v[0]), p.mul(u[0], v[2]))
        if na == nb
        else p.neg(p.mul(u[0], v[2]))
        if nb == 3
        else p.mul(u[2], v[0])
    )
    n = len(shape_of(third))
    place = rules.axis_index(axisc, n + 1, "axisc")
    shape = shape_of(third)
    wide = [p.reshape(c, shape=(*shape[:place], 1, *shape[place:])) for c in (first, second, third)]
    return p.concatenate(tuple(wide), axis=place)


@op(
    samples=[
        sample(T((2, 3)), T((3, 2))), sample(T((2,)), T((3,))), sample(T((2,)), T((2, 3))),
        sample(T((2, 2, 3)), T((2, 3, 2))), sample(T(()), T((3,))),
        sample(T((2, 2), "int32"), T((2, 2), "int32"), gradient=False), sample(T(()), T((2, 2))),
    ],
    reference=np.kron,
)  # fmt: skip
def kron(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The Kronecker product: every element of `x1` replaced by its product with the whole of `x2`.

    Args:
        x1: any tensor.
        x2: any tensor.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.kron([1, 2], [1, 1]))
        array([1, 1, 2, 2], dtype=int32)
    """
    a, b = promote(x1, x2)
    s1, s2 = shape_of(a), shape_of(b)
    n = max(len(s1), len(s2))
    s1, s2 = (1,) * (n - len(s1)) + tuple(s1), (1,) * (n - len(s2)) + tuple(s2)
    # As an outer product: not every engine broadcasts as many axes as would stand side by side here.
    both = p.reshape(outer(a, b), shape=(*s1, *s2))
    pairs = p.transpose(both, axes=tuple(i for k in range(n) for i in (k, n + k)))
    return p.reshape(pairs, shape=tuple(m * k for m, k in zip(s1, s2, strict=True)))


def _spread(xs: list[Tensor], terms: Sequence[str]) -> list[Tensor]:
    """Sizes of 1 broadcast to those that other operands have for the same letter, which not every engine does."""
    sizes: dict[str, int] = {}
    for x, term in zip(xs, terms, strict=True):
        for letter, size in zip(term, shape_of(x), strict=True):
            if sizes.get(letter, 1) == 1:
                sizes[letter] = size
    wide = [tuple(sizes[letter] for letter in term) for term in terms]
    return [
        x if tuple(shape_of(x)) == s else p.broadcast_to(x, shape=s) for x, s in zip(xs, wide, strict=True)
    ]


@op(
    samples=[
        sample("...ij,...jk->...ik", T((5, 2, 3)), T((1, 3, 4))), sample("ij,j->i", T((2, 3)), T((1,))),
        sample("ij,ij->", T((1, 4096), "float16", 0.0, 1.0), T((1, 4096), "float16", 0.0, 1.0), gradient=False),
        sample("ij,jk->ik", T((2, 3)), T((3, 4))), sample("ii->i", T((3, 3))), sample("ii", T((3, 3))),
        sample("ij->ji", T((2, 3))), sample("i,j", T((2,)), T((3,))),
        sample("...ij,...jk->...ik", T((5, 2, 3)), T((3, 4))),
        sample("bij,bjk,bkl->bil", T((2, 2, 3)), T((2, 3, 2)), T((2, 2, 2))), sample("ij->", T((2, 3))),
        sample("ij, jk", T((2, 3)), T((3, 2))), sample("i...->...", T((2, 3))),
        sample("ij,jk->ik", T((2, 3), "int32"), T((3, 2), "int32"), gradient=False),
        sample("ii", T((3, 3), "int16"), gradient=False), sample("ij->", T((3, 3), "uint8"), gradient=False),
        sample("iij->j", T((3, 3, 2))), sample("ii,ij->j", T((3, 3)), T((3, 2))), sample("ba", T((2, 3))),
        sample("...,...", T((2, 3)), T((3,))), sample(",->", T(()), T(())),
        sample("ij,j->i", T((2, 3), "float16"), T((3,)), gradient=False), sample("ij,ij->i", T((0, 3)), T((0, 3))),
        sample("zj,ijkl->izkl", T((2, 3)), T((2, 3, 4, 5))), sample("jz,ijk->izk", T((3, 2)), T((2, 3, 4))),
        sample("zj,ijk->izk", T((2, 3)), T((0, 3, 4))),
        *(sample("ij,jk->ki", *pair, gradient=False) for pair in _WRAPPING),
    ],
    rejects=[
        rejects("ij,jk->ik", T((2, 3)), T((4, 2)), argument="operands"),
        rejects("ij->k", T((2, 3)), argument="subscripts"), rejects("ij", T((2,)), argument="subscripts"),
        rejects("ij->ii", T((2, 2)), argument="subscripts"), rejects("i1->i", T((2, 2)), argument="subscripts"),
        rejects("...ij->ij", T((2, 2, 2)), argument="subscripts"),
        rejects("i.j->ij", T((2, 2)), argument="subscripts"),
        rejects("i,j", T((2,)), argument="subscripts"), rejects(3, T((2,)), argument="subscripts"),
        rejects("i", argument="operands"),
    ],
    reference=np.einsum,
)  # fmt: skip
def einsum(subscripts: str, *operands: TensorLike, **kwargs: Any) -> Tensor:
    """Sums of products in Einstein's notation: letters name axes, those missing on the right are summed over.

    Args:
        subscripts: such as "bij,bjk->bik". An ellipsis stands for axes that broadcast.
        *operands: the tensors.
        **kwargs: accepted for compatibility (`optimize`).

    Returns:
        A tensor in the common dtype; int8 with int8 gives int32.

    Raises:
        ArgumentError: the subscripts do not fit the tensors.

    Example:
        >>> import kerata
        >>> int(kerata.ops.einsum("i,i->", [1, 2], [3, 4]))
        11
    """
    if not isinstance(subscripts, str):
        raise ArgumentError("subscripts", expected="a string", got=subscripts)
    if not operands:
        raise ArgumentError("operands", expected="at least one tensor", got=operands)
    xs = promote(*operands)
    name = dtype_of(xs[0])
    wide = "int32" if name in ("bool", "int8") else name
    xs = [cast(x, wide) for x in xs]
    terms, result = rules.parse_einsum(subscripts, tuple(len(shape_of(x)) for x in xs))
    if all(type(d) is int for x in xs for d in shape_of(x)):
        rules.einsum_shape(subscripts, [tuple(shape_of(x)) for x in xs])
        xs = _spread(xs, terms)
    value = p.einsum(*xs, equation=f"{','.join(terms)}->{result}")
    return cast(value, "bool") if name == "bool" else value
