"""Convolution and pooling on TensorFlow, after a plan of `kerata.core.geometry`.

TensorFlow's CPU kernels are the fewest of all engines: channels last only, and without oneDNN no gradient where there
are holes or groups. What follows runs on every build and device; each detour says which kernel is missing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from kerata.core.geometry import ConvPlan, Ints, PoolPlan

Tensor = Any


# ---- layouts -------------------------------------------------------------------------------------


def _channels_last(x: Tensor, plan: Any) -> Tensor:
    """CPU kernels take channels last."""
    return x if plan.channels_last else tf.transpose(x, plan.to_channels_last)


def _as_planned(x: Tensor, plan: Any) -> Tensor:
    return x if plan.channels_last else tf.transpose(x, plan.from_channels_last)


def _fit(x: Tensor, pads: Any) -> Tensor:
    """Pads the spatial dimensions with zeros; what is negative is cut off."""
    if any(p < 0 for pair in pads for p in pair):
        size = zip(x.shape[1:-1], pads)
        cut = [slice(max(-low, 0), n - max(-high, 0)) for n, (low, high) in size]
        x = x[(slice(None), *cut)]
    wider = [[max(low, 0), max(high, 0)] for low, high in pads]
    return tf.pad(x, [[0, 0], *wider, [0, 0]]) if any(map(any, wider)) else x


@functools.cache
def _only_cpu() -> bool:
    return not tf.config.list_physical_devices("GPU")


def _widened(fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """There are no kernels for most integers: in float64 their sums are exact below 2^53. CPU kernels of 16 bits add
    up in 16 bits, unless they are oneDNN's."""

    def call(x: Tensor, other: Tensor, plan: ConvPlan) -> Tensor:
        if not x.dtype.is_floating:
            wide = fn(tf.cast(x, tf.float64), tf.cast(other, tf.float64), plan)
            return tf.cast(tf.cast(wide, tf.int64), x.dtype)
        if x.dtype.size < 4 and _only_cpu():
            return tf.cast(fn(tf.cast(x, tf.float32), tf.cast(other, tf.float32), plan), x.dtype)
        return fn(x, other, plan)

    return call


# ---- convolution ---------------------------------------------------------------------------------


@_widened
def conv(x: Tensor, kernel: Tensor, plan: ConvPlan) -> Tensor:
    """The convolution of `x` with `kernel`."""
    # oneDNN gives a result of any shape; a sum of both operands has their (empty) derivatives.
    if x.shape[0] == 0:
        return tf.zeros(plan.out_shape(0), x.dtype) + (tf.reduce_sum(x) + tf.reduce_sum(kernel)) * 0
    return _as_planned(_conv(_channels_last(x, plan), kernel, plan), plan)


def _conv(x: Tensor, kernel: Tensor, plan: ConvPlan) -> Tensor:
    holes, uneven = max(plan.dilation) > 1, len(set(plan.strides)) > 1
    depthwise = plan.depthwise and plan.rank < 3
    if plan.groups > 1 and not depthwise:  # a kernel with groups has no gradient without oneDNN
        parts = zip(tf.split(x, plan.groups, -1), tf.split(kernel, plan.groups, -1))
        return tf.concat([_conv(part, weight, plan.of_one_group) for part, weight in parts], -1)
    strides = plan.strides
    # No kernel has both: every stride-th of all outputs.
    if max(strides) > 1 and (holes or (depthwise and uneven)):
        strides = (1,) * plan.rank
    out = _depthwise(x, kernel, plan, strides) if depthwise else _plain(x, kernel, plan, strides)
    if strides == plan.strides:
        return out
    return out[(slice(None), *(slice(None, None, s) for s in plan.strides))]


def _plain(x: Tensor, kernel: Tensor, plan: ConvPlan, strides: Ints) -> Tensor:
    x, padding = _padding(x, plan, strides)
    if plan.rank > 1:
        # Where there are holes this rearranges the input, since a kernel with holes has no gradient without oneDNN.
        # Without a layout, the eager gradient of three dimensions fails.
        layout = {2: "NHWC", 3: "NDHWC"}[plan.rank]
        return tf.nn.convolution(x, kernel, strides, padding, layout, plan.dilation)
    lifted = tf.nn.convolution(
        x[:, None], kernel[None], (1, *strides), padding, dilations=(1, *plan.dilation)
    )
    return tf.squeeze(lifted, 1)


