"""Activation functions that are made elementwise, and the gated linear unit; `softmax` and its like are in softmax.py."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kerata.core import dtypes, rules
from kerata.core import primitives as p
from kerata.core.constants import GELU_CUBIC, GELU_LINEAR
from kerata.core.declare import direct, op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values

from .complex_exponentials import logistic
from .core import cast
from .elementwise import in_float32, parameter, real_only, to_float, to_real_float, unary_samples
from .splitting import cut

TensorLike = Any

Tensor = Any

inf = float("inf")

_SAMPLES = (*unary_samples(), sample(values(-100.0, 100.0)))

_COMPLEX = (sample(T((3,), "complex64", 0.5, 2.0), gradient=False),)

_REAL = (rejects(T((2,), "complex64"), argument="x"),)

_AXIS = (
    sample(T((2, 3))), sample(T((2, 3, 4)), axis=1), sample(T((2, 3, 4)), axis=(1, 2)), sample(T((2, 3)), axis=None),
    sample(T((0, 3))),
    sample(T((2, 3), "float64")), sample(values(1000.0, -1000.0, 0.0)),
    sample(values(1.0, -inf, 0.0), gradient=False), sample(values(1.0, float("nan")), gradient=False),
    sample(T((3,), "int32"), gradient=False), sample(T((2, 4), "bfloat16"), gradient=False),
    sample(T((2, 4), "float16"), gradient=False),
)  # fmt: skip

_AXIS_REJECTS = (
    rejects(T((2, 3)), axis=2, argument="axis"),
    rejects(T((2, 3)), axis=(0, 0), argument="axis"),
    *_REAL,
)


def positive_part(x: Tensor) -> Tensor:
    """max(x, 0) with derivative 0 at 0; NaN stays NaN."""
    return p.where(p.le(x, 0), 0, x)


@op(samples=_SAMPLES, rejects=_REAL, reference=lambda x: np.maximum(x, 0), call=direct(None, 1))
def relu(x: TensorLike) -> Tensor:
    """The rectifier `max(x, 0)`. Its derivative at 0 is 0. NaN stays NaN and hands the cotangent on.

    Args:
        x: real numbers of any shape.

    Returns:
        A tensor of the shape and dtype of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.relu([-1.0, 2.0]))
        array([0., 2.], dtype=float32)
    """
    return x if dtype_of(real_only(x)) == "bool" else positive_part(x)


@op(
    samples=(*_SAMPLES, sample(values(0.0, 6.0, 7.0), gradient=False)),
    rejects=_REAL,
    reference=lambda x: np.clip(x, 0, 6),
    call=direct(None, 1),
)
def relu6(x: TensorLike) -> Tensor:
    """The rectifier with a ceiling: `min(max(x, 0), 6)`. Its derivative at 0 and 6 is 0.

    Args:
        x: real numbers of any shape.

    Returns:
        A tensor of the shape and dtype of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.relu6([-1.0, 2.0, 9.0]))
        array([0., 2., 6.], dtype=float32)
    """
    return x if dtype_of(real_only(x)) == "bool" else p.where(p.ge(x, 6), 6, positive_part(x))


@op(
    samples=(*_SAMPLES, sample(T((3,)), negative_slope=0.5)),
    rejects=_REAL,
    reference=lambda x, negative_slope=0.2: np.where(x >= 0, x, negative_slope * x),
)
@in_float32
def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Tensor:
    """`x` where positive, `negative_slope * x` elsewhere. The derivative at 0 is `negative_slope`.

    Args:
        x: real numbers of any shape; integers and bool become floats.
        negative_slope: slope on the left.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.leaky_relu([-1.0, 2.0], 0.5))
        array([-0.5,  2. ], dtype=float32)
    """
    x = to_real_float(x)
    return p.where(p.gt(x, 0), x, p.mul(x, parameter(negative_slope, x)))


def _exponential_part(x: Tensor) -> Tensor:
    """exp(x) - 1 on the left, 0 on the right, where it must not overflow: an infinite branch spoils derivatives."""
    return p.expm1(p.where(p.le(x, 0), x, 0))


@op(
    samples=(*_SAMPLES, sample(T((3,)), alpha=0.5)),
    rejects=_REAL,
    reference=lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x)),
)
@in_float32
def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """`x` where positive, `alpha * (e**x - 1)` elsewhere (Clevert et al., arXiv:1511.07289).

    Args:
        x: real numbers of any shape; integers and bool become floats.
        alpha: depth of the left side.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.elu(2.0))
        2.0
    """
    x = to_real_float(x)
    return p.where(p.le(x, 0), p.mul(_exponential_part(x), parameter(alpha, x)), x)


@op(
    samples=_SAMPLES,
    rejects=_REAL,
    reference=lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    call=direct(None, 1),
)
@in_float32
def selu(x: TensorLike) -> Tensor:
    """The self-normalising `elu`: its constants keep mean 0 and variance 1 (Klambauer et al., arXiv:1706.02515).

    Args:
        x: real numbers of any shape; integers and bool become floats.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> round(float(kerata.ops.selu(1.0)), 4)
        1.0507
    """
    alpha, scale = 1.6732632423543772, 1.0507009873554805
    x = to_real_float(x)
    return p.mul(p.where(p.le(x, 0), p.mul(_exponential_part(x), alpha), x), scale)


@op(
    samples=(*_SAMPLES, sample(T((3,)), alpha=0.5)),
    rejects=(*_REAL, rejects(T((2,)), 0.0, argument="alpha")),
    reference=lambda x, alpha=1.0: np.maximum(x, 0) + np.minimum(0, alpha * np.expm1(x / alpha)),
)
@in_float32
def celu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """`x` where positive, `alpha * (e**(x / alpha) - 1)` elsewhere (Barron, arXiv:1704.07483).

    Args:
        x: real numbers of any shape; integers and bool become floats.
        alpha: depth of the left side, not 0.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.celu(2.0))
        2.0
    """
    x = to_real_float(x)
    depth = parameter(alpha, x)
    if type(depth) is float and depth == 0:
        raise ArgumentError("alpha", expected="not 0", got=alpha)
    left = p.mul(p.expm1(p.div(p.where(p.le(x, 0), x, 0), depth)), depth)
    return p.where(p.le(x, 0), left, x)


@op(
    samples=(
        *_SAMPLES,
        sample(T((3,)), approximate=False),
        sample(values(-20.0, 20.0, 0.0), False),
        sample(values(-3.0, -5.0, 2.5), False),
        sample(values(-3.0, -5.0, 2.5)),
    ),
    rejects=_REAL,
)
@in_float32
def gelu(x: TensorLike, approximate: bool = True) -> Tensor:
    """`x` times the normal distribution function of `x` (Hendrycks and Gimpel, arXiv:1606.08415).

    Args:
        x: real numbers of any shape; integers and bool become floats.
        approximate: whether to approximate with a hyperbolic tangent.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.gelu(0.0))
        0.0
    """
    x = to_real_float(x)
    if not approximate:
        # 1 + erf would lose the digits on the left.
        return p.mul(x, p.mul(p.erfc(p.mul(x, -math.sqrt(0.5))), 0.5))
    square = p.minimum(p.mul(x, x), 1e30)  # its derivative would be infinite times 0
    inner = p.mul(x, p.add(p.mul(square, GELU_CUBIC), GELU_LINEAR))
    return p.mul(x, p.sigmoid(inner))  # (1 + tanh(z)) / 2 is sigmoid(2 z), without the loss of digits


@op(samples=(*_SAMPLES, *_COMPLEX), reference=lambda x: x / (1 + np.exp(-1.0 * x)), call=direct(None, 1))
@in_float32
def silu(x: TensorLike) -> Tensor:
    """`x * sigmoid(x)`.

    Args:
        x: numbers of any shape; integers and bool become floats.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.silu(0.0))
        0.0
    """
    x = to_float(x)
    return p.mul(x, logistic(x))


@op(samples=(*_SAMPLES, *_COMPLEX), reference=lambda x: x / (1 + np.exp(-1.0 * x)))
def swish(x: TensorLike) -> Tensor:
    """Another name of `silu`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.swish(0.0))
        0.0
    """
    return silu(x)


# ---- made of straight lines ----------------------------------------------------------------------


def _ramp(x: Tensor) -> Tensor:
    """x / 6 + 1/2 within [0, 1]."""
    y = p.add(p.div(x, 6.0), 0.5)
    return p.where(p.ge(y, 1), 1, positive_part(y))


_CORNERS = (*_SAMPLES, sample(values(-3.5, 3.5)))


@op(samples=_CORNERS, rejects=_REAL, reference=lambda x: np.clip(x / 6 + 0.5, 0, 1))
@in_float32
def hard_sigmoid(x: TensorLike) -> Tensor:
    """`x / 6 + 1/2`, clipped to [0, 1].

    Args:
        x: real numbers of any shape; integers and bool become floats.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.hard_sigmoid(0.0))
        0.5
    """
    return _ramp(to_real_float(x))


@op(samples=_CORNERS, rejects=_REAL, reference=lambda x: x * np.clip(x / 6 + 0.5, 0, 1))
@in_float32
def hard_silu(x: TensorLike) -> Tensor:
    """`x * hard_sigmoid(x)`.

    Args:
        x: real numbers of any shape; integers and bool become floats.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.hard_silu(3.0))
        3.0
    """
    x = to_real_float(x)
    return p.mul(x, _ramp(x))


@op(samples=_CORNERS, rejects=_REAL, reference=lambda x: x * np.clip(x / 6 + 0.5, 0, 1))
@in_float32
def hard_swish(x: TensorLike) -> Tensor:
    """Another name of `hard_silu`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.hard_swish(3.0))
        3.0
    """
    x = to_real_float(x)
    return p.mul(x, _ramp(x))


@op(
    samples=(*_SAMPLES, sample(values(-5, 0, 7, dtype="int8"), gradient=False)),
    rejects=_REAL,
    reference=lambda x: np.clip(x, -1, 1),
)
def hard_tanh(x: TensorLike) -> Tensor:
    """`x`, clipped to [-1, 1].

    Args:
        x: real numbers of any shape.

    Returns:
        A tensor of the shape and dtype of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.hard_tanh([-2.0, 0.5]))
        array([-1. ,  0.5], dtype=float32)
    """
    name = dtype_of(real_only(x))
    if name == "bool":
        return x
    below = x if name.startswith("uint") else p.where(p.le(x, -1), -1, x)
    return p.where(p.ge(x, 1), 1, below)


@op(
    samples=(*_SAMPLES, sample(T((3,)), threshold=1.0)),
    rejects=_REAL,
    reference=lambda x, threshold=0.5: np.where(np.abs(x) <= threshold, 0, x),
)
def hard_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """`x` beyond a threshold on either side, 0 between.

    Args:
        x: real numbers of any shape; integers and bool become floats.
        threshold: half the width of the gap.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.hard_shrink([-2.0, 0.1]))
        array([-2.,  0.], dtype=float32)
    """
    x = to_real_float(x)
    return p.where(p.le(p.abs(x), parameter(threshold, x)), 0, x)


@op(
    samples=(*_SAMPLES, sample(T((3,)), threshold=1.0)),
    rejects=_REAL,
    reference=lambda x, threshold=0.5: np.sign(x * 1) * np.maximum(np.abs(x) - threshold, 0),
)
@in_float32
def soft_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """`x` moved toward 0 by a threshold, and 0 where it would pass it.

    Args:
        x: real numbers of any shape; integers and bool become floats.
        threshold: how far to move.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.soft_shrink([-2.0, 0.1]))
        array([-1.5,  0. ], dtype=float32)
    """
    x = to_real_float(x)
    t = parameter(threshold, x)
    return p.where(p.le(p.abs(x), t), 0, p.sub(x, p.mul(p.sign(x), t)))


@op(samples=(*_SAMPLES, *_COMPLEX), reference=lambda x: x - np.tanh(x))
@in_float32
def tanh_shrink(x: TensorLike) -> Tensor:
    """`x - tanh(x)`.

    Args:
        x: numbers of any shape; integers and bool become floats.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.tanh_shrink(0.0))
        0.0
    """
    x = to_float(x)
    return p.sub(x, p.tanh(x))


@op(
    samples=(
        sample(T((2, 3)), 0.5, -1.0),
        sample(values(float("nan"), 2.0), 1.0, 0.0, gradient=False),
        sample(T((3,), "int32"), 0, 7),
        sample(values(0, 1, 3, dtype="uint8"), 0.5, 2),
        sample(values(True, False, dtype="bool"), 0.5, 0.0),
        sample(T((0, 2)), 1.0, 0.0),
        sample(values(0.5, 1.5, dtype="float16"), 1.0, -1.0),
    ),
    rejects=(rejects(T((2,), "complex64"), 0.0, 0.0, argument="x"),),
    reference=lambda x, threshold, default_value: np.where(x > threshold, x, default_value),
)
def threshold(x: TensorLike, threshold: float, default_value: float) -> Tensor:
    """`x` where it is above a threshold, a default elsewhere.

    Args:
        x: real numbers of any shape.
        threshold: the threshold.
        default_value: the default.

    Returns:
        A tensor of the shape and dtype of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.threshold([0.0, 2.0], 1.0, -1.0))
        array([-1.,  2.], dtype=float32)
    """
    name = dtype_of(real_only(x))
    kind = float if dtypes.is_float(name) else bool if name == "bool" else int
    if dtypes.is_unsigned(name) and default_value < 0:
        raise ArgumentError("default_value", expected=f"a number that {name} can hold", got=default_value)
    default = parameter(default_value, x) if kind is float else kind(default_value)
    real = to_real_float(x)
    return p.where(p.gt(real, parameter(threshold, real)), x, default)


@op(
    samples=(*_SAMPLES, sample(values(-0.5, 0.5, 2.0))),
    rejects=_REAL,
    reference=lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x)),
)
@in_float32
def sparse_plus(x: TensorLike) -> Tensor:
    """0 up to -1, `(x + 1)**2 / 4` up to 1, then `x`.

    Args:
        x: real numbers of any shape; integers and bool become floats.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.sparse_plus([-2.0, 0.0, 2.0]))
        array([0.  , 0.25, 2.  ], dtype=float32)
    """
    x = to_real_float(x)
    middle = p.where(p.lt(p.abs(x), 1), x, 0)
    curve = p.div(p.mul(p.add(middle, 1), p.add(middle, 1)), 4.0)
    return p.where(p.le(x, -1), 0, p.where(p.lt(x, 1), curve, x))


@op(
    samples=(*_SAMPLES, sample(values(-0.5, 0.5, 2.0))),
    rejects=_REAL,
    reference=lambda x: np.clip((x + 1) / 2, 0, 1),
)
@in_float32
def sparse_sigmoid(x: TensorLike) -> Tensor:
    """0 up to -1, `(x + 1) / 2` up to 1, then 1.

    Args:
        x: real numbers of any shape; integers and bool become floats.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.sparse_sigmoid([-2.0, 0.0, 2.0]))
        array([0. , 0.5, 1. ], dtype=float32)
    """
    x = to_real_float(x)
    return p.where(p.le(x, -1), 0, p.where(p.ge(x, 1), 1, p.div(p.add(x, 1), 2.0)))


# ---- smooth --------------------------------------------------------------------------------------


def softplus_of(x: Tensor) -> Tensor:
    """log(1 + exp(x)) without overflow; `maximum` gives each side half of the derivative at 0."""
    return p.add(p.maximum(x, 0), p.log1p(p.exp(p.neg(p.abs(x)))))


@op(
    samples=(*_SAMPLES, sample(values(0.0))),
    rejects=_REAL,
    reference=lambda x: np.logaddexp(x, 0),
    call=direct(None, 1),
)
@in_float32
def softplus(x: TensorLike) -> Tensor:
    """`log(1 + e**x)`, a smooth rectifier.

    Args:
        x: real numbers of any shape; integers and bool become floats.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> round(float(kerata.ops.softplus(0.0)), 4)
        0.6931
    """
    return softplus_of(to_real_float(x))


@op(
    samples=(*_SAMPLES, sample(values(0.0))),
    rejects=_REAL,
    reference="scipy.special.log_expit",
    call=direct(None, 1),
)
@in_float32
def log_sigmoid(x: TensorLike) -> Tensor:
    """The logarithm of the logistic function, without overflow.

    Args:
        x: real numbers of any shape; integers and bool become floats.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> round(float(kerata.ops.log_sigmoid(0.0)), 4)
        -0.6931
    """
    return p.neg(softplus_of(p.neg(to_real_float(x))))


@op(
    samples=(*unary_samples(), *_COMPLEX), reference=lambda x: x / (1 + np.abs(x)), call=direct(None, 1)
)  # fmt: skip
@in_float32
def softsign(x: TensorLike) -> Tensor:
    """`x / (1 + |x|)`.

    Args:
        x: numbers of any shape; integers and bool become floats.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.softsign(1.0))
        0.5
    """
    x = to_float(x)
    return p.div(x, cast(p.add(p.abs(x), 1), dtype_of(x)))


@op(
    samples=(*unary_samples(), *_COMPLEX, sample(T((3,)), b=1.0)), rejects=[rejects(T((2,)), "4", argument="b")]
)  # fmt: skip
@in_float32
def squareplus(x: TensorLike, b: float = 4) -> Tensor:
    """`(x + sqrt(x**2 + b)) / 2`, a smooth rectifier without exponentials (Barron, arXiv:2112.11687).

    Args:
        x: numbers of any shape; integers and bool become floats.
        b: size of the smooth part.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.squareplus(0.0))
        1.0
    """
    x = to_float(x)
    b = parameter(b, x)
    if dtypes.is_complex(dtype_of(x)):
        return p.mul(p.add(x, p.sqrt(p.add(p.mul(x, x), b))), 0.5)
    size = p.abs(x)
    near = p.minimum(size, 1e9)  # beyond, b adds nothing, and the square would be infinite
    rest = p.add(p.sub(size, near), p.sqrt(p.add(p.mul(near, near), b)))
    long = p.add(p.mul(size, 0.5), p.mul(rest, 0.5))
    # On the left the two terms nearly cancel: their sum is b over their difference.
    return p.where(
        p.ge(x, 0),
        long,
        p.div(p.mul(b, 0.25) if hasattr(b, "dtype") else b / 4, p.where(p.ge(x, 0), 1, long)),
    )


@op(
    samples=(
        sample(T((2, 4))),
        sample(T((4, 3)), axis=0),
        sample(T((4,), "float16"), gradient=False),
        sample(T((0, 4))),
        sample(values(float("nan"), 1.0, 2.0, float("inf"))),
    ),
    rejects=(rejects(T((2, 3)), argument="x"), rejects(T((2, 4)), 2, argument="axis")),
)
@in_float32
def glu(x: TensorLike, axis: int = -1) -> Tensor:
    """The gated linear unit: the first half of an axis times the sigmoid of the second (arXiv:1612.08083).

    Args:
        x: real numbers; integers and bool become floats.
        axis: the axis, of even size.

    Returns:
        A tensor with half the size along the axis.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.glu([2.0, 0.0]))
        array([1.], dtype=float32)
    """
    x = to_real_float(x)
    place = rules.axis_index(axis, len(shape_of(x)))
    size = shape_of(x)[place]
    if type(size) is int and size % 2:
        raise ArgumentError("x", expected=f"of even size along axis {axis}", got=x)
    return p.mul(cut(x, place, 0, size // 2), p.sigmoid(cut(x, place, size // 2, size)))
