"""Activation functions, and how they are found by name and written down."""

from typing import Any

from kerata.core import registry as _registry
from kerata.core.serialization import deserialize_keras_object as _deserialize
from kerata.core.serialization import serialize_keras_object as _serialize
from kerata.ops import celu as celu
from kerata.ops import elu as elu
from kerata.ops import glu as glu
from kerata.ops import hard_shrink as hard_shrink
from kerata.ops import hard_sigmoid as hard_sigmoid
from kerata.ops import hard_silu as hard_silu
from kerata.ops import hard_swish as hard_swish
from kerata.ops import hard_tanh as hard_tanh
from kerata.ops import leaky_relu as leaky_relu
from kerata.ops import log_sigmoid as log_sigmoid
from kerata.ops import log_softmax as log_softmax
from kerata.ops import relu6 as relu6
from kerata.ops import selu as selu
from kerata.ops import sigmoid as sigmoid
from kerata.ops import silu as silu
from kerata.ops import soft_shrink as soft_shrink
from kerata.ops import softmax as softmax
from kerata.ops import softplus as softplus
from kerata.ops import softsign as softsign
from kerata.ops import sparse_plus as sparse_plus
from kerata.ops import sparse_sigmoid as sparse_sigmoid
from kerata.ops import sparsemax as sparsemax
from kerata.ops import squareplus as squareplus
from kerata.ops import swish as swish
from kerata.ops import tanh as tanh
from kerata.ops import tanh_shrink as tanh_shrink
from kerata.ops import threshold as threshold

from .activation_functions import exponential as exponential
from .activation_functions import gelu as gelu
from .activation_functions import linear as linear
from .activation_functions import mish as mish
from .activation_functions import relu as relu

__all__ = ["deserialize", "get", "serialize"]


def get(identifier: Any) -> Any:
    """An activation from a name, a config or a function; `linear` for None.

    Args:
        identifier: a name, a config, a function, or None for `linear`.

    Raises:
        ArgumentError: no activation has that name; the nearest names are told.

    Example:
        >>> import kerata
        >>> float(kerata.activations.get("relu")(-2.0))
        0.0
    """
    if identifier is None:
        return linear
    return _registry.get("activations", identifier, argument="activation")


def serialize(activation: Any) -> Any:
    """An activation as plain data.

    Args:
        activation: the function.

    Returns:
        Its name, or a config where it has settings.

    Example:
        >>> import kerata
        >>> kerata.activations.serialize(kerata.activations.relu)
        'relu'
    """
    return _serialize(activation)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """An activation from its config, which is its name where it has no settings.

    Args:
        config: what `serialize` gave.
        custom_objects: name -> function of yours that the config may name.

    Raises:
        ArgumentError: no activation has that name.

    Example:
        >>> import kerata
        >>> kerata.activations.deserialize("relu") is kerata.activations.relu
        True
    """
    if isinstance(config, str) and not custom_objects:
        return get(config)
    return _deserialize(config, custom_objects, kinds=("activations",))
