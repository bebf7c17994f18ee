"""Rates that are constant between given steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin

from .learning_rate_schedule import LearningRateSchedule, as_step

Tensor = Any


@register_builtin("schedules")
class PiecewiseConstantDecay(LearningRateSchedule):
    """The first of `values` up to and including step `boundaries[0]`, then the second, and so on.

    Args:
        boundaries: steps, increasing.
        values: rates, one more than boundaries.
        name: name of the schedule.

    Raises:
        ArgumentError: the lengths do not fit.

    Example:
        >>> import kerata
        >>> rate = kerata.optimizers.schedules.PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.25])
        >>> float(rate(10)), float(rate(11)), float(rate(99))
        (1.0, 0.5, 0.25)
    """

    def __init__(
        self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant"
    ) -> None:
        self.boundaries = [
            checks.number("boundaries", b) for b in checks.several("boundaries", boundaries, "steps")
        ]
        self.values = [checks.number("values", v) for v in checks.several("values", values, "rates")]
        if len(self.values) != len(self.boundaries) + 1:
            raise ArgumentError(
                "values", expected=f"{len(self.boundaries) + 1} rates, one more than boundaries", got=values
            )
        if sorted(self.boundaries) != self.boundaries:
            raise ArgumentError("boundaries", expected="increasing steps", got=boundaries)
        self.name = name

    def __call__(self, step: Tensor) -> Tensor:
        step = as_step(step)
        rate = ops.add(ops.multiply(step, 0.0), self.values[-1])
        for boundary, value in zip(reversed(self.boundaries), reversed(self.values[:-1]), strict=True):
            rate = ops.where(ops.less_equal(step, float(boundary)), float(value), rate)
        return rate
