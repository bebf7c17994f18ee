"""HDF5 files of weights: equal to what h5py reads, and closed to everything that Keras does not need."""

import io
import os
import random
import struct
import sys
import tracemalloc

import h5py
import ml_dtypes
import numpy as np
import pytest

from kerata.core.errors import RefusedFileError
from kerata.saving.hdf5 import Hdf5File, Hdf5Writer, open_hdf5
from kerata.saving.limits import Limits
from kerata.saving.source import MemorySource

RNG = np.random.default_rng(0)


def made(fill, **options):
    """The bytes of a file that `fill` makes with h5py."""
    data = io.BytesIO()
    with h5py.File(data, "w", **options) as file:
        fill(file)
    return data.getvalue()


def opened(data, **limits):
    return Hdf5File(MemorySource("w.weights.h5", data), Limits(**limits))


def plain(file):
    for name in ("dense", "dense_1"):
        variables = file.create_group(f"layers/{name}/vars")
        variables.attrs["name"] = name
        variables["0"] = np.arange(12, dtype="float32").reshape(3, 4)
        variables["1"] = np.zeros(4, "float32")


def assert_same_as_h5py(data):
    mine = opened(data)
    seen = set()

    def compare(name, item):
        seen.add(name)
        if isinstance(item, h5py.Dataset):
            got, wanted = mine.datasets[name].read(), item[()]
            assert got.shape == wanted.shape and got.dtype == wanted.dtype.newbyteorder("=")
            np.testing.assert_array_equal(got, wanted)
        attributes = (mine.datasets if isinstance(item, h5py.Dataset) else mine.groups)[name].attributes \
            if isinstance(item, h5py.Dataset) else mine.groups[name]  # fmt: skip
        for key, value in item.attrs.items():
            if isinstance(value, np.ndarray):
                value = [part.decode() if isinstance(part, bytes) else part for part in value.tolist()]
            assert (list(attributes[key]) if isinstance(value, list) else attributes[key]) == value
        assert set(attributes) == set(item.attrs)

    with h5py.File(io.BytesIO(data)) as file:
        file.visititems(compare)
    assert seen == (set(mine.datasets) | set(mine.groups)) - {""}
    return mine


# ---- what is read --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype",
    ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
     "complex64", "complex128", ">f4", ">i8", ">u2"],
)  # fmt: skip
@pytest.mark.parametrize("shape", [(), (5,), (2, 3, 4), (0,), (3, 0)])
def test_dtypes_and_shapes(dtype, shape):
    value = np.asarray(RNG.normal(size=shape) * 50).astype(dtype)
    assert_same_as_h5py(made(lambda file: file.create_dataset("x", data=value)))


@pytest.mark.parametrize(
    "options",
    [
        {"chunks": (7, 11)},
        {"chunks": (100, 77), "compression": "gzip"},
        {"compression": "gzip", "compression_opts": 9, "shuffle": True, "fletcher32": True},
        {"compression": "gzip", "chunks": (13, 9), "shuffle": True},
        {"compression": "lzf"},
        {"compression": "lzf", "shuffle": True, "fletcher32": True, "chunks": (64, 8)},
        {"fletcher32": True, "chunks": (9, 77)},
        {"maxshape": (None, 77)},
    ],
)
@pytest.mark.parametrize("kind", ["noise", "repeating", "zeros"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "uint8"])
def test_chunks_and_filters(options, kind, dtype):
    noise = RNG.normal(size=(100, 77)) * 50
    value = {"noise": noise, "repeating": np.arange(7700).reshape(100, 77) % 13, "zeros": noise * 0}[kind]
    data = made(lambda file: file.create_dataset("x", data=value.astype(dtype), **options) and None)
    # What expands more than 20:1 is refused by default; here the reading is to be tested.
    mine = Hdf5File(MemorySource("w", data), Limits(ratio=10_000)).datasets["x"].read()
    np.testing.assert_array_equal(mine, value.astype(dtype))


