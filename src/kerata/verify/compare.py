"""Whether two results are the same: structure, dtype, shape, NaN and infinities, values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kerata.core import dtypes
from kerata.core.samples import Tolerance
from kerata.core.tensor import KerasTensor
from kerata.ops.core import convert_to_numpy, dtype


@dataclass(frozen=True)
class Plain:
    """A tensor of a result, on no engine: name of the dtype, shape, and values in NumPy (None for symbolic ones)."""

    dtype: str
    shape: tuple[Any, ...]
    values: np.ndarray | None


def plain(result: Any) -> list[Plain]:
    """The tensors of a result, in order."""
    if isinstance(result, (list, tuple)):
        return [leaf for part in result for leaf in plain(part)]
    if isinstance(result, dict):
        return [leaf for key in sorted(result) for leaf in plain(result[key])]
    if result is None:
        return []
    if isinstance(result, KerasTensor):
        return [Plain(result.dtype, tuple(result.shape), None)]
    values = np.asarray(convert_to_numpy(result))
    return [Plain(dtype(result), values.shape, values)]


def machine_epsilon(name: str) -> float:
    """The relative distance of neighbouring numbers; 0 for integers."""
    if dtypes.is_float(name) or dtypes.is_complex(name):
        return float(dtypes.finfo(name).eps)
    return 0.0


def difference(
    got: list[Plain], expected: list[Plain], tolerance: Tolerance, check_dtype: bool = True
) -> str | None:
    """What is not the same, in a sentence; None where nothing is.

    Values may differ by the tolerance, which is stated for float32 and scaled to the precision of the dtype.
    """
    if len(got) != len(expected):
        return f"{len(got)} tensors instead of {len(expected)}"
    for i, (a, b) in enumerate(zip(got, expected, strict=True)):
        where = f"result {i}: " if len(got) > 1 else ""
        if check_dtype and a.dtype != b.dtype:
            return f"{where}dtype {a.dtype} instead of {b.dtype}"
        if a.shape != b.shape:
            return f"{where}shape {a.shape} instead of {b.shape}"
        if a.values is not None and b.values is not None:
            told = _values_differ(a, b, tolerance)
            if told:
                return where + told
    return None


def share_of_tolerance(got: list[Plain], expected: list[Plain], tolerance: Tolerance) -> float:
    """The largest deviation of results that are the same, as a share of what the tolerance allows."""
    share = 0.0
    for a, b in zip(got, expected, strict=True):
        if a.values is not None and b.values is not None:
            x, y, scale = _as_wide(a, b)
            with np.errstate(all="ignore"):
                allowed = scale * (tolerance.atol + tolerance.rtol * np.abs(y))
                parts = np.abs(x - y) / allowed
            share = max(share, float(np.max(parts[np.isfinite(parts)], initial=0.0)))
    return share


def _as_wide(a: Plain, b: Plain) -> tuple[np.ndarray, np.ndarray, float]:
    """The values in the widest dtype, and by how much the tolerance is scaled."""
    wide: Any = np.complex128 if dtypes.is_complex(a.dtype) or dtypes.is_complex(b.dtype) else np.float64
    assert a.values is not None and b.values is not None
    scale = max(machine_epsilon(a.dtype), machine_epsilon(b.dtype)) / machine_epsilon("float32")
    return *_same_limits(a.values.astype(wide), b.values.astype(wide), a.dtype), scale


def _values_differ(a: Plain, b: Plain, tolerance: Tolerance) -> str | None:
    x, y, scale = _as_wide(a, b)
    close = np.isclose(x, y, rtol=tolerance.rtol * scale, atol=tolerance.atol * scale, equal_nan=True)
    if close.all():
        return None
    place = tuple(int(i) for i in np.argwhere(~close)[0])
    one, other = x[place].item(), y[place].item()
    return f"{one} instead of {other} at {place} ({int((~close).sum())} of {close.size} differ)"


def _same_limits(x: np.ndarray, y: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """What a narrow dtype cannot hold is infinite in it: so it is in the wide reference then."""
    if not dtypes.is_float(name):
        return x, y
    top = float(dtypes.finfo(name).max)
    return x, np.where(np.abs(y) > top, np.copysign(np.inf, y), y)
