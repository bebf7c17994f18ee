"""Standard normal values from random words: the mathematics of `normal.py`, once with primitives and once in place.

Two words give two independent normal values (Box and Muller 1958): a radius `sqrt(-2 log u)` and an angle. Logarithm,
sine and cosine are polynomials of our own, so that no engine's library enters, and everything is rounded alike: +, *,
/ and sqrt are correctly rounded by NumPy, which draws for eager PyTorch too, and by XLA and TensorFlow; a minimum that
changes nothing (`apart`) stops compilers from contracting a product with a sum. The bits are therefore equal on all
engines, eager and compiled. Where a division or a square root is not correctly rounded (some devices; MKL's square
root, which PyTorch takes, once in 140) they may differ by 2 units in the last place.

Values cut at two standard deviations go through the inverse distribution function instead, a rational function that is
right to 7e-8: one word for one value, without a rejection.

Sources: Box and Muller, "A Note on the Generation of Random Normal Deviates", Ann. Math. Stat. 29 (1958);
the coefficients are our own minimax fits.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kerata.core import primitives as p

from . import bits, kernel
from .bits import float32, int32
from .uniform import apart

Tensor = Any
_F32 = np.float32
_FRACTION = 0x7FFFFF
_ROOT_HALF = 0x3F3504F3  # the bits of sqrt(1/2) in float32

# Even polynomials in the square of their argument; float32, then float64.
LOG = (-4.00000047, -1.33304448, -0.825927457)  # -4 atanh(s) / s, for |s| <= (sqrt 2 - 1) / (sqrt 2 + 1)
SIN = (0.78539816, -0.0807454333, 0.00249000102, -3.59504522e-05)  # sin(pi/4 t) / t, for |t| <= 1
COS = (0.99999997, -0.30842417, 0.0158496842, -0.00031872784)  # cos(pi/4 t)
LOG_WIDE = (
    -4.0, -1.3333333333333333, -0.80000000000015, -0.5714285713763506, -0.44444445354324547, -0.36363547439465327,
    -0.30774323434124085, -0.26497490719765127, -0.26524528586012236,
)  # fmt: skip
SIN_WIDE = (
    0.7853981633974483, -0.08074551218828079, 0.0024903945701927163, -3.6576204182147085e-05, 3.133616889192818e-07,
    -1.7572474204808876e-09, 6.948154114367228e-12, -2.0225906185890113e-14,
)  # fmt: skip
COS_WIDE = (
    1.0, -0.30842513753404244, 0.015854344243815502, -0.0003259918869273893, 3.59086044858802e-06,
    -2.461136949485674e-08, 1.1501157415860445e-10, -3.897903725211399e-13, 9.928366448096768e-16,
)  # fmt: skip
# z / v = P(s) / Q(s) with s = 1 - v**2, for z the normal quantile of the middle 95.45 % and v in (-1, 1).
CUT_P = (1.99999986, 24.25630912, 74.49028378, 54.24108979, 4.38436466)
CUT_Q = (1.0, 13.83797332, 52.42550147, 55.25294702, 10.70570751)
CUT_MASS = 0.9544997361036416  # the probability of [-2, 2]


def polynomial(t: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    """Horner's scheme, whose products stay apart from its sums; `t` is a square, or not negative."""
    total = p.add(apart(p.mul(t, coefficients[-1]), negative=coefficients[-1] < 0), coefficients[-2])
    for c in reversed(coefficients[:-2]):
        total = p.add(apart(p.mul(total, t)), c)
    return total


