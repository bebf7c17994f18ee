"""What is not mathematics: tensors made and read, dtypes and shapes, engines and devices, stops of gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerata import backends
from kerata.core import dispatch, dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import leaves_of, new_abstract, op
from kerata.core.dispatch import dtype_of, in_abstract_run, shape_of
from kerata.core.errors import ArgumentError, UnknownValuesError
from kerata.core.samples import T, rejects, sample, values
from kerata.core.state import setting
from kerata.core.tensor import OPS, KerasTensor
from kerata.core.variable import Variable

TensorLike = Any
Tensor = Any


def convert_to_tensor(
    x: TensorLike, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None
) -> Tensor:
    """A tensor of the default engine, or of the engine that `x` is already on.

    Args:
        x: an array, a number, nested lists, a variable or a tensor.
        dtype: dtype of the result. Without it, arrays keep theirs (64 bits included), Python floats
            become `floatx`, Python integers int32.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_tensor([1.0, 2.0]).shape == (2,)
        True
    """
    name = None if dtype is None else dtypes.standardize(dtype)
    if isinstance(x, Variable):
        x = x.value
    if isinstance(x, KerasTensor):
        return x if name is None or x.dtype == name else cast(x, name)
    owner = dispatch.engine_of_type(type(x))
    if owner is not None:
        return x if name is None or owner.dtype_of(x) == name else cast(x, name)
    if isinstance(x, (list, tuple)) and any(isinstance(v, KerasTensor) for v in x):
        stacked = OPS["stack"](list(x))
        return stacked if name is None else cast(stacked, name)
    if in_abstract_run() and any(map(rules.is_stand_in, leaves_of(x))):
        return new_abstract(shape_of(x), name or "int32")
    return dispatch.to_engine(x, backends.current(), name)


OPS["convert_to_tensor"] = convert_to_tensor


_NOT_YET = "Inside a compiled or vectorised function they are not, nor those of a symbolic tensor."


def convert_to_numpy(x: TensorLike) -> np.ndarray:
    """The values as a NumPy array; bfloat16 and float8 through ml_dtypes.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.ones(2))
        array([1., 1.], dtype=float32)
    """
    if isinstance(x, Variable):
        return x.numpy()
    owner = dispatch.engine_of_type(type(x))
    if owner is not None:
        if not owner.is_concrete(x):
            raise UnknownValuesError("x", expected="a tensor whose values are known", got=x, fix=_NOT_YET)
        return owner.to_numpy(x)
    if isinstance(x, np.ndarray):
        return x
    if isinstance(x, (list, tuple)) and any(dispatch.is_tensor(v) for v in x):
        return np.stack([convert_to_numpy(v) for v in x])
    return np.asarray(x, dtypes.numpy_dtype(dtype_of(x)))


OPS["convert_to_numpy"] = convert_to_numpy


def to_backend(x: TensorLike, backend: str) -> Tensor:
    """The tensor on another engine.

    Memory is shared where both sides can (DLPack) and nobody can write into what others take for unchanging: tensors of
    JAX and TensorFlow are copied on the way to PyTorch. Of a variable, a copy is taken.

    Args:
        x: a tensor or variable of any engine, an array, a number or nested lists.
        backend: name of the engine to move it to.

    Returns:
        A tensor of that engine, with the same dtype.

    Example:
        >>> import kerata
        >>> type(kerata.ops.to_backend(kerata.ops.ones(2), "numpy")).__name__
        'ndarray'
    """
    engine = backends.get(backend)
    if isinstance(x, Variable):
        return dispatch.moved(x.value, engine, copy=True)
    if not dispatch.is_tensor(x):
        return dispatch.to_engine(x, engine)
    return dispatch.moved(x, engine)


def shape(x: TensorLike) -> tuple[Any, ...]:
    """Sizes of the dimensions, as a tuple of integers. Unknown ones of a symbolic tensor are None.

    Example:
        >>> import kerata
        >>> kerata.ops.shape(kerata.ops.zeros((2, 3)))
        (2, 3)
    """
    return shape_of(x)


OPS["shape"] = shape


def dtype(x: TensorLike) -> str:
    """Name of the dtype.

    Args:
        x: whatever is like a tensor; Python floats have the default dtype.

    Example:
        >>> import kerata
        >>> kerata.ops.dtype(kerata.ops.ones(2, "bfloat16")), kerata.ops.dtype(1.5)
        ('bfloat16', 'float32')
    """
    return dtype_of(x)


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of an engine.

    Example:
        >>> import kerata
        >>> kerata.ops.is_tensor(kerata.ops.ones(2)), kerata.ops.is_tensor([1.0])
        (True, False)
    """
    return dispatch.is_tensor(x)


