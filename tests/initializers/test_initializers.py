"""Initializers: distributions, closed forms, the same bits on every engine, configs and names."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

import kerata
from kerata import initializers, ops
from kerata.core.errors import ArgumentError

RANDOM = {
    "random_normal": initializers.RandomNormal(1.0, 0.5, seed=3),
    "truncated_normal": initializers.TruncatedNormal(1.0, 0.5, seed=3),
    "random_uniform": initializers.RandomUniform(-1.0, 3.0, seed=3),
    "variance_scaling": initializers.VarianceScaling(2.0, "fan_avg", "untruncated_normal", seed=3),
    "glorot_uniform": initializers.GlorotUniform(seed=3),
    "glorot_normal": initializers.GlorotNormal(seed=3),
    "he_uniform": initializers.HeUniform(seed=3),
    "he_normal": initializers.HeNormal(seed=3),
    "lecun_uniform": initializers.LecunUniform(seed=3),
    "lecun_normal": initializers.LecunNormal(seed=3),
    "orthogonal": initializers.Orthogonal(seed=3),
}
named = pytest.mark.parametrize("name", RANDOM)


def values(initializer, shape, dtype="float32"):
    return ops.convert_to_numpy(initializer(shape, dtype=dtype))


def cut_normal(mean, stddev):
    return scipy.stats.truncnorm(-2, 2, mean, stddev)


def unit(variance):
    """A normal cut at two deviations that has this variance."""
    return cut_normal(0, math.sqrt(variance) / scipy.stats.truncnorm(-2, 2).std())


INS, OUTS = 40, 160
DISTRIBUTIONS = {
    "random_normal": scipy.stats.norm(1.0, 0.5),
    "truncated_normal": cut_normal(1.0, 0.5),
    "random_uniform": scipy.stats.uniform(-1, 4),
    "variance_scaling": scipy.stats.norm(0, math.sqrt(2 / ((INS + OUTS) / 2))),
    "glorot_uniform": scipy.stats.uniform(-math.sqrt(6 / (INS + OUTS)), 2 * math.sqrt(6 / (INS + OUTS))),
    "glorot_normal": unit(2 / (INS + OUTS)),
    "he_uniform": scipy.stats.uniform(-math.sqrt(6 / INS), 2 * math.sqrt(6 / INS)),
    "he_normal": unit(2 / INS),
    "lecun_uniform": scipy.stats.uniform(-math.sqrt(3 / INS), 2 * math.sqrt(3 / INS)),
    "lecun_normal": unit(1 / INS),
}


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distribution(name):
    """Kolmogorov and Smirnov's test against the closed form, at a seed that is fixed."""
    drawn = values(RANDOM[name], (INS, OUTS)).ravel()
    assert scipy.stats.kstest(drawn, DISTRIBUTIONS[name].cdf).pvalue > 0.01


@named
def test_the_same_bits_on_every_engine(name, engine):
    with kerata.use_backend("numpy"):
        expected = values(RANDOM[name], (3, 2, 4, 6))
    np.testing.assert_array_equal(values(RANDOM[name], (3, 2, 4, 6)), expected)


@named
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_dtype(name, dtype):
    tensor = RANDOM[name]((4, 4), dtype=dtype)
    assert ops.dtype(tensor) == dtype


