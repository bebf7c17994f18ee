"""Linear algebra and the Fourier transform in NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray


def _each_matrix(fn: Callable[[Array], Array], x: Array) -> Array:
    """A function of one matrix applied to each, where it may fail for some: those are NaN."""
    out = np.full(x.shape, np.nan, x.dtype)
    for place in np.ndindex(x.shape[:-2]):
        try:
            out[place] = fn(x[place])
        except np.linalg.LinAlgError:
            continue  # stays NaN
    return out


def cholesky(x: Array) -> Array:
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        return _each_matrix(np.linalg.cholesky, x)


def solve(a: Array, b: Array) -> Array:
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        out = np.full(b.shape, np.nan, b.dtype)
        for place in np.ndindex(a.shape[:-2]):
            if np.linalg.det(a[place]) != 0:
                out[place] = np.linalg.solve(a[place], b[place])
        return out


def triangular_solve(a: Array, b: Array, lower: bool) -> Array:
    """By substitution, a row at a time for all matrices at once."""
    n = a.shape[-1]
    out = np.zeros_like(b)
    with np.errstate(all="ignore"):
        for i in range(n) if lower else reversed(range(n)):
            known = np.s_[:i] if lower else np.s_[i + 1 :]
            rest = b[..., i, :] - np.einsum("...j,...jk->...k", a[..., i, known], out[..., known, :])
            out[..., i, :] = rest / a[..., i, i, None]
    return out


def lu_factor(x: Array) -> tuple[Array, Array]:
    """Gaussian elimination with partial pivoting, a column at a time for all matrices at once."""
    *batch, m, n = x.shape
    lu = x.reshape(math.prod(batch), m, n).copy()
    pivots = np.zeros((len(lu), min(m, n)), np.int32)
    which = np.arange(len(lu))
    with np.errstate(all="ignore"):
        for i in range(min(m, n)):
            row = i + np.argmax(np.abs(lu[:, i:, i]), axis=1)
            pivots[:, i] = row
            first, other = lu[which, i].copy(), lu[which, row].copy()
            lu[which, i], lu[which, row] = other, first
            factor = np.where(lu[:, i, i, None] == 0, 0, lu[:, i + 1 :, i] / lu[:, i, i, None])
            lu[:, i + 1 :, i] = factor
            lu[:, i + 1 :, i + 1 :] -= factor[:, :, None] * lu[:, i, None, i + 1 :]
    return lu.reshape(x.shape), pivots.reshape(*batch, min(m, n))


def det(x: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(np.linalg.det(x))


def slogdet(x: Array) -> tuple[Array, Array]:
    with np.errstate(all="ignore"):
        sign, log = np.linalg.slogdet(x)
    return np.asarray(sign), np.asarray(log)


def qr(x: Array, full: bool) -> tuple[Array, Array]:
    q, r = np.linalg.qr(x, "complete" if full else "reduced")
    return q, r


def svd(x: Array, full: bool) -> tuple[Array, Array, Array]:
    u, s, v = np.linalg.svd(x, full_matrices=full)
    return u, s, v


def eigh(x: Array) -> tuple[Array, Array]:
    values, vectors = np.linalg.eigh(x)
    return values, vectors


def eig(x: Array) -> tuple[Array, Array]:
    name = np.result_type(x.dtype, np.complex64)
    values, vectors = np.linalg.eig(x)
    return values.astype(name), vectors.astype(name)


def fft(x: Array, inverse: bool) -> Array:
    return (np.fft.ifft if inverse else np.fft.fft)(x).astype(x.dtype, copy=False)


TABLE: dict[str, Any] = {
    "cholesky": cholesky, "solve": solve, "det": det, "triangular_solve": triangular_solve, "lu_factor": lu_factor, "slogdet": slogdet,
    "qr": qr, "svd": svd, "eigh": eigh, "eig": eig, "fft": fft,
}  # fmt: skip
