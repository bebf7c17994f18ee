"""Linear algebra on matrices, which are the last two axes; the axes before are batches.

Where a result does not exist (no inverse, no Cholesky factor), it is NaN, and no engine raises; matrices that hold NaN or
infinities give NaN. Half precision is computed in float32. Eigenvectors and singular vectors are unique up to a
factor of modulus 1; Kerata chooses it, so that they are the same on every engine.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kerata.core import decompositions as d
from kerata.core import dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values

from .core import cast, stop_gradient
from .creation import eye, range_tensor
from .elementwise import inf, promote, to_float
from .shaping import cut

TensorLike = Any
Tensor = Any
_REGULAR = values([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]])  # symmetric and positive definite
_BATCH = np.stack([_REGULAR, _REGULAR * 2 + np.eye(3, dtype="float32")])
_GENERAL = values([[1.0, 2.0, 0.5], [-1.0, 3.0, 0.2], [0.3, -0.7, 2.0]])
_SQUARES = (
    sample(_REGULAR), sample(_BATCH), sample(_REGULAR.astype("float64")), sample(values([[2.0]])), sample(_REGULAR.astype("float16"), gradient=False),
)  # fmt: skip
_SQUARE_REJECTS = (rejects(T((3,)), argument="x"), rejects(T((2, 3)), argument="x"))


# ---- shapes and dtypes ---------------------------------------------------------------------------


def _check_matrices(x: Any, argument: str = "x") -> None:
    if len(shape_of(x)) < 2:
        raise ArgumentError(argument, expected="a tensor with at least two dimensions", got=x)


def _check_square(x: Any, argument: str = "x") -> None:
    _check_matrices(x, argument)
    m, n = shape_of(x)[-2:]
    if rules.differ(m, n):
        raise ArgumentError(argument, expected="of square matrices", got=x)


def _wide(x: Any) -> tuple[Tensor, str]:
    """In the dtype to compute in, and the dtype of the result."""
    x = to_float(x)
    name = dtype_of(x)
    return (cast(x, "float32") if dtypes.itemsize(name) < 4 else x), name


def _regular(x: Tensor) -> tuple[Tensor, Tensor]:
    """The matrices, with the identity in the place of those that hold NaN or infinities, which engines refuse or make
    different things of; and which those are, as bool matrices of size 1."""
    n = len(shape_of(x))
    bad = p.any(p.logical_not(p.isfinite(x)), axis=(n - 2, n - 1), keepdims=True)
    rows, columns = d.positions(x)
    return p.where(bad, cast(p.eq(rows, columns), dtype_of(x)), x), bad


def _spoiled(bad: Tensor, out: Tensor) -> Tensor:
    """NaN for the matrices that were not regular. Results have at most two axes beside those of the batch."""
    n, batch = len(shape_of(out)), tuple(shape_of(bad)[:-2])
    return p.where(p.reshape(bad, shape=(*batch, *(1,) * (n - len(batch)))), math.nan, out)


def _svd(x: Tensor, full: bool) -> tuple[Tensor, Tensor, Tensor]:
    x, bad = _regular(x)
    u, s, v = (_spoiled(bad, part) for part in d.svd(x, full=full))
    return u, s, v


def adjoint(x: Tensor) -> Tensor:
    """The conjugate transpose of matrices."""
    return d.adjoint(x)


def _swap(x: Tensor) -> Tensor:
    n = len(shape_of(x))
    return p.transpose(x, axes=(*range(n - 2), n - 1, n - 2))


def _column(v: Tensor) -> Tensor:
    return p.reshape(v, shape=(*shape_of(v), 1))


def _row(v: Tensor) -> Tensor:
    shape = shape_of(v)
    return p.reshape(v, shape=(*shape[:-1], 1, shape[-1]))


def _same_batch(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    batch = rules.broadcast_two(tuple(shape_of(a)[:-2]), tuple(shape_of(b)[:-2]))
    return p.broadcast_to(a, shape=(*batch, *shape_of(a)[-2:])), p.broadcast_to(
        b, shape=(*batch, *shape_of(b)[-2:])
    )


# ---- solving -------------------------------------------------------------------------------------


def _symmetric(x: Tensor) -> Tensor:
    """The mean with the adjoint: the derivative is then symmetric, too, on every engine."""
    return p.mul(p.add(x, adjoint(x)), 0.5)


def _factor(x: Tensor, upper: bool) -> Tensor:
    x, irregular = _regular(_symmetric(x))
    low = _spoiled(irregular, d.cholesky(x))
    bad = p.any(p.ne(low, low), axis=(len(shape_of(low)) - 2, len(shape_of(low)) - 1), keepdims=True)
    low = p.where(bad, math.nan, low)
    return adjoint(low) if upper else low


@op(
    samples=(*_SQUARES, sample(_REGULAR, upper=True), sample(values([[1.0, 2.0], [2.0, 1.0]]), gradient=False), sample(T((2, 0, 0)), gradient=False)),
    rejects=_SQUARE_REJECTS,
reference=np.linalg.cholesky)  # fmt: skip
def cholesky(x: TensorLike, upper: bool = False) -> Tensor:
    """The lower triangular matrix `L` with `L @ adjoint(L) = x`; NaN where `x` is not positive definite.

    Args:
        x: symmetric (Hermitian) matrices; of others, the mean with their adjoint is taken.
        upper: whether to give the upper triangular factor `U` with `adjoint(U) @ U = x`.

    Returns:
        A tensor of the shape of `x`.

    Raises:
        ArgumentError: the matrices are not square.

    Example:
        >>> import kerata
        >>> float(kerata.ops.cholesky([[4.0]])[0, 0])
        2.0
    """
    _check_square(x)
    x, name = _wide(x)
    return cast(_factor(x, bool(upper)), name)


@op(samples=(*_SQUARES, sample(_REGULAR, upper=True)), rejects=_SQUARE_REJECTS)
def cholesky_inverse(x: TensorLike, upper: bool = False) -> Tensor:
    """The inverse of a matrix, from its Cholesky factor.

    Args:
        x: lower triangular factors.
        upper: whether `x` holds upper triangular factors.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.cholesky_inverse([[2.0]])[0, 0])
        0.25
    """
    _check_square(x)
    x, name = _wide(x)
    inverse = d.triangular_solve(x, _eye_like(x), lower=not upper)
    both = (inverse, adjoint(inverse)) if upper else (adjoint(inverse), inverse)
    return cast(p.matmul(*both), name)


def _eye_like(x: Tensor) -> Tensor:
    n = shape_of(x)[-1]
    return p.broadcast_to(
        eye(n, dtype=dtype_of(x)) if type(n) is int else _dynamic_eye(n, dtype_of(x)),
        shape=tuple(shape_of(x)),
    )


def _dynamic_eye(n: Any, name: str) -> Tensor:
    line = range_tensor(n)
    return cast(p.eq(p.reshape(line, shape=(n, 1)), p.reshape(line, shape=(1, n))), name)


def _solved(a: Any, b: Any, solve_: Any) -> Tensor:
    """`b` as matrices; a vector beside a matrix is one column."""
    _check_square(a, "a")
    a, b = promote(to_float(a), to_float(b))
    a, name = _wide(a)
    b, _ = _wide(b)
    n, have = shape_of(a)[-1], shape_of(b)
    vector = len(have) == 1 or (
        len(have) == len(shape_of(a)) - 1 and have[:-1] == shape_of(a)[:-2] and have[-1] == n
    )
    rows = have[-1] if vector else have[-2] if len(have) > 1 else 0
    if not have or rules.differ(rows, n):
        raise ArgumentError("b", expected=f"of shape (..., {n}, columns) or (..., {n})", got=b)
    try:
        a, b = _same_batch(a, _column(b) if vector else b)
    except ArgumentError:
        raise ArgumentError(
            "b", expected=f"with batches that broadcast with those of `a`, {shape_of(a)[:-2]}", got=b
        ) from None
    a, bad = _regular(a)
    out = _spoiled(bad, solve_(a, b))
    return cast(p.reshape(out, shape=shape_of(out)[:-1]) if vector else out, name)


_SYSTEMS = (
    sample(_GENERAL, T((3, 2))), sample(_GENERAL, T((3,))), sample(_BATCH, T((2, 3, 1))), sample(_BATCH, T((3, 2))), sample(_BATCH, T((2, 3))),
    sample(_GENERAL.astype("float64"), T((3, 2), "float64")), sample(values([[1.0, 2.0], [2.0, 4.0]]), T((2,)), gradient=False), sample(values([[1.0, 2.0], [float("inf"), 4.0]]), T((2, 1)), gradient=False),
)  # fmt: skip
_SYSTEM_REJECTS = (
    rejects(T((2, 3)), T((2, 1)), argument="a"),
    rejects(_GENERAL, T((2, 1)), argument="b"),
    rejects(_BATCH, T((3, 3, 1)), argument="b"),
)


@op(samples=_SYSTEMS, rejects=_SYSTEM_REJECTS)
def solve(a: TensorLike, b: TensorLike) -> Tensor:
    """The `x` with `a @ x = b`.

    Args:
        a: square matrices.
        b: matrices of right-hand columns, or vectors.

    Returns:
        A tensor of the shape of `b` (broadcast); NaN where `a` is singular.

    Raises:
        ArgumentError: the shapes do not fit.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0]))
        array([1. , 0.5], dtype=float32)
    """
    return _solved(a, b, d.solve)


@op(samples=(*_SYSTEMS, sample(_GENERAL, T((3, 2)), lower=True)), rejects=_SYSTEM_REJECTS)
def solve_triangular(a: TensorLike, b: TensorLike, lower: bool = False) -> Tensor:
    """The `x` with `a @ x = b`, where `a` is triangular.

    Args:
        a: square matrices, of which one triangle is read.
        b: matrices of right-hand columns, or vectors.
        lower: whether the lower triangle is read.

    Returns:
        A tensor of the shape of `b` (broadcast).

    Raises:
        ArgumentError: the shapes do not fit.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.solve_triangular([[2.0, 0.0], [9.0, 4.0]], [2.0, 2.0]))
        array([1. , 0.5], dtype=float32)
    """
    return _solved(a, b, lambda m, v: d.triangular_solve(m, v, lower=bool(lower)))


@op(
    samples=(*_SQUARES, sample(_GENERAL)),
    rejects=_SQUARE_REJECTS,
    reference=np.linalg.inv,
)
def inv(x: TensorLike) -> Tensor:
    """The inverse of square matrices; NaN where there is none.

    Args:
        x: square matrices.

    Returns:
        A tensor of the shape of `x`.

    Raises:
        ArgumentError: the matrices are not square.

    Example:
        >>> import kerata
        >>> float(kerata.ops.inv([[4.0]])[0, 0])
        0.25
    """
    _check_square(x)
    x, name = _wide(x)
    x, bad = _regular(x)
    return cast(_spoiled(bad, d.solve(x, _eye_like(x))), name)


@op(
    samples=(
        sample(_GENERAL),
        sample(_BATCH),
        sample(values([[0.0, 1.0], [2.0, 3.0]])),
        sample(T((2, 3), "float64")),
        sample(T((4, 2))),
        sample(T((2, 0, 3))),
        sample(values([[float("inf"), 1.0], [1.0, 2.0]])),
    ),
    rejects=_SQUARE_REJECTS[:1],
    differentiable=False,
)
def lu_factor(x: TensorLike) -> tuple[Tensor, Tensor]:
    """The factors of Gaussian elimination with partial pivoting, packed into one matrix, as LAPACK does.

    Args:
        x: matrices.

    Returns:
        A pair: matrices whose lower triangle holds `L` (without its unit diagonal) and whose upper one `U`; and
        int32 pivots: row `i` was exchanged with row `pivots[i]`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.lu_factor([[0.0, 1.0], [2.0, 3.0]])[1])
        array([1, 1], dtype=int32)
    """
    _check_matrices(x)
    x, name = _wide(x)
    x, bad = _regular(x)
    lu, pivots = d.lu_factor(x)
    return cast(_spoiled(bad, lu), name), pivots


# ---- determinants --------------------------------------------------------------------------------

_DETERMINANTS = (
    *_SQUARES,
    sample(_GENERAL),
    sample(-_REGULAR),
    sample(values([[1.0, 1.0], [1.0, 1.0]]), gradient=False),
)


@op(
    samples=(
        *_DETERMINANTS,
        sample(values([[1.0, 2.0], [2.0, 4.0]])),
        sample(values([[0.0, 0.0], [0.0, 0.0]])),
        sample(values([[1.0, 0.0, 2.0], [2.0, 0.0, 4.0], [3.0, 0.0, 6.0]])),
        sample(values([[float("nan"), 1.0], [1.0, 2.0]]), gradient=False),
    ),
    rejects=_SQUARE_REJECTS,
    reference=np.linalg.det,
)
def det(x: TensorLike) -> Tensor:
    """The determinant of square matrices.

    Args:
        x: square matrices.

    Returns:
        A tensor without the last two axes.

    Raises:
        ArgumentError: the matrices are not square.

    Example:
        >>> import kerata
        >>> round(float(kerata.ops.det([[2.0, 0.0], [0.0, 3.0]])), 4)
        6.0
    """
    _check_square(x)
    x, name = _wide(x)
    x, bad = _regular(x)
    return cast(_spoiled(bad, d.det(x)), name)


@op(samples=_DETERMINANTS, rejects=_SQUARE_REJECTS, reference=np.linalg.slogdet)
def slogdet(x: TensorLike) -> tuple[Tensor, Tensor]:
    """The sign of the determinant and the logarithm of its absolute value, which cannot overflow.

    Args:
        x: square matrices.

    Returns:
        A pair of tensors without the last two axes; 0 and minus infinity for singular matrices.

    Raises:
        ArgumentError: the matrices are not square.

    Example:
        >>> import kerata
        >>> float(kerata.ops.slogdet([[-1.0]])[0])
        -1.0
    """
    _check_square(x)
    x, name = _wide(x)
    x, bad = _regular(x)
    sign, log = (_spoiled(bad, part) for part in d.slogdet(x))
    return cast(stop_gradient(sign), name), cast(log, dtypes.real_of(name))


@op(
    samples=(*_SQUARES, sample(_GENERAL)),
    rejects=_SQUARE_REJECTS,
    reference=lambda x: np.linalg.slogdet(x)[1],
)
def logdet(x: TensorLike) -> Tensor:
    """The logarithm of the absolute value of the determinant.

    Args:
        x: square matrices.

    Returns:
        A tensor without the last two axes.

    Example:
        >>> import kerata
        >>> float(kerata.ops.logdet([[1.0]]))
        0.0
    """
    return slogdet(x)[1]


# ---- decompositions ------------------------------------------------------------------------------


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
    return stop_gradient(p.conj_(p.where(none, 1, p.div(side, p.where(none, 1, size)))))


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
    differentiable=False,
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
    samples=(sample(_GENERAL), sample(T((4, 2))), sample(T((2, 3))), sample(T((2, 4, 3), "float64")), sample(T((4, 2)), mode="complete", gradient=False), sample(T((2, 3)), mode="complete")),
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
    samples=(*_RECTANGLES, sample(T((3, 2)), gradient=False), sample(T((2, 3)), full_matrices=True, gradient=False), sample(_GENERAL, compute_uv=False), sample(T((4, 2)), False, False), sample(values([[1.0, float("nan")], [1.0, 2.0]]), False, gradient=False),),
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


# ---- least squares -------------------------------------------------------------------------------


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
    samples=(sample(T((4, 2)), T((4,))), sample(T((4, 2)), T((4, 3))), sample(_GENERAL, T((3, 1))), sample(T((2, 4)), T((2,))), sample(T((5, 2), "float64"), T((5, 2), "float64")), sample(values([[1.0, 2.0], [2.0, 4.0]]), values(1.0, 3.0), gradient=False),),
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


# ---- norms ---------------------------------------------------------------------------------------


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
        sample(T((3,))), sample(T((2, 3))), sample(T((2, 3, 4))), sample(T((2, 3)), axis=1, keepdims=True), sample(T((3,)), 1), sample(T((3,)), 3), sample(T((3,)), inf),
        sample(T((3,)), -inf), sample(T((3,)), 0, gradient=False), sample(T((2, 3)), 1), sample(T((2, 3)), -1, (0, 1)), sample(T((2, 3)), inf, (1, 0)), sample(T((2, 3)), "fro"), sample(T((3,), "int32"), gradient=False),
        sample(T((2, 3)), "nuc"), sample(T((2, 3)), 2), sample(T((2, 3, 4)), -2, (0, 2), True), sample(T((2, 3, 4)), "fro", axis=(0, -1)), sample(T((3,), "complex64"), gradient=False), sample(values(0.0, 0.0), 3, gradient=False), sample(T((0,)), inf, gradient=False), sample(T((0, 2)), 2, gradient=False),),
    rejects=(
        rejects(T((3,)), "fro", argument="ord"), rejects(T((2, 3)), 3, (0, 1), argument="ord"), rejects(T((2, 3)), axis=2, argument="axis"), rejects(T((2, 3, 4)), 1, argument="axis"),
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
    if not (axis is None or hasattr(axis, "__index__") or isinstance(axis, (list, tuple))):
        raise ArgumentError("axis", expected="one axis for vectors or two for matrices", got=axis)
    given = tuple(range(n)) if axis is None else (axis,) if hasattr(axis, "__index__") else tuple(axis)
    if len(given) not in (1, 2):
        raise ArgumentError("axis", expected="one axis for vectors or two for matrices", got=axis)
    found = tuple(rules.axis_index(a, n) for a in given)
    if len(set(found)) != len(found):
        raise ArgumentError("axis", expected="without repeated axes", got=axis)
    return found
