"""A plug-in engine: NumPy under another name, with tensors of its own class and without fast paths.

Other packages add engines in this way. `load_wrong` makes one with a fault, which the suite has to find.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.backends.numpy.engine import NumpyEngine
from kerata.backends.numpy.tape import Box


class Array(np.ndarray):
    """This engine's tensors: NumPy's own would be taken for those of the NumPy engine."""


class Traced(Box):
    """Values inside a function that is being differentiated."""

    __slots__ = ()


def owned(result: Any) -> Any:
    """Results of NumPy as this engine's tensors."""
    if isinstance(result, (tuple, list)):
        return type(result)(owned(part) for part in result)
    return result if isinstance(result, Box) else np.asarray(result).view(Array)


class PluginEngine(NumpyEngine):
    """The embedded engine's primitives, on arrays of another class."""

    name = "plugin"
    tensor_types = (Array, Traced)
    box = Traced

    def __init__(self, changed: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.primitives = {**self.primitives, **(changed or {})}
        self.primitives = {name: _owning(fn) for name, fn in self.primitives.items()}
        self.fast_paths = {}  # those of NumPy are for NumPy's arrays

    def convert(self, value: Any, dtype: str | None = None) -> Array:
        return owned(super().convert(value, dtype))

    def to_numpy(self, x: Any) -> np.ndarray:
        return super().to_numpy(x).view(np.ndarray)


def _owning(primitive: Any) -> Any:
    def call(*args: Any, **params: Any) -> Any:
        return owned(primitive(*args, **params))

    return call


def load() -> PluginEngine:
    """The entry point."""
    return PluginEngine()


def load_wrong() -> PluginEngine:
    """An engine whose tanh is off by one part in ten thousand."""
    return PluginEngine({"tanh": lambda x: np.tanh(x) * np.asarray(1.0001, x.dtype)})
