"""`@kerata.function`: compiles a Python function that reads and assigns variables, on any engine."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kerata import backends
from kerata.core import dispatch
from kerata.core.declare import leaves_of
from kerata.core.errors import UnknownValuesError
from kerata.core.state import STATE
from kerata.core.variable import Variable


@dataclass(frozen=True)
class Options:
    """How a function is lifted.

    Attributes:
        jit_compile: True: by the engine's strongest compiler (XLA, TorchInductor); False: by no more
            than the engine needs; "auto": what pays on that engine.
        variables: variables that the function will use, if known; others are found while tracing.
    """

    jit_compile: bool | str = "auto"
    variables: tuple[Variable, ...] = ()


def function(
    fn: Callable[..., Any] | None = None,
    *,
    jit_compile: bool | str = "auto",
    variables: Sequence[Variable] = (),
) -> Any:
    """Compiles a function. On JAX it becomes a pure jitted function with donated state, on TensorFlow
    a `tf.function`, on PyTorch it runs in place (`torch.compile` with `jit_compile=True`), on NumPy
    directly. What it assigns to variables takes effect on all of them.

    It is traced again for each new structure, shape or dtype of the tensors among its arguments, and
    for each new value of the other arguments, which must therefore be hashable. Inside another
    compiled function it is simply called. What needs values that an engine does not know while it compiles, such as
    the number of elements that `ops.unique` gives, makes the whole function run uncompiled, with a warning.

    Args:
        fn: a function of tensors (in any structure) and plain values.
        jit_compile: True, False or "auto": how hard the engine compiles.
        variables: the variables it uses, if known beforehand; saves a second tracing on JAX.

    Example:
        >>> import kerata, numpy as np
        >>> total = kerata.Variable(np.zeros(()), dtype="float32")
        >>> @kerata.function
        ... def count(x):
        ...     total.assign_add(kerata.ops.sum(x))
        ...     return total.value
        >>> float(count(np.ones(3, "float32"))), float(count(np.ones(3, "float32")))
        (3.0, 6.0)
    """
    if fn is None:
        return functools.partial(function, jit_compile=jit_compile, variables=variables)
    lifted: dict[Any, Callable[..., Any]] = {}
    options = Options(jit_compile, tuple(variables))

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        if STATE.scope is not None or STATE.abstract or STATE.tracing:
            return fn(*args, **kwargs)
        engine = _engine(args, kwargs, options)
        run = lifted.get(engine)
        if run is None:
            run = lifted[engine] = engine.function(fn, options)
        old, STATE.engine = STATE.engine, engine
        try:
            return run(*args, **kwargs)
        except UnknownValuesError as error:
            if run is fn:
                raise
            result = fn(*args, **kwargs)
            lifted[engine] = fn
            _warn(fn, error)
            return result
        finally:
            STATE.engine = old

    return call


def _warn(fn: Callable[..., Any], error: UnknownValuesError) -> None:
    name = getattr(fn, "__qualname__", repr(fn))
    words = f"The function {name} runs uncompiled from now on, which is slower. {error}"
    warnings.warn(words, RuntimeWarning, stacklevel=3)


def _engine(args: Any, kwargs: Any, options: Options) -> Any:
    if options.variables:
        return options.variables[0].engine
    for leaf in leaves_of([args, kwargs]):
        engine = leaf.engine if isinstance(leaf, Variable) else dispatch.engine_of_type(type(leaf))
        if engine is not None:
            return engine
    return backends.current()
