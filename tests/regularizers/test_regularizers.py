"""Regularizers: closed forms, gradients, the peer's values, bad arguments, round trips."""

import keras
import numpy as np
import pytest

import kerata
from kerata import ops, regularizers
from kerata.core.errors import ArgumentError

X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")

CASES = [
    ("L1", {}),
    ("L1", {"l1": 0.5}),
    ("L2", {}),
    ("L2", {"l2": 0.25}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.5}),
    ("L1L2", {"l2": 0.5}),
    ("L1L2", {"l1": 0.1, "l2": 0.2}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 1.0}),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name, arguments", CASES, ids=str)
def test_values_are_those_of_the_peer(engine, name, arguments, dtype):
    x = X.astype(dtype)
    mine = ops.convert_to_numpy(getattr(regularizers, name)(**arguments)(ops.convert_to_tensor(x)))
    assert mine.shape == () and mine.dtype == dtype
    peer = getattr(keras.regularizers, name)(**arguments)
    theirs = keras.ops.convert_to_numpy(peer(keras.ops.convert_to_tensor(X)))
    np.testing.assert_allclose(mine, theirs, rtol=3e-6)


def value(regularizer, x, dtype="float32"):
    return float(ops.convert_to_numpy(regularizer(ops.convert_to_tensor(np.asarray(x, dtype)))))


def mean_cosine(vectors):
    pairs = [(a, b) for i, a in enumerate(vectors) for b in vectors[:i]]
    return np.mean([abs(a @ b) / np.linalg.norm(a) / np.linalg.norm(b) for a, b in pairs])


def test_orthogonal_rows_and_columns(engine):
    """Keras divides row i by the length of column i in the mode "columns", and fails where the matrix is not square."""
    for mode, vectors in (("rows", X), ("columns", X.T)):
        found = value(regularizers.OrthogonalRegularizer(0.5, mode), X)
        np.testing.assert_allclose(found, 0.5 * mean_cosine(vectors.astype("float64")), rtol=1e-5)


def test_orthogonal_where_there_is_nothing_to_do(engine):
    """A matrix of one row costs nothing (Keras: NaN), nor does a row of zeros."""
    regularizer = regularizers.OrthogonalRegularizer(1.0)
    assert value(regularizer, X[:1]) == 0
    assert value(regularizer, np.zeros((2, 3))) == 0
    assert value(regularizer, np.eye(3) * 5) == 0


@pytest.mark.parametrize("shape", [(), (3,), (2, 2, 2)])
def test_orthogonal_refuses_what_is_no_matrix(engine, shape):
    with pytest.raises(ArgumentError, match="`inputs` must be a matrix"):
        regularizers.OrthogonalRegularizer()(ops.ones(shape))


@pytest.mark.parametrize("shape", [(3, 4), (None, 4), (None, None)])
@pytest.mark.parametrize("name", ["L1", "L2", "L1L2", "OrthogonalRegularizer"])
def test_symbolic(name, shape):
    penalty = getattr(regularizers, name)(0.1)(kerata.KerasTensor(shape))
    assert penalty.shape == () and penalty.dtype == "float32"


def test_integers_and_half_precision(engine):
    """Keras casts the strength to the dtype of the tensor: on integers its penalty is 0."""
    assert value(regularizers.L1(0.5), [-1, 2], "int32") == 1.5
    assert value(regularizers.L2(0.5), [-1, 2], "int32") == 2.5
    assert value(regularizers.L1L2(0.5, 0.25), [-1, 2], "int32") == 2.75
    for regularizer in (
        regularizers.L1(0.5),
        regularizers.L2(),
        regularizers.L1L2(0.1, 0.1),
        regularizers.L1L2(),
    ):
        assert ops.convert_to_numpy(regularizer(ops.ones((2,), dtype="float16"))).dtype == "float16"


def test_a_strength_of_zero_leaves_its_sum_out(engine):
    assert value(regularizers.L1L2(), [np.inf]) == 0
    assert value(regularizers.L1L2(l1=1.0), [3e38]) == pytest.approx(3e38)


def test_gradients(engine):
    variable = kerata.Variable(X)
    expected = {
        regularizers.L1(0.5): 0.5 * np.sign(X),
        regularizers.L2(0.5): X,
        regularizers.L1L2(0.1, 0.2): 0.1 * np.sign(X) + 0.4 * X,
    }
    for regularizer, gradient in expected.items():
        _, (found,) = kerata.value_and_grad(lambda r=regularizer: r(variable), [variable])()
        np.testing.assert_allclose(ops.convert_to_numpy(found), gradient, rtol=1e-6)


