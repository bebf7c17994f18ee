"""Derivatives as the primitives declare them, where PyTorch's own are others.

Nothing here costs anything but a question where no derivative is wanted.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch._C._functorch import TransformType
from torch._functorch.pyfunctorch import retrieve_all_functorch_interpreters

from kerata.core.declare import PRIMITIVES
from kerata.core.state import STATE

Tensor = Any
Function = Callable[..., Any]


def wanted(*args: Any) -> bool:
    """Whether what is computed of these now may be differentiated."""
    if torch.is_grad_enabled():
        for a in args:
            if isinstance(a, torch.Tensor) and (a.requires_grad or (not _compiling() and followed(a))):
                return True
    return False


def followed(x: Tensor) -> bool:
    """Whether derivatives by it are recorded, maybe outside of the `torch.vmap` that it is in."""
    while not x.requires_grad and wrapped(x):
        x = torch._C._functorch.get_unwrapped(x)
    return x.requires_grad


wrapped, _compiling = torch._C._functorch.is_functorch_wrapped_tensor, torch.compiler.is_compiling


# ---- slopes that may be infinite -------------------------------------------------------------------


def _pulled(inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> Any:
    """No cotangent, no derivative: also where the slope is no finite number."""
    g = outputs[0]
    if g is None:
        return None
    none = g == 0
    return tuple(x if x is None else torch.where(none & ~torch.isfinite(x), 0, x) for x in inputs)


def _pulled_root(inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> Any:
    """The root is flat at 0."""
    found = _pulled(inputs, outputs)
    return found and tuple(x if x is None else torch.where(torch.isinf(x), 0, x) for x in found)


def _hooked(name: str, fn: Function, hook: Callable[[Tensor], Function]) -> Function:
    """`hook(x)` mends the slopes. Not where nodes take no hooks, nor slopes of slopes: for these there is the rule."""
    declared = ruled(name, fn)

    def call(x: Tensor) -> Tensor:
        y = fn(x)
        if _compiling() or not (y.requires_grad or wrapped(y)):
            return y
        if STATE.backward > 1 or wrapped(y):
            return declared(x) if followed(y) else y
        if y.grad_fn is not None:
            y.grad_fn.register_hook(hook(x))
        return y

    return call


def _hooked_pair(name: str, fn: Function, hook: Callable[[Tensor, Tensor], Function]) -> Function:
    declared = ruled(name, fn)

    def call(x1: Any, x2: Any) -> Tensor:
        y = fn(x1, x2)
        if _compiling() or not (y.requires_grad or wrapped(y)) or not isinstance(x2, torch.Tensor):
            return y
        if STATE.backward > 1 or wrapped(y):
            return declared(x1, x2) if followed(y) else y
        number = not isinstance(x1, torch.Tensor)
        if number:
            x1 = torch.as_tensor(x1, dtype=x2.dtype, device=x2.device)
        if number or x1.shape != x2.shape:  # the hook sees derivatives of the shape of the cotangent
            x1, x2 = torch.broadcast_tensors(x1, x2)
            y = fn(x1, x2)
        y.grad_fn.register_hook(hook(x1, x2))
        return y

    return call


def _nan_wins(x1: Tensor, x2: Tensor) -> Function:
    """Of maximum and minimum: one NaN has the whole cotangent, two share it. PyTorch gives it to both in full."""

    def hook(inputs: tuple[Any, ...], outputs: tuple[Any, ...]) -> Any:
        bad1, bad2, g = torch.isnan(x1), torch.isnan(x2), outputs[0]
        shares = (torch.where(bad2, 0.5 * bad1, bad1), torch.where(bad1, 0.5 * bad2, bad2))
        return tuple(
            x if x is None else torch.where(bad1 | bad2, (g * share).to(x.dtype), x)
            for x, share in zip(inputs, shares, strict=True)
        )

    return hook


def _nan_stays(x: Tensor) -> Function:
    """Of the absolute value: the derivative at NaN is NaN."""
    return lambda inputs, outputs: (torch.where(torch.isnan(x), x, inputs[0]),)


def is_finite(x: Tensor) -> bool | None:
    """Whether all of `x` is; None where the answer is not at hand."""
    if x.device.type != "cpu" or _compiling() or wrapped(x):
        return None
    return bool(torch.isfinite(x.detach().sum()))


def _goes_forward(*args: Any) -> bool:
    """Inside `torch.func.jvp` and what is made of it, for which declared rules, which go backward, are no use."""
    inside = any(wrapped(a) for a in args if isinstance(a, torch.Tensor))
    return inside and any(level.key() == TransformType.Jvp for level in retrieve_all_functorch_interpreters())


# ---- whole rules ---------------------------------------------------------------------------------


def ruled(name: str, fn: Function) -> Function:
    """The primitive with its declared rule instead of PyTorch's."""

    class Declared(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(params: dict[str, Any], *args: Any) -> Any:
            out = fn(*args, **params)
            if isinstance(out, tuple):
                return tuple(out)
            return out.view_as(out) if any(out is a for a in args) else out  # of no axes: the argument itself

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            ctx.params, *args = inputs
            ctx.plain = [None if isinstance(a, torch.Tensor) else a for a in args]
            ctx.results = len(output) if isinstance(output, tuple) else 0
            outputs = output if isinstance(output, tuple) else (output,)
            ctx.save_for_backward(*outputs, *(a for a in args if isinstance(a, torch.Tensor)))

        @staticmethod
        def backward(ctx: Any, *cotangents: Tensor) -> Any:
            count = max(ctx.results, 1)
            results, rest = ctx.saved_tensors[:count], iter(ctx.saved_tensors[count:])
            args = [next(rest) if a is None else a for a in ctx.plain]
            rule = PRIMITIVES[name].grad
            assert rule is not None
            if ctx.results:
                found = rule(cotangents, results, *args, **ctx.params)
            else:
                found = rule(cotangents[0], results[0], *args, **ctx.params)
            return None, *(c if a is None else None for c, a in zip(found, ctx.plain, strict=True))

    @functools.wraps(fn)
    def call(*args: Any, **params: Any) -> Any:
        by_rule = wanted(*args) and not _goes_forward(*args)
        return Declared.apply(params, *args) if by_rule else fn(*args, **params)

    return call


def _power(fn: Function) -> Function:
    """PyTorch's derivatives are good where the exponent is a number; below 1, the slope may be infinite. Powers of a half
    are no power in PyTorch."""
    declared = ruled("pow", fn)

    def call(x1: Any, x2: Any) -> Tensor:
        if isinstance(x2, torch.Tensor) or x2 in (0.5, -0.5):
            return declared(x1, x2)
        y = fn(x1, x2)
        if isinstance(x2, complex) or x2 >= 1 or _compiling() or not (y.requires_grad or wrapped(y)):
            return y
        if STATE.backward > 1 or wrapped(y):
            return declared(x1, x2) if followed(y) else y
        y.grad_fn.register_hook(_pulled)
        return y

    return call


def _flat(fn: Function) -> Function:
    def call(*args: Any) -> Tensor:
        return fn(*(a.detach() if isinstance(a, torch.Tensor) else a for a in args))

    return call


_STEEP = (
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "rsqrt", "asin", "acos", "atanh", "sinh", "cosh",
    "erfinv", "lgamma",
)  # fmt: skip


def declare(table: dict[str, Function]) -> None:
    """Gives the primitives of a table their declared derivatives."""
    for name in _STEEP:
        table[name] = _hooked(name, table[name], lambda x: _pulled)
    table["sqrt"] = _hooked("sqrt", table["sqrt"], lambda x: _pulled_root)
    table["abs"] = _hooked("abs", table["abs"], _nan_stays)
    table["div"] = _hooked_pair("div", table["div"], lambda x1, x2: _pulled)
    for name in ("maximum", "minimum"):
        table[name] = _hooked_pair(name, table[name], _nan_wins)
    table["pow"] = _power(table["pow"])
    for name in ("max", "min", "prod", "cumprod", "remainder", "acosh", "interpolate"):
        table[name] = ruled(name, table[name])
    for name in ("sign", "floor_divide"):
        table[name] = _flat(table[name])
