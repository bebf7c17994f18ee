"""A case: one sample of one op. It can be run on any engine, symbolically, and in float64."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

import kerata
from kerata import backends, ops, random
from kerata.core import declare, dtypes
from kerata.core.declare import DECLARED, Op
from kerata.core.samples import Sample
from kerata.core.tensor import KerasTensor

from . import references
from .compare import Plain, plain

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


@lru_cache(maxsize=1)
def declared() -> dict[str, Op]:
    """All ops, by name, those of `kerata.random` included. Updates of optimizers are tested as such."""
    for package in (ops, random):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    return {
        name: declaration
        for name, declaration in sorted(DECLARED.items())
        if not declaration.body.__module__.startswith("kerata.optimizers.")
    }


@dataclass(frozen=True)
class Case:
    """One sample of an op."""

    op: Op
    index: int
    sample: Sample

    def __str__(self) -> str:
        return self.sample.call(self.op.name)

    def arguments(self) -> Arguments:
        """Arrays and plain values, the same in every run."""
        return self.sample.arguments(f"{self.op.name}/{self.index}")

    def run(self, engine: str) -> list[Plain]:
        """Eagerly, on an engine."""
        with kerata.use_backend(engine):
            args, kwargs = self.on(engine)
            return plain(self.op.function(*args, **kwargs))

    def on(self, engine: str) -> Arguments:
        """The arguments as tensors of an engine."""
        return self._map(lambda a: backends.get(engine).convert(a, dtypes.standardize(a.dtype)))

    def symbolic(self, engine: str, unknown: bool = False) -> list[Plain]:
        """Shapes and dtypes, from symbolic tensors with known shapes, or with an unknown first size of the first."""
        first = [unknown]

        def symbol(a: np.ndarray) -> KerasTensor:
            shape: tuple[Any, ...] = a.shape
            if first[0] and shape:
                shape, first[0] = (None, *shape[1:]), False
            return KerasTensor(shape, dtypes.standardize(a.dtype))

        args, kwargs = self._map(symbol)
        with kerata.use_backend(engine):
            return plain(self.op.function(*args, **kwargs))

    def widened(self) -> Arguments:
        """The arguments with the floating arrays in float64 and complex128."""
        return self._map(_widened)

    def wide(self) -> list[Plain]:
        """The NumPy engine's result in float64, from the same numbers."""
        with kerata.use_backend("numpy"):
            args, kwargs = self.widened()
            return plain(self.op.function(*args, **kwargs))

    def reference(self) -> list[Plain] | None:
        """The values that an independent function gives in float64, where the op names one that has any."""
        function = reference_of(self.op)
        if function is None:
            return None
        args, kwargs = self.widened()
        try:
            with np.errstate(all="ignore"):
                return [_as_plain(v) for v in flat_results(function(*args, **kwargs))]
        # There is no value for a singular matrix; SciPy may be missing.
        except (np.linalg.LinAlgError, ImportError):
            return None

    def _map(self, change: Callable[[np.ndarray], Any]) -> Arguments:
        """The arguments with the arrays among its tensors changed."""
        args, kwargs = self.arguments()
        return _changed(self.op, args, kwargs, lambda v: change(v) if isinstance(v, np.ndarray) else v)


def cases_of(op: Op) -> Iterator[Case]:
    """The samples of an op."""
    for index, sample in enumerate(op.samples):
        yield Case(op, index, sample)


# ---- tensors among arguments -----------------------------------------------------------------------


def _changed(op: Op, args: Any, kwargs: Any, change: Callable[[Any], Any]) -> Arguments:
    """The arguments with each leaf of the tensor arguments changed."""
    slots = declare._tensor_slots(op, args, kwargs)
    return declare._convert(op, args, kwargs, slots, change)


def tensors_of(op: Op, args: Any, kwargs: Any) -> list[Any]:
    """The tensors among the arguments, in order."""
    slots = declare._tensor_slots(op, args, kwargs)
    leaves = [leaf for _, _, value in slots for leaf in declare.leaves_of(value)]
    return [leaf for leaf in leaves if ops.is_tensor(leaf)]


def replaced(op: Op, args: Any, kwargs: Any, new: list[Any]) -> Arguments:
    """The arguments with other tensors, in the same order."""
    values = iter(new)
    return _changed(op, args, kwargs, lambda v: next(values) if ops.is_tensor(v) else v)


def flat_results(result: Any) -> list[Any]:
    """The tensors of a result, in order."""
    return (
        [v for part in result for v in flat_results(part)] if isinstance(result, (list, tuple)) else [result]
    )


# ---- helpers ---------------------------------------------------------------------------------------


def _widened(a: np.ndarray) -> np.ndarray:
    name = dtypes.standardize(a.dtype)
    if dtypes.is_complex(name):
        return a.astype(np.complex128)
    return a.astype(np.float64) if dtypes.is_float(name) else a


@lru_cache(maxsize=1)
def scipy_is_missing() -> bool:
    """SciPy is an independent source of values for the suite, and not needed by Kerata itself."""
    return importlib.util.find_spec("scipy") is None


def reference_of(op: Op) -> Callable[..., Any] | None:
    """The independent function that an op is compared with: what its declaration names, or a plain definition."""
    reference = op.reference
    if reference is None:
        return references.named(op.name)
    if not isinstance(reference, str):
        return reference
    module, _, name = reference.rpartition(".")
    if module.partition(".")[0] == "scipy" and scipy_is_missing():
        return None
    return getattr(importlib.import_module(module), name)


def _as_plain(value: Any) -> Plain:
    array = np.asarray(value)
    return Plain(dtypes.standardize(array.dtype), array.shape, array)
