"""Penalties on the size of single weights."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core.dispatch import dtype_of
from kerata.core.dtypes import float_for
from kerata.core.registry import register_builtin
from kerata.regularizers.regularizer import Regularizer, strength


def _absolute_sum(factor: float, x: Any) -> Any:
    return ops.multiply(factor, ops.sum(ops.absolute(x)))


def _square_sum(factor: float, x: Any) -> Any:
    return ops.multiply(factor, ops.sum(ops.square(x)))


@register_builtin("regularizers", "l1")
class L1(Regularizer):
    """`l1 * sum(abs(x))`: many weights become exactly zero (Tibshirani 1996, the lasso).

    Args:
        l1: strength, zero or more.

    Example:
        >>> float(L1(0.5)([-1.0, 2.0]))
        1.5
    """

    def __init__(self, l1: float | None = 0.01) -> None:
        self.l1 = strength("l1", l1, 0.01)

    def __call__(self, x: Any) -> Any:
        return _absolute_sum(self.l1, x)

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1}


@register_builtin("regularizers", "l2")
class L2(Regularizer):
    """`l2 * sum(square(x))`: weights stay small (Hoerl and Kennard 1970, ridge regression).

    Args:
        l2: strength, zero or more.

    Example:
        >>> float(L2(0.5)([-1.0, 2.0]))
        2.5
    """

    def __init__(self, l2: float | None = 0.01) -> None:
        self.l2 = strength("l2", l2, 0.01)

    def __call__(self, x: Any) -> Any:
        return _square_sum(self.l2, x)

    def get_config(self) -> dict[str, Any]:
        return {"l2": self.l2}


@register_builtin("regularizers", "l1_l2", "l1l2")
class L1L2(Regularizer):
    """`l1 * sum(abs(x)) + l2 * sum(square(x))` (Zou and Hastie 2005, the elastic net).

    Args:
        l1: strength of the first sum, zero or more.
        l2: strength of the second sum, zero or more.

    Example:
        >>> float(L1L2(0.5, 0.25)([-1.0, 2.0]))
        2.75
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1, self.l2 = strength("l1", l1, 0.0), strength("l2", l2, 0.0)

    def __call__(self, x: Any) -> Any:
        # A strength of zero leaves its sum out, so that an infinite weight does not make a NaN of it.
        terms = [
            term(factor, x) for term, factor in ((_absolute_sum, self.l1), (_square_sum, self.l2)) if factor
        ]
        if not terms:
            return ops.zeros((), dtype=float_for(dtype_of(x)))
        return terms[0] if len(terms) == 1 else ops.add(*terms)

    def get_config(self) -> dict[str, Any]:
        return {"l1": self.l1, "l2": self.l2}


# The names that Keras code in snake case uses.
l1, l2, l1_l2 = L1, L2, L1L2
