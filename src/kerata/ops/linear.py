"""The affine map of dense layers, as one op so that engines can fuse it."""

from __future__ import annotations

from typing import Any

from kerata.core.declare import op
from kerata.core.samples import T, sample

from .arithmetic import add
from .product import matmul

TensorLike = Any
Tensor = Any


@op(
    samples=[
        sample(T((2, 3)), T((3, 4)), T((4,))),
        sample(T((2, 5, 3)), T((3, 4)), None),
        sample(T((0, 3)), T((3, 2)), T((2,))),
    ]
)
def linear(x: TensorLike, kernel: TensorLike, bias: TensorLike = None) -> Tensor:
    """`x @ kernel + bias`.

    Args:
        x: numbers of shape (…, size).
        kernel: numbers of shape (size, units).
        bias: numbers of shape (units,), or None.

    Returns:
        A tensor of shape (…, units).

    Raises:
        ArgumentError: the sizes do not fit.

    Example:
        >>> import kerata; from kerata.ops.linear import linear
        >>> linear(kerata.ops.ones((2, 3)), kerata.ops.ones((3, 4))).shape == (2, 4)
        True
    """
    y = matmul(x, kernel)
    return y if bias is None else add(y, bias)
