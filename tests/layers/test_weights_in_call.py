"""Weights are made once: in `__init__` or `build`."""

import numpy as np
import pytest

import kerata
from kerata import layers, ops
from kerata.core.errors import StateError


class InCall(layers.Layer):
    def call(self, x):
        self.w = self.add_weight(shape=(x.shape[-1], 1))
        return kerata.ops.matmul(x, self.w)


class Lazily(layers.Layer):
    """Makes a sublayer at its first call, which is built then."""

    def __init__(self):
        super().__init__()
        self.dense = None

    def call(self, x):
        if self.dense is None:
            self.dense = layers.Dense(2)
        return self.dense(x)


def test_weights_in_call_are_refused(engine):
    layer, x = InCall(), np.ones((4, 3), "float32")
    with pytest.raises(StateError, match=r"in_call.*`__init__` or in `build`"):
        layer(x)
    assert layer.weights == []
    with pytest.raises(StateError, match="in its `call`"):
        layer(kerata.Input((3,)))


def test_sublayers_may_be_built_by_a_call(engine):
    layer, x = Lazily(), np.ones((4, 3), "float32")
    assert layer(x).shape == layer(x).shape == (4, 2)
    assert len(layer.weights) == 2


# What a layer computes with its statistic, which it has just assigned, and its counter.
STATE_USES = {
    "operators": lambda layer, x: x - layer.mean * 2,
    "a function": lambda layer, x: x / ops.sqrt(layer.mean + 1.0),
    "a cast": lambda layer, x: x + ops.cast(layer.count, "float32"),
    "a comparison": lambda layer, x: ops.where(ops.greater(layer.mean, 0), layer.mean, x),
    "a list": lambda layer, x: x + ops.stack([layer.mean, layer.mean])[0],
    "a branch": lambda layer, x: ops.cond(layer.count > 0, lambda: x + layer.mean, lambda: x),
    "an element": lambda layer, x: x + layer.mean[0],
}


class Statistic(layers.Layer):
    def __init__(self, use):
        super().__init__()
        self.use = use

    def build(self, shape):
        self.mean = self.add_weight(shape=(shape[-1],), initializer="zeros", trainable=False)
        self.count = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False)

    def call(self, x):
        self.mean.assign(self.mean * 0.9 + ops.mean(x, 0) * 0.1)
        self.count.assign_add(1)
        return self.use(self, x)


@pytest.mark.parametrize("name", STATE_USES)
def test_what_a_call_assigned_can_be_computed_with(name, engine):
    x = np.arange(1.0, 7.0, dtype="float32").reshape(2, 3)
    eager = Statistic(STATE_USES[name])
    expected = ops.convert_to_numpy(eager(x))
    symbol = kerata.Input((3,))
    model = kerata.Model(symbol, Statistic(STATE_USES[name])(symbol))
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-6)
    model.compile("sgd", "mse")
    model.fit(x, x, verbose=0)
    assert int(model.layers[-1].count) == 2