def test_attributes():
    def fill(file):
        plain(file)
        file.attrs["text"] = "hé" * 300
        file.attrs["fixed"] = np.bytes_("abc")
        file.attrs["names"] = np.array([b"kernel:0", b"bias:0"])
        file.attrs["texts"] = ["a", "", "ccc"]
        file.attrs["numbers"] = [1.5, 2.5]
        file.attrs["long"] = "x" * 200_000
        file["layers"].attrs["größe"] = 3
        file["layers/dense/vars/0"].attrs["flag"] = True

    data = made(fill)
    assert_same_as_h5py(data)
    attributes = opened(data).groups[""]
    assert attributes["text"] == "hé" * 300 and len(attributes["long"]) == 200_000
    assert attributes["names"] == ["kernel:0", "bias:0"] and attributes["texts"] == ["a", "", "ccc"]
    assert opened(data).datasets["layers/dense/vars/0"].attributes["flag"] is True


def test_groups_of_many_members():
    data = made(lambda file: [file.create_group(f"layers/g{i}/vars") for i in range(1500)])
    assert len(assert_same_as_h5py(data).groups) == 3002


def test_order_is_that_of_the_file_and_paths_are_joined():
    file = opened(made(plain))
    assert list(file.datasets) == [f"layers/{name}/vars/{i}" for name in ("dense", "dense_1") for i in (0, 1)]
    assert file.groups["layers/dense_1/vars"]["name"] == "dense_1"


def test_arrays_are_own_writable_memory():
    array = opened(made(plain)).datasets["layers/dense/vars/0"].read()
    array[0, 0] = 7
    assert array.flags.owndata or array.base.flags.writeable


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2"])
def test_small_floats_as_keras_writes_them(name):
    value = np.arange(6).reshape(2, 3).astype(getattr(ml_dtypes, name))

    def fill(file):
        file.create_dataset("x", data=value.view(f"V{value.itemsize}")).attrs["dtype"] = name

    read = opened(made(fill)).datasets["x"].read()
    assert read.dtype == value.dtype
    np.testing.assert_array_equal(read.astype("float32"), value.astype("float32"))


# ---- what is refused -----------------------------------------------------------------------------------------


def _virtual(file):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(4,))
    file.create_virtual_dataset("x", layout)


def _external(file):
    file.create_dataset("x", (4,), "f4", external=[("/etc/passwd", 0, 16)])


def _hard_twice(file):
    file["a"] = np.zeros(3)
    file["b"] = file["a"]


def _loop(file):
    file.create_group("a/b")
    file["a/b/c"] = file["a"]


def _committed(file):
    file["t"] = np.dtype("f4")


def _shared_type(file):
    file["t"] = np.dtype("f4")
    file.create_dataset("x", (3,), file["t"])


def _filter(number):
    def fill(file):
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((4,))
        properties.set_filter(number, h5py.h5z.FLAG_OPTIONAL, (1, 2))
        space = h5py.h5s.create_simple((4,))
        h5py.h5d.create(file.id, b"x", h5py.h5t.IEEE_F32LE, space, properties)

    return fill


