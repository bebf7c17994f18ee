"""Seeds and streams: what they accept, how they advance, what they remember."""

import numpy as np
import pytest

import kerata
from kerata import ops, random
from kerata.core.errors import ArgumentError
from kerata.random import host
from kerata.random.seed_generator import SeedGenerator

N = ops.convert_to_numpy


def test_state_is_what_the_peer_has(engine):
    import keras

    ours, theirs = random.SeedGenerator(7, name="mine"), keras.random.SeedGenerator(7, name="mine")
    for _ in range(3):
        assert N(ours.next()).tolist() == N_peer(theirs.next()) and N(ours.state.value).tolist() == N_peer(
            theirs.state
        )
    assert ours.state.dtype == "uint32" and ours.state.shape == (2,) and not ours.state.trainable
    assert ours.state.path == theirs.state.path
    assert ours.get_config() == theirs.get_config()


def N_peer(x):
    import keras

    return keras.ops.convert_to_numpy(x).tolist()


def test_a_stream_never_repeats_itself_and_can_be_repeated(engine):
    a, b = random.SeedGenerator(1), random.SeedGenerator(1)
    first = [N(random.uniform((4,), seed=a)) for _ in range(3)]
    assert not np.array_equal(first[0], first[1])
    np.testing.assert_array_equal(first, [N(random.uniform((4,), seed=b)) for _ in range(3)])
    again = SeedGenerator.from_config(a.get_config())
    np.testing.assert_array_equal(N(random.uniform((4,), seed=again)), first[0])


def test_the_counter_wraps(engine):
    stream = random.SeedGenerator(3)
    stream.state.assign(np.array([3, 0xFFFFFFFF], "uint32"))
    random.uniform((1,), seed=stream)
    assert stream.state.numpy().tolist() == [3, 0]
    stream.state.assign(np.array([3, 0xFFFFFFFF], "uint32"))
    stream.next()
    assert stream.state.numpy().tolist() == [3, 0]


def test_next_and_draws_advance_alike(engine):
    stream = random.SeedGenerator(3)
    stream.next(), random.uniform((2,), seed=stream), stream.next(ordered=False)
    assert stream.state.numpy().tolist() == [3, 3]


@pytest.mark.parametrize("make", [int, np.int64, np.uint32, lambda s: np.array([s, 0], "uint32")])
def test_kinds_of_seeds(engine, make):
    np.testing.assert_array_equal(N(random.uniform((4,), seed=make(5))), N(random.uniform((4,), seed=5)))


@pytest.mark.parametrize("dtype", ["uint32", "int32", "int64"])
def test_states_are_seeds(engine, dtype):
    stream = random.SeedGenerator(5)
    state = ops.cast(stream.state.value, dtype) if dtype != "uint32" else stream.state.value
    np.testing.assert_array_equal(N(random.normal((4,), seed=state)), N(random.normal((4,), seed=5)))
    np.testing.assert_array_equal(N(random.normal((4,), seed=stream.state)), N(random.normal((4,), seed=5)))


def test_seeds_of_64_bits(engine):
    """Both halves count; and the upper one is not a place in the stream of the lower one."""
    low, high = random.uniform((4,), seed=5), random.uniform((4,), seed=5 | 1 << 32)
    assert not np.array_equal(N(low), N(high))
    stream = random.SeedGenerator(5)
    stream.next()
    assert not np.array_equal(N(random.uniform((4,), seed=stream)), N(high))
    np.testing.assert_array_equal(N(random.uniform((4,), seed=random.SeedGenerator(5 | 1 << 32))), N(high))


def test_one_seed_makes_everything_reproducible(engine):
    def run():
        kerata.utils.set_random_seed(42)
        made = random.SeedGenerator()
        return [
            N(random.uniform((3,))), N(random.uniform((3,), seed=made)), N(random.normal((3,))),
            N(random.uniform((3,), seed=random.SeedGenerator())), host.uniform((3,)), np.random.rand(3),  # noqa: NPY002
        ]  # fmt: skip

    first, second = run(), run()
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert len({tuple(a.tolist()) for a in first}) == len(first)


def test_the_global_stream_is_the_same_on_every_engine():
    drawn = []
    for name in kerata.backends.installed():
        with kerata.use_backend(name):
            kerata.utils.set_random_seed(1)
            drawn.append(np.stack([N(random.uniform((3,))) for _ in range(2)]))
    for other in drawn[1:]:
        np.testing.assert_array_equal(other, drawn[0])


def test_compiled_draws_of_the_global_stream_advance(engine):
    kerata.utils.set_random_seed(1)
    eager = [N(random.uniform((3,))) for _ in range(3)]
    kerata.utils.set_random_seed(1)
    draw = kerata.function(lambda: random.uniform((3,)))
    np.testing.assert_array_equal([N(draw()) for _ in range(3)], eager)


