"""Functions of complex numbers: both parts exact to single precision for numbers of any size, and the sides of cuts.

The independent source is the C library in double precision, as NumPy calls it.
"""

import numpy as np
import pytest

import kerata
from kerata import ops

_rng = np.random.default_rng(5)
CUT = "sqrt arcsin arccos arctan arcsinh arccosh arctanh log angle".split()
NEVER_LARGE = "exp sin cos tan sinh cosh tanh".split()
NUMPY = {"rsqrt": lambda z: 1 / np.sqrt(z), "reciprocal": lambda z: 1 / z}
ZEROS = (0.0, -0.0)


def _numbers(low, high, n=500):
    parts = 10 ** _rng.uniform(low, high, (2, n)) * _rng.choice([-1, 1], (2, n))
    return (parts[0] + 1j * parts[1]).astype("complex64")


def _exactly(name, *numbers):
    fn = NUMPY.get(name) or getattr(np, name)
    return fn(*(np.asarray(z, "complex128") for z in numbers))


def _both_ways(name, *numbers):
    tensors = [ops.convert_to_tensor(z) for z in numbers]
    for call in (getattr(ops, name), kerata.function(getattr(ops, name))):
        yield ops.convert_to_numpy(call(*tensors))


@pytest.mark.parametrize("name", [*NEVER_LARGE, "log", "sqrt", "rsqrt", "reciprocal"])
def test_both_parts_are_exact_for_small_and_large_numbers(engine, name):
    """A part that is far smaller than the other, or the whole, is not lost in it."""
    sizes = [(-6, 1.5), (-15, -5)] if name in NEVER_LARGE else [(-6, 1.5), (-30, -10), (10, 30)]
    for low, high in sizes:
        z = _numbers(low, high)
        right = _exactly(name, z)
        inside = (abs(right.real) > 1e-37) & (abs(right.imag) > 1e-37)  # smaller ones may be 0
        assert inside.mean() > 0.2
        for found in _both_ways(name, z):
            for part in (np.real, np.imag):
                np.testing.assert_allclose(part(found)[inside], part(right)[inside], rtol=1e-6)


@pytest.mark.parametrize("name", CUT)
def test_minus_zero_is_the_other_side_of_a_cut(engine, name):
    z = np.array(
        [complex(a, b) for a in (-3.0, -0.5, 0.5, 3.0) for b in ZEROS]
        + [complex(a, b) for a in ZEROS for b in (-3.0, -0.5, 0.5, 3.0)],
        "complex64",
    )
    for found in _both_ways(name, z):
        np.testing.assert_allclose(found, _exactly(name, z), rtol=1e-6, atol=1e-7)


def test_powers_of_any_size(engine):
    z, n = _numbers(-25, 25), _numbers(-3, -0.5)
    for found in _both_ways("power", z, n):
        np.testing.assert_allclose(found, _exactly("power", z, n), rtol=1e-4)  # 64 * 2**-24 for the logarithm


@pytest.mark.parametrize("name", ["add", "subtract"])
def test_infinite_parts_stay_where_they_are(engine, name):
    a = np.array([1 + 2j, complex(np.inf, 1), complex(2, -np.inf)], "complex64")
    b = np.array([complex(0, np.inf), complex(1, np.inf), 1j], "complex64")
    for found in _both_ways(name, a, b):
        np.testing.assert_array_equal(found, getattr(np, name)(a, b))
    np.testing.assert_array_equal(ops.convert_to_numpy(getattr(ops, name)(2.0, b)), getattr(np, name)(2.0, b))


def test_powers_of_zero(engine):
    n = np.array([0, 1, 2.5 - 1j, -1, -2.5 + 1j, 1j], "complex64")
    for found in _both_ways("power", np.zeros(6, "complex64"), n):
        np.testing.assert_array_equal(found[:3], [1, 0, 0])
        assert np.isnan(found[3:].real).all() and np.isnan(found[3:].imag).all()


def test_quotients_of_numbers_near_the_largest(engine):
    a = np.array([3e38j, 3e38, 2e38 + 2e38j], "complex64")
    b = np.array([3e38j, 3e38j, 2e38 - 1e38j], "complex64")
    for found in _both_ways("divide", a, b):
        np.testing.assert_allclose(found, _exactly("divide", a, b), rtol=1e-6, atol=1e-38)


MADE_OF_PARTS = {
    "expm1": np.expm1,
    "log1p": np.log1p,
    "exp2": np.exp2,
    "log2": np.log2,
    "log10": np.log10,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "softsign": lambda z: z / (1 + np.abs(z)),
    "tanh_shrink": lambda z: z - np.tanh(z),
    "logsumexp": lambda z: np.log(np.sum(np.exp(z))),
}


@pytest.mark.parametrize("name", MADE_OF_PARTS)
def test_what_is_made_of_real_functions(engine, name):
    z = _numbers(-2 if name == "tanh_shrink" else -6, 1.5)
    right = MADE_OF_PARTS[name](z.astype("complex128"))
    # A difference of parts of size 1 keeps what float32 has of them.
    tolerance = 1e-6 if name == "tanh_shrink" else 1e-10
    poles = np.minimum(abs(1 + np.exp(-z.astype("complex128"))), abs(1 + np.exp(-2 * z.astype("complex128"))))
    regular = (poles > 0.3) if right.ndim else True  # near a pole, the last bit of z tells much
    for found in _both_ways(name, z):
        excess = abs(found - right) - (2e-6 * abs(right) + tolerance)
        assert np.max(excess, where=regular, initial=-1.0) < 0


def test_a_logistic_curve_does_not_overflow(engine):
    z = np.array([-1000 + 1j, 1000 + 1j], "complex64")
    for found in _both_ways("sigmoid", z):
        np.testing.assert_allclose(found, [0, 1], atol=1e-6)
