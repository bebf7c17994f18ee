"""Derivatives of ops along random directions, and the finite differences that they should be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

import kerata
from kerata import backends, ops
from kerata.core import dtypes
from kerata.core.declare import Op
from kerata.ops.core import vjp

from .cases import Case, flat_results, replaced, tensors_of

_STEP = 1e-5  # small beside the distance to the next corner of a function with corners


@dataclass
class Slope:
    """A case in float64, with a random weight for each result and a random direction for each argument."""

    case: Case
    args: Any = field(init=False)
    kwargs: Any = field(init=False)
    points: list[np.ndarray] = field(init=False)  # all tensors; the floating ones are differentiated by
    directions: list[np.ndarray] = field(init=False)
    weights: list[np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        self.args, self.kwargs = self.case.widened()
        self.points = tensors_of(self.case.op, self.args, self.kwargs)
        rng = np.random.default_rng(0)
        self.directions = [rng.uniform(-1, 1, x.shape) for x in self.floating(self.points)]
        with kerata.use_backend("numpy"):
            self.weights = [rng.uniform(-1, 1, o.shape) for o in self.outputs(self.points)]

    def __str__(self) -> str:
        return str(self.case)

    @property
    def places(self) -> list[int]:
        """Which tensors are floating."""
        return [i for i, x in enumerate(self.points) if x.dtype == np.float64]

    def floating(self, tensors: list[Any]) -> list[Any]:
        return [tensors[i] for i in self.places]

    def outputs(self, tensors: list[Any]) -> list[Any]:
        """The floating results of the op for other tensors."""
        op: Op = self.case.op
        args, kwargs = replaced(op, self.args, self.kwargs, tensors)
        return [o for o in flat_results(op.function(*args, **kwargs)) if dtypes.is_float(ops.dtype(o))]

    # ---- the two ways ------------------------------------------------------------------------------
    def differences(self) -> list[float]:
        """Central differences of fourth order on the NumPy engine."""
        with kerata.use_backend("numpy"):
            return [self._difference(i, d) for i, d in zip(self.places, self.directions, strict=True)]

    def _difference(self, index: int, direction: np.ndarray) -> float:
        def at(t: float) -> float:
            moved = [x + t * direction if i == index else x for i, x in enumerate(self.points)]
            values = self.outputs(moved)
            return float(sum(np.sum(np.asarray(v) * w) for v, w in zip(values, self.weights, strict=True)))

        return (8 * (at(_STEP) - at(-_STEP)) - (at(2 * _STEP) - at(-2 * _STEP))) / (12 * _STEP)

    def tensors(self, engine: str) -> tuple[list[Any], list[Any]]:
        """The points and the weights on an engine."""
        native = backends.get(engine)
        points = [native.convert(x, dtypes.standardize(x.dtype)) for x in self.points]
        return points, [native.convert(w, "float64") for w in self.weights]

    def gradients(self, points: list[Any], weights: list[Any]) -> list[Any]:
        """The engine's derivatives of the weighted results by the floating tensors."""

        def run(*moving: Any) -> tuple[Any, ...]:
            moved = iter(moving)
            return tuple(self.outputs([next(moved) if i in self.places else x for i, x in enumerate(points)]))

        floating = self.floating(points)
        _, back = vjp(run, floating)
        return [
            ops.zeros_like(x) if g is None else g for g, x in zip(back(tuple(weights)), floating, strict=True)
        ]

    def along(self, gradients: list[Any]) -> list[float]:
        """Gradients as derivatives along the directions."""
        return [
            float(np.sum(ops.convert_to_numpy(g) * d))
            for g, d in zip(gradients, self.directions, strict=True)
        ]
