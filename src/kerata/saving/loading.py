"""The common way of every load: parse, inspect, make without values, compile, fill."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from kerata.core import dtypes, registry
from kerata.core.errors import RefusedFileError
from kerata.core.serialization import deserialize_keras_object
from kerata.core.state import setting
from kerata.models.model import Model
from kerata.saving.inspection import Inspection
from kerata.saving.limits import DEFAULT, Limits
from kerata.saving.refusing import CONFIG_PLACE as PLACE
from kerata.saving.serialization import with_code
from kerata.saving.strict_json import loads

_CALLS_PER_OBJECT = 300  # abstract calls of ops that making a layer and calling it may take; most take tens
# Memory that making a first value takes at most, in sizes of that value: some initializers decompose a matrix.
_MAKING = 8


@dataclass(frozen=True, slots=True)
class Options:
    """The arguments of a load, handed down."""

    custom_objects: Any = None
    compile: bool = True
    safe_mode: bool = True
    limits: Limits = DEFAULT


def parse(
    text: bytes | str, name: str, place: str, options: Options, stored: int = 0, nan: bool = True
) -> Any:
    """JSON of a file of `stored` bytes."""
    allowance = 2 * max(stored, len(text)) + options.limits.spare_bytes
    return loads(text, file=name, place=place, limits=options.limits, allow_nan=nan, allowance=allowance)


def make_model(config: Any, name: str, stored: int, options: Options, place: str = PLACE) -> Any:
    """The model that a config describes, its variables without values.

    Raises:
        RefusedFileError: before anything is made, if the config names what it may not, or would take more memory than
            `stored` bytes warrant; or if it describes something that is no model.
    """
    allowance = 2 * stored + options.limits.spare_bytes
    inspection = Inspection(
        name, options.custom_objects, options.safe_mode, options.compile, options.limits, allowance=allowance
    )
    inspection.check(config, place, ("models",))
    if not isinstance(config, dict) or "class_name" not in config or "config" not in config:
        raise RefusedFileError(name, place, "it does not describe a model")
    if not options.safe_mode:
        config = with_code(config)
    config = {key: value for key, value in config.items() if key != "compile_config"}
    calls = options.limits.calls + _CALLS_PER_OBJECT * inspection.objects
    with setting(deferred=True, calls=calls), registry.custom_object_scope(options.custom_objects):
        model = deserialize_keras_object(config, options.custom_objects, options.safe_mode)
    if not isinstance(model, Model):
        raise RefusedFileError(name, place, f"it describes a {type(model).__name__}, not a model")
    return model


def compile_model(model: Any, config: dict[str, Any], options: Options) -> None:
    """Compiles a model as its config says; the optimizer's variables wait for their values."""
    compiling = config.get("compile_config")
    if not options.compile or not compiling:
        return
    if not options.safe_mode:
        compiling = with_code(compiling)
    with setting(deferred=True), registry.custom_object_scope(options.custom_objects):
        model.compile_from_config(compiling)


def keep_promises(model: Any, name: str, stored: int, options: Options, *, from_file: bool = True) -> None:
    """Gives first values to variables that the file has none for, such as those of metrics.

    A text without weights has values for no variable; where they would take more memory than its size warrants, each
    gets its first value when it is first used.

    Raises:
        RefusedFileError: if they would take more memory than `stored` bytes warrant.
    """
    found = [
        *model.variables,
        *model.metrics_variables,
        *getattr(getattr(model, "optimizer", None), "variables", ()),
    ]
    promised = [variable for variable in found if variable.promised]
    needed = (1 if from_file else _MAKING) * sum(
        prod(variable.shape) * dtypes.itemsize(variable.dtype) for variable in promised
    )
    allowed = 2 * stored + options.limits.spare_bytes
    if needed > allowed:
        if not from_file:
            return
        reason = f"variables that have no values in it would take {needed} bytes; its size warrants {allowed}"
        raise RefusedFileError(name, PLACE, reason)
    for variable in promised:
        variable.keep_promise()
