"""Which classes and functions a file may name: closed tables of our own, and what the caller registered.

Nothing is ever looked up by importing a module that a file names, or by walking attributes.
"""

from __future__ import annotations

import difflib
import importlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from kerata.core.errors import ArgumentError

C = TypeVar("C")

# Kind -> the package that fills its table when it is first asked for.
_HOMES = {
    "activations": "kerata.activations",
    "constraints": "kerata.constraints",
    "initializers": "kerata.initializers",
    "layers": "kerata.layers",
    "losses": "kerata.losses",
    "metrics": "kerata.metrics",
    "models": "kerata.models",
    "optimizers": "kerata.optimizers",
    "policies": "kerata.dtype_policies",
    "random": "kerata.random",
    "regularizers": "kerata.regularizers",
    "schedules": "kerata.optimizers.schedules",
}
KINDS = tuple(_HOMES)
_tables: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
_custom: dict[str, Any] = {}  # "package>name" -> what the caller registered
_names: dict[Any, str] = {}


class _Scopes(threading.local):
    objects: tuple[dict[str, Any], ...] = ()
    live: dict[str, Any] | None = None


_scopes = _Scopes()


def register_builtin(kind: str, *names: str) -> Callable[[C], C]:
    """Puts a class or function of Kerata's own into the table of its kind, under its name and others."""

    def put(obj: C) -> C:
        for name in (obj.__name__, *names):  # type: ignore[attr-defined]
            _tables[kind][name] = obj
        if isinstance(obj, type):
            obj._kerata_kind = kind  # type: ignore[attr-defined]
        return obj

    return put


def table(kind: str) -> dict[str, Any]:
    """Name -> object for one kind; do not change it."""
    if kind not in _tables:
        raise ArgumentError("kind", expected=f"one of {KINDS}", got=kind)
    importlib.import_module(_HOMES[kind])
    return _tables[kind]


def named(kind: str, name: str) -> Any:
    """What a table has by a name, or None."""
    return table(kind).get(name)


def function(kind: str, name: str) -> Any:
    """What a table has by a name that stands for a function.

    A metric may bear the name of its function; then the table has the class, and the module the function.
    """
    found = named(kind, name)
    if not isinstance(found, type):
        return found
    other = getattr(importlib.import_module(_HOMES[kind]), name, None)
    return found if isinstance(other, type) else other


def kind_of(obj: Any) -> str | None:
    """The table that a class (or the class of an object) of Kerata's own stands in."""
    cls = obj if isinstance(obj, type) else type(obj)
    kind = cls.__dict__.get("_kerata_kind")
    return kind


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[C], C]:
    """A decorator that lets files name a class or function of yours.

    Args:
        package: first part of the registered name.
        name: second part; the object's own name where it is None.

    Example:
        >>> import kerata
        >>> @kerata.saving.register_keras_serializable("my_package")
        ... def twice(x):
        ...     return kerata.ops.multiply(x, 2.0)
        >>> kerata.saving.get_registered_name(twice)
        'my_package>twice'
    """

    def put(obj: C) -> C:
        full = f"{package}>{name or obj.__name__}"  # type: ignore[attr-defined]
        if isinstance(obj, type) and not hasattr(obj, "get_config"):
            raise ArgumentError("cls", expected="a class with a `get_config` method", got=obj)
        _custom[full], _names[obj] = obj, full
        return obj

    return put


def get_registered_name(obj: Any) -> str:
    """The name that a class or function was registered under, or its own name.

    Args:
        obj: a class or function.

    Example:
        >>> import kerata
        >>> kerata.saving.get_registered_name(kerata.layers.Dense)
        'Dense'
    """
    return _names.get(obj, getattr(obj, "__name__", str(obj)))


def name_in_configs(obj: Any) -> str:
    """What a config calls a class or function of a caller."""
    name, live = get_registered_name(obj), _scopes.live
    if live is None:
        return name
    name = f"{name}@{id(obj)}"  # two that bear one name stay two
    live[name] = obj
    return name


@contextmanager
def live_objects() -> Iterator[None]:
    """Inside it, configs of objects in memory find the classes and functions that they name, registered or not.

    For copies: such a config must not leave the scope.
    """
    outer, live = (_scopes.live, _scopes.objects), dict[str, Any]()
    _scopes.live, _scopes.objects = live, (*_scopes.objects, live)
    try:
        yield
    finally:
        _scopes.live, _scopes.objects = outer


def get_registered_object(
    name: str,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """What was registered under a name, looking in `custom_objects` and scopes first; None if nothing.

    Args:
        name: the registered name, such as "my_package>MyLayer".
        custom_objects: objects by name, which are looked at first.
        module_objects: objects by name, which are looked at last.

    Example:
        >>> import kerata
        >>> kerata.saving.get_registered_object("a>b", {"a>b": len}) is len
        True
    """
    for objects in (custom_objects or {}, *reversed(_scopes.objects), _custom, module_objects or {}):
        if name in objects:
            return objects[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """The table of registered objects; entries may be added to it.

    Example:
        >>> import kerata
        >>> isinstance(kerata.saving.get_custom_objects(), dict)
        True
    """
    return _custom


@contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any] | None = None, **more: Any) -> Iterator[None]:
    """Inside it, files may name these objects."""
    old = _scopes.objects
    _scopes.objects = (*old, {**(custom_objects or {}), **more})
    try:
        yield
    finally:
        _scopes.objects = old


def get(kind: str, identifier: Any, *, argument: str) -> Any:
    """An object of a kind from what users write: a name, a config, a class, an instance or None.

    Args:
        kind: the table.
        identifier: None, a string, a {"class_name": ..., "config": ...} dict, a class, or the object itself.
        argument: what to call it in an error.
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        from kerata.core.serialization import deserialize_keras_object  # stands on this table

        if "class_name" not in identifier or "config" not in identifier:
            raise ArgumentError(argument, expected="a config with `class_name` and `config`", got=identifier)
        return deserialize_keras_object(identifier, kinds=(kind,))
    if isinstance(identifier, str):
        identifier = find(kind, identifier, argument)
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier) or hasattr(identifier, "get_config"):
        return identifier
    raise ArgumentError(
        argument, expected=f"the name of one of the {kind}, or an object of them", got=identifier
    )


def find(kind: str, name: str, argument: str) -> Any:
    """The class or function with that name, in the caller's own tables or in Kerata's."""
    found = get_registered_object(name)
    if found is None:
        found = table(kind).get(name)
    if found is None:
        raise ArgumentError(argument, expected=f"one of {suggestions(kind, name)}", got=name)
    return found


def suggestions(kind: str, name: str, most: int = 5) -> str:
    """The names in a table that are nearest to a wrong one."""
    names = sorted(table(kind))
    near = difflib.get_close_matches(name, names, n=most, cutoff=0.4) or names[:most]
    return ", ".join(map(repr, near)) + (" …" if len(names) > len(near) else "")
