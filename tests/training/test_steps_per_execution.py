"""Several batches in one compiled call: the same training, predictions and logs, and fewer calls of callbacks."""

import numpy as np
import pytest

import kerata
from kerata import layers, ops

RNG = np.random.default_rng(0)
X = RNG.normal(size=(22, 3)).astype("float32")
Y = (X[:, :1] * 2 - 1).astype("float32")


class Listener(kerata.callbacks.Callback):
    """Which steps were announced."""

    def __init__(self):
        super().__init__()
        self.begins, self.ends = [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.begins.append(batch)

    def on_train_batch_end(self, batch, logs=None):
        self.ends.append((batch, sorted(logs)))


class Own(kerata.Model):
    """A train_step of its own, whose logs are those of the last batch."""

    def train_step(self, data):
        x, y = data

        def loss_of():
            return ops.mean(ops.square(ops.subtract(y, self(x, training=True))))

        loss, grads = kerata.value_and_grad(loss_of, self.trainable_variables)()
        self.optimizer.apply(grads, self.trainable_variables)
        return {"own": loss}


def net(n, own=False):
    """Dropout and batch normalisation carry random state and statistics from step to step."""
    kerata.utils.set_random_seed(0)
    x = kerata.Input((3,))
    y = layers.Dense(4, activation="tanh")(x)
    y = layers.Dense(1)(layers.Dropout(0.2)(layers.BatchNormalization()(y)))
    model = (Own if own else kerata.Model)(x, y)
    model.compile(kerata.optimizers.Adam(0.01), "mse", metrics=["mae"], steps_per_execution=n)
    return model


@pytest.mark.parametrize("own", [False, True])
def test_trains_as_one_by_one(engine, own):
    results = []
    for n in (1, 2):  # 5 full batches and one of 2 rows: two calls of two, then two of one
        model = net(n, own)
        history = model.fit(X, Y, batch_size=4, epochs=2, validation_data=(X, Y), verbose=0)
        results.append((history.history, [v.numpy() for v in model.variables]))
    (logs, weights), (logs2, weights2) = results
    assert list(logs) == list(logs2)
    for key in logs:
        np.testing.assert_allclose(logs[key], logs2[key], rtol=1e-5)
    for a, b in zip(weights, weights2, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_predicts_and_evaluates_as_one_by_one(engine):
    one, three = net(1), net(3)
    np.testing.assert_allclose(
        three.predict(X, batch_size=4, verbose=0), one.predict(X, batch_size=4, verbose=0), rtol=1e-6
    )
    np.testing.assert_allclose(
        three.evaluate(X, Y, batch_size=4, verbose=0), one.evaluate(X, Y, batch_size=4, verbose=0), rtol=1e-6
    )


def test_callbacks_hear_of_calls(engine):
    listener = Listener()
    net(3).fit(X, Y, batch_size=4, verbose=0, callbacks=[listener])
    assert listener.begins == [0, 3, 4, 5]  # 5 batches of 4 and one of 2: three together, the rest one by one
    assert [step for step, _ in listener.ends] == [2, 3, 4, 5]
    assert listener.ends[0][1] == ["loss", "mae"]


def test_runs_eagerly_too(engine):
    model = net(2)
    model.run_eagerly = True
    history = model.fit(X, Y, batch_size=4, verbose=0)
    expected = net(1).fit(X, Y, batch_size=4, verbose=0)
    np.testing.assert_allclose(history.history["loss"], expected.history["loss"], rtol=1e-5)
