"""Lifts a function that reads and assigns variables into a pure jitted one.

The variables that it uses become arguments, those that it assigns become results, and their old
buffers are donated. Which variables those are is found while tracing: a trace that meets an unknown
one is thrown away and made again with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import jax
import numpy as np

from kerata.core import tree
from kerata.core.state import StateScope, setting
from kerata.core.variable import Variable

from .primitives import is_wide

_HOST = (np.ndarray, np.generic)
_DYNAMIC = (*_HOST, jax.Array, jax.core.Tracer)


class _MoreVariables(Exception):
    """The trace met variables that are not among its arguments."""


class _Traced:
    """One compiled version: for a structure of arguments and values of the plain ones."""

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
        self.changed: list[Variable] = []  # assigned by the function: donated, and replaced by the results
        self.kept: list[Variable] = []  # only read
        self.out_spec: Any = None
        self.out_static: list[Any] = []
        self.single = False
        self.jitted: Any = None
        self.wide = False  # whether 64-bit values occur

    def _pure(self, values: list[Any], dynamic: list[Any]) -> Any:
        fresh = iter(dynamic)
        leaves = [next(fresh) if s is _HERE else s for s in self.static]
        args, kwargs = tree.pack_sequence_as(self.structure, leaves)
        known = dict(zip(self.variables, values, strict=True))
        unknown: dict[Variable, Any] = {}

        def met(variable: Variable) -> None:
            unknown[variable] = None

        with setting(engine=self.engine, scope=None), StateScope(known, on_read=met) as scope:
            out = self.fn(*args, **kwargs)
        missing = [v for v in {**unknown, **scope.assigned} if v not in known]
        if missing:
            self.variables += missing
            raise _MoreVariables
        flat = tree.flatten(out)
        self.single = isinstance(out, _DYNAMIC)
        self.out_spec = tree.map_structure(lambda _: 0, out)
        self.out_static = [_HERE if isinstance(v, _DYNAMIC) else v for v in flat]
        self.changed = list(scope.assigned)
        return [v for v in flat if isinstance(v, _DYNAMIC)], [scope.values[v] for v in self.changed]

    def _trace(self, dynamic: list[Any]) -> None:
        """Traces until all variables are known, then compiles the trace: Python runs no second time."""
        while True:
            try:
                with jax.enable_x64(True) if _precise(dynamic) else nullcontext():
                    traced = jax.make_jaxpr(self._pure)([v.raw() for v in self.variables], dynamic)
                break
            except _MoreVariables:
                continue
        changed = set(map(id, self.changed))
        self.kept = [v for v in self.variables if id(v) not in changed]
        order = [*self.changed, *self.kept]
        places = {id(v): i for i, v in enumerate(order)}
        outputs = self.out_static.count(_HERE)

        def run(changing: list[Any], constant: list[Any], dynamic: list[Any]) -> Any:
            given = [*changing, *constant]
            values = [given[places[id(v)]] for v in self.variables]
            flat = jax.core.eval_jaxpr(traced.jaxpr, traced.consts, *values, *dynamic)
            return flat[:outputs], flat[outputs:]

        self.jitted = jax.jit(run, donate_argnums=0)
        # XLA's lowering makes constants, too: 64-bit ones need the context there as well.
        self.wide = any(is_wide(v.aval) for eqn in traced.jaxpr.eqns for v in (*eqn.invars, *eqn.outvars))

    def __call__(self, dynamic: list[Any]) -> Any:
        if self.jitted is None:
            self._trace(dynamic)
        changing = []
        for v in self.changed:
            if v.exposed:  # somebody may hold this buffer: give away a copy
                v._container[0] = self.engine.own(v._container[0])
                v.exposed = False
            changing.append(v._container[0])
        with jax.enable_x64(True) if self.wide and not jax.config.jax_enable_x64 else nullcontext():
            out, new = self.jitted(changing, [v._container[0] for v in self.kept], dynamic)
        for v, value in zip(self.changed, new, strict=True):
            v._container[0] = value
        if self.single:
            return out[0]
        fresh = iter(out)
        return tree.pack_sequence_as(
            self.out_spec, [next(fresh) if s is _HERE else s for s in self.out_static]
        )


def _precise(dynamic: Sequence[Any]) -> bool:
    """Whether JAX's own operators are to keep 64 bits, for there are floats of that size among the arguments."""
    return not jax.config.jax_enable_x64 and any(is_wide(v) and v.dtype.kind in "fc" for v in dynamic)


_HERE: Any = object()


def lifted(engine: Any, fn: Callable[..., Any], options: Any) -> Callable[..., Any]:
    """The compiled function."""
    versions: dict[Any, _Traced] = {}

    def call(*args: Any, **kwargs: Any) -> Any:
        leaves, nesting = _leaves_of(args, kwargs)
        dynamic: list[Any] = []
        key: list[Any] = []
        for v in leaves:
            if isinstance(v, _DYNAMIC):
                if isinstance(v, _HOST) and is_wide(v):  # JAX would take 32 of the 64 bits
                    v = engine.convert(v)
                dynamic.append(v)
                key += (type(v), v.shape, v.dtype)
            else:
                key += (type(v), v)  # 1, 1.0 and True are equal
        version = versions.get((*key, nesting))
        if version is None:
            static = tuple(_HERE if isinstance(v, _DYNAMIC) else v for v in leaves)
            version = _Traced(engine, fn, (args, kwargs), static, list(options.variables))
            versions[(*key, nesting)] = version
        return version(dynamic)

    return call


def _leaves_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Sequence[Any], Any]:
    """The leaves of all arguments, and what tells their structure from others; at once where nothing is nested."""
    if not kwargs:
        for v in args:
            if v is not None and not isinstance(v, _DYNAMIC):
                break
        else:
            return args, len(args)
    return tree.flatten((args, kwargs)), (_nesting(args), _nesting(kwargs))


def _nesting(x: Any) -> Any:
    kind = type(x)
    if kind is tuple or kind is list:
        return kind, tuple(_nesting(v) for v in x)
    if kind is dict:
        return tuple((k, _nesting(v)) for k, v in x.items())
    return None
