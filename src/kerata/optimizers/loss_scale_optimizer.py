"""Scaling of the loss, against gradients too small for float16."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from kerata import ops
from kerata.core import checks
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin
from kerata.core.serialization import deserialize_keras_object, serialize_keras_object
from kerata.core.variable import Variable

from .optimizer import Optimizer

Tensor = Any


@register_builtin("optimizers", "loss_scale_optimizer", "lossscaleoptimizer")
class LossScaleOptimizer(Optimizer):
    """Trains another optimizer on a scaled loss, and finds the scale.

    The loss is multiplied by the scale, and gradients divided by it, so that small gradients do not vanish
    in float16. A step whose gradients are not finite is left out and halves the scale; a number of good
    steps in a row doubles it.

    Args:
        inner_optimizer: the optimizer that updates.
        initial_scale: the first scale.
        dynamic_growth_steps: how many good steps in a row double the scale.
        name: name of the optimizer.

    Source:
        Micikevicius et al., "Mixed Precision Training", 2018, section 3.2.

    Example:
        >>> import kerata, numpy as np
        >>> w = kerata.Variable(np.float32(1.0))
        >>> optimizer = kerata.optimizers.LossScaleOptimizer(kerata.optimizers.SGD(0.1), initial_scale=4.0)
        >>> optimizer.build([w])
        >>> optimizer.apply([np.float32(8.0)])
        >>> round(float(w), 4)
        0.8
    """

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(inner_optimizer, Optimizer):
            raise ArgumentError("inner_optimizer", expected="an optimizer", got=inner_optimizer)
        super().__init__(learning_rate=0.0, name=name, **kwargs)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = checks.number("initial_scale", initial_scale, 0)
        self.dynamic_growth_steps = checks.positive_int("dynamic_growth_steps", dynamic_growth_steps)
        self.step_counter = self.add_variable((), "zeros", "int32", name="step_counter")
        self.dynamic_scale = self.add_variable(
            (), lambda shape, dtype: self.initial_scale, "float32", name="dynamic_scale"
        )

    @property
    def variables(self) -> list[Variable]:
        return super().variables + self.inner_optimizer.variables

    @property  # type: ignore[misc]
    def iterations(self) -> Any:
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    def build(self, variables: Sequence[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self.inner_optimizer.build(variables)

    def _move(self, engine: Any) -> None:
        super()._move(engine)
        self.inner_optimizer._move(engine)

    def scale_loss(self, loss: Tensor) -> Tensor:
        """The loss times the scale."""
        return ops.multiply(loss, ops.cast(self.dynamic_scale.raw(), ops.dtype(loss)))

    def check_finite(self, grads: Sequence[Tensor]) -> Tensor:
        """Whether all gradients are finite."""
        finite = [ops.all(ops.isfinite(g)) for g in grads]
        return finite[0] if len(finite) == 1 else ops.all(ops.stack(finite))

    def _apply(self, grads: list[Tensor], variables: list[Variable]) -> None:
        finite = self.check_finite(grads)
        inner = self.inner_optimizer
        scale = self.dynamic_scale.raw()

        def update() -> None:
            inner.apply([ops.divide(g, ops.cast(scale, ops.dtype(g))) for g in grads], variables)

        self._where(finite, [*variables, *inner.variables], update)
        good = ops.add(self.step_counter.raw(), 1)
        grown = ops.equal(good, self.dynamic_growth_steps)
        doubled = ops.where(grown, ops.multiply(scale, 2.0), scale)
        self.dynamic_scale.assign(ops.where(finite, doubled, ops.multiply(scale, 0.5)))
        restart = ops.logical_or(grown, ops.logical_not(finite))
        self.step_counter.assign(ops.where(restart, ops.zeros_like(good), good))

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """An optimizer from what `get_config` gave."""
        config = dict(config)
        inner = deserialize_keras_object(config.pop("inner_optimizer"), custom_objects, kinds=("optimizers",))
        return cls(inner, **config)
