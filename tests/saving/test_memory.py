"""How much memory a load takes, measured from outside, in a process of its own for each engine."""

import json
import os
import subprocess
import sys

import crafted
import numpy as np
import pytest
from crafted import INPUT, layer, stack

import kerata

SPARE = 64 << 20

MEASURE = """
import json, resource, sys, time
import kerata

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

resource.setrlimit(resource.RLIMIT_DATA, (4 << 30, 4 << 30))  # a file that wins must not take the machine with it
with kerata.use_backend(sys.argv[1]):
    kerata.saving.load_model(sys.argv[2])(kerata.ops.ones((1, 4)))  # whatever a first load needs once
    results = []
    for path in sys.argv[3:]:
        before, start = peak(), time.process_time()
        try:
            kerata.saving.load_model(path)
            end = "loaded"
        except kerata.saving.RefusedFileError:
            end = "refused"
        results.append([end, peak() - before, time.process_time() - start])
print("@" + json.dumps(results))
"""


def large_model(path):
    """A file of 108 MB, two thirds of it optimizer state, written without any engine."""
    kernel = np.zeros((3000, 3000), "float32")
    config = {
        **stack(
            layer("InputLayer", "x", batch_shape=[None, 3000]),
            layer("Dense", "d", units=3000, use_bias=False),
        ),
        "compile_config": {"optimizer": "adam", "loss": "mse"},
    }
    arrays = {"optimizer/vars/0": np.int32(1), "optimizer/vars/1": np.float32(0.1)}
    arrays |= {"layers/dense/vars/0": kernel, "optimizer/vars/2": kernel, "optimizer/vars/3": kernel}
    path.write_bytes(crafted.archive(config, arrays))


def hostile_files(folder):
    """Files of a few KB that ask for gigabytes."""
    flat = "[" + "[]," * 3_000_000 + "[]]"
    thresholds = layer("AUC", module="keras.metrics", num_thresholds=10**9)
    large = {
        "units": stack(INPUT, layer("Dense", "d", units=10**9)),
        "embedding": stack(INPUT, layer("Embedding", "e", input_dim=10**10, output_dim=64)),
        "recurrent": stack(layer("InputLayer", "x", batch_shape=[None, 4, 4]), layer("LSTM", "r", units=10**6)),
        "optimizer": {**stack(INPUT, layer("Dense", "d", units=10**9)), "compile_config": {"optimizer": "adam"}},
        "metric": {**crafted.plain(), "compile_config": {"optimizer": "sgd", "loss": "mse", "metrics": [thresholds]}},
        "names": stack(INPUT, *(layer("ReLU", f"{i:0>4000}") for i in range(5000))),
    }  # fmt: skip
    paths = []
    for name, config in large.items():
        (folder / f"{name}.keras").write_bytes(crafted.archive(json.dumps(config), {}))
        paths.append(folder / f"{name}.keras")
    (folder / "flat.keras").write_bytes(crafted.archive(flat, {}))
    bomb = crafted.archive(
        crafted.plain(), {"layers/dense/vars/0": np.zeros((1 << 14, 1 << 14), "int8")}, compression=8
    )
    (folder / "bomb.keras").write_bytes(bomb)
    return [*paths, folder / "flat.keras", folder / "bomb.keras"]


@pytest.mark.parametrize("name", kerata.backends.installed())
def test_memory_of_a_load(name, tmp_path):
    (tmp_path / "plain.keras").write_bytes(crafted.archive(crafted.plain()))
    large_model(tmp_path / "large.keras")
    paths = [tmp_path / "plain.keras", *hostile_files(tmp_path), tmp_path / "large.keras"]
    environment = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, name, *map(str, paths)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    results = json.loads(done.stdout.rpartition("@")[2])
    for path, (end, grown, seconds) in zip(paths[1:], results):
        allowed = 2 * path.stat().st_size + SPARE
        assert grown <= allowed, f"{path.name}: {grown >> 20} MiB of {allowed >> 20} ({end})"
        assert end == ("loaded" if path.stem in ("large", "names") else "refused"), path.name
        assert seconds < (15 if path.stem == "names" else 3), (path.name, seconds)
