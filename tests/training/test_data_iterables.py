"""Generators, DataLoaders, `tf.data` and other objects that give batches by themselves."""

import warnings

import numpy as np
import pytest

from kerata import backends, ops
from kerata.training.data import as_batches, pack_x_y_sample_weight, unpack_x_y_sample_weight


def batch(i):
    return np.full((2, 1), float(i)), np.full(2, i)


def counted(n):
    for i in range(n):
        yield batch(i)


def numbers(source, epoch=0):
    return [int(x[0, 0]) for x, _, _ in source.epoch(epoch)]


class Counted:
    """Can be iterated again and again; `started` counts how often it was."""

    def __init__(self, n, length=None):
        self.n, self.length, self.started = n, length, 0

    def __iter__(self):
        self.started += 1
        return counted(self.n)

    def __len__(self):
        if self.length is None:
            raise TypeError("no length")
        return self.length


# --- Generators -------------------------------------------------------------------------------------------


def test_a_generator_goes_on_from_epoch_to_epoch():
    source = as_batches(counted(100), steps=3)
    assert (source.steps_per_epoch, source.samples, source.batch_size) == (3, None, None)
    assert [numbers(source, epoch) for epoch in range(3)] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert not source.exhausted


def test_a_generator_that_runs_dry_says_so():
    source = as_batches(counted(4), steps=3)
    assert numbers(source, 0) == [0, 1, 2] and not source.exhausted
    with pytest.warns(UserWarning, match="ran out after 1 of 3 steps of an epoch. Provide"):
        assert numbers(source, 1) == [3]
    assert source.exhausted
    with pytest.warns(UserWarning, match="ran out after 0 of 3 steps"):
        assert numbers(source, 2) == []


