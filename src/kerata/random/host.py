"""Draws by NumPy alone, as arrays: for initial weights and shuffles, which are then the same on every engine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kerata import backends
from kerata.core import dtypes
from kerata.core.state import setting

from . import bits, gaussian
from .arguments import sizes_of
from .normal import normal as _normal
from .normal import truncated_normal as _truncated_normal
from .seed_generator import draw_seed as draw_seed
from .seed_generator import get_state as get_state
from .seed_generator import pair_of
from .seed_generator import set_state as set_state
from .uniform import check_range, uniform_array
from .uniform import uniform as _uniform

Array = np.ndarray


def uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: str = "float32", seed: Any = None
) -> Array:
    """What `kerata.random.uniform` gives."""
    if dtype != "float32":
        return _by_reference(_uniform, shape, minval, maxval, dtype, seed)
    sizes = sizes_of(shape)
    bounds = check_range(minval, maxval, "float32")
    return uniform_array(_state(seed), math.prod(sizes), *bounds).reshape(sizes)


def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: str = "float32", seed: Any = None
) -> Array:
    """What `kerata.random.normal` gives."""
    if dtype != "float32":
        return _by_reference(_normal, shape, mean, stddev, dtype, seed)
    sizes = sizes_of(shape)
    return gaussian.normal_array(_state(seed), math.prod(sizes), mean, stddev).reshape(sizes)


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: str = "float32", seed: Any = None
) -> Array:
    """What `kerata.random.truncated_normal` gives."""
    if dtype != "float32":
        return _by_reference(_truncated_normal, shape, mean, stddev, dtype, seed)
    sizes = sizes_of(shape)
    return gaussian.cut_array(_state(seed), math.prod(sizes), mean, stddev).reshape(sizes)


def words(n: int, seed: int, counter: int = 0) -> Array:
    """`n` random words of 32 bits, as uint32: those of the state (seed, counter), both below 2**32."""
    return bits.random_bits((seed, counter), n)


def _state(seed: Any) -> tuple[int, int]:
    return pair_of(draw_seed() if seed is None else seed)


def _by_reference(draw: Any, shape: Any, first: float, second: float, dtype: str, seed: Any) -> Array:
    """Rarer dtypes, by the NumPy engine."""
    name = dtypes.standardize(dtype)
    with setting(engine=backends.get("numpy"), scope=None, abstract=0, autocast=None, tracing=0):
        return draw(shape, first, second, name, draw_seed() if seed is None else seed)
