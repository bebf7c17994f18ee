"""Activations as layers, and layers that pass their inputs on with a penalty, a mask or a function of the user's."""

from __future__ import annotations

import inspect
from typing import Any, Unpack

from kerata import activations, ops
from kerata.core import checks
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin
from kerata.regularizers import L1L2

from .input_spec import InputSpec, agrees_with
from .layer import Layer, LayerOptions

Tensor = Any


class _Elementwise(Layer):
    """Keeps shape and mask."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self.built = True


@register_builtin("layers")
class Activation(_Elementwise):
    """Applies an activation function.

    Args:
        activation: name or function.

    Example:
        >>> import kerata, numpy as np
        >>> float(kerata.layers.Activation("relu")(np.float32([-1.0]))[0])
        0.0
    """

    def __init__(self, activation: Any, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.activation = activations.get(activation)

    def call(self, inputs: Tensor) -> Tensor:
        return self.activation(inputs)


@register_builtin("layers")
class ReLU(_Elementwise):
    """The rectified linear unit, with a slope below the threshold and a cap.

    Args:
        max_value: largest output, or None.
        negative_slope: slope below the threshold.
        threshold: where the rise begins.

    Shapes:
        any shape -> the same

    Example:
        >>> import kerata, numpy as np
        >>> y = kerata.layers.ReLU(max_value=2.0)(np.array([0.0, 1.0, 3.0], "float32"))
        >>> kerata.ops.convert_to_numpy(y).tolist()
        [0.0, 1.0, 2.0]
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.max_value = None if max_value is None else checks.number("max_value", max_value, 0)
        self.negative_slope = checks.number("negative_slope", negative_slope, 0)
        self.threshold = checks.number("threshold", threshold, 0)

    def call(self, inputs: Tensor) -> Tensor:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


@register_builtin("layers")
class LeakyReLU(_Elementwise):
    """`x` above zero, `negative_slope * x` below.

    Args:
        negative_slope: the slope.

    Shapes:
        any shape -> the same

    Example:
        >>> import kerata, numpy as np
        >>> y = kerata.layers.LeakyReLU(0.5)(np.array([-1.0, 1.0], "float32"))
        >>> kerata.ops.convert_to_numpy(y).tolist()
        [-0.5, 1.0]
    """

    def __init__(self, negative_slope: float = 0.3, **options: Any) -> None:
        if "alpha" in options:  # the name in Keras 2
            negative_slope = options.pop("alpha")
        super().__init__(**options)
        self.negative_slope = checks.number("negative_slope", negative_slope)

    def call(self, inputs: Tensor) -> Tensor:
        return ops.leaky_relu(inputs, self.negative_slope)


