"""Crossentropies between targets and predictions, one number for each example."""

from __future__ import annotations

from typing import Any

from kerata.core import config, dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values

from .core import cast
from .elementwise import promote, real_only, to_real_float
from .softmax import log_softmax
from .subscript import check_not_empty, in_range, index_tensor

TensorLike = Any
Tensor = Any


def _check_same(target: Any, output: Any) -> None:
    a, b = shape_of(real_only(target, "target")), shape_of(real_only(output, "output"))
    if len(a) != len(b) or any(map(rules.differ, a, b)):
        raise ArgumentError("target", expected=f"of the shape {tuple(b)} of `output`", got=target)


def _within(x: Tensor, low: float, high: float) -> Tensor:
    """Clipped; the derivative outside is 0."""
    return p.where(p.lt(x, low), low, p.where(p.gt(x, high), high, x))


def _probabilities(output: Tensor) -> Tensor:
    epsilon = config.epsilon()
    return _within(output, epsilon, 1.0 - epsilon)


@op(
    samples=[
        sample(T((2, 3), "int32", 0, 2), T((2, 3), low=-200.0, high=200.0), True, gradient=False),
        sample(T((2, 3), "bfloat16", 0.0, 1.0), T((2, 3), "bfloat16", 0.1, 0.9), gradient=False,
    ),
        sample(T((2, 3), low=0.0, high=1.0), T((2, 3), low=0.1, high=0.9)),
        sample(T((4,), low=0.0, high=1.0), T((4,)), from_logits=True),
        sample(values(0.0, 1.0, 1.0), values(0.0, 1.0, 0.0), gradient=False),
        sample(values(0, 1, dtype="int32"), values(100.0, -100.0), True, gradient=False),
    sample(T((0, 3)), T((0, 3)))],
    rejects=[rejects(T((2, 3)), T((2, 4)), argument="target"), rejects(T((2, 3)), T((2,)), argument="target")],
)  # fmt: skip
def binary_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False) -> Tensor:
    """`-target * log(output) - (1 - target) * log(1 - output)`, elementwise.

    Args:
        target: probabilities of the first outcome.
        output: predicted probabilities, of the shape of `target`; kept `kerata.config.epsilon()` away from 0 and 1.
        from_logits: whether `output` holds logits, of which the sigmoid is the probability.

    Returns:
        A tensor of the shape of `target`.

    Raises:
        ArgumentError: the shapes differ.

    Example:
        >>> import kerata
        >>> round(float(kerata.ops.binary_crossentropy([1.0], [0.5])[0]), 4)
        0.6931
    """
    _check_same(target, output)
    target, output = promote(target, output, at_least=float)
    if from_logits:  # max(x, 0) - x * t + log(1 + exp(-|x|)), which cannot overflow
        tail = p.log1p(p.exp(p.neg(p.abs(output))))
        return p.add(p.sub(p.maximum(output, 0), p.mul(output, target)), tail)
    output = _probabilities(output)
    first, second = p.mul(target, p.log(output)), p.mul(p.sub(1, target), p.log(p.sub(1, output)))
    return p.neg(p.add(first, second))


def _log_probabilities(output: Any, from_logits: bool, axis: int) -> Tensor:
    if from_logits:
        return log_softmax(output, axis)
    total = p.sum(output, axis=(axis,), keepdims=True)
    return p.log(_probabilities(p.div(output, total)))


@op(
    samples=[
        sample(T((2, 3, 4), low=0.0, high=1.0), T((2, 3, 4), low=-9e3, high=9e3), True, 1, gradient=False),
        sample(T((0, 3)), T((0, 3), low=0.1), gradient=False,
    ),
        sample(T((2, 3), low=0.0, high=1.0), T((2, 3), low=0.1, high=0.9)),
        sample(T((2, 3), low=0.0, high=1.0), T((2, 3)), from_logits=True),
        sample(T((2, 3, 4), low=0.0, high=1.0), T((2, 3, 4), low=0.1), axis=1),
        sample(values(0.0, 1.0), values(1.0, 0.0), gradient=False),
    sample(T((0, 3)), T((0, 3)))],
    rejects=[
        rejects(T((2, 3)), T((2, 4)), argument="target"), rejects(T(()), T(()), argument="output"),
        rejects(T((2, 3)), T((2, 3)), axis=2, argument="axis"),
    ],
)  # fmt: skip
def categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """`-sum(target * log(output))` along the axis of the classes.

    Args:
        target: probabilities of the classes.
        output: predicted probabilities, of the shape of `target`; divided by their sum, and kept
            `kerata.config.epsilon()` away from 0 and 1.
        from_logits: whether `output` holds logits, of which the softmax is the probability.
        axis: the axis of the classes.

    Returns:
        A tensor without the axis.

    Raises:
        ArgumentError: the shapes differ.

    Example:
        >>> import kerata
        >>> round(float(kerata.ops.categorical_crossentropy([0.0, 1.0], [0.5, 0.5])), 4)
        0.6931
    """
    if not shape_of(output):
        raise ArgumentError("output", expected="a tensor with at least one dimension", got=output)
    _check_same(target, output)
    target, output = promote(target, output, at_least=float)
    place = rules.axis_index(axis, len(shape_of(output)))
    return p.neg(
        p.sum(p.mul(target, _log_probabilities(output, from_logits, place)), axis=(place,), keepdims=False)
    )


