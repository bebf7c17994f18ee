"""PyTorch's own kernels for convolution, attention, normalisation, images and Fourier transforms."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

from kerata.core import config
from kerata.core.declare import DECLARED
from kerata.core.geometry import conv_plan, depthwise_plan, remembered
from kerata.core.state import STATE

from .derivatives import is_finite, wanted
from .fast import F32, TABLE, _floats, fast_path
from .windows import native_convolution

Tensor = Any

# ---- convolution ---------------------------------------------------------------------------------
# The same call as the composition's, a third of whose Python is spent on what tensors of one dtype do not need.


def _one_dtype(inputs: Tensor, kernel: Any, *args: Any, **kwargs: Any) -> bool:
    return _floats(inputs, kernel)


@remembered
def _conv(*shapes_and_arguments: Any) -> Any:
    return native_convolution(conv_plan(*shapes_and_arguments))


@remembered
def _depthwise_conv(*shapes_and_arguments: Any) -> Any:
    plan = depthwise_plan(*shapes_and_arguments)
    run, shape = native_convolution(plan), plan.kernel_shape
    return lambda x, kernel: run(x, kernel.reshape(shape))


def _convolution_of(native: Any) -> Any:
    def call(
        inputs: Tensor, kernel: Tensor, strides: Any = 1, padding: Any = "valid", data_format: Any = None,
        dilation_rate: Any = 1,
    ) -> Tensor:  # fmt: skip
        layout = config.standardize_data_format(data_format)
        return native(inputs.shape, kernel.shape, strides, padding, layout, dilation_rate)(inputs, kernel)

    return call


TABLE["conv"] = (_one_dtype, _convolution_of(_conv))
TABLE["depthwise_conv"] = (_one_dtype, _convolution_of(_depthwise_conv))


# ---- attention -----------------------------------------------------------------------------------


def _attention_fits(
    query: Tensor, key: Tensor, value: Tensor, bias: Any = None, mask: Any = None, scale: Any = None,
    is_causal: bool = False, flash_attention: Any = None, attn_logits_soft_cap: Any = None,
) -> bool:  # fmt: skip
    """A bias may be infinite throughout a row, of which PyTorch makes zeros and the softmax NaN. The derivative of its
    kernel has no derivative."""
    return (
        STATE.backward < 2 and bias is None and attn_logits_soft_cap is None and query.ndim == key.ndim == value.ndim == 4
        and _floats(query, key, value) and query.shape[2] == key.shape[2] and query.shape[3] == key.shape[3]
        and query.shape[0] == key.shape[0] and key.shape[:3] == value.shape[:3] and key.shape[1] > 0 and query.shape[3] > 0
        and (mask is None or _mask_fits(mask, query, key)) and (scale is None or math.isfinite(scale))
    )  # fmt: skip


def _mask_fits(mask: Tensor, query: Tensor, key: Tensor) -> bool:
    full = (query.shape[0], query.shape[2], query.shape[1], key.shape[1])
    return (
        mask.dtype is torch.bool
        and mask.ndim == 4
        and all(m in (1, n) for m, n in zip(mask.shape, full, strict=True))
    )


@fast_path("dot_product_attention", when=_attention_fits)
def _(
    query: Tensor, key: Tensor, value: Tensor, bias: Any = None, mask: Any = None, scale: Any = None,
    is_causal: bool = False, flash_attention: Any = None, attn_logits_soft_cap: Any = None,
) -> Tensor:  # fmt: skip
    q, k, v = query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)
    if mask is None:
        return F.scaled_dot_product_attention(q, k, v, is_causal=is_causal, scale=scale).transpose(1, 2)
    if is_causal:
        mask = mask & torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool, device=mask.device).tril()
    hidden = ~mask
    if wanted(q, k, v):
        # A query that may look nowhere gives the mean of the values, and has no derivative: hence its zeros. It sees
        # all keys alike; of large numbers throughout a row the kernel would lose the size of the row backwards.
        somewhere = mask.amax(-1, keepdim=True)  # `any`, in half the time
        q, hidden = torch.where(somewhere, q, 0), hidden & somewhere
    added = hidden.to(q.dtype).mul_(-0.7 * torch.finfo(q.dtype).max)
    return F.scaled_dot_product_attention(q, k, v, added, scale=scale).transpose(1, 2)


# ---- normalisation -------------------------------------------------------------------------------


def _trailing(x: Tensor, axis: Any) -> int:
    """How many of the last axes these are; 0 where they are others."""
    axes = sorted(a + x.ndim if a < 0 else a for a in ((axis,) if type(axis) is int else axis))
    return len(axes) if axes == list(range(x.ndim - len(axes), x.ndim)) else 0


def _layer_fits(
    x: Tensor, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: Any = None, **kwargs: Any
) -> bool:
    if kwargs or not _floats(x, gamma, beta) or not isinstance(axis, (int, tuple, list)):
        return False
    count = _trailing(x, axis)
    return count > 0 and all(v is None or v.shape == x.shape[-count:] for v in (gamma, beta))


@fast_path("layer_normalization", when=_layer_fits)
def _(x: Tensor, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None) -> Tensor:
    shape = x.shape[-_trailing(x, axis) :]
    return F.layer_norm(x, shape, gamma, beta, config.epsilon() if epsilon is None else epsilon)


def _rms_fits(x: Tensor, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> bool:
    """Forward only: PyTorch's derivative takes longer than that of the composition."""
    if not _floats(x, scale) or not isinstance(axis, (int, tuple, list)):
        return False
    if wanted(x, scale):
        return False
    count = _trailing(x, axis)
    return count > 0 and (scale is None or scale.shape == x.shape[-count:])


