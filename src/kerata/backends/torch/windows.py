"""Convolution and pooling on PyTorch, after a plan of `kerata.core.geometry`.

PyTorch's kernels take channels first. A "channels_last" tensor turned that way is exactly its memory format of that
name, which its kernels read and write in place, so no layout is ever copied.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerata.core.geometry import ConvPlan, Ints, PoolPlan

_CONV: dict[int, Callable[..., Tensor]] = {2: F.conv2d, 3: F.conv3d}
_CONV_TRANSPOSE: dict[int, Callable[..., Tensor]] = {2: F.conv_transpose2d, 3: F.conv_transpose3d}
_KERNEL_GRAD: dict[int, Any] = {2: torch.nn.grad.conv2d_weight, 3: torch.nn.grad.conv3d_weight}
_MAX: dict[int, Callable[..., Tensor]] = {2: F.max_pool2d, 3: F.max_pool3d}
_AVG: dict[int, Callable[..., Tensor]] = {2: F.avg_pool2d, 3: F.avg_pool3d}


# ---- layouts -------------------------------------------------------------------------------------
# One spatial dimension is run as two, the first of size 1: PyTorch does so itself, but only its 2-D and 3-D kernels
# have a channels-last format.


def _lifted(values: Ints, one: int = 1) -> Ints:
    return (one, *values) if len(values) == 1 else values


def _channels_first(x: Tensor, plan: Any) -> Tensor:
    if plan.channels_last:
        x = x.permute(plan.to_channels_first)
    return x.unsqueeze(2) if plan.rank == 1 else x


def _as_planned(x: Tensor, plan: Any) -> Tensor:
    if plan.rank == 1:
        x = x.squeeze(2)
    return x.permute(plan.from_channels_first) if plan.channels_last else x


def _weight_order(plan: ConvPlan) -> Ints:
    return (plan.rank + 1, plan.rank, *range(plan.rank))


def _weight(kernel: Tensor, plan: ConvPlan) -> Tensor:
    weight = _settled(kernel.permute(_weight_order(plan)))
    return weight.unsqueeze(2) if plan.rank == 1 else weight


_ONEDNN = torch.backends.mkldnn.is_available()


def _settled(weight: Tensor) -> Tensor:
    """What oneDNN does not convolve has kernels whose derivative fails where the weight is not contiguous."""
    return weight if _ONEDNN and weight.dtype is not torch.float64 else weight.contiguous()


def _kernel(weight: Tensor, plan: ConvPlan) -> Tensor:
    if plan.rank == 1:
        weight = weight.squeeze(2)
    return weight.permute(*range(2, plan.rank + 2), 1, 0)


def _pad(x: Tensor, pads: Any, value: Any = 0) -> Tensor:
    """Pads the last dimensions; what is negative is cut off."""
    if not any(map(any, pads)):
        return x
    if not x.requires_grad and all(p <= 0 for pair in pads for p in pair):
        # A view, where `F.pad` copies; its derivative would take longer than that of `F.pad`.
        for axis, (low, high) in enumerate(pads, x.ndim - len(pads)):
            x = x.narrow(axis, -low, x.shape[axis] + low + high)
        return x
    return F.pad(x, [p for pair in reversed(pads) for p in pair], value=value)


# ---- convolution ---------------------------------------------------------------------------------


def _through_float64(fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """PyTorch has no transposed convolution of integers, and on an accelerator no convolution of them. In float64
    their sums are exact below 2^53."""

    def call(x: Tensor, other: Tensor, plan: ConvPlan) -> Tensor:
        if x.dtype.is_floating_point:
            return fn(x, other, plan)
        return fn(x.double(), other.double(), plan).to(torch.int64).to(x.dtype)

    return call


@lru_cache(maxsize=4096)
def _padding(plan: ConvPlan) -> tuple[Any, Ints]:
    """What to pad the input with, and the symmetric padding that the native kernel adds by itself: only where that
    gives other windows, the input is padded."""
    lows = tuple(low for low, _ in plan.pads)
    dimensions = zip(plan.in_size, plan.out_size, plan.strides, plan.extent, lows, strict=True)
    if all((n + 2 * low - e) // s + 1 == m for n, m, s, e, low in dimensions):
        return (), _lifted(lows, 0)
    return plan.used_pads, _lifted((0,) * plan.rank, 0)


@lru_cache(maxsize=4096)
def native_convolution(plan: ConvPlan) -> Callable[[Tensor, Tensor], Tensor]:
    """The native call of a plan, with all that follows from the plan worked out."""
    pads, padding = _padding(plan)
    run = _CONV[max(plan.rank, 2)]
    rest = (None, _lifted(plan.strides), padding, _lifted(plan.dilation), plan.groups)
    if pads or plan.rank == 1:
        return lambda x, kernel: _as_planned(
            run(_pad(_channels_first(x, plan), pads), _weight(kernel, plan), *rest), plan
        )
    to, back, weight = plan.to_channels_first, plan.from_channels_first, _weight_order(plan)
    return lambda x, kernel: run(x.permute(to), _settled(kernel.permute(weight)), *rest).permute(back)


@_through_float64
def conv(x: Tensor, kernel: Tensor, plan: ConvPlan) -> Tensor:
    """The convolution of `x` with `kernel`."""
    return native_convolution(plan)(x, kernel)


@_through_float64
def conv_input_grad(g: Tensor, kernel: Tensor, plan: ConvPlan) -> Tensor:
    """The gradient of `conv` by its input, given `g`, the one by its output."""
    wholes = tuple((m - 1) * s + e for m, s, e in zip(plan.out_size, plan.strides, plan.extent, strict=True))
    ends = tuple(w - low - n for w, n, (low, _) in zip(wholes, plan.in_size, plan.pads, strict=True))
    # The native kernel cuts the same off both ends; what more there is to cut, or zeros to add, comes after.
    cuts = tuple(min(low, max(end, 0)) for end, (low, _) in zip(ends, plan.pads, strict=True))
    rest = tuple((c - low, c - end) for c, end, (low, _) in zip(cuts, ends, plan.pads, strict=True))
    out = _CONV_TRANSPOSE[max(plan.rank, 2)](
        _channels_first(g, plan),
        _weight(kernel, plan),
        stride=_lifted(plan.strides),
        padding=_lifted(cuts, 0),
        dilation=_lifted(plan.dilation),
        groups=plan.groups,
    )
    return _as_planned(_pad(out, rest), plan)


def conv_kernel_grad(x: Tensor, g: Tensor, plan: ConvPlan) -> Tensor:
    """The gradient of `conv` by its kernel, given `g`, the one by its output."""
    pads, padding = _padding(plan)
    weight = _KERNEL_GRAD[max(plan.rank, 2)](
        _pad(_channels_first(x, plan), pads),
        (plan.out_channels, plan.in_channels // plan.groups, *_lifted(plan.kernel_size)),
        _channels_first(g, plan),
        stride=_lifted(plan.strides),
        padding=padding,
        dilation=_lifted(plan.dilation),
        groups=plan.groups,
    )
    return _kernel(weight, plan)


# ---- pooling -------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _native_windows(plan: PoolPlan) -> tuple[Ints, bool] | None:
    """(symmetric padding, ceil_mode) with which the native kernel has the plan's windows, or None."""
    lows = tuple(low for low, _ in plan.pads)
    for ceil in (False, True):
        dimensions = zip(plan.in_size, plan.out_size, plan.strides, plan.pool_size, lows, strict=True)
        if all(_native_size(n, s, k, low, ceil) == m for n, m, s, k, low in dimensions):
            return lows, ceil
    return None


