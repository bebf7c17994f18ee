"""The primitives on PyTorch: a table, then the irregular ones with the reason."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import torch

from kerata.backends.tables import alternatives, gathers_in_float32, implementing, interpolation

from . import decompositions, derivatives, unsigned, windows
from .derivatives import ruled

Tensor = Any
# What may go through MKL's vector library on CPUs.
_ELEMENTARY = (
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "sin", "cos", "tan", "asin", "acos",
    "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "sigmoid", "erf", "erfc", "erfinv", "lgamma", "digamma",
    "floor", "ceil", "round", "trunc",
)  # fmt: skip
TABLE: dict[str, Callable[..., Any]] = {
    name: getattr(torch, name)
    for name in (
        *_ELEMENTARY, "neg", "abs", "bitwise_not", "logical_not", "isnan", "isinf", "isfinite", "real", "complex",
        "add", "mul", "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor", "atan2",
        "nextafter", "bitwise_and", "bitwise_or", "bitwise_xor", "matmul",
    )
}  # fmt: skip


def settle_vector_library() -> None:
    """Calls each function of MKL's vector library once, with one element.

    MKL chooses a function's kernel at its first call. Where two threads make that call together, one of them may get
    a kernel of low accuracy for it: `torch.exp` of a large tensor then is off by 1e-4 in half of the elements, in one
    process of some hundreds (https://github.com/pytorch/pytorch/issues/188792).
    """
    for dtype in (torch.float32, torch.float64):
        one = torch.ones(1, dtype=dtype, device="cpu")
        for name in _ELEMENTARY:
            getattr(torch, name)(one)


DTYPES: dict[str, torch.dtype] = {
    name: getattr(torch, name)
    for name in (
        "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "bfloat16",
        "float32", "float64", "float8_e4m3fn", "float8_e5m2", "complex64", "complex128",
    )
}  # fmt: skip
NAMES: dict[torch.dtype, str] = {dtype: name for name, dtype in DTYPES.items()}


implements = implementing(TABLE)


def _either(fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """PyTorch's functions want a tensor first: a scalar there becomes one."""

    def call(x1: Any, x2: Any) -> Tensor:
        if not isinstance(x1, torch.Tensor):
            x1 = torch.as_tensor(x1, dtype=x2.dtype, device=x2.device)
        return fn(x1, x2)

    return call


def _by_parts(fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """For complex numbers: PyTorch multiplies the second by a complex 1 first, which makes NaN of infinite parts."""

    def call(x1: Tensor, x2: Any) -> Tensor:
        if not x1.is_complex():
            return fn(x1, x2)
        return torch.complex(fn(x1.real, x2.real), fn(x1.imag, x2.imag))

    return call


TABLE |= {
    "add": _by_parts(torch.add), "sub": _by_parts(torch.sub), "div": torch.true_divide, "remainder": torch.remainder,
    "floor_divide": torch.floor_divide, "shift_left": torch.bitwise_left_shift, "shift_right": torch.bitwise_right_shift,
}  # fmt: skip
for _name in (
    "add", "sub", "mul", "div", "remainder", "floor_divide", "eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or",
    "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor", "shift_left", "shift_right",
):  # fmt: skip
    TABLE[_name] = _either(TABLE[_name])


def _pair(x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    if not isinstance(x2, torch.Tensor):
        return x1, torch.as_tensor(x2, dtype=x1.dtype, device=x1.device)
    if not isinstance(x1, torch.Tensor):
        return torch.as_tensor(x1, dtype=x2.dtype, device=x2.device), x2
    return x1, x2


# In 16 bits PyTorch's erf is 0 for small numbers, and slopes told from rounded values of the others are lost.
_of_halves = alternatives(TABLE, lambda x: x.dtype.itemsize == 2)
for _name, _fn in {"erf": torch.erf, "sigmoid": torch.sigmoid, "tanh": torch.tanh}.items():
    _of_halves(_name)((lambda fn: lambda x: fn(x.float()).to(x.dtype))(_fn))


@implements("pow")
def _(x1: Any, x2: Any) -> Tensor:
    """A complex 0 to the power of 0 is 1, to other powers of no positive real part NaN; PyTorch: NaN, half infinite."""
    if not isinstance(x1, torch.Tensor):
        x1 = _pair(x1, x2)[0]
    if x1.is_floating_point() and type(x2) is float and x2 in (0.5, -0.5):
        # PyTorch takes the square root, of which that of -inf is NaN and that of -0.0 is -0.0
        root = torch.sqrt(torch.where(x1 == -math.inf, math.inf, x1)) + 0.0
        return root if x2 > 0 else 1 / root
    y = torch.pow(x1, x2)
    if not y.is_complex():
        return y
    n = torch.as_tensor(x2)
    y = torch.where((x1 == 0) & (torch.real(n) <= 0), complex(math.nan, math.nan), y)
    return torch.where(n == 0, torch.ones_like(y), y)


@implements("sign")
def _(x: Tensor) -> Tensor:
    """NaN stays NaN; for PyTorch it has no sign."""
    return torch.where(torch.isnan(x), x, torch.sgn(x)) if x.is_floating_point() else torch.sgn(x)


def _of_tensors(fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda x1, x2: fn(x1, x2) if type(x1) is type(x2) else fn(*_pair(x1, x2))


TABLE["maximum"], TABLE["minimum"] = _of_tensors(torch.maximum), _of_tensors(torch.minimum)


@implements("imag")
def _(x: Tensor) -> Tensor:
    return torch.imag(x) if x.is_complex() else torch.zeros_like(x)


@implements("conj")
def _(x: Tensor) -> Tensor:
    return torch.conj_physical(x)


@implements("where")
def _(condition: Tensor, x1: Any, x2: Any) -> Tensor:
    return torch.where(condition, *_pair(x1, x2))


@implements("cast")
def _(x: Tensor, dtype: str) -> Tensor:
    target = DTYPES[dtype]
    if x.is_complex() and not target.is_complex and dtype != "bool":
        x = x.real
    if not target.is_floating_point and not target.is_complex and x.is_floating_point() and dtype != "bool":
        return _float_to_int(x, target)
    if target == torch.float8_e4m3fn:  # it has no infinity: what rounds beyond 448 is NaN
        x = x.to(torch.float32)
        x = torch.where(x.abs() > 464, torch.nan, x)
    return x.to(target)


def _float_to_int(x: Tensor, target: torch.dtype) -> Tensor:
    """Toward zero; NaN is 0 and what does not fit is the nearest limit (PyTorch leaves that open)."""
    info = torch.iinfo(target)
    wide = x.to(torch.float64).trunc()
    inside = torch.where((wide < float(info.max)) & (wide > float(info.min)), wide, 0.0)
    if target == torch.uint64:  # int64 holds the values below its limit, and the others less that limit
        upper = inside >= 2.0**63
        low = torch.where(upper, inside - 2.0**63, inside).to(torch.int64)
        out = torch.where(upper, low ^ torch.iinfo(torch.int64).min, low).view(target)
    else:
        out = inside.to(torch.int64).to(target)
    out = torch.where(wide >= float(info.max), torch.tensor(info.max, dtype=target, device=x.device), out)
    return torch.where(wide <= float(info.min), torch.tensor(info.min, dtype=target, device=x.device), out)


@implements("bitcast")
def _(x: Tensor, dtype: str) -> Tensor:
    return x.view(DTYPES[dtype])


# ---- reductions ----------------------------------------------------------------------------------


@implements("sum")
def _(x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    return torch.sum(x, dim=axis, keepdim=keepdims, dtype=x.dtype) if axis else x


def _one_by_one(fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def reduce(x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
        for i in reversed(axis):
            x = fn(x, i, keepdims)
        return x

    return reduce


TABLE["prod"] = _one_by_one(lambda x, i, keep: torch.prod(x, i, keepdim=keep, dtype=x.dtype))


def _reduced(fn: Callable[..., Tensor], otherwise: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda x, axis, keepdims: fn(x, dim=axis, keepdim=keepdims) if axis else otherwise(x)


TABLE["max"], TABLE["min"] = _reduced(torch.amax, lambda x: x), _reduced(torch.amin, lambda x: x)
TABLE["any"], TABLE["all"] = _reduced(torch.any, torch.Tensor.bool), _reduced(torch.all, torch.Tensor.bool)
TABLE["peak"] = TABLE["max"]


def _comparable(x: Tensor) -> Tensor:
    return x.to(torch.uint8) if x.dtype == torch.bool else x


@implements("argmax")
def _(x: Tensor, axis: int) -> Tensor:
    return torch.argmax(_comparable(x), dim=axis).to(torch.int32)


@implements("argmin")
def _(x: Tensor, axis: int) -> Tensor:
    return torch.argmin(_comparable(x), dim=axis).to(torch.int32)


@implements("cumsum")
def _(x: Tensor, axis: int) -> Tensor:
    return torch.cumsum(x, axis, dtype=x.dtype)


@implements("cumprod")
def _(x: Tensor, axis: int) -> Tensor:
    return torch.cumprod(x, axis, dtype=x.dtype)


# ---- shapes --------------------------------------------------------------------------------------


@implements("reshape")
def _(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    return x.reshape(shape)


@implements("transpose")
def _(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    return x.permute(axes)


@implements("broadcast_to")
def _(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    return x.expand(shape)


@implements("concatenate")
def _(xs: tuple[Tensor, ...], axis: int) -> Tensor:
    return torch.cat(xs, axis)


@implements("pad")
def _(x: Tensor, pads: tuple[tuple[int, int], ...], value: float) -> Tensor:
    flat = [n for lo, hi in reversed(pads) for n in (lo, hi)]
    return torch.constant_pad_nd(x, flat, value) if flat else x


@implements("slice")
def _(x: Tensor, starts: Any, limits: Any, strides: Any) -> Tensor:
    return x[tuple(slice(a, b, c) for a, b, c in zip(starts, limits, strides, strict=True))]


@implements("flip")
def _(x: Tensor, axis: tuple[int, ...]) -> Tensor:
    return torch.flip(x, axis)


def _window_indices(x: Tensor, starts: Tensor, sizes: tuple[int, ...]) -> list[Tensor]:
    """Index tensors of a window, without reading `starts` on the host."""
    grids = []
    for i, (n, d) in enumerate(zip(sizes, x.shape, strict=True)):
        first = starts[i].to(torch.int64).clamp(0, d - n)
        grid = first + torch.arange(n, device=x.device)
        grids.append(grid.reshape([-1 if j == i else 1 for j in range(len(sizes))]))
    return grids


@implements("dynamic_slice")
def _(x: Tensor, starts: Tensor, sizes: tuple[int, ...]) -> Tensor:
    return x[tuple(_window_indices(x, starts, sizes))] if sizes else x


@implements("dynamic_update_slice")
def _(x: Tensor, update: Tensor, starts: Tensor) -> Tensor:
    return torch.index_put(x, tuple(_window_indices(x, starts, update.shape)), update) if x.ndim else update


# ---- indices -------------------------------------------------------------------------------------


@implements("take")
def _(x: Tensor, indices: Tensor, axis: int) -> Tensor:
    if axis == 0 and x.ndim == 2:  # an embedding: one kernel forward, one backward
        return torch.embedding(x, indices) if x.is_floating_point() else x[indices.long()]
    flat = torch.index_select(x, axis, indices.reshape(-1))
    return flat.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1 :])


@implements("take_along_axis")
def _(x: Tensor, indices: Tensor, axis: int) -> Tensor:
    shape = [n if i == axis else d for i, (n, d) in enumerate(zip(x.shape, indices.shape, strict=True))]
    return torch.gather(x.expand(shape), axis, indices.long())


@implements("put_along_axis")
def _(x: Tensor, indices: Tensor, updates: Tensor, axis: int) -> Tensor:
    return torch.scatter_add(x, axis, indices.long(), updates)


def _columns(indices: Tensor) -> tuple[Tensor, ...]:
    return tuple(indices.long().unbind(-1))


@implements("gather_nd")
def _(x: Tensor, indices: Tensor) -> Tensor:
    return x[_columns(indices)] if indices.shape[-1] else x.expand(indices.shape[:-1] + x.shape)


def _scatter(x: Tensor, indices: Tensor, updates: Tensor, mode: str) -> Tensor:
    depth = indices.shape[-1]
    sizes = x.shape[:depth]
    rest = math.prod(x.shape[depth:])
    flat = torch.zeros(len(indices), dtype=torch.int64, device=x.device)
    for i, d in enumerate(sizes):
        flat = flat * d + indices[:, i].long()
    table = x.reshape(math.prod(sizes), rest)
    rows = flat[:, None].expand(-1, rest)
    values = updates.reshape(len(indices), rest)
    if mode == "set":
        out = _last_wins(table, flat, values)
    else:
        reduce = {"max": "amax", "min": "amin", "mul": "prod"}[mode]
        out = torch.scatter_reduce(table, 0, rows, values, reduce)
    return out.reshape(x.shape)


_scatter_by_rule = ruled("scatter", _scatter)


@implements("scatter")
def _(x: Tensor, indices: Tensor, updates: Tensor, mode: str) -> Tensor:
    if mode == "add":
        return torch.index_put(x, _columns(indices), updates, accumulate=True)
    return (_scatter if mode == "set" else _scatter_by_rule)(x, indices, updates, mode=mode)


def _last_wins(table: Tensor, flat: Tensor, values: Tensor) -> Tensor:
    """Of several updates of one place the last stays; PyTorch's own order is undefined."""
    order = torch.arange(len(flat), device=flat.device)
    last = torch.full((len(table),), -1, dtype=torch.int64, device=flat.device)
    last = torch.scatter_reduce(last, 0, flat, order, "amax")
    touched = (last >= 0)[:, None]
    if not len(values):
        return table
    return torch.where(touched, values[last.clamp(min=0)], table)


@implements("sort")
def _(x: Tensor, axis: int) -> Tensor:
    return torch.sort(x, dim=axis, stable=True).values


@implements("argsort")
def _(x: Tensor, axis: int) -> Tensor:
    return torch.argsort(x, dim=axis, stable=True).to(torch.int32)


@implements("top_k")
def _(x: Tensor, k: int) -> tuple[Tensor, Tensor]:
    found = torch.sort(_comparable(x), dim=-1, descending=True, stable=True)
    return found.values[..., :k].to(x.dtype), found.indices[..., :k].to(torch.int32)


@implements("searchsorted")
def _(x: Tensor, v: Tensor, side: str) -> Tensor:
    return torch.searchsorted(x.contiguous(), v.contiguous(), right=side == "right", out_int32=True)


@functools.lru_cache(maxsize=4096)
def _joined_axes(equation: str) -> int:
    """How many last axes of the first operand meet as many first axes of the second, nothing else being done; or 0."""
    first, _, rest = equation.partition(",")
    second, _, out = rest.partition("->")
    if not (first + second).isalpha() or len(set(first)) < len(first) or len(set(second)) < len(second):
        return 0
    n = len(set(first) & set(second))
    return n if first[-n:] == second[:n] and first[:-n] + second[n:] == out else 0


@implements("einsum")
def _(*xs: Tensor, equation: str) -> Tensor:
    n = _joined_axes(equation)
    if n and xs[0].is_floating_point():  # `torch.einsum` would run it as a batch of one, on one core
        x, y = xs
        size = math.prod(x.shape[-n:])
        flat = torch.mm(x.reshape(math.prod(x.shape[:-n]), size), y.reshape(size, math.prod(y.shape[n:])))
        return flat.reshape(x.shape[:-n] + y.shape[n:])
    return torch.einsum(equation, *xs).to(xs[0].dtype)  # sums of small integers come as int64


TABLE["interpolate"] = interpolation(
    lambda x, places, axis: TABLE["take"](x, torch.from_numpy(places).to(x.device), axis),
    lambda v, x: torch.from_numpy(v).to(x.device, x.dtype),
    lambda x, axis: x.sum(axis),
    TABLE["einsum"],
    lambda x, usual, other: usual() if derivatives.is_finite(x) else other(),
)
gathers_in_float32(TABLE, lambda x: x.requires_grad and x.dtype.itemsize == 2)
TABLE |= decompositions.TABLE
TABLE |= windows.TABLE
derivatives.declare(TABLE)
unsigned.support(TABLE)
