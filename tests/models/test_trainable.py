"""What is frozen: in models made by hand, by configs, clones and files."""

import numpy as np
import pytest

import kerata
from kerata import layers

X, Y = np.eye(4, dtype="float32"), np.ones((4, 2), "float32")


def functional(**frozen):
    x = kerata.Input((4,))
    return kerata.Model(x, layers.Dense(2)(layers.BatchNormalization(**frozen)(layers.Dense(3, **frozen)(x))))


def sequential(**frozen):
    return kerata.Sequential([kerata.Input((4,)), layers.Dense(3, **frozen), layers.Dense(2)])


def nested(**frozen):
    return kerata.Sequential([kerata.Input((4,)), functional(**frozen), layers.Dense(2)])


def flags(model):
    return [layer.trainable for layer in model._flatten_layers() if layer.weights]


def from_file(model, path):
    model.save(path / "model.keras")
    return kerata.saving.load_model(path / "model.keras")


WAYS = {
    "config": lambda model, path: type(model).from_config(model.get_config()),
    "json": lambda model, path: kerata.models.model_from_json(model.to_json()),
    "clone": lambda model, path: kerata.models.clone_model(model),
    "file": from_file,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", [functional, sequential, nested])
def test_frozen_layers_stay_frozen(make, way, engine, tmp_path):
    model = make(trainable=False)
    again = WAYS[way](model, tmp_path)
    assert flags(again) == flags(model) and False in flags(model) and model.trainable
    assert len(again.trainable_variables) == len(model.trainable_variables)
    model = make()
    model.trainable = False
    model.layers[-1].trainable = True
    again = WAYS[way](model, tmp_path)
    assert flags(again) == flags(model)
    assert again.trainable_variables == []  # as of all that is frozen as a whole
    again.trainable = True
    assert len(again.trainable_variables) > 0


def test_a_trained_model_with_frozen_layers_goes_on(engine, tmp_path):
    model = functional(trainable=False)
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    again = from_file(model, tmp_path)
    expected = [m.fit(X, Y, shuffle=False, verbose=0).history["loss"] for m in (model, again)]
    np.testing.assert_allclose(*expected, rtol=1e-6)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_what_is_made_frozen_is_not_trained(engine):
    class Pair(layers.Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.dense = layers.Dense(2)

        def build(self, shape):
            self.scale = self.add_weight(shape=(), initializer="ones")
            self.dense.build(shape)

        def call(self, x):
            return self.dense(x) * self.scale

    pair = Pair(trainable=False)
    pair(X)
    assert pair.trainable_variables == [] and len(pair.non_trainable_variables) == 3
    model = kerata.Model(*(lambda x: (x, layers.Dense(2)(x)))(kerata.Input((4,))), trainable=False)
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_an_optimizer_that_saw_other_weights_begins_anew(suffix, engine, tmp_path):
    model = sequential(trainable=False)
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    model.layers[0].trainable = True
    if suffix == "h5":
        with pytest.warns(UserWarning, match="old"):
            model.save(tmp_path / "model.h5")
    else:
        model.save(tmp_path / "model.keras")
    with pytest.warns(UserWarning, match="optimizer 'adam' was not loaded"):
        again = kerata.saving.load_model(tmp_path / f"model.{suffix}")
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert int(again.optimizer.iterations) == 0 and len(again.trainable_variables) == 4
    again.fit(X, Y, verbose=0)
