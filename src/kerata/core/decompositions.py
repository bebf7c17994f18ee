"""Primitives of linear algebra and the Fourier transform: what engines take from LAPACK and its like.

Matrices are the last two axes; the axes before are batches. Values are floating (or complex) and of 32 or
64 bits. Nothing raises on the values: where a result does not exist, it is NaN or infinite.
"""

from __future__ import annotations

from typing import Any

from kerata.core import primitives as p
from kerata.core import rules
from kerata.core.declare import new_abstract, primitive
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.dtypes import complex_for, finfo, is_complex, real_of

Tensor = Any

# ---- pieces of the derivative rules ----------------------------------------------------------------


def adjoint(x: Tensor) -> Tensor:
    """The conjugate transpose of matrices."""
    n = len(shape_of(x))
    return p.conj_(p.transpose(x, axes=(*range(n - 2), n - 1, n - 2)))


def positions(x: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column number at every place of the matrices, int32."""
    n = len(shape_of(x))
    ones = p.cast(p.eq(p.ne(x, x), p.ne(x, x)), dtype="int32")
    return p.sub(p.cumsum(ones, axis=n - 2), 1), p.sub(p.cumsum(ones, axis=n - 1), 1)


def lower_half(x: Tensor) -> Tensor:
    """The lower triangles, with half of the diagonal."""
    rows, columns = positions(x)
    return p.where(p.gt(rows, columns), x, p.where(p.eq(rows, columns), p.mul(x, 0.5), 0))


def _on_diagonal(v: Tensor, like: Tensor) -> Tensor:
    """Vectors on the diagonals of matrices."""
    rows, columns = positions(like)
    return p.where(p.eq(rows, columns), p.reshape(v, shape=(*shape_of(v), 1)), 0)


def _row(v: Tensor) -> Tensor:
    return p.reshape(v, shape=(*shape_of(v)[:-1], 1, shape_of(v)[-1]))


def _column(v: Tensor) -> Tensor:
    return p.reshape(v, shape=(*shape_of(v), 1))


def _like(v: Tensor, x: Tensor) -> Tensor:
    """Real values in the dtype of `x`, which may be complex."""
    return p.cast(v, dtype=dtype_of(x))


def _inverse(v: Tensor) -> Tensor:
    """1 / v, and 0 where v is 0."""
    none = p.eq(v, 0)
    return p.where(none, 0, p.div(1.0, p.where(none, 1, v)))


def _inverse_differences(v: Tensor) -> Tensor:
    """1 / (v_j - v_i), and 0 where both are equal, as on the diagonal. The vectors of equal values have no derivative; 0
    keeps all derivatives finite, and is right for whatever depends on the values alone."""
    return _inverse(p.sub(_row(v), _column(v)))


# ---- solving ---------------------------------------------------------------------------------------


def _cholesky_grad(g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
    """I. Murray, "Differentiation of the Cholesky decomposition" (arXiv:1602.07527), equation 10."""
    inner = lower_half(p.matmul(adjoint(y), g))
    upper = adjoint(y)
    left = triangular_solve(upper, inner, lower=False)
    both = adjoint(triangular_solve(upper, adjoint(left), lower=False))
    return (p.mul(p.add(both, adjoint(both)), 0.5),)


def _triangle(x: Tensor, lower: bool) -> Tensor:
    rows, columns = positions(x)
    return p.where((p.ge if lower else p.le)(rows, columns), x, 0)


def _triangular_grad(g: Tensor, y: Tensor, a: Tensor, b: Tensor, *, lower: bool) -> tuple[Tensor, Tensor]:
    back = triangular_solve(adjoint(a), g, lower=not lower)
    return _triangle(p.neg(p.matmul(back, adjoint(y))), lower), back


def _solve_grad(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    back = solve(adjoint(a), g)
    return p.neg(p.matmul(back, adjoint(y))), back


def _lu_rule(x: Tensor) -> tuple[Tensor, Tensor]:
    *batch, m, n = x._shape
    return new_abstract(x._shape, x._dtype), new_abstract((*batch, rules.smaller(m, n)), "int32")


def _lu_grad(g: Any, y: Any, x: Tensor) -> tuple[Tensor]:
    """Of P A = L U, by the product rule: inv(L) d(PA) inv(U) has inv(L) dL below the diagonal and dU inv(U) above it.

    Where A is wider or higher than the square that both factors share, the rest of it moves only U or L.
    """
    (g, _), (packed, pivots) = g, y
    *_, m, n = shape_of(x)
    k = min(m, n)
    if 0 in shape_of(x):
        return (p.mul(x, 0),)
    square, whole = _cut(_cut(packed, -2, k), -1, k), _cut(_cut(g, -2, k), -1, k)
    rows, columns = positions(square)
    lower = p.where(p.gt(rows, columns), square, _like(p.eq(rows, columns), x))
    upper = p.where(p.le(rows, columns), square, 0)

    def after_lower(v: Tensor) -> Tensor:
        return triangular_solve(adjoint(lower), v, lower=False)

    def before_upper(v: Tensor) -> Tensor:
        return adjoint(triangular_solve(upper, adjoint(v), lower=False))

    below = p.matmul(adjoint(lower), p.where(p.gt(rows, columns), whole, 0))
    above = p.matmul(p.where(p.le(rows, columns), whole, 0), adjoint(upper))
    if m < n:
        beside, moved = _cut(packed, -1, k, n), _cut(g, -1, k, n)
        below = p.sub(below, p.matmul(moved, adjoint(beside)))
    if m > n:
        under, moved = _cut(packed, -2, k, m), _cut(g, -2, k, m)
        above = p.sub(above, p.matmul(adjoint(under), moved))
    found = before_upper(after_lower(p.where(p.gt(rows, columns), below, above)))
    if m != n:
        rest = after_lower(moved) if m < n else before_upper(moved)
        found = p.concatenate((found, rest), axis=len(shape_of(x)) - (1 if m < n else 2))
    places = p.broadcast_to(_column(_permutation(pivots, m)), shape=shape_of(x))
    return (p.put_along_axis(p.zeros_of(x), places, found, axis=len(shape_of(x)) - 2),)


def _permutation(pivots: Tensor, m: int) -> Tensor:
    """The rows in their new order, after row i was exchanged with row pivots[i] for one i after the other."""
    *batch, k = shape_of(pivots)
    one = p.add(p.mul(p.cast(_cut(pivots, -1, 1), dtype="int32"), 0), 1)
    places = p.sub(p.cumsum(p.broadcast_to(one, shape=(*batch, m)), axis=len(batch)), 1)
    order = places
    for i in range(k):
        other = _cut(pivots, -1, i, i + 1)
        here, there = _cut(order, -1, i, i + 1), p.take_along_axis(order, other, axis=len(batch))
        order = p.where(p.eq(places, i), there, p.where(p.eq(places, other), here, order))
    return order


def _slogdet_rule(x: Tensor) -> tuple[Tensor, Tensor]:
    batch = x._shape[:-2]
    return new_abstract(batch, x._dtype), new_abstract(batch, real_of(x._dtype))


def _slogdet_grad(g: Any, y: Any, x: Tensor) -> tuple[Tensor]:
    """Of the logarithm: the inverse, transposed. The sign of real matrices is locally constant."""
    rows, columns = positions(x)
    eye = p.add(p.mul(x, 0), p.cast(p.eq(rows, columns), dtype=dtype_of(x)))
    return (p.mul(solve(adjoint(x), eye), _column(_column(_like(g[1], x)))),)


def _det_grad(g: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor]:
    """The cofactors: the determinant times the inverse, which singular matrices do not have. Theirs are products of
    singular values, between the vectors."""
    if 0 in shape_of(x):
        return (p.mul(x, 0),)
    singular = _column(_column(p.eq(y, 0)))
    rows, columns = positions(x)
    eye = _like(p.eq(rows, columns), x)
    regular = p.where(singular, eye, x)
    usual = p.mul(_column(_column(p.conj_(y))), solve(adjoint(regular), eye))
    u, s, v = svd(p.where(singular, x, eye), full=False)
    turn = p.conj_(p.mul(slogdet(u)[0], slogdet(v)[0]))
    others = _like(p.products_of_others(s), x)
    cofactors = p.mul(_column(_column(turn)), p.matmul(p.mul(u, _row(others)), v))
    return (p.mul(_column(_column(g)), p.where(singular, cofactors, usual)),)


# Lower; NaN if there is none.
cholesky = primitive("cholesky", lambda x: new_abstract(x._shape, x._dtype), _cholesky_grad)
triangular_solve = primitive(  # of `a`, only the triangle is read
    "triangular_solve", lambda a, b, *, lower: new_abstract(b._shape, b._dtype), _triangular_grad
)
# NaN where `a` is singular: where elimination meets a pivot of exactly 0
solve = primitive("solve", lambda a, b: new_abstract(b._shape, b._dtype), _solve_grad)
det = primitive("det", lambda x: new_abstract(x._shape[:-2], x._dtype), _det_grad)
# Packed factors; row i was exchanged with row pivots[i].
lu_factor = primitive("lu_factor", _lu_rule, _lu_grad)
slogdet = primitive("slogdet", _slogdet_rule, _slogdet_grad)  # sign, logarithm of the absolute determinant

# ---- decompositions --------------------------------------------------------------------------------


def _qr_rule(x: Tensor, *, full: bool) -> tuple[Tensor, Tensor]:
    *batch, m, n = x._shape
    k = m if full else rules.smaller(m, n)
    return new_abstract((*batch, m, k), x._dtype), new_abstract((*batch, k, n), x._dtype)


def _qr_grad(g: Any, y: Any, x: Tensor, *, full: bool) -> tuple[Tensor]:
    """S. Walter and L. Lehmann (arXiv:1009.6112), for matrices at least as high as wide."""
    (gq, gr), (q, r) = g, y
    *_, m, n = shape_of(x)
    if m < n:
        return (_wide_qr_grad(gq, gr, q, r, n - m),)
    if full and m > n:
        q, gq, r, gr = (_cut(q, -1, n), _cut(gq, -1, n), _cut(r, -2, n), _cut(gr, -2, n))
    return (_high_qr_grad(gq, gr, q, r),)


def _high_qr_grad(gq: Tensor, gr: Tensor, q: Tensor, r: Tensor) -> Tensor:
    inner = p.sub(p.matmul(r, adjoint(gr)), p.matmul(adjoint(gq), q))
    half = lower_half(inner)
    symmetric = p.add(half, adjoint(half))
    whole = p.add(gq, p.matmul(q, symmetric))
    return adjoint(triangular_solve(r, adjoint(whole), lower=False))


def _wide_qr_grad(gq: Tensor, gr: Tensor, q: Tensor, r: Tensor, extra: int) -> Tensor:
    """Of [A B] = Q [U V]: B = Q V gives part of the derivative to Q, the square part has the rest."""
    m = shape_of(q)[-1]
    v, gv = _cut(r, -1, m, m + extra), _cut(gr, -1, m, m + extra)
    gq = p.add(gq, p.matmul(p.matmul(q, v), adjoint(gv)))
    square = _high_qr_grad(gq, _cut(gr, -1, m), q, _cut(r, -1, m))
    return p.concatenate((square, p.matmul(q, gv)), axis=len(shape_of(r)) - 1)


def _cut(x: Tensor, axis: int, start: int, stop: int | None = None) -> Tensor:
    start, stop = (0, start) if stop is None else (start, stop)
    shape = shape_of(x)
    axis += len(shape)
    starts = tuple(start if i == axis else 0 for i in range(len(shape)))
    limits = tuple(stop if i == axis else d for i, d in enumerate(shape))
    return p.slice(x, starts=starts, limits=limits, strides=(1,) * len(shape))


def _svd_rule(x: Tensor, *, full: bool) -> tuple[Tensor, Tensor, Tensor]:
    *batch, m, n = x._shape
    k = rules.smaller(m, n)
    rows, columns = (m, n) if full else (k, k)
    u, v = new_abstract((*batch, m, rows), x._dtype), new_abstract((*batch, columns, n), x._dtype)
    return u, new_abstract((*batch, k), real_of(x._dtype)), v


def _svd_grad(g: Any, y: Any, x: Tensor, *, full: bool) -> tuple[Tensor]:
    """J. Townsend, "Differentiating the singular value decomposition" (2016); see `_inverse_differences`. Singular
    values that are 0 but for rounding have corners there, whose vectors are noise: their derivative is 0."""
    (gu, gs, gv), (u, s, v) = g, y
    *_, m, n = shape_of(x)
    k = min(m, n)
    if 0 in shape_of(x):
        return (p.mul(x, 0),)
    noise = p.mul(_cut(s, -1, 1), max(m, n) * float(finfo(dtype_of(s)).eps))
    zero = p.le(s, noise)
    s, gs = p.where(zero, 0, s), p.where(zero, 0, gs)
    if full:  # the other vectors span what is left over: they have no derivative of their own
        u, gu, v, gv = _cut(u, -1, k), _cut(gu, -1, k), _cut(v, -2, k), _cut(gv, -2, k)
    size, reciprocal = _like(s, x), _like(_inverse(s), x)
    # 1 / (s_j^2 - s_i^2).
    gaps = _like(p.mul(_inverse_differences(s), _inverse(p.add(_row(s), _column(s)))), x)
    a, b = p.matmul(adjoint(u), gu), p.matmul(v, adjoint(gv))
    left = p.mul(p.mul(p.sub(a, adjoint(a)), gaps), _row(size))
    right = p.mul(p.mul(p.sub(b, adjoint(b)), gaps), _column(size))
    middle = p.add(p.add(left, right), _on_diagonal(_like(gs, x), left))
    # Z.-Q. Wan and S.-X. Zhang (arXiv:1909.02659): vectors may turn in the complex plane.
    if is_complex(dtype_of(x)):
        rows, columns = positions(middle)
        turn = p.mul(p.mul(p.sub(a, adjoint(a)), 0.5), _row(reciprocal))
        middle = p.add(middle, p.where(p.eq(rows, columns), turn, 0))
    whole = p.matmul(p.matmul(u, middle), v)
    if m > k:
        rest = p.sub(gu, p.matmul(u, a))
        whole = p.add(whole, p.matmul(p.mul(rest, _row(reciprocal)), v))
    if n > k:
        rest = p.sub(gv, p.matmul(adjoint(b), v))
        whole = p.add(whole, p.matmul(u, p.mul(rest, _column(reciprocal))))
    return (whole,)


def _eigh_rule(x: Tensor) -> tuple[Tensor, Tensor]:
    return new_abstract(x._shape[:-1], real_of(x._dtype)), new_abstract(x._shape, x._dtype)


def _eigh_grad(g: Any, y: Any, x: Tensor) -> tuple[Tensor]:
    (gw, gv), (w, v) = g, y
    inner = p.mul(p.matmul(adjoint(v), gv), _like(_inverse_differences(w), x))
    whole = p.matmul(p.matmul(v, p.add(inner, _on_diagonal(_like(gw, x), inner))), adjoint(v))
    return (p.mul(p.add(whole, adjoint(whole)), 0.5),)


def _eig_grad(g: Any, y: Any, x: Tensor) -> tuple[Tensor]:
    """As for `eigh`, with vectors that keep their length but are not orthogonal to each other."""
    (gw, gv), (w, v) = g, y
    inner, products = p.matmul(adjoint(v), gv), p.matmul(adjoint(v), v)
    rows, columns = positions(p.real(inner))
    stretch = p.sum(
        p.where(p.eq(rows, columns), p.real(inner), 0), axis=(len(shape_of(x)) - 2,), keepdims=True
    )
    turned = p.mul(p.sub(inner, p.mul(products, _like(stretch, v))), p.conj_(_inverse_differences(w)))
    middle = p.where(p.eq(rows, columns), _column(gw), turned)
    whole = solve(adjoint(v), p.matmul(middle, adjoint(v)))
    return (whole if is_complex(dtype_of(x)) else p.real(whole),)


def _eig_rule(x: Tensor) -> tuple[Tensor, Tensor]:
    name = complex_for(x._dtype)
    return new_abstract(x._shape[:-1], name), new_abstract(x._shape, name)


qr = primitive("qr", _qr_rule, _qr_grad)
svd = primitive("svd", _svd_rule, _svd_grad)  # u, s descending, v adjoint
eigh = primitive("eigh", _eigh_rule, _eigh_grad)  # ascending; of `x`, the lower triangle is read
eig = primitive("eig", _eig_rule, _eig_grad)

# ---- Fourier ---------------------------------------------------------------------------------------


def _fft_grad(g: Tensor, y: Tensor, x: Tensor, *, inverse: bool) -> tuple[Tensor]:
    n = shape_of(x)[-1]
    back = fft(g, inverse=not inverse)
    return (p.div(back, n) if inverse else p.mul(back, n),)


# Complex, along the last axis; the inverse has the factor 1 / n.
fft = primitive("fft", lambda x, *, inverse: new_abstract(x._shape, x._dtype), _fft_grad)
