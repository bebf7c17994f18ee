"""The same values on every engine: eagerly, compiled, and inside control flow."""

import numpy as np
import pytest

import kerata
from kerata import ops, random
from kerata.random import host

N = ops.convert_to_numpy


def tensor(values, dtype="float32"):
    return ops.convert_to_tensor(np.asarray(values, dtype))


# Bits are equal, where nothing is said; else a tolerance and its reason.
LIBRARY = "logarithms of the engines' own libraries"
DRAWS = {
    "uniform": (lambda s: random.uniform((700,), seed=s), None),
    "uniform_range": (lambda s: random.uniform((3, 500), -2.5, 7.25, seed=s), None),
    "uniform_symmetric": (lambda s: random.uniform((300,), -0.3, 0.3, seed=s), None),
    "uniform_bfloat16": (lambda s: random.uniform((300,), dtype="bfloat16", seed=s), None),
    "uniform_float16": (lambda s: random.uniform((300,), 0.1, 0.2, dtype="float16", seed=s), None),
    "uniform_float64": (lambda s: random.uniform((300,), 1, 3, dtype="float64", seed=s), None),
    "uniform_tensors": (lambda s: random.uniform((3, 4), tensor(range(4)), 9.0, seed=s), None),
    "normal": (lambda s: random.normal((1500,), seed=s), None),
    "normal_short": (lambda s: random.normal((7,), seed=s), None),
    "normal_scaled": (lambda s: random.normal((400,), 1.5, 0.3, seed=s), None),
    "normal_float64": (lambda s: random.normal((301,), dtype="float64", seed=s), None),
    "normal_bfloat16": (lambda s: random.normal((300,), dtype="bfloat16", seed=s), None),
    "normal_tensors": (lambda s: random.normal((3, 4), tensor(range(4)), 9.0, seed=s), None),
    "truncated_normal": (lambda s: random.truncated_normal((1500,), seed=s), None),
    "truncated_normal_float64": (
        lambda s: random.truncated_normal((200,), dtype="float64", seed=s),
        (1e-13, "erfinv"),
    ),
    "randint": (lambda s: random.randint((1500,), -3, 7, seed=s), None),
    "randint_power": (lambda s: random.randint((300,), -3, 16381, seed=s), None),
    "randint_wide": (lambda s: random.randint((300,), -5, 1_000_000, seed=s), None),
    "randint_one": (lambda s: random.randint((300,), 4, 5, seed=s), None),
    "randint_all": (lambda s: random.randint((300,), -(2**31), 2**31, seed=s), None),
    "randint_uint8": (lambda s: random.randint((300,), 0, 256, "uint8", seed=s), None),
    "randint_uint32": (lambda s: random.randint((100,), 5, 2**32, "uint32", seed=s), None),
    "randint_int64": (lambda s: random.randint((100,), -(2**40), 2**41, "int64", seed=s), None),
    "randint_uint64": (lambda s: random.randint((100,), 0, 2**64 - 1, "uint64", seed=s), None),
    "randint_tensors": (
        lambda s: random.randint((3, 2), tensor([0, 5], "int32"), tensor([3, 9], "int32"), seed=s),
        None,
    ),
    "bernoulli": (lambda s: random.bernoulli((1500,), 0.2, seed=s), None),
    "dropout": (lambda s: random.dropout(ops.ones((50, 30)), 0.3, seed=s), None),
    "dropout_shared": (lambda s: random.dropout(ops.ones((50, 30)), 0.3, (None, 1), seed=s), None),
    "shuffle": (lambda s: random.shuffle(ops.reshape(ops.arange(600), (300, 2)), seed=s), None),
    "permutation": (lambda s: random.permutation(20, s), None),
    "categorical": (
        lambda s: random.categorical(tensor([[0.1, 2.0, -1.0], [0.0, -99.0, 0.5]]), 50, seed=s),
        None,
    ),
    "gumbel": (lambda s: random.gumbel((300,), seed=s), (1e-6, LIBRARY)),
    "gamma": (lambda s: random.gamma((300,), 0.7, seed=s), (1e-6, LIBRARY)),
    "gamma_tensors": (lambda s: random.gamma((3, 2), tensor([1.0, 5.0]), seed=s), (1e-6, LIBRARY)),
    "beta": (lambda s: random.beta((300,), 0.5, 2.0, seed=s), (1e-6, LIBRARY)),
    "binomial": (lambda s: random.binomial((300,), 10, 0.3, seed=s), None),
    "binomial_tensors": (lambda s: random.binomial((200, 2), tensor([100.0, 1e6]), 0.4, seed=s), None),
}


