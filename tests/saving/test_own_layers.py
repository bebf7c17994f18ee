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
