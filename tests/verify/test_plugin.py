"""A plug-in engine proves itself with the suite, found through its entry point as an installed package is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).with_name("plugin.py")
ROOT = PLUGIN.parent.parent.parent


@pytest.fixture
def installed(tmp_path):
    """Installs the plug-in in a folder of its own, and gives `python …` in a process that sees it."""
    shutil.copy(PLUGIN, tmp_path / "kerata_plugin.py")
    info = tmp_path / "kerata_plugin-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: kerata-plugin\nVersion: 0.1\n")

    def run(load: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        (info / "entry_points.txt").write_text(f"[kerata.backends]\nplugin = kerata_plugin:{load}\n")
        paths = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {**os.environ, "PYTHONPATH": paths, "COLUMNS": "200"}
        return subprocess.run(
            [sys.executable, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )

    return run


@pytest.fixture
def conformance(installed):
    """`kerata conformance` of the plug-in."""
    return lambda load, *rest: installed(load, "-m", "kerata", "conformance", "--engines", "plugin", *rest)


def test_a_right_engine_passes(conformance):
    done = conformance(
        "load", "--ops", "tanh", "add", "softmax", "matmul", "sort", "dropout", "conv", "take", "sum"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "none wrong" in done.stdout


def test_a_planted_fault_is_found_and_named(conformance):
    done = conformance("load_wrong", "--ops", "tanh", "exp", "tanh_shrink")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "tanh on plugin: values" in done.stdout
    assert "tanh_shrink on plugin: values" in done.stdout
    assert "exp on plugin" not in done.stdout


def test_its_tensors_are_known_before_its_first_use(installed):
    code = """
import kerata_plugin, numpy
from kerata import backends, ops
x = numpy.ones(2).view(kerata_plugin.Array)
print([engine.name for engine in backends.loaded()], type(ops.add(x, x)).__name__)
"""
    done = installed("load", "-c", code)
    assert done.stdout == "[] Array\n", done.stdout + done.stderr


def test_it_is_typed_as_the_protocol_says():
    done = subprocess.run(
        [sys.executable, "-m", "mypy", str(PLUGIN)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
