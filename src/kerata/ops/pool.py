"""Pooling: the largest element or the mean of windows, of a fixed size or of a fixed number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata.core import config, dtypes, windows
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.geometry import AdaptivePlan, Layout, adaptive_pool_plan, pool_plan
from kerata.core.samples import T, rejects, sample, values

from .core import cast, create
from .elementwise import real_only, to_real_float
from .reduction import wide_dtype

TensorLike = Any
Tensor = Any
Sizes = int | Sequence[int]

_POOLS = (
    sample(T((2, 7, 3)), 2), sample(T((2, 7, 3)), 3, 1, "same"), sample(T((2, 7, 3)), 2, 3, "same"),
    sample(T((2, 6, 7, 3)), (3, 2), (2, 1), "same"), sample(T((2, 3, 6, 7)), 2, data_format="channels_first"),
    sample(T((2, 4, 5, 6, 2)), (2, 2, 3), (2, 1, 2), "same", gradient=False),  # its maxima lie within a step
    sample(T((0, 4, 2)), 2, gradient=False), sample(T((1, 7, 8, 2)), (4, 2), (2, 3), "same"), sample(T((1, 5, 6, 2)), 3, 1),
    sample(T((2, 6, 2), "bfloat16"), 2, 3, "same", gradient=False), sample(T((2, 6, 2), "uint8", high=9), (4,), gradient=False),
    sample(T((2, 6, 2), "int32", -9, 9), 2, gradient=False), sample(T((2, 6, 2), "bool"), 2, gradient=False),
    sample(T((2, 6, 2), "float16"), 3, 1, "same", gradient=False), sample(T((2, 4, 4, 4, 2), "float64"), 2),
    sample(T((1, 1, 5, 6, 2)), 2, padding="same"),
)  # fmt: skip
_POOL_REJECTS = (
    rejects(T((2, 7)), 2, argument="inputs"), rejects(T((2, 1, 3)), 2, argument="inputs"),
    rejects(T((2, 7, 3), "complex64"), 2, argument="inputs"), rejects(T((2, 7, 3)), 0, argument="pool_size"),
    rejects(T((2, 7, 3)), (2, 2), argument="pool_size"), rejects(T((2, 7, 3)), 2, 0, argument="strides"),
    rejects(T((2, 7, 3)), 2, 1, "causal", argument="padding"),
    rejects(T((2, 7, 3)), 2, data_format="NWC", argument="data_format"),
)  # fmt: skip
_ADAPTIVE = (
    sample(T((2, 4, 5, 0)), 2), sample(T((2, 4, 5, 6, 0)), 2, gradient=False),
    sample(T((2, 7, 3)), 3), sample(T((2, 7, 3)), 7), sample(T((2, 5, 3)), 8), sample(T((2, 6, 7, 3)), (3, 4)),
    sample(T((2, 3, 6, 5)), (4, 2), "channels_first"), sample(T((1, 9, 4, 1), "float64"), (2, 4)),
    sample(T((1, 5, 1), "uint8", high=9), 2, gradient=False), sample(T((1, 3, 4, 5, 2)), (2, 4, 3)),
    sample(T((2, 5, 2), "int32", -9, 9), 3, gradient=False), sample(T((2, 5, 2), "float16"), 3, gradient=False),
)  # fmt: skip
_ADAPTIVE_REJECTS = (
    rejects(T((2, 7)), 3, argument="inputs"), rejects(T((2, 7, 3)), 0, argument="output_size"),
    rejects(T((2, 7, 3)), (3, 3), argument="output_size"), rejects(T((2, 7, 3)), None, argument="output_size"),
    rejects(T((2, 7, 3), "complex64"), 3, argument="inputs"),
)  # fmt: skip


@op(
    samples=[
        *_POOLS,
        sample(values([[[1.0], [float("nan")], [-float("inf")], [-float("inf")]]]), 2, gradient=False),
    ],
    rejects=_POOL_REJECTS,
)
def max_pool(
    inputs: TensorLike,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The largest element of each window, in each channel.

    Args:
        inputs: real numbers or bool, `(batch, *spatial, channels)` with 1 to 3 spatial dimensions, or
            `(batch, channels, *spatial)` for "channels_first".
        pool_size: size of a window: one integer, or one for each spatial dimension.
        strides: distance between the windows, likewise; `pool_size` if None.
        padding: "valid" (only whole windows) or "same" (`ceil(size / stride)` windows, some cut off by the
            edges).
        data_format: "channels_last" or "channels_first"; None for `kerata.config.image_data_format()`.

    Returns:
        A tensor of the same dtype and layout. NaN is the largest; of equals, the first has the gradient.

    Raises:
        ArgumentError: shapes or arguments do not fit, or there would be no window.

    Example:
        >>> import kerata
        >>> x = kerata.ops.reshape([1.0, 5.0, 2.0, 3.0], (1, 4, 1))
        >>> kerata.ops.convert_to_numpy(kerata.ops.max_pool(x, 2)).ravel()
        array([5., 3.], dtype=float32)
    """
    layout = config.standardize_data_format(data_format)
    plan = pool_plan(shape_of(inputs), pool_size, strides, padding, layout)
    return windows.max_pool(real_only(inputs, "inputs"), plan=plan)


