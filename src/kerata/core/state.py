"""What the current thread is doing: engine, scopes, abstract runs, training, autocast.

Everything here is thread-local, so that two threads may train on two engines.
"""

from __future__ import annotations

import threading
from typing import Any


class _ThreadState(threading.local):
    engine: Any = None  # engine chosen by `use_backend`, or by the layer that is running
    scope: Any = None  # innermost StateScope: redirects Variable reads and writes
    abstract: int = 0  # depth of abstract runs: creation ops give abstract values
    autocast: str | None = None  # dtype that float variables are read as inside a layer call
    tracing: int = 0  # depth of functions that an engine is tracing in place (no StateScope there)
    backward: int = 0  # depth of derivatives that Kerata is taking, all of which go backward
    recording: bool = True  # whether what is computed may be differentiated
    call: Any = None  # CallContext of the outermost layer call
    name_scope: tuple[str, ...] = ()
    calls: int | None = None  # abstract calls of ops that a load may still make; None: any number
    vectorising: bool = False  # whether an engine makes one function of all elements from that of one
    compiling: bool = False  # whether an engine writes down a function that may run uncompiled instead
    deferred: bool = False  # whether new variables wait for values that a file will give them


STATE = _ThreadState()


class setting:  # reads as a verb: `with setting(engine=...)`
    """Sets fields of the thread's state and puts the old values back. A class: a generator costs twice the time."""

    __slots__ = ("_old", "_values")

    def __init__(self, **values: Any) -> None:
        self._values = values

    def __enter__(self) -> None:
        self._old = {name: getattr(STATE, name) for name in self._values}
        for name, value in self._values.items():
            setattr(STATE, name, value)

    def __exit__(self, *_: object) -> None:
        for name, value in self._old.items():
            setattr(STATE, name, value)


class StateScope:
    """Keeps what variables are worth in a pure run of a stateful function.

    Reads look here first, then in the enclosing scope, then in the variable itself. Writes stay
    here: whoever opened the scope decides what becomes of `assigned`.
    """

    __slots__ = ("assigned", "on_read", "parent", "values")

    def __init__(self, values: dict[Any, Any] | None = None, on_read: Any = None) -> None:
        self.values: dict[Any, Any] = dict(values or {})
        self.assigned: dict[Any, Any] = {}
        self.on_read = on_read
        self.parent: StateScope | None = None

    def read(self, variable: Any) -> Any:
        """What the variable is worth here, or in an enclosing scope; None if none knows."""
        scope: StateScope | None = self
        while scope is not None:
            if variable in scope.values:
                return scope.values[variable]
            if scope.on_read is not None:
                value = scope.on_read(variable)
                if value is not None:
                    return value
            scope = scope.parent
        return None

    def write(self, variable: Any, value: Any) -> None:
        """Makes the variable worth `value` inside the scope."""
        self.values[variable] = value
        self.assigned[variable] = value

    def __enter__(self) -> StateScope:
        self.parent, STATE.scope = STATE.scope, self
        return self

    def __exit__(self, *exc: object) -> None:
        STATE.scope = self.parent
