"""The engines: which exist, which are installed, which one is the default.

The only list of engines is `REGISTRY`; plug-ins join it through the entry-point group
`kerata.backends` (name = "module:load", where `load()` makes the engine).
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

from kerata.core import config
from kerata.core.errors import ArgumentError, BackendNotInstalledError
from kerata.core.state import STATE, setting

from .protocol import Engine


class Entry(NamedTuple):
    """Where an engine lives.

    Attributes:
        module: the module that makes it.
        needs: the package that must be importable for it; None: nothing beside Kerata.
        requirement: what pip installs to have it.
        load: name of the module's function that makes it.
        roots: top-level packages in which the classes of its tensors are defined.
    """

    module: str
    needs: str | None
    requirement: str
    load: str = "load"
    roots: tuple[str, ...] = ()


# In the order of preference for the default engine.
REGISTRY: dict[str, Entry] = {
    "jax": Entry("kerata.backends.jax", "jax", "kerata[jax]", roots=("jax", "jaxlib")),
    "torch": Entry("kerata.backends.torch", "torch", "kerata[torch]", roots=("torch",)),
    "tensorflow": Entry(
        "kerata.backends.tensorflow", "tensorflow", "kerata[tensorflow]", roots=("tensorflow",)
    ),
    "numpy": Entry("kerata.backends.numpy", None, "kerata"),
}
_loaded: dict[str, Engine] = {}
_loading = threading.RLock()  # two threads must not make an engine each
_chosen: tuple[str, str] | None = None  # (name, why)


@lru_cache(maxsize=1)
def _plugins() -> None:
    for point in importlib.metadata.entry_points(group="kerata.backends"):
        package = point.dist.name if point.dist else point.name
        entry = Entry(point.module, None, package, point.attr or "load", (point.module.partition(".")[0],))
        REGISTRY.setdefault(point.name, entry)


def known() -> list[str]:
    """Names of all engines, installed or not."""
    _plugins()
    return list(REGISTRY)


def is_installed(name: str) -> bool:
    """Whether the packages that the engine needs are there; imports nothing."""
    needs = _entry(name).needs
    return needs is None or needs in sys.modules or importlib.util.find_spec(needs) is not None


def installed() -> list[str]:
    """Names of the engines that can be used here, in the order of preference.

    Example:
        >>> import kerata
        >>> "numpy" in kerata.backend.installed()
        True
    """
    return [name for name in known() if is_installed(name)]


def _entry(name: Any, argument: str = "backend") -> Entry:
    if name not in REGISTRY:
        _plugins()
    if name not in REGISTRY:
        raise ArgumentError(argument, expected=f"one of {', '.join(map(repr, REGISTRY))}", got=name)
    return REGISTRY[name]


def get(name: str) -> Engine:
    """The engine of that name, loaded at its first use.

    Raises:
        BackendNotInstalledError: with the pip command that installs it.
    """
    engine = _loaded.get(name)
    if engine is not None:
        return engine
    with _loading:
        return _loaded.get(name) or _load(name)


def _load(name: str) -> Engine:
    entry = _entry(name)
    if not is_installed(name):
        raise BackendNotInstalledError(name, entry.requirement)
    try:
        module = importlib.import_module(entry.module)
    except ImportError as error:
        raise BackendNotInstalledError(name, entry.requirement, str(error)) from error
    engine: Engine = getattr(module, entry.load)()
    from kerata.core.declare import admit  # declarations stand on this registry

    admit(engine)
    _loaded[name] = engine
    return engine


def of_class(kind: type) -> str | None:
    """Name of the engine in whose packages a class of tensors is defined, where that engine can be loaded."""
    roots = {base.__module__.partition(".")[0] for base in kind.__mro__}
    for name in known():
        entry = REGISTRY[name]
        if not roots.isdisjoint(entry.roots) and (entry.needs is None or entry.needs in sys.modules):
            return name
    return None


def loaded() -> list[Engine]:
    """The engines that this process has used so far."""
    return list(_loaded.values())


def default_choice() -> tuple[str, str]:
    """Name of the process-wide default engine, and why it is that one."""
    global _chosen
    if _chosen is None:
        _chosen = _choose()
    return _chosen


def _choose() -> tuple[str, str]:
    for variable in ("KERATA_BACKEND", "KERAS_BACKEND"):
        name = os.environ.get(variable)
        if name and (name in known() or variable == "KERATA_BACKEND"):
            _entry(name, variable)
            return name, f"environment variable {variable}"
    name = config.file_setting("backend")
    if name:
        _entry(name)
        return name, "configuration file"
    return installed()[0], "first installed engine"


def current() -> Engine:
    """The engine that runs what has no tensor of an engine among its arguments."""
    return STATE.engine or get(default_choice()[0])


def backend() -> str:
    """Name of the current default engine.

    Example:
        >>> import kerata
        >>> with kerata.use_backend("numpy"):
        ...     kerata.backend.backend()
        'numpy'
    """
    return STATE.engine.name if STATE.engine else default_choice()[0]


def set_backend(backend: str) -> None:
    """Makes an engine the default of the whole process; no restart needed.

    Objects made before stay on the engine that they were made under.

    Raises:
        ArgumentError: no engine has that name.
        BackendNotInstalledError: with the pip command that installs it.

    Example:
        >>> import kerata
        >>> kerata.set_backend(kerata.backend.backend())  # as it is
    """
    global _chosen
    _entry(backend)
    if not is_installed(backend):
        raise BackendNotInstalledError(backend, REGISTRY[backend].requirement)
    _chosen = backend, "set_backend"


@contextmanager
def use_backend(name: str) -> Iterator[Engine]:
    """Makes an engine the default of this thread inside a `with` block.

    Args:
        name: of an engine.

    Raises:
        BackendNotInstalledError: with the pip command that installs it.

    Example:
        >>> import kerata
        >>> with kerata.use_backend("numpy"):
        ...     type(kerata.ops.ones(2)).__name__
        'ndarray'
    """
    engine = get(name)
    with setting(engine=engine):
        yield engine
