"""The same values on every engine, eagerly and compiled; tests/slow asks the strongest compilers as well."""

import numpy as np
import pytest

import kerata
from kerata import ops, random
from kerata.random import host

N = ops.convert_to_numpy


def tensor(values, dtype="float32"):
    return ops.convert_to_tensor(np.asarray(values, dtype))


# Bits are equal, where nothing is said; else a tolerance and its reason.
LIBRARY = "logarithms of the engines' own libraries"
DRAWS = {
    "uniform": (lambda s: random.uniform((700,), seed=s), None),
    "uniform_range": (lambda s: random.uniform((3, 500), -2.5, 7.25, seed=s), None),
    "uniform_symmetric": (lambda s: random.uniform((300,), -0.3, 0.3, seed=s), None),
    "uniform_bfloat16": (lambda s: random.uniform((300,), dtype="bfloat16", seed=s), None),
    "uniform_float16": (lambda s: random.uniform((300,), 0.1, 0.2, dtype="float16", seed=s), None),
    "uniform_float64": (lambda s: random.uniform((300,), 1, 3, dtype="float64", seed=s), None),
    "uniform_tensors": (lambda s: random.uniform((3, 4), tensor(range(4)), 9.0, seed=s), None),
    "normal": (lambda s: random.normal((1500,), seed=s), None),
    "normal_short": (lambda s: random.normal((7,), seed=s), None),
    "normal_scaled": (lambda s: random.normal((400,), 1.5, 0.3, seed=s), None),
    "normal_float64": (lambda s: random.normal((301,), dtype="float64", seed=s), None),
    "normal_bfloat16": (lambda s: random.normal((300,), dtype="bfloat16", seed=s), None),
    # A product contracted with a sum shows in one value of 40,000.
    "normal_long": (lambda s: random.normal((2**20,), seed=s), None),
    "normal_scaled_long": (lambda s: random.normal((2**19,), -1.5, 3.0, seed=s), None),
    "truncated_normal_scaled_long": (lambda s: random.truncated_normal((2**19,), 0.5, 0.1, seed=s), None),
    "uniform_range_long": (lambda s: random.uniform((2**19,), -5.0, -3.0, seed=s), None),
    "normal_tensors": (lambda s: random.normal((3, 4), tensor(range(4)), 9.0, seed=s), None),
    "truncated_normal": (lambda s: random.truncated_normal((1500,), seed=s), None),
    "truncated_normal_float64": (
        lambda s: random.truncated_normal((200,), dtype="float64", seed=s),
        (1e-13, "erfinv"),
    ),
    "randint": (lambda s: random.randint((1500,), -3, 7, seed=s), None),
    "randint_power": (lambda s: random.randint((300,), -3, 16381, seed=s), None),
    "randint_wide": (lambda s: random.randint((300,), -5, 1_000_000, seed=s), None),
    "randint_one": (lambda s: random.randint((300,), 4, 5, seed=s), None),
    "randint_all": (lambda s: random.randint((300,), -(2**31), 2**31, seed=s), None),
    "randint_uint8": (lambda s: random.randint((300,), 0, 256, "uint8", seed=s), None),
    "randint_uint32": (lambda s: random.randint((100,), 5, 2**32, "uint32", seed=s), None),
    "randint_int64": (lambda s: random.randint((100,), -(2**40), 2**41, "int64", seed=s), None),
    "randint_uint64": (lambda s: random.randint((100,), 0, 2**64 - 1, "uint64", seed=s), None),
    "randint_tensors": (
        lambda s: random.randint((3, 2), tensor([0, 5], "int32"), tensor([3, 9], "int32"), seed=s),
        None,
    ),
    "randint_int8": (lambda s: random.randint((300,), -128, 128, "int8", seed=s), None),
    "randint_int16": (lambda s: random.randint((300,), -5, 2**15, "int16", seed=s), None),
    "randint_uint16": (lambda s: random.randint((300,), 0, 2**16, "uint16", seed=s), None),
    "randint_int64_tensors": (
        lambda s: random.randint((30,), tensor(-(2**40), "int64"), tensor(2**41, "int64"), "int64", seed=s),
        None,
    ),
    "randint_uint32_tensors": (
        lambda s: random.randint((30,), tensor(2**31 + 5, "uint32"), 2**32 - 1, "uint32", seed=s),
        None,
    ),
    "bernoulli": (lambda s: random.bernoulli((1500,), 0.2, seed=s), None),
    "dropout": (lambda s: random.dropout(ops.ones((50, 30)), 0.3, seed=s), None),
    "dropout_float16": (lambda s: random.dropout(ops.ones((300,), "float16"), 0.3, seed=s), None),
    "dropout_rate": (lambda s: random.dropout(ops.ones((300,)), tensor(0.3), seed=s), None),
    "dropout_shared": (lambda s: random.dropout(ops.ones((50, 30)), 0.3, (None, 1), seed=s), None),
    "shuffle": (lambda s: random.shuffle(ops.reshape(ops.arange(600), (300, 2)), seed=s), None),
    "permutation": (lambda s: random.permutation(20, s), None),
    "categorical": (
        lambda s: random.categorical(tensor([[0.1, 2.0, -1.0], [0.0, -99.0, 0.5]]), 50, seed=s),
        None,
    ),
    "gumbel": (lambda s: random.gumbel((300,), seed=s), (1e-6, LIBRARY)),
    "gamma": (lambda s: random.gamma((300,), 0.7, seed=s), (1e-6, LIBRARY)),
    "gamma_tensors": (lambda s: random.gamma((3, 2), tensor([1.0, 5.0]), seed=s), (1e-6, LIBRARY)),
    "beta": (lambda s: random.beta((300,), 0.5, 2.0, seed=s), (1e-6, LIBRARY)),
    "binomial": (lambda s: random.binomial((300,), 10, 0.3, seed=s), None),
    "binomial_tensors": (lambda s: random.binomial((200, 2), tensor([100.0, 1e6]), 0.4, seed=s), None),
}


