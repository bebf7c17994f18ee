"""Superblock and object headers: the parts of an HDF5 file that say what stands where.

Only the oldest form of each is read, which h5py and so Keras write by default (superblock 0, symbol-table groups,
object headers 1, data layout 3). All other forms are refused; each has its own rules that a hostile file could bend.

Format: HDF5 File Format Specification 3.0, sections II.A, IV.A.1 and IV.A.2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from kerata.saving.hdf5.groups import Blocks
from kerata.saving.source import Source

SIGNATURE = b"\x89HDF\r\n\x1a\n"
UNDEFINED = 0xFFFF_FFFF_FFFF_FFFF

DATASPACE, DATATYPE, LAYOUT, FILTERS, ATTRIBUTE, CONTINUATION, TABLE = (
    0x01,
    0x03,
    0x08,
    0x0B,
    0x0C,
    0x10,
    0x11,
)
_IGNORED = frozenset((0x00, 0x04, 0x05, 0x0D, 0x0E, 0x12))  # nil, fill values, comment, times
_KEPT = frozenset((DATASPACE, DATATYPE, LAYOUT, FILTERS, TABLE))
_REFUSED = {
    0x02: "links of the newer form",
    0x06: "links of the newer form",
    0x07: "data in other files",
    0x0A: "a group of the newer form",
    0x0F: "a table of shared messages",
    0x14: "a storage driver",
    0x15: "attributes of the newer form",
}

_SUPERBLOCK = struct.Struct("<8s8B2HL4Q")
_ENTRY = struct.Struct("<2Q2L16s")
_HEADER = struct.Struct("<BxHLL4x")
_MESSAGE = struct.Struct("<HHB3x")
_FIRST_READ = 512  # covers nearly every header in one read


@dataclass(slots=True)
class Header:
    """Messages of one object. Attributes are places (offset, size) in the file, read when somebody asks."""

    messages: dict[int, bytes] = field(default_factory=dict)
    attributes: list[tuple[int, int]] = field(default_factory=list)


def read_superblock(source: Source) -> int:
    """Checks the first block of the file and gives the address of the root group's header."""
    place = "the superblock"
    fields = _SUPERBLOCK.unpack(source.read(0, _SUPERBLOCK.size, place))
    if fields[0] != SIGNATURE:
        source.refuse(place, "it is not an HDF5 file")
    version, _, _, _, _, offset_size, length_size, _ = fields[1:9]
    if version != 0:
        source.refuse(
            place, f"its version is {version}; only version 0, which h5py writes by default, is read"
        )
    base, _, end, driver = fields[12:]
    if (offset_size, length_size, base, driver) != (8, 8, 0, UNDEFINED):
        source.refuse(place, "it has unusual sizes, a base address or a storage driver")
    if end != source.size:
        source.refuse(place, f"it says that the file has {end} bytes, but there are {source.size}")
    _, root, _, _, _ = _ENTRY.unpack(source.read(_SUPERBLOCK.size, _ENTRY.size, place))
    return int(root)


def read_header(blocks: Blocks, address: int, place: str) -> Header:
    """The messages of the object at `address`."""
    source = blocks.source
    ahead = source.read(address, min(_FIRST_READ, max(source.size - address, _HEADER.size)), place)
    version, count, references, size = _HEADER.unpack_from(ahead)
    if version != 1:
        source.refuse(place, "its object header is damaged or of a newer form")
    if references != 1:
        source.refuse(place, f"it is linked {references} times; one link is allowed")
    header = Header()
    parts = [(address + _HEADER.size, size)]
    seen: set[int] = set()
    for start, length in parts:  # grows: a block may say where it is continued
        if start in seen:
            source.refuse(place, "its object header continues in itself")
        seen.add(start)
        blocks.spend(length, place)
        inside = start == address + _HEADER.size and _HEADER.size + length <= len(ahead)
        block = ahead[_HEADER.size : _HEADER.size + length] if inside else source.read(start, length, place)
        count = _read_messages(source, block, start, header, parts, count, place)
    return header


def _read_messages(
    source: Source,
    block: bytes,
    start: int,
    header: Header,
    parts: list[tuple[int, int]],
    left: int,
    place: str,
) -> int:
    """Sorts the messages of one block into the header; gives how many of `left` are left."""
    at = 0
    while at + _MESSAGE.size <= len(block):
        kind, size, flags = _MESSAGE.unpack_from(block, at)
        begin, at = at + _MESSAGE.size, at + _MESSAGE.size + size
        left -= 1
        if left < 0:  # told at once: a block as large as the file has room for millions
            source.refuse(place, "its object header has more messages than it counts")
        if at > len(block):
            source.refuse(place, "a message of its object header is cut off")
        if kind in _IGNORED:
            continue
        if kind in _REFUSED or flags & 0x02:
            source.refuse(place, f"it has {_REFUSED.get(kind, 'a shared message')}, which are not read")
        if kind == ATTRIBUTE:
            header.attributes.append((start + begin, size))
        elif kind == CONTINUATION and size >= 16:
            parts.append(struct.unpack_from("<2Q", block, begin))
        elif kind in _KEPT and kind not in header.messages:
            header.messages[kind] = block[begin:at]
        else:
            source.refuse(place, f"its object header has an unknown or repeated message ({kind:#x})")
    return left
