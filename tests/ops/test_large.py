"""Engines take other kernels for large tensors: with vectors, tiles and threads. What samples show holds there too."""

import numpy as np
import pytest

import kerata
from kerata import ops

N = ops.convert_to_numpy
SHAPE = (200, 120)


def awkward(seed=0):
    """Many ties, both zeros, infinities and NaN."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-20, 20, SHAPE).astype("float32")
    for value, count in ((np.nan, 40), (np.inf, 9), (-np.inf, 9), (-0.0, 300)):
        x.flat[rng.integers(0, x.size, count)] = value
    return x


def top(x, k):
    """The first of equals first, NaN above all."""
    order = np.argsort(np.where(np.isnan(x), -np.inf, -x), axis=-1, kind="stable")
    order = np.take_along_axis(
        order, np.argsort(~np.isnan(np.take_along_axis(x, order, -1)), axis=-1, kind="stable"), -1
    )
    return order[..., :k]


CASES = {
    "max": (ops.max, np.max),
    "max_columns": (lambda x: ops.max(x, 0), lambda x: np.max(x, 0)),
    "max_rows": (lambda x: ops.max(x, -1), lambda x: np.max(x, -1)),
    "min": (ops.min, np.min),
    "min_columns": (lambda x: ops.min(x, 0), lambda x: np.min(x, 0)),
    "min_rows": (lambda x: ops.min(x, -1), lambda x: np.min(x, -1)),
    "argmax": (lambda x: ops.argmax(x, 0), lambda x: np.argmax(x, 0)),
    "argmin": (ops.argmin, np.argmin),
    "maximum": (lambda x: ops.maximum(x, ops.flip(x, 0)), lambda x: np.maximum(x, x[::-1])),
    "minimum": (lambda x: ops.minimum(x, ops.flip(x, 0)), lambda x: np.minimum(x, x[::-1])),
    "cumulative": (lambda x: ops.associative_scan(ops.maximum, x), lambda x: np.maximum.accumulate(x, 0)),
    "sort": (lambda x: ops.sort(x, 0), lambda x: np.sort(x, 0)),
    "argsort": (ops.argsort, lambda x: np.argsort(x, kind="stable")),
    "top_k": (lambda x: ops.top_k(x, 7)[1], lambda x: top(x, 7)),
    "top_all": (lambda x: ops.top_k(x, SHAPE[1])[1], lambda x: top(x, SHAPE[1])),
    "windows": (
        lambda x: ops.max_pool(ops.reshape(x, (1, 50, 8, 60)), 2),
        lambda x: x.reshape(1, 25, 2, 4, 2, 60).max((2, 4)),
    ),
    "softmax": (lambda x: ops.all(ops.isnan(ops.softmax(x)), 1), lambda x: (np.isnan(x) | (x == np.inf)).any(1)),
    "logsumexp": (lambda x: ops.isnan(ops.logsumexp(x, 0)), lambda x: np.isnan(x).any(0)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_awkward_values(engine, name):
    fn, reference = CASES[name]
    x, expected = ops.convert_to_tensor(awkward()), reference(awkward())
    np.testing.assert_array_equal(N(fn(x)), expected)
    np.testing.assert_array_equal(N(kerata.function(lambda x: fn(x))(x)), expected)


@pytest.mark.parametrize("name", CASES)
def test_awkward_values_by_xla(name):
    """On TensorFlow; JAX has no other compiler."""
    fn, reference = CASES[name]
    with kerata.use_backend("tensorflow"):
        found = kerata.function(lambda x: fn(x), jit_compile=True)(ops.convert_to_tensor(awkward()))
        np.testing.assert_array_equal(N(found), reference(awkward()))


@pytest.mark.parametrize(
    "fn", [lambda x: ops.mean(x, 1), lambda x: ops.sum(x, 1) / x.shape[1]], ids=["mean", "sum"]
)
def test_digits_of_long_sums_of_a_transposed_tensor(engine, fn):
    """One by one, the terms would lose two of them."""
    x = np.random.default_rng(0).normal(1, 0.1, (200_000, 2)).astype("float32")
    found = fn(ops.transpose(ops.convert_to_tensor(x)))
    np.testing.assert_allclose(N(found), x.mean(0, dtype="float64"), rtol=5e-7)
