"""Derivatives where there is none, or where the usual formula breaks: the same finite number on every engine.

Each row: a function, where it is differentiated, and the derivative of the sum of its results by each argument.
"""

import math

import numpy as np
import pytest

import kerata
from kerata import ops
from kerata.ops.core import vjp

inf, nan = math.inf, math.nan

SLOPES = {
    "corners": [
        (ops.abs, [[-2.0, 0.0, 3.0]], [[-1.0, 0.0, 1.0]]),
        (ops.fabs, [[-2.0, 0.0]], [[-1.0, 0.0]]),
        (ops.sign, [[-2.0, 0.0, 3.0]], [[0.0, 0.0, 0.0]]),
        (ops.relu, [[-1.0, 0.0, 2.0, nan]], [[0.0, 0.0, 1.0, 1.0]]),
        (ops.relu6, [[0.0, 3.0, 6.0, 7.0]], [[0.0, 1.0, 0.0, 0.0]]),
        (lambda x: ops.leaky_relu(x, 0.5), [[-1.0, 0.0, 1.0]], [[0.5, 0.5, 1.0]]),
        (lambda x: ops.elu(x, 2.0), [[0.0, 1.0]], [[2.0, 1.0]]),
        (ops.hard_sigmoid, [[-3.0, 0.0, 3.0]], [[0.0, 1 / 6, 0.0]]),
        (ops.hard_tanh, [[-1.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]]),
        (ops.soft_shrink, [[-0.5, 0.0, 0.5, 1.0]], [[0.0, 0.0, 0.0, 1.0]]),
        (ops.hard_shrink, [[-0.5, 0.5, 1.0]], [[0.0, 0.0, 1.0]]),
        (lambda x: ops.threshold(x, 1.0, -1.0), [[0.0, 1.0, 2.0]], [[0.0, 0.0, 1.0]]),
        (lambda x: ops.clip(x, -1.0, 1.0), [[-2.0, -1.0, 0.0, 1.0, 2.0]], [[0.0, 1.0, 1.0, 1.0, 0.0]]),
        (ops.softplus, [[-1000.0, 0.0, 1000.0]], [[0.0, 0.5, 1.0]]),
        (ops.sparse_plus, [[-1.0, 0.0, 1.0]], [[0.0, 0.5, 1.0]]),
    ],
    "steps": [
        (ops.round, [[0.5, 1.2]], [[0.0, 0.0]]),
        (ops.floor, [[0.0, 1.2]], [[0.0, 0.0]]),
        (ops.ceil, [[0.0, 1.2]], [[0.0, 0.0]]),
        (ops.trunc, [[0.0, 1.2]], [[0.0, 0.0]]),
        (lambda a, b: ops.floor_divide(a, b) + a, [[7.0], [2.0]], [[1.0], [0.0]]),
        (ops.mod, [[7.0, -7.0], [2.0, 2.0]], [[1.0, 1.0], [-3.0, 4.0]]),
        (ops.mod, [[5.0, -5.0, -5.0], [inf, inf, -inf]], [[1.0, 1.0, 1.0], [0.0, 1.0, 0.0]]),
        (ops.fmod, [[7.0, -7.0], [2.0, 2.0]], [[1.0, 1.0], [-3.0, 3.0]]),
    ],
    "roots and lengths": [
        (ops.sqrt, [[0.0, 4.0]], [[0.0, 0.25]]),
        (lambda x: ops.sqrt(ops.sum(x * x)), [[0.0, 0.0]], [[0.0, 0.0]]),
        (ops.norm, [[0.0, 0.0]], [[0.0, 0.0]]),
        (lambda x: ops.norm(x, axis=-1), [[[0.0, 0.0], [3.0, 4.0]]], [[[0.0, 0.0], [0.6, 0.8]]]),
        (ops.hypot, [[0.0, 3.0], [0.0, 4.0]], [[0.0, 0.6], [0.0, 0.8]]),
        (ops.std, [[5.0, 5.0]], [[0.0, 0.0]]),
        (ops.std, [[7.0]], [[0.0]]),
        (ops.var, [[5.0, 5.0]], [[0.0, 0.0]]),
        (ops.nanstd, [[5.0, nan, 5.0]], [[0.0, 0.0, 0.0]]),
        (ops.cbrt, [[8.0, -1.0]], [[1 / 12, 1 / 3]]),
        (ops.cdist, [[[0.0, 0.0]], [[0.0, 0.0]]], [[[0.0, 0.0]], [[0.0, 0.0]]]),
        (ops.arctan2, [[0.0, 0.0], [0.0, 2.0]], [[0.0, 0.5], [0.0, 0.0]]),
        (ops.sinc, [[0.0]], [[0.0]]),
        (ops.expm1, [[0.0]], [[1.0]]),
        (ops.log1p, [[0.0]], [[1.0]]),
    ],
    "powers": [
        (lambda x: ops.power(x, 0.0), [[-2.0, 0.0, 3.0]], [[0.0, 0.0, 0.0]]),
        (lambda x: ops.power(x, 1.0), [[0.0, 3.0]], [[1.0, 1.0]]),
        (lambda x: ops.power(x, 2), [[-2.0, 0.0]], [[-4.0, 0.0]]),
        (lambda x: ops.power(0.0, x), [[0.0, 2.0]], [[0.0, 0.0]]),
        (lambda x: ops.power(-2.0, x), [[2.0]], [[0.0]]),
        (ops.power, [[0.0, 0.0, 2.0], [0.0, 2.0, 0.0]], [[0.0, 0.0, 0.0], [0.0, 0.0, math.log(2)]]),
        (ops.power, [[-2.0, -1.0], [3.0, -1.0]], [[12.0, -1.0], [0.0, 0.0]]),
        (ops.divide_no_nan, [[1.0, 1.0], [0.0, 2.0]], [[0.0, 0.5], [0.0, -0.25]]),
    ],
    "ties": [
        (ops.maximum, [[1.0, 2.0], [1.0, 1.0]], [[0.5, 1.0], [0.5, 0.0]]),
        (ops.minimum, [[1.0, 2.0], [1.0, 1.0]], [[0.5, 0.0], [0.5, 1.0]]),
        (lambda x: ops.maximum(x, 0.0), [[0.0, 1.0]], [[0.5, 1.0]]),
        (ops.maximum, [[nan, 1.0, nan], [1.0, nan, nan]], [[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]]),
        (ops.max, [[1.0, 3.0, 3.0]], [[0.0, 0.5, 0.5]]),
        (ops.amin, [[1.0, 1.0, 3.0]], [[0.5, 0.5, 0.0]]),
        (ops.max, [[1.0, nan, 3.0]], [[0.0, 1.0, 0.0]]),
        (lambda x: ops.max(x, initial=3.0), [[1.0, 3.0]], [[0.0, 0.5]]),
        (ops.sort, [[2.0, 1.0, 2.0]], [[1.0, 1.0, 1.0]]),
        (ops.median, [[1.0, 4.0, 2.0, 3.0]], [[0.0, 0.0, 0.5, 0.5]]),
        (lambda x: ops.quantile(x, 0.25), [[1.0, 2.0, 4.0]], [[0.5, 0.5, 0.0]]),
        (ops.logaddexp, [[1.0, -inf], [1.0, 0.0]], [[0.5, 0.0], [0.5, 1.0]]),
    ],
    "products": [
        (ops.prod, [[0.0, 2.0, 3.0]], [[6.0, 0.0, 0.0]]),
        (ops.prod, [[0.0, 0.0, 3.0]], [[0.0, 0.0, 0.0]]),
        (lambda x: ops.prod(x, axis=0), [[[0.0, 2.0], [3.0, 0.0]]], [[[3.0, 0.0], [0.0, 2.0]]]),
        (ops.cumprod, [[2.0, 0.0, 3.0]], [[1.0, 8.0, 0.0]]),
        (ops.nanprod, [[nan, 2.0, 3.0]], [[0.0, 3.0, 2.0]]),
        (ops.prod, [[]], [[]]),
        (lambda x: ops.prod(x, axis=1), [[[], []]], [[[], []]]),
    ],
    "what is not chosen": [
        (lambda x: ops.where(x > 0, ops.sqrt(x), 0.0), [[-1.0, 0.0, 4.0]], [[0.0, 0.0, 0.25]]),
        (lambda x: ops.where(x > 0, ops.log(x), 0.0), [[-1.0, 0.0, 4.0]], [[0.0, 0.0, 0.25]]),
        (lambda x: ops.where(x != 0, ops.divide(1.0, x), 0.0), [[0.0, 2.0]], [[0.0, -0.25]]),
        (lambda x: ops.where(x < 10, ops.exp(x), 1.0), [[0.0, 1000.0]], [[1.0, 0.0]]),
        (lambda x: ops.where(x > 0, ops.power(x, 0.5), x), [[0.0, 4.0]], [[1.0, 0.25]]),
        (lambda x: ops.where(ops.abs(x) < 1, ops.arcsin(x), 0.0), [[0.0, 1.0, 2.0]], [[1.0, 0.0, 0.0]]),
        (ops.nan_to_num, [[nan, inf, 1.0]], [[0.0, 0.0, 1.0]]),
        (ops.nansum, [[nan, 1.0]], [[0.0, 1.0]]),
        (ops.nanmean, [[nan, 1.0, 3.0]], [[0.0, 0.5, 0.5]]),
        (ops.nanmax, [[nan, 1.0, 3.0]], [[0.0, 0.0, 1.0]]),
        (ops.nanvar, [[nan, 1.0, 3.0]], [[0.0, -1.0, 1.0]]),
        (lambda x: ops.nanquantile(x, 0.5), [[1.0, nan, 3.0]], [[0.5, 0.0, 0.5]]),
    ],
    "infinities": [
        (ops.logsumexp, [[-inf, 0.0]], [[0.0, 1.0]]),
        (ops.logsumexp, [[-inf, -inf]], [[0.0, 0.0]]),
        (lambda x: ops.softmax(x)[0], [[0.0, 0.0, -inf]], [[0.25, -0.25, 0.0]]),
        (lambda x: ops.log_softmax(x)[0], [[0.0, 0.0, -inf]], [[0.5, -0.5, 0.0]]),
        (ops.sort, [[inf, 1.0]], [[1.0, 1.0]]),
        (ops.median, [[-inf, 0.0, 1.0]], [[0.0, 1.0, 0.0]]),
        (ops.sigmoid, [[-1000.0, 1000.0]], [[0.0, 0.0]]),
        (ops.erf, [[-inf, nan, 0.0, 40.0]], [[0.0, nan, 2 / math.sqrt(math.pi), 0.0]]),
    ],
}  # fmt: skip


