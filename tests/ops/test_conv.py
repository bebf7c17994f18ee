"""Convolutions on every engine: against XLA in float64, Keras as a peer, and closed forms."""

import keras
import numpy as np
import pytest

import kerata
from kerata import ops
from kerata.core import windows
from kerata.core.errors import ArgumentError
from kerata.core.geometry import conv_plan

# (spatial, kernel size, channels, filters, groups, strides, padding, dilation)
CASES = [
    ((7,), (3,), 3, 4, 1, 1, "valid", 1),
    ((8,), (2,), 2, 4, 2, 3, "same", 1),
    ((9,), (3,), 2, 3, 1, 1, "same", 2),
    ((6, 7), (3, 2), 3, 4, 1, (1, 2), "same", 1),
    ((8, 8), (3, 3), 2, 3, 1, 2, "same", 1),
    ((8, 8), (5, 5), 2, 3, 1, 2, "valid", 1),
    ((9, 8), (3, 3), 4, 6, 2, 1, "valid", (1, 2)),
    ((9, 9), (3, 3), 2, 2, 1, 2, "same", 2),
    ((6, 7), (2, 3), 2, 2, 1, 1, ((2, 0), (0, 3)), 1),
    ((5, 5), (1, 1), 3, 4, 1, 1, "valid", 1),
    ((6, 6), (3, 3), 3, 6, 3, (1, 2), "same", 1),
    ((4, 5, 6), (2, 3, 2), 2, 4, 2, (1, 2, 1), "same", 1),
    # One channel and one output, to which there is a step: TensorFlow's own values are wrong.
    ((3, 2), (1, 2), 1, 3, 1, (1, 3), "same", 1),
    ((5, 3), (2, 2), 1, 2, 1, (1, 2), "valid", 1),
    ((4, 5, 2), (2, 1, 2), 1, 1, 1, (1, 1, 3), "same", 1),
    ((6, 6, 5), (1, 1, 2), 3, 1, 1, (3, 1, 3), "same", 1),  # elements between the windows
    ((4, 4), (2, 1), 2, 1, 1, 2, "valid", 1),  # one filter: PyTorch's own derivative fails in float64
]
FORMATS = ["channels_last", "channels_first"]


