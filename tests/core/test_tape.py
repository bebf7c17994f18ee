"""Derivatives of the NumPy engine's tape: every primitive against finite differences in float64."""

import numpy as np
import pytest

import kerata
from kerata import backends, ops
from kerata.core import primitives as p
from kerata.core.declare import PRIMITIVES
from kerata.core.errors import ArgumentError

A = np.array([[0.3, -0.7, 1.1], [0.9, 0.2, -0.4]])
B = np.array([[1.3, 0.6, -0.8], [0.5, -1.2, 0.7]])
POSITIVE = np.abs(A) + 0.4
SQUARE = np.array([[2.0, 0.3, 0.1], [0.3, 1.5, -0.2], [0.1, -0.2, 1.8]])


def unary(*names, at=A):
    return {name: (lambda x, name=name: getattr(p, name)(x), [at]) for name in names}


def binary(*names):
    return {name: (lambda x, y, name=name: getattr(p, name)(x, y), [A, B]) for name in names}


CASES = {
    **unary(
        "neg",
        "exp",
        "expm1",
        "sin",
        "cos",
        "tan",
        "tanh",
        "sinh",
        "cosh",
        "arctan",
        "arcsinh",
        "erf",
        "erfc",
        "abs",
    ),
    **unary("log", "log1p", "sqrt", "rsqrt", "reciprocal", "lgamma", at=POSITIVE),
    **unary("arcsin", "arccos", "arctanh", "erfinv", at=A / 2),
    **unary("arccosh", at=POSITIVE + 1),
    **binary("add", "sub", "mul", "div", "maximum", "minimum", "arctan2"),
}
CASES = {name: case for name, case in CASES.items() if name in PRIMITIVES}


@pytest.fixture(autouse=True)
def on_numpy():
    with kerata.use_backend("numpy"):
        yield


def numeric(f, inputs, weights, step=1e-6):
    grads = []
    for i, x in enumerate(inputs):
        g = np.zeros_like(x)
        for place in np.ndindex(x.shape):
            shifted = [[v.copy() for v in inputs] for _ in range(2)]
            shifted[0][i][place] += step
            shifted[1][i][place] -= step
            g[place] = sum(
                np.sum(w * (hi - lo)) for w, hi, lo in zip(weights, *map(f, shifted), strict=True)
            ) / (2 * step)
        grads.append(g)
    return grads


def check(f, inputs, rtol=1e-6):
    def outputs(values):
        out = f(*values)
        return list(out) if isinstance(out, (tuple, list)) else [out]

    weights = [np.cos(np.arange(o.size)).reshape(o.shape) for o in map(np.asarray, outputs(inputs))]
    _, back = backends.get("numpy").vjp(lambda *v: tuple(outputs(v)), inputs)
    found = back(tuple(weights))
    for a, b in zip(found, numeric(outputs, inputs, weights), strict=True):
        np.testing.assert_allclose(np.zeros_like(b) if a is None else a, b, rtol=rtol, atol=1e-7)


@pytest.mark.parametrize("name", CASES)
def test_a_primitive(name):
    f, inputs = CASES[name]
    check(f, inputs)


def test_there_are_enough_cases():
    assert len(CASES) >= 24


OPS = {
    "matmul": (ops.matmul, [A, B.T]),
    "einsum": (lambda x, y: ops.einsum("ij,kj->ki", x, y), [A, B]),
    "sum": (lambda x: ops.sum(x, axis=0), [A]),
    "max": (lambda x: ops.max(x, axis=1), [A]),
    "prod": (lambda x: ops.prod(x, axis=1), [A]),
    "cumsum": (lambda x: ops.cumsum(x, axis=1), [A]),
    "transpose": (ops.transpose, [A]),
    "reshape": (lambda x: ops.reshape(x, (3, 2)), [A]),
    "slices": (lambda x: x[:, ::2] * x[:1, 1:], [A]),
    "take": (lambda x: ops.take(x, np.array([1, 0, 1]), axis=0), [A]),
    "where": (lambda x, y: ops.where(ops.greater(x, y), x * y, y), [A, B]),
    "concatenate": (lambda x, y: ops.concatenate([x, y, x], axis=1), [A, B]),
    "stack": (lambda x, y: ops.stack([x, y], axis=1), [A, B]),
    "pad": (lambda x: ops.pad(x, ((1, 0), (0, 2))), [A]),
    "sort": (lambda x: ops.sort(x, axis=1), [A]),
    "softmax": (ops.softmax, [A]),
    "logsumexp": (lambda x: ops.logsumexp(x, axis=1), [A]),
    "broadcast": (lambda x, y: x * y, [A, B[:1]]),
    "power": (ops.power, [POSITIVE, B]),
    "inv": (ops.inv, [SQUARE]),
    "det": (ops.det, [SQUARE]),
    "solve": (ops.solve, [SQUARE, B.T]),
    "cholesky": (lambda x: ops.cholesky((x + ops.transpose(x)) / 2.0), [SQUARE]),
    "conv": (
        lambda x, k: ops.conv(x, k, strides=2, padding="same"),
        [np.sin(np.arange(10.0)).reshape(1, 5, 2), np.cos(np.arange(12.0)).reshape(3, 2, 2)],
    ),
    "max_pool": (lambda x: ops.max_pool(x, 2), [np.sin(np.arange(12.0)).reshape(1, 6, 2)]),
    "average_pool": (lambda x: ops.average_pool(x, 3, 1, "same"), [np.sin(np.arange(12.0)).reshape(1, 6, 2)]),
}


