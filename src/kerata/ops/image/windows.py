"""Patches of images and volumes as channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.core import checks
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample
from kerata.ops.patches import sliding

from .common import data_format_of

TensorLike = Any
Tensor = Any


def _sizes(value: Any, rank: int, argument: str) -> tuple[int, ...]:
    return checks.int_tuple(argument, value, rank, expected=f"a positive integer, or {rank} of them")


def _same_pads(size: Any, span: int, stride: int) -> tuple[Any, Any]:
    """Zeros on both sides so that windows begin at each stride; the odd one comes last."""
    windows = -(-size // stride)
    total = max((windows - 1) * stride + span - size, 0)
    return total // 2, total - total // 2


def _windows(x: Tensor, axis: int, size: int, stride: int, dilation: int, padding: str) -> Tensor:
    if padding == "same":
        pads = [(0, 0)] * len(shape_of(x))
        pads[axis] = _same_pads(shape_of(x)[axis], dilation * (size - 1) + 1, stride)
        x = p.pad(x, pads=tuple(pads), value=0)
    return sliding(x, axis, size, stride, dilation, "size")


def _patches(
    x: Any,
    rank: int,
    argument: str,
    size: Any,
    strides: Any,
    dilation_rate: Any,
    padding: Any,
    data_format: Any,
) -> Tensor:
    layout, shape = data_format_of(data_format), shape_of(x)
    single = len(shape) == rank + 1
    if len(shape) not in (rank + 1, rank + 2):
        raise ArgumentError(argument, expected=f"of {rank + 1} dimensions, or a batch of {rank + 2}", got=x)
    if padding not in ("valid", "same"):
        raise ArgumentError("padding", expected="'valid' or 'same'", got=padding)
    sizes, rates = _sizes(size, rank, "size"), _sizes(dilation_rate, rank, "dilation_rate")
    steps = sizes if strides is None else _sizes(strides, rank, "strides")
    x = p.reshape(x, shape=(1, *shape)) if single else x
    if layout == "channels_first":
        x = p.transpose(x, axes=(0, *range(2, rank + 2), 1))
    for i in reversed(range(rank)):
        x = _windows(x, i + 1, sizes[i], steps[i], rates[i], padding)
    # (batch, windows, places, windows, places …, channels): the windows first, then places and channels in one.
    x = p.transpose(x, axes=(0, *range(1, 2 * rank + 1, 2), *range(2, 2 * rank + 1, 2), 2 * rank + 1))
    have = shape_of(x)
    x = p.reshape(x, shape=(*have[: rank + 1], int(np.prod(sizes)) * have[-1]))
    if layout == "channels_first":
        x = p.transpose(x, axes=(0, rank + 1, *range(1, rank + 1)))
    return p.reshape(x, shape=shape_of(x)[1:]) if single else x


_IMAGES = T((2, 4, 5, 2))


@op(
    samples=[
        sample(T((2, 5, 7, 2)), (2, 3)), sample(T((1, 5, 5, 1)), 2, 3, padding="same"), sample(_IMAGES, 2),
        sample(_IMAGES, (3, 2), strides=1, padding="same"), sample(_IMAGES, 2, 1, 2),
        sample(T((2, 3, 4, 4)), 2, data_format="channels_first"), sample(T((4, 4, 1), "int32"), 2),
        sample(_IMAGES, 3, 2, padding="same"), sample(_IMAGES, 2, 2, 2), sample(T((1, 4, 2, 3, 2)), (2, 1, 2)),
    ],
    rejects=[
        rejects(T((4, 4)), 2, argument="images"), rejects(_IMAGES, 5, argument="size"),
        rejects(_IMAGES, 0, argument="size"), rejects(_IMAGES, 2, padding="full", argument="padding"),
        rejects(_IMAGES, 2, dilation_rate=0, argument="dilation_rate"),
    ],
)  # fmt: skip
def extract_patches(
    images: TensorLike,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Patches of images, each as one line of channels: row by row, and the channels of each pixel together.

    Args:
        images: an image, or a batch; a volume, or a batch, for three sizes.
        size: height and width of a patch; or depth, height and width.
        strides: distances of neighbouring patches; `size` where not given.
        dilation_rate: distance of neighbouring pixels of a patch.
        padding: "valid" for patches inside of the images, "same" for zeros around them.
        data_format: "channels_last" or "channels_first"; the configured one where not given.

    Returns:
        A tensor of shape `(batch, rows, columns, size * channels)`, or with the channels first.

    Example:
        >>> import kerata
        >>> kerata.ops.image.extract_patches(kerata.ops.ones((1, 4, 4, 3)), 2).shape == (1, 2, 2, 12)
        True
    """
    rank = 3 if isinstance(size, (tuple, list)) and len(size) == 3 else 2
    return _patches(images, rank, "images", size, strides, dilation_rate, padding, data_format)


@op(
    samples=[
        sample(T((1, 5, 4, 3, 1)), 2, 1, 2), sample(T((1, 4, 4, 4, 1), "uint8"), 2, padding="same"),
        sample(T((1, 4, 2, 3, 2)), 2), sample(T((2, 2, 2, 1)), (1, 2, 1)),
        sample(T((1, 1, 3, 3, 3)), 2, 1, padding="same", data_format="channels_first"),
        sample(T((1, 3, 3, 3, 1), "float64"), 2, 1), sample(T((1, 4, 4, 4, 1)), 2, 1, 2),
    ],
    rejects=[rejects(T((4, 4, 4)), 2, argument="volumes"), rejects(T((2, 2, 2, 1)), 3, argument="size")],
)  # fmt: skip
def extract_patches_3d(
    volumes: TensorLike,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Patches of volumes, each as one line of channels. Arguments as in `extract_patches`, with three sizes.

    Example:
        >>> import kerata
        >>> kerata.ops.image.extract_patches_3d(kerata.ops.ones((1, 2, 2, 2, 3)), 2).shape == (1, 1, 1, 1, 24)
        True
    """
    return _patches(volumes, 3, "volumes", size, strides, dilation_rate, padding, data_format)
