"""Decay along half a cosine."""

from __future__ import annotations

import math
from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.registry import register_builtin

from .learning_rate_schedule import LearningRateSchedule, as_step, positive

Tensor = Any


@register_builtin("schedules")
class CosineDecay(LearningRateSchedule):
    """Half a cosine from the initial rate down to `alpha` times it, after a linear warm-up if one is asked for.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: length of the decay, which begins after the warm-up.
        alpha: the last rate as a fraction of the highest.
        name: name of the schedule.
        warmup_target: the rate at the end of the warm-up; None: no warm-up.
        warmup_steps: length of the warm-up.

    Source:
        Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017.

    Example:
        >>> import kerata
        >>> rate = kerata.optimizers.schedules.CosineDecay(0.1, decay_steps=10)
        >>> round(float(rate(5)), 4)
        0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = checks.number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = positive("decay_steps", decay_steps)
        self.alpha = checks.number("alpha", alpha)
        self.name = name
        self.warmup_target = None if warmup_target is None else checks.number("warmup_target", warmup_target)
        self.warmup_steps = checks.natural("warmup_steps", warmup_steps)

    def __call__(self, step: Tensor) -> Tensor:
        step = as_step(step)
        if self.warmup_target is None:
            return self._decay(step, self.initial_learning_rate)
        decayed = self._decay(
            ops.maximum(ops.subtract(step, float(self.warmup_steps)), 0.0), self.warmup_target
        )
        if not self.warmup_steps:
            return decayed
        rise = self.warmup_target - self.initial_learning_rate
        risen = ops.add(ops.multiply(step, rise / self.warmup_steps), self.initial_learning_rate)
        return ops.where(ops.less(step, float(self.warmup_steps)), risen, decayed)

    def _decay(self, step: Tensor, top: float) -> Tensor:
        part = ops.divide(ops.minimum(step, float(self.decay_steps)), float(self.decay_steps))
        return ops.multiply(half_cosine(part, self.alpha), top)


def half_cosine(part: Tensor, alpha: float) -> Tensor:
    """From 1 at `part` 0 to `alpha` at 1."""
    half = ops.multiply(ops.add(ops.cos(ops.multiply(part, math.pi)), 1.0), 0.5)
    return ops.add(ops.multiply(half, 1.0 - alpha), alpha)
