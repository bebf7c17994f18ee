"""What a layer's `call` takes: worked out once for each class."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any


class CallSpec:
    """The parameters of a `call` method, and which of them Kerata fills in."""

    def __init__(self, call: Callable[..., Any]) -> None:
        whole = inspect.signature(call)
        parameters = list(whole.parameters.values())[1:]  # without the instance, whatever its name
        self.signature = whole.replace(parameters=parameters)
        self.names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        self.keywords = {p.name for p in parameters}
        self.takes_training = "training" in self.keywords
        self.takes_mask = "mask" in self.keywords
        self.masks = [n for n in self.keywords if n.endswith("_mask")]
        self.any_mask = self.takes_mask or bool(self.masks)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Parameter name -> argument. A wrong call raises TypeError, as Python does."""
        return self.signature.bind(*args, **kwargs).arguments


def _call_spec(cls: Any) -> CallSpec:
    """The spec of a layer class."""
    return CallSpec(cls.call)


def _parameters_of(method: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the parameters of a method of a layer class, without the instance."""
    parameters = list(inspect.signature(method).parameters.values())[1:]
    return tuple(p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))


call_spec: Callable[[Any], CallSpec] = lru_cache(maxsize=4096)(_call_spec)
parameters_of: Callable[[Any], tuple[str, ...]] = lru_cache(maxsize=4096)(_parameters_of)
