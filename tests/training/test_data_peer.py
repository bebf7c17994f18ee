"""The batches that a training step of the peer gets for the same call of `fit`, in order, with their dtypes."""

import warnings

import numpy as np
import pandas as pd
import pytest

from kerata.core import tree
from kerata.training.data import as_batches, split_validation


@pytest.fixture(scope="module")
def recorder():
    """A model of the peer that notes what it is given and learns nothing."""
    import keras

    class Recorder(keras.Model):
        def __init__(self):
            super().__init__()
            self.one = self.add_weight(shape=(1,))
            self.built, self.seen = True, []

        def call(self, x):
            return x

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            self.seen.append((x, y, sample_weight))
            return keras.ops.sum(self.one)

    def record(*args, **options):
        model = Recorder()
        model.compile(optimizer="sgd", loss=None, run_eagerly=True, jit_compile=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(*args, verbose=0, shuffle=False, **options)
        return model.seen

    return record


def column(n, dtype="float64"):
    return np.arange(n, dtype=dtype).reshape(n, 1)


def arrays(batch):
    """Leaves as arrays; the peer on this engine gives tuples for lists."""
    return [None if leaf is None else np.asarray(leaf) for leaf in tree.flatten(batch)]


def same(ours, theirs):
    assert len(ours) == len(theirs)
    for our_batch, their_batch in zip(ours, theirs):
        for a, b in zip(arrays(our_batch), arrays(their_batch), strict=True):
            if b is None:
                assert a is None
                continue
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


def epochs(source, count):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [batch for epoch in range(count) for batch in source.epoch(epoch)]


@pytest.mark.parametrize(
    "n, options",
    [
        (7, {"batch_size": 3}),
        (70, {}),
        (10, {"batch_size": 2, "steps_per_epoch": 2, "epochs": 4}),
        (8, {"batch_size": 2, "steps_per_epoch": 4, "epochs": 2}),
        (10, {"batch_size": 4, "steps_per_epoch": 5, "epochs": 2}),
        (10, {"steps_per_epoch": 4, "epochs": 2}),
        (10, {"steps_per_epoch": 3}),
    ],
    ids=str,
)
def test_steps_and_sizes(recorder, n, options):
    x, y = column(n), np.arange(n)
    theirs = recorder(x, y, **options)
    source = as_batches(x, y, batch_size=options.get("batch_size"), steps=options.get("steps_per_epoch"))
    same(epochs(source, options.get("epochs", 1)), theirs)


@pytest.mark.parametrize(
    "y",
    [np.arange(4).astype(d) for d in ("f8", "f4", "f2", "i8", "i4", "i1", "u1", "u4", "c8", "c16", "?")]
    + [
        pd.Series([1, 2, 3, 4]),
        pd.Series([1.0, 2, 3, 4]),
        pd.DataFrame({"a": [1, 2, 3, 4], "b": [1.0, 2, 3, 4]}),
    ]
    + [[np.arange(4), None], (np.arange(4), np.ones((4, 2)))],
    ids=lambda y: f"{type(y).__name__}-{getattr(y, 'dtype', '')}",
)
def test_targets_of_all_kinds(recorder, y):
    same(epochs(as_batches(column(4), y, batch_size=3), 1), recorder(column(4), y, batch_size=3))


def test_named_inputs(recorder):
    x = {"b": column(4), "a": (column(4, "int32"), [column(4) + 1])}
    same(epochs(as_batches(x, batch_size=3), 1), recorder(x, batch_size=3))


@pytest.mark.parametrize(
    "y", [[0, 1, 2, 1], [[0], [1], [2], [1]], np.eye(3)[[0, 1, 2, 1]], [0.0, 1.0, 2.0, 1.0]], ids=str
)
@pytest.mark.parametrize("class_weight", [{0: 1, 1: 2, 2: 5}, {1: 3.0}, {2: 0}], ids=str)
def test_class_weights(recorder, y, class_weight):
    x, y = column(4), np.asarray(y)
    theirs = recorder(x, y, class_weight=class_weight)
    same(epochs(as_batches(x, y, class_weight=class_weight), 1), theirs)


def test_weights(recorder):
    weights = [np.arange(4.0), None]
    theirs = recorder(column(4), [np.zeros(4), np.ones(4)], sample_weight=weights)
    same(epochs(as_batches(column(4), [np.zeros(4), np.ones(4)], weights), 1), theirs)


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.3, 0.34, 0.5, 0.75])
def test_validation_split(recorder, fraction):
    x, y = column(10), np.arange(10)
    train, val = split_validation(x, y, validation_split=fraction)
    ours = epochs(as_batches(*train), 1) + epochs(as_batches(*val), 1)
    same(ours, recorder(x, y, validation_split=fraction))
