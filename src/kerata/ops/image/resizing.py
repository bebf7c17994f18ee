"""Images in other sizes: along each axis, new pixels are weighted sums of old ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from kerata.core import dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values
from kerata.core.taps import Taps, equation_along
from kerata.ops.core import cast, create
from kerata.ops.creation import range_tensor
from kerata.ops.elementwise import here, parameter
from kerata.ops.repeating import bordered
from kerata.ops.splitting import cut

from .common import Axes, image_axes, returned, two_sizes, working

TensorLike = Any
Tensor = Any

# ---- kernels, of the distance between a sample and a pixel ----------------------------------------


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(1 - x, 0)


def _cubic(x: np.ndarray) -> np.ndarray:
    """R. Keys, "Cubic convolution interpolation for digital image processing" (1981), a = -1/2."""
    near, far = ((1.5 * x - 2.5) * x) * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(radius: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0)


_KERNELS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "bilinear": _triangle, "bicubic": _cubic, "lanczos3": _lanczos(3.0), "lanczos5": _lanczos(5.0),
}  # fmt: skip
_INTERPOLATIONS = ("nearest", *_KERNELS, "area")


def _weights(old: int, new: int, interpolation: str, antialias: bool) -> np.ndarray:
    """The weights of the old pixels (columns) in the new ones (rows); pixel centres are at halves."""
    scale = old / new
    centres = (np.arange(new) + 0.5) * scale - 0.5
    if interpolation == "area":
        edges = np.arange(new + 1) * scale
        overlap = np.minimum(edges[1:, None], np.arange(old) + 1) - np.maximum(
            edges[:-1, None], np.arange(old)
        )
        return np.maximum(overlap, 0) / scale
    stretch = max(scale, 1.0) if antialias else 1.0
    weights = _KERNELS[interpolation](np.abs(centres[:, None] - np.arange(old)) / stretch)
    weights[np.abs(weights) < 1e-15] = 0  # the sine of a multiple of pi
    return weights / weights.sum(axis=1, keepdims=True)


def _nearest(old: Any, new: int) -> Tensor:
    """The old pixel in which the centre of each new one lies."""

    def make(engine: Any) -> Tensor:
        centres = (np.arange(new) + 0.5) * (old / new)
        return engine.convert(np.minimum(centres, old - 1).astype(np.int32), "int32")

    return create((new,), "int32", make)


@lru_cache(maxsize=256)
def _taps(old: Any, new: int, interpolation: str, antialias: bool) -> Taps:
    return Taps(old, new, lambda: _weights(old, new, interpolation, antialias))


# ---- aspect ratio ----------------------------------------------------------------------------------


def _cropped(x: Tensor, axes: Axes, size: tuple[int, int]) -> Tensor:
    """The largest part in the middle with the aspect ratio of the new size."""
    for axis, other, wanted, beside in (
        (axes.height, axes.width, *size),
        (axes.width, axes.height, *size[::-1]),
    ):
        have = shape_of(x)[axis]
        keep = max(int(shape_of(x)[other] * wanted / beside), 1)
        if keep < have:
            start = (have - keep) // 2
            return cut(x, axis, start, start + keep)
    return x


def _padded(x: Tensor, axes: Axes, size: tuple[int, int], fill_value: float) -> Tensor:
    """The image in the middle of the smallest one with the aspect ratio of the new size."""
    pads: list[tuple[Any, Any]] = [(0, 0)] * len(shape_of(x))
    for axis, other, wanted, beside in (
        (axes.height, axes.width, *size),
        (axes.width, axes.height, *size[::-1]),
    ):
        have = shape_of(x)[axis]
        need = int(shape_of(x)[other] * wanted / beside)
        if need > have:
            pads[axis] = ((need - have) // 2,) * 2  # as much on both sides, an odd pixel on neither
            break
    return bordered(x, tuple(pads), parameter(fill_value, x))


_IMAGE = T((2, 4, 5, 2))
_HOLED = values([[[1.0], [2.0], [3.0]], [[4.0], [float("nan")], [6.0]], [[7.0], [8.0], [float("inf")]]])


@op(
    samples=[
        sample(T((1, 8, 4, 1)), (5, 7), pad_to_aspect_ratio=True),
        sample(T((7, 5, 1)), (6, 3), "nearest", pad_to_aspect_ratio=True, fill_value=2.5),
        sample(T((1, 7, 5, 1)), (3, 6), crop_to_aspect_ratio=True),
        sample(values([[[1.0], [float("nan")], [2.0]]]), (1, 6), "nearest", gradient=False),
        sample(_HOLED, (6, 12), gradient=False),
        sample(_HOLED, (1, 3), antialias=True, gradient=False),
        sample(_HOLED, (12, 6), "lanczos3", gradient=False),
        sample(T((2, 2, 4, 3)), (8, 6), data_format="channels_first"),
        sample(_IMAGE, (8, 10)),
        sample(T((1, 8, 6, 2)), (4, 3), antialias=True),
        sample(T((4, 5, 1), "uint8", high=255), (8, 9), "bicubic"),
        sample(T((2, 5, 6, 3), "uint8", high=255), (3, 9)),
        sample(T((1, 6, 6, 1), "bfloat16"), (4, 9), gradient=False),
        sample(
            _IMAGE,
            (3, 7),
            "lanczos5",
            gradient=False,
        ),
        sample(_IMAGE, (3, 7)),
        sample(_IMAGE, (8, 3), "nearest"),
        sample(_IMAGE, (3, 7), "bicubic"),
        sample(_IMAGE, (2, 2), "bilinear", True),
        sample(_IMAGE, (5, 3), interpolation="lanczos3"),
        sample(_IMAGE, (2, 9), "lanczos5", antialias=True),
        sample(_IMAGE, (2, 3), "area"),
        sample(T((4, 5, 1), "uint8", high=255), (3, 3)),
        sample(T((2, 1, 4, 4)), (3, 2), data_format="channels_first"),
        sample(_IMAGE, (2, 4), crop_to_aspect_ratio=True),
        sample(_IMAGE, (2, 4), pad_to_aspect_ratio=True, fill_value=1.0),
        sample(T((4, 4, 1), "float16"), 2, gradient=False),
        sample(T((4, 4, 1), "int32"), (3, 3)),
    ],
    rejects=[
        rejects(T((4, 4)), (2, 2), argument="images"),
        rejects(T((2, 0, 4, 1)), (2, 2), argument="images"),
        rejects(T((4, 0, 1)), (2, 2), "nearest", argument="images"),
        rejects(_IMAGE, (2,), argument="size"),
        rejects(_IMAGE, (0, 2), argument="size"),
        rejects(_IMAGE, (2, 2), "cubic", argument="interpolation"),
        rejects(
            _IMAGE,
            (2, 2),
            crop_to_aspect_ratio=True,
            pad_to_aspect_ratio=True,
            argument="pad_to_aspect_ratio",
        ),
        rejects(_IMAGE, (2, 2), fill_mode="wrap", argument="fill_mode"),
    ],
)
def resize(
    images: TensorLike,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Images in another size.

    Args:
        images: an image, or a batch.
        size: the new height and width.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3", "lanczos5" or "area".
        antialias: whether smaller images average over all pixels they stand for.
        crop_to_aspect_ratio: whether to crop first, so that nothing is distorted.
        pad_to_aspect_ratio: whether to pad first, so that nothing is distorted.
        fill_mode: "constant": what a padding is made of.
        fill_value: the value of a padding.
        data_format: "channels_last" or "channels_first"; the configured one where not given.

    Returns:
        Images of the new size in the same dtype; integers are rounded.

    Raises:
        ArgumentError: a size or an option that there is not, or images without pixels.

    Example:
        >>> import kerata
        >>> kerata.ops.image.resize(kerata.ops.ones((4, 4, 1)), (2, 3)).shape == (2, 3, 1)
        True
    """
    axes, sizes = image_axes(images, data_format), two_sizes(size, "size")
    if any(rules.known(d) and d == 0 for d in (shape_of(images)[axes.height], shape_of(images)[axes.width])):
        raise ArgumentError("images", expected="with at least one row and one column", got=images)
    if interpolation not in _INTERPOLATIONS:
        raise ArgumentError(
            "interpolation", expected=f"one of {', '.join(map(repr, _INTERPOLATIONS))}", got=interpolation
        )
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ArgumentError(
            "pad_to_aspect_ratio", expected="False where `crop_to_aspect_ratio` is True", got=True
        )
    if fill_mode != "constant":
        raise ArgumentError("fill_mode", expected="'constant'", got=fill_mode)
    x, name = working(images)
    if crop_to_aspect_ratio:
        x = _cropped(x, axes, sizes)
    elif pad_to_aspect_ratio:
        x = _padded(x, axes, sizes, fill_value)
    for axis, new in zip((axes.height, axes.width), sizes, strict=True):
        old = shape_of(x)[axis]
        if old == new:
            continue
        if interpolation == "nearest":
            x = p.take(x, _nearest(old, new), axis=axis)
        else:
            x = p.interpolate(x, taps=_taps(old, new, interpolation, bool(antialias)), axis=axis)
    return returned(x, name)