def _depthwise(x: Tensor, kernel: Tensor, plan: ConvPlan, strides: Ints) -> Tensor:
    x, padding = _padding(x, plan, strides)
    kernel = tf.reshape(kernel, (*plan.kernel_size, plan.in_channels, -1))
    if plan.rank == 1:  # the one stride for both: over a height of 1 it makes no difference
        strides, dilation = strides * 2, plan.dilation * 2
        lifted = tf.nn.depthwise_conv2d(
            x[:, None], kernel[None], (1, *strides, 1), padding, dilations=dilation
        )
        return tf.squeeze(lifted, 1)
    return tf.nn.depthwise_conv2d(x, kernel, (1, *strides, 1), padding, dilations=plan.dilation)


def _padding(x: Tensor, plan: Any, strides: Ints) -> tuple[Tensor, str]:
    """The input and the name of the padding that the native kernel adds; any but "SAME" and "VALID" is added here.
    (Explicit paddings exist, but with oneDNN their gradient takes three times as long.)"""
    if strides == plan.strides and _same(plan):
        return x, "SAME"
    return _fit(x, plan.used_pads), "VALID"


def _same(plan: Any) -> bool:
    """Whether "SAME" is the plan's padding. Without oneDNN, values of three dimensions are wrong where it leaves
    elements between the windows."""
    skips = plan.rank == 3 and any(low + high < 0 for low, high in plan.used_pads)
    return not skips and all(map(_is_same, *_dimensions(plan)))


def _dimensions(plan: Any) -> tuple[Any, ...]:
    return plan.in_size, plan.out_size, plan.strides, plan.extent, plan.pads


