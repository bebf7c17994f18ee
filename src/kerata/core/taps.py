"""Interpolation along an axis: which elements make each new one, and with which weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Taps:
    """A matrix of shape (new, old) of which most is zero, by what is not.

    What is not read has no part in the result, be it NaN, and the work is that of the taps alone. The matrix is made
    when it is asked for: an abstract run, whose sizes may be unknown, needs none.
    """

    old: Any
    new: Any
    matrix: Callable[[], np.ndarray]

    @cached_property
    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Places and weights, both (taps, new). A row with fewer taps repeats its last, which shares its weight: beside
        an infinity, a weight of 0 would be NaN."""
        matrix = self.matrix()
        places = [np.flatnonzero(row) if row.any() else np.zeros(1, int) for row in matrix]
        most = max(map(len, places))
        at = np.array([np.pad(p, (0, most - len(p)), mode="edge") for p in places], np.int32)
        last = np.array([len(p) - 1 for p in places])[:, None]
        shares = np.where(np.arange(most) < last, 1, most - last)
        weights = np.take_along_axis(matrix, at, axis=1) / shares
        return np.ascontiguousarray(at.T), np.ascontiguousarray(weights.T)

    @cached_property
    def dense(self) -> np.ndarray:
        """The matrix, kept."""
        return self.matrix()

    @cached_property
    def turned(self) -> Taps:
        """The transposed matrix, which the derivative is made of."""
        return Taps(self.new, self.old, lambda: self.matrix().T)


def equation_along(ndim: int, axis: int) -> str:
    """Of `einsum`: a matrix of shape (new, old) applied along an axis."""
    axes = "abcdefgh"[:ndim]
    return f"z{axes[axis]},{axes}->{axes.replace(axes[axis], 'z')}"
