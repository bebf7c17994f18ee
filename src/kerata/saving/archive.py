"""Archives: a strict reader of zip files that extracts nothing, and a writer that is never half done.

The reader wants what Keras and Kerata write and nothing else: the local entries one after another from the first
byte on, then the central directory, then the end record, and both descriptions of every member equal. So no two
programs can see different members in one file.

Format: PKWARE APPNOTE.TXT 6.3.10.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from kerata.core.errors import RefusedFileError
from kerata.saving.limits import DEFAULT, Limits
from kerata.saving.source import MemorySource, Source

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")

_STORED, _DEFLATED = 0, 8
_UTF8_NAME = 0x800
_FLAGS_ALLOWED = _UTF8_NAME | 0b110  # the two bits are hints of the compressor
_ZIP64_EXTRA = 1
_FULL16, _FULL32 = 0xFFFF, 0xFFFF_FFFF
_MAX_NAME = 1024
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an archive, as its central entry describes it."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    stored: int
    size: int
    start: int  # of the local header


class Archive:
    """A zip file whose structure and checksums have been checked as a whole.

    Args:
        source: the bytes of the archive.
        limits: how many members it may have and how far they may expand.

    Raises:
        RefusedFileError: if it is anything but a plain archive of plain, differently named members.
    """

    def __init__(self, source: Source, limits: Limits = DEFAULT) -> None:
        self._source, self._limits = source, limits
        begin, end, count = self._find_directory()
        self.members: Mapping[str, Member] = self._read_directory(begin, end, count)
        self._data = self._check_local_entries(begin)
        self._check_expansion()
        for member in self.members.values():
            if member.method == _STORED and self.open(member.name).crc32() != member.crc:
                self._refuse(member.name, "its bytes do not match its checksum")

    def read(self, name: str, at_most: int) -> bytes:
        """All bytes of a member of at most `at_most` bytes."""
        member = self.members[name]
        if member.size > at_most:
            self._refuse(name, f"it has {member.size} bytes; at most {at_most} are allowed")
        return self.open(name).read(0, member.size, name)

    def open(self, name: str) -> Source:
        """A member as a source: a window of the file if it is stored, else decompressed in memory."""
        member = self.members[name]
        window = self._source.window(self._data[name], member.stored, name)
        if member.method == _STORED:
            return window
        return MemorySource(self._source.name, self._inflate(member, window), name)

    def _refuse(self, place: str, reason: str) -> Any:
        self._source.refuse(place, reason)

    # ---- the end records -----------------------------------------------------------------------
    def _find_directory(self) -> tuple[int, int, int]:
        """Where the central directory begins and ends, and how many members it lists."""
        place = "the end of the archive"
        at = self._source.size - _END.size
        if at < 0:
            self._refuse(place, "it is too short for an archive")
        sign, disk, first, here, count, size, begin, comment = _END.unpack(
            self._source.read(at, _END.size, place)
        )
        if sign != b"PK\x05\x06" or comment:
            self._refuse(
                place, "no end record stands there; it is no archive, was cut off, or has bytes after its end"
            )
        if _FULL16 in (here, count) or _FULL32 in (size, begin):
            at, here, count, size, begin = self._find_directory64(at, place)
        if disk or first or here != count:
            self._refuse(place, "it is one part of several")
        if count > self._limits.members:
            self._refuse(place, f"it lists {count} members; at most {self._limits.members} are allowed")
        if begin + size != at:
            self._refuse(place, "the directory does not end where the end record begins")
        return begin, at, count

    def _find_directory64(self, end: int, place: str) -> tuple[int, int, int, int, int]:
        read, at = self._source.read, end - _LOCATOR64.size
        sign, disk, start, disks = _LOCATOR64.unpack(read(at, _LOCATOR64.size, place))
        if sign != b"PK\x06\x07" or disk or disks > 1 or start + _END64.size != at:
            self._refuse(place, "its 64-bit end record is not where it should be")
        sign, size, _, _, disk, first, here, count, length, begin = _END64.unpack(
            read(start, _END64.size, place)
        )
        if sign != b"PK\x06\x06" or size != _END64.size - 12 or disk or first:
            self._refuse(place, "its 64-bit end record is damaged")
        return start, here, count, length, begin

    # ---- the central directory -----------------------------------------------------------------
    def _read_directory(self, begin: int, end: int, count: int) -> dict[str, Member]:
        members: dict[str, Member] = {}
        at = begin
        for index in range(count):
            member, at = self._read_central(at, end, f"member {index} of the directory")
            if member.name in members:
                self._refuse(member.name, "it is there twice")
            members[member.name] = member
        if at != end:
            self._refuse("the directory", "it has bytes beyond its last member")
        return members

    def _read_central(self, at: int, end: int, place: str) -> tuple[Member, int]:
        if at + _CENTRAL.size > end:
            self._refuse(place, "it reaches beyond the directory")
        fields = _CENTRAL.unpack(self._source.read(at, _CENTRAL.size, place))
        sign, _, _, flags, method, _, _, crc, stored, size = fields[:10]
        name_size, extra_size, comment_size, disk, _, attributes, start = fields[10:]
        after = at + _CENTRAL.size + name_size + extra_size
        if sign != b"PK\x01\x02" or disk or comment_size or name_size > _MAX_NAME or after > end:
            self._refuse(place, "its entry in the directory is damaged")
        rest = self._source.read(at + _CENTRAL.size, name_size + extra_size, place)
        name = self._name(rest[:name_size], flags, place)
        if stat.S_IFMT(attributes >> 16) not in (0, stat.S_IFREG):
            self._refuse(name, "it is a link, a folder or a device, not a plain member")
        if flags & ~_FLAGS_ALLOWED:
            self._refuse(
                name, "it is encrypted or patched" if flags & 0x61 else "its size stands behind its bytes"
            )
        if method not in (_STORED, _DEFLATED):
            self._refuse(
                name, f"it is compressed by method {method}; only 0 (stored) and 8 (deflate) are read"
            )
        size, stored, start = self._wide(rest[name_size:], (size, stored, start), name)
        if method == _STORED and size != stored:
            self._refuse(name, "it is stored, yet has two sizes")
        return Member(name, rest[:name_size], flags, method, crc, stored, size, start), after

    def _name(self, raw: bytes, flags: int, place: str) -> str:
        if not flags & _UTF8_NAME and not raw.isascii():
            self._refuse(place, "its name is not ASCII, and not marked as UTF-8")
        try:
            name = raw.decode("utf-8")
        except UnicodeDecodeError:
            self._refuse(place, "its name is not UTF-8")
        parts = name.split("/")
        plain = all(part not in ("", ".", "..") for part in parts) and name.isprintable()
        if not plain or any(letter in name for letter in '\\:*?"<>|'):
            self._refuse(place, f"the name {name[:100]!r} is not a plain relative name")
        return name

    def _wide(self, extra: bytes, values: tuple[int, ...], name: str) -> list[int]:
        """The values, those that did not fit into 32 bits taken from the 64-bit field; no other field may be there."""
        wanted = [value == _FULL32 for value in values]
        if not extra and not any(wanted):
            return list(values)
        if len(extra) != 4 + 8 * sum(wanted) or struct.unpack_from("<2H", extra) != (
            _ZIP64_EXTRA,
            len(extra) - 4,
        ):
            self._refuse(name, "it has an extra field that is not known here")
        wide = iter(struct.unpack_from(f"<{sum(wanted)}Q", extra, 4))
        return [next(wide) if want else value for want, value in zip(wanted, values)]

    # ---- the local entries ---------------------------------------------------------------------
    def _check_local_entries(self, end: int) -> dict[str, int]:
        """Where the bytes of each member begin. The entries must fill the file up to the directory."""
        data, at = {}, 0
        for member in sorted(self.members.values(), key=lambda member: member.start):
            if member.start != at:
                self._refuse(
                    member.name, "it overlaps with another member, or bytes of no member stand before it"
                )
            data[member.name] = begin = self._check_local(member)
            at = begin + member.stored
        if at != end:
            self._refuse("the directory", "it does not begin where the last member ends")
        return data

    def _check_local(self, member: Member) -> int:
        fields = _LOCAL.unpack(self._source.read(member.start, _LOCAL.size, member.name))
        sign, _, flags, method, _, _, crc, stored, size, name_size, extra_size = fields
        rest = self._source.read(member.start + _LOCAL.size, name_size + extra_size, member.name)
        size, stored = self._wide(rest[name_size:], (size, stored), member.name)
        here = Member(member.name, rest[:name_size], flags, method, crc, stored, size, member.start)
        if sign != b"PK\x03\x04" or here != member:
            self._refuse(member.name, "the directory and the member itself describe it differently")
        return member.start + _LOCAL.size + name_size + extra_size

    # ---- decompression -------------------------------------------------------------------------
    def _check_expansion(self) -> None:
        allowed = self._limits.ratio * self._source.size
        size = sum(member.size for member in self.members.values())
        if size > allowed:
            self._refuse(
                "the directory", f"its members would take {size} bytes; its own size warrants {allowed}"
            )

    def _inflate(self, member: Member, window: Source) -> bytearray:
        """The bytes of a deflated member. The directory has promised their number; not one more is made."""
        inflater, whole, done = zlib.decompressobj(-15), bytearray(member.size), 0
        for offset in range(0, window.size, _PIECE):
            piece, room, made = window.read(offset, min(_PIECE, window.size - offset), member.name), 0, b""
            while piece or len(made) == room != 0:  # a full room may leave more inside the decompressor
                # A byte more than promised, so that too many are noticed.
                room = min(_PIECE, member.size - done + 1)
                try:
                    made = inflater.decompress(piece, room)
                except zlib.error:
                    self._refuse(member.name, "its compressed bytes are damaged")
                if done + len(made) > member.size:
                    self._refuse(member.name, f"it holds more than the {member.size} bytes that it promises")
                whole[done : done + len(made)] = made
                done, piece = done + len(made), inflater.unconsumed_tail
        if not inflater.eof or inflater.unused_data or done != member.size or zlib.crc32(whole) != member.crc:
            self._refuse(member.name, "its bytes do not match its size and checksum")
        return whole


# ---- writing -------------------------------------------------------------------------------------------------


@contextmanager
def drafting(path: Any) -> Iterator[Path]:
    """A hidden path beside `path` for something to be written to; whatever is there at the end goes."""
    target = Path(os.path.realpath(os.fspath(path)))  # a link stays; what it points to is replaced
    _check_folder(target.parent)
    draft = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}.tmp")
    try:
        yield draft
    finally:
        if draft.is_dir():
            shutil.rmtree(draft)
        draft.unlink(missing_ok=True)


def _check_folder(folder: Path) -> None:
    """Tells what is wrong with a folder by its own name, before something fails with that of a draft in it."""
    if not folder.is_dir():
        number = errno.ENOTDIR if folder.exists() else errno.ENOENT
        raise OSError(number, "There is no such folder to write to; make it first", str(folder))
    if not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, "This folder may not be written to", str(folder))


@contextmanager
def replacing(path: Any) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` when the block ends well, and goes when it does not.

    It lies in the same folder, is synced before it is renamed, and the folder after: whatever happens at whatever
    moment, the file at `path` is the old one or the new one.
    """
    target = Path(os.path.realpath(os.fspath(path)))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "A folder is at the path of the file", str(target))
    with drafting(path) as draft:
        yield draft
        _sync(draft)
        _keep_mode(target, draft)
        os.replace(draft, target)
        _sync(target.parent)


