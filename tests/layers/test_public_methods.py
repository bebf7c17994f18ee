"""What layers offer beside being called: masks, building from configs, states, specs; as Keras has it, or by closed forms."""

import keras
import numpy as np
import pytest

import kerata
from kerata import layers, ops

X = np.linspace(-1, 1, 30).reshape(2, 5, 3).astype("float32")
FIRST = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 0, 0]], bool)
SECOND = np.array([[1, 0, 1, 1, 0], [0, 0, 1, 0, 0]], bool)


def number(x):
    return None if x is None else ops.convert_to_numpy(x)


# ---- masks -------------------------------------------------------------------------------------------

# Layer, inputs, masks of the inputs.
MASKS = {
    "Masking": (lambda k: k.layers.Masking(), X * FIRST[..., None], None),
    "Masking of another value": (lambda k: k.layers.Masking(1.0), np.where(FIRST[..., None], X, 1), None),
    "Embedding": (lambda k: k.layers.Embedding(4, 2, mask_zero=True), np.array([[0, 1, 3]]), None),
    "Embedding without": (lambda k: k.layers.Embedding(4, 2), np.array([[0, 1, 3]]), None),
    "Dense": (lambda k: k.layers.Dense(2), X, FIRST),
    "LSTM": (lambda k: k.layers.LSTM(2), X, FIRST),
    "LSTM of sequences": (lambda k: k.layers.LSTM(2, return_sequences=True), X, FIRST),
    "Bidirectional": (lambda k: k.layers.Bidirectional(k.layers.GRU(2, return_sequences=True)), X, FIRST),
    "GlobalAveragePooling1D": (lambda k: k.layers.GlobalAveragePooling1D(), X, FIRST),
    **{
        name: (lambda k, n=name: getattr(k.layers, n)(), [X, X], [FIRST, SECOND])
        for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")
    },
    "Add of sizes 1": (lambda k: k.layers.Add(), [X, X[:, :1]], [FIRST, SECOND[:, :1]]),
    "Add of one mask": (lambda k: k.layers.Add(), [X, X], [FIRST, None]),
    "Concatenate in time": (lambda k: k.layers.Concatenate(1), [X, X], [FIRST, SECOND]),
    "Concatenate of one mask": (lambda k: k.layers.Concatenate(1), [X, X], [None, SECOND]),
    "Dot": (lambda k: k.layers.Dot(1), [X, X], [FIRST, SECOND]),
    "Attention": (lambda k: k.layers.Attention(), [X, X], [FIRST, SECOND]),
}


def mask_by(framework, name):
    make, inputs, masks = MASKS[name]
    convert = framework.ops.convert_to_tensor

    def converted(v):
        return None if v is None else [converted(x) for x in v] if isinstance(v, list) else convert(v)

    found = make(framework).compute_mask(converted(inputs), converted(masks))
    return None if found is None else framework.ops.convert_to_numpy(found)


@pytest.mark.parametrize("name", MASKS)
def test_masks_as_in_keras(engine, name):
    ours, theirs = mask_by(kerata, name), mask_by(keras, name)
    assert (ours is None) == (theirs is None)
    if ours is not None:
        np.testing.assert_array_equal(ours, theirs)


def test_masks_of_states_and_functions(engine):
    states = layers.LSTM(2, return_sequences=True, return_state=True).compute_mask(X, FIRST)
    assert states[0] is FIRST and states[1:] == [None, None]
    assert layers.Lambda(ops.square).compute_mask(X, FIRST) is None
    assert layers.Lambda(ops.square, mask=lambda x, mask: ~mask).compute_mask(X, FIRST)[0, 4]


# ---- building ----------------------------------------------------------------------------------------


def test_a_build_config_builds_the_same_weights(engine):
    for make in (
        lambda: layers.Dense(4),
        lambda: layers.MultiHeadAttention(2, 3),
        lambda: layers.Bidirectional(layers.LSTM(2)),
        lambda: kerata.Sequential([layers.Dense(2), layers.Dense(1)]),
    ):
        layer, again = make(), make()
        assert layer.get_build_config() is None
        layer(*[X] * (2 if isinstance(layer, layers.MultiHeadAttention) else 1))
        again.build_from_config(layer.get_build_config())
        assert again.built
        assert [v.shape for v in again.weights] == [v.shape for v in layer.weights]
        before = again.weights
        again.build_from_config({"input_shape": (None, 7)})  # it is built already
        assert again.weights == before


