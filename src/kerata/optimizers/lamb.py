"""Lamb: Adam for large batches."""

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
def lamb(
    values: Tensors, gradients: Tensors, momentums: Tensors, velocities: Tensors,
    rate: TensorLike, step: TensorLike, beta_1: float, beta_2: float, epsilon: float,
) -> list[list[Tensor]]:  # fmt: skip
    """You et al. (2020), algorithm 2, without weight decay."""
    step, beta_1, beta_2 = in_precision(values, step, beta_1, beta_2)
    first, second = (lost(beta, step) for beta in (beta_1, beta_2))
    rows = []
    for x, g, m, v in zip(values, gradients, momentums, velocities, strict=True):
        g = like(g, x)
        m, v = mix(m, g, beta_1), mix(v, ops.square(g), beta_2)
        size = ops.add(ops.sqrt(ops.divide(v, like(second, x))), epsilon)
        push = ops.divide(ops.divide(m, like(first, x)), size)
        own, pushed = (ops.sqrt(ops.sum(ops.square(t))) for t in (x, push))
        trust = ops.where(
            ops.logical_and(ops.greater(own, 0), ops.greater(pushed, 0)), ops.divide_no_nan(own, pushed), 1.0
        )
        rows.append((ops.subtract(x, ops.multiply(push, ops.multiply(like(trust, x), like(rate, x)))), m, v))
    return columns(rows)


@register_builtin("optimizers", "lamb")
class Lamb(Optimizer):
    """Lamb: Adam's step with, for each variable, the norm of that variable.

    Args:
        learning_rate: a number or a schedule.
        beta_1: decay of the average of gradients.
        beta_2: decay of the average of their sizes.
        epsilon: small number against division by zero.
        **kwargs: `weight_decay`, `clipnorm` and the other arguments of every optimizer.

    Source:
        You et al., "Large Batch Optimization for Deep Learning", 2020.

    Example:
        >>> import kerata, numpy as np
        >>> w = kerata.Variable(np.float32(1.0))
        >>> kerata.optimizers.Lamb(0.1).apply([np.float32(2.0)], [w])
        >>> round(float(w), 4)
        0.9
    """

    slot_groups = (("momentum", "velocity"),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
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
        self.beta_1 = checks.number("beta_1", beta_1, 0, 1)
        self.beta_2 = checks.number("beta_2", beta_2, 0, 1)
        self.epsilon = checks.number("epsilon", epsilon, 0)

    def update_list(
        self,
        gradients: list[Tensor],
        variables: list[Variable],
        learning_rate: Tensor,
        slots: list[list[Variable]],
    ) -> None:
        self._run(
            lamb,
            variables,
            slots,
            gradients,
            learning_rate,
            self._step(),
            self.beta_1,
            self.beta_2,
            self.epsilon,
        )
