"""Convolutions: plain, depthwise, separable and transposed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kerata.core import config, windows
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.geometry import (
    ConvPlan,
    conv_plan,
    conv_transpose_plan,
    depthwise_plan,
    pointwise_plan,
)
from kerata.core.samples import T, rejects, sample

from .elementwise import count_bools, promote, real_only

TensorLike = Any
Tensor = Any
Sizes = int | Sequence[int]
Padding = str | Sequence[Sequence[int]]


_NATIVE = frozenset(("float16", "bfloat16", "float32", "float64"))


def _run(
    primitive: Callable[..., Tensor], x: Any, kernel: Any, plan: ConvPlan, kernel_name: str = "kernel"
) -> Tensor:
    """The primitive in the common dtype; the kernel has the plan's shape afterwards."""
    if shape_of(kernel) != plan.kernel_shape:
        kernel = p.reshape(kernel, shape=plan.kernel_shape)
    name = dtype_of(x)
    if name in _NATIVE and dtype_of(kernel) == name:
        return primitive(x, kernel, plan=plan)
    x, kernel = promote(count_bools(real_only(x, "inputs")), count_bools(real_only(kernel, kernel_name)))
    return primitive(x, kernel, plan=plan)


@op(
    samples=[
        sample(T((2, 8, 7, 4)), T((2, 4, 2, 6)), (2, 3), "same"),
        sample(T((1, 9, 8, 2)), T((3, 2, 2, 3)), (2, 1), "valid", None, (1, 2)),
        sample(T((2, 9, 2), "bfloat16"), T((4, 2, 3), "bfloat16"), 2, "same", gradient=False),
        sample(T((2, 7, 6, 3), "uint8", high=9), T((3, 2, 3, 2), "bool"), gradient=False),
        sample(T((1, 2, 5, 4, 6)), T((2, 3, 2, 1, 4)), 2, "same", "channels_first",
    ),
        sample(T((2, 7, 3)), T((3, 3, 4))), sample(T((2, 7, 3)), T((3, 3, 4)), 2, "same"),
        sample(T((2, 7, 3)), T((3, 3, 4)), 1, "causal", None, 2),
        sample(T((2, 7, 6, 4)), T((3, 2, 2, 6)), (2, 3), "same"),
        sample(T((2, 4, 6, 5)), T((3, 2, 4, 6)), padding="same", data_format="channels_first"),
        sample(T((2, 7, 6, 2)), T((2, 3, 2, 3)), padding=((1, 2), (0, 3)), dilation_rate=(2, 1)),
        sample(T((2, 9, 9, 2)), T((3, 3, 2, 3)), 2, "same", dilation_rate=2),
        sample(T((1, 4, 5, 4, 2)), T((2, 2, 3, 2, 3)), (1, 2, 1), "same"),
        sample(T((0, 5, 5, 2)), T((3, 3, 2, 2)), gradient=False),
        sample(T((2, 6, 2), "int32", -9, 9), T((3, 2, 3), "int32", -9, 9), gradient=False),
        sample(T((2, 6, 8), "float16"), T((3, 8, 3), "float16"), gradient=False),
        sample(T((2, 6, 2), "float64"), T((3, 2, 3), "float32"), gradient=False),
    ],
    rejects=[
        rejects(T((2, 7)), T((3, 3, 4)), argument="inputs"), rejects(T((2, 2, 3)), T((3, 3, 4)), argument="inputs"),
        rejects(T((2, 7, 3), "complex64"), T((3, 3, 4)), argument="inputs"),
        rejects(T((2, 7, 3)), T((3, 4)), argument="kernel"), rejects(T((2, 7, 3)), T((3, 2, 4)), argument="kernel"),
        rejects(T((2, 7, 4)), T((3, 2, 3)), argument="kernel"),
        rejects(T((2, 7, 3)), T((3, 3, 4)), 0, argument="strides"),
        rejects(T((2, 7, 3)), T((3, 3, 4)), (1, 1), argument="strides"),
        rejects(T((2, 7, 3)), T((3, 3, 4)), 1.0, argument="strides"),
        rejects(T((2, 7, 3)), T((3, 3, 4)), 1, "full", argument="padding"),
        rejects(T((2, 7, 3)), T((3, 3, 4)), data_format="NWC", argument="data_format"),
        rejects(T((2, 7, 3)), T((3, 3, 4)), dilation_rate=-1, argument="dilation_rate"),
    ],
)  # fmt: skip
def conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Sizes = 1,
    padding: Padding = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """The cross-correlation of 1 to 3 spatial dimensions with a kernel, summed over the channels.

    Args:
        inputs: `(batch, *spatial, channels)`, or `(batch, channels, *spatial)` for "channels_first".
        kernel: `(*kernel_size, channels // groups, filters)`. Where it has fewer channels than `inputs`, both
            channels and filters fall into that many groups, which are convolved apart.
        strides: distance between the windows: one integer, or one for each spatial dimension.
        padding: "valid" (none), "same" (`ceil(size / stride)` outputs; an odd zero comes last), "causal" (one
            dimension: all zeros come first), or a pair `(before, after)` for each spatial dimension.
        data_format: "channels_last" or "channels_first"; None for `kerata.config.image_data_format()`.
        dilation_rate: distance between the elements that a kernel touches, like `strides`.

    Returns:
        A tensor of the common dtype, in the layout of `inputs`, with `filters` channels. Bool counts as int32;
        sums of integers are exact up to 2^53.

    Raises:
        ArgumentError: shapes or arguments do not fit, or the output would be empty.

    Example:
        >>> import kerata
        >>> x, kernel = kerata.ops.ones((1, 4, 1)), kerata.ops.ones((3, 1, 1))
        >>> kerata.ops.convert_to_numpy(kerata.ops.conv(x, kernel, padding="same")).ravel()
        array([2., 3., 3., 2.], dtype=float32)
    """
    layout = config.standardize_data_format(data_format)
    plan = conv_plan(shape_of(inputs), shape_of(kernel), strides, padding, layout, dilation_rate)
    return _run(windows.conv, inputs, kernel, plan)