REFUSED = {
    "soft link": (lambda f: f.__setitem__("x", h5py.SoftLink("/y")), "soft"),
    "external link": (lambda f: f.__setitem__("x", h5py.ExternalLink("other.h5", "/y")), "link"),
    "virtual array": (_virtual, "layout|form"),
    "external storage": (_external, "other files"),
    "linked twice": (_hard_twice, "linked 2 times"),
    "loop": (_loop, "linked 2 times"),
    "named type": (_committed, "neither a group nor an array"),
    "shared type": (_shared_type, "shared message|linked"),
    "text array": (
        lambda f: f.create_dataset("x", data=["a", "b"], dtype=h5py.string_dtype()),
        "variable length",
    ),
    "ragged array": (lambda f: f.create_dataset("x", (3,), h5py.vlen_dtype("f4")), "objects, references"),
    "object reference": (lambda f: f.create_dataset("x", (3,), h5py.ref_dtype), "objects, references"),
    "region reference": (lambda f: f.create_dataset("x", (3,), h5py.regionref_dtype), "objects, references"),
    "record": (lambda f: f.create_dataset("x", (3,), [("a", "f4"), ("b", "f4")]), "records"),
    "record of objects": (lambda f: f.create_dataset("x", (3,), [("r", h5py.ref_dtype)]), "records"),
    "array type": (lambda f: f.create_dataset("x", (3,), "(2,)f4"), "objects, references"),
    "enumeration": (
        lambda f: f.create_dataset("x", (3,), h5py.enum_dtype({"A": 0, "B": 1}, "i1")),
        "not bool",
    ),
    "raw bytes": (lambda f: f.create_dataset("x", data=np.zeros(3, "V2")), "without a known dtype"),
    "nothing stored": (lambda f: f.create_dataset("x", (1 << 40,), "f4"), "fewer or more"),
    "no chunks stored": (
        lambda f: f.create_dataset("x", (1 << 40,), "f4", chunks=(1 << 10,)),
        "chunks are there",
    ),
    "no shape": (lambda f: f.create_dataset("x", data=h5py.Empty("f4")), "shape"),
    "scaled": (lambda f: f.create_dataset("x", (8,), "i4", chunks=(4,), scaleoffset=2), "filter 6"),
    "nbit": (_filter(5), "filter 5"),
    "plugin": (_filter(32015), "filter 32015"),
    "newer form": (plain, "version 0", {"libver": "latest"}),
    "ordered groups": (plain, "newer form", {"track_order": True}),
    "own space before": (plain, "HDF5 file|version", {"userblock_size": 512}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case):
    fill, reason, *options = REFUSED[case]
    with pytest.raises(RefusedFileError, match=reason) as info:
        opened(made(fill, **(options[0] if options else {})))
    assert len(str(info.value)) < 1000 and str(info.value).startswith("w.weights.h5")


def test_nothing_that_a_file_names_is_opened(tmp_path):
    """Links and storage that point to another file: that file is not even looked at."""
    opened_paths = []
    watch = [False]

    def hook(event, arguments):
        if watch[0] and event in ("open", "os.listdir", "os.scandir", "socket.connect", "import"):
            opened_paths.append((event, arguments[0]))

    import sys

    sys.addaudithook(hook)  # cannot be taken away again; switched off below
    for fill in (_virtual, _external, REFUSED["external link"][0], REFUSED["soft link"][0]):
        path = tmp_path / "w.h5"
        path.write_bytes(made(fill))
        watch[0] = True
        try:
            with pytest.raises(RefusedFileError), open_hdf5(path):
                pass
        finally:
            watch[0] = False
        assert opened_paths == [("open", str(path))]
        opened_paths.clear()


def test_a_deep_chain_of_groups_is_refused_not_followed():
    path = "/".join("g" for _ in range(5000))
    data = made(lambda file: file.create_group(path))
    with pytest.raises(RefusedFileError, match="nested deeper than 200"):
        opened(data)


def test_counts_are_bounded():
    data = made(lambda file: [file.create_dataset(str(i), data=0) for i in range(50)])
    with pytest.raises(RefusedFileError, match="more than 20 arrays"):
        opened(data, members=20)
    with pytest.raises(RefusedFileError, match="more than 40 groups"):
        opened(made(lambda file: [file.create_group(str(i)) for i in range(50)]), layers=10)


def calls_of(run):
    """How many calls of functions a run takes, Python's and C's."""
    seen = [0]

    def count(frame, event, argument):
        seen[0] += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(None)
    return seen[0]


def test_many_arrays_take_linear_work():
    def work(count):
        data = made(lambda file: [file.create_dataset(f"d{i}", data=0.5) for i in range(count)])
        return calls_of(lambda: opened(data, members=count))

    assert work(4_000) < 10 * work(500)
    data = made(lambda file: [file.create_dataset(f"d{i}", data=0.5) for i in range(10_001)])
    with pytest.raises(RefusedFileError, match="more than 10000 arrays"):
        opened(data)


# ---- budgets ---------------------------------------------------------------------------------------------------


def test_compressed_zeros_are_refused_before_memory_is_taken():
    data = made(lambda file: file.create_dataset("x", data=np.zeros(1 << 24, "f4"), compression="gzip"))
    assert len(data) < 500_000
    tracemalloc.start()
    with pytest.raises(RefusedFileError, match="warrants"):
        opened(data)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_chunks_larger_than_the_shape_count_in_full():
    def fill(file):
        file.create_dataset("x", (1,), "f4", maxshape=(None,), chunks=(1 << 22,), compression="gzip")[:] = 1

    with pytest.raises(RefusedFileError, match="16777216 bytes"):
        opened(made(fill))


def test_one_block_cannot_stand_for_many_arrays():
    """Every array's data address is turned to that of the first."""
    data = bytearray(
        made(lambda file: [file.create_dataset(str(i), data=np.full(512, i, "f4")) for i in range(4)])
    )
    assert opened(bytes(data))
    starts = [data.index(np.full(512, i, "f4").tobytes()) for i in range(4)]
    for start in starts[1:]:
        at = data.index(start.to_bytes(8, "little") + (2048).to_bytes(8, "little"))
        data[at : at + 8] = starts[0].to_bytes(8, "little")
    with pytest.raises(RefusedFileError, match="also those of"):
        opened(bytes(data))


def test_array_beyond_the_end():
    data = bytearray(made(lambda file: file.create_dataset("x", data=np.full(512, 3, "f4"))))
    start = data.index(np.full(512, 3, "f4").tobytes())
    at = data.index(start.to_bytes(8, "little") + (2048).to_bytes(8, "little"))
    data[at : at + 8] = (len(data) - 100).to_bytes(8, "little")
    with pytest.raises(RefusedFileError, match="beyond the end"):
        opened(bytes(data))


def test_shape_and_stored_bytes_must_agree():
    data = bytearray(made(lambda file: file.create_dataset("x", data=np.full((7, 73), 3, "f4"))))
    at = data.index((7).to_bytes(8, "little") + (73).to_bytes(8, "little"))
    data[at + 8 : at + 16] = (1 << 50).to_bytes(8, "little")
    with pytest.raises(RefusedFileError, match="its shape needs"):
        opened(bytes(data))


@pytest.mark.parametrize(
    "options", [{}, {"chunks": (512, 512)}, {"compression": "gzip"}, {"chunks": (64, 64)}]
)
def test_reading_takes_little_more_than_the_array(tmp_path, options):
    """A file of 4 MiB of noise is opened for almost nothing, and one array takes itself, or twice if compressed."""
    with h5py.File(tmp_path / "w.h5", "w") as file:
        for i in range(4):
            file.create_dataset(str(i), data=RNG.normal(size=(512, 512)).astype("f4"), **options)
    tracemalloc.start()
    with open_hdf5(tmp_path / "w.h5") as file:
        assert tracemalloc.get_traced_memory()[1] < 300_000
        tracemalloc.reset_peak()
        file.datasets["0"].read()
        peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < (2.2 if options.get("chunks") == (512, 512) else 1.4) * (1 << 20)


# ---- structure that is gone through once ------------------------------------------------------------------------


class Counting(MemorySource):
    """Bytes in memory that count how many of them are read."""

    count = 0

    def _read(self, offset, count):
        self.count += count
        return super()._read(offset, count)


def with_root(header):
    """The bytes of a file whose root group has that header, at byte 96, and what follows it."""
    data = made(lambda file: None)[:96] + header
    return data[:40] + len(data).to_bytes(8, "little") + data[48:64] + (96).to_bytes(8, "little") + data[72:]


def message(kind, content):
    return struct.pack("<HHB3x", kind, len(content), 0) + content


def continuations_that_overlap():
    """A header with 100 continuations: each is the rest of the file but for some empty messages at its beginning."""
    empty = message(0, b"") * 100 + message(0, b"\0" * 60_000) * 10
    own = 100 * len(message(0x10, b"\0" * 16))
    end = 96 + 16 + own + len(empty)
    places = [(96 + 16 + own + 8 * i, end - (96 + 16 + own + 8 * i)) for i in range(100)]
    parts = b"".join(message(0x10, struct.pack("<2Q", *place)) for place in places)
    return with_root(struct.pack("<BxHLL4x", 1, 65535, 1, own) + parts + empty)


def heaps_that_overlap():
    """Groups whose heaps of names go on to the end of the file."""
    data = bytearray(made(lambda file: [file.create_group(f"g{i}") for i in range(200)]))
    at = data.find(b"HEAP")
    while at >= 0:
        start = int.from_bytes(data[at + 24 : at + 32], "little")
        data[at + 8 : at + 16] = (len(data) - start).to_bytes(8, "little")
        at = data.find(b"HEAP", at + 4)
    return bytes(data)


def one_text_of_many():
    """Groups whose attributes are one and the same long text."""
    text = "x" * 20_000

    def fill(file):
        for i in range(60):
            file.create_group(f"g{i}").attrs["text"] = text

    data = bytearray(made(fill))
    size = len(text).to_bytes(4, "little") + data.index(b"GCOL").to_bytes(8, "little")
    first = data.index(size)
    # What stands before a reference: the end of the attribute's type (text, UTF-8) and shape (a scalar).
    before = bytes(data[first - 24 : first])
    at = data.find(before)
    while at >= 0:
        data[at + 24 : at + 40] = data[first : first + 16]
        at = data.find(before, at + 1)
    return bytes(data)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (continuations_that_overlap, "some overlap"),
        (heaps_that_overlap, "some overlap"),
        (one_text_of_many, "another's"),
    ],
)
def test_bytes_are_read_once(make, reason):
    data = make()
    source = Counting("w", data)
    with pytest.raises(RefusedFileError, match=reason):
        for attributes in Hdf5File(source).groups.values():
            dict(attributes)
    assert source.count < 2 * len(data)


