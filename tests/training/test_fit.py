"""`fit`, `evaluate` and `predict` as users call them, on every engine; names and numbers as the peer has them."""

import functools

import numpy as np
import pytest

import kerata
from kerata import layers, ops

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3)).astype("float32")
Y = (X[:, :1] * 2 - 1).astype("float32")
KERNEL, BIAS = np.array([[0.5], [-0.25], [0.125]], "float32"), np.array([0.1], "float32")


def linear(keras=kerata, **options):
    """A linear model with fixed weights."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, **options)])
    model.set_weights([KERNEL, BIAS])
    return model


def two_outputs(keras=kerata):
    x = keras.Input((3,), name="x")
    a, b = keras.layers.Dense(1, name="a")(x), keras.layers.Dense(2, name="b")(x)
    model = keras.Model(x, [a, b])
    model.set_weights([KERNEL, BIAS, np.tile(KERNEL, 2), np.tile(BIAS, 2)])
    return model


def step_by_hand(weight=None, rate=0.1):
    """Weights after one step of gradient descent on the mean squared error of all rows."""
    w = np.ones(12) if weight is None else weight
    error = (X @ KERNEL + BIAS - Y) * w[:, None]
    return KERNEL - rate * 2 * X.T @ error / 12, BIAS - rate * 2 * error.sum(0) / 12


def descended(model, *args, **options):
    model.compile(kerata.optimizers.SGD(0.1), "mse", **options.pop("compile", {}))
    history = model.fit(*args, **{"verbose": 0, "batch_size": 12, "shuffle": False, **options})
    return history


# ---- one step, by hand ------------------------------------------------------------------------------


def test_one_step_is_that_of_the_book(engine):
    model = linear()
    history = descended(model, X, Y)
    for found, expected in zip(model.get_weights(), step_by_hand(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    first_loss = np.mean((X @ KERNEL + BIAS - Y) ** 2)
    np.testing.assert_allclose(history.history["loss"], [first_loss], rtol=1e-5)
    assert history.epoch == [0] and history.params["epochs"] == 1 and history.model is model


def test_sample_weights(engine):
    weight = np.linspace(0, 2, 12).astype("float32")
    model = linear()
    descended(model, X, Y, sample_weight=weight)
    for found, expected in zip(model.get_weights(), step_by_hand(weight), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_class_weights_are_sample_weights(engine):
    labels = np.arange(12) % 3
    results = []
    for options in (
        {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}},
        {"sample_weight": np.array([1.0, 2.0, 0.5], "float32")[labels]},
    ):
        kerata.utils.set_random_seed(0)
        model = kerata.Sequential([kerata.Input((3,)), layers.Dense(3, activation="softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        results.append(model.fit(X, labels, verbose=0, **options).history["loss"])
    np.testing.assert_allclose(*results, rtol=1e-6)


def test_a_dict_and_a_generator_and_a_py_dataset(engine):
    class Rows(kerata.utils.PyDataset):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            return X, Y

    def generator():
        while True:
            yield X, Y

    expected = None
    for data, options in (
        ((X, Y), {}),
        ((generator(),), {"steps_per_epoch": 1, "batch_size": None}),
        ((Rows(),), {"batch_size": None}),
    ):
        model = linear()
        descended(model, *data, **options)
        expected = expected or model.get_weights()
        for a, b in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)


# ---- names ------------------------------------------------------------------------------------------


def CamelCase(y_true, y_pred):
    return (y_true - y_pred)[:, 0]


def keys_of(keras, options):
    model = two_outputs(keras)
    model.compile("sgd", **options)
    y = [Y, np.tile(Y, 2)]
    history = model.fit(X, y, validation_data=(X, y), verbose=0)
    values = np.atleast_1d(model.evaluate(X, y, verbose=0))  # by place: the order is the peer's as well
    return {k: v[-1] for k, v in history.history.items()} | {f"value {i}": v for i, v in enumerate(values)}


CALLS = {
    "one loss for all": {"loss": "mse"},
    "losses as a list": {"loss": ["mse", "mae"]},
    "losses as a dict": {"loss": {"a": "mse", "b": "mae"}},
    "weights as a list": {"loss": ["mse", "mae"], "loss_weights": [1.0, 0.5]},
    "weights as a dict": {"loss": ["mse", "mae"], "loss_weights": {"a": 0.5, "b": 2.0}},
    "one output without a loss": {"loss": ["mse", None]},
    "metrics as lists": {"loss": "mse", "metrics": [["accuracy"], ["accuracy"]]},
    "metrics as a dict": {"loss": "mse", "metrics": {"b": ["accuracy"]}},
    "weighted and not": {
        "loss": "mse",
        "metrics": [["accuracy"], None],
        "weighted_metrics": [["accuracy"], None],
    },
    "weighted of two outputs": {
        "loss": ["mse", "mae"],
        "metrics": [["mae", "mse"], ["mse"]],
        "weighted_metrics": [["mae"], ["mae"]],
    },
    "functions of all kinds": {
        "loss": "mse",
        "metrics": [
            [lambda t, p: (t - p)[:, 0], lambda t, p: p[:, 0]],
            [functools.partial(CamelCase), CamelCase],
        ],
    },
}


@pytest.mark.parametrize("name", CALLS)
def test_logs_are_those_of_the_peer(name):
    import keras

    ours, theirs = keys_of(kerata, CALLS[name]), keys_of(keras, CALLS[name])
    assert sorted(ours) == sorted(theirs)
    for key, value in theirs.items():
        np.testing.assert_allclose(ours[key], value, rtol=1e-5, err_msg=key)


def test_names_of_metrics_are_in_the_order_of_their_values(engine):
    model = two_outputs(kerata)
    model.compile("sgd", **CALLS["weighted of two outputs"])
    y = [Y, np.tile(Y, 2)]
    values, named = model.evaluate(X, y, verbose=0), model.evaluate(X, y, verbose=0, return_dict=True)
    assert {name: named[name] for name in model.metrics_names} == dict(
        zip(model.metrics_names, values, strict=True)
    )


def test_logs_of_several_outputs(engine):
    with kerata.use_backend("numpy"):
        expected = keys_of(kerata, CALLS["weights as a list"])
    found = keys_of(kerata, CALLS["weights as a list"])
    assert list(found) == list(expected)
    np.testing.assert_allclose(list(found.values()), list(expected.values()), rtol=1e-5)


def test_dicts_of_inputs_and_outputs(engine):
    a, b = kerata.Input((3,), name="a"), kerata.Input((3,), name="b")
    model = kerata.Model(
        {"a": a, "b": b}, {"sum": layers.Dense(1)(layers.Add()([a, b])), "copy": layers.Dense(1)(a)}
    )
    model.compile("sgd", {"sum": "mse", "copy": "mae"}, loss_weights={"sum": 0.5, "copy": 2.0})
    inputs, targets = {"b": X * 2, "a": X}, {"sum": Y, "copy": Y}
    history = model.fit(inputs, targets, verbose=0, epochs=2, batch_size=5)
    assert sorted(history.history) == ["copy_loss", "loss", "sum_loss"]
    last = model.evaluate(inputs, targets, verbose=0, return_dict=True)
    np.testing.assert_allclose(last["loss"], 0.5 * last["sum_loss"] + 2 * last["copy_loss"], rtol=1e-5)
    outputs = model.predict(inputs, verbose=0)
    assert sorted(outputs) == ["copy", "sum"] and outputs["sum"].shape == (12, 1)


# ---- validation -------------------------------------------------------------------------------------


def test_validation_split_takes_the_end(engine):
    model = linear()
    history = descended(model, X, Y, validation_split=0.25, batch_size=9)
    w, b = model.get_weights()
    np.testing.assert_allclose(
        history.history["val_loss"], [np.mean((X[9:] @ w + b - Y[9:]) ** 2)], rtol=1e-5
    )


def test_validation_frequency(engine):
    model = linear()
    history = descended(model, X, Y, validation_data=(X, Y), validation_freq=2, epochs=4)
    assert len(history.history["loss"]) == 4 and len(history.history["val_loss"]) == 2
    model = linear()
    history = descended(model, X, Y, validation_data=(X, Y), validation_freq=[3], epochs=4)
    assert len(history.history["val_loss"]) == 1


def test_the_validation_source_is_closed(engine):
    closed = []

    class Rows(kerata.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return X[:4], Y[:4]

    from kerata.training import trainer

    original = trainer.as_batches

    def watched(*args, **kwargs):
        source = original(*args, **kwargs)
        close = source.close
        source.close = lambda: (closed.append(1), close())
        return source

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "as_batches", watched)
        descended(linear(), X, Y, validation_data=Rows(), epochs=2)
    assert len(closed) == 2


# ---- evaluate, predict, one batch ---------------------------------------------------------------------


def test_evaluate_and_predict_do_not_depend_on_batches(engine):
    model = linear()
    model.compile("sgd", "mse", metrics=["accuracy"])
    results = [model.evaluate(X, Y, batch_size=n, verbose=0, return_dict=True) for n in (12, 5, 1)]
    for result in results[1:]:
        np.testing.assert_allclose(list(result.values()), list(results[0].values()), rtol=1e-5)
    predictions = [model.predict(X, batch_size=n, verbose=0) for n in (12, 5)]
    np.testing.assert_allclose(*predictions, rtol=1e-6)
    np.testing.assert_allclose(predictions[0], X @ KERNEL + BIAS, rtol=1e-5, atol=1e-6)
    assert isinstance(predictions[0], np.ndarray)
    assert isinstance(model.evaluate(X, Y, verbose=0), list)


def test_one_batch_at_a_time(engine):
    model = linear()
    model.compile(kerata.optimizers.SGD(0.1), "mse")
    x, y = ops.convert_to_tensor(X), ops.convert_to_tensor(Y)
    before = model.test_on_batch(X, Y)
    assert model.train_on_batch(x, y) == pytest.approx(before, rel=1e-5)
    for found, expected in zip(model.get_weights(), step_by_hand(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    w, b = model.get_weights()
    np.testing.assert_allclose(model.predict_on_batch(x), X @ w + b, rtol=1e-5, atol=1e-6)
    assert set(model.train_on_batch(X, Y, return_dict=True)) == {"loss"}


def test_batches_on_the_device_stay_there(engine):
    model, seen = linear(), []
    model.compile("sgd", "mse", run_eagerly=True)
    original = model.engine.to_numpy
    x, y = ops.convert_to_tensor(X), ops.convert_to_tensor(Y)
    model.train_on_batch(x, y)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model.engine, "to_numpy", lambda t: (seen.append(tuple(t.shape)), original(t))[1])
        model.train_on_batch(x, y)
    assert (12, 3) not in seen and (12, 1) not in seen


def test_each_batch_is_measured_alone(engine):
    model = linear()
    model.compile(kerata.optimizers.SGD(0.0), "mse")
    one, two = model.test_on_batch(X[:6], Y[:6]), model.train_on_batch(X[6:], Y[6:])
    assert one != two and model.test_on_batch(X, Y) == pytest.approx((one + two) / 2, rel=1e-5)


def test_masks_reach_the_metrics_of_training(engine):
    """As they reach the loss, and the metrics of evaluation."""
    model = kerata.Sequential(
        [
            kerata.Input((3, 1)),
            layers.Masking(0.0),
            layers.Dense(1, use_bias=False, kernel_initializer="ones"),
        ]
    )
    model.compile(kerata.optimizers.SGD(0.0), "mse", metrics=["mae"])
    x, y = np.array([[[1.0], [2.0], [0.0]]]), np.array([[[0.0], [0.0], [5.0]]])
    trained = model.fit(x, y, verbose=0).history
    assert trained == {"mae": [1.5], "loss": [2.5]}
    assert model.evaluate(x, y, verbose=0, return_dict=True) == {"mae": 1.5, "loss": 2.5}


# ---- how steps run --------------------------------------------------------------------------------------


def test_eager_steps_print_what_they_see(engine, capsys):
    class Talking(kerata.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x):
            y = self.dense(x)
            if not isinstance(x, kerata.KerasTensor):
                print("sum", float(ops.convert_to_numpy(ops.sum(ops.stop_gradient(y)))))
            return y

    model = Talking()
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(X, Y, batch_size=6, verbose=0)
    assert capsys.readouterr().out.count("sum") == 2


@pytest.mark.parametrize("steps", [2, 5])
def test_several_steps_in_one_execution(engine, steps):
    results = []
    for n in (1, steps):
        model = linear()
        descended(model, X, Y, batch_size=4, epochs=2, compile={"steps_per_execution": n})
        results.append(model.get_weights())
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_early_stopping_restores_the_best_weights(engine):
    model, seen = linear(), []
    note = kerata.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()))
    stop = kerata.callbacks.EarlyStopping("loss", patience=2, restore_best_weights=True)
    model.compile(kerata.optimizers.SGD(-0.05), "mse")  # goes uphill: the first epoch is the best
    history = model.fit(X, Y, epochs=9, verbose=0, callbacks=[note, stop], shuffle=False)
    assert len(history.epoch) == 3
    for a, b in zip(model.get_weights(), seen[0], strict=True):
        np.testing.assert_array_equal(a, b)


def test_initial_epoch(engine):
    model = linear()
    history = descended(model, X, Y, initial_epoch=2, epochs=4)
    assert history.epoch == [2, 3]


# ---- what layers add ------------------------------------------------------------------------------------


def test_regularizers_and_added_losses(engine):
    class Penalised(layers.Layer):
        def call(self, x):
            self.add_loss(ops.mean(ops.square(x)) * 0.5)
            return x

    x = kerata.Input((3,))
    model = kerata.Model(x, layers.Dense(1, kernel_regularizer=kerata.regularizers.L2(0.1))(Penalised()(x)))
    model.set_weights([KERNEL, BIAS])
    model.compile(kerata.optimizers.SGD(0.0), "mse")
    expected = np.mean((X @ KERNEL + BIAS - Y) ** 2) + 0.5 * np.mean(X**2) + 0.1 * np.sum(KERNEL**2)
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(model.fit(X, Y, verbose=0).history["loss"], [expected], rtol=1e-5)
    model(X)
    assert len(model.losses) == 2


def test_only_added_losses(engine):
    class Alone(kerata.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x):
            y = self.dense(x)
            self.add_loss(ops.mean(ops.square(y)))
            return y

    model = Alone()
    model.compile(kerata.optimizers.SGD(0.1))
    losses = model.fit(X, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_metrics_in_layers(engine):
    class Measured(layers.Layer):
        def __init__(self):
            super().__init__()
            self.size = kerata.metrics.Mean(name="size")

        def call(self, x):
            self.size.update_state(ops.abs(x))
            return x

    model = kerata.Sequential([kerata.Input((3,)), Measured(), layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(X, Y, verbose=0, batch_size=4, epochs=2)
    np.testing.assert_allclose(history.history["size"], [np.mean(np.abs(X))] * 2, rtol=1e-5)


def test_a_stateful_rnn_goes_on_where_it_stopped(engine):
    kerata.utils.set_random_seed(0)
    x = RNG.normal(size=(2, 6, 3)).astype("float32")
    inputs = kerata.Input(batch_shape=(2, None, 3))
    rnn = layers.SimpleRNN(4, stateful=True)
    model = kerata.Model(inputs, rnn(inputs))
    whole = model.predict(x, verbose=0)
    rnn.reset_state()
    model.predict(x[:, :3], verbose=0)
    np.testing.assert_allclose(model.predict(x[:, 3:], verbose=0), whole, rtol=1e-5, atol=1e-6)
