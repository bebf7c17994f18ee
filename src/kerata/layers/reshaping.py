"""Layers that move elements: flatten, reshape, permute, repeat, pad, crop, enlarge."""

from __future__ import annotations

import math
from typing import Any, Unpack

from kerata import ops
from kerata.core import checks, config
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin

from .input_spec import InputSpec
from .layer import Layer, LayerOptions
from .ranked import Ranked, same_for_each_axis

Tensor = Any


class _Shaping(Layer):
    def build(self, input_shape: Any) -> None:
        self.built = True


@register_builtin("layers")
class Flatten(_Shaping):
    """Puts all axes but the batch axis into one.

    Args:
        data_format: "channels_first" moves the channels to the end before.

    Shapes:
        (batch, …) -> (batch, product)

    Example:
        >>> import kerata
        >>> kerata.layers.Flatten()(kerata.Input((2, 3))).shape
        (None, 6)
    """

    def __init__(self, data_format: str | None = None, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Tensor) -> Tensor:
        shape = ops.shape(inputs)
        if self.data_format == "channels_first" and len(shape) > 1:
            inputs = ops.transpose(inputs, (0, *range(2, len(shape)), 1))
        size = 1
        for d in shape[1:]:
            size = size * d
        return ops.reshape(inputs, (shape[0], size))