@pytest.mark.parametrize("libver", ["earliest", ("earliest", "v108"), ("earliest", "latest")])
def test_honest_structure_is_read_in_few_bytes(libver):
    def fill(file):
        for i in range(300):
            group = file.create_group(f"layers/{'dense' * 8}_{i}/vars")
            # Each text is a string of its own in the file, even if it is empty.
            group.attrs["names"] = ["kernel", "", ""]
            group.attrs["again"] = ["kernel", "kernel"]
            for j in range(20):
                group.attrs[f"more_{j}"] = "x" * j  # these make the header go on elsewhere
        file.create_dataset("chunks", data=np.zeros(2000, "f4"), chunks=(1,))

    data = made(fill, libver=libver)
    assert_same_as_h5py(data)
    source = Counting("w", data)
    Hdf5File(source)
    assert source.count < len(data)


def deep_names(members):
    """Many members at the end of a long path."""

    def fill(file):
        group = file
        for _ in range(100):
            group = group.create_group("n" * 900)
        group = group.create_group("wide")
        for i in range(members):
            group.create_group(str(i))

    return made(fill)


@pytest.mark.parametrize(
    "make",
    [
        lambda: deep_names(100),
        # One letter that takes 4 bytes makes all others of its text take as many.
        lambda: deep_names(30).replace(b"wide", "\N{GRINNING FACE}".encode()),
        lambda: made(lambda f: f.create_dataset("chunks", data=np.zeros(60_000, "i1"), chunks=(1,))),
        lambda: with_root(struct.pack("<BxHLL4x", 1, 1, 1, 800_000) + message(0x0C, b"") * 100_000),
    ],
)
def test_memory_of_structure_is_charged_before_it_is_taken(make):
    data = make()
    spare = 8 << 20
    tracemalloc.start()
    try:
        with pytest.raises(RefusedFileError, match=r"more memory|more messages"):
            opened(data, spare_bytes=spare)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * len(data) + spare


