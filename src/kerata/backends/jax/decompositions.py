"""Linear algebra and the Fourier transform in JAX."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from .derivatives import ruled

Array = Any


def cholesky(x: Array) -> Array:
    return lax.linalg.cholesky(x, symmetrize_input=False)


def triangular_solve(a: Array, b: Array, lower: bool) -> Array:
    return lax.linalg.triangular_solve(a, b, left_side=True, lower=lower)


def solve(a: Array, b: Array) -> Array:
    singular = (jnp.linalg.slogdet(a)[0] == 0)[..., None, None]
    safe = jnp.where(singular, jnp.eye(a.shape[-1], dtype=a.dtype), a)
    return jnp.where(singular, jnp.nan, jnp.linalg.solve(safe, b))


def det(x: Array) -> Array:
    return jnp.linalg.det(x)


def lu_factor(x: Array) -> tuple[Array, Array]:
    lu, pivots, _ = lax.linalg.lu(x)
    return lu, pivots.astype(np.int32)


def slogdet(x: Array) -> tuple[Array, Array]:
    return tuple(jnp.linalg.slogdet(x))


def qr(x: Array, full: bool) -> tuple[Array, Array]:
    return tuple(lax.linalg.qr(x, full_matrices=full))


def svd(x: Array, full: bool) -> tuple[Array, Array, Array]:
    return tuple(jnp.linalg.svd(x, full_matrices=full))


def eigh(x: Array) -> tuple[Array, Array]:
    return tuple(jnp.linalg.eigh(x, symmetrize_input=False))


def eig(x: Array) -> tuple[Array, Array]:
    """Of a matrix that is scaled to about 1: LAPACK as JAX calls it scales very small and large ones, but not back."""
    largest = jnp.max(jnp.abs(x), axis=(-2, -1), keepdims=True, initial=0)
    exponent = jnp.frexp(largest)[1]
    scale = jnp.where(jnp.isfinite(largest), jnp.ldexp(jnp.ones_like(largest), exponent - 1), 1)
    values, vectors = jnp.linalg.eig(x / scale)
    return values * scale[..., 0].astype(values.dtype), vectors


def fft(x: Array, inverse: bool) -> Array:
    return jnp.fft.ifft(x) if inverse else jnp.fft.fft(x)


TABLE: dict[str, Any] = {
    "cholesky": cholesky, "solve": solve, "det": det, "triangular_solve": triangular_solve, "lu_factor": lu_factor,
    "slogdet": slogdet, "qr": qr, "svd": svd, "eigh": eigh, "eig": eig, "fft": fft,
}  # fmt: skip

for _name in ("cholesky", "det", "eig", "eigh", "lu_factor", "qr", "slogdet", "solve", "svd"):
    TABLE[_name] = ruled(_name, TABLE[_name])
