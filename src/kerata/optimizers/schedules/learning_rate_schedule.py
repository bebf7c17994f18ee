"""The base class of learning-rate schedules."""

from __future__ import annotations

from typing import Any, Self

from kerata.core.errors import StateError

Tensor = Any


class LearningRateSchedule:
    """A learning rate that depends on the iteration. Subclasses define `__call__(step)`."""

    def __call__(self, step: Tensor) -> Tensor:
        raise StateError(f"The schedule class {type(self).__name__} must define `__call__(self, step)`.")

    def get_config(self) -> dict[str, Any]:
        raise StateError(f"The schedule class {type(self).__name__} must define `get_config`.")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config)
