"""Draws inside control flow, rematerialised code and derivatives: streams advance there as they do elsewhere."""

import numpy as np
import pytest

import kerata
from kerata import ops, random

N = ops.convert_to_numpy


def tensor(values, dtype="float32"):
    return ops.convert_to_tensor(np.asarray(values, dtype))


@pytest.mark.parametrize("compiled", [False, True])
def test_draws_inside_control_flow(engine, compiled):
    """A stream in a loop gives what it gives outside, and goes on afterwards."""

    def scanned(stream):
        return ops.scan(lambda c, x: (c, random.normal((2,), seed=stream)), ops.zeros(()), ops.zeros((3,)))[1]

    def looped(stream):
        def body(i, total):
            return i + 1, ops.concatenate([total[2:], random.normal((2,), seed=stream)])

        return ops.while_loop(lambda i, _: i < 3, body, (tensor(0, "int32"), ops.zeros((6,))))[1]

    def counted(stream):
        def body(i, total):
            return ops.concatenate([total[2:], random.normal((2,), seed=stream)])

        return ops.fori_loop(0, 3, body, ops.zeros((6,)))

    def mapped(stream):
        return ops.map(lambda x: x + random.normal((2,), seed=stream), ops.zeros((3, 2)))

    def switched(stream):
        def all_(x):
            return x + ops.concatenate([random.normal((2,), seed=stream) for _ in range(3)])

        return ops.switch(tensor(1, "int32"), [lambda x: x, all_], ops.zeros((6,)))

    def chosen(stream):
        def both():
            return ops.concatenate([random.normal((2,), seed=stream) for _ in range(3)])

        return ops.cond(ops.sum(ops.ones(2)) > 1.0, both, lambda: ops.zeros((6,)))

    with kerata.use_backend("numpy"):
        stream = random.SeedGenerator(5)
        wanted = [N(random.normal((2,), seed=stream)) for _ in range(4)]
    for draw in (scanned, looped, counted, mapped, switched, chosen):
        stream = random.SeedGenerator(5)
        found = kerata.function(lambda d=draw, s=stream: d(s))() if compiled else draw(stream)
        np.testing.assert_array_equal(N(found).reshape(3, 2), wanted[:3])
        assert stream.state.numpy().tolist() == [5, 3]
        np.testing.assert_array_equal(N(random.normal((2,), seed=stream)), wanted[3])


@pytest.mark.parametrize("compiled", [False, True])
def test_a_state_can_be_carried(engine, compiled):
    """Without a stream: states are tensors, (seed, counter)."""

    def run():
        def step(counter, _):
            state = ops.stack([ops.cast(9, "int32"), counter])
            return counter + 1, random.randint((4,), 0, 100, seed=state)

        return ops.scan(step, ops.cast(0, "int32"), length=3)[1]

    stream = random.SeedGenerator(9)
    wanted = [N(random.randint((4,), 0, 100, seed=stream)) for _ in range(3)]
    np.testing.assert_array_equal(N(kerata.function(run)() if compiled else run()), wanted)


def test_mapped_elements_share_their_draw(engine):
    stream = random.SeedGenerator(5)
    rows = N(ops.vectorized_map(lambda x: x + random.uniform((2,), seed=stream), ops.zeros((3, 2))))
    assert stream.state.numpy().tolist() == [5, 1]
    np.testing.assert_array_equal(rows, np.tile(N(random.uniform((2,), seed=5)), (3, 1)))


@pytest.mark.parametrize("compiled", [False, True])
def test_rematerialised_dropout_drops_the_same_elements(engine, compiled):
    """The backward pass computes the inner values again; it must not draw again."""
    stream, w = random.SeedGenerator(5), kerata.Variable(np.ones(20, "float32"))
    scale = np.arange(20, dtype="float32")

    def loss():
        dropped = kerata.remat(lambda x: random.dropout(ops.exp(x), 0.5, seed=stream))(w.value)
        return ops.sum(ops.multiply(dropped, scale))

    def run():
        return kerata.value_and_grad(loss, [w])()

    for count in (1, 2):
        value, (gradient,) = kerata.function(run)() if compiled else run()
        np.testing.assert_allclose(N(gradient).sum(), float(value), rtol=1e-5)  # exp is its own derivative
        assert stream.state.numpy().tolist() == [5, count]


def test_derivatives_reach_parameters_and_inputs(engine):
    mean, scale = (kerata.Variable(np.full(5, v, "float32")) for v in (1.0, 2.0))
    _, (by_mean, by_scale) = kerata.value_and_grad(
        lambda: ops.sum(random.normal((3, 5), mean, scale, seed=4)), [mean, scale]
    )()
    np.testing.assert_allclose(N(by_mean), 3.0)
    np.testing.assert_allclose(N(by_scale), N(random.normal((3, 5), seed=4)).sum(0), rtol=1e-6)
    x = kerata.Variable(np.ones(100, "float32"))
    _, (by_x,) = kerata.value_and_grad(lambda: ops.sum(random.dropout(x.value, 0.2, seed=4)), [x])()
    assert sorted(set(N(by_x).tolist())) == [0.0, 1.25]


LOCATION_AND_SCALE = {
    "uniform": lambda a, b: random.uniform((3, 5), ops.subtract(a, b), ops.add(a, b), seed=4),
    "normal": lambda a, b: random.normal((3, 5), a, b, seed=4),
    "truncated_normal": lambda a, b: random.truncated_normal((3, 5), a, b, seed=4),
    "gumbel": lambda a, b: random.gumbel((3, 5), a, b, seed=4),
}


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", LOCATION_AND_SCALE)
def test_derivatives_by_location_and_scale(engine, name, compiled):
    """Of `a + b z`: 1 and z."""
    a, b = (kerata.Variable(np.full(5, v, "float32")) for v in (1.0, 2.0))

    def run():
        return kerata.value_and_grad(lambda: ops.sum(LOCATION_AND_SCALE[name](a, b)), [a, b])()

    value, (by_a, by_b) = kerata.function(run)() if compiled else run()
    np.testing.assert_array_equal(N(by_a), np.full(5, 3.0, "float32"))
    np.testing.assert_allclose(N(by_b).sum(), (float(value) - 15.0) / 2, rtol=1e-5)


def test_no_derivative_passes_a_rejection(engine):
    a, b = (kerata.Variable(np.full(5, v, "float32")) for v in (0.5, 2.0))

    def run():
        shape = (3, 5)
        drawn = [
            random.gamma(shape, ops.add(a, b), seed=4),
            random.beta(shape, a, b, seed=4),
            random.binomial(shape, ops.multiply(b, 9.0), a, seed=4),
        ]
        return ops.sum(ops.stack(drawn)) + ops.sum(a)

    _, (by_a, by_b) = kerata.value_and_grad(run, [a, b])()
    np.testing.assert_array_equal(N(by_a), np.ones(5, "float32"))
    np.testing.assert_array_equal(N(by_b), np.zeros(5, "float32"))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_derivatives_of_dropout_are_its_factors(engine, dtype):
    def dropped(x):
        return random.dropout(x, 0.3, seed=4)

    x = ops.ones((200,), dtype)
    value, back = kerata.backends.current().vjp(dropped, [x])
    (by_x,) = back(ops.ones((200,), dtype))
    assert ops.dtype(by_x) == dtype
    np.testing.assert_array_equal(N(by_x), N(value))