# ---- damage ----------------------------------------------------------------------------------------------------


def damaged_copies(data, count, seed):
    chance = random.Random(seed)
    for _ in range(count):
        copy = bytearray(data)
        for _ in range(chance.choice([1, 2, 4, 8, 16])):
            at = chance.randrange(len(copy))
            while not copy[at] and chance.random() < 0.98:  # most zeros are unused space
                at = chance.randrange(len(copy))
            copy[at] = chance.choice([0, 1, 127, 128, 255, copy[at] ^ 1 << chance.randrange(8)])
        yield bytes(copy)


def rich(file):
    plain(file)
    file.create_dataset(
        "gz", data=np.arange(900).reshape(30, 30) % 7, compression="gzip", shuffle=True, chunks=(9, 9)
    )
    file.create_dataset("lzf", data=np.arange(900) % 7, compression="lzf", fletcher32=True, chunks=(100,))
    file["bool"], file["complex"] = np.array([True, False]), np.array([1 + 2j])
    file.attrs["texts"], file.attrs["names"] = ["a", "bb"], np.array([b"kernel:0", b"bias:0"])


def test_damage_gives_one_kind_of_error():
    """Never another exception, a hang or a crash: the HDF5 library itself fails this."""
    refused = 0
    for copy in damaged_copies(made(rich), 1500, seed=1):
        try:
            file = opened(copy)
            for dataset in file.datasets.values():
                dataset.read()
                dict(dataset.attributes)
            for attributes in file.groups.values():
                dict(attributes)
        except RefusedFileError:
            refused += 1
    assert refused > 500


