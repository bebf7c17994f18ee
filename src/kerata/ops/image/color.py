"""Colours: grey values, and hue, saturation and value."""

from __future__ import annotations

from typing import Any

from kerata.core import dtypes
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values
from kerata.ops.splitting import cut

from .common import image_axes, returned, working

TensorLike = Any
Tensor = Any
_FIRST: dict[str, Any] = {"data_format": "channels_first"}


def _channels(images: Any, data_format: Any) -> tuple[list[Tensor], int]:
    """The three channels, each with an axis of size 1, and the axis."""
    axis = image_axes(images, data_format).channels
    if shape_of(images)[axis] != 3:
        raise ArgumentError("images", expected="with three channels", got=images)
    return [cut(images, axis, i, i + 1) for i in range(3)], axis


_REJECTS = [
    rejects(T((2, 2, 4)), argument="images"),
    rejects(T((2, 3)), argument="images"),
    rejects(T((2, 2, 3)), data_format="last", argument="data_format"),
]


@op(
    samples=[
        sample(values([[[255, 255, 255], [1, 1, 1], [10, 20, 30]]], dtype="uint8")),
        sample(T((2, 3, 4, 3), low=0.0, high=1.0)), sample(T((3, 4, 3), "uint8", high=255)),
        sample(T((2, 3, 4, 4), low=0.0, high=1.0), **_FIRST),
        sample(T((2, 2, 3), "float16", 0.0, 1.0), gradient=False), sample(T((0, 2, 2, 3))),
    ],
    rejects=_REJECTS,
)  # fmt: skip
def rgb_to_grayscale(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Red, green and blue as grey values, with the weights 0.2989, 0.587 and 0.114 (ITU-R BT.601).

    Args:
        images: an image, or a batch, with three channels.
        data_format: "channels_last" or "channels_first"; the configured one where not given.

    Returns:
        Images with one channel, in the same dtype; of integers, what is behind the point is cut off.

    Example:
        >>> import kerata
        >>> kerata.ops.image.rgb_to_grayscale(kerata.ops.ones((2, 2, 3))).shape == (2, 2, 1)
        True
    """
    wide, name = working(images)
    (r, g, b), _ = _channels(wide, data_format)
    grey = p.add(p.add(p.mul(r, 0.2989), p.mul(g, 0.587)), p.mul(b, 0.114))
    return returned(grey, name, rounded=False)


def _floating(images: Any) -> tuple[Tensor, str]:
    if not dtypes.is_float(dtype_of(images)):
        raise ArgumentError(
            "images", expected="of a floating dtype", got=images, fix="Divide integers by 255 first."
        )
    return working(images)


_COLOURS = values([[[1.0, 0.5, 0.1], [0.2, 0.9, 0.3]], [[0.1, 0.2, 0.8], [0.7, 0.3, 0.9]]])
_HUES = values([[[0.05, 0.5, 0.1], [0.2, 0.9, 0.3]], [[0.42, 0.2, 0.8], [0.7, 0.3, 0.9]]])
_FLAT = values([[[0.0, 0.0, 0.0], [0.5, 0.5, 0.5], [1.0, 0.0, 0.0]]])
_INTEGERS = rejects(T((2, 2, 3), "uint8"), argument="images")


@op(
    samples=[
        sample(values([[[-0.3, -0.5, -0.5], [2.0, 3.0, 4.0], [0.0, 0.0, -1.0]]]), gradient=False),
        sample(_COLOURS),
        sample(_FLAT, gradient=False),
        sample(T((2, 3, 2, 2), low=0.0, high=1.0), **_FIRST),
        sample(T((0, 2, 2, 3), low=0, high=1)),
        sample(T((2, 2, 3), "float64", low=0.1, high=0.9), gradient=False),
    ],
    rejects=[*_REJECTS, _INTEGERS],
)
def rgb_to_hsv(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Red, green and blue as hue, saturation and value (A. R. Smith, "Color gamut transform pairs", 1978).

    Args:
        images: an image, or a batch, of floats in [0, 1] with three channels.
        data_format: "channels_last" or "channels_first"; the configured one where not given.

    Returns:
        Images in which hue, saturation and value, in [0, 1], are the channels. Grey has hue and saturation 0,
        and so has what is not positive saturation 0.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.image.rgb_to_hsv([[[1.0, 0.0, 0.0]]]))
        array([[[0., 1., 1.]]], dtype=float32)
    """
    wide, name = _floating(images)
    (r, g, b), axis = _channels(wide, data_format)
    value = p.maximum(p.maximum(r, g), b)
    span = p.sub(value, p.minimum(p.minimum(r, g), b))
    grey, black = p.eq(span, 0), p.le(value, 0)
    saturation = p.where(black, 0, p.div(span, p.where(black, 1, value)))
    unit = p.where(grey, 1, span)
    from_red = p.div(p.sub(g, b), unit)
    from_green = p.add(p.div(p.sub(b, r), unit), 2)
    from_blue = p.add(p.div(p.sub(r, g), unit), 4)
    sixth = p.where(p.eq(value, r), from_red, p.where(p.eq(value, g), from_green, from_blue))
    hue = p.where(grey, 0, p.div(sixth, 6.0))
    hue = p.where(p.lt(hue, 0), p.add(hue, 1), hue)
    return returned(p.concatenate((hue, saturation, value), axis=axis), name)


@op(
    samples=[
        sample(
            values([[[1.2, 0.5, 0.5], [-0.3, 0.5, 0.5], [0.3, 1.5, 0.5], [2.6, 0.4, 0.7]]]), gradient=False
        ),
        sample(_HUES),
        sample(_FLAT, gradient=False),
        sample(T((2, 3, 2, 2), low=0.0, high=1.0), **_FIRST),
        sample(T((0, 2, 2, 3), low=0, high=1)),
        sample(T((2, 2, 3), "float64", low=0.1, high=0.9), gradient=False),
    ],
    rejects=[*_REJECTS, _INTEGERS],
)
def hsv_to_rgb(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Hue, saturation and value as red, green and blue: the inverse of `rgb_to_hsv`.

    Args:
        images: an image, or a batch, of floats in [0, 1] with three channels. A hue of 1 or more is that after as
            many turns around the circle.
        data_format: "channels_last" or "channels_first"; the configured one where not given.

    Returns:
        Images in which red, green and blue are the channels.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.image.hsv_to_rgb([[[0.0, 1.0, 1.0]]]))
        array([[[1., 0., 0.]]], dtype=float32)
    """
    wide, name = _floating(images)
    (hue, saturation, value), axis = _channels(wide, data_format)
    sixths = p.mul(p.sub(hue, p.floor(hue)), 6.0)
    # Each colour is a trapezoid over the hue: a constant, a slope, zero, a slope.
    shares = (
        p.sub(p.abs(p.sub(sixths, 3)), 1), p.sub(2, p.abs(p.sub(sixths, 2))), p.sub(2, p.abs(p.sub(sixths, 4))),
    )  # fmt: skip
    colours = []
    for share in shares:
        share = p.where(p.lt(share, 0), 0, p.where(p.gt(share, 1), 1, share))
        colours.append(p.mul(p.add(p.mul(p.sub(share, 1), saturation), 1), value))
    return returned(p.concatenate(tuple(colours), axis=axis), name)
