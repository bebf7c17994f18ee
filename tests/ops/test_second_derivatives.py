"""Derivatives of derivatives, against finite differences of the first ones in float64."""

import numpy as np
import pytest

import kerata
from kerata import ops

_rng = np.random.default_rng(5)
SQUARE, IMAGE, KERNEL = (_rng.standard_normal(shape) for shape in ((3, 3), (1, 4, 4, 2), (2, 2, 2, 2)))
ROWS, POSITIVE, HEADS = _rng.standard_normal((2, 4)), _rng.random(4) + 0.4, _rng.standard_normal((1, 3, 2, 2))

CASES = {
    "tanh": (ops.tanh, ROWS), "gelu": (ops.gelu, ROWS), "softmax": (ops.softmax, ROWS), "logsumexp": (ops.logsumexp, ROWS),
    "sqrt": (ops.sqrt, POSITIVE), "log": (ops.log, POSITIVE), "power": (lambda x: ops.power(x, 3.5), POSITIVE),
    "power of a half": (lambda x: ops.power(x, 0.5), POSITIVE), "prod": (ops.prod, ROWS), "cumprod": (ops.cumprod, ROWS),
    "sort": (lambda x: ops.square(ops.sort(x)), ROWS), "std": (ops.std, ROWS), "norm": (ops.norm, SQUARE),
    "matmul": (lambda x: ops.matmul(x, x), SQUARE), "einsum": (lambda x: ops.einsum("ij,jk,ki->i", x, x, x), SQUARE),
    "inv": (ops.inv, SQUARE + 3 * np.eye(3)), "det": (ops.det, SQUARE), "qr": (lambda x: ops.qr(x)[1], SQUARE),
    "lu_factor": (lambda x: ops.lu_factor(x)[0], SQUARE), "svd": (lambda x: ops.svd(x, compute_uv=False), SQUARE),
    "moments": (lambda x: ops.multiply(*ops.moments(x, [1])), ROWS),
    "layer_normalization": (ops.layer_normalization, ROWS), "attention": (lambda x: ops.dot_product_attention(x, x, x), HEADS),
    "conv": (lambda x: ops.square(ops.conv(x, KERNEL, 2, "same")), IMAGE),
    "conv by its kernel": (lambda k: ops.tanh(ops.conv(IMAGE, k)), KERNEL),
    "conv_transpose": (lambda x: ops.square(ops.conv_transpose(x, KERNEL, 2)), IMAGE),
    "max_pool": (lambda x: ops.square(ops.max_pool(x, 2)), IMAGE), "average_pool": (lambda x: ops.square(ops.average_pool(x, 2)), IMAGE),
    "resize": (lambda x: ops.square(ops.image.resize(x, (8, 2))), IMAGE),
    "resize with averages": (lambda x: ops.square(ops.image.resize(x, (2, 2), antialias=True)), IMAGE),
    "resize by lanczos3": (lambda x: ops.square(ops.image.resize(x, (5, 8), "lanczos3")), IMAGE),
    "take": (lambda x: ops.square(ops.take(x, [0, 0, 1], axis=0)), ROWS),
    "crossentropy": (lambda x: ops.sparse_categorical_crossentropy(np.array([1, 0]), x, from_logits=True), ROWS),
    "scan": (lambda x: ops.scan(lambda c, v: (c * ops.tanh(v), c + v), x[0], x)[1], POSITIVE),
    "while_loop": (lambda x: ops.while_loop(lambda i, v: i < 2, lambda i, v: (i + 1, v * ops.sin(v)), (0, x))[1], POSITIVE),
    "cond": (lambda x: ops.cond(ops.sum(x) > 0, lambda: x**3, lambda: x), POSITIVE),
}  # fmt: skip


def _weighted(y, shift):
    weights = np.cos(np.arange(float(np.prod(y.shape))) + shift).reshape(y.shape)
    return ops.sum(ops.multiply(y, weights))


def _slope(fn, v):
    """A weighted sum of the first derivatives, with all of which the second ones mix."""
    _, (gradient,) = kerata.value_and_grad(lambda: _weighted(fn(v.value), 1), [v])()
    return _weighted(gradient, 2)


def _differences(fn, x, step=1e-6):
    found = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[place] += sign * step
            ends.append(float(_slope(fn, kerata.Variable(moved, dtype="float64"))))
        found[place] = (ends[0] - ends[1]) / (2 * step)
    return found


@pytest.fixture(scope="module")
def expected():
    with kerata.use_backend("numpy"):
        return {name: _differences(fn, x) for name, (fn, x) in CASES.items()}


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("name", CASES)
def test_second_derivatives(engine, name, compiled, expected):
    fn, x = CASES[name]
    v = kerata.Variable(x, dtype="float64")
    run = kerata.value_and_grad(lambda: _slope(fn, v), [v])
    _, (found,) = (kerata.function(run) if compiled else run)()
    want = expected[name]
    atol = 1e-5 * max(1, np.abs(want).max())
    np.testing.assert_allclose(ops.convert_to_numpy(found), want, rtol=1e-4, atol=atol)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("size, antialias", [((8, 8), False), ((2, 2), True)])
def test_the_slope_of_a_resize_is_a_resize(engine, size, antialias, compiled):
    """In float32, where engines have kernels of their own, and their derivatives' derivatives."""
    image, way = (ops.convert_to_tensor(v.astype("float32")) for v in (IMAGE, IMAGE[:, ::-1] + 1))

    def slope(x, d):
        return ops.jvp(lambda v: ops.image.resize(v, size, antialias=antialias), (x,), (d,))[1]

    found = (kerata.function(slope) if compiled else slope)(image, way)
    with kerata.use_backend("numpy"):
        want = ops.image.resize(IMAGE[:, ::-1] + 1, size, antialias=antialias)
    np.testing.assert_allclose(ops.convert_to_numpy(found), want, rtol=1e-5, atol=1e-6)
