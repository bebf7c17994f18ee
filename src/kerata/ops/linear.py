"""The affine map of dense layers, as one op so that engines can fuse it."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.core import rules
from kerata.core.declare import op
from kerata.core.dispatch import shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample

from .arithmetic import add
from .product import matmul

TensorLike = Any
Tensor = Any


def check_shape(argument: str, value: Tensor, wanted: tuple[Any, ...]) -> None:
    """Refuses a tensor of another shape. Sizes that are not known yet fit."""
    have = shape_of(value)
    if len(have) != len(wanted) or any(map(rules.differ, have, wanted)):
        raise ArgumentError(argument, expected=f"of shape {wanted}", got=value)


@op(
    samples=[
        sample(T((2, 3)), T((3, 4)), T((4,))),
        sample(T((2, 5, 3)), T((3, 4)), None),
        sample(T((0, 3)), T((3, 2)), T((2,))),
        sample(T((3,)), T((3, 2))),
        sample(T((2, 3), "float64"), T((3, 2), "float64"), T((2,), "float64")),
        sample(T((3,)), T((3, 2)), T((2,))),
    ],
    rejects=[
        rejects(T((2, 3)), T((4, 2)), argument="kernel"),
        rejects(T((2, 3)), T((3, 2)), T((3,)), argument="bias"),
    ],
    reference=lambda x, kernel, bias=None: np.matmul(x, kernel) + (0 if bias is None else bias),
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
    units = shape_of(kernel)[-1:]
    check_shape("kernel", kernel, (*shape_of(x)[-1:], *units))
    if bias is not None:
        check_shape("bias", bias, units)
    y = matmul(x, kernel)
    return y if bias is None else add(y, bias)
