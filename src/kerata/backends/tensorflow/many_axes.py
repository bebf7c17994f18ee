"""Tensors of more axes than TensorFlow's kernels take: seen as lines, or as tensors of three axes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from .derivatives import wanted

Tensor = Any

# Primitives of two tensors that broadcast. Their kernels take as many axes, counted after neighbouring ones that
# are treated alike are joined.
BROADCASTING = """
    add sub mul div pow floor_divide remainder maximum minimum atan2 nextafter complex bitwise_and bitwise_or bitwise_xor
    shift_left shift_right logical_and logical_or logical_xor eq ne lt le gt ge
""".split()
MOST_BROADCAST, AT_ONCE = 5, 3  # as many axes, and those that are worked on at once where there are more
MOST = 8  # of selections, slices, reversals and pads


def of_many_axes(fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A broadcasting function of tensors with any number of axes."""

    @functools.wraps(fn)
    def call(*args: Any) -> Tensor:
        if wanted() and _adds_float16(args):
            y = call(*(tf.cast(x, tf.float32) if _is_float16(x) else x for x in args))
            return tf.cast(y, tf.float16) if y.dtype == tf.float32 else y
        if tf.executing_eagerly():
            try:
                return fn(*args)
            except tf.errors.UnimplementedError:
                return _in_line(fn, args)
        if max(len(x.shape) for x in args if tf.is_tensor(x)) <= MOST_BROADCAST:
            return fn(*args)
        return _in_line(fn, args)

    return call


def _is_float16(x: Any) -> bool:
    return bool(tf.is_tensor(x) and x.dtype == tf.float16)


def _adds_float16(args: Iterable[Any]) -> bool:
    """Whether a derivative is a sum of float16, which TensorFlow adds up in that dtype."""
    shapes = [x.shape for x in args if _is_float16(x)]
    return bool(shapes) and any(x.shape != shapes[0] for x in args if tf.is_tensor(x))


def or_else(fn: Callable[..., Tensor], full: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """An eager function, and another for what it has no kernel for."""

    def call(*args: Any) -> Tensor:
        try:
            return fn(*args)
        except tf.errors.UnimplementedError:
            return full(*args)

    return call


def _in_line(fn: Callable[..., Tensor], args: Iterable[Any]) -> Tensor:
    def deep(x: Any) -> bool:
        return bool(tf.is_tensor(x) and x.shape.rank)

    sizes = functools.reduce(tf.broadcast_dynamic_shape, [tf.shape(x) for x in args if deep(x)])
    static = functools.reduce(tf.broadcast_static_shape, [x.shape for x in args if deep(x)])
    shape = tuple(sizes[i] if d is None else d for i, d in enumerate(static.as_list()))
    y = fn(*(tf.reshape(broadcast_to(x, shape), (-1,)) if deep(x) else x for x in args))
    return tf.reshape(y, shape)


def broadcast_to(x: Tensor, shape: tuple[Any, ...]) -> Tensor:
    if _is_float16(x) and wanted():
        return tf.cast(broadcast_to(tf.cast(x, tf.float32), shape), tf.float16)
    if len(shape) > MOST_BROADCAST:
        sizes, own = tf.shape(x), [1] * (len(shape) - len(x.shape))
        own += [sizes[i] if d is None else d for i, d in enumerate(x.shape)]
        for stop in range(AT_ONCE, len(shape), AT_ONCE):
            x = tf.broadcast_to(x, (*shape[:stop], *own[stop:]))
    return tf.broadcast_to(x, shape)


def axis_by_axis(x: Tensor, axes: Iterable[int], fn: Callable[[Tensor, int], Tensor]) -> Tensor:
    """A function of one axis after the other, each as the middle one of three: `fn(middle, axis)`."""
    for axis in axes:
        sizes = tf.shape(x)
        before, after = tf.reduce_prod(sizes[:axis]), tf.reduce_prod(sizes[axis + 1 :])
        y = fn(tf.reshape(x, (before, sizes[axis], after)), axis)
        x = tf.reshape(y, tf.concat((sizes[:axis], tf.shape(y)[1:2], sizes[axis + 1 :]), 0))
    return x


where = of_many_axes(tf.where)
