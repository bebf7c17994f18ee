"""Gradients of a function with respect to variables, on any engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerata.core.dispatch import shape_of
from kerata.core.errors import ArgumentError
from kerata.core.state import STATE, setting
from kerata.core.tensor import OPS
from kerata.core.variable import Variable


def value_and_grad(
    fn: Callable[..., Any], variables: Sequence[Variable], has_aux: bool = False
) -> Callable[..., tuple[Any, list[Any]]]:
    """A function that gives the value of `fn` and its gradients with respect to variables.

    Variables that `fn` assigns (statistics, seeds) are assigned. A variable that the value does not
    depend on has a gradient of zeros.

    Args:
        fn: gives a scalar; with `has_aux`, a pair of a scalar and anything else.
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

    def run(*args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        def scalar() -> Any:
            out = fn(*args, **kwargs)
            value = out[0] if has_aux else out
            if shape_of(value) != ():
                raise ArgumentError("fn", expected="a function whose value is a scalar", got=value)
            if isinstance(value, (int, float, np.generic, Variable)):
                value = OPS["convert_to_tensor"](value)
                return (value, *out[1:]) if has_aux else value
            return out

        if not variables:
            return fn(*args, **kwargs), []
        engine = variables[0].engine
        if STATE.engine is engine:
            out, grads = engine.value_and_grad(scalar, variables, has_aux)
        else:
            with setting(engine=engine):
                out, grads = engine.value_and_grad(scalar, variables, has_aux)
        if any(g is None for g in grads):
            grads = [
                OPS["zeros_like"](v.raw()) if g is None else g for g, v in zip(grads, variables, strict=True)
            ]
        return out, grads

    return run
