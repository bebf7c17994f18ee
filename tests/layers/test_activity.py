"""Penalties on outputs: by closed forms, in recurrent layers too, whose cells have none of their own."""

import numpy as np
import pytest

import kerata
from kerata import layers, ops

X = np.linspace(-1, 1, 30).reshape(2, 5, 3).astype("float32")

RECURRENT = {
    "SimpleRNN": lambda: layers.SimpleRNN(2, activity_regularizer="l2"),
    "SimpleRNN of sequences": lambda: layers.SimpleRNN(2, return_sequences=True, activity_regularizer="l2"),
    "LSTM": lambda: layers.LSTM(2, activity_regularizer="l2"),
    "LSTM by steps": lambda: layers.LSTM(2, activation="relu", activity_regularizer="l2"),
    "GRU": lambda: layers.GRU(2, activity_regularizer="l2"),
    "GRU by steps": lambda: layers.GRU(2, reset_after=False, activity_regularizer="l2"),
}


def penalty(y):
    """0.01 times the squares, divided by the size of the batch."""
    return 0.01 * np.sum(np.square(y)) / len(y)


@pytest.mark.parametrize("name", RECURRENT)
def test_a_recurrent_layer_is_penalised_once(name, engine):
    layer = RECURRENT[name]()
    y = ops.convert_to_numpy(layer(X))
    assert len(layer.losses) == 1
    np.testing.assert_allclose(float(layer.losses[0]), penalty(y), rtol=1e-5)


@pytest.mark.parametrize("name", ["SimpleRNN", "GRU by steps"])
def test_a_recurrent_layer_with_a_penalty_trains(name, engine):
    model = kerata.Sequential([kerata.Input((5, 3)), RECURRENT[name]()])
    model.compile("sgd", "mse")
    y = model.predict(X, verbose=0)
    expected = np.mean(np.square(y)) + penalty(y)
    history = model.fit(X, np.zeros_like(y), epochs=2, verbose=0).history["loss"]
    np.testing.assert_allclose(history[0], expected, rtol=1e-5)
    assert history[1] < history[0]


def test_a_question_about_shapes_leaves_the_losses(engine):
    layer = layers.ActivityRegularization(l2=0.5)
    layer(X)
    assert layer.compute_output_shape((4, 5, 3)) == (4, 5, 3)
    np.testing.assert_allclose(float(layer.losses[0]), 0.5 * np.sum(np.square(X)) / len(X), rtol=1e-5)
