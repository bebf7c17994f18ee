"""Initializers that draw nothing: zeros, ones, constants, identities, Fourier kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata import ops
from kerata.core import checks, dtypes, rules
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin
from kerata.core.serialization import deserialize_keras_object

from .initializer import Initializer

Tensor = Any


@register_builtin("initializers", "zeros", "zero")
class Zeros(Initializer):
    """Zeros.

    Example:
        >>> import kerata
        >>> w = kerata.ops.convert_to_numpy(kerata.initializers.Zeros()((2,)))
        >>> w.tolist()
        [0.0, 0.0]
    """

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        return ops.zeros(shape, dtype)


@register_builtin("initializers", "ones", "one")
class Ones(Initializer):
    """Ones.

    Example:
        >>> import kerata
        >>> w = kerata.ops.convert_to_numpy(kerata.initializers.Ones()((2,)))
        >>> w.tolist()
        [1.0, 1.0]
    """

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        return ops.ones(shape, dtype)


@register_builtin("initializers", "constant")
class Constant(Initializer):
    """One value everywhere, or an array of the shape of the weight.

    Args:
        value: the value.

    Example:
        >>> import kerata
        >>> float(kerata.initializers.Constant(2.0)(()))
        2.0
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        value = ops.convert_to_tensor(self.value, dtypes.standardize(dtype))
        return ops.broadcast_to(value, rules.known_shape(shape))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**deserialize_keras_object(config, kinds=("initializers",)))


@register_builtin("initializers", "identity", "Identity", "IdentityInitializer")
class Identity(Initializer):
    """`gain` on the diagonal of a square matrix, zeros elsewhere.

    Args:
        gain: the value on the diagonal.

    Example:
        >>> import kerata
        >>> w = kerata.ops.convert_to_numpy(kerata.initializers.Identity(2.0)((2, 2)))
        >>> w.tolist()
        [[2.0, 0.0], [0.0, 2.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = checks.number("gain", gain)

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        shape = rules.known_shape(shape)
        if len(shape) != 2:
            raise ArgumentError("shape", expected="that of a matrix", got=shape)
        return ops.multiply(ops.eye(*shape, dtype=dtypes.standardize(dtype)), self.gain)


IdentityInitializer = Identity


@register_builtin("initializers", "stft", "STFTInitializer")
class STFT(Initializer):
    """Windowed cosines or sines: a convolution with them is a short-time Fourier transform.

    Args:
        side: "real" for cosines, "imag" for negative sines.
        window: name of a window ("hann", "hamming", …), an array, or None.
        scaling: of the window: "density", "spectrum" or None.
        periodic: whether the window is periodic (True) or symmetric.

    Example:
        >>> import kerata
        >>> w = kerata.ops.convert_to_numpy(kerata.initializers.STFT(window=None)((4, 1, 3)))
        >>> w[:, 0, 1].round().tolist() == [1.0, 0.0, -1.0, 0.0]  # a cosine over four places
        True
    """

    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None:
        self.side = checks.option("side", side, ("real", "imag"))
        self.window, self.periodic = window, periodic
        self.scaling = checks.option("scaling", scaling, ("density", "spectrum", None))

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        shape = rules.known_shape(shape)
        if len(shape) != 3:
            raise ArgumentError("shape", expected="(length, 1, bins)", got=shape)
        length, _, bins = shape
        fft_length = (bins - 1) * 2
        phase = 2 * np.pi * np.arange(length)[:, None] * np.arange(bins)[None, :] / fft_length
        wave = np.cos(phase) if self.side == "real" else -np.sin(phase)
        if self.window is None:
            return ops.convert_to_tensor(wave[:, None, :], dtypes.standardize(dtype))
        window = _window(self.window, length, self.periodic)
        if self.scaling == "density":
            wave = wave / np.sqrt((window**2).sum())
        elif self.scaling == "spectrum":
            wave = wave / np.abs(window.sum())
        return ops.convert_to_tensor((wave * window[:, None])[:, None, :], dtypes.standardize(dtype))


def _window(window: Any, length: int, periodic: bool) -> np.ndarray:
    if not isinstance(window, str):
        return np.asarray(window, float)
    makers = {
        "hann": np.hanning,
        "hanning": np.hanning,
        "hamming": np.hamming,
        "blackman": np.blackman,
        "bartlett": np.bartlett,
    }
    if window not in makers:
        raise ArgumentError("window", expected=f"one of {sorted(makers)}, an array or None", got=window)
    return makers[window](length + 1)[:-1] if periodic else makers[window](length)


STFTInitializer = STFT