@op(samples=_POOLS, rejects=_POOL_REJECTS)
def average_pool(
    inputs: TensorLike,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The mean of each window, in each channel; of a window cut off by an edge, the mean of what is left.

    Args:
        inputs: as in `max_pool`; integers and bool become floats.
        pool_size: as in `max_pool`.
        strides: as in `max_pool`.
        padding: as in `max_pool`.
        data_format: as in `max_pool`.

    Returns:
        A tensor of floats in the same layout. Half precision is added up in float32.

    Raises:
        ArgumentError: shapes or arguments do not fit, or there would be no window.

    Example:
        >>> import kerata
        >>> x = kerata.ops.reshape([1.0, 5.0, 2.0], (1, 3, 1))
        >>> kerata.ops.convert_to_numpy(kerata.ops.average_pool(x, 2, padding="same")).ravel()
        array([3., 2.], dtype=float32)
    """
    layout = config.standardize_data_format(data_format)
    plan = pool_plan(shape_of(inputs), pool_size, strides, padding, layout)
    return windows.avg_pool(to_real_float(inputs, "inputs"), plan=plan)


@op(samples=_ADAPTIVE, rejects=_ADAPTIVE_REJECTS)
def adaptive_max_pool(inputs: TensorLike, output_size: Sizes, data_format: str | None = None) -> Tensor:
    """The largest elements of windows that divide each spatial dimension into a given number.

    Args:
        inputs: as in `max_pool`.
        output_size: number of windows: one integer, or one for each spatial dimension. Window i of m over n
            elements covers `floor(i n / m)` up to, and without, `ceil((i + 1) n / m)`; windows may overlap.
        data_format: as in `max_pool`.

    Returns:
        A tensor of the same dtype and layout.

    Raises:
        ArgumentError: shapes or arguments do not fit.

    Example:
        >>> import kerata
        >>> x = kerata.ops.reshape([1.0, 5.0, 2.0, 3.0, 4.0], (1, 5, 1))
        >>> kerata.ops.convert_to_numpy(kerata.ops.adaptive_max_pool(x, 3)).ravel()
        array([5., 5., 4.], dtype=float32)
    """
    plan = adaptive_pool_plan(shape_of(inputs), output_size, config.standardize_data_format(data_format))
    x = real_only(inputs, "inputs")
    return windows.max_pool(_laid_out(x, plan, _lowest(dtype_of(x))), plan=plan.pool)


@op(samples=_ADAPTIVE, rejects=_ADAPTIVE_REJECTS)
def adaptive_average_pool(inputs: TensorLike, output_size: Sizes, data_format: str | None = None) -> Tensor:
    """The means of windows that divide each spatial dimension into a given number.

    Args:
        inputs: as in `average_pool`.
        output_size: as in `adaptive_max_pool`.
        data_format: as in `max_pool`.

    Returns:
        A tensor of floats in the same layout. Half precision is added up in float32.

    Raises:
        ArgumentError: shapes or arguments do not fit.

    Example:
        >>> import kerata
        >>> x = kerata.ops.reshape([1.0, 5.0, 2.0, 3.0, 4.0], (1, 5, 1))
        >>> kerata.ops.convert_to_numpy(kerata.ops.adaptive_average_pool(x, 2)).ravel()
        array([2.6666667, 3.       ], dtype=float32)
    """
    plan = adaptive_pool_plan(shape_of(inputs), output_size, config.standardize_data_format(data_format))
    x = to_real_float(inputs, "inputs")
    name = dtype_of(x)
    x = windows.avg_pool(_laid_out(cast(x, wide_dtype(name)), plan, 0), plan=plan.pool)
    for axis, layout in zip(plan.pool.spatial_axes, plan.layouts):
        if layout is not None and layout.uneven:
            x = p.mul(x, _along(layout, "shares", layout.windows, dtype_of(x), axis, plan))
    return cast(x, name)


def _laid_out(x: Tensor, plan: AdaptivePlan, filler: Any) -> Tensor:
    """The elements of each window side by side, so that windows are tiles of equal size."""
    for axis, layout in zip(plan.pool.spatial_axes, plan.layouts):
        if layout is None:
            continue
        size = layout.windows * layout.width
        x = p.take(x, _vector(layout, "indices", (size,), "int32"), axis=axis)
        if layout.uneven:
            x = p.where(_along(layout, "filled", size, "bool", axis, plan), filler, x)
    return x


def _along(layout: Layout, name: str, size: int, dtype: str, axis: int, plan: AdaptivePlan) -> Tensor:
    return _vector(layout, name, tuple(size if i == axis else 1 for i in range(plan.pool.rank + 2)), dtype)


def _vector(layout: Layout, name: str, shape: tuple[int, ...], dtype: str) -> Tensor:
    """Known values, which an abstract run does not compute: they may be as many as an unknown size says."""
    return create(shape, dtype, lambda engine: engine.convert(getattr(layout, name).reshape(shape), dtype))


def _lowest(dtype: str) -> Any:
    if dtypes.is_float(dtype):
        return -float("inf")
    return False if dtype == "bool" else int(dtypes.iinfo(dtype).min)