@register_builtin("layers")
class Reshape(_Shaping):
    """Gives the inputs another shape.

    Args:
        target_shape: shape without the batch axis; one size may be -1.

    Shapes:
        (batch, …) -> (batch, *target_shape)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.Reshape((-1, 2))(np.ones((2, 3, 4), "float32")).shape == (2, 6, 2)
        True
    """

    def __init__(self, target_shape: Any, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        if not isinstance(target_shape, (tuple, list)) or not all(
            d is None or isinstance(d, int) for d in target_shape
        ):
            raise ArgumentError("target_shape", expected="a tuple of integers", got=target_shape)
        self.target_shape = tuple(-1 if d is None else d for d in target_shape)
        if self.target_shape.count(-1) > 1:
            raise ArgumentError("target_shape", expected="sizes with at most one -1", got=target_shape)

    def call(self, inputs: Tensor) -> Tensor:
        shape = ops.shape(inputs)
        target = list(self.target_shape)
        if -1 in target:  # worked out without the batch axis, which may be unknown too
            size, known = 1, math.prod(d for d in target if d != -1)
            for d in shape[1:]:
                size = size * d
            if isinstance(size, int) and known and size % known:
                raise ArgumentError(
                    "target_shape", expected=f"a shape of {size} elements", got=self.target_shape
                )
            target[target.index(-1)] = size // known
        elif all(isinstance(d, int) for d in shape[1:]) and math.prod(shape[1:]) != math.prod(target):
            raise ArgumentError(
                "target_shape",
                expected=f"a shape of {math.prod(shape[1:])} elements (those of {tuple(shape[1:])})",
                got=self.target_shape,
            )
        return ops.reshape(inputs, (shape[0], *target))


@register_builtin("layers")
class Permute(_Shaping):
    """Permutes the axes behind the batch axis.

    Args:
        dims: the old place of each axis, from 1.

    Shapes:
        (batch, …) -> (batch, the same sizes in another order)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.Permute((2, 1))(np.ones((2, 3, 4), "float32")).shape == (2, 4, 3)
        True
    """

    def __init__(self, dims: Any, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        if not isinstance(dims, (tuple, list)) or sorted(dims) != list(range(1, len(dims) + 1)):
            raise ArgumentError("dims", expected="a permutation of 1, 2, …", got=dims)
        self.dims = tuple(dims)
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Tensor) -> Tensor:
        return ops.transpose(inputs, (0, *self.dims))


@register_builtin("layers")
class RepeatVector(_Shaping):
    """Repeats each row `n` times along a new axis.

    Args:
        n: how often.

    Shapes:
        (batch, size) -> (batch, n, size)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.RepeatVector(3)(np.ones((2, 4), "float32")).shape == (2, 3, 4)
        True
    """

    def __init__(self, n: int, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.n = checks.positive_int("n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Tensor) -> Tensor:
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)


class _Spatial(Ranked):
    """A layer on the spatial axes of images, volumes or sequences."""

    def __init__(self, data_format: str | None = None, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def build(self, input_shape: Any) -> None:
        self.built = True

    def spatial_axes(self) -> range:
        first = 1 if self.data_format == "channels_last" else 2
        return range(first, first + self.rank)


def _pairs(argument: str, value: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """((before, after), …) of an integer, one integer for each axis, or pairs."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = (value,) * rank
    if (
        rank == 1
        and isinstance(value, (tuple, list))
        and len(value) == 2
        and all(isinstance(v, int) for v in value)
    ):
        value = (tuple(value),)
    if not isinstance(value, (tuple, list)) or len(value) != rank:
        raise ArgumentError(
            argument, expected=f"an integer, {rank} integers or {rank} pairs of integers", got=value
        )
    return tuple(checks.int_tuple(argument, v, 2, low=0) for v in value)  # type: ignore[misc]


class _ZeroPadding(_Spatial):
    @classmethod
    def ranked_defaults(cls) -> dict[str, Any]:
        return {"padding": {1: 1, 2: (1, 1), 3: ((1, 1),) * 3}[cls.rank]}

    def __init__(
        self, padding: Any = 1, data_format: str | None = None, **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(data_format, **options)
        pairs = _pairs("padding", padding, self.rank)
        self.padding = pairs[0] if self.rank == 1 else pairs
        self._pads = pairs

    def call(self, inputs: Tensor) -> Tensor:
        pads = [(0, 0)] * (self.rank + 2)
        for axis, pair in zip(self.spatial_axes(), self._pads, strict=True):
            pads[axis] = pair
        return ops.pad(inputs, tuple(pads))


@register_builtin("layers")
class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after a sequence.

    Args:
        padding: an integer or (before, after).

    Shapes:
        (batch, time, channels) -> (batch, padded time, channels)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.ZeroPadding1D((1, 2))(np.ones((2, 4, 3), "float32")).shape == (2, 7, 3)
        True
    """

    rank = 1


@register_builtin("layers")
class ZeroPadding2D(_ZeroPadding):
    """Zeros around images.

    Args:
        padding: an integer, one for each axis, or ((top, bottom), (left, right)).
        data_format: place of the channels.

    Shapes:
        (batch, height, width, channels) -> the same with padded height and width

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.ZeroPadding2D((1, 2))(np.ones((2, 4, 4, 3), "float32")).shape == (2, 6, 8, 3)
        True
    """


@register_builtin("layers")
class ZeroPadding3D(_ZeroPadding):
    """Zeros around volumes.

    Args:
        padding: an integer, one for each axis, or three pairs.
        data_format: place of the channels.

    Shapes:
        (batch, depth, height, width, channels) -> the same with padded sizes

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.ZeroPadding3D(1)(np.ones((2, 4, 4, 4, 3), "float32")).shape == (2, 6, 6, 6, 3)
        True
    """

    rank = 3


class _Cropping(_Spatial):
    @classmethod
    def ranked_defaults(cls) -> dict[str, Any]:
        return {"cropping": {1: (1, 1), 2: ((0, 0),) * 2, 3: ((1, 1),) * 3}[cls.rank]}

    def __init__(
        self, cropping: Any = None, data_format: str | None = None, **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(data_format, **options)
        cropping = self.ranked_defaults()["cropping"] if cropping is None else cropping
        pairs = _pairs("cropping", cropping, self.rank)
        self.cropping = pairs[0] if self.rank == 1 else pairs
        self._cuts = pairs

    def call(self, inputs: Tensor) -> Tensor:
        shape = ops.shape(inputs)
        index = [slice(None)] * (self.rank + 2)
        for axis, (before, after) in zip(self.spatial_axes(), self._cuts, strict=True):
            if isinstance(shape[axis], int) and before + after >= shape[axis]:
                raise ArgumentError(
                    "cropping", expected=f"to leave something of the size {shape[axis]}", got=(before, after)
                )
            index[axis] = slice(before, shape[axis] - after)
        return ops.get_item(inputs, tuple(index))


@register_builtin("layers")
class Cropping1D(_Cropping):
    """Cuts off the ends of sequences.

    Args:
        cropping: an integer or (before, after).

    Shapes:
        (batch, time, channels) -> (batch, cropped time, channels)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.Cropping1D((1, 2))(np.ones((2, 7, 3), "float32")).shape == (2, 4, 3)
        True
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **options: Unpack[LayerOptions]) -> None:
        super().__init__(cropping, "channels_last", **options)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("data_format", None)
        return config


@register_builtin("layers")
class Cropping2D(_Cropping):
    """Cuts off the borders of images.

    Args:
        cropping: an integer, one for each axis, or ((top, bottom), (left, right)).
        data_format: place of the channels.

    Shapes:
        (batch, height, width, channels) -> the same with cropped height and width

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.Cropping2D((1, 2))(np.ones((2, 6, 8, 3), "float32")).shape == (2, 4, 4, 3)
        True
    """


@register_builtin("layers")
class Cropping3D(_Cropping):
    """Cuts off the borders of volumes.

    Args:
        cropping: an integer, one for each axis, or three pairs.
        data_format: place of the channels.

    Shapes:
        (batch, depth, height, width, channels) -> the same with cropped sizes

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.Cropping3D(1)(np.ones((2, 6, 6, 6, 3), "float32")).shape == (2, 4, 4, 4, 3)
        True
    """

    rank = 3


class _UpSampling(_Spatial):
    @classmethod
    def ranked_defaults(cls) -> dict[str, Any]:
        return same_for_each_axis(cls.rank, 2, "size")

    def __init__(
        self, size: Any = 2, data_format: str | None = None, **options: Unpack[LayerOptions]
    ) -> None:
        super().__init__(data_format, **options)
        self.size: Any = checks.int_tuple("size", size, self.rank)

    def call(self, inputs: Tensor) -> Tensor:
        for axis, times in zip(self.spatial_axes(), self.size, strict=True):
            if times > 1:
                inputs = ops.repeat(inputs, times, axis=axis)
        return inputs


@register_builtin("layers")
class UpSampling1D(_UpSampling):
    """Repeats each time step.

    Args:
        size: how often.

    Shapes:
        (batch, time, channels) -> (batch, size * time, channels)

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.UpSampling1D(2)(np.ones((2, 3, 4), "float32")).shape == (2, 6, 4)
        True
    """

    rank = 1

    def __init__(self, size: int = 2, **options: Unpack[LayerOptions]) -> None:
        super().__init__(size, "channels_last", **options)
        self.size: Any = checks.positive_int("size", size)

    def call(self, inputs: Tensor) -> Tensor:
        return ops.repeat(inputs, self.size, axis=1)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("data_format", None)
        return config


@register_builtin("layers")
class UpSampling2D(_UpSampling):
    """Enlarges images.

    Args:
        size: factors for rows and columns.
        data_format: place of the channels.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".

    Shapes:
        (batch, height, width, channels) -> the same with enlarged height and width

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.UpSampling2D((2, 3))(np.ones((2, 3, 3, 4), "float32")).shape == (2, 6, 9, 4)
        True
    """

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(size, data_format, **options)
        self.interpolation = checks.option(
            "interpolation", interpolation, ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
        )

    def call(self, inputs: Tensor) -> Tensor:
        if self.interpolation == "nearest":
            return super().call(inputs)
        shape = ops.shape(inputs)
        rows, columns = (shape[axis] * n for axis, n in zip(self.spatial_axes(), self.size, strict=True))
        return ops.image.resize(
            inputs, (rows, columns), interpolation=self.interpolation, data_format=self.data_format
        )


@register_builtin("layers")
class UpSampling3D(_UpSampling):
    """Repeats the voxels of volumes.

    Args:
        size: factors for the three axes.
        data_format: place of the channels.

    Shapes:
        (batch, depth, height, width, channels) -> the same with enlarged sizes

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.UpSampling3D(2)(np.ones((1, 2, 2, 2, 3), "float32")).shape == (1, 4, 4, 4, 3)
        True
    """

    rank = 3
