"""Functional models: graphs of every shape, inputs in every form, and what is refused."""

import cProfile

import numpy as np
import pytest

import kerata
from kerata import layers, ops
from kerata.core.errors import ArgumentError, KerataError

X = np.arange(6, dtype="float32").reshape(2, 3)


def numpy_of(x):
    return ops.convert_to_numpy(x)


def test_a_shared_layer_is_one_layer(engine):
    a, b = kerata.Input((3,)), kerata.Input((3,))
    shared = layers.Dense(2)
    model = kerata.Model([a, b], layers.Subtract()([shared(a), shared(b)]))
    assert len(model.weights) == 2 and model.count_params() == 8
    np.testing.assert_allclose(numpy_of(model([X, X])), np.zeros((2, 2)), atol=1e-6)
    kernel = model.get_weights()[0]
    np.testing.assert_allclose(
        numpy_of(model([X + 1, X])), np.tile(kernel.sum(0), (2, 1)), rtol=1e-4, atol=1e-5
    )


def test_a_model_in_a_model(engine):
    inner = kerata.Sequential([kerata.Input((3,)), layers.Dense(2)])
    x = kerata.Input((3,))
    model = kerata.Model(x, ops.add(inner(x), inner(ops.multiply(x, 2.0))))
    kernel, bias = inner.get_weights()
    np.testing.assert_allclose(numpy_of(model(X)), 3 * X @ kernel + 2 * bias, rtol=1e-5, atol=1e-5)
    assert model.layers[-1] is inner or inner in model.layers


def test_ops_and_operators_on_symbolic_tensors(engine):
    x = kerata.Input((3,))
    y = ops.concatenate([x * 2.0 + 1.0, 1.0 - x, x[:, :1], ops.sum(x, axis=-1, keepdims=True)], axis=-1)
    assert y.shape == (None, 8)
    expected = np.concatenate([X * 2 + 1, 1 - X, X[:, :1], X.sum(-1, keepdims=True)], -1)
    model = kerata.Model(x, y)
    np.testing.assert_allclose(numpy_of(model(X)), expected)
    np.testing.assert_allclose(model.predict(X, verbose=0), expected)


def test_a_model_cut_out_of_another(engine):
    x = kerata.Input((3,))
    hidden = layers.Dense(2, name="hidden")(x)
    whole = kerata.Model(x, layers.Dense(1)(hidden))
    part = kerata.Model(whole.input, whole.get_layer("hidden").output)
    kernel, bias = whole.get_layer("hidden").get_weights()
    np.testing.assert_allclose(numpy_of(part(X)), X @ kernel + bias, rtol=1e-5, atol=1e-6)
    tail = kerata.Model(hidden, whole.output)
    np.testing.assert_allclose(numpy_of(tail(part(X))), numpy_of(whole(X)), rtol=1e-6)


@pytest.fixture
def by_name():
    a, b = kerata.Input((3,), name="a"), kerata.Input((3,), name="b")
    return kerata.Model({"a": a, "b": b}, {"difference": layers.Subtract()([a, b])})


def test_inputs_by_name_in_any_order(engine):
    a, b = kerata.Input((3,), name="a"), kerata.Input((3,), name="b")
    for inputs in ({"a": a, "b": b}, [a, b]):
        model = kerata.Model(inputs, {"difference": layers.Subtract()([a, b])})
        found = model({"b": X, "a": 3 * X, "more": X} if isinstance(inputs, list) else {"b": X, "a": 3 * X})
        np.testing.assert_allclose(numpy_of(found["difference"]), 2 * X)


@pytest.mark.parametrize(
    "inputs",
    [{"a": X}, {"a": X, "c": X}, [X], [X, X, X], {"a": X, "b": X[:, :2]}],
    ids=["missing", "other", "one", "three", "shape"],
)
def test_inputs_that_do_not_fit(engine, by_name, inputs):
    with pytest.raises(ArgumentError) as error:
        by_name(inputs)
    assert error.value.argument == "inputs" and "functional" in str(error.value)


def test_a_missing_last_axis_is_mended(engine):
    x = kerata.Input((1,))
    model = kerata.Model(x, ops.multiply(x, 2.0))
    np.testing.assert_allclose(numpy_of(model(np.array([1.0, 2.0], "float32"))), [[2], [4]])
    flat = kerata.Input(())
    model = kerata.Model(flat, ops.multiply(flat, 2.0))
    np.testing.assert_allclose(numpy_of(model(np.array([[1.0], [2.0]], "float32"))), [2, 4])


def test_a_disconnected_graph_is_told(engine):
    a, b = kerata.Input((3,), name="a"), kerata.Input((3,), name="forgotten")
    with pytest.raises(KerataError, match="forgotten"):
        kerata.Model(a, layers.Add()([a, b]))
    with pytest.raises(ArgumentError):
        kerata.Model(a, X)


def test_two_layers_of_one_name(engine):
    x = kerata.Input((3,))
    y = layers.Dense(2, name="same")(x)
    with pytest.raises(ArgumentError, match="same"):
        kerata.Model(x, layers.Dense(2, name="same")(y))


