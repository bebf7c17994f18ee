"""Sums of many numbers in half precision, and derivatives that are such sums, are added up in more digits."""

import numpy as np
import pytest

import kerata
from kerata import layers, ops

MANY, ROWS = 8192, (32, 256)  # of ones, float16 alone would make 2048, and bfloat16 256
ZEROS = np.zeros(MANY, "int32")

SUMS = {
    "segment_sum": lambda x: ops.segment_sum(x, ZEROS, 1),
    "scatter": lambda x: ops.scatter(ZEROS[:, None], x, (1,)),
    "scatter_update": lambda x: ops.scatter_update(x[:1] * 0, ZEROS[:, None], x, reduction="add"),
    "sum": ops.sum,
    "cumsum": lambda x: ops.cumsum(x)[-1],
    "bincount": lambda x: ops.bincount(ZEROS, weights=x),
}

# Functions of a tensor of shape (2,) and of ones (..., 2), whose slope is the number of ones.
USES = {
    "add": ops.add,
    "subtract": lambda b, x: ops.subtract(0.0, ops.subtract(x, b)),
    "multiply": lambda b, x: ops.multiply(x, b),
    "divide": ops.divide,
    "maximum": lambda b, x: ops.maximum(b, ops.multiply(x, 0.5)),
    "where": lambda b, x: ops.where(ops.greater(x, 0), b, x),
    "broadcast_to": lambda b, x: ops.broadcast_to(b, ops.shape(x)),
    "tile": lambda b, x: ops.tile(b, MANY),
    "take": lambda b, x: ops.take(ops.reshape(b, (2, 1)), np.arange(2 * MANY).reshape(MANY, 2) % 2, axis=0),
    "take_along_axis": lambda b, x: ops.take_along_axis(b, np.arange(2 * MANY) % 2, axis=0),
}


def values(x):
    return np.asarray(ops.convert_to_numpy(x)).astype("float64").ravel()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sums(dtype, engine):
    for name, f in SUMS.items():
        assert values(f(ops.ones(MANY, dtype))) == [MANY], name


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_slopes(dtype, compiled, engine):
    b = kerata.Variable(np.ones(2), dtype=dtype)

    def run():
        found = {}
        for shape in ((MANY, 2), (*ROWS, 2)):
            for name, f in USES.items():
                x = ops.ones(shape, dtype)
                _, (g,) = kerata.value_and_grad(
                    lambda f=f, x=x: ops.sum(ops.cast(f(b.value, x), "float32")), [b]
                )()
                found[f"{name} {shape}"] = g
        return found

    for name, g in (kerata.function(run) if compiled else run)().items():
        np.testing.assert_array_equal(values(g), [MANY, MANY], err_msg=name)


@pytest.mark.parametrize("policy", ["float16", "bfloat16", "mixed_float16"])
def test_layers(policy, engine):
    images = np.ones((2, *ROWS, 1), "float32") / 8
    for layer, x in (
        (layers.Dense(2, dtype=policy), images),
        (layers.Conv2D(2, 1, dtype=policy), images),
        (layers.Conv2DTranspose(2, 1, dtype=policy), images),
        (layers.DepthwiseConv2D(1, dtype=policy), images),
        (layers.Embedding(1, 2, dtype=policy), np.zeros((2, *ROWS), "int32")),
    ):
        layer(x)
        _, (g,) = kerata.value_and_grad(
            lambda layer=layer, x=x: ops.sum(ops.cast(layer(x), "float32")), [layer.trainable_variables[-1]]
        )()
        assert set(values(g)) == {2.0 * MANY}, layer.name


def test_slopes_of_saturating_functions(engine):
    """The slope of what is rounded to its limit; by the closed forms in float64."""
    x = np.array([-6.0, -2.0, 0.5, 4.0, 6.0])
    exact = {"sigmoid": 1 / (2 + np.exp(x) + np.exp(-x)), "tanh": np.cosh(x) ** -2}
    for dtype, eps in (("bfloat16", 2.0**-8), ("float16", 2.0**-11)):
        for name, expected in exact.items():
            v = kerata.Variable(x, dtype=dtype)
            _, (g,) = kerata.value_and_grad(
                lambda name=name, v=v: ops.sum(getattr(ops, name)(v.value)), [v]
            )()
            # At 6, 1 - tanh(x)**2 has 5 digits in float32.
            np.testing.assert_allclose(
                values(g), expected, rtol=2 * eps + 0.01 * (name == "tanh"), err_msg=name
            )


def test_lengths_beyond_what_float16_holds(engine):
    x = (np.random.default_rng(1).standard_normal((2, 512)) * 300).astype("float16")
    wide = x.astype("float64")
    expected = wide / np.linalg.norm(wide, axis=-1, keepdims=True)
    for f in (layers.UnitNormalization(dtype="float16"), ops.normalize):
        np.testing.assert_allclose(values(f(x)), expected.ravel(), rtol=2e-3, atol=1e-7)
