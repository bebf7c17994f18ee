"""Whole models in files: `.keras` archives, folders of the same members, and weights alone."""

from __future__ import annotations

import datetime
import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerata import __version__
from kerata.core import checks
from kerata.core.errors import ArgumentError, RefusedFileError
from kerata.models.model import Model
from kerata.saving import assets
from kerata.saving.archive import (
    CONFIG,
    METADATA,
    WEIGHTS,
    drafting,
    open_model_archive,
    replacing,
    replacing_folder,
    write_archive,
)
from kerata.saving.hdf5 import Hdf5File, Hdf5Writer
from kerata.saving.legacy import load_legacy_model, save_legacy_model
from kerata.saving.limits import DEFAULT, Limits
from kerata.saving.loading import Options, compile_model, keep_promises, make_model, parse
from kerata.saving.refusing import refusing
from kerata.saving.serialization import serialize_keras_object
from kerata.saving.source import Source, open_source
from kerata.saving.traces import untouched
from kerata.saving.weights import Weights, load_state, save_state

_ASSETS = "assets"
_METADATA_BYTES = 1 << 20
_FORMAT = "3.15.1"  # version of Keras whose format is written


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
) -> None:
    """Writes a model to a file: its architecture, weights, arguments of `compile` and optimizer state.

    The file at `filepath` is the old one until the new one is complete. Keras 3 reads it.

    Args:
        model: the model.
        filepath: path that ends in `.keras`; with `zipped=False` a folder; or, in the old format, in `.h5`.
        overwrite: whether a file that is there is replaced.
        zipped: whether one archive is written (the default), or a folder with the same members.

    Raises:
        ArgumentError: if the path has another ending, or a file is there and must stay.

    Example:
        >>> import kerata, tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.keras"
        >>> model = kerata.Sequential([kerata.Input((3,)), kerata.layers.Dense(2)])
        >>> model.save(path)
        >>> kerata.saving.load_model(path).count_params()
        8
    """
    checks.nothing_else("save_model", kwargs)
    name = checks.path("filepath", filepath)
    if not isinstance(model, Model):
        raise ArgumentError("model", expected="a model", got=model)
    if os.path.exists(name) and not overwrite:
        raise ArgumentError("filepath", expected="a path where no file is yet, or `overwrite=True`", got=name)
    if name.endswith((".h5", ".hdf5")):
        save_legacy_model(model, name)
    elif name.endswith(".keras") and zipped is not False:
        _save_archive(model, name)
    elif zipped is False and not name.endswith(".keras"):
        _save_folder(model, name)
    else:
        raise ArgumentError(
            "filepath",
            expected="a path that ends in `.keras` (or, with `zipped=False`, one that does not)",
            got=name,
        )


