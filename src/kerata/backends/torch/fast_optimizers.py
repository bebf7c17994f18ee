"""PyTorch's fused and list-wise kernels for the updates of optimizers. They write in place.

A route gives back the very lists that it was given, so that nothing is assigned afterwards.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from kerata.core.state import STATE

from .fast import fast_path

Tensor = Any
Tensors = list[Tensor]
_FLOAT = torch.float32
_HOST = torch.device("cpu")


def _alike(values: Tensors, gradients: Tensors) -> bool:
    return all(x.dtype is _FLOAT and g.dtype is _FLOAT for x, g in zip(values, gradients, strict=True))


def _updates(values: Any, gradients: Any, *rest: Any) -> bool:
    return type(values) is list and _alike(values, gradients)


def _floats(values: Any, *rest: Any) -> bool:
    return type(values) is list and all(x.dtype is torch.float32 for x in values)


@fast_path("optimizer_next_step")
def _(iterations: Tensor) -> Tensor:
    return iterations + 1


@fast_path("optimizer_count", when=lambda iterations: iterations.dtype is torch.int32)
def _(iterations: Tensor) -> Tensor:
    return iterations.to(torch.float32).add_(1.0)


@fast_path("optimizer_decay", when=_floats)
@torch.no_grad()
def _(values: Tensors, rate: Tensor, amount: float) -> Tensors:
    torch._foreach_mul_(values, _scalar(rate * -amount + 1.0))
    return values


@fast_path("optimizer_average", when=lambda averages, values, keep: _floats(averages) and _floats(values))
@torch.no_grad()
def _(averages: Tensors, values: Tensors, keep: Tensor) -> Tensors:
    torch._foreach_mul_(averages, _scalar(keep))
    torch._foreach_add_(averages, torch._foreach_mul(values, _scalar(1.0 - keep)))
    return averages


@fast_path("optimizer_limit_norms", when=_floats)
@torch.no_grad()
def _(gradients: Tensors, limit: float) -> Tensors:
    norms = torch._foreach_norm(gradients)
    torch._foreach_clamp_min_(norms, limit)
    factors = torch._foreach_reciprocal(norms)
    torch._foreach_mul_(factors, limit)
    return list(torch._foreach_mul(gradients, factors))


@fast_path("optimizer_limit_global_norm", when=_floats)
@torch.no_grad()
def _(gradients: Tensors, limit: float) -> Tensors:
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    return list(torch._foreach_mul(gradients, limit / norm.clamp(min=limit)))


def _readable(x: Tensor) -> bool:
    """Whether reading a number costs nothing: an accelerator would be waited for, and a compiled function broken."""
    return x.device == _HOST and not STATE.tracing


def _scalar(x: Tensor) -> Any:
    """A number where reading it costs nothing, else the tensor."""
    return x.item() if _readable(x) else x


@fast_path("optimizer_adam", when=_updates)
@torch.no_grad()
def _(
    values: Tensors, gradients: Tensors, momentums: Tensors, velocities: Tensors, rate: Tensor, step: Tensor,
    beta_1: float, beta_2: float, epsilon: float,
) -> tuple[Tensors, Tensors, Tensors]:  # fmt: skip
    _adam(values, gradients, momentums, velocities, [], rate, step, beta_1, beta_2, epsilon)
    return values, momentums, velocities


@fast_path("optimizer_amsgrad", when=_updates)
@torch.no_grad()
def _(
    values: Tensors, gradients: Tensors, momentums: Tensors, velocities: Tensors, hats: Tensors, rate: Tensor, step: Tensor,
    beta_1: float, beta_2: float, epsilon: float,
) -> tuple[Tensors, Tensors, Tensors, Tensors]:  # fmt: skip
    _adam(values, gradients, momentums, velocities, hats, rate, step, beta_1, beta_2, epsilon)
    return values, momentums, velocities, hats


def _adam(
    values: Tensors, gradients: Tensors, momentums: Tensors, velocities: Tensors, hats: Tensors, rate: Tensor, step: Tensor,
    beta_1: float, beta_2: float, epsilon: float,
) -> None:  # fmt: skip
    beta_1, beta_2 = float(np.float32(beta_1)), float(np.float32(beta_2))  # see `updates.in_precision`
    if _readable(step):
        gradients = [g.contiguous() for g in gradients]  # the kernel takes their memory order for granted
        count = step.item()
        # PyTorch adds epsilon to the corrected root, and what is to be added is added to the root itself.
        corrected = epsilon / math.sqrt(1.0 - beta_2**count)
        torch._fused_adam_(
            values, gradients, momentums, velocities, hats, [step] * len(values), lr=rate.item(),
            beta1=beta_1, beta2=beta_2, weight_decay=0.0, eps=corrected, amsgrad=bool(hats), maximize=False,
        )  # fmt: skip
        return
    scaled = rate * torch.sqrt(1.0 - beta_2**step) / (1.0 - beta_1**step)
    torch._foreach_lerp_(momentums, gradients, 1.0 - beta_1)
    torch._foreach_mul_(velocities, beta_2)
    torch._foreach_addcmul_(velocities, gradients, gradients, 1.0 - beta_2)
    if hats:
        torch._foreach_maximum_(hats, velocities)
    sizes = torch._foreach_sqrt(hats or velocities)
    torch._foreach_add_(sizes, epsilon)
    pushes = torch._foreach_div(momentums, sizes)
    torch._foreach_mul_(pushes, scaled)
    torch._foreach_sub_(values, pushes)


@fast_path("optimizer_sgd", when=_updates)
@torch.no_grad()
def _(values: Tensors, gradients: Tensors, rate: Tensor) -> tuple[Tensors]:
    _descend(values, gradients, rate)
    return (values,)


def _descend(values: Tensors, gradients: Tensors, rate: Tensor) -> None:
    """values -= rate * gradients"""
    if _readable(rate):
        torch._foreach_add_(values, gradients, alpha=-rate.item())
    else:
        torch._foreach_sub_(values, torch._foreach_mul(gradients, rate))


@fast_path("optimizer_sgd_momentum", when=_updates)
@torch.no_grad()
def _(
    values: Tensors, gradients: Tensors, momentums: Tensors, rate: Tensor, momentum: float, nesterov: bool
) -> tuple[Tensors, Tensors]:
    torch._foreach_mul_(momentums, momentum)
    _descend(momentums, gradients, rate)
    if nesterov:
        torch._foreach_add_(values, momentums, alpha=momentum)
        _descend(values, gradients, rate)
    else:
        torch._foreach_add_(values, momentums)
    return values, momentums


@fast_path("optimizer_rmsprop", when=_updates)
@torch.no_grad()
def _(
    values: Tensors, gradients: Tensors, velocities: Tensors, momentums: Tensors, means: Tensors, rate: Tensor,
    rho: float, momentum: float, epsilon: float,
) -> tuple[Tensors, Tensors, Tensors, Tensors]:  # fmt: skip
    torch._foreach_mul_(velocities, rho)
    torch._foreach_addcmul_(velocities, gradients, gradients, 1.0 - rho)
    sizes = velocities
    if means:
        torch._foreach_lerp_(means, gradients, 1.0 - rho)
        sizes = torch._foreach_addcmul(velocities, means, means, -1.0)
    sizes = torch._foreach_add(sizes, epsilon)
    torch._foreach_sqrt_(sizes)
    pushes = torch._foreach_div(gradients, sizes)
    if momentums:
        torch._foreach_mul_(momentums, momentum)
        torch._foreach_mul_(pushes, _scalar(rate))
        torch._foreach_add_(momentums, pushes)
        torch._foreach_sub_(values, momentums)
    else:
        _descend(values, pushes, rate)
    return values, velocities, momentums, means
