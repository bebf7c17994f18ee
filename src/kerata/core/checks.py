"""Checks of plain arguments; each gives the value in its standard form or raises an ArgumentError."""

from __future__ import annotations

import numbers
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kerata.core.dispatch import engine_of_type
from kerata.core.errors import ArgumentError, UnknownValuesError
from kerata.core.rules import integer_of


def at_least(argument: str, value: Any, low: int, expected: str | None = None) -> int:
    """An integer from `low` on."""
    found = integer_of(value)
    if found is None or found < low:
        raise _wrong(argument, expected or f"an integer of {low} or more", value)
    return found


def _wrong(argument: str, expected: str, value: Any) -> ArgumentError:
    owner = engine_of_type(type(value))
    unknown = owner is not None and not owner.is_concrete(value)
    return (UnknownValuesError if unknown else ArgumentError)(argument, expected=expected, got=value)


def positive_int(argument: str, value: Any) -> int:
    """An integer above zero."""
    return at_least(argument, value, 1, "a positive integer")


def natural(argument: str, value: Any) -> int:
    """An integer, zero or above."""
    return at_least(argument, value, 0, "an integer, 0 or more")


def integer(argument: str, value: Any) -> int:
    """An integer of either sign."""
    found = integer_of(value)
    if found is None:
        raise _wrong(argument, "an integer", value)
    return found


def int_list(argument: str, value: Any) -> tuple[int, ...]:
    """One integer or several."""
    found = [integer_of(v) for v in (value if isinstance(value, (list, tuple)) else (value,))]
    if None in found:
        raise ArgumentError(argument, expected="an integer or several", got=value)
    return tuple(v for v in found if v is not None)


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
    if getattr(value, "shape", ()) or value not in options:  # an array compares each of its elements
        raise ArgumentError(argument, expected=f"one of {', '.join(map(repr, options))}", got=value)
    return value


def int_tuple(
    argument: str, value: Any, length: int, low: int = 1, expected: str | None = None
) -> tuple[int, ...]:
    """`length` integers; a single one stands for all."""
    one = integer_of(value)
    items = (one,) * length if one is not None else value if isinstance(value, (tuple, list)) else ()
    found = [n for n in map(integer_of, items) if n is not None and n >= low]
    if len(items) != length or len(found) != length:
        words = expected or f"an integer or {length} integers, each {low} or more"
        raise ArgumentError(argument, expected=words, got=value)
    return tuple(found)


def several(argument: str, value: Any, expected: str) -> list[Any]:
    """The members of a sequence."""
    if isinstance(value, (str, bytes, dict)) or not isinstance(value, Iterable):
        raise ArgumentError(argument, expected=expected, got=value)
    return list(value)


def path(argument: str, value: Any) -> str:
    """The path of a file or folder."""
    try:
        return os.fspath(value)
    except TypeError:
        raise ArgumentError(argument, expected="a path", got=value) from None


def nothing_else(function: str, kwargs: Mapping[str, Any]) -> None:
    """Refuses keywords that a function takes only in order to tell of them."""
    for name, value in kwargs.items():
        raise ArgumentError(name, expected=f"an argument of {function}", got=value)
