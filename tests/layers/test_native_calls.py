"""Layers, activations and losses that call functions of their engine, or of NumPy, instead of `kerata.ops`."""

import contextlib
import importlib

import numpy as np
import pytest

import kerata
from kerata import layers, ops

# A softmax over the last axis, as the engine itself has it.
NATIVE = {
    "numpy": lambda x: np.exp(x) / np.sum(np.exp(x), -1, keepdims=True),
    "torch": lambda x: importlib.import_module("torch").softmax(x, -1),
    "jax": lambda x: importlib.import_module("jax").nn.softmax(x),
    "tensorflow": lambda x: importlib.import_module("tensorflow").nn.softmax(x),
}


class Native(layers.Layer):
    """Weights in a native product, and a penalty."""

    def __init__(self, fn):
        super().__init__()
        self.fn = fn

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], 2), initializer="ones")

    def call(self, x):
        self.add_loss(ops.sum(x) * 0.0)
        return self.fn(ops.matmul(x, self.w))


def functional(fn):
    symbol = kerata.Input((3,))
    return kerata.Model(symbol, Native(fn)(symbol))


def sequential(fn):
    return kerata.Sequential([layers.Dense(3, kernel_initializer="ones"), Native(fn)])


def subclassed(fn):
    class Own(kerata.Model):
        def __init__(self):
            super().__init__()
            self.native = Native(fn)

        def call(self, x):
            return self.native(fn(x))

    return Own()


def in_a_lambda(fn):
    return kerata.Sequential(
        [kerata.Input((3,)), layers.Dense(2, kernel_initializer="ones"), layers.Lambda(fn)]
    )


def as_activation(fn):
    return kerata.Sequential([kerata.Input((3,)), layers.Dense(2, activation=fn, kernel_initializer="ones")])


def softmax(x):
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)


X = np.random.default_rng(1).random((6, 3)).astype("float32")
Y = np.random.default_rng(2).random((6, 2)).astype("float32")


@pytest.mark.parametrize("make", [functional, sequential, subclassed, in_a_lambda, as_activation])
def test_native_functions_in_models(make, engine):
    model, twin = make(NATIVE[engine]), make(ops.softmax)
    for m in (model, twin):
        m.compile(kerata.optimizers.SGD(0.5), "mse")
    first = model.predict(X, verbose=0)
    np.testing.assert_allclose(first, twin.predict(X, verbose=0), rtol=1e-6)
    losses = [m.fit(X, Y, epochs=2, shuffle=False, verbose=0).history["loss"] for m in (model, twin)]
    np.testing.assert_allclose(*losses, rtol=1e-5)
    assert model.evaluate(X, Y, verbose=0) > 0


def test_shapes_with_unknown_sizes(engine):
    layer = layers.Lambda(NATIVE[engine])
    masked = layers.Masking()(kerata.Input((None, 4)))
    found = layer(masked)
    assert found.shape == (None, None, 4) and found.dtype == "float32"
    assert layers.Lambda(NATIVE[engine])(kerata.Input((None, 7, 4), dtype="float64")).shape == (
        None,
        None,
        7,
        4,
    )


def test_a_question_about_shapes_leaves_no_losses(engine):
    layer = Native(NATIVE[engine])
    assert layer(kerata.Input((3,))).shape == (None, 2)
    assert layer.losses == []


def test_what_the_function_itself_refuses_is_told(engine):
    def refuse(x):
        NATIVE[engine](x)
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        layers.Lambda(refuse)(kerata.Input((3,)))


class Told(layers.Layer):
    """Sorts with NumPy, so needs values, and says itself what comes."""

    def call(self, x):
        return ops.convert_to_tensor(np.sort(ops.convert_to_numpy(x)))

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)


def test_a_layer_may_tell_its_shape_itself(engine):
    symbol = kerata.Input((3,))
    model = kerata.Model(symbol, layers.Dense(2)(Told()(symbol)))
    assert model.layers[1].output.shape == (None, 3)
    with (
        pytest.warns(RuntimeWarning, match="uncompiled")
        if engine in ("jax", "tensorflow")
        else contextlib.nullcontext()
    ):
        found = model.predict(X, verbose=0)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(found, np.sort(X) @ kernel + bias, rtol=1e-5)


def test_several_outputs_of_a_layer_that_tells_its_shapes(engine):
    class Pair(layers.Layer):
        def call(self, a, b):
            return float(ops.sum(a)) * b, {"same": a}

        def compute_output_shape(self, a_shape, b_shape):
            return b_shape, {"same": a_shape}

    a, b = kerata.Input((3,)), kerata.Input((4,))
    product, others = Pair()(a, b)
    assert product.shape == (None, 4) and others["same"].shape == (None, 3)


# A product with a weight, as the engine itself has it.
PRODUCTS = {
    "numpy": lambda x, w: np.matmul(x, w.value),  # to NumPy's functions, a variable is an array
    "torch": lambda x, w: importlib.import_module("torch").matmul(x, w),
    "jax": lambda x, w: importlib.import_module("jax").numpy.einsum("ij,jk->ik", x, w),
    "tensorflow": lambda x, w: importlib.import_module("tensorflow").matmul(x, w),
}


def test_variables_in_native_functions(engine):
    class Product(layers.Layer):
        def build(self, shape):
            self.w = self.add_weight(shape=(shape[-1], 2), initializer="ones")

        def call(self, x):
            return PRODUCTS[engine](x, self.w)

    model = kerata.Sequential([kerata.Input((3,)), Product()])
    np.testing.assert_allclose(model.predict(X, verbose=0), X @ np.ones((3, 2)), rtol=1e-6)
    model.compile(kerata.optimizers.SGD(0.1), "mse")
    model.fit(X, Y, batch_size=6, verbose=0)
    slope = X.T @ (X @ np.ones((3, 2), "float32") - Y) / 6
    np.testing.assert_allclose(model.get_weights()[0], 1 - 0.1 * slope, rtol=1e-5)
