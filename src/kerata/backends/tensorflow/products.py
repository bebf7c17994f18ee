"""Products of matrices, and sums of products, on TensorFlow."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from kerata.backends.tables import implementing

Tensor = Any
TABLE: dict[str, Callable[..., Any]] = {}
implements = implementing(TABLE)

_PRODUCTS = frozenset(
    (tf.float16, tf.bfloat16, tf.float32, tf.float64, tf.int32, tf.int64, tf.complex64, tf.complex128)
)


def half(x: Tensor) -> bool:
    return x.dtype in (tf.float16, tf.bfloat16)


def _of_integers(product: Callable[..., Tensor], *xs: Tensor) -> Tensor:
    """By the kernels of TensorFlow, of 32 and 64 bits with a sign: the low bits of sums and products are the same."""
    dtype = xs[0].dtype
    signed = tf.int64 if dtype.size == 8 else tf.int32
    convert = tf.bitcast if dtype.size == signed.size else tf.cast
    return convert(product(*(convert(x, signed) for x in xs)), dtype)


@implements("matmul")
def _(x1: Tensor, x2: Tensor) -> Tensor:
    if x1.dtype not in _PRODUCTS:
        return _of_integers(TABLE["matmul"], x1, x2)
    left = x1[None, :] if len(x1.shape) == 1 else x1
    right = x2[:, None] if len(x2.shape) == 1 else x2
    if len(left.shape) > 2 and len(right.shape) == 2:  # one large product instead of many small ones
        out = tf.tensordot(left, right, 1)
    else:
        out = tf.linalg.matmul(left, right)
    if len(x2.shape) == 1:
        out = out[..., 0]
    return (
        out[..., 0, :]
        if len(x1.shape) == 1 and len(x2.shape) > 1
        else (out[..., 0] if len(x1.shape) == 1 else out)
    )


@implements("einsum")
def _(*xs: Tensor, equation: str) -> Tensor:
    if xs[0].dtype.is_integer or xs[0].dtype == tf.bool:
        return _of_integers(functools.partial(tf.einsum, equation), *xs)
    if half(xs[0]):  # added up in float32, as elsewhere
        return tf.cast(_einsum(equation, *(tf.cast(x, tf.float32) for x in xs)), xs[0].dtype)
    return _einsum(equation, *xs)


def _einsum(equation: str, *xs: Tensor) -> Tensor:
    """`tf.einsum`, which transposes what a matrix is applied to along a middle axis, twice over, without need."""
    axis = _axis_of_matrix(equation)
    if axis is None or not xs[1].shape[axis + 1 :].is_fully_defined():
        return tf.einsum(equation, *xs)
    matrix, x = xs if equation[1] == equation[3 + axis] else (tf.transpose(xs[0]), xs[1])
    rest = x.shape[axis + 1 :].num_elements()
    shape = tf.concat((tf.shape(x)[:axis], tf.shape(matrix)[:1], tf.shape(x)[axis + 1 :]), 0)
    if rest >= _WIDE:
        return tf.reshape(tf.matmul(matrix, tf.reshape(x, (-1, x.shape[axis], rest))), shape)
    rows = tf.transpose(tf.reshape(x, (-1, x.shape[axis], rest)), (0, 2, 1))
    product = tf.matmul(tf.reshape(rows, (-1, x.shape[axis])), matrix, transpose_b=True)
    return tf.reshape(tf.transpose(tf.reshape(product, (-1, rest, matrix.shape[0])), (0, 2, 1)), shape)


_WIDE = 16  # columns from which on a product for each leading index costs less than a transposition


@functools.lru_cache(maxsize=4096)
def _axis_of_matrix(equation: str) -> int | None:
    """The axis, not the last, along which `zb,abcd->azcd` or `bz,abcd->azcd` applies a matrix, or None."""
    operands, _, out = equation.partition("->")
    matrix, _, x = operands.partition(",")
    if len(set(matrix)) != 2 or len(matrix) != 2 or len(set(x)) != len(x):
        return None
    for new, old in zip(matrix, reversed(matrix)):
        if old in x[:-1] and new not in x and x.replace(old, new) == out:
            return x.index(old)
    return None
