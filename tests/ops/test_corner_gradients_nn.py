"""Derivatives where they are in doubt: ties, masks, extremes, zero variance. One choice, the same on every engine."""

import numpy as np
import pytest
import scipy.special

import kerata
from kerata import ops

INF = float("inf")


def _f(*values):
    return np.array(values, "float32")


def _masked_attention(q, k, v):
    mask = np.array([[[[True, False, True], [False, False, False]]]])
    return ops.dot_product_attention(q, k, v, mask=mask)


_QKV = [
    np.random.default_rng(i).standard_normal((1, n, 1, 4)).astype("float32")
    for i, n in ((0, 2), (1, 3), (2, 3))
]

# name: (function of tensors, their values, expected derivatives of its sum; None: only finite, and as on NumPy)
CASES = {
    "max_pool of equals: the first": (
        lambda x: ops.max_pool(x, 2),
        [_f(1, 1, 2, 2, 3, 0).reshape(1, 6, 1)],
        [_f(1, 0, 1, 0, 1, 0).reshape(1, 6, 1)],
    ),
    "max_pool of equals in two dimensions: the first in row-major order": (
        lambda x: ops.max_pool(x, 2),
        [np.ones((1, 2, 2, 1), "float32")],
        [_f(1, 0, 0, 0).reshape(1, 2, 2, 1)],
    ),
    "max_pool of overlapping windows": (
        lambda x: ops.max_pool(x, 2, 1),
        [_f(0, 5, 5, 0).reshape(1, 4, 1)],
        [_f(0, 2, 1, 0).reshape(1, 4, 1)],
    ),
    "max_pool of NaN: it is the maximum, wherever in the window": (
        lambda x: ops.max_pool(x, 2, 1),
        [_f(1, np.nan, 2, np.nan, -np.inf, -np.inf).reshape(1, 6, 1)],
        [_f(0, 2, 0, 2, 1, 0).reshape(1, 6, 1)],
    ),
    "max_pool of padding: never the maximum": (
        lambda x: ops.max_pool(x, 3, 1, "same"),
        [_f(-1, -2).reshape(1, 2, 1)],
        [_f(2, 0).reshape(1, 2, 1)],
    ),
    "average_pool at an edge: its own count": (
        lambda x: ops.average_pool(x, 2, 2, "same"),
        [_f(1, 2, 3).reshape(1, 3, 1)],
        [_f(0.5, 0.5, 1).reshape(1, 3, 1)],
    ),
    "attention of a query that may look nowhere: none to query and keys, shares to values": (
        _masked_attention,
        _QKV,
        None,
    ),
    "softmax at extreme logits": (
        lambda x: ops.softmax(x)[0],
        [_f(1e4, 0, -1e4)],
        [_f(0, 0, 0)],
    ),
    "log_softmax at extreme logits": (lambda x: ops.log_softmax(x)[1], [_f(1e4, 0, -1e4)], [_f(-1, 1, 0)]),
    "binary_crossentropy at extreme logits": (
        lambda x: ops.binary_crossentropy(_f(0, 1, 1, 0), x, from_logits=True),
        [_f(1e4, -1e4, 1e4, -1e4)],
        [_f(1, -1, 0, 0)],
    ),
    "binary_crossentropy outside of the clipping: none": (
        lambda x: ops.binary_crossentropy(_f(1, 0), x),
        [_f(0, 1)],
        [_f(0, 0)],
    ),
    "categorical_crossentropy at extreme logits": (
        lambda x: ops.categorical_crossentropy(_f(0, 1, 0), x, from_logits=True),
        [_f(1e4, 0, -1e4)],
        [_f(1, -1, 0)],
    ),
    "sparse_categorical_crossentropy of a class that does not exist: none": (
        lambda x: ops.sparse_categorical_crossentropy(np.array([-1, 1, 9], "int32"), x, from_logits=True),
        [np.zeros((3, 2), "float32")],
        [_f(0, 0, 0.5, -0.5, 0, 0).reshape(3, 2)],
    ),
    "layer_normalization without variance": (
        lambda x: ops.layer_normalization(x, epsilon=1e-3)[0],
        [_f(3, 3, 3, 3)],
        [_f(0.75, -0.25, -0.25, -0.25) / np.sqrt(np.float32(1e-3))],
    ),
    "rms_normalization at zero": (
        lambda x: ops.rms_normalization(x, epsilon=1e-4)[0],
        [_f(0, 0)],
        [_f(100, 0)],
    ),
    "normalize at zero": (lambda x: ops.normalize(x, epsilon=0.1)[0], [_f(0, 0)], [_f(10, 0)]),
    "batch_normalization without variance": (
        lambda x: ops.batch_normalization(x, _f(1, 2), _f(0, 0), -1, epsilon=1e-4),
        [_f(1, 2).reshape(1, 2)],
        [_f(100, 100).reshape(1, 2)],
    ),
    "moments of equal elements": (lambda x: ops.moments(x, [0])[1], [_f(2, 2, 2)], [_f(0, 0, 0)]),
    "rgb_to_hsv at grey: none to hue": (
        lambda x: ops.image.rgb_to_hsv(x)[..., :1],
        [np.full((1, 1, 3), 0.5, "float32")],
        [np.zeros((1, 1, 3), "float32")],
    ),
    "rgb_to_hsv at black": (lambda x: ops.image.rgb_to_hsv(x), [np.zeros((1, 1, 3), "float32")], None),
    "resize of nearest pixels: counts": (
        lambda x: ops.image.resize(x, (1, 5), "nearest"),
        [_f(1, 2).reshape(1, 2, 1)],
        [_f(2, 3).reshape(1, 2, 1)],
    ),
    "resize twice as large": (
        lambda x: ops.image.resize(x, (1, 4)),
        [_f(1, 2).reshape(1, 2, 1)],
        [_f(2, 2).reshape(1, 2, 1)],
    ),
    "map_coordinates at whole positions: the slope to the next": (
        lambda x, c: ops.image.map_coordinates(x, c, 1),
        [_f(0, 1, 4), _f(0, 1).reshape(1, 2)],
        [_f(1, 1, 0), _f(1, 3).reshape(1, 2)],
    ),
    "map_coordinates beyond the border, repeated": (
        lambda x, c: ops.image.map_coordinates(x, c, 1, "nearest"),
        [_f(1, 2), _f(-5, 7).reshape(1, 2)],
        [_f(1, 1), _f(0, 0).reshape(1, 2)],
    ),
    "ctc_loss that cannot be: finite": (
        lambda x: ops.ctc_loss(np.array([[1, 1]], "int32"), x, np.array([2]), np.array([2])),
        [np.zeros((1, 2, 3), "float32")],
        None,
    ),
}


