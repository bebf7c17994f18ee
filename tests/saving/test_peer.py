"""Files of Keras 3 in Kerata, and files of Kerata in Keras 3: the same predictions and the same optimizer state."""

import os

import numpy as np
import pytest
import zoo
from keras_peer import flat

import kerata
from kerata import ops
from kerata.saving.archive import open_model_archive
from kerata.saving.hdf5 import Hdf5File, open_hdf5
from kerata.saving.source import open_source

NAMES = zoo.names_in(kerata)
TOLERANCE = {"mixed_precision": 2e-2, "half_precision": 2e-3, "quantized": 3e-2}


def as_inputs(x):
    if isinstance(x, list):
        return [ops.convert_to_tensor(part) for part in x]
    if isinstance(x, dict):
        return {key: ops.convert_to_tensor(part) for key, part in x.items()}
    return ops.convert_to_tensor(x)


def run(model, x):
    outputs = kerata.tree.map_structure(ops.convert_to_numpy, model(as_inputs(x)))
    return flat(outputs)


def assert_equal_outputs(name, got, wanted):
    assert sorted(got) == sorted(wanted)
    tolerance = TOLERANCE.get(name, 2e-5)
    for key, value in got.items():
        np.testing.assert_allclose(value, wanted[key], rtol=tolerance, atol=tolerance, err_msg=key)


def arrays(path):
    """All arrays of a `.keras` file by path."""
    with open_source(path) as source:
        file = Hdf5File(open_model_archive(source).open("model.weights.h5"))
        return {key: dataset.read() for key, dataset in file.datasets.items()}


def register(name):
    zoo.custom(kerata)
    if name == "own_model":
        zoo.own_model(kerata)


@pytest.mark.parametrize("name", NAMES)
def test_reads_what_keras_wrote(name, peer, engine):
    register(name)
    path = peer.files(name)
    model = kerata.saving.load_model(f"{path}.keras")
    x = zoo.MODELS[name](kerata)[1]
    if x is None:
        assert not model.built
        return
    assert_equal_outputs(name, run(model, x), np.load(f"{path}.npz"))
    again = zoo.MODELS[name](kerata)[0]
    again.load_weights(f"{path}.weights.h5")
    assert_equal_outputs(name, run(again, x), np.load(f"{path}.npz"))


@pytest.mark.parametrize("name", NAMES)
def test_saves_what_keras_saved(name, peer, tmp_path):
    """Loaded and saved again: the same arrays under the same paths, the optimizer's among them."""
    register(name)
    path = peer.files(name)
    kerata.saving.load_model(f"{path}.keras").save(tmp_path / "again.keras")
    wanted, got = arrays(f"{path}.keras"), arrays(tmp_path / "again.keras")
    assert sorted(got) == sorted(wanted)
    for key, value in wanted.items():
        assert got[key].dtype == value.dtype, key
        np.testing.assert_array_equal(got[key].astype("float64"), value.astype("float64"), err_msg=key)


def trains_on(name, peer, folder):
    """Keras saves, and trains on; Kerata loads what was saved, and trains on: the same weights and optimizer state."""
    register(name)
    path = peer.files(name)
    if not os.path.exists(f"{path}.more.weights.h5"):
        return
    made, x = zoo.MODELS[name](kerata)
    loaded = kerata.saving.load_model(f"{path}.keras")
    zoo.TARGETS[id(loaded)] = zoo.TARGETS[id(made)]
    zoo.train(loaded, x)
    loaded.save_weights(folder / "more.weights.h5")
    with open_hdf5(f"{path}.more.weights.h5") as theirs, open_hdf5(folder / "more.weights.h5") as ours:
        assert sorted(ours.datasets) == sorted(theirs.datasets)
        for key in theirs.datasets:
            value, wanted = (file.datasets[key].read().astype("float64") for file in (ours, theirs))
            np.testing.assert_allclose(value, wanted, rtol=2e-4, atol=2e-6, err_msg=key)


@pytest.mark.parametrize("name", NAMES)
def test_trains_on_as_keras_does(name, peer, tmp_path):
    trains_on(name, peer, tmp_path)


@pytest.mark.parametrize("name", ["dense", "optimizer_Adam", "penalties"])
def test_trains_on_on_every_engine(name, peer, tmp_path, engine):
    trains_on(name, peer, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_keras_reads_what_kerata_wrote(name, peer, tmp_path):
    register(name)
    kerata.utils.set_random_seed(2)
    model, x = zoo.MODELS[name](kerata)
    model.save(tmp_path / "mine.keras")
    peer.ask("load", path=str(tmp_path / "mine.keras"), name=name, out=str(tmp_path / "theirs.npz"))
    if x is None:
        return
    assert_equal_outputs(name, run(model, x), np.load(tmp_path / "theirs.npz"))
    if model.optimizer is not None:
        state = np.load(tmp_path / "theirs.npz.state.npz")
        mine = [v.numpy() for v in model.optimizer.variables]
        assert len(state) == len(mine)
        for i, value in enumerate(mine):
            np.testing.assert_allclose(np.asarray(value, "float64"), state[str(i)], rtol=1e-6, err_msg=str(i))
