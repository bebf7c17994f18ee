"""Models, weights and shards, saved and loaded again on every engine."""

import json
import os
import subprocess
import sys

import crafted
import numpy as np
import pytest
from crafted import INPUT, stack

import kerata
from kerata import layers, ops
from kerata.saving import RefusedFileError, load_model, save_model
from kerata.saving.hdf5 import open_hdf5

X = np.linspace(-1, 1, 24).reshape(6, 4).astype("float32")
Y = np.linspace(0, 1, 12).reshape(6, 2).astype("float32")


def trained():
    kerata.utils.set_random_seed(5)
    inputs = kerata.Input((4,))
    x = layers.Dense(3, activation="relu")(inputs)
    x = layers.BatchNormalization()(x)
    outputs = layers.Dense(2)(ops.concatenate([x * 2.0, inputs[:, :1]], axis=-1))
    model = kerata.Model(inputs, outputs)
    model.compile(kerata.optimizers.Adam(0.01), "mse")
    model.fit(X, Y, epochs=2, batch_size=3, shuffle=False, verbose=0)
    return model


def predictions(model):
    return ops.convert_to_numpy(model(ops.convert_to_tensor(X)))


def state(model):
    return [v.numpy() for v in [*model.variables, *model.optimizer.variables]]


def assert_same(first, second):
    assert len(first) == len(second)
    for a, b in zip(first, second):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def model(engine):
    return trained()


@pytest.mark.parametrize("name", ["m.keras", "folder", "m.h5"])
@pytest.mark.filterwarnings("ignore:The .h5 format")
def test_a_model_comes_back_whole(model, tmp_path, name):
    save_model(model, tmp_path / name, zipped=False if name == "folder" else None)
    loaded = load_model(tmp_path / name)
    np.testing.assert_array_equal(predictions(loaded), predictions(model))
    assert_same(state(loaded), state(model))
    assert loaded.get_config() == model.get_config()
    assert sorted(os.listdir(tmp_path)) == [name]


def test_training_goes_on_as_if_nothing_had_been(model, tmp_path):
    model.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    for one in (model, loaded):
        one.fit(X, Y, epochs=2, batch_size=3, shuffle=False, verbose=0)
    for a, b in zip(state(loaded), state(model)):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["w.weights.h5", "w.weights.json", "m.keras"])
def test_weights_come_back(model, tmp_path, name):
    other = trained()
    for v in [*other.variables, *other.optimizer.variables]:
        v.assign(ops.zeros_like(v.value))
    if name == "m.keras":
        model.save(tmp_path / name)
    else:
        model.save_weights(tmp_path / name, max_shard_size=100e-9 if name.endswith("json") else None)
    other.load_weights(tmp_path / name)
    assert_same(state(other), state(model))


def test_another_engine_reads_them(tmp_path):
    wanted = None
    for name in kerata.backends.installed():
        with kerata.use_backend(name):
            model = trained() if wanted is None else load_model(tmp_path / "m.keras")
            if wanted is None:
                wanted, kept = predictions(model), state(model)
            np.testing.assert_allclose(predictions(model), wanted, rtol=1e-5, atol=1e-6)
            assert_same(state(model), kept)
            model.save(tmp_path / "m.keras")


def test_without_compiling(model, tmp_path):
    model.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras", compile=False)
    assert loaded.optimizer is None
    np.testing.assert_array_equal(predictions(loaded), predictions(model))


def test_an_optimizer_that_was_never_used(engine, tmp_path):
    model = kerata.Sequential([kerata.Input((4,)), layers.Dense(2)])
    model.compile(kerata.optimizers.Adam(0.3), "mse")
    model.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    assert abs(float(loaded.optimizer.learning_rate) - 0.3) < 1e-6
    loaded.fit(X, Y, verbose=0)


def test_a_model_without_weights_yet(engine, tmp_path):
    kerata.Sequential([layers.Dense(2)]).save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    assert not loaded.built and loaded(ops.ones((1, 3))).shape == (1, 2)


def test_json(model):
    copy = kerata.models.model_from_json(model.to_json())
    assert [v.shape for v in copy.variables] == [v.shape for v in model.variables]
    assert copy.get_config() == model.get_config()
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(predictions(copy), predictions(model))


# ---- shards ----------------------------------------------------------------------------------------------------


