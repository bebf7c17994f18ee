"""Gradients of a function with respect to variables, on any engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from kerata.core import dtypes
from kerata.core.dispatch import dtype_of, is_tensor, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.state import STATE, setting
from kerata.core.tensor import OPS
from kerata.core.variable import Variable


def value_and_grad(
    fn: Callable[..., Any], variables: Sequence[Variable], has_aux: bool = False
) -> Callable[..., tuple[Any, list[Any]]]:
    """A function that gives the value of `fn` and its gradients with respect to variables.

    Variables that `fn` assigns (statistics, seeds) are assigned. A variable that the value does not
    depend on, or that holds integers, has a gradient of zeros. For derivatives with respect to
    tensors there are `kerata.ops.vjp` and `kerata.ops.jvp`.

    Args:
        fn: gives a real scalar; with `has_aux`, a pair of a scalar and anything else.
        variables: the variables; all of one engine.
        has_aux: whether `fn` gives such a pair.

    Returns:
        A function with the arguments of `fn` that gives `(value, gradients)`; the value is the pair
        if there is one, the gradients a list in the order of `variables`.

    Example:
        >>> import kerata, numpy as np
        >>> w = kerata.Variable(np.float32(3.0))
        >>> value, (g,) = kerata.value_and_grad(lambda x: x * w * w, [w])(2.0)
        >>> float(value), float(g)
        (18.0, 12.0)
    """
    variables = list(variables)
    for v in variables:
        if not isinstance(v, Variable):
            raise ArgumentError("variables", expected="a list of kerata.Variable", got=v)
        if v.promised:
            v.keep_promise()
    # Engines see each variable once, and only those that have derivatives.
    unique = {id(v): v for v in variables if not dtypes.is_int(v.dtype) and v.dtype != "bool"}
    sources = variables if len(unique) == len(variables) else list(unique.values())

    def run(*args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        def scalar() -> Any:
            out = fn(*args, **kwargs)
            if not has_aux:
                return _real_scalar(out)
            if not isinstance(out, (tuple, list)) or len(out) != 2:
                raise ArgumentError("fn", expected="a function that gives a pair, for `has_aux`", got=out)
            return _real_scalar(out[0]), out[1]

        if not variables:
            return fn(*args, **kwargs), []
        engine = variables[0].engine
        with nullcontext() if STATE.engine is engine else setting(engine=engine):
            out, grads = engine.value_and_grad(scalar, sources, has_aux) if sources else (scalar(), [])
        if sources is not variables:
            found = dict(zip(map(id, sources), grads, strict=True))
            grads = [found.get(id(v)) for v in variables]
        if any(g is None for g in grads):
            grads = [
                OPS["zeros_like"](v.raw()) if g is None else g for g, v in zip(grads, variables, strict=True)
            ]
        return out, grads

    return run


def _real_scalar(value: Any) -> Any:
    """A value that has a gradient, as a tensor."""
    number = isinstance(value, (int, float, np.number, Variable))
    if not number and not is_tensor(value):
        fix = "Give `has_aux=True` where it gives a pair." if isinstance(value, tuple) else None
        raise ArgumentError("fn", expected="a function whose value is a scalar", got=value, fix=fix)
    if shape_of(value) != ():
        raise ArgumentError("fn", expected="a function whose value is a scalar", got=value)
    if dtypes.is_complex(dtype_of(value)):
        raise ArgumentError("fn", expected="a function whose value is a real scalar", got=value)
    return OPS["convert_to_tensor"](value) if number else value
