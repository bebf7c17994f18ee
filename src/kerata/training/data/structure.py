"""What users hand in as data, read into nested structures of NumPy arrays whose first axis counts samples.

One walk turns leaves (arrays, lists of numbers, data frames, tensors of any engine) into arrays and says where in
the structure a leaf stands that cannot be one. The walk for batches also leaves tensors of the running engine alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from kerata.core import dispatch, dtypes
from kerata.core.errors import ArgumentError
from kerata.core.tensor import KerasTensor

Structure = Any
Rows = Callable[[Any], Any]

_PLAIN_KINDS = "iubc"  # integers, bool and complex pass as they are
_LISTED = 8  # so many leaves are named in an error about lengths


# --- Reading ----------------------------------------------------------------------------------------------


def arrays_of(value: Structure, path: str, keep: str | None = None, narrow: bool = False) -> Structure:
    """`value` with every leaf as a NumPy array; None stays None.

    Args:
        value: an array, or dicts, lists and tuples of arrays. A list of numbers is one array.
        path: what errors call `value`.
        keep: name of an engine whose tensors stay what they are.
        narrow: whether floats narrower than `floatx()` stay too (in batches, where a source chose them).

    Raises:
        ArgumentError: names the leaf that is no array of numbers or has no axis of samples.
    """
    kind = type(value)
    if kind is np.ndarray:
        return _checked(value, path, narrow)
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {key: arrays_of(part, f"{path}[{key!r}]", keep, narrow) for key, part in value.items()}
    if kind is list or kind is tuple:
        if _holds_scalars(value):
            return _checked(_from_numbers(value, path), path, narrow)
        return kind(arrays_of(part, f"{path}[{i}]", keep, narrow) for i, part in enumerate(value))
    if isinstance(value, tuple):  # a named tuple
        parts = [arrays_of(part, f"{path}.{name}", keep, narrow) for name, part in _named(value)]
        return value._make(parts) if hasattr(value, "_make") else kind(parts)
    return _leaf(value, path, keep, narrow)


def _named(value: tuple[Any, ...]) -> Iterator[tuple[Any, Any]]:
    return zip(getattr(value, "_fields", range(len(value))), value)


def _leaf(value: Any, path: str, keep: str | None, narrow: bool) -> Any:
    if isinstance(value, KerasTensor):
        raise ArgumentError(
            path, expected="data with values", got=value, fix="A symbolic tensor has no values."
        )
    engine = dispatch.engine_of_type(type(value))
    if engine is not None:
        if engine.name == keep:
            return _with_samples(value, path)
        return _checked(np.asarray(engine.to_numpy(value)), path, narrow)
    if hasattr(value, "iloc") and hasattr(value, "to_numpy"):
        return _checked(_from_table(value, path), path, narrow)
    if isinstance(value, np.memmap) and not narrow:
        return _checked(value, path, narrow)
    if hasattr(value, "__array__"):
        return _checked(np.asarray(value), path, narrow)
    if hasattr(value, "detach"):
        return _leaf_by_numpy(value.detach().cpu(), path, narrow)
    return _leaf_by_numpy(value, path, narrow)


def _leaf_by_numpy(value: Any, path: str, narrow: bool) -> np.ndarray:
    if callable(getattr(value, "numpy", None)):
        return _checked(np.asarray(value.numpy()), path, narrow)
    fix = None
    if hasattr(value, "toarray"):
        fix = "Sparse matrices must be made dense: x.toarray()."
    elif isinstance(value, (int, float, complex)):
        fix = "A single number has no axis of samples; give an array with one row per sample."
    raise ArgumentError(
        path, expected="an array, or nested dicts, lists and tuples of arrays", got=value, fix=fix
    )


def _holds_scalars(value: Any) -> bool:
    """Whether nested lists end in numbers (or strings, which are refused later), not in arrays."""
    while type(value) in (list, tuple) and value:
        value = value[0]
    return isinstance(value, (int, float, complex, str, bytes, np.generic)) or (
        type(value) in (list, tuple) and not value
    )


def _from_numbers(value: Any, path: str) -> np.ndarray:
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        array = None
    if array is None or array.dtype == object:
        fix = "Pad the rows to one length with kerata.utils.pad_sequences, or give lists of arrays for several inputs."
        raise ArgumentError(path, expected="lists of numbers of equal lengths", got=value, fix=fix)
    if array.dtype == np.int64 and array.size and abs(array.min()) < 2**31 > abs(array.max()):
        return array.astype(np.int32)  # a Python integer is int32 in Kerata
    return array


def _from_table(value: Any, path: str) -> np.ndarray:
    """A pandas DataFrame, or a Series as one column."""
    array = np.asarray(value.to_numpy())
    if array.dtype == object:  # columns of several dtypes, or dtypes that can be missing
        try:
            array = value.to_numpy(dtype="float64", na_value=np.nan)
        except (ValueError, TypeError):
            fix = "Encode text and categories as numbers first."
            raise ArgumentError(path, expected="a table of numbers", got=_columns(value), fix=fix) from None
    return array.reshape(-1, 1) if array.ndim == 1 else array


def _columns(table: Any) -> Any:
    if getattr(table, "ndim", 1) == 1:
        return f"a column of dtype {table.dtype}"
    return {str(name): str(dtype) for name, dtype in zip(table.columns, table.dtypes)}


# --- Dtypes -----------------------------------------------------------------------------------------------


def _checked(array: np.ndarray, path: str, narrow: bool) -> np.ndarray:
    kind = array.dtype.kind
    if not array.ndim:
        raise _no_samples_axis(array, path)
    if kind in _PLAIN_KINDS or array.dtype == _floatx():
        return array
    if kind != "f" and not _is_extended_float(array.dtype):
        raise _not_numbers(array, path)
    return (
        array if isinstance(array, np.memmap) else _as_floatx(array, narrow)
    )  # a file is cast batch by batch


def _floatx() -> np.dtype[Any]:
    return dtypes.numpy_dtype(dtypes.default_float())


def _is_extended_float(dtype: np.dtype[Any]) -> bool:
    """Whether `dtype` is bfloat16 or float8, which NumPy itself does not count as floats."""
    return dtype.name in dtypes.ALLOWED and dtypes.is_float(dtype)


def _as_floatx(array: np.ndarray, narrow: bool) -> np.ndarray:
    floatx = _floatx()
    if narrow and array.dtype.itemsize <= floatx.itemsize:
        return array
    return array.astype(floatx)


def _not_numbers(array: np.ndarray, path: str) -> ArgumentError:
    kind, fix = array.dtype.kind, None
    if kind in "UST":
        fix = "Turn text into numbers first, with kerata.layers.StringLookup or kerata.layers.TextVectorization."
    elif kind == "O":
        fix = "Pad rows of different lengths with kerata.utils.pad_sequences, or cast numbers with astype."
    elif kind in "Mm":
        fix = "Turn dates and times into numbers first."
    return ArgumentError(path, expected="an array of numbers", got=array, fix=fix)


def _no_samples_axis(value: Any, path: str) -> ArgumentError:
    fix = "Give an array with one row per sample."
    return ArgumentError(
        path, expected="an array with at least one axis, the one of samples", got=value, fix=fix
    )


def _with_samples(tensor: Any, path: str) -> Any:
    if not len(tensor.shape):
        raise _no_samples_axis(tensor, path)
    return tensor


# --- Leaves and lengths -----------------------------------------------------------------------------------


def leaves(structure: Structure, path: str) -> Iterator[tuple[str, Any]]:
    """The arrays in a structure that was read, each with the words for its place."""
    if structure is None:
        return
    if isinstance(structure, dict):
        for key, part in structure.items():
            yield from leaves(part, f"{path}[{key!r}]")
    elif isinstance(structure, tuple) and hasattr(structure, "_fields"):
        for name, part in _named(structure):
            yield from leaves(part, f"{path}.{name}")
    elif isinstance(structure, (list, tuple)):
        for i, part in enumerate(structure):
            yield from leaves(part, f"{path}[{i}]")
    else:
        yield path, structure


def count_samples(x: Structure, y: Structure = None, sample_weight: Structure = None) -> int:
    """The number of samples that all arrays share.

    Raises:
        ArgumentError: if there is none, or if lengths differ: it names each array with its length.
    """
    if type(x) is np.ndarray and sample_weight is None and (y is None or type(y) is np.ndarray):
        if len(x) > 0 and (y is None or len(x) == len(y)):
            return len(x)  # most calls by far
    found = [*leaves(x, "x"), *leaves(y, "y"), *leaves(sample_weight, "sample_weight")]
    if not found or x is None:
        raise ArgumentError("x", expected="at least one array", got=x)
    count = found[0][1].shape[0]
    if any(array.shape[0] != count for _, array in found):
        raise _lengths_differ(found)
    if not count:
        raise ArgumentError("x", expected="at least one sample", got=found[0][1])
    return int(count)


def _lengths_differ(found: list[tuple[str, Any]]) -> ArgumentError:
    count = found[0][1].shape[0]
    odd = next(path for path, array in found if array.shape[0] != count)
    listed = ", ".join(f"{path} has {array.shape[0]}" for path, array in found[:_LISTED])
    rest = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return ArgumentError(
        odd,
        expected="as long along its first axis as the other arrays, one row per sample",
        fix=f"Numbers of samples: {listed}{rest}.",
    )


# --- Rows -------------------------------------------------------------------------------------------------


def _nothing(rows: Any) -> None:
    return None


def rows_of(structure: Structure) -> Rows:
    """A function of a slice that gives these rows of every array, as views.

    Built once, so that a batch of a plain array costs one call into NumPy and no walk.
    """
    return _rows(structure, _views)


def slices_of(structure: Structure) -> Rows:
    """As `rows_of`, but arrays stay what they are: memory maps that are yet to be cast, too."""
    return _rows(structure, lambda array: array.__getitem__)


def taken_from(structure: Structure) -> Rows:
    """A function of an index array that gives these rows of every array, as copies."""
    return _rows(structure, _taker)


def _views(array: np.ndarray) -> Rows:
    array = np.asarray(array)  # the rows of a memory map are plain arrays
    if array.dtype.kind == "f" and array.dtype != _floatx():  # a file on disk: cast what is read of it
        floatx = _floatx()
        return lambda rows: array[rows].astype(floatx)
    return array.__getitem__


def _taker(array: np.ndarray) -> Rows:
    # `take` copies whole rows: 26 against 42 µs for 128 rows of 784 floats with `array[rows]`.
    take = np.asarray(array).take
    if array.dtype.kind == "f" and array.dtype != _floatx():
        floatx = _floatx()
        return lambda rows: take(rows, 0).astype(floatx)
    return lambda rows: take(rows, 0)


def _rows(structure: Structure, of_array: Callable[[np.ndarray], Rows]) -> Rows:
    if structure is None:
        return _nothing
    if isinstance(structure, dict):
        named = [(key, _rows(part, of_array)) for key, part in structure.items()]
        return lambda rows: {key: get(rows) for key, get in named}
    if isinstance(structure, tuple) and hasattr(structure, "_make"):
        parts, make = [_rows(part, of_array) for part in structure], structure._make
        return lambda rows: make(get(rows) for get in parts)
    if isinstance(structure, (list, tuple)):
        parts, kind = [_rows(part, of_array) for part in structure], type(structure)
        return lambda rows: kind([get(rows) for get in parts])
    return of_array(structure)


def bytes_per_sample(*structures: Structure) -> int:
    """Bytes that one row of all arrays takes."""
    total = 0
    for structure in structures:
        for _, array in leaves(structure, ""):
            total += array.nbytes // array.shape[0]
    return total
