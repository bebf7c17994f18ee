"""Convolution and pooling in NumPy, after a plan of `kerata.core.geometry`.

A convolution copies the windows of a few samples at a time into the rows of a matrix, small enough to stay in a
core's cache, and multiplies it by the kernel. Its gradient by the input is again convolutions, one for each phase
of the strides, so nothing is scattered and no multiplication by an inserted zero is done. Pooling runs over one
spatial dimension after the other.

Half-precision inputs are computed in float32. Layouts are views: "channels_first" is turned while windows are
gathered, never as a whole.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from kerata.core.geometry import ConvPlan, Ints, Pads, PoolPlan

Array = np.ndarray
Index = tuple[slice, ...]

# Bytes of windows gathered at a time. Measured on kernels 3 × 3 and 5 × 5 over 1 to 64 channels: between 256 KiB
# and 4 MiB within 10 % of each other, and up to twice as fast as all windows at once.
_BLOCK_BYTES = 1 << 20


class _Slide(NamedTuple):
    """How windows slide over the spatial dimensions. Pads fit exactly; a negative one cuts off."""

    taps: Ints
    out: Ints
    strides: Ints
    dilation: Ints
    pads: Pads


class _Block(NamedTuple):
    """Some samples and rows of the output, with the windows that they come from."""

    place: Index
    windows: Array  # (groups, samples, *out, *taps, channels of a group), a view


# ---- convolution ---------------------------------------------------------------------------------


def conv(x: Array, kernel: Array, plan: ConvPlan) -> Array:
    """`x` convolved with `kernel`; of the dtype of `x`."""
    out = np.empty(plan.out_shape(len(x)), x.dtype)
    slide = _Slide(plan.kernel_size, plan.out_size, plan.strides, plan.dilation, plan.used_pads)
    _correlate(
        x.transpose(plan.to_channels_last), kernel, plan.groups, slide, out.transpose(plan.to_channels_last)
    )
    return out


def conv_input_grad(g: Array, kernel: Array, plan: ConvPlan) -> Array:
    """The gradient of `conv` by its input, given `g`, the one by its output. It is also the transposed
    convolution of `g`."""
    dx = np.zeros(plan.in_shape(len(g)), g.dtype)
    g_last, dx_last = g.transpose(plan.to_channels_last), dx.transpose(plan.to_channels_last)
    turned = _swap_channels(kernel, plan.groups)
    phases = [list(_phases(plan, i)) for i in range(plan.rank)]
    for phase in itertools.product(*phases):
        slide = _Slide(*zip(*(p.slide for p in phase)))
        taps = tuple(p.taps for p in phase)
        target = dx_last[(slice(None), *(p.inputs for p in phase))]
        _correlate(g_last, turned[taps], plan.groups, slide, target)
    return dx


def conv_kernel_grad(x: Array, g: Array, plan: ConvPlan) -> Array:
    """The gradient of `conv` by its kernel, given `g`, the one by its output."""
    x, g = x.transpose(plan.to_channels_last), g.transpose(plan.to_channels_last)
    slide = _Slide(plan.kernel_size, plan.out_size, plan.strides, plan.dilation, plan.used_pads)
    dtype, groups = _accumulator(x.dtype), plan.groups
    if plan.depthwise:
        dk = _depthwise_kernel_grad(x, g, slide, dtype)
        return dk.reshape(plan.kernel_shape).astype(x.dtype, copy=False)
    per_group, filters = plan.in_channels // groups, plan.out_channels // groups
    dk = np.zeros((groups, math.prod(plan.kernel_size) * per_group, filters), dtype)
    columns = _Columns(groups, dk.shape[1], dtype)
    for block in _blocks(x, slide, groups, dtype):
        matrix = columns.fill(block.windows)
        part = g[block.place].astype(dtype, copy=False).reshape(-1, groups, filters)
        dk += matrix.swapaxes(1, 2) @ part.swapaxes(0, 1)
    by_tap = np.moveaxis(dk.reshape(groups, -1, per_group, filters), 0, -2)
    return by_tap.reshape(plan.kernel_shape).astype(x.dtype, copy=False)


def _correlate(x: Array, kernel: Array, groups: int, slide: _Slide, out: Array) -> None:
    """Writes into `out`; all three have their channels last."""
    dtype = _accumulator(x.dtype)
    per_group, filters = kernel.shape[-2], kernel.shape[-1] // groups
    if groups > 1 and per_group == 1:
        return _depthwise(x, kernel.astype(dtype, copy=False), slide, out, dtype)
    matrix = np.moveaxis(kernel.reshape(*slide.taps, per_group, groups, filters), -2, 0)
    matrix = matrix.astype(dtype, copy=False).reshape(groups, -1, filters)
    columns = _Columns(groups, matrix.shape[1], dtype)
    for block in _blocks(x, slide, groups, dtype):
        rows, target = columns.fill(block.windows), out[block.place]
        if groups == 1 and target.dtype == dtype and target.flags.c_contiguous:
            np.matmul(rows[0], matrix[0], out=target.reshape(-1, filters))
        else:
            target[...] = (rows @ matrix).swapaxes(0, 1).reshape(target.shape)


def _depthwise(x: Array, kernel: Array, slide: _Slide, out: Array, dtype: np.dtype[Any]) -> None:
    """One channel in each group: matrices would be too thin, so taps are added one by one."""
    channels = x.shape[-1]
    by_channel = kernel.reshape(*slide.taps, channels, -1)
    for block in _blocks(x, slide, 1, dtype, taps_at_once=1):
        target = out[block.place]
        total = np.zeros((*target.shape[:-1], *by_channel.shape[-2:]), dtype)
        product = np.empty_like(total)
        for tap in np.ndindex(slide.taps):
            np.multiply(_tap(block.windows, tap)[..., None], by_channel[tap], out=product)
            total += product
        target[...] = total.reshape(target.shape)


def _depthwise_kernel_grad(x: Array, g: Array, slide: _Slide, dtype: np.dtype[Any]) -> Array:
    channels = x.shape[-1]
    filters = g.shape[-1] // channels
    dk = np.zeros((*slide.taps, channels * filters), dtype)
    for block in _blocks(x, slide, 1, dtype, taps_at_once=1):
        part = g[block.place].astype(dtype, copy=False)
        part = part.reshape(*part.shape[:-1], channels, filters)
        product = np.empty(part.shape, dtype)
        rows = product.reshape(-1, channels * filters)
        ones = np.ones(len(rows), dtype)
        for tap in np.ndindex(slide.taps):
            np.multiply(_tap(block.windows, tap)[..., None], part, out=product)
            dk[tap] += ones @ rows  # a sum over rows that BLAS does
    return dk


def _tap(windows: Array, tap: Ints) -> Array:
    """What one tap sees: (samples, *out, channels)."""
    index: Any = (0, *(slice(None),) * (len(tap) + 1), *tap)
    return windows[index]


def _swap_channels(kernel: Array, groups: int) -> Array:
    """The kernel with input and output channels exchanged within each group."""
    *taps, per_group, filters = kernel.shape
    grouped = kernel.reshape(*taps, per_group, groups, filters // groups)
    return np.swapaxes(grouped, -3, -1).reshape(*taps, filters // groups, groups * per_group)


class _Phase(NamedTuple):
    """Along one dimension: every stride-th input, the kernel's taps that reach it, and how these slide over the
    outputs' gradient."""

    inputs: slice
    taps: slice
    slide: tuple[int, int, int, int, tuple[int, int]]


