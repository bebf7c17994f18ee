"""One seed for everything that draws."""

from __future__ import annotations

import random as python_random
from typing import Any

import numpy as np

from kerata import backends
from kerata.core import checks
from kerata.random.seed_generator import set_global_seed


def set_random_seed(seed: int) -> None:
    """Seeds Kerata's streams, and the generators of Python, NumPy and the engines in use.

    Initial weights, shuffles and dropout are then the same in every run, on every engine.

    Args:
        seed: an integer, 0 or more.

    Example:
        >>> import kerata
        >>> kerata.utils.set_random_seed(1); a = kerata.initializers.GlorotUniform()((2, 2))
        >>> kerata.utils.set_random_seed(1); b = kerata.initializers.GlorotUniform()((2, 2))
        >>> bool(kerata.ops.all(kerata.ops.equal(a, b)))
        True
    """
    number: Any = checks.natural("seed", seed)
    set_global_seed(number)
    python_random.seed(number)
    np.random.seed(number & 0xFFFFFFFF)  # noqa: NPY002  # the generator that Keras's users expect to be seeded
    for engine in {backends.current(), *backends.loaded()}:
        engine.seed(number & 0x7FFFFFFF)
