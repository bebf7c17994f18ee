"""A lifted function as a `tf.function`. What binds its arguments is Python that short steps would wait for: where the
arguments are arrays and tensors alone, the concrete function of their shapes and dtypes is called past it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.eager.polymorphic_function.concrete_function import ConcreteFunction

from kerata.backends.lift import HOST, nesting
from kerata.core import tree
from kerata.core.declare import leaves_of
from kerata.core.errors import UnknownValuesError
from kerata.core.state import STATE, setting
from kerata.core.variable import Variable

from .primitives import EAGER

Tensor = Any
_call_flat: Any = getattr(ConcreteFunction, "_call_flat", None)  # no public call is as short
_OF_SYMBOLS = re.compile("not 'SymbolicTensor'|for a symbolic Tensor")
_UNKNOWN = (tf.errors.OperatorNotAllowedInGraphError, NotImplementedError)


class _Held:
    """A variable as an argument of a `tf.function`, which traces for each such object and passes it on as it is."""

    __slots__ = ("__weakref__", "variable")

    def __init__(self, variable: Variable) -> None:
        self.variable = variable


class _Plain:
    """A result that is no tensor."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _is_tensor(value: Any) -> bool:
    return value is None or tf.is_tensor(value) or isinstance(value, HOST)


def lifted(engine: Any, fn: Callable[..., Any], xla: bool) -> Callable[..., Any]:
    """The compiled function.

    Args:
        engine: the engine.
        fn: the function.
        xla: whether XLA compiles it.
    """
    held: dict[int, _Held] = {}  # what TensorFlow would make tensors of, which cannot be assigned to
    plain: list[Any] = []  # results of traces that are no tensors

    def traced(*args: Any, **kwargs: Any) -> tuple[int | None, Any]:
        """The results that are tensors, and a number of the rest where there is one: TensorFlow makes tensors of all."""
        out = run_traced(*args, **kwargs)
        rest = tree.map_structure(lambda v: None if _is_tensor(v) else _Plain(v), out)
        if all(v is None for v in tree.flatten(rest)):
            return None, out
        plain.append(rest)
        return len(plain) - 1, tree.map_structure(lambda v: v if _is_tensor(v) else None, out)

    def run_traced(*args: Any, **kwargs: Any) -> Any:
        if held:
            args, kwargs = tree.map_structure(lambda v: v.variable if type(v) is _Held else v, (args, kwargs))
        with setting(engine=engine, tracing=STATE.tracing + 1, compiling=True):
            try:
                return fn(*args, **kwargs)
            except (TypeError, NotImplementedError) as error:
                if not isinstance(error, _UNKNOWN) and not _OF_SYMBOLS.search(str(error)):
                    raise
                raise UnknownValuesError.native() from error  # `if x > 0`, `int(x)`, `len(x)`

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
        return whole(*run(*args, **kwargs))

    def whole(number: Tensor | None, out: Any) -> Any:
        if number is None:
            return out
        return tree.map_structure(lambda p, v: p.value if type(p) is _Plain else v, plain[int(number)], out)

    concrete: dict[Any, Callable[[list[Tensor]], Any] | None] = {}

    def call(*args: Any, **kwargs: Any) -> Any:
        if not tf.executing_eagerly():  # within a `tf.function` of the user
            return run_traced(*args, **kwargs)
        leaves, key = _signature(args, kwargs)
        if key is None:
            return call_bound(args, kwargs)
        run = concrete.get(key)
        if run is not None:
            return run([tf.constant(a) if type(a) is np.ndarray else a for a in leaves if a is not None])
        result = call_bound(args, kwargs)
        if key in concrete:  # the second time: the first may have made variables, which is another trace
            short = _short(made[()].get_concrete_function(*args))
            concrete[key] = lambda tensors: whole(*short(tensors))
        concrete.setdefault(key, None)
        return result

    return call


def _signature(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Sequence[Any], Any]:
    """The leaves of the arguments, and what one concrete function is for: their structure, shapes and dtypes; None where
    there are others than arrays, eager tensors and absent ones."""
    if kwargs or _call_flat is None or tf.config.functions_run_eagerly():
        return args, None
    leaves: Sequence[Any] = args
    key: list[Any] = []
    if not _FLAT.issuperset(map(type, args)):
        leaves = tf.nest.flatten(args)
        key.append(nesting(args))
    for leaf in leaves:
        kind = type(leaf)
        if kind is np.ndarray or kind is EAGER:
            key += (leaf.shape, leaf.dtype)
        elif leaf is not None:
            return args, None
        key.append(kind)
    return leaves, tuple(key)


def _short(function: Any) -> Callable[[list[Tensor]], Any]:
    captured = function.captured_inputs
    return lambda tensors: _call_flat(function, tensors, captured)


_FLAT = frozenset((np.ndarray, EAGER, type(None)))
