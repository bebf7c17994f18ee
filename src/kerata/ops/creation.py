"""New tensors: constants, ranges, grids of numbers, matrices by rule.

The default engine makes them. Without a dtype they are of `floatx()`; ranges follow their ends.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kerata.core import checks, dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import new_abstract, op, tensor_like
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError, UnknownValuesError
from kerata.core.samples import T, rejects, sample, values
from kerata.core.state import STATE

from .core import cast, convert_to_numpy, convert_to_tensor, create
from .elementwise import constant, weak_dtype

TensorLike = Any

Tensor = Any


def _filled(shape: Any, value: Any, dtype: str) -> Tensor:
    sizes = rules.sizes(shape)
    if all(type(d) is int for d in sizes):
        return create(
            sizes,
            dtype,
            lambda engine: engine.convert(np.full(sizes, value, dtypes.numpy_dtype(dtype)), dtype),
        )
    return p.broadcast_to(constant(value, dtype), shape=sizes)


_SHAPES = [
    sample((2, 3)),
    sample(3),
    sample(()),
    sample((0, 2)),
    sample((2,), dtype="int32"),
    sample((2,), "bool"),
]

_SHAPE_REJECTS = [
    rejects((2, -1), argument="shape"), rejects((2, 1.5), argument="shape"), rejects((2,), dtype="float31", argument="dtype"),
    rejects((2,), dtype="string", argument="dtype"), rejects(T((2,)), argument="shape"),
]  # fmt: skip


@op(samples=_SHAPES, rejects=_SHAPE_REJECTS, reference=np.zeros)
def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """Zeros.

    Args:
        shape: sizes.
        dtype: dtype of the result; `floatx()` where not given.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.zeros((2,)))
        array([0., 0.], dtype=float32)
    """
    return _filled(shape, 0, dtypes.of_numbers(dtype))


@op(samples=_SHAPES, rejects=_SHAPE_REJECTS, reference=np.ones)
def ones(shape: Any, dtype: Any = None) -> Tensor:
    """Ones.

    Args:
        shape: sizes.
        dtype: dtype of the result; `floatx()` where not given.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.ones((2,)))
        array([1., 1.], dtype=float32)
    """
    return _filled(shape, 1, dtypes.of_numbers(dtype))


@op(samples=_SHAPES, rejects=_SHAPE_REJECTS)
def empty(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor whose values nobody needs. They are zeros: the same on every engine.

    Args:
        shape: sizes.
        dtype: dtype of the result; `floatx()` where not given.

    Example:
        >>> import kerata
        >>> kerata.ops.empty((2, 3)).shape == (2, 3)
        True
    """
    return _filled(shape, 0, dtypes.of_numbers(dtype))


@op(
    samples=[
        sample((2, 3), 1.5),
        sample(2, 3, dtype="int32"),
        sample((2, 3), T((3,))),
        sample((), True),
        sample((0,), 1),
        sample((2,), 2.7, dtype="uint8"),
        sample((2, 2), float("nan"), dtype="float16"),
    ],
    rejects=[
        rejects((2, 3), T((4,)), argument="fill_value"),
        rejects((2,), "a", argument="fill_value"),
        rejects((2,), 300, "int8", argument="fill_value"),
        rejects((2,), -1, "uint8", argument="fill_value"),
    ],
    computes=False,
    reference=np.full,
)
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """A tensor filled with one value.

    Args:
        shape: sizes.
        fill_value: the value, or a tensor that broadcasts to the shape.
        dtype: dtype of the result; `floatx()` where not given.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.full((2,), 7.0))
        array([7., 7.], dtype=float32)
    """
    name = dtypes.of_numbers(dtype)
    if isinstance(fill_value, (bool, int, float, complex)):
        return _filled(shape, _in_range(fill_value, name), name)
    sizes, have = rules.as_shape(shape), shape_of(tensor_like("fill_value", fill_value))
    if len(have) > len(sizes) or not fits(have, sizes[len(sizes) - len(have) :]):
        raise ArgumentError("fill_value", expected=f"a value that broadcasts to {sizes}", got=fill_value)
    if STATE.abstract:  # a real value would be spread over stand-ins for unknown sizes
        return new_abstract(sizes, name)
    return p.broadcast_to(cast(convert_to_tensor(fill_value), name), shape=sizes)


def _in_range(value: Any, name: str) -> Any:
    """A number that fills; Python integers have values that a dtype may lack."""
    if rules.known(value) and dtypes.is_int(name) and not dtypes.holds(name, value):
        raise ArgumentError("fill_value", expected=f"in the range of {name}", got=value)
    return value


