"""Paths of variables: those that Keras 3.15.1 gives, whoever calls `build`."""

import numpy as np
import pytest

import kerata
from kerata import layers

X = np.ones((1, 3, 4), "float32")


class Own(layers.Layer):
    """Builds its sublayers itself."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense, self.last = layers.Dense(2), layers.Dense(3, name="last")

    def build(self, shape):
        self.dense.build(shape)
        self.last.build((*shape[:-1], 2))
        self.scale = self.add_weight(shape=(3,), name="scale")

    def call(self, x):
        return self.last(self.dense(x)) * self.scale


class Lazy(kerata.Model):
    """Leaves it to the first call."""

    def __init__(self):
        super().__init__()
        self.dense, self.own = layers.Dense(4), Own()

    def call(self, x):
        return self.own(self.dense(x))


def functional():
    x = kerata.Input((3, 4))
    return kerata.Model(x, Own(name="own")(layers.Dense(4, name="first")(x)))


GATES = ("kernel", "recurrent_kernel", "bias")
OWN = ("scale", "dense/kernel", "dense/bias", "last/kernel", "last/bias")
ATTENDING = [
    f"{name}/{part}" for name in ("query", "key", "value", "attention_output") for part in ("kernel", "bias")
]
CASES = {
    "sequential": (
        lambda: kerata.Sequential([layers.Dense(2)]),
        ["sequential/dense/kernel", "sequential/dense/bias"],
    ),
    "own": (Own, [f"own/{part}" for part in OWN]),
    "lazy": (
        Lazy,
        ["lazy/dense/kernel", "lazy/dense/bias", *(f"lazy/own/{p}".replace("dense", "dense_1") for p in OWN)],
    ),
    "functional": (functional, ["first/kernel", "first/bias", *(f"own/{part}" for part in OWN)]),
    "recurrent": (lambda: layers.GRU(2), [f"gru/gru_cell/{part}" for part in GATES]),
    "both ways": (
        lambda: layers.Bidirectional(layers.LSTM(2)),
        [f"bidirectional/{way}_lstm/lstm_cell/{part}" for way in ("forward", "backward") for part in GATES],
    ),
    "stacked": (
        lambda: layers.RNN([layers.LSTMCell(2), layers.LSTMCell(3)]),
        [f"rnn/stacked_rnn_cells/{cell}/{part}" for cell in ("lstm_cell", "lstm_cell_1") for part in GATES],
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("built", ["by a call", "by hand"])
def test_paths(name, built):
    kerata.utils.clear_session(free_memory=False)
    make, expected = CASES[name]
    layer = make()
    layer(X) if built == "by a call" else layer.build(X.shape)
    assert [v.path for v in layer.weights] == expected


def test_paths_of_attention():
    layer = layers.MultiHeadAttention(2, 3, name="attention")
    layer(X, X)
    assert [v.path for v in layer.weights] == [f"attention/{path}" for path in ATTENDING]


def test_a_build_that_fails_leaves_nothing():
    class Fails(layers.Layer):
        def build(self, shape):
            self.weight = self.add_weight(shape=(1,), name="weight")
            raise ValueError("no")

    layer = Fails()
    for attempt in (lambda: layer.build((1, 2)), lambda: layer(X)):
        with pytest.raises(ValueError, match="no"):
            attempt()
        assert not layer.built and layer.weights == [] and not hasattr(layer, "weight")


def test_weights_made_by_init_have_a_path(engine):
    class Early(layers.Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.w = self.add_weight(shape=(2,), name="w")

        def call(self, x):
            return x * self.w

    x = kerata.Input((2,))
    model = kerata.Model(x, Early(name="two")(Early(name="one")(x)))
    assert [w.path for w in model.weights] == ["one/w", "two/w"]
