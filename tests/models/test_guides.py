"""What people write after Keras 3's guides: small programs of several parts, on every engine."""

import numpy as np
import pytest

import kerata as keras
from kerata import layers, ops
from kerata.core.errors import ArgumentError, BackendMismatchError, StateError

X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
Y = X[:, :1] * 2 - 1


def regression(cls=keras.Model):
    inputs = keras.Input((3,), name="x")
    model = cls(inputs, layers.Dense(1, name="y")(inputs))
    model.set_weights([np.full((3, 1), 0.5, "float32"), np.zeros(1, "float32")])
    return model


# ---- models that only hold others ----------------------------------------------------------------------


class Gan(keras.Model):
    """Two networks, two optimizers, and no `call`."""

    def __init__(self, discriminator, generator):
        super().__init__()
        self.discriminator, self.generator = discriminator, generator
        self.seeds = keras.random.SeedGenerator(7)
        self.seen = []

    def compile(self, d_optimizer, g_optimizer, loss_fn, **options):
        super().compile(**options)
        self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn

    def train_step(self, real):
        self.seen.append(tuple(ops.shape(real)))
        rows = ops.shape(real)[0]
        noise = keras.random.normal((rows, 2), seed=self.seeds)
        both = ops.concatenate([self.generator(noise), real], axis=0)
        labels = ops.concatenate([ops.ones((rows, 1)), ops.zeros((rows, 1))], axis=0)
        weights = self.discriminator.trainable_variables
        d_loss, grads = keras.value_and_grad(
            lambda: self.loss_fn(labels, self.discriminator(both)), weights
        )()
        self.d_optimizer.apply(grads, weights)
        weights = self.generator.trainable_variables
        g_loss, grads = keras.value_and_grad(
            lambda: self.loss_fn(ops.zeros((rows, 1)), self.discriminator(self.generator(noise))), weights
        )()
        self.g_optimizer.apply(grads, weights)
        return {"d_loss": d_loss, "g_loss": g_loss}


def trained_gan(run_eagerly):
    discriminator = keras.Sequential([keras.Input((3,)), layers.Dense(4, "leaky_relu"), layers.Dense(1)])
    generator = keras.Sequential([keras.Input((2,)), layers.Dense(3)])
    for model in (discriminator, generator):
        model.set_weights([np.full(w.shape, 0.3, "float32") for w in model.get_weights()])
    gan = Gan(discriminator, generator)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    gan.compile(keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.01), loss, run_eagerly=run_eagerly)
    history = gan.fit(X, batch_size=8, epochs=2, shuffle=False, verbose=0).history
    assert set(gan.seen) == {(8, 3)}  # inputs alone come as they are, in no tuple
    return history


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_a_model_without_call_trains(engine, run_eagerly):
    found = trained_gan(run_eagerly)
    with keras.use_backend("numpy"):
        expected = trained_gan(True)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5)


def test_metrics_of_compile_are_there_in_the_first_own_step(engine):
    class Own(keras.Model):
        def train_step(self, data):
            x, y = data
            variables = self.trainable_variables
            loss, grads = keras.value_and_grad(lambda: self.compute_loss(x, y, self(x)), variables)()
            for metric in self.metrics:
                metric.update_state(loss) if metric.name == "loss" else metric.update_state(y, self(x))
            self.optimizer.apply(grads, variables)
            return {metric.name: metric.result() for metric in self.metrics}

    own, plain = regression(Own), regression()
    for model in (own, plain):
        model.compile("sgd", "mse", metrics=["mae"])
    own, plain = (m.fit(X, Y, batch_size=16, shuffle=False, verbose=0).history for m in (own, plain))
    assert own.keys() == plain.keys() == {"loss", "mae"}
    for name in own:
        np.testing.assert_allclose(own[name], plain[name], rtol=1e-5)


# ---- layers around layers, and copies --------------------------------------------------------------------


class MinimalCell(layers.Layer):
    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="ones")

    def call(self, x, states):
        output = ops.matmul(x, self.kernel) + 0.5 * states[0]
        return output, [output]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def test_both_directions_of_a_cell_that_nobody_registered(engine):
    x = np.arange(6, dtype="float32").reshape(1, 3, 2)
    forward = 0.25 * 1 + 0.5 * 5 + 9
    backward = 0.25 * 9 + 0.5 * 5 + 1
    outputs = layers.Bidirectional(layers.RNN(MinimalCell(1)))(x)
    np.testing.assert_allclose(ops.convert_to_numpy(outputs), [[forward, backward]])


def test_clones_know_functions_that_nobody_registered():
    inputs = keras.Input((3,))
    hidden = layers.Dense(3, activation=lambda x: x + 1, kernel_initializer="ones")(inputs)
    outputs = layers.Dense(1, activation=lambda x: x * 2, kernel_initializer="ones")(hidden)
    model = keras.Model(
        inputs, layers.Bidirectional(layers.RNN(MinimalCell(1)))(layers.Reshape((1, 1))(outputs))
    )
    clone = keras.models.clone_model(model)
    np.testing.assert_allclose(clone.predict(X, verbose=0), model.predict(X, verbose=0))


