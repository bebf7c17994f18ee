"""Control flow on every engine, eager, compiled and in a graph: values against plain NumPy, derivatives against finite
differences of plain NumPy."""

import numpy as np
import pytest

import kerata
from kerata import ops
from kerata.core.errors import ArgumentError
from kerata.ops.core import vjp

X = np.array([1.0, 2.0, -3.0, 0.5])
M = np.arange(12.0).reshape(4, 3) / 10


def repeated(step, x, times):
    for i in range(times):
        x = step(i, x)
    return x


def while_below(limit, step, x, at_most=1000):
    for _ in range(at_most):
        if not x.sum() < limit:
            break
        x = step(x)
    return x


def scanned(step, carry, rows):
    out = []
    for row in rows:
        carry, y = step(carry, row)
        out.append(y)
    return carry, np.stack(out)


@ops.custom_gradient
def doubled_sine(x):
    """Its derivative is that of `2 sin`, written by hand."""
    return 2 * ops.sin(x), lambda upstream: upstream * 2 * ops.cos(x)


@ops.custom_gradient
def sum_and_product(a, b):
    return (a + b, a * b), lambda g, h: (g + h * b, g + h * a)


# name -> (input, function of a tensor, the same in NumPy)
CASES = {
    "cond, true": (X, lambda x: ops.cond(ops.sum(x) > 0, lambda: x * 2, lambda: x * x), lambda x: x * 2),
    "cond, false": (X, lambda x: ops.cond(ops.sum(x) > 9, lambda: x * 2, lambda: x * x), lambda x: x * x),
    "cond, a structure": (
        X,
        lambda x: ops.cond(ops.sum(x) > 0, lambda: {"a": x * 2, "b": (x, ops.sum(x))}, lambda: {"a": x, "b": (x * x, ops.max(x))}),
        lambda x: {"a": x * 2, "b": (x, x.sum())},
    ),
    "cond, the other branch is not finite": (
        X, lambda x: ops.cond(ops.sum(x) > 100, lambda: ops.log(x - 100), lambda: x * 3), lambda x: x * 3,
    ),
    "cond in cond": (
        X, lambda x: ops.cond(ops.sum(x) > 0, lambda: ops.cond(x[0] > 5, lambda: x, lambda: x * 7), lambda: x * 2), lambda x: x * 7,
    ),
    "switch": (X, lambda x: ops.switch(ops.cast(x[1], "int32"), [lambda a: a, lambda a: a * 2, lambda a: a * a], x), lambda x: x * x),
    "switch, out of range": (X, lambda x: ops.switch(ops.cast(x[2], "int32"), [lambda a: a * 5, lambda a: a], x), lambda x: x * 5),
    "switch, known": (X, lambda x: ops.switch(1, [lambda a: a, lambda a: a * 4], x), lambda x: x * 4),
    "while, counted": (
        X, lambda x: ops.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * v + 1), (0, x))[1], lambda x: repeated(lambda i, v: v * v + 1, x, 3),
    ),
    "while, by value": (X, lambda x: ops.while_loop(lambda v: ops.sum(v) < 50, lambda v: v * 2 + 1, x), lambda x: while_below(50, lambda v: v * 2 + 1, x)),
    "while, a dictionary": (
        X,
        lambda x: ops.while_loop(lambda s: s["i"] < 3, lambda s: {"i": s["i"] + 1, "v": s["v"] * 1.5}, {"i": 0, "v": x})["v"],
        lambda x: x * 1.5**3,
    ),
    "while, at most": (
        X,
        lambda x: ops.while_loop(lambda v: ops.sum(v) < 1e6, lambda v: v * 2 + 1, (x,), maximum_iterations=4)[0],
        lambda x: while_below(1e6, lambda v: v * 2 + 1, x, 4),
    ),
    "while, never": (X, lambda x: ops.while_loop(lambda v: ops.sum(v) > 1e6, lambda v: v * 2, [x])[0], lambda x: x),
    "while, longer than what is kept": (
        X[:2], lambda x: ops.while_loop(lambda i, v: i < 150, lambda i, v: (i + 1, ops.sin(v) + x * 0.1), (0, x))[1],
        lambda x: repeated(lambda i, v: np.sin(v) + x * 0.1, x, 150),
    ),
    "while in while": (
        X,
        lambda x: ops.while_loop(
            lambda i, v: i < 2, lambda i, v: (i + 1, ops.while_loop(lambda j, u: j < 2, lambda j, u: (j + 1, u * x + 1), (0, v))[1]), (0, x)
        )[1],
        lambda x: repeated(lambda i, u: u * x + 1, x, 4),
    ),
    "cond in while": (
        X,
        lambda x: ops.while_loop(lambda i, v: i < 4, lambda i, v: (i + 1, ops.cond(i < 2, lambda: v * 2, lambda: v + x)), (0, x))[1],
        lambda x: x * 4 + x + x,
    ),
    "fori": (X, lambda x: ops.fori_loop(1, 4, lambda i, v: v * x + ops.cast(i, ops.dtype(v)), x), lambda x: repeated(lambda i, v: v * x + i + 1, x, 3)),
    "fori, an end that is a tensor": (
        X, lambda x: ops.fori_loop(0, ops.cast(x[1], "int32"), lambda i, v: v * 1.5 + 1, x), lambda x: repeated(lambda i, v: v * 1.5 + 1, x, 2),
    ),
    "fori, nothing": (X, lambda x: ops.fori_loop(3, 1, lambda i, v: v * 0, x), lambda x: x),
    "fori, reads and writes": (
        X,
        lambda x: ops.fori_loop(0, 3, lambda i, v: ops.slice_update(v, ops.reshape(i, (1,)), ops.reshape(ops.take(v, i + 1) ** 2, (1,))), x),
        lambda x: np.array([x[1] ** 2, x[2] ** 2, x[3] ** 2, x[3]]),
    ),
    "scan": (
        M, lambda m: ops.scan(lambda c, r: (c * 0.5 + r, c * r), m[0], m), lambda m: scanned(lambda c, r: (c * 0.5 + r, c * r), m[0], m),
    ),
    "scan, reverse": (
        M, lambda m: ops.scan(lambda c, r: (c * 0.5 + r, c * r), m[0], m, reverse=True),
        lambda m: [v if i == 0 else v[::-1] for i, v in enumerate(scanned(lambda c, r: (c * 0.5 + r, c * r), m[0], m[::-1]))],
    ),
    "scan, unrolled": (
        M, lambda m: ops.scan(lambda c, r: (c + r, c * r), m[0], m, unroll=3), lambda m: scanned(lambda c, r: (c + r, c * r), m[0], m),
    ),
    "scan, a length": (X, lambda x: ops.scan(lambda c, _: (c * 0.5, c), x, None, length=3), lambda x: (x / 8, np.stack([x, x / 2, x / 4]))),
    "scan, no outputs": (M, lambda m: ops.scan(lambda c, r: (c * r, None), m[0] + 1, m)[0], lambda m: (m[0] + 1) * m.prod(0)),
    "scan in scan": (
        M,
        lambda m: ops.scan(lambda c, r: (c + ops.scan(lambda d, e: (d * e + 1, d), c, r)[0], c), m[0, 0], m)[0],
        lambda m: repeated(lambda i, c: c + repeated(lambda j, d: d * m[i, j] + 1, c, 3), m[0, 0], 4),
    ),
    "cond in scan": (
        X,
        lambda x: ops.scan(lambda c, e: (ops.cond(e > 0, lambda: c + e, lambda: c * e), c), x[0], x)[0],
        lambda x: repeated(lambda i, c: c + x[i] if x[i] > 0 else c * x[i], x[0], 4),
    ),
    "associative_scan": (M, lambda m: ops.associative_scan(lambda a, b: a + b, m), lambda m: m.cumsum(0)),
    "associative_scan, reverse": (
        M, lambda m: ops.associative_scan(lambda a, b: a * b, m + 1, reverse=True, axis=-1), lambda m: (m + 1)[:, ::-1].cumprod(1)[:, ::-1],
    ),
    "associative_scan, a recurrence": (
        M,
        lambda m: ops.associative_scan(lambda a, b: (a[0] * b[0], a[1] * b[0] + b[1]), (m, m + 1))[1],
        lambda m: scanned(lambda c, r: ((r * c + r + 1),) * 2, m[0] * 0, m)[1],
    ),
    "map": (M, lambda m: ops.map(lambda r: {"s": ops.sum(r), "p": r * r}, m), lambda m: {"s": m.sum(1), "p": m * m}),
    "vectorized_map": (
        M, lambda m: ops.vectorized_map(lambda e: (ops.sum(e[0] * e[1]), e[0] * 2), (m, m + 1)), lambda m: ((m * (m + 1)).sum(1), m * 2),
    ),
    "vectorized_map, twice": (M, lambda m: ops.vectorized_map(lambda r: ops.vectorized_map(lambda e: e * e, r), m), lambda m: m * m),
    "cond in vectorized_map": (
        M,
        lambda m: ops.vectorized_map(lambda r: ops.cond(ops.sum(r) > 1, lambda: r * 2, lambda: r * r), m),
        lambda m: np.where(m.sum(1, keepdims=True) > 1, m * 2, m * m),
    ),
    "fori in vectorized_map": (
        M, lambda m: ops.vectorized_map(lambda r: ops.fori_loop(0, 3, lambda i, v: v * r + 1, r), m), lambda m: repeated(lambda i, v: v * m + 1, m, 3),
    ),
    "while in vectorized_map": (
        M,
        lambda m: ops.vectorized_map(lambda r: ops.while_loop(lambda v: ops.sum(v) < 5, lambda v: v * 1.5 + 0.5, (r,))[0], m),
        lambda m: np.stack([while_below(5, lambda v: v * 1.5 + 0.5, r) for r in m]),
    ),
    "scan in vectorized_map": (
        M,
        lambda m: ops.vectorized_map(lambda r: ops.scan(lambda c, e: (c * e + 1, c), r[0], r)[1], m),
        lambda m: np.stack([scanned(lambda c, e: (c * e + 1, c), r[0], r)[1] for r in m]),
    ),
    "custom_gradient": (X, doubled_sine, lambda x: 2 * np.sin(x)),
    "custom_gradient, several": (X, lambda x: sum_and_product(x, x * x), lambda x: (x + x * x, x * x * x)),
    "custom_gradient in scan": (X, lambda x: ops.scan(lambda c, e: (c + doubled_sine(e), c), x[0], x)[0], lambda x: x[0] + 2 * np.sin(x).sum()),
    "custom_gradient in cond": (X, lambda x: ops.cond(ops.sum(x) > 0, lambda: doubled_sine(x), lambda: x), lambda x: 2 * np.sin(x)),
    "custom_gradient in while": (
        X,
        lambda x: ops.while_loop(lambda i, v: i < 2, lambda i, v: (i + 1, doubled_sine(v)), (0, x))[1],
        lambda x: 2 * np.sin(2 * np.sin(x)),
    ),
    "custom_gradient in vectorized_map": (X, lambda x: ops.vectorized_map(lambda e: doubled_sine(e) * e, x), lambda x: 2 * np.sin(x) * x),
    "jvp": (X, lambda x: ops.jvp(lambda a: ops.sin(a) * a, (x,), (x + 1,)), lambda x: (np.sin(x) * x, (np.cos(x) * x + np.sin(x)) * (x + 1))),
    "vectorize": (M, lambda m: ops.vectorize(lambda a, b: ops.sum(a * b), signature="(n),(n)->()")(m, m[0]), lambda m: m @ m[0]),
    "unstack": (M, lambda m: ops.unstack(m, axis=1)[2], lambda m: m[:, 2]),
}  # fmt: skip
# What a body takes from outside has no values in a graph, unless it is among its arguments.
CLOSED = {"while, longer than what is kept", "while in while", "cond in while", "fori", "scan in scan"}
every_case = pytest.mark.parametrize("name", CASES)


