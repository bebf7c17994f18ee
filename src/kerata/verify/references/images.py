"""Plain definitions of what is done to images: colours, resizing, transforms, blocks."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np

Array = np.ndarray


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
    from scipy import ndimage  # not required by Kerata: loaded when it is asked

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


def _borders(size: int, before: int | None, after: int | None, target: int | None) -> tuple[int, int]:
    """Both borders of an axis that changes by `size - target`, or its negative."""
    if target is None:
        return before or 0, after or 0
    change = abs(size - target)
    if before is None:
        return change - (after or 0), after or 0
    return before, change - before


def _frame(images: Array, data_format: Any, sizes: Any) -> list[tuple[int, int]]:
    first = images.ndim - 2 if data_format == "channels_first" else images.ndim - 3
    return [
        sizes(axis - first, n) if axis in (first, first + 1) else (0, 0)
        for axis, n in enumerate(images.shape)
    ]


def crop_images(
    images: Array, top_cropping: Any = None, left_cropping: Any = None, bottom_cropping: Any = None,
    right_cropping: Any = None, target_height: Any = None, target_width: Any = None, data_format: Any = None,
) -> Array:  # fmt: skip
    given = ((top_cropping, bottom_cropping, target_height), (left_cropping, right_cropping, target_width))
    frame = _frame(images, data_format, lambda i, n: _borders(n, *given[i]))
    return images[tuple(slice(a, n - b) for (a, b), n in zip(frame, images.shape, strict=True))]


def pad_images(
    images: Array, top_padding: Any = None, left_padding: Any = None, bottom_padding: Any = None,
    right_padding: Any = None, target_height: Any = None, target_width: Any = None, data_format: Any = None,
) -> Array:  # fmt: skip
    given = ((top_padding, bottom_padding, target_height), (left_padding, right_padding, target_width))
    return np.pad(images, _frame(images, data_format, lambda i, n: _borders(n, *given[i])))


def _by_plane(images: Array, data_format: Any, change: Any) -> Array:
    """`change(number of the image, plane)` for each channel of each image; integers are rounded, halves as exact ones."""
    x = np.moveaxis(images, -3, -1) if data_format == "channels_first" else images
    batch = x[None] if x.ndim == 3 else x
    planes = [
        [change(i, image[..., c].astype(float)) for c in range(image.shape[-1])]
        for i, image in enumerate(batch)
    ]
    found = np.moveaxis(np.array(planes), 1, -1 if np.ndim(planes[0][0]) == 2 else 3)
    found = found.reshape(*x.shape[:-3], *found.shape[1:])
    if images.dtype.kind in "iu":
        limits = np.iinfo(images.dtype)
        found = np.clip(np.round(np.round(found, 9)), limits.min, limits.max)
    return np.moveaxis(found, x.ndim - 1, x.ndim - 3) if data_format == "channels_first" else found


def affine_transform(
    images: Array, transform: Array, interpolation: str = "bilinear", fill_mode: str = "constant", fill_value: float = 0,
    data_format: Any = None,
) -> Array:  # fmt: skip
    transforms = np.atleast_2d(transform)

    def moved(number: int, plane: Array) -> Array:
        a0, a1, a2, b0, b1, b2, c0, c1 = transforms[number % len(transforms)]
        y, x = np.indices(plane.shape)
        k = c0 * x + c1 * y + 1
        place = np.stack([(b0 * x + b1 * y + b2) / k, (a0 * x + a1 * y + a2) / k])
        return map_coordinates(
            plane, place, ["nearest", "bilinear"].index(interpolation), fill_mode, fill_value
        )

    return _by_plane(images, data_format, moved)


def perspective_transform(
    images: Array, start_points: Array, end_points: Array, interpolation: str = "bilinear", fill_value: float = 0,
    data_format: Any = None,
) -> Array:  # fmt: skip
    """By the eight numbers that take the four end points back to the start points."""
    transforms = []
    for starts, ends in zip(start_points.reshape(-1, 4, 2), end_points.reshape(-1, 4, 2), strict=False):
        rows, values = [], []
        for (u, v), (x, y) in zip(starts, ends, strict=True):
            rows += [[x, y, 1, 0, 0, 0, -x * u, -y * u], [0, 0, 0, x, y, 1, -x * v, -y * v]]
            values += [u, v]
        transforms.append(np.linalg.solve(rows, values))
    return affine_transform(images, np.array(transforms), interpolation, "constant", fill_value, data_format)


def _gaussian(size: int, sigma: float) -> Array:
    weights = np.exp(-((np.arange(size) - (size - 1) / 2) ** 2) / (2 * sigma**2))
    return weights / weights.sum()


def gaussian_blur(
    images: Array, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0), data_format: Any = None
) -> Array:
    kernel = np.outer(_gaussian(kernel_size[0], sigma[0]), _gaussian(kernel_size[1], sigma[1]))

    def blurred(_: int, plane: Array) -> Array:
        pads = [((k - 1) // 2, k - 1 - (k - 1) // 2) for k in kernel_size]
        views = np.lib.stride_tricks.sliding_window_view(np.pad(plane, pads), kernel_size)
        return np.einsum("yxij,ij->yx", views, kernel)

    return _by_plane(images, data_format, blurred)


def sobel_edges(images: Array, data_format: Any = None) -> Array:
    from scipy import ndimage  # not required by Kerata: loaded when it is asked

    def edges(_: int, plane: Array) -> Array:
        return np.stack([ndimage.sobel(plane, axis, mode="nearest") for axis in (0, 1)], -1)

    return _by_plane(images, data_format, edges)


def ssim(
    image1: Array, image2: Array, max_val: float = 1.0, filter_size: int = 11, filter_sigma: float = 1.5,
    k1: float = 0.01, k2: float = 0.03, data_format: Any = None,
) -> Any:  # fmt: skip
    axis = -3 if data_format == "channels_first" else -1
    x, y = (np.moveaxis(v, axis, 0).astype(float) for v in (image1, image2))
    line = _gaussian(filter_size, filter_sigma)

    def mean(v: Array) -> Array:
        views = np.lib.stride_tricks.sliding_window_view(v, (filter_size, filter_size), (-2, -1))
        return np.einsum("...ij,i,j->...", views, line, line)

    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    m, n = mean(x), mean(y)
    spread = mean(x * x) - m * m + mean(y * y) - n * n
    shared = mean(x * y) - m * n
    places = (2 * m * n + c1) * (2 * shared + c2) / ((m * m + n * n + c1) * (spread + c2))
    return places.mean((0, -2, -1))


# ---- other sizes ----


def _lanczos(radius: int) -> Any:
    return lambda d: np.where(np.abs(d) < radius, np.sinc(d) * np.sinc(d / radius), 0)


def _cubic(a: float) -> Any:
    """Keys' kernel (IEEE Transactions on Acoustics, Speech, and Signal Processing 29, 1981)."""

    def weigh(d: Array) -> Array:
        d = np.abs(d)
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = a * (((d - 5) * d + 8) * d - 4)
        return np.where(d < 1, near, np.where(d < 2, far, 0))

    return weigh


