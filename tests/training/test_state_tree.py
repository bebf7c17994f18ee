"""`get_state_tree` and `set_state_tree`: the state of a model by the paths of its variables."""

import numpy as np
import pytest

import kerata
from kerata import layers, ops
from kerata.core.errors import ArgumentError

X, Y = np.arange(8, dtype="float32").reshape(4, 2) ** 2, np.ones((4, 1), "float32")


@pytest.fixture
def model(engine):
    kerata.utils.clear_session(free_memory=False)
    model = kerata.Sequential(
        [kerata.Input((2,)), layers.Dense(1, name="d"), layers.BatchNormalization(name="b")], name="s"
    )
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, Y, verbose=0)
    return model


def paths(tree, prefix=""):
    if not isinstance(tree, dict):
        return [prefix]
    return [path for key, part in tree.items() for path in paths(part, f"{prefix}/{key}" if prefix else key)]


def test_the_paths_are_those_of_keras(model):
    slots = [
        f"s_{v}_{slot}"
        for v in ("d_kernel", "d_bias", "b_gamma", "b_beta")
        for slot in ("momentum", "velocity")
    ]
    assert paths(model.get_state_tree()) == [
        *(f"trainable_variables/s/{v}" for v in ("d/kernel", "d/bias", "b/gamma", "b/beta")),
        *(f"non_trainable_variables/s/b/moving_{v}" for v in ("mean", "variance")),
        *(f"optimizer_variables/adam/{v}" for v in ("iteration", "learning_rate", *slots)),
        *(f"metrics_variables/{m}/{v}" for m in ("loss", "mean_absolute_error") for v in ("total", "count")),
    ]


def test_a_state_comes_back(model):
    before = model.get_state_tree("numpy_array")
    model.fit(X, 2 * Y, verbose=0)
    assert not np.array_equal(model.get_weights()[0], before["trainable_variables"]["s"]["d"]["kernel"])
    model.set_state_tree(before)
    after = model.get_state_tree("numpy_array")
    assert int(after["optimizer_variables"]["adam"]["iteration"]) == 1
    kernel = after["trainable_variables"]["s"]["d"]["kernel"]
    np.testing.assert_array_equal(kernel, before["trainable_variables"]["s"]["d"]["kernel"])
    assert ops.is_tensor(model.get_state_tree()["trainable_variables"]["s"]["d"]["kernel"])


@pytest.mark.parametrize(
    "tree",
    [
        5,
        {"other": {}},
        {"trainable_variables": 5},
        {"trainable_variables": {"s": {"d": {"bias": np.zeros(1), "other": np.zeros(1)}}}},
        {"trainable_variables": {"s": {"d": {"bias": np.zeros(1), "kernel": np.zeros(3)}}}},
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(model, tree):
    before = model.get_weights()
    with pytest.raises(ArgumentError):
        model.set_state_tree(tree)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_unknown_format(model):
    with pytest.raises(ArgumentError, match="value_format"):
        model.get_state_tree("list")
