"""Variables: the only tensors that change. Each belongs to an engine, which holds its value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from kerata import backends
from kerata.core import dtypes, registry, rules
from kerata.core.errors import ArgumentError
from kerata.core.naming import auto_name
from kerata.core.state import STATE, setting
from kerata.core.tensor import OPS, install_operators

# Grows when a variable is made or changes its `trainable`: lists of variables are cached by it.
STRUCTURE = [0]


def structure_changed() -> None:
    """Tells all caches of lists of variables that they may be out of date."""
    STRUCTURE[0] += 1


_AGGREGATIONS = ("none", "mean", "sum", "only_first_replica", None)


class Variable:
    """A tensor that can be assigned: a weight, a statistic, an optimizer's slot, a seed.

    Reads and writes go through the innermost `StateScope`, so that the same Python code runs in
    place, inside a compiled function, and in a stateless call.

    Args:
        initializer: an array, or a callable `(shape, dtype)` that gives the first value.
        shape: needed with a callable.
        dtype: name of the dtype; `floatx` for a callable, the array's own otherwise.
        trainable: whether optimizers change it.
        autocast: whether it is read in the compute dtype inside a layer of mixed precision.
        aggregation: how replicas are combined in distributed training.
        name: the last part of its path.

    Example:
        >>> import numpy as np
        >>> v = Variable(np.zeros(2, "float32"), name="total")
        >>> _ = v.assign_add([1.0, 2.0]); v.numpy()
        array([1., 2.], dtype=float32)
    """

    __slots__ = (
        "__dict__", "__weakref__", "_container", "_trainable", "aggregation", "autocast", "constraint", "dtype",
        "engine", "exposed", "name", "overwrite_with_gradient", "path", "regularizer", "shape",
    )  # fmt: skip

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str = "auto",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if aggregation not in _AGGREGATIONS:
            raise ArgumentError("aggregation", expected=f"one of {_AGGREGATIONS}", got=aggregation)
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ArgumentError("name", expected="a string without '/'", got=name)
        self.name = name or auto_name("variable")
        self.path = "/".join((*STATE.name_scope, self.name))
        self.engine = backends.current()
        self.autocast, self.aggregation, self.synchronization = autocast, aggregation, synchronization
        self.regularizer: Any = None
        self.constraint: Any = None
        self.overwrite_with_gradient = False
        self.exposed = False  # whether somebody outside may hold the buffer (it is then not donated)
        self._trainable = bool(trainable)
        structure_changed()
        if STATE.deferred and callable(initializer) and shape is not None:
            self._promise(initializer, shape, dtype)
            return
        with self.engine.outside_trace(), setting(scope=None, abstract=0, autocast=None):
            value = self._first_value(initializer, shape, dtype)
            self.dtype: str = self.engine.dtype_of(value)
            self.shape: tuple[int, ...] = self.engine.shape_of(value)
            self._container = self.engine.new_variable(value, self._trainable, self.name)

    def _first_value(self, initializer: Any, shape: Any, dtype: Any) -> Any:
        dtype = dtypes.standardize(dtype) if dtype is not None else None
        if isinstance(initializer, str):
            found = registry.find("initializers", initializer, "initializer")
            initializer = found() if isinstance(found, type) else found
        if callable(initializer):
            if shape is None:
                raise ArgumentError("shape", expected="given when `initializer` is a callable", got=shape)
            shape = rules.known_shape(shape)
            initializer = initializer(shape, dtype=dtype or dtypes.standardize(None))
        value = OPS["convert_to_tensor"](initializer, dtype)
        if shape is not None and tuple(shape) != self.engine.shape_of(value):
            raise ArgumentError("initializer", expected=f"a value of shape {tuple(shape)}", got=value)
        return value

    def __getstate__(self) -> dict[str, Any]:
        names = [n for n in self.__slots__ if n not in ("__dict__", "__weakref__", "_container")]
        state = {n: getattr(self, n) for n in names if hasattr(self, n)}
        return {**self.__dict__, **state, "value": None if self._container is None else self.numpy()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        value = state.pop("value")
        for name, item in state.items():
            setattr(self, name, item)
        self._container = None
        if value is not None:
            with (
                self.engine.outside_trace(),
                setting(engine=self.engine, scope=None, abstract=0, autocast=None),
            ):
                tensor = self.engine.convert(value, self.dtype)
                self._container = self.engine.new_variable(tensor, self._trainable, self.name)

    # ---- values that come later ----------------------------------------------------------------
    def _promise(self, initializer: Any, shape: Any, dtype: Any) -> None:
        """Notes how the first value would be made. While a model is loaded its values come from the file, so
        nothing is computed or allocated that a file merely describes."""
        self.dtype, self.shape = dtypes.standardize(dtype), tuple(int(d) for d in shape)
        self._container, self._initializer = None, initializer

    @property
    def promised(self) -> bool:
        """Whether it has no value yet."""
        return self._container is None

    def keep_promise(self) -> Any:
        """Makes the first value after all; in an abstract run, only its shape and dtype."""
        if STATE.abstract:
            from kerata.core.dispatch import abstract  # which knows variables

            return abstract(self)
        with self.engine.outside_trace(), setting(engine=self.engine, scope=None, abstract=0, autocast=None):
            value = self._first_value(self._initializer, self.shape, self.dtype)
            self._container = self.engine.new_variable(value, self._trainable, self.name)
        return self.engine.read(self._container)

    # ---- value ---------------------------------------------------------------------------------
    @property
    def value(self) -> Any:
        """The current tensor (in the compute dtype, inside a layer of mixed precision).

        It stays what it is when the variable is assigned. The exception is PyTorch's trainable variables: there it is
        the `torch.nn.Parameter` itself, which optimizers write in place, so that PyTorch's own tools work on it and a
        step copies nothing. To keep an earlier value, take a copy: `ops.copy(variable)` or `variable.numpy()`.
        """
        scope = STATE.scope
        value = None if scope is None else scope.read(self)
        if value is None:
            self.exposed = True
            value = self.keep_promise() if self._container is None else self.engine.read(self._container)
        if STATE.autocast is not None and self.autocast and dtypes.is_float(self.dtype):
            return OPS["cast"](value, STATE.autocast)
        return value

    def assign(self, value: Any) -> Any:
        """Replaces the value. Shape must be equal; the dtype is cast."""
        value = self._checked(value)
        scope = STATE.scope
        if scope is not None:
            scope.write(self, value)
        elif self._container is None:
            self._container = self.engine.new_variable(value, self._trainable, self.name)
        else:
            self.engine.write(self, value)
        return value

    def _checked(self, value: Any) -> Any:
        if STATE.abstract:
            from kerata.core.dispatch import abstract  # which knows variables

            value = abstract(value)
            shape = value.shape
        else:
            if STATE.engine is self.engine:
                value = OPS["convert_to_tensor"](value, self.dtype)
            else:
                with setting(engine=self.engine):
                    value = OPS["convert_to_tensor"](value, self.dtype)
            shape = self.engine.shape_of(value)
        if shape != self.shape:
            raise ArgumentError(
                "value",
                expected=f"a tensor of shape {self.shape}, the shape of the variable {self.path}",
                got=value,
            )
        return value

    def assign_add(self, value: Any) -> Any:
        """Adds to the value, and gives the new one."""
        return self.assign(OPS["add"](self.raw(), value))

    def assign_sub(self, value: Any) -> Any:
        """Subtracts from the value, and gives the new one."""
        return self.assign(OPS["subtract"](self.raw(), value))

    def raw(self) -> Any:
        """The value in the variable's own dtype, whatever the autocast scope."""
        scope = STATE.scope
        value = None if scope is None else scope.read(self)
        if value is not None:
            return value
        return self.keep_promise() if self._container is None else self.engine.read(self._container)

    def numpy(self) -> np.ndarray:
        """A copy of the value as a NumPy array."""
        return np.array(OPS["convert_to_numpy"](self.raw()))

    # ---- properties ----------------------------------------------------------------------------
    @property
    def trainable(self) -> bool:
        """Whether training changes the value."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        if value != self._trainable:
            self._trainable = value
            structure_changed()
            if self._container is not None:
                self.engine.set_trainable(self._container, value)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def move(self, engine: Any) -> None:
        """Carries the value to another engine."""
        if engine is self.engine:
            return
        if self._container is None:
            self.engine = engine
            return
        from kerata.core.dispatch import moved  # which knows variables

        value = moved(self.engine.read(self._container), engine, copy=True)
        self.engine = engine
        self._container = engine.new_variable(value, self._trainable, self.name)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__") and name not in Variable.__slots__:
            with suppress(AttributeError):
                return self.engine.variable_attribute(self, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    __array_priority__ = 1000  # arrays and numbers of NumPy leave operators to it

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        value = self.numpy()
        return value if dtype is None else value.astype(dtype)

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError(f"The variable {self.path!r} is a scalar, which has no elements to go through.")
        return (OPS["get_item"](self, i) for i in range(self.shape[0]))

    def __len__(self) -> int:
        return self.shape[0]

    def __bool__(self) -> bool:
        return bool(self.raw())

    def __float__(self) -> float:
        return float(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __repr__(self) -> str:
        return (
            f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, backend={self.engine.name}>"
        )


install_operators(Variable)
Variable.__eq__ = object.__eq__  # type: ignore[method-assign]  # variables are keys of dictionaries
Variable.__ne__ = object.__ne__  # type: ignore[method-assign]


def is_variable(x: Any) -> bool:
    """Whether `x` is a variable of Kerata.

    Example:
        >>> is_variable(Variable(1.0)), is_variable(1.0)
        (True, False)
    """
    return isinstance(x, Variable)


def update_all(variables: Sequence[Variable], values: Sequence[Any]) -> None:
    """Assigns new values of the right shapes and dtypes, without the checks of `assign`."""
    scope = STATE.scope
    if scope is not None:
        for variable, value in zip(variables, values, strict=True):
            scope.write(variable, value)
        return
    for variable, value in zip(variables, values, strict=True):
        variable.engine.adopt(variable, value)


def value_of(x: Any) -> Any:
    """The value of a variable; anything else as it is."""
    return x.value if isinstance(x, Variable) else x
