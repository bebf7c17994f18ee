"""Batches as `x`, `(x, y)` or `(x, y, sample_weight)`."""

from __future__ import annotations

from typing import Any

from kerata.core.errors import ArgumentError

Batch = tuple[Any, Any, Any]


def unpack_x_y_sample_weight(data: Any) -> Batch:
    """Splits what a data source gives into inputs, targets and weights.

    Args:
        data: `x` alone, or a tuple or list `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

    Returns:
        `(x, y, sample_weight)`, with None for what is absent.

    Raises:
        ArgumentError: if a tuple or list has no or more than three items.

    Example:
        >>> unpack_x_y_sample_weight(("inputs", "targets"))
        ('inputs', 'targets', None)
    """
    if not isinstance(data, (tuple, list)):
        return data, None, None
    count = len(data)
    if count == 2:
        return data[0], data[1], None
    if count == 3:
        return data[0], data[1], data[2]
    if count == 1:
        return data[0], None, None
    raise ArgumentError(
        "data",
        expected="`x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`",
        got=f"{count} items",
        fix="Several inputs or targets go into a list, tuple or dict of their own.",
    )


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The reverse of `unpack_x_y_sample_weight`: the shortest form that it reads back.

    Inputs alone are returned as they are, unless they are a list or tuple, which would be read as targets and weights.
    Weights without targets have nothing to weigh and are left out.

    Example:
        >>> pack_x_y_sample_weight("inputs"), pack_x_y_sample_weight(["a", "b"])
        ('inputs', (['a', 'b'],))
        >>> pack_x_y_sample_weight("inputs", "targets")
        ('inputs', 'targets')
    """
    if y is None:
        return (x,) if isinstance(x, (list, tuple)) else x
    if sample_weight is None:
        return x, y
    return x, y, sample_weight
