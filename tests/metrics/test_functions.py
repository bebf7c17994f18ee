"""Losses and metrics as functions, under all their public names, against Keras."""

import inspect

import keras
import numpy as np
import pytest

import kerata
from kerata import ops

RANDOM = np.random.default_rng(3)
SHARES = RANDOM.uniform(0.05, 1, (4, 3)).astype("float32")
SHARES /= SHARES.sum(1, keepdims=True)
REAL, OTHER = (RANDOM.normal(size=(4, 3)).astype("float32") for _ in range(2))
BITS = (REAL > 0).astype("float32")
ONE_HOT = np.eye(3, dtype="float32")[[0, 2, 1, 1]]
LABELS = np.array([0, 2, 1, 0], "int32")
EMBEDDINGS = REAL / np.linalg.norm(REAL, axis=1, keepdims=True)
# By what the name begins with or contains, the first that fits: targets and predictions.
KINDS = {
    "sparse_": (LABELS, SHARES),
    "generalized": (LABELS, SHARES),
    "circle": (LABELS, EMBEDDINGS),
    "top_k": (ONE_HOT, SHARES),
    "binary": (BITS, SHARES),
    "categorical": (ONE_HOT, SHARES),
    "dice": (BITS, SHARES),
    "tversky": (BITS, SHARES),
    "poisson": (ONE_HOT, SHARES),
    "kl_divergence": (ONE_HOT, SHARES),
    "": (REAL, OTHER),
}
OPTIONS = {"categorical_generalized_cross_entropy": {"q": 0.7}}
APART = {"get", "serialize", "deserialize", "ctc"}  # ctc is an op, compared in tests/ops


def functions():
    """(part, name) of each function of targets and predictions that Keras offers."""
    for part in ("losses", "metrics"):
        theirs = vars(getattr(keras, part))
        yield from ((part, n) for n, f in theirs.items() if inspect.isfunction(f) and n not in APART)


@pytest.mark.parametrize(("part", "name"), functions())
def test_values_as_in_keras(engine, part, name):
    true, pred = next(data for word, data in KINDS.items() if word in name)
    ours = getattr(getattr(kerata, part), name)(true, pred, **OPTIONS.get(name, {}))
    theirs = getattr(getattr(keras, part), name)(true, pred, **OPTIONS.get(name, {}))
    theirs = np.asarray(theirs)
    assert ops.convert_to_numpy(ours).shape == theirs.shape
    np.testing.assert_allclose(ops.convert_to_numpy(ours), theirs, rtol=2e-5, atol=2e-6)
