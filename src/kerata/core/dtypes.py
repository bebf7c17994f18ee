"""Dtype names and the one table that says what two of them give.

Inside Kerata a dtype is a plain string such as "float32". `standardize` is the door: it takes whatever
users and engines call a dtype and gives the name. `result_type` is the promotion rule of every op.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ml_dtypes
import numpy as np

from kerata.core.errors import ArgumentError

_SIGNED = ("int8", "int16", "int32", "int64")
_UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
_FLOAT8 = ("float8_e4m3fn", "float8_e5m2")
_FLOAT = ("float16", "bfloat16", "float32", "float64", *_FLOAT8)
_COMPLEX = ("complex64", "complex128")

ALLOWED: tuple[str, ...] = ("bool", *_SIGNED, *_UNSIGNED, *_FLOAT, *_COMPLEX, "string")
FLOATX_ALLOWED: tuple[str, ...] = ("float16", "bfloat16", "float32", "float64")

_FLOATS, _INTS, _UNSIGNEDS = frozenset(_FLOAT), frozenset(_SIGNED + _UNSIGNED), frozenset(_UNSIGNED)
_WIDE = frozenset(("int64", "uint64", "float64", "complex128"))

_NUMPY: dict[str, np.dtype[Any]] = {
    "bool": np.dtype(np.bool_),
    **{name: np.dtype(name) for name in (*_SIGNED, *_UNSIGNED, "float16", "float32", "float64", *_COMPLEX)},
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "float8_e4m3fn": np.dtype(ml_dtypes.float8_e4m3fn),
    "float8_e5m2": np.dtype(ml_dtypes.float8_e5m2),
    "string": np.dtype(np.str_),
}


# --- Names ------------------------------------------------------------------------------------------------

_names: dict[Any, str] = {
    **{name: name for name in ALLOWED},
    **{dtype: name for name, dtype in _NUMPY.items()},
    "int": "int32",
    bool: "bool",
    int: "int32",
    complex: "complex64",
    str: "string",
}


def standardize(dtype: Any) -> str:
    """The name of `dtype`, one of `ALLOWED`.

    Takes a name, a Python type (`int` is int32, `float` is `floatx()`), a NumPy dtype or scalar type, or the
    dtype object of any engine. `None` means `floatx()`.

    Raises:
        ArgumentError: if no allowed dtype is meant.

    Example:
        >>> import numpy as np
        >>> standardize(np.float16), standardize("bfloat16"), standardize(int)
        ('float16', 'bfloat16', 'int32')
    """
    try:
        return _names[dtype]
    except (KeyError, TypeError):  # not seen yet, or not hashable
        return _standardize_slowly(dtype)


def of_numbers(dtype: Any) -> str:
    """The name of `dtype`, which must be one of numbers or of bool; text is refused."""
    name = standardize(dtype)
    if name == "string":
        raise ArgumentError("dtype", expected="a dtype of numbers", got=dtype)
    return name


def _standardize_slowly(dtype: Any) -> str:
    name = _name_of(dtype)
    if name is None:
        raise ArgumentError("dtype", expected="one of " + ", ".join(ALLOWED), got=dtype)
    _remember(dtype, name)
    return name


def _name_of(dtype: Any) -> str | None:
    if isinstance(dtype, str):
        return None
    if isinstance(dtype, type) and not issubclass(dtype, (np.generic, np.ndarray)):
        # A class that is not a NumPy scalar: engines' scalar makers such as `jax.numpy.float32` carry a dtype.
        dtype = getattr(dtype, "dtype", dtype)
    name = getattr(dtype, "name", None)
    if not isinstance(name, str):
        name = getattr(dtype, "__name__", None) or str(dtype).rpartition(".")[2]  # "package.float32"
    if name in _NUMPY:
        return name
    return _name_by_numpy(dtype)


def _name_by_numpy(dtype: Any) -> str | None:
    # A tensor has a dtype, and is none.
    if not isinstance(dtype, (np.dtype, type)) and (hasattr(dtype, "shape") or not hasattr(dtype, "dtype")):
        return None
    try:
        found = np.dtype(dtype)
    except TypeError:
        return None
    if found.kind in "SU":
        return "string"
    return found.name if found.name in _NUMPY and found.kind != "O" else None


def _remember(dtype: Any, name: str) -> None:
    if hasattr(dtype, "as_datatype_enum"):  # TensorFlow's dtypes equal the integers of an enumeration
        return
    try:
        if len(_names) < 1000:  # strings of any length are dtypes to NumPy: "<U1", "<U2", ...
            _names[dtype] = name
    except TypeError:
        pass


# --- Questions --------------------------------------------------------------------------------------------


def is_float(dtype: Any) -> bool:
    """Whether `dtype` is a real floating dtype, the 8-bit ones included.

    Example:
        >>> is_float("bfloat16"), is_float("int32")
        (True, False)
    """
    return standardize(dtype) in _FLOATS


def is_int(dtype: Any) -> bool:
    """Whether `dtype` is an integer dtype, signed or not; bool is not.

    Example:
        >>> is_int("uint8"), is_int("bool")
        (True, False)
    """
    return standardize(dtype) in _INTS


def is_unsigned(dtype: Any) -> bool:
    """Whether `dtype` is an unsigned integer dtype."""
    return standardize(dtype) in _UNSIGNEDS


def is_bool(dtype: Any) -> bool:
    """Whether `dtype` is bool."""
    return standardize(dtype) == "bool"


def is_complex(dtype: Any) -> bool:
    """Whether `dtype` is complex64 or complex128."""
    return standardize(dtype) in _COMPLEX


def is_float8(dtype: Any) -> bool:
    """Whether `dtype` is one of the 8-bit floats, which never promote."""
    return standardize(dtype) in _FLOAT8


def is_wide(dtype: Any) -> bool:
    """Whether one real component of `dtype` has 64 bits."""
    return standardize(dtype) in _WIDE


def numpy_dtype(dtype: Any) -> np.dtype[Any]:
    """The NumPy dtype of that name; bfloat16 and float8 come from `ml_dtypes`."""
    return _NUMPY[standardize(dtype)]


def itemsize(dtype: Any) -> int:
    """Bytes of one element.

    Example:
        >>> itemsize("bfloat16"), itemsize("complex64")
        (2, 8)
    """
    name = standardize(dtype)
    if name == "string":
        raise ArgumentError("dtype", expected="a dtype whose elements have one size", got="string")
    return _NUMPY[name].itemsize


def finfo(dtype: Any) -> Any:
    """Limits of a floating dtype (`eps`, `max`, `min`, `tiny`, `bits` ...); of a complex one, those of its parts."""
    name = real_of(dtype)
    if name not in _FLOATS:
        raise ArgumentError("dtype", expected="a floating or complex dtype", got=name)
    return ml_dtypes.finfo(_NUMPY[name])


def iinfo(dtype: Any) -> np.iinfo[Any]:
    """Limits of an integer dtype (`min`, `max`, `bits`)."""
    name = standardize(dtype)
    if name not in _INTS:
        raise ArgumentError("dtype", expected="an integer dtype", got=name)
    return np.iinfo(_NUMPY[name])


def holds(dtype: Any, *integers: Any) -> bool:
    """Whether an integer dtype has all of some integers.

    Example:
        >>> holds("int8", 0, 127), holds("uint8", -1)
        (True, False)
    """
    limits = iinfo(dtype)
    return all(limits.min <= n <= limits.max for n in integers)


# --- Promotion --------------------------------------------------------------------------------------------

# "X -> Y" reads: X and Y together are Y. What two dtypes give is their least upper bound (the lattice of
# https://docs.jax.dev/en/latest/jep/9407-type-promotion.html). The classes int, float and complex stand for Python
# scalars, which bend to the tensors they meet.
_EDGES: dict[Any, tuple[Any, ...]] = {
    "bool": (int,),
    int: ("uint8", "int8"),
    "uint8": ("int16", "uint16"),
    "uint16": ("int32", "uint32"),
    "uint32": ("int64", "uint64"),
    "uint64": (float,),
    "int8": ("int16",),
    "int16": ("int32",),
    "int32": ("int64",),
    "int64": (float,),
    float: ("float16", "bfloat16", complex, *_FLOAT8),
    "float16": ("float32",),
    "bfloat16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    complex: ("complex64",),
    "complex64": ("complex128",),
    "complex128": (),
    "float8_e4m3fn": (),
    "float8_e5m2": (),
    "string": (),
}


def _reachable() -> dict[Any, frozenset[Any]]:
    above: dict[Any, frozenset[Any]] = {}

    def visit(node: Any) -> frozenset[Any]:
        if node not in above:
            above[node] = frozenset((node,)).union(*map(visit, _EDGES[node]))
        return above[node]

    for node in _EDGES:
        visit(node)
    return above


_ABOVE = _reachable()


def _join(nodes: Iterable[Any]) -> Any:
    """Least upper bound of the nodes, or None."""
    bounds = frozenset.intersection(*(_ABOVE[node] for node in nodes))
    return next((node for node in bounds if _ABOVE[node] == bounds), None)


_default_float = "float32"
_promoted: dict[tuple[Any, ...], str] = {}


def default_float() -> str:
    """The dtype that a Python float has where no tensor says otherwise: `floatx()`."""
    return _default_float


def set_default_float(name: str) -> None:
    """Replaces the default float; `kerata.config.set_floatx` checks `name` and calls this."""
    global _default_float
    _default_float = name
    _names[float] = _names[None] = name
    _promoted.clear()
    _fill_pairs()


def result_type(*dtypes: Any) -> str:
    """The dtype that values of these dtypes have together.

    A dtype name, or one of the Python types `bool`, `int`, `float`, `complex` for a Python scalar, which bends to
    the tensors it meets: `(int8, int)` is int8, `(float16, float)` is float16. An integer and a float give that
    float. 64 bits come out only where 64 bits went in. The 8-bit floats meet only themselves and Python scalars.

    Raises:
        ArgumentError: if there is no common dtype (float8 with another dtype, a string with a number).

    Example:
        >>> result_type("int32", "float16"), result_type("uint8", "int8"), result_type("bool", int)
        ('float16', 'int16', 'int32')
    """
    try:
        return _promoted[dtypes]
    except (KeyError, TypeError):
        return _promote(dtypes)


def _promote(dtypes: tuple[Any, ...]) -> str:
    if not dtypes:
        raise ArgumentError("dtypes", expected="at least one dtype", got=dtypes)
    nodes = {_node(dtype) for dtype in dtypes}
    joined = _join(nodes)
    # Without this row an 8-bit float would swallow every integer and bool tensor, losing nearly all values.
    if joined is None or (joined in _FLOAT8 and not nodes <= {joined, int, float}):
        names = ", ".join(sorted(str(getattr(node, "__name__", node)) for node in nodes))
        raise ArgumentError(
            "dtypes", expected="dtypes that combine", got=names, fix="Convert one of them with `ops.cast`."
        )
    if joined == "int64" and not nodes & _WIDE:
        joined = "int32"  # uint32 with a signed one: nobody asked for 64 bits
    name = _concrete(joined)
    if len(dtypes) <= 3:
        try:
            _promoted[dtypes] = name
        except TypeError:
            pass
    return name


def _node(dtype: Any) -> Any:
    if dtype is int or dtype is float or dtype is complex:
        return dtype
    return standardize(dtype)


def _concrete(node: Any) -> str:
    if node is int:
        return "int32"
    if node is float:
        return _default_float
    if node is complex:
        return complex_for(_default_float)
    return str(node)


def _fill_pairs() -> None:
    """Computes every pair ahead, so that an op's promotion is one look-up from the first call on."""
    kinds = [*ALLOWED, bool, int, float, complex]
    for a in kinds:
        for b in kinds:
            try:
                _promote((a, b))
            except ArgumentError:
                continue  # stays out of the table: asking for it words the error


