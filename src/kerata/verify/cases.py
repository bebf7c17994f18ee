"""A case: one sample of one op. It can be run on any engine, eagerly, compiled, symbolically, and differentiated."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

import kerata
from kerata import backends, ops
from kerata.core import declare, dtypes
from kerata.core.declare import DECLARED, Op
from kerata.core.samples import Sample
from kerata.core.tensor import KerasTensor
from kerata.ops.core import vjp

from .compare import Plain, plain

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


@lru_cache(maxsize=1)
def declared() -> dict[str, Op]:
    """All ops, by name."""
    for module in pkgutil.iter_modules(ops.__path__):
        importlib.import_module(f"kerata.ops.{module.name}")
    return dict(sorted(DECLARED.items()))


@dataclass(frozen=True)
class Case:
    """One sample of an op."""

    op: Op
    index: int
    sample: Sample

    def __str__(self) -> str:
        words = [_short(a) for a in self.sample.args] + [
            f"{k}={_short(v)}" for k, v in self.sample.kwargs.items()
        ]
        return f"{self.op.name}({', '.join(words)})"

    def arguments(self) -> Arguments:
        """Arrays and plain values, the same in every run."""
        return self.sample.arguments(f"{self.op.name}/{self.index}")

    # ---- running ---------------------------------------------------------------------------------
    def run(self, engine: str) -> list[Plain]:
        """Eagerly, on an engine."""
        with kerata.use_backend(engine):
            args, kwargs = self.on(engine)
            return plain(self.op.function(*args, **kwargs))

    def on(self, engine: str) -> Arguments:
        """The arguments as tensors of an engine."""
        return self._map(lambda a: backends.get(engine).convert(a, dtypes.standardize(a.dtype)))

    def symbolic(self) -> list[Plain]:
        """Shapes and dtypes, from symbolic tensors with known shapes."""
        args, kwargs = self._map(lambda a: KerasTensor(a.shape, dtypes.standardize(a.dtype)))
        return plain(self.op.function(*args, **kwargs))

    def wide(self) -> list[Plain]:
        """The NumPy engine's result in float64, from the same numbers."""
        with kerata.use_backend("numpy"):
            args, kwargs = self._map(_widened)
            return plain(self.op.function(*args, **kwargs))

    def reference(self) -> list[Plain] | None:
        """The values that an independent function gives in float64, where the op names one."""
        function = _reference(self.op.reference)
        if function is None:
            return None
        args, kwargs = self._map(lambda a: np.asarray(_widened(a)))
        with np.errstate(all="ignore"):
            return [_as_plain(v) for v in _flat(function(*args, **kwargs))]

    def _map(self, change: Callable[[np.ndarray], Any]) -> Arguments:
        """The arguments with the arrays among its tensors changed."""
        args, kwargs = self.arguments()
        slots = declare._tensor_slots(self.op, args, kwargs)
        return declare._convert(
            self.op, args, kwargs, slots, lambda v: change(v) if isinstance(v, np.ndarray) else v
        )

    def floating(self) -> bool:
        """Whether there is something to differentiate by."""
        return bool(_floating(self.op, *self._map(_widened)))

    # ---- derivatives -------------------------------------------------------------------------------
    def gradient(self, engine: str) -> tuple[list[Any], list[Any]]:
        """Derivatives of a random linear form of the results in float64, and the finite differences they should be.

        Both along one random direction for each floating argument.
        """
        args, kwargs = self._map(_widened)
        leaves = _floating(self.op, args, kwargs)
        rng = np.random.default_rng(0)
        directions = [rng.uniform(-1, 1, leaf.shape) for leaf in leaves]
        with kerata.use_backend("numpy"):
            outputs = _outputs(self.op, args, kwargs, leaves, leaves)
            weights = [rng.uniform(-1, 1, o.shape) for o in outputs]
            slopes = [
                _slope(self.op, args, kwargs, leaves, i, direction, weights)
                for i, direction in enumerate(directions)
            ]
        found = self._derivatives(engine, args, kwargs, leaves, weights)
        along: Any = [np.sum(g * d) for g, d in zip(found, directions, strict=True)]
        return along, slopes

    def _derivatives(
        self, engine: str, args: Any, kwargs: Any, leaves: list[np.ndarray], weights: list[np.ndarray]
    ) -> list[np.ndarray]:
        native = backends.get(engine)
        with kerata.use_backend(engine):
            tensors = [native.convert(leaf, "float64") for leaf in leaves]
            outputs, back = vjp(lambda *xs: tuple(_outputs(self.op, args, kwargs, leaves, list(xs))), tensors)
            cotangents = tuple(native.convert(w, "float64") for w in weights)
            assert len(outputs) == len(cotangents)
            grads = back(cotangents)
            return [
                np.zeros(leaf.shape) if g is None else native.to_numpy(g)
                for g, leaf in zip(grads, leaves, strict=True)
            ]


