"""Sums, products and extremes of rows that have the same number of a segment."""

from __future__ import annotations

from typing import Any

from kerata.core import checks, dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values
from kerata.core.tensor import KerasTensor

from .core import cast
from .elementwise import constant, count_bools, real_only, widened
from .subscript import index_tensor, known_values

TensorLike = Any
Tensor = Any


def _segments(data: Any, segment_ids: Any, num_segments: Any, mode: str, start: Any) -> Tensor:
    """Rows combined by their segment; ids out of range fall into a last row, which is cut off."""
    ids, shape = index_tensor(segment_ids, "segment_ids"), shape_of(data)
    if len(shape_of(ids)) != 1 or not shape or rules.differ(shape_of(ids)[0], shape[0]):
        raise ArgumentError(
            "segment_ids",
            expected=f"of shape ({shape[0] if shape else 'n'},), one for each row of `data`",
            got=segment_ids,
        )
    if num_segments is None and isinstance(ids, KerasTensor):
        num_segments = rules.COUNTED
    elif num_segments is None:
        found = known_values(ids, "segment_ids", "the number of segments; give `num_segments`")
        num_segments = int(found.max()) + 1 if found.size else 0
    n = checks.natural("num_segments", num_segments)
    (data,), kind = widened(count_bools(data))
    name = dtype_of(data)
    outside = p.logical_or(p.lt(ids, 0), p.ge(ids, n))
    places = p.reshape(p.where(outside, n, ids), shape=(shape[0], 1))
    target = p.broadcast_to(constant(start(name), name), shape=(n + 1, *shape[1:]))
    full = p.scatter(target, places, data, mode=mode)
    rows = p.slice(full, starts=(0,) * len(shape), limits=(n, *shape[1:]), strides=(1,) * len(shape))
    return cast(rows, kind)


def _lowest(name: str) -> Any:
    return -float("inf") if dtypes.is_float(name) else int(dtypes.iinfo(name).min)


def _highest(name: str) -> Any:
    return float("inf") if dtypes.is_float(name) else int(dtypes.iinfo(name).max)


_IDS = values(0, 1, 0, 1, dtype="int32")


_SEGMENTS = [
    sample(T((4,)), _IDS), sample(T((4, 3)), _IDS, num_segments=2), sample(T((4,), "int32"), _IDS, 4),
    sample(T((4,)), values(0, -1, 5, 1, dtype="int32"), 2), sample(T((4,)), values(0, 2, 0, 2, dtype="int32"), gradient=False),
    sample(values(float("nan"), 1.0, 2.0), values(0, 0, 1, dtype="int32"), 2, gradient=False),
    sample(T((0, 2)), T((0,), "int32"), 2, gradient=False),
    sample(values(0.0, 0.0, 3.0, 2.0), values(0, 0, 1, 1, dtype="int32"), 2, gradient=False),
]  # fmt: skip


_SEGMENT_REJECTS = [
    rejects(T((4,)), T((3,), "int32"), argument="segment_ids"), rejects(T((4,)), T((4,)), argument="segment_ids"),
    rejects(T((4,)), _IDS, -1, argument="num_segments"),
]  # fmt: skip


@op(needs_values=True, samples=_SEGMENTS, rejects=_SEGMENT_REJECTS)
def segment_sum(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The sums of the rows of each segment.

    Args:
        data: rows along the first axis.
        segment_ids: the segment of each row. Rows of segments out of range are left out.
        num_segments: how many segments; one more than the largest id where not given and ids are known.
        sorted: whether the ids are sorted: a hint that some engines can use.

    Returns:
        A tensor with a row for each segment; 0 for segments without rows.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.segment_sum([1, 2, 3], [0, 1, 0]))
        array([4, 2], dtype=int32)
    """
    return _segments(data, segment_ids, num_segments, "add", lambda name: 0)


@op(needs_values=True, samples=_SEGMENTS, rejects=_SEGMENT_REJECTS)
def segment_prod(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The products of the rows of each segment; 1 for segments without rows. Arguments as in `segment_sum`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.segment_prod([1, 2, 3], [0, 1, 0]))
        array([3, 2], dtype=int32)
    """
    return _segments(data, segment_ids, num_segments, "mul", lambda name: 1)


@op(needs_values=True, samples=_SEGMENTS, rejects=_SEGMENT_REJECTS)
def segment_max(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The maxima of the rows of each segment; the lowest number of the dtype (minus infinity) for segments
    without rows. Arguments as in `segment_sum`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.segment_max([1, 2, 3], [0, 1, 0]))
        array([3, 2], dtype=int32)
    """
    return _segments(real_only(data, "data"), segment_ids, num_segments, "max", _lowest)


@op(needs_values=True, samples=_SEGMENTS, rejects=_SEGMENT_REJECTS)
def segment_min(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The minima of the rows of each segment; the highest number of the dtype (infinity) for segments
    without rows. Arguments as in `segment_sum`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.segment_min([1, 2, 3], [0, 1, 0]))
        array([1, 2], dtype=int32)
    """
    return _segments(real_only(data, "data"), segment_ids, num_segments, "min", _highest)
