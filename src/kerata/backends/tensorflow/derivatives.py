"""Derivatives as the primitives declare them, where TensorFlow's own are others."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.eager.record import could_possibly_record

from kerata.core.declare import PRIMITIVES
from kerata.core.primitives import CHOSEN
from kerata.core.state import STATE, setting

Tensor = Any
Function = Callable[..., Any]


def wanted() -> bool:
    """Whether what is computed now may be differentiated."""
    return STATE.recording and (could_possibly_record() or not tf.executing_eagerly())


def _rule(name: str) -> Function:
    """Cotangents of all arguments. Sums over broadcast axes are TensorFlow's, which knows unknown sizes."""
    declared = PRIMITIVES[name]
    pairwise, grad = declared.pairwise, declared.grad
    if pairwise is None:
        assert grad is not None
        return grad

    def pair(g: Tensor, y: Tensor, x1: Any, x2: Any) -> tuple[Any, Any]:
        parts = zip(pairwise(g, y, x1, x2), (x1, x2), strict=True)
        return tuple(c if c is None or not tf.is_tensor(x) else _unbroadcast(c, x) for c, x in parts)

    return pair


def _unbroadcast(g: Tensor, x: Tensor) -> Tensor:
    if g.shape == x.shape and x.shape.is_fully_defined():
        return g
    axes, _ = tf.raw_ops.BroadcastGradientArgs(s0=tf.shape(x), s1=tf.shape(g))
    wide = tf.cast(g, tf.float32) if g.dtype == tf.float16 else g
    return tf.reshape(tf.cast(tf.reduce_sum(wide, axes), g.dtype), tf.shape(x))


def ruled(name: str, fn: Function) -> Function:
    """The primitive with its declared rule instead of TensorFlow's."""

    @functools.wraps(fn)
    def call(*args: Any, **params: Any) -> Any:
        if not wanted() or (STATE.vectorising and name in _OPERATIONS.values()):
            return fn(*args, **params)
        tensors = [a for a in args if tf.is_tensor(a)]
        if not any(a.dtype.is_floating or a.dtype.is_complex for a in tensors):
            return fn(*args, **params)

        def filled(values: Any) -> list[Any]:
            rest = iter(values)
            return [next(rest) if tf.is_tensor(a) else a for a in args]

        @tf.custom_gradient
        def run(*values: Tensor) -> Any:
            y = fn(*filled(values), **params)
            y = tuple(y) if isinstance(y, (tuple, list)) else y

            def back(*cotangents: Tensor) -> list[Any]:
                g = cotangents if type(y) is tuple else cotangents[0]
                found = _rule(name)(g, y, *filled(values), **params)
                return [c for c, a in zip(found, args, strict=True) if tf.is_tensor(a)]

            return y, back

        return run(*tensors)

    return call


# ---- inside `tf.vectorized_map` ---------------------------------------------------------------------

# It makes other operations of those that one element takes, and forgets what a custom gradient is; what it keeps are the
# names of gradients that operations were made with.
_OPERATIONS = {
    "Exp": "exp", "Expm1": "expm1", "Log": "log", "Log1p": "log1p", "Sqrt": "sqrt", "Rsqrt": "rsqrt", "Asin": "asin",
    "Acos": "acos", "Acosh": "acosh", "Atanh": "atanh", "Sinh": "sinh", "Cosh": "cosh", "Lgamma": "lgamma",
    "RealDiv": "div", "Pow": "pow", "Atan2": "atan2", "Maximum": "maximum", "Minimum": "minimum", "FloorMod": "remainder",
}  # fmt: skip


@functools.lru_cache(maxsize=1)
def _registered() -> dict[str, str]:
    """Operations, and the names of their declared gradients."""
    for name in _OPERATIONS.values():
        tf.RegisterGradient(f"Kerata_{name}")(functools.partial(_by_rule, name))
    tf.RegisterGradient("Kerata_root")(
        lambda root, g: _rule("pow")(g, root.outputs[0], root.inputs[0], 0.5)[0]
    )
    return {operation: f"Kerata_{name}" for operation, name in _OPERATIONS.items()}


def _by_rule(name: str, operation: Any, g: Tensor) -> Any:
    found = _rule(name)(g, operation.outputs[0], *operation.inputs)
    return found[0] if len(found) == 1 else list(found)


def as_power(root: Function, x: Tensor) -> Tensor:
    """A square root of `abs(x)` or `x`, with the derivative of `x ** 0.5`: another one than that of `sqrt` at 0."""
    with tf.compat.v1.get_default_graph().gradient_override_map({"Sqrt": "Kerata_root", "Abs": "Identity"}):
        return root(x)


def products(x: Tensor, axis: int) -> Tensor:
    """Cumulative products, by multiplications of neighbours at doubling distances: right also beside zeros."""
    head = [slice(None)] * axis
    for distance in (2**i for i in range((x.shape[axis] - 1).bit_length())):
        early, rest = x[(*head, slice(distance))], x[(*head, slice(distance, None))]
        x = tf.concat((early, rest * x[(*head, slice(-distance))]), axis)
    return x


def vectorized(fn: Function, elements: Any) -> Any:
    """`tf.vectorized_map` with declared derivatives."""

    def one(element: Any) -> Any:
        with setting(vectorising=True), tf.compat.v1.get_default_graph().gradient_override_map(_registered()):
            return fn(element)

    # In a function of its own, since a tape does not look at names.
    return tf.function(lambda xs: tf.vectorized_map(one, xs), autograph=False)(elements)


def declare(table: dict[str, Function]) -> None:
    """Gives the primitives of a table their declared derivatives."""
    for name in table.keys() & CHOSEN:
        table[name] = ruled(name, table[name])


def unless_recorded(bare: dict[str, Function], full: dict[str, Function], kind: type) -> dict[str, Function]:
    """Functions of tensors of the class `kind`, which are values: the bare one where its result is one too.

    Otherwise it has become a node of a graph, which nobody asks for; a tape or a graph gets the full function.
    """

    def one(fn: Function, ruled: Function) -> Function:
        def call(*args: Any) -> Any:
            if not could_possibly_record():
                y = fn(*args)
                if type(y) is kind:
                    return y
            return ruled(*args)

        return call

    return {name: fn if fn is full[name] else one(fn, full[name]) for name, fn in bare.items()}
