"""Images with borders cut off or put on."""

from __future__ import annotations

from typing import Any

from kerata.core import checks, rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample

from .common import image_axes

TensorLike = Any
Tensor = Any


def _size(value: Any, argument: str) -> int | None:
    return None if value is None else checks.natural(argument, value)


def _two_of_three(before: Any, after: Any, target: Any, names: tuple[str, str, str]) -> None:
    given = [v for v in (before, after, target) if v is not None]
    if len(given) != 2:
        words = ", ".join(f"{n}={v}" for n, v in zip(names, (before, after, target), strict=True))
        raise ArgumentError(
            names[2], expected=f"such that exactly two of {', '.join(names)} are given", got=words
        )


def _borders(
    have: Any, before: Any, after: Any, target: Any, names: tuple[str, str, str], sign: int
) -> tuple[Any, Any]:
    """Both borders; `sign` is 1 where they are put on, -1 where they are cut off."""
    before, after, target = (_size(v, n) for v, n in zip((before, after, target), names, strict=True))
    _two_of_three(before, after, target, names)
    if target is not None:
        whole = (target - have) * sign
        before, after = (whole - after, after) if before is None else (before, whole - before)
    if rules.known(have) and (min(before, after) < 0 or (sign < 0 and before + after > have)):
        raise ArgumentError(names[2], expected=f"such that it fits the size {have} of the images", got=target)
    return before, after


def _both(
    images: Any, given: dict[str, Any], word: str, sign: int, data_format: Any
) -> list[tuple[Any, Any]]:
    axes = image_axes(images, data_format)
    shape = shape_of(images)
    pads: list[tuple[Any, Any]] = [(0, 0)] * len(shape)
    for axis, first, second, target in (
        (axes.height, "top", "bottom", "height"),
        (axes.width, "left", "right", "width"),
    ):
        names = (f"{first}_{word}", f"{second}_{word}", f"target_{target}")
        pads[axis] = _borders(shape[axis], given[names[0]], given[names[1]], given[names[2]], names, sign)
    return pads


_IMAGES = T((2, 4, 5, 1))


@op(
    samples=[sample(_IMAGES, bottom_cropping=0, left_cropping=2, target_height=4, target_width=1),
        sample(_IMAGES, 1, 0, 1, 2),
        sample(_IMAGES, top_cropping=1, left_cropping=1, target_height=2, target_width=2),
        sample(T((3, 4, 5)), bottom_cropping=1, right_cropping=2, target_height=3, target_width=2, data_format="channels_first"),
        sample(T((4, 4, 1), "uint8"), 0, 0, 0, 0),
    sample(T((2, 3, 3, 2), "float16"), 1, 1, 1, 1)],
    rejects=[
        rejects(_IMAGES, 1, 1, 1, 1, target_height=2, argument="target_height"),
        rejects(_IMAGES, 1, argument="target_height"), rejects(_IMAGES, -1, 0, 0, 0, argument="top_cropping"),
        rejects(_IMAGES, 3, 0, 3, 0, argument="target_height"),
        rejects(T((4, 4)), 1, 1, 1, 1, argument="images"),
    ],
)  # fmt: skip
def crop_images(
    images: TensorLike, top_cropping: int | None = None, left_cropping: int | None = None, bottom_cropping: int | None = None,
    right_cropping: int | None = None, target_height: int | None = None, target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:  # fmt: skip
    """Images without borders.

    Of the two borders and the target size of each axis, exactly two are given.

    Args:
        images: an image, or a batch.
        top_cropping: rows to cut off at the top.
        left_cropping: columns to cut off on the left.
        bottom_cropping: rows to cut off at the bottom.
        right_cropping: columns to cut off on the right.
        target_height: height of the result.
        target_width: width of the result.
        data_format: "channels_last" or "channels_first"; the configured one where not given.

    Example:
        >>> import kerata
        >>> kerata.ops.image.crop_images(kerata.ops.ones((4, 4, 1)), 1, 1, 1, 1).shape == (2, 2, 1)
        True
    """
    given = {
        "top_cropping": top_cropping, "left_cropping": left_cropping, "bottom_cropping": bottom_cropping,
        "right_cropping": right_cropping, "target_height": target_height, "target_width": target_width,
    }  # fmt: skip
    shape = shape_of(images)
    edges = _both(images, given, "cropping", -1, data_format)
    limits = tuple(d - after for d, (_, after) in zip(shape, edges, strict=True))
    return p.slice(
        images, starts=tuple(before for before, _ in edges), limits=limits, strides=(1,) * len(shape)
    )


@op(
    samples=[sample(T((3, 2, 2), "float16"), 0, 3, 2, 0, gradient=False),
        sample(_IMAGES, 1, 0, 0, 2), sample(_IMAGES, top_padding=1, left_padding=1, target_height=6, target_width=6),
        sample(T((3, 4, 5)), bottom_padding=1, right_padding=2, target_height=7, target_width=8, data_format="channels_first"),
        sample(T((4, 4, 1), "uint8"), 1, 1, 1, 1),
    sample(T((2, 3, 3, 2), "float16"), 0, 0, 0, 0)],
    rejects=[
        rejects(_IMAGES, 1, 1, 1, 1, target_height=9, argument="target_height"),
        rejects(_IMAGES, 1, argument="target_height"), rejects(_IMAGES, -1, 0, 0, 0, argument="top_padding"),
        rejects(_IMAGES, top_padding=0, left_padding=0, target_height=2, target_width=9, argument="target_height"),
    ],
)  # fmt: skip
def pad_images(
    images: TensorLike, top_padding: int | None = None, left_padding: int | None = None, bottom_padding: int | None = None,
    right_padding: int | None = None, target_height: int | None = None, target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:  # fmt: skip
    """Images with borders of zeros.

    Of the two borders and the target size of each axis, exactly two are given.

    Args:
        images: an image, or a batch.
        top_padding: rows to put on at the top.
        left_padding: columns to put on on the left.
        bottom_padding: rows to put on at the bottom.
        right_padding: columns to put on on the right.
        target_height: height of the result.
        target_width: width of the result.
        data_format: "channels_last" or "channels_first"; the configured one where not given.

    Example:
        >>> import kerata
        >>> kerata.ops.image.pad_images(kerata.ops.ones((2, 2, 1)), 1, 1, 1, 1).shape == (4, 4, 1)
        True
    """
    given = {
        "top_padding": top_padding, "left_padding": left_padding, "bottom_padding": bottom_padding,
        "right_padding": right_padding, "target_height": target_height, "target_width": target_width,
    }  # fmt: skip
    return p.pad(images, pads=tuple(_both(images, given, "padding", 1, data_format)), value=0)
