"""Functions that ask for values: what runs on NumPy runs compiled on every engine, with the same results."""

import warnings

import numpy as np
import pytest

import kerata
from kerata import ops

CALLS = {
    "a size": ops.unique,
    "counts": lambda x: ops.bincount(x, minlength=2),
    "places": lambda x: ops.nonzero(x)[0],
    "a mask": lambda x: x[x > 1],
    "segments": lambda x: ops.segment_sum(x, x),
    "repeats": lambda x: ops.repeat(ops.ones(3), x),
    "a count": lambda x: ops.eye(x[0] + 1),
    "an end": lambda x: ops.arange(x[0]),
    "converted": lambda x: ops.sum(x) * int(ops.convert_to_numpy(x)[0]),
    "read by NumPy": lambda x: ops.sum(x) * int(np.asarray(x)[0]),
    "a branch": lambda x: x + 1 if ops.sum(x) > 6 else x - 1,
    "a loop": lambda x: sum((x for _ in range(int(x[0]))), x),
    "a number": lambda x: x * int(float(x[0])),
    "an index": lambda x: np.arange(9)[x[0]],
}
quiet = pytest.mark.filterwarnings("ignore:.*runs uncompiled:RuntimeWarning")
GIVEN = [np.array(v, "int32") for v in ([3, 1, 1], [5, 7, 5], [0, 1, 0])]
BAKED = ("a size", "read by NumPy", "an index")  # what PyTorch's tracing would take for constants


def results(call):
    return [np.asarray(ops.convert_to_numpy(call(ops.convert_to_tensor(x)))).tolist() for x in GIVEN]


@quiet
@pytest.mark.parametrize("name, jit", [(n, "auto") for n in CALLS] + [(n, True) for n in BAKED])
def test_results_are_those_of_numpy(name, jit, engine):
    with kerata.use_backend("numpy"):
        expected = results(CALLS[name])
    assert results(kerata.function(CALLS[name], jit_compile=jit)) == expected


def test_it_is_told_once_and_why():
    runs = kerata.function(ops.unique)
    with kerata.use_backend("jax"):
        with pytest.warns(
            RuntimeWarning, match="unique runs uncompiled .* `x` must be a tensor whose values"
        ):
            runs(ops.convert_to_tensor(GIVEN[0]))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            runs(ops.convert_to_tensor(GIVEN[1]))


@pytest.mark.parametrize("engine", ["jax", "tensorflow"], indirect=True)
def test_an_error_of_the_function_is_no_reason(engine):
    def wrong(x):
        ops.unique(x)
        return ops.reshape(x, (7,))

    with pytest.raises(ValueError, match="7"):
        kerata.function(wrong)(ops.convert_to_tensor(GIVEN[0]))


@quiet
def test_variables_change_once_for_each_call(engine):
    total = kerata.Variable(0, dtype="int32", trainable=False)

    @kerata.function
    def count(x):
        total.assign_add(ops.sum(ops.unique(x)))

    for x in GIVEN:
        count(ops.convert_to_tensor(x))
    assert int(ops.convert_to_numpy(total.value)) == 4 + 12 + 1


class Counting(kerata.Model):
    """Has a size in it that only values tell."""

    def __init__(self):
        super().__init__()
        self.dense = kerata.layers.Dense(1)

    def call(self, x):
        counts = ops.bincount(ops.cast(x, "int32"), minlength=2)
        return self.dense(x) + ops.cast(ops.shape(counts)[-1], "float32")


@quiet
def test_models_train_several_steps_at_a_time(engine):
    x = np.arange(24.0).reshape(8, 3).astype("float32") % 5

    def trained():
        kerata.utils.set_random_seed(0)
        model = Counting()
        model.compile("sgd", "mse", steps_per_execution=2)
        model.fit(x, x[:, :1], batch_size=2, epochs=2, shuffle=False, verbose=0)
        return model.predict(x, batch_size=2, verbose=0)

    with kerata.use_backend("numpy"):
        expected = trained()
    np.testing.assert_allclose(trained(), expected, rtol=1e-5, atol=1e-5)


@quiet
@pytest.mark.parametrize("compiled", [False, True])
def test_values_within_a_derivative(engine, compiled):
    v = kerata.Variable(np.array([1.0, 0.0, 3.0], "float32"))

    def slope():
        return kerata.value_and_grad(lambda: ops.sum(ops.take(v.value, ops.nonzero(v.value)[0]) ** 2), [v])()[
            1
        ][0]

    found = (kerata.function(slope) if compiled else slope)()
    np.testing.assert_array_equal(ops.convert_to_numpy(found), [2, 0, 6])


class Choosing(kerata.Model):
    """Looks at values in Python, or does not; what it computes is the same."""

    def __init__(self, looks):
        super().__init__()
        self.looks = looks
        self.norm, self.drop, self.dense = (
            kerata.layers.BatchNormalization(), kerata.layers.Dropout(0.5, seed=1), kerata.layers.Dense(1),
        )  # fmt: skip

    def call(self, x):
        y = self.dense(self.drop(self.norm(x)))
        if self.looks and (ops.sum(x) > 1e9 or float(ops.min(x)) > 1e9 or np.asarray(x).size == 0):
            y = -y
        return y


@quiet
@pytest.mark.parametrize("eager", [False, True])
def test_models_may_look_at_values(engine, eager):
    x = np.arange(24.0).reshape(8, 3).astype("float32") / 24

    def trained(looks):
        kerata.utils.set_random_seed(0)
        model = Choosing(looks)
        model.compile("sgd", "mse", run_eagerly=eager)
        history = model.fit(x, x[:, :1], batch_size=4, epochs=2, shuffle=False, verbose=0).history
        return [
            *history["loss"],
            *model.get_weights(),
            model.predict(x, verbose=0),
            model.evaluate(x, x[:, :1], verbose=0),
        ]

    for found, expected in zip(trained(True), trained(False), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_model_that_looks_at_values_is_refused_before_anything_changes(engine):
    x = np.ones((4, 3), "float32")
    model = Choosing(True)
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"y_true|y_pred|shape"):
        model.fit(x, np.ones((4, 2, 7), "float32"), verbose=0)
    assert int(model.optimizer.iterations) == 0
