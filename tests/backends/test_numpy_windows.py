"""NumPy's convolution and pooling: against loops over the definition, SciPy, PyTorch, XLA and finite differences."""

import itertools
import sys

import ml_dtypes
import numpy as np
import pytest
from scipy import signal

from kerata.backends.numpy import windows
from kerata.core.geometry import conv_plan, conv_transpose_plan, depthwise_plan, pool_plan

CONVOLUTIONS = [  # (spatial, kernel size, channels, filters, groups, strides, padding, dilation)
    ((7,), (3,), 2, 3, 1, 1, "valid", 1),
    ((7,), (3,), 2, 3, 1, 1, "causal", 2),
    ((8,), (2,), 1, 2, 1, 3, "same", 1),
    ((9,), (3,), 4, 6, 2, 2, "same", 1),
    ((9,), (2,), 2, 2, 1, 4, "valid", 1),
    ((11,), (3,), 2, 2, 1, 2, "valid", 3),
    ((11,), (3,), 2, 2, 1, 4, "same", 2),
    ((5,), (2,), 2, 2, 1, 1, ((3, 0),), 1),
    ((5,), (1,), 2, 2, 1, 3, ((0, 4),), 1),
    ((6, 7), (3, 2), 3, 4, 1, 1, "valid", 1),
    ((6, 7), (3, 2), 3, 4, 1, 1, "same", 1),
    ((6, 7), (4, 3), 2, 4, 2, (2, 3), "same", 1),
    ((6, 7), (3, 2), 2, 3, 1, 1, "same", (2, 3)),
    ((9, 8), (3, 3), 2, 2, 1, (2, 1), ((1, 2), (0, 4)), (1, 2)),
    ((5, 5), (1, 1), 3, 4, 1, 1, "valid", 1),
    ((5, 5), (3, 3), 3, 3, 3, 1, "same", 1),
    ((5, 6), (3, 3), 3, 6, 3, 2, "same", 1),
    ((4, 5, 6), (2, 3, 2), 2, 4, 2, (1, 2, 1), "same", 1),
    ((4, 5, 6), (2, 1, 2), 2, 3, 1, 1, "valid", (1, 1, 2)),
]
POOLS = [  # (spatial, pool size, strides, padding)
    ((7,), 2, None, "valid"),
    ((7,), 3, 1, "same"),
    ((7,), 2, 3, "same"),
    ((1,), 3, 2, "same"),
    ((6, 8), 2, None, "valid"),
    ((6, 7), (3, 2), (2, 1), "same"),
    ((6, 7), 3, 1, "valid"),
    ((4, 5, 6), (2, 2, 3), (2, 1, 2), "same"),
]
FORMATS = ["channels_last", "channels_first"]


