"""Files that ask for more than their size tells, by what their graphs and texts are made of; and refused ones' traces."""

import copy
import cProfile
import json
import tracemalloc

import h5py
import numpy as np
import pytest

import kerata
from kerata.core import naming, registry
from kerata.core.errors import ArgumentError, RefusedFileError
from kerata.models import model_from_json
from kerata.saving import Limits
from kerata.saving.inspection import Inspection
from kerata.saving.weights import _Inside

layers = kerata.layers


def tensor(name="x", call=0):
    config = {"shape": [None], "dtype": "float32", "keras_history": [name, call, 0]}
    return {"class_name": "__keras_tensor__", "config": config}


def call(*args):
    return {"args": list(args), "kwargs": {}}


def layer(kind, name, config, *calls):
    return {
        "class_name": kind,
        "config": {"name": name, **config},
        "name": name,
        "inbound_nodes": list(calls),
    }


def graph(inner, output, name="model"):
    entry = layer("InputLayer", "x", {"batch_shape": [None, 4]})
    config = {
        "name": name,
        "layers": [entry, *inner],
        "input_layers": [["x", 0, 0]],
        "output_layers": [output],
    }
    return {"module": "keras", "class_name": "Functional", "config": config}


def plain():
    return graph([layer("Dense", "d", {"units": 1}, call(tensor()))], ["d", 0, 0])


def test_a_call_of_numbers_alone_is_not_computed(engine):
    dense = layer("Dense", "d", {"units": 1}, call(tensor()))
    for kind, config in (("RepeatVector", {"n": 10**8}), ("Dense", {"units": 2 * 10**8})):
        text = json.dumps(graph([layer(kind, "r", config, call([[1.0]])), dense], ["d", 0, 0]))
        with pytest.raises(RefusedFileError, match="a tensor of the graph"):
            model_from_json(text)


def nested(depth):
    """A model in a model, each called twice."""
    model = graph([layer("Dense", "d", {"units": 4}, call(tensor()))], ["d", 0, 0], "m0")
    for i in range(1, depth):
        inner = {**model, "name": f"m{i - 1}", "inbound_nodes": [call(tensor()), call(tensor(f"m{i - 1}"))]}
        model = graph([inner], [f"m{i - 1}", 1, 0], f"m{i}")
    return model


def test_models_called_twice_in_models_called_twice():
    assert model_from_json(json.dumps(nested(6))).count_params() == 20
    with pytest.raises(RefusedFileError, match="called over and over"):
        model_from_json(json.dumps(nested(30)))


def test_the_caller_says_how_many_calls(tmp_path):
    path = tmp_path / "model.keras"
    kerata.Sequential([kerata.Input((200, 2)), layers.SimpleRNN(2, unroll=True)]).save(path)
    kerata.saving.load_model(path)
    with pytest.raises(RefusedFileError, match="called over and over"):
        kerata.saving.load_model(path, limits=Limits(calls=0))


def test_places_are_written_down_for_errors_only():
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": [], "k" * 50_000: [[]] * 5_000}}
    tracemalloc.start()
    try:
        Inspection("text").check(config, "the text")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


def test_the_place_of_what_is_wrong_is_told():
    config = graph([layer("Dense", "d", {"units": 1, "activation": "nothing"}, call(tensor()))], ["d", 0, 0])
    config["config"]["layers"][1]["config"]["kernel_regularizer"] = {"class_name": "Exec", "config": {}}
    with pytest.raises(RefusedFileError, match=r"text\.config\.layers\[1\]\.config\.kernel_regularizer"):
        model_from_json(json.dumps(config))


@pytest.mark.parametrize("where", ["top", "entry", "policy"])
def test_code_where_nobody_looks_is_refused(where):
    config = plain()
    entry = config["config"]["layers"][1]
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}
    entry["config"]["dtype"] = policy
    model_from_json(json.dumps(config))
    {"top": config, "entry": entry, "policy": policy}[where]["extra"] = {
        "class_name": "__lambda__",
        "config": {"value": ["4wAA", "", None]},
    }
    with pytest.raises(RefusedFileError, match="code of a Python lambda"):
        model_from_json(json.dumps(config))


