"""Unsigned integers of 16, 32 and 64 bits, for which PyTorch has hardly any kernels.

Arithmetic modulo a power of two and the moving of elements are the same for signed integers with the same bits.
Turning the highest bit over makes the order of signed integers that of unsigned ones. Division goes through int64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

Tensor = Any
Function = Callable[..., Any]
_SIGNED = {torch.uint16: torch.int16, torch.uint32: torch.int32, torch.uint64: torch.int64}


def _each(change: Callable[[Any], Any], args: Any) -> tuple[Any, ...]:
    return tuple(_each(change, a) if type(a) is tuple else change(a) for a in args)


def _bits(dtype: torch.dtype) -> Callable[[Any], Any]:
    """Tensors and numbers of an unsigned dtype as signed ones with the same bits."""
    signed = _SIGNED[dtype]

    def change(x: Any) -> Any:
        if isinstance(x, (bool, int)):
            x = torch.tensor(x, dtype=dtype)
        return x.view(signed) if isinstance(x, torch.Tensor) and x.dtype == dtype else x

    return change


def _same_bits(fn: Function) -> Function:
    def call(dtype: torch.dtype, *args: Any, **params: Any) -> Tensor:
        return fn(*_each(_bits(dtype), args), **params).view(dtype)

    return call


def _turned(dtype: torch.dtype) -> Callable[[Any], Any]:
    bits, lowest = _bits(dtype), torch.iinfo(_SIGNED[dtype]).min

    def change(x: Any) -> Any:
        if isinstance(x, torch.Tensor) and x.dtype != dtype:  # indices, say
            return x
        y = bits(x)
        return y ^ lowest if isinstance(y, torch.Tensor) and y.dtype == _SIGNED[dtype] else y

    return change


def _in_order(fn: Function) -> Function:
    """Values come back with the highest bit turned again; indices and bools as they are."""

    def call(dtype: torch.dtype, *args: Any, **params: Any) -> Any:
        out = fn(*_each(_turned(dtype), args), **params)
        signed = _SIGNED[dtype]

        def back(y: Tensor) -> Tensor:
            return (y ^ torch.iinfo(signed).min).view(dtype) if y.dtype == signed else y

        return tuple(map(back, out)) if type(out) is tuple else back(out)

    return call


def _index(fn: Function) -> Function:
    """As `_in_order` for int32 results, which are not values even where values have 32 bits."""

    def call(dtype: torch.dtype, *args: Any, **params: Any) -> Tensor:
        return fn(*_each(_turned(dtype), args), **params)

    return call


def _order_of_two(fn: Function) -> Function:
    """Values and int32 indices."""

    def call(dtype: torch.dtype, x: Tensor, **params: Any) -> tuple[Tensor, Tensor]:
        values, places = fn(_turned(dtype)(x), **params)
        return (values ^ torch.iinfo(_SIGNED[dtype]).min).view(dtype), places

    return call


def _tensors(dtype: torch.dtype, *xs: Any) -> tuple[Tensor, ...]:
    return tuple(torch.tensor(x, dtype=dtype) if isinstance(x, (bool, int)) else x for x in xs)


def _quotient(dtype: torch.dtype, x1: Any, x2: Any) -> Tensor:
    x1, x2 = _tensors(dtype, x1, x2)
    if dtype != torch.uint64:
        return torch.floor_divide(x1.to(torch.int64), x2.to(torch.int64)).to(dtype)
    a, b = x1.view(torch.int64), x2.view(torch.int64)
    # By half the dividend, which has no sign, then one more where the rest allows it.
    half = torch.bitwise_right_shift(a, 1) & torch.iinfo(torch.int64).max
    q = torch.where(b < 0, 0, torch.floor_divide(half, torch.where(b == 0, 1, b)) * 2)
    lowest = torch.iinfo(torch.int64).min
    return (q + ((a - q * b) ^ lowest).ge(b ^ lowest)).view(dtype)


def _remainder(dtype: torch.dtype, x1: Any, x2: Any) -> Tensor:
    x1, x2 = _tensors(dtype, x1, x2)
    signed = _SIGNED[dtype]
    return (x1.view(signed) - _quotient(dtype, x1, x2).view(signed) * x2.view(signed)).view(dtype)


def _shift_right(dtype: torch.dtype, x1: Any, x2: Any) -> Tensor:
    x1, x2 = _tensors(dtype, x1, x2)
    width = 8 * x1.element_size()
    a, n = x1.to(torch.int64) if width < 64 else x1.view(torch.int64), x2.to(torch.int64)
    inside = (n >= 0) & (n < width)
    kept = torch.where(inside & (n > 0), n - 1, 0)
    half = torch.bitwise_right_shift(a, 1) & torch.iinfo(torch.int64).max
    out = torch.where(n == 0, a, torch.bitwise_right_shift(half, kept))
    out = torch.where(inside, out, 0)
    return out.view(dtype) if width == 64 else out.to(dtype)


def _power(dtype: torch.dtype, x1: Any, x2: Any) -> Tensor:
    """By half the exponent, which has no sign, squared."""
    x1, x2 = (x.view(_SIGNED[dtype]) for x in _tensors(dtype, x1, x2))
    half = torch.bitwise_right_shift(x2, 1) & torch.iinfo(x2.dtype).max
    root = torch.pow(x1, half)
    return (root * root * torch.where(x2 & 1 == 1, x1, 1)).view(dtype)


def _sign(dtype: torch.dtype, x: Tensor) -> Tensor:
    return x.ne(0).to(dtype)


def _as_bools(fn: Function) -> Function:
    def call(dtype: torch.dtype, *args: Any) -> Tensor:
        return fn(*(a.ne(0) if isinstance(a, torch.Tensor) and a.dtype == dtype else a for a in args))

    return call


_FAMILIES: dict[Callable[[Function], Function], tuple[str, ...]] = {
    _same_bits: (
        "add", "sub", "mul", "neg", "bitwise_not", "bitwise_and", "bitwise_or", "bitwise_xor", "shift_left", "sum",
        "prod", "cumsum", "cumprod", "flip", "dynamic_slice", "dynamic_update_slice", "take", "take_along_axis",
        "put_along_axis", "matmul", "einsum",
    ),
    _in_order: ("lt", "le", "gt", "ge", "maximum", "minimum", "max", "min", "sort"),
    _index: ("argmax", "argmin", "argsort", "searchsorted"),
    _order_of_two: ("top_k",),
    _as_bools: ("logical_not", "logical_and", "logical_or", "logical_xor"),
    lambda fn: _quotient: ("floor_divide",),
    lambda fn: _remainder: ("remainder",),
    lambda fn: _shift_right: ("shift_right",),
    lambda fn: _power: ("pow",),
    lambda fn: _sign: ("sign",),
    lambda fn: lambda dtype, x: x: ("abs",),
}  # fmt: skip


def _by_dtype(plain: Function, special: Function) -> Function:
    def call(*args: Any, **params: Any) -> Any:
        x = args[0]
        if type(x) is tuple:
            x = x[0]
        elif not isinstance(x, torch.Tensor):
            x = args[1]
        return special(x.dtype, *args, **params) if x.dtype in _SIGNED else plain(*args, **params)

    call.plain = plain  # type: ignore[attr-defined]  # for arguments of other dtypes
    return call


def _scatter(fn: Function) -> Function:
    by_bits, in_order = _same_bits(fn), _in_order(fn)

    def call(dtype: torch.dtype, x: Tensor, indices: Tensor, updates: Tensor, mode: str) -> Tensor:
        return (in_order if mode in ("max", "min") else by_bits)(dtype, x, indices, updates, mode=mode)

    return call


def support(table: dict[str, Function]) -> None:
    """Lets the primitives of a table take unsigned integers."""
    for family, names in _FAMILIES.items():
        for name in names:
            table[name] = _by_dtype(table[name], family(table[name]))
    table["scatter"] = _by_dtype(table["scatter"], _scatter(table["scatter"]))
