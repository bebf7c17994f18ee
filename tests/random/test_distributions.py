"""A million values of each distribution against SciPy's. All engines give the same values: one is tested."""

import numpy as np
import pytest
from scipy import special, stats

import kerata
from kerata import ops, random
from kerata.random import bits

COUNT = 1_000_000


@pytest.fixture(autouse=True)
def reference():
    with kerata.use_backend("numpy"):
        yield


def p_value(values, distribution):
    return stats.kstest(np.asarray(values, "float64"), distribution.cdf).pvalue


def pmf_p_value(values, distribution, low, high):
    """Chi-square test of counts, the tails pooled."""
    values = np.clip(np.asarray(values).astype(int), low, high)
    expected = distribution.pmf(np.arange(low, high + 1))
    expected[0], expected[-1] = distribution.cdf(low), distribution.sf(high - 1)
    return stats.chisquare(np.bincount(values - low, minlength=len(expected)), expected * len(values)).pvalue


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "draw, distribution",
    [
        (lambda n, d: random.uniform((n,), dtype=d, seed=1), stats.uniform()),
        (lambda n, d: random.uniform((n,), -3.0, 2.0, dtype=d, seed=2), stats.uniform(-3, 5)),
        (lambda n, d: random.uniform((n,), -0.3, 0.3, dtype=d, seed=3), stats.uniform(-0.3, 0.6)),
        (lambda n, d: random.normal((n,), dtype=d, seed=4), stats.norm()),
        (lambda n, d: random.normal((n,), 5.0, 0.5, dtype=d, seed=5), stats.norm(5, 0.5)),
        (lambda n, d: random.truncated_normal((n,), dtype=d, seed=6), stats.truncnorm(-2, 2)),
        (lambda n, d: random.gumbel((n,), dtype=d, seed=7), stats.gumbel_r()),
        (lambda n, d: random.gamma((n,), 0.4, dtype=d, seed=8), stats.gamma(0.4)),
        (lambda n, d: random.gamma((n,), 1.0, dtype=d, seed=9), stats.gamma(1)),
        (lambda n, d: random.gamma((n,), 30.0, dtype=d, seed=10), stats.gamma(30)),
        (lambda n, d: random.beta((n,), 0.6, 0.5, dtype=d, seed=11), stats.beta(0.6, 0.5)),
        (lambda n, d: random.beta((n,), 4.0, 30.0, dtype=d, seed=12), stats.beta(4, 30)),
    ],
)
def test_values_have_the_distribution(draw, distribution, dtype):
    values = draw(COUNT, dtype)
    assert values.dtype == dtype
    assert p_value(values, distribution) > 1e-3
    error = distribution.std() / len(values) ** 0.5
    assert abs(np.mean(values, dtype="float64") - distribution.mean()) < 4 * error


@pytest.mark.parametrize(
    "n, q",
    [
        (1, 0.3),
        (10, 0.5),
        (10, 0.97),
        (100, 0.05),
        (100, 0.3),
        (60, 0.8),
        (1000, 0.002),
        (20, 0.5),
        (400, 0.5),
    ],
)
def test_binomial_counts(n, q):
    counts = random.binomial((COUNT,), n, q, seed=13)
    distribution = stats.binom(n, q)
    low, high = (int(distribution.ppf(v)) for v in (1e-4, 1 - 1e-4))
    assert pmf_p_value(counts, distribution, low, max(high, low + 1)) > 1e-3


def test_large_binomial_counts():
    for n, q in ((1_000_000, 0.4), (1_000_000_000, 0.5)):
        counts = np.asarray(random.binomial((100_000,), n, q, dtype="float64", seed=14))
        smooth = counts + np.random.default_rng(0).uniform(-0.5, 0.5, counts.shape)
        assert stats.kstest(smooth, stats.norm(n * q, (n * q * (1 - q)) ** 0.5).cdf).pvalue > 1e-3


