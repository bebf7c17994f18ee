"""`serialize_keras_object` and `deserialize_keras_object`, for users and for model files."""

from __future__ import annotations

import base64
import binascii
import marshal
import types
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from kerata.core import registry, serialization
from kerata.core.checks import nothing_else
from kerata.core.errors import ArgumentError
from kerata.core.serialization import serialize_keras_object as serialize_keras_object
from kerata.core.state import setting
from kerata.saving.inspection import Inspection
from kerata.saving.refusing import refusing


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True, **kwargs: Any
) -> Any:
    """The object that plain data describes.

    The data can name only classes and functions of Kerata's tables, each in its own kind of field, and what you
    registered or pass here. Nothing is imported, and no code in the data is run.

    Args:
        config: what `serialize_keras_object` gave.
        custom_objects: name -> class or function that the data may name beside Kerata's own.
        safe_mode: whether Python code in the data (a lambda) is refused. Pass False only for data that you trust as
            much as a program.

    Raises:
        RefusedFileError: a `ValueError`, if the data names something else or is no such data.

    Example:
        >>> import kerata
        >>> config = kerata.saving.serialize_keras_object(kerata.regularizers.L2(0.1))
        >>> kerata.saving.deserialize_keras_object(config).l2
        0.1
    """
    nothing_else("deserialize_keras_object", kwargs)
    with refusing("config", custom=bool(custom_objects), place="the top"):
        Inspection("config", custom_objects, safe_mode).check(config, "the top")
        if not safe_mode:
            config = with_code(config)
        with (
            setting(deferred=True),
            registry.custom_object_scope(custom_objects) if custom_objects else nullcontext(),
        ):
            return serialization.deserialize_keras_object(config, custom_objects, safe_mode)


def with_code(config: Any) -> Any:
    """The config with the code of lambdas turned into functions: what the caller's `safe_mode=False` allows.

    Those who make the objects never see code in data form, so nothing below needs to know of safe mode.
    """
    if isinstance(config, list):
        return [with_code(item) for item in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "__lambda__":
        return _function(config.get("config"))
    return {key: with_code(item) for key, item in config.items()}


def _function(config: Any) -> Any:
    """The function that Keras wrote as marshalled code, its defaults and the values of its closure."""
    if isinstance(config, dict) and isinstance(config.get("value"), list) and len(config["value"]) == 3:
        code, defaults, closure = config["value"]
    elif isinstance(config, dict):
        code, defaults, closure = (config.get(key) for key in ("code", "defaults", "closure"))
    else:
        code = defaults = closure = None
    try:
        compiled = marshal.loads(base64.b64decode(code))
        cells = tuple(types.CellType(value) for value in closure or ())
        return types.FunctionType(
            compiled, {"__builtins__": __builtins__}, "<lambda>", _tuple(defaults), cells
        )
    except (TypeError, ValueError, EOFError, binascii.Error) as error:
        raise ArgumentError(
            "config",
            expected="a lambda that was written by the Python version that reads it",
            got="other code",
            fix="Code is not portable. Write the function anew, register it, and save the model again.",
        ) from error


def _tuple(values: Any) -> Any:
    return tuple(values) if isinstance(values, list) else values
