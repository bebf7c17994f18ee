"""PyTorch's native routes of composed ops. Deleting this table leaves a slow and correct engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

TABLE: dict[str, tuple[Callable[..., bool] | None, Callable[..., Any]]] = {}
Tensor = torch.Tensor


def fast_path(name: str, when: Callable[..., bool] | None = None) -> Callable[[Any], Any]:
    """Registers the native route of an op and the condition under which it holds."""

    def put(fn: Any) -> Any:
        TABLE[name] = (when, fn)
        return fn

    return put


@fast_path("mean", when=lambda x, axis=None, keepdims=False: x.dtype in (torch.float32, torch.float64))
def _(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    return torch.mean(x, dim=axis, keepdim=keepdims) if axis != () else x
