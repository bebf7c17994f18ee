"""Angles and hyperbolic functions, elementwise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kerata.core import dtypes
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of
from kerata.core.samples import T, rejects, sample, values

from .elementwise import (
    as_tensors,
    binary,
    in_float32,
    inf,
    to_float,
    to_real_float,
    unary_float,
    unary_samples,
)

TensorLike = Any
Tensor = Any


@unary_float(p.sin, reference=np.sin)
def sin(x: TensorLike) -> Tensor:
    """The sine of angles in radians.

    Example:
        >>> import kerata
        >>> float(kerata.ops.sin(0.0))
        0.0
    """


@unary_float(p.cos, reference=np.cos)
def cos(x: TensorLike) -> Tensor:
    """The cosine of angles in radians.

    Example:
        >>> import kerata
        >>> float(kerata.ops.cos(0.0))
        1.0
    """


@unary_float(p.tan, domain=(-1.4, 1.4), reference=np.tan)
def tan(x: TensorLike) -> Tensor:
    """The tangent of angles in radians.

    Example:
        >>> import kerata
        >>> float(kerata.ops.tan(0.0))
        0.0
    """


@unary_float(p.asin, domain=(-0.9, 0.9), reference=np.arcsin)
def arcsin(x: TensorLike) -> Tensor:
    """The angle in [-pi/2, pi/2] with that sine; NaN for real numbers outside [-1, 1].

    Example:
        >>> import kerata
        >>> float(kerata.ops.arcsin(0.0))
        0.0
    """


@unary_float(p.acos, domain=(-0.9, 0.9), reference=np.arccos)
def arccos(x: TensorLike) -> Tensor:
    """The angle in [0, pi] with that cosine; NaN for real numbers outside [-1, 1].

    Example:
        >>> import kerata
        >>> float(kerata.ops.arccos(1.0))
        0.0
    """


@unary_float(p.atan, reference=np.arctan)
def arctan(x: TensorLike) -> Tensor:
    """The angle in [-pi/2, pi/2] with that tangent.

    Example:
        >>> import kerata
        >>> float(kerata.ops.arctan(0.0))
        0.0
    """


@unary_float(p.sinh, reference=np.sinh)
def sinh(x: TensorLike) -> Tensor:
    """The hyperbolic sine.

    Example:
        >>> import kerata
        >>> float(kerata.ops.sinh(0.0))
        0.0
    """


@unary_float(p.cosh, reference=np.cosh)
def cosh(x: TensorLike) -> Tensor:
    """The hyperbolic cosine.

    Example:
        >>> import kerata
        >>> float(kerata.ops.cosh(0.0))
        1.0
    """


@unary_float(p.tanh, reference=np.tanh)
def tanh(x: TensorLike) -> Tensor:
    """The hyperbolic tangent, which maps the real line to (-1, 1).

    Example:
        >>> import kerata
        >>> float(kerata.ops.tanh(0.0))
        0.0
    """


@unary_float(p.asinh, reference=np.arcsinh)
def arcsinh(x: TensorLike) -> Tensor:
    """The inverse of the hyperbolic sine.

    Example:
        >>> import kerata
        >>> float(kerata.ops.arcsinh(0.0))
        0.0
    """


@unary_float(p.acosh, domain=(1.1, 3.0), reference=np.arccosh)
def arccosh(x: TensorLike) -> Tensor:
    """The inverse of the hyperbolic cosine; NaN for real numbers below 1.

    Example:
        >>> import kerata
        >>> float(kerata.ops.arccosh(1.0))
        0.0
    """


@unary_float(p.atanh, domain=(-0.9, 0.9), reference=np.arctanh)
def arctanh(x: TensorLike) -> Tensor:
    """The inverse of the hyperbolic tangent; infinite at -1 and 1, NaN beyond.

    Example:
        >>> import kerata
        >>> float(kerata.ops.arctanh(0.0))
        0.0
    """


def _arctan2(a: Any, b: Any) -> Tensor:
    return p.atan2(*as_tensors(a, b))


@binary(_arctan2, direct_way="", at_least=float, complex=False, domain=(0.2, 2.0), samples=[
    sample(values(0.0, -0.0, 0.0, -0.0, 1.0, -1.0), values(0.0, 0.0, -0.0, -0.0, 0.0, 0.0), gradient=False),
    sample(T((2, 3)), T((2, 3))), sample(values(inf, -inf, inf), values(inf, -inf, 1.0), gradient=False),
], reference=np.arctan2)  # fmt: skip
def arctan2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The angle in [-pi, pi] of the point with ordinate `x1` and abscissa `x2`. The derivative at the origin is 0.

    Example:
        >>> import kerata
        >>> round(float(kerata.ops.arctan2(1.0, 1.0)), 4)
        0.7854
    """


@op(
    samples=(
        *unary_samples(),
        sample(values(1.0, -3.0, 0.5, 1e6)),
        sample(T((2,), "complex64"), gradient=False),
    ),
    reference=np.sinc,
)
@in_float32
def sinc(x: TensorLike) -> Tensor:
    """`sin(pi x) / (pi x)`, and 1 at 0.

    Args:
        x: numbers of any shape; integers and bool become floats.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.sinc(0.0))
        1.0
    """
    x = to_float(x)
    zero = p.eq(x, 0)
    x = p.where(zero, 1, x)
    angle = p.mul(x, math.pi)
    return p.where(
        zero, 1, p.div(p.sin(angle) if dtypes.is_complex(dtype_of(x)) else _sine_of_turns(x), angle)
    )


def _sine_of_turns(x: Tensor) -> Tensor:
    """sin(pi x) by the distance to the nearest integer: exact at integers, and however large they are."""
    whole = p.round(x)
    odd = p.sub(whole, p.mul(p.floor(p.mul(whole, 0.5)), 2.0))
    sine = p.sin(p.mul(p.sub(x, whole), math.pi))
    return p.mul(sine, p.sub(1.0, p.mul(odd, 2.0)))


@op(samples=unary_samples(), rejects=[rejects(T((2,), "complex64"), argument="x")], reference=np.deg2rad)
@in_float32
def deg2rad(x: TensorLike) -> Tensor:
    """Degrees as radians.

    Args:
        x: real numbers of any shape; integers and bool become floats.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> round(float(kerata.ops.deg2rad(180.0)), 4)
        3.1416
    """
    return p.mul(to_real_float(x), math.pi / 180)


@op(samples=unary_samples(), rejects=[rejects(T((2,), "complex64"), argument="x")], reference=np.rad2deg)
@in_float32
def rad2deg(x: TensorLike) -> Tensor:
    """Radians as degrees.

    Args:
        x: real numbers of any shape; integers and bool become floats.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> float(kerata.ops.rad2deg(0.0))
        0.0
    """
    return p.mul(to_real_float(x), 180 / math.pi)


@op(samples=(*unary_samples(), sample(T((3,), "complex64"))), reference=np.angle)
def angle(x: TensorLike) -> Tensor:
    """The angle in (-pi, pi] of complex numbers; 0 or pi for real ones.

    Args:
        x: numbers of any shape; integers and bool become floats.

    Returns:
        A real tensor of the shape of `x`.

    Example:
        >>> import kerata
        >>> round(float(kerata.ops.angle(1j)), 4)
        1.5708
    """
    x = to_float(x)
    if dtypes.is_complex(dtype_of(x)):
        return p.atan2(p.imag(x), p.real(x))
    return p.atan2(p.where(p.eq(x, x), 0, x), x)
