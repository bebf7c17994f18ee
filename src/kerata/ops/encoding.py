"""Classes as vectors of zeros and ones: one class of each element, or several of each row."""

from __future__ import annotations

from typing import Any

from kerata.core import checks, dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.samples import T, rejects, sample, values

from .core import cast
from .creation import range_tensor
from .subscript import index_tensor

TensorLike = Any
Tensor = Any


def _classes(num_classes: Any) -> int:
    return checks.natural("num_classes", num_classes)


def _hot(x: Any, num_classes: int, axis: Any, name: str) -> Tensor:
    shape = shape_of(x)
    place = rules.axis_index(axis, len(shape) + 1)
    column = p.reshape(x, shape=(*shape[:place], 1, *shape[place:]))
    line = p.reshape(
        range_tensor(num_classes, dtype_of(x)),
        shape=tuple(num_classes if i == place else 1 for i in range(len(shape) + 1)),
    )
    return cast(p.eq(column, line), name)


@op(
    samples=[
        sample(values(0, 2, 1, dtype="int32"), 3), sample(values([[0], [4]], dtype="int64"), 3, axis=1),
        sample(values(-1, 3, dtype="int32"), 3, dtype="int32"),
        sample(2, 4), sample(values(0, 1, dtype="int32"), 2, axis=0, dtype="bool"), sample(values(0, 1, dtype="uint8"), 300),
    ],
    rejects=[
        rejects(T((2,)), 3, argument="x"), rejects(values(0, dtype="int32"), -1, argument="num_classes"),
        rejects(values(0, dtype="int32"), 3, axis=3, argument="axis"),
    ],
    differentiable=False,
)  # fmt: skip
def one_hot(
    x: TensorLike, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Tensor:
    """Classes as vectors with a one in their place and zeros elsewhere.

    Args:
        x: integers; what is not in `[0, num_classes)` gives zeros only.
        num_classes: size of the vectors.
        axis: place of the new axis in the result.
        dtype: dtype of the result; `floatx()` where not given.
        sparse: accepted for compatibility; the result is dense.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.one_hot([0, 2], 3))
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    return _hot(index_tensor(x, "x"), _classes(num_classes), axis, dtypes.of_numbers(dtype))


@op(
    samples=[
        sample(values([[0, 2], [1, 1]], dtype="int32"), 3), sample(values(0, 2, dtype="int32"), num_classes=4),
        sample(values([[0, -1]], dtype="int32"), 3, dtype="int32"), sample(values([5, 1], dtype="int32"), 3),
        sample(T((0, 2), "int32", low=0, high=3), 3), sample(values([[[0], [9]]], dtype="uint8"), 3, dtype="bool"),
    ],
    rejects=[rejects(T((2,)), 3, argument="inputs"), rejects(values(0, dtype="int32"), None, argument="num_classes")],
    differentiable=False,
)  # fmt: skip
def multi_hot(
    inputs: TensorLike,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Tensor:
    """Sets of classes as vectors with a one in the place of each.

    Args:
        inputs: integers of shape `(classes,)` or `(batch, classes, ...)`; what is not in
            `[0, num_classes)` is left out.
        num_classes: size of the vectors.
        axis: place of their axis before the axis of classes is reduced.
        dtype: dtype of the result; `floatx()` where not given.
        sparse: accepted for compatibility; the result is dense.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.multi_hot([0, 2], 3))
        array([1., 0., 1.], dtype=float32)
    """
    size = _classes(kwargs.get("num_tokens") if num_classes is None else num_classes)
    hot = _hot(index_tensor(inputs, "inputs"), size, axis, "bool")
    return cast(
        p.any(hot, axis=(1 if len(shape_of(inputs)) > 1 else 0,), keepdims=False), dtypes.of_numbers(dtype)
    )
