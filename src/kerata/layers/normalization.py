"""Normalisations: over the batch, over features, over groups."""

from __future__ import annotations

from typing import Any, Unpack

from kerata import ops
from kerata.core import checks, dtypes
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin
from kerata.core.rules import axis_index

from .input_spec import InputSpec
from .layer import Layer, LayerOptions

Tensor = Any


class _ScaleAndShift(Layer):
    """Keeps the options of `gamma` and `beta`."""

    _flags: tuple[
        str, ...
    ] = ()  # further options that are off by default, and are not named in the signature

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **options: Any,
    ) -> None:
        flags = {name: bool(options.pop(name, False)) for name in self._flags}
        super().__init__(**options)
        self.__dict__.update(flags)
        self.axis = _axes("axis", axis)
        self.epsilon = checks.number("epsilon", epsilon, 0)
        self.center, self.scale = bool(center), bool(scale)
        self.keep_options("beta", beta_initializer, beta_regularizer, beta_constraint)
        self.keep_options("gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        self.supports_masking = True

    def add_scale_and_shift(self, shape: Any) -> None:
        """The weights; scale before shift, as in files."""
        self.gamma = self.add_named("gamma", shape, autocast=False) if self.scale else None
        self.beta = self.add_named("beta", shape, autocast=False) if self.center else None


def _axes(argument: str, axis: Any) -> Any:
    if isinstance(axis, (list, tuple)):
        return [checks.integer(argument, a) for a in axis]
    if isinstance(axis, bool) or not isinstance(axis, int):
        raise ArgumentError(argument, expected="an integer or a list of integers", got=axis)
    return axis


_WIDE = ("float32", "float64", "complex64", "complex128")


def _result_dtype(layer: Layer, x: Tensor) -> str:
    """Integers and bool give what the layer computes in; others stay what they are."""
    name = ops.dtype(x)
    return layer.compute_dtype if dtypes.is_int(name) or dtypes.is_bool(name) else name


def _wide(x: Tensor) -> Tensor:
    """Half precision as float32: it has no room for sums of squares."""
    return ops.cast(x, "float32") if ops.dtype(x) in ("float16", "bfloat16") else x


def _value(variable: Any) -> Any:
    return None if variable is None else variable.value


@register_builtin("layers")
class LayerNormalization(_ScaleAndShift):
    """Normalises each sample over some axes to mean 0 and variance 1, then scales and shifts.

    Args:
        axis: axis or axes.
        epsilon: added to the variance.
        center: whether `beta` is added.
        scale: whether `gamma` multiplies.
        beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
        gamma_constraint: options of the weights.
        **options: those of every layer, and `rms_scaling`: whether the mean is not taken away, and there is no `beta`
            (see `RMSNormalization` for the root of the mean square).

    Source:
        Ba, Kiros and Hinton 2016, "Layer Normalization".

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.LayerNormalization()(np.ones((2, 3), "float32")).shape == (2, 3)
        True
    """

    _flags = ("rms_scaling",)

    def build(self, input_shape: Any) -> None:
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        places = [axis_index(a, len(input_shape)) for a in axes]
        self.axis = axes
        self._sizes = tuple(input_shape[i] for i in sorted(places))
        # In files, the axes are in the order of the numbers that were given, in which -1 comes first.
        self.add_scale_and_shift(tuple(input_shape[a] for a in sorted(axes)))
        self.built = True

    def add_scale_and_shift(self, shape: Any) -> None:
        if not self.rms_scaling:
            super().add_scale_and_shift(shape)
            return
        self.gamma, self.beta = self.add_named("gamma", shape, autocast=False), None

    def call(self, inputs: Tensor) -> Tensor:
        axis = self.axis if isinstance(self.axis, int) else tuple(self.axis)
        gamma, beta = self._in_order(self.gamma), self._in_order(self.beta)
        options = {"rms_scaling": True} if self.rms_scaling else {}
        y = ops.layer_normalization(inputs, gamma, beta, axis=axis, epsilon=self.epsilon, **options)
        return ops.cast(y, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rms_scaling": self.rms_scaling}

    def _in_order(self, variable: Any) -> Any:
        """The weight's elements, laid out over the axes of the input."""
        if variable is None or tuple(variable.shape) == self._sizes:
            return _value(variable)
        return ops.reshape(variable.value, self._sizes)


@register_builtin("layers")
class RMSNormalization(Layer):
    """Divides by the root of the mean square, then scales.

    Args:
        axis: axis or axes.
        epsilon: added to the mean square.

    Source:
        Zhang and Sennrich 2019, "Root Mean Square Layer Normalization".

    Shapes:
        (batch, …, size) -> the same

    Example:
        >>> import kerata, numpy as np
        >>> y = kerata.layers.RMSNormalization(epsilon=0.0)(np.array([[1.0, 1.0, -1.0, 1.0]], "float32"))
        >>> kerata.ops.convert_to_numpy(y).tolist()
        [[1.0, 1.0, -1.0, 1.0]]
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.axis = _axes("axis", axis)
        self.epsilon = checks.number("epsilon", epsilon, 0)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        places = sorted(axis_index(a, len(input_shape)) for a in axes)
        self.scale = self.add_weight(tuple(input_shape[i] for i in places), "ones", name="scale")
        self.axis = axes
        self.built = True

    def call(self, x: Tensor) -> Tensor:
        axis = self.axis if isinstance(self.axis, int) else tuple(self.axis)
        y = ops.rms_normalization(x, self.scale.value, axis=axis, epsilon=self.epsilon)
        return ops.cast(y, _result_dtype(self, x))


@register_builtin("layers")
class UnitNormalization(Layer):
    """Divides by the Euclidean norm along axes.

    Args:
        axis: axis or axes.

    Shapes:
        (batch, …, size) -> the same

    Example:
        >>> import kerata, numpy as np
        >>> y = kerata.layers.UnitNormalization()(np.array([[3.0, 4.0]], "float32"))
        >>> kerata.ops.convert_to_numpy(y).round(4).tolist() == np.array([[0.6, 0.8]], "float32").tolist()
        True
    """

    def __init__(self, axis: Any = -1, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.axis = _axes("axis", axis)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        axis = self.axis if isinstance(self.axis, int) else tuple(self.axis)
        x = _wide(inputs)
        square = ops.sum(ops.square(x), axis=axis, keepdims=True)
        y = ops.multiply(x, ops.rsqrt(ops.maximum(square, 1e-12)))
        return ops.cast(y, _result_dtype(self, inputs))


@register_builtin("layers")
class GroupNormalization(_ScaleAndShift):
    """Normalises each sample over groups of channels, then scales and shifts.

    Args:
        groups: number of groups; -1 for one group per channel.
        axis: the channels.
        epsilon: added to the variance.
        center: whether `beta` is added.
        scale: whether `gamma` multiplies.

    Source:
        Wu and He 2018, "Group Normalization".

    Shapes:
        (batch, …, channels) -> the same

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.GroupNormalization(2)(np.ones((2, 5, 4), "float32")).shape == (2, 5, 4)
        True
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(
            axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
            beta_constraint, gamma_constraint, **options,
        )  # fmt: skip
        if groups != -1:
            checks.positive_int("groups", groups)
        self.groups = groups

    def build(self, input_shape: Any) -> None:
        channels = input_shape[axis_index(self.axis, len(input_shape))]
        if channels is None:
            raise ArgumentError(
                "inputs", expected="of a known number of channels", got=f"shape {tuple(input_shape)}"
            )
        groups = channels if self.groups == -1 else self.groups
        if channels % groups:
            raise ArgumentError(
                "groups", expected=f"a divisor of the number of channels ({channels})", got=groups
            )
        self.groups = groups
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})
        self.add_scale_and_shift((channels,))
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        shape = ops.shape(inputs)
        axis = axis_index(self.axis, len(shape))
        size = shape[axis] // self.groups
        split = (*shape[:axis], self.groups, size, *shape[axis + 1 :])
        x = _wide(ops.reshape(inputs, split))
        axes = tuple(i for i in range(1, len(split)) if i != axis)
        mean, variance = ops.moments(x, axes, keepdims=True)
        x = ops.multiply(ops.subtract(x, mean), ops.rsqrt(ops.add(variance, self.epsilon)))
        x = ops.reshape(x, shape)
        broadcast = tuple(d if i == axis else 1 for i, d in enumerate(shape))
        if self.gamma is not None:
            x = ops.multiply(x, ops.reshape(self.gamma.value, broadcast))
        if self.beta is not None:
            x = ops.add(x, ops.reshape(self.beta.value, broadcast))
        return ops.cast(x, self.compute_dtype)


