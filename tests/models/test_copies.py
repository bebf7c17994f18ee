"""Copies and pickles of models, layers, optimizers and metrics are objects of their own that go on from the same values."""

import copy
import pickle

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.core.errors import ArgumentError

WAYS = {"deepcopy": copy.deepcopy, "pickle": lambda x: pickle.loads(pickle.dumps(x))}
X, Y = np.eye(4, dtype="float32"), np.ones((4, 2), "float32")


class Own(kerata.Model):
    def __init__(self):
        super().__init__()
        self.dense, self.dropout = layers.Dense(2), layers.Dropout(0.2)

    def call(self, x, training=False):
        return self.dropout(self.dense(x), training=training)


def functional():
    x = kerata.Input((4,))
    return kerata.Model(x, layers.Dense(2)(layers.BatchNormalization()(layers.Dense(3, "relu")(x))))


MODELS = {
    "functional": functional,
    "sequential": lambda: kerata.Sequential([kerata.Input((4,)), layers.Dense(3), layers.Dropout(0.5), layers.Dense(2)]),
    "own": Own,
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", MODELS)
def test_models(engine, kind, way):
    model = MODELS[kind]()
    model.compile("adamw", "mse", metrics=["mae"])
    model.fit(X, Y, verbose=0)
    before = model.predict(X, verbose=0)
    other = WAYS[way](model)
    np.testing.assert_array_equal(other.predict(X, verbose=0), before)
    losses = [m.fit(X, Y, verbose=0, shuffle=False).history["loss"] for m in (other, model)]
    np.testing.assert_allclose(*losses, rtol=1e-6)  # optimizer and random state included
    other.fit(X, Y, verbose=0)
    assert not np.array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.parametrize("way", WAYS)
def test_parts(engine, way):
    layer = layers.Dense(3)
    layer(X)
    np.testing.assert_array_equal(*(kerata.ops.convert_to_numpy(f(X)) for f in (WAYS[way](layer), layer)))
    metric = kerata.metrics.Mean()
    metric.update_state([1.0, 3.0])
    other = WAYS[way](metric)
    other.update_state([8.0])
    assert (float(metric.result()), float(other.result())) == (2, 4)


@pytest.mark.parametrize("way", WAYS)
def test_deep_models_need_no_deep_stack(way):
    h = x = kerata.Input((2,))
    for _ in range(400):
        h = layers.Add()([layers.Activation("tanh")(h), x])
    model = kerata.Model(x, h)
    np.testing.assert_array_equal(*(m.predict(X[:, :2], verbose=0) for m in (WAYS[way](model), model)))


class Told(kerata.Model):
    """Says how it was made."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units, self.dense = units, layers.Dense(units)

    def call(self, x):
        return self.dense(x)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def test_the_copy_of_a_called_model_takes_its_weights(engine):
    model, x = Told(2), X
    expected = kerata.ops.convert_to_numpy(model(x))
    copy = kerata.models.clone_model(model)
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(kerata.ops.convert_to_numpy(copy(x)), expected, rtol=1e-6)


def test_what_is_no_function_and_no_list_is_told():
    model = functional()
    for name in ("clone_function", "call_function"):
        with pytest.raises(ArgumentError, match=name):
            kerata.models.clone_model(model, **{name: 3})
    with pytest.raises(ArgumentError, match="weights"):
        model.set_weights(3)
