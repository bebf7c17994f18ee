"""A lifted function as a jitted one; the old buffers of what it assigns are donated."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import jax

from kerata.backends.lift import HERE, HOST, MoreVariables, Traced
from kerata.core.errors import UnknownValuesError
from kerata.core.variable import Variable

from .primitives import is_wide

UNKNOWN = (
    jax.errors.ConcretizationTypeError,
    jax.errors.NonConcreteBooleanIndexError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
)


class Jitted(Traced):
    tensors = (*HOST, jax.Array, jax.core.Tracer)
    jitted: Any = None
    wide = False  # whether 64-bit values occur
    kept: Sequence[Variable] = ()  # only read

    @staticmethod
    def enter(engine: Any, array: Any) -> Any:
        return engine.convert(array) if is_wide(array) else array  # JAX would take 32 of the 64 bits

    def _trace(self, dynamic: list[Any]) -> None:
        """Traces until all variables are known, then compiles the trace: Python runs no second time."""
        while True:
            try:
                with jax.enable_x64(True) if _precise(dynamic) else nullcontext():
                    traced = jax.make_jaxpr(self.pure)([v.raw() for v in self.variables], dynamic)
                break
            except MoreVariables:
                continue
            except UNKNOWN as error:  # `if x > 0`, `x[mask]`
                raise UnknownValuesError.native() from error
        changed = set(map(id, self.changed))
        self.kept = [v for v in self.variables if id(v) not in changed]
        order = [*self.changed, *self.kept]
        places = {id(v): i for i, v in enumerate(order)}
        outputs = self.out_static.count(HERE)

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
        return self.results(out)


def _precise(dynamic: Sequence[Any]) -> bool:
    """Whether JAX's own operators are to keep 64 bits, for there are floats of that size among the arguments."""
    return not jax.config.jax_enable_x64 and any(is_wide(v) and v.dtype.kind in "fc" for v in dynamic)
