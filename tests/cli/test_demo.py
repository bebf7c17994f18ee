"""`kerata demo`: the promises it makes, kept on every engine."""

import argparse
import importlib.util
import re

import numpy as np
import pytest

from kerata import backends
from kerata.cli import demo


def options(folder, backend=None, epochs=demo.EPOCHS):
    return argparse.Namespace(backend=backend, epochs=epochs, output=folder)


def test_reaches_the_accuracy_and_keeps_it_in_a_file(engine, tmp_path, console):
    assert demo.run(options(tmp_path), console) == 0
    text = console.file.getvalue()
    assert float(re.search(rf"{engine}: test accuracy (\d\.\d+)", text)[1]) >= demo.EXPECTED_ACCURACY
    assert f"{engine} loaded it: equal predictions ✓" in text
    assert (tmp_path / "digits.keras").stat().st_size > 0
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")


def test_all_engines_side_by_side(tmp_path, console):
    """One epoch on each: the table has a column for every engine, and the losses agree."""
    assert demo.run(options(tmp_path, "all", epochs=1), console) == 0
    text = console.file.getvalue()
    losses = re.search(r"^ +1 +(.*)", text.replace("│", " "), re.MULTILINE)[1].split()
    assert len(losses) == len(backends.installed()) + 1
    np.testing.assert_allclose(
        [float(v) for v in losses[:-1]], float(losses[0]), rtol=1e-5, err_msg="engines trained differently"
    )
    assert float(losses[-1]) <= 1e-5
    for name in backends.installed():
        assert f"{name} loaded it: " in text
    assert "✗" not in text


def test_same_seed_same_training():
    first, second = (demo.train("numpy", 1, []) for _ in range(2))
    assert first.history == second.history
    assert first.accuracy == second.accuracy


def test_largest_difference_is_that_of_the_extremes():
    runs = [
        demo.Result(name, None, {"loss": [loss]}, 0.9, 1.0)
        for name, loss in (("a", 0.5), ("b", 0.75), ("c", 0.625))
    ]
    table = demo._comparison(runs)
    assert list(table.columns[-1].cells) == ["2.5e-01", "0.0e+00", ""]


def test_without_matplotlib_it_says_how_to_get_the_picture(monkeypatch, tmp_path, console):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "matplotlib" else find_spec(name, *rest),
    )
    assert demo.run(options(tmp_path, "numpy", epochs=1), console) == 0
    assert 'pip install "matplotlib"' in console.file.getvalue()
    assert {f.name for f in tmp_path.iterdir()} == {"digits.keras"}


def test_a_model_that_did_not_learn_is_noticed(monkeypatch, tmp_path, console):
    monkeypatch.setattr(demo, "EPOCHS", 1)
    monkeypatch.setattr(demo, "EXPECTED_ACCURACY", 1.1)
    assert demo.run(options(tmp_path, "numpy", epochs=1), console) == 1
    assert re.search(r"numpy: test accuracy 0\.\d+ ✗", console.file.getvalue())


def test_a_file_that_predicts_something_else_is_noticed(monkeypatch, tmp_path, console):
    load = demo.keras.saving.load_model

    def load_damaged(path):
        model = load(path)
        model.set_weights([w + 0.1 for w in model.get_weights()])
        return model

    monkeypatch.setattr(demo.keras.saving, "load_model", load_damaged)
    assert demo.run(options(tmp_path, "numpy", epochs=1), console) == 1
    assert "predictions differ" in console.file.getvalue() and "✗" in console.file.getvalue()


@pytest.mark.parametrize("epochs", [0, -3])
def test_number_of_epochs_must_be_positive(epochs, tmp_path):
    with pytest.raises(ValueError, match="`epochs` must be a positive integer"):
        demo.run(options(tmp_path, "numpy", epochs), None)


def test_folder_is_made(tmp_path, console):
    folder = tmp_path / "a" / "b"
    assert demo.run(options(folder, "numpy", epochs=1), console) == 0
    assert (folder / "digits.keras").exists()
