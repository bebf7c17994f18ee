"""Random zeros and noise, in training only."""

from __future__ import annotations

import math
from typing import Any, Unpack

from kerata import ops, random
from kerata.core import checks, config
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin

from .input_spec import InputSpec
from .layer import Layer, LayerOptions

Tensor = Any


class _Noise(Layer):
    """A layer with a seed that does something in training only."""

    def __init__(self, seed: Any = None, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.seed = seed
        self.supports_masking = True

    def add_stream(self, needed: bool) -> None:
        """The seed's state is a variable, saved with the weights."""
        if needed:
            self.seed_generator = random.SeedGenerator(self.seed)

    def build(self, input_shape: Any) -> None:
        self.built = True


def _noise_sizes(value: Any) -> tuple[int | None, ...] | None:
    """The argument `noise_shape`, checked."""
    if value is None:
        return None
    if not isinstance(value, (list, tuple)) or not all(n is None or isinstance(n, int) for n in value):
        raise ArgumentError("noise_shape", expected="a tuple of integers and None", got=value)
    return tuple(value)


def _filled(noise_shape: tuple[int | None, ...], inputs: Tensor) -> tuple[Any, ...]:
    """The noise shape with the sizes of the inputs in the place of None."""
    shape = ops.shape(inputs)
    if len(noise_shape) != len(shape):
        raise ArgumentError("noise_shape", expected=f"of {len(shape)} sizes, as the inputs", got=noise_shape)
    return tuple(d if n is None else n for n, d in zip(noise_shape, shape, strict=True))


@register_builtin("layers")
class Dropout(_Noise):
    """Sets a random fraction of the inputs to zero in training, and scales up the rest.

    The same seed drops the same elements on every engine.

    Args:
        rate: the fraction.
        noise_shape: shape of the draw; axes of size 1 (or None for the size of the inputs) share their fate.
        seed: an integer.

    Source:
        Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting".

    Example:
        >>> import kerata, numpy as np
        >>> y = kerata.layers.Dropout(0.5, seed=1)(np.ones(4, "float32"), training=True)
        >>> sorted(set(kerata.ops.convert_to_numpy(y).tolist())) in ([0.0, 2.0], [0.0], [2.0])
        True
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(seed, **options)
        self.rate = checks.number("rate", rate, 0, 1)
        self.noise_shape = _noise_sizes(noise_shape)
        self.add_stream(rate > 0)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training or self.rate == 0:
            return inputs
        return random.dropout(
            inputs, self.rate, noise_shape=self._noise_shape(inputs), seed=self.seed_generator
        )

    def _noise_shape(self, inputs: Tensor) -> Any:
        return self.noise_shape


class _SpatialDropout(Dropout):
    rank = 1

    def __init__(
        self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None, **options: Any
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype, **options)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.data_format = "channels_last"

    def _noise_shape(self, inputs: Tensor) -> Any:
        shape, ones = ops.shape(inputs), (1,) * self.rank
        if self.data_format == "channels_first":
            return (shape[0], shape[1], *ones)
        return (shape[0], *ones, shape[-1])

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        unknown = ("noise_shape", "trainable")  # to Keras, which reads the same files
        return {k: v for k, v in config.items() if k not in unknown} | {"dtype": self.dtype_policy.name}


@register_builtin("layers")
class SpatialDropout1D(_SpatialDropout):
    """Drops whole channels of sequences.

    Args:
        rate: the fraction.
        seed: an integer.

    Shapes:
        (batch, time, channels) -> the same

    Example:
        >>> import kerata, numpy as np
        >>> y = kerata.layers.SpatialDropout1D(0.5, seed=1)(np.ones((1, 4, 8), "float32"), training=True)
        >>> rows = kerata.ops.convert_to_numpy(y)[0]
        >>> bool((rows == rows[0]).all()), sorted(set(rows[0].tolist()))
        (True, [0.0, 2.0])
    """


class _ImageDropout(_SpatialDropout):
    def __init__(
        self, rate: float, data_format: str | None = None, seed: int | None = None, name: str | None = None, dtype: Any = None,
        **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(rate, seed, name, dtype, **options)
        self.data_format = config.standardize_data_format(data_format)


@register_builtin("layers")
class SpatialDropout2D(_ImageDropout):
    """Drops whole channels of images.

    Args:
        rate: the fraction.
        data_format: place of the channels.
        seed: an integer.

    Shapes:
        (batch, height, width, channels) -> the same

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.SpatialDropout2D(0.5)(np.ones((1, 4, 4, 3), "float32")).shape == (1, 4, 4, 3)
        True
    """

    rank = 2


@register_builtin("layers")
class SpatialDropout3D(_ImageDropout):
    """Drops whole channels of volumes.

    Args:
        rate: the fraction.
        data_format: place of the channels.
        seed: an integer.

    Shapes:
        (batch, depth, height, width, channels) -> the same

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.SpatialDropout3D(0.5)(np.ones((1, 2, 4, 4, 3), "float32")).shape == (1, 2, 4, 4, 3)
        True
    """

    rank = 3


@register_builtin("layers")
class GaussianDropout(_Noise):
    """Multiplies by normal noise of mean 1 in training.

    Args:
        rate: the variance is `rate / (1 - rate)`.
        seed: an integer.

    Shapes:
        any shape -> the same

    Example:
        >>> import kerata, numpy as np
        >>> x = np.ones((100, 100), "float32")
        >>> y = kerata.ops.convert_to_numpy(kerata.layers.GaussianDropout(0.5, seed=1)(x, training=True))
        >>> round(float(y.mean()), 1), round(float(y.std()), 1)
        (1.0, 1.0)
    """

    def __init__(self, rate: float, seed: int | None = None, **options: Unpack[LayerOptions]) -> None:
        super().__init__(seed, **options)
        self.rate = checks.number("rate", rate, 0, 1)
        self.add_stream(rate > 0)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training or self.rate == 0:
            return inputs
        stddev = math.sqrt(self.rate / (1.0 - self.rate)) if self.rate < 1 else math.inf
        noise = random.normal(
            ops.shape(inputs), 1.0, stddev, dtype=self.compute_dtype, seed=self.seed_generator
        )
        return ops.multiply(inputs, noise)


@register_builtin("layers")
class GaussianNoise(_Noise):
    """Adds normal noise in training.

    Args:
        stddev: its standard deviation.
        seed: an integer.

    Shapes:
        any shape -> the same

    Example:
        >>> import kerata, numpy as np
        >>> x = np.zeros((100, 100), "float32")
        >>> y = kerata.ops.convert_to_numpy(kerata.layers.GaussianNoise(0.5, seed=1)(x, training=True))
        >>> round(float(y.std()), 1)
        0.5
    """

    def __init__(self, stddev: float, seed: int | None = None, **options: Unpack[LayerOptions]) -> None:
        super().__init__(seed, **options)
        self.stddev = checks.number("stddev", stddev, 0)
        self.add_stream(stddev > 0)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training or self.stddev == 0:
            return inputs
        noise = random.normal(
            ops.shape(inputs), 0.0, self.stddev, dtype=self.compute_dtype, seed=self.seed_generator
        )
        return ops.add(inputs, noise)


@register_builtin("layers")
class AlphaDropout(_Noise):
    """Dropout that keeps mean and variance of SELU units.

    Args:
        rate: the fraction.
        noise_shape: shape of the draw.
        seed: an integer.

    Source:
        Klambauer et al. 2017, "Self-Normalizing Neural Networks".

    Shapes:
        any shape -> the same

    Example:
        >>> import kerata, numpy as np
        >>> x = np.random.default_rng(0).normal(size=(100, 100)).astype("float32")
        >>> y = kerata.ops.convert_to_numpy(kerata.layers.AlphaDropout(0.3, seed=1)(x, training=True))
        >>> round(abs(float(y.mean())), 1), round(float(y.std()), 1)
        (0.0, 1.0)
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(seed, **options)
        self.rate = checks.number("rate", rate, 0, 1)
        self.noise_shape = _noise_sizes(noise_shape)
        self.add_stream(rate > 0)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training or self.rate == 0:
            return inputs
        lowest = -1.6732632423543772 * 1.0507009873554805
        shape = ops.shape(inputs) if self.noise_shape is None else _filled(self.noise_shape, inputs)
        kept = ops.greater_equal(random.uniform(shape, seed=self.seed_generator), self.rate)
        a = 1 / math.sqrt((1 - self.rate) * (1 + self.rate * lowest**2)) if self.rate < 1 else 1.0
        b = -a * lowest * self.rate
        x = ops.where(kept, inputs, ops.full_like(inputs, lowest))
        return ops.add(ops.multiply(x, a), b)
