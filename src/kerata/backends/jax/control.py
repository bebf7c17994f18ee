"""Control flow whose functions may assign variables: seeds that advance, statistics, counters.

JAX wants pure functions. Each one runs in a scope that catches what it assigns. Where that is nothing, which is the
common case, JAX's own result stands; else the construct runs again with those variables among what it carries, and they
are assigned afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from kerata.core import tree
from kerata.core.state import STATE, StateScope
from kerata.core.variable import Variable

from . import loops

Array = Any
Values = list[Any]


class _Effects:
    """Runs functions and notes which variables they assign."""

    def __init__(self) -> None:
        self.variables: list[Variable] = []

    def watch(self, fn: Callable[..., Any], *args: Any) -> Any:
        with StateScope() as scope:
            out = fn(*args)
        self.variables += [v for v in scope.assigned if v not in self.variables]
        return out

    def run(self, values: Values, fn: Callable[..., Any], *args: Any) -> tuple[Any, Values]:
        """The result, and what the variables are worth afterwards."""
        with StateScope(dict(zip(self.variables, values, strict=True))) as scope:
            out = fn(*args)
        return out, [scope.values[v] for v in self.variables]

    def values(self) -> Values:
        return [v.raw() for v in self.variables]

    def assign(self, values: Values) -> None:
        for variable, value in zip(self.variables, values, strict=True):
            variable.assign(value)


def cond(pred: Array, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    effects = _Effects()

    def arrays(fn: Callable[[], Any]) -> Any:
        return tree.map_structure(jnp.asarray, fn())

    out = lax.cond(pred, lambda: effects.watch(arrays, true_fn), lambda: effects.watch(arrays, false_fn))
    if not effects.variables:
        return out
    branches = [lambda values, fn=fn: effects.run(values, arrays, fn) for fn in (true_fn, false_fn)]
    out, values = lax.cond(pred, *branches, effects.values())
    effects.assign(values)
    return out


def while_loop(cond: Any, body: Any, state: tuple[Any, ...], limit: int | None) -> tuple[Any, ...]:
    """The body is traced before the loop: a first run that forgets what is assigned might never end."""
    effects = _Effects()
    traced = jax.make_jaxpr(lambda s: effects.watch(lambda: tuple(body(*s))))(state)
    size = len(state)

    def goes_on(carry: Any) -> Any:
        count, inner, values = carry[0], carry[1 : size + 1], carry[size + 1 :]
        more = effects.run(list(values), cond, *inner)[0]
        return more if limit is None else jnp.logical_and(count < limit, more)

    def step(carry: Any) -> Any:
        count, inner, values = carry[0], carry[1 : size + 1], carry[size + 1 :]
        if not effects.variables:
            return (count + 1, *jax.core.eval_jaxpr(traced.jaxpr, traced.consts, *inner))
        inner, values = effects.run(list(values), lambda: tuple(body(*inner)))
        return (count + 1, *inner, *values)

    out = _loop(goes_on, step, (jnp.int32(0), *state, *effects.values()))
    effects.assign(list(out[size + 1 :]))
    return tuple(out[1 : size + 1])


def _loop(goes_on: Any, step: Any, state: tuple[Any, ...]) -> tuple[Any, ...]:
    """JAX's loop; where derivatives go backward through it, the one that can."""
    if not STATE.backward:
        return lax.while_loop(goes_on, step, state)
    test, body = jax.make_jaxpr(goes_on)(state), jax.make_jaxpr(step)(state)
    n = len(test.consts)
    return loops.while_loop(
        lambda constants, s: jax.core.eval_jaxpr(test.jaxpr, constants[:n], *s)[0],
        lambda constants, s: tuple(jax.core.eval_jaxpr(body.jaxpr, constants[n:], *s)),
        tuple(jnp.asarray(c) for c in (*test.consts, *body.consts)),
        state,
    )


def scan(step: Any, init: Any, xs: Any, length: int, reverse: bool, unroll: int) -> tuple[Any, Any]:
    effects = _Effects()
    options: dict[str, Any] = {"length": length, "reverse": reverse, "unroll": unroll}
    out = lax.scan(lambda carry, x: effects.watch(step, carry, x), init, xs, **options)
    if not effects.variables:
        return out

    def carrying(carry: Any, x: Any) -> Any:
        (inner, y), values = effects.run(carry[1], step, carry[0], x)
        return (inner, values), y

    (carry, values), ys = lax.scan(carrying, (init, effects.values()), xs, **options)
    effects.assign(values)
    return carry, ys


def vectorized_map(fn: Callable[[Any], Any], elements: Any) -> Any:
    """What is assigned must not differ from element to element: all of them draw with the same seed."""
    effects = _Effects()
    out = jax.vmap(lambda x: effects.watch(fn, x))(elements)
    if not effects.variables:
        return out
    start = effects.values()
    out, values = jax.vmap(lambda x: effects.run(start, fn, x), out_axes=(0, None))(elements)
    effects.assign(values)
    return out


def remat(fn: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        effects = _Effects()
        out = jax.checkpoint(lambda *a: effects.watch(lambda: fn(*a, **kwargs)))(*args)
        if not effects.variables:
            return out
        out, values = jax.checkpoint(lambda values, *a: effects.run(values, lambda: fn(*a, **kwargs)))(
            effects.values(), *args
        )
        effects.assign(values)
        return out

    return call