_KERNELS = {
    "linear": lambda d: np.maximum(1 - np.abs(d), 0),
    "cubic": _cubic(-0.5),
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}


def _weights(n: int, size: int, scale: float, shift: float, kernel: Any, antialias: bool) -> Array:
    """How much of each old pixel is in each new one. Pixels have their centres at halves."""
    wide = max(1 / scale, 1) if antialias else 1
    centres = (np.arange(size) + 0.5 - shift) / scale
    weights = kernel((centres[:, None] - (np.arange(n) + 0.5)) / wide)
    total = weights.sum(1, keepdims=True)
    inside = (centres >= 0) & (centres <= n)
    return np.where(inside[:, None] & (np.abs(total) > 1e-6), weights / np.where(total == 0, 1, total), 0)


def scale_and_translate(
    images: Array, output_shape: Any, scale: Array, translation: Array, spatial_dims: Any, method: str,
    antialias: bool = True,
) -> Array:  # fmt: skip
    for axis, s, t in zip(spatial_dims, scale, translation, strict=True):
        weights = _weights(
            images.shape[axis], output_shape[axis], float(s), float(t), _KERNELS[method], antialias
        )
        images = np.moveaxis(np.tensordot(weights, images, (1, axis)), 0, axis)
    return images


def _overlaps(n: int, size: int) -> Array:
    """The share of each old pixel in the area of each new one."""
    edges = np.arange(size + 1) * n / size
    lows, highs = edges[:-1, None], edges[1:, None]
    shared = np.clip(np.minimum(highs, np.arange(n) + 1) - np.maximum(lows, np.arange(n)), 0, None)
    return shared * size / n


def _resized(plane: Array, size: Any, interpolation: str, antialias: bool) -> Array:
    if interpolation == "nearest":
        rows, columns = ((np.arange(m) + 0.5) * n // m for n, m in zip(plane.shape, size, strict=True))
        return plane[np.ix_(rows.astype(int), columns.astype(int))]
    for axis, m in enumerate(size):
        n = plane.shape[axis]
        if interpolation == "area":
            weights = _overlaps(n, m)
        else:
            kernel = _KERNELS[{"bilinear": "linear", "bicubic": "cubic"}.get(interpolation, interpolation)]
            weights = _weights(n, m, m / n, 0.0, kernel, antialias)
        rows = [sum(w * plane.take(i, axis) for i, w in enumerate(row) if abs(w) > 1e-12) for row in weights]
        plane = np.stack(rows, axis)
    return plane


def resize(
    images: Array, size: Any, interpolation: str = "bilinear", antialias: bool = False, crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False, fill_mode: str = "constant", fill_value: float = 0.0, data_format: Any = None,
) -> Array:  # fmt: skip
    height, width = (size, size) if np.ndim(size) == 0 else size

    def change(_: int, plane: Array) -> Array:
        h, w = plane.shape
        if crop_to_aspect_ratio:
            tall, broad = min(h, int(w * height / width)), min(w, int(h * width / height))
            top, left = (h - tall) // 2, (w - broad) // 2
            plane = plane[top : top + tall, left : left + broad]
        if pad_to_aspect_ratio:
            tall, broad = max(h, int(w * height / width)), max(w, int(h * width / height))
            top, left = (tall - h) // 2, (broad - w) // 2
            plane = np.pad(plane, ((top, top), (left, left)), constant_values=fill_value)
        return _resized(plane, (height, width), interpolation, antialias)

    return _by_plane(images, data_format, change)
