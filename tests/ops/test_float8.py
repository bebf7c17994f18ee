"""8-bit floats: every op computes in float32 and rounds once, on every engine."""

import ml_dtypes
import numpy as np
import pytest

import kerata as k
from kerata import ops
from kerata.core.errors import ArgumentError

NAMES = ("float8_e4m3fn", "float8_e5m2")
A = np.array([[1.0, 2.0, -0.5], [0.25, 3.0, 4.0]], np.float32)  # exact in both dtypes
ALL = np.arange(256, dtype=np.uint8)

# Each op beside what NumPy does in float32.
CASES = {
    "add": (lambda x: ops.add(x, x), lambda a: a + a),
    "divide": (lambda x: ops.divide(x, ops.flip(x, 0)), lambda a: a / a[::-1]),
    "exp": (ops.exp, np.exp),
    "gelu": (lambda x: ops.gelu(x, approximate=True), lambda a: a * (1 + np.tanh(np.sqrt(2 / np.pi) * (a + 0.044715 * a**3))) / 2),
    "sum": (ops.sum, np.sum),
    "mean": (lambda x: ops.mean(x, axis=0), lambda a: a.mean(0)),
    "var": (ops.var, np.var),
    "cumsum": (lambda x: ops.cumsum(x, axis=1), lambda a: a.cumsum(1)),
    "matmul": (lambda x: ops.matmul(x, ops.transpose(x)), lambda a: a @ a.T),
    "einsum": (lambda x: ops.einsum("ij,kj->ik", x, x), lambda a: a @ a.T),
    "sort": (ops.sort, np.sort),
    "maximum": (lambda x: ops.maximum(x, ops.flip(x, 0)), lambda a: np.maximum(a, a[::-1])),
    "concatenate": (lambda x: ops.concatenate([x, x]), lambda a: np.concatenate([a, a])),
    "where": (lambda x: ops.where(ops.greater(x, ops.flip(x, 0)), x, x), lambda a: a),
    "conv": (
        lambda x: ops.conv(ops.reshape(x, (1, 6, 1)), ops.reshape(x, (6, 1, 1))),
        lambda a: np.sum(a * a, dtype=np.float32).reshape(1, 1, 1),
    ),
    "max_pool": (lambda x: ops.max_pool(ops.reshape(x, (1, 6, 1)), 2), lambda a: a.reshape(3, 2).max(1).reshape(1, 3, 1)),
}  # fmt: skip


def bits(x):
    """As NumPy has them, NaN in one way only."""
    values = ops.convert_to_numpy(x)
    return np.where(np.isnan(values.astype(np.float32)), np.uint8(0x7F), values.view(np.uint8))


@pytest.mark.parametrize("dtype", NAMES)
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_ops_round_once(engine, dtype, compiled):
    def everything(x):
        return {name: fn(x) for name, (fn, _) in CASES.items()}

    got = (k.function(everything) if compiled else everything)(ops.cast(A, dtype))
    for name, (_, in_float32) in CASES.items():
        expected = np.asarray(in_float32(A), np.float32).astype(getattr(ml_dtypes, dtype))
        assert k.backend.standardize_dtype(got[name].dtype) == dtype, name
        np.testing.assert_array_equal(ops.convert_to_numpy(got[name]), expected, err_msg=name)


@pytest.mark.parametrize("dtype", NAMES)
def test_comparisons_and_indices_keep_their_dtypes(engine, dtype):
    x = ops.cast(A, dtype)
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.argmax(x, axis=1)), A.argmax(1))
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.greater(x, 0.5)), A > 0.5)
    largest, indices = ops.top_k(x, 2)
    assert k.backend.standardize_dtype(largest.dtype) == dtype
    np.testing.assert_array_equal(ops.convert_to_numpy(indices), [[1, 0], [2, 1]])


@pytest.mark.parametrize("dtype", NAMES)
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_bits_and_neighbours(engine, dtype, compiled):
    def pair(x):
        return ops.view(x, "uint8"), ops.nextafter(x, ops.full_like(x, 2.0)), ops.nan_to_num(x)

    numbers = ALL.view(getattr(ml_dtypes, dtype))
    x = ops.convert_to_tensor(numbers)
    seen, neighbours, finite = (k.function(pair) if compiled else pair)(x)
    nan = np.isnan(numbers.astype(np.float32))
    np.testing.assert_array_equal(ops.convert_to_numpy(seen)[~nan], ALL[~nan])
    np.testing.assert_array_equal(bits(ops.view(ops.convert_to_tensor(ALL), dtype)), bits(x))
    expected = np.nextafter(numbers, np.full(256, 2.0, numbers.dtype))
    np.testing.assert_array_equal(ops.convert_to_numpy(neighbours)[~nan], expected[~nan])
    np.testing.assert_array_equal(ops.convert_to_numpy(ops.isnan(neighbours)), nan)
    limits = ml_dtypes.finfo(numbers.dtype)
    clipped = np.clip(
        np.nan_to_num(numbers.astype(np.float32), nan=0.0), float(limits.min), float(limits.max)
    )
    np.testing.assert_array_equal(ops.convert_to_numpy(finite).astype(np.float32), clipped)


def test_two_kinds_do_not_mix(engine):
    with pytest.raises(ArgumentError, match="float8"):
        ops.add(ops.cast(A, NAMES[0]), ops.cast(A, NAMES[1]))


def test_symbolic_result_is_the_eager_one(engine):
    x = k.Input((3,), dtype="float8_e5m2")
    assert ops.exp(x).dtype == "float8_e5m2"
    model = k.Model(x, ops.matmul(ops.exp(x), ops.transpose(ops.cast(A, "float8_e5m2"))))
    got = model(ops.cast(A, "float8_e5m2"))
    half = np.exp(A).astype(ml_dtypes.float8_e5m2).astype(np.float32)
    np.testing.assert_array_equal(ops.convert_to_numpy(got), (half @ A.T).astype(ml_dtypes.float8_e5m2))


@pytest.mark.parametrize("dtype", NAMES)
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_derivatives_go_through_them_and_are_rounded_as_they_are(engine, dtype, compiled):
    weights = np.array([[1.0, 0.5], [-2.0, 4.0], [0.25, 1.0]], np.float32)
    kind = getattr(ml_dtypes, dtype)
    v, narrow = k.Variable(A), k.Variable(A, dtype=dtype)

    def loss():
        x = ops.reshape(ops.add(ops.square(ops.cast(v.value, dtype)), narrow.value), (3, 2))
        return ops.sum(ops.multiply(ops.cast(x, "float32"), weights))

    run = k.value_and_grad(loss, [v, narrow])
    _, (wide, slope) = (k.function(run) if compiled else run)()
    doubled = 2 * A * weights.reshape(2, 3)
    np.testing.assert_array_equal(ops.convert_to_numpy(wide), doubled.astype(kind).astype(np.float32))
    np.testing.assert_array_equal(ops.convert_to_numpy(slope), weights.reshape(2, 3).astype(kind))
    _, back = ops.vjp(ops.square, [narrow.value])
    slope = back(ops.cast(weights.reshape(2, 3), dtype))[0]
    assert ops.dtype(slope) == dtype
    np.testing.assert_array_equal(ops.convert_to_numpy(slope), doubled.astype(kind))