@op(
    samples=[
        sample(T((1, 9, 8, 2)), T((3, 2, 2, 1)), 2, "same", None, 2),
        sample(T((1, 8, 7, 2)), T((4, 2, 2, 2)), 2, "same"),
        sample(T((2, 6, 2), "float16"), T((3, 2, 1), "float16"), padding="same", gradient=False,
    ),
        sample(T((2, 7, 3)), T((3, 3, 2))), sample(T((2, 6, 7, 3)), T((3, 2, 3, 1)), 2, "same"),
        sample(T((2, 6, 7, 3)), T((2, 2, 3, 2)), (1, 2), "same"),
        sample(T((2, 6, 7, 3)), T((2, 2, 3, 2)), dilation_rate=2),
        sample(T((2, 3, 6, 7)), T((3, 3, 3, 2)), padding="same", data_format="channels_first"),
        sample(T((1, 4, 5, 4, 2)), T((2, 2, 3, 2, 3)), 2, "same"), sample(T((2, 7, 1)), T((3, 1, 2))),
        sample(T((2, 7, 3), "int32", -9, 9), T((3, 3, 2), "int32", -9, 9), gradient=False),
    ],
    rejects=[
        rejects(T((2, 7, 3)), T((3, 2, 2)), argument="kernel"), rejects(T((2, 7, 3)), T((3, 3)), argument="kernel"),
        rejects(T((2, 7, 3)), T((3, 3, 2)), padding="full", argument="padding"),
    ],
)  # fmt: skip
def depthwise_conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Sizes = 1,
    padding: Padding = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """A convolution of each channel with its own kernels.

    Args:
        inputs: as in `conv`.
        kernel: `(*kernel_size, channels, depth_multiplier)`.
        strides: as in `conv`.
        padding: as in `conv`.
        data_format: as in `conv`.
        dilation_rate: as in `conv`.

    Returns:
        A tensor with `channels * depth_multiplier` channels: those of the first input channel come first.

    Raises:
        ArgumentError: shapes or arguments do not fit, or the output would be empty.

    Example:
        >>> import kerata
        >>> x, kernel = kerata.ops.ones((1, 4, 4, 3)), kerata.ops.ones((2, 2, 3, 5))
        >>> tuple(kerata.ops.depthwise_conv(x, kernel).shape)
        (1, 3, 3, 15)
    """
    layout = config.standardize_data_format(data_format)
    plan = depthwise_plan(shape_of(inputs), shape_of(kernel), strides, padding, layout, dilation_rate)
    return _run(windows.conv, inputs, kernel, plan)


