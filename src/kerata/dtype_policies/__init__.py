"""In which dtype layers compute and keep their variables."""

from kerata.core.dtype_policy import AWQDTypePolicy as AWQDTypePolicy
from kerata.core.dtype_policy import DTypePolicy as DTypePolicy
from kerata.core.dtype_policy import FloatDTypePolicy as FloatDTypePolicy
from kerata.core.dtype_policy import GPTQDTypePolicy as GPTQDTypePolicy
from kerata.core.dtype_policy import Int4DTypePolicy as Int4DTypePolicy
from kerata.core.dtype_policy import QuantizedDTypePolicy as QuantizedDTypePolicy
from kerata.core.dtype_policy import QuantizedFloat8DTypePolicy as QuantizedFloat8DTypePolicy
from kerata.dtype_policies.dtype_policy_map import DTypePolicyMap as DTypePolicyMap
from kerata.dtype_policies.identifiers import deserialize as deserialize
from kerata.dtype_policies.identifiers import get as get
from kerata.dtype_policies.identifiers import serialize as serialize
