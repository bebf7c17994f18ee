"""Constraints on the length of weight vectors, and on their sign."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from kerata import ops
from kerata.constraints.constraint import Constraint
from kerata.core import rules
from kerata.core.config import epsilon
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin

Axis = int | Sequence[int]


def _with_lengths(w: Any, axis: Axis | None, wanted: Callable[[Any], Any]) -> Any:
    """`w` with Euclidean norms along `axis` that are `wanted` of the present ones; half precision has no room for them."""
    w = ops.convert_to_tensor(w)
    wide = ops.cast(w, "float32") if ops.dtype(w) in ("float16", "bfloat16") else w
    axes = axis if axis is None or isinstance(axis, int) else tuple(axis)
    lengths = ops.sqrt(ops.sum(ops.square(wide), axis=axes, keepdims=True))
    factor = ops.divide(wanted(lengths), ops.add(lengths, epsilon()))
    return ops.cast(ops.multiply(wide, factor), ops.dtype(w))


def _number(argument: str, value: Any) -> Any:
    if (
        isinstance(value, bool)
        or not hasattr(value, "__float__")
        or not math.isfinite(float(value))
        or value < 0
    ):
        raise ArgumentError(argument, expected="a finite number of zero or more", got=value)
    return value


def _axis(value: Any) -> Any:
    if value is None:
        return None
    axes = [rules.integer_of(a) for a in (value if isinstance(value, (list, tuple)) else [value])]
    if None in axes:
        raise ArgumentError("axis", expected="an integer, a list of integers or None", got=value)
    return type(value)(axes) if isinstance(value, (list, tuple)) else axes[0]


@register_builtin("constraints", "max_norm")
class MaxNorm(Constraint):
    """Shortens weight vectors that are longer than `max_value` (Srivastava et al. 2014, JMLR 15:1929, section 5.1).

    Args:
        max_value: the greatest length.
        axis: axis or axes that a vector lies along: 0 for the kernel of a Dense layer, `[0, 1, 2]` for one of Conv2D.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(MaxNorm(2.0)([[3.0, 0.3], [4.0, 0.4]])).round(3)
        array([[1.2, 0.3],
               [1.6, 0.4]], dtype=float32)
    """

    def __init__(self, max_value: float = 2, axis: Axis = 0) -> None:
        self.max_value, self.axis = _number("max_value", max_value), _axis(axis)

    def __call__(self, w: Any) -> Any:
        return _with_lengths(w, self.axis, lambda lengths: ops.clip(lengths, 0.0, float(self.max_value)))

    def get_config(self) -> dict[str, Any]:
        return {"max_value": self.max_value, "axis": self.axis}


@register_builtin("constraints", "min_max_norm")
class MinMaxNorm(Constraint):
    """Brings the lengths of weight vectors into a range, at once or by and by.

    Args:
        min_value: the least length.
        max_value: the greatest length.
        rate: which part of the way is gone at each update; 1 is the whole way.
        axis: axis or axes that a vector lies along.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(MinMaxNorm(1.0, 2.0)([[3.0, 0.3], [4.0, 0.4]])).round(3)
        array([[1.2, 0.6],
               [1.6, 0.8]], dtype=float32)
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axis = 0
    ) -> None:
        self.min_value, self.max_value = _number("min_value", min_value), _number("max_value", max_value)
        self.rate, self.axis = _number("rate", rate), _axis(axis)
        if min_value > max_value:
            raise ArgumentError("min_value", expected=f"at most `max_value` ({max_value})", got=min_value)

    def __call__(self, w: Any) -> Any:
        rate = float(self.rate)

        def wanted(lengths: Any) -> Any:
            inside = ops.clip(lengths, float(self.min_value), float(self.max_value))
            return ops.add(ops.multiply(rate, inside), ops.multiply(1.0 - rate, lengths))

        return _with_lengths(w, self.axis, wanted)

    def get_config(self) -> dict[str, Any]:
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }


@register_builtin("constraints", "unit_norm")
class UnitNorm(Constraint):
    """Gives every weight vector the length 1; one of length 0 stays.

    Args:
        axis: axis or axes that a vector lies along.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(UnitNorm()([[3.0], [4.0]])).round(3)
        array([[0.6],
               [0.8]], dtype=float32)
    """

    def __init__(self, axis: Axis = 0) -> None:
        self.axis = _axis(axis)

    def __call__(self, w: Any) -> Any:
        return _with_lengths(w, self.axis, lambda lengths: 1.0)

    def get_config(self) -> dict[str, Any]:
        return {"axis": self.axis}


@register_builtin("constraints", "non_neg")
class NonNeg(Constraint):
    """Sets negative weights to zero.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(NonNeg()([-1.0, 2.0]))
        array([0., 2.], dtype=float32)
    """

    def __call__(self, w: Any) -> Any:
        return ops.maximum(w, 0)


# The names that Keras code in snake case uses.
max_norm, min_max_norm, unit_norm, non_neg = MaxNorm, MinMaxNorm, UnitNorm, NonNeg
