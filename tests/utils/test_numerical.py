"""`to_categorical` and `normalize`: closed forms, the peer's values, refusals."""

import numpy as np
import pytest

from kerata import ops
from kerata.core.errors import ArgumentError
from kerata.utils.numerical import normalize, to_categorical

LABELS = [
    ([1, 2, 3], None),
    ([[1, 2], [3, 0]], None),
    ([[1], [2]], 4),
    ([1.0, 2.0], None),
    ([5], None),
    (np.zeros((2, 1, 1), int), 2),
    (np.array(3), None),
    (np.array([0, 2], "uint8"), 3),
    ([True, False], 2),
]


@pytest.mark.parametrize("x, num_classes", LABELS)
def test_to_categorical_as_the_peer(x, num_classes):
    import keras

    theirs = keras.utils.to_categorical(x, num_classes)
    ours = to_categorical(x, num_classes)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("shape", [(4,), (4, 1), (2, 3), (2, 3, 1)])
def test_argmax_reverses_to_categorical(shape):
    labels = np.random.default_rng(0).integers(0, 5, shape)
    rows = to_categorical(labels, 5)
    kept = labels.reshape(labels.shape[:-1]) if shape[-1] == 1 else labels
    np.testing.assert_array_equal(rows.argmax(-1), kept)
    assert (rows.sum(-1) == 1).all()


def test_to_categorical_of_tensors(engine):
    rows = to_categorical(ops.convert_to_tensor(np.array([[0], [2]])))
    assert isinstance(rows, np.ndarray) == (engine == "numpy")
    np.testing.assert_array_equal(ops.convert_to_numpy(rows), [[1, 0, 0], [0, 0, 1]])


@pytest.mark.parametrize(
    "x, num_classes, message",
    [
        ([3], 3, "`x` must be classes from 0 to 2. Got [3]. Found 3 to 3."),
        ([-1, 0], 3, "`x` must be classes from 0 to 2."),
        ([-1, 0], None, "`x` must be classes from 0 to 0."),
        ([0.5], None, "`x` must be whole numbers"),
        ([np.nan], None, "`x` must be whole numbers"),
        ([], None, "`x` must be at least one class."),
        (["a"], None, "`x` must be an array of numbers."),
        ([[1], [1, 2]], None, "`x` must be an array of numbers."),
        ([1], 0, "`num_classes` must be a positive integer or None."),
        ([1], 2.0, "`num_classes` must be a positive integer or None."),
        ([1], True, "`num_classes` must be a positive integer or None."),
    ],
)
def test_to_categorical_refuses(x, num_classes, message):
    with pytest.raises(ArgumentError) as caught:
        to_categorical(x, num_classes)
    assert message in str(caught.value)


NORMS = [
    (np.array([[3.0, 4.0], [0.0, 0.0]]),),
    (np.array([[3, 4], [0, 5]]), 1),
    (np.array([3, 4]),),
    (np.arange(8.0).reshape(2, 2, 2), 1, 1),
    (np.arange(8.0).reshape(2, 2, 2), -1, np.inf),
    (np.arange(8).reshape(2, 2, 2), -1, 0),
    (np.array([[3, 4.0]], "f4"), -1, 3),
]


@pytest.mark.parametrize("args", NORMS)
def test_normalize_as_the_peer(args):
    import keras

    theirs, ours = keras.utils.normalize(*args), normalize(*args)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-7)


@pytest.mark.parametrize("axis", [0, 1, -1, -2])  # along axis 0 the peer divides by the norms of other slices
@pytest.mark.parametrize("order", [1, 2, 3, np.inf])
def test_norms_are_one(order, axis):
    x = np.random.default_rng(0).normal(size=(4, 4))
    normalized = normalize(x, axis, order)
    np.testing.assert_allclose(np.linalg.norm(normalized, order, axis=axis), 1)
    np.testing.assert_allclose(np.sign(normalized), np.sign(x))


def test_normalize_tensors(engine):
    x = ops.normalize(ops.convert_to_tensor(np.array([[3.0, 4.0]], "float32")))
    np.testing.assert_allclose(
        ops.convert_to_numpy(normalize([[3.0, 4.0]])), ops.convert_to_numpy(x), rtol=1e-6
    )
    np.testing.assert_allclose(ops.convert_to_numpy(x), [[0.6, 0.8]], rtol=1e-6)


@pytest.mark.parametrize(
    "args, message",
    [
        ((np.zeros(3), 1), "`axis` must be an axis of an array with 1."),
        ((np.zeros(3), 0.5), "`axis` must be an axis"),
        ((np.zeros(3), -1, "a"), "`order` must be a number."),
        ((np.array(["a"]),), "`x` must be an array of numbers."),
    ],
)
def test_normalize_refuses(args, message):
    with pytest.raises(ArgumentError) as caught:
        normalize(*args)
    assert message in str(caught.value)
