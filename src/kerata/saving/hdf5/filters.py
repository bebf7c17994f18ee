"""Filters of chunked arrays: deflate, shuffle, fletcher32 and lzf. No plugin is ever looked for.

Format: HDF5 File Format Specification 3.0, section IV.A.2.l; LZF as in liblzf 3.6.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, NoReturn

import numpy as np

from kerata.saving.source import Source

DEFLATE, SHUFFLE, FLETCHER32, LZF = 1, 2, 3, 32000
Bytes = Any  # bytes, or an array of them
_NAMES = {DEFLATE: "deflate", SHUFFLE: "shuffle", FLETCHER32: "fletcher32", LZF: "lzf"}


class Pipeline:
    """The filters of one array, undone in reverse order."""

    def __init__(self, source: Source, data: bytes, place: str) -> None:
        self._source, self._place = source, place
        self.filters = self._parse(data) if data else []

    def undo(self, stored: bytes, size: int, itemsize: int, skipped: int) -> Bytes:
        """The `size` bytes that `stored` was made from.

        Bit n of `skipped` says that filter n was left out for this chunk, as it would have made it larger.
        """
        data: Bytes = stored
        for place, number in reversed(list(enumerate(self.filters))):
            if skipped >> place & 1:
                continue
            if number == DEFLATE:
                data = self._inflate(data, size)
            elif number == LZF:
                data = self._unpack_lzf(data, size)
            elif number == SHUFFLE:
                data = _unshuffle(data, itemsize)
            else:
                data = self._check_fletcher32(data)
        if len(data) != size:
            self._refuse(f"a chunk has {len(data)} bytes instead of {size}")
        return data

    def _refuse(self, reason: str) -> NoReturn:
        self._source.refuse(self._place, reason)

    def _parse(self, data: bytes) -> list[int]:
        version, count = data[:2] if len(data) >= 8 else (0, 0)
        if version != 1 or not 1 <= count <= 4:
            self._refuse("its list of filters is damaged or of a newer form")
        at, filters = 8, []
        for _ in range(count):
            number, name_size, _, values = struct.unpack_from("<4H", data[at : at + 8].ljust(8, b"\0"))
            at += 8 + name_size + 4 * (values + values % 2)
            if at > len(data):
                self._refuse("its list of filters is damaged")
            if number not in _NAMES:
                self._refuse(f"it uses filter {number}; only {', '.join(_NAMES.values())} are read")
            filters.append(number)
        if len(set(filters)) != count:
            self._refuse("it uses a filter twice")
        return filters

    def _inflate(self, data: Bytes, size: int) -> bytes:
        inflater = zlib.decompressobj()
        try:
            # Four bytes of room more for a checksum, and one so that too many are noticed.
            made = inflater.decompress(data, size + 5)
        except zlib.error:
            self._refuse("the compressed bytes of a chunk are damaged")
        if len(made) > size + 4 or not inflater.eof or inflater.unused_data:
            self._refuse("a chunk is larger than its shape, or damaged")
        return made

    def _check_fletcher32(self, data: Bytes) -> Bytes:
        if len(data) < 4 or _fletcher32(data[:-4]) != int.from_bytes(bytes(data[-4:]), "little"):
            self._refuse("the bytes of a chunk do not match their checksum")
        return data[:-4]

    def _unpack_lzf(self, data: Bytes, size: int) -> bytes:
        packed, made, at = bytes(data), bytearray(), 0
        try:
            while at < len(packed) and len(made) <= size:
                code, at = packed[at], at + 1
                if code < 32:  # a run of new bytes
                    made += packed[at : at + code + 1]
                    at += code + 1
                    continue
                length = code >> 5
                if length == 7:
                    length, at = length + packed[at], at + 1
                back, at = ((code & 31) << 8 | packed[at]) + 1, at + 1
                begin = len(made) - back
                if begin < 0:
                    self._refuse("the compressed bytes of a chunk are damaged")
                # The copied bytes may reach into those that the copy itself makes.
                run = made[begin : begin + length + 2]
                made += (run * (-(-(length + 2) // len(run))))[: length + 2]
        except IndexError:
            self._refuse("the compressed bytes of a chunk are damaged")
        return bytes(made)


def _unshuffle(data: Bytes, itemsize: int) -> np.ndarray:
    """Byte 0 of all elements, then byte 1 of all, ... becomes element after element; a rest stays at the end."""
    flat = np.frombuffer(data, np.uint8)
    whole = len(flat) // itemsize * itemsize
    turned = flat[:whole].reshape(itemsize, -1).T.reshape(-1)
    return turned if whole == len(flat) else np.concatenate((turned, flat[whole:]))


def _fletcher32(data: Bytes) -> int:
    """Fletcher's checksum over 16-bit words, as the HDF5 library forms it."""
    flat = np.frombuffer(data, np.uint8)
    if len(flat) % 2:
        flat = np.append(flat, np.uint8(0))
    words = flat.view(">u2").astype(np.int64)
    first = second = 0
    for start in range(0, len(words), 1 << 16):
        piece = words[start : start + (1 << 16)]
        weights = np.arange(len(piece), 0, -1)
        second = (second + first * len(piece) + int((piece * weights).sum())) % 65535
        first = (first + int(piece.sum())) % 65535
    # The library folds carries back, so a sum that is a multiple of 65535 shows as 65535 unless all words are 0.
    if words.any():
        first, second = first or 65535, second or 65535
    return second << 16 | first
