"""The arrays of a model in files, and back: every array is checked before the first is read."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import accumulate
from typing import Any

import numpy as np

from kerata import ops
from kerata.core import dtypes
from kerata.core.errors import ArgumentError, RefusedFileError
from kerata.core.variable import Variable
from kerata.layers.layer import Layer
from kerata.optimizers.optimizer import Optimizer
from kerata.saving.hdf5 import Dataset, Hdf5File, Hdf5Writer
from kerata.saving.limits import DEFAULT, Limits
from kerata.saving.source import open_source
from kerata.saving.strict_json import loads
from kerata.saving.walk import saved_objects

_NAMED = 5  # how many of many problems an error names


class Store(Mapping[str, np.ndarray]):
    """The arrays of one object by name, each read when it is asked for. Given to `load_own_variables`."""

    def __init__(self, arrays: dict[str, Dataset]) -> None:
        self._arrays = arrays

    def __getitem__(self, key: str) -> np.ndarray:
        return self._arrays[key].read()

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


class Weights:
    """The arrays of one weights file, or of several shards, by the object that they belong to.

    Args:
        name: the file, for error texts.
        files: its HDF5 files.
    """

    def __init__(self, name: str, *files: Hdf5File) -> None:
        self.name = name
        self.groups: dict[str, dict[str, Dataset]] = {}  # path of an object -> its arrays by name
        for file in files:
            for path, dataset in file.datasets.items():
                owner, key = self._split(path)
                group = self.groups.setdefault(owner, {})
                if key in group:
                    raise RefusedFileError(name, path, "two shards have it")
                group[key] = dataset

    def _split(self, path: str) -> tuple[str, str]:
        group, _, key = path.rpartition("/")
        if group != "vars" and not group.endswith("/vars"):
            raise RefusedFileError(self.name, path, "an array must stand in a group called `vars`")
        return group[: -len("/vars")] if group != "vars" else "", key


@contextmanager
def open_weights(path: Any, limits: Limits = DEFAULT) -> Iterator[Weights]:
    """The weights in an HDF5 file, or in the shards that an index (`.json`) names.

    Raises:
        RefusedFileError: if one of the files is not what it should be.
    """
    name = os.fspath(path)
    with ExitStack() as stack:
        if name.endswith(".json"):
            shards = _shards(name, limits)
            files = [Hdf5File(stack.enter_context(open_source(shard)), limits) for shard in shards]
        else:
            files = [Hdf5File(stack.enter_context(open_source(name)), limits)]
        if sum(len(file.datasets) for file in files) > limits.members:
            raise RefusedFileError(name, "its arrays", f"there are more than {limits.members} of them")
        yield Weights(name, *files)


def shard_names(index: str, limits: Limits) -> list[str]:
    """Names of the shards that an index names: plain names of files in its own folder."""
    with open_source(index) as source:
        if source.size > limits.config_bytes:
            raise RefusedFileError(index, "the index", f"it has more than {limits.config_bytes} bytes")
        content = loads(
            source.read(0, source.size, "the index"), file=index, place="the index", limits=limits
        )
    table = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(table, dict):
        raise RefusedFileError(index, "the index", "it has no `weight_map`")
    names: dict[str, None] = {}
    for group, shards in table.items():
        for shard in shards if isinstance(shards, list) else [shards]:
            if not isinstance(shard, str) or not _is_plain(shard):
                raise RefusedFileError(
                    index, group, f"{str(shard)[:100]!r} is not the name of a file in this folder"
                )
            names.setdefault(shard)
    if len(names) > limits.members:
        raise RefusedFileError(index, "the index", f"it names more than {limits.members} shards")
    return list(names)


def _shards(index: str, limits: Limits) -> list[str]:
    """Paths of the shards that an index names."""
    paths = [os.path.join(os.path.dirname(index), name) for name in shard_names(index, limits)]
    for path in paths:
        # An index that is itself a link lies in a store of links, as download caches are; others have no need of them.
        if os.path.islink(path) and not os.path.islink(index):
            raise RefusedFileError(index, path, "a shard must not be a link to another file")
        if not os.path.isfile(path):
            raise RefusedFileError(index, path, "this shard is not there")
    return paths


def _is_plain(name: str) -> bool:
    return (
        name.isprintable()
        and not any(letter in name for letter in '/\\:*?"<>|')
        and name not in ("", ".", "..")
    )


# ---- loading -------------------------------------------------------------------------------------------------


def load_state(
    model: Any,
    weights: Weights,
    skip_mismatch: bool = False,
    *,
    needs_optimizer: bool = True,
    skip: Iterable[Any] = (),
) -> None:
    """Gives every variable of `model` its value in the file, the optimizer's too.

    Args:
        model: the model.
        weights: the arrays.
        skip_mismatch: whether arrays that do not fit are left out, with a warning.
        needs_optimizer: whether the file must have the state of an optimizer that the model has.
        skip: layers that keep what they have, with all that is in them; nothing need be in the file for them.

    Raises:
        RefusedFileError: before anything is changed, if arrays are missing or left over or of another shape or kind.
    """
    plan: list[tuple[Any, list[Variable] | None, dict[str, Dataset]]] = []
    problems: list[str] = []
    objects = list(saved_objects(model))
    skipped = _skipped(objects, weights, needs_optimizer, skip)
    left = {path: arrays for path, arrays in weights.groups.items() if path not in skipped}
    for path, item in objects:
        if path in skipped:
            continue
        arrays = left.pop(path, {})
        expected = _expected(item, arrays)
        found = [] if expected is None else _problems(item, expected, arrays)
        if found and arrays and isinstance(item, Optimizer):
            warn_of_other_weights(weights.name, item, found)
            continue
        problems += [f"{path or 'the model itself'}: {problem}" for problem in found]
        if not found:
            plan.append((item, expected, arrays))
    optional = _optional(objects)
    problems += [
        f"{path or 'the top'}: no such object is in the model" for path in left if path not in optional
    ]
    if problems and not skip_mismatch:
        raise RefusedFileError(weights.name, "its arrays", sentence(problems))
    if problems:
        warnings.warn(f"{weights.name}: some weights were not loaded. {sentence(problems)}", stacklevel=3)
    _check_damage(plan)
    for item, expected, arrays in plan:
        if expected is None:
            item.load_own_variables(Store(arrays))
        for i, variable in enumerate(expected or ()):
            variable.assign(arrays[str(i)].read())


def warn_of_other_weights(name: str, optimizer: Optimizer, problems: list[str]) -> None:
    """The model is good; its optimizer has seen other weights, where some were frozen or not when it was saved."""
    warnings.warn(
        f"{name}: the state of the optimizer {optimizer.name!r} was not loaded, for it is of other weights than those that "
        f"are trainable now. {sentence(problems)}",
        stacklevel=5,
    )


def _check_damage(plan: list[tuple[Any, list[Variable] | None, dict[str, Dataset]]]) -> None:
    """Reads all that may be damaged, before anything is changed. A model that waits for its values has none to lose."""
    if all(variable.promised for _, expected, _ in plan for variable in expected or ()):
        return
    for _, _, arrays in plan:
        for dataset in arrays.values():
            dataset.check()


class _Inside:
    """The paths that are one of `tops` or go on from it. A question takes as long as the longest of them, not as many."""

    def __init__(self, tops: Iterable[str]) -> None:
        self._tops = frozenset(tops)
        self._longest = max(map(len, self._tops), default=0)

    def __contains__(self, path: str) -> bool:
        parts = path[: self._longest + 1].split("/")  # one letter more, to tell "a" from "ab"
        return any(start in self._tops for start in accumulate(parts, "{}/{}".format))


def _skipped(
    objects: list[tuple[str, Any]], weights: Weights, needs_optimizer: bool, skip: Iterable[Any]
) -> _Inside:
    """Where nothing is to change: in the layers to `skip`, and in an optimizer that may be without a state."""
    chosen = {id(item) for item in skip}
    tops = [path for path, item in objects if id(item) in chosen]
    optimizer = _Inside(["optimizer"])
    if not needs_optimizer and not any(path in optimizer for path in weights.groups):
        tops.append("optimizer")
    return _Inside(tops)


def _optional(objects: list[tuple[str, Any]]) -> _Inside:
    """Where arrays may be left over: in an optimizer that the model, or one inside it, does not have."""
    without = [owner for owner, item in objects if getattr(item, "optimizer", item) is None]
    return _Inside(f"{owner}/optimizer" if owner else "optimizer" for owner in without)


def sentence(problems: list[str]) -> str:
    more = f"; and {len(problems) - _NAMED} more" if len(problems) > _NAMED else ""
    return "; ".join(problem[:160] for problem in problems[:_NAMED]) + more


def _expected(item: Any, arrays: Mapping[str, Any]) -> list[Variable] | None:
    """The variables that an object takes from arrays called 0, 1, 2 ...; None if it reads them in a way of its own."""
    method = type(item).load_own_variables
    if method is Layer.load_own_variables:
        return list(item._own_variables)
    if method is not Optimizer.load_own_variables:
        return None
    return optimizer_variables(item, len(arrays))


def optimizer_variables(optimizer: Optimizer, stored: int) -> list[Variable]:
    """The variables that `stored` arrays are for: an optimizer saved before it saw any weight has its counters only."""
    counters = [v for v in (optimizer.iterations, optimizer._rate) if v is not None]
    return counters if stored == len(counters) else list(optimizer.variables)


def _problems(item: Any, expected: list[Variable], arrays: Mapping[str, Dataset]) -> list[str]:
    if isinstance(item, Layer) and not item.built and arrays and not expected:
        return [f"the layer {item.name!r} has no variables yet; build the model or call it on data first"]
    names = {str(i): v for i, v in enumerate(expected)}
    missing = [f"{name} ({v.name}) is missing" for name, v in names.items() if name not in arrays]
    extra = [f"{name} of shape {arrays[name].shape} is left over" for name in arrays if name not in names]
    wrong = [
        f"{name} {text}" for name, v in names.items() if name in arrays and (text := unfit(v, arrays[name]))
    ]
    return missing + extra + wrong


def unfit(variable: Variable, dataset: Dataset) -> str:
    """Why an array cannot become the value of a variable; an empty text if it can."""
    if dataset.shape != variable.shape:
        return f"has the shape {dataset.shape}; the variable {variable.name!r} has {variable.shape}"
    try:
        stored = dtypes.standardize(dataset.dtype.newbyteorder("="))
    except ArgumentError:
        return f"has elements of the kind {dataset.dtype}, which no variable has"
    if _kind(stored) != _kind(variable.dtype):
        return f"holds {stored}; the variable {variable.name!r} holds {variable.dtype}"
    return ""


def _kind(dtype: str) -> str:
    for name, test in (("float", dtypes.is_float), ("int", dtypes.is_int), ("complex", dtypes.is_complex)):
        if test(dtype):
            return name
    return dtype


# ---- saving --------------------------------------------------------------------------------------------------


def save_state(model: Any, file: Hdf5Writer) -> None:
    """Writes the arrays of all objects of a model."""
    for path, item in saved_objects(model):
        group = f"{path}/vars" if path else "vars"
        file.group(group, name=item.name)
        store: dict[str, Any] = {}
        item.save_own_variables(store)
        for key, value in store.items():
            file.array(f"{group}/{key}", as_array(value))


def as_array(value: Any) -> np.ndarray:
    if isinstance(value, Variable):
        return value.numpy()
    if isinstance(value, np.ndarray):
        return value
    return np.asarray(ops.convert_to_numpy(value))
