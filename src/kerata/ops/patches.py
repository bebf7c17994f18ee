"""Blocks and windows of images as channels, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.core import checks, rules
from kerata.core import primitives as p
from kerata.core.budget import NUMBERS, spend
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample

from .core import cast
from .creation import range_tensor
from .elementwise import constant, count_bools
from .splitting import cut

TensorLike = Any
Tensor = Any
Size = int | tuple[int, int]


def _block(block_size: Any) -> int:
    return checks.at_least("block_size", block_size, 2)


def _image_axes(x: Any, data_format: Any) -> tuple[int, int, int]:
    """Axes of height, width and channels."""
    if data_format not in ("channels_last", "channels_first"):
        raise ArgumentError("data_format", expected="'channels_last' or 'channels_first'", got=data_format)
    if len(shape_of(x)) != 4:
        raise ArgumentError("x", expected="images of four dimensions", got=x)
    return (1, 2, 3) if data_format == "channels_last" else (2, 3, 1)


_FIRST: dict[str, Any] = {"data_format": "channels_first"}


@op(
    samples=[
        sample(T((1, 8, 2, 3), "float64"), 2, **_FIRST), sample(T((2, 3, 2, 8)), 2),
        sample(T((1, 9, 2, 1)), 3, **_FIRST), sample(T((1, 1, 1, 8), "int32"), 2),
        sample(T((2, 2, 2, 4), "float16"), 2), sample(T((0, 2, 2, 4)), 2),
    ],
    rejects=[
        rejects(T((1, 2, 2, 6)), 2, argument="x"), rejects(T((2, 2, 4)), 2, argument="x"),
        rejects(T((1, 2, 2, 4)), 1, argument="block_size"),
        rejects(T((1, 2, 2, 4)), 2, data_format="NHWC", argument="data_format"),
    ],
)  # fmt: skip
def depth_to_space(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Groups of channels laid out as blocks of pixels.

    With the channels last, those of one pixel of the blocks are neighbours (the order "depth, column, row"); with the
    channels first, those of one block are (the order of a pixel shuffle, Shi et al., arXiv:1609.05158). So do Keras
    3.15's NumPy, JAX and PyTorch engines.

    Args:
        x: images whose number of channels is divisible by `block_size**2`.
        block_size: height and width of a block.
        data_format: "channels_last" or "channels_first".

    Returns:
        Images `block_size` times as high and wide, with `block_size**2` times fewer channels.

    Example:
        >>> import kerata
        >>> kerata.ops.depth_to_space(kerata.ops.ones((1, 2, 2, 8)), 2).shape == (1, 4, 4, 2)
        True
    """
    size = _block(block_size)
    h, w, c = _image_axes(x, data_format)
    shape = shape_of(x)
    depth = shape[c]
    if rules.known(depth) and depth % (size * size):
        raise ArgumentError("x", expected=f"with a number of channels divisible by {size * size}", got=x)
    b, rest = shape[0], depth // (size * size)
    if data_format == "channels_last":
        blocks = p.reshape(x, shape=(b, shape[h], shape[w], size, size, rest))
        spread = p.transpose(blocks, axes=(0, 1, 3, 2, 4, 5))
        return p.reshape(spread, shape=(b, shape[h] * size, shape[w] * size, rest))
    blocks = p.reshape(x, shape=(b, rest, size, size, shape[h], shape[w]))
    spread = p.transpose(blocks, axes=(0, 1, 4, 2, 5, 3))
    return p.reshape(spread, shape=(b, rest, shape[h] * size, shape[w] * size))


