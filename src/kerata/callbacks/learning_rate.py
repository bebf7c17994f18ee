"""The learning rate of a model, read and set the same way by every callback that does."""

from __future__ import annotations

from typing import Any

from kerata.core.errors import StateError


def learning_rate(model: Any) -> float:
    """The current learning rate.

    Raises:
        StateError: if the model has no optimizer with a learning rate.
    """
    return float(_optimizer(model).learning_rate)


def set_learning_rate(model: Any, value: float) -> None:
    """Sets it."""
    _optimizer(model).learning_rate = value


def _optimizer(model: Any) -> Any:
    optimizer = getattr(model, "optimizer", None)
    if not hasattr(optimizer, "learning_rate"):
        raise StateError(
            'The model has no optimizer with a "learning_rate" attribute. Call `compile` with an optimizer first.'
        )
    return optimizer