def _slopes(rows, points):
    found = []
    for (function, _, _), tensors in zip(rows, points, strict=True):
        result, back = vjp(function, tensors)
        grads = zip(back(ops.ones_like(result)), tensors, strict=True)
        found.append([ops.zeros_like(x) if g is None else g for g, x in grads])
    return found


@pytest.mark.parametrize("mode", ["eager", "compiled"])
@pytest.mark.parametrize("family", SLOPES)
def test_corners_have_the_declared_derivatives(engine, family, mode):
    rows = SLOPES[family]
    points = [[ops.convert_to_tensor(x, "float32") for x in at] for _, at, _ in rows]
    run = (lambda p: _slopes(rows, p)) if mode == "eager" else kerata.function(lambda p: _slopes(rows, p))
    for (_, at, expected), grads in zip(rows, run(points), strict=True):
        for grad, slope in zip(grads, expected, strict=True):
            np.testing.assert_allclose(
                ops.convert_to_numpy(grad), slope, rtol=1e-5, atol=1e-6, err_msg=f"{family} at {at}"
            )


CURVES = {
    "square": (ops.square, 3.0, 2.0),
    "cube": (lambda x: ops.power(x, 3), 2.0, 12.0),
    "exp": (lambda x: ops.exp(2 * x), 0.5, 4 * math.e),
    "log": (ops.log, 2.0, -0.25),
    "sqrt": (ops.sqrt, 4.0, -1 / 32),
    "division": (lambda x: ops.divide(1.0, x), 2.0, 0.25),
    "stationary": (lambda x: ops.square(ops.sin(x)), 0.0, 2.0),
    "maximum": (lambda x: ops.maximum(x * x, x), 2.0, 2.0),
    "tanh": (ops.tanh, 0.0, 0.0),
    "prod": (lambda x: ops.prod(ops.stack([x, x, x])), 2.0, 12.0),
}


