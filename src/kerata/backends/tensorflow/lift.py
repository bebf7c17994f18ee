"""A lifted function as a `tf.function`. What binds its arguments is Python that short steps would wait for: where the
arguments are arrays and tensors alone, the concrete function of their shapes and dtypes is called past it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager.polymorphic_function.concrete_function import ConcreteFunction

from kerata.core import tree
from kerata.core.declare import leaves_of
from kerata.core.state import STATE
from kerata.core.variable import Variable

Tensor = Any
_call_flat: Any = getattr(ConcreteFunction, "_call_flat", None)  # no public call is as short


class _Held:
    """A variable as an argument of a `tf.function`, which traces for each such object and passes it on as it is."""

    __slots__ = ("__weakref__", "variable")

    def __init__(self, variable: Variable) -> None:
        self.variable = variable


def lifted(engine: Any, fn: Callable[..., Any], xla: bool) -> Callable[..., Any]:
    """The compiled function.

    Args:
        engine: the engine.
        fn: the function.
        xla: whether XLA compiles it.
    """
    held: dict[int, _Held] = {}  # what TensorFlow would make tensors of, which cannot be assigned to

    def traced(*args: Any, **kwargs: Any) -> Any:
        if held:
            args, kwargs = tree.map_structure(lambda v: v.variable if type(v) is _Held else v, (args, kwargs))
        old, STATE.engine = STATE.engine, engine
        STATE.tracing += 1
        try:
            return fn(*args, **kwargs)
        finally:
            STATE.tracing -= 1
            STATE.engine = old

    def hold(v: Any) -> Any:
        return held.setdefault(id(v), _Held(v)) if isinstance(v, Variable) else v

    # TensorFlow takes 1, 1.0 and True for one argument: each combination of their classes has a function of its own.
    made: dict[tuple[type, ...], Any] = {}

    def call_bound(args: Any, kwargs: Any) -> Any:
        leaves = list(leaves_of([args, kwargs]))
        kinds = tuple(type(v) for v in leaves if isinstance(v, (bool, int, float)))
        run = made.get(kinds)
        if run is None:
            run = made[kinds] = tf.function(traced, jit_compile=xla, autograph=False)
        if any(isinstance(v, Variable) for v in leaves):
            args, kwargs = tree.map_structure(hold, (args, kwargs))
        return run(*args, **kwargs)

    concrete: dict[Any, Callable[[list[Tensor]], Any] | None] = {}

    def call(*args: Any, **kwargs: Any) -> Any:
        key = None if kwargs else _signature(args)
        if key is None:
            return call_bound(args, kwargs)
        run = concrete.get(key)
        if run is not None:
            return run([tf.constant(a) if type(a) is np.ndarray else a for a in args if a is not None])
        result = call_bound(args, kwargs)
        if key in concrete:  # the second time: the first may have made variables, which is another trace
            concrete[key] = _short(made[()].get_concrete_function(*args))
        concrete.setdefault(key, None)
        return result

    return call


def _signature(args: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The shapes and dtypes of arrays, eager tensors and absent arguments; None where there is anything else."""
    if _call_flat is None or not tf.executing_eagerly() or tf.config.functions_run_eagerly():
        return None
    key: list[Any] = []
    for a in args:
        kind = type(a)
        if kind is np.ndarray or kind is _EAGER:
            key += (a.shape, a.dtype)
        elif a is not None:
            return None
        key.append(kind)
    return tuple(key)


def _short(function: Any) -> Callable[[list[Tensor]], Any]:
    captured = function.captured_inputs
    return lambda tensors: _call_flat(function, tensors, captured)


with tf.init_scope():  # the engine may be loaded while a user's function is traced
    _EAGER = type(tf.constant(0))
