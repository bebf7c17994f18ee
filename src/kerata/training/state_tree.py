"""The state of a model as a tree of dicts by the variables' paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kerata.core.errors import ArgumentError
from kerata.core.variable import Variable

FORMATS = ("backend_tensor", "numpy_array")


def state_tree(variables: list[Variable], value_format: str) -> dict[str, Any]:
    """Nested dicts, with a level for each part of a path.

    Raises:
        ArgumentError: an unknown format.
    """
    if value_format not in FORMATS:
        raise ArgumentError(
            "value_format", expected=f"one of {', '.join(map(repr, FORMATS))}", got=value_format
        )
    tree: dict[str, Any] = {}
    for v in variables:
        *parts, last = v.path.split("/")
        node = tree
        for part in parts:
            node = node.setdefault(part, {})
        node[last] = v.numpy() if value_format == "numpy_array" else v.value
    return tree


def assignments(tree: Any, variables: list[Variable], group: str) -> list[tuple[Variable, Any]]:
    """The variables that a tree has values for, with the values.

    Raises:
        ArgumentError: no tree, or a path that no variable has.
    """
    by_path = {v.path: v for v in variables}
    found = []
    for path, value in _leaves(tree, group, ""):
        if path not in by_path:
            raise ArgumentError("state_tree", expected=f"paths of variables in {group!r}", got=path)
        found.append((by_path[path], by_path[path]._checked(value)))
    return found


def _leaves(tree: Any, group: str, prefix: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(tree, Mapping):
        raise ArgumentError("state_tree", expected=f"a dict of dicts in {group!r}", got=tree)
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, group, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", value
