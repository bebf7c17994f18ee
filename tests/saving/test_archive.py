"""Archives: what Keras writes is read; anything that two programs could read differently is refused."""

import io
import os
import stat
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from dataclasses import dataclass, replace

import pytest

from kerata.core.errors import RefusedFileError
from kerata.saving.archive import Archive, open_model_archive, replacing, write_archive, write_atomically
from kerata.saving.limits import Limits
from kerata.saving.source import MemorySource, open_source


@dataclass
class Entry:
    """One member, described twice as in a real archive; either description can be made to lie."""

    name: bytes = b"config.json"
    data: bytes = b"{}"
    method: int = 0
    flags: int = 0
    attributes: int = 0o600 << 16
    extra: bytes = b""
    central_name: bytes | None = None
    central_size: int | None = None
    central_crc: int | None = None
    central_method: int | None = None
    local_size: int | None = None
    comment: bytes = b""
    start: int | None = None
    before: bytes = b""
    stored: bytes | None = None  # compressed bytes, if they shall not be those of `data`


def build(*entries: Entry, after=b"", gap=b"", comment=b"", count=None):
    out, central = io.BytesIO(), b""
    for e in entries:
        out.write(e.before)
        start = out.tell() if e.start is None else e.start
        stored = e.data
        if e.method == 8:
            squeezed = zlib.compressobj(9, zlib.DEFLATED, -15)
            stored = squeezed.compress(e.data) + squeezed.flush()
        if e.stored is not None:
            stored = e.stored
        crc, size = zlib.crc32(e.data), len(e.data)
        local_size = size if e.local_size is None else e.local_size
        out.write(struct.pack("<4s5H3L2H", b"PK\3\4", 20, e.flags, e.method, 0, 0x21, crc, len(stored), local_size,
                              len(e.name), len(e.extra)) + e.name + e.extra + stored)  # fmt: skip
        name = e.name if e.central_name is None else e.central_name
        central += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 0x314, 20, e.flags, e.method if e.central_method is None else e.central_method,
            0, 0x21, crc if e.central_crc is None else e.central_crc, len(stored),
            size if e.central_size is None else e.central_size, len(name), 0, len(e.comment), 0, 0, e.attributes, start,
        ) + name + e.comment  # fmt: skip
    out.write(gap)
    begin = out.tell()
    number = len(entries) if count is None else count
    out.write(central)
    out.write(
        struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, number, number, len(central), begin, len(comment)) + comment
    )
    return out.getvalue() + after


def read(data, **limits):
    return Archive(MemorySource("model.keras", data), Limits(**limits))


PLAIN = (Entry(b"metadata.json", b'{"a": 1}'), Entry(), Entry(b"model.weights.h5", bytes(5000)))


def test_reads_stored_and_deflated_members():
    text = os.urandom(3000) + bytes(3000)
    archive = read(
        build(Entry(data=text, method=8), Entry(b"b", text), Entry(b"empty", b""), Entry(b"e8", b"", 8))
    )
    assert list(archive.members) == ["config.json", "b", "empty", "e8"]
    assert [archive.read(name, 6000) for name in archive.members] == [text, text, b"", b""]
    assert archive.open("b").read(2999, 2, "") == text[2999:3001]


def test_reads_what_the_standard_library_writes(tmp_path):
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w", compression) as z:
            z.writestr("config.json", "{}" * 10)
            with z.open("assets/large.txt", "w", force_zip64=True) as f:
                f.write(b"text" * 5)
        with open_source(path) as source:
            archive = Archive(source)
            assert archive.read("config.json", 99) == b"{}" * 10
            assert archive.read("assets/large.txt", 99) == b"text" * 5


def test_reads_64_bit_records():
    """An archive with 64-bit end records, as one beyond 4 GiB has."""
    plain = build(*PLAIN)
    end = plain[-22:]
    number, size, begin = struct.unpack("<4s4H2LH", end)[4:7]
    wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, number, number, size, begin)
    wide += struct.pack("<4sLQL", b"PK\6\7", 0, len(plain) - 22, 1)
    wide += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert list(read(plain[:-22] + wide).members) == [entry.name.decode() for entry in PLAIN]
    with pytest.raises(RefusedFileError, match="64-bit"):
        read(plain[:-22] + wide[:56] + struct.pack("<4sLQL", b"PK\6\7", 0, len(plain) - 23, 1) + wide[-22:])


