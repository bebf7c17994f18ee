"""Weights are made once: in `__init__` or `build`."""

import numpy as np
import pytest

import kerata
from kerata import layers
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
