"""8-bit floats: engines store them; ops compute in float32 and round each result once.

Engines disagree about which arithmetic they have for these dtypes, and a composition that rounded at each of its
steps would be further off on one engine than on another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kerata.core.dispatch import dtype_of
from kerata.core.tensor import OPS
from kerata.core.tree import map_structure

NAMES = ("float8_e4m3fn", "float8_e5m2")
DTYPES: set[int] = set()  # ids of the engines' dtype objects, of which there is one for each dtype


def among(args: Iterable[Any], kwargs: dict[str, Any]) -> bool:
    """Whether an argument is a tensor of 8-bit floats, or a list of such. On the way of every call, therefore bare."""
    for a in args:
        kind = type(a)
        if id(getattr(a[0] if (kind is list or kind is tuple) and a else a, "dtype", None)) in DTYPES:
            return True
    return bool(kwargs) and among(kwargs.values(), {})


def widened(x: Any) -> Any:
    """The values in float32, where they are 8-bit floats."""
    return OPS["cast"](x, "float32") if id(getattr(x, "dtype", None)) in DTYPES else x


def rounded(result: Any, announced: Any) -> Any:
    """The result in the dtypes that were announced: a structure like it, or the dtype of all that is a float."""

    def one(x: Any, dtype: str) -> Any:
        return OPS["cast"](x, dtype) if dtype in NAMES else x

    if isinstance(announced, str):
        return map_structure(lambda x: one(x, announced) if dtype_of(x) == "float32" else x, result)
    return map_structure(lambda x, a: one(x, dtype_of(a)), result, announced)
