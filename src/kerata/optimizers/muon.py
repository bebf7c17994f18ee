"""Muon: orthogonal steps for matrices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.core import checks
from kerata.core.registry import register_builtin
from kerata.core.variable import Variable

from . import updates
from .optimizer import Optimizer
from .updates import like

Tensor = Any


@register_builtin("optimizers", "muon")
class Muon(Optimizer):
    """Steps of matrices are made orthogonal; all other variables are left to Adam.

    Args:
        learning_rate: a number or a schedule.
        adam_beta_1: decay of Adam's average of gradients.
        adam_beta_2: decay of Adam's average of their squares.
        adam_weight_decay: weight decay of Adam's variables.
        epsilon: small number against division by zero.
        weight_decay: weight decay of the matrices.
        exclude_layers: patterns; a matrix whose path one of them finds is left to Adam.
        exclude_embeddings: whether embeddings are left to Adam.
        muon_a: first coefficient of the iteration that makes a matrix orthogonal.
        muon_b: its second.
        muon_c: its third.
        adam_lr_ratio: factor of the rate for Adam's variables.
        momentum: how much of the sum of gradients is kept.
        ns_steps: number of iterations.
        nesterov: whether the momentum looks ahead.
        rms_rate: root mean square of a step, relative to the rate; None: as it comes.
        **kwargs: `clipnorm` and the other arguments of every optimizer.

    Source:
        Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024;
        `rms_rate`: Liu et al., "Muon is Scalable for LLM Training", 2025.

    Example:
        >>> import kerata, numpy as np
        >>> w = kerata.Variable(np.float32(1.0))
        >>> kerata.optimizers.Muon(0.1, adam_weight_decay=None).apply([np.float32(2.0)], [w])
        >>> round(float(w), 4)
        0.9
    """

    slot_groups = (("momentum", "velocity"),)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs,
        )  # fmt: skip
        self.adam_beta_1 = checks.number("adam_beta_1", adam_beta_1, 0, 1)
        self.adam_beta_2 = checks.number("adam_beta_2", adam_beta_2, 0, 1)
        self.adam_weight_decay = (
            None if adam_weight_decay is None else checks.number("adam_weight_decay", adam_weight_decay, 0)
        )
        self.epsilon = checks.number("epsilon", epsilon, 0)
        self.exclude_layers = checks.several("exclude_layers", exclude_layers or (), "a list of patterns")
        self.exclude_embeddings = exclude_embeddings
        self.muon_a, self.muon_b, self.muon_c = muon_a, muon_b, muon_c
        self.adam_lr_ratio = checks.number("adam_lr_ratio", adam_lr_ratio, 0)
        self.momentum = checks.number("momentum", momentum, 0, 1)
        self.ns_steps = checks.natural("ns_steps", ns_steps)
        self.nesterov, self.rms_rate = bool(nesterov), rms_rate

    def _left_to_adam(self, variable: Variable) -> bool:
        if len(variable.shape) != 2 or (self.exclude_embeddings and "embedding" in variable.path.lower()):
            return True
        return any(re.search(pattern, variable.path) for pattern in self.exclude_layers)

    def make_slot(self, variable: Variable, name: str) -> Variable:
        if name == "velocity" and not self._left_to_adam(variable):
            return variable  # a matrix has none: the place is never read
        return super().make_slot(variable, name)

    def _decay(self, variables: list[Variable], rate: Tensor) -> None:
        """Each kind with its own decay, in `update_list`."""

    def update_list(
        self,
        gradients: list[Tensor],
        variables: list[Variable],
        learning_rate: Tensor,
        slots: list[list[Variable]],
    ) -> None:
        rows: tuple[list[Any], list[Any]] = ([], [])
        for row in zip(variables, gradients, *slots, strict=True):
            rows[self._left_to_adam(row[0])].append(row)
        matrices, others = rows
        if others:
            own, grads, momentums, velocities = (list(column) for column in zip(*others, strict=True))
            rate = ops.multiply(learning_rate, float(self.adam_lr_ratio))
            self._shrink(own, learning_rate, self.adam_weight_decay)
            self._run(
                updates.adam, own, [momentums, velocities], grads, rate, self._step(), self.adam_beta_1, self.adam_beta_2,
                self.epsilon,
            )  # fmt: skip
        if matrices:
            self._shrink([row[0] for row in matrices], learning_rate, self.weight_decay)
        for x, g, momentum, _ in matrices:
            self._update_matrix(x, like(g, x.raw()), momentum, learning_rate)

    def _shrink(self, variables: list[Variable], rate: Tensor, amount: float | None) -> None:
        for v in variables if amount else ():
            if id(v) not in self._no_decay:
                v.assign(updates.decay([v.raw()], rate, amount)[0])

    def _update_matrix(self, x: Variable, g: Tensor, momentum: Variable, rate: Tensor) -> None:
        total = momentum.assign(ops.add(ops.multiply(momentum.raw(), self.momentum), g))
        push = ops.add(g, ops.multiply(total, self.momentum)) if self.nesterov else total
        push = self.lr_adjust(self.zeropower_via_newtonschulz5(push, self.ns_steps))
        x.assign(ops.subtract(x.raw(), ops.multiply(push, like(rate, push))))

    def zeropower_via_newtonschulz5(self, x: Tensor, steps: int) -> Tensor:
        """A matrix made nearly orthogonal, by a Newton-Schulz iteration of degree 5."""
        rows, columns = ops.shape(x)
        tall = rows > columns
        x = ops.transpose(x) if tall else x
        x = ops.divide(x, ops.add(ops.sqrt(ops.sum(ops.square(x))), 1e-7))
        for _ in range(steps):
            square = ops.matmul(x, ops.transpose(x))
            mixed = ops.add(
                ops.multiply(square, self.muon_b), ops.multiply(ops.matmul(square, square), self.muon_c)
            )
            x = ops.add(ops.multiply(x, self.muon_a), ops.matmul(mixed, x))
        return ops.transpose(x) if tall else x

    def lr_adjust(self, x: Tensor) -> Tensor:
        """A step scaled to the root mean square `rms_rate`."""
        return x if self.rms_rate is None else ops.multiply(x, self.rms_rate * max(ops.shape(x)) ** 0.5)