# --- Dtypes of results ------------------------------------------------------------------------------------


def float_for(dtype: Any) -> str:
    """Dtype of a float-valued function (sqrt, mean ...) of `dtype`: integers and bool give `floatx()`."""
    name = standardize(dtype)
    return _default_float if name in _INTS or name == "bool" else name


def sum_dtype(dtype: Any) -> str:
    """Dtype of sums and products over `dtype`: small integers and bool add up in 32 bits.

    Example:
        >>> sum_dtype("uint8"), sum_dtype("bool"), sum_dtype("int64"), sum_dtype("float16")
        ('uint32', 'int32', 'int64', 'float16')
    """
    name = standardize(dtype)
    if name in ("bool", "int8", "int16"):
        return "int32"
    return "uint32" if name in ("uint8", "uint16") else name


def real_of(dtype: Any) -> str:
    """Dtype of the real part: complex64 gives float32, complex128 gives float64, others themselves."""
    name = standardize(dtype)
    return {"complex64": "float32", "complex128": "float64"}.get(name, name)


def complex_for(dtype: Any) -> str:
    """The complex dtype that holds `dtype`: complex128 for float64 and complex128, else complex64."""
    return "complex128" if standardize(dtype) in ("float64", "complex128") else "complex64"


set_default_float(_default_float)
