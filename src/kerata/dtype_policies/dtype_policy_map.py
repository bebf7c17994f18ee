"""A policy for each part of a model that is made of several layers."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Any, Self

from kerata.core import dtype_policy as policies
from kerata.core.dtype_policy import DTypePolicy
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin
from kerata.dtype_policies.identifiers import get, serialize


@register_builtin("policies")
class DTypePolicyMap(DTypePolicy, MutableMapping[str, DTypePolicy]):
    """Policies by the path of a layer; a path that no key matches has the default policy.

    A key is a path or a regular expression that matches a whole path.

    Args:
        default_policy: policy, or name of one, of every other path. None means the default policy.
        policy_map: dict from key to policy.

    Raises:
        ArgumentError: if a key is set twice, a value is no policy, or (on reading) several keys match.

    Example:
        >>> policies = DTypePolicyMap("float32", {"head/.*": DTypePolicy("bfloat16")})
        >>> policies["head/dense"], policies["body/dense"]
        (<DTypePolicy "bfloat16">, <DTypePolicy "float32">)
    """

    _keras_module = "keras.dtype_policies"

    def __init__(
        self,
        default_policy: str | DTypePolicy | None = None,
        policy_map: dict[str, Any] | None = None,
    ) -> None:
        if isinstance(default_policy, DTypePolicyMap) or not isinstance(
            default_policy, (str, DTypePolicy, type(None))
        ):
            raise ArgumentError(
                "default_policy", expected="a DTypePolicy, its name or None", got=default_policy
            )
        if not isinstance(policy_map, (dict, type(None))):
            raise ArgumentError("policy_map", expected="a dict from path to policy", got=policy_map)
        self._given = default_policy
        self._default = _policy("default_policy", default_policy)
        self._policies: dict[str, DTypePolicy] = {}
        for key, policy in (policy_map or {}).items():
            self[key] = policy

    @property
    def default_policy(self) -> DTypePolicy:
        """Policy of the paths that no key matches."""
        return self._default

    @property
    def name(self) -> str:
        return f"map_{self._default.name}"

    @property
    def compute_dtype(self) -> str:
        return self._default.compute_dtype

    @property
    def variable_dtype(self) -> str:
        return self._default.variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        return self._default.quantization_mode

    def __getitem__(self, key: str) -> DTypePolicy:
        if key in self._policies:
            return self._policies[key]
        matching = [pattern for pattern in self._policies if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ArgumentError(
                "key", expected=f"a path that one key matches, not several ({matching})", got=key
            )
        return self._policies[matching[0]] if matching else self._default

    def __setitem__(self, key: str, policy: Any) -> None:
        if not isinstance(key, str):
            raise ArgumentError("key", expected="a path or a regular expression", got=key)
        if key in self._policies:
            raise ArgumentError("key", expected="a path that is not in the map yet", got=key)
        try:
            re.compile(key)
        except (re.error, RecursionError, OverflowError):
            raise ArgumentError("key", expected="a path or a valid regular expression", got=key) from None
        self._policies[key] = _policy("policy", policy)

    def __delitem__(self, key: str) -> None:
        del self._policies[key]

    def __contains__(self, key: object) -> bool:
        return key in self._policies

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def __len__(self) -> int:
        return len(self._policies)

    def pop(self, key: str, *default: Any) -> Any:
        """Removes a key and returns its policy; a path that is only matched is not removed."""
        return self._policies.pop(key, *default)

    def setdefault(self, key: str, default: Any = None) -> DTypePolicy:
        """The policy of `key`, which is set to `default` if the map has no such key."""
        if key not in self._policies:
            self[key] = self._default if default is None else default
        return self._policies[key]

    def __bool__(self) -> bool:
        return True  # a map without keys is still a policy

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.get_config() == other.get_config()

    __hash__ = None  # type: ignore[assignment]  # it can change

    def get_config(self) -> dict[str, Any]:
        default = self._given
        return {
            "default_policy": default.name if isinstance(default, DTypePolicy) else default,
            "policy_map": {key: serialize(policy) for key, policy in self._policies.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Self:
        found = {}
        for key, policy in dict(config.get("policy_map") or {}).items():
            found[_checked(key)] = get(policy)
        return cls(config.get("default_policy"), found)

    def __repr__(self) -> str:
        mapping = [(key, policy.name) for key, policy in self._policies.items()]
        return f"<DTypePolicyMap default_policy={self._default.name}, mapping={mapping}>"


def _policy(argument: str, value: Any) -> DTypePolicy:
    if value is None:
        return policies.dtype_policy()
    if isinstance(value, str):
        return policies.from_name(value)
    if isinstance(value, DTypePolicy):
        return value
    raise ArgumentError(argument, expected="a DTypePolicy or its name", got=value)


def _checked(key: Any) -> str:
    """A key that comes from a config. A pattern whose matching time may explode is refused: configs come in files."""
    repeats = sum(map(str(key).count, "*+{?"))
    if repeats > 2 or (repeats and "(" in key) or len(str(key)) > 10_000:
        raise ArgumentError(
            "policy_map", expected="keys with at most two repeats and no repeated groups", got=key
        )
    return key
