"""Exponentials and logarithms of complex numbers by their real and imaginary parts, where engines have no function."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from kerata.core import dtypes
from kerata.core import primitives as p
from kerata.core.dispatch import dtype_of

Tensor = Any


def by_kind(
    real: Callable[[Tensor], Tensor], of_complex: Callable[[Tensor], Tensor]
) -> Callable[..., Tensor]:
    """One function for real numbers, another one for complex numbers. It has the name of the first."""

    def call(x: Tensor) -> Tensor:
        return of_complex(x) if dtypes.is_complex(dtype_of(x)) else real(x)

    call.__name__ = real.__name__
    return call


def exp2(z: Tensor) -> Tensor:
    """2 to the power of z: a length, turned by an angle."""
    length, angle = p.exp2(p.real(z)), p.mul(p.imag(z), math.log(2))
    return p.complex_(p.mul(length, p.cos(angle)), p.mul(length, p.sin(angle)))


def expm1(z: Tensor) -> Tensor:
    """e to the power of z, less 1: cos(y) is 1 less 2 sin(y / 2) squared."""
    x, y = p.real(z), p.imag(z)
    length, half = p.expm1(x), p.sin(p.mul(y, 0.5))
    real = p.sub(p.mul(length, p.cos(y)), p.mul(p.mul(half, half), 2.0))
    return p.complex_(real, p.mul(p.exp(x), p.sin(y)))


def log1p(z: Tensor) -> Tensor:
    """log(1 + z): near 0 by how far the square of |1 + z| is from 1."""
    x, y = p.real(z), p.imag(z)
    far = p.log(p.complex_(p.add(x, 1), y))
    near = p.logical_and(p.lt(p.abs(x), 0.5), p.lt(p.abs(y), 0.5))
    a, b = p.where(near, x, 0), p.where(near, y, 0)
    beyond = p.add(p.mul(a, p.add(a, 2)), p.mul(b, b))
    return p.complex_(p.where(near, p.mul(p.log1p(beyond), 0.5), p.real(far)), p.imag(far))


def log_to(base: float) -> Callable[[Tensor], Tensor]:
    """The logarithm to a base."""

    def log(z: Tensor) -> Tensor:
        natural = p.log(z)
        return p.complex_(*(p.div(part, math.log(base)) for part in (p.real(natural), p.imag(natural))))

    return log


def sigmoid(z: Tensor) -> Tensor:
    """1 / (1 + exp(-z)); on the left exp(z) / (1 + exp(z)), which cannot overflow."""
    right = p.ge(p.real(z), 0)
    small = p.exp(p.where(right, p.neg(z), z))
    return p.div(p.where(right, 1, small), p.add(small, 1))


logistic = by_kind(p.sigmoid, sigmoid)
