"""Numbers that ops and their native routes share."""

from __future__ import annotations

import math

# gelu by tanh is `x * sigmoid(x * (LINEAR + CUBIC * x**2))`.
GELU_LINEAR = math.sqrt(8 / math.pi)
GELU_CUBIC = 0.044715 * GELU_LINEAR
