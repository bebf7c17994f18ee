"""What the base class of losses promises, errors, and names."""

import numpy as np
import pytest

import kerata
from kerata import ops
from kerata.core.errors import ArgumentError

NAN = float("nan")


def test_a_vector_of_targets_stands_for_a_column(engine):
    """Each entry stays a sample, so that its weight is its own."""
    loss = kerata.losses.MeanSquaredError(reduction="none")
    values = loss(
        np.array([0.0, 1.0, 2.0], "float32"), np.ones((3, 1), "float32"), np.array([1.0, 5.0, 3.0], "float32")
    )
    np.testing.assert_allclose(ops.convert_to_numpy(values), [1.0, 0.0, 3.0])


def test_a_weight_for_each_sample_of_a_sequence(engine):
    loss = kerata.losses.MeanSquaredError(reduction="sum")
    true, pred = np.zeros((2, 3, 4), "float32"), np.ones((2, 3, 4), "float32")
    assert float(loss(true, pred, np.array([1.0, 10.0], "float32"))) == 33.0


def test_masked_values_take_no_part_even_if_they_are_nan(engine):
    from kerata.layers.layer import set_mask

    pred = ops.convert_to_tensor(np.array([[1.0, NAN], [3.0, 5.0]], "float32")[:, :, None])
    set_mask(pred, ops.convert_to_tensor(np.array([[True, False], [True, True]])))
    loss = kerata.losses.MeanSquaredError()
    assert float(loss(np.zeros((2, 2, 1), "float32"), pred)) == pytest.approx((1 + 9 + 25) / 3)


def test_labels_above_the_exact_floats_stay_exact(engine):
    """16,777,217 has no float32; a loss that made it one would look up another class."""
    loss = kerata.losses.SparseCategoricalCrossentropy(ignore_class=16_777_216, reduction="none")
    values = loss(np.array([16_777_217, 0], "int32"), np.full((2, 2), 0.5, "float32"))
    assert ops.convert_to_numpy(values)[1] == pytest.approx(np.log(2), rel=1e-5)


@pytest.mark.parametrize("labels", [np.array([5, 0]), np.array([-100, 0]), np.array([-1, 0])], ids=str)
def test_classes_that_do_not_exist_give_0(engine, labels):
    loss = kerata.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")
    values = ops.convert_to_numpy(loss(labels, np.zeros((2, 3), "float32")))
    np.testing.assert_allclose(values, [0.0, np.log(3)], rtol=1e-6)


@pytest.mark.parametrize("shape", [(2, 3), (2, 4, 3)], ids=str)
def test_sparse_equals_categorical(engine, shape):
    random = np.random.default_rng(1)
    logits, labels = random.normal(size=shape).astype("float32"), random.integers(0, 3, shape[:-1])
    sparse = kerata.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    dense = kerata.losses.CategoricalCrossentropy(from_logits=True)(
        np.eye(3, dtype="float32")[labels], logits
    )
    shifted = logits - logits.max(-1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    expected = -np.take_along_axis(logs, labels[..., None], -1).mean()
    assert float(sparse) == pytest.approx(float(expected), rel=1e-5)
    assert float(dense) == pytest.approx(float(expected), rel=1e-5)


def test_large_logits_do_not_overflow(engine):
    loss = kerata.losses.BinaryCrossentropy(from_logits=True)
    assert float(loss([[1.0, 0.0]], [[500.0, -500.0]])) == pytest.approx(0.0, abs=1e-6)
    assert float(loss([[0.0]], [[500.0]])) == pytest.approx(500.0)
    assert float(kerata.losses.LogCosh()([[0.0]], [[-500.0]])) == pytest.approx(500 - np.log(2))


def test_dtype_is_floatx_whatever_the_policy():
    kerata.config.set_dtype_policy("mixed_float16") if hasattr(kerata.config, "set_dtype_policy") else None
    assert kerata.losses.MeanSquaredError().dtype == "float32"
    assert ops.dtype(kerata.losses.MeanSquaredError(dtype="float64")([[1.0]], [[2.0]])) == "float64"


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: kerata.losses.MeanSquaredError(reduction="avg"), "reduction"),
        (lambda: kerata.losses.BinaryCrossentropy(label_smoothing=1.5), "label_smoothing"),
        (lambda: kerata.losses.Huber(delta=-1), "delta"),
        (lambda: kerata.losses.CategoricalGeneralizedCrossEntropy(q=1.0), "q"),
        (lambda: kerata.losses.get("mean_square_error"), "loss"),
        (lambda: kerata.losses.MeanSquaredError()(np.zeros((3, 4)), np.zeros((3, 2))), "y_true"),
        (
            lambda: kerata.losses.MeanSquaredError()(np.zeros((3, 4)), np.zeros((3, 4)), np.ones(2)),
            "sample_weight",
        ),
        (
            lambda: kerata.losses.MeanSquaredError()(np.zeros((3, 4)), np.zeros((3, 4)), np.ones((3, 4))),
            "sample_weight",
        ),
        (lambda: kerata.losses.CategoricalCrossentropy()(np.array([0, 1]), np.ones((2, 3))), "y_true"),
        (lambda: kerata.losses.CategoricalCrossentropy()(np.array([[0], [1]]), np.ones((2, 3))), "y_true"),
        (lambda: kerata.losses.SparseCategoricalCrossentropy()(np.eye(3), np.ones((3, 3))), "target"),
        (lambda: kerata.losses.Circle()(np.array([0, 1]), np.ones((2, 2, 2))), "y_pred"),
        (lambda: kerata.losses.Circle()("a", np.ones((2, 2))), "y_true"),
        (lambda: kerata.losses.circle("a", np.ones((2, 2))), "y_true"),
        (lambda: kerata.losses.SparseCategoricalCrossentropy()(["a"], np.ones((1, 2))), "y_true"),
        (lambda: kerata.losses.mean_squared_error(np.ones((1, 2)), "a"), "y_pred"),
        (lambda: kerata.losses.MeanSquaredError()(np.ones(2), np.ones(2), "a"), "sample_weight"),
        (lambda: kerata.metrics.Accuracy()(["a"], [1]), "y_true"),
        (lambda: kerata.metrics.Mean()("a"), "values"),
        (lambda: kerata.losses.mean_squared_error(np.float32(1), np.float32(2)), "axis"),
    ],
)
def test_bad_arguments(engine, make, argument):
    with pytest.raises(ArgumentError) as told:
        make()
    assert told.value.argument == argument


