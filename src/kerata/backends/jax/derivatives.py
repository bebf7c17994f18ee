"""Derivatives as the primitives declare them, where those of `jax.lax` are others.

Declared rules go backward only. They are used in Kerata's own derivatives, which go backward; under a user's
`jax.jvp` or `jax.hessian` the primitives are JAX's own in every respect.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from kerata.core.declare import PRIMITIVES
from kerata.core.primitives import CHOSEN
from kerata.core.state import STATE, setting

Array = Any
Function = Callable[..., Any]


def _moves(x: Any) -> bool:
    return isinstance(x, jax.core.Tracer) and jnp.issubdtype(x.dtype, jnp.inexact)


def _conj(x: Any) -> Any:
    """JAX pairs complex cotangents without conjugation, declared rules with it."""
    if type(x) is tuple:
        return tuple(map(_conj, x))
    return jnp.conj(x) if x is not None and jnp.iscomplexobj(x) else x


def ruled(name: str, fn: Function) -> Function:
    """The primitive with its declared rule instead of JAX's."""

    @functools.wraps(fn)
    def call(*args: Any, **params: Any) -> Any:
        if not STATE.backward or not any(map(_moves, args)):
            return fn(*args, **params)
        arrays = [i for i, a in enumerate(args) if isinstance(a, (jax.Array, jax.core.Tracer))]

        def filled(values: Any) -> list[Any]:
            rest = dict(zip(arrays, values, strict=True))
            return [rest.get(i, a) for i, a in enumerate(args)]

        @jax.custom_vjp
        def run(*values: Array) -> Array:
            y = fn(*filled(values), **params)
            return tuple(y) if isinstance(y, (tuple, list)) else y

        def forward(*values: Array) -> tuple[Array, Any]:
            y = run(*values)
            return y, (y, values)

        def back(kept: Any, g: Array) -> tuple[Any, ...]:
            y, values = kept
            rule = PRIMITIVES[name].grad
            assert rule is not None
            with setting(backward=STATE.backward + 1):  # derivatives of derivatives
                found = rule(_conj(jax.tree.map(jnp.asarray, g)), y, *filled(values), **params)
            return tuple(_conj(found[i]) for i in arrays)

        run.defvjp(forward, back)
        return run(*(args[i] for i in arrays))

    return call


def declare(table: dict[str, Function]) -> None:
    """Gives the primitives of a table their declared derivatives."""
    for name in CHOSEN:
        table[name] = ruled(name, table[name])