def leaves(result):
    return [np.asarray(ops.convert_to_numpy(v)) for v in kerata.tree.flatten(result)]


def check(got, expected, **tolerance):
    got, expected = leaves(got), [np.asarray(v) for v in kerata.tree.flatten(expected)]
    assert [v.shape for v in got] == [v.shape for v in expected]
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, **tolerance)


@every_case
def test_values(engine, name):
    x, fn, expected = CASES[name]
    tensor = ops.convert_to_tensor(x, "float32")
    check(fn(tensor), expected(x), rtol=2e-6, atol=2e-6)
    check(kerata.function(fn)(tensor), expected(x), rtol=2e-6, atol=2e-6)


@every_case
def test_64_bits_stay_in_compiled_functions(engine, name):
    x, fn, expected = CASES[name]
    check(kerata.function(fn)(x), expected(x), rtol=1e-12, atol=1e-12)


def weight(leaf):
    return np.cos(np.arange(leaf.size) + 1.0).reshape(leaf.shape)


@every_case
def test_derivatives(engine, name):
    x, fn, expected = CASES[name]
    weights = [weight(np.asarray(v)) for v in kerata.tree.flatten(expected(x))]
    direction = np.sin(np.arange(x.size) + 1.0).reshape(x.shape)

    def gradient(tensor):
        def loss(v):
            parts = zip(kerata.tree.flatten(fn(v)), weights, strict=True)
            return sum(ops.sum(part * ops.convert_to_tensor(w)) for part, w in parts)

        value, back = vjp(loss, [tensor])
        return back(ops.ones_like(value))[0]

    def at(t):
        return sum(
            (np.asarray(v) * w).sum()
            for v, w in zip(kerata.tree.flatten(expected(x + t * direction)), weights, strict=True)
        )

    slope = (8 * (at(1e-5) - at(-1e-5)) - (at(2e-5) - at(-2e-5))) / 12e-5
    tensor = ops.convert_to_tensor(x)
    for found in (gradient(tensor), kerata.function(gradient)(tensor)):
        assert (ops.convert_to_numpy(found) * direction).sum() == pytest.approx(slope, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", [name for name in CASES if name not in CLOSED])
@pytest.mark.parametrize("known", [True, False])
def test_graphs(name, known):
    x, fn, expected = CASES[name]
    given = kerata.KerasTensor(x.shape if known else (None, *x.shape[1:]), "float64")
    if not known and name in ("vectorize", "switch, known"):
        given = kerata.KerasTensor(x.shape, "float64")
    out = fn(given)
    result = kerata.Function(given, out)(x)
    check(result, expected(x), rtol=1e-12, atol=1e-12)
    for symbol, value in zip(kerata.tree.flatten(out), leaves(result), strict=True):
        assert symbol.dtype == value.dtype.name and len(symbol.shape) == value.ndim
        assert all(a in (None, b) for a, b in zip(symbol.shape, value.shape, strict=True))


def test_derivatives_of_derivatives_go_through_loops(engine):
    x = ops.convert_to_tensor(np.array([0.5, 1.5]))

    def slope(v):
        value, back = vjp(
            lambda u: ops.while_loop(lambda i, w: i < 2, lambda i, w: (i + 1, w * w), (0, u))[1], [v]
        )
        return back(ops.ones_like(value))[0]

    value, back = vjp(slope, [x])
    np.testing.assert_allclose(ops.convert_to_numpy(value), 4 * np.array([0.5, 1.5]) ** 3)
    np.testing.assert_allclose(
        ops.convert_to_numpy(back(ops.ones_like(value))[0]), 12 * np.array([0.5, 1.5]) ** 2
    )


REFUSED = {
    "a condition that is no scalar": (lambda x: ops.cond(x > 0, lambda: x, lambda: x), "pred"),
    "no function": (lambda x: ops.cond(True, x, lambda: x), "true_fn"),
    "no branches": (lambda x: ops.switch(0, [], x), "branches"),
    "a body that changes the shape": (
        lambda x: ops.while_loop(lambda v: ops.sum(v) < 9, lambda v: v[:1], (x,)),
        "body",
    ),
    "a body that gives too little": (
        lambda x: ops.while_loop(lambda a, b: ops.sum(a) < 9, lambda a, b: (a,), (x, x)),
        "body",
    ),
    "an end that is no integer": (lambda x: ops.fori_loop(0, 2.5, lambda i, v: v, x), "upper"),
    "a step that changes the shape": (lambda x: ops.fori_loop(0, 2, lambda i, v: v[:1], x), "body_fun"),
    "no length": (lambda x: ops.scan(lambda c, e: (c, e), x), "length"),
    "another length": (lambda x: ops.scan(lambda c, e: (c, e), x, x, length=3), "xs"),
    "different lengths": (lambda x: ops.vectorized_map(lambda e: e[0], (x, x[:2])), "elements"),
    "sizes that differ": (lambda x: ops.associative_scan(lambda a, b: a, (x, x[:2])), "elems"),
    "an axis out of range": (lambda x: ops.associative_scan(lambda a, b: a + b, x, axis=1), "axis"),
    "too few tangents": (lambda x: ops.jvp(lambda a: a, (x,), ()), "tangents"),
    "a tangent of another shape": (lambda x: ops.jvp(lambda a: a, (x,), (x[:2],)), "tangents"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("compiled", [False, True])
def test_refusals(engine, name, compiled):
    fn, argument = REFUSED[name]
    with pytest.raises(ArgumentError) as caught:
        (kerata.function(fn) if compiled else fn)(ops.convert_to_tensor(X))
    assert caught.value.argument == argument


def test_branches_must_agree_where_both_are_compiled(engine):
    if not backends_that_compile(engine):
        return
    fn = kerata.function(lambda x: ops.cond(ops.sum(x) > 0, lambda: x, lambda: x[:1]))
    with pytest.raises(ArgumentError, match="false_fn"):
        fn(ops.convert_to_tensor(X))


def backends_that_compile(engine):
    return kerata.backends.get(engine).compiles


def test_derivatives_of_derivatives_along_a_direction(engine):
    """Of the third power, 3 x**2 once and 6 x twice; also where the second derivative is one backwards."""
    x = ops.convert_to_tensor(np.array([1.0, 2.0, 3.0], "float32"))
    one = ops.ones_like(x)

    def first(x):
        return ops.jvp(lambda b: ops.power(b, 3), (x,), (ops.ones_like(x),))[1]

    np.testing.assert_allclose(ops.convert_to_numpy(ops.jvp(first, (x,), (one,))[1]), [6, 12, 18], rtol=1e-5)
    v = kerata.Variable(x)
    _, (backwards,) = kerata.value_and_grad(lambda: ops.sum(first(v.value)), [v])()
    np.testing.assert_allclose(ops.convert_to_numpy(backwards), [6, 12, 18], rtol=1e-5)