def test_a_subclass_with_inputs_and_outputs(engine):
    class Net(kerata.Model):
        def __init__(self):
            x = kerata.Input((3,))
            super().__init__(x, layers.Dense(2)(x), name="net")
            self.factor = 2

    model = Net()
    assert isinstance(model, Net) and model.name == "net" and model.output_shape == (None, 2)
    assert numpy_of(model(X)).shape == (2, 2)


# ---- as in the peer ---------------------------------------------------------------------------------


def branched(keras):
    lay = keras.layers
    x, z = keras.Input((4,), name="x"), keras.Input((4,), name="z")
    a, b = lay.Dense(4, name="a"), lay.Dense(4, name="b")
    p, q = a(x), b(z)
    r = lay.Add(name="r")([b(p), q])
    s = lay.Concatenate(name="s")([r, a(lay.Dense(4, name="c")(z))])
    return keras.Model([x, z], [lay.Dense(1, name="d")(s), lay.BatchNormalization(name="n")(q)])


def residual(keras):
    lay = keras.layers
    x = inputs = keras.Input((4,), name="x")
    for i in range(3):
        side = lay.Dense(4, name=f"one{i}")(x)
        side = lay.Dense(4, name=f"two{i}")(side)
        skip = lay.Dense(4, name=f"skip{i}")(x)
        x = lay.Add(name=f"sum{i}")([skip, side] if i % 2 else [side, skip])
    return keras.Model(inputs, x)


def around(keras):
    lay = keras.layers
    inner_in = keras.Input((4,), name="in")
    inner = keras.Model(inner_in, lay.Dense(2, name="deep")(lay.Dense(3, name="mid")(inner_in)), name="inner")
    x = keras.Input((4,), name="x")
    late = lay.Dense(2, name="late")(x)
    return keras.Model(x, lay.Multiply(name="m")([inner(x), late]))


@pytest.mark.parametrize("make", [branched, residual, around])
def test_order_and_numbers_are_those_of_the_peer(make):
    import keras

    theirs, ours = make(keras), make(kerata)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    values = [
        np.random.default_rng(i).normal(size=w.shape).astype("float32") for i, w in enumerate(theirs.weights)
    ]
    values = [np.abs(v) for v in values]  # a variance is positive
    theirs.set_weights(values)
    ours.set_weights(values)
    x = [np.random.default_rng(9).normal(size=(3, 4)).astype("float32") for _ in theirs.inputs]
    x = x if len(x) > 1 else x[0]
    for a, b in zip(kerata.tree.flatten(ours(x)), kerata.tree.flatten(theirs(x)), strict=True):
        np.testing.assert_allclose(numpy_of(a), b.numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("make", [branched, residual, around])
def test_a_config_makes_the_same_model(engine, make):
    model = make(kerata)
    again = kerata.Model.from_config(model.get_config())
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    again.set_weights(model.get_weights())
    x = [np.random.default_rng(9).normal(size=(3, 4)).astype("float32") for _ in model.inputs]
    x = x if len(x) > 1 else x[0]
    for a, b in zip(kerata.tree.flatten(again(x)), kerata.tree.flatten(model(x)), strict=True):
        np.testing.assert_allclose(numpy_of(a), numpy_of(b), rtol=1e-6)


# ---- depth ------------------------------------------------------------------------------------------


def calls_for(depth):
    """How many Python functions run to build a chain of so many layers, which no other work on the machine changes."""
    profile = cProfile.Profile()
    with profile:
        x = inputs = kerata.Input((2,))
        for _ in range(depth):
            x = layers.ReLU()(x)
        model = kerata.Model(inputs, x)
    assert len(model.layers) == depth + 1
    return sum(entry.callcount for entry in profile.getstats()), model


def test_two_thousand_layers_build_in_linear_time():
    calls_for(50)
    short, _ = calls_for(500)
    long, model = calls_for(2000)
    assert long < 4 * short * 1.1  # quadratic work would be 16 times as much
    np.testing.assert_array_equal(numpy_of(model(-X[:, :2])), np.zeros((2, 2)))


# ---- Sequential and subclasses ------------------------------------------------------------------------


def test_a_sequential_is_built_by_its_first_call(engine):
    model = kerata.Sequential([layers.Dense(2), layers.Dense(1)])
    assert not model.built and model.weights == []
    assert numpy_of(model(X)).shape == (2, 1)
    assert model.built and len(model.weights) == 4
    assert numpy_of(model(np.ones((5, 3), "float32"))).shape == (5, 1)


def test_add_and_pop(engine):
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(2)])
    model.add(layers.Dense(1, name="top"))
    assert model.output_shape == (None, 1)
    assert model.pop().name == "top" and model.output_shape == (None, 2)
    for wrong in (
        lambda: model.add(layers.Dense),
        lambda: model.add("dense"),
        lambda: model.add(model.layers[0]),
    ):
        with pytest.raises(ArgumentError):
            wrong()


