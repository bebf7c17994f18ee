"""A strict reader of HDF5 files, as a tree of arrays that are read one by one.

Why not h5py: the HDF5 library is written for files that one made oneself. Of 3,000 damaged copies of a small
weights file (1 to 16 bytes changed in each), HDF5 1.14.6 died of a segmentation fault on 6 and did not come back on
21. A signal cannot be caught, so a file from a stranger must not reach that library. What Keras writes needs
only a small part of the format; that part is read here, and everything else is refused by name.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from typing import Any, NoReturn

import ml_dtypes
import numpy as np

from kerata.saving.hdf5 import headers
from kerata.saving.hdf5.filters import Pipeline
from kerata.saving.hdf5.groups import CHUNKS, Blocks, GlobalHeap, leaves, read_links
from kerata.saving.hdf5.types import Type, TypeReader, raw_bytes
from kerata.saving.limits import DEFAULT, Limits
from kerata.saving.source import Source, open_source

CHECKSUM = "crc32"  # attribute of an array: CRC-32 of its bytes
_COMPACT, _CONTIGUOUS, _CHUNKED = 0, 1, 2

# h5py has no names for these types: it writes raw bytes, and Keras the name beside them.
NAMED_DTYPES = {
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
    "float8_e4m3fn": np.dtype(ml_dtypes.float8_e4m3fn),
    "float8_e5m2": np.dtype(ml_dtypes.float8_e5m2),
}
# Memory that an attribute takes here, about, and a chunk beside its place in the grid. Names may take 4 bytes a letter.
_ATTRIBUTE_BYTES, _CHUNK_BYTES, _AHEAD = 300, 600, 1100


class Hdf5File:
    """The groups and arrays of an HDF5 file; all of its structure is checked when it is made.

    Args:
        source: the bytes of the file.
        limits: how many arrays and groups it may have, and how far arrays may expand.
        stored: bytes on disk that warrant the memory, where the file is a member of a compressed archive.

    Raises:
        RefusedFileError: for anything outside of what Keras needs: links that are not hard, arrays elsewhere, unknown
            filters, objects, overlapping parts, a damaged structure.
    """

    def __init__(self, source: Source, limits: Limits = DEFAULT, stored: int | None = None) -> None:
        self.source, self._limits = source, limits
        self.datasets: dict[str, Dataset] = {}
        self.groups: dict[str, Attributes] = {}
        self._heap = GlobalHeap(source, self._charge)
        self._memory = 2 * source.size + limits.spare_bytes
        self._walk(headers.read_superblock(source))
        self._check_extents()
        self._check_size(limits.ratio * (source.size if stored is None else stored))

    def _walk(self, root: int) -> None:
        blocks = Blocks(self.source, self._charge)
        stack = [("", root, 0)]
        while stack:
            path, address, depth = stack.pop()
            place = path or "/"
            blocks.claim(address, place)
            header = headers.read_header(blocks, address, place)
            attributes = Attributes(self.source, self._heap, header.attributes, place)
            self._charge(sum(_ATTRIBUTE_BYTES + 4 * min(size, _AHEAD) for _, size in header.attributes))
            table = header.messages.get(headers.TABLE)
            if table is None:
                self._add_dataset(Dataset(blocks, header, attributes, path))
                continue
            self.groups[path] = attributes
            if len(self.groups) > 4 * self._limits.layers:
                self.source.refuse(place, f"there are more than {4 * self._limits.layers} groups")
            if depth >= self._limits.depth:
                self.source.refuse(place, f"it is nested deeper than {self._limits.depth} groups")
            links = read_links(blocks, table, path)
            stack.extend(
                (f"{path}/{name}" if path else name, child, depth + 1) for name, child in reversed(links)
            )

    def _add_dataset(self, dataset: Dataset) -> None:
        self.datasets[dataset.path] = dataset
        if len(self.datasets) > self._limits.members:
            self.source.refuse(dataset.path, f"there are more than {self._limits.members} arrays")

    def _charge(self, count: int) -> None:
        self._memory -= count
        if self._memory < 0:
            self.source.refuse("its structure", "reading it would take more memory than its size warrants")

    def _check_extents(self) -> None:
        """No byte may belong to two arrays: a small file could else stand for many large ones."""
        extents = [
            (start, size, path) for path, dataset in self.datasets.items() for start, size in dataset.extents
        ]
        end, before = 0, ""
        for start, size, path in sorted(extents):
            if start < end:
                self.source.refuse(path, f"its bytes are also those of {before}")
            end, before = start + size, path

    def _check_size(self, allowed: int) -> None:
        needed = sum(dataset.expanded for dataset in self.datasets.values())
        if needed > allowed:
            self.source.refuse(
                "its arrays", f"they would take {needed} bytes; the file's size warrants {allowed}"
            )


class Dataset:
    """One array of the file: its path, shape and dtype are known, its values are read on request."""

    __slots__ = ("_blob", "_chunks", "_pipeline", "_place", "_skipped", "_source", "attributes", "dtype", "expanded",
                 "extents", "path", "shape")  # fmt: skip

    def __init__(self, blocks: Blocks, header: headers.Header, attributes: Attributes, path: str) -> None:
        self._source, self._place = blocks.source, path or "/"
        self.path, self.attributes = path, attributes
        messages = header.messages
        for kind in (headers.DATASPACE, headers.DATATYPE, headers.LAYOUT):
            if kind not in messages:
                self._refuse("it is neither a group nor an array")
        reader = TypeReader(self._source, self._place)
        self.shape = reader.shape(messages[headers.DATASPACE])
        self.dtype = self._dtype(reader.type(messages[headers.DATATYPE]))
        self._pipeline = Pipeline(self._source, messages.get(headers.FILTERS, b""), self._place)
        self.extents: list[tuple[int, int]] = []  # (offset, bytes) of what is stored
        self.expanded = self.nbytes  # bytes that the values take once they are read
        self._blob: bytes | None = None
        self._chunks: tuple[int, ...] = ()
        self._skipped: dict[tuple[int, int], int] = {}  # filters left out, by extent
        self._locate(blocks, messages[headers.LAYOUT])

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    def read(self) -> np.ndarray:
        """The values, in native byte order and memory of their own.

        Raises:
            RefusedFileError: if a chunk is damaged or the values do not match the checksum beside them.
        """
        array = self._read()
        checksum = self.attributes.get(CHECKSUM)
        if checksum is not None and checksum != zlib.crc32(
            np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        ):
            self._refuse("its values do not match their checksum: the file was damaged after it was written")
        return array.astype(array.dtype.newbyteorder("="), copy=False)

    def check(self) -> None:
        """Reads the values if they could turn out to be damaged, and forgets them."""
        if self._pipeline.filters or CHECKSUM in self.attributes:
            self.read()

    def __repr__(self) -> str:
        return f"<Dataset {self.path}, shape={self.shape}, dtype={self.dtype}>"

    def _refuse(self, reason: str) -> NoReturn:
        self._source.refuse(self._place, reason)

    def _dtype(self, kind: Type) -> np.dtype:
        if kind.variable:
            self._refuse("its elements are text of variable length, which only attributes may have")
        if kind.dtype.kind != "V":
            return kind.dtype
        named = NAMED_DTYPES.get(str(self.attributes.get("dtype")))
        if named is None or named.itemsize != kind.dtype.itemsize:
            self._refuse("its elements are raw bytes without a known dtype beside them")
        return named

    # ---- layout --------------------------------------------------------------------------------
    def _locate(self, blocks: Blocks, layout: bytes) -> None:
        if len(layout) < 2 or layout[0] != 3:
            self._refuse("its layout is of another form than version 3 (virtual arrays are of one)")
        if self._pipeline.filters and layout[1] != _CHUNKED:
            self._refuse("it has filters but no chunks")
        if layout[1] == _CONTIGUOUS and len(layout) >= 18:
            self._locate_contiguous(*struct.unpack_from("<2Q", layout, 2))
        elif layout[1] == _COMPACT and len(layout) >= 4:
            size = int.from_bytes(layout[2:4], "little")
            self._blob = layout[4 : 4 + size]
            if len(self._blob) != self.nbytes:
                self._refuse(f"it has {len(self._blob)} bytes; its shape needs {self.nbytes}")
        elif layout[1] == _CHUNKED and len(layout) >= 3:
            self._locate_chunks(blocks, layout)
        else:
            self._refuse("its layout is damaged")

    def _locate_contiguous(self, address: int, size: int) -> None:
        if size != self.nbytes or (address == headers.UNDEFINED and size):
            self._refuse(f"its shape needs {self.nbytes} bytes, but fewer or more are stored")
        if not size:
            return
        if address + size > self._source.size:
            self._refuse("its bytes reach beyond the end of the file")
        self.extents.append((address, size))

    def _locate_chunks(self, blocks: Blocks, layout: bytes) -> None:
        rank = layout[2] - 1
        if rank != len(self.shape) or rank < 1 or len(layout) < 15 + 4 * rank:
            self._refuse("its chunks do not match its shape")
        address, *sides = struct.unpack_from(f"<Q{rank + 1}L", layout, 3)
        if sides.pop() != self.dtype.itemsize or 0 in sides:
            self._refuse("its chunks do not match its shape")
        self._chunks = tuple(sides)
        counts = [-(-size // side) for size, side in zip(self.shape, sides)]
        wanted, found = prod(counts), {}
        if address != headers.UNDEFINED:
            found = self._find_chunks(blocks, address, counts)
        if len(found) != wanted:
            self._refuse(f"{len(found)} of its {wanted} chunks are there")
        # In the order in which `read` goes through them.
        self.extents = [found[index] for index in sorted(found)]
        self.expanded = wanted * prod(sides) * self.dtype.itemsize

    def _find_chunks(
        self, blocks: Blocks, address: int, counts: list[int]
    ) -> dict[tuple[int, ...], tuple[int, int]]:
        """Where each chunk is stored, by its place in the grid."""
        found: dict[tuple[int, ...], tuple[int, int]] = {}
        rank = len(counts)
        key = struct.Struct(f"<2L{rank + 1}Q")
        for node in leaves(blocks, address, CHUNKS, key.size, self._place):
            for raw, start in node:
                size, skipped, *offsets = key.unpack(raw)
                index = tuple(offset // side for offset, side in zip(offsets, self._chunks))
                inside = all(place < count for place, count in zip(index, counts))
                exact = [*(place * side for place, side in zip(index, self._chunks)), 0] == offsets
                if not (inside and exact) or index in found or start + size > self._source.size:
                    self._refuse("one of its chunks is damaged, there twice, or not within its shape")
                blocks.charge(_CHUNK_BYTES + 40 * rank)
                found[index] = (start, size)
                if skipped:
                    self._skipped[start, size] = skipped
        return found

    # ---- values --------------------------------------------------------------------------------
    def _read(self) -> np.ndarray:
        if self._chunks:
            return self._read_chunks()
        array = np.empty(self.shape, self.dtype)
        if self._blob is not None:
            raw_bytes(array)[:] = self._blob
        for start, size in self.extents:
            self._source.read_into(start, raw_bytes(array)[:size], self._place)
        return array

    def _read_chunks(self) -> np.ndarray:
        grid = [-(-size // side) for size, side in zip(self.shape, self._chunks)]
        if len(self.extents) == 1 and self._chunks == self.shape:
            return np.array(self._read_chunk(0), copy=None)
        array = np.empty(self.shape, self.dtype)
        for number, index in enumerate(np.ndindex(*grid)):
            corner = [place * side for place, side in zip(index, self._chunks)]
            area = tuple(
                slice(at, min(at + side, size)) for at, side, size in zip(corner, self._chunks, self.shape)
            )
            chunk = self._read_chunk(number)
            array[area] = chunk[tuple(slice(0, part.stop - part.start) for part in area)]
        return array

    def _read_chunk(self, number: int) -> np.ndarray:
        start, size = self.extents[number]
        stored = self._source.read(start, size, self._place)
        itemsize, skipped = self.dtype.itemsize, self._skipped.get((start, size), 0)
        data = self._pipeline.undo(stored, prod(self._chunks) * itemsize, itemsize, skipped)
        return np.frombuffer(data, self.dtype).reshape(self._chunks)


class Attributes(Mapping[str, Any]):
    """Attributes of a group or array: numbers, text, and lists of these. Each is read when it is asked for."""

    __slots__ = ("_heap", "_names", "_place", "_places", "_source")

    def __init__(self, source: Source, heap: GlobalHeap, places: list[tuple[int, int]], place: str) -> None:
        self._source, self._heap, self._places, self._place = source, heap, places, place
        self._names: dict[str, int] | None = None

    def __getitem__(self, name: str) -> Any:
        number = self._index()[name]
        offset, size = self._places[number]
        data = self._source.read(offset, size, self._place)
        return self._value(data, offset, f"{self._place}, attribute {name!r}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._index())

    def __len__(self) -> int:
        return len(self._index())

    def _index(self) -> dict[str, int]:
        if self._names is None:
            names: dict[str, int] = {}
            for number, (offset, size) in enumerate(self._places):
                data = self._source.read(offset, min(size, _AHEAD), self._place)
                name = self._sizes(data)[0]
                if name in names:
                    self._source.refuse(self._place, f"the attribute {name!r} is there twice")
                names[name] = number
            self._names = names
        return self._names

    def _sizes(self, data: bytes) -> tuple[str, int, int, int, int]:
        """Name, where the type begins, bytes of type and shape, and what each part is padded to."""
        if len(data) < 9 or data[0] not in (1, 2, 3) or (data[0] > 1 and data[1]):
            self._source.refuse(self._place, "an attribute is damaged or of a form that is not read")
        name_size, type_size, space_size = struct.unpack_from("<3H", data, 2)
        start, step = (9, 1) if data[0] == 3 else (8, 8 if data[0] == 1 else 1)
        raw = data[start : start + name_size]
        if not 1 < name_size <= 1024 or len(raw) != name_size or raw[-1]:
            self._source.refuse(self._place, "the name of an attribute is damaged")
        try:
            name = raw[:-1].decode("utf-8")
        except UnicodeDecodeError:
            self._source.refuse(self._place, "the name of an attribute is not UTF-8")
        return name, start + _padded(name_size, step), type_size, space_size, step

    def _value(self, data: bytes, offset: int, place: str) -> Any:
        _, at, type_size, space_size, step = self._sizes(data)
        reader = TypeReader(self._source, place)
        kind = reader.type(data[at : at + type_size])
        at += _padded(type_size, step)
        shape = reader.shape(data[at : at + space_size])
        at += _padded(space_size, step)
        size = prod(shape) * kind.dtype.itemsize
        if at + size > len(data):
            reader.refuse("it is cut off")
        if kind.variable:
            return self._texts(data[at : at + size], offset + at, shape, place)
        array = np.frombuffer(data, kind.dtype, prod(shape), at).reshape(shape)
        if kind.dtype.kind == "S":
            texts = [self._decode(item, place) for item in array.reshape(-1).tolist()]
            return texts if shape else texts[0]
        return array.copy() if shape else array[()].item()

    def _texts(self, data: bytes, offset: int, shape: tuple[int, ...], place: str) -> Any:
        if len(shape) > 1:
            self._source.refuse(place, "it is a table of texts")
        texts = [
            self._decode(self._heap.read(address, index, size, offset + 16 * number, place), place)
            for number, (size, address, index) in enumerate(struct.iter_unpack("<LQL", data))
        ]
        return texts if shape else texts[0]

    def _decode(self, raw: bytes, place: str) -> str:
        try:
            return raw.rstrip(b"\0").decode("utf-8")
        except UnicodeDecodeError:
            return self._source.refuse(place, "it is not UTF-8")


def _padded(size: int, step: int) -> int:
    return -(-size // step) * step


@contextmanager
def open_hdf5(path: Any, limits: Limits = DEFAULT) -> Iterator[Hdf5File]:
    """The HDF5 file at `path`, checked; its arrays can be read inside the block.

    Raises:
        RefusedFileError: as `Hdf5File`.
        OSError: if it is not there or may not be read.
    """
    with open_source(path) as source:
        yield Hdf5File(source, limits)