@op(
    samples=[
        sample(T((1, 9, 8, 2)), T((3, 2, 2, 1)), T((1, 1, 2, 3)), (2, 1), "same"),
        sample(T((1, 4, 5, 4, 2)), T((2, 2, 2, 2, 1)), T((1, 1, 1, 2, 2)),
    ),
        sample(T((2, 7, 3)), T((3, 3, 2)), T((1, 6, 4))),
        sample(T((2, 6, 7, 3)), T((3, 2, 3, 1)), T((1, 1, 3, 2)), 2, "same"),
        sample(T((2, 3, 6, 7)), T((2, 2, 3, 2)), T((1, 1, 6, 2)), data_format="channels_first", dilation_rate=2),
    sample(T((1, 5, 2), "float64"), T((2, 2, 1), "float64"), T((1, 2, 3), "float64")),
    sample(T((0, 5, 5, 1)), T((3, 3, 1, 1)), T((1, 1, 1, 2)), padding="same")],
    rejects=[
        rejects(T((2, 7, 3)), T((3, 2, 2)), T((1, 6, 4)), argument="depthwise_kernel"),
        rejects(T((2, 7, 3)), T((3, 3, 2)), T((1, 3, 4)), argument="pointwise_kernel"),
        rejects(T((2, 7, 3)), T((3, 3, 2)), T((2, 6, 4)), argument="pointwise_kernel"),
        rejects(T((2, 7, 3)), T((3, 3, 2)), T((6, 4)), argument="pointwise_kernel"),
    ],
)  # fmt: skip
def separable_conv(
    inputs: TensorLike,
    depthwise_kernel: TensorLike,
    pointwise_kernel: TensorLike,
    strides: Sizes = 1,
    padding: Padding = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """A depthwise convolution, then a mixture of its channels at each position (Chollet, arXiv:1610.02357).

    Args:
        inputs: as in `conv`.
        depthwise_kernel: `(*kernel_size, channels, depth_multiplier)`.
        pointwise_kernel: `(1, …, 1, channels * depth_multiplier, filters)`.
        strides: as in `conv`.
        padding: as in `conv`.
        data_format: as in `conv`.
        dilation_rate: as in `conv`.

    Returns:
        A tensor with `filters` channels.

    Raises:
        ArgumentError: shapes or arguments do not fit, or the output would be empty.

    Example:
        >>> import kerata
        >>> ones = kerata.ops.ones
        >>> tuple(kerata.ops.separable_conv(ones((1, 4, 4, 3)), ones((2, 2, 3, 1)), ones((1, 1, 3, 8))).shape)
        (1, 3, 3, 8)
    """
    layout = config.standardize_data_format(data_format)
    depthwise = depthwise_plan(
        shape_of(inputs),
        shape_of(depthwise_kernel),
        strides,
        padding,
        layout,
        dilation_rate,
        "depthwise_kernel",
    )
    between = depthwise.out_shape(shape_of(inputs)[0])
    pointwise = pointwise_plan(between, shape_of(pointwise_kernel), layout, "pointwise_kernel")
    x = _run(windows.conv, inputs, depthwise_kernel, depthwise, "depthwise_kernel")
    return _run(windows.conv, x, pointwise_kernel, pointwise, "pointwise_kernel")


@op(
    samples=[
        sample(T((1, 4, 3, 2)), T((5, 4, 3, 2)), 3, "same", (1, 0)),
        sample(T((1, 4, 3, 2)), T((2, 2, 3, 2)), (2, 1), "valid", 1),
        sample(T((2, 4, 3), "bfloat16"), T((3, 2, 3), "bfloat16"), 2, "same", gradient=False),
        sample(T((0, 4, 3)), T((3, 2, 3)), 2, gradient=False,
    ),
        sample(T((2, 4, 3)), T((3, 2, 3))), sample(T((2, 4, 3)), T((3, 2, 3)), 2, "same"),
        sample(T((2, 4, 3)), T((2, 2, 3)), 3), sample(T((2, 4, 3)), T((2, 2, 3)), 2, "same", 1),
        sample(T((2, 4, 3)), T((3, 2, 3)), 1, "same", 3),
        sample(T((2, 3, 4, 3)), T((3, 2, 2, 3)), (2, 3), "valid", (1, None)),
        sample(T((2, 3, 4, 3)), T((4, 3, 2, 3)), 2, "same", dilation_rate=(1, 2)),
        sample(T((2, 3, 4, 5)), T((2, 3, 2, 3)), 2, "same", data_format="channels_first"),
        sample(T((1, 2, 3, 2, 2)), T((2, 2, 3, 3, 2)), 2, "same"),
        sample(T((2, 4, 3), "int32", -9, 9), T((3, 2, 3), "int32", -9, 9), gradient=False),
    ],
    rejects=[
        rejects(T((2, 4, 3)), T((3, 3, 2)), argument="kernel"), rejects(T((2, 4)), T((3, 3, 2)), argument="inputs"),
        rejects(T((2, 4, 3)), T((3, 2, 3)), padding="causal", argument="padding"),
        rejects(T((2, 4, 3)), T((3, 2, 3)), 2, "same", -1, argument="output_padding"),
        rejects(T((1, 1, 3)), T((2, 2, 3)), 1, "same", 0, argument="inputs"),
    ],
)  # fmt: skip
def conv_transpose(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: int | Sequence[int | None] | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Tensor:
    """The transpose of a convolution: its gradient by its input (Dumoulin and Visin, arXiv:1603.07285).

    Args:
        inputs: as in `conv`.
        kernel: `(*kernel_size, filters, channels)`.
        strides: how many times as large the output is: one integer, or one for each spatial dimension.
        padding: "valid" keeps all that the kernel reaches, and at least `size * stride` elements; "same" keeps
            `size * stride`. What is cut is cut evenly from both ends, the odd element from the end.
        output_padding: sets the size to `(size - 1) * stride + extent + output_padding` for "valid" and to
            `2 * (extent // 2)` less for "same", where the kernel spans `extent` elements; one integer, or an
            integer or None for each spatial dimension.
        data_format: as in `conv`.
        dilation_rate: as in `conv`.

    Returns:
        A tensor of the common dtype, in the layout of `inputs`, with `filters` channels.

    Raises:
        ArgumentError: shapes or arguments do not fit, or the output would be empty.

    Example:
        >>> import kerata
        >>> x, kernel = kerata.ops.ones((1, 2, 1)), kerata.ops.ones((3, 1, 1))
        >>> kerata.ops.convert_to_numpy(kerata.ops.conv_transpose(x, kernel, 2)).ravel()
        array([1., 1., 2., 1., 1.], dtype=float32)
    """
    layout = config.standardize_data_format(data_format)
    plan = conv_transpose_plan(
        shape_of(inputs), shape_of(kernel), strides, padding, output_padding, layout, dilation_rate
    )
    return _run(windows.conv_input_grad, inputs, kernel, plan)
