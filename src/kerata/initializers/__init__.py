"""Initializers: first values of weights."""

from typing import Any

from kerata.core import registry as _registry
from kerata.core.dispatch import is_tensor as _is_tensor
from kerata.core.serialization import deserialize_kind as _deserialize
from kerata.core.serialization import serialize_keras_object as _serialize

from .constant_initializers import STFT as STFT
from .constant_initializers import Constant as Constant
from .constant_initializers import Identity as Identity
from .constant_initializers import IdentityInitializer as IdentityInitializer
from .constant_initializers import Ones as Ones
from .constant_initializers import STFTInitializer as STFTInitializer
from .constant_initializers import Zeros as Zeros
from .initializer import Initializer as Initializer
from .random_initializers import GlorotNormal as GlorotNormal
from .random_initializers import GlorotUniform as GlorotUniform
from .random_initializers import HeNormal as HeNormal
from .random_initializers import HeUniform as HeUniform
from .random_initializers import LecunNormal as LecunNormal
from .random_initializers import LecunUniform as LecunUniform
from .random_initializers import Orthogonal as Orthogonal
from .random_initializers import OrthogonalInitializer as OrthogonalInitializer
from .random_initializers import RandomNormal as RandomNormal
from .random_initializers import RandomUniform as RandomUniform
from .random_initializers import TruncatedNormal as TruncatedNormal
from .random_initializers import VarianceScaling as VarianceScaling

constant, identity, ones, zeros = Constant, Identity, Ones, Zeros
glorot_normal, glorot_uniform = GlorotNormal, GlorotUniform
he_normal, he_uniform = HeNormal, HeUniform
lecun_normal, lecun_uniform = LecunNormal, LecunUniform
orthogonal, stft = Orthogonal, STFT
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling = VarianceScaling

__all__ = ["deserialize", "get", "serialize"]


def get(identifier: Any) -> Any:
    """An initializer from a name, a config, a class, a callable, an array, or None.

    Args:
        identifier: a name, a config, a class, a callable, an array, or None, which is given back.

    Raises:
        ArgumentError: no object of that kind has the name; the nearest names are told.

    Example:
        >>> import kerata
        >>> type(kerata.initializers.get('he_normal')).__name__
        'HeNormal'
    """
    if _is_tensor(identifier):
        return Constant(identifier)
    return _registry.get("initializers", identifier, argument="initializer")


def serialize(initializer: Any) -> Any:
    """An initializer as plain data.

    Args:
        initializer: the object.

    Returns:
        A dict with `class_name` and `config`, from which `deserialize` makes such an object again.

    Example:
        >>> import kerata
        >>> data = kerata.initializers.serialize(kerata.initializers.HeNormal())
        >>> data["class_name"]
        'HeNormal'
    """
    return _serialize(initializer)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """An initializer from its config.

    Args:
        config: what `serialize` gave, or a name.
        custom_objects: name -> class or function of yours that the config may name.

    Raises:
        ArgumentError: the config names what is in no table.

    Example:
        >>> import kerata
        >>> data = kerata.initializers.serialize(kerata.initializers.HeNormal())
        >>> type(kerata.initializers.deserialize(data)).__name__
        'HeNormal'
    """
    return _deserialize("initializers", config, custom_objects, argument="initializer")
