"""Settings: their defaults, their checks, and the file that is read and never written."""

import json
import subprocess
import sys

import pytest

from kerata import config
from kerata.core import config as core_config
from kerata.core.errors import ArgumentError


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    monkeypatch.setattr(core_config, "_settings", dict(core_config._settings))
    monkeypatch.setattr(core_config, "_file_settings", {})


def test_defaults():
    assert (config.floatx(), config.epsilon(), config.image_data_format()) == (
        "float32",
        1e-7,
        "channels_last",
    )
    assert config.is_interactive_logging_enabled() and config.is_traceback_filtering_enabled()
    assert config.is_flash_attention_enabled() is None and config.is_nnx_enabled() is False
    assert config.max_epochs() is None and config.max_steps_per_epoch() is None


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64"])
def test_floatx(name):
    config.set_floatx(name)
    assert config.floatx() == name


@pytest.mark.parametrize("bad", ["int32", "float8_e5m2", None, float, "", 32, ["float32"], "mixed_float16"])
def test_floatx_refuses(bad):
    with pytest.raises(ArgumentError, match="one of float16, bfloat16, float32, float64"):
        config.set_floatx(bad)
    assert config.floatx() == "float32"


def test_epsilon():
    config.set_epsilon(1e-3)
    assert config.epsilon() == 1e-3
    config.set_epsilon(0)
    assert config.epsilon() == 0.0
    for bad in (-1, "1e-7", None, True, float("nan"), float("inf")):
        with pytest.raises(ArgumentError, match="finite number"):
            config.set_epsilon(bad)


def test_image_data_format():
    config.set_image_data_format("CHANNELS_FIRST")
    assert config.image_data_format() == "channels_first"
    assert core_config.standardize_data_format(None) == "channels_first"
    assert core_config.standardize_data_format("channels_last") == "channels_last"
    for bad in ("NHWC", "", 3, []):
        with pytest.raises(ArgumentError, match="data_format"):
            config.set_image_data_format(bad)
    with pytest.raises(ArgumentError):
        config.set_image_data_format(3)


@pytest.mark.parametrize("what", ["interactive_logging", "traceback_filtering", "flash_attention"])
def test_switches(what):
    enabled = getattr(config, f"is_{what}_enabled")
    getattr(config, f"disable_{what}")()
    assert enabled() is False
    getattr(config, f"enable_{what}")()
    assert enabled() is True


@pytest.mark.parametrize("what", ["max_epochs", "max_steps_per_epoch"])
def test_bounds(what):
    get, put = getattr(config, what), getattr(config, f"set_{what}")
    put(3)
    assert get() == 3
    for bad in (0, -1, "a", 1.5, True):
        with pytest.raises(ArgumentError, match=what):
            put(bad)
    put(None)
    assert get() is None


def test_no_switch_makes_loading_unsafe_for_the_whole_process():
    assert not any("unsafe" in name for name in dir(config))


def written(tmp_path, content):
    path = tmp_path / "kerata.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_file_is_applied(tmp_path):
    content = {
        "floatx": "float64",
        "epsilon": 1e-4,
        "image_data_format": "channels_first",
        "backend": "torch",
    }
    core_config.load_file(written(tmp_path, content))
    assert (config.floatx(), config.epsilon(), config.image_data_format()) == (
        "float64",
        1e-4,
        "channels_first",
    )
    assert core_config.file_setting("backend") == "torch"


@pytest.mark.parametrize(
    "content, words",
    [
        ("{", "cannot be read"),
        ("[1]", "not a JSON object"),
        ("\udc80".encode("utf-8", "surrogateescape"), "cannot be read"),
        ({"floatx": "int8"}, "`floatx` ignored"),
        ({"epsilon": -1}, "`epsilon` ignored"),
        ({"backend": 3}, "`backend` ignored"),
        ({"color": 1}, "unknown setting `color`"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_a_bad_file_warns_and_changes_nothing(tmp_path, content, words):
    path = tmp_path / "kerata.json"
    path.write_bytes(content if isinstance(content, bytes) else b"")
    if not isinstance(content, bytes):
        written(tmp_path, content)
    with pytest.warns(UserWarning, match=words):
        core_config.load_file(path)
    assert (config.floatx(), config.epsilon(), core_config.file_setting("backend")) == ("float32", 1e-7, None)


def test_folder_is_that_of_the_environment_and_stays_as_it_is(tmp_path, monkeypatch):
    written(tmp_path, {"epsilon": 0.5, "floatx": "bfloat16"})
    code = "from kerata import config; print(config.epsilon(), config.floatx()); config.set_epsilon(1.0)"
    monkeypatch.setenv("KERATA_HOME", str(tmp_path))
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["0.5", "bfloat16"]
    assert [p.name for p in tmp_path.iterdir()] == ["kerata.json"]
    assert json.loads((tmp_path / "kerata.json").read_text())["epsilon"] == 0.5
    monkeypatch.setenv("KERATA_HOME", str(tmp_path / "absent"))
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["1e-07", "float32"] and not (tmp_path / "absent").exists()
