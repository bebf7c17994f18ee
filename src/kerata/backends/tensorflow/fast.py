"""TensorFlow's native routes of composed ops. Deleting this table leaves a slow and correct engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TABLE: dict[str, tuple[Callable[..., bool] | None, Callable[..., Any]]] = {}


def fast_path(name: str, when: Callable[..., bool] | None = None) -> Callable[[Any], Any]:
    """Registers the native route of an op and the condition under which it holds."""

    def put(fn: Any) -> Any:
        TABLE[name] = (when, fn)
        return fn

    return put
