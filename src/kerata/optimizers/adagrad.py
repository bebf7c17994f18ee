"""Adagrad: steps scaled by all gradients so far."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.registry import register_builtin
from kerata.core.variable import Variable
from kerata.initializers import Constant

from .optimizer import Optimizer
from .updates import TensorLike, Tensors, columns, like, update_op

Tensor = Any


@update_op
def adagrad(
    values: Tensors, gradients: Tensors, sums: Tensors, rate: TensorLike, epsilon: float
) -> list[list[Tensor]]:  # fmt: skip
    """`x - rate * g / sqrt(sum of squares + epsilon)`."""
    rows = []
    for x, g, total in zip(values, gradients, sums, strict=True):
        g = like(g, x)
        total = ops.add(total, ops.square(g))
        rows.append(
            (
                ops.subtract(
                    x, ops.divide(ops.multiply(g, like(rate, x)), ops.sqrt(ops.add(total, epsilon)))
                ),
                total,
            )
        )
    return columns(rows)


@register_builtin("optimizers", "adagrad")
class Adagrad(Optimizer):
    """Adagrad: steps scaled by the root of the sum of all squared gradients so far.

    Args:
        learning_rate: a number or a schedule.
        initial_accumulator_value: where the sums begin.
        epsilon: small number against division by zero.
        **kwargs: `weight_decay`, `clipnorm` and the other arguments of every optimizer.

    Source:
        Duchi, Hazan and Singer, "Adaptive Subgradient Methods", 2011.

    Example:
        >>> import kerata, numpy as np
        >>> w = kerata.Variable(np.float32(1.0))
        >>> kerata.optimizers.Adagrad(0.1).apply([np.float32(2.0)], [w])
        >>> round(float(w), 4)
        0.9012
    """

    slot_groups = (("accumulator",),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
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
        self.initial_accumulator_value = checks.number(
            "initial_accumulator_value", initial_accumulator_value, 0
        )
        self.epsilon = checks.number("epsilon", epsilon, 0)

    def make_slot(self, variable: Variable, name: str) -> Variable:
        return self.add_variable_from_reference(variable, name, Constant(self.initial_accumulator_value))

    def update_list(
        self,
        gradients: list[Tensor],
        variables: list[Variable],
        learning_rate: Tensor,
        slots: list[list[Variable]],
    ) -> None:
        self._run(adagrad, variables, slots, gradients, learning_rate, self.epsilon)
