"""Fourier transforms, and short-time ones of signals cut into overlapping sequences.

Complex numbers are pairs of real tensors, the real and the imaginary parts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.core import checks, dtypes, rules
from kerata.core import decompositions as d
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample

from .core import cast, create
from .creation import range_tensor
from .elementwise import constant, here, promote, to_real_float
from .repeating import pad
from .splitting import cut

TensorLike = Any
Tensor = Any
Pair = tuple[Tensor, Tensor]


def _complex(x: Any, argument: str = "x") -> tuple[Tensor, str]:
    """A complex tensor of a pair, in 64 or 128 bits, and the dtype of the parts of the result."""
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ArgumentError(argument, expected="a pair of tensors, the real and the imaginary parts", got=x)
    a, b = promote(to_real_float(x[0], argument), to_real_float(x[1], argument), at_least=float)
    shape, other = shape_of(a), shape_of(b)
    if not shape or len(shape) != len(other) or any(map(rules.differ, shape, other)):
        raise ArgumentError(
            argument,
            expected="a pair of tensors of one shape, with at least one dimension",
            got=f"shapes {shape} and {other}",
        )
    name = dtype_of(a)
    wide = "float32" if dtypes.itemsize(name) < 4 else name
    return p.complex_(cast(a, wide), cast(b, wide)), name


def _real(x: Any, argument: str = "x") -> tuple[Tensor, str]:
    x = to_real_float(x, argument)
    name = dtype_of(x)
    return (cast(x, "float32") if dtypes.itemsize(name) < 4 else x), name


def _parts(z: Tensor, name: str) -> Pair:
    return cast(p.real(z), name), cast(p.imag(z), name)


def _transform(z: Tensor, axis: int, inverse: bool) -> Tensor:
    n = len(shape_of(z))
    if type(shape_of(z)[axis]) is int and shape_of(z)[axis] == 0:
        raise ArgumentError("x", expected="of a size of at least 1 along the axes to transform", got="size 0")
    if axis == n - 1:
        return d.fft(z, inverse=inverse)
    order = [i for i in range(n) if i != axis] + [axis]
    back = [order.index(i) for i in range(n)]
    return p.transpose(d.fft(p.transpose(z, axes=tuple(order)), inverse=inverse), axes=tuple(back))


def _both(x: Any, inverse: bool) -> Pair:
    z, name = _complex(x)
    n = len(shape_of(z))
    if n < 2:
        raise ArgumentError("x", expected="tensors with at least two dimensions", got=x[0])
    return _parts(_transform(_transform(z, n - 1, inverse), n - 2, inverse), name)


def _reference(transform: Any) -> Any:
    def run(x: Any) -> Any:
        z = transform(np.asarray(x[0]) + 1j * np.asarray(x[1]))
        return z.real, z.imag

    return run


_PAIRS = [
    sample((T((5,)), T((5,)))),
    sample((T((2, 8)), T((2, 8)))),
    sample((T((3,), "float64"), T((3,), "float64"))),
    sample((T((1,)), T((1,)))),
]
_PAIR_REJECTS = [
    rejects(T((3,)), argument="x"),
    rejects((T((3,)), T((2,))), argument="x"),
    rejects((T(()), T(())), argument="x"),
]
_PLANES = [sample((T((3, 4)), T((3, 4)))), sample((T((2, 3, 5)), T((2, 3, 5))))]
_PLANE_REJECTS = [rejects((T((3,)), T((3,))), argument="x"), rejects(T((3, 3)), argument="x")]


@op(
    samples=[sample((T((2, 13)), T((2, 13)))), *_PAIRS, sample((T((2, 0, 4)), T((2, 0, 4))))],
    rejects=_PAIR_REJECTS,
    reference=_reference(np.fft.fft),
)
def fft(x: tuple[TensorLike, TensorLike] | list[TensorLike]) -> Pair:
    """The discrete Fourier transform along the last axis.

    Args:
        x: a pair, the real and the imaginary parts.

    Returns:
        A pair of tensors of the shape of the parts.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.fft(([1.0, 1.0], [0.0, 0.0]))[0])
        array([2., 0.], dtype=float32)
    """
    z, name = _complex(x)
    return _parts(_transform(z, len(shape_of(z)) - 1, inverse=False), name)


@op(
    samples=[
        sample((T((5, 7)), T((5, 7)))),
        *_PLANES,
        sample((T((1, 1)), T((1, 1)))),
        sample((T((2, 2), "float64"), T((2, 2), "float64"))),
        sample((T((0, 2, 2)), T((0, 2, 2)))),
    ],
    rejects=_PLANE_REJECTS,
    reference=_reference(np.fft.fft2),
)
def fft2(x: tuple[TensorLike, TensorLike] | list[TensorLike]) -> Pair:
    """The discrete Fourier transform along the last two axes.

    Args:
        x: a pair, the real and the imaginary parts.

    Returns:
        A pair of tensors of the shape of the parts.

    Example:
        >>> import kerata
        >>> x = kerata.ops.ones((2, 2))
        >>> float(kerata.ops.fft2((x, x))[0][0, 0])
        4.0
    """
    return _both(x, inverse=False)


@op(
    samples=[
        sample((T((5, 7)), T((5, 7)))),
        *_PLANES,
        sample((T((1, 1)), T((1, 1)))),
        sample((T((2, 2), "float64"), T((2, 2), "float64"))),
        sample((T((0, 2, 2)), T((0, 2, 2)))),
    ],
    rejects=_PLANE_REJECTS,
    reference=_reference(np.fft.ifft2),
)
def ifft2(x: tuple[TensorLike, TensorLike] | list[TensorLike]) -> Pair:
    """The inverse of `fft2`.

    Args:
        x: a pair, the real and the imaginary parts.

    Returns:
        A pair of tensors of the shape of the parts.

    Example:
        >>> import kerata
        >>> x = kerata.ops.ones((2, 2))
        >>> float(kerata.ops.ifft2((x, x))[0][0, 0])
        1.0
    """
    return _both(x, inverse=True)


# ---- of real signals -----------------------------------------------------------------------------


def _resized(x: Tensor, size: int) -> Tensor:
    """Cut off, or filled up with zeros, along the last axis."""
    have, last = shape_of(x)[-1], len(shape_of(x)) - 1
    if type(have) is int and have >= size:
        return x if have == size else cut(x, last, 0, size)
    return p.pad(x, pads=((0, 0),) * last + ((0, size - have),), value=0)


def _length(fft_length: Any) -> int:
    return checks.positive_int("fft_length", fft_length)


def _real_transform(x: Tensor) -> Tensor:
    """The first half of the transform of real values; the other half is its mirror image."""
    n = shape_of(x)[-1]
    last = len(shape_of(x)) - 1
    z = _transform(p.complex_(x, p.mul(x, 0)), last, inverse=False)
    return cut(z, last, 0, n // 2 + 1)


def _real_inverse(z: Tensor, n: int) -> Tensor:
    """The real values that have the given first half of a transform; of what must be real, the rest is ignored."""
    last = len(shape_of(z)) - 1
    z = _resized(z, n // 2 + 1)
    first = cut(z, last, 0, 1)
    ends = [p.complex_(p.real(first), p.mul(p.imag(first), 0))]
    middle = cut(z, last, 1, (n + 1) // 2)
    mirror = p.conj(p.flip(middle, axis=(last,)))
    if n % 2 == 0:
        tip = cut(z, last, n // 2, n // 2 + 1)
        ends.append(p.complex_(p.real(tip), p.mul(p.imag(tip), 0)))
    return p.real(d.fft(p.concatenate((ends[0], middle, *ends[1:], mirror), axis=last), inverse=True))


def _rfft_reference(x: Any, fft_length: Any = None) -> Any:
    z = np.fft.rfft(x, fft_length)
    return z.real, z.imag


@op(
    samples=[
        sample(T((2, 13))), sample(T((2, 4), "float16"), gradient=False), sample(T((6,))), sample(T((0, 6))),
        sample(T((2, 5))),
        sample(T((5,)), fft_length=8), sample(T((5,)), 3), sample(T((4,), "float64")),
    ],
    rejects=[
        rejects(T(()), argument="x"), rejects(T((3,)), 0, argument="fft_length"),
        rejects(T((2,), "complex64"), argument="x"),
    ],
    reference=_rfft_reference,
)  # fmt: skip
def rfft(x: TensorLike, fft_length: int | None = None) -> Pair:
    """The Fourier transform of real values along the last axis: its first half, which determines the other.

    Args:
        x: real numbers.
        fft_length: how many values to take; the axis is cut off, or filled up with zeros.

    Returns:
        A pair of tensors with `fft_length // 2 + 1` elements along the last axis.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.rfft([1.0, 1.0])[0])
        array([2., 0.], dtype=float32)
    """
    x, name = _real(x)
    if not shape_of(x):
        raise ArgumentError("x", expected="a tensor with at least one dimension", got=x)
    return _parts(_real_transform(x if fft_length is None else _resized(x, _length(fft_length))), name)


@op(
    samples=[
        sample((T((2, 2)), T((2, 2))), 1), sample((T((4,), "float16"), T((4,), "float16")), gradient=False),
        sample((T((4,)), T((4,)))), sample((T((2, 3)), T((2, 3))), 5), sample((T((3,)), T((3,))), fft_length=8),
        sample((T((5,)), T((5,))), 4), sample((T((4,), "float64"), T((4,), "float64"))),
    ],
    rejects=[
        rejects(T((3,)), argument="x"), rejects((T((3,)), T((3,))), 0, argument="fft_length"),
        rejects((T((2, 1)), T((2, 1))), argument="x"),
    ],
    reference=lambda x, fft_length=None: np.fft.irfft(np.asarray(x[0]) + 1j * np.asarray(x[1]), fft_length),
)  # fmt: skip
def irfft(x: tuple[TensorLike, TensorLike] | list[TensorLike], fft_length: int | None = None) -> Tensor:
    """The inverse of `rfft`.

    Args:
        x: a pair, the real and the imaginary parts of the first half of a transform.
        fft_length: how many values to give; `2 * (n - 1)` for `n` elements where not given.

    Returns:
        A real tensor.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.irfft(([2.0, 0.0], [0.0, 0.0])))
        array([1., 1.], dtype=float32)
    """
    z, name = _complex(x)
    size = shape_of(z)[-1]
    if fft_length is None and type(size) is int and size < 2:
        raise ArgumentError(
            "x", expected="at least 2 elements along the last axis, or a `fft_length`", got=x[0]
        )
    n = 2 * (size - 1) if fft_length is None else _length(fft_length)
    return cast(_real_inverse(z, n), name)


# ---- short-time transforms -----------------------------------------------------------------------


def _positive(value: Any, argument: str) -> int:
    return checks.positive_int(argument, value)


def _frames(x: Tensor, length: int, stride: int) -> Tensor:
    """Overlapping sequences along a new axis before the last."""
    n = shape_of(x)[-1]
    count = (n - length) // stride + 1
    if type(count) is int and count < 1:
        raise ArgumentError("sequence_length", expected=f"at most {n}, the size of the last axis", got=length)
    starts = p.reshape(p.mul(range_tensor(count), stride), shape=(count, 1))
    places = p.add(starts, p.reshape(range_tensor(length), shape=(1, length)))
    return p.take(x, places, axis=len(shape_of(x)) - 1)


@op(
    samples=[
        sample(T((3, 7), "uint8"), 7, 2), sample(T((7,)), 3, 2), sample(T((2, 8)), 4, 4),
        sample(T((5,), "int32"), 5, 1), sample(T((2, 2, 6)), 2, 3), sample(T((4,), "float64"), 1, 1),
    ],
    rejects=[
        rejects(T((3,)), 4, 1, argument="sequence_length"), rejects(T((3,)), 2, 0, argument="sequence_stride"),
        rejects(T(()), 1, 1, argument="x"),
    ],
)  # fmt: skip
def extract_sequences(x: TensorLike, sequence_length: int, sequence_stride: int) -> Tensor:
    """Overlapping sequences of the last axis.

    Args:
        x: any tensor.
        sequence_length: length of each sequence.
        sequence_stride: distance of their starts. What does not fill a sequence at the end is left out.

    Returns:
        A tensor of shape `(..., sequences, sequence_length)`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.extract_sequences([1, 2, 3, 4], 2, 1))
        array([[1, 2],
               [2, 3],
               [3, 4]], dtype=int32)
    """
    if not shape_of(x):
        raise ArgumentError("x", expected="a tensor with at least one dimension", got=x)
    return _frames(
        x, _positive(sequence_length, "sequence_length"), _positive(sequence_stride, "sequence_stride")
    )


_WINDOWS = {"hann": 0.5, "hamming": 0.54}


def _window(window: Any, length: int, fft_length: int, name: str) -> Tensor:
    """The window function, in the middle of `fft_length` values."""
    before = (fft_length - length) // 2
    after = fft_length - length - before
    if window is None or (isinstance(window, str) and window in _WINDOWS):

        def make(engine: Any) -> Tensor:
            values = np.ones(length)
            if window is not None:  # periodic: one more point, which is left out
                a = _WINDOWS[window]
                values = a - (1 - a) * np.cos(2 * np.pi * np.arange(length) / length)
            padded = np.pad(values, (before, after))
            return engine.convert(padded.astype(dtypes.numpy_dtype(name)), name)

        return create((fft_length,), name, make)
    if isinstance(window, str):
        raise ArgumentError("window", expected="'hann', 'hamming', None or a tensor", got=window)
    if tuple(shape_of(window)) != (length,):
        raise ArgumentError("window", expected=f"of shape ({length},), the length of a sequence", got=window)
    return pad(cast(here(window), name), ((before, after),))


def _check_lengths(length: Any, stride: Any, fft_length: Any) -> tuple[int, int, int]:
    length, stride, size = (
        _positive(length, "sequence_length"),
        _positive(stride, "sequence_stride"),
        _length(fft_length),
    )
    if size < length:
        raise ArgumentError("fft_length", expected=f"at least {length}, the length of a sequence", got=size)
    return length, stride, size


@op(
    samples=[
        sample(T((2, 21)), 7, 3, 9), sample(T((12,), "float64"), 4, 1, 4), sample(T((16,)), 8, 4, 8),
        sample(T((2, 20)), 6, 3, 8), sample(T((16,)), 6, 4, 8, window=None, center=False),
        sample(T((16,)), 8, 4, 8, "hamming"), sample(T((16,)), 4, 2, 4, T((4,))),
    ],
    rejects=[
        rejects(T((16,)), 8, 4, 6, argument="fft_length"), rejects(T((16,)), 8, 4, 8, "square", argument="window"),
        rejects(T((16,)), 8, 0, 8, argument="sequence_stride"), rejects(T(()), 8, 4, 8, argument="x"),
    ],
)  # fmt: skip
def stft(
    x: TensorLike,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> Pair:
    """The short-time Fourier transform: `rfft` of overlapping sequences of the last axis, times a window.

    Args:
        x: real numbers.
        sequence_length: length of a sequence.
        sequence_stride: distance of their starts.
        fft_length: how many values to transform; sequences are filled up with zeros on both sides.
        window: "hann", "hamming", a tensor of `sequence_length` numbers, or None.
        center: whether to mirror `fft_length // 2` values at both ends first, so that sequences are centred.

    Returns:
        A pair of tensors of shape `(..., sequences, fft_length // 2 + 1)`.

    Example:
        >>> import kerata
        >>> kerata.ops.stft(kerata.ops.ones((16,)), 8, 4, 8)[0].shape == (5, 5)
        True
    """
    length, stride, size = _check_lengths(sequence_length, sequence_stride, fft_length)
    if not shape_of(x):
        raise ArgumentError("x", expected="a tensor with at least one dimension", got=x)
    x, name = _real(x)
    if center:
        x = pad(x, ((0, 0),) * (len(shape_of(x)) - 1) + ((size // 2, size // 2),), mode="reflect")
    frames = p.mul(_frames(x, size, stride), _window(window, length, size, dtype_of(x)))
    return _parts(_real_transform(frames), name)


def overlap_add(frames: Tensor, stride: int) -> Tensor:
    """The sums of overlapping sequences at their places: the transpose of cutting them out."""
    *batch, count, length = shape_of(frames)
    total = (count - 1) * stride + length
    starts = p.reshape(p.mul(range_tensor(count), stride), shape=(count, 1))
    places = p.reshape(
        p.add(starts, p.reshape(range_tensor(length), shape=(1, length))), shape=(count * length, 1)
    )
    n = len(batch)
    flat = p.reshape(frames, shape=(*batch, count * length))
    front = p.transpose(flat, axes=(n, *range(n)))
    target = p.broadcast_to(constant(0, dtype_of(frames)), shape=(total, *batch))
    return p.transpose(p.scatter(target, places, front, mode="add"), axes=(*range(1, n + 1), 0))


@op(
    samples=[sample((T((3, 5)), T((3, 5))), 7, 3, 9, 30),
        sample((T((5, 5)), T((5, 5))), 8, 4, 8), sample((T((2, 5, 5)), T((2, 5, 5))), 8, 4, 8, length=12),
        sample((T((3, 5)), T((3, 5))), 8, 4, 8, window=None, center=False),
        sample((T((5, 5)), T((5, 5))), 6, 3, 8, window="hamming"),
    sample((T((5, 5), "float64"), T((5, 5), "float64")), 8, 4, 8)],
    rejects=[
        rejects(T((5, 5)), 8, 4, 8, argument="x"), rejects((T((5, 5)), T((5, 5))), 8, 4, 6, argument="fft_length"),
        rejects((T((5,)), T((5,))), 8, 4, 8, argument="x"), rejects((T((0, 5)), T((0, 5))), 8, 4, 8, argument="x"),
    ],
)  # fmt: skip
def istft(
    x: tuple[TensorLike, TensorLike] | list[TensorLike], sequence_length: int, sequence_stride: int, fft_length: int,
    length: int | None = None, window: Any = "hann", center: bool = True,
) -> Tensor:  # fmt: skip
    """The inverse of `stft`: the signal nearest to having these transforms (Griffin and Lim, 1984).

    Args:
        x: a pair, the real and the imaginary parts, of shape `(..., sequences, fft_length // 2 + 1)`.
        sequence_length: length of a sequence.
        sequence_stride: distance of their starts.
        fft_length: how many values were transformed.
        length: how many values to give; all where not given.
        window: the window of `stft`.
        center: whether `stft` centred the sequences.

    Returns:
        A real tensor of shape `(..., values)`.

    Example:
        >>> import kerata
        >>> x = kerata.ops.stft(kerata.ops.ones((16,)), 8, 4, 8)
        >>> kerata.ops.istft(x, 8, 4, 8).shape == (16,)
        True
    """
    size, stride, n = _check_lengths(sequence_length, sequence_stride, fft_length)
    length = length if length is None else checks.natural("length", length)
    z, name = _complex(x)
    if len(shape_of(z)) < 2:
        raise ArgumentError("x", expected="tensors of shape (..., sequences, values)", got=x[0])
    if type(shape_of(z)[-2]) is int and shape_of(z)[-2] == 0:
        raise ArgumentError("x", expected="at least one sequence", got=x[0])
    frames = _real_inverse(z, n)
    w = _window(window, size, n, dtype_of(frames))
    count = shape_of(frames)[-2]
    signal = overlap_add(p.mul(frames, w), stride)
    weight = overlap_add(p.broadcast_to(p.mul(w, w), shape=(count, n)), stride)
    tiny = p.le(weight, 1e-11)  # no window reaches there
    signal = p.div(signal, p.where(tiny, 1, weight))
    start, last = (n // 2 if center else 0), len(shape_of(signal)) - 1
    total = shape_of(signal)[-1]
    stop = start + length if length is not None else total - (n // 2 if center else 0)
    if type(total) is int and stop > total:
        signal = p.pad(signal, pads=((0, 0),) * last + ((0, stop - total),), value=0)
    return cast(cut(signal, last, start, stop), name)
