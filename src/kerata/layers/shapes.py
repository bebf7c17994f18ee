"""Shapes and masks of the tensors of a layer's call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kerata import backends
from kerata.core import dispatch
from kerata.core.declare import leaves_of
from kerata.core.dispatch import engine_of_type, shape_of
from kerata.core.inference import known_sizes
from kerata.core.tensor import KerasTensor


def mask_of(x: Any) -> Any:
    """The mask that goes with a tensor, or None."""
    if type(x) is KerasTensor:
        return x._keras_mask
    engine = engine_of_type(type(x))
    if engine is None:
        return backends.get("numpy").mask_of(x) if isinstance(x, np.ndarray) else None
    return engine.mask_of(x)


def set_mask(x: Any, mask: Any) -> None:
    """Lets a mask go with a tensor."""
    if type(x) is KerasTensor:
        x._keras_mask = mask
        return
    engine = engine_of_type(type(x)) or backends.get("numpy")
    engine.set_mask(x, mask)


def has_tensor(value: Any) -> bool:
    return any(dispatch.is_tensor(leaf) for leaf in leaves_of(value))


def shapes_in_words(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
    """The shapes of the tensors of a call."""
    shapes = [str(tuple(shape_of(t))) for t in leaves_of([list(args), kwargs]) if dispatch.is_tensor(t)]
    return f"of shape {', '.join(shapes)}" if shapes else None


def shapes_of(value: Any) -> Any:
    """The structure of shapes of a structure of tensors."""
    if dispatch.is_tensor(value):
        return known_sizes(tuple(shape_of(value)))
    if isinstance(value, (list, tuple)):
        return [shapes_of(v) for v in value]
    if isinstance(value, dict):
        return {k: shapes_of(v) for k, v in value.items()}
    return None


def is_shape(value: Any) -> bool:
    """Whether this is a shape: a list or tuple of sizes, or a class of an engine's that can be made one."""
    if hasattr(value, "as_list"):
        return value.rank is not None
    return isinstance(value, (list, tuple)) and all(
        d is None or isinstance(d, (int, np.integer)) for d in value
    )


def map_shapes(fn: Callable[[Any], Any], value: Any) -> Any:
    """Maps over a structure whose leaves are shapes."""
    if is_shape(value):
        return fn(tuple(value))
    if isinstance(value, dict):
        return {k: map_shapes(fn, v) for k, v in value.items()}
    mapped = [map_shapes(fn, v) for v in value]
    return tuple(mapped) if type(value) is tuple else mapped


def as_shape(value: Any) -> Any:
    if value is None:
        return None
    return map_shapes(tuple, value)
