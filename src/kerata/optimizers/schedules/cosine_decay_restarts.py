"""Decay along half a cosine, again and again."""

from __future__ import annotations

import math
from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.registry import register_builtin

from .cosine_decay import half_cosine
from .learning_rate_schedule import LearningRateSchedule, as_step, positive

Tensor = Any


@register_builtin("schedules")
class CosineDecayRestarts(LearningRateSchedule):
    """Half a cosine down, then from the top again, each period longer and lower than the last.

    Args:
        initial_learning_rate: the rate at step 0.
        first_decay_steps: length of the first period.
        t_mul: by how much each period is longer than the last.
        m_mul: factor of the rate at each restart.
        alpha: the last rate of a period as a fraction of the initial rate.
        name: name of the schedule.

    Source:
        Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017.

    Example:
        >>> import kerata
        >>> rate = kerata.optimizers.schedules.CosineDecayRestarts(0.1, first_decay_steps=10)
        >>> round(float(rate(10)), 4), round(float(rate(20)), 4)
        (0.1, 0.05)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = checks.number("initial_learning_rate", initial_learning_rate)
        self.first_decay_steps = positive("first_decay_steps", first_decay_steps)
        self.t_mul, self.m_mul = checks.number("t_mul", t_mul, 1), checks.number("m_mul", m_mul)
        self.alpha, self.name = checks.number("alpha", alpha), name

    def __call__(self, step: Tensor) -> Tensor:
        done = ops.divide(as_step(step), float(self.first_decay_steps))
        if self.t_mul == 1:
            restarts = ops.floor(done)
            part = ops.subtract(done, restarts)
        else:  # periods are a geometric series: after n of them (t**n - 1) / (t - 1) has passed
            t = float(self.t_mul)
            restarts = ops.floor(
                ops.divide(ops.log(ops.subtract(1.0, ops.multiply(done, 1.0 - t))), math.log(t))
            )
            length = ops.power(t, restarts)
            part = ops.divide(ops.subtract(done, ops.divide(ops.subtract(length, 1.0), t - 1.0)), length)
        factor = ops.power(float(self.m_mul), restarts)
        # The floor is a fraction of the initial rate, so each period keeps it.
        top = ops.multiply(half_cosine(part, 0.0), factor)
        return ops.multiply(
            ops.add(ops.multiply(top, 1.0 - self.alpha), self.alpha), self.initial_learning_rate
        )
