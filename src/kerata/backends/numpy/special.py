"""Special functions in float64. NumPy has none of them; `math` has two, for one number at a time."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Array = np.ndarray


def _each(fn: Callable[[float], float]) -> Callable[[Array], Array]:
    """A function of one number, applied to every element."""
    vectorised = np.frompyfunc(fn, 1, 1)
    return lambda x: np.asarray(vectorised(x), np.float64)


def _lgamma(x: float) -> float:
    if x <= 0 and x == math.floor(x):  # the poles, where `math.lgamma` raises
        return math.inf
    return math.lgamma(x)


erf, erfc, lgamma = _each(math.erf), _each(math.erfc), _each(_lgamma)

# M. Giles, "Approximating the erfinv function", GPU Computing Gems (2012): right to single precision.
_CENTRE = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503, -0.00417768164,
    0.246640727, 1.50140941,
)  # fmt: skip
_TAIL = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
    1.00167406, 2.83297682,
)  # fmt: skip


def erfinv(x: Array) -> Array:
    """Giles's approximation, then Newton's method on `erfc`, which keeps its digits in the tails."""
    size = np.abs(x)
    inside = size < 1
    a = np.where(inside, size, 0.5)
    w = -np.log((1 - a) * (1 + a))
    y = a * np.where(w < 5, np.polyval(_CENTRE, w - 2.5), np.polyval(_TAIL, np.sqrt(np.maximum(w, 0)) - 3))
    far = w > 16  # beyond Giles's range: erfc(y) is nearly exp(-y * y) / (y * sqrt(pi))
    distant = np.sqrt(w)
    for _ in range(3):
        distant = np.sqrt(np.maximum(-np.log((1 - a) * math.sqrt(math.pi) * distant), 0))
    y = np.where(far, distant, y)
    for _ in range(3):
        y = y + (erfc(y) - (1 - a)) * np.exp(y * y) * (math.sqrt(math.pi) / 2)
    y = np.where(size == 1, np.inf, np.where(inside, y, np.nan))
    return np.copysign(y, x)


def digamma(x: Array) -> Array:
    """Recurrence up to 10 and the asymptotic series there; reflection for negative numbers."""
    flipped = x < 0.5
    z = np.where(flipped, 1 - x, x)
    total = np.zeros_like(z)
    for _ in range(10):
        small = z < 10
        total = np.where(small, total - 1 / z, total)
        z = np.where(small, z + 1, z)
    r = 1 / (z * z)
    series = r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r * (1 / 132 - r * 691 / 32760)))))
    value = total + np.log(z) - 0.5 / z - series
    fraction = x - np.floor(x)
    reflected = value - np.pi / np.tan(np.pi * fraction)
    poles = flipped & (fraction == 0)
    value = np.where(flipped, reflected, value)
    return np.where(x == 0, np.copysign(np.inf, -x), np.where(poles, np.nan, value))
