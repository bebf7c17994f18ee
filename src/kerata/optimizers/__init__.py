"""Optimizers."""

from typing import Any

from kerata.core import registry as _registry
from kerata.core.serialization import deserialize_keras_object as _deserialize
from kerata.core.serialization import serialize_keras_object as serialize

from . import schedules as schedules
from .adam import Adam as Adam
from .optimizer import Optimizer as Optimizer

__all__ = ["deserialize", "get", "serialize"]


def get(identifier: Any) -> Any:
    """An optimizer from a name, a config, a class or an object."""
    return _registry.get("optimizers", identifier, argument="optimizer")


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """An optimizer from its config."""
    return _deserialize(config, custom_objects, kinds=("optimizers",))
