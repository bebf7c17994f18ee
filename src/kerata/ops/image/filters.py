"""Filters with small kernels, and the similarity of images that is made of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.core import primitives as p
from kerata.core.budget import spend
from kerata.core.declare import op
from kerata.core.dispatch import shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample
from kerata.ops.elementwise import parameter, promote
from kerata.ops.repeating import pad
from kerata.ops.splitting import cut

from .common import Axes, image_axes, returned, two_sizes, working

TensorLike = Any
Tensor = Any


def filtered(x: Tensor, taps: Any, axis: int) -> Tensor:
    """The sums of neighbours along an axis times the taps of a kernel, where all neighbours exist."""
    size = shape_of(x)[axis] - len(taps) + 1
    out = None
    for i, tap in enumerate(taps):
        if tap:
            part = p.mul(cut(x, axis, i, i + size), float(tap))
            out = part if out is None else p.add(out, part)
    return out


def _padded(x: Tensor, axes: Axes, before: tuple[int, int], after: tuple[int, int], mode: str) -> Tensor:
    pads = [(0, 0)] * len(shape_of(x))
    pads[axes.height], pads[axes.width] = (before[0], after[0]), (before[1], after[1])
    return pad(x, tuple(pads), mode)


def _gaussian(size: int, sigma: float) -> np.ndarray:
    spend(size)
    distance = np.arange(size) - (size - 1) / 2
    weights = np.exp(-0.5 * (distance / sigma) ** 2)
    return weights / weights.sum()


_IMAGES = T((2, 5, 6, 2))


@op(
    samples=[
        sample(T((4, 5, 2)), (3, 5), (2.0, 0.5)), sample(_IMAGES), sample(_IMAGES, (5, 3), (1.0, 2.0)),
        sample(T((2, 5, 5)), (3, 3), (0.5, 0.5), data_format="channels_first"),
        sample(T((4, 4, 1), "uint8", high=255), gradient=False), sample(T((4, 4, 1)), (4, 2)),
    ],
    rejects=[
        rejects(_IMAGES, 3, None, argument="sigma"),
        rejects(T((4, 4)), argument="images"), rejects(_IMAGES, (3,), argument="kernel_size"),
        rejects(_IMAGES, (3, 3), (0.0, 1.0), argument="sigma"),
    ],
)  # fmt: skip
def gaussian_blur(
    images: TensorLike, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0), data_format: str | None = None
) -> Tensor:
    """Images blurred by a Gaussian kernel; outside of the images are zeros.

    Args:
        images: an image, or a batch.
        kernel_size: height and width of the kernel.
        sigma: standard deviations of the kernel, down and across.
        data_format: "channels_last" or "channels_first"; the configured one where not given.

    Returns:
        Images of the same shape and dtype; integers are rounded.

    Example:
        >>> import kerata
        >>> kerata.ops.image.gaussian_blur(kerata.ops.ones((4, 4, 1))).shape == (4, 4, 1)
        True
    """
    axes, sizes = image_axes(images, data_format), two_sizes(kernel_size, "kernel_size")
    sigmas = sigma if isinstance(sigma, (list, tuple)) else (sigma, sigma)
    if len(sigmas) != 2 or not all(isinstance(s, (int, float)) and s > 0 for s in sigmas):
        raise ArgumentError("sigma", expected="a pair of positive numbers", got=sigma)
    x, name = working(images)
    before = ((sizes[0] - 1) // 2, (sizes[1] - 1) // 2)
    x = _padded(x, axes, before, (sizes[0] - 1 - before[0], sizes[1] - 1 - before[1]), "constant")
    for axis, size, spread in zip((axes.height, axes.width), sizes, sigmas, strict=True):
        x = filtered(x, _gaussian(size, float(spread)), axis)
    return returned(x, name)


@op(
    samples=[
        sample(T((2, 3, 4, 1), "float16"), gradient=False),
        sample(_IMAGES),
        sample(T((4, 4, 1))),
        sample(T((2, 1, 4, 5)), data_format="channels_first"),
        sample(T((4, 4, 1), "uint8"), gradient=False),
        sample(T((3, 3, 1), "float64")),
    ],
    rejects=[rejects(T((4, 4)), argument="images")],
)
def sobel_edges(images: TensorLike, data_format: str | None = None) -> Tensor:
    """The derivatives of images down and across, by Sobel's kernels; their outermost pixels are repeated.

    Args:
        images: an image, or a batch.
        data_format: "channels_last" or "channels_first"; the configured one where not given.

    Returns:
        A tensor of the shape of the images and a last axis of size 2: down, across.

    Example:
        >>> import kerata
        >>> kerata.ops.image.sobel_edges(kerata.ops.ones((4, 4, 1))).shape == (4, 4, 1, 2)
        True
    """
    axes = image_axes(images, data_format)
    x, name = working(images)
    x = _padded(x, axes, (1, 1), (1, 1), "edge")
    smooth, slope = (1.0, 2.0, 1.0), (-1.0, 0.0, 1.0)
    down = filtered(filtered(x, smooth, axes.width), slope, axes.height)
    across = filtered(filtered(x, smooth, axes.height), slope, axes.width)
    shape = shape_of(down)
    both = tuple(p.reshape(v, shape=(*shape, 1)) for v in (down, across))
    return returned(p.concatenate(both, axis=len(shape)), name)


@op(
    samples=[
        sample(T((12, 12, 1), "uint8", high=255), T((12, 12, 1), "uint8", high=255), 255.0, gradient=False),
        sample(T((2, 12, 12, 2), low=0.0, high=1.0), T((2, 12, 12, 2), low=0.0, high=1.0)),
        sample(T((6, 6, 1)), T((6, 6, 1)), max_val=2.0, filter_size=5, filter_sigma=1.0),
        sample(T((2, 1, 8, 8)), T((2, 1, 8, 8)), 4.0, 3, data_format="channels_first"),
        sample(T((4, 4, 1), "float64"), T((4, 4, 1), "float64"), 1.0, 3),
        sample(T((4, 5, 2), low=0, high=1), T((4, 5, 2), low=0, high=1), 1.0, 4),
    ],
    rejects=[
        rejects(T((12, 12, 1)), T((12, 11, 1)), argument="image2"),
        rejects(T((8, 8, 1)), T((8, 8, 1)), argument="filter_size"),
        rejects(T((12, 12)), T((12, 12)), argument="image1"),
    ],
)  # fmt: skip
def ssim(
    image1: TensorLike, image2: TensorLike, max_val: float = 1.0, filter_size: int = 11, filter_sigma: float = 1.5,
    k1: float = 0.01, k2: float = 0.03, data_format: str | None = None,
) -> Tensor:  # fmt: skip
    """The structural similarity of images (Wang et al., IEEE Transactions on Image Processing 13, 2004).

    Args:
        image1: an image, or a batch.
        image2: as many images of the same shape.
        max_val: the largest possible value of a pixel.
        filter_size: height and width of the Gaussian window.
        filter_sigma: its standard deviation.
        k1: constant of the luminance.
        k2: constant of the contrast.
        data_format: "channels_last" or "channels_first"; the configured one where not given.

    Returns:
        One number for each image: the mean over places and channels, at most 1.

    Example:
        >>> import kerata
        >>> x = kerata.ops.ones((12, 12, 1))
        >>> round(float(kerata.ops.image.ssim(x, x)), 4)
        1.0
    """
    axes = image_axes(image1, data_format, "image1")
    if tuple(shape_of(image1)) != tuple(shape_of(image2)):
        raise ArgumentError(
            "image2", expected=f"of the shape {tuple(shape_of(image1))} of `image1`", got=image2
        )
    if (
        isinstance(filter_size, bool)
        or not isinstance(filter_size, int)
        or any(type(shape_of(image1)[i]) is int and shape_of(image1)[i] < filter_size for i in axes[:2])
        or filter_size < 1
    ):
        raise ArgumentError(
            "filter_size",
            expected="a positive integer, at most the height and width of the images",
            got=filter_size,
        )
    (a, name), (b, _) = working(image1, "image1"), working(image2, "image2")
    a, b = promote(a, b)
    taps = _gaussian(filter_size, float(filter_sigma))

    def local_mean(x: Tensor) -> Tensor:
        return filtered(filtered(x, taps, axes.height), taps, axes.width)

    first, second, largest = (parameter(number, a) for number in (k1, k2, max_val))
    c1, c2 = (first * largest) ** 2, (second * largest) ** 2
    mean_a, mean_b = local_mean(a), local_mean(b)
    both = p.mul(mean_a, mean_b)
    squares = p.add(p.mul(mean_a, mean_a), p.mul(mean_b, mean_b))
    luminance = p.div(p.add(p.mul(both, 2.0), c1), p.add(squares, c1))
    products = p.mul(local_mean(p.mul(a, b)), 2.0)
    powers = local_mean(p.add(p.mul(a, a), p.mul(b, b)))
    contrast = p.div(p.add(p.sub(products, p.mul(both, 2.0)), c2), p.add(p.sub(powers, squares), c2))
    similar = p.mul(luminance, contrast)
    reduced = tuple(sorted(axes))
    count: Any = 1
    for i in reduced:
        count = count * shape_of(similar)[i]
    total = p.sum(similar, axis=reduced, keepdims=False)
    return returned(
        p.div(total, float(count)),
        name if name in ("float16", "bfloat16", "float32", "float64") else "float32",
    )