HOSTILE = {
    "empty file": (b"", "too short"),
    "text": (b"this is not an archive at all", "end record"),
    "cut off": (build(*PLAIN)[:-1], "end record"),
    "trailing bytes": (build(*PLAIN, after=b"x"), "end record"),
    "comment": (build(*PLAIN, comment=b"x"), "end record"),
    "two archives": (build(*PLAIN) + build(*PLAIN), "does not end"),
    "bytes before": (b"#!/bin/sh\n" + build(*PLAIN), "does not end"),
    "bytes before the first": (build(replace(PLAIN[0], before=b"xx")), "before it"),
    "bytes between": (build(PLAIN[0], replace(PLAIN[1], before=b"xx")), "before it"),
    "bytes before the directory": (build(*PLAIN, gap=b"xx"), "does not begin where"),
    "duplicate": (build(Entry(), Entry(data=b"[]")), "there twice"),
    "same bytes": (build(Entry(), Entry(b"b", start=0)), "overlaps"),
    "overlap": (build(Entry(data=build(Entry())), Entry(b"b", start=41)), "overlaps"),
    "other name inside": (build(Entry(central_name=b"metadata.js0n")), "describe it differently"),
    "longer name inside": (build(Entry(central_name=b"config")), "describe it differently|overlaps|does not"),
    "other size inside": (build(Entry(data=b"x" * 9, method=8, local_size=3)), "describe it differently"),
    "other method inside": (build(Entry(central_method=8)), "describe it differently"),
    "wrong checksum": (build(Entry(central_crc=5)), "describe it differently"),
    "damaged bytes": (build(*PLAIN).replace(b'"a": 1', b'"a": 2'), "checksum"),
    "encrypted": (build(Entry(flags=1)), "encrypted"),
    "strongly encrypted": (build(Entry(flags=0x41)), "encrypted"),
    "size after the bytes": (build(Entry(flags=8)), "size stands behind"),
    "unknown method": (build(Entry(method=12)), "method 12"),
    "link": (build(Entry(attributes=(stat.S_IFLNK | 0o777) << 16)), "link"),
    "device": (build(Entry(attributes=(stat.S_IFCHR | 0o777) << 16)), "link"),
    "folder": (build(Entry(b"assets/", b"")), "plain relative name"),
    "member comment": (build(Entry(comment=b"x")), "damaged"),
    "extra field": (build(Entry(extra=b"\x01\x02\x00\x00")), "extra field"),
    "wrong count": (build(*PLAIN, count=2), "beyond its last"),
    "larger count": (build(*PLAIN, count=4), "beyond the directory"),
    "damaged deflate": (build(Entry(data=b"x" * 9, method=8, stored=b"\xff\xff\xff")), "damaged"),
    "short deflate": (build(Entry(data=b"x" * 9, method=8, stored=b"\x03\x00")), "size and checksum"),
    "long deflate": (
        build(Entry(data=b"x" * 90 + b"y", method=8, central_size=90, local_size=90)),
        "more than",
    ),
}
NAMES = [
    b"../x",
    b"/etc/passwd",
    b"a/../../b",
    b"a\\b",
    b"C:x",
    b"a//b",
    b"./a",
    b"",
    b"a\0b",
    b"a\nb",
    b"\xff",
]


@pytest.mark.parametrize("case", HOSTILE)
def test_refuses(case):
    data, reason = HOSTILE[case]
    with pytest.raises(RefusedFileError, match=reason) as info:
        archive = read(data)
        for name in archive.members:
            archive.read(name, 1 << 20)
    assert len(str(info.value)) < 1000 and "model.keras" in str(info.value)


@pytest.mark.parametrize("name", NAMES)
def test_refuses_names_that_are_not_plain(name):
    with pytest.raises(RefusedFileError, match="name"):
        read(build(Entry(name)))


def test_name_beyond_ascii_needs_its_mark():
    assert "é.txt" in read(build(Entry("é.txt".encode(), flags=0x800))).members
    with pytest.raises(RefusedFileError, match="not marked as UTF-8"):
        read(build(Entry("é.txt".encode())))


def test_bomb_is_refused_before_it_is_unpacked():
    data = build(Entry(b"model.weights.h5", bytes(100 << 20), method=8))
    assert len(data) < 200_000
    tracemalloc.start()
    with pytest.raises(RefusedFileError, match="warrants"):
        read(data)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_lie_about_the_size_is_noticed_before_memory_is_taken():
    data = build(Entry(b"model.weights.h5", bytes(100 << 20), method=8, central_size=1000, local_size=1000))
    archive = read(data)
    tracemalloc.start()
    with pytest.raises(RefusedFileError, match="more than the 1000 bytes"):
        archive.open("model.weights.h5")
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_deflate_beyond_one_piece():
    text = os.urandom(1 << 20) + bytes(3 << 20) + os.urandom(1 << 20)
    assert read(build(Entry(data=text, method=8))).read("config.json", 1 << 30) == text