def _is_same(n: int, m: int, stride: int, extent: int, pads: tuple[int, int]) -> bool:
    return m == -(-n // stride) and pads[0] == max((m - 1) * stride + extent - n, 0) // 2


@_widened
def conv_input_grad(g: Tensor, kernel: Tensor, plan: ConvPlan) -> Tensor:
    """The gradient of `conv` by its input, given `g`, the one by its output."""
    g = _channels_last(g, plan)
    parts = zip(tf.split(g, plan.groups, -1), tf.split(kernel, plan.groups, -1))
    grads = [_input_grad(part, weight, plan.of_one_group) for part, weight in parts]
    return _as_planned(grads[0] if len(grads) == 1 else tf.concat(grads, -1), plan)


def _input_grad(g: Tensor, kernel: Tensor, plan: ConvPlan) -> Tensor:
    # A kernel with holes has no native transpose without oneDNN.
    for axis, dilation in enumerate(plan.dilation):
        kernel = _with_holes(kernel, axis, dilation)
    same = _same(plan)
    whole = tuple((m - 1) * s + e for m, s, e in zip(plan.out_size, plan.strides, plan.extent))
    size, strides = plan.in_size if same else whole, plan.strides
    if plan.rank == 1:
        g, kernel, size, strides = g[:, None], kernel[None], (1, *size), (1, *strides)
    batch = g.shape[0] if g.shape[0] is not None else tf.shape(g)[0]
    transpose = tf.nn.conv3d_transpose if plan.rank == 3 else tf.nn.conv2d_transpose
    out = transpose(g, kernel, (batch, *size, plan.in_channels), strides, "SAME" if same else "VALID")
    if plan.rank == 1:
        out = tf.squeeze(out, 1)
    return out if same else _fit(out, tuple((-low, -high) for low, high in plan.used_pads))


def _with_holes(kernel: Tensor, axis: int, dilation: int) -> Tensor:
    if dilation == 1:
        return kernel
    shape = kernel.shape.as_list()
    pads = [[0, 0] for _ in range(len(shape) + 1)]
    pads[axis + 1][1] = dilation - 1
    spread = tf.reshape(
        tf.pad(tf.expand_dims(kernel, axis + 1), pads), [*shape[:axis], -1, *shape[axis + 1 :]]
    )
    return spread[(*(slice(None),) * axis, slice((shape[axis] - 1) * dilation + 1))]


def conv_kernel_grad(x: Tensor, g: Tensor, plan: ConvPlan) -> Tensor:
    """The gradient of `conv` by its kernel, given `g`, the one by its output."""
    kernel = tf.zeros(plan.kernel_shape, x.dtype)
    return transposed(lambda k: conv(x, k, plan), kernel, g)


def transposed(fn: Callable[[Tensor], Tensor], x: Tensor, g: Tensor) -> Tensor:
    """The gradient of `fn`, which is linear, by `x`."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = fn(x)
    return tape.gradient(y, x, g)


# ---- pooling -------------------------------------------------------------------------------------


def _by_planes(x: Tensor, plan: PoolPlan, pool: Callable[[Tensor, PoolPlan], Tensor]) -> Tensor:
    """Pools the last two spatial dimensions, then the first of three: the kernels of three dimensions lack
    float64 and float16, and choose otherwise among equals."""
    *_, channels = shape = x.shape
    size, out = plan.in_size, plan.out_size
    if plan.rank == 1:
        return tf.squeeze(pool(x[:, None], _part(plan, (None, 0))), 1)
    if plan.rank == 2:
        return pool(x, plan)
    batch = shape[0] if shape[0] is not None else -1
    depth = -1 if batch == -1 else batch * size[0]
    planes = pool(tf.reshape(x, (depth, *size[1:], channels)), _part(plan, (1, 2)))
    columns = tf.reshape(planes, (batch, size[0], out[1] * out[2], channels))
    pooled = pool(columns, _part(plan, (0, None), out[1] * out[2]))
    return tf.reshape(pooled, (batch, *out, channels))


def _part(plan: PoolPlan, axes: tuple[int | None, ...], size: int = 1) -> PoolPlan:
    """The plan of some dimensions; None is one of that size over which nothing is pooled."""

    def pick(values: Any, other: Any) -> Any:
        return tuple(other if axis is None else values[axis] for axis in axes)

    sizes = pick(plan.in_size, size), pick(plan.out_size, size)
    return PoolPlan(True, *sizes, pick(plan.strides, 1), pick(plan.pads, (0, 0)), pick(plan.extent, 1))


@functools.lru_cache(maxsize=4096)
def _arguments(plan: PoolPlan) -> tuple[Ints, Ints, str]:
    return plan.pool_size, plan.strides, "SAME" if _same(plan) else "VALID"


def _max_2d(x: Tensor, plan: PoolPlan) -> Tensor:
    if x.dtype in (tf.uint32, tf.uint64):  # have no native kernel
        return _max_by_taps(x, plan)
    if not x.dtype.is_floating:
        return tf.nn.max_pool2d(x, *_arguments(plan))
    # The native kernel passes over NaN, and what is below the lowest finite number becomes it.
    if tf.executing_eagerly():
        return if_finite(x, lambda: tf.nn.max_pool2d(x, *_arguments(plan)), lambda: _max_by_taps(x, plan))
    return _max_of_any(x, plan)


def _max_of_any(x: Tensor, plan: PoolPlan) -> Tensor:
    """Inside a function, what the native kernel gives where all is finite. It and its derivative stand outside of the
    branches: there oneDNN pairs them, which takes a fifth of the time."""
    size, strides, padding = _arguments(plan)

    @tf.custom_gradient
    def pool(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        finite = tf.math.is_finite(tf.reduce_sum(x))  # an overflow only takes the longer way
        native = tf.nn.max_pool2d(x, size, strides, padding)

        def back(g: Tensor) -> Tensor:
            sizes = {"ksize": (1, *size, 1), "strides": (1, *strides, 1), "padding": padding}
            usual = tf.raw_ops.MaxPoolGrad(orig_input=x, orig_output=native, grad=g, **sizes)
            return tf.cond(finite, lambda: usual, lambda: transposed(lambda v: _max_by_taps(v, plan), x, g))

        return tf.cond(finite, lambda: native, lambda: _max_by_taps(x, plan)), back

    return pool(x)


def if_finite(x: Tensor, usual: Callable[[], Tensor], other: Callable[[], Tensor]) -> Tensor:
    """What `usual` gives where all of `x` is finite, else `other`."""
    if not tf.executing_eagerly():
        return tf.cond(tf.math.is_finite(tf.reduce_sum(x)), usual, other)
    try:  # a tenth of the time of `reduce_all` on small tensors
        tf.debugging.check_numerics(x, "")
    except tf.errors.InvalidArgumentError:
        return other()
    return usual()


def _larger(first: Tensor, second: Tensor) -> Tensor:
    """The first of equals, or the first NaN: the derivative of `tf.maximum` would go past a NaN in the first."""
    return tf.where(tf.logical_or(first >= second, first != first), first, second)


def _max_by_taps(x: Tensor, plan: PoolPlan) -> Tensor:
    """Along one dimension after the other, the last first, so that of equals the first in row-major order wins.
    A place in the padding is read from the nearest element, which is in the window too."""
    for axis in reversed(range(plan.rank)):
        starts = np.arange(plan.out_size[axis]) * plan.strides[axis] - plan.pads[axis][0]
        taps = (np.clip(starts + t, 0, plan.in_size[axis] - 1) for t in range(plan.pool_size[axis]))
        parts = [tf.gather(x, places, axis=axis + 1) for places in taps]
        x = functools.reduce(_larger, parts)
    return x


def max_pool(x: Tensor, plan: PoolPlan) -> Tensor:
    """The largest element of each window; NaN is the largest, and of equals the first has the gradient."""
    if x.dtype == tf.bool:
        return tf.cast(max_pool(tf.cast(x, tf.uint8), plan), tf.bool)
    return _as_planned(_by_planes(_channels_last(x, plan), plan, _max_2d), plan)


def avg_pool(x: Tensor, plan: PoolPlan) -> Tensor:
    """The mean of the input elements in each window."""
    if x.dtype.size < 4:  # accumulates in the input's own dtype
        return tf.cast(avg_pool(tf.cast(x, tf.float32), plan), x.dtype)
    return _as_planned(_by_planes(_channels_last(x, plan), plan, _avg_2d), plan)


def _avg_2d(x: Tensor, plan: PoolPlan) -> Tensor:
    if all(e <= n for e, n in zip(plan.extent, plan.in_size, strict=True)):
        return tf.nn.avg_pool2d(x, *_arguments(plan))
    # The native derivative is wrong for windows that are longer than the input: over zeros, they are not.
    padded = tf.pad(x, ((0, 0), *plan.pads, (0, 0)))
    means = tf.nn.avg_pool2d(padded, plan.pool_size, plan.strides, "VALID")
    return means * tf.constant(plan.size / plan.counts, x.dtype)


def max_pool_grad(g: Tensor, x: Tensor, plan: PoolPlan) -> Tensor:
    """`g` put where the largest elements of `x` are."""
    return transposed(lambda v: max_pool(v, plan), x, g)


def max_pool_take(h: Tensor, x: Tensor, plan: PoolPlan) -> Tensor:
    """The elements of `h` where the largest elements of `x` are."""
    shape = plan.out_shape(tf.shape(x)[0], x.shape[plan.channel_axis])
    return transposed(lambda g: max_pool_grad(g, x, plan), tf.zeros(shape, h.dtype), h)


def avg_pool_grad(g: Tensor, plan: PoolPlan) -> Tensor:
    """The gradient of `avg_pool`, given `g`, the one by its output."""
    shape = plan.in_shape(tf.shape(g)[0], g.shape[plan.channel_axis])
    return transposed(lambda x: avg_pool(x, plan), tf.zeros(shape, g.dtype), g)


TABLE: dict[str, Callable[..., Any]] = {
    "conv": conv, "conv_input_grad": conv_input_grad, "conv_kernel_grad": conv_kernel_grad, "max_pool": max_pool,
    "max_pool_grad": max_pool_grad, "max_pool_take": max_pool_take, "avg_pool": avg_pool,
    "avg_pool_grad": avg_pool_grad,
}  # fmt: skip
