"""`kerata doctor`."""

import argparse
import importlib.util
from importlib import metadata

import pytest

import kerata
from kerata import backends
from kerata.cli import doctor

OPTIONS = argparse.Namespace()


@pytest.fixture
def report(console):
    """The status and the text of one look at this machine."""
    status = doctor.run(OPTIONS, console)
    return status, console.file.getvalue()


def row(text: str, name: str) -> str:
    """The row of a table that begins with `name`."""
    return next(line for line in text.splitlines() if line.startswith(f"│ {name}"))


def test_healthy_machine(report):
    """Every installed engine is shown with the version that is installed, its devices, and that it works."""
    status, text = report
    assert status == 0
    for name in backends.installed():
        line = row(text, name)
        assert metadata.version(name if name != "tensorflow" else "tensorflow-cpu") in line
        assert "cpu:0" in line and "works" in line
    assert metadata.version("kerata") in row(text, "Kerata")
    assert "Default engine: numpy (environment variable KERATA_BACKEND)." in text
    assert metadata.version("matplotlib") in row(text, "learning curve")


def test_engine_not_installed_shows_how_to_get_it(monkeypatch, console):
    monkeypatch.setattr(backends, "is_installed", lambda name: name == "numpy")
    assert doctor.run(OPTIONS, console) == 0
    line = row(console.file.getvalue(), "torch")
    assert 'pip install "kerata[torch]"' in line and "works" not in line


def test_engine_that_does_not_load_is_reported(monkeypatch, console):
    monkeypatch.setattr(backends, "installed", lambda: ["numpy", "broken"])
    monkeypatch.setattr(backends, "known", lambda: ["numpy", "broken"])
    assert doctor.run(OPTIONS, console) == 1
    text = console.file.getvalue()
    assert "works" in row(text, "numpy")
    assert "must be one of" in row(text, "broken")


def test_engine_that_crashes_is_reported(monkeypatch, tmp_path):
    crash = tmp_path / "python"
    crash.write_text("#!/bin/sh\nkill -SEGV $$\n")
    crash.chmod(0o755)
    monkeypatch.setattr(doctor.sys, "executable", str(crash))
    assert all(finding.problem == "crashed with signal 11" for finding in doctor.examine())


def test_engine_that_hangs_is_reported(monkeypatch, tmp_path):
    hang = tmp_path / "python"
    hang.write_text("#!/bin/sh\nexec sleep 60\n")
    hang.chmod(0o755)
    monkeypatch.setattr(doctor.sys, "executable", str(hang))
    monkeypatch.setattr(doctor, "PROBE_SECONDS", 0.2)
    assert all(finding.problem == "did not start within 0.2 seconds" for finding in doctor.examine())


def test_default_engine_that_is_not_installed(monkeypatch, console):
    monkeypatch.setattr(backends, "is_installed", lambda name: name == "numpy")
    monkeypatch.setattr(backends, "default_choice", lambda: ("torch", "configuration file"))
    assert doctor.run(OPTIONS, console) == 1
    assert 'torch is not installed. pip install "kerata[torch]"' in console.file.getvalue()


def test_missing_companion_shows_how_to_get_it(monkeypatch, console):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "matplotlib" else find_spec(name, *rest),
    )
    monkeypatch.setattr(doctor, "examine", list)
    doctor.run(OPTIONS, console)
    assert 'pip install "matplotlib"' in row(console.file.getvalue(), "learning curve")


@pytest.mark.parametrize("feature", [f for f in doctor.FEATURES if f.api], ids=lambda f: f.api)
def test_listed_features_exist(feature):
    """The list of optional features names nothing that Kerata does not have."""
    target = kerata
    for part in feature.api.split("."):
        target = getattr(target, part)
