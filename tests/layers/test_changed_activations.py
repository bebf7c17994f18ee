"""The activation of a layer may be changed at any time."""

import numpy as np
import pytest

import kerata
from kerata import layers

X = np.random.default_rng(0).normal(size=(2, 6, 3)).astype("float32")


def model_with(activation):
    """Of every kind of layer that has an activation."""
    return kerata.Sequential(
        [
            kerata.Input((6, 3)),
            layers.Conv1D(3, 2, activation=activation),
            layers.DepthwiseConv1D(2, activation=activation),
            layers.SeparableConv1D(3, 2, activation=activation),
            layers.Conv1DTranspose(3, 2, activation=activation),
            layers.LSTM(3, activation=activation, return_sequences=True),
            layers.GRU(3, activation=activation, return_sequences=True),
            layers.SimpleRNN(3, activation=activation),
            layers.EinsumDense("ab,bc->ac", 3, activation=activation),
            layers.Dense(2, activation=activation),
        ]
    )


@pytest.mark.parametrize("activation", [None, "softsign"])
def test_a_model_that_has_predicted_sees_the_change(activation, engine):
    model, other = model_with("sigmoid"), model_with(activation)
    other.set_weights(model.get_weights())
    before = model.predict(X, verbose=0)
    for layer in model.layers:
        layer.activation = activation
    after = model.predict(X, verbose=0)
    np.testing.assert_allclose(after, other.predict(X, verbose=0), rtol=1e-5, atol=1e-6)
    assert np.abs(after - before).max() > 1e-3
    for layer, expected in zip(model.layers, other.layers, strict=True):
        assert layer.get_config()["activation"] == expected.get_config()["activation"]
