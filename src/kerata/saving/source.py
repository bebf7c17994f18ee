"""Bytes at known places: a window of an open file, or memory. Nothing is read outside of it."""

from __future__ import annotations

import abc
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from typing import Any, NoReturn

from kerata.core.errors import RefusedFileError

_PIECE = 1 << 20


class Source(abc.ABC):
    """`size` bytes that are read by offset.

    Args:
        name: the file, as error texts call it.
        size: how many bytes there are.
        place: where in the file they stand, put before every place that an error names.
    """

    def __init__(self, name: str, size: int, place: str = "") -> None:
        self.name, self.size, self.place = name, size, place

    def read(self, offset: int, count: int, what: str) -> bytes:
        """`count` bytes from `offset` on.

        Raises:
            RefusedFileError: if they do not all lie inside.
        """
        self._check(offset, count, what)
        return self._read(offset, count)

    def read_into(self, offset: int, target: memoryview, what: str) -> None:
        """Fills `target` with the bytes from `offset` on, without a copy between."""
        self._check(offset, len(target), what)
        self._read_into(offset, target)

    @abc.abstractmethod
    def window(self, offset: int, count: int, place: str) -> Source:
        """The part from `offset` on as a source of its own."""

    def crc32(self) -> int:
        """CRC-32 of all bytes, read piece by piece."""
        value, buffer = 0, bytearray(min(_PIECE, self.size))
        for offset in range(0, self.size, _PIECE):
            piece = memoryview(buffer)[: min(_PIECE, self.size - offset)]
            self._read_into(offset, piece)
            value = zlib.crc32(piece, value)
        return value

    def refuse(self, place: str, reason: str) -> NoReturn:
        raise RefusedFileError(self.name, f"{self.place}: {place}" if self.place else place, reason)

    def _check(self, offset: int, count: int, what: str) -> None:
        if offset < 0 or count < 0 or offset + count > self.size:
            self.refuse(what, f"it would end at byte {offset + count}, but there are {self.size} bytes")

    @abc.abstractmethod
    def _read(self, offset: int, count: int) -> bytes: ...

    @abc.abstractmethod
    def _read_into(self, offset: int, target: memoryview) -> None: ...


class FileSource(Source):
    """A window of an open file. Whoever opened the file closes it."""

    def __init__(self, name: str, file: FileIO, start: int, size: int, place: str = "") -> None:
        super().__init__(name, size, place)
        self._file, self._start = file, start

    def window(self, offset: int, count: int, place: str) -> FileSource:
        self._check(offset, count, place)
        return FileSource(self.name, self._file, self._start + offset, count, place)

    def _read(self, offset: int, count: int) -> bytes:
        self._file.seek(self._start + offset)
        data = self._file.read(count)
        if len(data) == count:
            return data
        whole = bytearray(count)  # a large read may come in parts
        self._read_into(offset, memoryview(whole))
        return bytes(whole)

    def _read_into(self, offset: int, target: memoryview) -> None:
        self._file.seek(self._start + offset)
        done = 0
        while done < len(target):
            count = self._file.readinto(target[done:])
            if not count:
                self.refuse("its end", "the file became shorter while it was read")
            done += count


class MemorySource(Source):
    """Bytes in memory."""

    def __init__(self, name: str, data: bytes | bytearray | memoryview, place: str = "") -> None:
        self._data = memoryview(data).cast("B")
        super().__init__(name, len(self._data), place)

    def window(self, offset: int, count: int, place: str) -> MemorySource:
        self._check(offset, count, place)
        return MemorySource(self.name, self._data[offset : offset + count], place)

    def _read(self, offset: int, count: int) -> bytes:
        return bytes(self._data[offset : offset + count])

    def _read_into(self, offset: int, target: memoryview) -> None:
        target[:] = self._data[offset : offset + len(target)]


@contextmanager
def open_source(path: Any) -> Iterator[FileSource]:
    """The regular file at `path` as a source; closed at the end of the block.

    Raises:
        RefusedFileError: if it is not a regular file (a pipe or a device may never end).
        OSError: if it is not there or may not be read.
    """
    name = os.fspath(path)
    # Looked at before it is opened: opening a pipe or a device may wait forever, or do something.
    if not stat.S_ISREG(os.stat(name).st_mode):
        raise RefusedFileError(name, "the path", "it is not a regular file")
    with FileIO(name) as file:
        yield FileSource(name, file, 0, os.fstat(file.fileno()).st_size)