def draw(case, data_format):
    size, taps, channels, filters, groups, *_ = case
    rng = np.random.default_rng(7)
    shape = (2, *size, channels) if data_format == "channels_last" else (2, channels, *size)
    return rng.standard_normal(shape), rng.standard_normal((*taps, channels // groups, filters))


def by_xla(x, kernel, case, data_format, dtype=np.float64):
    """Values, and the function from a cotangent to those of `x` and `kernel`."""
    import jax
    from jax import lax

    size, _, _, _, groups, strides, padding, dilation = case
    rank = len(size)
    spatial = "DHW"[-rank:]
    data = f"N{spatial}C" if data_format == "channels_last" else f"NC{spatial}"

    def conv(a, b):
        return lax.conv_general_dilated(
            a,
            b,
            strides if isinstance(strides, tuple) else (strides,) * rank,
            padding.upper() if isinstance(padding, str) else padding,
            rhs_dilation=dilation if isinstance(dilation, tuple) else (dilation,) * rank,
            dimension_numbers=(data, f"{spatial}IO", data),
            feature_group_count=groups,
        )

    with jax.enable_x64(True):
        out, back = jax.vjp(conv, x.astype(dtype), kernel.astype(dtype))
        g = np.random.default_rng(8).standard_normal(out.shape)
        return np.asarray(out), g, [np.asarray(v) for v in back(g)]


def assert_near(actual, expected, part=1e-6):
    """Within a part of the largest element: that is what a sum of float32 products can promise."""
    actual = ops.convert_to_numpy(actual)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=part * np.abs(expected).max())


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_conv_and_its_gradients_are_xlas(engine, case, data_format):
    x, kernel = draw(case, data_format)
    expected, g, (dx, dk) = by_xla(x, kernel, case, data_format)
    arguments = case[5], case[6], data_format, case[7]
    x32, k32 = ops.convert_to_tensor(x.astype("float32")), ops.convert_to_tensor(kernel.astype("float32"))
    out, back = ops.vjp(lambda a, b: ops.conv(a, b, *arguments), [x32, k32])
    assert ops.dtype(out) == "float32"
    # The float32 inputs differ from those of the reference by half an ulp.
    assert_near(out, expected)
    gx, gk = back(ops.convert_to_tensor(g.astype("float32")))
    assert_near(gx, dx)
    assert_near(gk, dk)
    compiled = kerata.function(lambda a, b: ops.conv(a, b, *arguments))
    assert_near(compiled(x32, k32), expected)
    symbolic = ops.conv(kerata.KerasTensor(x.shape), kerata.KerasTensor(kernel.shape), *arguments)
    assert tuple(symbolic.shape) == expected.shape


@pytest.mark.parametrize("case", CASES, ids=str)
def test_float64_has_64_bits(engine, case):
    x, kernel = draw(case, "channels_last")
    expected, g, (dx, dk) = by_xla(x, kernel, case, "channels_last")
    tensors = [ops.convert_to_tensor(v) for v in (x, kernel)]
    out, back = ops.vjp(lambda a, b: ops.conv(a, b, case[5], case[6], "channels_last", case[7]), tensors)
    gx, gk = back(ops.convert_to_tensor(g))
    for actual, reference in ((out, expected), (gx, dx), (gk, dk)):
        assert ops.dtype(actual) == "float64"
        assert_near(actual, reference, 1e-14)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_loses_only_the_last_rounding(engine, dtype):
    """512 products of about 1, of which the last would be lost in a sum of 16 bits."""
    x = np.ones((1, 4, 256), "float32")
    kernel = np.full((2, 256, 1), 1.0, "float32")
    kernel[0, 0] = 1.5
    out = ops.conv(ops.cast(x, dtype), ops.cast(kernel, dtype), data_format="channels_last")
    assert ops.dtype(out) == dtype
    assert (
        ops.convert_to_numpy(out).astype("float32").ravel().tolist()
        == [512.0 if dtype == "bfloat16" else 512.5] * 3
    )


@pytest.mark.parametrize(
    ("first", "second", "result"),
    [
        ("int32", "int32", "int32"),
        ("int8", "int32", "int32"),
        ("uint8", "uint8", "uint8"),
        ("int64", "int64", "int64"),
        ("bool", "bool", "int32"),
        ("int32", "float16", "float16"),
        ("float16", "float32", "float32"),
        ("float32", "float64", "float64"),
    ],
)
def test_dtypes(engine, first, second, result):
    x, kernel = np.ones((1, 6, 2)), np.ones((3, 2, 1))
    inputs = ops.cast(x, first), ops.cast(kernel, second)
    for op, shape in ((ops.conv, (1, 4, 1)), (ops.depthwise_conv, (1, 4, 2))):
        out = op(*inputs)
        assert ops.dtype(out) == result
        assert tuple(out.shape) == shape
        assert float(ops.convert_to_numpy(out).astype("float64").max()) == (6 if op is ops.conv else 3)
        assert op(kerata.KerasTensor((1, 6, 2), first), kerata.KerasTensor((3, 2, 1), second)).dtype == result
    transposed = ops.conv_transpose(ops.cast(np.ones((1, 6, 1)), first), inputs[1])
    assert ops.dtype(transposed) == result
    assert ops.convert_to_numpy(transposed).astype("float64")[0, :, 0].tolist() == [1, 2, 3, 3, 3, 3, 2, 1]


def test_causal_sees_only_the_past(engine):
    x = np.array([1.0, 10.0, 100.0, 1000.0], "float32").reshape(1, 4, 1)
    kernel = np.array([1.0, 2.0], "float32").reshape(2, 1, 1)
    out = ops.conv(x, kernel, padding="causal", dilation_rate=2)
    assert ops.convert_to_numpy(out).ravel().tolist() == [2, 20, 201, 2010]


def test_empty_batch(engine):
    for data_format, shape in (("channels_last", (0, 5, 5, 2)), ("channels_first", (0, 2, 5, 5))):
        x = ops.convert_to_tensor(np.zeros(shape, "float32"))
        kernel = ops.convert_to_tensor(np.ones((3, 3, 2, 4), "float32"))
        out, back = ops.vjp(lambda a, b, f=data_format: ops.conv(a, b, 1, "valid", f), [x, kernel])
        assert tuple(out.shape) == ((0, 3, 3, 4) if data_format == "channels_last" else (0, 4, 3, 3))
        dx, dk = back(out)
        assert tuple(dx.shape) == shape
        assert not ops.convert_to_numpy(dk).any()


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_unknown_sizes_stay_unknown(engine, padding):
    kernel = np.ones((3, 3, 2, 4), "float32")
    out = ops.conv(kerata.KerasTensor((None, None, 8, 2)), kernel, 2, padding)
    assert out.shape == (None, None, 4 if padding == "same" else 3, 4)
    out = ops.conv_transpose(kerata.KerasTensor((None, None, 8, 4)), kernel, 2, padding)
    assert out.shape == (None, None, 16 if padding == "same" else 17, 2)
    out = ops.depthwise_conv(kerata.KerasTensor((None, 8, None, 2)), kernel, 1, padding)
    assert out.shape == (None, 8 if padding == "same" else 6, None, 8)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize(
    ("size", "taps", "strides", "padding", "extra"),
    [
        ((4,), (3,), 1, "valid", None),
        ((4,), (3,), 2, "same", None),
        ((5,), (4,), 2, "same", 1),
        ((3, 4), (3, 2), (2, 1), "same", None),
        ((3, 4), (3, 4), 2, "valid", (1, 0)),
        ((3, 4), (5, 3), (3, 2), "same", None),
        ((2, 3, 2), (2, 2, 3), 2, "same", None),
    ],
    ids=str,
)
def test_conv_transpose_is_keras(engine, size, taps, strides, padding, extra, data_format):
    rng = np.random.default_rng(0)
    x, kernel = rng.standard_normal((2, *size, 3)), rng.standard_normal((*taps, 2, 3))
    # The peer has neither channels first nor holes on a CPU.
    expected = np.asarray(keras.ops.conv_transpose(x, kernel, strides, padding, extra, "channels_last"))
    if data_format == "channels_first":
        x, expected = np.moveaxis(x, -1, 1), np.moveaxis(expected, -1, 1)
    arguments = strides, padding, extra, data_format
    x32, k32 = (ops.convert_to_tensor(v.astype("float32")) for v in (x, kernel))
    assert_near(ops.conv_transpose(x32, k32, *arguments), expected)
    assert_near(kerata.function(lambda a, b: ops.conv_transpose(a, b, *arguments))(x32, k32), expected)
    symbolic = ops.conv_transpose(kerata.KerasTensor(x.shape), kerata.KerasTensor(kernel.shape), *arguments)
    assert tuple(symbolic.shape) == expected.shape


@pytest.mark.parametrize("extra", [None, 0, 2, 4])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("taps", "strides", "dilation"), [(3, 2, 1), (2, 2, 2), (1, 3, 1), (4, 1, 1)])
def test_conv_transpose_by_definition(engine, taps, strides, dilation, padding, extra):
    """Also where Keras fails on an engine. Each input adds the kernel, scaled; both ends are cut."""
    x, kernel = np.arange(1.0, 5), 10.0 ** np.arange(taps)
    whole = np.zeros(40)
    for i, t in np.ndindex(4, taps):
        whole[i * strides + t * dilation] += x[i] * kernel[t]
    extent = (taps - 1) * dilation + 1
    span = 3 * strides + extent
    if extra is None:
        size = 4 * strides + (max(extent - strides, 0) if padding == "valid" else 0)
    else:
        size = span + extra - (0 if padding == "valid" else 2 * (extent // 2))
    low = 0 if padding == "valid" else max(span - size, 0) // 2
    out = ops.conv_transpose(
        x.astype("float32").reshape(1, 4, 1), kernel.astype("float32").reshape(taps, 1, 1),
        strides, padding, extra, "channels_last", dilation,
    )  # fmt: skip
    np.testing.assert_allclose(ops.convert_to_numpy(out).ravel(), whole[low : low + size], rtol=1e-6)


def test_gradients_of_the_transpose_are_convolutions(engine):
    rng = np.random.default_rng(0)
    x, kernel = rng.standard_normal((2, 3, 4, 3)), rng.standard_normal((3, 2, 2, 3))
    tensors = [ops.convert_to_tensor(v) for v in (x, kernel)]
    out, back = ops.vjp(lambda a, b: ops.conv_transpose(a, b, (2, 1), "same"), tensors)
    g = rng.standard_normal(out.shape)
    gx, gk = (ops.convert_to_numpy(v) for v in back(ops.convert_to_tensor(g)))
    # <transpose(x), g> = <x, conv(g)>, and the same by the kernel, whose derivative is linear in it too.
    by_x = np.sum(ops.convert_to_numpy(out) * g)
    np.testing.assert_allclose(gx, ops.convert_to_numpy(ops.conv(g, kernel, (2, 1), "same")), rtol=1e-12)
    np.testing.assert_allclose(np.sum(gk * kernel), by_x, rtol=1e-12)
    step = np.zeros_like(kernel)
    step[1, 0, 1, 2] = 1
    moved = ops.convert_to_numpy(ops.conv_transpose(x, kernel + step, (2, 1), "same"))
    np.testing.assert_allclose(gk[1, 0, 1, 2], np.sum((moved - ops.convert_to_numpy(out)) * g), rtol=1e-11)


@pytest.mark.parametrize("groups", [1, 2])
def test_derivatives_of_derivatives(engine, groups):
    """The three primitives are one trilinear form, `<conv(x, kernel), g>`, so each gives the others' derivatives."""
    plan = conv_plan(
        (2, 5, 6, 4), (3, 2, 4 // groups, 6), (1, 2), "same", "channels_last", (2, 1) if groups == 1 else 1
    )
    rng = np.random.default_rng(0)
    shapes = plan.in_shape(2), plan.kernel_shape, plan.out_shape(2)
    x, kernel, g = (ops.convert_to_tensor(rng.standard_normal(s)) for s in shapes)
    y = windows.conv(x, kernel, plan=plan)
    dx, dk = windows.conv_input_grad(g, kernel, plan=plan), windows.conv_kernel_grad(x, g, plan=plan)
    for primitive, arguments, cotangent, expected in (
        (windows.conv, (x, kernel), g, (dx, dk)),
        (windows.conv_input_grad, (g, kernel), x, (y, dk)),
        (windows.conv_kernel_grad, (x, g), kernel, (dx, y)),
    ):
        _, back = ops.vjp(lambda a, b, f=primitive: f(a, b, plan=plan), list(arguments))
        for actual, reference in zip(back(cotangent), expected):
            np.testing.assert_allclose(
                ops.convert_to_numpy(actual), ops.convert_to_numpy(reference), rtol=1e-11, atol=1e-11
            )


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize(
    ("size", "taps", "multiplier", "strides", "padding", "dilation"),
    [((7,), (3,), 2, 1, "valid", 1), ((7, 6), (3, 2), 1, 2, "same", 1), ((7, 6), (3, 3), 2, 1, "same", (2, 1)),
     ((7, 6), (2, 3), 3, 1, "valid", 1)],
    ids=str,
)  # fmt: skip
def test_depthwise_and_separable_are_keras(
    engine, size, taps, multiplier, strides, padding, dilation, data_format
):
    rng = np.random.default_rng(0)
    shape = (2, *size, 3) if data_format == "channels_last" else (2, 3, *size)
    x, kernel = rng.standard_normal(shape), rng.standard_normal((*taps, 3, multiplier))
    mix = rng.standard_normal((*(1,) * len(size), 3 * multiplier, 4))
    arguments = strides, padding, data_format, dilation
    tensors = [ops.convert_to_tensor(v.astype("float32")) for v in (x, kernel, mix)]
    expected = np.asarray(keras.ops.depthwise_conv(x, kernel, *arguments))
    assert_near(ops.depthwise_conv(*tensors[:2], *arguments), expected)
    expected = np.asarray(keras.ops.separable_conv(x, kernel, mix, *arguments))
    assert_near(ops.separable_conv(*tensors, *arguments), expected)
    symbolic = ops.separable_conv(*(kerata.KerasTensor(t.shape) for t in tensors), *arguments)
    assert tuple(symbolic.shape) == expected.shape


@pytest.mark.parametrize("strides", [1, (1, 2)])
def test_depthwise_of_three_dimensions(engine, strides):
    """Each channel apart is a plain convolution. (Keras has no such case on TensorFlow.)"""
    strides = strides if strides == 1 else (1, 2, 1)
    rng = np.random.default_rng(0)
    x, kernel = rng.standard_normal((2, 4, 5, 3, 2)), rng.standard_normal((2, 2, 2, 2, 3))
    out = ops.convert_to_numpy(ops.depthwise_conv(x, kernel, strides, "same"))
    for c in range(2):
        alone = ops.conv(x[..., c : c + 1], kernel[..., c : c + 1, :], strides, "same")
        np.testing.assert_allclose(out[..., 3 * c : 3 * c + 3], ops.convert_to_numpy(alone), rtol=1e-10)


def test_nan_and_infinity_stay_in_their_windows(engine):
    x = np.zeros((1, 7, 1), "float32")
    x[0, 2], x[0, 6] = np.inf, np.nan
    out = ops.convert_to_numpy(ops.conv(x, np.ones((2, 1, 1), "float32"), padding="same")).ravel()
    np.testing.assert_array_equal(out, [0, np.inf, np.inf, 0, 0, np.nan, np.nan])


X, K = np.ones((2, 6, 6, 4), "float32"), np.ones((3, 3, 4, 8), "float32")


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("inputs", lambda: ops.conv(X[0, 0], K)),
        ("inputs", lambda: ops.conv(X[:, :2], K)),
        ("inputs", lambda: ops.conv(X.astype("complex64"), K)),
        ("kernel", lambda: ops.conv(X, K[0])),
        ("kernel", lambda: ops.conv(X, K[:, :, :3])),
        ("kernel", lambda: ops.conv(X, K[:, :, :1, :7])),
        ("kernel", lambda: ops.conv(X, K.astype("complex64"))),
        ("strides", lambda: ops.conv(X, K, 0)),
        ("strides", lambda: ops.conv(X, K, 1.0)),
        ("strides", lambda: ops.conv(X, K, (1, 1, 1))),
        ("padding", lambda: ops.conv(X, K, 1, "full")),
        ("padding", lambda: ops.conv(X, K, 1, "causal")),
        ("padding", lambda: ops.conv(X, K, 1, ((1, 1), (1, -1)))),
        ("data_format", lambda: ops.conv(X, K, data_format="NHWC")),
        ("dilation_rate", lambda: ops.conv(X, K, dilation_rate=0)),
        ("kernel", lambda: ops.depthwise_conv(X, K[:, :, :2])),
        ("depthwise_kernel", lambda: ops.separable_conv(X, K[:, :, :2], K[:1, :1])),
        ("pointwise_kernel", lambda: ops.separable_conv(X, K, K[:1, :1])),
        ("kernel", lambda: ops.conv_transpose(X, K)),
        ("padding", lambda: ops.conv_transpose(X, K[:, :, :, :4], 1, "causal")),
        ("output_padding", lambda: ops.conv_transpose(X, K[:, :, :, :4], 1, "same", -1)),
    ],
)
def test_refuses_with_one_voice(engine, argument, call):
    with pytest.raises(ArgumentError) as caught:
        call()
    assert caught.value.argument == argument
    with kerata.use_backend("numpy"), pytest.raises(ArgumentError) as reference:
        call()
    assert str(caught.value) == str(reference.value)


def test_symbolic_calls_refuse_the_same():
    with pytest.raises(ArgumentError) as symbolic:
        ops.conv(kerata.KerasTensor((None, 2, 6, 4)), K)
    assert symbolic.value.argument == "inputs"
    assert "extent (3, 3) of `kernel`" in str(symbolic.value)
