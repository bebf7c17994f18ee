"""Adam without a schedule: averages instead of decay."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.registry import register_builtin
from kerata.core.variable import Variable

from .optimizer import Optimizer
from .updates import TensorLike, Tensors, columns, in_precision, like, lost, mix, update_op

Tensor = Any


@update_op
def schedule_free(
    values: Tensors, gradients: Tensors, iterates: Tensors, velocities: Tensors, rate: TensorLike, step: TensorLike,
    beta_1: float, beta_2: float, epsilon: float,
) -> list[list[Tensor]]:  # fmt: skip
    """An RMSprop step of the iterates z, whose mean is x; the values are `y = (1 - beta_1) * z + beta_1 * x`.

    x is not kept. With `move` the step of z, x moves to z by 1 / step, which leaves y at
    `y + (1 - beta_1) * move + (z + beta_1 * move - y) / step`: no division by a `beta_1` that may be 0.
    """
    step, beta_1, beta_2 = in_precision(values, step, beta_1, beta_2)
    correction, share = lost(beta_2, step), ops.divide(1.0, step)
    rows = []
    for y, g, z, v in zip(values, gradients, iterates, velocities, strict=True):
        g = like(g, y)
        v = mix(v, ops.square(g), beta_2)
        size = ops.add(ops.sqrt(ops.divide(v, like(correction, y))), epsilon)
        move = ops.negative(ops.divide(ops.multiply(g, like(rate, y)), size))
        away = ops.subtract(ops.add(z, ops.multiply(move, beta_1)), y)
        y = ops.add(y, ops.add(ops.multiply(move, 1 - beta_1), ops.multiply(away, like(share, y))))
        rows.append((y, ops.add(z, move), v))
    return columns(rows)


@register_builtin("optimizers", "schedulefreeadamw", "schedule_free_adam_w")
class ScheduleFreeAdamW(Optimizer):
    """Adam that averages its iterates, which takes the place of a decaying rate.

    The variables hold the points at which gradients are taken, between the last iterate and the mean of
    all: `(1 - beta_1) * iterate + beta_1 * mean`.

    Args:
        learning_rate: a number or a schedule.
        beta_1: share of the mean in the variables; the iterates have the rest.
        beta_2: decay of the average of squared gradients.
        epsilon: small number against division by zero.
        warmup_steps: steps in which the rate rises from 0.
        **kwargs: `weight_decay`, `clipnorm` and the other arguments of every optimizer.

    Source:
        Defazio et al., "The Road Less Scheduled", 2024.

    Example:
        >>> import kerata, numpy as np
        >>> w = kerata.Variable(np.float32(1.0))
        >>> kerata.optimizers.ScheduleFreeAdamW(0.1).apply([np.float32(2.0)], [w])
        >>> round(float(w), 4)
        0.9
    """

    slot_groups = (("momentum", "velocity"),)

    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        self.beta_1 = checks.number("beta_1", beta_1, 0, 1)
        self.beta_2 = checks.number("beta_2", beta_2, 0, 1)
        self.epsilon = checks.number("epsilon", epsilon, 0)
        self.warmup_steps = checks.natural("warmup_steps", warmup_steps)

    def make_slot(self, variable: Variable, name: str) -> Variable:
        if name == "velocity":
            return self.add_variable_from_reference(variable, name)
        return self.add_variable_from_reference(variable, name, lambda shape, dtype: variable.raw())

    def update_list(
        self,
        gradients: list[Tensor],
        variables: list[Variable],
        learning_rate: Tensor,
        slots: list[list[Variable]],
    ) -> None:
        step = self._step()
        if self.warmup_steps:
            learning_rate = ops.multiply(
                learning_rate, ops.minimum(ops.divide(step, float(self.warmup_steps)), 1.0)
            )
        self._run(
            schedule_free, variables, slots, gradients, learning_rate, step,
            self.beta_1, self.beta_2, self.epsilon,
        )  # fmt: skip
