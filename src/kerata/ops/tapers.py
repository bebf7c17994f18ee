"""Window functions, which taper a signal to its ends: Bartlett, Blackman, Hamming, Hann, Kaiser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kerata.core import dtypes
from kerata.core.declare import op
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample

from .creation import _number
from .elementwise import constant

TensorLike = Any
Tensor = Any


def _window(x: Any, formula: Callable[[np.ndarray, int], np.ndarray]) -> Tensor:
    n = _number(x, "x")
    if n != int(n):
        raise ArgumentError("x", expected="an integer", got=x)
    count = max(int(n), 0)
    values = np.ones(count) if count == 1 else formula(np.arange(count), count - 1)
    return constant(values, dtypes.default_float())


_WINDOWS = [sample(5), sample(1), sample(0), sample(8), sample(-2)]


_WINDOW_REJECTS = [
    rejects(2.5, argument="x"),
    rejects(T((2,), "int32"), argument="x"),
    rejects(float("inf"), argument="x"),
]


@op(samples=[*_WINDOWS, sample(2)], rejects=_WINDOW_REJECTS, reference=np.bartlett)
def bartlett(x: Any) -> Tensor:
    """The Bartlett window: a triangle that touches 0 at both ends.

    Args:
        x: how many points.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.bartlett(3))
        array([0., 1., 0.], dtype=float32)
    """
    return _window(x, lambda i, n: 1 - np.abs(2 * i / n - 1))


@op(samples=[*_WINDOWS, sample(2)], rejects=_WINDOW_REJECTS, reference=np.blackman)
def blackman(x: Any) -> Tensor:
    """The Blackman window: three cosine terms, with little leakage.

    Args:
        x: how many points.

    Example:
        >>> import kerata
        >>> kerata.ops.blackman(5).shape == (5,)
        True
    """
    return _window(x, lambda i, n: 0.42 - 0.5 * np.cos(2 * np.pi * i / n) + 0.08 * np.cos(4 * np.pi * i / n))


@op(samples=[*_WINDOWS, sample(2)], rejects=_WINDOW_REJECTS, reference=np.hamming)
def hamming(x: Any) -> Tensor:
    """The Hamming window: a raised cosine that does not touch 0.

    Args:
        x: how many points.

    Example:
        >>> import kerata
        >>> kerata.ops.hamming(5).shape == (5,)
        True
    """
    return _window(x, lambda i, n: 0.54 - 0.46 * np.cos(2 * np.pi * i / n))


@op(samples=[*_WINDOWS, sample(2)], rejects=_WINDOW_REJECTS, reference=np.hanning)
def hanning(x: Any) -> Tensor:
    """The Hann window: a raised cosine that touches 0 at both ends.

    Args:
        x: how many points.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.hanning(3))
        array([0., 1., 0.], dtype=float32)
    """
    return _window(x, lambda i, n: 0.5 - 0.5 * np.cos(2 * np.pi * i / n))


@op(
    samples=[sample(5, 8.6), sample(1, 2.0), sample(6, 0.0), sample(0, 2.0), sample(8, 14), sample(7, 30.0)],
    rejects=[rejects(2.5, 1.0, argument="x")],
    reference=np.kaiser,
)
def kaiser(x: Any, beta: Any) -> Tensor:
    """The Kaiser window: a Bessel function, `beta` trades width for leakage.

    Args:
        x: how many points.
        beta: shape; 0 gives a rectangle.

    Example:
        >>> import kerata
        >>> kerata.ops.kaiser(5, 8.6).shape == (5,)
        True
    """
    shape = float(_number(beta, "beta"))
    return _window(
        x, lambda i, n: np.i0(shape * np.sqrt(np.maximum(1 - (2 * i / n - 1) ** 2, 0))) / np.i0(shape)
    )