def test_a_text_of_a_large_model_takes_no_memory_until_it_is_used(engine):
    """Twice its size and 64 MB is what a text warrants; this model has 108 MB of weights."""
    small = kerata.Sequential([kerata.Input((2,)), layers.Dense(3)])
    text = small.to_json().replace('"units": 3', '"units": 9000000')
    made = kerata.models.model_from_json(text)
    assert all(variable.promised for variable in made.weights)
    made.compile("sgd", "mse")
    made.fit(X[:1, :2], np.zeros((1, 9_000_000), "float32"), verbose=0)
    assert not any(variable.promised for variable in made.weights)
    again = kerata.models.model_from_json(text)
    value, grads = kerata.value_and_grad(
        lambda: ops.sum(again(ops.convert_to_tensor(X[:1, :2]))), again.trainable_variables
    )()
    assert np.isfinite(float(value)) and tuple(grads[0].shape) == (2, 9_000_000)


# ---- parts of a file -----------------------------------------------------------------------------------------------


def plain_model():
    return kerata.Sequential([kerata.Input((4,)), layers.Dense(3, name="body"), layers.Dense(2, name="head")])


@pytest.mark.filterwarnings("ignore:The .h5 format")
def test_an_optimizer_keeps_its_state_where_the_file_has_none(engine, tmp_path):
    other, model = plain_model(), plain_model()
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    before = [v.numpy() for v in model.optimizer.variables]
    other.save_weights(tmp_path / "w.weights.h5")
    other.save(tmp_path / "w.keras")
    for name in ("w.weights.h5", "w.keras"):
        model.set_weights([np.zeros_like(w) for w in model.get_weights()])
        model.load_weights(tmp_path / name)
        assert_same(model.get_weights(), other.get_weights())
        assert_same([v.numpy() for v in model.optimizer.variables], before)


@pytest.mark.filterwarnings("ignore:The .h5 format")
@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_a_compiled_model_that_was_never_trained(engine, tmp_path, name):
    model = plain_model()
    model.compile("adam", "mse")
    model.save(tmp_path / name)
    loaded = load_model(tmp_path / name)
    loaded.fit(X, Y, verbose=0)
    assert int(loaded.optimizer.iterations.numpy()) == 1


def test_objects_that_are_skipped_keep_their_values(engine, tmp_path):
    plain_model().save_weights(tmp_path / "w.weights.h5")
    narrow = kerata.Sequential(
        [kerata.Input((4,)), layers.Dense(3, name="body"), layers.Dense(5, name="head")]
    )
    with pytest.raises(RefusedFileError, match="has the shape"):
        narrow.load_weights(tmp_path / "w.weights.h5")
    before = narrow.layers[1].get_weights()
    narrow.load_weights(tmp_path / "w.weights.h5", objects_to_skip=[narrow.layers[1]])
    assert_same(narrow.layers[1].get_weights(), before)
    with open_hdf5(tmp_path / "w.weights.h5") as file:
        kernel = file.datasets["layers/dense/vars/0"].read()
    np.testing.assert_array_equal(narrow.layers[0].get_weights()[0], kernel)


# ---- shards --------------------------------------------------------------------------------------------------------


def test_shards_are_small_and_complete(model, tmp_path):
    model.save_weights(tmp_path / "w.weights.h5", max_shard_size=200e-9)
    index = json.loads((tmp_path / "w.weights.json").read_text())
    shards = sorted(name for name in os.listdir(tmp_path) if name.endswith(".h5"))
    assert len(shards) >= 3
    assert sorted({name for names in index["weight_map"].values() for name in names}) == shards
    assert index["metadata"]["total_size"] == sum(value.nbytes for value in state(model))


def test_shards_of_a_new_save_do_not_mix_with_the_old(model, tmp_path):
    model.save_weights(tmp_path / "w.weights.json", max_shard_size=200e-9)
    first = set(os.listdir(tmp_path))
    model.save_weights(tmp_path / "w.weights.json", max_shard_size=500e-9)
    second = set(os.listdir(tmp_path))
    assert first & second == {"w.weights.json"}
    trained().load_weights(tmp_path / "w.weights.json")


def test_a_shard_that_is_missing_or_not_asked_for(model, tmp_path):
    model.save_weights(tmp_path / "w.weights.json", max_shard_size=200e-9)
    os.remove(tmp_path / "w_00001.weights.h5")
    with pytest.raises(RefusedFileError, match=r"w_00001.*not there"):
        model.load_weights(tmp_path / "w.weights.json")


