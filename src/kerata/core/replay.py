"""Functions that are run again to get their inner values back, and must then draw the same random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kerata.core.state import STATE, StateScope


def replayable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The same function; a second run starts from the variables' values of the first, and assigns nothing.

    For engines that recompute a function in the backward pass (rematerialisation): seeds that advance, and statistics,
    must be what they were, or dropout would drop other elements than it did.
    """
    start: dict[Any, Any] = {}
    ran = False

    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal ran
        if ran:
            with StateScope(start):
                return fn(*args, **kwargs)
        ran = True
        seen: dict[Any, Any] = {}
        outer = STATE.scope

        def note(variable: Any) -> None:
            value = None if outer is None else outer.read(variable)
            if value is None:
                value = (
                    variable.keep_promise()
                    if variable.promised
                    else variable.engine.read(variable._container)
                )
            seen[variable] = value

        with StateScope(on_read=note) as scope:
            out = fn(*args, **kwargs)
        for variable, value in scope.assigned.items():
            if variable in seen:
                start[variable] = seen[variable]
            variable.assign(value)
        return out

    return call
