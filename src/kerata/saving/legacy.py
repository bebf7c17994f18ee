"""The old format: a whole model in one HDF5 file (`.h5`), as Keras 2 began it and Keras 3 still writes it.

The config stands as JSON in an attribute of the file, the arrays in one group for each layer that the model has at the
top, and an attribute of the group lists their names in order.
"""

from __future__ import annotations

import json
import os
import warnings
from typing import Any, NoReturn

import numpy as np

from kerata.core.errors import ArgumentError, RefusedFileError
from kerata.core.variable import Variable
from kerata.saving.archive import replacing
from kerata.saving.hdf5 import Dataset, Hdf5File, Hdf5Writer
from kerata.saving.loading import Options, compile_model, keep_promises, make_model, parse
from kerata.saving.serialization import serialize_keras_object
from kerata.saving.source import Source
from kerata.saving.weights import optimizer_variables, sentence, unfit, warn_of_other_weights

_CONFIG, _TRAINING, _WEIGHTS, _OPTIMIZER = (
    "model_config",
    "training_config",
    "model_weights",
    "optimizer_weights",
)
_TOP = "top_level_model_weights"
_MOST_NAMES = 4000  # more do not fit into one attribute


def load_legacy_model(source: Source, options: Options) -> Any:
    """The model in an `.h5` file.

    Raises:
        RefusedFileError: if there is none in it, or for what is wrong with it.
    """
    file = Hdf5File(source, options.limits)
    config = _json(file, _CONFIG, options)
    if config is None:
        source.refuse(
            "the file", "it holds weights without a model; make the model and use `model.load_weights`"
        )
    training = _json(file, _TRAINING, options) if options.compile else None
    if training is not None:
        config["compile_config"] = _compile_config(training)
    model = make_model(config, source.name, source.size, options)
    taken: set[str] = set()
    load_legacy_weights(model, file, _WEIGHTS, taken)
    compile_model(model, config, options)
    if _OPTIMIZER in file.groups and model.optimizer is not None:
        _load_optimizer(model.optimizer, file, taken)
    keep_promises(model, source.name, source.size, options)
    return model


def _json(file: Hdf5File, name: str, options: Options) -> Any:
    text = file.groups[""].get(name)
    if text is None:
        return None
    if not isinstance(text, str):
        file.source.refuse(name, "it is not text")
    found = parse(text, file.source.name, name, options, file.source.size)
    if not isinstance(found, dict):
        file.source.refuse(name, "it is not an object with fields")
    return found


def _compile_config(training: dict[str, Any]) -> dict[str, Any]:
    config = {
        key: value for key, value in training.items() if key not in ("optimizer_config", "sample_weight_mode")
    }
    return {**config, "optimizer": training.get("optimizer_config")}


# ---- weights -------------------------------------------------------------------------------------------------


def is_legacy(file: Hdf5File) -> bool:
    """Whether a file of weights is of the old format."""
    return "layer_names" in file.groups[""] or _WEIGHTS in file.groups


def load_legacy_weights(model: Any, file: Hdf5File, top: str = "", taken: set[str] | None = None) -> None:
    """Gives the model's layers their arrays, matched by order; their paths are added to `taken`.

    Raises:
        RefusedFileError: before anything is changed, if they do not fit.
    """
    top = top if top in file.groups else ""
    taken = set() if taken is None else taken
    groups = [f"{top}/{name}" if top else name for name in _names(file, top, "layer_names")]
    stored = [arrays for group in groups if (arrays := _arrays(file, group, taken))]
    layers = [variables for layer in model.layers if (variables := _in_order(layer))]
    if len(stored) != len(layers):
        reason = f"{len(stored)} layers with weights are in the file; the model has {len(layers)}"
        raise RefusedFileError(file.source.name, "its arrays", reason)
    problems: list[str] = []
    for variables, arrays in zip(layers, stored):
        if len(variables) != len(arrays):
            problems.append(f"{arrays[0].path}: {len(arrays)} arrays for {len(variables)} variables")
        problems += [f"{d.path} {text}" for v, d in zip(variables, arrays) if (text := unfit(v, d))]
    if problems:
        raise RefusedFileError(file.source.name, "its arrays", sentence(problems))
    for arrays in stored:
        for dataset in arrays:
            dataset.check()
    for variables, arrays in zip(layers, stored):
        for variable, dataset in zip(variables, arrays):
            variable.assign(dataset.read())


