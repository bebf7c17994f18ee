"""Images moved by random distances: an op on images which stands here because it draws.

`kerata.ops.image` offers it under its public name.
"""

from __future__ import annotations

from typing import Any

from kerata.core import checks
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.samples import T, rejects, sample
from kerata.ops.core import cast
from kerata.ops.image.filters import gaussian_blur
from kerata.ops.image.geometry import as_batch, as_given, displaced, mode_of, order_of

from .normal import normal

TensorLike = Any
Tensor = Any


@op(
    samples=[
        sample(T((4, 4, 1), "uint8", high=255), 2.0, 1.0, seed=2),
        sample(T((2, 6, 6, 1)), alpha=2.0, sigma=1.0, seed=3),
        sample(T((6, 6, 2)), 2.0, 1.0, "nearest", "constant", -1.0, 7),
        sample(T((1, 1, 6, 6)), 1.0, 1.0, seed=1, data_format="channels_first"),
        sample(T((4, 4, 1), "float64"), 1.0, 1.0, seed=5),
        sample(T((5, 4, 1)), 3.0, 2.0, "bilinear", "wrap", seed=5),
    ],
    rejects=[
        rejects(T((4, 4)), seed=1, argument="images"),
        rejects(T((4, 4, 1)), sigma=float("nan"), seed=1, argument="sigma"),
        rejects(T((4, 4, 1)), fill_mode="edge", seed=1, argument="fill_mode"),
        rejects(T((4, 4, 1)), interpolation="cubic", seed=1, argument="interpolation"),
    ],
    wide=False,
)
def elastic_transform(
    images: TensorLike,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """Images whose pixels are moved by smooth random distances (Simard et al., ICDAR 2003).

    Args:
        images: an image, or a batch; each image is moved in its own way.
        alpha: strength: the factor of the distances.
        sigma: smoothness: the standard deviation of the Gaussian filter over the random distances.
        interpolation: "nearest" or "bilinear".
        fill_mode: what lies outside: "constant", "nearest", "wrap", "mirror" or "reflect".
        fill_value: the value of "constant".
        seed: an integer, or a `SeedGenerator`.
        data_format: "channels_last" or "channels_first"; the configured one where not given.

    Returns:
        Images of the same shape and dtype; integers are rounded.

    Raises:
        ArgumentError: not three or four axes; an unknown `interpolation`, `fill_mode` or `data_format`.

    Example:
        >>> import kerata
        >>> kerata.ops.image.elastic_transform(kerata.ops.ones((8, 8, 1)), seed=1).shape == (8, 8, 1)
        True
    """
    order, mode = order_of(interpolation), mode_of(fill_mode)
    sigma, alpha = checks.number("sigma", sigma, 0, 1 << 20), checks.number("alpha", alpha)
    x, name, single = as_batch(images, data_format)
    drawn = "float64" if name == "float64" else "float32"
    noise = cast(normal((*shape_of(x)[:3], 2), dtype=drawn, seed=seed), dtype_of(x))
    size = 2 * int(3 * sigma) + 1
    smooth = gaussian_blur(noise, (size, size), (float(sigma), float(sigma)), "channels_last")
    moved = displaced(x, p.mul(smooth, float(alpha)), order, mode, fill_value)
    return as_given(moved, name, single, data_format)
