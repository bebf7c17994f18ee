"""What all regularizers share."""

from __future__ import annotations

import math
from typing import Any, Self

from kerata.core.errors import ArgumentError


class Regularizer:
    """A penalty on a weight or on a layer's output, which training adds to the loss.

    To write one, override `__call__` and, if the constructor takes arguments, `get_config`. A plain function from
    tensor to scalar will do as well.

    Example:
        >>> import kerata
        >>> class Mean(kerata.regularizers.Regularizer):
        ...     def __call__(self, x):
        ...         return 0.1 * kerata.ops.mean(x)
        >>> float(Mean()([1.0, 3.0]))
        0.2...
    """

    def __call__(self, x: Any) -> Any:
        """The penalty for `x`: a scalar of its dtype. Nothing is penalized by this class."""
        return 0.0

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor, ready for JSON."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A regularizer from what `get_config` gave."""
        return cls(**config)


def strength(argument: str, value: Any, default: float) -> float:
    """`value` as a float of zero or more; None means `default`."""
    if value is None:
        return default
    if isinstance(value, str) or not hasattr(value, "__float__"):
        raise ArgumentError(argument, expected="a finite number of zero or more", got=value)
    number = float(value)
    if not 0 <= number < math.inf:
        raise ArgumentError(argument, expected="a finite number of zero or more", got=value)
    return number
