"""The tables in which an engine's folder puts its functions: of primitives, and of native routes of ops."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from kerata.core import dtypes
from kerata.core.taps import Taps, equation_along

Primitives = dict[str, Callable[..., Any]]
FastPaths = dict[str, tuple[Callable[..., bool] | None, Callable[..., Any]]]


all_integers = {int}.issuperset  # of the types in a shape


def implementing(table: Primitives) -> Callable[[str], Callable[[Any], Any]]:
    """A decorator `implements(name)` that puts an irregular function into the table."""

    def implements(name: str) -> Callable[[Any], Any]:
        def put(fn: Any) -> Any:
            table[name] = fn
            return fn

        return put

    return implements


def interpolation(
    take: Callable[[Any, np.ndarray, int], Any],
    array: Callable[[np.ndarray, Any], Any],
    total: Callable[[Any, int], Any],
    product: Callable[..., Any],
    if_finite: Callable[[Any, Callable[[], Any], Callable[[], Any]], Any],
    cost: int = 40,
) -> Callable[..., Any]:
    """The primitive `interpolate` in an engine's words.

    Args:
        take: elements at some places along an axis.
        array: an array as a tensor like another.
        total: the sum over an axis.
        product: `einsum`, with the equation by its name.
        if_finite: what the first of two functions gives where a tensor is known to be finite, else the second.
        cost: of a tap, in elements of a row of the matrix. Multiplying all by a matrix of which most is zero takes less
            time where the rows are short; but zero times NaN is NaN.
    """

    def interpolate(x: Any, taps: Taps, axis: int) -> Any:
        def by_taps() -> Any:
            places, weights = taps.rows
            before, after = (1,) * axis, (1,) * (len(x.shape) - 1 - axis)
            if len(places) > _MANY:
                weights = weights.reshape(*before, *weights.shape, *after)
                return total(take(x, places, axis) * array(weights, x), axis)
            rows = (array(w.reshape(*before, -1, *after), x) for w in weights)
            parts = (take(x, at, axis) * row for at, row in zip(places, rows, strict=True))
            return functools.reduce(operator.add, parts)

        def by_matrix() -> Any:
            return product(array(taps.dense, x), x, equation=equation_along(len(x.shape), axis))

        short = taps.old < cost * (len(taps.rows[0]) - 1)
        return if_finite(x, by_matrix, by_taps) if short else by_taps()

    return interpolate


_MANY = 16  # taps: one operation for all, lest programs grow long


def alternatives(table: Primitives, holds: Callable[[Any], bool]) -> Callable[[str], Callable[[Any], None]]:
    """A decorator `instead(name)` for another implementation of a function in the table, where `holds(x)`."""

    def instead(name: str) -> Callable[[Any], None]:
        def put(fn: Any) -> None:
            other = table[name]
            table[name] = lambda x: fn(x) if holds(x) else other(x)
            table[name].otherwise = other  # type: ignore[attr-defined]

        return put

    return instead


GATHERS = ("take", "take_along_axis", "gather_nd")


def gathers_in_float32(
    table: Primitives, differentiated: Callable[[Any], bool], widen: Callable[[Any], Any] | None = None
) -> None:
    """Lets the derivatives of gathers from tensors of half precision, which are sums, be added up in float32.

    Args:
        table: the primitives of an engine.
        differentiated: whether a tensor is of half precision and a derivative may be asked for.
        widen: the tensor in float32, where a cast is not enough.
    """
    widen = widen or (lambda x: table["cast"](x, "float32"))

    def wide(fn: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(fn)
        def call(x: Any, *rest: Any, **params: Any) -> Any:
            if not differentiated(x):
                return fn(x, *rest, **params)
            y = fn(widen(x), *rest, **params)
            return table["cast"](y, dtypes.standardize(x.dtype))

        return call

    for name in GATHERS:
        table[name] = wide(table[name])


def routing(table: FastPaths) -> Callable[..., Callable[[Any], Any]]:
    """A decorator `fast_path(name, when)` for the native route of an op and the condition under which it holds."""

    def fast_path(name: str, when: Callable[..., bool] | None = None) -> Callable[[Any], Any]:
        def put(fn: Any) -> Any:
            table[name] = when, fn
            return fn

        return put

    return fast_path