def test_a_sequential_grows_along_its_graph():
    model = keras.Sequential([layers.Dense(3, name="a")])
    model(np.ones((1, 2), "float32"))
    model.add(layers.Dense(4, name="b"))
    model.pop()
    model.add(layers.Dense(5, name="b"))
    features = keras.Model(model.inputs, [layer.output for layer in model.layers])
    assert [tuple(v.shape) for v in features(np.ones((1, 2), "float32"))] == [(1, 3), (1, 5)]


def test_the_output_of_a_shared_layer_is_that_of_its_first_call():
    shared, first, second = layers.Dense(2), keras.Input((3,)), keras.Input((3,))
    output = shared(first)
    shared(second)
    assert shared.output is output and shared.input is first


def test_a_compiled_model_inside_another_is_saved_and_loaded(tmp_path):
    inner = regression()
    inner.compile("adam", "mse")
    inner.fit(X, Y, verbose=0)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, inner(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)


# ---- misuse ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, y, words",
    [
        ({"loss_weights": [1.0, 2.0]}, Y, "`loss_weights` must be a list of 1"),
        ({"loss_weights": {"z": 1.0}}, Y, "`loss_weights` must be a dict with keys among the outputs ['y']"),
        ({}, {"z": Y}, "`y` must be a tensor, or a dict with the name of the output ['y']"),
    ],
)
def test_names_that_do_not_fit(engine, options, y, words):
    model = regression()
    model.compile("sgd", "mse", **options)
    with pytest.raises(ArgumentError) as told:
        model.fit(X, y, verbose=0)
    assert words in str(told.value)


def test_targets_under_wrong_names():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, {"a": layers.Dense(1)(inputs), "b": layers.Dense(1)(inputs)})
    model.compile("sgd", {"a": "mse", "b": "mse"})
    for y in ({"a": Y, "c": Y}, {"c": Y, "d": Y}):
        with pytest.raises(ArgumentError, match=r"targets for '[ab]'"):
            model.fit(X, y, verbose=0)


class Forgetful(layers.Layer):
    def __init__(self):
        self.dense = layers.Dense(2)

    def call(self, x):
        return self.dense(x)


@pytest.mark.parametrize(
    "misuse, error, words",
    [
        (lambda: layers.Bidirectional(layers.Dense(2)), ArgumentError, "`layer` must be a recurrent layer"),
        (lambda: layers.Dense(2)([X, X]), ArgumentError, "`inputs` must be a tensor"),
        (lambda: Forgetful()(X), StateError, "super().__init__()"),
        (lambda: keras.Variable([1.0]).assign("fast"), ArgumentError, "numbers, which become float32"),
        (
            lambda: ops.convert_to_tensor([[1], [2, 3]]),
            ArgumentError,
            "nested lists of them of equal lengths",
        ),
        (lambda: ops.exp({"a": 1}), ArgumentError, "must be numbers"),
    ],
)
def test_misuse_is_told(engine, misuse, error, words):
    with pytest.raises(error) as told:
        misuse()
    assert words in str(told.value)


def test_a_mixture_of_engines_names_the_argument():
    with keras.use_backend("torch"):
        one = ops.ones(2)
    with keras.use_backend("jax"):
        two = ops.ones(2)
    with pytest.raises(BackendMismatchError, match="`x2` must be a tensor of the engine"):
        ops.add(one, two)


def test_small_helpers_of_keras():
    keras.backend.clear_session()
    assert keras.backend.get_uid("block") == 1 and keras.backend.get_uid("block") == 2
    assert keras.utils.is_keras_tensor(keras.Input((2,))) and not keras.backend.is_keras_tensor(X)
    assert keras.backend.is_float_dtype("bfloat16") and keras.backend.is_int_dtype("uint8")
    assert keras.mixed_precision.LossScaleOptimizer is keras.optimizers.LossScaleOptimizer
    with keras.utils.custom_object_scope({"twice": Forgetful}):
        assert keras.saving.get_registered_object("twice") is Forgetful


def test_compute_metrics_adds_to_the_logs(engine):
    class Twice(keras.Model):
        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            logs = super().compute_metrics(x, y, y_pred, sample_weight)
            return {**logs, "twice": logs["mae"] * 2}

    model = regression(Twice)
    model.compile("sgd", "mse", metrics=["mae"])
    logs = model.fit(X, Y, batch_size=16, validation_data=(X, Y), shuffle=False, verbose=0).history
    assert set(logs) == {"loss", "mae", "twice", "val_loss", "val_mae", "val_twice"}
    for prefix in ("", "val_"):
        np.testing.assert_allclose(logs[f"{prefix}twice"], np.multiply(logs[f"{prefix}mae"], 2), rtol=1e-6)


def test_names_of_outputs():
    inputs = keras.Input((3,))
    a, b = layers.Dense(1, name="a")(inputs), layers.Dense(1, name="b")(inputs)
    assert keras.Model(inputs, [b, a]).output_names == ["b", "a"]
    assert keras.Model(inputs, {"z": a, "y": b}).output_names == ["y", "z"]
    assert regression().output_names == ["y"]