def test_compiled_draws_of_a_stream_advance(engine):
    stream, twin = random.SeedGenerator(2), random.SeedGenerator(2)
    draw = kerata.function(lambda: random.uniform((3,), seed=stream))
    for _ in range(3):
        np.testing.assert_array_equal(N(draw()), N(random.uniform((3,), seed=twin)))


def test_asking_for_shapes_draws_nothing(engine):
    stream = random.SeedGenerator(2)
    x = kerata.Input((5,))
    y = random.dropout(x, 0.5, seed=stream)
    assert y.shape == (None, 5) and stream.state.numpy().tolist() == [2, 0]
    with pytest.raises(ArgumentError):
        random.dropout(x, 0.5, noise_shape=(3, 3, 3), seed=stream)
    assert stream.state.numpy().tolist() == [2, 0]


def test_symbolic_draws_run_anew_each_time(engine):
    stream = random.SeedGenerator(2)
    x = kerata.Input((50,))
    dropped, shuffled = random.dropout(x, 0.5, seed=stream), random.shuffle(x, axis=1, seed=stream)
    classes = random.categorical(x, 3, seed=stream)
    assert (dropped.shape, shuffled.shape, classes.shape) == ((None, 50), (None, 50), (None, 3))
    run = kerata.Function(x, [dropped, shuffled, classes])
    value = np.arange(100, dtype="float32").reshape(2, 50)
    (a, b, c), (d, e, _) = run(value), run(value)
    assert not np.array_equal(N(a), N(d)) and not np.array_equal(N(b), N(e))
    np.testing.assert_array_equal(np.sort(N(b), axis=1), value)
    assert N(c).shape == (2, 3) and stream.state.numpy().tolist() == [2, 6]


def test_parameters_of_a_draw_may_be_symbolic(engine):
    """The draw is made when the model runs, not when it is built."""
    stream = random.SeedGenerator(2)
    mean, scale = kerata.Input(()), kerata.Input(())
    noise = random.normal((4, 3), ops.expand_dims(mean, 1), ops.expand_dims(scale, 1), seed=stream)
    counts = random.binomial((4, 3), 100, ops.expand_dims(scale, 1) * 0.1, seed=stream)
    assert noise.shape == (4, 3) and stream.state.numpy().tolist() == [2, 0]
    run = kerata.Function([mean, scale], [noise, counts])
    given = [np.arange(4, dtype="float32"), np.ones(4, "float32")]
    (a, b), (c, d) = run(given), run(given)
    twin = random.SeedGenerator(2)
    expected = N(random.normal((4, 3), seed=twin)) + given[0][:, None]
    np.testing.assert_allclose(N(a), expected, rtol=1e-6)
    assert not np.array_equal(N(a), N(c)) and not np.array_equal(N(b), N(d))


def test_engines_need_not_agree_for_a_host_draw():
    """A tensor decides where dropout runs, whatever the default engine is."""
    for name in kerata.backends.installed():
        with kerata.use_backend(name):
            x = ops.ones((40,))
        dropped = random.dropout(x, 0.5, seed=3)
        assert type(dropped) is type(x)
        np.testing.assert_array_equal(N(dropped), N(random.dropout(np.ones(40, "float32"), 0.5, seed=3)))


def test_dropout_keeps_and_scales(engine):
    x = np.array([1.0, np.nan, np.inf, 0.0] * 50, "float32")
    dropped = N(random.dropout(x, 0.5, seed=1))
    kept = N(random.dropout(np.ones_like(x), 0.5, seed=1)) > 0
    np.testing.assert_array_equal(dropped[~kept], 0.0)
    np.testing.assert_array_equal(dropped[kept], x[kept] * 2)
    np.testing.assert_array_equal(N(random.dropout(x, 0.0, seed=1)), x)
    np.testing.assert_array_equal(N(random.dropout(x, 1.0, seed=1)), 0.0)
    shared = N(random.dropout(np.ones((6, 40), "float32"), 0.5, noise_shape=(1, None), seed=1))
    assert (shared == shared[:1]).all()
    for dtype in ("float16", "bfloat16", "float64"):
        assert ops.dtype(random.dropout(ops.ones((3,), dtype), 0.5, seed=1)) == dtype
    assert ops.dtype(random.dropout([1, 2], 0.5, seed=1)) == "float32"
    assert ops.dtype(random.dropout([1, 2], 0.0, seed=1)) == "int32"  # nothing is done


def test_noise_shapes_of_unknown_batches(engine):
    x = kerata.Input((5,))
    y = random.dropout(x, 0.5, noise_shape=(4, 1), seed=3)
    assert y.shape in ((None, 5), (4, 5))
    value = np.ones((4, 5), "float32")
    drawn = N(kerata.Function(x, y)(value))
    np.testing.assert_array_equal(drawn, N(random.dropout(value, 0.5, noise_shape=(4, 1), seed=3)))