def _convolution(case, data_format="channels_last", dtype="float64", batch=2):
    size, taps, channels, filters, groups, strides, padding, dilation = case
    shape = (batch, *size, channels) if data_format == "channels_last" else (batch, channels, *size)
    plan = conv_plan(shape, (*taps, channels // groups, filters), strides, padding, data_format, dilation)
    rng = np.random.default_rng(1)
    x, kernel = rng.standard_normal(shape).astype(dtype), rng.standard_normal(plan.kernel_shape).astype(dtype)
    g = rng.standard_normal(plan.out_shape(batch)).astype(dtype)
    return x, kernel, g, plan


def _by_definition(x, kernel, plan):
    """One output element at a time."""
    x = x.transpose(plan.to_channels_last)
    out = np.zeros((len(x), *plan.out_size, plan.out_channels))
    per_group, filters = plan.in_channels // plan.groups, plan.out_channels // plan.groups
    for place, tap in itertools.product(np.ndindex(plan.out_size), np.ndindex(plan.kernel_size)):
        at = [
            i * s + t * d - p[0] for i, s, t, d, p in zip(place, plan.strides, tap, plan.dilation, plan.pads)
        ]
        if any(not 0 <= j < n for j, n in zip(at, plan.in_size)):
            continue
        for o in range(plan.out_channels):
            group = o // filters
            seen = x[(slice(None), *at, slice(group * per_group, (group + 1) * per_group))]
            out[(slice(None), *place, o)] += seen @ kernel[(*tap, slice(None), o)]
    return out.transpose(plan.from_channels_last)


def _derivative(function, at, g, step=1e-6):
    """The gradient of `sum(g * function(at))` by central differences."""
    out = np.zeros_like(at)
    for i in np.ndindex(at.shape):
        high, low = at.copy(), at.copy()
        high[i] += step
        low[i] -= step
        out[i] = np.sum(g * (function(high) - function(low))) / (2 * step)
    return out


# ---- convolution ---------------------------------------------------------------------------------


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_conv_by_definition(case, data_format):
    x, kernel, _, plan = _convolution(case, data_format)
    np.testing.assert_allclose(
        windows.conv(x, kernel, plan), _by_definition(x, kernel, plan), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("mode", ["valid", "same"])
def test_conv_is_scipys_correlation(mode):
    rng = np.random.default_rng(0)
    x, kernel = rng.standard_normal((9, 8)), rng.standard_normal((3, 5))
    plan = conv_plan((1, 9, 8, 1), (3, 5, 1, 1), 1, mode)
    out = windows.conv(x[None, ..., None], kernel[..., None, None], plan)
    np.testing.assert_allclose(out[0, ..., 0], signal.correlate2d(x, kernel, mode), rtol=1e-12)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_conv_gradients_are_torchs(case, data_format):
    """PyTorch differentiates its own convolution of the padded input."""
    import torch

    x, kernel, g, plan = _convolution(case, data_format)
    xt, kt = torch.tensor(x, requires_grad=True), torch.tensor(kernel, requires_grad=True)
    first = xt.permute(0, plan.channel_axis, *plan.spatial_axes)
    padded = torch.nn.functional.pad(first, [p for pair in reversed(plan.pads) for p in pair])
    conv = (torch.nn.functional.conv1d, torch.nn.functional.conv2d, torch.nn.functional.conv3d)[plan.rank - 1]
    weight = kt.permute(-1, -2, *range(plan.rank))
    out = conv(padded, weight, stride=plan.strides, dilation=plan.dilation, groups=plan.groups)
    gt = torch.tensor(g).permute(0, plan.channel_axis, *plan.spatial_axes)
    dx, dk = torch.autograd.grad(out, (xt, kt), gt)
    assert windows.conv_input_grad(g, kernel, plan).flags.writeable
    np.testing.assert_allclose(windows.conv_input_grad(g, kernel, plan), dx.numpy(), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(windows.conv_kernel_grad(x, g, plan), dk.numpy(), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("case", CONVOLUTIONS[::3], ids=str)
def test_conv_gradients_by_finite_differences(case):
    x, kernel, g, plan = _convolution(case, batch=1)
    dx = _derivative(lambda v: windows.conv(v, kernel, plan), x, g)
    dk = _derivative(lambda v: windows.conv(x, v, plan), kernel, g)
    np.testing.assert_allclose(windows.conv_input_grad(g, kernel, plan), dx, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(windows.conv_kernel_grad(x, g, plan), dk, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("extra", [None, 0, 1, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("k", "s", "d"), [(1, 1, 1), (2, 1, 1), (3, 2, 1), (2, 3, 1), (4, 2, 1), (3, 1, 2), (3, 3, 2)]
)
def test_conv_transpose_is_a_sum_of_shifted_kernels(k, s, d, padding, extra):
    n = 4
    plan = conv_transpose_plan((1, n, 1), (k, 1, 1), s, padding, extra, "channels_last", d)
    x, kernel = np.arange(1.0, n + 1), 10.0 ** np.arange(k)
    whole = np.zeros(100)
    for i, t in itertools.product(range(n), range(k)):
        whole[i * s + t * d] += x[i] * kernel[t]
    size, (low, _) = plan.in_size[0], plan.pads[0]
    out = windows.conv_input_grad(x[None, :, None], kernel[:, None, None], plan)
    np.testing.assert_allclose(out[0, :, 0], whole[low : low + size])


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("k", "s"), [((3, 3), (2, 2)), ((2, 4), (3, 2)), ((3, 2), (1, 1))])
def test_conv_transpose_is_xlas(padding, k, s):
    from jax import lax

    rng = np.random.default_rng(0)
    x, kernel = (
        rng.standard_normal((2, 4, 5, 3)).astype("float32"),
        rng.standard_normal((*k, 2, 3)).astype("float32"),
    )
    plan = conv_transpose_plan(x.shape, kernel.shape, s, padding)
    expected = lax.conv_transpose(x, kernel, s, padding, transpose_kernel=True)
    assert plan.in_shape(2) == expected.shape
    np.testing.assert_allclose(windows.conv_input_grad(x, kernel, plan), expected, rtol=1e-5, atol=1e-5)


def test_depthwise_order_of_channels():
    """Output `c * multiplier + m` is channel c by its kernel m."""
    rng = np.random.default_rng(0)
    x, kernel = rng.standard_normal((1, 6, 3)), rng.standard_normal((3, 3, 2))
    plan = depthwise_plan(x.shape, kernel.shape)
    out = windows.conv(x, kernel.reshape(plan.kernel_shape), plan)
    for c, m in itertools.product(range(3), range(2)):
        expected = signal.correlate(x[0, :, c], kernel[:, c, m], "valid")
        np.testing.assert_allclose(out[0, :, 2 * c + m], expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_accumulates_in_float32(dtype):
    dtype = np.dtype(ml_dtypes.bfloat16) if dtype == "bfloat16" else np.dtype(dtype)
    for case in (((6, 7), (3, 3), 64, 2, 1, 1, "same", 1), ((6, 7), (3, 3), 8, 8, 8, 1, "same", 1)):
        x, kernel, g, plan = _convolution(case, dtype=dtype)
        xw, kw, gw = (v.astype("float32") for v in (x, kernel, g))
        for half, full in (
            (windows.conv(x, kernel, plan), windows.conv(xw, kw, plan)),
            (windows.conv_input_grad(g, kernel, plan), windows.conv_input_grad(gw, kw, plan)),
            (windows.conv_kernel_grad(x, g, plan), windows.conv_kernel_grad(xw, gw, plan)),
        ):
            assert half.dtype == dtype
            np.testing.assert_array_equal(half, full.astype(dtype))


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_integers_stay_integers(dtype):
    x = np.arange(12, dtype=dtype).reshape(1, 6, 2)
    plan = conv_plan(x.shape, (3, 2, 1))
    out = windows.conv(x, np.ones((3, 2, 1), dtype), plan)
    assert out.dtype == dtype
    assert out.ravel().tolist() == [15, 27, 39, 51]


@pytest.mark.parametrize("groups", [1, 3])
def test_empty_batch(groups):
    plan = conv_plan((0, 5, 5, 3), (3, 3, 3 // groups, 3))
    x, g, kernel = (
        np.zeros((0, 5, 5, 3), "float32"),
        np.zeros((0, 3, 3, 3), "float32"),
        np.ones(plan.kernel_shape),
    )
    assert windows.conv(x, kernel, plan).shape == (0, 3, 3, 3)
    assert windows.conv_input_grad(g, kernel, plan).shape == (0, 5, 5, 3)
    assert windows.conv_kernel_grad(x, g, plan).tolist() == np.zeros(plan.kernel_shape).tolist()
    pool = pool_plan((0, 5, 5, 3), 2)
    assert windows.max_pool(x, pool).shape == windows.avg_pool(x, pool).shape == (0, 2, 2, 3)
    assert windows.max_pool_grad(np.zeros((0, 2, 2, 3)), x, pool).shape == (0, 5, 5, 3)


@pytest.mark.parametrize("limit", [1, 3000, 50_000])
@pytest.mark.parametrize("case", CONVOLUTIONS[9:17], ids=str)
def test_any_cut_into_blocks_gives_the_same(case, limit, monkeypatch):
    x, kernel, g, plan = _convolution(case, batch=5)
    functions = (
        (windows.conv, x, kernel),
        (windows.conv_input_grad, g, kernel),
        (windows.conv_kernel_grad, x, g),
    )
    whole = [f(*arguments, plan) for f, *arguments in functions]
    monkeypatch.setattr(windows, "_BLOCK_BYTES", limit)
    for expected, (f, *arguments) in zip(whole, functions):
        np.testing.assert_allclose(f(*arguments, plan), expected, rtol=1e-12, atol=1e-12)


def test_any_memory_layout_of_the_input():
    x, kernel, _, plan = _convolution(CONVOLUTIONS[10])
    expected = windows.conv(x, kernel, plan)
    for view in (np.asfortranarray(x), x[:, ::-1].copy()[:, ::-1], np.broadcast_to(x[:1], x.shape)):
        reference = expected if view[1, 0, 0, 0] == x[1, 0, 0, 0] else np.concatenate([expected[:1]] * 2)
        np.testing.assert_allclose(windows.conv(view, kernel, plan), reference, rtol=1e-12)


def test_nan_and_infinity_stay_in_their_windows():
    x = np.zeros((1, 7, 1))
    x[0, 2] = np.inf
    x[0, 6] = np.nan
    plan = conv_plan(x.shape, (2, 1, 1), padding="same")
    out = windows.conv(x, np.ones((2, 1, 1)), plan).ravel()
    np.testing.assert_array_equal(out, [0, np.inf, np.inf, 0, 0, np.nan, np.nan])
    dx = windows.conv_input_grad(x, np.ones((2, 1, 1)), plan).ravel()
    np.testing.assert_array_equal(dx, [0, 0, np.inf, np.inf, 0, 0, np.nan])


# ---- pooling -------------------------------------------------------------------------------------


def _pooling(case, data_format, low=-3, high=3):
    size, window, strides, padding = case
    shape = (2, *size, 3) if data_format == "channels_last" else (2, 3, *size)
    plan = pool_plan(shape, window, strides, padding, data_format)
    rng = np.random.default_rng(3)
    x = rng.integers(low, high, shape).astype("float64")  # few values: ties in every window
    return x, rng.standard_normal(plan.out_shape(2, 3)), plan


def _pool_by_definition(x, plan, reduce):
    x = x.transpose(plan.to_channels_last)
    out = np.zeros((len(x), *plan.out_size, x.shape[-1]))
    for place in np.ndindex(plan.out_size):
        spans = zip(place, plan.strides, plan.pads, plan.pool_size)
        window = tuple(slice(max(i * s - p[0], 0), i * s - p[0] + k) for i, s, p, k in spans)
        seen = x[(slice(None), *window)]
        out[(slice(None), *place)] = reduce(seen.reshape(len(x), -1, x.shape[-1]), axis=1)
    return out.transpose(plan.from_channels_last)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("case", POOLS, ids=str)
def test_pooling_by_definition(case, data_format):
    x, _, plan = _pooling(case, data_format)
    np.testing.assert_array_equal(windows.max_pool(x, plan), _pool_by_definition(x, plan, np.max))
    np.testing.assert_allclose(windows.avg_pool(x, plan), _pool_by_definition(x, plan, np.mean), rtol=1e-14)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("case", POOLS, ids=str)
def test_max_pool_gradient_goes_to_the_first_largest(case, data_format):
    x, g, plan = _pooling(case, data_format)
    values = x.transpose(plan.to_channels_last)
    gradients = g.transpose(plan.to_channels_last)
    expected = np.zeros_like(values)
    taken = np.zeros_like(gradients)
    h = np.random.default_rng(4).standard_normal(values.shape)
    for place in np.ndindex(plan.out_size):
        for b, c in itertools.product(range(len(x)), range(values.shape[-1])):
            best = None
            for tap in np.ndindex(plan.pool_size):
                at = tuple(i * s - p[0] + t for i, s, p, t in zip(place, plan.strides, plan.pads, tap))
                inside = all(0 <= j < n for j, n in zip(at, plan.in_size))
                if inside and (best is None or values[(b, *at, c)] > values[(b, *best, c)]):
                    best = at
            expected[(b, *best, c)] += gradients[(b, *place, c)]
            taken[(b, *place, c)] = h[(b, *best, c)]
    back = plan.from_channels_last
    np.testing.assert_allclose(
        windows.max_pool_grad(g, x, plan), expected.transpose(back), rtol=1e-12, atol=1e-14
    )
    np.testing.assert_array_equal(windows.max_pool_take(h.transpose(back), x, plan), taken.transpose(back))


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("case", POOLS, ids=str)
def test_avg_pool_gradient_by_finite_differences(case, data_format):
    x, g, plan = _pooling(case, data_format)
    expected = _derivative(lambda v: windows.avg_pool(v, plan), x, g, step=1e-3)
    np.testing.assert_allclose(windows.avg_pool_grad(g, plan), expected, rtol=1e-8, atol=1e-9)


def test_nan_wins_and_has_the_gradient():
    x = np.array([1.0, np.nan, 2.0, 5.0, np.nan, np.nan])[None, :, None]
    plan = pool_plan(x.shape, 2)
    np.testing.assert_array_equal(windows.max_pool(x, plan).ravel(), [np.nan, 5, np.nan])
    g = np.array([1.0, 10.0, 100.0])[None, :, None]
    assert windows.max_pool_grad(g, x, plan).ravel().tolist() == [0, 1, 0, 10, 100, 0]


def test_infinite_gradients_stay_in_their_windows():
    x, g = np.array([1.0, 2.0, 3.0, 0.0])[None, :, None], np.array([np.inf, 1.0])[None, :, None]
    assert windows.max_pool_grad(g, x, pool_plan(x.shape, 2)).ravel().tolist() == [0, np.inf, 1, 0]
    assert windows.max_pool_grad(np.concatenate([g, g], 1)[:, :3], x, pool_plan(x.shape, 2, 1)).ravel().tolist() == [
        0, np.inf, np.inf, 0,
    ]  # fmt: skip


def test_all_minus_infinity_is_no_padding():
    x = np.full((1, 3, 1), -np.inf)
    plan = pool_plan(x.shape, 2, padding="same")
    assert windows.max_pool(x, plan).ravel().tolist() == [-np.inf, -np.inf]
    assert windows.max_pool_grad(np.ones((1, 2, 1)), x, plan).ravel().tolist() == [1, 0, 1]


@pytest.mark.parametrize("dtype", ["float16", "int32", "uint8", "bool"])
def test_max_pool_keeps_the_dtype(dtype):
    x = np.array([0, 1, 0, 0, 1], dtype)[None, :, None]
    out = windows.max_pool(x, pool_plan(x.shape, 2, padding="same"))
    assert out.dtype == dtype
    assert out.ravel().tolist() == [1, 0, 1]


def test_half_precision_pooling_accumulates_in_float32():
    dtype = ml_dtypes.bfloat16
    x = np.random.default_rng(0).standard_normal((1, 64, 1)).astype(dtype)
    plan = pool_plan(x.shape, 32, 16)
    assert windows.max_pool(x, plan).dtype == dtype
    expected = windows.avg_pool(x.astype("float32"), plan).astype(dtype)
    np.testing.assert_array_equal(windows.avg_pool(x, plan), expected)
    g = np.ones((1, 3, 1), dtype)
    assert windows.max_pool_grad(g, x, plan).dtype == windows.avg_pool_grad(g, plan).dtype == dtype


# ---- speed ---------------------------------------------------------------------------------------


def test_no_loop_over_elements():
    """Ninety times the elements take about as many calls."""

    def calls(side, batch):
        x, kernel, g, plan = _convolution(
            ((side, side), (3, 3), 4, 4, 1, 1, "same", 1), dtype="float32", batch=batch
        )
        seen = []
        sys.setprofile(lambda frame, event, argument: seen.append(event))
        windows.conv(x, kernel, plan)
        windows.conv_input_grad(g, kernel, plan)
        windows.conv_kernel_grad(x, g, plan)
        sys.setprofile(None)
        return len(seen)

    calls(6, 1)  # what is cached
    assert calls(20, 8) < 2 * calls(6, 1)
