"""NaN in maxima and minima, which XLA loses on CPUs where it reduces with vectors: in columns, in all of a large array,
in windows that do not overlap."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

Array = Any


def nan_wins(reduce: Callable[[Array], Array], x: Array, spread: Callable[[Array], Array]) -> Array:
    """`reduce(x)`, with NaN where it belongs. To be compiled: eagerly it would be many calls.

    Args:
        reduce: a maximum or minimum.
        x: real numbers.
        spread: does with or what `reduce` does, on bools of the shape of `x`: where the NaN belong.
    """
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return reduce(x)

    def on_cpu(x: Array) -> Array:
        out = reduce(x)
        total = lax.reduce_sum(lax.convert_element_type(x, np.float32), tuple(range(x.ndim)))

        def marked() -> Array:
            return lax.select(spread(lax.ne(x, x)), lax.full_like(out, math.nan), out)

        return lax.cond(lax.is_finite(total), lambda: out, marked)

    return lax.platform_dependent(x, cpu=on_cpu, default=reduce)
