"""Resizing of images: one product with a matrix of weights for each axis."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from kerata.core import checks, config, dtypes
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, Tolerance, rejects, sample

from .core import create
from .elementwise import cast
from .product import einsum
from .rounding import round as nearest_even

TensorLike = Any
Tensor = Any
_KERNELS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


def _kernel(x: np.ndarray, name: str) -> np.ndarray:
    """Weights at distances: a triangle, Keys's cubic (a = -1/2), or a windowed sinc."""
    x = np.abs(x)
    if name == "bilinear":
        return np.maximum(0.0, 1.0 - x)
    if name == "bicubic":
        near, far = (1.5 * x - 2.5) * x * x + 1.0, ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
        return np.where(x < 1, near, np.where(x < 2, far, 0.0))
    radius = 3.0 if name == "lanczos3" else 5.0
    return np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0.0)


@lru_cache(maxsize=256)
def _weights(size: int, new: int, name: str, antialias: bool) -> np.ndarray:
    """The matrix (new, size) of one axis; pixels are squares, so centres lie at halves."""
    centres = (np.arange(new) + 0.5) * size / new
    if name == "nearest":
        return np.eye(size)[np.minimum(np.floor(centres).astype(int), size - 1)]
    stretch = max(size / new, 1.0) if antialias else 1.0
    weights = _kernel((centres[:, None] - np.arange(size)[None, :] - 0.5) / stretch, name)
    return weights / weights.sum(1, keepdims=True)


@op(
    samples=[
        sample(T((1, 4, 4, 2)), (8, 8)),
        sample(T((2, 5, 4, 1)), (3, 7), interpolation="bicubic"),
        sample(T((4, 6, 3)), (2, 3), interpolation="nearest"),
        sample(T((1, 6, 6, 1)), (3, 3), antialias=True),
        sample(T((1, 2, 4, 4)), (6, 5), interpolation="lanczos3", data_format="channels_first"),
    ],
    rejects=[
        rejects(T((4, 4)), (2, 2), argument="images"),
        rejects(T((1, 4, 4, 1)), (2,), argument="size"),
        rejects(T((1, 4, 4, 1)), (2, 2), interpolation="cubic", argument="interpolation"),
    ],
    tolerance=Tolerance(
        rtol=1e-5, atol=1e-5, because="two products of matrices; engines add in different order"
    ),
)
def resize(
    images: TensorLike,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    data_format: str | None = None,
) -> Tensor:
    """Images of another size.

    Args:
        images: numbers of shape (batch, rows, columns, channels), or without the batch.
        size: rows and columns of the result.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        antialias: whether shrinking averages over all pixels that fall together.
        data_format: "channels_last" or "channels_first".

    Returns:
        Images in the dtype of `images`; integers are rounded.

    Raises:
        ArgumentError: images of another rank, or unknown interpolation.

    Example:
        >>> import kerata
        >>> kerata.ops.image.resize(kerata.ops.ones((1, 2, 2, 3)), (4, 4)).shape == (1, 4, 4, 3)
        True
    """
    shape = shape_of(images)
    if len(shape) not in (3, 4):
        raise ArgumentError("images", expected="of rank 3 or 4", got=images)
    if not isinstance(size, (tuple, list)) or len(size) != 2:
        raise ArgumentError("size", expected="two integers, rows and columns", got=size)
    checks.option("interpolation", interpolation, _KERNELS)
    first = len(shape) - (3 if config.standardize_data_format(data_format) == "channels_last" else 2)
    name = dtype_of(images)
    wide = name if dtypes.is_float(name) else "float32"
    x = cast(images, wide)
    for axis, new in ((first, size[0]), (first + 1, size[1])):
        x = _along(x, axis, new, interpolation, antialias, wide)
    return cast(nearest_even(x), name) if wide != name else x


def _along(x: Tensor, axis: int, new: Any, name: str, antialias: bool, dtype: str) -> Tensor:
    old = shape_of(x)[axis]
    if old == new:
        return x
    matrix = create(
        (new, old), dtype, lambda engine: engine.convert(_weights(old, new, name, antialias), dtype)
    )
    letters = "abcd"[: len(shape_of(x))]
    result = letters.replace(letters[axis], "z")
    return einsum(f"{letters},z{letters[axis]}->{result}", x, matrix)
