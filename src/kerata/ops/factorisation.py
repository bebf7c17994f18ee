"""Decompositions of matrices, and least squares by them."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.core import decompositions as d
from kerata.core import dtypes
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values

from .core import cast, stop_gradient
from .creation import range_tensor
from .elementwise import promote, to_float
from .matrices import (
    _BATCH,
    _GENERAL,
    _REGULAR,
    _SQUARE_REJECTS,
    _SQUARES,
    _check_matrices,
    _check_square,
    _column,
    _regular,
    _row,
    _spoiled,
    _svd,
    _swap,
    _symmetric,
    _wide,
    adjoint,
)
from .splitting import cut

TensorLike = Any
Tensor = Any


def _turned(vectors: Tensor) -> Tensor:
    """The factors of modulus 1 that make columns point to the same side everywhere.

    The side is told by a fixed direction with no simple ratios in it, which no eigenvector is likely to be
    orthogonal to.
    """
    n = shape_of(vectors)[-2]
    weights = p.rsqrt(p.add(range_tensor(n, dtypes.real_of(dtype_of(vectors))), 2))
    weights = cast(p.reshape(weights, shape=(n, 1)), dtype_of(vectors))
    side = p.sum(p.mul(vectors, weights), axis=(len(shape_of(vectors)) - 2,), keepdims=True)
    size = cast(p.abs(side), dtype_of(vectors))
    none = p.eq(size, 0)
    factors = p.conj_(p.where(none, 1, p.div(side, p.where(none, 1, size))))
    return factors if dtypes.is_complex(dtype_of(vectors)) else stop_gradient(factors)  # a sign does not move


@op(samples=(*_SQUARES, sample(_REGULAR - 2.0)), rejects=_SQUARE_REJECTS)
def eigh(x: TensorLike) -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors of symmetric (Hermitian) matrices.

    Args:
        x: symmetric matrices; of others, the mean with their adjoint is taken.

    Returns:
        A pair: the eigenvalues in ascending order, and the eigenvectors as columns.

    Raises:
        ArgumentError: the matrices are not square.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.eigh([[2.0, 0.0], [0.0, 1.0]])[0])
        array([1., 2.], dtype=float32)
    """
    _check_square(x)
    x, name = _wide(x)
    x, bad = _regular(_symmetric(x))
    w, v = (_spoiled(bad, part) for part in d.eigh(x))
    return cast(w, dtypes.real_of(name)), cast(p.mul(v, _turned(v)), name)


@op(
    samples=(
        sample(_GENERAL),
        sample(_BATCH),
        sample(values([[0.0, -1.0], [1.0, 0.0]])),
        sample(values([[2.0]])),
        sample(values([[1.0, 2.0], [3.0, 4.0]], dtype="float64")),
        sample(values([[float("nan"), 1.0], [1.0, 2.0]])),
        sample(T((0, 0))),
    ),
    rejects=_SQUARE_REJECTS,
)
def eig(x: TensorLike) -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors of square matrices, as complex numbers.

    Args:
        x: square matrices.

    Returns:
        A pair: the eigenvalues by ascending real part, then imaginary part; and the eigenvectors as columns.

    Raises:
        ArgumentError: the matrices are not square.

    Example:
        >>> import kerata
        >>> kerata.ops.eig([[2.0, 0.0], [0.0, 1.0]])[0].shape == (2,)
        True
    """
    _check_square(x)
    x, _ = _wide(x)
    x, bad = _regular(x)
    w, v = _ordered(*d.eig(x))
    return _spoiled(bad, w), _spoiled(bad, p.mul(v, _turned(v)))


def _ordered(w: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """LAPACK's order differs from version to version. Conjugate pairs have equal real parts but for rounding."""
    last = len(shape_of(w)) - 1
    scale = 1e4 * float(dtypes.finfo(dtypes.real_of(dtype_of(w))).eps)
    if 0 in shape_of(w):
        return w, v
    size = p.max(p.abs(w), axis=(last,), keepdims=True)
    grid = p.mul(p.where(p.eq(size, 0), 1, size), scale)
    order = p.argsort(p.imag(w), axis=last)
    real = p.take_along_axis(p.real(w), order, axis=last)
    order = p.take_along_axis(order, p.argsort(p.round(p.div(real, grid)), axis=last), axis=last)
    columns = p.broadcast_to(_row(order), shape=tuple(shape_of(v)))
    return p.take_along_axis(w, order, axis=last), p.take_along_axis(v, columns, axis=last + 1)


