"""Which engine a call runs on, by the classes of its arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata import backends
from kerata.core import dtypes
from kerata.core.errors import ArgumentError, BackendMismatchError
from kerata.core.state import STATE
from kerata.core.tensor import KerasTensor
from kerata.core.variable import Variable

# Class of a native tensor -> its engine. Filled as classes are met; NumPy arrays are not in it,
# for they join whichever engine the others are on.
ENGINE_OF: dict[type, Any] = {}
_NOT_TENSORS: set[type] = {
    int,
    float,
    bool,
    complex,
    str,
    type(None),
    tuple,
    list,
    dict,
    np.ndarray,
    KerasTensor,
    Variable,
}


def engine_of_type(kind: type) -> Any:
    """The engine whose tensors have this class, or None."""
    engine = ENGINE_OF.get(kind)
    if engine is not None or kind in _NOT_TENSORS:
        return engine
    name = backends.of_class(kind)
    if name is not None:  # perhaps a tensor of an engine that nobody has used yet
        backends.get(name)
    for engine in backends.loaded():
        if engine.owns(kind):
            ENGINE_OF[kind] = engine
            return engine
    _NOT_TENSORS.add(kind)
    return None


def engine_of(x: Any) -> Any:
    """The engine of a tensor or variable; for everything else the default engine."""
    if isinstance(x, Variable):
        return x.engine
    return engine_of_type(type(x)) or backends.current()


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of an engine (NumPy arrays count), or a symbolic one."""
    return isinstance(x, (KerasTensor, np.ndarray)) or engine_of_type(type(x)) is not None


def shape_of(x: Any) -> tuple[Any, ...]:
    """Shape of any tensor-like value. Unknown dimensions of a symbolic tensor are None."""
    engine = ENGINE_OF.get(type(x))
    if engine is not None:
        return engine.shape_of(x)
    if isinstance(x, (KerasTensor, np.ndarray, Variable)):
        return x.shape
    engine = engine_of_type(type(x))
    if engine is not None:
        return engine.shape_of(x)
    if isinstance(x, (int, float, complex)):
        return ()
    try:
        return np.shape(x)
    except ValueError:  # lists of several lengths
        return _array(x).shape


def dtype_of(x: Any) -> str:
    """Name of the dtype of any tensor-like value; Python scalars have the default ones."""
    engine = ENGINE_OF.get(type(x))
    if engine is not None:
        return engine.dtype_of(x)
    if isinstance(x, (KerasTensor, Variable)):
        return x.dtype
    engine = engine_of_type(type(x))
    if engine is not None:
        return engine.dtype_of(x)
    if isinstance(x, (np.ndarray, np.generic)):
        return dtypes.standardize(x.dtype)
    if isinstance(x, (bool, int, float, complex)):
        return scalar_dtype(type(x))
    return scalar_or_list_dtype(x)


def scalar_dtype(kind: type) -> str:
    """Dtype that a Python scalar has when nothing else says."""
    return dtypes.result_type(kind)


def scalar_or_list_dtype(x: Any) -> str:
    """Dtype of nested lists: Python floats are `floatx`, Python ints int32, NumPy leaves keep theirs."""
    leaf = x
    while isinstance(leaf, (list, tuple)) and leaf:
        leaf = leaf[0]
    array = _array(x)
    if isinstance(leaf, (np.ndarray, np.generic)) or array.dtype.kind not in "fic":
        return dtypes.standardize(array.dtype)
    return scalar_dtype({"f": float, "i": int, "c": complex}[array.dtype.kind])


def in_abstract_run() -> bool:
    """Whether compositions are being run on abstract values to learn shapes."""
    return STATE.abstract > 0


def to_engine(value: Any, engine: Any, dtype: str | None = None) -> Any:
    """`value` (array, scalar, list, variable, native tensor) as a tensor of `engine`."""
    if isinstance(value, Variable):
        value = value.value
    if isinstance(value, KerasTensor):
        raise ArgumentError(
            "x",
            expected="a tensor with values",
            got=value,
            fix="Symbolic tensors have none; build a Model from them.",
        )
    owner = engine_of_type(type(value))
    if owner is engine:
        return (
            value
            if dtype is None or engine.dtype_of(value) == dtype
            else engine.primitives["cast"](value, dtype)
        )
    if owner is not None:
        raise mismatch("x", owner, engine)
    if isinstance(value, np.ndarray) and (engine.has_text or value.dtype.kind not in "US"):
        return engine.convert(value, dtype or dtypes.standardize(value.dtype))
    if isinstance(value, (list, tuple)) and any(is_tensor(v) for v in _leaves(value)):
        return _stack(value, engine, dtype)
    array = _array(value)
    dtype = dtype or dtype_of(value)
    if array.dtype.kind in "US" and (dtype != "string" or not engine.has_text):
        raise ArgumentError("x", expected=f"numbers, which become {dtype}", got=value)
    if array.dtype.kind in "iu" and array.size and dtypes.is_int(dtype) and not STATE.abstract:
        if not dtypes.holds(dtype, int(array.min()), int(array.max())):  # nobody chose the width of a list
            fix = "Give a wider dtype, or a NumPy array of one."
            raise ArgumentError("x", expected=f"in the range of {dtype}", got=value, fix=fix)
    return engine.convert(array, dtype)


def _array(value: Any) -> np.ndarray:
    """Numbers, or nested lists of them, as an array."""
    try:
        array = np.asarray(value)
        array = array.view(np.uint64) if array.dtype.char == "Q" else array  # the same by another name
    except ValueError:  # lists of several lengths
        array = None
    if array is None or array.dtype.kind == "O":
        raise ArgumentError("x", expected="numbers, or nested lists of them of equal lengths", got=value)
    return array


def moved(x: Any, engine: Any, copy: bool = False) -> Any:
    """A tensor of any engine on another one: on the same memory where both sides can and `copy` is not asked for."""
    owner = engine_of_type(type(x)) or backends.get("numpy")
    if owner is engine and not copy:
        return x
    name, copy = dtype_of(x), copy or owner.belongs_to_variable(x)
    if owner.name != engine.name:
        taken = engine.take_over(x, copy)
        if taken is not None and engine.dtype_of(taken) == name:
            return taken
    values = owner.to_numpy(x)
    return engine.convert(np.array(values) if copy else values, name)


def _leaves(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        for v in value:
            yield from _leaves(v)
    else:
        yield value


def _stack(value: Any, engine: Any, dtype: str | None) -> Any:
    from kerata.core.declare import OPS  # the table is filled by the ops above

    parts = [v if is_tensor(v) and not isinstance(v, np.ndarray) else to_engine(v, engine) for v in value]
    return OPS["cast"](OPS["stack"](parts), dtype) if dtype else OPS["stack"](parts)


def mismatch(argument: str, first: Any, second: Any) -> BackendMismatchError:
    """The error for tensors of two engines in one call."""
    return BackendMismatchError(
        argument,
        expected=f'a tensor of the engine "{second.name}", like the other arguments',
        got=f'a tensor of the engine "{first.name}"',
        fix=f'Move it with kerata.ops.to_backend(x, "{second.name}"), or a whole model with model.to_backend("{second.name}").',
    )


def abstract(value: Any) -> KerasTensor:
    """An abstract value with the shape and dtype of any tensor-like value."""
    if isinstance(value, KerasTensor):
        return value
    return KerasTensor(shape_of(value), dtype_of(value), record_history=False)
