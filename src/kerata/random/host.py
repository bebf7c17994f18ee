"""Draws by the reference engine, as NumPy arrays: for initial weights and shuffles, the same bits everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata import backends
from kerata.core.state import setting

from . import draws
from .bits import random_bits
from .seed_generator import draw_seed as draw_seed
from .seed_generator import state_of


def _by_reference(draw: Any, *args: Any, **kwargs: Any) -> np.ndarray:
    with setting(engine=backends.get("numpy"), scope=None, abstract=0, autocast=None, tracing=0):
        return draw(*args, **kwargs)


def uniform(shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: str = "float32", seed: Any = None) -> np.ndarray:
    """Uniform values in [minval, maxval)."""
    return _by_reference(draws.uniform, shape, minval, maxval, dtype, draw_seed() if seed is None else seed)


def normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: str = "float32", seed: Any = None) -> np.ndarray:
    """Normal values."""
    return _by_reference(draws.normal, shape, mean, stddev, dtype, draw_seed() if seed is None else seed)


def truncated_normal(shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: str = "float32", seed: Any = None) -> np.ndarray:
    """Normal values within two standard deviations."""
    return _by_reference(draws.truncated_normal, shape, mean, stddev, dtype, draw_seed() if seed is None else seed)


def words(n: int, seed: int) -> np.ndarray:
    """`n` random words of 32 bits, as uint32."""
    return _by_reference(lambda: random_bits(state_of(seed), (n,))).view(np.uint32)
