"""What `compile` and `fit` refuse: the same class and words on every engine, and the model left as it was."""

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.core.errors import ArgumentError, KerataError, StateError

X, Y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")
LABELS = np.arange(8) % 3


def model(compiled="mse", units=1, activation=None):
    kerata.utils.set_random_seed(0)
    made = kerata.Sequential(
        [kerata.Input((3,)), layers.Dense(units, activation=activation, name="last")], name="net"
    )
    if compiled:
        made.compile("adam", compiled)
    return made


def classifier():
    return model("sparse_categorical_crossentropy", 3, "softmax")


def generator_of_nothing():
    yield from ()


CALLS = {
    "unknown loss": lambda: model(None).compile("adam", "mean_squared_eror"),
    "unknown optimizer": lambda: model(None).compile("adamm", "mse"),
    "unknown metric": lambda: model(None).compile("adam", "mse", metrics=["acuracy"]),
    "no number of steps": lambda: model(None).compile("adam", "mse", steps_per_execution=0),
    "jit_compile": lambda: model(None).compile("adam", "mse", jit_compile="fast"),
    "fit before compile": lambda: model(None).fit(X, Y, verbose=0),
    "evaluate before compile": lambda: model(None).evaluate(X, Y, verbose=0),
    "train_on_batch before compile": lambda: model(None).train_on_batch(X, Y),
}
FITS = {
    "columns": (model, (X[:, :2], Y), {}),
    "lengths": (model, (X, Y[:5]), {}),
    "no data": (model, (X[:0], Y[:0]), {}),
    "an empty generator": (model, (generator_of_nothing(),), {}),
    "text": (model, (np.array([["a"]] * 8), Y), {}),
    "no targets": (model, (X,), {}),
    "two inputs": (model, ([X, X], Y), {}),
    "epochs": (model, (X, Y), {"epochs": -1}),
    "batch size": (model, (X, Y), {"batch_size": 0}),
    "steps_per_epoch": (model, (X, Y), {"steps_per_epoch": 0}),
    "validation_steps": (model, (X, Y), {"validation_data": (X, Y), "validation_steps": 1.5}),
    "validation_batch_size": (model, (X, Y), {"validation_data": (X, Y), "validation_batch_size": -1}),
    "validation_freq": (model, (X, Y), {"validation_data": (X, Y), "validation_freq": 0}),
    "validation columns": (model, (X, Y), {"validation_data": (X[:, :2], Y)}),
    "validation lengths": (model, (X, Y), {"validation_data": (X, Y[:3])}),
    "class weight": (model, (X, LABELS), {"class_weight": {0: 1.0}, "sample_weight": np.ones(8)}),
    "label too high": (classifier, (X, LABELS + 1), {}),
    "negative label": (classifier, (X, LABELS - 1), {}),
    "NaN label": (classifier, (X, np.where(LABELS == 1, np.nan, LABELS)), {}),
}


def words_of(call):
    with pytest.raises(KerataError) as error:
        call()
    return type(error.value), str(error.value)


def on_numpy(call):
    from kerata.core import naming

    naming.reset_names()
    with kerata.use_backend("numpy"):
        return words_of(call)


@pytest.mark.parametrize("name", CALLS)
def test_the_words_before_training(engine, name):
    found = words_of(CALLS[name])
    assert found == on_numpy(CALLS[name])
    assert found[0] is (StateError if "before" in name else ArgumentError)


@pytest.mark.parametrize("name", FITS)
def test_the_words_of_fit(engine, name):
    make, args, options = FITS[name]
    if name == "an empty generator":
        args = (generator_of_nothing(),)
    trained = make()
    before = trained.get_weights()
    found = words_of(lambda: trained.fit(*args, verbose=0, **options))
    assert name not in options or f"`{name}` must be" in found[1]
    for a, b in zip(trained.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(trained.optimizer.iterations) == 0
    if name == "an empty generator":
        args = (generator_of_nothing(),)
    assert found == on_numpy(lambda: make().fit(*args, verbose=0, **options))
    # Nothing is half done: the same model trains.
    good = LABELS if make is classifier else Y
    assert np.isfinite(trained.fit(X, good, verbose=0).history["loss"]).all()


def test_tensors_of_another_engine(engine):
    other = "torch" if engine == "tensorflow" else "tensorflow"
    with kerata.use_backend(other):
        foreign = kerata.ops.ones((2, 3))
    trained = model()
    with pytest.raises(kerata.core.errors.BackendMismatchError, match=f'"{other}".*"{engine}"'):
        trained(foreign)


def test_a_model_without_an_optimizer(engine):
    model = kerata.Sequential([kerata.Input((3,)), kerata.layers.Dense(1)])
    model.compile(optimizer=None, loss="mse")
    x, y = np.ones((2, 3), "float32"), np.ones((2, 1), "float32")
    assert np.isfinite(model.evaluate(x, y, verbose=0))
    with pytest.raises(StateError, match="without an optimizer"):
        model.fit(x, y, verbose=0)


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("value", [None, "x"])
def test_logs_that_are_no_numbers(value, steps, engine):
    class Own(kerata.Model):
        def call(self, x):
            return x

        def train_step(self, data):
            return {"loss": value}

    model = Own()
    model.compile("sgd", "mse", steps_per_execution=steps)
    with pytest.raises(ArgumentError, match="`train_step` must be a function that gives a dict of numbers"):
        model.fit(np.ones((4, 3), "float32"), np.ones((4, 3), "float32"), batch_size=2, verbose=0)
