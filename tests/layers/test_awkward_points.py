"""Gradients where a derivative is easily lost: finite, and the same on every engine."""

import numpy as np
import pytest

import kerata
from kerata import layers, ops

CONSTANT = np.full((4, 6), 1.5, "float32")
SEQUENCE = np.random.default_rng(0).normal(size=(2, 40, 3)).astype("float32")
NOBODY = np.zeros((2, 40), bool)
Q = np.random.default_rng(1).normal(size=(2, 3, 4)).astype("float32")

# name -> (makes the layer, inputs, keyword arguments of the call)
POINTS = {
    "LayerNormalization of a constant": (layers.LayerNormalization, CONSTANT, {}),
    "RMSNormalization of zeros": (layers.RMSNormalization, np.zeros((4, 6), "float32"), {}),
    "GroupNormalization of a constant": (lambda: layers.GroupNormalization(3), CONSTANT, {}),
    "BatchNormalization of a constant": (layers.BatchNormalization, CONSTANT, {"training": True}),
    "BatchNormalization of one row": (layers.BatchNormalization, CONSTANT[:1], {"training": True}),
    "UnitNormalization of zeros": (layers.UnitNormalization, np.zeros((4, 6), "float32"), {}),
    "Dot of zeros, normalised": (
        lambda: layers.Dot(1, normalize=True),
        [np.zeros((2, 3), "float32"), np.ones((2, 3), "float32")],
        {},
    ),
    "Attention that sees nothing": (layers.Attention, [Q, Q], {"mask": [None, np.zeros((2, 3), bool)]}),
    "AdditiveAttention that sees nothing": (
        layers.AdditiveAttention,
        [Q, Q],
        {"mask": [None, np.zeros((2, 3), bool)]},
    ),
    "MultiHeadAttention that sees nothing": (
        lambda: layers.MultiHeadAttention(2, 3),
        Q,
        {"value": Q, "attention_mask": np.zeros((2, 3, 3), bool)},
    ),
    "MultiHeadAttention that sees nothing, with scores": (
        lambda: layers.MultiHeadAttention(2, 3),
        Q,
        {"value": Q, "attention_mask": np.zeros((2, 3, 3), bool), "return_attention_scores": True},
    ),
    "Softmax of nothing": (layers.Softmax, CONSTANT, {"mask": np.zeros((4, 6), bool)}),
    "Softmax of large numbers": (layers.Softmax, CONSTANT * 1e30, {}),
    "Embedding of repeated numbers": (
        lambda: layers.Embedding(5, 3, mask_zero=True),
        np.array([[0, 1, 1], [1, 0, 0]], "int32"),
        {},
    ),
    "MaxPooling of ties": (lambda: layers.MaxPooling1D(2), np.ones((2, 4, 3), "float32"), {}),
    "MaxPooling2D of ties, overlapping": (
        lambda: layers.MaxPooling2D(3, 1, "same"),
        np.ones((1, 4, 4, 2), "float32"),
        {},
    ),
    "GlobalMaxPooling of ties": (layers.GlobalMaxPooling1D, np.ones((2, 4, 3), "float32"), {}),
    "AdaptiveMaxPooling of ties": (lambda: layers.AdaptiveMaxPooling1D(2), np.ones((2, 4, 3), "float32"), {}),
    "PReLU at zero": (lambda: layers.PReLU("ones"), np.zeros((2, 3), "float32"), {}),
    "ReLU at its corners": (
        lambda: layers.ReLU(max_value=1.0, negative_slope=0.1),
        np.array([[0.0, 1.0, -0.0]], "float32"),
        {},
    ),
    "LeakyReLU at zero": (layers.LeakyReLU, np.zeros((2, 3), "float32"), {}),
    "ELU far below zero": (layers.ELU, np.full((2, 3), -1e4, "float32"), {}),
    "Maximum of equals": (layers.Maximum, [CONSTANT, CONSTANT], {}),
    "Minimum of equals": (layers.Minimum, [CONSTANT, CONSTANT], {}),
    "Masking of zeros": (layers.Masking, np.zeros((2, 3, 4), "float32"), {}),
    "SimpleRNN on nothing": (lambda: layers.SimpleRNN(4), SEQUENCE, {"mask": NOBODY}),
    "LSTM on nothing": (lambda: layers.LSTM(4), SEQUENCE, {"mask": NOBODY}),
    "GRU on nothing": (lambda: layers.GRU(4, return_sequences=True), SEQUENCE, {"mask": NOBODY}),
    "LSTM on nothing, backwards": (lambda: layers.LSTM(4, go_backwards=True), SEQUENCE, {"mask": NOBODY}),
    "LSTM far away": (lambda: layers.LSTM(4), SEQUENCE * 1e4, {}),
    "GRU far away": (lambda: layers.GRU(4), SEQUENCE * 1e4, {}),
    "SpectralNormalization in training": (
        lambda: layers.SpectralNormalization(layers.Dense(3)),
        CONSTANT,
        {"training": True},
    ),
    "ActivityRegularization at zero": (lambda: layers.ActivityRegularization(0.1, 0.1), np.zeros((2, 3), "float32"), {}),
}  # fmt: skip


def mapped(fn, value):
    return [fn(v) for v in value] if isinstance(value, list) else fn(value)


def slopes(name):
    """Outputs, and derivatives of their weighted sum by the inputs and the weights."""
    make, inputs, kwargs = POINTS[name]
    kerata.utils.set_random_seed(3)
    layer = make()
    layer(inputs, **{**kwargs, "training": False})
    points = []

    def moving(x):
        if x.dtype != np.float32:
            return x
        points.append(kerata.Variable(x))
        return points[-1]

    places = mapped(moving, inputs)

    def total():
        outputs = layer(mapped(lambda v: v.value if isinstance(v, kerata.Variable) else v, places), **kwargs)
        flat = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        weights = [
            np.random.default_rng(i).uniform(-1, 1, y.shape).astype("float32") for i, y in enumerate(flat)
        ]
        return sum(ops.sum(ops.multiply(y, w)) for y, w in zip(flat, weights, strict=True)) + sum(
            layer.losses
        ), list(flat)

    (_, outputs), gradients = kerata.value_and_grad(total, points + layer.trainable_weights, has_aux=True)()
    return [ops.convert_to_numpy(v) for v in [*outputs, *gradients]]


@pytest.mark.parametrize("name", POINTS)
def test_gradients_are_finite_and_the_same(engine, name):
    with kerata.use_backend("numpy"):
        expected = slopes(name)
    assert all(np.isfinite(v).all() for v in expected)
    for a, b in zip(slopes(name), expected, strict=True):
        # A kernel that forms x / s - m / s from the constant 1.5 and a deviation of 0.03 rounds at 50.
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=5e-6 * max(1.0, np.abs(b).max(initial=0)))
