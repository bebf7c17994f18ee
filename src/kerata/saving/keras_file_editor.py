"""Looks into a file of weights, compares it with a model, and writes it anew with other names or arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from kerata.core.errors import ArgumentError
from kerata.saving.archive import CONFIG, METADATA, WEIGHTS, open_model_archive, replacing
from kerata.saving.hdf5 import Hdf5File, Hdf5Writer
from kerata.saving.limits import DEFAULT
from kerata.saving.source import open_source
from kerata.saving.strict_json import loads
from kerata.saving.walk import saved_objects
from kerata.saving.weights import Weights, as_array


class KerasFileEditor:
    """An editor for the weights in a `.keras` or `.weights.h5` file.

    An object is named by its path ("layers/dense"), or by the last part of it where that is unique. The file itself is
    never changed; `save` writes another.

    Args:
        filepath: path of the file.

    Example:
        >>> import kerata, tempfile, pathlib
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "w.weights.h5"
        >>> kerata.Sequential([kerata.Input((3,)), kerata.layers.Dense(2)]).save_weights(path)
        >>> editor = kerata.saving.KerasFileEditor(path)
        >>> editor.rename_object("dense", "head")
        >>> editor.summary()
        layers/head
            0: shape=(3, 2), dtype=float32
            1: shape=(2,), dtype=float32
    """

    def __init__(self, filepath: Any) -> None:
        self.filepath = os.fspath(filepath)
        self.metadata: Any = None
        self.config: Any = None
        self.weights_dict: dict[str, dict[str, np.ndarray]] = {}
        if not self.filepath.endswith((".keras", ".weights.h5")):
            raise ArgumentError(
                "filepath", expected="a path that ends in `.keras` or `.weights.h5`", got=self.filepath
            )
        with open_source(self.filepath) as source:
            if not self.filepath.endswith(".keras"):
                self._read(Hdf5File(source))
                return
            archive = open_model_archive(source)
            self.metadata, self.config = (
                loads(
                    archive.read(name, DEFAULT.config_bytes),
                    file=source.name,
                    place=name,
                    allow_nan=name == CONFIG,
                )
                for name in (METADATA, CONFIG)
            )
            self._read(Hdf5File(archive.open(WEIGHTS), stored=source.size))

    def _read(self, file: Hdf5File) -> None:
        for path, arrays in Weights(self.filepath, file).groups.items():
            self.weights_dict[path] = {key: dataset.read() for key, dataset in arrays.items()}

    # ---- looking ---------------------------------------------------------------------------------
    def summary(self) -> None:
        """Prints the objects and the shapes and dtypes of their arrays."""
        for path, arrays in self.weights_dict.items():
            print(path or "the model itself")
            for key, value in arrays.items():
                print(f"    {key}: shape={value.shape}, dtype={value.dtype.name}")

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Compares with the arrays of a model and prints what differs.

        Returns:
            A dict with `status` ("success" or "error"), `error_count` and `match_count`.
        """
        wanted = _shapes(reference_model)
        found = {
            path: {key: v.shape for key, v in arrays.items()} for path, arrays in self.weights_dict.items()
        }
        errors, matches = [], 0
        for path in sorted({*wanted, *found}):
            if path not in found or path not in wanted:
                where, other = ("model", "file") if path in wanted else ("file", "model")
                errors.append(f"{path} is in the {where}, not in the {other}")
                continue
            for key in sorted({*wanted[path], *found[path]}):
                ours, theirs = found[path].get(key), wanted[path].get(key)
                matches += ours == theirs
                if ours != theirs:
                    errors.append(f"{path}/{key} has the shape {ours} in the file and {theirs} in the model")
        print("\n".join(errors) or f"The file fits the model: {matches} arrays match.")
        return {
            "status": "error" if errors else "success",
            "error_count": len(errors),
            "match_count": matches,
        }

    # ---- changing --------------------------------------------------------------------------------
    def rename_object(self, object_name: str, new_name: str) -> None:
        """Gives an object another name, in the same place or, if the name is a path, in another."""
        path = self._find(object_name)
        target = _plain(new_name) if "/" in new_name else "/".join([*path.split("/")[:-1], _plain(new_name)])
        if target in self.weights_dict:
            raise ArgumentError("new_name", expected="a name that no other object has", got=new_name)
        renamed = {
            target + p[len(path) :] if _inside(p, path) else p: arrays
            for p, arrays in self.weights_dict.items()
        }
        self.weights_dict = dict(sorted(renamed.items()))

    def delete_object(self, object_name: str) -> None:
        """Takes an object out, with all that is in it."""
        path = self._find(object_name)
        self.weights_dict = {p: arrays for p, arrays in self.weights_dict.items() if not _inside(p, path)}

    def add_object(self, object_path: str, weights: Mapping[str, Any]) -> None:
        """Adds an object with its arrays, by name."""
        path = _plain(object_path)
        if path in self.weights_dict:
            raise ArgumentError("object_path", expected="a path that no other object has", got=object_path)
        self.weights_dict[path] = {str(key): as_array(np.asarray(value)) for key, value in weights.items()}

    def add_weights(self, object_name: str, weights: Mapping[str, Any]) -> None:
        """Adds arrays to an object, by name."""
        arrays = self.weights_dict[self._find(object_name)]
        for key, value in weights.items():
            if str(key) in arrays:
                raise ArgumentError("weights", expected="names that the object does not have yet", got=key)
            arrays[str(key)] = np.asarray(value)

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Takes one array of an object out."""
        arrays = self.weights_dict[self._find(object_name)]
        if str(weight_name) not in arrays:
            raise ArgumentError("weight_name", expected=f"one of {list(arrays)}", got=weight_name)
        del arrays[str(weight_name)]

    # ---- writing ---------------------------------------------------------------------------------
    def save(self, filepath: Any) -> None:
        """Writes the weights to a `.weights.h5` file."""
        name = os.fspath(filepath)
        if not name.endswith(".weights.h5"):
            raise ArgumentError("filepath", expected="a path that ends in `.weights.h5`", got=name)
        with replacing(name) as draft, Hdf5Writer(draft) as file:
            for path, arrays in self.weights_dict.items():
                group = f"{path}/vars" if path else "vars"
                file.group(group)
                for key, value in arrays.items():
                    file.array(f"{group}/{key}", value)

    def resave_weights(self, filepath: Any) -> None:
        """The same as `save`."""
        self.save(filepath)

    def _find(self, name: str) -> str:
        """The path of the object that a name means."""
        path = name.strip("/")
        paths = {"/".join(p.split("/")[:i]) for p in self.weights_dict for i in range(1, p.count("/") + 2)}
        if path in paths:
            return path
        found = [p for p in paths if p.rpartition("/")[2] == path]
        if len(found) != 1:
            several = f"; {sorted(found)} bear this name" if found else ""
            raise ArgumentError(
                "object_name", expected=f"the path of an object in the file{several}", got=name
            )
        return found[0]


def _inside(path: str, top: str) -> bool:
    return path == top or path.startswith(f"{top}/")


def _plain(path: str) -> str:
    parts = path.strip("/").split("/")
    if any(part in ("", ".", "..", "vars") for part in parts):
        raise ArgumentError("object_path", expected='names joined by "/", none of them "vars"', got=path)
    return "/".join(parts)


def _shapes(model: Any) -> dict[str, dict[str, tuple[int, ...]]]:
    """Shapes of a model's arrays by object and name, those that have any."""
    found = {}
    for path, item in saved_objects(model):
        store: dict[str, Any] = {}
        item.save_own_variables(store)
        if store:
            found[path] = {key: tuple(np.shape(value)) for key, value in store.items()}
    return found
