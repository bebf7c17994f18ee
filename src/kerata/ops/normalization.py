"""Means and variances, and what is normalised by them."""

from __future__ import annotations

from typing import Any

from kerata.core import config, dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values

from .core import cast
from .elementwise import in_float32, parameter, promote, real_only, to_float
from .reduction import mean_over, variance_around, wide_dtype
from .views import saturate_cast

TensorLike = Any
Tensor = Any


@op(
    samples=[sample(T((4, 3), "float16", low=6e4, high=6.01e4), (0,), gradient=False), sample(T((0, 3)), [0], gradient=False),
        sample(T((2, 3)), axes=[0]), sample(T((2, 3, 4)), (0, -1), keepdims=True),
        sample(T((4, 3), "float16"), (0,), gradient=False),
        sample(T((3,), "int32"), 0, gradient=False), sample(T((2, 3)), (0,), False, True), sample(T((2, 3)), None),
    ],
    rejects=[rejects(T((2, 3)), [2], argument="axes"), rejects(T((2, 3)), [0, 0], argument="axes")],
)  # fmt: skip
def moments(
    x: TensorLike, axes: Any, keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    """The mean and the variance along axes.

    Args:
        x: numbers of any shape; integers and bool become floats. Half precision is added up in float32,
            and float16 is limited to its largest number.
        axes: axis or axes; None for all.
        keepdims: whether reduced axes stay with size 1.
        synchronized: accepted for compatibility.

    Returns:
        A pair of tensors without the reduced axes.

    Example:
        >>> import kerata
        >>> [float(v) for v in kerata.ops.moments([1.0, 3.0], [0])]
        [2.0, 1.0]
    """
    name = dtypes.float_for(dtype_of(x))
    wide = cast(x, wide_dtype(dtype_of(x)))
    found = rules.axes_tuple(axes, len(shape_of(x)), "axes")
    mean = mean_over(wide, found, True)
    variance = variance_around(mean, wide, found, bool(keepdims))
    if not keepdims:
        mean = p.reshape(mean, shape=tuple(d for i, d in enumerate(shape_of(x)) if i not in found))
    if name == "float16":  # as in Keras: a variance beyond its range is its largest number
        return saturate_cast(mean, name), saturate_cast(variance, name)
    return cast(mean, name), cast(variance, dtypes.real_of(name))


def _along(v: Any, shape: tuple[Any, ...], axis: int, argument: str) -> Tensor:
    """A vector laid along an axis, so that it broadcasts with a tensor of that shape."""
    have, size = shape_of(v), shape[axis]
    if len(have) != 1 or rules.differ(have[0], size):
        raise ArgumentError(argument, expected=f"of shape ({size},), the size of the axis", got=v)
    return p.reshape(v, shape=tuple(have[0] if i == axis else 1 for i in range(len(shape))))


@op(
    samples=[
        sample(T((4, 3), "int32", -9, 9), T((3,)), T((3,), low=0.5), -1, gradient=False),
        sample(T((2, 3, 4, 2)), T((4,)), T((4,), low=0.5), -2, scale=T((4,)),
    ),
        sample(T((4, 3)), T((3,)), T((3,), low=0.5), axis=-1),
        sample(T((2, 3, 4)), T((3,)), T((3,), low=0.5), 1, T((3,)), T((3,)), 0.1),
        sample(T((4, 3), "float16"), T((3,)), T((3,), low=0.5), -1, gradient=False),
        sample(T((4, 3)), T((3,)), T((3,), low=0.5), -1, offset=T((3,))),
    sample(T((0, 3)), T((3,)), T((3,), low=0.5, high=2), -1)],
    rejects=[rejects(T((4, 3)), T((4,)), T((3,)), -1, argument="mean"), rejects(T((4, 3)), T((3,)), T((3,)), 2, argument="axis")],
)  # fmt: skip
def batch_normalization(
    x: TensorLike, mean: TensorLike, variance: TensorLike, axis: int, offset: TensorLike = None,
    scale: TensorLike = None, epsilon: float = 1e-3,
) -> Tensor:  # fmt: skip
    """`scale * (x - mean) / sqrt(variance + epsilon) + offset` (Ioffe and Szegedy, arXiv:1502.03167).

    Args:
        x: floats of any shape.
        mean: a vector along `axis`.
        variance: a vector along `axis`.
        axis: the axis of the features.
        offset: a vector along `axis`; 0 where not given.
        scale: a vector along `axis`; 1 where not given.
        epsilon: keeps the root from 0.

    Returns:
        A tensor of the shape of `x`, in the common dtype.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.batch_normalization([[3.0]], [1.0], [4.0], -1, epsilon=0.0))
        array([[1.]], dtype=float32)
    """
    shape = shape_of(x)
    place = rules.axis_index(axis, len(shape))
    given = [v for v in (mean, variance, offset, scale) if v is not None]
    x, *given = promote(x, *given, at_least=float)
    m, v = _along(given.pop(0), shape, place, "mean"), _along(given.pop(0), shape, place, "variance")
    b = None if offset is None else _along(given.pop(0), shape, place, "offset")
    factor = p.rsqrt(p.add(v, parameter(epsilon, v)))
    if scale is not None:
        factor = p.mul(factor, _along(given.pop(0), shape, place, "scale"))
    shift = p.neg(p.mul(m, factor))
    return p.add(p.mul(x, factor), shift if b is None else p.add(shift, b))


def _epsilon(epsilon: float | None, like: Tensor) -> Any:
    return config.epsilon() if epsilon is None else parameter(epsilon, like)


def _scaled(y: Tensor, gamma: Any, beta: Any, axes: tuple[int, ...], names: tuple[str, str]) -> Tensor:
    shape = shape_of(y)
    for v, name, combine in ((gamma, names[0], p.mul), (beta, names[1], p.add)):
        if v is not None:
            y, v = promote(y, v)
            y = combine(y, _over(v, shape, axes, name))
    return y


def _over(v: Any, shape: tuple[Any, ...], axes: tuple[int, ...], argument: str) -> Tensor:
    """Parameters of the sizes of the normalised axes, in their places."""
    have, want = shape_of(v), tuple(shape[i] for i in axes)
    if len(have) == len(shape):
        return v
    if len(have) != len(want) or any(map(rules.differ, have, want)):
        raise ArgumentError(argument, expected=f"of shape {want}, the sizes of the normalised axes", got=v)
    sizes = iter(have)
    return p.reshape(v, shape=tuple(next(sizes) if i in axes else 1 for i in range(len(shape))))


@op(
    samples=[
        sample(T((3, 4)), T((3,)), T((3,)), axis=0), sample(T((2, 3, 4)), T((3, 4)), T((3, 4)), axis=[-2, -1]),
        sample(T((2, 4), "int32", -9, 9), gradient=False,
    ),
        sample(T((2, 4))), sample(T((2, 4)), T((4,)), T((4,))), sample(T((2, 3, 4)), axis=(1, 2), epsilon=0.1),
        sample(T((2, 3, 4)), T((3, 4)), axis=(1, 2)),
        sample(T((2, 4), "float16"), gradient=False), sample(T((2, 4)), epsilon=1e-3),
        sample(T((2, 4)), T((4,)), rms_scaling=True), sample(values(1e4, 1e4 + 1, 1e4 + 2), epsilon=1e-3),
    ],
    rejects=[
        rejects(T((2, 4)), T((3,)), argument="gamma"), rejects(T((2, 4)), beta=T((3,)), argument="beta"),
        rejects(T((2, 4)), axis=2, argument="axis"),
    ],
)  # fmt: skip
def layer_normalization(
    x: TensorLike,
    gamma: TensorLike = None,
    beta: TensorLike = None,
    axis: Any = -1,
    epsilon: float | None = None,
    **kwargs: Any,
) -> Tensor:
    """`gamma * (x - mean) / sqrt(variance + epsilon) + beta`, moments along axes (Ba et al., arXiv:1607.06450).

    Args:
        x: numbers of any shape; integers and bool become floats. Half precision is added up in float32.
        gamma: of the sizes of the axes; 1 where not given.
        beta: of the sizes of the axes; 0 where not given.
        axis: axis or axes to normalise.
        epsilon: keeps the root from 0; `kerata.config.epsilon()` where not given.
        **kwargs: `rms_scaling=True` does not take the mean away (see `rms_normalization`).

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.layer_normalization([1.0, 3.0], epsilon=0.0))
        array([-1.,  1.], dtype=float32)
    """
    name = dtypes.float_for(dtype_of(real_only(x)))
    wide = cast(x, wide_dtype(dtype_of(x)))
    axes = rules.axes_tuple(axis, len(shape_of(x)))
    mean = mean_over(wide, axes, True)
    centred = p.sub(wide, mean)
    factor = p.rsqrt(p.add(mean_over(p.mul(centred, centred), axes, True), _epsilon(epsilon, wide)))
    y = p.mul(wide if kwargs.get("rms_scaling") else centred, factor)
    return cast(_scaled(y, gamma, beta, axes, ("gamma", "beta")), name)


@op(
    samples=[
        sample(T((3, 4)), T((3,)), axis=0), sample(values([0.0, 0.0, 0.0])),
        sample(T((2, 4), "float16", low=4e4, high=6e4), gradient=False), sample(T((2, 4))),
        sample(T((2, 4)), T((4,))), sample(T((2, 3, 4)), axis=(1, 2), epsilon=0.1),
        sample(T((2, 4), "float16"), gradient=False), sample(T((0, 4))),
    ],
    rejects=[rejects(T((2, 4)), T((3,)), argument="scale"), rejects(T((2, 4)), axis=2, argument="axis")],
)  # fmt: skip
def rms_normalization(
    x: TensorLike, scale: TensorLike = None, axis: Any = -1, epsilon: float | None = None
) -> Tensor:
    """`scale * x / sqrt(mean(x**2) + epsilon)`, the mean along axes (Zhang and Sennrich, arXiv:1910.07467).

    Args:
        x: numbers of any shape; integers and bool become floats. Half precision is added up in float32.
        scale: of the sizes of the axes; 1 where not given.
        axis: axis or axes to normalise.
        epsilon: keeps the root from 0; `kerata.config.epsilon()` where not given.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.rms_normalization([2.0, -2.0], epsilon=0.0))
        array([ 1., -1.], dtype=float32)
    """
    name = dtypes.float_for(dtype_of(real_only(x)))
    wide = cast(x, wide_dtype(dtype_of(x)))
    axes = rules.axes_tuple(axis, len(shape_of(x)))
    y = p.mul(wide, p.rsqrt(p.add(mean_over(p.mul(wide, wide), axes, True), _epsilon(epsilon, wide))))
    return cast(_scaled(y, scale, None, axes, ("scale", "")), name)


@op(
    samples=[sample(T((2, 3)), order=1.5), sample(T((2, 3), "uint8", high=200), gradient=False),
        sample(T((2, 3))), sample(T((2, 3)), 0, 1), sample(T((2, 3)), order=3), sample(T((2, 3, 2)), axis=(1, 2)),
        sample(values(0.0, 0.0), gradient=False),
        sample(T((2, 3)), order=float("inf")), sample(T((2, 3)), epsilon=10.0), sample(T((2, 3)), axis=None),
    ],
    rejects=[rejects(T((2, 3)), 2, argument="axis"), rejects(T((2, 3)), order=0, argument="order")],
)  # fmt: skip
@in_float32
def normalize(x: TensorLike, axis: Any = -1, order: Any = 2, epsilon: float | None = None) -> Tensor:
    """`x` divided by its norm along axes, or by `epsilon` where the norm is less.

    Args:
        x: numbers of any shape; integers and bool become floats.
        axis: axis or axes; None for all.
        order: order of the norm, positive; infinity for the largest absolute value.
        epsilon: least divisor; `kerata.config.epsilon()` where not given.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.normalize([3.0, 4.0]))
        array([0.6, 0.8], dtype=float32)
    """
    if isinstance(order, bool) or not isinstance(order, (int, float)) or not order > 0:
        raise ArgumentError("order", expected="a positive number", got=order)
    x = to_float(x)
    axes = rules.axes_tuple(axis, len(shape_of(x)))
    least = _epsilon(epsilon, p.real(x) if dtypes.is_complex(dtype_of(x)) else x)
    if order == 2:  # the root after the comparison keeps its derivative finite at 0
        size = p.abs(x) if dtypes.is_complex(dtype_of(x)) else x
        total = p.sum(p.mul(size, size), axis=axes, keepdims=True)
        factor = p.rsqrt(p.maximum(total, least * least))
    else:
        factor = p.div(1.0, p.maximum(_norm(p.abs(x), order, axes), least))
    return p.mul(x, factor if not dtypes.is_complex(dtype_of(x)) else cast(factor, dtype_of(x)))


def _norm(size: Tensor, order: float, axes: tuple[int, ...]) -> Tensor:
    if order == float("inf"):
        return p.max(size, axis=axes, keepdims=True)
    if order == 1:
        return p.sum(size, axis=axes, keepdims=True)
    return p.pow(p.sum(p.pow(size, float(order)), axis=axes, keepdims=True), 1 / order)
