"""Losses."""

from typing import Any

from kerata.core import registry as _registry
from kerata.core.serialization import deserialize_keras_object as _deserialize
from kerata.core.serialization import serialize_keras_object as serialize

from .loss import Loss as Loss
from .mean_squared_error import MeanSquaredError as MeanSquaredError
from .mean_squared_error import mean_squared_error as mean_squared_error

__all__ = ["deserialize", "get", "serialize"]


def get(identifier: Any) -> Any:
    """A loss from a name, a config, a class, a function or an object."""
    return _registry.get("losses", identifier, argument="loss")


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """A loss from its config."""
    return _deserialize(config, custom_objects, kinds=("losses",))
