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
from .elementwise import promote, to_float

TensorLike = Any

Tensor = Any

_REGULAR = values([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]])  # symmetric and positive definite

_BATCH = np.stack([_REGULAR, _REGULAR * 2 + np.eye(3, dtype="float32")])

_GENERAL = values([[1.0, 2.0, 0.5], [-1.0, 3.0, 0.2], [0.3, -0.7, 2.0]])

_SQUARES = (
    sample(_REGULAR), sample(_BATCH), sample(_REGULAR.astype("float64")), sample(values([[2.0]])),
    sample(_REGULAR.astype("float16"), gradient=False),
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
    samples=(
        *_SQUARES, sample(_REGULAR, upper=True), sample(values([[1.0, 2.0], [2.0, 1.0]]), gradient=False),
        sample(T((2, 0, 0)), gradient=False),
    ),
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
    sample(_GENERAL, T((3, 2))), sample(_GENERAL, T((3,))), sample(_BATCH, T((2, 3, 1))), sample(_BATCH, T((3, 2))),
    sample(_BATCH, T((2, 3))),
    sample(_GENERAL.astype("float64"), T((3, 2), "float64")),
    sample(values([[1.0, 2.0], [2.0, 4.0]]), T((2,)), gradient=False),
    sample(values([[1.0, 2.0], [float("inf"), 4.0]]), T((2, 1)), gradient=False),
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
        sample(_GENERAL, gradient=False),  # two rows are equally good pivots
        sample(_BATCH, gradient=False),
        sample(_REGULAR),
        sample(values([[1.0, 2.0], [3.0, 0.5]], dtype="complex64"), gradient=False),
        sample(values([[0.0, 1.0], [2.0, 3.0]])),
        sample(T((2, 3), "float64")),
        sample(T((4, 2))),
        sample(T((2, 0, 3))),
        sample(values([[float("inf"), 1.0], [1.0, 2.0]]), gradient=False),
    ),
    rejects=_SQUARE_REJECTS[:1],
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
