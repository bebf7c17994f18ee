"""`jit_compile=True` on PyTorch: one graph where there can be one, and the same numbers in any case."""

import numpy as np
import pytest

import kerata
from kerata import layers, ops
from kerata.core.errors import ArgumentError


@pytest.fixture(autouse=True)
def on_torch():
    """The engine; where it is not installed, these tests fail with the command that installs it."""
    with kerata.use_backend("torch"):
        yield


def trained(build, jit_compile):
    kerata.utils.set_random_seed(0)
    model = build()
    model.compile("adam", "mse", metrics=["mae"], jit_compile=jit_compile)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, *model.input_shape[1:])).astype("float32")
    y = rng.normal(size=(32, 2)).astype("float32")
    history = model.fit(x, y, batch_size=16, epochs=2, verbose=0).history
    return (
        [*history["loss"], *history["mae"]],
        model.evaluate(x, y, verbose=0),
        model.predict(x, verbose=0),
        model,
    )


def same(build):
    compiled, eager = trained(build, True), trained(build, False)
    for got, expected in zip(compiled[:3], eager[:3], strict=True):
        np.testing.assert_allclose(got, expected, rtol=2e-5, atol=1e-6)
    for got, expected in zip(compiled[3].get_weights(), eager[3].get_weights(), strict=True):
        np.testing.assert_allclose(got, expected, rtol=2e-5, atol=2e-6)


def test_training_with_dropout_and_statistics():
    def build():
        return kerata.Sequential(
            [
                kerata.Input((4,)),
                layers.Dense(8, "relu"),
                layers.Dropout(0.3),
                layers.BatchNormalization(),
                layers.Dense(2),
            ]
        )

    same(build)


def test_recurrent_layers_run_as_they_are():
    same(lambda: kerata.Sequential([kerata.Input((5, 3)), layers.LSTM(4), layers.Dense(2)]))


def torch_itself():
    import torch

    return torch


class Habitual(kerata.Model):
    """A training step in PyTorch's own words."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        x, y = data
        loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        loss.backward()
        with torch_itself().no_grad():
            for v in self.trainable_variables:
                v.value.sub_(v.value.grad, alpha=0.1)
                v.value.grad = None
        return {"loss": loss.detach()}


def test_steps_that_cannot_be_one_graph_still_train():
    x, y = np.eye(4, dtype="float32"), np.ones((4, 2), "float32")
    found = []
    for jit_compile in (True, False):
        kerata.utils.set_random_seed(0)
        model = Habitual()
        model.compile(loss="mse", jit_compile=jit_compile)
        found.append(model.fit(x, y, epochs=3, verbose=0).history["loss"])
    np.testing.assert_allclose(*found, rtol=1e-5)
    assert found[0][2] < found[0][0]


def test_state_structure_and_plain_values():
    total = kerata.Variable(np.zeros(3, "float32"))

    @kerata.function(jit_compile=True)
    def add(x, factor=1):
        total.assign_add(x["a"] * factor)
        return {"sum": ops.sum(total), "factor": factor, "none": None}

    one = np.ones(3, "float32")
    assert {k: v if v is None else float(ops.stop_gradient(v)) for k, v in add({"a": one}).items()} == {
        "sum": 3,
        "factor": 1,
        "none": None,
    }
    assert float(ops.stop_gradient(add({"a": one}, factor=3)["sum"])) == 12
    assert float(ops.stop_gradient(add({"a": one})["sum"])) == 15
    np.testing.assert_array_equal(total.numpy(), [5, 5, 5])


def test_memory_order_of_arguments_and_variables():
    v = kerata.Variable(np.zeros((2, 3), "float32"), trainable=False)

    @kerata.function(jit_compile=True)
    def step(x):
        v.assign(v + x)
        return ops.sum(v, axis=0)

    torch = torch_itself()
    x = torch.arange(6.0).reshape(2, 3)
    step(x)
    v.assign(torch.arange(6.0).reshape(3, 2).T)
    got = step(torch.arange(6.0).reshape(3, 2).T)
    np.testing.assert_array_equal(got.numpy(), [2, 10, 18])


def test_results_can_be_differentiated_outside():
    v = kerata.Variable(np.array([1.0, 2.0], "float32"))
    compiled = kerata.function(lambda x: ops.sum(v * x * x), jit_compile=True)
    torch = torch_itself()
    x = torch.tensor([3.0, 4.0], requires_grad=True)
    compiled(x).backward()
    np.testing.assert_array_equal(x.grad.numpy(), [6, 16])
    np.testing.assert_array_equal(v.value.grad.numpy(), [9, 16])
    with torch.no_grad():
        assert float(compiled(np.array([3.0, 4.0], "float32"))) == 41


def test_errors_of_the_user_stay_theirs():
    compiled = kerata.function(lambda x, y: ops.matmul(x, y), jit_compile=True)
    with pytest.raises(ArgumentError, match="x2"):
        compiled(np.ones((2, 3), "float32"), np.ones((2, 3), "float32"))


def test_maximum_of_a_mapped_tensor_and_a_weight():
    """Within `torch.vmap`, the derivative of a weight is PyTorch's; outside, two NaN share it."""
    import torch

    weight = torch.tensor([1.0, -1.0], requires_grad=True)
    y = torch.vmap(lambda row: ops.maximum(row, weight))(torch.zeros(3, 2))
    assert y.tolist() == [[1.0, 0.0]] * 3
    y.sum().backward()
    assert weight.grad.tolist() == [3.0, 0.0]
