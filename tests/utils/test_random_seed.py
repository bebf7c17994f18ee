"""One seed for Kerata's streams and for the generators that users' own code draws from."""

import importlib
import random

import numpy as np

import kerata

NATIVE = {
    "numpy": lambda: np.random.random(3),  # noqa: NPY002  # the generator of users' code
    "torch": lambda: importlib.import_module("torch").rand(3),
    "jax": lambda: np.zeros(3),  # JAX has no generator with a state
    "tensorflow": lambda: importlib.import_module("tensorflow").random.uniform((3,)),
}


def test_all_generators_begin_anew(engine):
    drawn = []
    for seed in (1, 1, 2):
        kerata.utils.set_random_seed(seed)
        own = kerata.ops.convert_to_numpy(kerata.random.uniform((3,)))
        drawn.append([own, kerata.ops.convert_to_numpy(NATIVE[engine]()), random.random()])
    for place, (a, b, other) in enumerate(zip(*drawn, strict=True)):
        np.testing.assert_array_equal(a, b)
        assert (engine == "jax" and place == 1) or not np.array_equal(a, other)
