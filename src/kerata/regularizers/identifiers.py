"""Regularizers from what users and files write, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerata.core import registry
from kerata.core.serialization import deserialize_kind, serialize_keras_object


def get(identifier: Any) -> Any:
    """The regularizer that `identifier` means.

    Args:
        identifier: None (no regularizer), a name, a config, a class, or a regularizer or other function itself.

    Raises:
        ArgumentError: if it means none.

    Example:
        >>> get("l2").get_config()
        {'l2': 0.01}
    """
    return registry.get("regularizers", identifier, argument="regularizer")


def serialize(regularizer: Any) -> Any:
    """`regularizer` as plain data.

    Example:
        >>> import kerata
        >>> kerata.regularizers.serialize(kerata.regularizers.L2(0.1))["class_name"]
        'L2'
    """
    return serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The regularizer that `serialize` described.

    Args:
        config: what `serialize` gave, or a name.
        custom_objects: name -> class or function that the config may name beside Kerata's own.

    Example:
        >>> import kerata
        >>> data = kerata.regularizers.serialize(kerata.regularizers.L2(0.5))
        >>> float(kerata.regularizers.deserialize(data)([2.0]))
        2.0
    """
    return deserialize_kind("regularizers", config, custom_objects, argument="regularizer")
