"""Gathers, scatters, sorts and searches on TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from kerata.backends.tables import implementing

from .derivatives import ruled
from .many_axes import MOST, axis_by_axis, broadcast_to, where

Tensor = Any
TABLE: dict[str, Callable[..., Any]] = {}
implements = implementing(TABLE)


@implements("take")
def _(x: Tensor, indices: Tensor, axis: int) -> Tensor:
    shape = x.shape[:axis] + indices.shape + x.shape[axis + 1 :]
    if x.dtype.is_floating and shape.is_fully_defined() and 0 in shape:  # TensorFlow's derivative fails
        return tf.broadcast_to(tf.reduce_sum(x), shape)
    return tf.gather(x, indices, axis=axis)


def _grid(indices: Tensor, axis: int) -> Tensor:
    shape = tf.shape(indices)
    rank = len(indices.shape)
    parts = []
    for i in range(rank):
        if i == axis:
            parts.append(tf.cast(indices, tf.int32))
        else:
            line = tf.reshape(tf.range(shape[i]), [-1 if j == i else 1 for j in range(rank)])
            parts.append(tf.broadcast_to(line, shape))
    return tf.stack(parts, -1)


@implements("take_along_axis")
def _(x: Tensor, indices: Tensor, axis: int) -> Tensor:
    shape = tuple(x.shape[i] if i == axis else indices.shape[i] for i in range(len(x.shape)))
    return TABLE["gather_nd"](broadcast_to(x, shape), _grid(indices, axis))


@implements("put_along_axis")
def _(x: Tensor, indices: Tensor, updates: Tensor, axis: int) -> Tensor:
    return TABLE["scatter"](x, _grid(indices, axis), updates, mode="add")


_DEEPEST = 7  # indices into more axes the kernels do not take


def _one_index(x: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
    """A tensor whose indexed axes are one, and indices into it."""
    sizes, depth = tf.shape(x), indices.shape[-1]
    flat = tf.zeros(tf.shape(indices)[:-1], tf.int32)
    for i, index in enumerate(tf.unstack(indices, axis=-1)):
        flat = flat * sizes[i] + tf.cast(index, tf.int32)
    return tf.reshape(x, tf.concat(([-1], sizes[depth:]), 0)), flat[..., None]


@implements("gather_nd")
def _(x: Tensor, indices: Tensor) -> Tensor:
    if indices.shape[-1] > _DEEPEST:
        x, indices = _one_index(x, indices)
    return tf.gather_nd(x, indices)


def _scatter(x: Tensor, indices: Tensor, updates: Tensor, mode: str) -> Tensor:
    if x.shape.num_elements() == 0:  # TensorFlow refuses indices into nothing
        return x
    if mode == "mul":
        return _scatter_product(x, indices, updates)
    fn = {
        "add": tf.tensor_scatter_nd_add, "set": tf.tensor_scatter_nd_update, "max": tf.tensor_scatter_nd_max,
        "min": tf.tensor_scatter_nd_min,
    }[mode]  # fmt: skip
    if x.dtype == tf.bool:
        return tf.cast(fn(tf.cast(x, tf.int8), indices, tf.cast(updates, tf.int8)), tf.bool)
    out = fn(x, indices, updates)
    if mode in ("max", "min") and x.dtype.is_floating:  # NaN wins; TensorFlow skips it among the updates
        bad = tf.cast(tf.math.is_nan(updates), tf.int32)
        hit = tf.tensor_scatter_nd_max(tf.zeros(tf.shape(x), tf.int32), indices, bad)
        out = where((hit > 0) | tf.math.is_nan(x), tf.constant(math.nan, x.dtype), out)
    return out


_scatter_by_rule = ruled("scatter", _scatter)


@implements("scatter")
def _(x: Tensor, indices: Tensor, updates: Tensor, mode: str) -> Tensor:
    if 0 in x.shape:  # the kernel refuses indices into nothing, also where the updates are empty
        return tf.identity(x)
    if indices.shape[-1] > _DEEPEST:
        line, places = _one_index(x, indices)
        return tf.reshape(TABLE["scatter"](line, places, updates, mode=mode), tf.shape(x))
    return (_scatter if mode == "add" else _scatter_by_rule)(x, indices, updates, mode=mode)


def _scatter_product(x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    depth = indices.shape[-1]
    sizes = [int(d) for d in x.shape[:depth]]
    flat = _one_index(x, indices)[1][..., 0]
    factors = tf.math.unsorted_segment_prod(updates, flat, math.prod(sizes))
    return x * tf.reshape(factors, tf.shape(x))


def _sortable(x: Tensor) -> Tensor:
    return tf.cast(x, tf.int32) if x.dtype in (tf.bool, tf.int8, tf.uint8, tf.int16, tf.uint16) else x


@implements("sort")
def _(x: Tensor, axis: int) -> Tensor:
    return (
        tf.gather(x, TABLE["argsort"](x, axis), axis=axis, batch_dims=axis)
        if axis == len(x.shape) - 1
        else TABLE["take_along_axis"](x, TABLE["argsort"](x, axis), axis)
    )


@implements("argsort")
def _(x: Tensor, axis: int) -> Tensor:
    """Stable, with NaN last."""
    x = _sortable(x)
    return tf.argsort(_rank(x) if x.dtype.is_floating else x, axis, stable=True)


@implements("top_k")
def _(x: Tensor, k: int) -> tuple[Tensor, Tensor]:
    if not x.dtype.is_floating:
        found = tf.math.top_k(_sortable(x), k)
        return tf.cast(found.values, x.dtype), found.indices
    places = tf.math.top_k(_rank(x), k).indices
    return tf.gather(x, places, axis=-1, batch_dims=len(x.shape) - 1), places


def _rank(x: Tensor) -> Tensor:
    """Integers in the order of floats, with NaN above all, for which TensorFlow has no place."""
    kind = {2: tf.int16, 4: tf.int32, 8: tf.int64}[x.dtype.size]
    # -0 becomes 0; of a sum with 0, graphs keep the first alone.
    bits = tf.bitcast(where(x == tf.zeros((), x.dtype), tf.zeros((), x.dtype), tf.stop_gradient(x)), kind)
    ordered = where(bits < 0, tf.bitwise.bitwise_xor(bits, tf.constant(kind.max, kind)), bits)
    return where(tf.math.is_nan(x), tf.constant(kind.max, kind), ordered)


@implements("searchsorted")
def _(x: Tensor, v: Tensor, side: str) -> Tensor:
    flat = tf.searchsorted(_sortable(x), tf.reshape(_sortable(v), (-1,)), side=side, out_type=tf.int32)
    return tf.reshape(flat, tf.shape(v))


def _starts(x: Tensor, starts: Tensor, sizes: Any) -> Tensor:
    return tf.clip_by_value(tf.cast(starts, tf.int32), 0, tf.shape(x) - sizes)


@implements("dynamic_slice")
def _(x: Tensor, starts: Tensor, sizes: tuple[int, ...]) -> Tensor:
    first = _starts(x, starts, sizes)
    if len(sizes) > MOST:
        return axis_by_axis(
            x, range(len(sizes)), lambda y, i: tf.slice(y, (0, first[i], 0), (-1, sizes[i], -1))
        )
    out = tf.slice(x, first, sizes)
    out.set_shape(sizes) if hasattr(out, "set_shape") else None
    return out


@implements("dynamic_update_slice")
def _(x: Tensor, update: Tensor, starts: Tensor) -> Tensor:
    if not x.shape.rank:
        return update
    first = _starts(x, starts, tf.shape(update))
    grids = tf.meshgrid(*(tf.range(d) for d in update.shape), indexing="ij")
    places = tf.reshape(tf.stack(grids, -1), (-1, len(update.shape))) + first
    values = tf.reshape(update, (-1,))
    if x.shape.rank > _DEEPEST:
        line, places = _one_index(x, places)
        return tf.reshape(tf.tensor_scatter_nd_update(line, places, values), tf.shape(x))
    return tf.tensor_scatter_nd_update(x, places, values)
