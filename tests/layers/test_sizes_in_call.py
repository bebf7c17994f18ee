"""Sizes that are unknown when a layer is built, used by its `call` in every way that numbers are."""

import numpy as np
import pytest

import kerata
from kerata import layers, ops


def four():
    return ops.convert_to_tensor(np.arange(4, dtype="int32"))


def line(n):
    return ops.cast(ops.expand_dims(ops.arange(n), -1), "float32")


# Functions of the input (batch, n, 4) and n.
USES = {
    "positions": lambda x, n: x + line(n),
    "positions of all": lambda x, n: (
        x
        + ops.reshape(
            ops.cast(ops.arange(ops.shape(x)[0] * n * ops.shape(x)[0]), "float32")[: ops.shape(x)[0] * n],
            (-1, n, 1),
        )
    ),
    "positions from the end": lambda x, n: x + ops.cast(ops.arange(n - 1, -1, -1), "float32")[None, :, None],
    "narrow positions": lambda x, n: x + ops.cast(ops.arange(n, dtype="uint8"), "float32")[None, :, None],
    "positions as floats": lambda x, n: x + ops.reshape(ops.linspace(0.0, 1.0, n), (1, n, 1)),
    "a cast size": lambda x, n: x + ops.ones((ops.cast(n, "int64"), 1)),
    "a mask": lambda x, n: x * ops.cast(line(n) < 2, "float32"),
    "a triangle": lambda x, n: ops.matmul(ops.tril(ops.ones((n, n))), x),
    "an identity": lambda x, n: ops.matmul(ops.eye(n), x),
    "added to integers": lambda x, n: x + ops.cast(ops.add(four(), n), "float32"),
    "less integers": lambda x, n: x + ops.cast(ops.subtract(n, four()), "float32"),
    "the larger": lambda x, n: x + ops.cast(ops.maximum(four(), n), "float32"),
    "a limit": lambda x, n: x + ops.cast(ops.clip(four(), 0, n - 1), "float32"),
    "a remainder": lambda x, n: x + ops.cast(ops.mod(four(), n), "float32"),
    "a choice": lambda x, n: x + ops.cast(ops.where(ops.less(four(), n), four(), n), "float32"),
    "a filling": lambda x, n: x + ops.cast(ops.full((4,), n, "int32"), "float32"),
    "a divisor": lambda x, n: ops.cumsum(x, 1) / n,
    "a root": lambda x, n: x * n**-0.5,
    "a power": lambda x, n: ops.power(2.0, n) + x,
    "a tensor": lambda x, n: x + ops.cast(ops.convert_to_tensor([n, 1]), "float32")[0],
    "rows": lambda x, n: ops.reshape(x, (-1, n * 4)),
    "a half": lambda x, n: x[:, : n // 2],
    "the last": lambda x, n: ops.take(x, n - 1, axis=1),
    "repeats": lambda x, n: ops.repeat(x, n, axis=1),
    "tiles": lambda x, n: ops.tile(x, (1, n, 1)),
    "tiles as a tensor": lambda x, n: ops.tile(x, ops.concatenate([ops.expand_dims(n, 0), [1]], 0)),
    "repeats as a tensor": lambda x, n: ops.repeat(x, ops.convert_to_tensor([n]), axis=1),
    "a shape as a tensor": lambda x, n: ops.broadcast_to(x[:1], ops.convert_to_tensor([2, n, 4])),
    "tensors of numbers alone": lambda x, n: x + ops.cast(ops.maximum(ops.multiply(n, 2), 3), "float32"),
    "a shift": lambda x, n: ops.roll(x, n // 2, axis=1),
    "a broadcast": lambda x, n: ops.broadcast_to(x[:1], (2, n, 4)),
    "a draw": lambda x, n: x + kerata.random.uniform((n, 4), seed=1),
    "a range to draw from": lambda x, n: x + ops.cast(kerata.random.randint((4,), 0, n, seed=1), "float32"),
    "a loop": lambda x, n: ops.fori_loop(0, n, lambda i, a: a + 1, x),
}


class Use(layers.Layer):
    def __init__(self, name):
        super().__init__()
        self.use = USES[name]

    def call(self, x):
        return self.use(x, ops.shape(x)[1])


@pytest.mark.parametrize("name", USES)
def test_an_unknown_size_is_a_number(name, engine):
    symbol = kerata.Input((None, 4))
    model = kerata.Model(symbol, Use(name)(symbol))
    x = np.arange(12.0, dtype="float32").reshape(1, 3, 4)
    found = model.predict(x, verbose=0)
    with kerata.use_backend("numpy"):
        expected = USES[name](x, 3)
    np.testing.assert_allclose(found, ops.convert_to_numpy(expected), rtol=1e-6)
    assert model.output_shape[-1] in (4, None)


@pytest.mark.parametrize("options", [{"use_causal_mask": True}, {}], ids=str)
def test_attention_over_an_unknown_length(options, engine):
    symbol = kerata.Input((None, 4))
    for layer in (layers.MultiHeadAttention(2, 3), layers.GroupQueryAttention(3, 4, 2)):
        model = kerata.Model(symbol, layer(symbol, symbol, **options))
        x = np.random.default_rng(1).standard_normal((2, 5, 4)).astype("float32")
        found = model.predict(x, verbose=0)
        np.testing.assert_allclose(found, ops.convert_to_numpy(layer(x, x, **options)), rtol=1e-5, atol=1e-6)
        if options:  # what comes later changes nothing before
            np.testing.assert_allclose(model.predict(x[:, :3], verbose=0), found[:, :3], rtol=1e-5, atol=1e-6)


class Token(layers.Layer):
    """Puts a weight beside or into each sample: the batch's size is not known when the model is made."""

    def __init__(self, use):
        super().__init__()
        self.use = use

    def build(self, shape):
        self.w = self.add_weight(shape=(1, 1, shape[-1]), initializer="ones")

    def call(self, x):
        batch, length = ops.shape(x)[0], ops.shape(x)[1]
        return self.use(self.w, x, batch, length)


TOKENS = {
    "broadcast": lambda w, x, b, t: ops.concatenate([ops.broadcast_to(w, (b, 1, 4)), x], 1),
    "tiled": lambda w, x, b, t: ops.concatenate([ops.tile(w, (b, 1, 1)), x], 1),
    "repeated": lambda w, x, b, t: ops.concatenate([ops.repeat(w, b, axis=0), x], 1),
    "computed with": lambda w, x, b, t: x + ops.relu(ops.tile(w * 3.0, (b, t, 1))),
    "decays": lambda w, x, b, t: ops.associative_scan(
        lambda a, c: (a[0] * c[0], c[0] * a[1] + c[1]), (ops.broadcast_to(w * 0.5, ops.shape(x)), x), axis=1
    )[1],
    "after a number of NumPy": lambda w, x, b, t: x + np.float32(2) * w,
    "after an array": lambda w, x, b, t: x * (np.ones(4, "float32") * w),
}


@pytest.mark.parametrize("length", [3, None])
@pytest.mark.parametrize("name", TOKENS)
def test_weights_for_each_sample(name, length, engine):
    symbol = kerata.Input((length, 4))
    model = kerata.Model(symbol, Token(TOKENS[name])(symbol))
    x = np.arange(24.0, dtype="float32").reshape(2, 3, 4) / 24
    with kerata.use_backend("numpy"):
        expected = TOKENS[name](np.ones((1, 1, 4), "float32"), x, 2, 3)
    found = model.predict(x, verbose=0)
    np.testing.assert_allclose(found, ops.convert_to_numpy(expected), rtol=1e-6)
    model.compile(kerata.optimizers.SGD(0.1), "mse")
    model.fit(x, found + 1, verbose=0)
    assert np.all(model.get_weights()[0] > 1)  # also where an array or a number of NumPy stands first
