"""Logs that are read when somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_set = dict.__setitem__


class LazyLogs(dict):
    """A dict whose content is read at the first access.

    Reading a loss waits for the device. A loop makes one of these for each batch, which costs next to nothing,
    and only a callback that looks inside makes it wait. Numbers and scalar tensors become floats, in the order
    of their names; whatever else is in it stays as it is.

    Args:
        read: gives the values, as a mapping from names. It is called once, or never.

    Example:
        >>> logs = LazyLogs(lambda: print("read") or {"loss": 0.5})
        >>> logs["loss"]
        read
        0.5
        >>> logs
        {'loss': 0.5}
    """

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[], Mapping[str, Any]]) -> None:
        self._read: Callable[[], Mapping[str, Any]] | None = read
        # C code (`json.dumps`) that asks a dict for its raw size must not take it for an empty one.
        _set(self, "unread", None)

    def _load(self) -> None:
        read, self._read = self._read, None
        dict.clear(self)
        if read is not None:
            dict.update(self, floats(read()))

    def __bool__(self) -> bool:
        # `logs = logs or {}` is how many callbacks begin; it must not wait for the device.
        return self._read is not None or dict.__len__(self) > 0

    def __reduce__(self) -> Any:
        return dict, (dict(self.items()),)


def _reading(name: str) -> Any:
    method = getattr(dict, name)

    def call(self: LazyLogs, *args: Any, **kwargs: Any) -> Any:
        if self._read is not None:
            self._load()
        return method(self, *args, **kwargs)

    call.__name__ = name
    return call


for _name in (
    "__contains__", "__delitem__", "__eq__", "__getitem__", "__ior__", "__iter__", "__len__", "__ne__", "__or__",
    "__repr__", "__reversed__", "__ror__", "__setitem__", "clear", "copy", "get", "items", "keys", "pop",
    "popitem", "setdefault", "update", "values",
):  # fmt: skip
    setattr(LazyLogs, _name, _reading(_name))


def as_logs(logs: Any) -> dict[str, Any]:
    """The logs that callbacks get: a loop gives a mapping, a callable that reads one, or None."""
    if logs is None:
        return {}
    if isinstance(logs, LazyLogs):
        return logs
    return LazyLogs(logs) if callable(logs) else floats(logs)


def settle(logs: dict[str, Any]) -> None:
    """Reads logs now, if they were not read before."""
    if isinstance(logs, LazyLogs) and logs._read is not None:
        logs._load()


def floats(logs: Mapping[str, Any]) -> dict[str, Any]:
    """A dict in the order of names, with numbers and scalar tensors as Python floats."""
    return {name: _as_float(logs[name]) for name in sorted(logs)}


def _as_float(value: Any) -> Any:
    if type(value) is float:
        return value
    if isinstance(value, (bool, int)) or getattr(value, "shape", None) == ():
        return float(value)
    return value
