"""Lion: steps of equal size."""

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
def lion(
    values: Tensors, gradients: Tensors, momentums: Tensors, rate: TensorLike, beta_1: float, beta_2: float
) -> list[list[Tensor]]:  # fmt: skip
    """Chen et al. (2023), program 1."""
    rows = []
    for x, g, m in zip(values, gradients, momentums, strict=True):
        g = like(g, x)
        rows.append(
            (ops.subtract(x, ops.multiply(ops.sign(mix(m, g, beta_1)), like(rate, x))), mix(m, g, beta_2))
        )
    return columns(rows)


@register_builtin("optimizers", "lion")
class Lion(Optimizer):
    """Lion: steps of the size of the learning rate, in the direction of the sign of an average of gradients.

    Args:
        learning_rate: a number or a schedule.
        beta_1: how much of the average goes into the direction.
        beta_2: how much of the average is kept.
        **kwargs: `weight_decay`, `clipnorm` and the other arguments of every optimizer.

    Source:
        Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023.

    Example:
        >>> import kerata, numpy as np
        >>> w = kerata.Variable(np.float32(1.0))
        >>> kerata.optimizers.Lion(0.1).apply([np.float32(2.0)], [w])
        >>> round(float(w), 4)
        0.9
    """

    slot_groups = (("momentum",),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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

    def update_list(
        self,
        gradients: list[Tensor],
        variables: list[Variable],
        learning_rate: Tensor,
        slots: list[list[Variable]],
    ) -> None:
        self._run(lion, variables, slots, gradients, learning_rate, self.beta_1, self.beta_2)
