"""`save_weights` and `load_weights`: the arrays of a model alone, in one file or in shards."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np

from kerata.core import checks
from kerata.core.errors import ArgumentError, RefusedFileError, StateError
from kerata.saving.archive import WEIGHTS, open_model_archive, replacing, write_atomically
from kerata.saving.hdf5 import Hdf5File, Hdf5Writer
from kerata.saving.legacy import is_legacy, is_legacy_path, load_legacy_weights
from kerata.saving.limits import DEFAULT, Limits
from kerata.saving.refusing import refusing
from kerata.saving.source import open_source
from kerata.saving.traces import untouched
from kerata.saving.walk import saved_objects
from kerata.saving.weights import Weights, as_array, load_state, open_weights, save_state, shard_names


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None, **kwargs: Any
) -> None:
    """Writes the weights of a model, and the state of its optimizer, to a file that Keras 3 reads.

    Args:
        model: the model.
        filepath: path that ends in `.weights.h5`; with shards, in `.weights.json`.
        overwrite: whether a file that is there is replaced.
        max_shard_size: size in GB beyond which arrays go to a further file. By default all are in one.

    Raises:
        ArgumentError: if the path has another ending, or a file is there and must stay.

    Example:
        >>> import kerata
        >>> model = kerata.Sequential([kerata.Input((3,)), kerata.layers.Dense(2)])
        >>> kerata.saving.save_weights(model, "w.weights.h5")
    """
    checks.nothing_else("save_weights", kwargs)
    if not getattr(model, "built", True):
        raise StateError(
            f"{model.name}: there are no weights to save yet. Call the model or its `build` first."
        )
    name = checks.path("filepath", filepath)
    if max_shard_size is not None and not name.endswith(".weights.json"):
        name = name.removesuffix(".h5").removesuffix(".weights") + ".weights.json"
    if not name.endswith((".weights.h5", ".weights.json")):
        raise ArgumentError(
            "filepath", expected="a path that ends in `.weights.h5` or `.weights.json`", got=name
        )
    if os.path.exists(name) and not overwrite:
        raise ArgumentError("filepath", expected="a path where no file is yet, or `overwrite=True`", got=name)
    if name.endswith(".json"):
        _save_shards(model, name, float("inf") if max_shard_size is None else max_shard_size * 1e9)
        return
    with replacing(name) as draft, Hdf5Writer(draft) as file:
        save_state(model, file)


def load_weights(
    model: Any,
    filepath: Any,
    skip_mismatch: bool = False,
    *,
    objects_to_skip: Iterable[Any] | None = None,
    limits: Limits = DEFAULT,
    **kwargs: Any,
) -> None:
    """Gives a model the weights in a file, and its optimizer its state.

    Nothing is changed if arrays are missing, left over, or of another shape or kind than the model's. A file without
    the state of any optimizer, such as that of a model that was not compiled, leaves the optimizer as it is.

    Args:
        model: the model; its variables must exist.
        filepath: a `.weights.h5` file, the index of shards (`.weights.json`), or a `.keras` file.
        skip_mismatch: whether arrays that do not fit are left out, with a warning.
        objects_to_skip: layers of the model that keep their values, with the layers inside them.
        limits: what the file may ask for.

    Raises:
        RefusedFileError: a `ValueError`, with the arrays that do not fit or what is wrong with the file.
        ArgumentError: if there is no such file.

    Example:
        >>> import kerata
        >>> model = kerata.Sequential([kerata.Input((3,)), kerata.layers.Dense(2)])
        >>> model.save_weights("w.weights.h5")
        >>> kerata.saving.load_weights(model, "w.weights.h5")
    """
    checks.nothing_else("load_weights", kwargs)
    name = checks.path("filepath", filepath)
    if not os.path.isfile(name):
        raise ArgumentError("filepath", expected="the path of a file that is there", got=name)
    skip = list(objects_to_skip or ())
    with untouched(), refusing(name, custom=False, place="its arrays"):
        if name.endswith(".keras"):
            with open_source(name) as source:
                archive = open_model_archive(source, limits)
                file = Hdf5File(archive.open(WEIGHTS), limits, stored=source.size)
                _load(model, Weights(name, file), skip_mismatch, skip)
            return
        if is_legacy_path(name):
            with open_source(name) as source:
                file = Hdf5File(source, limits)
                if is_legacy(file):
                    load_legacy_weights(model, file, "model_weights")
                    return
        with open_weights(name, limits) as weights:
            _load(model, weights, skip_mismatch, skip)


def _load(model: Any, weights: Weights, skip_mismatch: bool, skip: list[Any]) -> None:
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or optimizer.built or len(weights.groups.get("optimizer", ())) <= 2:
        load_state(model, weights, skip_mismatch, needs_optimizer=False, skip=skip)
        return
    before = {k: copy(v) if isinstance(v, (list, dict, set)) else v for k, v in optimizer.__dict__.items()}
    try:
        optimizer.build(model.trainable_variables)
        load_state(model, weights, skip_mismatch, needs_optimizer=False, skip=skip)
    except BaseException:
        optimizer.__dict__.clear()
        optimizer.__dict__.update(before)
        raise


# ---- shards ----------------------------------------------------------------------------------------------------


def _save_shards(model: Any, name: str, most: float) -> None:
    """Writes shards under names that no file has, then the index, then takes away those of the old index.

    So an index never names a shard that belongs to another save.
    """
    folder, base = Path(name).parent, Path(name).name.removesuffix(".weights.json")
    old = _old_shards(Path(name))
    pattern = f"{base}_{{:05}}.weights.h5"
    if any((folder / pattern.format(i)).exists() for i in range(2)):
        pattern = f"{base}_{secrets.token_hex(4)}_{{:05}}.weights.h5"
    table: dict[str, list[str]] = {}
    total = 0
    for number, arrays in enumerate(_shards(model, most)):
        shard = pattern.format(number)
        with replacing(folder / shard) as draft, Hdf5Writer(draft) as file:
            for group, owner, key, value in arrays:
                file.group(group, name=owner)
                file.array(f"{group}/{key}", value)
                total += value.nbytes
                names = table.setdefault(f"/{group}", [])
                if shard not in names:
                    names.append(shard)
    index = {"metadata": {"total_size": total}, "weight_map": table}
    write_atomically(name, json.dumps(index, indent=4).encode())
    written = {shard for shards in table.values() for shard in shards}
    for shard in old - written:
        (folder / shard).unlink(missing_ok=True)


def _old_shards(index: Path) -> set[str]:
    """Shards of an index that is about to be replaced, if it can be read at all."""
    if not index.is_file():
        return set()
    try:
        return set(shard_names(str(index), DEFAULT))
    except RefusedFileError:
        return set()


def _shards(model: Any, most: float) -> Iterator[list[tuple[str, str, str, np.ndarray]]]:
    """Arrays of one shard after another: group, name of the object, name of the array, values."""
    shard: list[tuple[str, str, str, np.ndarray]] = []
    size = 0
    for path, item in saved_objects(model):
        store: dict[str, Any] = {}
        item.save_own_variables(store)
        for key, value in store.items():
            array = as_array(value)
            if shard and size + array.nbytes > most:
                yield shard
                shard, size = [], 0
            shard.append((f"{path}/vars" if path else "vars", item.name, key, array))
            size += array.nbytes
    yield shard
