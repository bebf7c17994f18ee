"""Pooling on every engine: by definition, with ties, NaN and infinities, and against Keras and PyTorch as peers."""

import itertools
import math

import keras
import numpy as np
import pytest

import kerata
from kerata import ops
from kerata.core import windows
from kerata.core.errors import ArgumentError
from kerata.core.geometry import pool_plan

# (spatial, pool size, strides, padding)
CASES = [
    ((7,), 2, None, "valid"),
    ((7,), 3, 1, "same"),
    ((7,), 2, 3, "same"),
    ((1,), 3, 2, "same"),
    ((6, 8), 2, None, "valid"),
    ((6, 7), (3, 2), (2, 1), "same"),
    ((6, 7), 3, 1, "valid"),
    ((8, 8), 3, 2, "same"),
    ((4, 5, 6), (2, 2, 3), (2, 1, 2), "same"),
]
ADAPTIVE = [((7,), 3), ((7,), 7), ((5,), 8), ((6, 7), (3, 4)), ((1, 9), (2, 5)), ((3, 4, 5), (2, 4, 3))]
FORMATS = ["channels_last", "channels_first"]


def draw(size, data_format, ties=True):
    shape = (2, *size, 3) if data_format == "channels_last" else (2, 3, *size)
    rng = np.random.default_rng(5)
    return (
        rng.integers(-2, 3, shape).astype("float32") if ties else rng.standard_normal(shape).astype("float32")
    )


def windows_of(n, k, s, padding):
    """The input positions of each window along one dimension."""
    if padding == "valid":
        return [list(range(i, i + k)) for i in range(0, n - k + 1, s)]
    count = math.ceil(n / s)
    low = max((count - 1) * s + k - n, 0) // 2
    return [[j for j in range(i * s - low, i * s - low + k) if 0 <= j < n] for i in range(count)]