def test_the_table_of_layers_holds_classes():
    assert [name for name, found in registry.table("layers").items() if not isinstance(found, type)] == []


def test_a_refusal_gives_names_back():
    model_from_json(json.dumps(plain()))
    before = naming.counters()
    good, bad = ({"class_name": "Dense", "config": {"units": n}} for n in (1, -1))
    with pytest.raises(RefusedFileError):
        model_from_json(json.dumps({"class_name": "Sequential", "config": {"layers": [good, bad]}}))
    assert naming.counters() == before


def test_first_values_that_cost_more_than_their_size_wait(engine):
    dense = layer("Dense", "d", {"units": 2000, "kernel_initializer": "Orthogonal"}, call(tensor()))
    config = graph([layer("Dense", "c", {"units": 2000}, call(tensor())), dense], ["d", 0, 0])
    dense["inbound_nodes"] = [call(tensor("c"))]
    model = model_from_json(json.dumps(config))
    assert all(v.promised for v in model.variables)


def test_an_object_from_data_takes_no_memory_until_it_is_used(engine):
    config = kerata.saving.serialize_keras_object(kerata.Sequential([kerata.Input((4,)), layers.Dense(3)]))
    model = kerata.saving.deserialize_keras_object(config)
    assert all(v.promised for v in model.variables)
    assert model.predict(np.ones((2, 4), "float32"), verbose=0).shape == (2, 3)


# ---- refused weights leave everything as it was --------------------------------------------------------------


def damaged(path, legacy):
    """The arrays of two Dense layers, of which the last has another checksum than it should."""
    with h5py.File(path, "w") as f:
        for name, (n, m) in {"dense": (3, 4), "dense_1": (4, 2)}.items():
            kernel, bias = (
                (f"{name}/kernel", f"{name}/bias")
                if legacy
                else (f"layers/{name}/vars/0", f"layers/{name}/vars/1")
            )
            f.create_dataset(kernel, data=np.ones((n, m), "f4"))
            last = f.create_dataset(bias, data=np.ones(m, "f4"))
            if legacy:
                f[name].attrs["weight_names"] = np.array(["kernel", "bias"], dtype=h5py.string_dtype())
        if legacy:
            f.attrs["layer_names"] = np.array(["dense", "dense_1"], dtype=h5py.string_dtype())
        last.attrs["crc32"] = np.uint32(1)


@pytest.mark.parametrize("name", ["model.weights.h5", "model.h5"])
def test_damage_in_the_last_array_changes_nothing(engine, tmp_path, name):
    path = tmp_path / name
    damaged(path, legacy=name == "model.h5")
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(4), layers.Dense(2)])
    before = copy.deepcopy(model.get_weights())
    with pytest.raises(RefusedFileError, match="checksum"):
        model.load_weights(path)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_wrong_optimizer_state_leaves_the_optimizer_unbuilt(engine, tmp_path):
    path = tmp_path / "model.weights.h5"
    with h5py.File(path, "w") as f:
        for i in range(4):
            f[f"optimizer/vars/{i}"] = np.zeros(3, "f4")
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(2)])
    model.compile("adam", "mse")
    before = [v.path for v in model.optimizer.variables]
    with pytest.raises(RefusedFileError):
        model.load_weights(path)
    assert not model.optimizer.built
    assert [v.path for v in model.optimizer.variables] == before
    model.fit(np.ones((4, 3), "float32"), np.ones((4, 2), "float32"), verbose=0)


