"""No two draws share bits: not of one stream, not of neighbouring seeds, not of layers without a seed."""

import numpy as np

import kerata
from kerata import ops, random
from kerata.random import bits, host, stream
from kerata.random.seed_generator import draw_seed, pair_of

N = ops.convert_to_numpy


def windows(words):
    """Each two neighbouring words as one number: of 100,000 independent ones, two are equal once in four billion."""
    words = words.astype(np.uint64)
    return words[..., :-1] << np.uint64(32) | words[..., 1:]


def states(layers):
    return [tuple(N(layer.seed_generator.state).tolist()) for layer in layers]


def test_draws_of_one_stream_do_not_overlap():
    drawn = np.stack([windows(bits.random_bits((3, counter), 2048)) for counter in range(64)])
    assert len(np.unique(drawn)) == drawn.size


def test_streams_of_consecutive_seeds_do_not_overlap():
    drawn = np.stack(
        [windows(bits.random_bits((seed, c), 1024)) for seed in range(32) for c in (0, 1, 2, 0xFFFFFFFF)]
    )
    assert len(np.unique(drawn)) == drawn.size


def test_states_that_share_one_key_word_do_not_share_a_draw():
    """A seed and a counter can be chosen so that the first key word of two states is equal; the others are not then."""
    salt = bits.SALTS[0]
    counter = bits.mix(5 + salt) ^ bits.mix(6 + salt)  # mix(mix(5 + s) ^ c) = mix(mix(6 + s) ^ 0)
    one, other = bits.keys(5, counter), bits.keys(6, 0)
    assert one[0] == other[0] and not set(one[1:]) & set(other[1:])
    drawn = [bits.random_bits(state, 4096).astype(float) for state in ((5, counter), (6, 0))]
    assert abs(np.corrcoef(*drawn)[0, 1]) < 4 / 4096**0.5


def test_long_seeds_are_streams_of_their_own():
    """Neither half of a seed of 64 bits is a mere shift of a stream."""
    seeds = [5 + (i << 32) for i in range(1000)] + [(7 << 32) + i for i in range(1000)]
    pairs = [pair_of(seed) for seed in seeds]
    assert len({first for first, _ in pairs}) >= len(pairs) - 2
    assert pairs[0] == (5, 0) and pair_of(2**32 - 1) == (2**32 - 1, 0)
    for bit in range(64):
        start, changed = ((a << 32) + b for a, b in (pair_of(2**63 + 1), pair_of((2**63 + 1) ^ (1 << bit))))
        assert 8 <= (start ^ changed).bit_count() <= 56


def test_layers_without_a_seed_drop_different_elements(engine):
    kerata.utils.set_random_seed(0)
    layers = [kerata.layers.Dropout(0.5) for _ in range(40)] + [
        kerata.layers.GaussianNoise(1.0) for _ in range(40)
    ]
    assert len(set(states(layers))) == len(layers)
    masks = np.stack([N(layer(np.ones(1024, "float32"), training=True)) for layer in layers[:40]])
    correlation = np.corrcoef(masks) - np.eye(40)
    assert abs(correlation).max() < 5 / 1024**0.5
    assert abs((correlation**2).sum() / (40 * 39) * 1024 - 1) < 0.25


def test_seeds_of_the_process_are_all_different():
    """Those of layers, initializers, shuffles and the global stream; and those of the next process seed."""
    seen = set()
    for seed in range(20):
        kerata.utils.set_random_seed(seed)
        seen.update(draw_seed() for _ in range(500))
    assert len(seen) == 20 * 500 and not seen & set(range(20))


def test_layers_and_initializers_of_one_model_share_nothing():
    kerata.utils.set_random_seed(0)
    with kerata.use_backend("numpy"):
        drops = [kerata.layers.Dropout(0.5) for _ in range(3)]
        initial = [kerata.initializers.RandomUniform(-1, 1)((500,)) for _ in range(3)]
        noise = [random.uniform((500,), -1, 1) for _ in range(3)]
        masks = [N(d(np.ones(500, "float32"), training=True)) for d in drops]
    order = host.words(500, host.draw_seed()).astype(float)
    correlation = np.corrcoef(np.stack([*map(N, initial), *map(N, noise), *masks, order])) - np.eye(10)
    assert abs(correlation).max() < 5 / 500**0.5


def test_rounds_of_a_rejection_are_not_draws_of_the_stream():
    """The states of a family are far from those of the stream, and of the families of other draws."""
    families = [stream.family((seed, counter)) for seed in range(30) for counter in range(30)]
    assert len({first for first, _ in families}) == len(families)
    assert not {first for first, _ in families} & set(range(30))
    nested = [stream.family(first) for first in families]
    assert not {first for first, _ in nested} & {first for first, _ in families}


def test_samplers_do_not_hang_together():
    """Gamma, beta and binomial values of one state, and of the next one, are uncorrelated with its uniform values."""
    n = 20_000
    with kerata.use_backend("numpy"):
        drawn = [
            N(f(seed))
            for seed in (np.array([5, c], "uint32") for c in (0, 1))
            for f in (
                lambda s: random.uniform((n,), seed=s),
                lambda s: random.gamma((n,), 2.0, seed=s),
                lambda s: random.binomial((n,), 100, 0.5, seed=s),
            )
        ]
    correlation = np.corrcoef(np.stack(drawn)) - np.eye(6)
    assert abs(correlation).max() < 5 / n**0.5
