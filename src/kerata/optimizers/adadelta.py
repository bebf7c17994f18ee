"""Adadelta: steps in the unit of the variable."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.registry import register_builtin
from kerata.core.variable import Variable

from .optimizer import Optimizer
from .updates import TensorLike, Tensors, columns, like, mix, update_op

Tensor = Any


@update_op
def adadelta(
    values: Tensors, gradients: Tensors, squares: Tensors, changes: Tensors, rate: TensorLike, rho: float, epsilon: float
) -> list[list[Tensor]]:  # fmt: skip
    """Zeiler (2012), algorithm 1."""
    rows = []
    for x, g, square, change in zip(values, gradients, squares, changes, strict=True):
        g = like(g, x)
        square = mix(square, ops.square(g), rho)
        step = ops.divide(
            ops.multiply(ops.sqrt(ops.add(change, epsilon)), g), ops.sqrt(ops.add(square, epsilon))
        )
        rows.append(
            (ops.subtract(x, ops.multiply(step, like(rate, x))), square, mix(change, ops.square(step), rho))
        )
    return columns(rows)


@register_builtin("optimizers", "adadelta")
class Adadelta(Optimizer):
    """Adadelta: steps scaled by averages of squared gradients and of squared changes.

    Args:
        learning_rate: a number or a schedule.
        rho: how much of the averages is kept at each step.
        epsilon: small number against division by zero.
        **kwargs: `weight_decay`, `clipnorm` and the other arguments of every optimizer.

    Source:
        Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012.

    Example:
        >>> import kerata, numpy as np
        >>> w = kerata.Variable(np.float32(1.0))
        >>> kerata.optimizers.Adadelta(1.0).apply([np.float32(2.0)], [w])
        >>> round(float(w), 4)
        0.9986
    """

    slot_groups = (("accumulated_grad", "accumulated_delta_var"),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
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
        self.rho = checks.number("rho", rho, 0, 1)
        self.epsilon = checks.number("epsilon", epsilon, 0)

    def update_list(
        self,
        gradients: list[Tensor],
        variables: list[Variable],
        learning_rate: Tensor,
        slots: list[list[Variable]],
    ) -> None:
        self._run(adadelta, variables, slots, gradients, learning_rate, self.rho, self.epsilon)
