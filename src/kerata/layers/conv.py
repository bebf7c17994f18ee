"""Convolutions: one general class; ranks are names on it."""

from __future__ import annotations

from typing import Any, Unpack

from kerata import ops
from kerata.core import checks, config
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin

from .activation_attribute import ActivationAttribute
from .input_spec import InputSpec
from .layer import LayerOptions
from .ranked import Ranked, same_for_each_axis

Tensor = Any


class Convolution(Ranked):
    """What every kind of convolution has: geometry, channels, bias, activation."""

    bias: Any
    activation = ActivationAttribute()
    _tells_activity_regularizer = True

    @classmethod
    def ranked_defaults(cls) -> dict[str, Any]:
        return same_for_each_axis(cls.rank, 1, "strides", "dilation_rate")

    def keep_geometry(
        self, kernel_size: Any, strides: Any, padding: Any, data_format: Any, dilation_rate: Any
    ) -> None:
        """Checks and remembers what every kind of convolution has."""
        rank = self.rank
        self.kernel_size = checks.int_tuple("kernel_size", kernel_size, rank)
        self.strides = checks.int_tuple("strides", strides, rank)
        self.dilation_rate = checks.int_tuple("dilation_rate", dilation_rate, rank)
        choices = ("valid", "same", "causal") if rank == 1 else ("valid", "same")
        self.padding = checks.option(
            "padding", padding.lower() if isinstance(padding, str) else padding, choices
        )
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=rank + 2)

    def channels_of(self, input_shape: Any) -> int:
        """Number of input channels."""
        channels = input_shape[self._channel_axis]
        if channels is None:
            raise ArgumentError(
                "inputs",
                expected="of a known number of channels",
                got=f"shape {tuple(input_shape)}",
                fix="Give that size in the Input.",
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})
        return channels

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else -self.rank - 1

    def padded(self, inputs: Tensor) -> tuple[Tensor, str]:
        """The inputs and the padding that is left to the op: "causal" is zeros in front."""
        if self.padding != "causal":
            return inputs, self.padding
        return self.pad_before(inputs), "valid"

    def pad_before(self, inputs: Tensor) -> Tensor:
        """Zeros in front, so that no output sees a later input."""
        before = self.dilation_rate[0] * (self.kernel_size[0] - 1)
        time = (before, 0)
        return ops.pad(
            inputs, ((0, 0), time, (0, 0)) if self.data_format == "channels_last" else ((0, 0), (0, 0), time)
        )

    def finish(self, outputs: Tensor) -> Tensor:
        """Bias and activation."""
        if self.bias is not None:
            bias = self.bias.value
            if self.data_format == "channels_first":
                bias = ops.reshape(bias, (1, -1, *(1,) * self.rank))
            outputs = ops.add(outputs, bias)
        return self.activation(outputs)