def test_specs_and_symbolic_calls(engine):
    layer = layers.Dense(4, dtype="mixed_bfloat16")
    spec = layer.compute_output_spec(kerata.KerasTensor((None, 3)))
    assert (spec.shape, spec.dtype) == ((None, 4), "bfloat16") and layer.built
    x = kerata.Input((3,))
    y = layer.symbolic_call(x)
    assert y.node.operation is layer and y.node.input_tensors == [x] and y.node.output_tensors == [y]
    assert [n.operation.name for n in y.node.parent_nodes] == [x.node.operation.name]
    model = kerata.Model(x, layers.Dense(1)(y))
    assert [type(o).__name__ for o in model.operations] == ["InputLayer", "Dense", "Dense"]
    assert model.input_dtype == "float32" and layer.input_dtype == "bfloat16"


# ---- parts and states --------------------------------------------------------------------------------


def test_the_parts_of_attention(engine):
    layer = layers.MultiHeadAttention(2, 3, value_dim=4)
    layer(X, X)
    parts = layer.query_dense, layer.key_dense, layer.value_dense, layer.output_dense
    assert [p.kernel.shape for p in parts] == [(3, 2, 3), (3, 2, 3), (3, 2, 4), (2, 4, 3)]
    found = {id(v) for p in parts for v in p.weights}
    assert found == {id(v) for v in layer.weights}


def test_first_states_are_zeros_of_the_cells_sizes(engine):
    for layer, sizes in (
        (layers.LSTM(2), [2, 2]),
        (layers.RNN([layers.LSTMCell(2), layers.GRUCell(3)]), [2, 2, 3]),
        (layers.StackedRNNCells([layers.SimpleRNNCell(4), layers.GRUCell(1)]), [4, 1]),
        (layers.GRUCell(5), [5]),
    ):
        states = layer.get_initial_state(6)
        assert [tuple(s.shape) for s in states] == [(6, n) for n in sizes]
        assert all((number(s) == 0).all() for s in states)


@pytest.mark.parametrize("method", ["reset_state", "reset_states"])
def test_states_that_are_carried_are_put_back(engine, method):
    plain = layers.LSTM(2, stateful=True)
    both = layers.Bidirectional(layers.GRU(2, stateful=True))
    for layer, inner in ((plain, [plain]), (both, [both.forward_layer, both.backward_layer])):
        first = number(layer(X))
        states = [s for one in inner for s in one.states]
        assert all((s.numpy() != 0).any() for s in states)
        assert not np.allclose(number(layer(X)), first)
        getattr(layer, method)()
        assert all((s.numpy() == 0).all() for s in states)
        np.testing.assert_allclose(number(layer(X)), first, rtol=1e-6)


def test_merging_as_functions(engine):
    a, b = X, X**2
    for name, wanted in {
        "add": a + b, "subtract": a - b, "multiply": a * b, "average": (a + b) / 2,
        "maximum": np.maximum(a, b), "minimum": np.minimum(a, b), "concatenate": np.concatenate([a, b], -1),
    }.items():  # fmt: skip
        np.testing.assert_allclose(number(getattr(layers, name)([a, b])), wanted, rtol=1e-6)
    np.testing.assert_allclose(number(layers.dot([a, b], axes=2)), np.einsum("bik,bjk->bij", a, b), rtol=1e-5)
    np.testing.assert_allclose(number(layers.concatenate([a, b], axis=1)), np.concatenate([a, b], 1))


ALIASES = {
    **{f"{g}MaxPool{r}D": f"{g}MaxPooling{r}D" for g in ("", "Global") for r in (1, 2, 3)},
    **{f"{g}AvgPool{r}D": f"{g}AveragePooling{r}D" for g in ("", "Global") for r in (1, 2, 3)},
}


@pytest.mark.parametrize("name", ALIASES)
def test_second_names(name):
    """One class under two names, whose own name is Keras's."""
    assert getattr(layers, name) is getattr(layers, ALIASES[name])
    assert getattr(keras.layers, name).__name__ == getattr(layers, name).__name__
