"""The command line as a person meets it."""

import subprocess
import sys
from importlib import metadata

import pytest

from kerata.cli import COMMANDS, main


def test_without_a_command_it_says_what_there_is(capsys):
    assert main([]) == 2
    shown = capsys.readouterr().out
    assert "demo" in shown and "doctor" in shown


@pytest.mark.parametrize("command", [c.__name__.rpartition(".")[2] for c in COMMANDS])
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"usage: kerata {command}" in capsys.readouterr().out


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"kerata {metadata.version('kerata')}\n"


def test_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["dance"])
    assert stop.value.code == 2
    assert "dance" in capsys.readouterr().err


def test_unknown_engine_is_one_sentence_without_a_traceback(capsys, tmp_path):
    assert main(["demo", "--backend", "theano", "--output", str(tmp_path)]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("kerata: `backend` must be one of") and "'theano'" in shown
    assert "Traceback" not in shown
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_a_file_is_one_sentence(capsys, tmp_path):
    (tmp_path / "taken").write_text("")
    assert main(["demo", "--backend", "numpy", "--output", str(tmp_path / "taken")]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("kerata: ") and "taken" in shown and "Traceback" not in shown


def test_module_runs_as_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "kerata", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"kerata {metadata.version('kerata')}\n"


def test_interrupt_ends_quietly(monkeypatch, capsys):
    def interrupted(options):
        raise KeyboardInterrupt

    monkeypatch.setattr("kerata.cli.doctor.run", interrupted)
    assert main(["doctor"]) == 130
    assert capsys.readouterr().err == "kerata: interrupted\n"
