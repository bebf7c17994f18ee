"""Learning-rate schedules."""

from typing import Any

from kerata.core.serialization import deserialize_keras_object as _deserialize
from kerata.core.serialization import serialize_keras_object as serialize

from .learning_rate_schedule import LearningRateSchedule as LearningRateSchedule

__all__ = ["deserialize", "serialize"]


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """A schedule from its config."""
    return _deserialize(config, custom_objects, kinds=("schedules",))
