"""Learning rates as functions of the number of the step."""

from typing import Any

from kerata.core.serialization import deserialize_keras_object as _deserialize
from kerata.core.serialization import serialize_keras_object as _serialize

from .cosine_decay import CosineDecay as CosineDecay
from .cosine_decay_restarts import CosineDecayRestarts as CosineDecayRestarts
from .exponential_decay import ExponentialDecay as ExponentialDecay
from .inverse_time_decay import InverseTimeDecay as InverseTimeDecay
from .learning_rate_schedule import LearningRateSchedule as LearningRateSchedule
from .piecewise_constant_decay import PiecewiseConstantDecay as PiecewiseConstantDecay
from .polynomial_decay import PolynomialDecay as PolynomialDecay

__all__ = ["deserialize", "serialize"]


def serialize(learning_rate_schedule: Any) -> Any:
    """A schedule as plain data.

    Args:
        learning_rate_schedule: the schedule.

    Returns:
        A dict with `class_name` and `config`, from which `deserialize` makes such a schedule again.

    Example:
        >>> import kerata
        >>> schedule = kerata.optimizers.schedules.CosineDecay(0.1, 100)
        >>> kerata.optimizers.schedules.serialize(schedule)["config"]["decay_steps"]
        100
    """
    return _serialize(learning_rate_schedule)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """A schedule from its config.

    Args:
        config: what `serialize` gave.
        custom_objects: name -> class of yours that the config may name.

    Raises:
        ArgumentError: the config names what is in no table.

    Example:
        >>> import kerata
        >>> schedule = kerata.optimizers.schedules.CosineDecay(0.1, 100)
        >>> data = kerata.optimizers.schedules.serialize(schedule)
        >>> kerata.optimizers.schedules.deserialize(data).decay_steps
        100
    """
    return _deserialize(config, custom_objects, kinds=("schedules",))