def test_cut_off_anywhere():
    data = made(plain)
    for size in range(0, len(data), 97):
        with pytest.raises(RefusedFileError):
            opened(data[:size])
    with pytest.raises(RefusedFileError, match="it says that the file has"):
        opened(data + b"x")


@pytest.mark.parametrize("options", [{}, {"compression": "gzip"}, {"compression": "lzf", "fletcher32": True}])
def test_damaged_values_of_chunks(options):
    value = np.tile(RNG.normal(size=50), 20)
    data = bytearray(made(lambda file: file.create_dataset("x", data=value, chunks=(1000,), **options)))
    address = opened(bytes(data)).datasets["x"].extents[0][0]
    data[address + 40] ^= 16
    read = opened(bytes(data)).datasets["x"].read
    if options:
        with pytest.raises(RefusedFileError, match=r"damaged|checksum|chunk"):
            read()
    else:
        assert (read() != value).any()  # without a checksum, nobody can know


# ---- writing ---------------------------------------------------------------------------------------------------


def written(tmp_path, **arrays):
    path = tmp_path / "w.h5"
    with Hdf5Writer(path) as file:
        for name, value in arrays.items():
            file.group(name, name=name)
            file.array(f"{name}/0", value)
    return path


@pytest.mark.parametrize(
    "dtype", ["float32", "bool", "int64", "complex64", "bfloat16", "float8_e4m3fn", "float8_e5m2"]
)
@pytest.mark.parametrize("shape", [(), (3, 4), (0, 2)])
def test_written_arrays_are_read(tmp_path, dtype, shape):
    value = np.asarray(RNG.normal(size=shape)).astype(getattr(ml_dtypes, dtype, dtype))
    with open_hdf5(written(tmp_path, a=value)) as file:
        read = file.datasets["a/0"].read()
        assert (read.dtype, read.shape, read.tobytes()) == (value.dtype, value.shape, value.tobytes())
        assert file.groups["a"]["name"] == "a"


def test_written_files_are_plain_to_h5py(tmp_path):
    value = np.asfortranarray(RNG.normal(size=(3, 4)))
    with h5py.File(written(tmp_path, a=value)) as file:
        np.testing.assert_array_equal(file["a/0"][()], value)


def test_silent_damage_is_told(tmp_path):
    value = RNG.normal(size=100)
    path = written(tmp_path, a=value, b=value + 1)
    data = bytearray(path.read_bytes())
    data[data.index((value + 1).tobytes()) + 33] ^= 1
    path.write_bytes(data)
    with open_hdf5(path) as file:
        np.testing.assert_array_equal(file.datasets["a/0"].read(), value)
        with pytest.raises(RefusedFileError, match=r"b/0.*do not match their checksum"):
            file.datasets["b/0"].read()


def test_no_library_of_hdf5_is_needed_to_read(tmp_path):
    import subprocess
    import sys

    code = (
        "import sys; from kerata.saving.hdf5 import open_hdf5\n"
        "with open_hdf5(sys.argv[1]) as file: print(file.datasets['a/0'].read().sum())\n"
        "assert 'h5py' not in sys.modules"
    )
    path = written(tmp_path, a=np.ones(3))
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "3.0"
    assert sorted(os.listdir(tmp_path)) == ["w.h5"]
