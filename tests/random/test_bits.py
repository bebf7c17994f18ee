"""The generator: its definition said once more in Python integers, its layout, its independence."""

import hashlib

import numpy as np
import pytest

import kerata
from kerata import ops, random
from kerata.random import bits, kernel, stream

MASK = 0xFFFFFFFF
STATES = [(0, 0), (7, 3), (MASK, MASK), (2**31, 1)]
SIZES = [0, 1, 255, 256, 257, 1023, 1024, 1025, 5000]


@pytest.fixture(params=["kernel", "numpy"])
def drawn_by(request, monkeypatch):
    """Draws by the compiled kernel, where there is one, and by NumPy alone."""
    if request.param == "numpy":
        monkeypatch.setattr(kernel, "load", lambda: None)


by_both = pytest.mark.usefixtures("drawn_by")


def word(state, place):
    """One word, from the definition in the paper's terms: no arrays, no signed numbers."""

    def mix(x):
        for shift, factor in ((17, 0xED5AD4BB), (11, 0xAC4C1B51), (15, 0x31848BAB)):
            x = (x ^ (x >> shift)) * factor & MASK
        return x ^ (x >> 14)

    def folded(v, shift):
        filled = v >> shift | (MASK << (32 - shift) & MASK if v >> 31 else 0)
        return (v + filled) & MASK

    salts = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822)
    k = [mix(mix((state[0] + s) & MASK) ^ state[1]) for s in salts]
    chunk, lane, column = place // 1024, place // 256 % 4, place % 256
    x = (chunk * 256 + column) * 0x9E3779B9 + k[0] & MASK
    x = (x ^ x >> 16) * 0x21F0AAAD + k[1] & MASK
    x = (x ^ x >> 15) * 0xD35A2D97 & MASK
    x ^= x >> 15
    y = folded(x * 0xED5AD4BB + k[2] & MASK, 15)
    z = folded(x * 0xAC4C1B51 + k[3] & MASK, 17)
    w = folded(x * 0x31848BAB + k[4] & MASK, 14)
    x = x + y * w & MASK
    y = y + z * x & MASK
    z = z + x * y & MASK
    w = w + y * z & MASK
    return (x, y, z, w)[lane]


@by_both
@pytest.mark.parametrize("state", STATES)
def test_words_are_those_of_the_definition(state):
    places = [*range(5), 255, 256, 511, 512, 767, 768, 1023, 1024, 1025, 70_000]
    drawn = bits.random_bits(state, 70_001)
    assert [int(drawn[i]) for i in places] == [word(state, i) for i in places]


@by_both
def test_words_never_change():
    """Whoever changes them changes every initial weight and every curve that somebody has published."""
    assert bits.random_bits((0, 0), 4).tolist() == [3812273764, 2467754991, 587874409, 534803612]
    assert bits.random_bits((1, 2), 2000)[[0, 300, 600, 1999]].tolist() == [
        2783055245,
        3947816944,
        2841994152,
        2995007579,
    ]


@by_both
def test_a_million_words_never_change():
    """The stream that went through the batteries of `benchmarks/random_battery.md`."""
    words = bits.random_bits((1, 0), 1 << 20).astype("<u4")
    assert hashlib.sha256(words.tobytes()).hexdigest() == (
        "32d828df7953c15e64535f5197700f881b55749eb71941cab391c155bf7cb068"
    )


VALUES = {
    "uniform": (lambda: random.uniform((3,), seed=0), ["0x1.8ceab8p-2", "0x1.316f3p-4", "0x1.46148p-1"]),
    "uniform_float64": (
        lambda: random.uniform((2,), dtype="float64", seed=0),
        ["0x1.8ceab9c98b79ep-2", "0x1.461480c7f81d2p-1"],
    ),
    "uniform_long_seed": (
        lambda: random.uniform((2,), seed=2**40 + 1),
        ["0x1.1fe86p-4", "0x1.2b16bp-1"],
    ),
    "normal": (lambda: random.normal((3,), seed=0), ["-0x1.2b21f2p-2", "0x1.42cb64p+0", "0x1.3552e2p+0"]),
    "normal_float64": (
        lambda: random.normal((2,), dtype="float64", seed=0),
        ["-0x1.58566e058440ep+0", "0x1.2cc897aca02e6p-2"],
    ),
    "truncated_normal": (
        lambda: random.truncated_normal((3,), seed=0),
        ["-0x1.16bffp-2", "-0x1.51243ap+0", "0x1.5592eap-2"],
    ),
    "randint": (lambda: random.randint((4,), 0, 1000, seed=0), [887, 574, 136, 124]),
    "permutation": (lambda: random.permutation(6, seed=0), [1, 5, 0, 3, 2, 4]),
    "dropout": (lambda: random.dropout(np.ones(8, "float32"), 0.5, seed=0), [0, 0, 2, 2, 2, 0, 2, 2]),
    "categorical": (
        lambda: random.categorical(np.zeros((1, 10), "float32"), 6, seed=0),
        [3, 6, 7, 5, 2, 6],
    ),
}