def cases_of(op: Op) -> Iterator[Case]:
    """The samples of an op."""
    for index, sample in enumerate(op.samples):
        yield Case(op, index, sample)


# ---- helpers ---------------------------------------------------------------------------------------


def _short(value: Any) -> str:
    text = repr(value).replace("dtype='float32', low=-2.0, high=2.0", "")
    return text if len(text) < 60 else text[:57] + "..."


def _widened(a: np.ndarray) -> np.ndarray:
    name = dtypes.standardize(a.dtype)
    if dtypes.is_complex(name):
        return a.astype(np.complex128)
    return a.astype(np.float64) if dtypes.is_float(name) else a


def _reference(reference: Any) -> Any:
    if isinstance(reference, str):
        module, _, name = reference.rpartition(".")
        return getattr(importlib.import_module(module), name)
    return reference


def _flat(result: Any) -> list[Any]:
    return [v for part in result for v in _flat(part)] if isinstance(result, (list, tuple)) else [result]


def _as_plain(value: Any) -> Plain:
    array = np.asarray(value)
    return Plain(dtypes.standardize(array.dtype), array.shape, array)


def tensors_of(op: Op, args: Any, kwargs: Any) -> list[Any]:
    """The tensors of an engine among the arguments."""
    slots = declare._tensor_slots(op, args, kwargs)
    leaves = [leaf for _, _, value in slots for leaf in declare.leaves_of(value)]
    return [leaf for leaf in leaves if ops.is_tensor(leaf)]


def replaced(op: Op, args: Any, kwargs: Any, new: list[Any]) -> Arguments:
    """The arguments with other tensors, in the same order."""
    values = iter(new)
    slots = declare._tensor_slots(op, args, kwargs)
    return declare._convert(op, args, kwargs, slots, lambda v: next(values) if ops.is_tensor(v) else v)


def _floating(op: Op, args: Any, kwargs: Any) -> list[np.ndarray]:
    """The floating arrays among the tensors."""
    slots = declare._tensor_slots(op, args, kwargs)
    leaves = [leaf for _, _, value in slots for leaf in declare.leaves_of(value)]
    return [a for a in leaves if isinstance(a, np.ndarray) and a.dtype == np.float64]


def _outputs(op: Op, args: Any, kwargs: Any, leaves: list[Any], new: list[Any]) -> list[Any]:
    """The floating results with other tensors in the place of the floating arguments."""
    places = {id(leaf): value for leaf, value in zip(leaves, new, strict=True)}
    slots = declare._tensor_slots(op, args, kwargs)
    new_args, new_kwargs = declare._convert(op, args, kwargs, slots, lambda v: places.get(id(v), v))
    return [o for o in _flat(op.function(*new_args, **new_kwargs)) if dtypes.is_float(ops.dtype(o))]


def _slope(
    op: Op,
    args: Any,
    kwargs: Any,
    leaves: list[np.ndarray],
    index: int,
    direction: np.ndarray,
    weights: list[np.ndarray],
) -> float:
    """The central difference of fourth order along a direction of one argument."""
    step = 1e-4

    def at(t: float) -> float:
        moved = [leaf + t * direction if i == index else leaf for i, leaf in enumerate(leaves)]
        values = _outputs(op, args, kwargs, leaves, moved)
        return float(sum(np.sum(np.asarray(v) * w) for v, w in zip(values, weights, strict=True)))

    return (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step)
