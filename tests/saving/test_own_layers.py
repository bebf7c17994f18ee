"""Layers of the user's own come back with what they compute, from weights alone as well."""

import numpy as np
import pytest

import kerata
from kerata import layers, ops


class Mixing(layers.Layer):
    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], 4))

    def call(self, x):
        return ops.matmul(x, ops.softmax(self.w)) * ops.mean(self.w * 2.0) / ops.norm(self.w)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_round_trip(policy, engine, tmp_path):
    kerata.config.set_dtype_policy(policy)
    try:
        model = kerata.Sequential([kerata.Input((3,)), Mixing(), layers.Dense(1)])
        model.compile("adam", "mse")
        x = np.ones((4, 3), "float32")
        model.fit(x, x[:, :1], verbose=0)
        model.save(tmp_path / "model.keras")
        loaded = kerata.saving.load_model(tmp_path / "model.keras", custom_objects={"Mixing": Mixing})
        np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
        loaded.fit(x, x[:, :1], verbose=0)
        assert type(loaded.optimizer) is type(model.optimizer)
    finally:
        kerata.config.set_dtype_policy("float32")


class Wrapped(layers.Layer):
    """Builds what it wraps, which a file has built before."""

    def __init__(self, inner, **options):
        super().__init__(**options)
        self.inner = inner

    def build(self, shape):
        self.inner.build(shape)

    def call(self, x):
        return x + self.inner(x)

    def get_config(self):
        return {**super().get_config(), "inner": layers.serialize(self.inner)}

    @classmethod
    def from_config(cls, config):
        config["inner"] = layers.deserialize(config["inner"])
        return cls(**config)


def test_a_layer_that_builds_another_one(engine, tmp_path):
    model = kerata.Sequential([kerata.Input((3,)), Wrapped(layers.Dense(3))])
    x = np.ones((4, 3), "float32")
    model.compile("adam", "mse")
    model.fit(x, x, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = kerata.saving.load_model(tmp_path / "model.keras", custom_objects={"Wrapped": Wrapped})
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert len(loaded.weights) == 2


def test_a_second_build_changes_nothing(engine):
    for layer in (layers.Dense(2), layers.LayerNormalization(), layers.GRUCell(2), layers.LSTM(2)):
        shape = (None, 5, 3) if isinstance(layer, layers.LSTM) else (None, 3)
        layer.build(shape)
        before = layer.get_weights()
        layer.build(shape)
        assert len(layer.get_weights()) == len(before)
        for a, b in zip(before, layer.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