class BaseConv(Convolution):
    """A convolution of `rank` spatial axes.

    Args:
        filters: number of output channels.
        kernel_size: size of the kernel along each spatial axis.
        strides: step along each spatial axis.
        padding: "valid", "same", or for one axis "causal".
        data_format: "channels_last" or "channels_first".
        dilation_rate: distance of neighbouring kernel elements along each spatial axis.
        groups: number of groups into which channels are split.
        activation: name or function.
        use_bias: whether a bias is added.
        kernel_initializer: first value of the kernel, of shape (spatial …, channels / groups, filters).
        bias_initializer: first value of the bias.
        kernel_regularizer: penalty on the kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the outputs.
        kernel_constraint: projection of the kernel.
        bias_constraint: projection of the bias.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **options)
        self.filters = checks.positive_int("filters", filters)
        self.groups = checks.positive_int("groups", groups)
        if self.filters % self.groups:
            raise ArgumentError("filters", expected=f"a multiple of groups ({groups})", got=filters)
        self.keep_geometry(kernel_size, strides, padding, data_format, dilation_rate)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError("strides", expected="1 where dilation_rate is above 1", got=self.strides)
        self.activation = activation
        self.use_bias = use_bias
        self.keep_options("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.keep_options("bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        channels = self.channels_of(input_shape)
        if channels % self.groups:
            raise ArgumentError(
                "inputs",
                expected=f"of a number of channels that is a multiple of groups ({self.groups})",
                got=channels,
            )
        self.kernel = self.add_named("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self.bias = self.add_named("bias", (self.filters,)) if self.use_bias else None
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        return self.finish(self.convolve(inputs, self.kernel.value))

    def convolve(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """The convolution itself; bias and activation come after it."""
        inputs, padding = self.padded(inputs)
        return ops.conv(inputs, kernel, self.strides, padding, self.data_format, self.dilation_rate)


@register_builtin("layers", "Convolution1D")
class Conv1D(BaseConv):
    """A convolution along one axis: (batch, steps, channels) -> (batch, new steps, filters).

    Shapes:
        (batch, time, channels) -> (batch, new time, filters)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.Conv1D(4, 3)(np.ones((2, 8, 3), "float32")).shape == (2, 6, 4)
        True
    """

    __doc__ = f"{__doc__}\n{BaseConv.__doc__}"
    rank = 1


@register_builtin("layers", "Convolution2D")
class Conv2D(BaseConv):
    """A convolution of images: (batch, rows, columns, channels) -> (batch, new rows, new columns, filters).

    Shapes:
        (batch, height, width, channels) -> (batch, new height, new width, filters)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.Conv2D(4, 3, strides=2, padding="same")(np.ones((2, 8, 8, 3), "float32")).shape == (2, 4, 4, 4)
        True
    """

    __doc__ = f"{__doc__}\n{BaseConv.__doc__}"
    rank = 2


@register_builtin("layers", "Convolution3D")
class Conv3D(BaseConv):
    """A convolution of volumes: (batch, three axes, channels) -> (batch, three new axes, filters).

    Shapes:
        (batch, depth, height, width, channels) -> (batch, new sizes, filters)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.Conv3D(4, 2)(np.ones((1, 4, 4, 4, 3), "float32")).shape == (1, 3, 3, 3, 4)
        True
    """

    __doc__ = f"{__doc__}\n{BaseConv.__doc__}"
    rank = 3


class BaseConvTranspose(BaseConv):
    """The gradient of a convolution with respect to its input, as a layer: it enlarges.

    Args:
        filters: number of output channels.
        kernel_size: size of the kernel along each spatial axis.
        strides: factor of enlargement along each spatial axis.
        padding: "valid" or "same".
        output_padding: what is added to the output sizes; worked out from the strides if None.
        data_format: "channels_last" or "channels_first".
        dilation_rate: distance of neighbouring kernel elements.
        **options: as for a convolution; the kernel has shape (spatial …, filters, channels).
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, 1, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **options,
        )  # fmt: skip
        if self.padding == "causal":
            raise ArgumentError("padding", expected="one of 'valid', 'same'", got=padding)
        self.output_padding = (
            None
            if output_padding is None
            else checks.int_tuple("output_padding", output_padding, self.rank, low=0)
        )
        if any(more >= step for more, step in zip(self.output_padding or (), self.strides)):
            raise ArgumentError(
                "output_padding", expected=f"below strides {self.strides}", got=output_padding
            )

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_named(
            "kernel", (*self.kernel_size, self.filters, self.channels_of(input_shape))
        )
        self.bias = self.add_named("bias", (self.filters,)) if self.use_bias else None
        self.built = True

    def convolve(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """The transposed convolution itself; bias and activation come after it."""
        return ops.conv_transpose(
            inputs,
            kernel,
            self.strides,
            self.padding,
            self.output_padding,
            self.data_format,
            self.dilation_rate,
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("groups", None)
        return config


@register_builtin("layers", "Convolution1DTranspose")
class Conv1DTranspose(BaseConvTranspose):
    """A transposed convolution along one axis.

    Shapes:
        (batch, time, channels) -> (batch, new time, filters)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.Conv1DTranspose(4, 3, strides=2)(np.ones((2, 4, 3), "float32")).shape == (2, 9, 4)
        True
    """

    __doc__ = f"{__doc__}\n{BaseConvTranspose.__doc__}"
    rank = 1


@register_builtin("layers", "Convolution2DTranspose")
class Conv2DTranspose(BaseConvTranspose):
    """A transposed convolution of images.

    Shapes:
        (batch, height, width, channels) -> (batch, new height, new width, filters)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.Conv2DTranspose(4, 3, strides=2, padding="same")(np.ones((2, 4, 4, 3), "float32")).shape == (2, 8, 8, 4)
        True
    """

    __doc__ = f"{__doc__}\n{BaseConvTranspose.__doc__}"
    rank = 2


@register_builtin("layers", "Convolution3DTranspose")
class Conv3DTranspose(BaseConvTranspose):
    """A transposed convolution of volumes.

    Shapes:
        (batch, depth, height, width, channels) -> (batch, new sizes, filters)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.Conv3DTranspose(4, 2, strides=2)(np.ones((1, 2, 2, 2, 3), "float32")).shape == (1, 4, 4, 4, 4)
        True
    """

    __doc__ = f"{__doc__}\n{BaseConvTranspose.__doc__}"
    rank = 3


class BaseDepthwiseConv(Convolution):
    """A convolution of each channel by itself.

    Args:
        kernel_size: size of the kernel along each spatial axis.
        strides: step along each spatial axis.
        padding: "valid", "same", or for one axis "causal".
        depth_multiplier: number of outputs for each input channel.
        data_format: "channels_last" or "channels_first".
        dilation_rate: distance of neighbouring kernel elements.
        **options: as for a convolution; the kernel has shape (spatial …, channels, depth_multiplier).
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **options)
        self.depth_multiplier = checks.positive_int("depth_multiplier", depth_multiplier)
        self.keep_geometry(kernel_size, strides, padding, data_format, dilation_rate)
        self.activation = activation
        self.use_bias = use_bias
        self.keep_options("depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self.keep_options("bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        channels = self.channels_of(input_shape)
        self.kernel = self.add_weight(
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
            name="kernel",
        )
        self.bias = self.add_named("bias", (channels * self.depth_multiplier,)) if self.use_bias else None
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        inputs, padding = self.padded(inputs)
        outputs = ops.depthwise_conv(
            inputs, self.kernel.value, self.strides, padding, self.data_format, self.dilation_rate
        )
        return self.finish(outputs)


@register_builtin("layers")
class DepthwiseConv1D(BaseDepthwiseConv):
    """A convolution of each channel by itself, along one axis.

    Shapes:
        (batch, time, channels) -> (batch, new time, depth_multiplier * channels)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.DepthwiseConv1D(3, depth_multiplier=2)(np.ones((2, 8, 3), "float32")).shape == (2, 6, 6)
        True
    """

    __doc__ = f"{__doc__}\n{BaseDepthwiseConv.__doc__}"
    rank = 1


@register_builtin("layers")
class DepthwiseConv2D(BaseDepthwiseConv):
    """A convolution of each channel of images by itself.

    Shapes:
        (batch, height, width, channels) -> (batch, new height, new width, depth_multiplier * channels)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.DepthwiseConv2D(3)(np.ones((2, 8, 8, 3), "float32")).shape == (2, 6, 6, 3)
        True
    """

    __doc__ = f"{__doc__}\n{BaseDepthwiseConv.__doc__}"
    rank = 2


class BaseSeparableConv(Convolution):
    """A convolution of each channel by itself, then one that mixes channels point by point.

    Args:
        filters: number of output channels.
        kernel_size: size of the depthwise kernel.
        strides: step along each spatial axis.
        padding: "valid", "same", or for one axis "causal".
        data_format: "channels_last" or "channels_first".
        dilation_rate: distance of neighbouring kernel elements.
        depth_multiplier: number of depthwise outputs for each input channel.
        **options: as for a convolution, for the depthwise and the pointwise kernel.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **options)
        self.filters = checks.positive_int("filters", filters)
        self.depth_multiplier = checks.positive_int("depth_multiplier", depth_multiplier)
        self.keep_geometry(kernel_size, strides, padding, data_format, dilation_rate)
        self.activation = activation
        self.use_bias = use_bias
        self.keep_options("depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self.keep_options("pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint)
        self.keep_options("bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        channels = self.channels_of(input_shape)
        ones = (1,) * self.rank
        for name, shape in (
            ("depthwise", (*self.kernel_size, channels, self.depth_multiplier)),
            ("pointwise", (*ones, channels * self.depth_multiplier, self.filters)),
        ):
            kernel = self.add_weight(
                shape,
                getattr(self, f"{name}_initializer"),
                regularizer=getattr(self, f"{name}_regularizer"),
                constraint=getattr(self, f"{name}_constraint"),
                name=f"{name}_kernel",
            )
            setattr(self, f"{name}_kernel", kernel)
        self.bias = self.add_named("bias", (self.filters,)) if self.use_bias else None
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        inputs, padding = self.padded(inputs)
        outputs = ops.separable_conv(
            inputs, self.depthwise_kernel.value, self.pointwise_kernel.value, self.strides, padding,
            self.data_format, self.dilation_rate,
        )  # fmt: skip
        return self.finish(outputs)


@register_builtin("layers", "SeparableConvolution1D")
class SeparableConv1D(BaseSeparableConv):
    """A separable convolution along one axis.

    Shapes:
        (batch, time, channels) -> (batch, new time, filters)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.SeparableConv1D(4, 3)(np.ones((2, 8, 3), "float32")).shape == (2, 6, 4)
        True
    """

    __doc__ = f"{__doc__}\n{BaseSeparableConv.__doc__}"
    rank = 1


@register_builtin("layers", "SeparableConvolution2D")
class SeparableConv2D(BaseSeparableConv):
    """A separable convolution of images.

    Shapes:
        (batch, height, width, channels) -> (batch, new height, new width, filters)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.SeparableConv2D(4, 3)(np.ones((2, 8, 8, 3), "float32")).shape == (2, 6, 6, 4)
        True
    """

    __doc__ = f"{__doc__}\n{BaseSeparableConv.__doc__}"
    rank = 2
