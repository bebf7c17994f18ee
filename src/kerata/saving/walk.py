"""The objects of a model that have arrays of their own, with the paths under which a weights file holds them.

The order and the names are those of Keras 3: attributes by name, those that begin with an underscore last; members of
lists, tuples and dicts by class name with a counter; each object once, under the first path that reaches it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kerata.core.naming import to_snake_case
from kerata.layers.layer import Layer
from kerata.models.functional import Functional
from kerata.models.model import Model
from kerata.models.sequential import Sequential
from kerata.optimizers.optimizer import Optimizer

_SAVED = (Layer, Optimizer)
_BASES = (Sequential, Functional, Model, Layer, Optimizer)  # their own attributes are not the user's
# Attributes of the base classes that hold other objects a second time, or only on the way.
_SKIPPED = frozenset(
    ("_graph", "_sequence", "_functional_operations", "_init_config", "_inbound_nodes", "_own_variables", "_collected",
     "_plans", "_trainer", "_layers")
)  # fmt: skip


def saved_objects(root: Any) -> Iterator[tuple[str, Any]]:
    """Pairs of path and object, the root first under the path ""."""
    seen: dict[int, Any] = {}  # by id; holds the objects, since the id of one that is gone may come again
    stack: list[tuple[str, Any]] = [("", root)]
    while stack:
        path, item = stack.pop()
        if isinstance(item, _SAVED):
            if id(item) in seen:
                continue
            seen[id(item)] = item
            yield path, item
            inner = _attributes(item)
        elif _is_container(item) and id(item) not in seen:
            seen[id(item)] = item
            inner = _members(item)
        else:
            continue
        prefix = f"{path}/" if path else ""
        stack.extend(reversed([(prefix + name, child) for name, child in inner]))


def _is_container(value: Any) -> bool:
    return isinstance(value, (list, dict, tuple))


def _attributes(owner: Any) -> list[tuple[str, Any]]:
    """Attributes that may hold objects with arrays, in the order of Keras."""
    base = next(base for base in _BASES if isinstance(owner, base))
    names = set(owner.__dict__)
    for cls in type(owner).__mro__[: type(owner).__mro__.index(base)]:
        names.update(cls.__dict__)
    if isinstance(owner, Model):
        names.update(("layers", "optimizer"))
    found = []
    for name in sorted(names - _SKIPPED, key=lambda name: (name.startswith("_"), name)):
        if name.startswith("__"):
            continue
        try:
            value = getattr(owner, name)
        except Exception:  # a property that has no value yet, such as the output of a layer never called
            continue
        if isinstance(value, _SAVED) or _is_container(value):
            found.append((name, value))
    return found


def _members(container: Any) -> list[tuple[str, Any]]:
    counts: dict[str, int] = {}
    found = []
    for value in container.values() if isinstance(container, dict) else container:
        if isinstance(value, _SAVED):
            name = to_snake_case(type(value).__name__)
        elif _is_container(value):
            name = "container"
        else:
            continue
        count = counts.get(name, 0)
        counts[name] = count + 1
        found.append((f"{name}_{count}" if count else name, value))
    return found
