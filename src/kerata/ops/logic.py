"""Comparisons, logic and choices, elementwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kerata.core import dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values
from kerata.core.tensor import OPS

from .core import cast
from .elementwise import (
    as_tensors,
    bitwise,
    comparison,
    constant,
    describe_family,
    inf,
    nan,
    parameter,
    promote,
    unary_samples,
    weak_dtype,
    whole,
    widened,
)

TensorLike = Any
Tensor = Any
_SCALARS = (bool, int, float, complex)

# ---- comparisons ---------------------------------------------------------------------------------


@comparison(p.eq, order=False, reference=np.equal)
def equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether two tensors are equal, elementwise with broadcasting. NaN equals nothing.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.equal([1, 2], 2))
        array([False,  True])
    """


@comparison(p.ne, order=False, reference=np.not_equal)
def not_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether two tensors differ, elementwise with broadcasting. NaN differs from everything.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.not_equal([1, 2], 2))
        array([ True, False])
    """


@comparison(p.gt, reference=np.greater)
def greater(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether the first tensor is above the second, elementwise with broadcasting.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.greater([1, 3], 2))
        array([False,  True])
    """


@comparison(p.ge, reference=np.greater_equal)
def greater_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether the first tensor is not below the second, elementwise with broadcasting.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.greater_equal([1, 2], 2))
        array([False,  True])
    """


@comparison(p.lt, reference=np.less)
def less(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether the first tensor is below the second, elementwise with broadcasting.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.less([1, 3], 2))
        array([ True, False])
    """


@comparison(p.le, reference=np.less_equal)
def less_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether the first tensor is not above the second, elementwise with broadcasting.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.less_equal([2, 3], 2))
        array([ True, False])
    """


# ---- logic ---------------------------------------------------------------------------------------

_LOGIC_SAMPLES = (
    sample(T((2, 3), "bool"), T((3,), "bool")), sample(T((2, 3)), T((2, 1), "int32", -1, 1)), sample(T((3,), "bool"), True),
    sample(values(nan, 0.0, -0.0, inf), values(0.0, 0.0, 1.0, 1.0)), sample(T((0,)), T((1,), "bool")),
    sample(T((3,), "uint16"), T((2, 1), "bfloat16")), sample(2.5, T((3,), "int8")),
)  # fmt: skip


def as_bool(x: Any) -> Any:
    """Whether the numbers are not 0; NaN is not."""
    return bool(x) if type(x) in _SCALARS else cast(x, "bool")


def _logical(primitive: Callable[..., Tensor], **options: Any) -> Any:
    def declare(doc: Callable[..., Any]) -> Any:
        def body(x1: TensorLike, x2: TensorLike) -> Tensor:
            return primitive(*as_tensors(as_bool(x1), as_bool(x2)))

        body.__name__, body.__qualname__, body.__module__ = doc.__name__, doc.__qualname__, doc.__module__
        body.__doc__ = describe_family(doc, "comparison")
        refused = (rejects(T((2, 3), "bool"), T((2, 4), "bool"), argument="x2"),)
        return op(body, samples=_LOGIC_SAMPLES, rejects=refused, weak=True, differentiable=False, **options)

    return declare


@_logical(p.logical_and, reference=np.logical_and)
def logical_and(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether both are true, elementwise with broadcasting. Numbers are true where they are not 0.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.logical_and([True, False], True))
        array([ True, False])
    """


@_logical(p.logical_or, reference=np.logical_or)
def logical_or(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether at least one is true, elementwise with broadcasting. Numbers are true where they are not 0.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.logical_or([True, False], False))
        array([ True, False])
    """


@_logical(p.logical_xor, reference=np.logical_xor)
def logical_xor(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether exactly one is true, elementwise with broadcasting. Numbers are true where they are not 0.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.logical_xor([True, False], True))
        array([False,  True])
    """


@op(samples=unary_samples(), reference=np.logical_not, differentiable=False)
def logical_not(x: TensorLike) -> Tensor:
    """Whether the numbers are 0, or the bools false.

    Args:
        x: any shape and dtype.

    Returns:
        A bool tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.logical_not([True, False]))
        array([False,  True])
    """
    return p.logical_not(cast(x, "bool"))


# ---- what Python's & | ^ ~ mean ------------------------------------------------------------------


