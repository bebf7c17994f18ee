"""Metrics as pure functions of their state: values by closed forms, and nothing of the metric changes."""

import numpy as np
import pytest

import kerata
from kerata import ops

VALUES = [np.array([1.0, 2.0, 6.0], "float32"), np.array([4.0], "float32")]
WEIGHTS = [np.array([1.0, 0.0, 3.0], "float32"), np.array([2.0], "float32")]


def numbers(tensors):
    return [ops.convert_to_numpy(t) for t in tensors]


@pytest.mark.parametrize(
    "name, expected", [("Mean", (1 * 1 + 6 * 3 + 4 * 2) / 6), ("Sum", 1 * 1 + 6 * 3 + 4 * 2)]
)
def test_a_weighted_mean_and_sum(engine, name, expected):
    metric = getattr(kerata.metrics, name)()
    state = metric.stateless_reset_state()
    assert all((v == 0).all() for v in numbers(state))
    for values, weights in zip(VALUES, WEIGHTS, strict=True):
        state = metric.stateless_update_state(state, values, sample_weight=weights)
    assert float(metric.stateless_result(state)) == pytest.approx(expected)
    assert all((v.numpy() == 0).all() for v in metric.variables)


def test_another_number_of_values_is_told(engine):
    with pytest.raises(kerata.core.errors.ArgumentError, match="`metric_variables` must be 2 "):
        kerata.metrics.Mean().stateless_result([0.0])


def test_a_metric_of_ones_own(engine):
    """The largest value so far, in a variable that does not begin with zero."""

    class Largest(kerata.Metric):
        def __init__(self, **options):
            super().__init__(**options)
            self.largest = self.add_variable((), kerata.initializers.Constant(-1e9), name="largest")

        def update_state(self, values, sample_weight=None):
            self.largest.assign(ops.maximum(self.largest, ops.max(values)))

        def result(self):
            return self.largest.value

    metric = Largest()
    assert [v.path for v in metric.variables] == ["largest/largest"]
    state = metric.stateless_reset_state()
    for values in VALUES:
        state = metric.stateless_update_state(state, values)
    assert float(metric.stateless_result(state)) == 6 and float(metric.result()) == -1e9
    assert metric(VALUES[1]) == 4
    metric.reset_state()
    assert float(metric.result()) == -1e9