# ---- names and paths -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["m", "m.txt", "m.keras.zip", "m.weights.h6"])
def test_endings_that_mean_nothing(model, tmp_path, name):
    with pytest.raises(ValueError, match="must be a path that ends in"):
        model.save(tmp_path / name)
    with pytest.raises(ValueError, match="must be a path that ends in"):
        model.save_weights(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_a_file_that_must_stay(model, tmp_path):
    for save, name in ((model.save, "m.keras"), (model.save_weights, "w.weights.h5")):
        (tmp_path / name).write_text("mine")
        with pytest.raises(ValueError, match="overwrite"):
            save(tmp_path / name, overwrite=False)
        assert (tmp_path / name).read_text() == "mine"


def test_a_save_that_fails_leaves_the_old_file(engine, tmp_path):
    class Broken(kerata.Layer):
        def call(self, x):
            return x

        def save_own_variables(self, store):
            raise RuntimeError("broken")

    path = tmp_path / "m.keras"
    good = kerata.Sequential([kerata.Input((4,)), layers.Dense(2)])
    good.save(path)
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="broken"):
        kerata.Sequential([kerata.Input((4,)), Broken()]).save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["m.keras"]


# ---- own classes -------------------------------------------------------------------------------------------------


@kerata.saving.register_keras_serializable("tests")
class Vocabulary(kerata.Layer):
    """A layer that keeps a file of its own, as Keras's interface has it: in a folder."""

    def __init__(self, words=(), **options):
        super().__init__(**options)
        self.words = list(words)

    def call(self, x):
        return x

    def get_config(self):
        return {key: value for key, value in super().get_config().items() if key != "words"}

    def save_assets(self, folder):
        with open(os.path.join(folder, "words.txt"), "w") as file:
            file.write("\n".join(self.words))

    def load_assets(self, folder):
        assert os.listdir(folder) == ["words.txt"]
        with open(os.path.join(folder, "words.txt")) as file:
            self.words = file.read().split("\n")
        self.folder = folder


@pytest.mark.parametrize("name", ["m.keras", "folder"])
def test_files_of_layers(engine, tmp_path, name):
    model = kerata.Sequential([kerata.Input((4,)), Vocabulary(["a", "b"])])
    save_model(model, tmp_path / name, zipped=False if name == "folder" else None)
    loaded = load_model(tmp_path / name).layers[0]
    assert loaded.words == ["a", "b"]
    assert not os.path.exists(loaded.folder)


def test_files_that_no_layer_takes(engine, tmp_path):
    (tmp_path / "m.keras").write_bytes(crafted.archive(crafted.plain(), **{"assets/layers/dense/x.txt": "y"}))
    with pytest.raises(RefusedFileError, match="no layer of the model takes"):
        load_model(tmp_path / "m.keras")


