"""Gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

from kerata.core import checks
from kerata.core.registry import register_builtin
from kerata.core.variable import Variable

from . import updates
from .optimizer import Optimizer

Tensor = Any


@register_builtin("optimizers", "sgd")
class SGD(Optimizer):
    """Gradient descent: `x - rate * g`; with momentum `m = momentum * m - rate * g`, `x + m`.

    Args:
        learning_rate: a number or a schedule.
        momentum: how much of the last step is taken again, in [0, 1].
        nesterov: whether the gradient's step is taken ahead, from where the momentum leads (Nesterov, 1983).
        **kwargs: `weight_decay`, `clipnorm` and the other arguments of every optimizer.

    Source:
        Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.

    Example:
        >>> import kerata, numpy as np
        >>> w = kerata.Variable(np.float32(1.0))
        >>> kerata.optimizers.SGD(0.1).apply([np.float32(2.0)], [w])
        >>> round(float(w), 4)
        0.8
    """

    slot_groups: tuple[tuple[str, ...], ...] = ()

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        self.momentum = checks.number("momentum", momentum, 0, 1)
        self.nesterov = bool(nesterov)
        if momentum:
            self.slot_groups = (("momentum",),)

    def update_list(
        self,
        gradients: list[Tensor],
        variables: list[Variable],
        learning_rate: Tensor,
        slots: list[list[Variable]],
    ) -> None:
        if not self.momentum:
            self._run(updates.sgd, variables, slots, gradients, learning_rate)
            return
        self._run(
            updates.sgd_momentum, variables, slots, gradients, learning_rate, self.momentum, self.nesterov
        )
