"""A model that only remembers what callbacks do to it."""

import numpy as np
import pytest


class StubOptimizer:
    def __init__(self, learning_rate):
        self.rates = [learning_rate]

    @property
    def learning_rate(self):
        return self.rates[-1]

    @learning_rate.setter
    def learning_rate(self, value):
        self.rates.append(float(value))


class StubModel:
    """Its single weight is set by the test, so that what is restored can be told."""

    def __init__(self, learning_rate=0.1):
        self.metrics = []
        self.stop_training = False
        self.weight = 0.0
        self.optimizer = StubOptimizer(learning_rate)
        self.saved = []  # (method, path)

    def get_weights(self):
        return [np.array(self.weight)]

    def set_weights(self, weights):
        self.weight = float(weights[0])

    def save(self, path, overwrite=True):
        self.write("save", path)

    def save_weights(self, path, overwrite=True):
        self.write("save_weights", path)

    def write(self, method, path):
        self.saved.append((method, path))
        with open(path, "w") as file:
            file.write(repr(self.weight))

    def load_weights(self, path):
        with open(path) as file:
            self.weight = float(file.read())


class Loop:
    """The calls that a training loop makes, with logs from a script; one entry of `series` is an epoch's logs."""

    def __init__(self, steps=3):
        self.steps = steps

    def run(self, callback, series, model=None, batch_logs=None, initial_epoch=0):
        self.model = model = model or StubModel()
        callback.set_params({"verbose": 0, "epochs": len(series), "steps": self.steps})
        callback.set_model(model)
        callback.on_train_begin()
        logs = {}
        for self.epoch, logs in list(enumerate(series))[initial_epoch:]:
            model.weight = self.epoch + 1.0
            callback.on_epoch_begin(self.epoch)
            for batch in range(self.steps):
                callback.on_train_batch_begin(batch)
                callback.on_train_batch_end(batch, dict(batch_logs or {"loss": 0.5 + batch}))
            callback.on_epoch_end(self.epoch, logs)
            if model.stop_training:
                break
        callback.on_train_end(logs)
        return model


@pytest.fixture
def stub_model():
    return StubModel


@pytest.fixture
def loop():
    return Loop()
