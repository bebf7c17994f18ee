"""RMSprop: steps scaled by a running average of squared gradients."""

from __future__ import annotations

from typing import Any

from kerata.core import checks
from kerata.core.registry import register_builtin
from kerata.core.variable import Variable

from . import updates
from .optimizer import Optimizer

Tensor = Any


@register_builtin("optimizers", "rmsprop")
class RMSprop(Optimizer):
    """RMSprop: `x - rate * g / sqrt(v + epsilon)`, `v` a running average of squared gradients.

    Args:
        learning_rate: a number or a schedule.
        rho: how much of the average is kept at each step.
        momentum: how much of the last step is taken again.
        epsilon: small number against division by zero.
        centered: whether the squared average of gradients is taken off `v`, which leaves their variance.
        **kwargs: `weight_decay`, `clipnorm` and the other arguments of every optimizer.

    Source:
        Tieleman and Hinton, "Lecture 6.5: rmsprop", 2012; centred: Graves, "Generating Sequences with RNNs", 2013.

    Example:
        >>> import kerata, numpy as np
        >>> w = kerata.Variable(np.float32(1.0))
        >>> kerata.optimizers.RMSprop(0.1).apply([np.float32(2.0)], [w])
        >>> round(float(w), 4)
        0.6838
    """

    slot_groups: tuple[tuple[str, ...], ...] = (("velocity",),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.momentum = checks.number("momentum", momentum, 0, 1)
        self.epsilon = checks.number("epsilon", epsilon, 0)
        self.centered = bool(centered)
        if momentum:
            self.slot_groups += (("momentum",),)
        if centered:
            self.slot_groups += (("average_gradient",),)

    def update_list(
        self,
        gradients: list[Tensor],
        variables: list[Variable],
        learning_rate: Tensor,
        slots: list[list[Variable]],
    ) -> None:
        momentums = slots[1] if self.momentum else []
        means = slots[-1] if self.centered else []
        self._run(
            updates.rmsprop, variables, [slots[0], momentums, means], gradients,
            learning_rate, self.rho, self.momentum, self.epsilon,
        )  # fmt: skip
