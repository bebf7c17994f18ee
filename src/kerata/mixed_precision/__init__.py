"""Computation in 16 bits with variables in 32: the former names of what is in `dtype_policies` and `config`."""

from kerata.core.dtype_policy import DTypePolicy as DTypePolicy
from kerata.core.dtype_policy import dtype_policy as dtype_policy
from kerata.core.dtype_policy import set_dtype_policy as set_dtype_policy
from kerata.optimizers.loss_scale_optimizer import LossScaleOptimizer as LossScaleOptimizer

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy
