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
    """Of columns that are scaled to about 1: TensorFlow squares their elements, and takes small ones for zeros."""
    scale = _power_of_two(tf.reduce_max(tf.abs(x), axis=-2, keepdims=True))
    scale = tf.cast(scale, x.dtype)
    q, r = tf.linalg.qr(x / scale, full_matrices=full)
    return q, r * scale


def _power_of_two(x: Tensor) -> Tensor:
    """The power of two at or below a float; 1 where there is none."""
    kind, exponent = (tf.int64, 0x7FF << 52) if x.dtype == tf.float64 else (tf.int32, 0xFF << 23)
    power = tf.bitcast(tf.bitwise.bitwise_and(tf.bitcast(x, kind), tf.constant(exponent, kind)), x.dtype)
    return tf.where((power > 0) & tf.math.is_finite(power), power, tf.ones((), x.dtype))


def svd(x: Tensor, full: bool) -> tuple[Tensor, Tensor, Tensor]:
    s, u, v = tf.linalg.svd(x, full_matrices=full)
    return u, s, tf.linalg.adjoint(v)


def eigh(x: Tensor) -> tuple[Tensor, Tensor]:
    values, vectors = tf.linalg.eigh(x)
    return tf.math.real(values) if values.dtype.is_complex else values, vectors


def eig(x: Tensor) -> tuple[Tensor, Tensor]:
    """Of a matrix that is scaled to about 1, for the same reason as `qr`."""
    scale = _power_of_two(tf.reduce_max(tf.abs(x), axis=(-2, -1), keepdims=True))
    values, vectors = tf.linalg.eig(x / tf.cast(scale, x.dtype))
    return values * tf.cast(scale[..., 0], values.dtype), vectors


def fft(x: Tensor, inverse: bool) -> Tensor:
    return tf.signal.ifft(x) if inverse else tf.signal.fft(x)


TABLE: dict[str, Any] = {
    "cholesky": cholesky, "solve": solve, "det": det, "triangular_solve": triangular_solve, "lu_factor": lu_factor,
    "slogdet": slogdet, "qr": qr, "svd": svd, "eigh": eigh, "eig": eig, "fft": fft,
}  # fmt: skip

for _name in ("cholesky", "det", "eig", "eigh", "lu_factor", "qr", "slogdet", "solve", "svd"):
    TABLE[_name] = ruled(_name, TABLE[_name])