@register_builtin("layers")
class BatchNormalization(_ScaleAndShift):
    """Normalises each channel over the batch in training, by moving statistics elsewhere; then scales and shifts.

    With `trainable=False` it always uses the moving statistics.

    Args:
        axis: the channels.
        momentum: how much of the moving statistics is kept at each step.
        epsilon: added to the variance.
        center: whether `beta` is added.
        scale: whether `gamma` multiplies.
        moving_mean_initializer: first value of the moving mean.
        moving_variance_initializer: first value of the moving variance.
        renorm: whether training corrects towards the moving statistics (batch renormalisation).
        renorm_clipping: bounds "rmin", "rmax", "dmax" of that correction.
        renorm_momentum: momentum of its statistics.
        synchronized: whether replicas share their statistics.

    Source:
        Ioffe and Szegedy 2015, "Batch Normalization", algorithms 1 and 2; Ioffe 2017 for renormalisation.

    Shapes:
        (batch, …, channels) -> the same

    Example:
        >>> import kerata, numpy as np
        >>> x = np.array([[1.0], [3.0]], "float32")
        >>> layer = kerata.layers.BatchNormalization(momentum=0.5, epsilon=0.0)
        >>> kerata.ops.convert_to_numpy(layer(x, training=True)).tolist()
        [[-1.0], [1.0]]
        >>> float(layer.moving_mean.numpy()[0])  # half of the batch's mean, half of zero
        1.0
    """

    moving_stddev: Any
    renorm_mean: Any
    renorm_stddev: Any

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(
            axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
            beta_constraint, gamma_constraint, **options,
        )  # fmt: skip
        self.axis = checks.integer("axis", axis)
        self.momentum = checks.number("momentum", momentum, 0, 1)
        self.synchronized = bool(synchronized)
        self.renorm, self.renorm_clipping = bool(renorm), dict(renorm_clipping or {}) or None
        self.renorm_momentum = checks.number("renorm_momentum", renorm_momentum, 0, 1)
        self.keep_options("moving_mean", moving_mean_initializer)
        self.keep_options("moving_variance", moving_variance_initializer)

    def build(self, input_shape: Any) -> None:
        channels = input_shape[axis_index(self.axis, len(input_shape))]
        if channels is None:
            raise ArgumentError(
                "inputs", expected="of a known number of channels", got=f"shape {tuple(input_shape)}"
            )
        self.add_scale_and_shift((channels,))
        self.moving_mean = self.add_named("moving_mean", (channels,), trainable=False, autocast=False)
        self.moving_variance = self.add_named("moving_variance", (channels,), trainable=False, autocast=False)
        if self.renorm:
            self._add_renorm((channels,))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})
        self.built = True

    def _add_renorm(self, shape: Any) -> None:
        def deviation(shape: Any, dtype: Any = None) -> Tensor:
            return ops.sqrt(self.moving_variance_initializer(shape, dtype=dtype))

        for name, first in (
            ("moving_stddev", deviation), ("renorm_mean", self.moving_mean_initializer), ("renorm_stddev", deviation),
        ):  # fmt: skip
            setattr(self, name, self.add_weight(shape, first, trainable=False, autocast=False, name=name))

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:
        x = inputs if ops.dtype(inputs) in _WIDE else ops.cast(inputs, "float32")
        mean, variance = self.moving_mean.value, self.moving_variance.value
        gamma, beta = _value(self.gamma), _value(self.beta)
        if training and self.trainable:
            batch_mean, batch_variance = self._moments(x, mask)
            if self.renorm:
                gamma, beta = self._corrected(gamma, beta, batch_mean, batch_variance)
            else:
                self._update(self.moving_variance, batch_variance, self.momentum)
            self._update(self.moving_mean, batch_mean, self.momentum)
            mean, variance = batch_mean, batch_variance
        y = ops.batch_normalization(
            x, mean, variance, self.axis, offset=beta, scale=gamma, epsilon=self.epsilon
        )
        return ops.cast(y, _result_dtype(self, inputs))

    def _update(self, moving: Any, new: Tensor, momentum: float) -> None:
        kept = ops.multiply(moving.value, momentum)
        moving.assign(ops.add(kept, ops.multiply(ops.stop_gradient(new), 1.0 - momentum)))

    def _moments(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        axis = axis_index(self.axis, len(ops.shape(x)))
        axes = tuple(i for i in range(len(ops.shape(x))) if i != axis)
        if mask is None:
            return ops.moments(x, axes)
        weight = ops.cast(mask, ops.dtype(x))
        for _ in range(len(ops.shape(x)) - len(ops.shape(weight))):
            weight = ops.expand_dims(weight, -1)
        # What is masked is so in all channels, unless the mask has an axis for them.
        spread = tuple(ops.shape(weight)[i] if i == axis else d for i, d in enumerate(ops.shape(x)))
        count = ops.maximum(ops.sum(ops.broadcast_to(weight, spread), axes, keepdims=True), 1e-7)
        mean = ops.divide(ops.sum(ops.multiply(x, weight), axes, keepdims=True), count)
        square = ops.square(ops.subtract(x, mean))
        variance = ops.divide(ops.sum(ops.multiply(square, weight), axes, keepdims=True), count)
        return ops.squeeze(mean, axes), ops.squeeze(variance, axes)

    def _corrected(self, gamma: Any, beta: Any, mean: Tensor, variance: Tensor) -> tuple[Any, Any]:
        """Ioffe 2017, algorithm 1: `r` and `d`, constants for the gradient, folded into scale and offset."""
        bounds = self.renorm_clipping or {}
        deviation = ops.sqrt(ops.add(variance, self.epsilon))
        r = ops.stop_gradient(ops.divide(deviation, self.renorm_stddev.value))
        d = ops.stop_gradient(
            ops.divide(ops.subtract(mean, self.renorm_mean.value), self.renorm_stddev.value)
        )
        if bounds.get("rmin") is not None or bounds.get("rmax") is not None:
            r = ops.clip(r, bounds.get("rmin", 0.0), bounds.get("rmax", float("inf")))
        if bounds.get("dmax") is not None:
            d = ops.clip(d, -bounds["dmax"], bounds["dmax"])
        self._update(self.renorm_mean, mean, self.renorm_momentum)
        self._update(self.renorm_stddev, deviation, self.renorm_momentum)
        self._update(self.moving_stddev, deviation, self.momentum)
        self.moving_variance.assign(ops.subtract(ops.square(self.moving_stddev.value), self.epsilon))
        scale = r if gamma is None else ops.multiply(gamma, r)
        offset = d if gamma is None else ops.multiply(gamma, d)
        return scale, offset if beta is None else ops.add(offset, beta)
