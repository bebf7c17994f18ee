"""Models, weights and objects in files and as plain data."""

from kerata.core.custom_object_scope import CustomObjectScope as CustomObjectScope
from kerata.core.custom_object_scope import custom_object_scope as custom_object_scope
from kerata.core.errors import RefusedFileError as RefusedFileError
from kerata.core.registry import get_custom_objects as get_custom_objects
from kerata.core.registry import get_registered_name as get_registered_name
from kerata.core.registry import get_registered_object as get_registered_object
from kerata.core.registry import register_keras_serializable as register_keras_serializable
from kerata.saving.keras_file_editor import KerasFileEditor as KerasFileEditor
from kerata.saving.limits import Limits as Limits
from kerata.saving.model_io import load_model as load_model
from kerata.saving.model_io import model_from_json as model_from_json
from kerata.saving.model_io import save_model as save_model
from kerata.saving.serialization import deserialize_keras_object as deserialize_keras_object
from kerata.saving.serialization import serialize_keras_object as serialize_keras_object
from kerata.saving.weights_io import load_weights as load_weights
from kerata.saving.weights_io import save_weights as save_weights
