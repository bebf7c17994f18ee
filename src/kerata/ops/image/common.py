"""What image ops share: where the axes are, and how results return to the dtype of the images."""

from __future__ import annotations

from typing import Any, NamedTuple

from kerata.core import checks, config, dtypes
from kerata.core import primitives as p
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.ops.elementwise import real_only
from kerata.ops.views import saturate_cast

Tensor = Any


class Axes(NamedTuple):
    """Axes of images: height, width and channels."""

    height: int
    width: int
    channels: int


def data_format_of(data_format: Any) -> str:
    """The layout, checked; the configured one where none is given."""
    if data_format is None:
        return config.image_data_format()
    if data_format not in ("channels_last", "channels_first"):
        raise ArgumentError("data_format", expected="'channels_last' or 'channels_first'", got=data_format)
    return str(data_format)


def image_axes(images: Any, data_format: Any, argument: str = "images") -> Axes:
    """The axes of one image (three dimensions) or a batch (four)."""
    layout, rank = data_format_of(data_format), len(shape_of(images))
    if rank not in (3, 4):
        raise ArgumentError(argument, expected="an image of three dimensions, or a batch of four", got=images)
    first = rank - 3
    return (
        Axes(first, first + 1, first + 2) if layout == "channels_last" else Axes(first + 1, first + 2, first)
    )


def two_sizes(size: Any, argument: str) -> tuple[int, int]:
    """A pair of positive integers; an integer stands for two."""
    first, second = checks.int_tuple(argument, size, 2, expected="a pair of positive integers")
    return first, second


def working(images: Any, argument: str = "images") -> tuple[Tensor, str]:
    """The images in the dtype to compute in, and the dtype of the result.

    Integers are computed in float64: a mean of two neighbours often ends in .5, and in float32 it would be rounded
    up on one engine and down on another.
    """
    name = dtype_of(real_only(images, argument))
    wide = "float64" if name == "float64" or dtypes.is_int(name) else "float32"
    return saturate_cast(images, wide), name


_FINE = 2.0**20


def returned(images: Tensor, name: str, rounded: bool = True) -> Tensor:
    """Back in a dtype: for integers, rounded (or cut off towards zero) and kept within its limits."""
    if dtypes.is_int(name):
        # Without the last digits, which engines may differ in.
        images = p.mul(p.round(p.mul(images, _FINE)), 1 / _FINE)
        images = p.round(images) if rounded else images
    return saturate_cast(images, name)