def adaptive_windows(n, m):
    return [list(range(i * n // m, math.ceil((i + 1) * n / m))) for i in range(m)]


def by_definition(x, windows, data_format, g=None):
    """(largest, mean, gradient of the largest, gradient of the mean), one window at a time."""
    last = np.moveaxis(x, 1, -1) if data_format == "channels_first" else x
    counts = tuple(map(len, windows))
    most, mean = np.zeros((2, len(x), *counts, 3))
    g = np.random.default_rng(6).standard_normal(most.shape) if g is None else g
    d_most, d_mean = np.zeros((2, *last.shape))
    for place in itertools.product(*map(range, counts)):
        cells = list(itertools.product(*(w[i] for w, i in zip(windows, place))))
        for b, c in itertools.product(range(len(x)), range(3)):
            seen = [last[(b, *cell, c)] for cell in cells]
            at = int(np.argmax(seen))  # the first of equals
            most[(b, *place, c)], mean[(b, *place, c)] = seen[at], np.mean(np.float64(seen))
            d_most[(b, *cells[at], c)] += g[(b, *place, c)]
            for cell in cells:
                d_mean[(b, *cell, c)] += g[(b, *place, c)] / len(cells)
    out = most, mean, d_most, d_mean, g
    return [np.moveaxis(v, -1, 1) if data_format == "channels_first" else v for v in out]


def assert_near(actual, expected):
    actual = ops.convert_to_numpy(actual)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


def check(call, x, expected, gradient, g):
    """Values, gradient, the compiled call, and the symbolic shape."""
    tensor = ops.convert_to_tensor(x)
    out, back = ops.vjp(call, [tensor])
    assert_near(out, expected)
    assert_near(back(ops.convert_to_tensor(g.astype("float32")))[0], gradient)
    assert_near(kerata.function(call)(tensor), expected)
    assert tuple(call(kerata.KerasTensor(x.shape)).shape) == expected.shape


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_pooling_by_definition(engine, case, data_format):
    size, pool, strides, padding = case
    x = draw(size, data_format)
    pools = pool if isinstance(pool, tuple) else (pool,) * len(size)
    steps = pools if strides is None else strides if isinstance(strides, tuple) else (strides,) * len(size)
    found = [windows_of(n, k, s, padding) for n, k, s in zip(size, pools, steps)]
    most, mean, d_most, d_mean, g = by_definition(x, found, data_format)
    check(lambda v: ops.max_pool(v, pool, strides, padding, data_format), x, most, d_most, g)
    check(lambda v: ops.average_pool(v, pool, strides, padding, data_format), x, mean, d_mean, g)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("case", ADAPTIVE, ids=str)
def test_adaptive_pooling_by_definition(engine, case, data_format):
    size, count = case
    x = draw(size, data_format)
    counts = count if isinstance(count, tuple) else (count,) * len(size)
    most, mean, d_most, d_mean, g = by_definition(x, list(map(adaptive_windows, size, counts)), data_format)
    check(lambda v: ops.adaptive_max_pool(v, count, data_format), x, most, d_most, g)
    check(lambda v: ops.adaptive_average_pool(v, count, data_format), x, mean, d_mean, g)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_pooling_is_keras(engine, case):
    x = draw(case[0], "channels_last", ties=False)
    for ours, theirs in ((ops.max_pool, keras.ops.max_pool), (ops.average_pool, keras.ops.average_pool)):
        assert_near(ours(x, *case[1:], "channels_last"), np.asarray(theirs(x, *case[1:], "channels_last")))


@pytest.mark.parametrize("case", ADAPTIVE, ids=str)
def test_adaptive_pooling_is_torchs(engine, case):
    import torch.nn.functional as F
    from torch import from_numpy

    size, count = case
    x, rank = draw(size, "channels_first", ties=False), len(size)
    for ours, name in ((ops.adaptive_max_pool, "max"), (ops.adaptive_average_pool, "avg")):
        theirs = getattr(F, f"adaptive_{name}_pool{rank}d")
        assert_near(ours(x, count, "channels_first"), theirs(from_numpy(x), count).numpy())


def test_nan_is_the_largest(engine):
    x = np.array([1.0, np.nan, 2.0, 5.0, -np.inf, -np.inf, np.inf, 0.0], "float32").reshape(1, 8, 1)
    out, back = ops.vjp(lambda v: ops.max_pool(v, 2), [ops.convert_to_tensor(x)])
    np.testing.assert_array_equal(ops.convert_to_numpy(out).ravel(), [np.nan, 5, -np.inf, np.inf])
    g = ops.convert_to_tensor(np.array([1.0, 10.0, 100.0, 1000.0], "float32").reshape(1, 4, 1))
    assert ops.convert_to_numpy(back(g)[0]).ravel().tolist() == [0, 1, 0, 10, 100, 0, 1000, 0]


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_windows_of_nothing_but_nan_or_minus_infinity(engine, rank):
    """No finite number, such as an engine's padding, may appear."""
    for value in (np.nan, -np.inf):
        x = np.full((1, *(3,) * rank, 1), value, "float32")
        for op in (ops.max_pool, ops.average_pool):
            out = ops.convert_to_numpy(op(x, 2, 2, "same"))
            np.testing.assert_array_equal(out, np.full((1, *(2,) * rank, 1), value))
        np.testing.assert_array_equal(ops.convert_to_numpy(ops.adaptive_max_pool(x, 2)), out)


def test_infinite_gradients_stay_in_their_windows(engine):
    x = ops.convert_to_tensor(np.array([1.0, 2.0, 3.0, 0.0], "float32").reshape(1, 4, 1))
    g = ops.convert_to_tensor(np.array([np.inf, 1.0], "float32").reshape(1, 2, 1))
    _, back = ops.vjp(lambda v: ops.max_pool(v, 2), [x])
    assert ops.convert_to_numpy(back(g)[0]).ravel().tolist() == [0, np.inf, 1, 0]


DTYPES = [
    "bool",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float16",
    "bfloat16",
    "float64",
]


@pytest.mark.parametrize("rank", [1, 3])
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(engine, dtype, rank):
    x = ops.cast(np.array([0, 1, 0, 0, 1], "float32").reshape(1, *(1,) * (rank - 1), 5, 1), dtype)
    window = (1,) * (rank - 1) + (2,)
    most = ops.max_pool(x, window, padding="same")
    assert ops.dtype(most) == ops.max_pool(kerata.KerasTensor(x.shape, dtype), window).dtype == dtype
    assert ops.convert_to_numpy(most).astype("float32").ravel().tolist() == [1, 0, 1]
    mean = ops.average_pool(x, window, padding="same")
    expected = dtype if "float" in dtype else "float32"
    assert ops.dtype(mean) == ops.average_pool(kerata.KerasTensor(x.shape, dtype), window).dtype == expected
    assert ops.convert_to_numpy(mean).astype("float32").ravel().tolist() == [0.5, 0, 1]
    spread = ops.adaptive_max_pool(x, (1,) * (rank - 1) + (2,))
    assert ops.dtype(spread) == dtype
    assert ops.convert_to_numpy(spread).astype("float32").ravel().tolist() == [1, 1]
    assert ops.dtype(ops.adaptive_average_pool(x, (1,) * (rank - 1) + (2,))) == expected


def test_extremes_of_wide_integers(engine):
    low, high = np.iinfo("int64").min, np.iinfo("int64").max
    x = ops.convert_to_tensor(np.array([low, low, high - 1, high, high, low], "int64").reshape(1, 6, 1))
    assert ops.convert_to_numpy(ops.max_pool(x, 2)).ravel().tolist() == [low, high, high]
    top = 2**64 - 1
    x = ops.convert_to_tensor(np.array([0, top, 1, 2**63], "uint64").reshape(1, 4, 1))
    assert ops.convert_to_numpy(ops.max_pool(x, 2)).ravel().tolist() == [top, 2**63]


def test_half_precision_is_added_up_in_float32(engine):
    """4096 ones and a tail that a float16 sum would lose."""
    x = np.ones((1, 4096, 1), "float16")
    x[0, 2048:] = 2
    assert ops.convert_to_numpy(ops.average_pool(x, 4096)).ravel().tolist() == [1.5]
    assert ops.convert_to_numpy(ops.adaptive_average_pool(x, 1)).ravel().tolist() == [1.5]


def test_empty_batch(engine):
    x = np.zeros((0, 5, 4, 3), "float32")
    for op in (ops.max_pool, ops.average_pool):
        assert tuple(op(x, 2).shape) == (0, 2, 2, 3)
    for op in (ops.adaptive_max_pool, ops.adaptive_average_pool):
        assert tuple(op(x, 3).shape) == (0, 3, 3, 3)


def test_unknown_sizes_stay_unknown(engine):
    x = kerata.KerasTensor((None, None, 8, 3))
    for op in (ops.max_pool, ops.average_pool):
        assert op(x, 3, 2).shape == (None, None, 3, 3)
        assert op(x, 3, 2, "same").shape == (None, None, 4, 3)
    for op in (ops.adaptive_max_pool, ops.adaptive_average_pool):
        assert op(x, (7, 17)).shape == (None, 7, 17, 3)


def test_derivatives_of_derivatives(engine):
    """Both poolings and their gradients are linear maps, where nothing changes places, and each other's transposes."""
    rng = np.random.default_rng(0)
    plan = pool_plan((2, 6, 7, 3), 3, 2, "same")
    x, h = (ops.convert_to_tensor(rng.standard_normal((2, 6, 7, 3))) for _ in range(2))
    g = ops.convert_to_tensor(rng.standard_normal(plan.out_shape(2, 3)))
    for forward, backward in (
        (lambda v: windows.avg_pool(v, plan=plan), lambda v: windows.avg_pool_grad(v, plan=plan)),
        (lambda v: windows.max_pool_take(v, x, plan=plan), lambda v: windows.max_pool_grad(v, x, plan=plan)),
    ):
        for first, second, at, cotangent in ((forward, backward, h, g), (backward, forward, g, h)):
            _, back = ops.vjp(first, [at])
            assert_near(back(cotangent)[0], ops.convert_to_numpy(second(cotangent)))


X = np.ones((2, 6, 6, 3), "float32")


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("inputs", lambda: ops.max_pool(X[0, 0], 2)),
        ("inputs", lambda: ops.max_pool(X, 7)),
        ("inputs", lambda: ops.average_pool(X.astype("complex64"), 2)),
        ("inputs", lambda: ops.max_pool(X.astype("complex64"), 2)),
        ("pool_size", lambda: ops.max_pool(X, 0)),
        ("pool_size", lambda: ops.average_pool(X, (2, 2, 2))),
        ("pool_size", lambda: ops.average_pool(X, 2.0)),
        ("strides", lambda: ops.max_pool(X, 2, 0)),
        ("strides", lambda: ops.max_pool(X, 2, (1, 1, 1))),
        ("padding", lambda: ops.max_pool(X, 2, 1, "causal")),
        ("padding", lambda: ops.average_pool(X, 2, 1, 1)),
        ("data_format", lambda: ops.max_pool(X, 2, data_format="NHWC")),
        ("output_size", lambda: ops.adaptive_max_pool(X, 0)),
        ("output_size", lambda: ops.adaptive_average_pool(X, (2, None))),
        ("inputs", lambda: ops.adaptive_average_pool(X.astype("complex64"), 2)),
    ],
)
def test_refuses_with_one_voice(engine, argument, call):
    with pytest.raises(ArgumentError) as caught:
        call()
    assert caught.value.argument == argument
    with kerata.use_backend("numpy"), pytest.raises(ArgumentError) as reference:
        call()
    assert str(caught.value) == str(reference.value)


@pytest.mark.parametrize("size, pool, strides", [(7, 8, 3), (7, 8, 1), (4, 5, 1), (5, 6, 2), (4, 6, 3)])
def test_derivatives_of_means_of_windows_longer_than_the_input(engine, size, pool, strides):
    """Of a sum of linear functions: the sum of what each window gives to an element."""
    x = kerata.Variable(np.arange(size, dtype="float32").reshape(1, size, 1))
    _, (found,) = kerata.value_and_grad(
        lambda: ops.sum(ops.average_pool(x.value, pool, strides, "same")), [x]
    )()
    each = np.eye(size, dtype="float32").reshape(size, size, 1)
    expected = ops.convert_to_numpy(ops.sum(ops.average_pool(each, pool, strides, "same"), axis=(1, 2)))
    np.testing.assert_allclose(ops.convert_to_numpy(found)[0, :, 0], expected, rtol=1e-5)
