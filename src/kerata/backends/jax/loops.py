"""Reverse mode through loops whose number of repetitions is found out while they run.

`lax.while_loop` has no reverse mode, for it cannot say beforehand how much memory the states on the way will take. Here
the forward loop keeps at most `_KEPT` of them, evenly spaced: when there is no room for the next, every other one goes,
and the spacing doubles. The backward loop makes each state again from the nearest one kept before it. Memory stays the
same for any number of repetitions, and up to `_KEPT` of them nothing is computed twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

Array = Any
State = tuple[Array, ...]
_KEPT = 64


def while_loop(
    goes_on: Callable[[State, State], Array],
    step: Callable[[State, State], State],
    constants: State,
    state: State,
) -> State:
    """`state = step(constants, state)` while `goes_on(constants, state)`. The functions use nothing but their
    arguments, so that all derivatives are seen."""

    @jax.custom_vjp
    def run(constants: State, state: State) -> State:
        return lax.while_loop(lambda s: goes_on(constants, s), lambda s: step(constants, s), state)

    def forward(constants: State, state: State) -> tuple[State, Any]:
        n = len(state)
        rows = tuple(jnp.zeros((_KEPT, *jnp.shape(x)), x.dtype) for x in state)

        def one(constants: State, carry: State) -> State:
            count, spacing, rows, state = carry[0], carry[1], carry[2 : n + 2], carry[n + 2 :]
            full = count == _KEPT * spacing
            rows = lax.cond(full, _thinned, lambda rows: rows, rows)
            spacing = jnp.where(full, 2 * spacing, spacing)
            rows = lax.cond(count % spacing == 0, _put, lambda rows, *_: rows, rows, count // spacing, state)
            return (count + 1, spacing, *rows, *step(constants, state))

        start = (jnp.int32(0), jnp.int32(1), *rows, *state)
        # This loop, too, has a derivative, for derivatives of derivatives.
        count, spacing, *rest = while_loop(lambda c, s: goes_on(c, s[n + 2 :]), one, constants, start)
        return tuple(rest[n:]), (constants, count, spacing, tuple(rest[:n]))

    def backward(kept: Any, cotangents: State) -> tuple[State, State]:
        constants, count, spacing, rows = kept
        places = [_moves(x) for x in constants], [_moves(x[0]) for x in rows]
        start = tuple(jnp.zeros_like(x) for x, moves in zip(constants, places[0], strict=True) if moves)
        found = tuple(g for g, moves in zip(cotangents, places[1], strict=True) if moves)
        held = (*constants, *rows, spacing)
        _, *out = while_loop(
            lambda held, c: c[0] > 0,
            lambda held, c: _one_back(step, held, c, places, len(constants)),
            held,
            (count, *start, *found),
        )
        return _spread(out[: len(start)], places[0]), _spread(out[len(start) :], places[1])

    run.defvjp(forward, backward)
    return run(constants, state)


def _thinned(rows: State) -> State:
    """Every other state, then as many free rows."""
    return tuple(jnp.concatenate([x[::2], jnp.zeros_like(x[1::2])]) for x in rows)


def _put(rows: State, place: Array, state: State) -> State:
    return tuple(x.at[place].set(v) for x, v in zip(rows, state, strict=True))


def _moves(x: Array) -> bool:
    return bool(jnp.issubdtype(x.dtype, jnp.inexact))


def _spread(values: Any, moves: list[bool]) -> tuple[Any, ...]:
    """Cotangents in the places of what moves; None for integers."""
    rest = iter(values)
    return tuple(next(rest) if m else None for m in moves)


def _one_back(step: Any, held: State, carry: State, places: tuple[list[bool], list[bool]], n: int) -> State:
    """One repetition backward: the state before it, and the cotangents of that state and of the constants."""
    constants, rows, spacing = held[:n], held[n:-1], held[-1]
    index, *cotangents = carry
    index = index - 1
    nearest = index // spacing
    state = tuple(x[nearest] for x in rows)
    _, *before = while_loop(
        lambda held, c: c[0] > 0,
        lambda held, c: (c[0] - 1, *step(held, tuple(c[1:]))),
        constants,
        (index - nearest * spacing, *state),
    )
    moving = [x for x, m in zip(constants, places[0], strict=True) if m]
    first = len(moving)
    moving += [x for x, m in zip(before, places[1], strict=True) if m]

    def smooth(*xs: Array) -> State:
        rest = iter(xs)
        c = tuple(next(rest) if m else x for x, m in zip(constants, places[0], strict=True))
        s = tuple(next(rest) if m else x for x, m in zip(before, places[1], strict=True))
        return tuple(y for y, m in zip(step(c, s), places[1], strict=True) if m)

    _, back = jax.vjp(smooth, *moving)
    grads = back(tuple(cotangents[first:]))
    totals = [a + b for a, b in zip(cotangents[:first], grads[:first], strict=True)]
    return (index, *totals, *grads[first:])