def _mixed(logical: Callable[..., Tensor], bits: Callable[..., Tensor], x1: Any, x2: Any) -> Tensor:
    if weak_dtype(x1) in ("bool", bool) and weak_dtype(x2) in ("bool", bool):
        return logical(*as_tensors(x1, x2))
    for x, name in ((x1, "x1"), (x2, "x2")):
        kind = weak_dtype(x)
        if kind not in (int, bool) and not (dtypes.is_int(kind) or dtypes.is_bool(kind)):
            raise ArgumentError(name, expected="integers or bools", got=x)
    a, b = promote(x1, x2)
    return bits(*whole(a, b, "x2"))


_MIXED_SAMPLES = (
    sample(T((3,), "bool"), T((3,), "bool")),
    sample(T((3,), "int32"), T((3,), "int32")),
    sample(T((3,), "int32"), 5),
)
_MIXED_REJECTS = (
    rejects(T((2,)), T((2,)), argument="x1"),
    rejects(T((2,), "uint64"), T((2,), "int64"), argument="x2"),
)


@op(
    samples=[
        *_MIXED_SAMPLES,
        sample(T((0, 2), "bool"), T((2,), "bool")),
        sample(T((2, 1), "uint8"), T((3,), "int16")),
    ],
    rejects=_MIXED_REJECTS,
    weak=True,
    differentiable=False,
    reference=np.bitwise_and,
)
def logical_or_bitwise_and(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The meaning of `x1 & x2`: logical for bools, bit by bit for integers."""
    return _mixed(p.logical_and, p.bitwise_and, x1, x2)


@op(
    samples=[
        *_MIXED_SAMPLES,
        sample(T((0, 2), "bool"), T((2,), "bool")),
        sample(T((2, 1), "uint8"), T((3,), "int16")),
    ],
    rejects=_MIXED_REJECTS,
    weak=True,
    differentiable=False,
    reference=np.bitwise_or,
)
def logical_or_bitwise_or(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The meaning of `x1 | x2`: logical for bools, bit by bit for integers."""
    return _mixed(p.logical_or, p.bitwise_or, x1, x2)


@op(
    samples=[
        *_MIXED_SAMPLES,
        sample(T((0, 2), "bool"), T((2,), "bool")),
        sample(T((2, 1), "uint8"), T((3,), "int16")),
    ],
    rejects=_MIXED_REJECTS,
    weak=True,
    differentiable=False,
    reference=np.bitwise_xor,
)
def logical_or_bitwise_xor(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The meaning of `x1 ^ x2`: logical for bools, bit by bit for integers."""
    return _mixed(p.logical_xor, p.bitwise_xor, x1, x2)


@op(
    samples=(
        sample(T((3,), "bool")),
        sample(T((3,), "int32")),
        sample(T((0, 2), "bool")),
        sample(T((3,), "uint8")),
        sample(values(-128, 0, 127, dtype="int8")),
    ),
    rejects=[rejects(T((2,)), argument="x")],
    differentiable=False,
    reference=np.bitwise_not,
)
def logical_or_bitwise_not(x: TensorLike) -> Tensor:
    """The meaning of `~x`: logical for bools, bit by bit for integers."""
    name = dtype_of(x)
    if name == "bool":
        return p.logical_not(x)
    if not dtypes.is_int(name):
        raise ArgumentError("x", expected="integers or bools", got=x)
    return p.bitwise_not(x)


# ---- choices and closeness -----------------------------------------------------------------------


@op(
    samples=[
        sample(T((2, 3), "bool"), T((2, 3)), T((2, 3))), sample(T((3,), "bool"), T((2, 1)), 0.0),
        sample(T((2, 3)), 1, T((3,), "int32")),
        sample(T((3,), "bool"), 1, 2), sample(T((3,), "bool"), T((3,), "int32"), T((3,))), sample(T((3,), "bool"), 1.0, 2),
        sample(T((3,), "bool"), values(nan, 1.0, inf), 0.0), sample(T((0,), "bool"), T((1,)), T((1,))),
    ],
    rejects=[rejects(T((2, 3), "bool"), T((2, 4)), 0.0, argument="x1"), rejects(T((2,), "bool"), T((2,)), argument="x2")],
    weak=True,
reference=np.where)  # fmt: skip
def where(condition: TensorLike, x1: TensorLike = None, x2: TensorLike = None) -> Tensor:
    """Elements of `x1` where a condition holds, of `x2` elsewhere.

    Args:
        condition: bools; numbers count as true where they are not 0.
        x1: values where it holds; broadcasts with the others.
        x2: values elsewhere. Without both `x1` and `x2`, the result is `nonzero(condition)`.

    Returns:
        A tensor of the broadcast shape, in the common dtype of `x1` and `x2`.

    Raises:
        ArgumentError: the shapes do not broadcast, or only one of `x1` and `x2` is given.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.where([True, False], 1.0, 0.0))
        array([1., 0.], dtype=float32)
    """
    if x1 is None and x2 is None:
        return OPS["nonzero"](condition)
    if x1 is None or x2 is None:
        raise ArgumentError(
            "x1" if x1 is None else "x2", expected="given too, or neither of `x1` and `x2`", got=None
        )
    if type(condition) in _SCALARS:
        condition = constant(bool(condition), "bool")
    _check_where(condition, x1, x2)
    a, b = promote(x1, x2)
    if type(a) in _SCALARS and type(b) in _SCALARS:
        a = constant(a, dtypes.result_type(type(x1), type(x2)))
    return p.where(cast(condition, "bool"), a, b)


def _check_where(condition: Any, x1: Any, x2: Any) -> None:
    shapes = [() if type(x) in _SCALARS else shape_of(x) for x in (condition, x1, x2)]
    if not all(type(d) is int for shape in shapes for d in shape):
        return
    have: tuple[int, ...] = ()
    for shape, name in zip(shapes, ("condition", "x1", "x2"), strict=True):
        try:
            have = rules.broadcast_two(have, tuple(shape))
        except ArgumentError:
            raise ArgumentError(
                name, expected=f"of a shape that broadcasts with {have}", got=f"shape {shape}"
            ) from None


_CLOSE_SAMPLES = (
    sample(values(1.0, 1.0, nan, inf, inf), values(1.00001, 1.1, nan, inf, -inf)), sample(T((2, 3)), T((3,)), rtol=0.5),
    sample(values(nan, 1.0), values(nan, 1.0), equal_nan=True), sample(T((3,), "int32"), T((3,), "int32")),
)  # fmt: skip


def _close(x1: Any, x2: Any, rtol: float, atol: float, equal_nan: bool) -> Tensor:
    (a, b), _ = widened(*as_tensors(*promote(x1, x2, at_least=float)))
    finite = (
        p.isfinite(b)
        if not dtypes.is_complex(dtype_of(b))
        else p.logical_and(p.isfinite(p.real(b)), p.isfinite(p.imag(b)))
    )
    size = p.abs(b)
    allowed = p.add(p.mul(size, parameter(rtol, size)), parameter(atol, size))
    near = p.le(p.abs(p.sub(a, b)), allowed)
    same = p.logical_or(p.eq(a, b), p.logical_and(near, finite))
    return p.logical_or(same, p.logical_and(p.ne(a, a), p.ne(b, b))) if equal_nan else same


@op(
    samples=[*_CLOSE_SAMPLES, sample(T((0,)), T((0,)))],
    weak=True,
    reference=np.isclose,
    differentiable=False,
    rejects=[rejects(T((2,)), T((3,)), argument="x2")],
)
def isclose(
    x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Whether `|x1 - x2| <= atol + rtol * |x2|`, elementwise with broadcasting.

    Args:
        x1: numbers of any shape.
        x2: numbers of a shape that broadcasts with that of `x1`.
        rtol: relative tolerance.
        atol: absolute tolerance.
        equal_nan: whether NaN is close to NaN.

    Returns:
        A bool tensor of the broadcast shape.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.isclose([1.0, 2.0], [1.0, 2.1]))
        array([ True, False])
    """
    return _close(x1, x2, rtol, atol, equal_nan)


@op(
    samples=[*_CLOSE_SAMPLES, sample(T((0,)), T((0,))), sample(T((2,)), 0.5)],
    weak=True,
    reference=np.allclose,
    differentiable=False,
    rejects=[rejects(T((2,)), T((3,)), argument="x2")],
)
def allclose(
    x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Whether all elements are close, in the sense of `isclose`.

    Args:
        x1: numbers of any shape.
        x2: numbers of a shape that broadcasts with that of `x1`.
        rtol: relative tolerance.
        atol: absolute tolerance.
        equal_nan: whether NaN is close to NaN.

    Returns:
        A bool scalar tensor.

    Example:
        >>> import kerata
        >>> bool(kerata.ops.allclose([1.0, 2.0], [1.0, 2.0]))
        True
    """
    close = _close(x1, x2, rtol, atol, equal_nan)
    return p.all(close, axis=tuple(range(len(shape_of(close)))), keepdims=False)


# ---- bits ----------------------------------------------------------------------------------------


def _of_bits(logical: Callable[..., Tensor], bits: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Engines know no bits of bools."""

    def choose(a: Any, b: Any) -> Tensor:
        return logical(*as_tensors(a, b)) if weak_dtype(a) in ("bool", bool) else bits(a, b)

    return choose


_SHIFT_SAMPLES = (
    sample(T((2, 3), "int32", 0, 99), T((3,), "int32", 0, 8)), sample(values(-8, 8, dtype="int32"), 1),
    sample(T((3,), "uint8"), 1), sample(T((0,), "int32"), 1), sample(T((3,), "bool"), 2), sample(1, T((2,), "int64", 0, 5)),
)  # fmt: skip


@bitwise(_of_bits(p.logical_and, p.bitwise_and), reference=np.bitwise_and)
def bitwise_and(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits that both integers have.

    Example:
        >>> import kerata
        >>> int(kerata.ops.bitwise_and(12, 10))
        8
    """


@bitwise(_of_bits(p.logical_or, p.bitwise_or), reference=np.bitwise_or)
def bitwise_or(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits that at least one of two integers has.

    Example:
        >>> import kerata
        >>> int(kerata.ops.bitwise_or(12, 10))
        14
    """


@bitwise(_of_bits(p.logical_xor, p.bitwise_xor), reference=np.bitwise_xor)
def bitwise_xor(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits that exactly one of two integers has.

    Example:
        >>> import kerata
        >>> int(kerata.ops.bitwise_xor(12, 10))
        6
    """


@bitwise(p.shift_left, bools=False, samples=_SHIFT_SAMPLES, reference=np.left_shift)
def left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits moved toward the high end; zeros come in at the low end.

    Example:
        >>> import kerata
        >>> int(kerata.ops.left_shift(1, 3))
        8
    """


@bitwise(p.shift_left, bools=False, samples=_SHIFT_SAMPLES, reference=np.bitwise_left_shift)
def bitwise_left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """Another name of `left_shift`.

    Example:
        >>> import kerata
        >>> int(kerata.ops.bitwise_left_shift(1, 3))
        8
    """


@bitwise(p.shift_right, bools=False, samples=_SHIFT_SAMPLES, reference=np.right_shift)
def right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits moved toward the low end; the sign comes in at the high end of signed integers.

    Example:
        >>> import kerata
        >>> int(kerata.ops.right_shift(-8, 1))
        -4
    """


@bitwise(p.shift_right, bools=False, samples=_SHIFT_SAMPLES, reference=np.bitwise_right_shift)
def bitwise_right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """Another name of `right_shift`.

    Example:
        >>> import kerata
        >>> int(kerata.ops.bitwise_right_shift(-8, 1))
        -4
    """


@op(
    samples=(
        sample(T((2, 3), "int32", -9, 9)),
        sample(T((3,), "uint8")),
        sample(T((3,), "bool")),
        sample(T((0, 2), "int32")),
        sample(values(-128, 0, 127, dtype="int8")),
    ),
    rejects=[rejects(T((2,)), argument="x")],
    reference=np.bitwise_not,
    differentiable=False,
)
def bitwise_not(x: TensorLike) -> Tensor:
    """The integers with every bit turned over.

    Args:
        x: integers or bools of any shape.

    Returns:
        A tensor of the shape and dtype of `x`.

    Example:
        >>> import kerata
        >>> int(kerata.ops.bitwise_not(5))
        -6
    """
    return logical_or_bitwise_not(x)


@op(
    samples=(
        sample(T((2, 3), "int32", -9, 9)),
        sample(T((3,), "uint8")),
        sample(T((3,), "bool")),
        sample(T((0, 2), "int32")),
        sample(values(-128, 0, 127, dtype="int8")),
    ),
    rejects=[rejects(T((2,)), argument="x")],
    reference=np.bitwise_not,
    differentiable=False,
)
def bitwise_invert(x: TensorLike) -> Tensor:
    """Another name of `bitwise_not`.

    Args:
        x: integers or bools of any shape.

    Returns:
        A tensor of the shape and dtype of `x`.

    Example:
        >>> import kerata
        >>> int(kerata.ops.bitwise_invert(5))
        -6
    """
    return logical_or_bitwise_not(x)
