"""Convolution, pooling and other windows that slide."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

Array = np.ndarray


def _each(value: Any, rank: int) -> tuple[int, ...]:
    return (value,) * rank if np.ndim(value) == 0 else tuple(value)


def _inside(place: Any) -> Any:
    """Of every image."""
    return (slice(None), *place)


def _padded(x: Array, window: Any, strides: Any, padding: str, fill: float) -> Array:
    if not isinstance(padding, str):
        return np.pad(x, [(0, 0), *padding, (0, 0)], constant_values=fill)
    if padding.lower() == "valid":
        return x
    pads = []
    for n, k, s in zip(x.shape[1:-1], window, strides, strict=True):
        total = max((-(-n // s) - 1) * s + k - n, 0)
        pads.append((k - 1, 0) if padding == "causal" else (total // 2, total - total // 2))
    return np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill)


def _windows(x: Array, window: Any, strides: Any) -> Array:
    """Of `(batch, places, channels)`: `(batch, places, channels, window)`."""
    views = np.lib.stride_tricks.sliding_window_view(x, window, tuple(range(1, x.ndim - 1)))
    return views[(slice(None), *(slice(None, None, s) for s in strides))]


def _pooled(
    inputs: Array, pool_size: Any, strides: Any, padding: str, data_format: Any, fill: float, join: Any
) -> Array:
    x = np.moveaxis(inputs, 1, -1) if data_format == "channels_first" else inputs
    rank = x.ndim - 2
    size = _each(pool_size, rank)
    steps = size if strides is None else _each(strides, rank)
    found = join(_windows(_padded(x, size, steps, padding, fill), size, steps), tuple(range(-rank, 0)))
    return np.moveaxis(found, -1, 1) if data_format == "channels_first" else found


def max_pool(
    inputs: Array, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: Any = None
) -> Array:
    return _pooled(inputs.astype(float), pool_size, strides, padding, data_format, -np.inf, np.max)


def average_pool(
    inputs: Array, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: Any = None
) -> Array:
    return _pooled(inputs.astype(float), pool_size, strides, padding, data_format, np.nan, np.nanmean)


def conv(
    inputs: Array, kernel: Array, strides: Any = 1, padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> Array:  # fmt: skip
    x = np.moveaxis(inputs, 1, -1) if data_format == "channels_first" else inputs
    rank = x.ndim - 2
    holes = _each(dilation_rate, rank)
    window = tuple((k - 1) * d + 1 for k, d in zip(kernel.shape, holes, strict=False))
    steps = _each(strides, rank)
    views = _windows(_padded(x, window, steps, padding, 0), window, steps)
    every: Any = (..., *(slice(None, None, d) for d in holes))
    views = views[every]
    groups = x.shape[-1] // kernel.shape[-2]
    parts = []
    for channels, weights in zip(
        np.split(views, groups, rank + 1), np.split(kernel, groups, -1), strict=True
    ):
        window_axes = tuple(range(rank + 2, 2 * rank + 2))
        parts.append(np.tensordot(channels, weights, ((*window_axes, rank + 1), tuple(range(rank + 1)))))
    found = np.concatenate(parts, -1)
    return np.moveaxis(found, -1, 1) if data_format == "channels_first" else found


def depthwise_conv(
    inputs: Array, kernel: Array, strides: Any = 1, padding: str = "valid", data_format: Any = None, dilation_rate: Any = 1
) -> Array:  # fmt: skip
    axis = 1 if data_format == "channels_first" else -1
    channels = np.split(inputs, inputs.shape[axis], axis)
    kernels = np.split(kernel, kernel.shape[-2], -2)
    options = strides, padding, data_format, dilation_rate
    return np.concatenate([conv(x, k, *options) for x, k in zip(channels, kernels, strict=True)], axis)


def separable_conv(
    inputs: Array, depthwise_kernel: Array, pointwise_kernel: Array, strides: Any = 1, padding: str = "valid",
    data_format: Any = None, dilation_rate: Any = 1,
) -> Array:  # fmt: skip
    spread = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(spread, pointwise_kernel, 1, "valid", data_format)


def _adapted(inputs: Array, output_size: Any, data_format: Any, join: Any) -> Array:
    x = np.moveaxis(inputs, 1, -1) if data_format == "channels_first" else inputs
    sizes = _each(output_size, x.ndim - 2)
    found = np.zeros((x.shape[0], *sizes, x.shape[-1]))
    place: Any
    for place in itertools.product(*map(range, sizes)):
        box: Any = tuple(
            slice(i * n // m, -(-(i + 1) * n // m))
            for i, n, m in zip(place, x.shape[1:-1], sizes, strict=True)
        )
        found[_inside(place)] = join(x[_inside(box)], tuple(range(1, x.ndim - 1)))
    return np.moveaxis(found, -1, 1) if data_format == "channels_first" else found


def adaptive_average_pool(inputs: Array, output_size: Any, data_format: Any = None) -> Array:
    return _adapted(inputs, output_size, data_format, np.mean)


def adaptive_max_pool(inputs: Array, output_size: Any, data_format: Any = None) -> Array:
    return _adapted(inputs, output_size, data_format, np.max)


def conv_transpose(
    inputs: Array, kernel: Array, strides: Any = 1, padding: str = "valid", output_padding: Any = None,
    data_format: Any = None, dilation_rate: Any = 1,
) -> Array:  # fmt: skip
    """Each element of the input paints the kernel onto the output; what reaches beyond its border is cut off."""
    x = np.moveaxis(inputs, 1, -1) if data_format == "channels_first" else inputs
    rank = x.ndim - 2
    steps, holes = _each(strides, rank), _each(dilation_rate, rank)
    extents = [(k - 1) * d + 1 for k, d in zip(kernel.shape, holes, strict=False)]
    extra = [None] * rank if output_padding is None else _each(output_padding, rank)
    canvas = [(n - 1) * s + e for n, s, e in zip(x.shape[1:-1], steps, extents, strict=True)]
    sizes, cuts = [], []
    for n, s, e, whole, more in zip(x.shape[1:-1], steps, extents, canvas, extra, strict=True):
        natural = max(n * s, whole) if padding == "valid" else n * s
        size = natural if more is None else whole + more - (0 if padding == "valid" else 2 * (e // 2))
        sizes.append(size)
        cuts.append(0 if padding == "valid" else max(whole - size, 0) // 2)
    painted = np.zeros(
        (len(x), *[c + max(z, 0) for c, z in zip(canvas, sizes, strict=True)], kernel.shape[-2])
    )
    for place in itertools.product(*map(range, x.shape[1:-1])):
        for tap in itertools.product(*map(range, kernel.shape[:rank])):
            at = tuple(i * s + t * d for i, s, t, d in zip(place, steps, tap, holes, strict=True))
            painted[_inside(at)] += x[_inside(place)] @ kernel[tap].T
    box = tuple(slice(c, c + z) for c, z in zip(cuts, sizes, strict=True))
    found = painted[_inside(box)]
    return np.moveaxis(found, -1, 1) if data_format == "channels_first" else found


def extract_patches(
    images: Array, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid", data_format: Any = None
) -> Array:  # fmt: skip
    rank = len(size) if np.ndim(size) else 2
    x = np.moveaxis(images, -1 - rank, -1) if data_format == "channels_first" else images
    single = x.ndim == rank + 1
    x = x[None] if single else x
    sizes, holes = _each(size, rank), _each(dilation_rate, rank)
    steps = sizes if strides is None else _each(strides, rank)
    extents = [(k - 1) * d + 1 for k, d in zip(sizes, holes, strict=True)]
    views = _windows(_padded(x, extents, steps, padding, 0), extents, steps)
    every: Any = (..., *(slice(None, None, d) for d in holes))
    views = views[every]
    views = np.moveaxis(views, rank + 1, -1)  # the channels of each pixel together
    found = views.reshape(*views.shape[: rank + 1], -1)
    found = np.moveaxis(found, -1, 1) if data_format == "channels_first" else found
    return found[0] if single else found


def extract_patches_3d(
    volumes: Array, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid", data_format: Any = None
) -> Array:  # fmt: skip
    return extract_patches(volumes, _each(size, 3), strides, dilation_rate, padding, data_format)


def _columns(
    size: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> list[list[tuple[int, int]]]:
    """Of each window, the pixels in the image with its border."""
    (k, m), (d, e), (p, q), (s, t) = (_each(v, 2) for v in (kernel_size, dilation, padding, stride))
    rows = range(0, size[0] + 2 * p - (k - 1) * d, s)
    columns = range(0, size[1] + 2 * q - (m - 1) * e, t)
    taps = list(itertools.product(range(k), range(m)))
    return [[(y + i * d, x + j * e) for i, j in taps] for y, x in itertools.product(rows, columns)]


def unfold(x: Array, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Array:
    p, q = _each(padding, 2)
    wide = np.pad(x, [(0, 0), (0, 0), (p, p), (q, q)])
    windows = _columns(x.shape[2:], kernel_size, dilation, padding, stride)
    found = np.stack([np.stack([wide[:, :, y, x] for y, x in w], 2) for w in windows], 3)
    return found.reshape(len(x), x.shape[1] * len(windows[0]), len(windows))


def fold(
    x: Array, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Array:
    (h, w), (p, q) = _each(output_size, 2), _each(padding, 2)
    windows = _columns((h, w), kernel_size, dilation, padding, stride)
    parts = x.reshape(len(x), x.shape[1] // len(windows[0]), len(windows[0]), len(windows))
    found = np.zeros((len(x), parts.shape[1], h + 2 * p, w + 2 * q))
    for n, pixels in enumerate(windows):
        for m, (row, column) in enumerate(pixels):
            found[:, :, row, column] += parts[:, :, m, n]
    return found[:, :, p : p + h, q : q + w]