@op(
    samples=[
        sample(values(0, 2, dtype="uint8"), T((2, 3), low=-9e3, high=9e3), True, gradient=False),
        sample(values([[0, 1], [2, 1]], dtype="int64"), T((2, 3, 2), "float64"), True, 1,
    ),
        sample(values(0, 2, dtype="int32"), T((2, 3), low=0.1, high=0.9)),
        sample(values([[1], [0]], dtype="int64"), T((2, 3)), from_logits=True),
        sample(values([[0, 1], [2, 0]], dtype="int32"), T((2, 2, 3), low=0.1)),
        sample(values([[0, 1]], dtype="int32"), T((1, 3, 2), low=0.1), axis=1),
        sample(values(-1, 7, dtype="int32"), T((2, 3), low=0.1)),
        sample(values(0.0, 2.0), T((2, 3), low=0.1, high=0.9), gradient=False), sample(1, T((3,), low=0.1)),
    ],
    rejects=[
        rejects(T((3,), "int32"), T((2, 4)), argument="target"), rejects(values(0, dtype="int32"), T(()), argument="output"),
        rejects(T((2, 2), "int32"), T((2, 4)), argument="target"),
        rejects(values(0, 0, dtype="int32"), T((2, 0)), argument="target"),
    ],
)  # fmt: skip
def sparse_categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """`-log(output)` at the target class, along the axis of the classes.

    Args:
        target: classes as integers (or whole floats), of the shape of `output` without the axis, or with size 1
            there. Classes that do not exist give 0.
        output: predicted probabilities; divided by their sum, and kept `kerata.config.epsilon()` away from 0 and 1.
        from_logits: whether `output` holds logits, of which the softmax is the probability.
        axis: the axis of the classes.

    Returns:
        A tensor without the axis.

    Raises:
        ArgumentError: the shapes do not fit.

    Example:
        >>> import kerata
        >>> round(float(kerata.ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]])[0]), 4)
        0.6931
    """
    shape = shape_of(output)
    if not shape:
        raise ArgumentError("output", expected="a tensor with at least one dimension", got=output)
    place = rules.axis_index(axis, len(shape))
    classes = _target_classes(target, shape, place)
    check_not_empty("target", shape[place], classes)
    logs = _log_probabilities(to_real_float(output, "output"), from_logits, place)
    rest = shape[:place] + shape[place + 1 :]
    there = p.reshape(in_range(classes, shape[place]), shape=(*shape[:place], 1, *shape[place + 1 :]))
    picked = p.reshape(p.take_along_axis(logs, there, axis=place), shape=rest)
    exists = p.logical_and(p.ge(classes, 0), p.lt(classes, shape[place]))
    return p.where(exists, p.neg(picked), 0)


def _target_classes(target: Any, shape: tuple[Any, ...], axis: int) -> Tensor:
    have, want = shape_of(target), shape[:axis] + shape[axis + 1 :]
    squeezed = len(have) == len(shape) and not rules.differ(have[axis], 1)
    kept = have[:axis] + have[axis + 1 :] if squeezed else have
    if len(kept) != len(want) or any(map(rules.differ, kept, want)):
        raise ArgumentError(
            "target", expected=f"of shape {tuple(want)}, that of `output` without its classes", got=target
        )
    target = p.reshape(target, shape=want) if squeezed else target
    return index_tensor(target if dtypes.is_int(dtype_of(target)) else cast(target, "int32"), "target")
