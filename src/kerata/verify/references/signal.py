"""Plain definitions of short-time Fourier transforms."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray


def _window(window: Any, length: int, fft_length: int) -> Array:
    """Of the length of a transform, zeros on both sides."""
    cosine = np.cos(2 * np.pi * np.arange(length) / length)
    known = {"hann": 0.5 - 0.5 * cosine, "hamming": 0.54 - 0.46 * cosine}
    values = (
        np.ones(length)
        if window is None
        else known[window]
        if isinstance(window, str)
        else np.asarray(window)
    )
    left = (fft_length - length) // 2
    return np.pad(values, (left, fft_length - length - left))


def stft(
    x: Array, sequence_length: int, sequence_stride: int, fft_length: int, window: Any = "hann", center: bool = True
) -> tuple[Array, Array]:  # fmt: skip
    weights = _window(window, sequence_length, fft_length)
    if center:
        x = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(fft_length // 2,) * 2], mode="reflect")
    starts = range(0, x.shape[-1] - fft_length + 1, sequence_stride)
    found = np.stack([np.fft.rfft(x[..., s : s + fft_length] * weights) for s in starts], -2)
    return found.real, found.imag


def istft(
    x: Any, sequence_length: int, sequence_stride: int, fft_length: int, length: int | None = None,
    window: Any = "hann", center: bool = True,
) -> Array:  # fmt: skip
    """Weighted pieces added up, over the weights squared and added up: least squares (Griffin and Lim, 1984)."""
    spectra = np.asarray(x[0]) + 1j * np.asarray(x[1])
    weights = _window(window, sequence_length, fft_length)
    pieces = np.fft.irfft(spectra, fft_length) * weights
    count = spectra.shape[-2]
    total = (count - 1) * sequence_stride + fft_length
    signal, norm = np.zeros((*spectra.shape[:-2], total)), np.zeros(total)
    for i in range(count):
        place = slice(i * sequence_stride, i * sequence_stride + fft_length)
        signal[..., place] += pieces[..., i, :]
        norm[place] += weights**2
    found = np.divide(signal, norm, out=signal.copy(), where=norm > 1e-10)
    start = fft_length // 2 if center else 0
    end = total - start if length is None else start + length
    found = found[..., start:end]
    short = 0 if length is None else length - found.shape[-1]
    return np.pad(found, [(0, 0)] * (found.ndim - 1) + [(0, short)])
