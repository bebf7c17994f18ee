"""A plug-in engine proves itself with the suite, found through its entry point as an installed package is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).with_name("plugin.py")


@pytest.fixture
def conformance(tmp_path):
    """Installs the plug-in in a folder of its own, and gives `kerata conformance` in a process that sees it."""
    shutil.copy(PLUGIN, tmp_path / "kerata_plugin.py")
    info = tmp_path / "kerata_plugin-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: kerata-plugin\nVersion: 0.1\n")

    def run(load: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        (info / "entry_points.txt").write_text(f"[kerata.backends]\nplugin = kerata_plugin:{load}\n")
        command = [sys.executable, "-m", "kerata", "conformance", "--engines", "plugin", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path), "COLUMNS": "200"}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=250, check=False
        )

    return run


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