@pytest.mark.parametrize("name", OPS)
def test_an_op(name):
    f, inputs = OPS[name]
    check(f, inputs, rtol=1e-5)


def grad(f):
    engine = backends.get("numpy")

    def g(x):
        out, back = engine.vjp(f, [x])
        return back(ops.ones_like(out))[0]

    return g


def test_derivatives_of_derivatives():
    x = np.array([0.3, -0.7])
    np.testing.assert_allclose(grad(grad(lambda v: v * v * v))(x), 6 * x)
    np.testing.assert_allclose(grad(grad(ops.sin))(x), -np.sin(x))
    np.testing.assert_allclose(grad(grad(grad(ops.exp)))(x), np.exp(x))


def test_a_value_used_often():
    x = np.array([0.5, 2.0])

    def f(v):
        total = v
        for _ in range(50):
            total = total + v * 0.5
        return total * v

    np.testing.assert_allclose(grad(f)(x), 2 * 26 * x)


def test_a_deep_chain_needs_no_recursion():
    def f(v):
        for _ in range(5000):
            v = v + 1.0
        return v

    np.testing.assert_array_equal(grad(f)(np.ones(1)), [1.0])


def test_going_back_twice():
    _, back = backends.get("numpy").vjp(lambda v: v * v, [np.array([3.0])])
    assert [float(back(np.array([g]))[0][0]) for g in (1.0, 2.0)] == [6.0, 12.0]


def test_no_path_has_no_gradient():
    _, back = backends.get("numpy").vjp(lambda a, b: a * 2.0, [np.ones(2), np.ones(2)])
    first, second = back(np.ones(2))
    np.testing.assert_array_equal(first, [2, 2])
    assert second is None or not np.any(second)


# Functions of NumPy and methods of its arrays, and the same with ops.
AS_NUMPY = {
    "exp": (lambda x: np.sum(np.exp(x)), lambda x: ops.sum(ops.exp(x))),
    "operators beside arrays": (lambda x: np.sum(np.ones(3) * x * np.float64(2)), lambda x: ops.sum(x * 2.0)),
    "where": (
        lambda x: np.sum(np.where(x > 1.5, x * x, 0.0)),
        lambda x: ops.sum(ops.where(x > 1.5, x * x, 0.0)),
    ),
    "mean": (lambda x: np.mean(x, axis=0), lambda x: ops.mean(x, axis=0)),
    "products": (lambda x: np.ones((2, 3)) @ x @ np.ones(2), lambda x: 2.0 * ops.sum(x)),
    "concatenate": (lambda x: np.max(np.concatenate([x, 2 * x])), lambda x: ops.max(2.0 * x)),
    "remainder": (lambda x: np.sum(np.remainder(5.0, x)), lambda x: ops.sum(ops.mod(5.0, x))),
    "methods": (lambda x: (x.T * x).sum() + x.std(), lambda x: ops.sum(x * x) + ops.std(x)),
}


@pytest.mark.parametrize("name", AS_NUMPY)
def test_functions_of_numpy_have_derivatives(name):
    with kerata.use_backend("numpy"):
        v = kerata.Variable([1.0, 2.0, 3.5], dtype="float64")
        found, expected = (kerata.value_and_grad(lambda f=f: f(v.value), [v])() for f in AS_NUMPY[name])
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-12)
    np.testing.assert_allclose(found[1][0], expected[1][0], rtol=1e-12)


@pytest.mark.parametrize("f", [np.add.reduce, np.gradient], ids=["reduce", "gradient"])
def test_functions_of_numpy_that_are_no_ops_are_refused(f):
    with kerata.use_backend("numpy"):
        v = kerata.Variable([1.0, 2.0, 3.5], dtype="float64")
        with pytest.raises(ArgumentError, match=r"derivatives.*numpy\."):
            kerata.value_and_grad(lambda: ops.sum(f(v.value)), [v])()
