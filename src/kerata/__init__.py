"""Kerata: one API for deep learning, many engines, one result.

`import kerata as keras` runs Keras 3 code on NumPy, JAX, PyTorch or TensorFlow, chosen at run time.
Names load at their first use: importing the package loads no engine.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backends import set_backend as set_backend
    from .backends import use_backend as use_backend
    from .core.dtype_policy import DTypePolicy as DTypePolicy
    from .core.function import function as function
    from .core.gradient import value_and_grad as value_and_grad
    from .core.graph import Function as Function
    from .core.graph import Operation as Operation
    from .core.scope import StatelessScope as StatelessScope
    from .core.scope import device as device
    from .core.scope import name_scope as name_scope
    from .core.scope import remat as remat
    from .core.tensor import KerasTensor as KerasTensor
    from .core.variable import Variable as Variable
    from .initializers import Initializer as Initializer
    from .layers import Input as Input
    from .layers import InputSpec as InputSpec
    from .layers import Layer as Layer
    from .losses import Loss as Loss
    from .metrics import Metric as Metric
    from .models import Model as Model
    from .models import Sequential as Sequential
    from .optimizers import Optimizer as Optimizer
    from .random import SeedGenerator as SeedGenerator
    from .regularizers import Regularizer as Regularizer

__version__ = "0.1.0"

# Public name -> module that defines it. Packages stand for themselves.
_NAMES = {
    "DTypePolicy": "core.dtype_policy",
    "FloatDTypePolicy": "core.dtype_policy",
    "Function": "core.graph",
    "Initializer": "initializers",
    "Input": "layers",
    "InputSpec": "layers",
    "KerasTensor": "core.tensor",
    "Layer": "layers",
    "Loss": "losses",
    "Metric": "metrics",
    "Model": "models",
    "Operation": "core.graph",
    "Optimizer": "optimizers",
    "Regularizer": "regularizers",
    "SeedGenerator": "random",
    "Sequential": "models",
    "StatelessScope": "core.scope",
    "Variable": "core.variable",
    "device": "core.scope",
    "function": "core.function",
    "name_scope": "core.scope",
    "remat": "core.scope",
    "set_backend": "backends",
    "use_backend": "backends",
    "value_and_grad": "core.gradient",
}
_PACKAGES = (
    "activations", "backend", "callbacks", "config", "constraints", "datasets", "dtype_policies",
    "initializers", "layers", "losses", "metrics", "mixed_precision", "models", "ops", "optimizers",
    "random", "regularizers", "saving", "tree", "utils",
)  # fmt: skip


def version() -> str:
    """The version of Kerata.

    Example:
        >>> version() == __version__
        True
    """
    return __version__


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.import_module(f"kerata.{name}")
    if name not in _NAMES:
        raise AttributeError(f"module 'kerata' has no attribute {name!r}")
    importlib.import_module("kerata.ops")  # operators and variables find their ops in its table
    value = getattr(importlib.import_module(f"kerata.{_NAMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*_NAMES, *_PACKAGES, "version", "__version__"})