def test_a_generator_without_steps_is_one_epoch():
    source = as_batches(counted(4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert numbers(source, 0) == [0, 1, 2, 3]
    assert source.steps_per_epoch is None and source.exhausted
    with pytest.warns(UserWarning, match="ran out. Provide"):
        assert numbers(source, 1) == []


def test_a_generator_is_read_no_further_than_asked():
    generator = counted(10)
    numbers(as_batches(generator, steps=3))
    assert next(generator)[1][0] == 3


def test_an_error_in_a_generator_comes_out_as_it_is():
    def broken():
        yield batch(0)
        raise OSError("the disk is gone")

    epoch = as_batches(broken()).epoch(0)
    next(epoch)
    with pytest.raises(OSError, match="the disk is gone"):
        next(epoch)


@pytest.mark.parametrize(
    "item, expected",
    [
        (np.ones((2, 1)), (True, False, False)),
        ({"a": np.ones(2)}, (True, False, False)),
        ((np.ones(2),), (True, False, False)),
        ((np.ones(2), np.ones(2)), (True, True, False)),
        ([np.ones(2), np.ones(2)], (True, True, False)),
        ((np.ones(2), np.ones(2), np.ones(2)), (True, True, True)),
        ((np.ones(2), None, np.ones(2)), (True, False, True)),
        ((np.ones(2), [0, 1], [True, False]), (True, True, True)),
    ],
)
def test_forms_of_a_batch(item, expected):
    (got,) = as_batches(iter([item])).epoch(0)
    assert tuple(part is not None for part in got) == expected


def test_dtypes_of_batches():
    item = {
        "f8": np.ones(2),
        "f4": np.ones(2, "f4"),
        "f2": np.ones(2, "f2"),
        "i8": np.ones(2, "i8"),
        "b": [True, False],
    }
    ((x, y, w),) = as_batches(iter([(item, [0.5, 1], np.array([2, 3]))])).epoch(0)
    assert {key: array.dtype.str[1:] for key, array in x.items()} == {
        "f8": "f4", "f4": "f4", "f2": "f2", "i8": "i8", "b": "b1"
    }  # fmt: skip
    assert y.dtype == w.dtype == np.float32 and w.tolist() == [2, 3]


def test_batches_that_are_right_already_are_not_copied():
    x, y = np.ones((2, 1), "float32"), np.zeros(2, "int64")
    ((bx, by, _),) = as_batches(iter([(x, y)])).epoch(0)
    assert bx is x and by is y


# --- Things that can be iterated again --------------------------------------------------------------------


def test_an_iterable_starts_anew_each_epoch():
    data = Counted(3, length=3)
    source = as_batches(data)
    assert source.steps_per_epoch == 3
    assert numbers(source, 0) == numbers(source, 1) == [0, 1, 2]
    assert data.started == 2 and not source.exhausted


def test_an_iterable_without_length():
    source = as_batches(Counted(3))
    assert source.steps_per_epoch is None
    assert numbers(source, 0) == numbers(source, 1) == [0, 1, 2]


def test_steps_through_an_iterable():
    source = as_batches(Counted(5, length=5), steps=2)
    assert numbers(source, 0) == [0, 1]
    assert numbers(source, 1) == [2, 3]
    with pytest.warns(UserWarning, match="ran out after 1 of 2 steps"):
        assert numbers(source, 2) == [4]
    assert numbers(source, 3) == [0, 1]


def test_more_steps_than_an_iterable_has():
    source = as_batches(Counted(2, length=2), steps=3)
    for epoch in range(2):
        with pytest.warns(UserWarning, match="after 2 of 3 steps"):
            assert numbers(source, epoch) == [0, 1]


def test_an_engine_may_iterate_its_own_objects(monkeypatch):
    class Opaque:
        pass

    with backends.use_backend("numpy") as numpy_engine:
        hook = lambda obj: counted(2) if isinstance(obj, Opaque) else None  # noqa: E731
        monkeypatch.setattr(type(numpy_engine), "batches_of", staticmethod(hook), raising=False)
        source = as_batches(Opaque())
        assert numbers(source, 0) == numbers(source, 1) == [0, 1]
        assert numbers(as_batches(Counted(3))) == [0, 1, 2]


def test_a_data_loader(engine):
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    x, y = torch.arange(10, dtype=torch.float32).reshape(5, 2), torch.arange(5)
    source = as_batches(DataLoader(TensorDataset(x, y), batch_size=2))
    assert source.steps_per_epoch == 3
    for _ in range(2):
        batches = list(source.epoch(0))
        kind = torch.Tensor if engine == "torch" else np.ndarray
        assert {type(part) for bx, by, _ in batches for part in (bx, by)} == {kind}
        np.testing.assert_array_equal(np.concatenate([np.asarray(bx) for bx, _, _ in batches]), x.numpy())
        np.testing.assert_array_equal(np.concatenate([np.asarray(by) for _, by, _ in batches]), y.numpy())


def test_a_tf_dataset(engine):
    import tensorflow as tf

    x, y = np.arange(10, dtype="float32").reshape(5, 2), np.arange(5)
    dataset = tf.data.Dataset.from_tensor_slices(({"in": x}, y)).batch(2)
    source = as_batches(dataset)
    assert source.steps_per_epoch == 3
    for _ in range(2):
        batches = list(source.epoch(0))
        assert all(tf.is_tensor(bx["in"]) == (engine == "tensorflow") for bx, _, _ in batches)
        np.testing.assert_array_equal(np.concatenate([np.asarray(bx["in"]) for bx, _, _ in batches]), x)
        np.testing.assert_array_equal(np.concatenate([np.asarray(by) for _, by, _ in batches]), y)
    endless = as_batches(dataset.repeat(), steps=4)
    assert endless.steps_per_epoch == 4
    assert [len(by) for _, by, _ in endless.epoch(0)] == [2, 2, 1, 2]
    assert [len(by) for _, by, _ in endless.epoch(1)] == [2, 1, 2, 2]


def test_tensors_of_the_engine_stay_where_they_are(engine):
    tensor = ops.convert_to_tensor(np.ones((2, 1), "float32"))
    ((x, _, _),) = as_batches(iter([(tensor,)])).epoch(0)
    assert x is tensor


# --- Tuples -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data", ["x", ("x",), ("x", "y"), ("x", "y", "w"), (["a", "b"],), (("a",),), ({"a": 1}, "y")]
)
def test_packing_reverses_unpacking(data):
    unpacked = unpack_x_y_sample_weight(data)
    assert unpack_x_y_sample_weight(pack_x_y_sample_weight(*unpacked)) == unpacked


@pytest.mark.parametrize(
    "args", [(1,), ([1, 2],), ((1, 2),), ({"a": 1},), (1, 2), (1, None, 3), (1, 2, 3), (None,), (None, 2)]
)
def test_packing_as_the_peer_does(args):
    import keras

    assert pack_x_y_sample_weight(*args) == keras.utils.pack_x_y_sample_weight(*args)


@pytest.mark.parametrize("data", [[1, 2], (1,), (1, 2, 3), ((1, 2),), {"a": 1}, 1, None])
def test_unpacking_as_the_peer_does(data):
    import keras

    assert unpack_x_y_sample_weight(data) == keras.utils.unpack_x_y_sample_weight(data)
