"""Derivatives through complex numbers, by the real and the imaginary part, against finite differences in float64."""

import numpy as np
import pytest

import kerata
from kerata import ops

_rng = np.random.default_rng(3)
REAL, IMAGINARY = _rng.standard_normal((2, 3, 3))
OTHER = _rng.standard_normal((3, 3)) + 1j * _rng.standard_normal((3, 3))


def _hermitian(z):
    return (z + ops.conj(ops.transpose(z))) / 2


def _definite(z):
    return ops.matmul(z, ops.conj(ops.transpose(z))) + 3 * ops.eye(3, dtype="complex128")


ELEMENTARY = (
    "exp log sqrt rsqrt sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh square reciprocal sign "
    "abs angle exp2 expm1 log2 log10 log1p sigmoid silu softsign tanh_shrink squareplus logsumexp"
)
CASES = {name: getattr(ops, name) for name in ELEMENTARY.split()} | {
    "prod": ops.prod, "power of a number": lambda z: ops.power(2.0, z), "cube": lambda z: ops.power(z, 3),
    "power of a complex number": lambda z: ops.power(0.5 - 1j, z), "cumprod": ops.cumprod, "std": ops.std,
    "a complex number times": lambda z: (2 - 1j) * z, "over a complex number": lambda z: z / (2 - 1j),
    "multiply": lambda z: ops.multiply(z, OTHER), "divide": lambda z: ops.divide(OTHER, z), "power": lambda z: ops.power(z, OTHER),
    "matmul": lambda z: ops.matmul(z, OTHER), "einsum": lambda z: ops.einsum("ij,kj->ik", z, z), "var": ops.var, "norm": ops.norm,
    "inv": ops.inv, "det": ops.det, "solve": lambda z: ops.solve(z, OTHER), "cholesky": lambda z: ops.cholesky(_definite(z)),
    "qr": ops.qr, "eigh": lambda z: ops.eigh(_hermitian(z)), "svd": ops.svd, "svd of a high matrix": lambda z: ops.svd(z[:, :2], False),
    "eig": ops.eig, "lu_factor": lambda z: ops.lu_factor(z)[0],
}  # fmt: skip


def _number(fn, real, imaginary):
    """A weighted sum of the parts of all that `fn` gives, so that every element counts."""
    found = fn(ops.cast(real, "complex128") + 1j * ops.cast(imaginary, "complex128"))
    total = 0.0
    for y in found if isinstance(found, tuple) else (found,):
        weights = np.cos(np.arange(1.0, 1 + int(np.prod(y.shape)))).reshape(y.shape)
        total = (
            total
            + ops.sum(ops.multiply(ops.real(y), weights))
            + ops.sum(ops.multiply(ops.imag(y), 0.7 * weights))
        )
    return total


def _differences(fn, real, imaginary, step=1e-6):
    found = np.zeros((2, *real.shape))
    for place in np.ndindex(found.shape):
        moved = np.zeros_like(found)
        moved[place] = step
        ends = [_number(fn, real + sign * moved[0], imaginary + sign * moved[1]) for sign in (1, -1)]
        found[place] = (float(ends[0]) - float(ends[1])) / (2 * step)
    return found


@pytest.fixture(scope="module")
def expected():
    with kerata.use_backend("numpy"):
        return {name: _differences(fn, REAL, IMAGINARY) for name, fn in CASES.items()}


@pytest.mark.parametrize("name", CASES)
def test_has_the_derivatives_of_finite_differences(engine, name, expected):
    parts = [kerata.Variable(REAL, dtype="float64"), kerata.Variable(IMAGINARY, dtype="float64")]
    _, found = kerata.value_and_grad(lambda: _number(CASES[name], *(v.value for v in parts)), parts)()
    found = np.stack([ops.convert_to_numpy(g) for g in found])
    np.testing.assert_allclose(found, expected[name], rtol=1e-4, atol=1e-6)
