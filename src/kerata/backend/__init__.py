"""The engines from a user's side: which one is the default, and small helpers of Keras's `backend`."""

from kerata.backends import backend as backend
from kerata.backends import installed as installed
from kerata.backends import set_backend as set_backend
from kerata.backends import use_backend as use_backend
from kerata.core.config import epsilon as epsilon
from kerata.core.config import floatx as floatx
from kerata.core.config import image_data_format as image_data_format
from kerata.core.config import set_epsilon as set_epsilon
from kerata.core.config import set_floatx as set_floatx
from kerata.core.config import set_image_data_format as set_image_data_format
from kerata.core.dtypes import is_float as is_float_dtype
from kerata.core.dtypes import is_int as is_int_dtype
from kerata.core.dtypes import result_type as result_type
from kerata.core.dtypes import standardize as standardize_dtype
from kerata.core.naming import get_uid as get_uid
from kerata.core.session import clear_session as clear_session
from kerata.core.tensor import KerasTensor as KerasTensor
from kerata.core.tensor import is_keras_tensor as is_keras_tensor
from kerata.core.variable import Variable as Variable
from kerata.core.variable import is_variable as is_variable

__all__ = ["is_float_dtype", "is_int_dtype", "standardize_dtype"]