@pytest.mark.parametrize(
    ("name", "expected"),
    [("mse", "mean_squared_error"), ("MAE", "mean_absolute_error"), ("kld", "kl_divergence"), ("bce", "binary_crossentropy"),
     ("msle", "mean_squared_logarithmic_error"), ("MAPE", "mean_absolute_percentage_error"), ("huber", "huber")],
)  # fmt: skip
def test_functions_by_name(name, expected):
    assert kerata.losses.get(name) is getattr(kerata.losses, expected)


def test_classes_by_name():
    assert isinstance(
        kerata.losses.get("SparseCategoricalCrossentropy"), kerata.losses.SparseCategoricalCrossentropy
    )
    assert kerata.losses.get(None) is None


def test_a_loss_of_ones_own(engine):
    class Offset(kerata.losses.Loss):
        def call(self, y_true, y_pred):
            return ops.mean(ops.subtract(y_pred, y_true), axis=-1)

    assert float(Offset()([[1.0, 2.0]], [[3.0, 3.0]])) == 1.5
    assert Offset().get_config()["reduction"] == "sum_over_batch_size"


def test_one_value_of_a_batch_counts_for_each_sample(engine):
    true, guess, weight = np.eye(3), np.full((3, 3), 0.5), np.array([1.0, 0.0, 0.5])
    plain = float(kerata.losses.Dice()(true, guess))
    assert float(kerata.losses.Dice()(true, guess, weight)) == pytest.approx(plain * 0.5, rel=1e-6)
    each = kerata.losses.Dice(reduction="none")(true, guess, weight)
    np.testing.assert_allclose(ops.convert_to_numpy(each), plain * weight, rtol=1e-6)


def test_a_column_of_weights_makes_a_column(engine):
    loss = kerata.losses.MeanSquaredError(reduction="none")
    found = loss([[1.0, 3.0], [2.0, 2.0]], [[0.0, 0.0], [0.0, 0.0]], [[1.0], [0.5]])
    np.testing.assert_allclose(ops.convert_to_numpy(found), [[5.0], [2.0]])
    assert loss(np.ones((2, 3, 4)), np.zeros((2, 3, 4)), np.ones((2, 3, 1))).shape == (2, 3)


def test_cosine_of_nothing_in_half_precision(engine):
    one = np.ones((1, 3), "float16")
    assert float(kerata.losses.cosine_similarity(one, 0 * one)[0]) == 0
    assert float(kerata.losses.cosine_similarity(one, one * 1e-5)[0]) == pytest.approx(-1, abs=0.03)


@pytest.mark.parametrize(
    "module, name, kind",
    [
        ("losses", "MeanSquaredError", "MeanSquaredError"), ("metrics", "accuracy", "Accuracy"),
        ("initializers", "zeros", "Zeros"), ("constraints", "non_neg", "NonNeg"), ("regularizers", "l2", "L2"),
    ],
)  # fmt: skip
def test_a_name_is_a_config(module, name, kind):
    deserialize = getattr(kerata, module).deserialize
    assert type(deserialize(name)).__name__ == kind
    assert deserialize("mine", {"mine": abs}) is abs
    with pytest.raises(ArgumentError, match="nope"):
        deserialize("nope")
