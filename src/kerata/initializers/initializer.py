"""The base class of initializers: first values of weights."""

from __future__ import annotations

from typing import Any, Self

from kerata.core.errors import StateError
from kerata.core.serialization import serialize_keras_object
from kerata.core.signature import init_parameters

Tensor = Any


class Initializer:
    """Gives the first value of a weight: `initializer(shape, dtype=None)`.

    Values are drawn by the reference generator and then moved to the engine, so that they are the
    same bits on all engines.

    Example:
        >>> import kerata
        >>> class Halves(kerata.Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return kerata.ops.full(shape, 0.5, dtype)
        >>> float(Halves()(()))
        0.5
    """

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        raise StateError(
            f"The initializer class {type(self).__name__} must define `__call__(self, shape, dtype=None)`."
        )

    def clone(self) -> Self:
        """Another one with the same settings."""
        return type(self).from_config(self.get_config())

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`, as plain data."""
        return {name: serialize_keras_object(getattr(self, name)) for name in init_parameters(type(self))}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """An initializer from what `get_config` gave."""
        return cls(**config)
