"""All draws whose arithmetic a compiler could contract, through the strongest compiler of each engine.

PyTorch's takes ten seconds for each draw: `pytest tests/slow/test_random_compilers.py`.
"""

import numpy as np
import pytest

import kerata
from kerata import ops, random

N = ops.convert_to_numpy
DRAWS = {
    "uniform": lambda s: random.uniform((3, 500), -2.5, 7.25, seed=s),
    "uniform_float64": lambda s: random.uniform((300,), 1, 3, dtype="float64", seed=s),
    "normal": lambda s: random.normal((400,), 1.5, 0.3, seed=s),
    "normal_float64": lambda s: random.normal((301,), dtype="float64", seed=s),
    "truncated_normal": lambda s: random.truncated_normal((1500,), seed=s),
    "dropout": lambda s: random.dropout(ops.ones((50, 30)), 0.3, seed=s),
    "randint": lambda s: random.randint((1500,), -3, 7, seed=s),
}


@pytest.mark.parametrize("name", DRAWS)
def test_bits_survive_the_strongest_compiler(engine, name):
    with kerata.use_backend("numpy"):
        expected = N(DRAWS[name](11))
    compiled = kerata.function(lambda state: DRAWS[name](state), jit_compile=True)
    drawn = compiled(ops.convert_to_tensor(np.array([11, 0], "uint32")))
    np.testing.assert_array_equal(N(drawn), expected)
