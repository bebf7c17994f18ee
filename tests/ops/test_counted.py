"""Sizes that only values tell: None where they are announced, in models of every engine the size that NumPy gives."""

import numpy as np
import pytest

import kerata
from kerata import layers, ops

CALLS = {
    "unique": (lambda x: ops.unique(x), (None,)),
    "unique along an axis": (lambda x: ops.unique(x, axis=1), (2, None)),
    "unique of a size": (lambda x: ops.unique(x, axis=1, size=2), (2, 2)),
    "inverse": (lambda x: ops.unique(x, return_inverse=True)[1], (2, 3)),
    "nonzero": (lambda x: ops.stack(ops.nonzero(x), axis=-1), (None, 2)),
    "where": (lambda x: ops.where(ops.greater(x, 1))[1], (None,)),
    "bincount": (lambda x: ops.bincount(x, minlength=2), (2, None)),
    "segment_max": (lambda x: ops.segment_max(x, x[:, 0]), (None, 3)),
    "mask": (lambda x: x[ops.greater(x[:, 0], 0)], (None, 3)),
    "what follows": (lambda x: ops.sum(ops.reshape(ops.unique(x), (-1, 1)), axis=0), (1,)),
}
pytestmark = pytest.mark.filterwarnings("ignore:.*runs uncompiled:RuntimeWarning")
X = np.array([[0, 1, 5], [2, 0, 1]], "int32")


@pytest.mark.parametrize("name", CALLS)
def test_announced_and_given(name, engine):
    call, announced = CALLS[name]
    assert call(kerata.KerasTensor((2, 3), "int32")).shape == announced
    inputs = kerata.Input((3,), dtype="int32")
    model = kerata.Model(inputs, call(inputs))
    with kerata.use_backend("numpy"):
        expected = ops.convert_to_numpy(call(X))
    np.testing.assert_array_equal(ops.convert_to_numpy(model(ops.convert_to_tensor(X))), expected)
    copy = kerata.Model.from_config(model.get_config())
    np.testing.assert_array_equal(
        copy.predict(X, verbose=0), expected
    )  # not compiled: there is one size for a program


def test_models_with_counts_train(engine):
    inputs = kerata.Input((3,), dtype="int32")
    counts = ops.sum(ops.bincount(inputs), axis=-1, keepdims=True)
    model = kerata.Sequential([kerata.Model(inputs, ops.cast(counts, "float32")), layers.Dense(1)])
    model.compile("sgd", "mse")
    losses = model.fit(X, np.ones((2, 1), "float32"), epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