def fits(have: tuple[Any, ...], want: tuple[Any, ...]) -> bool:
    """Whether sizes broadcast to wanted ones. Sizes that only the engine knows are taken to."""
    return all((rules.known(a) and a == 1) or not rules.differ(a, b) for a, b in zip(have, want, strict=True))


_LIKE = [
    sample(T((2, 3))), sample(T((2,), "int32")), sample(T((0, 2), "bool")), sample(T((2,)), dtype="float64"),
    sample(T((), "bfloat16")),
    sample(T((3,), "uint32")),
]  # fmt: skip


def _like(x: Any, value: Any, dtype: Any) -> Tensor:
    return _filled(shape_of(x), value, dtype_of(x) if dtype is None else dtypes.of_numbers(dtype))


@op(
    samples=_LIKE,
    reference=np.zeros_like,
    differentiable=False,
    rejects=[rejects(T((2,)), dtype="number", argument="dtype")],
)
def zeros_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """Zeros in the shape of another tensor.

    Args:
        x: the tensor.
        dtype: dtype of the result; that of `x` where not given.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.zeros_like([1.0, 2.0]))
        array([0., 0.], dtype=float32)
    """
    return _like(x, 0, dtype)


@op(
    samples=_LIKE,
    reference=np.ones_like,
    differentiable=False,
    rejects=[rejects(T((2,)), dtype="number", argument="dtype")],
)
def ones_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """Ones in the shape of another tensor.

    Args:
        x: the tensor.
        dtype: dtype of the result; that of `x` where not given.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.ones_like([1.0, 2.0]))
        array([1., 1.], dtype=float32)
    """
    return _like(x, 1, dtype)


@op(samples=_LIKE, differentiable=False, rejects=[rejects(T((2,)), dtype="number", argument="dtype")])
def empty_like(x: TensorLike, dtype: Any = None) -> Tensor:
    """A tensor in the shape of another one, whose values nobody needs. They are zeros.

    Args:
        x: the tensor.
        dtype: dtype of the result; that of `x` where not given.

    Example:
        >>> import kerata
        >>> kerata.ops.empty_like([1.0, 2.0]).shape == (2,)
        True
    """
    return _like(x, 0, dtype)


@op(
    samples=[
        sample(T((2, 3)), 2.5),
        sample(T((2,), "int32"), 3),
        sample(T((2,)), 1, dtype="int32"),
        sample(T((2, 3)), T((3,))),
        sample(T((0, 2), "bool"), True),
        sample(T((2,), "uint16"), 65535),
    ],
    rejects=[
        rejects(T((2,)), T((3,)), argument="fill_value"),
        rejects(T((2,)), "a", argument="fill_value"),
        rejects(T((2,), "int8"), 300, argument="fill_value"),
        rejects(T((2,)), 1, dtype="number", argument="dtype"),
    ],
    computes=False,
    reference=np.full_like,
)
def full_like(x: TensorLike, fill_value: Any, dtype: Any = None) -> Tensor:
    """One value in the shape of another tensor.

    Args:
        x: the tensor.
        fill_value: the value, or a tensor that broadcasts to the shape.
        dtype: dtype of the result; that of `x` where not given.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.full_like([1.0, 2.0], 3.0))
        array([3., 3.], dtype=float32)
    """
    return full(shape_of(x), fill_value, dtype_of(x) if dtype is None else dtype)


# ---- ranges --------------------------------------------------------------------------------------


def range_tensor(n: Any, dtype: str = "int32") -> Tensor:
    """0, 1 … n - 1; `n` may be a size that only the engine knows."""
    if type(n) is int:
        return create(
            (n,), dtype, lambda engine: engine.convert(np.arange(n).astype(dtypes.numpy_dtype(dtype)), dtype)
        )
    ones_ = p.broadcast_to(constant([1], "int32"), shape=(n,))
    return cast(p.sub(p.cumsum(ones_, axis=0), 1), dtype)


