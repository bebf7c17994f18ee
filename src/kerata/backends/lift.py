"""Lifts a function that reads and assigns variables into a pure one, which an engine compiles.

The variables that it uses become arguments, those that it assigns become results. Which variables those are is found
while tracing: a trace that meets an unknown one is thrown away and made again with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerata.core import tree
from kerata.core.errors import ArgumentError
from kerata.core.state import StateScope, setting
from kerata.core.variable import Variable

HOST = (np.ndarray, np.generic)
HERE: Any = object()  # stands where a tensor goes
_MOST_TRACES = 20  # one finds nearly all variables; branches and loops may have more


class MoreVariables(Exception):
    """The trace met variables that are not among its arguments."""


class Traced:
    """One compiled version: for a structure of arguments and values of the plain ones. Engines make it callable."""

    tensors: tuple[type, ...]  # what an argument or a result of the compiled function can be

    def __init__(
        self,
        engine: Any,
        fn: Callable[..., Any],
        structure: Any,
        static: tuple[Any, ...],
        variables: list[Variable],
    ) -> None:
        self.engine, self.fn, self.static = engine, fn, static
        self.structure = tree.map_structure(lambda _: 0, structure)  # holds no data
        self.variables = variables
        self.changed: list[Variable] = []  # assigned by the function
        self.traces = 0  # those that met unknown variables
        self.out_spec: Any = None
        self.out_static: list[Any] = []
        self.single = False

    @staticmethod
    def enter(engine: Any, array: Any) -> Any:
        """What an array of the host is as an argument."""
        return engine.convert(array)

    @staticmethod
    def signature(tensor: Any) -> tuple[Any, ...]:
        """What a version is made for."""
        return type(tensor), tensor.shape, tensor.dtype

    def stand_in(self, variable: Variable) -> Any:
        """What an unknown variable is worth in the trace that will be thrown away; None: its value."""

    def pure(self, values: Sequence[Any], dynamic: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The tensors among the results, and the new values of `changed`."""
        fresh = iter(dynamic)
        leaves = [next(fresh) if s is HERE else s for s in self.static]
        args, kwargs = tree.pack_sequence_as(self.structure, leaves)
        known = dict(zip(self.variables, values, strict=True))
        unknown: dict[Variable, Any] = {}

        def met(variable: Variable) -> Any:
            if variable not in unknown:
                unknown[variable] = self.stand_in(variable)
            return unknown[variable]

        with setting(engine=self.engine, scope=None, compiling=True), StateScope(known, on_read=met) as scope:
            out = self.fn(*args, **kwargs)
        missing = [v for v in {**unknown, **scope.assigned} if v not in known]
        if missing:
            self.variables += missing
            self.traces += 1
            if self.traces > _MOST_TRACES:
                words = "a function that makes its variables and layers once, not at each call"
                raise ArgumentError("fn", expected=words, got=self.fn)
            raise MoreVariables
        flat = tree.flatten(out)
        self.single = isinstance(out, self.tensors)
        self.out_spec = tree.map_structure(lambda _: 0, out)
        self.out_static = [HERE if isinstance(v, self.tensors) else v for v in flat]
        self.changed = list(scope.assigned)
        return [v for v in flat if isinstance(v, self.tensors)], [scope.values[v] for v in self.changed]

    def results(self, tensors: Sequence[Any]) -> Any:
        """The tensors in the structure that the function gave them."""
        if self.single:
            return tensors[0]
        fresh = iter(tensors)
        return tree.pack_sequence_as(
            self.out_spec, [next(fresh) if s is HERE else s for s in self.out_static]
        )


def lifted(version: Any, engine: Any, fn: Callable[..., Any], options: Any) -> Callable[..., Any]:
    """The compiled function: a version for each structure, shape and dtype of the tensors and value of the others.

    Args:
        version: a subclass of `Traced`.
        engine: the engine.
        fn: the function.
        options: of `kerata.function`.
    """
    versions: dict[Any, Any] = {}
    arguments = (*HOST, *version.tensors)

    def call(*args: Any, **kwargs: Any) -> Any:
        leaves, nesting = _leaves_of(args, kwargs, arguments)
        dynamic: list[Any] = []
        key: list[Any] = []
        for v in leaves:
            if isinstance(v, arguments):
                if isinstance(v, HOST):
                    v = version.enter(engine, v)
                dynamic.append(v)
                key += version.signature(v)
            else:
                key += (type(v), v)  # 1, 1.0 and True are equal
        found = versions.get((*key, nesting))
        if found is None:
            static = tuple(HERE if isinstance(v, arguments) else v for v in leaves)
            found = version(engine, fn, (args, kwargs), static, list(options.variables))
            versions[(*key, nesting)] = found
        return found(dynamic)

    return call


def _leaves_of(
    args: tuple[Any, ...], kwargs: dict[str, Any], dynamic: tuple[type, ...]
) -> tuple[Sequence[Any], Any]:
    """The leaves of all arguments, and what tells their structure from others; at once where nothing is nested."""
    if not kwargs:
        for v in args:
            if v is not None and not isinstance(v, dynamic):
                break
        else:
            return args, len(args)
    return tree.flatten((args, kwargs)), (nesting(args), nesting(kwargs))


def nesting(x: Any) -> Any:
    """What tells the structure of an argument from others."""
    if isinstance(x, (tuple, list)):
        return type(x), tuple(nesting(v) for v in x)
    if isinstance(x, dict):
        return type(x), tuple((k, nesting(v)) for k, v in x.items())
    return None