@op(
    samples=[
        sample(T((2, 3)), "float64"), sample(T((3,), low=-300.0, high=300.0), "int8"), sample(T((3,), "int32"), "bool"),
        sample(T((3,), "bool"), "float32"), sample(T((2, 2)), "bfloat16", gradient=False), sample(T((0, 2)), "int32"),
        sample(values(1.17e19, 2.0**63, 2.0**64, 5.0, -1.0, float("nan"), dtype="float64"), "uint64"),
    ],
    rejects=[
        rejects(T((2,)), "float33", argument="dtype"), rejects(T((2,)), "string", argument="dtype"),
        rejects(T((2,)), T((2,)), argument="dtype"),
    ],
    computes=False,
    scalars_stay=True,  # a number of Python is not rounded to 32 bits on its way to 64
)  # fmt: skip
def cast(x: TensorLike, dtype: Any) -> Tensor:
    """The same values in another dtype.

    Floats become integers toward zero; what does not fit becomes the nearest limit and NaN 0.
    Complex values lose their imaginary part, except on the way to bool.

    Args:
        x: any tensor.
        dtype: name of the dtype of the result.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.cast([1.7, -1.7], "int32"))
        array([ 1, -1], dtype=int32)
    """
    name = dtypes.standardize(dtype)
    if _made_as(x, name):
        value = np.asarray(x, dtypes.numpy_dtype(name))
        return create((), name, lambda engine: engine.convert(value, name))
    if isinstance(x, (int, float, np.number)):
        x = convert_to_tensor(x)
    return x if dtype_of(x) == name else p.cast(x, dtype=dtypes.of_numbers(name))


def _made_as(x: Any, name: str) -> bool:
    """Whether a number of Python becomes a tensor of a dtype at once: floats keep 64 bits, and integers stay known in
    traced functions, where the result of a cast is not."""
    if dtypes.is_int(name):
        return type(x) is int and dtypes.holds(name, x)
    return type(x) is float and dtypes.is_wide(name)


def create(shape: Any, dtype: str, make: Callable[[Any], Tensor]) -> Tensor:
    """A new tensor of the default engine; an abstract one in an abstract run."""
    if in_abstract_run():
        return new_abstract(rules.as_shape(shape), dtype)
    return make(backends.current())


def stop_gradient(variable: TensorLike) -> Tensor:
    """The same values; derivatives do not pass.

    Example:
        >>> import kerata
        >>> kerata.ops.stop_gradient(kerata.ops.ones(2)).shape == (2,)
        True
    """
    x = convert_to_tensor(variable)
    if isinstance(x, KerasTensor):
        return new_abstract(x.shape, x.dtype) if not x.record_history else _stop_symbolic(x)
    return dispatch.engine_of(x).stop_gradient(x)


OPS["stop_gradient"] = stop_gradient


@op(
    name="stop_gradient_node",
    differentiable=False,
    samples=[
        sample(T((2, 3))),
        sample(T((0,))),
        sample(T((), "float64")),
        sample(T((2,), "int32")),
        sample(T((2,), "complex64")),
    ],
)
def _stop_symbolic(x: TensorLike) -> Tensor:
    return stop_gradient(x)


def device_scope(device_name: str) -> Any:
    """A context in which new tensors live on a device such as "cpu:0" or "gpu:0".

    Args:
        device_name: the kind of device and its number, as `kerata doctor` lists them.

    Example:
        >>> import kerata
        >>> with kerata.ops.device_scope("cpu:0"):
        ...     x = kerata.ops.ones(2)
        >>> x.shape == (2,)
        True
    """
    return backends.current().device_scope(device_name)


def vjp(fn: Callable[..., Any], inputs: Sequence[Tensor]) -> tuple[Any, Callable[[Any], list[Any]]]:
    """The value of `fn(*inputs)` and the function from its cotangents to those of the inputs.

    Args:
        fn: function of as many tensors as there are inputs; its value may be a tree of tensors.
        inputs: the tensors at which it is differentiated.

    Returns:
        The value, and a function that takes cotangents in the structure of the value and gives a list: one for each
        input, None where there is no path.

    Raises:
        ArgumentError: there are no inputs.

    Example:
        >>> import kerata
        >>> y, back = kerata.ops.vjp(kerata.ops.square, [3.0])
        >>> float(y), float(back(kerata.ops.ones(()))[0])
        (9.0, 6.0)
    """
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise ArgumentError("inputs", expected="a list of at least one tensor", got=inputs)
    tensors = [convert_to_tensor(x) for x in inputs]
    engine = dispatch.engine_of(tensors[0])
    with setting(engine=engine):
        return engine.vjp(fn, tensors)
