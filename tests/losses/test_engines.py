"""Every loss on every engine: values, gradients and dtypes, with each reduction, weights, masks and dtype."""

import numpy as np
import pytest

import kerata
from kerata import ops
from kerata.core.samples import Tolerance
from kerata.layers.layer import set_mask
from kerata.verify.compare import difference, plain

RANDOM = np.random.default_rng(0)
REAL, OTHER = (RANDOM.normal(size=(3, 4)).astype("float32") for _ in range(2))
SHARES = RANDOM.uniform(0.05, 1, (3, 4)).astype("float32")
SHARES /= SHARES.sum(1, keepdims=True)
BITS = (RANDOM.uniform(size=(3, 4)) > 0.5).astype("float32")
ONE_HOT = np.eye(4, dtype="float32")[[0, 1, 3]]
LABELS = np.array([0, 1, 0], "int32")
WEIGHTS = np.array([1.0, 2.0, 0.5], "float32")
ROWS = [
    *[(n, {}, REAL, OTHER) for n in ("MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "LogCosh", "Huber",
                                     "CosineSimilarity", "Hinge", "SquaredHinge", "CategoricalHinge")],
    *[(n, {}, ONE_HOT, SHARES) for n in ("KLDivergence", "Poisson", "MeanSquaredLogarithmicError")],
    *[("BinaryCrossentropy", o, BITS, SHARES) for o in ({}, {"label_smoothing": 0.2})],
    ("BinaryCrossentropy", {"from_logits": True}, BITS, REAL),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True}, BITS, SHARES),
    ("CategoricalCrossentropy", {"label_smoothing": 0.2}, ONE_HOT, SHARES),
    ("CategoricalCrossentropy", {"from_logits": True}, ONE_HOT, REAL),
    ("CategoricalFocalCrossentropy", {}, ONE_HOT, SHARES),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.7}, LABELS, SHARES),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, LABELS, SHARES),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS, REAL),
    ("Dice", {"axis": 1}, BITS, SHARES),
    ("Tversky", {"alpha": 0.3, "beta": 0.7, "axis": 1}, BITS, SHARES),
    ("Circle", {}, LABELS, REAL / np.linalg.norm(REAL, axis=1, keepdims=True)),
]  # fmt: skip
CLOSE = Tolerance(2e-6, 1e-6, because="percentages are of the size of 100")
HALF = Tolerance(1e-6, 1e-6)  # for the precision of the dtype; gradients come back in float32


def value_and_slope(row, reduction, weight, dtype):
    """The loss of a row and its gradient by the predictions, which are float32."""
    name, options, true, pred = row
    loss = getattr(kerata.losses, name)(reduction=reduction, dtype=dtype, **options)
    x = kerata.Variable(pred)

    def total():
        value = loss(true, x.value, weight)
        return ops.sum(value), value

    (_, value), (slope,) = kerata.value_and_grad(total, [x], has_aux=True)()
    return plain(value), plain(slope)


def reference(row, *args):
    with kerata.use_backend("numpy"):
        return value_and_slope(row, *args)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}{row[1]}")
@pytest.mark.parametrize("weight", [None, WEIGHTS], ids=["plain", "weighted"])
def test_values_and_gradients(engine, row, weight):
    for reduction in ("none", "sum", "sum_over_batch_size", "mean", "mean_with_sample_weight"):
        got, expected = (ask(row, reduction, weight, "float32") for ask in (value_and_slope, reference))
        for a, b in zip(got, expected, strict=True):
            assert difference(a, b, CLOSE) is None, reduction


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}{row[1]}")
@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_dtypes(engine, row, dtype):
    got, expected = (ask(row, "sum_over_batch_size", WEIGHTS, dtype) for ask in (value_and_slope, reference))
    assert got[0][0].dtype == dtype and got[1][0].dtype == "float32"
    assert difference(got[0], expected[0], HALF) is None
    assert np.isfinite(got[1][0].values).all()
    rounding = 1e-6 if dtype == "float64" else 5e-2  # each step of a derivative in half precision rounds
    np.testing.assert_allclose(got[1][0].values, expected[1][0].values, rtol=rounding, atol=rounding)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}{row[1]}")
def test_masks(engine, row):
    name, options, true, pred = row

    def masked():
        x = ops.convert_to_tensor(pred)
        set_mask(x, ops.convert_to_tensor(np.array([True, False, True])))
        return plain(getattr(kerata.losses, name)(**options)(true, x))

    got = masked()
    with kerata.use_backend("numpy"):
        assert difference(got, masked(), CLOSE) is None