@named
def test_seeds(name):
    kind = type(RANDOM[name])
    one, same, other = (values(kind(seed=s), (4, 5)) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    unseeded = kind()
    np.testing.assert_array_equal(values(unseeded, (4, 5)), values(unseeded, (4, 5)))
    assert not np.array_equal(values(kind(), (4, 5)), values(kind(), (4, 5)))


@named
def test_round_trip(name):
    initializer = RANDOM[name]
    for again in (
        initializer.clone(),
        initializers.deserialize(initializers.serialize(initializer)),
        initializers.get(initializers.serialize(initializer)),
    ):
        assert type(again) is type(initializer) and again.get_config() == initializer.get_config()
        np.testing.assert_array_equal(values(again, (4, 5)), values(initializer, (4, 5)))


@pytest.mark.parametrize("shape", [(4, 4), (6, 3), (3, 6), (2, 3, 5), (5, 1)])
def test_orthogonal_is_orthogonal(shape):
    matrix = values(initializers.Orthogonal(gain=2.0, seed=1), shape).reshape(-1, shape[-1])
    small = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(small, 4 * np.eye(min(matrix.shape)), atol=1e-5)


def test_constants(engine):
    np.testing.assert_array_equal(values(initializers.Zeros(), (2, 3)), np.zeros((2, 3), "float32"))
    np.testing.assert_array_equal(values(initializers.Ones(), (2,), "int32"), np.ones(2, "int32"))
    np.testing.assert_array_equal(values(initializers.Constant(0.5), (2, 3)), np.full((2, 3), 0.5, "float32"))
    array = np.arange(6, dtype="float32").reshape(2, 3)
    np.testing.assert_array_equal(values(initializers.Constant(array), (2, 3)), array)
    np.testing.assert_array_equal(
        values(initializers.Identity(3.0), (2, 3)), 3 * np.eye(2, 3, dtype="float32")
    )


def test_convolution_with_stft_kernels_is_a_fourier_transform():
    length = 16
    signal = np.random.default_rng(0).normal(size=length)
    parts = [
        values(initializers.STFT(side, None, None), (length, 1, length // 2 + 1), "float64")[:, 0]
        for side in ("real", "imag")
    ]
    ours = signal @ parts[0] + 1j * (signal @ parts[1])
    np.testing.assert_allclose(ours, np.fft.rfft(signal), atol=1e-12)


@pytest.mark.parametrize("name", [*RANDOM, "zeros", "ones", "identity", "uniform", "normal"])
def test_names_are_those_of_keras(name):
    import keras

    theirs = keras.initializers.get(name)
    ours = initializers.get(name)
    assert type(ours).__name__ == type(theirs).__name__
    if name in RANDOM:  # Keras tells nothing of the settings of the others
        assert ours.get_config() == theirs.get_config()
    assert type(initializers.get(type(ours).__name__)) is type(ours)


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: initializers.get("none_such"), "initializer"),
        (lambda: initializers.RandomNormal(stddev=-1.0), "stddev"),
        (lambda: initializers.VarianceScaling(scale=0.0), "scale"),
        (lambda: initializers.VarianceScaling(mode="fan"), "mode"),
        (lambda: initializers.VarianceScaling(distribution="cauchy"), "distribution"),
        (lambda: initializers.Orthogonal()((3,)), "shape"),
        (lambda: initializers.Identity()((3,)), "shape"),
        (lambda: initializers.STFT(side="left"), "side"),
    ],
)
def test_refuses(make, argument):
    with pytest.raises(kerata.core.errors.ArgumentError) as caught:
        make()
    assert caught.value.argument == argument


@pytest.mark.parametrize("shape", [(None, 2), (-1, 2), "ab", 2.5])
@pytest.mark.parametrize("name", [*RANDOM, "constant", "identity", "stft"])
def test_bad_shapes_are_refused(name, shape):
    initializer = RANDOM.get(name) or initializers.get(name)
    with pytest.raises(ArgumentError, match="shape"):
        initializer(shape)


def test_an_integer_is_a_shape():
    assert initializers.HeNormal(seed=1)(7).shape == (7,)
    with pytest.raises(ArgumentError, match="matrix"):
        initializers.Identity()(7)
    with pytest.raises(ArgumentError, match="bins"):
        initializers.STFT()((4, 3))


def test_an_array_is_an_initializer(engine):
    values = np.arange(4.0, dtype="float32").reshape(2, 2)
    layer = kerata.layers.Dense(2, kernel_initializer=values)
    layer.build((1, 2))
    np.testing.assert_array_equal(layer.kernel.numpy(), values)
    copy = kerata.layers.Dense.from_config(layer.get_config())
    copy.build((1, 2))
    np.testing.assert_array_equal(copy.kernel.numpy(), values)


def test_fourier_kernels_without_a_window_are_waves():
    assert float(initializers.STFT(window=None)((8, 1, 5))[0, 0, 0]) == 1.0
