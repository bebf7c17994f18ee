"""Plain definitions of linear algebra, and of quotients without NaN."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray


def _check_finite(a: Array) -> None:
    if not np.isfinite(a).all():
        raise np.linalg.LinAlgError("an infinite matrix")


def solve(a: Array, b: Array) -> Array:
    _check_finite(a)
    return np.linalg.solve(a, b[..., None])[..., 0] if b.shape == a.shape[:-1] else np.linalg.solve(a, b)


def solve_triangular(a: Array, b: Array, lower: bool = False) -> Array:
    _check_finite(a)
    return solve(np.tril(a) if lower else np.triu(a), b)


def cholesky_inverse(x: Array, upper: bool = False) -> Array:
    factor = np.swapaxes(np.triu(x), -1, -2).conj() if upper else np.tril(x)
    return np.linalg.inv(factor @ np.swapaxes(factor, -1, -2).conj())


def divide_no_nan(x1: Any, x2: Any) -> Array:
    return np.where(np.equal(x2, 0), 0, np.true_divide(x1, x2))


def lu_factor(x: Array) -> tuple[Array, Array]:
    import scipy.linalg  # not required by Kerata: loaded when it is asked

    _check_finite(x)
    if 0 in x.shape:
        raise np.linalg.LinAlgError("nothing to factor")
    return tuple(_batched(lambda a: scipy.linalg.lu_factor(a, check_finite=False), x))  # type: ignore[return-value]


def qr(x: Array, mode: Any = "reduced") -> Any:
    return np.linalg.qr(x, mode)


def _batched(factor: Any, x: Array) -> list[Array]:
    """The factors of each matrix, stacked."""
    each = [factor(a) for a in x.reshape(-1, *x.shape[-2:])]
    return [
        np.reshape(np.stack(parts), (*x.shape[:-2], *parts[0].shape)) for parts in zip(*each, strict=True)
    ]


def _side(vectors: Array) -> Array:
    """Vectors have no sign of their own: columns are turned so that their product with 1 / sqrt(2 + i) is positive."""
    product = np.sum(vectors / np.sqrt(np.arange(vectors.shape[-2]) + 2)[:, None], -2, keepdims=True)
    return product / np.abs(product)


def eigh(x: Array) -> tuple[Array, Array]:
    values, vectors = np.linalg.eigh((x + np.swapaxes(x, -1, -2).conj()) / 2)
    return values, vectors / _side(vectors)


def eig(x: Array) -> tuple[Array, Array]:
    _check_finite(x)
    if 0 in x.shape:
        raise np.linalg.LinAlgError("no vectors")

    def sorted_(a: Array) -> tuple[Array, Array]:
        values, vectors = np.linalg.eig(a)
        order = np.lexsort((values.imag, values.real.round(9)))
        vectors = vectors[:, order].astype(complex)
        return values[order].astype(complex), vectors / _side(vectors)

    return tuple(_batched(sorted_, x))  # type: ignore[return-value]


def svd(x: Array, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    _check_finite(x)
    if not compute_uv:
        return np.linalg.svd(x, compute_uv=False)
    if full_matrices and x.shape[-1] != x.shape[-2]:
        raise np.linalg.LinAlgError("vectors that are not unique")
    u, s, v = np.linalg.svd(x, full_matrices=False)
    side = _side(u)
    return u / side, s, v * np.swapaxes(side, -1, -2)
