"""Decay by a factor in equal times."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.registry import register_builtin

from .learning_rate_schedule import LearningRateSchedule, as_step, positive

Tensor = Any


@register_builtin("schedules")
class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: steps in which the rate is multiplied by `decay_rate`.
        decay_rate: that factor.
        staircase: whether the exponent is rounded down, so that the rate falls in steps.
        name: name of the schedule.

    Example:
        >>> import kerata
        >>> rate = kerata.optimizers.schedules.ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)
        >>> round(float(rate(20)), 4)
        0.025
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = checks.number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = positive("decay_steps", decay_steps)
        self.decay_rate = checks.number("decay_rate", decay_rate)
        self.staircase, self.name = staircase, name

    def __call__(self, step: Tensor) -> Tensor:
        return ops.multiply(self.initial_learning_rate, ops.power(self.decay_rate, passed(step, self)))


def passed(step: Tensor, schedule: Any) -> Tensor:
    """`step / decay_steps`, rounded down for a staircase."""
    times = ops.divide(as_step(step), float(schedule.decay_steps))
    return ops.floor(times) if schedule.staircase else times
