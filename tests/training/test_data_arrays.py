"""Arrays of all kinds as batches: what a training step gets, in which order, with which dtype."""

from collections import Counter, namedtuple

import ml_dtypes
import numpy as np
import pandas as pd
import pytest

from kerata.core import config
from kerata.random import host
from kerata.random.seed_generator import set_global_seed
from kerata.training.data import as_batches, split_validation
from kerata.training.data.shuffling import permutation

Pair = namedtuple("Pair", "left right")


def read(source, epoch=0):
    return list(source.epoch(epoch))


def rows(source, epoch=0):
    return [np.ravel(x).tolist() for x, _, _ in source.epoch(epoch)]


def column(n):
    return np.arange(n, dtype="float32").reshape(n, 1)


# --- Cutting ----------------------------------------------------------------------------------------------


def test_batches_in_order_with_a_partial_last_one():
    x, y = column(7), np.arange(7)
    source = as_batches(x, y, batch_size=3)
    assert (source.steps_per_epoch, source.samples, source.batch_size) == (3, 7, 3)
    batches = read(source)
    assert [b[0].shape for b in batches] == [(3, 1), (3, 1), (1, 1)]
    np.testing.assert_array_equal(np.concatenate([b[0] for b in batches]), x)
    np.testing.assert_array_equal(np.concatenate([b[1] for b in batches]), y)
    assert all(weights is None for _, _, weights in batches)


def test_batches_in_order_are_views():
    x = column(7)
    assert all(np.shares_memory(batch, x) for batch, _, _ in as_batches(x, batch_size=3).epoch(0))


def test_shuffled_batches_are_not_views():
    x = column(7)
    for batch, _, _ in as_batches(x, batch_size=3, shuffle=True).epoch(0):
        batch[:] = -1
    np.testing.assert_array_equal(x, column(7))


def test_default_batch_size():
    source = as_batches(column(70))
    assert (source.batch_size, source.steps_per_epoch) == (32, 3)


