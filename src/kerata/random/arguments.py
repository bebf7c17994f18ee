"""Checks that all draws share."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata import ops
from kerata.core import dtypes, rules
from kerata.core.errors import ArgumentError

Shape = tuple[Any, ...]
SCALARS = (int, float, np.integer, np.floating)


def is_number(x: Any) -> bool:
    """Whether an argument is a real number rather than a tensor."""
    return isinstance(x, SCALARS) and not isinstance(x, bool)


def sizes_of(shape: Any) -> Shape:
    """The shape of a draw: an integer or a sequence of integers, none of them negative."""
    sizes = rules.as_shape(shape)
    if isinstance(shape, bool):
        raise ArgumentError("shape", expected="a tuple of integers", got=shape)
    if any(type(d) is int and d < 0 for d in sizes):
        raise ArgumentError("shape", expected="sizes that are not negative", got=shape)
    return sizes


def check_broadcast(value: Any, name: str, shape: Shape, expected: str = "a number") -> None:
    """Refuses a tensor that does not broadcast to the shape of the draw."""
    have = tuple(ops.shape(value))
    lead = len(shape) - len(have)
    fits = lead >= 0 and all(
        a == 1 or not rules.differ(a, b) for a, b in zip(have, shape[lead:], strict=True)
    )
    if not fits:
        raise ArgumentError(name, expected=f"{expected}, or a tensor that broadcasts to {shape}", got=value)


def float_dtype(dtype: Any) -> str:
    """The name of a float dtype; anything else is refused."""
    name = dtypes.of_numbers(dtype)
    if not dtypes.is_float(name):
        raise ArgumentError("dtype", expected="a float dtype", got=dtype)
    return name


def work_dtype(name: str) -> str:
    """The dtype in which values are made: those of 16 bits and less are rounded from float32."""
    return "float64" if name == "float64" else "float32"