@kerata.saving.register_keras_serializable("tests")
class Counted(kerata.Layer):
    """A layer that names its arrays itself."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="random_normal")
        self.seen = 0

    def call(self, x):
        return x * self.scale

    def save_own_variables(self, store):
        store["scale"], store["seen"] = self.scale.numpy(), np.int64(self.seen)

    def load_own_variables(self, store):
        self.scale.assign(store["scale"])
        self.seen = int(store["seen"])


def test_layers_that_name_their_arrays(engine, tmp_path):
    model = kerata.Sequential([kerata.Input((4,)), Counted()])
    model.layers[0].seen = 42
    model.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    assert loaded.layers[0].seen == 42
    np.testing.assert_array_equal(predictions(loaded), predictions(model))


def test_custom_objects_are_needed_and_used(engine, tmp_path):
    class Plus(kerata.Layer):
        def call(self, x):
            return x + 1.0

    def loss(y, p):
        return ops.mean(ops.square(y - p), axis=-1)

    model = kerata.Sequential([kerata.Input((4,)), Plus(), layers.Dense(2)])
    model.compile("sgd", loss)
    model.save(tmp_path / "m.keras")
    with pytest.raises(RefusedFileError, match=r"'Plus'.*custom_objects"):
        load_model(tmp_path / "m.keras")
    with pytest.raises(RefusedFileError, match="'loss'"):
        load_model(tmp_path / "m.keras", {"Plus": Plus})
    assert load_model(tmp_path / "m.keras", {"Plus": Plus}, compile=False).optimizer is None
    loaded = load_model(tmp_path / "m.keras", {"Plus": Plus, "loss": loss})
    np.testing.assert_array_equal(predictions(loaded), predictions(model))
    with kerata.saving.custom_object_scope({"Plus": Plus, "loss": loss}):
        load_model(tmp_path / "m.keras")


def test_custom_classes_shadow_known_ones(engine, tmp_path):
    class Dense(layers.Dense):
        pass

    kerata.Sequential([kerata.Input((4,)), layers.Dense(2)]).save(tmp_path / "m.keras")
    assert type(load_model(tmp_path / "m.keras", {"Dense": Dense}).layers[0]) is Dense


def test_an_error_of_the_callers_class_stays_visible(engine, tmp_path):
    class Picky(kerata.Layer):
        def __init__(self, **options):
            raise KeyError("what I need")

    entry = {**crafted.layer("Picky", "p"), "registered_name": "Picky"}
    (tmp_path / "m.keras").write_bytes(crafted.archive(stack(INPUT, entry), {}))
    with pytest.raises(RefusedFileError, match="what I need") as info:
        load_model(tmp_path / "m.keras", {"Picky": Picky})
    assert isinstance(info.value.__cause__, KeyError)


# ---- what the files look like --------------------------------------------------------------------------------------


def test_paths_in_a_weights_file(engine, tmp_path):
    model = kerata.Sequential([kerata.Input((4,)), layers.Dense(3), layers.Dense(2, name="head")])
    model.save_weights(tmp_path / "w.weights.h5")
    with open_hdf5(tmp_path / "w.weights.h5") as file:
        assert list(file.datasets) == [
            f"layers/{name}/vars/{i}" for name in ("dense", "dense_1") for i in (0, 1)
        ]
        assert file.groups["layers/dense_1/vars"]["name"] == "head"


def test_silent_damage_is_told(model, tmp_path):
    path = tmp_path / "w.weights.h5"
    model.save_weights(path)
    with open_hdf5(path) as file:
        start, _ = file.datasets["layers/dense/vars/0"].extents[0]
    data = bytearray(path.read_bytes())
    data[start + 5] ^= 1
    path.write_bytes(data)
    with pytest.raises(RefusedFileError, match="do not match their checksum"):
        model.load_weights(path)


def in_a_fresh_process(code, path):
    environment = {**os.environ, "KERATA_BACKEND": "numpy"}
    subprocess.run(
        [sys.executable, "-c", f"import sys, kerata\n{code}", str(path)], check=True, env=environment
    )


def test_loading_needs_no_hdf5_library(tmp_path):
    kerata.Sequential([kerata.Input((4,)), layers.Dense(2)]).save(tmp_path / "m.keras")
    in_a_fresh_process(
        "assert kerata.saving.load_model(sys.argv[1]).count_params() == 10\nassert 'h5py' not in sys.modules",
        tmp_path / "m.keras",
    )


def test_an_op_that_nobody_named_before_is_found_when_loading(tmp_path):
    """`elastic_transform` stands among the random numbers, away from the other ops on images."""
    x = kerata.Input((4, 4, 1))
    kerata.Model(x, ops.image.elastic_transform(x, seed=1)).save(tmp_path / "m.keras")
    in_a_fresh_process(
        "assert kerata.saving.load_model(sys.argv[1]).output_shape == (None, 4, 4, 1)", tmp_path / "m.keras"
    )


# ---- what belongs to the caller ------------------------------------------------------------------------------


@kerata.saving.register_keras_serializable("tests")
class OwnCompile(kerata.Model):
    """Compiles with arguments of its own, and writes them."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = kerata.layers.Dense(1)

    def call(self, x):
        return self.dense(x)

    def compile(self, distance=None, factors=None, **kwargs):
        super().compile(**kwargs)
        self.distance, self.factors = distance, factors

    def get_compile_config(self):
        serialize = kerata.saving.serialize_keras_object
        return {
            "optimizer": serialize(self.optimizer),
            "distance": serialize(self.distance),
            "factors": self.factors,
        }

    def compile_from_config(self, config):
        self.compile(**{k: kerata.saving.deserialize_keras_object(v) for k, v in config.items()})


def test_a_class_of_the_callers_compiles_with_what_it_likes(engine, tmp_path):
    model = OwnCompile()
    model(np.ones((2, 3), "float32"))
    model.compile(kerata.losses.Huber(0.25), {"a": [1, 2.5, None]}, optimizer="sgd")
    model.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    assert loaded.distance.get_config() == model.distance.get_config()
    assert loaded.factors == {"a": [1, 2.5, None]}
    model.compile(kerata.losses.Huber(0.25), {"class_name": "Popen", "module": "subprocess", "config": {}})
    model.save(tmp_path / "m.keras")
    with pytest.raises(
        RefusedFileError, match=r"compile_config\.factors: 'Popen' of the module 'subprocess'"
    ):
        load_model(tmp_path / "m.keras")


@pytest.mark.parametrize("safe_mode", [True, False])
def test_a_lambda_is_warned_of_and_refused_with_what_to_do(engine, tmp_path, safe_mode):
    model = kerata.Sequential([kerata.Input((3,)), kerata.layers.Lambda(lambda x: 2 * x)])
    with pytest.warns(UserWarning, match=r"holds a Python lambda.*register_keras_serializable"):
        model.save(tmp_path / "m.keras")
    with pytest.raises(
        RefusedFileError, match=r"Python lambda, which has no name.*Define the function by name"
    ):
        load_model(tmp_path / "m.keras", safe_mode=safe_mode)