def _in_order(layer: Any) -> list[Variable]:
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _names(file: Hdf5File, group: str, attribute: str) -> list[str]:
    names = file.groups[group].get(attribute) if group in file.groups else None
    if names is None or isinstance(names, str) or not all(isinstance(name, str) for name in names):
        return _refuse_names(file, group, attribute) if names is None or len(names) else []
    if len(set(names)) < len(names):  # one group would be gone through many times
        file.source.refuse(group or "/", f"its list {attribute!r} has a name twice")
    return list(names)


def _refuse_names(file: Hdf5File, group: str, attribute: str) -> NoReturn:
    file.source.refuse(group or "/", f"it has no list {attribute!r}")


def _arrays(file: Hdf5File, group: str, taken: set[str]) -> list[Dataset]:
    """The arrays that a group lists. None may be `taken`: one array of the file would stand for many variables."""
    found = []
    for name in _names(file, group, "weight_names"):
        path = f"{group}/{name}"
        if path not in file.datasets:
            file.source.refuse(path, "this array is listed and not there")
        if path in taken:
            file.source.refuse(path, "this array is listed twice")
        taken.add(path)
        found.append(file.datasets[path])
    return found


def _load_optimizer(optimizer: Any, file: Hdf5File, taken: set[str]) -> None:
    arrays = _arrays(file, _OPTIMIZER, taken)
    variables = optimizer_variables(optimizer, len(arrays))
    problems = [f"{d.path} {text}" for v, d in zip(variables, arrays) if (text := unfit(v, d))]
    if len(arrays) != len(variables):
        problems.append(f"the optimizer has {len(variables)} variables; {len(arrays)} arrays are in the file")
    if problems:
        warn_of_other_weights(file.source.name, optimizer, problems)
        return
    for variable, dataset in zip(variables, arrays):
        variable.assign(dataset.read())


# ---- writing -------------------------------------------------------------------------------------------------


def save_legacy_model(model: Any, name: str) -> None:
    """Writes a model to an `.h5` file, for programs that read nothing newer."""
    warnings.warn(
        "The .h5 format is old: it keeps no build information, and none of what layers store beside arrays. "
        "Save to a path that ends in .keras instead.",
        stacklevel=4,
    )
    config = serialize_keras_object(model)
    attributes = {"backend": "kerata", "keras_version": "3.15.1"}
    texts = {_CONFIG: json.dumps(_bare(config))}
    if config.get("compile_config"):
        texts[_TRAINING] = json.dumps(_training_config(config["compile_config"]))
    with replacing(name) as draft, Hdf5Writer(draft) as file:
        file.group("/", **attributes, **texts)
        file.group(_WEIGHTS, **attributes, layer_names=_text_list([layer.name for layer in model.layers]))
        for layer in model.layers:
            _save_list(file, f"{_WEIGHTS}/{layer.name}", _in_order(layer))
        _save_list(file, f"{_WEIGHTS}/{_TOP}", [])
        if model.optimizer is not None and _TRAINING in texts:
            _save_list(file, _OPTIMIZER, model.optimizer.variables, model.optimizer.name)


def _bare(value: Any) -> Any:
    """A config without what the old format did not know, at the levels that it described."""
    if not isinstance(value, dict) or "class_name" not in value:
        return value
    bare = {key: value[key] for key in ("class_name", "config", "name", "inbound_nodes") if key in value}
    if isinstance(bare["config"], dict) and isinstance(bare["config"].get("layers"), list):
        bare["config"] = {**bare["config"], "layers": [_bare(layer) for layer in bare["config"]["layers"]]}
    return bare


def _training_config(config: dict[str, Any]) -> dict[str, Any]:
    training = {key: value for key, value in config.items() if key != "optimizer"}
    optimizer = config.get("optimizer")
    if isinstance(optimizer, dict):
        training["optimizer_config"] = {key: optimizer[key] for key in ("class_name", "config")}
    return training


def _save_list(file: Hdf5Writer, group: str, variables: list[Variable], prefix: str = "") -> None:
    names = []
    for i, variable in enumerate(variables):
        name = f"{prefix}/{variable.name}" if prefix else variable.path
        names.append(name if name not in names else f"{name}_{i}")
    file.group(group, weight_names=_text_list(names))
    for name, variable in zip(names, variables):
        file.array(f"{group}/{name}", variable.numpy())


def _text_list(names: list[str]) -> Any:
    import h5py  # heavy: only for writing

    if len(names) > _MOST_NAMES:
        raise ArgumentError(
            "filepath", expected="a path that ends in `.keras` for so many layers", got=len(names)
        )
    return np.array(names, dtype=h5py.string_dtype()) if names else np.zeros(0)


def is_legacy_path(path: Any) -> bool:
    """Whether a path has the ending of the old format."""
    name = os.fspath(path)
    return name.endswith((".h5", ".hdf5")) and not name.endswith(".weights.h5")
