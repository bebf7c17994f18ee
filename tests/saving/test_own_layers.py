"""Layers of the user's own come back with what they compute, from weights alone as well."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

import kerata
from kerata import layers, ops
from kerata.core.errors import RefusedFileError, StateError


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


def _again(model, path, **options):
    model.save(path)
    loaded = kerata.saving.load_model(path, **options)
    np.testing.assert_allclose(loaded.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-5)
    return loaded


X = np.float32([[-1, 0.5, 2], [1, 2, -3]])


class Scaled(layers.Layer):
    """Has a NumPy number and a function in its config."""

    def __init__(self, rate, activation=None, **options):
        super().__init__(**options)
        self.rate, self.activation = rate, kerata.activations.get(activation)

    def call(self, x):
        return self.activation(x * self.rate)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "activation": self.activation}


def test_a_config_may_hold_objects(tmp_path):
    model = kerata.Sequential([kerata.Input((3,)), Scaled(np.float32(0.5), "tanh")])
    _again(model, tmp_path / "model.keras", custom_objects={"Scaled": Scaled})


class Stacked(layers.Layer):
    """Keeps what it was given, without a config of its own."""

    def __init__(self, parts, by_name, **options):
        super().__init__(**options)
        self.parts, self.by_name = parts, by_name

    def call(self, x):
        for layer in self.parts:
            x = layer(x)
        return self.by_name["last"](x)


def test_lists_and_dicts_of_layers_come_back(tmp_path):
    own = Stacked([layers.Dense(3), layers.ReLU()], {"last": layers.Dense(2)})
    _again(
        kerata.Sequential([kerata.Input((3,)), own]),
        tmp_path / "model.keras",
        custom_objects={"Stacked": Stacked},
    )


class Told(layers.Layer):
    """Has files in folders of its own."""

    words = ""

    def call(self, x):
        return x

    def save_assets(self, folder):
        Path(folder, "sub", "deep").mkdir(parents=True)
        Path(folder, "sub", "deep", "words.txt").write_text(self.words)
        Path(folder, "top.txt").write_text("top")

    def load_assets(self, folder):
        self.words = (
            Path(folder, "sub", "deep", "words.txt").read_text() + Path(folder, "top.txt").read_text()
        )


def test_files_in_folders_of_a_layer(tmp_path):
    told = Told()
    told.words = "a b "
    loaded = _again(
        kerata.Sequential([kerata.Input((3,)), told]),
        tmp_path / "model.keras",
        custom_objects={"Told": Told},
    )
    assert loaded.layers[0].words == "a b top"


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path):
    kerata.Sequential([kerata.Input((3,)), Told()]).save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras", "a") as archive:
        archive.writestr("assets/layers/told/top.txt/more", b"x")
    with pytest.raises(RefusedFileError, match="cannot be written"):
        kerata.saving.load_model(tmp_path / "model.keras", custom_objects={"Told": Told})


@pytest.mark.parametrize(
    "function", [kerata.activations.softmax, ops.tanh, ops.relu], ids=lambda f: f.__name__
)
def test_an_activation_in_a_lambda(function, tmp_path):
    model = kerata.Sequential([kerata.Input((3,)), layers.Lambda(function)])
    _again(_again(model, tmp_path / "first.keras"), tmp_path / "second.keras")


@pytest.mark.parametrize("name", ["binary_accuracy", "sparse_categorical_accuracy", "pearson_correlation"])
def test_functions_as_metrics(name, tmp_path):
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(2, activation="softmax")])
    model.compile("sgd", "mse", metrics=[getattr(kerata.metrics, name)])
    loaded = _again(model, tmp_path / "model.keras")
    assert loaded.get_compile_config()["metrics"] == model.get_compile_config()["metrics"]


def test_weights_before_there_are_any(tmp_path):
    with pytest.raises(StateError, match="no weights"):
        kerata.Sequential([layers.Dense(2)]).save_weights(tmp_path / "w.weights.h5")
    assert not list(tmp_path.iterdir())
