"""The optimizers, and schedules of their learning rates."""

from typing import Any

from kerata.core import registry as _registry
from kerata.core.serialization import deserialize_keras_object as _deserialize
from kerata.core.serialization import serialize_keras_object as _serialize

from . import schedules as schedules
from .adadelta import Adadelta as Adadelta
from .adafactor import Adafactor as Adafactor
from .adagrad import Adagrad as Adagrad
from .adam import Adam as Adam
from .adam_w import AdamW as AdamW
from .adamax import Adamax as Adamax
from .ftrl import Ftrl as Ftrl
from .lamb import Lamb as Lamb
from .lion import Lion as Lion
from .loss_scale_optimizer import LossScaleOptimizer as LossScaleOptimizer
from .muon import Muon as Muon
from .nadam import Nadam as Nadam
from .optimizer import Optimizer as Optimizer
from .rmsprop import RMSprop as RMSprop
from .schedule_free_adam_w import ScheduleFreeAdamW as ScheduleFreeAdamW
from .sgd import SGD as SGD

__all__ = ["deserialize", "get", "serialize"]


def get(identifier: Any) -> Any:
    """An optimizer from a name, a config, a class or an object.

    Args:
        identifier: a name, a config, a class or an object.

    Raises:
        ArgumentError: no object of that kind has the name; the nearest names are told.

    Example:
        >>> import kerata
        >>> type(kerata.optimizers.get('adam')).__name__
        'Adam'
    """
    return _registry.get("optimizers", identifier, argument="optimizer")


def serialize(optimizer: Any) -> Any:
    """An optimizer as plain data.

    Args:
        optimizer: the object.

    Returns:
        A dict with `class_name` and `config`, from which `deserialize` makes such an object again.

    Example:
        >>> import kerata
        >>> data = kerata.optimizers.serialize(kerata.optimizers.Adam())
        >>> data["class_name"]
        'Adam'
    """
    return _serialize(optimizer)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """An optimizer from its config.

    Args:
        config: what `serialize` gave, or a name.
        custom_objects: name -> class or function of yours that the config may name.

    Raises:
        ArgumentError: the config names what is in no table.

    Example:
        >>> import kerata
        >>> data = kerata.optimizers.serialize(kerata.optimizers.Adam())
        >>> type(kerata.optimizers.deserialize(data)).__name__
        'Adam'
    """
    return _deserialize(config, custom_objects, kinds=("optimizers",))