# ---- scale and translate -------------------------------------------------------------------------

_METHODS = {
    "linear": "bilinear", "bilinear": "bilinear", "trilinear": "bilinear", "triangle": "bilinear", "cubic": "bicubic",
    "bicubic": "bicubic", "tricubic": "bicubic", "lanczos3": "lanczos3", "lanczos5": "lanczos5",
}  # fmt: skip


def _kernel(method: str, x: Tensor) -> Tensor:
    """The kernels again, of distances that only the run knows."""
    if method == "bilinear":
        return p.maximum(p.sub(1, x), 0)
    if method == "bicubic":
        near = p.add(p.mul(p.mul(p.sub(p.mul(x, 1.5), 2.5), x), x), 1)
        far = p.add(p.mul(p.sub(p.mul(p.add(p.mul(x, -0.5), 2.5), x), 4), x), 2)
        return p.where(p.lt(x, 1), near, p.where(p.lt(x, 2), far, 0))
    radius = float(method[-1])
    product = p.mul(_sinc(x), _sinc(p.div(x, radius)))
    return p.where(p.lt(x, radius), product, 0)


def _sinc(x: Tensor) -> Tensor:
    zero = p.eq(x, 0)
    angle = p.mul(p.where(zero, 1, x), np.pi)
    return p.where(zero, 1, p.div(p.sin(angle), angle))