def _phases(plan: ConvPlan, axis: int) -> Iterator[_Phase]:
    """Input j receives from output i through tap t where `j = i stride + t dilation - low`. For the inputs of one
    residue modulo the stride these t are evenly spaced, and so are the i: a convolution of stride 1."""
    n, m, k = plan.in_size[axis], plan.out_size[axis], plan.kernel_size[axis]
    stride, dilation, low = plan.strides[axis], plan.dilation[axis], plan.used_pads[axis][0]
    common = math.gcd(stride, dilation)
    tap_step, hole = stride // common, dilation // common
    for first in range(min(stride, n)):
        tap = next((t for t in range(min(tap_step, k)) if (first + low - t * dilation) % stride == 0), None)
        if tap is None:
            continue  # no window touches these inputs
        count = len(range(first, n, stride))
        taps = len(range(tap, k, tap_step))
        newest = (first + low - tap * dilation) // stride  # the output that reaches `first` through `tap`
        before = (taps - 1) * hole - newest
        after = count + (taps - 1) * hole - m - before
        last = tap + (taps - 1) * tap_step
        turned = slice(last, tap - 1 if tap else None, -tap_step)
        yield _Phase(slice(first, None, stride), turned, (taps, count, 1, hole, (before, after)))


# ---- gathering windows ---------------------------------------------------------------------------