@pytest.mark.parametrize("curve", CURVES)
def test_derivatives_can_be_differentiated(engine, curve):
    function, at, expected = CURVES[curve]

    def slope(x):
        y, back = vjp(function, [x])
        return back(ops.ones_like(y))[0]

    _, back = vjp(slope, [ops.convert_to_tensor(at, "float32")])
    found = ops.convert_to_numpy(back(ops.ones(()))[0])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_gradients_of_gradients_by_variables(engine):
    w = kerata.Variable(np.float32(2.0))

    def penalty():
        _, (g,) = kerata.value_and_grad(lambda: w * w * w, [w])()
        return g * g  # 9 w^4

    value, (grad,) = kerata.value_and_grad(penalty, [w])()
    assert float(value) == pytest.approx(144.0)
    assert float(grad) == pytest.approx(288.0)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("dtype", ["int64", "uint8"])
def test_derivatives_go_through_indices_of_any_integer_dtype(engine, dtype, compiled):
    """NumPy's indices have 64 bits."""
    places = np.array([2, 0, 2], dtype)

    def used(x):
        column, row = places[:, None], places[None]
        return (
            ops.sum(ops.take(x, places, axis=0)) + ops.sum(ops.take_along_axis(x, column, axis=0))
            + ops.sum(ops.get_item(x, places)) + ops.sum(ops.scatter(column, ops.take(x, row[0], axis=0), (4, 2)))
            + ops.sum(ops.segment_sum(x, places, num_segments=3)) + ops.sum(ops.slice_update(x * 0, places[1:2].repeat(2), x))
        )  # fmt: skip

    def slope(x):
        y, back = ops.vjp(used, [x])
        return back(ops.ones_like(y))[0]

    found = (kerata.function(slope) if compiled else slope)(ops.convert_to_tensor(np.ones((3, 2), "float32")))
    expected = np.array(
        [[6.0, 6.0], [2.0, 2.0], [10.0, 10.0]]
    )  # row 0 is looked up four times, row 2 eight times
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected)