def _moved_weights(
    old: Any, new: int, scale: Tensor, translation: Tensor, method: str, antialias: bool
) -> Tensor:
    name = dtype_of(scale)
    inverse = p.div(1.0, scale)
    stretch = p.maximum(inverse, 1) if antialias else p.add(p.mul(inverse, 0), 1)
    rows = p.add(p.reshape(range_tensor(new, name), shape=(new, 1)), 0.5)
    centres = p.sub(p.mul(p.sub(rows, translation), inverse), 0.5)
    pixels = p.reshape(range_tensor(old, name), shape=(1, old))
    weights = _kernel(method, p.div(p.abs(p.sub(centres, pixels)), stretch))
    total = p.sum(weights, axis=(1,), keepdims=True)
    none = p.le(p.abs(total), 1000 * float(dtypes.finfo(name).eps))
    inside = p.logical_and(p.ge(centres, -0.5), p.le(centres, old - 0.5))
    weights = p.where(none, 0, p.div(weights, p.where(none, 1, total)))
    return p.where(inside, weights, 0)


_PLANE, _SCALE, _SHIFT = T((4, 5)), values(0.75, 1.25), values(0.1, -0.2)


@op(
    samples=[
        sample(
            T((4, 5), "float64"),
            (7, 3),
            values(1.5, 0.5, dtype="float64"),
            values(-0.3, 0.4, dtype="float64"),
            (0, 1),
            "cubic",
            False,
        ),
        sample(_PLANE, (3, 5), _SCALE, _SHIFT, (0, 1), "linear"),
        sample(_PLANE, (3, 5), _SCALE, _SHIFT, (0, 1), "cubic"),
        sample(_PLANE, (6, 4), _SCALE, _SHIFT, (0, 1), "lanczos3", False),
        sample(T((2, 4, 4, 1)), (2, 3, 4, 1), values(0.5), values(0.3), (1,), "lanczos5"),
        sample(
            T((4, 5), "float64"),
            (3, 4),
            values(0.75, 0.8, dtype="float64"),
            values(0.0, 0.0, dtype="float64"),
            (0, 1),
            "linear",
        ),
    ],
    rejects=[
        rejects(_PLANE, (3, -5), _SCALE, _SHIFT, (0, 1), "linear", argument="output_shape"),
        rejects(_PLANE, (3,), _SCALE, _SHIFT, (0, 1), "linear", argument="output_shape"),
        rejects(_PLANE, (3, 5), _SCALE, _SHIFT, (0, 2), "linear", argument="spatial_dims"),
        rejects(_PLANE, (3, 5), _SCALE, _SHIFT, (0, 1), "nearest", argument="method"),
        rejects(_PLANE, (3, 5), _SCALE, _SHIFT, None, "linear", argument="spatial_dims"),
        rejects(_PLANE, (3, 5), values(0.5), _SHIFT, (0, 1), "linear", argument="scale"),
    ],
)
def scale_and_translate(
    images: TensorLike, output_shape: Any, scale: TensorLike, translation: TensorLike, spatial_dims: Any, method: str,
    antialias: bool = True,
) -> Tensor:  # fmt: skip
    """Images scaled and moved along some axes: the place `x` goes to `x * scale + translation`.

    Args:
        images: any tensor.
        output_shape: sizes of the result.
        scale: a factor for each of the axes.
        translation: a distance for each of the axes.
        spatial_dims: the axes.
        method: "linear", "cubic", "lanczos3" or "lanczos5".
        antialias: whether smaller images average over all pixels they stand for.

    Returns:
        A tensor of shape `output_shape`; 0 where nothing of the images lies.

    Example:
        >>> import kerata
        >>> x = kerata.ops.ones((4, 4))
        >>> kerata.ops.image.scale_and_translate(x, (2, 2), [0.5, 0.5], [0.0, 0.0], (0, 1), "linear").shape == (2, 2)
        True
    """
    sizes, shape = rules.as_shape(output_shape, "output_shape"), shape_of(images)
    if len(sizes) != len(shape) or any(type(d) is int and d < 0 for d in sizes):
        words = f"of {len(shape)} sizes, none of them negative"
        raise ArgumentError("output_shape", expected=words, got=output_shape)
    if method not in _METHODS:
        raise ArgumentError("method", expected=f"one of {', '.join(map(repr, _METHODS))}", got=method)
    axes = rules.axes_in_order(spatial_dims, len(shape), "spatial_dims")
    x, name = working(images)
    factors, distances = (cast(here(v), dtype_of(x)) for v in (scale, translation))
    for v, argument in ((factors, "scale"), (distances, "translation")):
        if tuple(shape_of(v)) != (len(axes),):
            raise ArgumentError(argument, expected=f"of shape ({len(axes)},)", got=v)
    for i, axis in enumerate(axes):
        factor, distance = (p.reshape(cut(v, 0, i, i + 1), shape=()) for v in (factors, distances))
        weights = _moved_weights(
            shape[axis], sizes[axis], factor, distance, _METHODS[method], bool(antialias)
        )
        x = p.einsum(weights, x, equation=equation_along(len(shape), axis))
    return returned(x, name)