def load_model(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
    *,
    limits: Limits = DEFAULT,
) -> Any:
    """A model from a file that Kerata or Keras 3 wrote.

    Loading runs nothing that the file brings, opens no other file and writes nothing; see `kerata.saving.Limits` for
    what a file may ask for.

    Args:
        filepath: path of a `.keras` archive, of a folder that was written with `zipped=False`, or of an `.h5` file.
        custom_objects: name -> class or function that the file may name beside Kerata's own and registered ones.
        compile: whether the model is compiled, and its optimizer's state loaded, as the file says.
        safe_mode: whether a file with Python code in it (a lambda) is refused. Pass False only for a file that you
            trust as much as a program.
        limits: what the file may ask for.

    Raises:
        RefusedFileError: a `ValueError`, with the place in the file and the reason.
        ArgumentError: if there is no such file.

    Example:
        >>> import kerata
        >>> model = kerata.Sequential([kerata.Input((3,)), kerata.layers.Dense(2)])
        >>> model.save("model.keras")
        >>> kerata.saving.load_model("model.keras").output_shape
        (None, 2)
    """
    name = checks.path("filepath", filepath)
    if not os.path.exists(name):
        raise ArgumentError("filepath", expected="the path of a file that is there", got=name)
    options = Options(custom_objects, compile, safe_mode, limits)
    with untouched(), refusing(name, bool(custom_objects)):
        if os.path.isdir(name):
            return _load_folder(name, options)
        with open_source(name) as source:
            if source.size >= 8 and source.read(0, 8, "the first bytes") == b"\x89HDF\r\n\x1a\n":
                return load_legacy_model(source, options)
            return _load_archive(source, options)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A model from what `model.to_json()` gave: its weights are first values.

    Large ones are made when they are first used, so a text from a stranger takes no more memory than it warrants.

    Args:
        json_string: the text.
        custom_objects: name -> class or function that the text may name beside Kerata's own and registered ones.

    Raises:
        RefusedFileError: a `ValueError`, if the text is no such model.

    Example:
        >>> import kerata
        >>> model = kerata.Sequential([kerata.Input((3,)), kerata.layers.Dense(2)])
        >>> kerata.models.model_from_json(model.to_json()).count_params()
        8
    """
    options, name = Options(custom_objects), "JSON text"
    with untouched(), refusing(name, bool(custom_objects), place="the text"):
        config = parse(json_string, name, "the text", options)
        model = make_model(config, name, len(json_string), options, "the text")
        compile_model(model, config, options)
        keep_promises(model, name, len(json_string), options, from_file=False)
        return model


# ---- pieces of loading -----------------------------------------------------------------------------------------


def _load_archive(source: Source, options: Options) -> Any:
    archive = open_model_archive(source, options.limits)
    metadata = archive.read(METADATA, _METADATA_BYTES)
    parse(metadata, source.name, METADATA, options, nan=False)  # must be JSON; what it says is not believed
    text = archive.read(CONFIG, options.limits.config_bytes)
    file = Hdf5File(archive.open(WEIGHTS), options.limits, stored=source.size)
    return _load(text, Weights(source.name, file), assets.from_archive(archive), source.size, options)


def _load_folder(name: str, options: Options) -> Any:
    """The members of an archive, as files of these names in a folder."""
    for member in (METADATA, CONFIG, WEIGHTS):
        path = os.path.join(name, member)
        if os.path.islink(path) or not os.path.isfile(path):
            raise RefusedFileError(name, member, "a model's folder must have this file")
    folder = os.path.join(name, _ASSETS)
    for member in os.listdir(name):
        if member not in (METADATA, CONFIG, WEIGHTS, _ASSETS):
            raise RefusedFileError(name, member, "it is not a part of a model")
    if os.path.islink(folder):
        raise RefusedFileError(name, _ASSETS, "it must not be a link to another folder")
    texts = []
    for member, most in ((METADATA, _METADATA_BYTES), (CONFIG, options.limits.config_bytes)):
        with open_source(os.path.join(name, member)) as source:
            if source.size > most:
                source.refuse(member, f"it has {source.size} bytes; at most {most} are allowed")
            texts.append(source.read(0, source.size, member))
    parse(texts[0], name, METADATA, options, nan=False)
    with open_source(os.path.join(name, WEIGHTS)) as source:
        weights = Weights(name, Hdf5File(source, options.limits))
        readers = assets.from_folder(Path(folder), options.limits)
        return _load(texts[1], weights, readers, source.size + len(texts[1]), options)


def _load(
    text: bytes, weights: Weights, readers: dict[str, assets.Reader], stored: int, options: Options
) -> Any:
    config = parse(text, weights.name, CONFIG, options, stored)
    model = make_model(config, weights.name, stored, options)
    compile_model(model, config, options)
    load_state(model, weights)
    keep_promises(model, weights.name, stored, options)
    assets.load(model, readers, weights.name)
    return model


# ---- pieces of saving ------------------------------------------------------------------------------------------


def _texts(model: Any) -> dict[str, bytes]:
    """Metadata and config as the members of an archive."""
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": _FORMAT, "date_saved": now, "kerata_version": __version__}
    config = json.dumps(serialize_keras_object(model))
    if '"config": "<lambda>"' in config:
        warnings.warn(
            "The model holds a Python lambda. No file holds its code, so this one cannot be loaded. Define the function "
            "by name and register it with kerata.saving.register_keras_serializable before you save.",
            stacklevel=5,
        )
    return {METADATA: json.dumps(metadata).encode(), CONFIG: config.encode()}


def _save_archive(model: Any, name: str) -> None:
    members: dict[str, bytes | Path] = dict(_texts(model))
    with drafting(name) as weights, replacing(name) as draft:
        with Hdf5Writer(weights) as file:
            save_state(model, file)
        write_archive(draft, {**members, WEIGHTS: weights, **assets.collect(model)})


def _save_folder(model: Any, name: str) -> None:
    with replacing_folder(name) as draft:
        for member, content in [*_texts(model).items(), *assets.collect(model).items()]:
            (draft / member).parent.mkdir(parents=True, exist_ok=True)
            (draft / member).write_bytes(content)
        with Hdf5Writer(draft / WEIGHTS) as file:
            save_state(model, file)
