"""Metrics against Keras: the same result and state after two weighted updates."""

import keras
import numpy as np
import pytest

import kerata
from kerata import ops

RANDOM = np.random.default_rng(0)
ROWS = 6


def _floats(*shape):
    return RANDOM.uniform(0.05, 0.95, size=shape).astype("float32")


TRUE, PRED = [_floats(ROWS, 3) for _ in range(2)], [_floats(ROWS, 3) for _ in range(2)]
BITS = [(_floats(ROWS, 3) > 0.5).astype("float32") for _ in range(2)]
CLASSES = [RANDOM.integers(0, 3, ROWS).astype("int32") for _ in range(2)]
GUESSES = [RANDOM.integers(0, 3, ROWS).astype("int32") for _ in range(2)]
ONE_HOT = [np.eye(3, dtype="float32")[c] for c in CLASSES]
SHARES = [p / p.sum(1, keepdims=True) for p in PRED]
WEIGHTS = [np.array([1, 2, 0.5, 3, 1, 0], "float32"), np.array([2, 1, 1, 0.5, 0, 4], "float32")]
WHOLE = [np.array([1, 2, 0, 3, 1, 0], "int32")] * 2

CASES = [
    *[(n, {}, TRUE, PRED) for n in ("MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "LogCoshError",
                                    "MeanSquaredLogarithmicError", "RootMeanSquaredError", "CosineSimilarity", "Poisson",
                                    "PearsonCorrelation", "ConcordanceCorrelation", "R2Score")],
    *[(n, {}, BITS, PRED) for n in ("BinaryAccuracy", "Hinge", "SquaredHinge", "BinaryCrossentropy", "Precision", "Recall",
                                    "TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives", "AUC", "F1Score")],
    *[(n, {}, ONE_HOT, SHARES) for n in ("CategoricalAccuracy", "CategoricalCrossentropy", "KLDivergence", "CategoricalHinge")],
    ("Accuracy", {}, CLASSES, GUESSES),
    ("BinaryAccuracy", {"threshold": 0.3}, BITS, PRED),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, BITS, PRED),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, ONE_HOT, SHARES),
    ("SparseCategoricalAccuracy", {}, CLASSES, SHARES),
    ("SparseCategoricalCrossentropy", {}, CLASSES, SHARES),
    ("TopKCategoricalAccuracy", {"k": 2}, ONE_HOT, SHARES),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, CLASSES, SHARES),
    ("Precision", {"thresholds": [0.2, 0.6]}, BITS, PRED),
    ("Precision", {"top_k": 2}, BITS, PRED),
    ("Recall", {"class_id": 1, "thresholds": 0.4}, BITS, PRED),
    ("PrecisionAtRecall", {"recall": 0.5, "num_thresholds": 7}, BITS, PRED),
    ("RecallAtPrecision", {"precision": 0.5, "num_thresholds": 7}, BITS, PRED),
    ("SensitivityAtSpecificity", {"specificity": 0.5, "num_thresholds": 7}, BITS, PRED),
    ("SpecificityAtSensitivity", {"sensitivity": 0.5, "num_thresholds": 1}, BITS, PRED),
    *[("AUC", {"curve": c, "summation_method": m, "num_thresholds": 9}, BITS, PRED)
      for c in ("ROC", "PR") for m in ("interpolation", "minoring", "majoring")],
    ("AUC", {"multi_label": True, "num_thresholds": 5}, BITS, PRED),
    ("AUC", {"multi_label": True, "num_thresholds": 5, "label_weights": [1.0, 2.0, 0.5]}, BITS, PRED),
    ("AUC", {"thresholds": [0.2, 0.7], "label_weights": [1.0, 2.0, 0.5]}, BITS, PRED),
    ("AUC", {"from_logits": True, "num_thresholds": 5}, BITS, PRED),
    *[("FBetaScore", {"average": a, "beta": 2.0, "threshold": 0.5}, BITS, PRED) for a in (None, "micro", "macro", "weighted")],
    ("R2Score", {"class_aggregation": None, "num_regressors": 2}, TRUE, PRED),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, TRUE, PRED),
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, CLASSES, GUESSES),
    ("MeanIoU", {"num_classes": 3, "ignore_class": 1}, CLASSES, GUESSES),
    ("MeanIoU", {"num_classes": 4, "dtype": "float32"}, CLASSES, GUESSES),
    ("BinaryIoU", {"threshold": 0.4}, BITS, PRED),
    ("OneHotIoU", {"num_classes": 3, "target_class_ids": [1]}, ONE_HOT, SHARES),
    ("OneHotMeanIoU", {"num_classes": 3}, ONE_HOT, SHARES),
]  # fmt: skip


