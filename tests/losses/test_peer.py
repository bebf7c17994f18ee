"""Losses against Keras, with every reduction, weights and masks."""

import keras
import numpy as np
import pytest

import kerata
from kerata import ops

RANDOM = np.random.default_rng(0)
REAL, OTHER = (RANDOM.normal(size=(3, 4)).astype("float32") for _ in range(2))
SHARES = RANDOM.uniform(0.05, 1, (3, 4)).astype("float32")
SHARES /= SHARES.sum(1, keepdims=True)
BITS = (RANDOM.uniform(size=(3, 4)) > 0.5).astype("float32")
ONE_HOT = np.eye(4, dtype="float32")[[0, 1, 3]]
LABELS = np.array([0, 1, 0])
EMBEDDINGS = REAL / np.linalg.norm(REAL, axis=1, keepdims=True)
WEIGHTS = np.array([1.0, 2.0, 0.5], "float32")
REDUCTIONS = ("none", "sum", "sum_over_batch_size", "mean", "mean_with_sample_weight")

CASES = [
    *[(n, {}, REAL, OTHER) for n in ("MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "LogCosh", "Huber",
                                     "MeanSquaredLogarithmicError", "CosineSimilarity", "Hinge", "SquaredHinge", "CategoricalHinge")],
    *[(n, {}, ONE_HOT, SHARES) for n in ("KLDivergence", "Poisson", "MeanSquaredLogarithmicError", "CategoricalHinge", "Hinge")],
    ("Huber", {"delta": 0.3}, REAL, OTHER),
    ("SquaredHinge", {}, BITS, REAL),
    ("CosineSimilarity", {"axis": 1}, REAL, OTHER),
    ("BinaryCrossentropy", {}, BITS, SHARES),
    ("BinaryCrossentropy", {"from_logits": True}, BITS, REAL),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, BITS, SHARES),
    ("BinaryFocalCrossentropy", {}, BITS, SHARES),
    ("BinaryFocalCrossentropy", {"from_logits": True, "gamma": 1.0}, BITS, REAL),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.3, "label_smoothing": 0.1}, BITS, SHARES),
    ("CategoricalCrossentropy", {}, ONE_HOT, SHARES),
    ("CategoricalCrossentropy", {"from_logits": True}, ONE_HOT, REAL),
    ("CategoricalCrossentropy", {"label_smoothing": 0.2}, ONE_HOT, SHARES),
    ("CategoricalFocalCrossentropy", {}, ONE_HOT, SHARES),
    ("CategoricalFocalCrossentropy", {"from_logits": True, "gamma": 1.0, "alpha": 0.4}, ONE_HOT, REAL),
    ("CategoricalFocalCrossentropy", {"alpha": [0.1, 0.2, 0.3, 0.4], "label_smoothing": 0.1}, ONE_HOT, SHARES),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.7}, LABELS, SHARES),
    ("SparseCategoricalCrossentropy", {}, LABELS, SHARES),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS, REAL),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, LABELS, SHARES),
    ("SparseCategoricalCrossentropy", {"ignore_class": 0, "from_logits": True}, LABELS[:, None], REAL),
    ("Dice", {"axis": 1}, BITS, SHARES),
    ("Tversky", {"alpha": 0.3, "beta": 0.7, "axis": 1}, BITS, SHARES),
    ("Circle", {}, LABELS, EMBEDDINGS),
    ("Circle", {}, LABELS, 2.0 * EMBEDDINGS),
    ("Circle", {"gamma": 2.0, "margin": 0.25, "remove_diagonal": False}, LABELS, EMBEDDINGS),
]  # fmt: skip


def _name(case):
    return f"{case[0]}{case[1]}"


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_value_as_in_keras(engine, case):
    name, options, true, pred = case
    for reduction in REDUCTIONS:
        for weight in (None, WEIGHTS):
            ours = getattr(kerata.losses, name)(reduction=reduction, **options)(true, pred, weight)
            peer = getattr(keras.losses, name)(reduction=reduction, **options)(true, pred, weight)
            np.testing.assert_allclose(
                ops.convert_to_numpy(ours), np.asarray(peer), rtol=2e-5, atol=2e-6, err_msg=reduction
            )


@pytest.mark.parametrize("name", ["Dice", "Tversky"])
def test_overlap_of_everything_as_in_keras(name):
    ours, peer = (float(getattr(framework.losses, name)()(BITS, SHARES)) for framework in (kerata, keras))
    assert ours == pytest.approx(peer, rel=1e-5)


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_compiled_equals_eager(engine, case):
    name, options, true, pred = case
    loss = getattr(kerata.losses, name)(**options)
    true, pred, weight = (ops.convert_to_tensor(v) for v in (true, pred, WEIGHTS))
    compiled = kerata.function(lambda t, p, w: loss(t, p, w))(true, pred, weight)
    np.testing.assert_allclose(
        ops.convert_to_numpy(compiled), ops.convert_to_numpy(loss(true, pred, weight)), rtol=1e-5, atol=1e-6
    )


# Kinks (hinges, absolute values) lie away from these random points.
# The factors of circle loss are constants by definition.
DIFFERENTIABLE = [c for c in CASES if c[0] != "Circle"]


@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=_name)
def test_gradient_by_finite_differences(engine, case):
    name, options, true, pred = case
    loss = getattr(kerata.losses, name)(dtype="float64", **options)
    target = true if loss.takes_labels else true.astype("float64")
    x = kerata.Variable(pred.astype("float64"), dtype="float64")
    _, (gradient,) = kerata.value_and_grad(lambda: loss(target, x.value, WEIGHTS), [x])()
    gradient = ops.convert_to_numpy(gradient)
    step = 1e-6
    for place in [(0, 0), (1, 2), (2, 3)]:
        values = []
        for sign in (1, -1):
            moved = pred.astype("float64")
            moved[place] += sign * step
            values.append(float(loss(target, moved, WEIGHTS)))
        assert gradient[place] == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-5, abs=1e-7)


def test_config_round_trip():
    for name, options, *_ in CASES:
        loss = getattr(kerata.losses, name)(reduction="sum", **options)
        config = kerata.losses.serialize(loss)
        again = kerata.losses.deserialize(config)
        assert type(again) is type(loss)
        assert kerata.losses.serialize(again) == config
        for key, value in getattr(keras.losses, name)(reduction="sum", **options).get_config().items():
            assert config["config"][key] == value, (name, key)
