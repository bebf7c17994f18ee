"""What the signature of a class says; it is the single source for its config."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any


def _init_parameters(cls: Any) -> tuple[str, ...]:
    """Names of the parameters of a class's `__init__`, those of its bases included where it passes **kwargs on."""
    names: dict[str, None] = {}
    for base in cls.__mro__:
        init = base.__dict__.get("__init__")
        if init is None:
            continue
        parameters = list(inspect.signature(init).parameters.values())[1:]
        names.update((p.name, None) for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return tuple(names)


init_parameters: Callable[[Any], tuple[str, ...]] = lru_cache(maxsize=4096)(_init_parameters)