def _native_size(n: int, stride: int, window: int, low: int, ceil: bool) -> int:
    size = (n + 2 * low - window + (stride - 1 if ceil else 0)) // stride + 1
    # No window starts in the end's padding.
    return size - 1 if ceil and (size - 1) * stride >= n + low else size


# What has no native kernel, or one that fails: that of three dimensions counts positions in the input's own dtype.
_POOLED_AS = dict.fromkeys((torch.bool, torch.int8, torch.uint8, torch.int16, torch.uint16), torch.int32) | {
    torch.uint32: torch.int64
}

_HIGHEST_BIT = torch.iinfo(torch.int64).min


def _lowest(dtype: torch.dtype) -> Any:
    return -torch.inf if dtype.is_floating_point else torch.iinfo(dtype).min


def _nothing(x: Tensor, plan: PoolPlan) -> Tensor:
    """What comes of no channels, which PyTorch refuses; it has a derivative, of no elements."""
    one = x.sum() if x.dtype.is_floating_point else x.new_zeros(())
    return one.expand(plan.out_shape(x.shape[0], 0))


def max_pool(x: Tensor, plan: PoolPlan) -> Tensor:
    """The largest element of each window; NaN is the largest, and of equals the first has the gradient."""
    if x.dtype == torch.uint64:  # has no native kernel; with the highest bit turned, int64 has its order
        return (max_pool(x.view(torch.int64) ^ _HIGHEST_BIT, plan) ^ _HIGHEST_BIT).view(torch.uint64)
    if x.shape[plan.channel_axis] == 0:
        return _nothing(x, plan)
    if x.dtype in _POOLED_AS:
        return max_pool(x.to(_POOLED_AS[x.dtype]), plan).to(x.dtype)
    x = _channels_first(x, plan)
    padding, ceil = _native_windows(plan) or (None, False)
    if padding is None:
        x, padding = _pad(x, plan.used_pads, _lowest(x.dtype)), (0,) * plan.rank
    sizes = _lifted(plan.pool_size), _lifted(plan.strides), _lifted(padding, 0)
    return _as_planned(_MAX[x.ndim - 2](x, *sizes, ceil_mode=ceil), plan)


