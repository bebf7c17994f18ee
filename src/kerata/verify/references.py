"""Plain definitions, in NumPy, of ops for which NumPy and SciPy have no function.

An op that names no reference in its declaration is compared with the function of its name here. Each is written for
the eye: loops and whole arrays, no case that the op's text does not tell. What has no value raises `LinAlgError`.
"""

from __future__ import annotations

import colorsys
import itertools
import math
from typing import Any

import numpy as np

Array = np.ndarray


# ---- normalisation ---------------------------------------------------------------------------------


def _along(x: Array, axis: Any, v: Any) -> Any:
    """Numbers for some axes, in a shape that broadcasts to that of `x`."""
    axes = {int(i) % x.ndim for i in np.atleast_1d(axis)}
    return np.reshape(v, [d if i in axes else 1 for i, d in enumerate(x.shape)])


def _scaled(y: Array, axis: Any, scale: Any, offset: Any) -> Array:
    y = y if scale is None else y * _along(y, axis, scale)
    return y if offset is None else y + _along(y, axis, offset)


def batch_normalization(
    x: Array, mean: Array, variance: Array, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Array:  # fmt: skip
    y = (x - _along(x, axis, mean)) / np.sqrt(_along(x, axis, variance) + epsilon)
    return _scaled(y, axis, scale, offset)


def layer_normalization(
    x: Array, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None, rms_scaling: bool = False
) -> Array:  # fmt: skip
    axes = tuple(int(i) for i in np.atleast_1d(axis))
    centred = x - x.mean(axes, keepdims=True)
    size = np.sqrt((centred**2).mean(axes, keepdims=True) + (1e-7 if epsilon is None else epsilon))
    return x / size * _along(x, axis, gamma) if rms_scaling else _scaled(centred / size, axis, gamma, beta)


def rms_normalization(x: Array, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Array:
    axes = tuple(int(i) for i in np.atleast_1d(axis))
    y = x / np.sqrt((x**2).mean(axes, keepdims=True) + (1e-7 if epsilon is None else epsilon))
    return _scaled(y, axis, scale, None)


def moments(x: Array, axes: Any, keepdims: bool = False, synchronized: bool = False) -> tuple[Any, Any]:
    axes = None if axes is None else tuple(int(i) for i in np.atleast_1d(axes))
    return x.mean(axes, keepdims=keepdims), x.var(axes, keepdims=keepdims)


def normalize(x: Array, axis: Any = -1, order: Any = 2, epsilon: float | None = None) -> Array:
    x, axes = np.asarray(x, float), None if axis is None else tuple(int(i) for i in np.atleast_1d(axis))
    if order == np.inf:
        size = np.abs(x).max(axes, keepdims=True)
    else:
        size = (np.abs(x) ** order).sum(axes, keepdims=True) ** (1 / order)
    return x / np.maximum(size, 1e-7 if epsilon is None else epsilon)


# ---- activations -----------------------------------------------------------------------------------


def _sigmoid(x: Array) -> Array:
    return np.exp(-np.logaddexp(0, -x))


def gelu(x: Array, approximate: bool = True) -> Array:
    from scipy.special import ndtr

    if not approximate:
        return x * ndtr(x)
    return x * _sigmoid(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))


def glu(x: Array, axis: int = -1) -> Array:
    first, second = np.split(x, 2, axis)
    return first * _sigmoid(second)


def squareplus(x: Array, b: float = 4) -> Array:
    root = np.sqrt(x**2 + b)
    return (
        np.where(x < 0, b / (root - x), x + root) / 2
    )  # both are the same number; one of them has its digits


# ---- linear algebra --------------------------------------------------------------------------------


def _check_finite(a: Array) -> None:
    if not np.isfinite(a).all():
        raise np.linalg.LinAlgError("an infinite matrix")


def solve(a: Array, b: Array) -> Array:
    _check_finite(a)
    return np.linalg.solve(a, b[..., None])[..., 0] if b.shape == a.shape[:-1] else np.linalg.solve(a, b)


def solve_triangular(a: Array, b: Array, lower: bool = False) -> Array:
    _check_finite(a)
    return solve(np.tril(a) if lower else np.triu(a), b)


def cholesky_inverse(x: Array, upper: bool = False) -> Array:
    factor = np.swapaxes(np.triu(x), -1, -2).conj() if upper else np.tril(x)
    return np.linalg.inv(factor @ np.swapaxes(factor, -1, -2).conj())


def divide_no_nan(x1: Any, x2: Any) -> Array:
    return np.where(np.equal(x2, 0), 0, np.true_divide(x1, x2))


# ---- losses and attention --------------------------------------------------------------------------


def psnr(x1: Array, x2: Array, max_val: float) -> Any:
    return 20 * np.log10(max_val) - 10 * np.log10(np.mean((x1 - x2) ** 2))


def binary_crossentropy(target: Array, output: Array, from_logits: bool = False) -> Array:
    if not from_logits:
        output = np.clip(output, 1e-7, 1 - 1e-7)
        return -target * np.log(output) - (1 - target) * np.log(1 - output)
    return target * np.logaddexp(0, -output) + (1 - target) * np.logaddexp(0, output)


def _log_probabilities(output: Array, from_logits: bool, axis: int) -> Array:
    if from_logits:
        return output - np.logaddexp.reduce(output, axis, keepdims=True)
    return np.log(np.clip(output / output.sum(axis, keepdims=True), 1e-7, 1 - 1e-7))


def categorical_crossentropy(
    target: Array, output: Array, from_logits: bool = False, axis: int = -1
) -> Array:
    return -(target * _log_probabilities(output, from_logits, axis)).sum(axis)


def sparse_categorical_crossentropy(
    target: Array, output: Array, from_logits: bool = False, axis: int = -1
) -> Array:
    target = np.asarray(target)
    if target.ndim == output.ndim:
        target = target[..., 0]
    logs = np.moveaxis(_log_probabilities(output, from_logits, axis), axis, -1)
    found = np.zeros(target.shape)
    for place, label in np.ndenumerate(target):
        if 0 <= label < logs.shape[-1]:  # a class that does not exist costs nothing
            found[place] = -logs[(*place, int(label))]
    return found


def dot_product_attention(
    query: Array, key: Array, value: Array, bias: Any = None, mask: Any = None, scale: float | None = None,
    is_causal: bool = False, flash_attention: Any = None, attn_logits_soft_cap: float | None = None,
) -> Array:  # fmt: skip
    groups = query.shape[2] // key.shape[2]
    key, value = np.repeat(key, groups, 2), np.repeat(value, groups, 2)
    logits = np.einsum("bqhd,bkhd->bhqk", query, key)
    logits = logits * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    logits = logits if bias is None else logits + bias
    cap = attn_logits_soft_cap
    logits = logits if cap is None else cap * np.tanh(logits / cap)
    if is_causal:
        logits = np.where(np.tri(*logits.shape[-2:]) == 1, logits, -np.inf)
    if mask is not None:
        logits = np.where(mask, logits, -np.inf)
    if np.isneginf(logits).all(-1).any():
        raise np.linalg.LinAlgError("a query that sees no key")
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    return np.einsum("bhqk,bkhd->bqhd", weights / weights.sum(-1, keepdims=True), value)


# ---- indices ---------------------------------------------------------------------------------------


def _check_inside(indices: Array, size: int) -> None:
    """What an index outside means is the op's own choice."""
    if np.any((indices < -size) | (indices >= size)):
        raise np.linalg.LinAlgError("an index outside")


def take(x: Array, indices: Any, axis: int | None = None) -> Array:
    _check_inside(np.asarray(indices), np.size(x) if axis is None else np.shape(x)[axis])
    return np.take(x, indices, axis)


def take_along_axis(x: Array, indices: Array, axis: int | None = None) -> Array:
    _check_inside(indices, x.size if axis is None else x.shape[axis])
    return np.take_along_axis(x, indices, axis)


def unravel_index(indices: Any, shape: Any) -> Any:
    _check_inside(np.asarray(indices), math.prod(shape))
    return np.unravel_index(np.asarray(indices) % max(math.prod(shape), 1), shape)


def one_hot(x: Array, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Array:
    return np.moveaxis((np.asarray(x)[..., None] == np.arange(num_classes)).astype(float), -1, axis)


def _segments(data: Array, ids: Array, count: int | None, start: Any, join: Any) -> Array:
    count = int(ids.max()) + 1 if count is None else count
    found = np.full((count, *data.shape[1:]), start, data.dtype)
    for row, place in zip(data, ids, strict=True):
        if 0 <= place < count:
            found[place] = join(found[place], row)
    return found


def segment_sum(data: Array, segment_ids: Array, num_segments: Any = None, sorted: bool = False) -> Array:
    return _segments(data, segment_ids, num_segments, 0, np.add)


def segment_prod(data: Array, segment_ids: Array, num_segments: Any = None, sorted: bool = False) -> Array:
    return _segments(data, segment_ids, num_segments, 1, np.multiply)


def segment_max(data: Array, segment_ids: Array, num_segments: Any = None, sorted: bool = False) -> Array:
    start = -np.inf if data.dtype.kind == "f" else np.iinfo(data.dtype).min
    return _segments(data, segment_ids, num_segments, start, np.maximum)


def segment_min(data: Array, segment_ids: Array, num_segments: Any = None, sorted: bool = False) -> Array:
    start = np.inf if data.dtype.kind == "f" else np.iinfo(data.dtype).max
    return _segments(data, segment_ids, num_segments, start, np.minimum)


def bincount(x: Array, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Array:
    rows = np.atleast_2d(x)
    loads = np.ones(rows.shape) if weights is None else np.atleast_2d(weights)
    found = np.zeros((len(rows), max(minlength, int(rows.max(initial=-1)) + 1)))
    for i, (row, load) in enumerate(zip(rows, loads, strict=True)):
        for number, weight in zip(row, load, strict=True):
            if number >= 0:
                found[i, number] += weight
    return found if x.ndim == 2 else found[0]


def scatter_update(inputs: Array, indices: Any, updates: Array, reduction: str | None = None) -> Array:
    join = {"add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}
    found, indices = np.array(inputs), np.asarray(indices)
    depth = indices.shape[-1]
    rows = np.reshape(updates, (-1, *found.shape[depth:]))
    for place, row in zip(indices.reshape(-1, depth), rows, strict=True):
        for i, n in zip(place, found.shape, strict=False):
            _check_inside(i, n)
        old = found[tuple(place)]
        found[tuple(place)] = row if reduction is None else join[reduction](old, row)
    return found


def scatter(indices: Any, values: Array, shape: Any) -> Array:
    return scatter_update(np.zeros(shape, values.dtype), indices, values, "add")


def _box(x: Array, start_indices: Any, shape: Any) -> tuple[Any, ...]:
    """A box, moved so that it lies inside."""
    starts = [min(max(int(s), 0), d - n) for s, n, d in zip(start_indices, shape, x.shape, strict=True)]
    return tuple(np.s_[s : s + n] for s, n in zip(starts, shape, strict=True))


def slice_update(inputs: Array, start_indices: Any, updates: Array) -> Array:
    found = np.array(inputs)
    found[_box(found, start_indices, updates.shape)] = updates
    return found


def extract_sequences(x: Array, sequence_length: int, sequence_stride: int) -> Array:
    views = np.lib.stride_tricks.sliding_window_view(x, sequence_length, -1)
    return views[..., ::sequence_stride, :]


# ---- windows ---------------------------------------------------------------------------------------


def _each(value: Any, rank: int) -> tuple[int, ...]:
    return (value,) * rank if np.ndim(value) == 0 else tuple(value)


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
        found[(slice(None), *place)] = join(x[(slice(None), *box)], tuple(range(1, x.ndim - 1)))
    return np.moveaxis(found, -1, 1) if data_format == "channels_first" else found


def adaptive_average_pool(inputs: Array, output_size: Any, data_format: Any = None) -> Array:
    return _adapted(inputs, output_size, data_format, np.mean)


def adaptive_max_pool(inputs: Array, output_size: Any, data_format: Any = None) -> Array:
    return _adapted(inputs, output_size, data_format, np.max)


# ---- images ----------------------------------------------------------------------------------------


def _by_pixel(images: Array, data_format: Any, change: Any) -> Array:
    if np.any((images < 0) | (images > 1)):
        raise np.linalg.LinAlgError("a colour outside [0, 1]")
    axis = -3 if data_format == "channels_first" else -1
    if images.size == 0:
        return images
    return np.apply_along_axis(lambda pixel: np.array(change(*pixel)), axis, images)


def rgb_to_hsv(images: Array, data_format: Any = None) -> Array:
    return _by_pixel(images, data_format, colorsys.rgb_to_hsv)


def hsv_to_rgb(images: Array, data_format: Any = None) -> Array:
    return _by_pixel(images, data_format, colorsys.hsv_to_rgb)


def map_coordinates(
    inputs: Array, coordinates: Array, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Array:
    from scipy import ndimage

    mode = {"constant": "grid-constant", "wrap": "grid-wrap"}.get(fill_mode, fill_mode)
    found = ndimage.map_coordinates(
        inputs.astype(float), coordinates, order=order, mode=mode, cval=fill_value
    )
    return np.round(found) if inputs.dtype.kind in "iu" else found


def rgb_to_grayscale(images: Array, data_format: Any = None) -> Array:
    axis = -3 if data_format == "channels_first" else -1
    grey = np.moveaxis(np.moveaxis(images, axis, -1) @ [[0.2989], [0.587], [0.114]], -1, axis)
    return np.trunc(grey) if images.dtype.kind in "iu" else grey


def space_to_depth(x: Array, block_size: int, data_format: str = "channels_last") -> Array:
    b = block_size
    if data_format == "channels_first":
        n, c, h, w = x.shape
        blocks = x.reshape(n, c, h // b, b, w // b, b).transpose(0, 1, 3, 5, 2, 4)
        return blocks.reshape(n, c * b * b, h // b, w // b)
    n, h, w, c = x.shape
    blocks = x.reshape(n, h // b, b, w // b, b, c).transpose(0, 1, 3, 2, 4, 5)
    return blocks.reshape(n, h // b, w // b, b * b * c)


def depth_to_space(x: Array, block_size: int, data_format: str = "channels_last") -> Array:
    b = block_size
    if data_format == "channels_first":
        n, c, h, w = x.shape
        blocks = x.reshape(n, c // b**2, b, b, h, w).transpose(0, 1, 4, 2, 5, 3)
        return blocks.reshape(n, c // b**2, h * b, w * b)
    n, h, w, c = x.shape
    blocks = x.reshape(n, h, w, b, b, c // b**2).transpose(0, 1, 3, 2, 4, 5)
    return blocks.reshape(n, h * b, w * b, c // b**2)
