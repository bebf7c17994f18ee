"""Settings of the process: float type, epsilon, image layout, logging.

First read from `kerata.json` in the folder `KERATA_HOME`, else `~/.kerata`. The file is never written.
"""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kerata.core import dtypes
from kerata.core.errors import ArgumentError

_LAYOUTS = ("channels_first", "channels_last")
_FILE_LIMIT = 1 << 20  # bytes; a settings file is a few lines

_settings: dict[str, Any] = {
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "interactive_logging": True,
    "traceback_filtering": True,
    "flash_attention": None,
    "max_epochs": None,
    "max_steps_per_epoch": None,
}
_file_settings: dict[str, Any] = {}


def floatx() -> str:
    """The default float dtype, such as "float32".

    Example:
        >>> floatx()
        'float32'
    """
    return dtypes.default_float()


def set_floatx(value: str) -> None:
    """Sets the default float dtype: "float16", "bfloat16", "float32" or "float64".

    Example:
        >>> set_floatx("float32")
        >>> floatx()
        'float32'
    """
    if not isinstance(value, str) or value not in dtypes.FLOATX_ALLOWED:
        raise ArgumentError("value", expected="one of " + ", ".join(dtypes.FLOATX_ALLOWED), got=value)
    dtypes.set_default_float(value)


def epsilon() -> float:
    """The small constant that keeps divisions and logarithms finite, 1e-7 unless set.

    Example:
        >>> epsilon()
        1e-07
    """
    return _settings["epsilon"]


def set_epsilon(value: float) -> None:
    """Sets `epsilon()` to a finite number of zero or more.

    Raises:
        ArgumentError: not a finite number of at least 0.

    Example:
        >>> set_epsilon(epsilon())  # as it is
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ArgumentError("value", expected="a finite number of zero or more", got=value)
    _settings["epsilon"] = float(value)


def image_data_format() -> str:
    """Where images have their channels: "channels_last" or "channels_first".

    Example:
        >>> image_data_format()
        'channels_last'
    """
    return _settings["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Sets `image_data_format()`.

    Raises:
        ArgumentError: another text.

    Example:
        >>> set_image_data_format(image_data_format())  # as it is
    """
    _settings["image_data_format"] = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """`data_format` in lower case, or `image_data_format()` for None; an error for anything else."""
    if data_format is None:
        return image_data_format()
    name = data_format.lower() if isinstance(data_format, str) else None
    if name not in _LAYOUTS:
        raise ArgumentError("data_format", expected='"channels_first" or "channels_last"', got=data_format)
    return name


def file_setting(key: str) -> Any:
    """What the settings file says of something that Kerata decides elsewhere: the key "backend". None if nothing."""
    return _file_settings.get(key)


def enable_interactive_logging() -> None:
    """Lets training draw progress bars and print to the terminal."""
    _settings["interactive_logging"] = True


def disable_interactive_logging() -> None:
    """Sends progress to the `logging` module instead of the terminal."""
    _settings["interactive_logging"] = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress goes to the terminal."""
    return _settings["interactive_logging"]


def enable_traceback_filtering() -> None:
    """Shows errors without Kerata's own frames."""
    _settings["traceback_filtering"] = True


def disable_traceback_filtering() -> None:
    """Shows errors with every frame, for work on Kerata itself."""
    _settings["traceback_filtering"] = False


def is_traceback_filtering_enabled() -> bool:
    """Whether errors are shown without Kerata's own frames."""
    return _settings["traceback_filtering"]


def enable_flash_attention() -> None:
    """Asks attention to use the engine's fused kernel wherever it applies."""
    _settings["flash_attention"] = True


def disable_flash_attention() -> None:
    """Asks attention not to use a fused kernel."""
    _settings["flash_attention"] = False


def is_flash_attention_enabled() -> bool | None:
    """Whether attention uses a fused kernel; None leaves the choice to the engine."""
    return _settings["flash_attention"]


def is_nnx_enabled() -> bool:
    """Always False: variables are Kerata's own on every engine."""
    return False


def max_epochs() -> int | None:
    """The most epochs that any `fit` runs, or None for no bound."""
    return _settings["max_epochs"]


def set_max_epochs(max_epochs: int | None) -> None:
    """Bounds the epochs of every `fit`, for quick trials; None takes the bound away.

    Example:
        >>> set_max_epochs(3)
        >>> max_epochs()
        3
        >>> set_max_epochs(None)
    """
    _settings["max_epochs"] = _bound("max_epochs", max_epochs)


def max_steps_per_epoch() -> int | None:
    """The most steps that any epoch runs, or None for no bound."""
    return _settings["max_steps_per_epoch"]


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Bounds the steps of every epoch, for quick trials; None takes the bound away.

    Example:
        >>> set_max_steps_per_epoch(3)
        >>> max_steps_per_epoch()
        3
        >>> set_max_steps_per_epoch(None)
    """
    _settings["max_steps_per_epoch"] = _bound("max_steps_per_epoch", max_steps_per_epoch)


def _bound(argument: str, value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ArgumentError(argument, expected="a positive integer or None", got=value)
    return value


# --- The settings file ------------------------------------------------------------------------------------


def home() -> Path:
    """The folder of Kerata's settings and cached data: `KERATA_HOME`, else `~/.kerata`. It need not exist."""
    return Path(os.environ.get("KERATA_HOME") or Path("~", ".kerata")).expanduser()


def _set_file_backend(name: str | None) -> None:
    if name is not None and not isinstance(name, str):
        raise ArgumentError("backend", expected="the name of an engine", got=name)
    _file_settings["backend"] = name


_FROM_FILE: dict[str, Callable[[Any], None]] = {
    "floatx": set_floatx,
    "epsilon": set_epsilon,
    "image_data_format": set_image_data_format,
    "backend": _set_file_backend,
}


def load_file(path: Path) -> None:
    """Applies a settings file. What it cannot use is named in a warning: an import must not fail for it."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.loads(file.read(_FILE_LIMIT))
    except FileNotFoundError:
        return
    except (OSError, ValueError, RecursionError) as error:
        warnings.warn(f"{path}: ignored, it cannot be read as JSON ({error}).", stacklevel=2)
        return
    if not isinstance(found, dict):
        warnings.warn(f"{path}: ignored, its content is not a JSON object.", stacklevel=2)
        return
    for key, value in found.items():
        if key not in _FROM_FILE:
            warnings.warn(f"{path}: unknown setting `{key}` ignored.", stacklevel=2)
            continue
        try:
            _FROM_FILE[key](value)
        except ArgumentError as error:
            warnings.warn(f"{path}: setting `{key}` ignored: {error}", stacklevel=2)


def _home_file() -> Path | None:
    try:
        return home() / "kerata.json"
    except RuntimeError:  # no home folder, as in some containers
        return None


if (_file := _home_file()) is not None:
    load_file(_file)
