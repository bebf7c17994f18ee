"""The activation of a layer may be changed at any time."""

import numpy as np
import pytest

import kerata
from kerata import layers

CASES = {
    "Dense": (lambda **o: layers.Dense(2, **o), (3,)),
    "EinsumDense": (lambda **o: layers.EinsumDense("ab,bc->ac", 2, **o), (3,)),
    "Conv1D": (lambda **o: layers.Conv1D(2, 2, **o), (4, 3)),
    "Conv2DTranspose": (lambda **o: layers.Conv2DTranspose(2, 2, **o), (3, 3, 2)),
    "DepthwiseConv1D": (lambda **o: layers.DepthwiseConv1D(2, **o), (4, 3)),
    "SeparableConv1D": (lambda **o: layers.SeparableConv1D(2, 2, **o), (4, 3)),
    "LSTM": (lambda **o: layers.LSTM(2, **o), (4, 3)),
    "GRU": (lambda **o: layers.GRU(2, **o), (4, 3)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("activation", [None, "relu"])
def test_a_model_that_has_predicted_sees_the_change(case, activation, engine):
    make, shape = CASES[case]
    x = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
    model = kerata.Sequential([kerata.Input(shape), make(activation="sigmoid")])
    other = kerata.Sequential([kerata.Input(shape), make(activation=activation)])
    other.set_weights(model.get_weights())
    before = model.predict(x, verbose=0)
    model.layers[0].activation = activation
    after = model.predict(x, verbose=0)
    np.testing.assert_allclose(after, other.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
    assert np.abs(after - before).max() > 1e-3
    assert model.layers[0].get_config()["activation"] == other.layers[0].get_config()["activation"]
