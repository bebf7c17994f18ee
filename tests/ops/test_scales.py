"""Decompositions of matrices of very small and very large numbers, by what defines them."""

import numpy as np
import pytest

import kerata
from kerata import ops

SCALES = np.array([1e-30, 1e-18, 1e-6, 1.0, 1e6, 1e18, 1e30])[:, None, None]
DTYPES = ["float32", "float64", "complex64"]


def _matrix(scale, dtype, shape=(2, 5, 4)):
    rng = np.random.default_rng(4)
    x = rng.standard_normal(shape)
    if dtype.startswith("complex"):
        x = x + 1j * rng.standard_normal(shape)
    return (x * scale).astype(dtype)


def _both_ways(fn, x):
    for call in (fn, kerata.function(fn)):
        yield [ops.convert_to_numpy(y).astype("complex128") for y in call(ops.convert_to_tensor(x))]


def _tolerance(dtype):
    return 50 * float(np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [SCALES, np.array([1e-30, 1.0, 1e30, 1e-10])], ids=["matrices", "columns"])
def test_qr_of_any_scale(engine, scale, dtype):
    x = _matrix(scale, dtype, (7, 5, 4))
    for q, r in _both_ways(ops.qr, x):
        assert abs(np.conj(q.transpose(0, 2, 1)) @ q - np.eye(4)).max() < _tolerance(dtype)
        size = abs(x).max(axis=-2, keepdims=True).astype("float64")
        assert (abs(q @ r - x) <= _tolerance(dtype) * size).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_eigenvalues_of_any_scale(engine, dtype):
    x = _matrix(SCALES, dtype, (7, 4, 4))
    size = abs(x).max(axis=(1, 2), keepdims=True).astype("float64")
    for values, vectors in _both_ways(ops.eig, x):
        apart = x.astype("complex128") @ vectors - vectors * values[:, None]
        assert (abs(apart) < _tolerance(dtype) * size).all()
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=_tolerance(dtype))


def test_singular_values_and_real_eigenvalues_of_any_scale(engine):
    x = _matrix(SCALES, "float32", (7, 4, 4))
    size = abs(x).max(axis=(1, 2), keepdims=True).astype("float64")
    symmetric = (x + x.transpose(0, 2, 1)) / 2
    for u, s, v in _both_ways(ops.svd, x):
        assert (abs(u * s[:, None] @ v - x) < _tolerance("float32") * size).all()
    for values, vectors in _both_ways(ops.eigh, symmetric):
        apart = vectors * values[:, None] @ vectors.transpose(0, 2, 1) - symmetric
        assert (abs(apart) < _tolerance("float32") * size).all()