def test_folders_hold_the_known_members_only(tmp_path):
    folder = tmp_path / "model"
    kerata.saving.save_model(kerata.Sequential([kerata.Input((3,)), layers.Dense(2)]), folder, zipped=False)
    kerata.saving.load_model(folder)
    (folder / "more.pkl").write_bytes(b"")
    with pytest.raises(RefusedFileError, match=r"more\.pkl"):
        kerata.saving.load_model(folder)
    (folder / "more.pkl").unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "private.txt").write_text("")
    (folder / "assets").symlink_to(elsewhere)
    with pytest.raises(RefusedFileError) as caught:
        kerata.saving.load_model(folder)
    assert "link" in str(caught.value)
    assert "private" not in str(caught.value)


# ---- HDF5 structure that stands for more than its bytes -------------------------------------------------------


def test_one_array_for_many_layers_of_the_old_format(tmp_path):
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as f:
        f["dense/kernel"], f["dense/bias"] = np.ones((3, 3), "f4"), np.ones(3, "f4")
        text = h5py.string_dtype()
        f["dense"].attrs["weight_names"] = np.array(["kernel", "bias"], dtype=text)
        f.attrs["layer_names"] = np.array(["dense", "dense"], dtype=text)
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(3), layers.Dense(3)])
    with pytest.raises(RefusedFileError, match="a name twice"):
        model.load_weights(path)


def test_one_array_in_lists_of_two_groups(tmp_path):
    """The lists name different things: `b/kernel` in the group `a`, and `kernel` in the group `a/b`."""
    path = tmp_path / "model.h5"
    text = h5py.string_dtype()
    with h5py.File(path, "w") as f:
        f["a/b/kernel"] = np.ones((3, 3), "f4")
        f["a"].attrs["weight_names"] = np.array(["b/kernel"], dtype=text)
        f["a/b"].attrs["weight_names"] = np.array(["kernel"], dtype=text)
        f.attrs["layer_names"] = np.array(["a", "a/b"], dtype=text)
    model = kerata.Sequential([kerata.Input((3,)), *(layers.Dense(3, use_bias=False) for _ in range(2))])
    with pytest.raises(RefusedFileError, match="listed twice"):
        model.load_weights(path)


def test_one_array_for_a_layer_and_the_optimizer(tmp_path):
    path = tmp_path / "model.h5"
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(3, use_bias=False)])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="format is old"):
        model.save(path)
    text = h5py.string_dtype()
    with h5py.File(path, "a") as f:
        del f["model_weights"]
        f["optimizer_weights/kernel"] = np.ones((3, 3), "f4")
        f["optimizer_weights"].attrs["weight_names"] = np.array(["kernel"], dtype=text)
        f.attrs["layer_names"] = np.array(["optimizer_weights"], dtype=text)
    with pytest.raises(RefusedFileError, match="listed twice"):
        kerata.saving.load_model(path)


