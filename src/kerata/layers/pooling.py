"""Pooling: maxima and means over windows, over all positions, and over windows of a wanted number."""

from __future__ import annotations

import inspect
from typing import Any, Unpack

from kerata import ops
from kerata.core import checks, config
from kerata.core.registry import register_builtin

from .input_spec import InputSpec
from .layer import Layer, LayerOptions
from .ranked import Ranked, same_for_each_axis

Tensor = Any


class BasePooling(Ranked):
    """Reduces windows.

    Args:
        pool_size: size of a window along each spatial axis.
        strides: step of the windows; the pool size if None.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first".
    """

    mode = "max"

    @classmethod
    def ranked_defaults(cls) -> dict[str, Any]:
        if cls.mode == "average":  # as in Keras, where only maxima have a default
            return {"pool_size": inspect.Parameter.empty}
        return same_for_each_axis(cls.rank, 2, "pool_size")

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name=name, **options)
        self.pool_size = checks.int_tuple("pool_size", pool_size, self.rank)
        self.strides = checks.int_tuple("strides", pool_size if strides is None else strides, self.rank)
        self.padding = checks.option(
            "padding", padding.lower() if isinstance(padding, str) else padding, ("valid", "same")
        )
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def build(self, input_shape: Any) -> None:
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        pool = ops.max_pool if self.mode == "max" else ops.average_pool
        return pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class GlobalPooling(Layer):
    """Reduces all positions to one.

    Args:
        data_format: "channels_last" or "channels_first".
        keepdims: whether spatial axes stay with size 1.
    """

    rank, mode = 2, "max"

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(**options)
        self.data_format = config.standardize_data_format(data_format)
        self.keepdims = bool(keepdims)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        first = 1 if self.data_format == "channels_last" else 2
        self._axes = tuple(range(first, first + self.rank))

    def build(self, input_shape: Any) -> None:
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        reduce = ops.max if self.mode == "max" else ops.mean
        return reduce(inputs, axis=self._axes, keepdims=self.keepdims)


