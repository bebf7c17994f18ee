"""The digits that come with the package."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from kerata.datasets import digits


@pytest.fixture(scope="module")
def parts():
    return digits.load_data()


def test_shapes_and_dtypes(parts):
    (x_train, y_train), (x_test, y_test) = parts
    assert (x_train.shape, y_train.shape) == ((1442, 8, 8), (1442,))
    assert (x_test.shape, y_test.shape) == ((355, 8, 8), (355,))
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}


def test_same_images_as_scikit_learn(parts):
    """Together the two parts are the source, image by image: neither lost, nor doubled, nor relabelled."""
    (x_train, y_train), (x_test, y_test) = parts
    source = load_digits()
    in_test = np.zeros(len(source.target), dtype=bool)
    seen = np.zeros(10, dtype=int)
    for i, label in enumerate(source.target):
        seen[label] += 1
        in_test[i] = seen[label] % 5 == 0
    np.testing.assert_array_equal(x_train, source.images[~in_test])
    np.testing.assert_array_equal(y_train, source.target[~in_test])
    np.testing.assert_array_equal(x_test, source.images[in_test])
    np.testing.assert_array_equal(y_test, source.target[in_test])


def test_every_digit_has_its_fifth_in_the_test_part(parts):
    (_, y_train), (_, y_test) = parts
    train, test = np.bincount(y_train), np.bincount(y_test)
    np.testing.assert_array_equal(test, (train + test) // 5)


def test_each_call_returns_arrays_of_its_own(parts):
    (x_train, _), _ = digits.load_data()
    x_train[:] = 99
    (again, _), _ = digits.load_data()
    np.testing.assert_array_equal(again, parts[0][0])


def test_loading_needs_no_engine():
    code = (
        "import sys; from kerata.datasets import digits; digits.load_data();"
        "print(sorted({'jax', 'torch', 'tensorflow', 'sklearn'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
