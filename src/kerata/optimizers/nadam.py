"""Nadam: Adam that looks ahead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.registry import register_builtin
from kerata.core.variable import Variable, update_all

from .optimizer import Optimizer
from .updates import TensorLike, Tensors, columns, in_precision, like, lost, mix, update_op

Tensor = Any


def momentum_coefficient(step: Tensor, beta_1: float) -> Tensor:
    """Dozat's warm-up of the momentum."""
    return ops.multiply(ops.subtract(1.0, ops.multiply(ops.power(0.96, step), 0.5)), beta_1)


@update_op
def nadam(
    values: Tensors, gradients: Tensors, momentums: Tensors, velocities: Tensors,
    rate: TensorLike, step: TensorLike, product: TensorLike, beta_1: float, beta_2: float, epsilon: float,
) -> list[list[Tensor]]:  # fmt: skip
    """Dozat (2016); `product` is that of the momentum coefficients up to this step."""
    step, beta_1, beta_2 = in_precision(values, step, beta_1, beta_2)
    now, ahead = momentum_coefficient(step, beta_1), momentum_coefficient(ops.add(step, 1.0), beta_1)
    of_momentum = ops.divide(ops.multiply(rate, ahead), ops.subtract(1.0, ops.multiply(product, ahead)))
    of_gradient = ops.divide(ops.multiply(rate, ops.subtract(1.0, now)), ops.subtract(1.0, product))
    correction = lost(beta_2, step)
    rows = []
    for x, g, m, v in zip(values, gradients, momentums, velocities, strict=True):
        g = like(g, x)
        m, v = mix(m, g, beta_1), mix(v, ops.square(g), beta_2)
        push = ops.add(ops.multiply(m, like(of_momentum, x)), ops.multiply(g, like(of_gradient, x)))
        size = ops.add(ops.sqrt(ops.divide(v, like(correction, x))), epsilon)
        rows.append((ops.subtract(x, ops.divide(push, size)), m, v))
    return columns(rows)


@register_builtin("optimizers", "nadam")
class Nadam(Optimizer):
    """Nadam: Adam with Nesterov's momentum.

    Args:
        learning_rate: a number or a schedule.
        beta_1: decay of the average of gradients.
        beta_2: decay of the average of their sizes.
        epsilon: small number against division by zero.
        **kwargs: `weight_decay`, `clipnorm` and the other arguments of every optimizer.

    Source:
        Dozat, "Incorporating Nesterov Momentum into Adam", 2016.

    Example:
        >>> import kerata, numpy as np
        >>> w = kerata.Variable(np.float32(1.0))
        >>> kerata.optimizers.Nadam(0.1).apply([np.float32(2.0)], [w])
        >>> round(float(w), 4)
        0.8937
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

    def build(self, variables: Sequence[Variable]) -> None:
        if not self.built:
            super().build(variables)
            self._product = self.add_variable((), "ones", "float32")

    def _begin_update(self) -> None:
        coefficient = momentum_coefficient(self._step(), self.beta_1)
        update_all([self._product], [ops.multiply(self._product.raw(), coefficient)])

    def update_list(
        self,
        gradients: list[Tensor],
        variables: list[Variable],
        learning_rate: Tensor,
        slots: list[list[Variable]],
    ) -> None:
        self._run(
            nadam,
            variables,
            slots,
            gradients,
            learning_rate,
            self._step(),
            self._product.raw(),
            self.beta_1,
            self.beta_2,
            self.epsilon,
        )
