"""Plain definitions, in NumPy, of ops for which NumPy and SciPy have no function.

An op that names no reference in its declaration is compared with the function of its name here. Each is written for
the eye: loops and whole arrays, no case that the op's text does not tell. What has no value raises `LinAlgError`.
"""

from collections.abc import Callable
from typing import Any

from . import images, indices, linalg, nn, signal, windows

_MODULES = (images, indices, linalg, nn, signal, windows)


def named(name: str) -> Callable[..., Any] | None:
    """The plain definition of that op, where there is one."""
    found = (getattr(module, name, None) for module in _MODULES)
    return next((f for f in found if getattr(f, "__module__", "").startswith(__name__)), None)