def _accumulator(dtype: Any) -> np.dtype[Any]:
    """float32 for the 16-bit floats, which would lose digits at each addition; bfloat16 has kind "V"."""
    return np.dtype(np.float32) if dtype.kind in "fV" and dtype.itemsize < 4 else dtype


def _blocks(
    x: Array, slide: _Slide, groups: int, dtype: np.dtype[Any], taps_at_once: int | None = None
) -> Iterator[_Block]:
    """Cuts the output into blocks of whole samples, or of rows of one sample where samples are large."""
    samples, height = len(x), slide.out[0]
    per_row = (
        math.prod(slide.out[1:]) * (taps_at_once or math.prod(slide.taps)) * x.shape[-1] * dtype.itemsize
    )
    step = max(1, _BLOCK_BYTES // (per_row * height))
    rows = height if step > 1 else max(1, _BLOCK_BYTES // per_row)
    padded = _Padded(x, slide.pads, min(step, samples), dtype)
    for first in range(0, samples, step):
        windows = _window_view(padded.take(first, first + step), slide, groups)
        for row in range(0, height, rows):
            place = (slice(first, first + step), slice(row, row + rows))
            yield _Block(place, windows[:, :, row : row + rows])


class _Padded:
    """Samples of `x` with padding; their memory, whose borders stay zero, serves every block."""

    def __init__(self, x: Array, pads: Pads, step: int, dtype: np.dtype[Any]) -> None:
        size = x.shape[1:-1]
        shape = tuple(n + low + high for n, (low, high) in zip(size, pads))
        cut = (slice(max(-low, 0), n - max(-high, 0)) for n, (low, high) in zip(size, pads))
        self.x = x[(slice(None), *cut)]
        self.inner = tuple(slice(max(low, 0), n - max(high, 0)) for n, (low, high) in zip(shape, pads))
        # Without padding a view will do, unless each gathered row would be spread over memory.
        in_place = self.x.shape[1:-1] == shape and x.dtype == dtype and x.strides[-1] == x.itemsize
        self.memory = None if in_place else np.zeros((step, *shape, x.shape[-1]), dtype)

    def take(self, first: int, last: int) -> Array:
        part = self.x[first:last]
        if self.memory is None:
            return part
        copy = self.memory[: len(part)]
        copy[(slice(None), *self.inner)] = part
        return copy


def _window_view(x: Array, slide: _Slide, groups: int) -> Array:
    per_group = x.shape[-1] // groups
    sample, *steps, channel = x.strides
    return as_strided(
        x,
        (groups, len(x), *slide.out, *slide.taps, per_group),
        (
            per_group * channel,
            sample,
            *(step * stride for step, stride in zip(steps, slide.strides)),
            *(step * hole for step, hole in zip(steps, slide.dilation)),
            channel,
        ),
        writeable=False,
    )


class _Columns:
    """The matrix of windows of each group of channels; its memory serves every block."""

    def __init__(self, groups: int, width: int, dtype: np.dtype[Any]) -> None:
        self.groups, self.width = groups, width
        self.memory = np.empty(0, dtype)

    def fill(self, windows: Array) -> Array:
        """`(groups, windows, taps × channels)`."""
        if self.memory.size < windows.size:
            self.memory = np.empty(windows.size, self.memory.dtype)
        copy = self.memory[: windows.size]
        np.copyto(copy.reshape(windows.shape), windows)
        return copy.reshape(self.groups, -1, self.width)


# ---- pooling -------------------------------------------------------------------------------------


def max_pool(x: Array, plan: PoolPlan) -> Array:
    """The largest element of each window. NaN is larger than all, as in `numpy.max`."""
    lowest = _lowest(x.dtype)
    return _reduce_axes(x, plan, np.maximum, lowest)


def avg_pool(x: Array, plan: PoolPlan) -> Array:
    """The mean of the input elements in each window; padding is not counted."""
    total = _reduce_axes(x.astype(_accumulator(x.dtype), copy=False), plan, np.add, 0)
    return _divided(total, plan).astype(x.dtype, copy=False)


def avg_pool_grad(g: Array, plan: PoolPlan) -> Array:
    """The gradient of `avg_pool`, given `g`, the one by its output."""
    dx = _divided(g.astype(_accumulator(g.dtype)), plan)
    for axis in reversed(range(plan.rank)):
        shape = list(dx.shape)
        shape[plan.spatial_axes[axis]] = plan.in_size[axis]
        spread = np.zeros(shape, dx.dtype)
        lead = (slice(None),) * plan.spatial_axes[axis]
        for inputs, outputs in plan.taps_along(axis):
            spread[(*lead, inputs)] += dx[(*lead, outputs)]
        dx = spread
    return dx.astype(g.dtype, copy=False)


def max_pool_grad(g: Array, x: Array, plan: PoolPlan) -> Array:
    """The gradient of `max_pool` by its input, given `g`, the one by its output.

    Where several elements of a window are the largest, the first in row-major order has the gradient.
    """
    dx = np.zeros(x.shape, _accumulator(g.dtype))
    finite = bool(np.isfinite(g).all())
    for inputs, outputs, chosen in _winners(x, plan):
        # A product is twice as fast as a choice, but zero times infinity is NaN.
        share = g[outputs] * chosen if finite else np.where(chosen, g[outputs], 0)
        if plan.disjoint:
            dx[inputs] = share
        else:
            dx[inputs] += share
    return dx.astype(g.dtype, copy=False)


def max_pool_take(h: Array, x: Array, plan: PoolPlan) -> Array:
    """The elements of `h` where `max_pool` found its own in `x`: the transpose of `max_pool_grad` by `g`."""
    out = np.zeros(_out_shape(x, plan), h.dtype)
    for inputs, outputs, chosen in _winners(x, plan):
        np.copyto(out[outputs], h[inputs], where=chosen)
    return out


def _winners(x: Array, plan: PoolPlan) -> Iterator[tuple[Index, Index, Array]]:
    """For each place in a window, in row-major order: where the input and the output are, and which windows have
    their largest element there for the first time."""
    largest = max_pool(x, plan)
    open_ = np.ones(largest.shape, bool)
    nan = x.dtype.kind in "fV" and bool(np.isnan(largest).any())
    for inputs, outputs in plan.taps:
        candidate = x[inputs]
        chosen = candidate == largest[outputs]
        if nan:
            chosen |= np.isnan(candidate)
        chosen &= open_[outputs]
        yield inputs, outputs, chosen
        open_[outputs] ^= chosen


def _reduce_axes(x: Array, plan: PoolPlan, join: Callable[..., Any], start: Any) -> Array:
    """Joins the elements of each window, one spatial dimension after the other."""
    for axis in range(plan.rank):
        lead = (slice(None),) * plan.spatial_axes[axis]
        taps = list(plan.taps_along(axis))
        whole = next((tap for tap in taps if tap[1] == slice(0, plan.out_size[axis])), None)
        if whole is not None:  # a place that every window has: nothing to fill first
            taps.remove(whole)
            out = x[(*lead, whole[0])].copy()
        else:
            shape = list(x.shape)
            shape[plan.spatial_axes[axis]] = plan.out_size[axis]
            out = np.full(shape, start, x.dtype)
        for inputs, outputs in taps:
            part = out[(*lead, outputs)]
            join(part, x[(*lead, inputs)], out=part)
        x = out
    return x


def _divided(total: Array, plan: PoolPlan) -> Array:
    count = plan.size if plan.unpadded else plan.counts.astype(total.dtype)
    return np.divide(total, count, out=total)


def _out_shape(x: Array, plan: PoolPlan) -> Ints:
    return plan.out_shape(x.shape[0], x.shape[plan.channel_axis])


def _lowest(dtype: np.dtype[Any]) -> Any:
    if dtype.kind in "fV":
        return -np.inf
    return False if dtype.kind == "b" else np.iinfo(dtype).min


def quiet(fn: Callable[..., Array]) -> Callable[..., Array]:
    """Without NumPy's warnings: NaN and infinity are values."""

    @functools.wraps(fn)
    def call(*args: Any, **params: Any) -> Array:
        with np.errstate(all="ignore"):
            return fn(*args, **params)

    return call


TABLE: dict[str, Callable[..., Array]] = {
    fn.__name__: quiet(fn)
    for fn in (
        conv,
        conv_input_grad,
        conv_kernel_grad,
        max_pool,
        max_pool_grad,
        max_pool_take,
        avg_pool,
        avg_pool_grad,
    )
}