@contextmanager
def replacing_folder(path: Any) -> Iterator[Path]:
    """The same for a folder. Folders cannot be exchanged in one step; for a moment the old one has another name."""
    with drafting(path) as draft, drafting(path) as old:
        draft.mkdir()
        yield draft
        target = Path(os.path.realpath(os.fspath(path)))
        for top, _, files in os.walk(draft):
            for name in files:
                _sync(Path(top, name))
            _sync(Path(top))
        if target.exists():
            target.rename(old)
        draft.rename(target)
        _sync(target.parent)


def write_atomically(path: Any, data: bytes) -> None:
    """Writes a small file whole or not at all."""
    with replacing(path) as draft:
        draft.write_bytes(data)


def _keep_mode(old: Path, new: Path) -> None:
    try:
        os.chmod(new, stat.S_IMODE(old.stat().st_mode))
    except OSError:  # there was none, or the folder's file system has no modes
        return


def _sync(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    except OSError:  # Windows opens no folders, and keeps the order of renames by itself
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_archive(file: BinaryIO | Path, members: Mapping[str, bytes | Path]) -> None:
    """Writes an archive whose members are bytes, or the content of files, in the order of the mapping.

    Nothing in it depends on the clock or the machine: the same members give the same bytes.
    """
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name)  # dated 1980, as a date is not known to be true
            entry.external_attr = 0o600 << 16
            if isinstance(content, bytes):
                archive.writestr(entry, content)
                continue
            entry.file_size = content.stat().st_size
            with archive.open(entry, "w") as target, open(content, "rb") as origin:
                while piece := origin.read(_PIECE):
                    target.write(piece)


# ---- model files ---------------------------------------------------------------------------------------------

METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
ASSETS = "assets/"


def open_model_archive(source: Source, limits: Limits = DEFAULT) -> Archive:
    """The archive of a `.keras` file: three known members and, at most, assets of layers beside them."""
    archive = Archive(source, limits)
    for name in (METADATA, CONFIG, WEIGHTS):
        if name not in archive.members:
            raise RefusedFileError(source.name, name, "a model file must have this member")
    for name in archive.members:
        if name not in (METADATA, CONFIG, WEIGHTS) and not name.startswith(ASSETS):
            raise RefusedFileError(source.name, name, "a model file has no such member")
    return archive
