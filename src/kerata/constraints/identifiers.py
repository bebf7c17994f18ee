"""Constraints from what users and files write, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerata.core import registry
from kerata.core.serialization import deserialize_kind, serialize_keras_object


def get(identifier: Any) -> Any:
    """The constraint that `identifier` means.

    Args:
        identifier: None (no constraint), a name, a config, a class, or a constraint or other function itself.

    Raises:
        ArgumentError: if it means none.

    Example:
        >>> get("max_norm").get_config()
        {'max_value': 2, 'axis': 0}
    """
    return registry.get("constraints", identifier, argument="constraint")


def serialize(constraint: Any) -> Any:
    """`constraint` as plain data.

    Example:
        >>> import kerata
        >>> kerata.constraints.serialize(kerata.constraints.NonNeg())["class_name"]
        'NonNeg'
    """
    return serialize_keras_object(constraint)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The constraint that `serialize` described.

    Args:
        config: what `serialize` gave, or a name.
        custom_objects: name -> class or function that the config may name beside Kerata's own.

    Example:
        >>> import kerata
        >>> data = kerata.constraints.serialize(kerata.constraints.MaxNorm(3.0))
        >>> kerata.constraints.deserialize(data).max_value
        3.0
    """
    return deserialize_kind("constraints", config, custom_objects, argument="constraint")
