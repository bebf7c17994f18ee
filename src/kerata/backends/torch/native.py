"""PyTorch's own habits: custom autograd functions, and what users of `nn.Module` expect of a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from kerata.core import tree
from kerata.core.variable import Variable, value_of

from .derivatives import wrapped


def custom_gradient(fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """`fn(*args)` gives (outputs, grad_fn); derivatives come from `grad_fn`."""
    kept: dict[str, Any] = {}

    class Custom(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Any:
            outputs, ctx.grad_fn = fn(*inputs)
            kept["spec"] = outputs
            flat = tree.flatten(outputs)
            return flat[0] if len(flat) == 1 else tuple(flat)

        @staticmethod
        def backward(ctx: Any, *cotangents: Any) -> Any:
            grads = ctx.grad_fn(*cotangents)
            return tuple(grads) if isinstance(grads, (list, tuple)) else (grads,)

    class Repeated(torch.autograd.Function):
        """Inside `torch.vmap`, where `grad_fn` may hold nothing from the forward run: it is made again."""

        generate_vmap_rule = True

        @staticmethod
        def forward(*inputs: Any) -> Any:
            kept["spec"] = outputs = fn(*inputs)[0]
            flat = tree.flatten(outputs)
            return flat[0] if len(flat) == 1 else tuple(flat)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx: Any, *cotangents: Any) -> Any:
            grads = fn(*ctx.saved_tensors)[1](*cotangents)
            return tuple(grads) if isinstance(grads, (list, tuple)) else (grads,)

    mapped = any(wrapped(a) for a in args if isinstance(a, torch.Tensor))
    out = (Repeated if mapped else Custom).apply(*args)
    return tree.pack_sequence_as(kept["spec"], [out] if isinstance(out, torch.Tensor) else list(out))


def _parameters(layer: Any) -> Iterator[Any]:
    return (v._container for v in layer.trainable_variables)


def _named_parameters(layer: Any) -> Iterator[tuple[str, Any]]:
    return ((v.path, v._container) for v in layer.trainable_variables)


def _zero_grad(layer: Any, set_to_none: bool = True) -> None:
    for p in _parameters(layer):
        if p.grad is not None:
            p.grad = None if set_to_none else p.grad.zero_()


_ATTRIBUTES: dict[str, Callable[..., Any]] = {
    "parameters": _parameters,
    "named_parameters": _named_parameters,
    "state_dict": lambda layer: {v.path: v._container.detach() for v in layer.variables},
    "zero_grad": _zero_grad,
}


def layer_attribute(layer: Any, name: str) -> Any:
    """`layer.parameters()` and the like, as PyTorch's optimizers and tools call them."""
    if name not in _ATTRIBUTES:
        raise AttributeError(name)
    return lambda *args, **kwargs: _ATTRIBUTES[name](layer, *args, **kwargs)


def _on_values(cls: type, function: Callable[..., Any], types: Any, args: Any, kwargs: Any = None) -> Any:
    """PyTorch's own functions of variables are those of their values."""
    args, kwargs = tree.map_structure(value_of, [args, kwargs or {}])
    return function(*args, **kwargs)


Variable.__torch_function__ = classmethod(_on_values)  # type: ignore[attr-defined]