@pytest.mark.parametrize("low, high", [(0, 2), (-3, 4), (0, 1000), (-7, 65_530), (10, 140_000)])
def test_integers_are_uniform(low, high):
    values = np.asarray(random.randint((COUNT,), low, high, seed=15))
    buckets = min(high - low, 1000)
    counts = np.bincount((values.astype("int64") - low) * buckets // (high - low), minlength=buckets)
    expected = np.bincount(np.arange(high - low) * buckets // (high - low)) / (high - low) * COUNT
    assert stats.chisquare(counts, expected).pvalue > 1e-3


def test_categorical_classes():
    p = np.array([[0.1, 0.2, 0.3, 0.4], [0.97, 0.01, 0.0, 0.02]])
    with np.errstate(divide="ignore"):
        classes = np.asarray(random.categorical(np.log(p) + 3.0, COUNT // 2, seed=16))
    for row, drawn in zip(p, classes, strict=True):
        counts = np.bincount(drawn, minlength=4)
        assert counts[row == 0].sum() == 0
        assert stats.chisquare(counts[row > 0], row[row > 0] * drawn.size).pvalue > 1e-3


def test_dropout_and_bernoulli_frequencies():
    for rate in (0.1, 0.5, 0.9):
        dropped = np.mean(np.asarray(random.dropout(np.ones(COUNT, "float32"), rate, seed=17)) == 0)
        ones = np.mean(np.asarray(random.bernoulli((COUNT,), rate, seed=18)))
        error = (rate * (1 - rate) / COUNT) ** 0.5
        assert abs(dropped - rate) < 4 * error and abs(ones - rate) < 4 * error


def test_all_orders_are_equally_likely():
    orders = np.array([ops.convert_to_numpy(random.permutation(4, seed)) for seed in range(12_000)])
    _, counts = np.unique(orders @ [64, 16, 4, 1], return_counts=True)
    assert len(counts) == 24
    assert stats.chisquare(counts).pvalue > 1e-3


def test_normal_values_are_those_of_their_words():
    """Box and Muller in float64 from the same words: right to a few units in the last place of float32."""
    n = 200_000
    words = bits.random_bits((3, 0), n - n % 1024)
    a, b = words.reshape(-1, 2, 2, 256).transpose(2, 0, 1, 3).reshape(2, -1)
    u = ((a & 0x7FFFFFFF).astype("float32") + np.float32(0.5)).astype("float64") / 2**31
    angle = b.view(np.int32).astype("float32").astype("float64") / 2**31 * np.pi / 4
    radius = np.sqrt(-2 * np.log(u))
    x, y = radius * np.cos(angle) * np.where(b & 1, -1, 1), radius * np.sin(angle)
    pairs = np.where(a >> 31, (y, x), (x, y))
    drawn = ops.convert_to_numpy(random.normal((len(words),), seed=3)).reshape(-1, 2, 2, 256)
    drawn = drawn.transpose(2, 0, 1, 3).reshape(2, -1)
    np.testing.assert_allclose(drawn, pairs, rtol=6e-7)


def test_cut_normal_values_are_quantiles():
    words = bits.random_bits((4, 0), 500_000).view(np.int32)
    v = ((words >> 8) + 0.5) / 2**23
    expected = special.ndtri(0.5 + v * 0.9544997361036416 / 2)
    drawn = ops.convert_to_numpy(random.truncated_normal((500_000,), seed=4))
    np.testing.assert_allclose(drawn, expected, rtol=6e-7, atol=1e-12)


def test_cut_normal_values_stay_inside_at_the_ends():
    from kerata.random import gaussian

    ends = np.array([-(2**31), 2**31 - 1, 0, -1], np.int32)
    values = gaussian.cut(ends)
    assert abs(values).max() <= 2.0 and values[0] == -values[1] and values[2] == -values[3] > 0


def test_wide_normal_values_are_right_to_the_last_digits():
    from kerata.random import gaussian

    rng = np.random.default_rng(0)
    k, m = (rng.integers(-(2**52), 2**52, 100_000).astype("float64") for _ in range(2))
    off = np.zeros(len(k), bool)
    x, y = gaussian.wide_pair(k, m, off, off)
    radius, angle = np.sqrt(-2 * np.log((k + 2.0**52 + 0.5) / 2**53)), m / 2**52 * np.pi / 4
    np.testing.assert_allclose(x, radius * np.cos(angle), rtol=5e-15, atol=1e-15)
    np.testing.assert_allclose(y, radius * np.sin(angle), rtol=5e-15, atol=1e-15)
