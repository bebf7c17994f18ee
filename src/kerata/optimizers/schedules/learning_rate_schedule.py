"""The base class of learning-rate schedules."""

from __future__ import annotations

from typing import Any, Self

from kerata import ops
from kerata.core import checks
from kerata.core.errors import ArgumentError, StateError
from kerata.core.serialization import serialize_keras_object
from kerata.core.signature import init_parameters

Tensor = Any


class LearningRateSchedule:
    """A learning rate that depends on the iteration. Subclasses define `__call__(step)`.

    Example:
        >>> import kerata
        >>> class Halving(kerata.optimizers.schedules.LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.1 * 0.5 ** kerata.ops.cast(step, "float32")
        >>> round(float(Halving()(1)), 4)
        0.05
    """

    def __call__(self, step: Tensor) -> Tensor:
        raise StateError(f"The schedule class {type(self).__name__} must define `__call__(self, step)`.")

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__` that make such a schedule again, as plain data."""
        return {name: serialize_keras_object(getattr(self, name)) for name in init_parameters(type(self))}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A schedule from what `get_config` gave."""
        return cls(**config)


def as_step(step: Any) -> Tensor:
    """The iteration as float32."""
    return ops.cast(ops.convert_to_tensor(step), "float32")


def positive(argument: str, value: Any) -> float:
    """A number above 0."""
    if checks.number(argument, value) <= 0:
        raise ArgumentError(argument, expected="a number above 0", got=value)
    return value
