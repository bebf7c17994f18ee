"""Groups: the links that lead from one object to the next, each checked before it is followed.

Format: HDF5 File Format Specification 3.0, sections III.A.1, III.B, III.C and III.D.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from kerata.saving.source import Source

_NODE = struct.Struct("<4sBBH2Q")
_TABLE_NODE = struct.Struct("<4sBxH")
_ENTRY = struct.Struct("<2Q2L16x")
_HEAP = struct.Struct("<4sB3x3Q")
_COLLECTION = struct.Struct("<4sB3xQ")
_COLLECTED = struct.Struct("<HHLQ")
_MAX_NAME = 1024
_OBJECT_BYTES = 1200  # memory that an object of the file takes here beside its path, about
_CHILD_BYTES = 100  # and one that a B-tree still leads to
_STRING_BYTES = 450  # and a string that attributes refer to

GROUP, CHUNKS = 0, 1  # kinds of B-trees


class Blocks:
    """Blocks of the file, each of which may be used once: so no loop and no work beyond the size of the file.

    `charge` is told of the memory that what they hold takes here, before it is taken.
    """

    def __init__(self, source: Source, charge: Callable[[int], None]) -> None:
        self.source, self.charge = source, charge
        self._used: set[int] = set()
        self._left = source.size

    def claim(self, address: int, place: str) -> None:
        if address in self._used:
            self.source.refuse(place, f"the block at byte {address} is used twice")
        self._used.add(address)

    def spend(self, size: int, place: str) -> int:
        """`size`, which is about to be read. Blocks do not overlap, so together they are no larger than the file."""
        self._left -= size
        if self._left < 0:
            self.source.refuse(place, "its blocks, with those before, are larger than the file: some overlap")
        return size


def read_links(blocks: Blocks, table: bytes, place: str) -> list[tuple[str, int]]:
    """Names and header addresses of the members of a group, sorted as the file has them.

    Raises:
        RefusedFileError: if one is a soft or external link, or its name is not plain.
    """
    source = blocks.source
    if len(table) < 16:
        source.refuse(place, "its symbol table is damaged")
    tree, heap_address = struct.unpack_from("<2Q", table)
    heap = _read_heap(blocks, heap_address, place)
    links: dict[str, int] = {}
    for node in leaves(blocks, tree, GROUP, 8, place):
        for _, child in node:
            for name_at, address, cached in _read_table_node(blocks, child, place):
                name = _name(source, heap, name_at, place)
                if cached not in (0, 1):
                    kind = "soft" if cached == 2 else "unknown"
                    source.refuse(
                        f"{place}/{name}", f"it is a link of the {kind} kind; only hard links are followed"
                    )
                if name in links:
                    source.refuse(f"{place}/{name}", "it is there twice")
                blocks.charge(_OBJECT_BYTES + path_bytes(place, name))
                links[name] = address
    return list(links.items())


def path_bytes(group: str, name: str) -> int:
    """Memory that the path of a member takes. One letter beyond ASCII can make each of the others take 4 bytes."""
    return (len(group) + 1 + len(name)) * (1 if group.isascii() and name.isascii() else 4)


def leaves(
    blocks: Blocks, root: int, kind: int, key_size: int, place: str
) -> Iterator[list[tuple[bytes, int]]]:
    """The leaf nodes of a B-tree, from left to right: pairs of key and child address."""
    source, stack = blocks.source, [(root, -1)]
    while stack:
        address, expected = stack.pop()
        blocks.claim(address, place)
        sign, node_kind, level, count, _, _ = _NODE.unpack(source.read(address, _NODE.size, place))
        if sign != b"TREE" or node_kind != kind or expected not in (-1, level):
            source.refuse(place, "a node of its B-tree is damaged")
        step = key_size + 8
        data = source.read(address + _NODE.size, blocks.spend(count * step, place), place)
        node = [
            (data[at : at + key_size], int.from_bytes(data[at + key_size : at + step], "little"))
            for at in range(0, count * step, step)
        ]
        if level == 0:
            yield node
        else:
            blocks.charge(_CHILD_BYTES * count)
            stack.extend((child, level - 1) for _, child in reversed(node))


def _read_table_node(blocks: Blocks, address: int, place: str) -> list[tuple[int, int, int]]:
    source = blocks.source
    blocks.claim(address, place)
    sign, version, count = _TABLE_NODE.unpack(source.read(address, _TABLE_NODE.size, place))
    if sign != b"SNOD" or version != 1:
        source.refuse(place, "a node of its symbol table is damaged")
    data = source.read(address + _TABLE_NODE.size, blocks.spend(count * _ENTRY.size, place), place)
    return [entry[:3] for entry in _ENTRY.iter_unpack(data)]


def _read_heap(blocks: Blocks, address: int, place: str) -> bytes:
    source = blocks.source
    blocks.claim(address, place)
    sign, version, size, _, start = _HEAP.unpack(source.read(address, _HEAP.size, place))
    if sign != b"HEAP" or version != 0:
        source.refuse(place, "its heap of names is damaged")
    blocks.claim(start, place)
    return source.read(start, blocks.spend(size, place), place)


def _name(source: Source, heap: bytes, at: int, place: str) -> str:
    end = heap.find(b"\0", at, at + _MAX_NAME)
    if not 0 < at < end:
        source.refuse(place, "the name of a link is damaged or longer than 1,024 bytes")
    try:
        name = heap[at:end].decode("utf-8")
    except UnicodeDecodeError:
        source.refuse(place, "the name of a link is not UTF-8")
    if "/" in name or name in (".", "..") or not name.isprintable():
        source.refuse(place, f"the name of a link, {name[:100]!r}, is not plain")
    return name


class GlobalHeap:
    """Strings of variable length, which attributes refer to.

    `charge` is told of the memory that looking them up takes.
    """

    def __init__(self, source: Source, charge: Callable[[int], None]) -> None:
        self._source, self._charge = source, charge
        self._unread = source.size  # collections do not overlap, so together they are no larger than the file
        self._collections: dict[int, dict[int, tuple[int, int]]] = {}
        self._referrers: dict[tuple[int, int], int] = {}

    def read(self, address: int, index: int, size: int, referrer: int, place: str) -> bytes:
        """A string that the bytes at `referrer` refer to, and no others: else one long string is read ever again."""
        if address not in self._collections:
            self._collections[address] = self._read_collection(address, place)
        start, available = self._collections[address].get(index, (0, -1))
        if size > available:
            self._source.refuse(place, "it refers to a string that is not there")
        if self._referrers.setdefault((address, index), referrer) != referrer:
            self._source.refuse(place, "it refers to a string that is another's")
        return self._source.read(start, size, place)

    def _read_collection(self, address: int, place: str) -> dict[int, tuple[int, int]]:
        sign, version, size = _COLLECTION.unpack(self._source.read(address, _COLLECTION.size, place))
        self._unread -= size
        if sign != b"GCOL" or version != 1 or address + size > self._source.size or self._unread < 0:
            self._source.refuse(place, "the heap of strings is damaged")
        found: dict[int, tuple[int, int]] = {}
        at, end = address + _COLLECTION.size, address + size
        while at + _COLLECTED.size <= end:
            index, _, _, length = _COLLECTED.unpack(self._source.read(at, _COLLECTED.size, place))
            at += _COLLECTED.size
            if index == 0:  # the rest is free
                break
            if index in found or at + length > end:
                self._source.refuse(place, "the heap of strings is damaged")
            self._charge(_STRING_BYTES)
            found[index] = (at, length)
            at += -(-length // 8) * 8
        return found
