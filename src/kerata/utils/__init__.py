"""Small tools beside training: progress bars, seeds, classes as vectors, sequences as arrays, objects by name."""

from kerata.core.config import disable_interactive_logging as disable_interactive_logging
from kerata.core.config import enable_interactive_logging as enable_interactive_logging
from kerata.core.config import is_interactive_logging_enabled as is_interactive_logging_enabled
from kerata.core.custom_object_scope import CustomObjectScope as CustomObjectScope
from kerata.core.custom_object_scope import custom_object_scope as custom_object_scope
from kerata.core.dtypes import standardize as standardize_dtype
from kerata.core.registry import get_custom_objects as get_custom_objects
from kerata.core.registry import get_registered_name as get_registered_name
from kerata.core.registry import get_registered_object as get_registered_object
from kerata.core.registry import register_keras_serializable as register_keras_serializable
from kerata.core.serialization import deserialize_keras_object as deserialize_keras_object
from kerata.core.serialization import serialize_keras_object as serialize_keras_object
from kerata.core.session import clear_session as clear_session
from kerata.core.tensor import is_keras_tensor as is_keras_tensor
from kerata.training.data import PyDataset as PyDataset
from kerata.training.data import pack_x_y_sample_weight as pack_x_y_sample_weight
from kerata.training.data import unpack_x_y_sample_weight as unpack_x_y_sample_weight

from .numerical import normalize as normalize
from .numerical import to_categorical as to_categorical
from .progbar import Progbar as Progbar
from .random_seed import set_random_seed as set_random_seed
from .sequences import pad_sequences as pad_sequences

Sequence = PyDataset

__all__ = ["standardize_dtype"]
