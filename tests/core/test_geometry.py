"""Plans of sliding windows: against the definition, engines' own rules, and a list of what must be refused."""

import itertools
import math

import numpy as np
import pytest

from kerata.core.errors import ArgumentError
from kerata.core.geometry import (
    adaptive_pool_plan,
    conv_plan,
    conv_transpose_plan,
    depthwise_plan,
    pointwise_plan,
    pool_plan,
)

# Input, kernel, stride, dilation.
SIZES = list(itertools.product((1, 2, 5, 8), (1, 2, 3, 5), (1, 2, 3), (1, 2)))


@pytest.mark.parametrize(("n", "k", "s", "d"), SIZES)
def test_same_padding_is_that_of_xla(n, k, s, d):
    from jax import lax

    plan = conv_plan((1, n, 1), (k, 1, 1), s, "same", "channels_last", d)
    assert list(plan.pads) == list(lax.padtype_to_pads((n,), ((k - 1) * d + 1,), (s,), "SAME"))
    assert plan.out_size == (math.ceil(n / s),)


def test_same_padding_puts_the_odd_element_at_the_end():
    assert conv_plan((8, 32, 32, 3), (3, 3, 3, 4), 2, "same").pads == ((0, 1), (0, 1))
    assert conv_plan((8, 5, 5, 3), (2, 4, 3, 4), 1, "same").pads == ((0, 1), (1, 2))


@pytest.mark.parametrize(("n", "k", "s", "d"), SIZES)
@pytest.mark.parametrize("padding", ["valid", "same", "causal", ((2, 0),), ((0, 3),)])
def test_windows_fit_exactly_after_used_pads(n, k, s, d, padding):
    extent = (k - 1) * d + 1
    if (padding == "valid" and n < extent) or (isinstance(padding, tuple) and n + sum(padding[0]) < extent):
        with pytest.raises(ArgumentError):
            conv_plan((1, n, 1), (k, 1, 1), s, padding, "channels_last", d)
        return
    plan = conv_plan((1, n, 1), (k, 1, 1), s, padding, "channels_last", d)
    ((low, high),) = plan.used_pads
    starts = np.arange(plan.out_size[0]) * s - low
    assert starts[-1] + extent == n + high  # the last window ends where the padded input ends
    assert n + sum(plan.pads[0]) - extent < plan.out_size[0] * s  # and there is no room for one more
    (before, after), span = plan.input_grad_pads[0], (plan.out_size[0] - 1) * s + 1
    assert before + span + after - (extent - 1) == n  # the gradient's convolution has the input's size


def test_causal_output_sees_only_the_past():
    plan = conv_plan((2, 7, 3), (3, 3, 4), 1, "causal", "channels_last", 2)
    assert plan.pads == ((4, 0),)
    assert plan.out_shape(2) == (2, 7, 4)


def test_layouts_describe_the_same_convolution():
    last = conv_plan((2, 5, 6, 4), (3, 3, 2, 8), (1, 2), "same", "channels_last")
    first = conv_plan((2, 4, 5, 6), (3, 3, 2, 8), (1, 2), "same", "channels_first")
    assert last.out_shape(2) == (2, 5, 3, 8)
    assert first.out_shape(2) == (2, 8, 5, 3)
    assert last.groups == first.groups == 2
    assert last.used_pads == first.used_pads
    x = np.empty(first.in_shape(2))
    assert x.transpose(first.to_channels_last).shape == last.in_shape(2)
    assert x.transpose(first.to_channels_last).transpose(first.from_channels_last).shape == x.shape
    assert first.kernel_shape == last.kernel_shape == (3, 3, 2, 8)


