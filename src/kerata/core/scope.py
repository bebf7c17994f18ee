"""Scopes that users open: stateless runs, names, devices; and rematerialisation."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from kerata import backends
from kerata.core import dispatch
from kerata.core.declare import leaves_of
from kerata.core.errors import ArgumentError
from kerata.core.state import STATE, StateScope, setting
from kerata.core.variable import Variable


class StatelessScope(StateScope):
    """Inside it, variables have the given values, and what is assigned stays in the scope.

    Args:
        state_mapping: pairs of a variable and the value it has inside.
        collect_losses: whether `losses` collects what layers add to the loss inside.
        initialize_variables: whether new variables get their first value at once, or when it is first read.

    Attributes:
        losses: with `collect_losses`, the scalars of `add_loss` and of activity regularizers, in order.

    Example:
        >>> import kerata, numpy as np
        >>> v = kerata.Variable(np.float32(1.0))
        >>> with kerata.StatelessScope([(v, np.float32(5.0))]) as scope:
        ...     _ = v.assign(v + 1.0)
        >>> float(scope.get_current_value(v)), float(v)
        (6.0, 1.0)
    """

    __slots__ = ("_initialize", "_outer_deferred", "collect_losses", "losses")

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        super().__init__()
        self.collect_losses, self._initialize = collect_losses, initialize_variables
        self.losses: list[Any] = []
        for variable, value in state_mapping or ():
            if not isinstance(variable, Variable):
                raise ArgumentError("state_mapping", expected="pairs of a variable and a value", got=variable)
            value = value if dispatch.is_tensor(value) else dispatch.to_engine(value, variable.engine)
            shape = tuple(dispatch.shape_of(value))
            if len(shape) != len(variable.shape) or any(map(_apart, shape, variable.shape)):
                raise ArgumentError(
                    "state_mapping",
                    expected=f"a value of shape {variable.shape} for the variable {variable.path!r}",
                    got=f"one of shape {shape}",
                )
            self.values[variable] = value

    def __enter__(self) -> StatelessScope:
        super().__enter__()
        self._outer_deferred = STATE.deferred
        STATE.deferred = self._outer_deferred or not self._initialize
        return self

    def __exit__(self, *exc: object) -> None:
        STATE.deferred = self._outer_deferred
        super().__exit__(*exc)

    def add_loss(self, loss: Any) -> None:
        """Puts a scalar among `losses`."""
        self.losses.append(loss)

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Assigns a value to a variable inside the scope: a pair of both."""
        self.write(*update)

    def get_current_value(self, variable: Variable) -> Any:
        """The value at the end; None for a variable that was neither given nor assigned."""
        return self.values.get(variable)


def _apart(a: Any, b: Any) -> bool:
    """Whether two sizes are certainly not the same; in a traced function, only the engine may know one."""
    return type(a) is int and type(b) is int and a != b


def with_values(*groups: tuple[str, Sequence[Variable], Iterable[Any]]) -> StatelessScope:
    """A scope for a pure run: in it, the variables of each group `(argument, variables, values)` have those values.

    Raises:
        ArgumentError: there are more or fewer values than variables; names the argument.
    """
    pairs: list[tuple[Variable, Any]] = []
    for argument, variables, given in groups:
        values = list(given)
        if len(values) != len(variables):
            raise ArgumentError(
                argument,
                expected=f"{len(variables)} values, one for each variable",
                got=f"{len(values)} of them",
            )
        pairs += zip(variables, values, strict=True)
    return StatelessScope(pairs)


def name_scope(name: str, **kwargs: Any) -> AbstractContextManager[None]:
    """Inside it, the paths of new variables begin with `name`.

    Example:
        >>> import kerata, numpy as np
        >>> with kerata.name_scope("block"):
        ...     kerata.Variable(np.zeros(1), name="w").path
        'block/w'
    """
    if not isinstance(name, str) or not name or "/" in name:
        raise ArgumentError("name", expected="a non-empty string without '/'", got=name)
    return setting(name_scope=(*STATE.name_scope, name))


def device(device_name: str) -> AbstractContextManager[Any]:
    """Inside it, new tensors live on that device, such as "cpu:0" or "gpu:0".

    Args:
        device_name: the kind of device and its number, as `kerata doctor` lists them.

    Example:
        >>> import kerata
        >>> with kerata.device("cpu:0"):
        ...     x = kerata.ops.ones(2)
        >>> x.shape == (2,)
        True
    """
    return backends.current().device_scope(device_name)


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, whose inner values are not kept for the backward pass but computed again.

    Example:
        >>> import kerata
        >>> float(kerata.remat(kerata.ops.exp)(0.0))
        1.0
    """

    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        engines = (dispatch.engine_of_type(type(leaf)) for leaf in leaves_of([args, kwargs]))
        engine = next((e for e in engines if e is not None), None) or backends.current()
        if STATE.abstract:
            return f(*args, **kwargs)
        return engine.remat(f)(*args, **kwargs)

    return call
