"""Datatypes and dataspaces, as far as arrays of numbers and names need them.

Format: HDF5 File Format Specification 3.0, sections IV.A.2.b and IV.A.2.d.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from typing import Any, NoReturn

import ml_dtypes
import numpy as np

from kerata.saving.source import Source

_FIXED, _FLOAT, _STRING, _OPAQUE, _COMPOUND, _ENUM, _VARIABLE = 0, 1, 3, 5, 6, 8, 9
_MAX_RANK = 32

# (bytes, exponent bits, mantissa bits, exponent bias)
_FLOATS = {
    (2, 5, 10, 15): np.dtype(np.float16),
    (2, 8, 7, 127): np.dtype(ml_dtypes.bfloat16),
    (4, 8, 23, 127): np.dtype(np.float32),
    (8, 11, 52, 1023): np.dtype(np.float64),
    (1, 4, 3, 7): np.dtype(ml_dtypes.float8_e4m3fn),
    (1, 5, 2, 15): np.dtype(ml_dtypes.float8_e5m2),
}


def raw_bytes(array: np.ndarray) -> Any:
    """The memory of an array that is contiguous, as bytes."""
    return memoryview(array.reshape(-1).view(np.uint8))  # type: ignore[arg-type]  # known to NumPy, not to its stubs


@dataclass(frozen=True, slots=True)
class Type:
    """What one element is: a NumPy dtype, or text of variable length (only in attributes)."""

    dtype: np.dtype
    variable: bool = False  # an element is a reference to a string
    size: int = 0  # bytes that the description takes


class TypeReader:
    """Reads type and shape messages of one object."""

    def __init__(self, source: Source, place: str) -> None:
        self._source, self._place = source, place

    def refuse(self, reason: str) -> NoReturn:
        self._source.refuse(self._place, reason)

    def shape(self, data: bytes) -> tuple[int, ...]:
        """The shape that a dataspace message gives; `()` for a scalar."""
        version, rank, flags = data[:3] if len(data) >= 4 else (0, 0, 0)
        if version not in (1, 2) or rank > _MAX_RANK or flags > 1 or (version == 2 and data[3] > 1):
            self.refuse("its shape is damaged, or of a form that is not read")
        start = 8 if version == 1 else 4
        if start + 8 * rank > len(data):
            self.refuse("its shape is cut off")
        shape: tuple[int, ...] = struct.unpack_from(f"<{rank}Q", data, start)
        if prod(max(size, 1) for size in shape) > 1 << 60:
            self.refuse(f"its shape {shape} is too large")
        return shape

    def type(self, data: bytes) -> Type:
        """The element type that a datatype message gives."""
        if len(data) < 8:
            self.refuse("its type is cut off")
        kind, version = data[0] & 15, data[0] >> 4
        bits, size = int.from_bytes(data[1:4], "little"), int.from_bytes(data[4:8], "little")
        if version not in (1, 2, 3) or size == 0:
            self.refuse("its type is damaged")
        rest = data[8:]
        if kind == _FIXED:
            return self._fixed(bits, size, rest)
        if kind == _FLOAT:
            return self._float(bits, size, rest)
        if kind == _STRING and size < 1 << 20:
            return Type(np.dtype(f"S{size}"), size=8)
        if kind == _OPAQUE and size <= 16:
            return Type(np.dtype(f"V{size}"), size=8 + (bits & 255))
        if kind == _ENUM:
            return self._boolean(bits, size, rest)
        if kind == _COMPOUND:
            return self._complex(bits, version, size, rest)
        if kind == _VARIABLE and bits & 15 == 1 and size == 16:
            return Type(np.dtype("V16"), variable=True, size=8)
        return self.refuse(
            "its elements are neither numbers nor text (objects, references and the like are not read)"
        )

    def _fixed(self, bits: int, size: int, rest: bytes) -> Type:
        if len(rest) < 4 or struct.unpack_from("<2H", rest) != (0, 8 * size) or size not in (1, 2, 4, 8):
            self.refuse("its integers have an unusual form")
        order, kind = ">" if bits & 1 else "<", "i" if bits & 8 else "u"
        return Type(np.dtype(f"{order}{kind}{size}"), size=12)

    def _float(self, bits: int, size: int, rest: bytes) -> Type:
        if len(rest) < 12:
            self.refuse("its type is cut off")
        offset, precision, exponent_at, exponent, mantissa_at, mantissa, bias = struct.unpack_from(
            "<2H4BL", rest
        )
        plain = (offset, precision, exponent_at, mantissa_at) == (0, 8 * size, mantissa, 0)
        sign_at, implied, vax = bits >> 8 & 255, bits >> 4 & 3, bits & 64
        dtype = _FLOATS.get((size, exponent, mantissa, bias))
        if dtype is None or not plain or sign_at != 8 * size - 1 or implied != 2 or vax:
            self.refuse("its floating-point numbers have an unusual form")
        return Type(dtype.newbyteorder(">") if bits & 1 else dtype, size=20)

    def _boolean(self, bits: int, size: int, rest: bytes) -> Type:
        """h5py writes bool as an enumeration of FALSE and TRUE over 8-bit integers."""
        base = self.type(rest)
        members = rest[base.size :]
        names = b"FALSE\0\0\0TRUE\0\0\0\0" if len(members) >= 18 else b"FALSE\0TRUE\0"
        if (bits & 0xFFFF, size, base.dtype) != (2, 1, np.dtype("i1")) or not members.startswith(
            names + b"\0\1"
        ):
            self.refuse("its enumeration is not bool")
        return Type(np.dtype(np.bool_), size=8 + base.size + len(names) + 2)

    def _complex(self, bits: int, version: int, size: int, rest: bytes) -> Type:
        """h5py writes complex numbers as pairs of floats named r and i."""
        if bits & 0xFFFF != 2 or size not in (8, 16):
            self.refuse("its elements are records, which are not read")
        at, half = 0, size // 2
        for name, offset in ((b"r", 0), (b"i", half)):
            head = name + b"\0" * 7 if version < 3 else name + b"\0"
            if not rest[at:].startswith(head + bytes((offset,))):
                self.refuse("its elements are records, which are not read")
            # After the offset: 4 bytes in all, and in version 1 the 28 bytes of an array's shape.
            at += len(head) + {1: 32, 2: 4, 3: 1}[version]
            part = self.type(rest[at:])
            if part.dtype != np.dtype(f"<f{half}"):
                self.refuse("its elements are records, which are not read")
            at += part.size
        return Type(np.dtype(f"<c{size}"), size=8 + at)
