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
    """An optimizer from a name, a config, a class or an object."""
    return _registry.get("optimizers", identifier, argument="optimizer")


def serialize(optimizer: Any) -> Any:
    """An optimizer as plain data."""
    return _serialize(optimizer)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """An optimizer from its config."""
    return _deserialize(config, custom_objects, kinds=("optimizers",))
