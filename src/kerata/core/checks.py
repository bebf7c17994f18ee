"""Checks of plain arguments; each gives the value in its standard form or raises an ArgumentError."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from typing import Any

from kerata.core.errors import ArgumentError


def positive_int(argument: str, value: Any) -> int:
    """An integer above zero."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value <= 0:
        raise ArgumentError(argument, expected="a positive integer", got=value)
    return int(value)


def natural(argument: str, value: Any) -> int:
    """An integer, zero or above."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 0:
        raise ArgumentError(argument, expected="an integer, 0 or more", got=value)
    return int(value)


def integer(argument: str, value: Any) -> int:
    """An integer of either sign."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise ArgumentError(argument, expected="an integer", got=value)
    return int(value)


def int_list(argument: str, value: Any) -> tuple[int, ...]:
    """One integer or several."""
    items = value if isinstance(value, (list, tuple)) else (value,)
    if not all(isinstance(v, numbers.Integral) and not isinstance(v, bool) for v in items):
        raise ArgumentError(argument, expected="an integer or several", got=value)
    return tuple(int(v) for v in items)


def number(argument: str, value: Any, low: float | None = None, high: float | None = None) -> float:
    """A real number in [low, high]."""
    fits = isinstance(value, numbers.Real) and not isinstance(value, bool) and value == value
    if not fits or (low is not None and value < low) or (high is not None and value > high):
        bounds = (
            ""
            if low is None and high is None
            else f" in [{low if low is not None else '-inf'}, {high if high is not None else 'inf'}]"
        )
        raise ArgumentError(argument, expected=f"a number{bounds}", got=value)
    return value


def option(argument: str, value: Any, options: Sequence[Any]) -> Any:
    """One of a few values."""
    if value not in options:
        raise ArgumentError(argument, expected=f"one of {', '.join(map(repr, options))}", got=value)
    return value


def int_tuple(argument: str, value: Any, length: int, low: int = 1) -> tuple[int, ...]:
    """`length` integers; a single one stands for all."""
    items = (
        (value,) * length if isinstance(value, numbers.Integral) and not isinstance(value, bool) else value
    )
    if (
        not isinstance(items, (tuple, list))
        or len(items) != length
        or not all(
            isinstance(v, numbers.Integral) and not isinstance(v, bool) and int(v) >= low for v in items
        )
    ):
        raise ArgumentError(
            argument, expected=f"an integer or {length} integers, each {low} or more", got=value
        )
    return tuple(int(v) for v in items)


def nothing_else(function: str, kwargs: Mapping[str, Any]) -> None:
    """Refuses keywords that a function takes only in order to tell of them."""
    for name, value in kwargs.items():
        raise ArgumentError(name, expected=f"an argument of {function}", got=value)