@register_builtin("layers")
class ELU(_Elementwise):
    """`x` above zero, `alpha * (e**x - 1)` below. Source: Clevert et al. 2015.

    Args:
        alpha: scale below zero.

    Shapes:
        any shape -> the same

    Example:
        >>> import kerata, numpy as np
        >>> y = kerata.layers.ELU()(np.array([-1e9, 1.0], "float32"))
        >>> kerata.ops.convert_to_numpy(y).tolist()
        [-1.0, 1.0]
    """

    def __init__(self, alpha: float = 1.0, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.alpha = checks.number("alpha", alpha)

    def call(self, inputs: Tensor) -> Tensor:
        return ops.elu(inputs, self.alpha)


@register_builtin("layers")
class PReLU(_Elementwise):
    """`x` above zero, `alpha * x` below, with `alpha` learned. Source: He et al. 2015.

    Args:
        alpha_initializer: first value of `alpha`.
        alpha_regularizer: penalty on it.
        alpha_constraint: projection of it.
        shared_axes: axes along which all positions share one value.

    Shapes:
        (batch, …) -> the same

    Example:
        >>> import kerata, numpy as np
        >>> layer = kerata.layers.PReLU("ones")
        >>> y = layer(np.array([[-1.0, 2.0]], "float32"))
        >>> kerata.ops.convert_to_numpy(y).tolist(), layer.alpha.shape
        ([[-1.0, 2.0]], (2,))
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.keep_options("alpha", alpha_initializer, alpha_regularizer, alpha_constraint)
        self.shared_axes = None if shared_axes is None else list(checks.int_list("shared_axes", shared_axes))

    def build(self, input_shape: Any) -> None:
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            if not 1 <= axis <= len(shape):
                raise ArgumentError(
                    "shared_axes", expected=f"axes from 1 to {len(shape)}", got=self.shared_axes
                )
            shape[axis - 1] = 1
        self.alpha = self.add_named("alpha", shape)
        axes = {i: d for i, d in enumerate(input_shape) if i and i not in (self.shared_axes or ())}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        below = ops.multiply(self.alpha.value, ops.minimum(inputs, 0))
        return ops.add(ops.relu(inputs), below)


@register_builtin("layers")
class Softmax(_Elementwise):
    """Exponentials divided by their sum along an axis.

    Args:
        axis: axis or axes of the sum.

    Call:
        mask: bool, broadcast to the inputs; False positions get no share.

    Shapes:
        any shape -> the same

    Example:
        >>> import kerata, numpy as np
        >>> y = kerata.layers.Softmax()(np.array([[0.0, 0.0]], "float32"))
        >>> kerata.ops.convert_to_numpy(y).tolist()
        [[0.5, 0.5]]
    """

    def __init__(self, axis: Any = -1, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        checks.int_list("axis", axis)
        self.axis = axis

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        if mask is None:
            return ops.softmax(inputs, axis)
        shape = ops.shape(inputs)
        sizes = ops.shape(mask)
        fitting = [s if d == 1 else d for d, s in zip(sizes, shape[len(shape) - len(sizes) :], strict=False)]
        if len(sizes) > len(shape) or not agrees_with(
            tuple(fitting), tuple(shape[len(shape) - len(sizes) :])
        ):
            raise ArgumentError("mask", expected=f"of a shape that broadcasts to {tuple(shape)}", got=mask)
        mask = ops.cast(mask, "bool")
        # Far below every score, and finite also in half precision.
        lowest = -3e4 if ops.dtype(inputs) == "float16" else -1e9
        share = ops.softmax(ops.where(mask, inputs, ops.full_like(inputs, lowest)), axis)
        return ops.where(mask, share, ops.zeros_like(share))  # where nothing is allowed, nothing gets a share


@register_builtin("layers")
class Identity(_Elementwise):
    """Gives its inputs.

    Shapes:
        any shape -> the same

    Example:
        >>> import kerata, numpy as np
        >>> y = kerata.layers.Identity()(np.array([1.0, 2.0], "float32"))
        >>> kerata.ops.convert_to_numpy(y).tolist()
        [1.0, 2.0]
    """

    def call(self, inputs: Any) -> Any:
        return inputs


@register_builtin("layers")
class ActivityRegularization(_Elementwise):
    """Gives its inputs and adds a penalty on them to the loss.

    Args:
        l1: factor of the sum of absolute values.
        l2: factor of the sum of squares.

    Shapes:
        any shape -> the same

    Example:
        >>> import kerata, numpy as np
        >>> layer = kerata.layers.ActivityRegularization(l2=0.5)
        >>> _ = layer(np.ones((2, 3), "float32"))
        >>> [float(loss) for loss in layer.losses]
        [1.5]
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **options: Any) -> None:
        super().__init__(activity_regularizer=L1L2(l1=l1, l2=l2), **options)
        self.l1, self.l2 = l1, l2

    def call(self, inputs: Any) -> Any:
        return inputs

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return config


@register_builtin("layers")
class Masking(_Elementwise):
    """Masks the time steps in which all values equal `mask_value`.

    Args:
        mask_value: the value that marks what is to be skipped.

    Shapes:
        (batch, time, …) -> the same

    Example:
        >>> import kerata, numpy as np
        >>> layer = kerata.layers.Masking()
        >>> mask = layer.compute_mask(np.array([[[1.0], [0.0]]], "float32"))
        >>> kerata.ops.convert_to_numpy(mask).tolist()
        [[True, False]]
    """

    def __init__(self, mask_value: float = 0.0, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.mask_value = checks.number("mask_value", mask_value)

    def compute_mask(self, inputs: Tensor, mask: Any = None) -> Tensor:
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Tensor) -> Tensor:
        kept = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return ops.multiply(inputs, ops.cast(kept, ops.dtype(inputs)))


@register_builtin("layers")
class Lambda(Layer):
    """Wraps a function of tensors.

    A model with it can be saved only if the function is one of Kerata's activations or was registered
    with `kerata.saving.register_keras_serializable`; a file never brings code.

    Args:
        function: the function.
        output_shape: ignored where the shape can be worked out, as it is for every function of ops.
        mask: a mask, or a function of inputs and mask that gives one.
        arguments: further keyword arguments of the function.

    Example:
        >>> import kerata, numpy as np
        >>> y = kerata.layers.Lambda(lambda x: x**2)(np.array([1.0, 3.0], "float32"))
        >>> kerata.ops.convert_to_numpy(y).tolist()
        [1.0, 9.0]
    """

    def __init__(
        self,
        function: Any,
        output_shape: Any = None,
        mask: Any = None,
        arguments: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        if isinstance(function, str):  # as files name it
            function = activations.get(function)
        if not callable(function):
            raise ArgumentError("function", expected="a function", got=function)
        self.function, self.output_shape, self.mask = function, output_shape, mask
        self.arguments = dict(arguments or {})
        self.supports_masking = mask is not None

    def build(self, input_shape: Any) -> None:
        self.built = True

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        extra = dict(self.arguments)
        wanted = _parameters(self.function)
        extra |= {k: v for k, v in (("mask", mask), ("training", training)) if k in wanted and k not in extra}
        return self.function(inputs, **extra)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask


def _parameters(function: Any) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return frozenset()
