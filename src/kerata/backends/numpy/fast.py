"""Native routes of composed ops. Deleting this table leaves a slow and correct engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TABLE: dict[str, tuple[Callable[..., bool] | None, Callable[..., Any]]] = {}
