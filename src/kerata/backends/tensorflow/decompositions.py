"""Linear algebra and the Fourier transform in TensorFlow.

`tf.linalg.solve` and `lu` raise on singular matrices, so these are taken out first, and elimination is written out.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from .derivatives import ruled

Tensor = Any


def cholesky(x: Tensor) -> Tensor:
    return tf.linalg.band_part(tf.linalg.cholesky(x), -1, 0)


def triangular_solve(a: Tensor, b: Tensor, lower: bool) -> Tensor:
    return tf.linalg.triangular_solve(a, b, lower=lower)


def solve(a: Tensor, b: Tensor) -> Tensor:
    sign = tf.linalg.slogdet(a)[0]
    nan = tf.math.is_nan(tf.math.real(tf.reduce_sum(a, axis=(-2, -1))))  # which the kernel takes for singular
    singular = tf.logical_or(sign == 0, nan)[..., None, None]
    safe = tf.where(singular, tf.eye(a.shape[-1], dtype=a.dtype), a)
    return tf.where(singular, tf.constant(float("nan"), a.dtype), tf.linalg.solve(safe, b))


def det(x: Tensor) -> Tensor:
    return tf.linalg.det(x)


def lu_factor(x: Tensor) -> tuple[Tensor, Tensor]:
    """Gaussian elimination with partial pivoting, a column at a time."""
    m, n = x.shape[-2:]
    rows = tf.range(m)
    pivots = []
    for i in range(min(m, n)):
        column = tf.where(rows >= i, tf.abs(x[..., i]), tf.constant(-1, x.dtype.real_dtype))
        pivot = tf.argmax(column, axis=-1, output_type=tf.int32)
        pivots.append(pivot)
        chosen = rows == pivot[..., None]
        first, other = x[..., i, :], tf.gather(x, pivot, axis=-2, batch_dims=len(x.shape) - 2)
        x = tf.where(chosen[..., None], first[..., None, :], x)
        x = tf.where((rows == i)[:, None], other[..., None, :], x)
        top = x[..., i, i, None]
        factor = tf.where(rows > i, tf.math.divide_no_nan(x[..., i], top), tf.zeros((), x.dtype))
        right = tf.where(tf.range(n) > i, x[..., i, :], tf.zeros((), x.dtype))
        x = x - factor[..., None] * right[..., None, :]
        x = tf.where((rows > i)[:, None] & (tf.range(n) == i), factor[..., None], x)
    return x, tf.stack(pivots, axis=-1) if pivots else tf.zeros((*x.shape[:-2], 0), tf.int32)


def slogdet(x: Tensor) -> tuple[Tensor, Tensor]:
    sign, log = tf.linalg.slogdet(x)
    return sign, tf.math.real(log) if log.dtype.is_complex else log


def qr(x: Tensor, full: bool) -> tuple[Tensor, Tensor]:
    return tuple(tf.linalg.qr(x, full_matrices=full))


def svd(x: Tensor, full: bool) -> tuple[Tensor, Tensor, Tensor]:
    s, u, v = tf.linalg.svd(x, full_matrices=full)
    return u, s, tf.linalg.adjoint(v)


def eigh(x: Tensor) -> tuple[Tensor, Tensor]:
    values, vectors = tf.linalg.eigh(x)
    return tf.math.real(values) if values.dtype.is_complex else values, vectors


def eig(x: Tensor) -> tuple[Tensor, Tensor]:
    return tuple(tf.linalg.eig(x))


def fft(x: Tensor, inverse: bool) -> Tensor:
    return tf.signal.ifft(x) if inverse else tf.signal.fft(x)


TABLE: dict[str, Any] = {
    "cholesky": cholesky, "solve": solve, "det": det, "triangular_solve": triangular_solve, "lu_factor": lu_factor,
    "slogdet": slogdet, "qr": qr, "svd": svd, "eigh": eigh, "eig": eig, "fft": fft,
}  # fmt: skip

for _name in ("cholesky", "det", "eig", "eigh", "lu_factor", "qr", "slogdet", "solve", "svd"):
    TABLE[_name] = ruled(_name, TABLE[_name])