@op(
    samples=(
        sample(_GENERAL), sample(T((4, 2))), sample(T((2, 3))), sample(T((2, 4, 3), "float64")),
        sample(T((4, 2)), mode="complete", gradient=False), sample(T((2, 3)), mode="complete"),
    ),
    rejects=(rejects(T((3,)), argument="x"), rejects(T((2, 2)), mode="r", argument="mode")),
)  # fmt: skip
def qr(x: TensorLike, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """A matrix with orthonormal columns times an upper triangular one.

    Args:
        x: matrices of `m` rows and `n` columns.
        mode: "reduced" for `min(m, n)` orthonormal columns, "complete" for `m`.

    Returns:
        A pair: `q` with orthonormal columns and `r`, with `q @ r = x`.

    Example:
        >>> import kerata
        >>> [v.shape == s for v, s in zip(kerata.ops.qr(kerata.ops.ones((3, 2))), [(3, 2), (2, 2)])]
        [True, True]
    """
    if mode not in ("reduced", "complete"):
        raise ArgumentError("mode", expected="'reduced' or 'complete'", got=mode)
    _check_matrices(x)
    x, name = _wide(x)
    x, bad = _regular(x)
    m, n = shape_of(x)[-2:]
    if n > m:  # the first square part decides; engines differentiate that
        last = len(shape_of(x)) - 1
        q, r = d.qr(cut(x, last, 0, m), full=False)
        r = p.concatenate((r, p.matmul(adjoint(q), cut(x, last, m, n))), axis=last)
    else:
        q, r = d.qr(x, full=mode == "complete")
    return cast(_spoiled(bad, q), name), cast(_spoiled(bad, r), name)


_RECTANGLES = (
    sample(_GENERAL, full_matrices=False),
    sample(T((4, 2)), False),
    sample(T((2, 3, 5), "float64"), full_matrices=False),
)


@op(
    samples=(
        *_RECTANGLES, sample(T((3, 2)), gradient=False), sample(T((2, 3)), full_matrices=True, gradient=False),
        sample(_GENERAL, compute_uv=False), sample(T((4, 2)), False, False),
        sample(values([[1.0, float("nan")], [1.0, 2.0]]), False, gradient=False),
    ),
    rejects=(rejects(T((3,)), argument="x"),),
)  # fmt: skip
def svd(x: TensorLike, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """The singular value decomposition `x = u @ diag(s) @ vh`.

    It is differentiable where the singular values differ and are not 0. Elsewhere the derivative is finite: 0 for
    singular values of 0, and without the part that would turn the vectors of equal values into each other.

    Args:
        x: matrices of `m` rows and `n` columns.
        full_matrices: whether `u` and `vh` are square; else they have `min(m, n)` columns and rows. What lies beyond
            those is not unique and may differ between engines.
        compute_uv: whether to give `u` and `vh`.

    Returns:
        `(u, s, vh)`, with singular values in descending order; `s` alone without `compute_uv`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.svd([[3.0, 0.0], [0.0, 4.0]], compute_uv=False))
        array([4., 3.], dtype=float32)
    """
    _check_matrices(x)
    x, name = _wide(x)
    real = dtypes.real_of(name)
    if not compute_uv:
        return cast(_svd(x, full=False)[1], real)
    u, s, v = _svd(x, full=bool(full_matrices))
    k = shape_of(s)[-1]
    turn = _turned(u)
    last = len(shape_of(u)) - 1
    # Only together do the two vectors of a singular value turn; those of 0 are independent of each other.
    own = _swap(_turned(_swap(cut(v, last - 1, 0, k))))
    back = p.where(_column(_vanishing(x, s)), own, p.conj_(_swap(cut(turn, last, 0, k))))
    if shape_of(v)[-2] != k:
        rest = p.add(p.mul(cut(v, last - 1, k, shape_of(v)[-2]), 0), 1)
        ones = cut(rest, last, 0, 1)
        back = p.concatenate((back, ones), axis=last - 1)
    return cast(p.mul(u, turn), name), cast(s, real), cast(p.mul(v, back), name)


def _largest(s: Tensor) -> Tensor:
    """The largest singular value, which is the first one; 0 where there is none."""
    last = len(shape_of(s)) - 1
    if shape_of(s)[last] == 0:
        return p.sum(s, axis=(last,), keepdims=True)
    return cut(s, last, 0, 1)


def _vanishing(x: Tensor, s: Tensor) -> Tensor:
    """Which singular values are 0 but for rounding."""
    return p.le(s, p.mul(_largest(s), _least(x, None)))


def _pseudo_inverse(x: Tensor, rcond: Any) -> Tensor:
    u, s, v = _svd(x, full=False)
    small = p.le(s, p.mul(_largest(s), rcond))
    inverse = p.where(small, 0, p.div(1.0, p.where(small, 1, s)))
    return p.matmul(p.mul(adjoint(v), cast(_row(inverse), dtype_of(x))), adjoint(u))


def _least(x: Tensor, rcond: Any) -> float:
    if rcond is not None:
        return float(rcond)
    m, n = shape_of(x)[-2:]
    return max(m, n) * float(dtypes.finfo(dtypes.real_of(dtype_of(x))).eps)


@op(
    samples=(
        sample(_GENERAL),
        sample(T((4, 2))),
        sample(T((2, 3))),
        sample(_BATCH),
        sample(values([[1.0, 1.0], [1.0, 1.0]]), gradient=False),
        sample(_GENERAL, rcond=0.1),
        sample(T((0, 3))),
    ),
    rejects=(rejects(T((3,)), argument="x"),),
    reference=np.linalg.pinv,
)
def pinv(x: TensorLike, rcond: float | None = None) -> Tensor:
    """The Moore-Penrose pseudo-inverse.

    Args:
        x: matrices of `m` rows and `n` columns.
        rcond: singular values at most this fraction of the largest count as 0; the precision times the larger
            size where not given.

    Returns:
        Matrices of `n` rows and `m` columns.

    Example:
        >>> import kerata
        >>> float(kerata.ops.pinv([[4.0]])[0, 0])
        0.25
    """
    _check_matrices(x)
    x, name = _wide(x)
    return cast(_pseudo_inverse(x, _least(x, rcond)), name)


@op(
    samples=(
        sample(T((4, 2)), T((4,))), sample(T((4, 2)), T((4, 3))), sample(_GENERAL, T((3, 1))),
        sample(T((2, 4)), T((2,))), sample(T((5, 2), "float64"), T((5, 2), "float64")),
        sample(values([[1.0, 2.0], [2.0, 4.0]]), values(1.0, 3.0), gradient=False),
    ),
    rejects=(rejects(T((3, 2)), T((2,)), argument="b"), rejects(T((3,)), T((3,)), argument="a")),
reference=lambda a, b, rcond=None: np.linalg.lstsq(a, b, rcond)[0])  # fmt: skip
def lstsq(a: TensorLike, b: TensorLike, rcond: float | None = None) -> Tensor:
    """The `x` with the least `|a @ x - b|`; of several, the least `x`.

    Args:
        a: a matrix of `m` rows.
        b: `m` numbers, or a matrix of `m` rows.
        rcond: singular values at most this fraction of the largest count as 0.

    Returns:
        A tensor of the shape of `b`, with the columns of `a` in the place of its rows.

    Example:
        >>> import kerata
        >>> round(float(kerata.ops.lstsq([[1.0], [1.0]], [1.0, 3.0])[0]), 4)
        2.0
    """
    if len(shape_of(a)) != 2:
        raise ArgumentError("a", expected="a matrix", got=a)
    a, b = promote(to_float(a), to_float(b))
    (a, name), (b, _) = _wide(a), _wide(b)
    if len(shape_of(b)) not in (1, 2) or shape_of(b)[0] != shape_of(a)[0]:
        raise ArgumentError("b", expected=f"with {shape_of(a)[0]} rows, as many as `a`", got=b)
    return cast(p.matmul(_pseudo_inverse(a, _least(a, rcond)), b), name)


@op(
    samples=(
        sample(_GENERAL),
        sample(T((4, 2))),
        sample(values([[1.0, 1.0], [1.0, 1.0]])),
        sample(_BATCH),
        sample(_GENERAL, tol=2.0),
        sample(T((0, 3))),
    ),
    rejects=(rejects(T((3,)), argument="x"),),
    reference=np.linalg.matrix_rank,
    differentiable=False,
)
def matrix_rank(x: TensorLike, tol: float | None = None) -> Tensor:
    """The number of singular values above a tolerance.

    Args:
        x: matrices.
        tol: the tolerance; the largest singular value times the precision and the larger size where not given.

    Returns:
        An int32 tensor without the last two axes.

    Example:
        >>> import kerata
        >>> int(kerata.ops.matrix_rank([[1.0, 1.0], [1.0, 1.0]]))
        1
    """
    _check_matrices(x)
    x, _ = _wide(x)
    s = _svd(x, full=False)[1]
    last = (len(shape_of(s)) - 1,)
    least = p.mul(_largest(s), _least(x, None)) if tol is None else float(tol)
    return p.sum(cast(p.gt(s, least), "int32"), axis=last, keepdims=False)
