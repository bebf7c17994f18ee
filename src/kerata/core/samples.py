"""Sample inputs: part of an op's declaration, turned into tests on every engine."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kerata.core import dtypes


@dataclass(frozen=True)
class T:
    """A random tensor of a sample: values uniform in [low, high), the same in every run."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    low: float = -2.0
    high: float = 2.0

    def __repr__(self) -> str:
        words = [repr(self.shape)]
        words += [repr(self.dtype)] if self.dtype != "float32" else []
        words += [f"low={self.low:g}, high={self.high:g}"] if (self.low, self.high) != (-2.0, 2.0) else []
        return f"T({', '.join(words)})"

    def array(self, seed: str) -> np.ndarray:
        rng = np.random.default_rng(zlib.crc32(seed.encode()))
        if dtypes.is_bool(self.dtype):
            return rng.integers(0, 2, self.shape).astype(bool)
        low, high = (0.0, max(self.high, 1.0)) if dtypes.is_unsigned(self.dtype) else (self.low, self.high)
        if dtypes.is_int(self.dtype):
            return rng.integers(int(low), int(np.ceil(high)), self.shape).astype(
                dtypes.numpy_dtype(self.dtype)
            )
        values = rng.uniform(low, high, self.shape)
        if dtypes.is_complex(self.dtype):
            values = values + 1j * rng.uniform(low, high, self.shape)
        return values.astype(dtypes.numpy_dtype(self.dtype))


@dataclass(frozen=True)
class Sample:
    """Arguments of one call. `T` leaves become arrays; everything else is passed as it is."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    gradient: bool = True  # whether the derivative is checked at this point (smooth there)

    def arguments(self, seed: str = "") -> tuple[tuple[Any, ...], dict[str, Any]]:
        args = tuple(_realize(a, f"{seed}/{i}") for i, a in enumerate(self.args))
        return args, {k: _realize(v, f"{seed}/{k}") for k, v in self.kwargs.items()}

    def call(self, name: str) -> str:
        """The call as text, such as `softmax(T((2, 3)), axis=0)`."""
        words = [_short(a) for a in self.args] + [f"{k}={_short(v)}" for k, v in self.kwargs.items()]
        return f"{name}({', '.join(words)})"


@dataclass(frozen=True)
class Reject:
    """Arguments that must be refused, the same way on every engine."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    argument: str  # the argument that the error must name

    def arguments(self, seed: str = "") -> tuple[tuple[Any, ...], dict[str, Any]]:
        return Sample(self.args, self.kwargs).arguments(seed)

    def call(self, name: str) -> str:
        """The call as text."""
        return Sample(self.args, self.kwargs).call(name)


@dataclass(frozen=True)
class Tolerance:
    """How far an engine may be from the reference; anything but the default has a reason."""

    rtol: float = 1e-6
    atol: float = 1e-6
    because: str = ""


def _realize(value: Any, seed: str) -> Any:
    if isinstance(value, T):
        return value.array(seed)
    if isinstance(value, (list, tuple)) and any(isinstance(v, (T, list, tuple)) for v in value):
        return type(value)(_realize(v, f"{seed}/{i}") for i, v in enumerate(value))
    return value


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) < 60 else text[:57] + "..."


def sample(*args: Any, gradient: bool = True, **kwargs: Any) -> Sample:
    """A sample call. `sample(T((2, 3)), axis=-1)`."""
    return Sample(args, kwargs, gradient)


def rejects(*args: Any, argument: str, **kwargs: Any) -> Reject:
    """A call that must raise an `ArgumentError` naming `argument`."""
    return Reject(args, kwargs, argument)


def values(*numbers: Any, dtype: str = "float32") -> np.ndarray:
    """A sample's exact values, such as 0.0, inf and nan."""
    return np.asarray(
        numbers[0] if len(numbers) == 1 and isinstance(numbers[0], Sequence) else numbers
    ).astype(dtypes.numpy_dtype(dtype))