class AdaptivePooling(Layer):
    """Reduces as many windows as the output is to have positions.

    Args:
        output_size: number of positions along each spatial axis.
        data_format: "channels_last" or "channels_first".
    """

    rank, mode = 2, "max"

    def __init__(
        self, output_size: Any, data_format: str | None = None, **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(**options)
        self.output_size = checks.int_tuple("output_size", output_size, self.rank)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def build(self, input_shape: Any) -> None:
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        pool = ops.adaptive_max_pool if self.mode == "max" else ops.adaptive_average_pool
        return pool(inputs, self.output_size, self.data_format)


@register_builtin("layers", "MaxPool1D")
class MaxPooling1D(BasePooling):
    """The maximum of windows of a sequence.

    Shapes:
        (batch, time, channels) -> the same with new sizes

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.MaxPooling1D(2)(np.ones((2, 6, 3), "float32")).shape == (2, 3, 3)
        True
    """

    __doc__ = f"{__doc__}\n{BasePooling.__doc__}"
    rank = 1


@register_builtin("layers", "MaxPool2D")
class MaxPooling2D(BasePooling):
    """The maximum of windows of images.

    Shapes:
        (batch, height, width, channels) -> the same with new sizes

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.MaxPooling2D(2)(np.ones((2, 6, 6, 3), "float32")).shape == (2, 3, 3, 3)
        True
    """

    __doc__ = f"{__doc__}\n{BasePooling.__doc__}"


@register_builtin("layers", "MaxPool3D")
class MaxPooling3D(BasePooling):
    """The maximum of windows of volumes.

    Shapes:
        (batch, depth, height, width, channels) -> the same with new sizes

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.MaxPooling3D(2)(np.ones((1, 6, 6, 6, 3), "float32")).shape == (1, 3, 3, 3, 3)
        True
    """

    __doc__ = f"{__doc__}\n{BasePooling.__doc__}"
    rank = 3


@register_builtin("layers", "AvgPool1D")
class AveragePooling1D(BasePooling):
    """The mean of windows of a sequence; padding does not count.

    Shapes:
        (batch, time, channels) -> the same with new sizes

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.AveragePooling1D(2)(np.ones((2, 6, 3), "float32")).shape == (2, 3, 3)
        True
    """

    __doc__ = f"{__doc__}\n{BasePooling.__doc__}"
    rank, mode = 1, "average"


@register_builtin("layers", "AvgPool2D")
class AveragePooling2D(BasePooling):
    """The mean of windows of images; padding does not count.

    Shapes:
        (batch, height, width, channels) -> the same with new sizes

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.AveragePooling2D(2)(np.ones((2, 6, 6, 3), "float32")).shape == (2, 3, 3, 3)
        True
    """

    __doc__ = f"{__doc__}\n{BasePooling.__doc__}"
    mode = "average"


@register_builtin("layers", "AvgPool3D")
class AveragePooling3D(BasePooling):
    """The mean of windows of volumes; padding does not count.

    Shapes:
        (batch, depth, height, width, channels) -> the same with new sizes

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.AveragePooling3D(2)(np.ones((1, 6, 6, 6, 3), "float32")).shape == (1, 3, 3, 3, 3)
        True
    """

    __doc__ = f"{__doc__}\n{BasePooling.__doc__}"
    rank, mode = 3, "average"


@register_builtin("layers", "GlobalMaxPool1D")
class GlobalMaxPooling1D(GlobalPooling):
    """The maximum over the time steps.

    Shapes:
        (batch, time, channels) -> (batch, channels)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.GlobalMaxPooling1D()(np.ones((2, 6, 3), "float32")).shape == (2, 3)
        True
    """

    __doc__ = f"{__doc__}\n{GlobalPooling.__doc__}"
    rank = 1


@register_builtin("layers", "GlobalMaxPool2D")
class GlobalMaxPooling2D(GlobalPooling):
    """The maximum over all positions of images.

    Shapes:
        (batch, height, width, channels) -> (batch, channels)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.GlobalMaxPooling2D()(np.ones((2, 6, 6, 3), "float32")).shape == (2, 3)
        True
    """

    __doc__ = f"{__doc__}\n{GlobalPooling.__doc__}"


@register_builtin("layers", "GlobalMaxPool3D")
class GlobalMaxPooling3D(GlobalPooling):
    """The maximum over all positions of volumes.

    Shapes:
        (batch, depth, height, width, channels) -> (batch, channels)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.GlobalMaxPooling3D()(np.ones((1, 6, 6, 6, 3), "float32")).shape == (1, 3)
        True
    """

    __doc__ = f"{__doc__}\n{GlobalPooling.__doc__}"
    rank = 3


@register_builtin("layers", "GlobalAvgPool1D")
class GlobalAveragePooling1D(GlobalPooling):
    """The mean over the time steps; masked ones do not count.

    Shapes:
        (batch, time, channels) -> (batch, channels)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.GlobalAveragePooling1D()(np.ones((2, 6, 3), "float32")).shape == (2, 3)
        True
    """

    __doc__ = f"{__doc__}\n{GlobalPooling.__doc__}"
    rank, mode = 1, "average"

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(data_format, keepdims, **options)
        self.supports_masking = True

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            return super().call(inputs)
        axis = self._axes[0]
        weights = ops.expand_dims(ops.cast(mask, ops.dtype(inputs)), 2 if axis == 1 else 1)
        total = ops.sum(ops.multiply(inputs, weights), axis=axis, keepdims=self.keepdims)
        return ops.divide(total, ops.sum(weights, axis=axis, keepdims=self.keepdims))

    def compute_mask(self, inputs: Tensor, mask: Any = None) -> None:
        return None


@register_builtin("layers", "GlobalAvgPool2D")
class GlobalAveragePooling2D(GlobalPooling):
    """The mean over all positions of images.

    Shapes:
        (batch, height, width, channels) -> (batch, channels)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.GlobalAveragePooling2D()(np.ones((2, 6, 6, 3), "float32")).shape == (2, 3)
        True
    """

    __doc__ = f"{__doc__}\n{GlobalPooling.__doc__}"
    mode = "average"


@register_builtin("layers", "GlobalAvgPool3D")
class GlobalAveragePooling3D(GlobalPooling):
    """The mean over all positions of volumes.

    Shapes:
        (batch, depth, height, width, channels) -> (batch, channels)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.GlobalAveragePooling3D()(np.ones((1, 6, 6, 6, 3), "float32")).shape == (1, 3)
        True
    """

    __doc__ = f"{__doc__}\n{GlobalPooling.__doc__}"
    rank, mode = 3, "average"


@register_builtin("layers")
class AdaptiveMaxPooling1D(AdaptivePooling):
    """The maximum of a wanted number of windows of a sequence.

    Shapes:
        (batch, time, channels) -> (batch, the wanted sizes, channels)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.AdaptiveMaxPooling1D(2)(np.ones((2, 6, 3), "float32")).shape == (2, 2, 3)
        True
    """

    __doc__ = f"{__doc__}\n{AdaptivePooling.__doc__}"
    rank = 1


@register_builtin("layers")
class AdaptiveMaxPooling2D(AdaptivePooling):
    """The maximum of a wanted number of windows of images.

    Shapes:
        (batch, height, width, channels) -> (batch, the wanted sizes, channels)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.AdaptiveMaxPooling2D(2)(np.ones((2, 6, 6, 3), "float32")).shape == (2, 2, 2, 3)
        True
    """

    __doc__ = f"{__doc__}\n{AdaptivePooling.__doc__}"


@register_builtin("layers")
class AdaptiveMaxPooling3D(AdaptivePooling):
    """The maximum of a wanted number of windows of volumes.

    Shapes:
        (batch, depth, height, width, channels) -> (batch, the wanted sizes, channels)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.AdaptiveMaxPooling3D(2)(np.ones((1, 6, 6, 6, 3), "float32")).shape == (1, 2, 2, 2, 3)
        True
    """

    __doc__ = f"{__doc__}\n{AdaptivePooling.__doc__}"
    rank = 3


@register_builtin("layers")
class AdaptiveAveragePooling1D(AdaptivePooling):
    """The mean of a wanted number of windows of a sequence.

    Shapes:
        (batch, time, channels) -> (batch, the wanted sizes, channels)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.AdaptiveAveragePooling1D(2)(np.ones((2, 6, 3), "float32")).shape == (2, 2, 3)
        True
    """

    __doc__ = f"{__doc__}\n{AdaptivePooling.__doc__}"
    rank, mode = 1, "average"


@register_builtin("layers")
class AdaptiveAveragePooling2D(AdaptivePooling):
    """The mean of a wanted number of windows of images.

    Shapes:
        (batch, height, width, channels) -> (batch, the wanted sizes, channels)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.AdaptiveAveragePooling2D(2)(np.ones((2, 6, 6, 3), "float32")).shape == (2, 2, 2, 3)
        True
    """

    __doc__ = f"{__doc__}\n{AdaptivePooling.__doc__}"
    mode = "average"


@register_builtin("layers")
class AdaptiveAveragePooling3D(AdaptivePooling):
    """The mean of a wanted number of windows of volumes.

    Shapes:
        (batch, depth, height, width, channels) -> (batch, the wanted sizes, channels)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.AdaptiveAveragePooling3D(2)(np.ones((1, 6, 6, 6, 3), "float32")).shape == (1, 2, 2, 2, 3)
        True
    """

    __doc__ = f"{__doc__}\n{AdaptivePooling.__doc__}"
    rank, mode = 3, "average"