def test_dropout_takes_short_noise_shapes_and_tensors_as_rates(engine):
    x = np.ones((6, 40), "float32")
    shared = N(random.dropout(x, 0.5, noise_shape=(40,), seed=1))
    np.testing.assert_array_equal(shared, N(random.dropout(x, 0.5, noise_shape=(1, 40), seed=1)))
    rate = kerata.Variable(0.25)
    for given in (rate, rate.value, np.float32(0.25), np.array(0.25)):
        np.testing.assert_array_equal(N(random.dropout(x, given, seed=1)), N(random.dropout(x, 0.25, seed=1)))
    dropped = kerata.function(lambda r: random.dropout(x, r, seed=1))
    for value in (0.0, 0.3, 1.0):
        rate.assign(value)
        expected = N(random.dropout(x, rate, seed=1))
        np.testing.assert_array_equal(N(dropped(ops.convert_to_tensor(np.float32(value)))), expected)


def test_shuffle_moves_whole_slices(engine):
    x = np.arange(24).reshape(4, 3, 2)
    for axis in (0, 1, 2, -1):
        shuffled = N(random.shuffle(x, axis=axis, seed=3))
        order = N(random.permutation(x.shape[axis], seed=3))
        np.testing.assert_array_equal(shuffled, np.take(x, order, axis=axis))
    assert N(random.shuffle([1, 2, 3], seed=1)).tolist() in [
        [a, b, c] for a in (1, 2, 3) for b in (1, 2, 3) for c in (1, 2, 3)
    ]
    assert N(random.shuffle(np.zeros((0, 3)), seed=1)).shape == (0, 3)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("low, high", [(0.0, 1.0), (-1.0, 1.0), (0.25, 0.3), (-3.0, 1000.0), (2.0, 2.0)])
def test_uniform_stays_in_its_range(engine, dtype, low, high):
    values = N(random.uniform((4000,), low, high, dtype=dtype, seed=1)).astype("float64")
    bounds = np.array([low, high]).astype("float32" if dtype == "bfloat16" else dtype)
    assert values.min() >= float(bounds[0]) - (0.01 if dtype == "bfloat16" else 0.0)
    assert (values == low).all() if low == high else values.max() < high


def test_empty_and_scalar_shapes(engine):
    for draw in (random.uniform, random.normal, random.truncated_normal, random.gumbel):
        assert N(draw((0, 3), seed=1)).shape == (0, 3) and N(draw((), seed=1)).shape == ()
        assert N(draw(3, seed=1)).shape == N(draw([3], seed=1)).shape == (3,)
    assert N(random.gamma((0,), 1.0, seed=1)).shape == N(random.binomial((0,), 3, 0.5, seed=1)).shape == (0,)
    assert N(random.categorical(np.zeros((0, 3), "float32"), 2, seed=1)).shape == (0, 2)


def test_parameters_that_are_tensors_may_be_wrong_in_places(engine):
    alpha = ops.convert_to_tensor(np.array([1.0, np.nan, -1.0, 0.0], "float32"))
    drawn = N(random.gamma((4,), alpha, seed=1))
    assert drawn[0] > 0 and np.isnan(drawn[1:3]).all() and drawn[3] == 0
    assert np.isnan(N(random.gamma((2,), float("nan"), seed=1))).all()
    assert np.isinf(N(random.gamma((2,), float("inf"), seed=1))).all()
    assert np.isnan(N(random.beta((2,), float("nan"), 1.0, seed=1))).all()
    assert np.isnan(N(random.normal((2,), float("nan"), seed=1))).all()
    q = ops.convert_to_tensor(np.array([0.5, np.nan, -1.0, 1.5], "float32"))
    drawn = N(random.binomial((4,), 10, q, seed=1))
    assert 0 <= drawn[0] <= 10 and np.isnan(drawn[1:]).all()


