"""Decay along a polynomial."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.registry import register_builtin

from .learning_rate_schedule import LearningRateSchedule, as_step, positive

Tensor = Any


@register_builtin("schedules")
class PolynomialDecay(LearningRateSchedule):
    """`(initial - end) * (1 - step / decay_steps) ** power + end`.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: the step at which the end is reached.
        end_learning_rate: the rate there and after it.
        power: exponent; 1 is a straight line.
        cycle: whether the rate goes up again beyond `decay_steps`, to reach the end at its next multiple.
        name: name of the schedule.

    Example:
        >>> import kerata
        >>> rate = kerata.optimizers.schedules.PolynomialDecay(0.1, decay_steps=10, end_learning_rate=0.0)
        >>> round(float(rate(5)), 4)
        0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = checks.number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = positive("decay_steps", decay_steps)
        self.end_learning_rate = checks.number("end_learning_rate", end_learning_rate)
        self.power = checks.number("power", power)
        self.cycle, self.name = cycle, name

    def __call__(self, step: Tensor) -> Tensor:
        step, span = as_step(step), float(self.decay_steps)
        if self.cycle:  # the next multiple, at least the first
            part = ops.divide(step, ops.multiply(ops.maximum(ops.ceil(ops.divide(step, span)), 1.0), span))
        else:
            part = ops.divide(ops.minimum(step, span), span)
        fall = self.initial_learning_rate - self.end_learning_rate
        return ops.add(
            ops.multiply(ops.power(ops.subtract(1.0, part), float(self.power)), fall), self.end_learning_rate
        )