@fast_path("rms_normalization", when=_rms_fits)
def _(x: Tensor, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Tensor:
    shape = x.shape[-_trailing(x, axis) :]
    return F.rms_norm(x, shape, scale, config.epsilon() if epsilon is None else epsilon)


def _batch_fits(
    x: Tensor, mean: Tensor, variance: Tensor, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> bool:  # fmt: skip
    if not _floats(x, mean, variance, offset, scale) or type(axis) is not int or not -x.ndim <= axis < x.ndim:
        return False
    size = (x.shape[axis],)
    return all(v is None or v.shape == size for v in (mean, variance, offset, scale))


@fast_path("batch_normalization", when=_batch_fits)
def _(
    x: Tensor, mean: Tensor, variance: Tensor, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Tensor:  # fmt: skip
    if x.ndim > 1 and x.requires_grad and not (mean.requires_grad or variance.requires_grad):
        # Slower forward than what follows, and much faster backward; the moments have no derivative here.
        return F.batch_norm(x.movedim(axis, 1), mean, variance, scale, offset, eps=epsilon).movedim(1, axis)
    factor = torch.rsqrt(variance + epsilon)
    factor = factor if scale is None else factor * scale
    shift = -mean * factor if offset is None else torch.addcmul(offset, mean, factor, value=-1)
    if axis not in (-1, x.ndim - 1):
        shape = [-1 if i == axis % x.ndim else 1 for i in range(x.ndim)]
        factor, shift = factor.view(shape), shift.view(shape)
    return torch.addcmul(shift, x, factor)


def _is_tiled(
    images: Tensor, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid",
    data_format: str | None = None,
) -> bool:  # fmt: skip
    """Patches side by side, with the channels last."""
    sizes = (size, size) if type(size) is int else size
    return (
        images.ndim == 4
        and type(sizes) is tuple and len(sizes) == 2 and all(type(n) is int and n > 0 for n in sizes)
        and strides in (None, size) and type(dilation_rate) is int and dilation_rate == 1 and padding == "valid"
        and (data_format or config.image_data_format()) == "channels_last"
        and images.shape[1] >= sizes[0] and images.shape[2] >= sizes[1]
    )  # fmt: skip


@fast_path("extract_patches", when=_is_tiled)
def _(
    images: Tensor, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:  # fmt: skip
    k, m = (size, size) if type(size) is int else size
    b, h, w, c = images.shape
    rows, columns = h // k, w // m
    if (rows * k, columns * m) != (h, w):
        images = images[:, : rows * k, : columns * m]
    blocks = images.reshape(b, rows, k, columns, m, c).transpose(2, 3)
    return blocks.reshape(b, rows, columns, k * m * c)


# ---- images --------------------------------------------------------------------------------------


def _exact(old: int, new: int) -> bool:
    """Whether PyTorch's positions, which it computes in float32, are exact: the ratio has a power of two below."""
    return old % (new // (new & -new)) == 0 and max(old, new) < 1 << 15


def _resize_fits(
    images: Tensor, size: Any, interpolation: str = "bilinear", antialias: bool = False,
    crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False, fill_mode: str = "constant",
    fill_value: float = 0.0, data_format: str | None = None,
) -> bool:  # fmt: skip
    if (
        images.dtype not in F32
        or images.ndim not in (3, 4)
        or not isinstance(size, (tuple, list))
        or len(size) != 2
    ):
        return False
    if interpolation != "bilinear" or crop_to_aspect_ratio or pad_to_aspect_ratio or fill_mode != "constant":
        return False
    layout = config.image_data_format() if data_format is None else data_format
    if layout not in ("channels_last", "channels_first") or not all(type(n) is int and n > 0 for n in size):
        return False
    have = images.shape[-3:-1] if layout == "channels_last" else images.shape[-2:]
    return 0 not in images.shape and all(map(_exact, have, size))


@fast_path("resize", when=_resize_fits)
def _(
    images: Tensor, size: Any, interpolation: str = "bilinear", antialias: bool = False, crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False, fill_mode: str = "constant", fill_value: float = 0.0, data_format: str | None = None,
) -> Tensor:  # fmt: skip
    if is_finite(images) is False:  # the kernel reads elements of weight 0 too
        return DECLARED["resize"].body(images, size, antialias=antialias, data_format=data_format)
    last = (config.image_data_format() if data_format is None else data_format) == "channels_last"
    x = images if images.ndim == 4 else images[None]
    x = x.permute(0, 3, 1, 2) if last else x
    x = F.interpolate(x, tuple(size), mode="bilinear", antialias=bool(antialias))
    x = x.permute(0, 2, 3, 1) if last else x
    return x if images.ndim == 4 else x[0]


# ---- Fourier transforms --------------------------------------------------------------------------


@fast_path(
    "rfft",
    when=lambda x, fft_length=None: x.dtype in F32 and x.ndim > 0 and fft_length is None and 0 not in x.shape,
)
def _(x: Tensor, fft_length: int | None = None) -> tuple[Tensor, Tensor]:
    z = torch.fft.rfft(x)
    return z.real, z.imag
