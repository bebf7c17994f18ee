"""PyTorch's fused kernels for crossentropies."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from kerata.core.declare import DECLARED

from .fast import fast_path

Tensor = Any
_FLOATS = (torch.float32, torch.float64)
_LABELS = (torch.int64, torch.int32, torch.uint8, torch.int16, torch.int8)


def _sparse(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> bool:
    return (
        from_logits and type(axis) is int and axis in (-1, output.ndim - 1) and output.dtype in _FLOATS and target.dtype in _LABELS
        and output.ndim > 0 and target.shape == output.shape[:-1] and output.shape[-1] > 0 and output.device.type == "cpu"
    )  # fmt: skip


@fast_path("sparse_categorical_crossentropy", when=_sparse)
def _(target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1) -> Tensor:
    classes = target if target.dtype is torch.int64 else target.to(torch.int64)
    try:
        if output.ndim == 2:
            return F.cross_entropy(output, classes, reduction="none")
        flat = F.cross_entropy(output.reshape(-1, output.shape[-1]), classes.reshape(-1), reduction="none")
        return flat.reshape(output.shape[:-1])
    except IndexError:  # a class that does not exist, which the composition counts as 0
        return DECLARED["sparse_categorical_crossentropy"].body(target, output, from_logits, axis)


def _categorical(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> bool:
    return (
        from_logits
        and output.dtype in _FLOATS
        and target.dtype == output.dtype
        and output.ndim > 0
        and target.shape == output.shape
        and -output.ndim <= axis < output.ndim
    )


@fast_path("categorical_crossentropy", when=_categorical)
def _(target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1) -> Tensor:
    return -(target * F.log_softmax(output, axis)).sum(axis)


def _binary(target: Any, output: Any, from_logits: bool = False) -> bool:
    return (
        from_logits
        and output.dtype in _FLOATS
        and target.dtype == output.dtype
        and target.shape == output.shape
    )


@fast_path("binary_crossentropy", when=_binary)
def _(target: Tensor, output: Tensor, from_logits: bool = False) -> Tensor:
    return F.binary_cross_entropy_with_logits(output, target, reduction="none")
