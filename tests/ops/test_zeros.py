"""Zeros keep their sign, and 0 times what is not finite is NaN, eager and compiled: against NumPy's own functions."""

import numpy as np
import pytest

import kerata
from kerata import ops

X = np.float32([1, -1, 0, 2])
BITS = np.array([False, True, False, True])

# What a call gives, and NumPy's formula for it; infinite where the sign of a zero shows.
SIGNS = {
    "divided by": (lambda x: ops.divide(x, -0.0), lambda x: x / np.float32(-0.0)),
    "times": (lambda x: ops.divide(1.0, ops.multiply(x, -0.0)), lambda x: 1 / (x * np.float32(-0.0))),
    "chosen": (lambda x: ops.divide(1.0, ops.where(x > 0, -0.0, x)), lambda x: 1 / np.where(x > 0, np.float32(-0.0), x)),
    "in place of NaN": (lambda x: ops.divide(1.0, ops.nan_to_num(ops.divide(x, x), nan=-0.0)), lambda x: 1 / np.nan_to_num(x / x, nan=-0.0)),
    "filled": (lambda x: ops.divide(x, ops.full((4,), -0.0)), lambda x: x / np.full(4, np.float32(-0.0))),
    "converted": (lambda x: ops.divide(x, ops.convert_to_tensor(-0.0)), lambda x: x / np.float32(-0.0)),
}  # fmt: skip
OF_BITS = {
    "over zero": (lambda b: ops.divide(b, 0.0), lambda b: b / np.float32(0)),
    "times infinity": (lambda b: ops.multiply(b, float("inf")), lambda b: b * np.float32(np.inf)),
    "as floats times NaN": (
        lambda b: ops.multiply(ops.cast(b, "float32"), ops.full((4,), float("nan"))),
        lambda b: b * np.full(4, np.float32(np.nan)),
    ),
}


def _both_ways(fn, x):
    for call in (fn, kerata.function(fn)):
        yield ops.convert_to_numpy(call(ops.convert_to_tensor(x)))


@pytest.mark.parametrize("name", SIGNS)
def test_minus_zero_stays_minus_zero(engine, name):
    ops.multiply(ops.convert_to_tensor(X), 0.0)  # an engine may keep the tensor of this zero
    call, formula = SIGNS[name]
    with np.errstate(all="ignore"):
        expected = formula(X)
    assert np.isinf(expected).any()
    for found in _both_ways(call, X):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", OF_BITS)
def test_false_times_what_is_not_finite_is_nan(engine, name):
    call, formula = OF_BITS[name]
    with np.errstate(all="ignore"):
        expected = formula(BITS)
    assert np.isnan(expected[0])
    for found in _both_ways(call, BITS):
        np.testing.assert_array_equal(found, expected)
