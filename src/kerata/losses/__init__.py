"""The losses: classes for `compile`, functions that give one number for each sample."""

from typing import Any

from kerata.core import registry as _registry
from kerata.core.serialization import deserialize_kind as _deserialize
from kerata.core.serialization import serialize_keras_object as _serialize

from .binary_crossentropy import BinaryCrossentropy as BinaryCrossentropy
from .binary_crossentropy import binary_crossentropy as binary_crossentropy
from .binary_focal_crossentropy import BinaryFocalCrossentropy as BinaryFocalCrossentropy
from .binary_focal_crossentropy import binary_focal_crossentropy as binary_focal_crossentropy
from .categorical_crossentropy import CategoricalCrossentropy as CategoricalCrossentropy
from .categorical_crossentropy import categorical_crossentropy as categorical_crossentropy
from .categorical_focal_crossentropy import CategoricalFocalCrossentropy as CategoricalFocalCrossentropy
from .categorical_focal_crossentropy import categorical_focal_crossentropy as categorical_focal_crossentropy
from .categorical_generalized_cross_entropy import (
    CategoricalGeneralizedCrossEntropy as CategoricalGeneralizedCrossEntropy,
)
from .categorical_generalized_cross_entropy import (
    categorical_generalized_cross_entropy as categorical_generalized_cross_entropy,
)
from .circle import Circle as Circle
from .circle import circle as circle
from .cosine_similarity import CosineSimilarity as CosineSimilarity
from .cosine_similarity import cosine_similarity as cosine_similarity
from .ctc import CTC as CTC
from .ctc import ctc as ctc
from .hinge import CategoricalHinge as CategoricalHinge
from .hinge import Hinge as Hinge
from .hinge import SquaredHinge as SquaredHinge
from .hinge import categorical_hinge as categorical_hinge
from .hinge import hinge as hinge
from .hinge import squared_hinge as squared_hinge
from .huber import Huber as Huber
from .huber import huber as huber
from .kl_divergence import KLDivergence as KLDivergence
from .kl_divergence import kl_divergence as kl_divergence
from .log_cosh import LogCosh as LogCosh
from .log_cosh import log_cosh as log_cosh
from .loss import Loss as Loss
from .mean_absolute_error import MeanAbsoluteError as MeanAbsoluteError
from .mean_absolute_error import mean_absolute_error as mean_absolute_error
from .mean_absolute_percentage_error import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from .mean_absolute_percentage_error import mean_absolute_percentage_error as mean_absolute_percentage_error
from .mean_squared_error import MeanSquaredError as MeanSquaredError
from .mean_squared_error import mean_squared_error as mean_squared_error
from .mean_squared_logarithmic_error import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError
from .mean_squared_logarithmic_error import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from .overlap import Dice as Dice
from .overlap import Tversky as Tversky
from .overlap import dice as dice
from .overlap import tversky as tversky
from .poisson import Poisson as Poisson
from .poisson import poisson as poisson
from .sparse_categorical_crossentropy import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
from .sparse_categorical_crossentropy import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)

__all__ = ["deserialize", "get", "serialize"]


def get(identifier: Any) -> Any:
    """A loss from a name, a config, a class, a function or an object.

    Args:
        identifier: a name, a config, a class, a function or an object.

    Raises:
        ArgumentError: no object of that kind has the name; the nearest names are told.

    Example:
        >>> import kerata
        >>> type(kerata.losses.get('MeanSquaredError')).__name__
        'MeanSquaredError'
    """
    return _registry.get("losses", identifier, argument="loss")


def serialize(loss: Any) -> Any:
    """A loss as plain data.

    Args:
        loss: the object.

    Returns:
        A dict with `class_name` and `config`, from which `deserialize` makes such an object again.

    Example:
        >>> import kerata
        >>> data = kerata.losses.serialize(kerata.losses.MeanSquaredError())
        >>> data["class_name"]
        'MeanSquaredError'
    """
    return _serialize(loss)


def deserialize(name: Any, custom_objects: Any = None) -> Any:
    """A loss from its config.

    Args:
        name: what `serialize` gave, or a name.
        custom_objects: name -> class or function of yours that the config may name.

    Raises:
        ArgumentError: the config names what is in no table.

    Example:
        >>> import kerata
        >>> data = kerata.losses.serialize(kerata.losses.MeanSquaredError())
        >>> type(kerata.losses.deserialize(data)).__name__
        'MeanSquaredError'
    """
    return _deserialize("losses", name, custom_objects, argument="loss")