@op(
    samples=[
        sample(T((1, 3, 4, 6), "float64"), 2, **_FIRST), sample(T((2, 4, 6, 2)), 2),
        sample(T((1, 1, 3, 6)), 3, **_FIRST), sample(T((1, 2, 2, 1), "int32"), 2),
        sample(T((2, 2, 2, 4), "float16"), 2), sample(T((0, 2, 2, 4)), 2),
    ],
    rejects=[
        rejects(T((1, 3, 2, 1)), 2, argument="x"), rejects(T((2, 2, 4)), 2, argument="x"),
        rejects(T((1, 2, 2, 4)), 2.5, argument="block_size"),
    ],
)  # fmt: skip
def space_to_depth(x: TensorLike, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Blocks of pixels laid out as channels: the inverse of `depth_to_space`.

    Args:
        x: images whose height and width are divisible by `block_size`.
        block_size: height and width of a block.
        data_format: "channels_last" or "channels_first".

    Returns:
        Images `block_size` times less high and wide, with `block_size**2` times as many channels.

    Example:
        >>> import kerata
        >>> kerata.ops.space_to_depth(kerata.ops.ones((1, 4, 4, 2)), 2).shape == (1, 2, 2, 8)
        True
    """
    size = _block(block_size)
    h, w, c = _image_axes(x, data_format)
    shape = shape_of(x)
    if any(rules.known(shape[i]) and shape[i] % size for i in (h, w)):
        raise ArgumentError("x", expected=f"with a height and width divisible by {size}", got=x)
    b, rows, columns, depth = shape[0], shape[h] // size, shape[w] // size, shape[c]
    if data_format == "channels_last":
        blocks = p.reshape(x, shape=(b, rows, size, columns, size, depth))
        packed = p.transpose(blocks, axes=(0, 1, 3, 2, 4, 5))
        return p.reshape(packed, shape=(b, rows, columns, size * size * depth))
    blocks = p.reshape(x, shape=(b, depth, rows, size, columns, size))
    packed = p.transpose(blocks, axes=(0, 1, 3, 5, 2, 4))
    return p.reshape(packed, shape=(b, size * size * depth, rows, columns))


# ---- sliding windows -----------------------------------------------------------------------------


def _two(value: Any, argument: str, least: int) -> tuple[int, int]:
    first, second = checks.int_tuple(argument, value, 2, least)
    return first, second


def sliding(x: Tensor, axis: int, size: int, stride: int, dilation: int, argument: str) -> Tensor:
    """An axis replaced by two: the windows that slide along it, and the places in a window."""
    have, span = shape_of(x)[axis], dilation * (size - 1) + 1
    if type(have) is int and have < span:
        raise ArgumentError(
            argument, expected=f"at most {have} with its dilation, the (padded) size of the axis", got=size
        )
    count = (have - span) // stride + 1
    if stride == span == size:  # tiles: no element is in two windows
        x = x if type(have) is int and have == count * size else cut(x, axis, 0, count * size)
        return p.reshape(x, shape=(*shape_of(x)[:axis], count, size, *shape_of(x)[axis + 1 :]))
    starts = p.reshape(p.mul(range_tensor(count), stride), shape=(count, 1))
    places = p.add(starts, p.reshape(p.mul(range_tensor(size), dilation), shape=(1, size)))
    return p.take(x, places, axis=axis)


def _places(size: int, kernel: int, dilation: int, padding: int, stride: int) -> np.ndarray:
    """Row (or column) in the padded image of each kernel element at each window: (kernel, windows)."""
    span = dilation * (kernel - 1) + 1
    windows = (size + 2 * padding - span) // stride + 1
    if windows < 1:
        raise ArgumentError(
            "kernel_size",
            expected=f"at most {size + 2 * padding} with its dilation, the (padded) size of the axis",
            got=kernel,
        )
    return np.arange(kernel)[:, None] * dilation + np.arange(windows)[None, :] * stride


def _window_sizes(kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> tuple[tuple[int, int], ...]:
    return (
        _two(kernel_size, "kernel_size", 1), _two(dilation, "dilation", 1), _two(padding, "padding", 0), _two(stride, "stride", 1),
    )  # fmt: skip


@op(
    samples=[
        sample(T((1, 2, 6, 7)), (3, 2), (1, 2), (1, 2), (2, 1)), sample(T((1, 2, 4, 5)), 2),
        sample(T((2, 1, 4, 4)), (2, 3), stride=2), sample(T((1, 1, 3, 3)), 2, 1, 1),
        sample(T((1, 1, 5, 5)), 2, dilation=2), sample(T((0, 1, 4, 4)), 2),
    ],
    rejects=[
        rejects(T((2, 4, 4)), 2, argument="x"), rejects(T((1, 1, 2, 2)), 3, argument="kernel_size"),
        rejects(T((1, 1, 2, 2)), 2, stride=0, argument="stride"),
    ],
)  # fmt: skip
def unfold(
    x: TensorLike, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Tensor:
    """Sliding windows of images as columns ("im2col").

    Args:
        x: images of shape `(batch, channels, height, width)`.
        kernel_size: height and width of a window.
        dilation: distance of neighbouring elements of a window.
        padding: zeros on either side.
        stride: distance of neighbouring windows.

    Returns:
        A tensor of shape `(batch, channels * window size, windows)`.

    Example:
        >>> import kerata
        >>> kerata.ops.unfold(kerata.ops.ones((1, 1, 4, 4)), 2, stride=2).shape == (1, 4, 4)
        True
    """
    if len(shape_of(x)) != 4:
        raise ArgumentError("x", expected="images of shape (batch, channels, height, width)", got=x)
    kernel, dilated, pads, strides = _window_sizes(kernel_size, dilation, padding, stride)
    windows = p.pad(x, pads=((0, 0), (0, 0), (pads[0], pads[0]), (pads[1], pads[1])), value=0)
    for i in (1, 0):
        windows = sliding(windows, i + 2, kernel[i], strides[i], dilated[i], "kernel_size")
    b, c, rows, _, columns, _ = shape_of(windows)
    windows = p.transpose(windows, axes=(0, 1, 3, 5, 2, 4))
    return p.reshape(windows, shape=(b, c * kernel[0] * kernel[1], rows * columns))


@op(
    samples=[
        sample(T((1, 12, 9)), (4, 5), (2, 3), stride=1), sample(T((1, 4, 4)), (4, 4), 2, stride=2),
        sample(T((2, 8, 4)), (3, 3), 2), sample(T((1, 4, 16)), 3, 2, padding=1),
        sample(T((1, 4, 9)), (5, 5), 2, dilation=2), sample(T((0, 4, 4)), (4, 4), 2, stride=2),
    ],
    rejects=[
        rejects(T((1, 4, 5)), (4, 4), 2, stride=2, argument="x"),
        rejects(T((1, 5, 4)), (4, 4), 2, stride=2, argument="x"), rejects(T((4, 4)), 4, 2, argument="x"),
    ],
)  # fmt: skip
def fold(
    x: TensorLike,
    output_size: Size,
    kernel_size: Size,
    dilation: Size = 1,
    padding: Size = 0,
    stride: Size = 1,
) -> Tensor:
    """Columns put back as sliding windows of images, overlapping ones added: the transpose of `unfold`.

    Args:
        x: windows, of shape `(batch, channels * window size, windows)`.
        output_size: height and width of the images.
        kernel_size: height and width of a window.
        dilation: distance of neighbouring elements of a window.
        padding: border that is cut off on either side.
        stride: distance of neighbouring windows.

    Returns:
        Images of shape `(batch, channels, height, width)`.

    Example:
        >>> import kerata
        >>> kerata.ops.fold(kerata.ops.ones((1, 4, 4)), (4, 4), 2, stride=2).shape == (1, 1, 4, 4)
        True
    """
    h, w = _two(output_size, "output_size", 1)
    kernel, dilated, pads, strides = _window_sizes(kernel_size, dilation, padding, stride)
    spend(h * w * kernel[0] * kernel[1] // NUMBERS)
    rows, columns = (_places((h, w)[i], kernel[i], dilated[i], pads[i], strides[i]) for i in (0, 1))
    area, count = kernel[0] * kernel[1], rows.shape[1] * columns.shape[1]
    shape = shape_of(x)
    if len(shape) != 3 or rules.differ(shape[2], count) or (rules.known(shape[1]) and shape[1] % area):
        raise ArgumentError("x", expected=f"of shape (batch, channels * {area}, {count})", got=x)
    b, c = shape[0], shape[1] // area
    height, width = h + 2 * pads[0], w + 2 * pads[1]
    # Where each element is in a line of pixels.
    flat = rows[:, None, :, None] * width + columns[None, :, None, :]
    places = constant(flat.reshape(-1, 1), "int32")
    line = p.transpose(p.reshape(x, shape=(b, c, area * count)), axes=(2, 0, 1))
    line = count_bools(line)
    target = p.broadcast_to(constant(0, dtype_of(line)), shape=(height * width, b, c))
    summed = p.transpose(p.scatter(target, places, line, mode="add"), axes=(1, 2, 0))
    image = p.reshape(summed, shape=(b, c, height, width))
    limits = (b, c, height - pads[0], width - pads[1])
    return cast(p.slice(image, starts=(0, 0, *pads), limits=limits, strides=(1, 1, 1, 1)), dtype_of(x))