@op(
    samples=[
        sample(5), sample(2, 7), sample(7, 2, -2), sample(0.0, 1.0, 0.25), sample(3, dtype="float32"), sample(0), sample(5, 2),
        sample(0, 3, dtype="int64"), sample(2.5),
    ],
    rejects=[
        rejects(0, 5, 0, argument="step"), rejects("a", argument="start"), rejects(None, 3, argument="start"), rejects((1.0,), argument="start"), rejects(float("nan"), argument="start"),
        rejects(0, float("inf"), argument="stop"), rejects(1j, argument="start"),
        rejects(3, dtype="string", argument="dtype"),
    ],
reference=np.arange)  # fmt: skip
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """Evenly spaced numbers in the half-open interval from `start` to `stop`.

    Args:
        start: first number; the end of a range from 0 where `stop` is not given.
        stop: end, which is not in the range.
        step: difference of neighbours; 1 where not given.
        dtype: dtype of the result; that of the arguments together where not given.

    Returns:
        A tensor with one dimension.

    Raises:
        ArgumentError: `step` is 0, or an argument is not a number whose value is known.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.arange(0, 6, 2))
        array([0, 2, 4], dtype=int32)
    """
    given = {"start": start, "stop": stop, "step": step}
    ends = {name: _number(v, name) for name, v in given.items() if v is not None or name == "start"}
    if ends.get("step") == 0:
        raise ArgumentError("step", expected="not 0", got=step)
    name = (
        dtypes.result_type(*(weak_dtype(v) for v in ends.values()))
        if dtype is None
        else dtypes.of_numbers(dtype)
    )
    first, last = (0, ends["start"]) if stop is None else (ends["start"], ends["stop"])
    stride = ends.get("step", 1)
    # Floats would round products of the numbers that stand for unknown sizes.
    exact = all(type(v) is int for v in (first, last, stride))
    count = max(0, -((first - last) // stride) if exact else math.ceil((last - first) / stride))
    bounded = count and rules.known(count) and dtypes.is_int(name)
    if bounded and not dtypes.holds(name, first, first + stride * (count - 1)):
        argument = "start" if stop is None else "stop"
        raise ArgumentError(argument, expected=f"in the range of {name}", got=last, fix="Give a wider dtype.")
    return create((count,), name, lambda engine: engine.convert(_spaced(first, stride, count, name), name))


def _spaced(first: Any, stride: Any, count: int, name: str) -> np.ndarray:
    return (first + stride * np.arange(count)).astype(dtypes.numpy_dtype(name))


def _number(value: Any, argument: str) -> Any:
    """A Python or NumPy number of anything that has one value."""
    try:
        number = value if isinstance(value, (bool, int, float, np.generic)) else _read(value)
        known = type(number) is int or (
            not dtypes.is_complex(weak_dtype(number)) and bool(np.isfinite(number))
        )
    except UnknownValuesError:
        raise UnknownValuesError(
            argument, expected="a finite number whose value is known", got=value
        ) from None
    except (ArgumentError, TypeError, ValueError):
        known = False
    if not known:
        raise ArgumentError(argument, expected="a finite number whose value is known", got=value)
    return number


def _read(value: Any) -> Any:
    array = convert_to_numpy(value)
    if array.ndim:
        raise ArgumentError("x", expected="a scalar", got=value)
    return array[()]


def _count(num: Any) -> int:
    return checks.natural("num", num)


def _between(start: Any, stop: Any, num: int, endpoint: bool) -> tuple[Tensor, Tensor]:
    """Points along a new first axis, and the step. Both ends are exact."""
    steps = num - 1 if endpoint else num
    shape = rules.broadcast_two(shape_of(start), shape_of(stop))
    start, stop = p.broadcast_to(start, shape=shape), p.broadcast_to(stop, shape=shape)
    delta = p.sub(stop, start)
    step = p.div(delta, float(steps)) if steps > 0 else p.div(p.mul(delta, 0), 0.0)
    ramp = p.reshape(range_tensor(num, dtype_of(start)), shape=(num, *(1,) * len(shape)))
    weight = p.div(ramp, float(max(steps, 1)))
    points = p.add(start, p.mul(weight, delta))
    if endpoint and num > 1:
        last = p.reshape(stop, shape=(1, *shape))
        keep = p.slice(
            points, starts=(0,) * (len(shape) + 1), limits=(num - 1, *shape), strides=(1,) * (len(shape) + 1)
        )
        points = p.concatenate((keep, last), axis=0)
    return points, step


def _ends(start: Any, stop: Any, dtype: Any) -> tuple[Any, Any, str]:
    name = dtypes.result_type(weak_dtype(start), weak_dtype(stop), float)
    result = name if dtype is None else dtypes.of_numbers(dtype)
    # Integers are rounded from float64, as in NumPy: in float32 the nearest one may be another.
    wide = dtypes.is_int(result) or dtypes.is_wide(result) or dtypes.is_wide(name)
    inner = "float64" if wide else "float32"
    inner = dtypes.complex_for(inner) if dtypes.is_complex(name) else inner
    return cast(start, inner), cast(stop, inner), result


def _placed(points: Tensor, axis: int, name: str) -> Tensor:
    n = len(shape_of(points))
    axis = rules.axis_index(axis, n)
    order = [*range(1, axis + 1), 0, *range(axis + 1, n)]
    return cast(points if axis == 0 else p.transpose(points, axes=tuple(order)), name)


@op(
    samples=[
        sample(0.0, 1.0, 5), sample(0, 10, num=4, endpoint=False), sample(T((2,)), T((2,)), 3, axis=-1), sample(1.0, 2.0, 1),
        sample(0.0, 1.0, 0), sample(0.0, 5.0, 6, dtype="int32"), sample(0.0, 1.0, 3, retstep=True),
    ],
    rejects=[rejects(0.0, 1.0, -1, argument="num"), rejects(0.0, 1.0, 3, axis=2, argument="axis")],
    reference=np.linspace,
    scalars_stay=True,
)  # fmt: skip
def linspace(
    start: TensorLike, stop: TensorLike, num: int = 50, endpoint: bool = True, retstep: bool = False,
    dtype: Any = None, axis: int = 0,
) -> Any:  # fmt: skip
    """Numbers evenly spaced over an interval.

    Args:
        start: first number(s).
        stop: last number(s).
        num: how many numbers.
        endpoint: whether `stop` is one of them.
        retstep: whether to give the step too, as a second result.
        dtype: dtype of the result; the float of the ends where not given.
        axis: axis of the result along which the numbers lie.

    Returns:
        A tensor; with `retstep`, a pair of tensors.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.linspace(0.0, 1.0, 3))
        array([0. , 0.5, 1. ], dtype=float32)
    """
    a, b, name = _ends(start, stop, dtype)
    points, step = _between(a, b, _count(num), bool(endpoint))
    if dtypes.is_int(name):
        points = p.floor(points)
    points = _placed(points, axis, name)
    return (points, step) if retstep else points


@op(
    samples=[
        sample(0.0, 2.0, 3),
        sample(0.0, 3.0, 4, base=2.0),
        sample(T((2,)), T((2,)), 3, endpoint=False, axis=1),
        sample(0.0, 1.0, 1),
        sample(0, 3, 4, dtype="float64"),
        sample(-2.0, 2.0, 5),
    ],
    rejects=[rejects(0.0, 1.0, -1, argument="num"), rejects(0.0, 1.0, 3, base="a", argument="base")],
    reference=np.logspace,
    scalars_stay=True,
)
def logspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """Numbers evenly spaced on a logarithmic scale, from `base**start` to `base**stop`.

    Args:
        start: exponent(s) of the first number(s).
        stop: exponent(s) of the last number(s).
        num: how many numbers.
        endpoint: whether the last is one of them.
        base: base of the powers.
        dtype: dtype of the result; the float of the ends where not given.
        axis: axis of the result along which the numbers lie.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.logspace(0.0, 2.0, 3))
        array([  1.,  10., 100.], dtype=float32)
    """
    a, b, name = _ends(start, stop, dtype)
    points, _ = _between(a, b, _count(num), bool(endpoint))
    powers = p.pow(constant(_number(base, "base"), dtype_of(points)), points)
    return _placed(powers, axis, name)


@op(
    samples=[
        sample(1.0, 100.0, 3),
        sample(1.0, 8.0, 3, endpoint=False),
        sample(T((2,), low=1.0), T((2,), low=1.0), 3, axis=1),
        sample(1.0, 2.0, 1),
        sample(-1.0, -8.0, 4),
        sample(1, 1000, 4, dtype="float64"),
    ],
    rejects=[rejects(1.0, 2.0, -1, argument="num")],
    reference=np.geomspace,
    scalars_stay=True,
)
def geomspace(
    start: TensorLike,
    stop: TensorLike,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """Numbers with a constant ratio of neighbours, from `start` to `stop`.

    Args:
        start: first number(s), not 0.
        stop: last number(s), of the sign of `start`.
        num: how many numbers.
        endpoint: whether `stop` is one of them.
        dtype: dtype of the result; the float of the ends where not given.
        axis: axis of the result along which the numbers lie.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.geomspace(1.0, 4.0, 3))
        array([1., 2., 4.], dtype=float32)
    """
    a, b, name = _ends(start, stop, dtype)
    sign = p.sign(a)
    logs, _ = _between(p.log(p.mul(a, sign)), p.log(p.mul(b, sign)), _count(num), bool(endpoint))
    points = p.mul(p.exp(logs), sign)
    if endpoint and num > 1:  # both ends exact
        n = shape_of(points)
        steps = (1,) * len(n)
        inner = p.slice(points, starts=(1, *(0,) * (len(n) - 1)), limits=(num - 1, *n[1:]), strides=steps)
        whole = (1, *n[1:])
        points = p.concatenate(
            (p.broadcast_to(a, shape=whole), inner, p.broadcast_to(b, shape=whole)), axis=0
        )
    return _placed(points, axis, name)


# ---- matrices ------------------------------------------------------------------------------------


def band_difference(rows: Any, columns: Any) -> Tensor:
    """Column minus row at every place of a matrix, int32: its sign says on which side of the diagonal."""
    return p.sub(
        p.reshape(range_tensor(columns), shape=(1, columns)), p.reshape(range_tensor(rows), shape=(rows, 1))
    )


def _size(n: Any, argument: str) -> int:
    return checks.natural(argument, n)


_EYES = [sample(3), sample(2, 4), sample(3, 3, 1), sample(3, k=-1, dtype="int32"), sample(0), sample(2, 3, 9)]


@op(samples=_EYES, rejects=[rejects(-1, argument="N"), rejects(2.5, argument="N")], reference=np.eye)
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on a diagonal of a matrix of zeros.

    Args:
        N: rows.
        M: columns; `N` where not given.
        k: which diagonal: 0 the main one, positive ones above, negative ones below.
        dtype: dtype of the result; `floatx()` where not given.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.eye(2))
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    rows, columns = _size(N, "N"), _size(N if M is None else M, "M")
    return cast(p.eq(band_difference(rows, columns), int(k)), dtypes.of_numbers(dtype))


@op(
    samples=[
        sample(3),
        sample(2, dtype="int32"),
        sample(0),
        sample(1, "bool"),
        sample(2, "float64"),
        sample(3, "complex64"),
    ],
    rejects=[rejects(-1, argument="n")],
    reference=np.identity,
)
def identity(n: int, dtype: Any = None) -> Tensor:
    """The identity matrix.

    Args:
        n: rows and columns.
        dtype: dtype of the result; `floatx()` where not given.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.identity(2))
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    size = _size(n, "n")
    return eye(size, size, 0, dtype)


@op(samples=_EYES, rejects=[rejects(-1, argument="N")], reference=np.tri)
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones on and below a diagonal, zeros above.

    Args:
        N: rows.
        M: columns; `N` where not given.
        k: which diagonal: 0 the main one, positive ones above, negative ones below.
        dtype: dtype of the result; `floatx()` where not given.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.tri(2))
        array([[1., 0.],
               [1., 1.]], dtype=float32)
    """
    rows, columns = _size(N, "N"), _size(N if M is None else M, "M")
    return cast(p.le(band_difference(rows, columns), int(k)), dtypes.of_numbers(dtype))


@op(
    samples=[
        sample(T((3,))),
        sample(T((3,), "int32"), 2),
        sample(T((2,)), N=4, increasing=True),
        sample(T((0,))),
        sample(T((3,)), 0),
        sample(values(2, 0, 1, dtype="uint8")),
    ],
    rejects=[rejects(T((2, 2)), argument="x")],
    reference=np.vander,
)
def vander(x: TensorLike, N: int | None = None, increasing: bool = False) -> Tensor:
    """The Vandermonde matrix: powers of the numbers, one row for each.

    Args:
        x: numbers in one dimension.
        N: columns; as many as rows where not given.
        increasing: whether powers grow from left to right.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.vander([1.0, 2.0], 3))
        array([[1., 1., 1.],
               [4., 2., 1.]], dtype=float32)
    """
    shape = shape_of(x)
    if len(shape) != 1:
        raise ArgumentError("x", expected="a tensor with one dimension", got=x)
    columns = shape[0] if N is None else _size(N, "N")
    column = p.reshape(cast(x, "int32") if dtype_of(x) == "bool" else x, shape=(shape[0], 1))
    first = p.add(p.mul(column, 0), 1)
    if columns == 0:
        return _filled((shape[0], 0), 0, dtype_of(first))
    factors = p.concatenate((first, p.broadcast_to(column, shape=(shape[0], columns - 1))), axis=1)
    powers = p.cumprod(factors, axis=1)
    return powers if increasing else p.flip(powers, axis=(1,))