@pytest.fixture(scope="module")
def expected():
    with kerata.use_backend("numpy"):
        return {name: N(draw(11)) for name, (draw, _) in DRAWS.items()}


def assert_equal(found, wanted, tolerance):
    found = N(found)
    assert found.dtype == wanted.dtype and found.shape == wanted.shape
    if tolerance is None:
        np.testing.assert_array_equal(found, wanted)
    else:
        np.testing.assert_allclose(found, wanted, rtol=tolerance[0], atol=tolerance[0])


@pytest.mark.parametrize("name", DRAWS)
def test_eager_values_are_the_same(engine, name, expected):
    draw, tolerance = DRAWS[name]
    assert_equal(draw(11), expected[name], tolerance)


@pytest.mark.parametrize("name", DRAWS)
def test_compiled_values_are_the_same(engine, name, expected):
    draw, tolerance = DRAWS[name]
    compiled = kerata.function(lambda state: draw(state))
    assert_equal(compiled(tensor([11, 0], "uint32")), expected[name], tolerance)


@pytest.mark.parametrize(
    "name", ["uniform_range", "normal_scaled", "truncated_normal", "dropout", "normal_float64"]
)
def test_values_of_the_strongest_compiler_are_the_same(engine, name, expected):
    """XLA contracts products with sums, and merges constants: nothing of that may be seen."""
    if engine == "torch" and not _has_inductor():
        return
    draw, tolerance = DRAWS[name]
    compiled = kerata.function(lambda state: draw(state), jit_compile=True)
    assert_equal(compiled(tensor([11, 0], "uint32")), expected[name], tolerance)


def _has_inductor():
    import shutil

    return shutil.which("g++") is not None or shutil.which("c++") is not None


@pytest.mark.parametrize("compiled", [False, True])
def test_draws_inside_control_flow(engine, compiled):
    """A stream in a loop gives what it gives outside, and goes on afterwards."""

    def scanned(stream):
        return ops.scan(lambda c, x: (c, random.normal((2,), seed=stream)), ops.zeros(()), ops.zeros((3,)))[1]

    def looped(stream):
        def body(i, total):
            return i + 1, ops.concatenate([total[2:], random.normal((2,), seed=stream)])

        return ops.while_loop(lambda i, _: i < 3, body, (tensor(0, "int32"), ops.zeros((6,))))[1]

    def chosen(stream):
        def both():
            return ops.concatenate([random.normal((2,), seed=stream) for _ in range(3)])

        return ops.cond(ops.sum(ops.ones(2)) > 1.0, both, lambda: ops.zeros((6,)))

    with kerata.use_backend("numpy"):
        stream = random.SeedGenerator(5)
        wanted = [N(random.normal((2,), seed=stream)) for _ in range(4)]
    for draw in (scanned, looped, chosen):
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


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_host_arrays_are_the_same(engine, dtype):
    for array, tensor_ in (
        (host.uniform, random.uniform), (host.normal, random.normal), (host.truncated_normal, random.truncated_normal)
    ):  # fmt: skip
        drawn = array((30, 40), -0.5, 1.5, dtype, seed=21)
        assert isinstance(drawn, np.ndarray)
        np.testing.assert_array_equal(N(tensor_((30, 40), -0.5, 1.5, dtype, seed=21)), drawn)


def test_unknown_sizes(engine):
    """Inside a graph with an unknown batch the draw is that of the batch that comes."""
    if engine != "tensorflow":
        return
    import tensorflow as tf

    stream = tensor([3, 0], "uint32")
    drop = tf.function(
        lambda x: random.dropout(x, 0.4, seed=stream),
        input_signature=[tf.TensorSpec((None, 7))],
        autograph=False,
    )
    for batch in (1, 30, 200):
        x = np.ones((batch, 7), "float32")
        np.testing.assert_array_equal(drop(x).numpy(), N(random.dropout(x, 0.4, seed=3)))
