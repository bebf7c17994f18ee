"""Adam: adaptive moments."""

from __future__ import annotations

from typing import Any

from kerata.core import checks
from kerata.core.registry import register_builtin
from kerata.core.variable import Variable

from . import updates
from .optimizer import Optimizer

Tensor = Any


@register_builtin("optimizers", "adam")
class Adam(Optimizer):
    """Adam: steps scaled by running averages of the gradient and of its square.

    With `m = b1 m + (1 - b1) g` and `v = b2 v + (1 - b2) g**2`, a step is
    `-rate * sqrt(1 - b2**t) / (1 - b1**t) * m / (sqrt(v) + epsilon)`.

    Args:
        learning_rate: a number or a schedule.
        beta_1: decay of the average of gradients.
        beta_2: decay of the average of their squares.
        epsilon: small number against division by zero ("epsilon hat" of the paper).
        amsgrad: whether the largest average of squares so far is used.
        **kwargs: `weight_decay`, `clipnorm` and the other arguments of every optimizer.

    Source:
        Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2014, algorithm 1 and section 2.

    Example:
        >>> import kerata, numpy as np
        >>> w = kerata.Variable(np.float32(1.0))
        >>> kerata.optimizers.Adam(0.1).apply([np.float32(2.0)], [w])
        >>> round(float(w), 4)
        0.9
    """

    slot_groups: tuple[tuple[str, ...], ...] = (("momentum", "velocity"),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.amsgrad = bool(amsgrad)
        if amsgrad:
            self.slot_groups = (("momentum", "velocity"), ("velocity_hat",))

    def update_list(
        self,
        gradients: list[Tensor],
        variables: list[Variable],
        learning_rate: Tensor,
        slots: list[list[Variable]],
    ) -> None:
        update = updates.amsgrad if self.amsgrad else updates.adam
        self._run(
            update,
            variables,
            slots,
            gradients,
            learning_rate,
            self._step(),
            self.beta_1,
            self.beta_2,
            self.epsilon,
        )
