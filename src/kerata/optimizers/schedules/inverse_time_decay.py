"""Decay by the inverse of the time."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.registry import register_builtin

from .exponential_decay import passed
from .learning_rate_schedule import LearningRateSchedule, positive

Tensor = Any


@register_builtin("schedules")
class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: the unit of time.
        decay_rate: how fast the denominator grows.
        staircase: whether `step / decay_steps` is rounded down.
        name: name of the schedule.

    Example:
        >>> import kerata
        >>> rate = kerata.optimizers.schedules.InverseTimeDecay(0.1, decay_steps=10, decay_rate=0.5)
        >>> round(float(rate(20)), 4)
        0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate = checks.number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = positive("decay_steps", decay_steps)
        self.decay_rate = checks.number("decay_rate", decay_rate)
        self.staircase, self.name = staircase, name

    def __call__(self, step: Tensor) -> Tensor:
        return ops.divide(
            self.initial_learning_rate, ops.add(ops.multiply(passed(step, self), self.decay_rate), 1.0)
        )
