"""What a user of Keras expects of validation, masks and metrics."""

import numpy as np
import pytest

import kerata
from kerata import layers, ops
from kerata.core.errors import ArgumentError, StateError

X = np.arange(40.0).reshape(40, 1).astype("float32")
Y = np.zeros((40, 1), "float32")


class Quarters(kerata.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, i):
        return X[10 * i : 10 * i + 10], Y[10 * i : 10 * i + 10]


def loader():
    import torch

    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    return torch.utils.data.DataLoader(data, batch_size=10)


def dataset():
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(10)


@pytest.mark.parametrize(
    "data", [lambda: (X, Y), Quarters, loader, dataset], ids=["arrays", "PyDataset", "DataLoader", "tf.data"]
)
def test_validation_steps_begin_with_the_first_batch(engine, data):
    model = kerata.Sequential([kerata.Input((1,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile(kerata.optimizers.SGD(0.0), "mse")
    given = data()
    size = 10 if isinstance(given, tuple) else None
    history = model.fit(
        X, Y, epochs=3, verbose=0, validation_data=given, validation_steps=1, validation_batch_size=size
    )
    np.testing.assert_allclose(history.history["val_loss"], [np.mean(X[:10] ** 2)] * 3, rtol=1e-6)


def test_masks_of_keywords_and_of_several_inputs(engine):
    ids = kerata.Input((3,), dtype="int32")
    embedded = layers.Embedding(9, 4, mask_zero=True)(ids)
    attended = layers.MultiHeadAttention(2, 2)(query=embedded, value=embedded, key=embedded)

    class Join(layers.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

        def call(self, inputs, mask=None):
            return inputs[0] + inputs[1]

    joined = Join()([attended, embedded])
    assert joined._keras_mask.shape == (None, 3)
    model = kerata.Model(ids, layers.Dense(9)(joined))
    model.compile("sgd", kerata.losses.SparseCategoricalCrossentropy(from_logits=True))
    x = np.array([[1, 2, 0], [3, 0, 0]])
    assert np.isfinite(model.fit(x, x, verbose=0).history["loss"]).all()
    eager = layers.MultiHeadAttention(2, 2)(
        query=layers.Embedding(9, 4, mask_zero=True)(x), value=np.ones((2, 3, 4), "f")
    )
    assert eager.shape == (2, 3, 4)


class Watched(kerata.Model):
    """Keeps one metric of its own, and no other."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.seen = kerata.metrics.Mean(name="seen")

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = kerata.ops.mean(kerata.ops.square(y_pred - y))
        self.seen.update_state(loss)
        return loss

    @property
    def metrics(self):
        return [self.seen]


def test_history_holds_the_metrics_that_a_model_lists(engine):
    x = kerata.Input((2,))
    model = Watched(x, layers.Dense(1, kernel_initializer="ones")(x))
    model.compile(kerata.optimizers.SGD(0.1))
    history = model.fit(
        np.ones((8, 2), "f"), np.zeros((8, 1), "f"), epochs=2, verbose=0, batch_size=8
    ).history
    assert list(history) == ["seen"]
    np.testing.assert_allclose(history["seen"], [4, 0.64], rtol=1e-5)


def test_a_compiled_model_inside_another(engine):
    """It has a loss and metrics of its own, which are not those of the model around it."""
    inner = kerata.Sequential([kerata.Input((3,)), kerata.layers.Dense(2, kernel_initializer="ones")])
    inner.compile("adam", "mse", metrics=["mae"])
    x = kerata.Input((3,))
    model = kerata.Model(x, kerata.layers.Dense(1, kernel_initializer="ones")(inner(x)))
    model.compile("sgd", "mse", metrics=["mae"])
    ones, target = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
    assert model.evaluate(ones, target, verbose=0) == [25.0, 5.0]
    assert model.fit(ones, target, verbose=0).history == {"loss": [25.0], "mae": [5.0]}
    assert model.metrics_names == ["loss", "mae"]


def test_compute_loss_without_training(engine):
    class Own(kerata.Model):
        def __init__(self):
            super().__init__()
            self.dense = kerata.layers.Dense(1, kernel_initializer="ones")

        def call(self, x):
            return self.dense(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, allow_empty=False):
            return kerata.ops.mean(kerata.ops.square(y - y_pred)) * 2

    model = Own()
    model.compile("sgd")
    ones, target = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
    assert model.evaluate(ones, target, verbose=0) == 8.0
    assert model.fit(ones, target, verbose=0).history["loss"] == [8.0]


def test_a_function_as_loss_gets_equal_ranks(engine):
    x = kerata.Input((3,))
    model = kerata.Model(x, kerata.layers.Dense(1, kernel_initializer="ones")(x))
    model.compile("sgd", lambda y, p: kerata.ops.mean(kerata.ops.square(y - p)))
    ones = np.ones((4, 3), "float32")
    for y in (np.arange(4.0), np.arange(4.0)[:, None]):
        assert model.evaluate(ones, y, verbose=0) == 3.5  # the mean of 9, 4, 1 and 0


class Unlike(kerata.Model):
    """Learns from pairs of batches of two lengths."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1, kernel_initializer="ones")

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        free, (x, y) = data
        return {"value": ops.sum(self(free)) + ops.sum(self(x) * y)}


def test_an_own_step_takes_parts_of_several_lengths(engine):
    model = Unlike()
    model.compile("sgd")
    model(np.ones((1, 3), "float32"))
    pairs = ((np.ones((4, 3), "float32"), (np.ones((2, 3), "float32"), np.ones((2, 1)))) for _ in range(2))
    if engine == "jax":  # whose own steps take a state
        Unlike.train_step, plain = lambda self, state, data: (plain(self, data), state), Unlike.train_step
    try:
        assert model.fit(pairs, verbose=0).history["value"] == [18.0]
    finally:
        if engine == "jax":
            Unlike.train_step = plain
    with pytest.raises(ArgumentError, match="Numbers of samples"):
        twin = kerata.Sequential([kerata.Input((3,)), layers.Dense(1)])
        twin.compile("sgd", "mse")
        twin.fit(((np.ones((4, 3)), np.ones((1, 1))) for _ in range(2)), verbose=0)


def squared_slopes(engine, f, x):
    """The derivatives of the sum of `f(x)`, as users of an engine ask for them."""
    if engine == "torch":
        import torch

        with torch.enable_grad():
            x = torch.as_tensor(x).detach().requires_grad_(True)
            return torch.autograd.grad(f(x).sum(), x, create_graph=True)[0] ** 2
    if engine == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(f(x))
        return tape.gradient(total, x) ** 2
    import jax

    return jax.grad(lambda v: f(v).sum())(x) ** 2


def test_losses_with_derivatives_of_the_engine(engine):
    if engine == "numpy":
        return  # NumPy has none of its own

    class Smooth(kerata.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1, kernel_initializer="ones")

        def call(self, x):
            return self.dense(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return ops.mean((y_pred - y) ** 2) + ops.mean(squared_slopes(engine, self.dense, x))

    model = Smooth()
    model.compile(kerata.optimizers.SGD(0.1), "mse")
    x = np.ones((4, 3), "float32")
    # (3 - 1)^2 + 1; the step takes 0.1 * (2 * 2 + 2 / 3) from each of three weights and 0.1 * 4 from the bias.
    history = model.fit(x, x[:, :1], epochs=2, shuffle=False, verbose=0).history["loss"]
    weight, bias = 1 - 0.1 * (4 + 2 / 3), -0.4
    np.testing.assert_allclose(history, [5, (3 * weight + bias - 1) ** 2 + weight**2], rtol=1e-5)
    assert model.evaluate(x, x[:, :1], verbose=0) > 0


@pytest.mark.parametrize("name", ["accuracy", "Accuracy", "acc", "ACC"])
def test_accuracy_in_any_spelling(name, engine):
    model = kerata.Sequential([kerata.Input((3,)), layers.Activation("linear")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[name])
    logs = model.evaluate(np.eye(3), np.array([0, 1, 0]), verbose=0, return_dict=True)
    assert logs[name] == pytest.approx(2 / 3)


def test_values_of_a_metric_with_several_come_last(engine):
    class Two(kerata.metrics.Metric):
        def update_state(self, y_true, y_pred, sample_weight=None):
            pass

        def result(self):
            return {"second": ops.convert_to_tensor(2.0), "first": ops.convert_to_tensor(1.0)}

    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse", metrics=[Two(), "mae"])
    assert model.evaluate(np.ones((2, 3)), np.full((2, 1), 3.0), verbose=0) == [9.0, 3.0, 1.0, 2.0]


class Guided(kerata.Model):
    """The steps of the guides: a loop over the metrics."""

    def test_step(self, data):
        x, y = data
        y_pred = self(x, training=False)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(self.compute_loss(y=y, y_pred=y_pred))
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


def test_metrics_are_called_what_they_were_compiled_as(engine):
    x = kerata.Input((3,))
    model = Guided(x, layers.Activation("softmax")(x))
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"], weighted_metrics=["acc"])
    data = (np.eye(3, dtype="float32"), np.arange(3))
    logs = model.evaluate(*data, return_dict=True, verbose=0)
    assert sorted(logs) == ["acc", "accuracy", "loss"] and logs["accuracy"] == 1


def test_metrics_without_a_loss(engine):
    model = kerata.Sequential([kerata.Input((3,)), layers.Activation("softmax")])
    model.compile(metrics=["accuracy"])
    logs = model.evaluate(np.eye(3), np.arange(3), return_dict=True, verbose=0)
    assert logs == {"accuracy": 1.0, "loss": 0.0}
    model.compile("sgd")
    with pytest.raises(StateError, match="nothing to minimise"):
        model.fit(np.eye(3), np.arange(3), verbose=0)


def test_a_step_that_hands_on_its_arguments(engine):
    class Dispatching(kerata.Model):
        def train_step(self, *args, **kwargs):
            return (self._with_state if engine == "jax" else self._plain)(*args, **kwargs)

        def _with_state(self, state, data):
            return {"value": ops.sum(data[0])}, state

        def _plain(self, data):
            return {"value": ops.sum(data[0])}

    x = kerata.Input((3,))
    model = Dispatching(x, layers.Dense(1)(x))
    model.compile("sgd", "mse")
    assert model.fit(np.eye(3), np.ones((3, 1)), verbose=0).history == {"value": [3.0]}


def test_weights_of_losses_are_no_weights_of_the_model(engine):
    x = kerata.Input((3,))
    model = kerata.Model(x, [layers.Dense(1, kernel_initializer="zeros")(x) for _ in range(2)])
    factor = kerata.Variable(1.0, trainable=False)
    model.compile("sgd", ["mse", "mse"], loss_weights=[factor, 1.0])
    assert len(model.weights) == 4
    y = [np.full((3, 1), 2.0), np.ones((3, 1))]
    assert model.evaluate(np.eye(3), y, verbose=0)[0] == 5
    factor.assign(3.0)
    assert model.evaluate(np.eye(3), y, verbose=0)[0] == 13


def test_nested_outputs_with_nested_losses(engine):
    x = kerata.Input((3,))

    def out():
        return layers.Dense(1, kernel_initializer="ones")(x)

    model = kerata.Model(x, {"a": out(), "b": {"c": out(), "d": [out()]}})
    model.compile(
        kerata.optimizers.SGD(0.0),
        loss={"a": "mse", "b": {"c": "mae", "d": ["mse"]}},
        loss_weights={"a": 2.0, "b": {"c": 3.0, "d": [1.0]}},
        metrics={"b": {"c": ["mse"]}},
    )
    one = np.ones((4, 1), "float32")  # every output is 3
    y = {"a": one, "b": {"c": -one, "d": [3 * one]}}
    logs = model.fit(np.ones((4, 3), "float32"), y, verbose=0).history
    assert logs == {
        "loss": [20.0],
        "a_loss": [4.0],
        "b/c_loss": [4.0],
        "b/d/0_loss": [0.0],
        "b/c_mse": [16.0],
    }
    with pytest.raises(ArgumentError, match="keys among the outputs"):
        model.compile("sgd", loss={"a": "mse", "b": {"e": "mae"}})
        model.fit(np.ones((4, 3), "float32"), y, verbose=0)