def test_a_compiled_ldexp_of_constant_exponents_keeps_its_steps_apart(engine):
    x, exponents = np.array([1e-30, 1e30], "float32"), np.array([150, -150])
    found = kerata.function(lambda x: ops.ldexp(x, exponents))(ops.convert_to_tensor(x))
    np.testing.assert_allclose(ops.convert_to_numpy(found), np.ldexp(x, exponents), rtol=1e-6)


INSIDE_A_MAP = {
    "norm": ops.norm,
    "sqrt": lambda r: ops.sum(ops.sqrt(r)),
    "log": lambda r: ops.sum(ops.where(ops.greater(r, 0), ops.log(r), 0.0)),
    "divide": lambda r: ops.sum(ops.where(ops.greater(r, 0), ops.divide(1.0, r), 0.0)),
    "power": lambda r: ops.sum(ops.power(r, r)),
    "power of a number": lambda r: ops.sum(ops.where(ops.greater(r, 0), ops.power(r, 0.7), 0.0)),
    "hypot": lambda r: ops.hypot(r[0], r[1]),
    "maximum": lambda r: ops.sum(ops.maximum(r, r * r)),
    "arctan2": lambda r: ops.arctan2(r[0], r[1]),
    "std": ops.std,
    "root": lambda r: ops.sum(ops.where(ops.greater(r, 0), ops.power(r, 0.5), 0.0)),
    "prod": ops.prod,
    "cumprod": lambda r: ops.sum(ops.cumprod(ops.tile(r, 3))),
}


