"""A scope in which files may name objects of the caller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from kerata.core import registry


class CustomObjectScope:
    """Inside it, files and configs may name these classes and functions.

    Args:
        custom_objects: name -> class or function.

    Example:
        >>> import kerata
        >>> def twice(x):
        ...     return kerata.ops.multiply(x, 2.0)
        >>> with kerata.saving.CustomObjectScope({"twice": twice}):
        ...     kerata.activations.get("twice") is twice
        True
    """

    def __init__(self, custom_objects: Mapping[str, Any]) -> None:
        self.custom_objects = dict(custom_objects or {})
        self._scope: Any = None

    def __enter__(self) -> Self:
        self._scope = registry.custom_object_scope(self.custom_objects)
        self._scope.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._scope.__exit__(*exc)


custom_object_scope = CustomObjectScope
