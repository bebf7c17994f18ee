"""Constraints: closed forms, the peer's values, bad arguments, round trips."""

import keras
import numpy as np
import pytest

from kerata import constraints, ops
from kerata.core import config
from kerata.core.errors import ArgumentError

W = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32") * 2

CASES = [
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 1.5, "axis": 1}),
    ("MaxNorm", {"max_value": 3, "axis": [0, 1]}),
    ("MaxNorm", {"max_value": 0}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 1.0, "max_value": 2.0, "rate": 0.25, "axis": -1}),
    ("MinMaxNorm", {"min_value": 5.0, "max_value": 6.0, "axis": (1, 2)}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": [0, 2]}),
    ("NonNeg", {}),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name, arguments", CASES, ids=str)
def test_values_are_those_of_the_peer(engine, name, arguments, dtype):
    w = W.astype(dtype)
    mine = getattr(constraints, name)(**arguments)(ops.convert_to_tensor(w))
    assert ops.convert_to_numpy(mine).dtype == dtype
    theirs = keras.ops.convert_to_numpy(
        getattr(keras.constraints, name)(**arguments)(keras.ops.convert_to_tensor(w))
    )
    np.testing.assert_allclose(ops.convert_to_numpy(mine), theirs, rtol=2e-6)


def test_lengths_end_where_they_should(engine):
    w = ops.convert_to_tensor(np.array([[3.0, 0.03], [4.0, 0.04]], "float32"))

    def lengths(constraint):
        return np.linalg.norm(ops.convert_to_numpy(constraint(w)), axis=0)

    np.testing.assert_allclose(lengths(constraints.MaxNorm(2)), [2, 0.05], rtol=1e-5)
    np.testing.assert_allclose(lengths(constraints.MinMaxNorm(1, 2)), [2, 1], rtol=1e-5)
    np.testing.assert_allclose(lengths(constraints.MinMaxNorm(1, 2, rate=0.5)), [3.5, 0.525], rtol=1e-5)
    np.testing.assert_allclose(lengths(constraints.UnitNorm()), [1, 1], rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_a_vector_of_length_zero_stays(engine, dtype):
    for constraint in (constraints.UnitNorm(), constraints.MaxNorm(1.0), constraints.MinMaxNorm(0.5, 1.0)):
        assert not ops.convert_to_numpy(constraint(ops.zeros((2, 2), dtype=dtype))).any()


def test_the_length_of_a_whole_weight(engine):
    np.testing.assert_allclose(
        ops.convert_to_numpy(constraints.UnitNorm(axis=None)(ops.ones((2, 2)))), 0.5, rtol=1e-5
    )


def test_non_negative(engine):
    """Keras makes a NaN of minus infinity here: it multiplies by a mask."""
    w = ops.convert_to_tensor(np.array([-1.0, 2.0, np.nan, -np.inf, np.inf, -0.0], "float32"))
    np.testing.assert_array_equal(ops.convert_to_numpy(constraints.NonNeg()(w)), [0, 2, np.nan, 0, np.inf, 0])


def test_half_precision_stays(engine):
    for constraint in (
        constraints.UnitNorm(),
        constraints.MaxNorm(1.0),
        constraints.MinMaxNorm(),
        constraints.NonNeg(),
    ):
        assert ops.convert_to_numpy(constraint(ops.ones((2, 2), dtype="float16"))).dtype == "float16"


def test_epsilon_is_the_setting(engine):
    before = config.epsilon()
    config.set_epsilon(1.0)
    try:
        np.testing.assert_allclose(ops.convert_to_numpy(constraints.UnitNorm()(ops.ones((1, 1)))), [[0.5]])
    finally:
        config.set_epsilon(before)


@pytest.mark.parametrize(
    "make, argument",
    [
        (lambda: constraints.MaxNorm(-1), "max_value"),
        (lambda: constraints.MaxNorm("a"), "max_value"),
        (lambda: constraints.MaxNorm(float("nan")), "max_value"),
        (lambda: constraints.MaxNorm(axis="0"), "axis"),
        (lambda: constraints.MaxNorm(axis=[0, None]), "axis"),
        (lambda: constraints.UnitNorm(axis=1.0), "axis"),
        (lambda: constraints.MinMaxNorm(2.0, 1.0), "min_value"),
        (lambda: constraints.MinMaxNorm(rate=None), "rate"),
    ],
)
def test_bad_arguments(make, argument):
    with pytest.raises(ArgumentError, match=f"^`{argument}` must be"):
        make()


@pytest.mark.parametrize("name, arguments", CASES, ids=str)
def test_round_trips(name, arguments):
    constraint = getattr(constraints, name)(**arguments)
    peers = getattr(keras.constraints, name)(**arguments)
    assert constraint.get_config() == peers.get_config()
    assert type(constraint).from_config(constraint.get_config()).get_config() == constraint.get_config()
    stored = constraints.serialize(constraint)
    assert stored == keras.constraints.serialize(peers)
    back = constraints.deserialize(stored)
    assert type(back) is type(constraint) and back.get_config() == constraint.get_config()
    assert type(constraints.get(stored)) is type(constraint)


@pytest.mark.parametrize(
    "name", ["MaxNorm", "MinMaxNorm", "UnitNorm", "NonNeg", "max_norm", "min_max_norm", "non_neg"]
)
def test_get_by_name(name):
    found = constraints.get(name)
    assert type(found).__name__ == type(keras.constraints.get(name)).__name__
    assert found.get_config() == keras.constraints.get(name).get_config()


def test_get():
    constraint = constraints.MaxNorm(3)
    assert (
        constraints.get(None) is None
        and constraints.get(constraint) is constraint
        and constraints.get(abs) is abs
    )
    assert type(constraints.get(constraints.NonNeg)) is constraints.NonNeg
    assert constraints.max_norm is constraints.MaxNorm and constraints.non_neg is constraints.NonNeg
    for bad in (
        "maxnorm",
        "L1",
        3,
        {"class_name": "Dense", "config": {}},
        {"class_name": "L1", "config": {}},
        {},
    ):
        with pytest.raises(ValueError):
            constraints.get(bad)


def test_one_of_the_user(engine):
    class Halve(constraints.Constraint):
        def __call__(self, w):
            return w * 0.5

    assert constraints.Constraint().get_config() == {}
    w = ops.ones((2,))
    assert constraints.Constraint()(w) is w
    np.testing.assert_array_equal(ops.convert_to_numpy(constraints.get(Halve())(w)), [0.5, 0.5])
    back = constraints.deserialize(constraints.serialize(Halve()), custom_objects={"Halve": Halve})
    assert type(back) is Halve
    with pytest.raises(ValueError):
        constraints.deserialize(constraints.serialize(Halve()))