@pytest.mark.parametrize("compiled", [False, True])
def test_corners_inside_a_map(engine, compiled):
    """Engines that make one function of all elements do it with derivatives of their own, too."""

    def slopes(names):
        def run():
            found = {}
            for name in names:
                f = INSIDE_A_MAP[name]
                found[name] = kerata.value_and_grad(
                    lambda f=f: ops.sum(ops.vectorized_map(f, v.value)), [v]
                )()[1][0]
            return found

        v = kerata.Variable(np.array([[0.0, 0.0], [3.0, 4.0], [1.0, 1.0]], "float32"))
        found = (kerata.function(run) if compiled else run)()
        return {name: ops.convert_to_numpy(slope) for name, slope in found.items()}

    found = slopes(INSIDE_A_MAP)
    with kerata.use_backend("numpy"):
        expected = slopes(INSIDE_A_MAP)
    for name, slope in expected.items():
        assert np.isfinite(slope).all(), name
        np.testing.assert_allclose(found[name], slope, rtol=1e-5, atol=1e-6, err_msg=name)


def _attention(x, scale):
    heads = ops.reshape(x, (-1, 2, 1, 2))
    return ops.reshape(ops.dot_product_attention(heads, heads, heads, scale=scale), (-1, 4))


def _soft_cap(x, cap):
    heads = ops.reshape(x, (-1, 2, 1, 2))
    return ops.reshape(ops.dot_product_attention(heads, heads, heads, attn_logits_soft_cap=cap), (-1, 4))


def _image(x):
    return ops.reshape(x, (-1, 2, 2, 1))


_MOVED = np.array([1.0, 0, 1, 0, 1, 1, 0, 0])


PARAMETERS = {
    "leaky_relu": (ops.leaky_relu, 0.3),
    "elu": (ops.elu, 1.3),
    "celu": (ops.celu, 1.3),
    "squareplus": (ops.squareplus, 3.0),
    "soft_shrink": (ops.soft_shrink, 0.35),
    "attention": (_attention, 0.5),
    "soft cap of attention": (_soft_cap, 1.5),
    "pad": (lambda x, a: ops.pad(x, [(0, 0)] * (len(x.shape) - 1) + [(1, 2)], constant_values=a), 0.5),
    "nan_to_num": (lambda x, a: ops.nan_to_num(ops.where(ops.greater(x, 1), np.nan, x), nan=a), 0.5),
    "infinities": (lambda x, a: ops.nan_to_num(ops.where(ops.greater(x, 1), np.inf, x), posinf=a), 0.5),
    "threshold": (lambda x, a: ops.threshold(x, 0.0, a), 0.5),
    "trapezoid": (lambda x, a: ops.trapezoid(x, dx=a), 0.5),
    "layer_normalization": (lambda x, a: ops.layer_normalization(x, epsilon=a) ** 2, 0.5),
    "rms_normalization": (lambda x, a: ops.rms_normalization(x, epsilon=a), 0.5),
    "batch_normalization": (
        lambda x, a: ops.batch_normalization(x, np.ones(4), np.full(4, 0.5), -1, epsilon=a),
        0.5,
    ),
    "normalize": (lambda x, a: ops.normalize(x, epsilon=a), 4.0),
    "affine_transform": (lambda x, a: ops.image.affine_transform(_image(x), _MOVED, fill_value=a), 0.5),
    "resize": (
        lambda x, a: ops.image.resize(_image(x), (4, 2), pad_to_aspect_ratio=True, fill_value=a),
        0.5,
    ),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_numbers_among_arguments_have_derivatives(name, engine):
    f, value = PARAMETERS[name]
    x, v = np.array([-2.0, -0.3, 0.4, 3.0]), kerata.Variable(value, dtype="float64")

    def total(a):
        return ops.sum(f(ops.convert_to_tensor(x), a))

    _, (slope,) = kerata.value_and_grad(lambda: total(v.value), [v])()
    ends = [float(ops.convert_to_numpy(total(value + d))) for d in (1e-6, -1e-6)]
    np.testing.assert_allclose(ops.convert_to_numpy(slope), (ends[0] - ends[1]) / 2e-6, rtol=1e-6)
    compiled = kerata.function(kerata.value_and_grad(lambda: total(v.value), [v]))
    np.testing.assert_allclose(
        ops.convert_to_numpy(compiled()[1][0]), ops.convert_to_numpy(slope), rtol=1e-12
    )
    symbol = kerata.Input((4,), dtype="float64")
    model = kerata.Model(symbol, f(symbol, v))
    np.testing.assert_allclose(
        model.predict(x[None], verbose=0), ops.convert_to_numpy(f(x[None], value)), rtol=1e-6
    )