def test_gradient_of_orthogonal_is_a_finite_difference(engine):
    regularizer, step = regularizers.OrthogonalRegularizer(1.0, "columns"), 1e-6
    x = X.astype("float64")
    variable = kerata.Variable(x, dtype="float64")
    _, (found,) = kerata.value_and_grad(lambda: regularizer(variable), [variable])()
    for i, j in ((0, 0), (2, 3)):
        nudge = np.zeros_like(x)
        nudge[i, j] = step
        slope = (value(regularizer, x + nudge, "float64") - value(regularizer, x - nudge, "float64")) / (
            2 * step
        )
        np.testing.assert_allclose(ops.convert_to_numpy(found)[i, j], slope, rtol=1e-5)


@pytest.mark.parametrize(
    "make, argument",
    [
        (lambda: regularizers.L1(-1), "l1"),
        (lambda: regularizers.L1("a"), "l1"),
        (lambda: regularizers.L2(float("inf")), "l2"),
        (lambda: regularizers.L2(float("nan")), "l2"),
        (lambda: regularizers.L1L2([1]), "l1"),
        (lambda: regularizers.L1L2(0.1, -1), "l2"),
        (lambda: regularizers.OrthogonalRegularizer(-0.1), "factor"),
        (lambda: regularizers.OrthogonalRegularizer(mode="row"), "mode"),
    ],
)
def test_bad_arguments(make, argument):
    with pytest.raises(ArgumentError, match=f"^`{argument}` must be"):
        make()


@pytest.mark.parametrize("name, arguments", CASES, ids=str)
def test_round_trips(name, arguments):
    regularizer = getattr(regularizers, name)(**arguments)
    config = regularizer.get_config()
    theirs = getattr(keras.regularizers, name)(**arguments)
    assert config == pytest.approx(theirs.get_config()) if name != "OrthogonalRegularizer" else True
    stored, peers = regularizers.serialize(regularizer), keras.regularizers.serialize(theirs)
    assert {**stored, "config": None} == {**peers, "config": None} and stored["config"] == config
    for back in (regularizers.deserialize(stored), regularizers.get(stored), regularizers.deserialize(peers)):
        assert type(back) is type(regularizer)
        assert [back.get_config()[k] for k in config] == [pytest.approx(v) for v in config.values()]


@pytest.mark.parametrize(
    "name", ["L1", "l1", "L2", "l2", "L1L2", "l1l2", "OrthogonalRegularizer", "orthogonal_regularizer"]
)
def test_get_by_name(name):
    assert type(regularizers.get(name)).__name__ == type(keras.regularizers.get(name)).__name__


def test_get():
    regularizer = regularizers.L1(0.5)
    assert regularizers.get(None) is None and regularizers.get(regularizer) is regularizer
    assert regularizers.get(abs) is abs and type(regularizers.get(regularizers.L2)) is regularizers.L2
    # The public name of the class; Keras does not know it.
    assert type(regularizers.get("l1_l2")) is regularizers.L1L2
    assert regularizers.l1_l2 is regularizers.L1L2 and regularizers.l1(0.3).l1 == 0.3
    assert regularizers.L1(None).l1 == 0.01 and regularizers.L1(np.float32(0.5)).get_config() == {"l1": 0.5}
    for bad in (
        "orthogonal",
        "MaxNorm",
        3,
        {"class_name": "Dense", "config": {}},
        {"class_name": "NonNeg", "config": {}},
        {},
    ):
        with pytest.raises(ValueError):
            regularizers.get(bad)


def test_one_of_the_user(engine):
    class Mean(regularizers.Regularizer):
        def __call__(self, x):
            return ops.mean(x)

    assert (
        float(regularizers.Regularizer()(ops.ones((2,)))) == 0.0
        and regularizers.Regularizer().get_config() == {}
    )
    assert value(regularizers.get(Mean()), [1.0, 3.0]) == 2.0
    back = regularizers.deserialize(regularizers.serialize(Mean()), custom_objects={"Mean": Mean})
    assert type(back) is Mean
    with pytest.raises(ValueError):
        regularizers.deserialize(regularizers.serialize(Mean()))
