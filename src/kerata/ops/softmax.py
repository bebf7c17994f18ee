"""Softmax and its relatives, over one axis or several."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.core import dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.samples import T, rejects, sample, values

from .activation import _AXIS, _AXIS_REJECTS, _REAL, positive_part
from .core import cast, stop_gradient
from .creation import range_tensor
from .elementwise import in_float32, to_real_float

TensorLike = Any
Tensor = Any


def _shifted_exp(x: Tensor, axes: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """x - max, its exponential and their sum: the shift keeps the exponential from overflowing."""
    if any(type(shape_of(x)[i]) is int and shape_of(x)[i] == 0 for i in axes):
        return x, p.exp(x), p.sum(p.exp(x), axis=axes, keepdims=True)
    z = p.sub(x, p.peak(stop_gradient(x), axis=axes, keepdims=True))
    e = p.exp(z)
    return z, e, p.sum(e, axis=axes, keepdims=True)


def _wide(x: Any) -> tuple[Tensor, str]:
    """Half precision as float32: a sum of many exponentials would lose its digits."""
    x = to_real_float(x)
    name = dtype_of(x)
    return (cast(x, "float32") if dtypes.itemsize(name) < 4 else x), name


@op(
    samples=_AXIS,
    rejects=_AXIS_REJECTS,
    reference=lambda x, axis=-1: np.exp(x - np.logaddexp.reduce(x, axis, keepdims=True)),
)
def softmax(x: TensorLike, axis: int | tuple[int, ...] | None = -1) -> Tensor:
    """Exponentials divided by their sum along axes: positive numbers that add up to 1.

    Args:
        x: real numbers of any shape; integers and bool become floats.
        axis: axis or axes; None for all.

    Returns:
        A tensor of the shape of `x`.

    Raises:
        ArgumentError: an axis is out of range or repeated.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.softmax([1.0, 1.0]))
        array([0.5, 0.5], dtype=float32)
    """
    x, name = _wide(x)
    _, e, total = _shifted_exp(x, rules.axes_tuple(axis, len(shape_of(x))))
    return cast(p.div(e, total), name)


@op(
    samples=_AXIS,
    rejects=_AXIS_REJECTS,
    reference=lambda x, axis=-1: x - np.logaddexp.reduce(x, axis, keepdims=True),
)
def log_softmax(x: TensorLike, axis: int | tuple[int, ...] | None = -1) -> Tensor:
    """The logarithm of `softmax`, without its rounding.

    Args:
        x: real numbers of any shape; integers and bool become floats.
        axis: axis or axes; None for all.

    Returns:
        A tensor of the shape of `x`.

    Raises:
        ArgumentError: an axis is out of range or repeated.

    Example:
        >>> import kerata
        >>> round(float(kerata.ops.log_softmax([1.0, 1.0])[0]), 4)
        -0.6931
    """
    x, name = _wide(x)
    z, _, total = _shifted_exp(x, rules.axes_tuple(axis, len(shape_of(x))))
    return cast(p.sub(z, p.log(total)), name)


@op(
    samples=(
        sample(T((2, 5))),
        sample(T((3, 4)), axis=0),
        sample(T((4,), "float64")),
        sample(values(3.0, 0.0, 0.0)),
        sample(T((0, 3))),
    ),
    rejects=(rejects(T((2, 3)), 2, argument="axis"), *_REAL),
)
@in_float32
def sparsemax(x: TensorLike, axis: int = -1) -> Tensor:
    """The nearest probability distribution, which may have zeros (Martins and Astudillo, arXiv:1602.02068).

    Args:
        x: real numbers; integers and bool become floats.
        axis: the axis.

    Returns:
        A tensor of the shape of `x` whose elements along the axis add up to 1.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.sparsemax([3.0, 0.0]))
        array([1., 0.], dtype=float32)
    """
    x = to_real_float(x)
    shape = shape_of(x)
    place = rules.axis_index(axis, len(shape))
    n = shape[place]
    z = p.flip(p.sort(x, axis=place), axis=(place,))
    line = tuple(n if i == place else 1 for i in range(len(shape)))
    rank = p.add(p.reshape(range_tensor(n, dtype_of(x)), shape=line), 1)
    # Equation 4: a prefix of the sorted numbers.
    support = p.gt(p.add(p.mul(rank, z), 1), p.cumsum(z, axis=place))
    count = p.sum(cast(support, dtype_of(x)), axis=(place,), keepdims=True)
    total = p.sum(p.where(support, z, 0), axis=(place,), keepdims=True)
    return positive_part(p.sub(x, p.div(p.sub(total, 1), count)))
