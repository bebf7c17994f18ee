"""How much a file may ask for before it is refused."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one load. A caller who trusts a file may raise them; a file cannot.

    Args:
        config_bytes: size of a JSON text.
        depth: how deep lists and objects of a JSON text may be nested.
        digits: characters of one number in a JSON text.
        layers: layers and operations of a model.
        calls: operations that are gone through to make a graph, beside 300 for each object and call that it has.
            Models inside models, and layers that are unrolled over time, take more than their text tells.
        members: members of an archive, and arrays of a weights file.
        ratio: bytes that one stored byte may become by decompression.
        spare_bytes: memory that a load may take beyond twice the bytes it reads.

    Example:
        >>> Limits(depth=400).depth
        400
    """

    config_bytes: int = 64 * MEGABYTE
    depth: int = 200
    digits: int = 40
    layers: int = 100_000
    calls: int = 50_000
    members: int = 10_000
    ratio: int = 20
    spare_bytes: int = 64 * MEGABYTE


DEFAULT = Limits()
