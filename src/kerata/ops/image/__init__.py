"""Ops on images: `(height, width, channels)`, or batches of them."""

import importlib
from typing import TYPE_CHECKING, Any

from .color import hsv_to_rgb as hsv_to_rgb
from .color import rgb_to_grayscale as rgb_to_grayscale
from .color import rgb_to_hsv as rgb_to_hsv
from .cropping import crop_images as crop_images
from .cropping import pad_images as pad_images
from .filters import gaussian_blur as gaussian_blur
from .filters import sobel_edges as sobel_edges
from .filters import ssim as ssim
from .geometry import affine_transform as affine_transform
from .geometry import map_coordinates as map_coordinates
from .geometry import perspective_transform as perspective_transform
from .resizing import resize as resize
from .resizing import scale_and_translate as scale_and_translate
from .windows import extract_patches as extract_patches
from .windows import extract_patches_3d as extract_patches_3d

if TYPE_CHECKING:
    from kerata.random.elastic import elastic_transform as elastic_transform


def __getattr__(name: str) -> Any:
    # Random numbers stand above ops, and so does the op that draws some; only its public name is offered here.
    if name == "elastic_transform":
        return importlib.import_module("kerata.random.elastic").elastic_transform
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "elastic_transform"})
