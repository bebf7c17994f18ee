"""The fully connected layer."""

from __future__ import annotations

from typing import Any, Unpack

from kerata.core.checks import positive_int
from kerata.core.registry import register_builtin
from kerata.ops.linear import linear

from .activation_attribute import ActivationAttribute
from .input_spec import InputSpec
from .layer import Layer, LayerOptions

Tensor = Any


@register_builtin("layers")
class Dense(Layer):
    """A fully connected layer: `activation(inputs @ kernel + bias)`.

    Args:
        units: size of the outputs.
        activation: name or function; None for none.
        use_bias: whether a bias is added.
        kernel_initializer: first value of the kernel, of shape (size of the inputs, units).
        bias_initializer: first value of the bias, of shape (units,).
        kernel_regularizer: penalty on the kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the outputs.
        kernel_constraint: projection of the kernel after each update.
        bias_constraint: projection of the bias after each update.

    Shapes:
        (batch, …, size) -> (batch, …, units)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.Dense(4, activation="relu")(np.ones((2, 3), "float32")).shape == (2, 4)
        True
    """

    activation = ActivationAttribute()

    def __init__(
        self,
        units: int,
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
        self.units = positive_int("units", units)
        self.activation = activation
        self.use_bias = use_bias
        self.keep_options("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.keep_options("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        size = input_shape[-1]
        self.kernel = self.add_named("kernel", (size, self.units))
        self.bias = self.add_named("bias", (self.units,)) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        bias = None if self.bias is None else self.bias.value
        return self.activation(linear(inputs, self.kernel.value, bias))
