"""What belongs to a layer: its variables, sublayers, seeds and metrics, wherever its attributes hold them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kerata.core.variable import Variable

_SKIP = frozenset(
    ("_inbound_nodes", "_plans", "_inputs", "_outputs", "_inputs_struct", "_outputs_struct", "_nodes", "_plan",
     "_own_variables", "_collected", "_init_config", "_lists")
)  # fmt: skip


def held(value: Any) -> Iterator[Any]:
    """Objects with variables inside an attribute's value, in order."""
    if isinstance(value, (list, tuple, set)):
        for v in value:
            if type(v) not in _PLAIN:
                yield from held(v)
    elif isinstance(value, dict):
        for v in value.values():
            if type(v) not in _PLAIN:
                yield from held(v)
    elif isinstance(value, Variable):
        yield value
    elif getattr(type(value), "_kerata_variables", False) and type(value)._kerata_state_kind != "optimizer":
        yield value  # an optimizer holds variables that are not its own


_PLAIN = frozenset((int, float, str, bool, type(None), bytes))


def children(owner: Any) -> list[Any]:
    """What the attributes of `owner` hold, each once, in the order in which the attributes were set."""
    found: dict[int, Any] = {id(v): v for v in owner.__dict__.get("_own_variables", ())}
    for name, value in owner.__dict__.items():
        if type(value) in _PLAIN or name in _SKIP:
            continue
        for item in held(value):
            if name == "_compile_args" and isinstance(item, Variable):
                continue  # one of `loss_weights`, which are no weights of the model
            found.setdefault(id(item), item)
    return list(found.values())


def descendants(owner: Any, seen: set[int] | None = None) -> Iterator[Any]:
    """All objects below `owner`, depth first, each once."""
    seen = {id(owner)} if seen is None else seen
    for child in children(owner):
        if id(child) not in seen:
            seen.add(id(child))
            yield child
            if not isinstance(child, Variable):
                yield from descendants(child, seen)


def growing(owner: Any) -> Iterator[list[Any] | dict[Any, Any] | set[Any]]:
    """The lists, dicts and sets in attributes of users' classes below `owner`, which may come to hold other objects.

    Kerata's own classes say themselves when what they hold changes.
    """
    for holder in (owner, *descendants(owner)):
        if isinstance(holder, Variable) or type(holder).__module__.partition(".")[0] == "kerata":
            continue
        stack = [value for name, value in holder.__dict__.items() if name not in _SKIP]
        while stack:
            value = stack.pop()
            if isinstance(value, (list, dict, set)):
                yield value
            if isinstance(value, (list, tuple, dict)):
                stack.extend(value.values() if isinstance(value, dict) else value)