def test_drop_last():
    assert rows(as_batches(column(7), batch_size=3, drop_last=True)) == [[0, 1, 2], [3, 4, 5]]
    shuffled = rows(as_batches(column(7), batch_size=3, drop_last=True, shuffle=True))
    assert [len(b) for b in shuffled] == [3, 3] and len({v for b in shuffled for v in b}) == 6


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
@pytest.mark.parametrize("n, size", [(1, 1), (1, 5), (5, 5), (64, 8), (65, 8), (63, 8)])
def test_each_row_comes_once(n, size, shuffle):
    x, y = column(n), np.arange(n) * 10
    batches = read(as_batches(x, y, batch_size=size, shuffle=shuffle))
    assert [len(b[0]) for b in batches] == [size] * (n // size) + [n % size] * bool(n % size)
    assert sorted(v for b in batches for v in b[0].ravel()) == list(range(n))
    assert all((b[1] == b[0].ravel() * 10).all() for b in batches)


def test_large_rows_are_not_gathered_in_blocks_and_stay_right():
    x = np.arange(40, dtype="float32").repeat(40_000).reshape(40, 40_000)  # 160 kB a row
    batches = read(as_batches(x, np.arange(40), batch_size=3, shuffle=True))
    assert all((x[:, 0] == y).all() and (x[:, -1] == y).all() for x, y, _ in batches)
    assert sorted(v for _, y, _ in batches for v in y) == list(range(40))


def test_one_batch_needs_no_iterator():
    x, y, weights = as_batches(column(4), np.arange(4), batch_size=4).only_batch
    assert x.shape == (4, 1) and y.tolist() == [0, 1, 2, 3] and weights is None
    assert as_batches(column(4), batch_size=32, shuffle="batch").only_batch is not None


@pytest.mark.parametrize("options", [{"batch_size": 3}, {"shuffle": True}, {"batch_size": 4, "steps": 2}])
def test_no_single_batch_where_there_are_more_or_they_are_shuffled(options):
    assert as_batches(column(4), **options).only_batch is None


# --- Steps ------------------------------------------------------------------------------------------------


def test_fewer_steps_than_batches_go_on_in_the_next_epoch():
    source = as_batches(column(8), batch_size=2, steps=2)
    assert source.steps_per_epoch == 2
    assert [rows(source, epoch) for epoch in range(3)] == [
        [[0, 1], [2, 3]],
        [[4, 5], [6, 7]],
        [[0, 1], [2, 3]],
    ]


def test_an_epoch_ends_early_with_a_warning_where_the_data_end():
    source = as_batches(column(6), batch_size=2, steps=2)
    assert rows(source, 0) == [[0, 1], [2, 3]]
    with pytest.warns(UserWarning, match="ran out after 1 of 2 steps"):
        assert rows(source, 1) == [[4, 5]]
    assert rows(source, 2) == [[0, 1], [2, 3]]


def test_steps_alone_choose_the_batch_size():
    source = as_batches(column(10), steps=4)
    assert source.batch_size == 3 and [len(b) for b in rows(source)] == [3, 3, 3, 1]


def test_steps_equal_to_the_batches_are_whole_passes():
    source = as_batches(column(6), batch_size=2, steps=3)
    assert rows(source, 0) == rows(source, 1) == [[0, 1], [2, 3], [4, 5]]


def test_an_epoch_that_is_not_read_to_its_end_does_not_spoil_the_next():
    source = as_batches(column(6), batch_size=2)
    next(source.epoch(0))
    assert rows(source, 1) == [[0, 1], [2, 3], [4, 5]]


# --- Order ------------------------------------------------------------------------------------------------


def test_order_depends_on_seed_and_epoch_only():
    def order(seed, epoch):
        return rows(as_batches(column(20), batch_size=4, shuffle=True, seed=seed), epoch)

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(2, 0)
    assert order(1, 0) != order(1, 1)


def test_order_follows_the_global_seed():
    def orders(seed):
        set_global_seed(seed)
        sources = [as_batches(column(20), batch_size=4, shuffle=True) for _ in range(2)]
        return [rows(source) for source in sources]

    first, second = orders(7)
    assert first != second
    assert orders(7) == [first, second]
    assert orders(8)[0] != first


def test_order_is_the_same_on_every_engine_and_machine(engine):
    assert rows(as_batches(column(20), batch_size=4, shuffle=True, seed=1), 3) == [
        [15, 5, 18, 12],
        [0, 4, 3, 17],
        [1, 11, 14, 19],
        [9, 2, 10, 8],
        [6, 13, 7, 16],
    ]


@pytest.mark.parametrize("count", [0, 1, 2, 5, 1000])
def test_a_permutation_sorts_random_words(count):
    words = host.words(count, 5, 3) if count else np.zeros(0, "uint32")
    np.testing.assert_array_equal(permutation(count, 5, 3), np.argsort(words, kind="stable"))


def test_ties_go_by_index(monkeypatch):
    monkeypatch.setattr(host, "words", lambda n, key, epoch: np.array([9, 2, 9, 2, 0, 2**32 - 1], "uint32"))
    assert permutation(6, 0, 0).tolist() == [4, 1, 3, 0, 2, 5]


def test_every_order_is_as_likely_as_any_other():
    seen = Counter(tuple(permutation(4, key, epoch).tolist()) for key in range(60) for epoch in range(80))
    assert len(seen) == 24
    chi_square = sum((n - 200) ** 2 / 200 for n in seen.values())
    assert chi_square < 49.7  # 23 degrees of freedom, one in a thousand


def test_shuffling_batches_keeps_their_rows_together():
    x = column(31)
    source = as_batches(x, batch_size=3, shuffle="batch", seed=3)
    batches = rows(source)
    assert batches[-1] == [30]
    assert all(b == list(range(int(b[0]), int(b[0]) + 3)) and b[0] % 3 == 0 for b in batches[:-1])
    assert [b[0] for b in batches] != sorted(b[0] for b in batches)
    assert batches != rows(source, 1)
    assert all(np.shares_memory(batch, x) for batch, _, _ in source.epoch(0))


# --- Structures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
def test_structures_keep_their_shape(shuffle):
    x = {"b": column(5), "a": [column(5) + 10, (column(5) + 20, None)], "c": Pair(column(5), column(5) + 30)}
    y = (np.arange(5), {"k": np.arange(5) + 40})
    weights = [np.ones(5, "float32"), None]
    for bx, by, bw in as_batches(x, y, weights, batch_size=2, shuffle=shuffle, seed=1).epoch(0):
        assert list(bx) == ["b", "a", "c"] and type(bx["a"]) is list and type(bx["a"][1]) is tuple
        base = bx["b"].ravel()
        np.testing.assert_array_equal(bx["a"][0].ravel(), base + 10)
        np.testing.assert_array_equal(bx["a"][1][0].ravel(), base + 20)
        assert bx["a"][1][1] is None
        assert type(bx["c"]) is Pair
        np.testing.assert_array_equal(bx["c"].right.ravel(), base + 30)
        np.testing.assert_array_equal(by[0], base)
        np.testing.assert_array_equal(by[1]["k"], base + 40)
        assert len(bw[0]) == len(base) and bw[1] is None


# --- Kinds and dtypes -------------------------------------------------------------------------------------


def only(x, y=None, sample_weight=None):
    return as_batches(x, y, sample_weight).only_batch


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", ml_dtypes.bfloat16, np.longdouble])
def test_floats_become_floatx(dtype):
    x = np.asarray([[0.5], [2.0]], dtype=dtype)
    batch = only(x)[0]
    assert batch.dtype == np.float32
    np.testing.assert_array_equal(batch, [[0.5], [2.0]])


def test_floats_become_another_floatx():
    config.set_floatx("float64")
    try:
        assert only(column(2))[0].dtype == np.float64
    finally:
        config.set_floatx("float32")


@pytest.mark.parametrize(
    "dtype",
    [
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "bool",
        "complex64",
        "complex128",
    ],
)
def test_other_dtypes_stay(dtype):
    assert only(np.zeros((2, 1), dtype))[0].dtype == dtype


def test_lists_of_numbers_are_arrays():
    x, y, weights = only([[1.0, 2], [3, 4]], [0, 1], [True, False])
    assert (x.dtype, y.dtype, weights.dtype) == ("float32", "int32", "float32")
    assert x.tolist() == [[1, 2], [3, 4]] and y.tolist() == [0, 1] and weights.tolist() == [1, 0]
    assert only([2**40, 1])[0].tolist() == [2**40, 1]


def test_lists_of_arrays_are_several_inputs():
    (a, b), _, _ = only([column(3), column(3) + 1])
    assert a.shape == b.shape == (3, 1)


def test_data_frames():
    frame = pd.DataFrame({"a": [1.5, 2.0], "b": [True, False], "c": pd.array([1, None], dtype="Int64")})
    x, y, _ = only(frame, pd.Series([3, 4]))
    assert x.dtype == np.float32 and y.dtype == np.int64 and y.shape == (2, 1)
    np.testing.assert_array_equal(x, [[1.5, 1, 1], [2, 0, np.nan]])
    assert only(pd.DataFrame({"a": [1, 2]}))[0].dtype == np.int64


def test_anything_with_an_array():
    class Wrapped:
        def __array__(self, dtype=None, copy=None):
            return np.arange(6.0).reshape(3, 2)

    assert only(Wrapped())[0].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert only(np.ma.masked_array([[1.0], [2.0]]))[0].dtype == np.float32


def test_anything_with_a_numpy_method():
    class Detached:
        def cpu(self):
            return self

        def numpy(self):
            return np.arange(3.0)

    class Attached:
        def detach(self):
            return Detached()

    assert only({"a": Attached(), "b": Detached()})[0]["a"].tolist() == [0, 1, 2]


def test_native_tensors(engine):
    from kerata import ops

    x = ops.convert_to_tensor(np.arange(6, dtype="float32").reshape(3, 2))
    y = ops.convert_to_tensor(np.array([2, 1, 0], "int64"), dtype="int64")
    bx, by, _ = only({"in": x}, y)
    assert isinstance(bx["in"], np.ndarray) and by.dtype == np.int64
    np.testing.assert_array_equal(bx["in"], [[0, 1], [2, 3], [4, 5]])
    assert by.tolist() == [2, 1, 0]


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
def test_memory_maps_are_read_batch_by_batch(tmp_path, shuffle):
    stored = np.memmap(tmp_path / "x", dtype="float64", mode="w+", shape=(6, 2))
    stored[:] = np.arange(12).reshape(6, 2)
    source = as_batches(stored, batch_size=4, shuffle=shuffle, seed=1)
    batches = [x for x, _, _ in source.epoch(0)]
    assert {type(x) for x in batches} == {np.ndarray} and {x.dtype.name for x in batches} == {"float32"}
    assert sorted(np.concatenate(batches)[:, 0].tolist()) == [0, 2, 4, 6, 8, 10]
    (train, _, _), (kept, _, _) = split_validation(stored, validation_split=0.5)
    assert isinstance(train, np.memmap) and kept[0, 0] == 6


def test_integer_weights_are_floats():
    assert only(column(2), column(2), np.array([1, 2]))[2].dtype == np.float32


# --- Validation split -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fraction, kept", [(0.2, 2), (0.25, 3), (0.5, 5), (0.99, 10)])
def test_validation_is_the_end_of_the_data(fraction, kept):
    x, y, w = column(10), {"a": np.arange(10)}, np.ones(10, "float32")
    if fraction == 0.99:  # nothing left to train on
        with pytest.raises(ValueError, match="`validation_split` must be a fraction that splits 10 samples"):
            split_validation(x, y, w, validation_split=fraction)
        return
    train, val = split_validation(x, y, w, validation_split=fraction)
    assert train[0].ravel().tolist() == list(range(10 - kept))
    assert val[1]["a"].tolist() == list(range(10 - kept, 10))
    assert len(train[2]) + len(val[2]) == 10


def test_split_parts_are_read_as_they_are():
    (x, y, _), _ = split_validation(np.arange(8.0), np.arange(8), validation_split=0.25)
    batches = read(as_batches(x, y, batch_size=4))
    assert [b[1].tolist() for b in batches] == [[0, 1, 2, 3], [4, 5]]
