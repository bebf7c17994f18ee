"""Settings that bound training, first values by name, and variables that are gone through."""

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.core.errors import ArgumentError


@pytest.fixture
def bounded():
    kerata.config.set_max_epochs(2)
    kerata.config.set_max_steps_per_epoch(1)
    yield
    kerata.config.set_max_epochs(None)
    kerata.config.set_max_steps_per_epoch(None)


def test_epochs_and_steps_are_bounded(engine, bounded):
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    x, y = np.ones((8, 3), "float32"), np.ones((8, 2), "float32")
    assert len(model.fit(x, y, epochs=4, batch_size=2, verbose=0).history["loss"]) == 2
    assert int(model.optimizer.iterations) == 2
    assert model.predict(x, batch_size=2, verbose=0).shape == (2, 2)
    batches = ((x[:2], y[:2]) for _ in range(9))
    model.fit(batches, epochs=4, verbose=0)
    assert int(model.optimizer.iterations) == 4


def test_initializers_of_variables_by_name(engine):
    v = kerata.Variable("ones", shape=(2,), dtype="float16")
    assert v.dtype == "float16"
    np.testing.assert_array_equal(v.numpy(), [1, 1])
    with pytest.raises(ArgumentError, match="initializer"):
        kerata.Variable("one_half", shape=(2,))


def test_variables_are_gone_through(engine):
    first, second = kerata.Variable(np.array([[1.0, 2.0], [3.0, 4.0]], "float32"))
    np.testing.assert_array_equal(kerata.ops.convert_to_numpy(first), [1, 2])
    np.testing.assert_array_equal(kerata.ops.convert_to_numpy(second), [3, 4])
    with pytest.raises(TypeError, match="scalar"):
        list(kerata.Variable(np.float32(1)))


def test_one_target_for_the_only_output_with_a_loss(engine):
    x = kerata.Input((4,))
    hidden = layers.Dense(3)(x)
    model = kerata.Model(x, [layers.Dense(2)(hidden), hidden])
    model.compile("sgd", loss=["mse", None])
    inputs, targets = np.ones((8, 4), "float32"), np.ones((8, 2), "float32")
    expected = np.mean((model.predict(inputs, verbose=0)[0] - 1) ** 2)
    np.testing.assert_allclose(model.evaluate(inputs, targets, verbose=0), expected, rtol=1e-5)
    assert list(model.fit(inputs, targets, verbose=0).history) == ["loss"]


def test_recurrent_layers_give_a_tuple_with_their_states(engine):
    x = np.ones((2, 3, 4), "float32")
    assert type(layers.LSTM(2, return_state=True)(x)) is tuple
    assert type(layers.Bidirectional(layers.GRU(2, return_state=True))(x)) is tuple


@pytest.mark.filterwarnings("error")
def test_attention_takes_masks_without_a_warning(engine):
    x = layers.Embedding(5, 4, mask_zero=True)(np.array([[1, 2, 0]]))
    assert layers.MultiHeadAttention(2, 2)(x, x).shape == (1, 3, 4)
