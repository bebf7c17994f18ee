"""Dtype policies from what users and files write, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kerata.core import dtypes, registry
from kerata.core.dtype_policy import DTypePolicy, dtype_policy, from_name
from kerata.core.errors import ArgumentError
from kerata.core.serialization import deserialize_keras_object, serialize_keras_object


def get(identifier: Any) -> DTypePolicy:
    """The policy that `identifier` means.

    Args:
        identifier: a policy, its name ("mixed_bfloat16", "int8_from_float32"), a dtype, a config, or None for the
            default policy.

    Raises:
        ArgumentError: if it means none.

    Example:
        >>> get("mixed_bfloat16")
        <DTypePolicy "mixed_bfloat16">
    """
    if isinstance(identifier, DTypePolicy):
        return identifier
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, str):
        return from_name(identifier)
    if isinstance(identifier, dict):
        return registry.get("policies", identifier, argument="dtype")
    try:
        return DTypePolicy(dtypes.standardize(identifier))
    except ArgumentError:
        raise ArgumentError(
            "dtype", expected="a dtype, or a DTypePolicy or its name", got=identifier
        ) from None


def serialize(dtype_policy: DTypePolicy) -> Any:
    """`dtype_policy` as plain data.

    Args:
        dtype_policy: the policy.

    Example:
        >>> import kerata
        >>> kerata.dtype_policies.serialize(kerata.dtype_policies.get("mixed_bfloat16"))["config"]
        {'name': 'mixed_bfloat16'}
    """
    return serialize_keras_object(dtype_policy)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> DTypePolicy:
    """The policy that `serialize` described.

    Args:
        config: what `serialize` gave.
        custom_objects: name -> class that the config may name beside Kerata's own.

    Example:
        >>> import kerata
        >>> data = kerata.dtype_policies.serialize(kerata.dtype_policies.get("mixed_bfloat16"))
        >>> kerata.dtype_policies.deserialize(data).compute_dtype
        'bfloat16'
    """
    return deserialize_keras_object(config, custom_objects, kinds=("policies",))