@pytest.mark.parametrize(("n", "k", "s"), itertools.product((3, 4, 7), (1, 2, 3, 4, 5), (1, 2, 3, 4)))
def test_transposed_size_without_output_padding(n, k, s):
    """The rule that every engine of Keras 3.15 follows, found by running it."""
    valid = conv_transpose_plan((1, n, 1), (k, 1, 1), s, "valid")
    same = conv_transpose_plan((1, n, 1), (k, 1, 1), s, "same")
    assert valid.in_size == (n * s + max(k - s, 0),)
    assert same.in_size == (n * s,)
    # The forward convolution leads back, with the paddings of "valid" and "same" that it would have by itself.
    assert valid.out_size == same.out_size == (n,)
    forward = conv_plan(same.in_shape(1), same.kernel_shape, s, "same")
    assert forward.out_size == (n,)
    assert forward.used_pads == same.used_pads


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("n", "k", "s", "d"), itertools.product((3, 4), (2, 3), (1, 2, 3), (1, 2)))
@pytest.mark.parametrize("extra", [0, 1, 2, 5])
def test_transposed_size_with_output_padding(n, k, s, d, padding, extra):
    extent = (k - 1) * d + 1
    expected = (n - 1) * s + extent + extra - (2 * (extent // 2) if padding == "same" else 0)
    plan = conv_transpose_plan((1, n, 1), (k, 1, 1), s, padding, extra, "channels_last", d)
    assert plan.in_size == (expected,)
    ((low, high),) = plan.pads
    assert (expected + low + high - extent) // s + 1 == n  # as many windows as the transpose has inputs


def test_transposed_output_padding_per_dimension():
    plan = conv_transpose_plan((1, 3, 3, 2), (3, 3, 4, 2), 2, "valid", (1, None))
    assert plan.in_shape(1) == (1, 8, 7, 4)


def test_depthwise_is_grouped():
    plan = depthwise_plan((2, 5, 5, 3), (3, 3, 3, 2), 1, "same")
    assert (plan.groups, plan.kernel_shape, plan.out_shape(2)) == (3, (3, 3, 1, 6), (2, 5, 5, 6))
    assert plan.depthwise
    assert not conv_plan((2, 5, 5, 3), (3, 3, 3, 2)).depthwise


def test_one_group_of_a_plan():
    plan = conv_plan((2, 5, 5, 4), (3, 3, 2, 6), 2, "same")
    assert plan.of_one_group == conv_plan((2, 5, 5, 2), (3, 3, 2, 3), 2, "same")


@pytest.mark.parametrize(("n", "k", "s", "_"), SIZES)
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_pooling_counts_by_brute_force(n, k, s, _, padding):
    if padding == "valid" and n < k:
        with pytest.raises(ArgumentError):
            pool_plan((1, n, 1), k, s, padding)
        return
    plan = pool_plan((1, n, 1), k, s, padding)
    low = plan.pads[0][0]
    windows = [
        [j for j in range(i * s - low, i * s - low + k) if 0 <= j < n] for i in range(plan.out_size[0])
    ]
    assert plan.counts[:, 0].tolist() == [len(w) for w in windows]
    assert min(map(len, windows)) > 0
    assert plan.unpadded == (plan.counts == k).all()


def test_pooling_counts_of_two_dimensions():
    plan = pool_plan((1, 1, 5, 3), (2, 2), (2, 1), "same", "channels_first")
    assert plan.counts.tolist() == [[4, 4, 2], [4, 4, 2], [2, 2, 1]]
    assert plan.out_shape(4, 2) == (4, 2, 3, 3)


def test_pooling_strides_default_to_the_window():
    assert pool_plan((1, 9, 9, 1), (2, 3)).strides == (2, 3)
    assert pool_plan((1, 8, 9, 1), (2, 3)).disjoint
    assert not pool_plan((1, 8, 9, 1), 3, 2).disjoint
    assert not pool_plan((1, 7, 1), 2).disjoint  # the last element lies in no window
    assert not pool_plan((1, 7, 1), 2, padding="same").disjoint


@pytest.mark.parametrize(("n", "m"), itertools.product((1, 2, 5, 7, 12), (1, 2, 3, 5, 7, 9)))
def test_adaptive_windows_are_those_of_the_definition(n, m):
    plan = adaptive_pool_plan((1, n, 1), m)
    layout, (width,) = plan.layouts[0], plan.pool.pool_size
    expected = [list(range(i * n // m, math.ceil((i + 1) * n / m))) for i in range(m)]
    indices = np.arange(n) if layout is None else layout.indices
    filled = np.zeros(m * width, bool) if layout is None or layout.filled is None else layout.filled
    rows = zip(indices.reshape(m, width), filled.reshape(m, width))
    assert [row[~fill].tolist() for row, fill in rows] == expected
    if layout is not None:
        np.testing.assert_allclose(layout.shares, [width / len(w) for w in expected])


def test_plans_are_remembered_for_any_batch():
    arguments = (3, 3, 1, 4), 2, "same"
    assert conv_plan((8, 9, 9, 1), *arguments) is conv_plan((3, 9, 9, 1), *arguments)
    assert conv_plan((8, 9, 9, 1), [3, 3, 1, 4], [2, 2]) is conv_plan((None, 9, 9, 1), (3, 3, 1, 4), (2, 2))


def test_numpy_integers_are_integers():
    assert conv_plan((1, np.int64(9), 1), (3, 1, 1), np.int32(2)) == conv_plan((1, 9, 1), (3, 1, 1), 2)


X, K = (2, 8, 8, 4), (3, 3, 4, 6)
REFUSED = [
    ("inputs", conv_plan, ((8, 4), (3, 4))),
    ("inputs", conv_plan, ((2, 3, 3, 3, 3, 4), (1, 1, 1, 1, 4, 4))),
    ("inputs", conv_plan, ((2, 0, 8, 4), K, 1, "same")),
    ("inputs", conv_plan, ((2, 8, 8, 0), K)),
    ("inputs", conv_plan, ((2, None, 8, 4), K)),
    ("inputs", conv_plan, ((2, 2, 8, 4), K)),
    ("inputs", conv_plan, ((2, 4, 8, 4), K, 1, "valid", "channels_last", 2)),
    ("kernel", conv_plan, (X, (3, 4, 6))),
    ("kernel", conv_plan, (X, (3, 3, 3, 6))),
    ("kernel", conv_plan, (X, (3, 3, 8, 6))),
    ("kernel", conv_plan, (X, (3, 3, 1, 6))),
    ("kernel", conv_plan, (X, (3, 0, 4, 6))),
    ("strides", conv_plan, (X, K, 0)),
    ("strides", conv_plan, (X, K, -1)),
    ("strides", conv_plan, (X, K, 2.0)),
    ("strides", conv_plan, (X, K, (2.0, 2.0))),
    ("strides", conv_plan, (X, K, True)),
    ("strides", conv_plan, (X, K, (1, 2, 1))),
    ("strides", conv_plan, (X, K, "2")),
    ("strides", conv_plan, (X, K, None)),
    ("padding", conv_plan, (X, K, 1, "full")),
    ("padding", conv_plan, (X, K, 1, "causal")),
    ("padding", conv_plan, (X, K, 1, ((1, 1),))),
    ("padding", conv_plan, (X, K, 1, ((1, 1), (1, -1)))),
    ("padding", conv_plan, (X, K, 1, ((1, 1), (1.0, 1)))),
    ("padding", conv_plan, (X, K, 1, (1, 1))),
    ("padding", conv_plan, (X, K, 1, None)),
    ("data_format", conv_plan, (X, K, 1, "same", "NHWC")),
    ("data_format", conv_plan, (X, K, 1, "same", None)),
    ("dilation_rate", conv_plan, (X, K, 1, "same", "channels_last", 0)),
    ("dilation_rate", conv_plan, (X, K, 1, "same", "channels_last", (1, 2, 3))),
    ("kernel", depthwise_plan, (X, (3, 3, 1, 2))),
    (
        "depthwise_kernel",
        depthwise_plan,
        (X, (3, 3, 2, 2), 1, "same", "channels_last", 1, "depthwise_kernel"),
    ),
    ("pointwise_kernel", pointwise_plan, (X, (1, 1, 2, 2), "channels_last", "pointwise_kernel")),
    ("pointwise_kernel", pointwise_plan, (X, (1, 3, 4, 2), "channels_last", "pointwise_kernel")),
    ("kernel", conv_transpose_plan, (X, K)),
    ("kernel", conv_transpose_plan, (X, (3, 6, 4))),
    ("padding", conv_transpose_plan, (X, (3, 3, 6, 4), 1, "causal")),
    ("padding", conv_transpose_plan, (X, (3, 3, 6, 4), 1, ((1, 1), (1, 1)))),
    ("output_padding", conv_transpose_plan, (X, (3, 3, 6, 4), 2, "same", -1)),
    ("output_padding", conv_transpose_plan, (X, (3, 3, 6, 4), 2, "same", (1, 1, 1))),
    ("output_padding", conv_transpose_plan, (X, (3, 3, 6, 4), 2, "same", 1.5)),
    ("output_padding", conv_transpose_plan, (X, (3, 3, 6, 4), 2, "same", True)),
    ("inputs", conv_transpose_plan, ((1, 1, 1), (2, 1, 1), 1, "same", 0)),
    ("inputs", pool_plan, ((8, 8), 2)),
    ("inputs", pool_plan, ((2, 1, 3), 2)),
    ("inputs", pool_plan, ((2, 0, 3), 2, 2, "same")),
    ("pool_size", pool_plan, (X, 0)),
    ("pool_size", pool_plan, (X, (2, 2, 2))),
    ("pool_size", pool_plan, (X, None)),
    ("strides", pool_plan, (X, 2, 0)),
    ("padding", pool_plan, (X, 2, 1, "causal")),
    ("padding", pool_plan, (X, 2, 1, ((1, 1), (1, 1)))),
    ("output_size", adaptive_pool_plan, (X, 0)),
    ("output_size", adaptive_pool_plan, (X, (None, 3))),
    ("output_size", adaptive_pool_plan, (X, (3, 3, 3))),
]


@pytest.mark.parametrize(("argument", "function", "arguments"), REFUSED)
def test_refuses(argument, function, arguments):
    for _ in range(2):  # a remembered plan of equal numbers must not let the second call pass
        with pytest.raises(ArgumentError) as caught:
            function(*arguments)
        assert caught.value.argument == argument


def test_an_error_is_the_same_after_a_good_call_with_equal_numbers():
    conv_plan(X, K, (2, 2))
    conv_plan(X, K, 1)
    for wrong in ((2.0, 2.0), 2.0, True):
        with pytest.raises(ArgumentError, match="`strides` must be a positive integer, or 2 of them"):
            conv_plan(X, K, wrong)


def test_error_says_what_to_do():
    with pytest.raises(ArgumentError) as caught:
        conv_plan((2, 4, 4, 3), (5, 5, 3, 8))
    assert str(caught.value) == (
        "`inputs` must be of a spatial size not below the extent (5, 5) of `kernel`. Got (4, 4). "
        'Use a larger input, a smaller window, or padding="same".'
    )