@by_both
@pytest.mark.parametrize("name", VALUES)
def test_values_never_change(engine, name):
    draw, expected = VALUES[name]
    expected = [float.fromhex(v) if isinstance(v, str) else v for v in expected]
    assert ops.convert_to_numpy(draw()).ravel().tolist() == expected


@by_both
@pytest.mark.parametrize("size", SIZES)
def test_a_longer_draw_begins_with_a_shorter_one(size):
    np.testing.assert_array_equal(bits.random_bits((5, 6), size), bits.random_bits((5, 6), 70_000)[:size])


@pytest.mark.parametrize("size", SIZES)
def test_same_words_on_every_engine_eager_and_compiled(engine, size):
    expected = bits.random_bits((7, 3), size).view(np.int32)
    np.testing.assert_array_equal(ops.convert_to_numpy(stream.random_bits((7, 3), (size,))), expected)
    state = ops.convert_to_tensor(np.array([7, 3], np.uint32))
    compiled = kerata.function(lambda s: stream.random_bits(s, (size,)))
    np.testing.assert_array_equal(ops.convert_to_numpy(compiled(state)), expected)


@pytest.mark.parametrize("state", STATES)
def test_the_composition_is_the_reference(engine, state):
    """Eagerly, from a state that is a tensor: the road that accelerators take."""
    tensor = ops.convert_to_tensor(np.array(state, np.uint32))
    four = stream.lanes(tensor, 3000)
    drawn = ops.convert_to_numpy(stream.joined(four, 3000, (3000,)))
    np.testing.assert_array_equal(drawn, bits.random_bits(state, 3000).view(np.int32))


def test_families_agree_for_integers_and_tensors(engine):
    first = stream.family((3, 4))
    tensor = stream.family(ops.convert_to_tensor(np.array([3, 4], np.uint32)))
    for i in (0, 1, 1000):
        found = ops.convert_to_numpy(stream.member(tensor, i))
        assert tuple(int(v) for v in found) == stream.member(first, i)


def test_neighbouring_states_are_unrelated():
    """512 words each of 64 seeds and 64 counters: no correlation beyond chance, no word shared too often."""
    draws = [bits.random_bits((s, 0), 512) for s in range(64)] + [
        bits.random_bits((0, c), 512) for c in range(1, 65)
    ]
    correlation = np.corrcoef(np.stack(draws).astype(float)) - np.eye(len(draws))
    assert abs(correlation).max() < 6 / 512**0.5
    assert abs((correlation**2).sum() / (128 * 127) * 512 - 1) < 0.1
    assert len(np.unique(draws)) >= 128 * 512 - 5


@pytest.mark.parametrize("place", [0, 1])
def test_each_bit_of_a_state_changes_half_of_the_bits(place):
    start = bits.random_bits((12345, 678), 256)
    for bit in range(32):
        state = [12345, 678]
        state[place] ^= 1 << bit
        changed = np.unpackbits((bits.random_bits(tuple(state), 256) ^ start).view(np.uint8)).mean()
        assert abs(changed - 0.5) < 5 * 0.5 / 8192**0.5


@pytest.mark.parametrize("shift", [0, 8, 16, 24])
def test_bytes_are_uniform(shift):
    from scipy import stats

    counts = np.bincount(
        bits.random_bits((9, 9), 1_000_000) >> np.uint32(shift) & np.uint32(255), minlength=256
    )
    assert stats.chisquare(counts).pvalue > 1e-4


@by_both
@pytest.mark.parametrize("size", [1, 256, 300, 1024, 5000, 16_384, 16_385])
def test_draws_that_follow_each_other_are_foreseen_rightly(size):
    """Streams that are interleaved, rewound and repeated draw what each state draws by itself."""
    order = (
        [(s, c) for c in range(3) for s in (1, 2)]
        + [(1, c) for c in range(3, 80)]
        + [(1, 5), (2, 3), (2, 4), (1, 80)]
    )
    order += [(3, MASK - 1), (3, MASK), (3, 0), (3, 1)]
    for state in order:
        drawn = bits.random_bits(state, size)
        assert len(drawn) == size
        assert [int(drawn[i]) for i in (0, size // 2, size - 1)] == [
            word(state, i) for i in (0, size // 2, size - 1)
        ]


@by_both
def test_a_foreseen_draw_may_be_written_to():
    for counter in range(4):
        drawn = bits.random_bits((8, counter), 100)
        drawn[:] = 0
    assert int(bits.random_bits((8, 3), 100)[7]) == word((8, 3), 7)
    from kerata.random.gaussian import normal_array

    values = [normal_array((8, c), 1500, 0.0, 1.0) for c in range(6)]  # overwrites its workspace
    for counter in (5, 0, 3):
        np.testing.assert_array_equal(normal_array((8, counter), 1500, 0.0, 1.0), values[counter])
