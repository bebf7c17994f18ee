"""Adam with weight decay."""

from __future__ import annotations

from typing import Any

from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin

from .adam import Adam


@register_builtin("optimizers", "adamw", "adam_w")
class AdamW(Adam):
    """Adam whose variables shrink by `rate * weight_decay` at each step, apart from the gradient.

    Args:
        learning_rate: a number or a schedule.
        weight_decay: fraction of the learning rate by which variables shrink.
        beta_1: decay of the average of gradients.
        beta_2: decay of the average of their squares.
        epsilon: small number against division by zero.
        amsgrad: whether the largest average of squares so far is used.
        **kwargs: `clipnorm` and the other arguments of every optimizer.

    Source:
        Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.

    Example:
        >>> import kerata, numpy as np
        >>> w = kerata.Variable(np.float32(1.0))
        >>> kerata.optimizers.AdamW(0.1, weight_decay=0.5).apply([np.float32(2.0)], [w])
        >>> round(float(w), 4)
        0.85
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        if weight_decay is None:
            raise ArgumentError(
                "weight_decay", expected="a number", got=None, fix="Without weight decay, use Adam."
            )
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema,
            ema_momentum, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