def events_of_refusal(path, count):
    """Calls that refusing the weights of other layers takes, in a model of `count` layers."""
    with h5py.File(path, "w") as f:
        for i in range(count):
            f[f"other_{i}/vars/0"] = np.zeros(1, "f4")
    model = kerata.Sequential([kerata.Input((3,)), *(layers.ReLU() for _ in range(count))])
    profile = cProfile.Profile()
    with pytest.raises(RefusedFileError, match="no such object"):
        profile.runcall(model.load_weights, path, objects_to_skip=model.layers[: count // 2])
    return sum(entry.callcount for entry in profile.getstats())


def test_arrays_of_other_layers_are_told_in_linear_time(tmp_path):
    events_of_refusal(tmp_path / "a.weights.h5", 20)  # what happens once
    few = events_of_refusal(tmp_path / "a.weights.h5", 100)
    assert events_of_refusal(tmp_path / "a.weights.h5", 400) < 4 * 1.2 * few


def test_names_that_begin_alike_are_not_inside_each_other():
    inside = _Inside(["layers/dense", "optimizer"])
    for path in ("layers/dense", "layers/dense/inner/deeper", "optimizer", "optimizer/vars"):
        assert path in inside
    for path in (
        "",
        "layers",
        "layers/dense_1",
        "layers/dens",
        "layers/dense_1/inner",
        "optimizers",
        "a/optimizer",
    ):
        assert path not in inside
    assert "" not in _Inside([]) and "a" not in _Inside([""]) and "" in _Inside([""])


def test_long_paths_of_many_members(tmp_path):
    path = tmp_path / "model.weights.h5"
    with h5py.File(path, "w") as f:
        group = f
        for _ in range(100):
            group = group.create_group("n" * 900)
        for i in range(800):
            group.create_group(str(i))
    tracemalloc.start()
    try:
        with pytest.raises(RefusedFileError, match="more memory"):
            kerata.Sequential([kerata.Input((3,)), layers.Dense(3)]).load_weights(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * path.stat().st_size + (64 << 20)


def test_blocks_that_overlap(tmp_path):
    """Two groups whose heaps of names say that they go on over the whole file."""
    path = tmp_path / "model.weights.h5"
    with h5py.File(path, "w") as f:
        for i in range(4):
            f.create_group(f"layers/dense_{i}/vars")
        f["vars/0"] = np.zeros(2000, "f4")
    data = bytearray(path.read_bytes())
    at, found = data.find(b"HEAP"), 0
    while at >= 0:
        start = int.from_bytes(data[at + 24 : at + 32], "little")
        data[at + 8 : at + 16] = (len(data) - start).to_bytes(8, "little")
        at, found = data.find(b"HEAP", at + 4), found + 1
    assert found > 4
    path.write_bytes(data)
    with pytest.raises(RefusedFileError, match="some overlap"):
        kerata.Sequential([kerata.Input((3,)), layers.Dense(3)]).load_weights(path)


# ---- numbers that are large, and files that are small ----------------------------------------------------------


def operation(module, kind, config, *calls):
    entry = layer(kind, kind.lower(), config, *calls)
    return {**entry, "module": f"keras.src.ops.{module}", "registered_name": kind}


def image(sizes):
    return {
        "class_name": "InputLayer",
        "config": {"batch_shape": sizes, "name": "x"},
        "name": "x",
        "inbound_nodes": [],
    }


BOMBS = {
    "histogram": ([None, 4], operation("numpy", "Histogram", {"bins": 10**8}, call(tensor()))),
    "blur": ([None, 9, 9, 1], operation("image", "GaussianBlur", {"kernel_size": [2 * 10**7, 3]}, call(tensor()))),
    "elastic": ([None, 9, 9, 1], operation("image", "ElasticTransform", {"sigma": 1e5}, call(tensor()))),
    "rows": ([10**7, 4], operation("numpy", "Stack", {}, call(tensor()))),
    "fold": ([1, 4, 16000000], operation("nn", "Fold", {"output_size": [4000, 4000], "kernel_size": [2, 2]}, call(tensor()))),
}  # fmt: skip


@pytest.mark.parametrize("case", BOMBS)
def test_large_numbers_cost_nothing(case):
    sizes, entry = BOMBS[case]
    config = graph([entry], [entry["name"], 0, 0])
    config["config"]["layers"][0] = image(sizes)
    tracemalloc.start()
    try:
        with pytest.raises(RefusedFileError, match="large numbers"):
            model_from_json(json.dumps(config))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


def test_power_iterations_are_not_run_symbolically():
    inner = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}}
    norm = layer("SpectralNormalization", "n", {"layer": inner, "power_iterations": 10**9}, call(tensor()))
    norm["inbound_nodes"][0]["kwargs"] = {"training": True}
    assert model_from_json(json.dumps(graph([norm], ["n", 0, 0]))).count_params() == 4 * 2 + 2 + 2


@pytest.mark.parametrize("shape", [[1] * 65, [1 << 63]])
def test_shapes_that_no_tensor_has(shape):
    with pytest.raises(ArgumentError, match="at most 64 sizes"):
        kerata.KerasTensor(tuple(shape))
