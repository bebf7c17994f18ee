"""Sources of data in `fit`, `evaluate` and `predict` themselves."""

import warnings

import numpy as np
import pytest

import kerata
from kerata.training.data import PyDataset

X, Y = np.linspace(-1, 1, 48).reshape(24, 2), np.arange(24) % 3


def batches(n):
    for i in range(n):
        yield X[4 * i : 4 * i + 4], Y[4 * i : 4 * i + 4]


class Dataset(PyDataset):
    def __len__(self):
        return 6

    def __getitem__(self, index):
        return X[4 * index : 4 * index + 4], Y[4 * index : 4 * index + 4]


@pytest.fixture
def model(engine):
    dense = kerata.layers.Dense(3, kernel_initializer="ones")
    model = kerata.Sequential([kerata.Input((2,)), dense])
    model.compile("sgd", kerata.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def losses(model, *args, **options):
    model.set_weights([np.ones((2, 3)), np.zeros(3)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return model.fit(*args, verbose=0, shuffle=False, **options).history["loss"]


def test_the_same_batches_from_any_source_teach_the_same(model):
    expected = losses(model, X, Y, batch_size=4, epochs=2)
    assert expected[1] < expected[0]
    np.testing.assert_allclose(losses(model, Dataset(), epochs=2), expected, rtol=1e-6)
    np.testing.assert_allclose(losses(model, Dataset(workers=2), epochs=2), expected, rtol=1e-6)
    np.testing.assert_allclose(losses(model, batches(6)), expected[:1], rtol=1e-6)
    loaded = type("Loader", (), {"__iter__": lambda self: batches(6)})()
    np.testing.assert_allclose(losses(model, loaded, epochs=2), expected, rtol=1e-6)
    frames = [X.tolist(), Y.tolist()]
    np.testing.assert_allclose(losses(model, *frames, batch_size=4, epochs=2), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "count, options, epochs, message",
    [
        (6, {"epochs": 2}, 1, r"The data ran out\. Provide"),
        (6, {"epochs": 3, "steps_per_epoch": 4}, 2, "The data ran out after 2 of 4 steps"),
        (6, {"epochs": 3, "steps_per_epoch": 3}, 2, "The data ran out after 0 of 3 steps"),
    ],
)
def test_training_stops_with_one_warning_where_a_generator_runs_dry(model, count, options, epochs, message):
    with pytest.warns(UserWarning, match=message) as caught:
        history = model.fit(batches(count), verbose=0, **options)
    assert len(history.history["loss"]) == epochs
    assert sum("ran out" in str(warning.message) for warning in caught) == 1


def test_evaluate_and_predict_read_batches(model):
    np.testing.assert_allclose(
        model.evaluate(Dataset(), verbose=0), model.evaluate(X, Y, verbose=0), rtol=1e-6
    )
    np.testing.assert_allclose(
        model.predict((x for x, _ in batches(6)), verbose=0), model.predict(X, verbose=0), rtol=1e-6
    )


def test_validation_split_is_the_end_of_the_data(model):
    def val_loss(**options):
        model.set_weights([np.ones((2, 3)), np.zeros(3)])
        return model.fit(verbose=0, shuffle=False, **options).history["val_loss"]

    by_hand = val_loss(x=X[:18], y=Y[:18], validation_data=(X[18:], Y[18:]))
    np.testing.assert_allclose(val_loss(x=X, y=Y, validation_split=0.25), by_hand, rtol=1e-6)


def test_a_seed_gives_the_same_training_on_every_engine(model):
    def shuffled():
        kerata.utils.set_random_seed(3)
        model.set_weights([np.ones((2, 3)), np.zeros(3)])
        return model.fit(X, Y, batch_size=4, epochs=2, verbose=0).history["loss"]

    first = shuffled()
    np.testing.assert_allclose(shuffled(), first, rtol=1e-6)
    with kerata.use_backend("numpy"):
        dense = kerata.layers.Dense(3)
        reference = kerata.Sequential([kerata.Input((2,)), dense])
        reference.compile("sgd", kerata.losses.SparseCategoricalCrossentropy(from_logits=True))
        kerata.utils.set_random_seed(3)
        reference.set_weights([np.ones((2, 3)), np.zeros(3)])
        history = reference.fit(X, Y, batch_size=4, epochs=2, verbose=0).history
    np.testing.assert_allclose(first, history["loss"], rtol=1e-5)