def avg_pool(x: Tensor, plan: PoolPlan) -> Tensor:
    """The mean of the input elements in each window."""
    if x.shape[plan.channel_axis] == 0:
        return _nothing(x, plan)
    if plan.rank == 3 and x.dtype.itemsize < 4 and x.device.type == "cpu":  # has no native kernel
        return avg_pool(x.float(), plan).to(x.dtype)
    x = _channels_first(x, plan)
    padding, ceil = _native_windows(plan) or (None, False)
    # PyTorch refuses such windows.
    large = plan.rank == 3 and any(map(operator.gt, plan.pool_size, plan.in_size))
    if padding is not None and not large:
        sizes = _lifted(plan.pool_size), _lifted(plan.strides), _lifted(padding, 0)
        return _as_planned(_AVG[x.ndim - 2](x, *sizes, ceil, count_include_pad=False), plan)
    padded = _pad(x, plan.used_pads)
    sums = _AVG[x.ndim - 2](padded, _lifted(plan.pool_size), _lifted(plan.strides), divisor_override=1)
    counts = torch.as_tensor(plan.counts, dtype=x.dtype, device=x.device)
    return _as_planned(sums, plan) / counts


def max_pool_grad(g: Tensor, x: Tensor, plan: PoolPlan) -> Tensor:
    """`g` put where the largest elements of `x` are."""
    return torch.func.vjp(lambda v: max_pool(v, plan), x)[1](g)[0]


def max_pool_take(h: Tensor, x: Tensor, plan: PoolPlan) -> Tensor:
    """The elements of `h` where the largest elements of `x` are."""
    return torch.func.jvp(lambda v: max_pool(v, plan), (x,), (h,))[1]


def avg_pool_grad(g: Tensor, plan: PoolPlan) -> Tensor:
    """The gradient of `avg_pool`, given `g`, the one by its output."""
    like = g.new_zeros(plan.in_shape(g.shape[0], g.shape[plan.channel_axis]))
    return torch.func.vjp(lambda v: avg_pool(v, plan), like)[1](g)[0]


TABLE: dict[str, Callable[..., Any]] = {
    "conv": conv, "conv_input_grad": conv_input_grad, "conv_kernel_grad": conv_kernel_grad, "max_pool": max_pool,
    "max_pool_grad": max_pool_grad, "max_pool_take": max_pool_take, "avg_pool": avg_pool,
    "avg_pool_grad": avg_pool_grad,
}  # fmt: skip
