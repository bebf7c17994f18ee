"""One seed, one program, four engines: the same weights, the same order, the same masks, the same curve."""

import numpy as np
import pytest

import kerata
from kerata import layers

STEPS, BATCH, CLASSES = 20, 16, 3


def mlp():
    return kerata.Sequential(
        [kerata.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(CLASSES, activation="softmax")]
    )


def cnn():
    return kerata.Sequential(
        [
            kerata.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def lstm():
    return kerata.Sequential(
        [kerata.Input((5, 4)), layers.LSTM(6), layers.Dense(CLASSES, activation="softmax")]
    )


def transformer():
    x = inputs = kerata.Input((6, 8))
    x = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 4)(x, x)]))
    feed = layers.Dense(8)(layers.Dense(16, activation="gelu")(x))
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(layers.Add()([x, feed])))
    return kerata.Model(inputs, layers.Dense(CLASSES, activation="softmax")(x))


def noisy():
    return kerata.Sequential(
        [
            kerata.Input((8,)),
            layers.Dense(16),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.3),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


MODELS = {mlp: (8,), cnn: (8, 8, 1), lstm: (5, 4), transformer: (6, 8), noisy: (8,)}


def train(make, shape):
    """The first weights and the mean loss so far after each step."""
    kerata.utils.set_random_seed(1)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4 * BATCH, *shape)).astype("float32")
    y = np.argmax(x.reshape(len(x), -1)[:, -CLASSES:], -1)
    model, curve = make(), []
    first = model.get_weights()
    note = kerata.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: curve.append(logs["loss"]))
    model.compile(kerata.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=BATCH, epochs=STEPS // 4, verbose=0, callbacks=[note])
    return first, curve


@pytest.fixture(scope="module")
def oracle():
    """The curves of the NumPy engine, each computed once."""
    found = {}

    def of(make):
        if make not in found:
            with kerata.use_backend("numpy"):
                found[make] = train(make, MODELS[make])
        return found[make]

    return of


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_the_curve_is_the_same(engine, make, oracle):
    weights, curve = train(make, MODELS[make])
    expected_weights, expected = oracle(make)
    for a, b in zip(weights, expected_weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(curve) == STEPS and curve[-1] < curve[3]
    np.testing.assert_allclose(curve, expected, rtol=1e-5)


@pytest.fixture
def float64():
    kerata.config.set_floatx("float64")
    yield
    kerata.config.set_floatx("float32")


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_in_float64_only_the_last_digits_differ(engine, make, float64):
    """What one engine computes in another way stands out here; in float32 rounding would hide it."""
    _, curve = train(make, MODELS[make])
    with kerata.use_backend("numpy"):
        _, expected = train(make, MODELS[make])
    np.testing.assert_allclose(curve, expected, rtol=1e-12)


def test_the_order_of_the_samples_is_the_same(engine):
    class Recorder(kerata.Model):
        def __init__(self):
            super().__init__()
            self.scale = layers.Dense(1)
            self.seen = []

        def call(self, x):
            if kerata.ops.shape(x)[0] == 5 and not isinstance(x, kerata.KerasTensor):
                self.seen.append(kerata.ops.convert_to_numpy(x)[:, 0])
            return self.scale(x)

    def order():
        kerata.utils.set_random_seed(7)
        model = Recorder()
        model.compile("sgd", "mse", run_eagerly=True)
        model.fit(np.arange(20.0).reshape(20, 1), np.zeros((20, 1)), batch_size=5, epochs=2, verbose=0)
        return np.stack(model.seen)

    seen = order()
    assert seen.shape == (8, 5) and not np.array_equal(seen[:4], seen[4:])
    np.testing.assert_array_equal(np.sort(seen[:4].ravel()), np.arange(20))
    with kerata.use_backend("numpy"):
        np.testing.assert_array_equal(seen, order())


def test_dropout_masks_are_the_same(engine):
    def mask():
        kerata.utils.set_random_seed(3)
        layer, x = layers.Dropout(0.4), np.ones((50, 10), "float32")
        return [kerata.ops.convert_to_numpy(layer(x, training=True)) for _ in range(2)]

    first, second = mask()
    assert set(np.unique(first)) == {np.float32(0), np.float32(1) / np.float32(0.6)}
    assert not np.array_equal(first, second)
    with kerata.use_backend("numpy"):
        np.testing.assert_array_equal([first, second], mask())