def _radius(exponent: Tensor, g: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    """`sqrt(-2 log u)` for `u = 2**exponent * (1 + g)`, by the series of atanh."""
    s = p.div(g, p.add(g, 2))
    series = p.mul(polynomial(p.mul(s, s), coefficients), s)
    return p.sqrt(p.add(apart(series), apart(p.mul(exponent, -2 * math.log(2)))))


def _direction(t: Tensor, sin: tuple[float, ...], cos: tuple[float, ...]) -> tuple[Tensor, Tensor]:
    square = p.mul(t, t)
    return polynomial(square, cos), p.mul(polynomial(square, sin), t)


def pair(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Two normal values in float32 from two words.

    31 bits of `a` make u, and `b` makes an angle in [-pi/4, pi/4], where sine and cosine keep their relative accuracy.
    The two bits that are left, the highest of `a` and the lowest of `b` (which the angle hardly feels), decide which
    of them comes first and the sign of one.
    """
    f = p.add(p.cast(p.bitwise_and(a, 2**31 - 1), dtype="float32"), 0.5)
    i = p.sub(p.bitcast(f, dtype="int32"), _ROOT_HALF + (31 << 23))
    exponent = p.cast(p.shift_right(i, 23), dtype="float32")
    fraction = p.bitcast(p.add(p.bitwise_and(i, _FRACTION), _ROOT_HALF), dtype="float32")
    r = _radius(exponent, p.sub(fraction, 1), LOG)
    x, y = _direction(p.mul(p.cast(b, dtype="float32"), 2.0**-31), SIN, COS)
    x, y = (p.bitcast(p.mul(v, r), dtype="int32") for v in (x, y))
    x = p.bitwise_xor(x, p.shift_left(b, 31))
    swap = p.bitwise_and(p.bitwise_xor(x, y), p.shift_right(a, 31))
    return p.bitcast(p.bitwise_xor(x, swap), dtype="float32"), p.bitcast(
        p.bitwise_xor(y, swap), dtype="float32"
    )


def wide_pair(k: Tensor, m: Tensor, negative: Tensor, swapped: Tensor) -> tuple[Tensor, Tensor]:
    """Two normal values in float64 from two whole numbers in [-2**52, 2**52) and two conditions.

    The exponent is read off a rounding to float32, so that no 64-bit integers are needed. Compilers add up the two
    constants of a sum of three, which rounds differently: a minimum keeps them apart as well.
    """
    u = p.mul(p.add(apart(p.add(k, 2.0**52)), 0.5), 2.0**-53)
    i = p.sub(p.bitcast(p.cast(u, dtype="float32"), dtype="int32"), _ROOT_HALF)
    exponent = p.shift_right(i, 23)
    scale = p.bitcast(p.sub(0x3F800000, p.shift_left(exponent, 23)), dtype="float32")  # 2**-exponent
    fraction = p.mul(u, p.cast(scale, dtype="float64"))
    r = _radius(p.cast(exponent, dtype="float64"), p.sub(fraction, 1), LOG_WIDE)
    x, y = _direction(p.mul(m, 2.0**-52), SIN_WIDE, COS_WIDE)
    x, y = p.mul(x, r), p.mul(y, r)
    x = p.where(negative, p.neg(x), x)
    return p.where(swapped, y, x), p.where(swapped, x, y)


def cut(words: Tensor) -> Tensor:
    """Normal values in [-2, 2] in float32, one from each word."""
    v = p.mul(p.add(p.cast(p.shift_right(words, 8), dtype="float32"), 0.5), 2.0**-23)
    size = p.abs(v)
    s = p.mul(p.sub(1, size), p.add(size, 1))
    # Apart from a standard deviation too: TensorFlow multiplies the constants of a product with each other first.
    return apart(p.mul(v, p.div(polynomial(s, CUT_P), polynomial(s, CUT_Q))))


def wide_cut(k: Tensor) -> Tensor:
    """The same in float64, from whole numbers in [-2**52, 2**52)."""
    v = p.mul(p.add(k, 0.5), 2.0**-52 * CUT_MASS)
    return p.mul(p.erfinv(v), math.sqrt(2))


# ---- in place ------------------------------------------------------------------------------------


def _polynomial_into(out: np.ndarray, t: np.ndarray, coefficients: tuple[float, ...]) -> None:
    np.multiply(t, float32(coefficients[-1]), out=out)
    np.add(out, float32(coefficients[-2]), out=out)
    for c in reversed(coefficients[:-2]):
        np.multiply(out, t, out=out)
        np.add(out, float32(c), out=out)


def _pair_into(a: np.ndarray, b: np.ndarray, spare: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """`pair` on int32 words, into the first two spare arrays; uses five."""
    ix, iy, i, j, _k = spare[:5]
    x, y, fi, fj, fk = (v.view(_F32) for v in spare[:5])
    np.bitwise_and(a, int32(2**31 - 1), out=j)
    np.copyto(fi, j, casting="unsafe")
    np.add(fi, float32(0.5), out=fi)
    np.subtract(i, int32(_ROOT_HALF + (31 << 23)), out=i)
    np.right_shift(i, int32(23), out=j)
    np.copyto(fj, j, casting="unsafe")
    np.multiply(fj, float32(-2 * math.log(2)), out=fj)
    np.bitwise_and(i, int32(_FRACTION), out=i)
    np.add(i, int32(_ROOT_HALF), out=i)
    np.subtract(fi, float32(1), out=fi)
    np.add(fi, float32(2), out=fk)
    np.divide(fi, fk, out=fi)
    np.multiply(fi, fi, out=fk)
    _polynomial_into(x, fk, LOG)
    np.multiply(x, fi, out=x)
    np.add(x, fj, out=x)
    np.sqrt(x, out=fi)  # the radius
    np.copyto(fj, b, casting="unsafe")
    np.multiply(fj, float32(2.0**-31), out=fj)
    np.multiply(fj, fj, out=fk)
    _polynomial_into(x, fk, COS)
    np.multiply(x, fi, out=x)
    _polynomial_into(y, fk, SIN)
    np.multiply(y, fj, out=y)
    np.multiply(y, fi, out=y)
    np.left_shift(b, int32(31), out=i)
    np.bitwise_xor(ix, i, out=ix)
    np.right_shift(a, int32(31), out=i)
    np.bitwise_xor(ix, iy, out=j)
    np.bitwise_and(i, j, out=i)
    np.bitwise_xor(ix, i, out=ix)
    np.bitwise_xor(iy, i, out=iy)
    return x, y


def _pairs(space: bits.Workspace) -> tuple[np.ndarray, ...]:
    """`pair` on the words of a workspace: the first two lanes, and the others."""
    compiled = kernel.load()
    if compiled:
        compiled.pairs(space.x.size, space.addresses)
        return tuple(words.view(_F32) for words in (space.x, space.y, space.z, space.w))
    first = _pair_into(space.x, space.y, space.scratch)
    return *first, *_pair_into(space.z, space.w, [space.x, space.y, *space.scratch[2:]])


def _affine(values: np.ndarray, mean: float, stddev: float) -> np.ndarray:
    if stddev != 1:
        np.multiply(values, float32(stddev), out=values)
    if mean != 0:
        np.add(values, float32(mean), out=values)
    return values


def normal_array(state: tuple[int, int], n: int, mean: float, stddev: float) -> np.ndarray:
    """`n` normal values in float32, drawn by NumPy block by block."""

    def finish(space: bits.Workspace) -> tuple[np.ndarray, ...]:
        return tuple(_affine(v, mean, stddev) for v in _pairs(space))

    return bits.draw(state, n, _F32, finish)


def cut_array(state: tuple[int, int], n: int, mean: float, stddev: float) -> np.ndarray:
    """`n` normal values within two standard deviations in float32, drawn by NumPy block by block."""

    def finish(space: bits.Workspace) -> tuple[np.ndarray, ...]:
        s, t = (v.view(_F32) for v in space.scratch[:2])
        for words in (space.x, space.y, space.z, space.w):
            v = words.view(_F32)
            np.right_shift(words, int32(8), out=words)
            np.copyto(v, words, casting="unsafe")
            np.add(v, float32(0.5), out=v)
            np.multiply(v, float32(2.0**-23), out=v)
            np.absolute(v, out=s)
            np.add(s, float32(1), out=t)
            np.subtract(float32(1), s, out=s)
            np.multiply(s, t, out=s)
            _polynomial_into(t, s, CUT_P)
            quotient = space.scratch[2].view(_F32)
            _polynomial_into(quotient, s, CUT_Q)
            np.divide(t, quotient, out=t)
            np.multiply(v, t, out=v)
            _affine(v, mean, stddev)
        return tuple(words.view(_F32) for words in (space.x, space.y, space.z, space.w))

    return bits.draw(state, n, _F32, finish)
