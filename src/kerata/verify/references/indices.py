"""Plain definitions of gathering, scattering, segments and sets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kerata.core import dtypes

Array = np.ndarray


def _check_inside(indices: Array, size: int) -> None:
    """What an index outside means is the op's own choice."""
    if np.any((indices < -size) | (indices >= size)):
        raise np.linalg.LinAlgError("an index outside")


def take(x: Array, indices: Any, axis: int | None = None) -> Array:
    _check_inside(np.asarray(indices), np.size(x) if axis is None else np.shape(x)[axis])
    return np.take(x, indices, axis)


def take_along_axis(x: Array, indices: Array, axis: int | None = None) -> Array:
    _check_inside(indices, x.size if axis is None else x.shape[axis])
    return np.take_along_axis(x, indices, axis)


def unravel_index(indices: Any, shape: Any) -> Any:
    _check_inside(np.asarray(indices), math.prod(shape))
    return np.unravel_index(np.asarray(indices) % max(math.prod(shape), 1), shape)


def one_hot(x: Array, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Array:
    return np.moveaxis((np.asarray(x)[..., None] == np.arange(num_classes)).astype(float), -1, axis)


def _segments(data: Array, ids: Array, count: int | None, start: Any, join: Any) -> Array:
    count = int(ids.max()) + 1 if count is None else count
    found = np.full((count, *data.shape[1:]), start, data.dtype)
    for row, place in zip(data, ids, strict=True):
        if 0 <= place < count:
            found[place] = join(found[place], row)
    return found


def segment_sum(data: Array, segment_ids: Array, num_segments: Any = None, sorted: bool = False) -> Array:
    return _segments(data, segment_ids, num_segments, 0, np.add)


def segment_prod(data: Array, segment_ids: Array, num_segments: Any = None, sorted: bool = False) -> Array:
    return _segments(data, segment_ids, num_segments, 1, np.multiply)


def segment_max(data: Array, segment_ids: Array, num_segments: Any = None, sorted: bool = False) -> Array:
    start = -np.inf if data.dtype.kind == "f" else np.iinfo(data.dtype).min
    return _segments(data, segment_ids, num_segments, start, np.maximum)


def segment_min(data: Array, segment_ids: Array, num_segments: Any = None, sorted: bool = False) -> Array:
    start = np.inf if data.dtype.kind == "f" else np.iinfo(data.dtype).max
    return _segments(data, segment_ids, num_segments, start, np.minimum)


def bincount(x: Array, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Array:
    rows = np.atleast_2d(x)
    loads = np.ones(rows.shape) if weights is None else np.atleast_2d(weights)
    found = np.zeros((len(rows), max(minlength, int(rows.max(initial=-1)) + 1)))
    for i, (row, load) in enumerate(zip(rows, loads, strict=True)):
        for number, weight in zip(row, load, strict=True):
            if number >= 0:
                found[i, number] += weight
    return found if x.ndim == 2 else found[0]


def scatter_update(inputs: Array, indices: Any, updates: Array, reduction: str | None = None) -> Array:
    join = {"add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}
    found, indices = np.array(inputs), np.asarray(indices)
    depth = indices.shape[-1]
    rows = np.reshape(updates, (-1, *found.shape[depth:]))
    for place, row in zip(indices.reshape(-1, depth), rows, strict=True):
        for i, n in zip(place, found.shape, strict=False):
            _check_inside(i, n)
        old = found[tuple(place)]
        found[tuple(place)] = row if reduction is None else join[reduction](old, row)
    return found


def scatter(indices: Any, values: Array, shape: Any) -> Array:
    return scatter_update(np.zeros(shape, values.dtype), indices, values, "add")


def _box(x: Array, start_indices: Any, shape: Any) -> tuple[Any, ...]:
    """A box, moved so that it lies inside."""
    starts = [min(max(int(s), 0), d - n) for s, n, d in zip(start_indices, shape, x.shape, strict=True)]
    return tuple(np.s_[s : s + n] for s, n in zip(starts, shape, strict=True))


def slice_update(inputs: Array, start_indices: Any, updates: Array) -> Array:
    found = np.array(inputs)
    found[_box(found, start_indices, updates.shape)] = updates
    return found


def extract_sequences(x: Array, sequence_length: int, sequence_stride: int) -> Array:
    views = np.lib.stride_tricks.sliding_window_view(x, sequence_length, -1)
    return views[..., ::sequence_stride, :]


def slice(inputs: Array, start_indices: Any, shape: Any) -> Array:
    shape = [d - int(s) if n == -1 else n for n, s, d in zip(shape, start_indices, inputs.shape, strict=True)]
    return inputs[_box(inputs, start_indices, shape)]


def _descending(x: Array) -> Array:
    """NaN counts as the largest; equals stay in their order."""
    return np.argsort(-np.where(np.isnan(x), np.inf, x), -1, kind="stable")


def top_k(x: Array, k: int, sorted: bool = True) -> tuple[Array, Array]:
    if x.dtype.kind == "f" and np.isnan(x).any() and np.isinf(x).any():
        raise np.linalg.LinAlgError("NaN and infinity, which are not equals")
    order = _descending(x.astype(float))[..., :k]
    return np.take_along_axis(x, order, -1), order


def in_top_k(targets: Array, predictions: Array, k: int) -> Array:
    found = []
    for target, row in zip(targets, predictions, strict=True):
        known = 0 <= target < len(row) and np.isfinite(row[target])
        found.append(bool(known and np.sum(row > row[target]) < k))
    return np.array(found, bool)


def argpartition(x: Array, kth: int, axis: int | None = -1) -> Array:
    """One of the many results that are allowed: both sides in ascending order."""
    return np.argsort(x, axis, kind="stable")


def nanargmax(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    missing = np.isnan(x)
    found = np.argmax(np.where(missing, -np.inf, x), axis, keepdims=keepdims)
    if np.any(np.isneginf(x)):
        raise np.linalg.LinAlgError("minus infinity beside NaN")
    return np.where(missing.all(axis, keepdims=keepdims), -1, found)


def nanargmin(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    return nanargmax(-x, axis, keepdims)


def multi_hot(
    inputs: Array, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Array:
    hot = one_hot(inputs, num_classes, axis)
    return hot.max(0 if inputs.ndim <= 1 else 1, initial=0)


def unique(
    x: Array, sorted: bool = True, return_index: bool = False, return_inverse: bool = False,
    return_counts: bool = False, axis: int | None = None, size: int | None = None, fill_value: Any = None,
) -> Any:  # fmt: skip
    values, index, inverse, counts = np.unique(x, True, True, True, axis)
    along = 0 if axis is None else axis
    if not sorted:
        order = np.argsort(index)
        values, index, counts = np.take(values, order, along), index[order], counts[order]
        inverse = np.argsort(order)[inverse]
    results = [values, index, inverse.reshape(x.shape if axis is None else -1), counts]
    if size is not None:
        raise np.linalg.LinAlgError("what fills up places and counts is the op's own choice")
    wanted = (True, return_index, return_inverse, return_counts)
    chosen = [r for r, want in zip(results, wanted, strict=True) if want]
    return chosen[0] if len(chosen) == 1 else tuple(chosen)


def cast(x: Array, dtype: Any) -> Array:
    name = dtypes.standardize(dtype)
    if dtypes.is_int(name) and not np.all((x >= dtypes.iinfo(name).min) & (x <= dtypes.iinfo(name).max)):
        raise np.linalg.LinAlgError("what the integer cannot hold")
    return x.astype(dtypes.numpy_dtype(name))


def saturate_cast(x: Array, dtype: Any) -> Array:
    name = dtypes.standardize(dtype)
    if name == "bool":
        return x.astype(bool)
    limits = dtypes.iinfo(name) if dtypes.is_int(name) else dtypes.finfo(name)
    whole = (
        x.astype(object)
        if dtypes.is_int(name) and x.dtype.kind in "iu"
        else np.nan_to_num(x.astype(float), nan=0)
    )
    return np.clip(whole, limits.min, limits.max).astype(dtypes.numpy_dtype(name))
