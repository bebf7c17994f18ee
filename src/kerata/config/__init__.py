"""Settings of the process: float type, epsilon, image layout, dtype policy, interactive logging."""

from kerata.backends import backend as backend
from kerata.backends import set_backend as set_backend
from kerata.core.config import disable_flash_attention as disable_flash_attention
from kerata.core.config import disable_interactive_logging as disable_interactive_logging
from kerata.core.config import disable_traceback_filtering as disable_traceback_filtering
from kerata.core.config import enable_flash_attention as enable_flash_attention
from kerata.core.config import enable_interactive_logging as enable_interactive_logging
from kerata.core.config import enable_traceback_filtering as enable_traceback_filtering
from kerata.core.config import epsilon as epsilon
from kerata.core.config import floatx as floatx
from kerata.core.config import image_data_format as image_data_format
from kerata.core.config import is_flash_attention_enabled as is_flash_attention_enabled
from kerata.core.config import is_interactive_logging_enabled as is_interactive_logging_enabled
from kerata.core.config import is_nnx_enabled as is_nnx_enabled
from kerata.core.config import is_traceback_filtering_enabled as is_traceback_filtering_enabled
from kerata.core.config import max_epochs as max_epochs
from kerata.core.config import max_steps_per_epoch as max_steps_per_epoch
from kerata.core.config import set_epsilon as set_epsilon
from kerata.core.config import set_floatx as set_floatx
from kerata.core.config import set_image_data_format as set_image_data_format
from kerata.core.config import set_max_epochs as set_max_epochs
from kerata.core.config import set_max_steps_per_epoch as set_max_steps_per_epoch
from kerata.core.dtype_policy import dtype_policy as dtype_policy
from kerata.core.dtype_policy import set_dtype_policy as set_dtype_policy