def test_call_needs_no_parameter_named_self(engine):
    class Odd(layers.Layer):
        def build(this, shape):
            this.w = this.add_weight(shape=(shape[-1],), initializer="ones")

        def call(this, x):
            return ops.multiply(x, this.w)

    np.testing.assert_array_equal(numpy_of(Odd()(X)), X)


def test_get_layer(engine):
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(2, name="one")])
    assert model.get_layer("one") is model.get_layer(index=0) is model.layers[0]
    for options in ({"name": "two"}, {"index": 4}, {}, {"name": "one", "index": 0}):
        with pytest.raises(ArgumentError):
            model.get_layer(**options)


# ---- nested structures ---------------------------------------------------------------------------


def nested_model():
    a, b, c = kerata.Input((3,), name="a"), kerata.Input((2,), name="b"), kerata.Input((1,), name="c")
    total = layers.Dense(1)(layers.Concatenate()([a, b, c]))
    return kerata.Model({"x": {"a": a, "b": [b]}, "c": c}, {"o": [total, {"double": total * 2}]})


def nested_data():
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    return {"c": x[:, :1], "x": {"b": [x[:, :2]], "a": x}}


def test_inputs_and_outputs_of_any_structure(engine, tmp_path):
    model, data = nested_model(), nested_data()
    outputs = model.predict(data, verbose=0)
    flat = np.concatenate([data["x"]["a"], data["x"]["b"][0], data["c"]], 1)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(outputs["o"][1]["double"], 2 * (flat @ kernel + bias), rtol=1e-5)
    model.save(tmp_path / "m.keras")
    for other in (kerata.models.clone_model(model), kerata.saving.load_model(tmp_path / "m.keras")):
        other.set_weights(model.get_weights())
        np.testing.assert_allclose(other.predict(data, verbose=0)["o"][0], outputs["o"][0], rtol=1e-6)


def test_an_error_tells_the_place_in_a_structure_of_inputs(engine):
    data = nested_data()
    with pytest.raises(ArgumentError, match=r"`inputs\['x'\]` must be a dict with the keys \['a', 'b'\]"):
        nested_model()({**data, "x": {"a": data["x"]["a"]}})
    with pytest.raises(ArgumentError, match=r"`inputs\['x'\]\['b'\]` must be a list of 1"):
        nested_model()({**data, "x": {"a": data["x"]["a"], "b": []}})


@pytest.mark.parametrize("built", [False, True])
def test_features_of_a_sequential_inside_a_model(built, engine):
    x = kerata.Input((3,))
    inner = kerata.Sequential([*[kerata.Input((3,))] * built, layers.Dense(4), layers.Dense(5)], name="inner")
    y = inner(x)
    assert inner.output is y and inner.input is x
    model = kerata.Model(x, layers.Dense(2)(y))
    features = kerata.Model(model.input, [model.get_layer("inner").output, model.output])
    data = np.ones((2, 3), "float32")
    np.testing.assert_allclose(
        features.predict(data, verbose=0)[0], inner.predict(data, verbose=0), rtol=1e-6
    )


def test_a_sequential_begins_with_a_model_that_is_built(engine, tmp_path):
    x = kerata.Input((8,))
    for base in (
        kerata.Sequential([kerata.Input((8,)), layers.Dense(4)]),
        kerata.Model(x, layers.Dense(4)(x)),
    ):
        model = kerata.Sequential([base, layers.Dense(3)])
        assert model.built and model.input_shape == (None, 8) and model.output_shape == (None, 3)
        data = np.ones((2, 8), "float32")
        if isinstance(base, kerata.Sequential):
            features = kerata.Model(model.inputs, model.layers[0].output)
            found = features.predict(data, verbose=0)
            np.testing.assert_allclose(found, base.predict(data, verbose=0), rtol=1e-6)
        model.save(tmp_path / "model.keras")
        loaded = kerata.saving.load_model(tmp_path / "model.keras")
        np.testing.assert_array_equal(loaded.predict(data, verbose=0), model.predict(data, verbose=0))


def test_weights_that_were_read_go_with_their_layer(engine):
    model = kerata.Sequential([kerata.Input((4,)), layers.Dense(3), layers.Dense(2)])
    assert len(model.get_weights()) == 4
    model.pop()
    assert [w.shape for w in model.get_weights()] == [(4, 3), (3,)] and model.count_params() == 15


@kerata.saving.register_keras_serializable("tests")
class Scaled(kerata.Operation):
    def __init__(self, scale, name=None):
        super().__init__(name=name)
        self.scale = scale

    def call(self, x):
        return ops.square(x) * self.scale


def test_operations_of_ones_own_in_a_model(engine, tmp_path):
    assert Scaled(3.0, name="s").get_config() == {"name": "s", "scale": 3.0}
    x = kerata.Input((3,))
    model = kerata.Model(x, Scaled(2.0)(x))
    model.save(tmp_path / "model.keras")
    for again in (
        kerata.models.clone_model(model),
        kerata.Model.from_config(model.get_config()),
        kerata.saving.load_model(tmp_path / "model.keras"),
    ):
        np.testing.assert_allclose(again.predict(np.full((1, 3), 3.0), verbose=0), np.full((1, 3), 18.0))
