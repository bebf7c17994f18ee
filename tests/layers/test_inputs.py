"""What a layer may be called with: tensors of its engine, arrays, lists; not tensors of another engine."""

import numpy as np
import pytest

import kerata
from kerata import backends, layers, ops
from kerata.core.errors import BackendMismatchError

X = np.arange(6, dtype="float32").reshape(2, 3)


def others(engine):
    return [name for name in backends.installed() if name != engine and name != "numpy"]


def test_tensors_of_another_engine_are_refused(engine):
    layer = layers.Dense(2, name="it")
    for name in others(engine):
        foreign = backends.get(name).convert(X)
        with pytest.raises(BackendMismatchError) as told:
            layer(foreign)
        text = str(told.value)
        assert text.startswith("it: `inputs` ")
        assert (name in text and engine in text and "to_backend" in text) or "convert" in text
    assert not layer.built


def test_tensors_of_another_engine_in_a_list(engine):
    for name in others(engine):
        with pytest.raises(BackendMismatchError):
            layers.Add()([ops.convert_to_tensor(X), backends.get(name).convert(X)])


def test_weights_and_states_of_another_engine_are_refused(engine):
    for name in others(engine):
        with pytest.raises(BackendMismatchError):
            layers.LSTM(2)(
                X[None], initial_state=[backends.get(name).convert(np.zeros((1, 2), "float32"))] * 2
            )


def test_arrays_and_lists_are_accepted(engine):
    kerata.utils.set_random_seed(1)
    layer = layers.Dense(2)
    expected = ops.convert_to_numpy(layer(ops.convert_to_tensor(X)))
    for given in (X, X.tolist(), X.astype("float64"), X.astype("int64")):
        np.testing.assert_allclose(ops.convert_to_numpy(layer(given)), expected, rtol=1e-6)


def test_lists_of_arrays_are_accepted(engine):
    np.testing.assert_allclose(ops.convert_to_numpy(layers.Add()([X, X])), 2 * X)


@pytest.mark.parametrize("mask", [np.array([[True, False]]), [[True, False]]], ids=["array", "list"])
def test_masks_may_be_arrays_or_lists(engine, mask):
    layer = layers.GlobalAveragePooling1D()
    np.testing.assert_allclose(ops.convert_to_numpy(layer(X[None, :2], mask=mask)), X[:1])


def test_a_mask_given_by_hand_goes_on(engine):
    mask = np.array([[True, False]])
    sequence = layers.LSTM(3, return_sequences=True)(X[None, :2], mask=mask)
    average = layers.GlobalAveragePooling1D()(sequence)
    np.testing.assert_allclose(ops.convert_to_numpy(average), ops.convert_to_numpy(sequence)[:, 0], rtol=1e-6)


def test_initial_states_may_be_arrays(engine):
    layer = layers.GRU(2)
    first, second = (layer(X[None], initial_state=s) for s in (np.zeros((1, 2), "float32"), None))
    np.testing.assert_allclose(ops.convert_to_numpy(first), ops.convert_to_numpy(second))


def test_what_is_assigned_carries_its_derivative(engine):
    """A variable that a function assigns and reads again is what was assigned."""
    w = kerata.Variable(np.float32(3.0))
    state = kerata.Variable(np.float32(1.0), trainable=False)

    def loss():
        state.assign(ops.multiply(w.value, w.value))
        return ops.multiply(state.value, 2.0)

    value, (slope,) = kerata.value_and_grad(loss, [w])()
    assert (float(value), float(slope), float(state.value)) == (18.0, 12.0, 9.0)
    value, (slope,) = kerata.function(lambda: kerata.value_and_grad(loss, [w])())()
    assert (float(value), float(slope), float(state.value)) == (18.0, 12.0, 9.0)


@pytest.mark.parametrize("shape, make", [
    ((3, 0, 4), lambda: kerata.layers.Dense(2)), ((0, 3, 1), lambda: kerata.layers.GRU(2)),
    ((2, 0, 1), lambda: kerata.layers.GRU(2)), ((2, 0, 1), lambda: kerata.layers.LSTM(2)),
])  # fmt: skip
def test_inputs_without_elements(engine, shape, make):
    layer = make()
    with kerata.use_backend("numpy"):
        expected = make()(np.ones(shape, "float32")).shape
    assert layer(np.ones(shape, "float32")).shape == expected
    if len(shape) == 3 and not isinstance(layer, kerata.layers.Dense):
        assert layer(np.ones(shape, "float32"), mask=np.ones(shape[:2], bool)).shape == expected


def test_a_step_counts_of_which_a_word_counts(engine):
    """Documents of sentences of words: the layer inside sees the words' mask, the one outside which sentences there are."""
    L = kerata.layers
    words = kerata.Input((None, 4), dtype="int32")
    sentences = L.TimeDistributed(L.LSTM(2))(L.Embedding(5, 2, mask_zero=True)(words))
    model = kerata.Model(words, L.LSTM(3)(sentences))
    x = np.array([[[1, 2, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0]]], "int32")
    longer = np.concatenate([x, np.zeros_like(x)], axis=1)
    np.testing.assert_allclose(
        model.predict(longer, verbose=0), model.predict(x[:, :2], verbose=0), rtol=1e-5
    )


def test_sizes_of_a_trailing_ellipsis_come_last():
    layer = layers.EinsumDense("ab...,bc->ac...", output_shape=(5, 4), bias_axes="c")
    assert layer(kerata.Input((3, 4))).shape == (None, 5, 4)
    assert (layer.kernel.shape, layer.bias.shape) == ((3, 5), (5, 1))