def _gradients(name, compiled):
    fn, values, _ = CASES[name]
    variables = [kerata.Variable(v) for v in values]

    def run():
        return kerata.value_and_grad(lambda: ops.sum(fn(*(v.value for v in variables))), variables)()[1]

    found = (kerata.function(run) if compiled else run)()
    return [ops.convert_to_numpy(g) for g in found]


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("name", CASES)
def test_has_the_derivative_of_the_declaration(name, compiled, engine):
    expected = CASES[name][2]
    if expected is None:
        with kerata.use_backend("numpy"):
            expected = _gradients(name, False)
    found = _gradients(name, compiled)
    for got, want in zip(found, expected, strict=True):
        assert np.isfinite(got).all()
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("total", [1.0, 1.5], ids=["distributions", "any targets"])
def test_crossentropy_of_many_logits_has_the_softmax_times_the_total_less_the_targets(
    engine, total, compiled
):
    rng = np.random.default_rng(7)
    logits, targets = rng.standard_normal((128, 160)), rng.random((128, 160))
    targets *= total / targets.sum(-1, keepdims=True)
    v = kerata.Variable(logits.astype("float32"))

    def run():
        given = targets.astype("float32")
        return kerata.value_and_grad(
            lambda: ops.sum(ops.categorical_crossentropy(given, v.value, from_logits=True)), [v]
        )()

    loss, (slope,) = (kerata.function(run) if compiled else run)()
    logs = logits - scipy.special.logsumexp(logits, -1, keepdims=True)
    np.testing.assert_allclose(float(loss), -(targets * logs).sum(), rtol=1e-5)
    np.testing.assert_allclose(
        ops.convert_to_numpy(slope), total * np.exp(logs) - targets, rtol=1e-4, atol=1e-6
    )


def test_a_query_that_may_look_nowhere_moves_only_values(engine):
    query, key, value = _gradients(
        "attention of a query that may look nowhere: none to query and keys, shares to values", False
    )
    assert (query[0, 1] == 0).all()
    np.testing.assert_allclose(value.sum(), 8, rtol=1e-5)
    assert (key[0, 1] == 0).all()


def test_moments_of_float16_stay_within_its_range(engine):
    mean, variance = ops.moments(np.array([1e4, -6e4, 6e4], "float16"), [0])
    assert ops.dtype(mean) == ops.dtype(variance) == "float16"
    assert float(ops.convert_to_numpy(variance)) == 65504


SLOPES_FAR_AWAY = {  # limits on the left and on the right
    "celu": (0, 1), "elu": (0, 1), "gelu": (0, 1), "exact gelu": (0, 1), "hard_sigmoid": (0, 0), "hard_silu": (0, 1), "hard_tanh": (0, 0),
    "leaky_relu": (0.2, 1), "log_sigmoid": (1, 0), "relu": (0, 1), "relu6": (0, 0), "selu": (0, 1.0507009873554805),
    "sigmoid": (0, 0), "silu": (0, 1), "softplus": (0, 1), "softsign": (0, 0), "sparse_plus": (0, 1),
    "sparse_sigmoid": (0, 0), "squareplus": (0, 1), "tanh": (0, 0), "tanh_shrink": (1, 1), "threshold": (0, 1),
}  # fmt: skip


@pytest.mark.parametrize("compiled", [False, True])
def test_slopes_of_activations_of_the_largest_numbers(engine, compiled):
    places = [1e19, 1e30, 3e38]
    numbers = np.array([[-v, v] for v in places], "float32")
    x = kerata.Variable(numbers)
    calls = {name: getattr(ops, name) for name in SLOPES_FAR_AWAY if name != "exact gelu"}
    calls["exact gelu"] = lambda v: ops.gelu(v, approximate=False)
    calls["threshold"] = lambda v: ops.threshold(v, 0.5, 0.0)

    def slopes():
        return {
            n: kerata.value_and_grad(lambda f=f: ops.sum(f(x) * 1e-3), [x])()[1][0] for n, f in calls.items()
        }

    found = (kerata.function(slopes) if compiled else slopes)()
    for name, limits in SLOPES_FAR_AWAY.items():
        if limits == (0, 1):
            np.testing.assert_allclose(
                ops.convert_to_numpy(calls[name](x))[:, 1], numbers[:, 1], rtol=1e-6, err_msg=name
            )
        expected = np.tile(np.array(limits) * 1e-3, (len(places), 1))
        np.testing.assert_allclose(
            ops.convert_to_numpy(found[name]), expected, rtol=1e-6, atol=1e-20, err_msg=name
        )
