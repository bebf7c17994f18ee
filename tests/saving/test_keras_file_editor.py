"""The editor of weights files."""

import numpy as np
import pytest

import kerata
from kerata.saving import KerasFileEditor


def model(width=2):
    return kerata.Sequential([kerata.Input((3,)), kerata.layers.Dense(width), kerata.layers.Dense(1)])


@pytest.fixture(params=["m.keras", "w.weights.h5"])
def editor(request, tmp_path):
    made = model()
    (made.save if request.param == "m.keras" else made.save_weights)(tmp_path / request.param)
    return KerasFileEditor(tmp_path / request.param)


def test_compares_with_models(editor, capsys):
    assert editor.compare(model()) == {"status": "success", "error_count": 0, "match_count": 4}
    assert "4 arrays match" in capsys.readouterr().out
    assert editor.compare(model(5)) == {"status": "error", "error_count": 3, "match_count": 1}
    assert (
        "layers/dense/0 has the shape (3, 2) in the file and (3, 5) in the model" in capsys.readouterr().out
    )


def test_changes_are_written_to_another_file(editor, tmp_path, capsys):
    before = {path: arrays["0"] for path, arrays in editor.weights_dict.items()}
    editor.rename_object("dense_1", "head")
    editor.rename_object("layers/dense", "body/first")
    editor.add_object("extra/part", {"0": np.ones(4, "float32")})
    editor.add_weights("part", {"more": np.zeros((2, 2), "int32")})
    editor.delete_weight("head", "1")
    editor.save(tmp_path / "n.weights.h5")
    again = KerasFileEditor(tmp_path / "n.weights.h5")
    assert {path: sorted(arrays) for path, arrays in again.weights_dict.items()} == {
        "body/first": ["0", "1"],
        "extra/part": ["0", "more"],
        "layers/head": ["0"],
    }
    np.testing.assert_array_equal(again.weights_dict["layers/head"]["0"], before["layers/dense_1"])
    again.delete_object("extra")
    again.summary()
    assert "extra" not in capsys.readouterr().out


def test_edited_weights_load(editor, tmp_path):
    values = np.full((3, 2), 7, "float32")
    editor.delete_weight("layers/dense", "0")
    editor.add_weights("layers/dense", {"0": values})
    editor.save(tmp_path / "n.weights.h5")
    made = model()
    made.load_weights(tmp_path / "n.weights.h5")
    np.testing.assert_array_equal(made.get_weights()[0], values)


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.rename_object("nobody", "x"),
        lambda e: e.rename_object("dense", "dense_1"),
        lambda e: e.rename_object("dense", "../x"),
        lambda e: e.delete_object("nobody"),
        lambda e: e.delete_weight("layers/dense", "9"),
        lambda e: e.add_weights("layers/dense", {"0": 1}),
        lambda e: e.add_object("layers/dense", {}),
        lambda e: e.save("x.keras"),
        lambda e: KerasFileEditor("x.txt"),
    ],
)
def test_wrong_names_are_told(editor, change):
    with pytest.raises(ValueError, match="must be"):
        change(editor)


def test_reads_what_keras_wrote(peer):
    assert KerasFileEditor(f"{peer.files('dense')}.weights.h5").weights_dict["layers/dense"]["0"].shape == (
        5,
        6,
    )


def test_resave_weights_writes_what_is_there(editor, tmp_path, capsys):
    editor.delete_object("dense_1")
    editor.resave_weights(tmp_path / "n.weights.h5")
    again = KerasFileEditor(tmp_path / "n.weights.h5")
    assert again.weights_dict.keys() == editor.weights_dict.keys() and not any(
        "dense_1" in path for path in again.weights_dict
    )
    for path, arrays in again.weights_dict.items():
        for key, values in arrays.items():
            np.testing.assert_array_equal(values, editor.weights_dict[path][key])