BAD = {
    "seed_text": (lambda: random.uniform((2,), seed="x"), "seed"),
    "seed_float": (lambda: random.uniform((2,), seed=1.5), "seed"),
    "seed_bool": (lambda: random.uniform((2,), seed=True), "seed"),
    "seed_negative": (lambda: random.uniform((2,), seed=-1), "seed"),
    "seed_shape": (lambda: random.uniform((2,), seed=np.zeros(3, "uint32")), "seed"),
    "seed_dtype": (lambda: random.uniform((2,), seed=np.zeros(2, "float32")), "seed"),
    "generator_text": (lambda: random.SeedGenerator("x"), "seed"),
    "generator_negative": (lambda: random.SeedGenerator(-1), "seed"),
    "generator_large": (lambda: random.SeedGenerator(2**64), "seed"),
    "generator_extra": (lambda: random.SeedGenerator(1, foo=2), "foo"),
    "uniform_dtype": (lambda: random.uniform((2,), dtype="int32"), "dtype"),
    "uniform_complex": (lambda: random.uniform((2,), dtype="complex64"), "dtype"),
    "uniform_unknown": (lambda: random.uniform((2,), dtype="float33"), "dtype"),
    "uniform_range": (lambda: random.uniform((2,), 1.0, 0.0), "maxval"),
    "uniform_infinite": (lambda: random.uniform((2,), 0.0, float("inf")), "maxval"),
    "uniform_nan": (lambda: random.uniform((2,), float("nan"), 1.0), "maxval"),
    "uniform_broadcast": (lambda: random.uniform((2,), np.zeros(3, "float32"), 1.0), "minval"),
    "uniform_shape": (lambda: random.uniform((None, 2)), "shape"),
    "uniform_negative": (lambda: random.uniform((-1,)), "shape"),
    "uniform_bool": (lambda: random.uniform(True), "shape"),
    "uniform_none": (lambda: random.uniform(None), "shape"),
    "uniform_text": (lambda: random.uniform((2,), "a", 1.0), "minval"),
    "uniform_fraction": (lambda: random.uniform((1.5,)), "shape"),
    "normal_dtype": (lambda: random.normal((2,), dtype="int32"), "dtype"),
    "normal_stddev": (lambda: random.normal((2,), stddev=-1.0), "stddev"),
    "normal_broadcast": (lambda: random.normal((2,), np.zeros(3, "float32")), "mean"),
    "truncated_dtype": (lambda: random.truncated_normal((2,), dtype="bool"), "dtype"),
    "randint_dtype": (lambda: random.randint((2,), 0, 5, dtype="float32"), "dtype"),
    "randint_bool": (lambda: random.randint((2,), 0, 2, dtype="bool"), "dtype"),
    "randint_empty": (lambda: random.randint((2,), 5, 5), "maxval"),
    "randint_fit": (lambda: random.randint((2,), 0, 257, dtype="uint8"), "maxval"),
    "randint_fraction": (lambda: random.randint((2,), 0.5, 5), "minval"),
    "categorical_rank": (lambda: random.categorical(np.zeros(3, "float32"), 2), "logits"),
    "categorical_classes": (lambda: random.categorical(np.zeros((3, 0), "float32"), 2), "logits"),
    "categorical_samples": (lambda: random.categorical(np.zeros((3, 2), "float32"), -1), "num_samples"),
    "dropout_rate": (lambda: random.dropout(np.ones(3, "float32"), 1.5), "rate"),
    "dropout_negative": (lambda: random.dropout(np.ones(3, "float32"), -0.5), "rate"),
    "dropout_nan": (lambda: random.dropout(np.ones(3, "float32"), float("nan")), "rate"),
    "dropout_tensor": (lambda: random.dropout(np.ones(3, "float32"), np.float32([0.5])), "rate"),
    "dropout_number": (lambda: random.dropout(np.ones(3, "float32"), ops.convert_to_tensor(1.5)), "rate"),
    "dropout_text": (lambda: random.dropout(np.ones(3, "float32"), "half"), "rate"),
    "dropout_noise": (lambda: random.dropout(np.ones((3, 2), "float32"), 0.5, (2, 2)), "noise_shape"),
    "shuffle_axis": (lambda: random.shuffle(np.arange(3), axis=1), "axis"),
    "shuffle_scalar": (lambda: random.shuffle(np.float32(1)), "axis"),
    "permutation": (lambda: random.permutation(-1), "n"),
    "gamma_alpha": (lambda: random.gamma((2,), -1.0), "alpha"),
    "gamma_broadcast": (lambda: random.gamma((2,), np.ones(3, "float32")), "alpha"),
    "gamma_dtype": (lambda: random.gamma((2,), 1.0, dtype="int32"), "dtype"),
    "beta_alpha": (lambda: random.beta((2,), 0.0, 1.0), "alpha"),
    "beta_beta": (lambda: random.beta((2,), 1.0, -1.0), "beta"),
    "binomial_counts": (lambda: random.binomial((2,), -1, 0.5), "counts"),
    "binomial_probabilities": (lambda: random.binomial((2,), 3, 1.5), "probabilities"),
    "bernoulli": (lambda: random.bernoulli((2,), 1.5), "p"),
    "set_random_seed": (lambda: kerata.utils.set_random_seed(-1), "seed"),
    "set_random_seed_text": (lambda: kerata.utils.set_random_seed("x"), "seed"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_refuses_with_one_voice(engine, case):
    call, argument = BAD[case]
    with pytest.raises(ArgumentError) as told:
        call()
    assert told.value.argument == argument
