"""Metrics where targets are constant, predictions out of range, or shapes unusual: by definitions."""

import numpy as np
import pytest

import kerata
from kerata import ops
from kerata.core.errors import ArgumentError


def result(name, options, *given, **weights):
    metric = getattr(kerata.metrics, name)(**options)
    metric.update_state(*given, **weights)
    return metric.result()


def value(x):
    return ops.convert_to_numpy(x)


def test_a_correlation_with_a_constant_is_not_defined(engine):
    """As SciPy's `pearsonr` has it."""
    true, pred = np.float32([[1, 2, 3], [0, 1, 2]]), np.float32([[1, 1, 1], [0, 1, 2]])
    found = value(kerata.metrics.pearson_correlation(true, pred))
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(1)


def test_constant_targets_leave_nothing_to_explain(engine):
    """As scikit-learn's `r2_score` has it: 0 where they are missed, 1 where they are met."""
    true = np.float32([[1, 1, 2], [1, 1, 3]])
    pred = np.float32([[1.5, 1, 2], [1, 1, 2]])
    np.testing.assert_allclose(value(result("R2Score", {"class_aggregation": None}, true, pred)), [0, 1, -1])


@pytest.mark.parametrize("curve", ["ROC", "PR"])
def test_predictions_beyond_the_unit_interval_count_as_its_ends(engine, curve):
    assert float(result("AUC", {"curve": curve}, [0, 0, 1, 1], [-1.0, -0.5, 0.7, 2.0])) == pytest.approx(1)


@pytest.mark.parametrize(("threshold", "expected"), [(-3.0, 0.5), (2.0, 0.75), (0.0, 0.75)])
def test_a_threshold_may_be_one_of_logits(engine, threshold, expected):
    found = result("BinaryAccuracy", {"threshold": threshold}, [0, 1, 0, 1], [-2.0, 3.0, 1.0, 1.5])
    assert float(found) == expected


def test_the_best_classes_of_sequences(engine):
    true, pred = np.array([[0, 1], [2, 1]]), np.arange(12, dtype="float32").reshape(2, 2, 3)
    expected = [[0, 1], [1, 1]]
    np.testing.assert_array_equal(
        value(kerata.metrics.sparse_top_k_categorical_accuracy(true, pred, k=2)), expected
    )
    np.testing.assert_array_equal(
        value(kerata.metrics.top_k_categorical_accuracy(np.eye(3)[true], pred, k=2)), expected
    )
    assert float(result("SparseTopKCategoricalAccuracy", {"k": 2}, true, pred)) == 0.75


@pytest.mark.parametrize("name", ["Precision", "Recall"])
def test_a_class_that_does_not_exist(engine, name):
    with pytest.raises(ArgumentError, match="`class_id` must be"):
        result(name, {"class_id": 5}, np.eye(3), np.eye(3) * 0.9)


@pytest.mark.parametrize("name", ["Precision", "TruePositives", "Mean", "AUC"])
def test_results_are_tensors(engine, name):
    given = ([1.0, 0.0],) if name == "Mean" else ([1, 0], [0.9, 0.2])
    assert ops.is_tensor(result(name, {}, *given))


@pytest.mark.parametrize("name", ["Accuracy", "FalsePositives", "Sum"])
def test_counts_keep_their_own_dtype(engine, name):
    metric = getattr(kerata.metrics, name)(dtype="int32")
    metric.update_state(*(([1.0, 2.0],) if name == "Sum" else ([1, 0], [1, 1])))
    assert {v.dtype for v in metric.variables} == {ops.dtype(v.value) for v in metric.variables} == {"int32"}


@pytest.mark.parametrize("name", ["Precision", "Recall"])
def test_what_counts_classes_wants_classes(engine, name):
    with pytest.raises(ArgumentError, match=r"`y_pred` must be of shape \(batch, …, classes\)"):
        result(name, {"class_id": 1}, np.array([0, 1]), np.array([0.1, 0.9]))
    with pytest.raises(ArgumentError, match="`top_k` must be at most 3"):
        result(name, {"top_k": 7}, np.eye(3), np.eye(3))


def test_spellings_of_arguments(engine):
    true, pred = np.array([0, 1, 1, 1]), np.array([0.1, 0.9, 0.8, 0.2])
    assert float(result("Recall", {"thresholds": np.float32(0.5)}, true, pred)) == pytest.approx(2 / 3)
    spelt = result("AUC", {"curve": "pr", "summation_method": "Majoring"}, true, pred)
    assert float(spelt) == float(result("AUC", {"curve": "PR", "summation_method": "majoring"}, true, pred))
