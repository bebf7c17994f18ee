"""FTRL-proximal: follow the regularised leader, with penalties that make weights exactly zero."""

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
def ftrl(
    values: Tensors, gradients: Tensors, sums: Tensors, linears: Tensors, rate: TensorLike,
    power: float, l1: float, l2: float, shrinkage: float, beta: float,
) -> list[list[Tensor]]:  # fmt: skip
    """McMahan et al. (2013), algorithm 1, with `l2` raised by `beta / (2 rate)`."""
    rows = []
    for x, g, total, linear in zip(values, gradients, sums, linears, strict=True):
        g, pace = like(g, x), like(rate, x)
        pull = ops.add(ops.divide(beta, ops.multiply(pace, 2.0)), l2)
        new = ops.add(total, ops.square(g))
        old_size, size = ops.power(total, -power), ops.power(new, -power)
        shrunk = ops.add(g, ops.multiply(x, 2.0 * shrinkage))
        linear = ops.add(
            linear, ops.subtract(shrunk, ops.multiply(ops.divide(ops.subtract(size, old_size), pace), x))
        )
        quadratic = ops.add(ops.divide(size, pace), ops.multiply(pull, 2.0))
        rows.append((ops.divide(ops.subtract(ops.clip(linear, -l1, l1), linear), quadratic), new, linear))
    return columns(rows)


@register_builtin("optimizers", "ftrl")
class Ftrl(Optimizer):
    """ "Follow the regularized leader": for wide, sparse models, whose weights it can make exactly 0.

    Args:
        learning_rate: a number or a schedule.
        learning_rate_power: exponent of the sum of squares in the rate, 0 or less.
        initial_accumulator_value: where the sums of squares begin.
        l1_regularization_strength: weight of the absolute values, 0 or more.
        l2_regularization_strength: weight of the squares, 0 or more.
        l2_shrinkage_regularization_strength: weight of the squares that is added to the gradient.
        beta: smooths the rate of the first steps.
        **kwargs: `weight_decay`, `clipnorm` and the other arguments of every optimizer.

    Source:
        McMahan et al., "Ad Click Prediction: a View from the Trenches", 2013.

    Example:
        >>> import kerata, numpy as np
        >>> w = kerata.Variable(np.float32(1.0))
        >>> kerata.optimizers.Ftrl(0.1).apply([np.float32(2.0)], [w])
        >>> round(float(w), 4)
        0.7451
    """

    slot_groups = (("accumulator", "linear"),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        self.learning_rate_power = checks.number("learning_rate_power", learning_rate_power, high=0)
        self.initial_accumulator_value = checks.number(
            "initial_accumulator_value", initial_accumulator_value, 0
        )
        self.l1_regularization_strength = checks.number(
            "l1_regularization_strength", l1_regularization_strength, 0
        )
        self.l2_regularization_strength = checks.number(
            "l2_regularization_strength", l2_regularization_strength, 0
        )
        self.l2_shrinkage_regularization_strength = checks.number(
            "l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength, 0
        )
        self.beta = checks.number("beta", beta, 0)

    def make_slot(self, variable: Variable, name: str) -> Variable:
        first = Constant(self.initial_accumulator_value) if name == "accumulator" else "zeros"
        return self.add_variable_from_reference(variable, name, first)

    def update_list(
        self,
        gradients: list[Tensor],
        variables: list[Variable],
        learning_rate: Tensor,
        slots: list[list[Variable]],
    ) -> None:
        self._run(
            ftrl, variables, slots, gradients, learning_rate, self.learning_rate_power, self.l1_regularization_strength,
            self.l2_regularization_strength, self.l2_shrinkage_regularization_strength, self.beta,
        )  # fmt: skip
