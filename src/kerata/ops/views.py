"""The same bits as another dtype, pairs of reals as complex numbers, and casts that stay within the limits."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.core import dtypes
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values

from .core import cast
from .elementwise import to_float
from .splitting import cut

TensorLike = Any
Tensor = Any
_BITS = {1: "int8", 2: "int16", 4: "int32", 8: "int64"}
_PARTIAL = ("bool", "string", "complex64", "complex128")


def _check(name: str, argument: str, got: Any) -> None:
    if name in _PARTIAL:
        raise ArgumentError(argument, expected="a dtype of real numbers", got=got)


def _bits(x: Tensor) -> Tensor:
    """The bits as signed integers of that size."""
    name = dtype_of(x)
    same = _BITS[dtypes.itemsize(name)]
    return x if name == same else p.bitcast(x, dtype=same)


def _signed(x: Tensor, size: int) -> Tensor:
    """Integers in [0, 2**bits) as signed ones of that size, with the same bits."""
    half = 1 << (8 * size - 1)
    return cast(p.where(p.ge(x, half), p.sub(x, 2 * half), x), _BITS[size])


def _narrowed(x: Tensor, have: int, want: int) -> Tensor:
    """Each integer as several smaller ones, the lowest bits first."""
    wide = x if have == 8 else cast(x, "int64") if want == 4 else cast(x, "int32") if have < 4 else x
    mask = (1 << (8 * want)) - 1
    shape = shape_of(x)
    parts = []
    for i in range(have // want):
        part = p.bitwise_and(p.shift_right(wide, 8 * want * i), mask)
        parts.append(p.reshape(_signed(part, want), shape=(*shape, 1)))
    joined = p.concatenate(tuple(parts), axis=len(shape))
    return p.reshape(joined, shape=(*shape[:-1], shape[-1] * (have // want)))


def _widened(x: Tensor, have: int, want: int) -> Tensor:
    """Several integers as one larger one, the lowest bits first."""
    *lead, last = shape_of(x)
    count = want // have
    groups = p.reshape(x, shape=(*lead, last // count, count))
    work = "int64" if want == 8 else "int32"
    out = None
    for i in range(count):
        part = cast(p.reshape(cut(groups, len(lead) + 1, i, i + 1), shape=(*lead, last // count)), work)
        part = p.shift_left(p.bitwise_and(part, (1 << (8 * have)) - 1), 8 * have * i)
        out = part if out is None else p.bitwise_or(out, part)
    return out if want >= 4 else _signed(out, want)


@op(
    samples=[
        sample(T((2,)), "int32"), sample(T((2, 3)), "int8"), sample(T((2, 4), "int8"), "int32"),
        sample(T((3,)), "uint8"), sample(T((3,))), sample(T((2,), "float64"), "float32"),
        sample(T((2,), "float16"), "int16"), sample(T((2, 2), "bfloat16"), "float32"),
        sample(T((4,), "int16"), "uint8"), sample(T((2,), "uint8"), "int16"), sample(T((2,), "int32"), "float64"),
    ],
    rejects=[
        rejects(T((3,), "int8"), "int32", argument="x"), rejects(T((2,)), "bool", argument="dtype"),
        rejects(T((2,), "bool"), "int8", argument="x"), rejects(T(()), "int8", argument="x"),
    ],
    reference=lambda x, dtype=None: x if dtype is None else np.ascontiguousarray(x).view(dtypes.numpy_dtype(dtype)),
    wide=False, differentiable=False,
    computes=False,
)  # fmt: skip
def view(x: TensorLike, dtype: Any = None) -> Tensor:
    """The same bits read as another dtype. A smaller one makes the last axis longer, a larger one shorter.

    Args:
        x: a tensor of real numbers.
        dtype: the dtype; that of `x` where not given.

    Raises:
        ArgumentError: the bits of the last axis do not fill up elements of the dtype.

    Example:
        >>> import kerata
        >>> int(kerata.ops.view(1.0, "int32"))
        1065353216
    """
    name = dtype_of(x)
    target = name if dtype is None else dtypes.of_numbers(dtype)
    _check(name, "x", x)
    _check(target, "dtype", dtype)
    if target == name:
        return x
    have, want = dtypes.itemsize(name), dtypes.itemsize(target)
    if have == want:
        return p.bitcast(x, dtype=target)
    shape = shape_of(x)
    if not shape or (want > have and type(shape[-1]) is int and shape[-1] % (want // have)):
        raise ArgumentError(
            "x", expected=f"with a last axis of a multiple of {want} bytes, the size of {target}", got=x
        )
    bits = _narrowed(_bits(x), have, want) if want < have else _widened(_bits(x), have, want)
    return bits if target == _BITS[want] else p.bitcast(bits, dtype=target)


@op(
    samples=[
        sample(T((2, 2))),
        sample(T((3, 2), "float64")),
        sample(T((2,), "int32"), gradient=False),
        sample(T((0, 2))),
        sample(values([[float("nan"), float("inf")]])),
    ],
    rejects=[rejects(T((2, 3)), argument="x"), rejects(T((2, 2), "complex64"), argument="x")],
    reference=lambda x: x[..., 0] + 1j * x[..., 1],
)
def view_as_complex(x: TensorLike) -> Tensor:
    """Pairs along the last axis as complex numbers.

    Args:
        x: real numbers, of which the last axis has size 2.

    Returns:
        A complex tensor without the last axis.

    Example:
        >>> import kerata
        >>> complex(kerata.ops.convert_to_numpy(kerata.ops.view_as_complex([1.0, 2.0])))
        (1+2j)
    """
    shape, name = shape_of(x), dtype_of(x)
    if not shape or shape[-1] != 2 or dtypes.is_complex(name):
        raise ArgumentError("x", expected="real numbers with a last axis of size 2", got=x)
    x = to_float(x)
    x = cast(x, "float64" if dtype_of(x) == "float64" else "float32")
    last = len(shape) - 1
    return p.complex_(*(p.reshape(cut(x, last, i, i + 1), shape=shape[:-1]) for i in range(2)))


@op(
    samples=[
        sample(T((3,), "complex64")),
        sample(T((2, 2), "complex128")),
        sample(T((2,))),
        sample(T((2,), "int32")),
        sample(T((0, 2), "complex64")),
    ],
    reference=lambda x: np.stack([np.real(x), np.imag(x)], -1),
)
def view_as_real(x: TensorLike) -> Tensor:
    """Complex numbers as pairs along a new last axis. Real ones have imaginary parts of 0.

    Args:
        x: numbers of any shape.

    Returns:
        A real tensor with a last axis of size 2.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.view_as_real(1 + 2j))
        array([1., 2.], dtype=float32)
    """
    shape, name = shape_of(x), dtype_of(x)
    if dtypes.is_complex(name):
        parts = (p.real(x), p.imag(x))
    else:
        parts = (x, cast(p.ne(p.eq(x, x), p.eq(x, x)), name))
    return p.concatenate(tuple(p.reshape(v, shape=(*shape, 1)) for v in parts), axis=len(shape))


@op(
    samples=[
        sample(values(-1.0, 300.0, 3.7, float("nan")), "uint8", gradient=False),
        sample(values(-300, 300, 5, dtype="int32"), "int8"),
        sample(values(1e300, -1e300, 1.0, dtype="float64"), "float32", gradient=False),
        sample(values(1e30, 2.0), "float16", gradient=False), sample(values(-5, 5, dtype="int32"), "uint32"),
        sample(T((3,)), "bool"), sample(T((3,), "bool"), "int8"), sample(values(200, dtype="uint8"), "int8"),
        sample(values(-100000, 70000, 5, dtype="int32"), "float16"),
        sample(values(1e5, -300.0, 0.3), "float8_e4m3fn", gradient=False),
        sample(values(1000, 3, dtype="int32"), "float8_e5m2"),
        sample(values(1000.0, 3.0, dtype="float8_e5m2"), "float8_e4m3fn", gradient=False),
    ],
    rejects=[rejects(T((2,)), "int7", argument="dtype")],
    wide=False,
    computes=False,
)  # fmt: skip
def saturate_cast(x: TensorLike, dtype: Any) -> Tensor:
    """`cast`, with what does not fit replaced by the nearest finite number that does. NaN becomes 0 in integers.

    Args:
        x: real numbers of any shape.
        dtype: dtype of the result.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.saturate_cast([-1.0, 300.0], "uint8"))
        array([  0, 255], dtype=uint8)
    """
    name, target = dtype_of(x), dtypes.of_numbers(dtype)
    if target == "bool" or name == "bool" or dtypes.is_complex(name) or dtypes.is_complex(target):
        return cast(x, target)
    if dtypes.is_int(target):
        if dtypes.is_float(name):
            return cast(x, target)  # which stays within the limits, too
        low, high = dtypes.iinfo(target).min, dtypes.iinfo(target).max
        limits = dtypes.iinfo(name)
        x = p.maximum(x, int(low)) if low > limits.min else x
        return cast(p.minimum(x, int(high)) if high < limits.max else x, target)
    if dtypes.is_float8(name) or (dtypes.is_int(name) and dtypes.itemsize(target) < 4):
        x, name = cast(x, "float32"), "float32"
    if dtypes.is_float(name) and float(dtypes.finfo(name).max) > float(dtypes.finfo(target).max):
        top = float(dtypes.finfo(target).max)
        x = p.where(p.gt(x, top), top, p.where(p.lt(x, -top), -top, x))
    return cast(x, target)
