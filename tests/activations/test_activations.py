"""Activations: closed forms on every engine; names, configs and bad input."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

import kerata
from kerata import activations, ops

X = np.linspace(-4, 4, 41).reshape(1, 41) + 0.013


def softplus(x):
    return np.logaddexp(0, x)


FORMS = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "celu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    "sigmoid": scipy.special.expit,
    "log_sigmoid": scipy.special.log_expit,
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "silu": lambda x: x * scipy.special.expit(x),
    "tanh": np.tanh,
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "tanh_shrink": lambda x: x - np.tanh(x),
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "softplus": softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "squareplus": lambda x: (x + np.sqrt(x * x + 4)) / 2,
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "exponential": np.exp,
    "gelu": lambda x: x * scipy.special.ndtr(x),
    "mish": lambda x: x * np.tanh(softplus(x)),
    "softmax": lambda x: scipy.special.softmax(x, -1),
    "log_softmax": lambda x: scipy.special.log_softmax(x, -1),
}


@pytest.mark.parametrize("name", FORMS)
def test_closed_form(name, engine):
    y = activations.get(name)(ops.convert_to_tensor(X.astype("float32")))
    assert ops.dtype(y) == "float32"
    np.testing.assert_allclose(ops.convert_to_numpy(y), FORMS[name](X), rtol=2e-5, atol=2e-6)


def test_relu_with_slope_cap_and_threshold(engine):
    y = activations.relu(ops.convert_to_tensor(X.astype("float32")), 0.1, 2.0, 0.5)
    expected = np.where(X >= 0.5, np.minimum(X, 2), 0.1 * (X - 0.5))
    np.testing.assert_allclose(ops.convert_to_numpy(y), expected, rtol=1e-5, atol=1e-6)


def test_sparsemax_is_a_projection_onto_the_simplex(engine):
    rows = np.random.default_rng(0).normal(size=(5, 7)).astype("float32")
    y = ops.convert_to_numpy(activations.sparsemax(ops.convert_to_tensor(rows)))
    np.testing.assert_allclose(y.sum(-1), 1, atol=1e-5)
    assert (y >= 0).all() and (y == 0).any()
    for row, p in zip(rows, y, strict=True):  # what is above zero was lowered by one amount, the rest by less
        amounts = (row - p)[p > 0]
        assert np.ptp(amounts) < 1e-5 and (row[p == 0] <= amounts.min() + 1e-5).all()


def test_glu_and_threshold(engine):
    x = ops.convert_to_tensor(X[:, :40].astype("float32"))
    a, b = np.split(X[:, :40], 2, axis=-1)
    np.testing.assert_allclose(
        ops.convert_to_numpy(activations.glu(x)), a * scipy.special.expit(b), rtol=1e-5, atol=1e-6
    )
    y = activations.threshold(x, 1.0, -2.0)
    np.testing.assert_allclose(ops.convert_to_numpy(y), np.where(X[:, :40] > 1, X[:, :40], -2), rtol=1e-6)


@pytest.mark.parametrize("name", FORMS)
def test_names_and_configs(name):
    function = activations.get(name)
    assert activations.get(function) is function
    assert activations.serialize(function) == name
    assert activations.deserialize(name) is function


def test_all_names_of_keras():
    import keras

    own = {"get", "serialize", "deserialize"}
    theirs = {n for n in dir(keras.activations) if not n.startswith("_")} - own
    assert {n for n in theirs if not hasattr(activations, n)} == set()
    for name in theirs:
        assert callable(activations.get(name))


def test_none_is_linear():
    assert activations.get(None) is activations.linear


def test_refuses_unknown_names():
    with pytest.raises(kerata.core.errors.ArgumentError) as caught:
        activations.get("none_such")
    assert caught.value.argument == "activation"
