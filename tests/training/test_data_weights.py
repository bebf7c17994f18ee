"""Class weights: values for all forms of targets, and the peer's for the same ones."""

import numpy as np
import pytest

from kerata.training.data import PyDataset, as_batches

WEIGHTS = {0: 1.0, 1: 2.0, 2: 5.0}


def weights_of(y, class_weight=WEIGHTS):
    y = np.asarray(y)
    return as_batches(np.zeros(len(y)), y, class_weight=class_weight, batch_size=len(y)).only_batch[2]


@pytest.mark.parametrize(
    "y",
    [
        [2, 0, 1],
        [[2], [0], [1]],
        [2.0, 0.0, 1.0],
        np.eye(3)[[2, 0, 1]],
        np.array([2, 0, 1], "uint8"),
        np.array([[0.1, 0.2, 0.7], [0.8, 0.1, 0.1], [0.2, 0.5, 0.3]]),
    ],
)
def test_weight_of_each_class(y):
    weights = weights_of(y)
    assert weights.dtype == np.float32 and weights.tolist() == [5, 1, 2]


@pytest.mark.parametrize(
    "class_weight, expected",
    [
        ({1: 3.0}, [1, 1, 3, 1]),
        ({-1: 0.5, 1: 2}, [0.5, 1, 2, 1]),
        ({7: 4.0, 0: 0.0}, [1, 0, 1, 4]),
        ({np.int64(0): np.float32(3), 1.0: 2}, [1, 3, 2, 1]),
    ],
)
def test_a_class_without_weight_weighs_one(class_weight, expected):
    assert weights_of([-1, 0, 1, 7], class_weight).tolist() == expected


def test_labels_of_bool():
    assert weights_of([True, False], {0: 2, 1: 3}).tolist() == [3, 2]


class Labelled(PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return np.zeros(2), np.array([index, 2])


def loader():
    return type("Loader", (), {"__iter__": lambda self: (Labelled()[i] for i in range(2))})()


@pytest.mark.parametrize("make", [Labelled, loader, lambda: iter(loader())])
def test_weights_of_batches(make):
    weights = [w.tolist() for _, _, w in as_batches(make(), class_weight=WEIGHTS).epoch(0)]
    assert weights == [[1, 5], [2, 5]]


def test_weights_of_native_targets(engine):
    from kerata import ops

    y = ops.convert_to_tensor(np.array([2, 1, 0], "int32"))
    ((_, _, weights),) = as_batches(iter([(np.zeros(3), y)]), class_weight=WEIGHTS).epoch(0)
    assert weights.tolist() == [5, 2, 1]
