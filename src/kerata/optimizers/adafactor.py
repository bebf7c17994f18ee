"""Adafactor: Adam with little memory."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.registry import register_builtin
from kerata.core.variable import Variable

from .optimizer import Optimizer
from .updates import in_precision, like

Tensor = Any


@register_builtin("optimizers", "adafactor")
class Adafactor(Optimizer):
    """Adafactor: steps scaled by mean squares that are kept only for rows and columns.

    Args:
        learning_rate: a number or a schedule.
        beta_2_decay: exponent of the step in the decay of the averages, 0 or less.
        epsilon_1: added to squared gradients.
        epsilon_2: least scale of a variable, which steps are relative to.
        clip_threshold: largest root mean square of a step before scaling.
        relative_step: whether the rate is at most `1 / sqrt(step)`.
        **kwargs: `weight_decay`, `clipnorm` and the other arguments of every optimizer.

    Source:
        Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018, algorithm 4.

    Example:
        >>> import kerata, numpy as np
        >>> w = kerata.Variable(np.float32(1.0))
        >>> kerata.optimizers.Adafactor(0.1).apply([np.float32(2.0)], [w])
        >>> round(float(w), 4)
        0.9
    """

    slot_groups = (("row", "column", "velocity"),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
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
        self.beta_2_decay = checks.number("beta_2_decay", beta_2_decay, high=0)
        self.epsilon_1 = checks.number("epsilon_1", epsilon_1, 0)
        self.epsilon_2 = checks.number("epsilon_2", epsilon_2, 0)
        self.clip_threshold = checks.number("clip_threshold", clip_threshold, 0)
        self.relative_step = bool(relative_step)

    def make_slot(self, variable: Variable, name: str) -> Variable:
        shape = variable.shape
        if name == "velocity":
            return self.add_variable_from_reference(variable, name)
        label = variable.path.replace("/", "_")
        if len(shape) < 2:  # nothing to factor: a placeholder keeps the order of files
            return self.add_variable((), "zeros", "int32", name=label)
        kept = shape[:-1] if name == "row" else (*shape[:-2], shape[-1])
        return self.add_variable(kept, "zeros", variable.dtype, name=label)

    def update_list(
        self,
        gradients: list[Tensor],
        variables: list[Variable],
        learning_rate: Tensor,
        slots: list[list[Variable]],
    ) -> None:
        (step,) = in_precision([v.raw() for v in variables], self._step())
        decay = ops.subtract(1.0, ops.power(step, float(self.beta_2_decay)))
        if self.relative_step:
            learning_rate = ops.minimum(learning_rate, ops.rsqrt(step))
        for x, g, row, column, velocity in zip(variables, gradients, *slots, strict=True):
            self._update_one(x, g, like(learning_rate, x.raw()), like(decay, x.raw()), row, column, velocity)

    def _update_one(
        self,
        variable: Variable,
        g: Tensor,
        rate: Tensor,
        keep: Tensor,
        row: Variable,
        column: Variable,
        velocity: Variable,
    ) -> None:
        x = variable.raw()
        squares = ops.add(ops.square(like(g, x)), self.epsilon_1)
        if len(variable.shape) >= 2:
            rows = _average(row, ops.mean(squares, axis=-1), keep)
            columns = _average(column, ops.mean(squares, axis=-2), keep)
            share = ops.divide(rows, ops.mean(rows, axis=-1, keepdims=True))
            size = ops.multiply(ops.expand_dims(share, -1), ops.expand_dims(columns, -2))
            velocity.assign(size)
        else:
            size = _average(velocity, squares, keep)
        push = ops.multiply(like(g, x), ops.rsqrt(size))
        push = ops.divide(push, ops.maximum(ops.divide(_root_mean_square(push), self.clip_threshold), 1.0))
        scale = ops.multiply(ops.maximum(_root_mean_square(x), self.epsilon_2), rate)
        variable.assign(ops.subtract(x, ops.multiply(push, scale)))


def _average(kept: Variable, new: Tensor, keep: Tensor) -> Tensor:
    return kept.assign(ops.add(ops.multiply(kept.raw(), keep), ops.multiply(new, ops.subtract(1.0, keep))))


def _root_mean_square(x: Tensor) -> Tensor:
    return ops.sqrt(ops.mean(ops.square(x)))