@pytest.fixture(scope="module")
def expected():
    with kerata.use_backend("numpy"):
        return {name: N(draw(11)) for name, (draw, _) in DRAWS.items()}


def assert_equal(found, wanted, tolerance):
    found = N(found)
    assert found.dtype == wanted.dtype and found.shape == wanted.shape
    if tolerance is None:
        np.testing.assert_array_equal(found, wanted)
    else:
        np.testing.assert_allclose(found, wanted, rtol=tolerance[0], atol=tolerance[0])


@pytest.mark.parametrize("name", DRAWS)
def test_eager_values_are_the_same(engine, name, expected):
    draw, tolerance = DRAWS[name]
    assert_equal(draw(11), expected[name], tolerance)


@pytest.mark.parametrize("name", DRAWS)
def test_compiled_values_are_the_same(engine, name, expected):
    draw, tolerance = DRAWS[name]
    compiled = kerata.function(lambda state: draw(state))
    assert_equal(compiled(tensor([11, 0], "uint32")), expected[name], tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_host_arrays_are_the_same(engine, dtype):
    for array, tensor_ in (
        (host.uniform, random.uniform), (host.normal, random.normal), (host.truncated_normal, random.truncated_normal)
    ):  # fmt: skip
        drawn = array((30, 40), -0.5, 1.5, dtype, seed=21)
        assert isinstance(drawn, np.ndarray)
        np.testing.assert_array_equal(N(tensor_((30, 40), -0.5, 1.5, dtype, seed=21)), drawn)


def test_long_draws_that_engines_take_over_are_the_same(engine):
    """As long as this, they need not be copied."""
    drawn = random.normal((300, 200), seed=5), random.uniform((300, 200), seed=6)
    dropped = random.dropout(ops.ones((300, 400)), 0.3, seed=7)
    with kerata.use_backend("numpy"):
        expected = random.normal((300, 200), seed=5), random.uniform((300, 200), seed=6)
        kept = random.dropout(ops.ones((300, 400)), 0.3, seed=7)
    for x, y in zip((*drawn, dropped), (*expected, kept), strict=True):
        np.testing.assert_array_equal(N(x), y)
        np.testing.assert_allclose(
            N(ops.sum(ops.transpose(x), axis=0)), np.sum(y, axis=1), rtol=1e-4, atol=1e-3
        )


def test_unknown_sizes(engine):
    """Inside a graph with an unknown batch the draw is that of the batch that comes."""
    if engine != "tensorflow":
        return
    import tensorflow as tf

    stream = tensor([3, 0], "uint32")
    drop = tf.function(
        lambda x: random.dropout(x, 0.4, seed=stream),
        input_signature=[tf.TensorSpec((None, 7))],
        autograph=False,
    )
    for batch in (1, 30, 200):
        x = np.ones((batch, 7), "float32")
        np.testing.assert_array_equal(drop(x).numpy(), N(random.dropout(x, 0.4, seed=3)))