def test_ratio_and_members_can_be_raised():
    data = build(Entry(data=bytes(1 << 20), method=8), *(Entry(b"%d" % i) for i in range(50)))
    assert len(read(data, ratio=2000).read("config.json", 1 << 20)) == 1 << 20
    with pytest.raises(RefusedFileError, match="at most 20 are allowed"):
        read(data, members=20)


def test_reads_no_more_than_asked_for():
    with pytest.raises(RefusedFileError, match="at most 10 are allowed"):
        read(build(*PLAIN)).read("model.weights.h5", 10)


def test_every_changed_byte_is_noticed_or_harmless():
    """Flips each byte of a small archive: what is still accepted has the same members with the same bytes."""
    plain = build(*PLAIN[:2], Entry(b"model.weights.h5", bytes(20), method=8))
    wanted = {entry.name.decode(): entry.data for entry in PLAIN[:2]} | {"model.weights.h5": bytes(20)}
    accepted = 0
    for at in range(len(plain)):
        for flip in (1, 0x80, 0xFF):
            damaged = bytearray(plain)
            damaged[at] ^= flip
            try:
                archive = read(bytes(damaged))
                assert {name: archive.read(name, 99) for name in archive.members} == wanted
                accepted += 1
            except RefusedFileError:
                continue
    # Times, versions and attributes carry no content.
    assert accepted < 3 * len(plain) / 4


def test_model_archive_has_known_members_only():
    assert open_model_archive(MemorySource("m", build(*PLAIN, Entry(b"assets/x/vocabulary.txt"))))
    for entry in (Entry(b"model.weights.npz"), Entry(b"config.json.bak"), Entry(b"src/code.py")):
        with pytest.raises(RefusedFileError, match="no such member"):
            open_model_archive(MemorySource("m", build(*PLAIN, entry)))
    for missing in range(3):
        rest = [entry for index, entry in enumerate(PLAIN) if index != missing]
        with pytest.raises(RefusedFileError, match="must have this member"):
            open_model_archive(MemorySource("m", build(*rest)))


def test_many_members_take_linear_time():
    entries = [Entry(b"assets/%d" % i, b"") for i in range(20_000)]
    data = build(*entries)
    with pytest.raises(RefusedFileError, match="20000 members"):
        read(data)
    assert len(read(data, members=20_000).members) == 20_000


# ---- what a path may be ------------------------------------------------------------------------------------


def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, "/dev/null"):
        with pytest.raises(RefusedFileError, match="regular file"), open_source(path):
            pass
    with pytest.raises(FileNotFoundError), open_source(tmp_path / "none"):
        pass


def test_file_that_shrinks_while_it_is_read(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(bytes(100))
    with open_source(path) as source:
        os.truncate(path, 10)
        with pytest.raises(RefusedFileError, match="shorter"):
            source.read(0, 100, "all")


# ---- writing -----------------------------------------------------------------------------------------------


def test_written_archive_is_read_and_is_the_same_each_time(tmp_path):
    content = tmp_path / "content"
    content.write_bytes(os.urandom(100_000))
    for name in ("a", "b"):
        write_archive(tmp_path / name, {"config.json": b"{}", "model.weights.h5": content})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with open_source(tmp_path / "a") as source:
        archive = Archive(source)
        assert archive.read("model.weights.h5", 1 << 20) == content.read_bytes()
    with zipfile.ZipFile(tmp_path / "a") as other:
        assert other.testzip() is None


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "model.keras"
    write_atomically(path, b"old")
    with pytest.raises(RuntimeError, match="half way"), replacing(path) as draft:
        assert draft.parent == tmp_path
        draft.write_bytes(b"ne")
        raise RuntimeError("half way")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model.keras"]


def test_a_save_that_is_killed_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.keras"
    write_atomically(path, b"old")
    code = (
        "import os, sys; from kerata.saving.archive import replacing\n"
        "with replacing(sys.argv[1]) as draft:\n"
        "    draft.write_bytes(b'ne'); os._exit(9)"  # no cleaning up
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 9
    assert path.read_bytes() == b"old"
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


def test_replacing_follows_links_and_keeps_modes(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    os.chmod(tmp_path / "real", 0o640)
    os.symlink(tmp_path / "real", tmp_path / "link")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o640


def test_folders_that_cannot_be_written_to_are_told_by_name(tmp_path, monkeypatch):
    with (
        pytest.raises(FileNotFoundError, match="make it first") as info,
        replacing(tmp_path / "none" / "m.keras"),
    ):
        pass
    assert info.value.filename == str(tmp_path / "none")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="no such folder"), replacing(tmp_path / "file" / "m.keras"):
        pass
    (tmp_path / "m.keras").mkdir()
    with pytest.raises(IsADirectoryError, match="A folder is at the path"), replacing(tmp_path / "m.keras"):
        pass
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="may not be written"), replacing(tmp_path / "n.keras"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "m.keras"]
