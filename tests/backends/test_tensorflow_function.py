"""Functions on TensorFlow: the short way of later calls does what the first, bound by `tf.function`, did."""

import numpy as np
import pytest

import kerata
from kerata import ops


@pytest.fixture(autouse=True)
def on_tensorflow():
    """The engine; where it is not installed, these tests fail with the command that installs it."""
    with kerata.use_backend("tensorflow"):
        yield


@pytest.fixture
def tf():
    import tensorflow

    return tensorflow


def _called_thrice(function, *args):
    return [function(*args) for _ in range(3)]


@pytest.mark.parametrize("jit_compile", [True, False])
def test_variables_are_assigned_by_every_call(jit_compile):
    total = kerata.Variable(np.zeros((), "float32"))

    @kerata.function(jit_compile=jit_compile)
    def add(x, nothing):
        total.assign_add(ops.sum(x))
        return {"total": total.value, "nothing": nothing}

    results = _called_thrice(add, np.ones((2, 3), "float32"), None)
    assert [float(r["total"]) for r in results] == [6, 12, 18]
    assert all(r["nothing"] is None for r in results)
    assert float(total.value) == 18


def test_arrays_and_tensors_of_other_shapes_and_dtypes_have_their_own_trace(tf):
    traces = []

    @kerata.function
    def double(x):
        traces.append(x.dtype)
        return ops.multiply(x, 2)

    for x in (np.ones(2, "float32"), np.ones(3, "float32"), np.ones(3, "int32"), tf.ones(4)):
        for y in _called_thrice(double, x):
            assert y.dtype == tf.as_dtype(x.dtype)
            np.testing.assert_array_equal(y, 2 * np.ones(x.shape))
    assert len(traces) == 4


def test_a_tape_sees_through_later_calls(tf):
    weight = kerata.Variable(np.float32(3))

    @kerata.function
    def squared(x):
        return weight * x * x

    _called_thrice(squared, tf.constant(2.0))
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = squared(x)
    by_x, by_weight = tape.gradient(y, [x, weight._container])
    assert (float(y), float(by_x), float(by_weight)) == (12, 12, 4)


def test_calls_in_a_function_of_tensorflow_and_eager_functions_are_as_before(tf):
    @kerata.function
    def double(x):
        return ops.multiply(x, 2)

    _called_thrice(double, tf.constant(2.0))
    assert float(tf.function(lambda x: double(x) + 1)(tf.constant(2.0))) == 5
    tf.config.run_functions_eagerly(True)
    try:
        assert float(double(tf.constant(2.0))) == 4
    finally:
        tf.config.run_functions_eagerly(False)


def test_an_array_that_is_written_afterwards_leaves_the_result():
    @kerata.function
    def same(x):
        return x

    x = np.zeros((64, 64), "float32")
    kept = _called_thrice(same, x)
    x += 1
    for result in kept:
        np.testing.assert_array_equal(result, np.zeros((64, 64)))
