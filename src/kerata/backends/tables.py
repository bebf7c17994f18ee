"""The tables in which an engine's folder puts its functions: of primitives, and of native routes of ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Primitives = dict[str, Callable[..., Any]]
FastPaths = dict[str, tuple[Callable[..., bool] | None, Callable[..., Any]]]


def implementing(table: Primitives) -> Callable[[str], Callable[[Any], Any]]:
    """A decorator `implements(name)` that puts an irregular function into the table."""

    def implements(name: str) -> Callable[[Any], Any]:
        def put(fn: Any) -> Any:
            table[name] = fn
            return fn

        return put

    return implements


def routing(table: FastPaths) -> Callable[..., Callable[[Any], Any]]:
    """A decorator `fast_path(name, when)` for the native route of an op and the condition under which it holds."""

    def fast_path(name: str, when: Callable[..., bool] | None = None) -> Callable[[Any], Any]:
        def put(fn: Any) -> Any:
            table[name] = when, fn
            return fn

        return put

    return fast_path