def run(framework, case, weighted):
    name, options, true, pred = case
    metric = getattr(framework.metrics, name)(**options)
    weights = WHOLE if "IoU" in name else WEIGHTS
    if weighted and name == "BinaryIoU":
        weights = [np.repeat(w[:, None], 3, axis=1) for w in weights]
    for t, p, w in zip(true, pred, weights, strict=True):
        metric.update_state(t, p, sample_weight=w if weighted else None)
    state = [np.asarray(framework.ops.convert_to_numpy(v.value)) for v in metric.variables]
    return framework.ops.convert_to_numpy(metric.result()), state, metric


def _name(case):
    return f"{case[0]}{case[1]}"


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("case", CASES, ids=_name)
def test_result_and_state_as_in_keras(case, weighted):
    result, state, metric = run(kerata, case, weighted)
    peer_result, peer_state, peer = run(keras, case, weighted)
    np.testing.assert_allclose(result, peer_result, rtol=1e-5, atol=1e-6)
    assert [v.name for v in metric.variables] == [v.name for v in peer.variables]
    for a, b in zip(state, peer_state, strict=True):
        assert (a.shape, a.dtype.kind) == (b.shape, b.dtype.kind)
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_engines_agree_eager_and_compiled(engine, case):
    expected, *_ = run_numpy(case)
    name, options, true, pred = case
    metric = getattr(kerata.metrics, name)(**options)
    metric.update_state(true[0], pred[0])  # some metrics make their variables now
    metric.reset_state()
    update = kerata.function(lambda t, p: metric.update_state(t, p), variables=metric.variables)
    for t, p in zip(true, pred, strict=True):
        update(ops.convert_to_tensor(t), ops.convert_to_tensor(p))
    np.testing.assert_allclose(ops.convert_to_numpy(metric.result()), expected, rtol=2e-5, atol=1e-6)
    metric.reset_state()
    assert all((v.numpy() == 0).all() for v in metric.variables)


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_pure_functions_give_what_the_state_would(engine, case):
    """In a compiled function as well, whose arguments and results the state is."""
    name, options, true, pred = case
    metric, pure = (getattr(kerata.metrics, name)(**options) for _ in range(2))
    for m in (metric, pure):  # some metrics make their variables now
        m.update_state(true[0], pred[0])
        m.reset_state()
    step = kerata.function(lambda state, t, p: pure.stateless_update_state(state, t, p))
    state = pure.stateless_reset_state()
    for t, p in zip(true, pred, strict=True):
        metric.update_state(t, p)
        state = step(state, ops.convert_to_tensor(t), ops.convert_to_tensor(p))
    for ours, kept in zip(map(ops.convert_to_numpy, state), metric.variables, strict=True):
        np.testing.assert_allclose(ours, kept.numpy(), rtol=1e-5, atol=1e-6)
    result, wanted = map(ops.convert_to_numpy, (pure.stateless_result(state), metric.result()))
    np.testing.assert_allclose(result, wanted, rtol=1e-5, atol=1e-6)
    assert all((v.numpy() == 0).all() for v in pure.variables)


def run_numpy(case):
    with kerata.use_backend("numpy"):
        return run(kerata, case, weighted=False)


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_config_round_trip(case):
    metric = getattr(kerata.metrics, case[0])(**case[1])
    config = kerata.metrics.serialize(metric)
    again = kerata.metrics.deserialize(config)
    assert type(again) is type(metric)
    assert kerata.metrics.serialize(again) == config
