"""Wrong data and arguments: found before anything is read, and told in one sentence."""

import re

import numpy as np
import pandas as pd
import pytest

import kerata
from kerata.core.errors import ArgumentError
from kerata.core.tensor import KerasTensor
from kerata.training.data import PyDataset, as_batches, prefetched, split_validation

X, Y = np.zeros((3, 2), "float32"), np.zeros(3, "float32")


class Two(PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return X, Y


class NoBatches(Two):
    def __len__(self):
        return 0


class NoItems(PyDataset):
    def __len__(self):
        return 2


class NoLength(PyDataset):
    def __getitem__(self, index):
        return X, Y


class Endless(NoLength):
    num_batches = None


def refused(message, *args, **options):
    with pytest.raises(ArgumentError) as caught:
        list(as_batches(*args, **options).epoch(0))
    assert message in str(caught.value), str(caught.value)


@pytest.mark.parametrize("size", [0, -1, 2.5, "2", True])
def test_batch_size(size):
    refused("`batch_size` must be a positive integer or None.", X, Y, batch_size=size)


@pytest.mark.parametrize("steps", [0, -1, 2.5, "2", True])
def test_steps(steps):
    refused("`steps` must be a positive integer or None.", X, Y, steps=steps)


@pytest.mark.parametrize("shuffle", ["rows", 2, None])
def test_shuffle(shuffle):
    refused('`shuffle` must be True, False or "batch".', X, Y, shuffle=shuffle)


@pytest.mark.parametrize("seed", [-1, 1.5, "a", True, 2**32])
def test_seed(seed):
    refused("`seed` must be None or an integer of 32 bits, 0 or more.", X, Y, shuffle=True, seed=seed)


def test_lengths_are_told_with_their_place():
    refused(
        "`y['a']` must be as long along its first axis as the other arrays, one row per sample. "
        "Numbers of samples: x[0] has 3, x[1]['k'] has 3, y['a'] has 4.",
        [X, {"k": X}],
        {"a": np.zeros(4)},
    )
    refused("Numbers of samples: x has 3, y has 3, sample_weight has 2.", X, Y, np.ones(2))
    refused("x[7] has 1 and 3 more.", [np.zeros(1)] * 10, np.zeros(2))


@pytest.mark.parametrize(
    "x, message",
    [
        (X[:0], "`x` must be at least one sample. Got a tensor of shape (0, 2)"),
        ([], "`x` must be at least one sample."),
        (None, "`x` must be at least one array. Got None."),
        ({"a": None}, "`x` must be at least one array."),
        ({}, "`x` must be at least one array."),
        (3, "`x` must be an array, or nested dicts, lists and tuples of arrays. Got 3."),
        ("abc", "`x` must be an array"),
        (object(), "`x` must be an array"),
        (np.float32(3), "`x` must be an array with at least one axis"),
        ([X, np.array(1.0)], "`x[1]` must be an array with at least one axis"),
        ({"a": (X, 5)}, "`x['a'][1]` must be an array"),
        ([[1, 2], [3]], "`x` must be lists of numbers of equal lengths. Got [[1, 2], [3]]. Pad the rows"),
        ([1, X], "`x` must be lists of numbers of equal lengths."),
        (["a", "b"], "`x` must be an array of numbers. Got a tensor of shape (2,) and dtype str"),
        (np.array([b"a"]), "Turn text into numbers first"),
        (
            np.array(["a"], object),
            "`x` must be an array of numbers. Got a tensor of shape (1,) and dtype object.",
        ),
        (np.array(["2020"], "M8[Y]"), "Turn dates and times into numbers first."),
        (np.zeros(2, [("a", int)]), "`x` must be an array of numbers."),
        (
            pd.DataFrame({"a": [1.0], "b": ["u"]}),
            "`x` must be a table of numbers. Got {'a': 'float64', 'b': ",
        ),
        (pd.Series(["u"]), "`x` must be a table of numbers. Got 'a column of dtype"),
        (KerasTensor((2, 3)), "A symbolic tensor has no values."),
    ],
    ids=lambda value: None if isinstance(value, str) and len(value) > 20 else type(value).__name__,
)
def test_inputs(x, message):
    refused(message, x)


def test_sparse_matrices():
    import scipy.sparse

    refused("Sparse matrices must be made dense: x.toarray().", scipy.sparse.eye(3).tocsr())


def test_complex_weights():
    refused("`sample_weight` must be real numbers.", X, Y, np.ones(3, complex))


def batches():
    yield X, Y


def loader():
    return type("Loader", (), {"__iter__": lambda self: batches()})()


@pytest.mark.parametrize("make, kind", [(batches, "a generator"), (Two, "a PyDataset"), (loader, "a Loader")])
@pytest.mark.parametrize(
    "argument, value", [("y", Y), ("sample_weight", Y), ("batch_size", 2), ("drop_last", True)]
)
def test_what_batches_bring_themselves(make, kind, argument, value):
    refused(f"`{argument}` must be left out where `x` is {kind}.", make(), **{argument: value})


def test_a_refused_generator_is_not_read():
    generator = batches()
    for wrong in [{"y": Y}, {"batch_size": 2}, {"steps": 0}, {"class_weight": {}}, {"shuffle": "x"}]:
        refused("must be", generator, **wrong)
    assert len(list(generator)) == 1


def test_endless_sources_are_not_read_to_be_measured():
    def endless():
        while True:
            yield X, Y

    source = as_batches(endless(), steps=2)
    assert len(list(source.epoch(0))) == 2


@pytest.mark.parametrize(
    "item, message",
    [
        ((X, Y, Y, Y), "`data` must be `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`. Got '4 items'."),
        ((), "`data` must be"),
        ((X, np.array(["a"] * 3)), "`y` must be an array of numbers."),
        ((X, 1.0), "`y` must be an array"),
    ],
)
def test_batches_of_a_generator(item, message):
    refused(message, iter([item]))


@pytest.mark.parametrize(
    "item, message",
    [
        ((X, Y[:2]), "Numbers of samples: x has 3, y has 2."),
        ((X[:0], Y[:0]), "`x` must be at least one sample."),
        ((None, Y), "`x` must be at least one array."),
    ],
)
def test_batches_that_only_an_own_step_may_take(item, message, engine):
    model = kerata.Sequential([kerata.layers.Dense(1)])
    model.compile("sgd", "mse")
    for method in (model.fit, model.evaluate):
        with pytest.raises(ArgumentError, match=re.escape(message)):
            method(iter([item]), verbose=0)
    assert not model.built


def test_an_empty_generator():
    refused("`x` must be a generator that yields at least one batch.", iter([]))


def test_an_empty_iterable():
    refused(
        "`x` must be data with at least one batch.", type("Empty", (), {"__iter__": lambda self: iter([])})()
    )


@pytest.mark.parametrize(
    "dataset, message",
    [
        (NoBatches, "`x` must be a PyDataset with at least one batch."),
        (NoItems, "Define `NoItems.__getitem__`."),
        (NoLength, "Define `NoLength.__len__`, or `num_batches = None` for data without an end."),
        (Endless, "Say how many batches an epoch has"),
    ],
)
def test_unfinished_datasets(dataset, message):
    refused(message, dataset())


@pytest.mark.parametrize(
    "options", [{"workers": -1}, {"workers": 1.5}, {"max_queue_size": 0}, {"workers": "a"}, {"workers": True}]
)
def test_options_of_a_dataset(options):
    with pytest.raises(ArgumentError, match=f"`{next(iter(options))}` must be an integer of at least"):
        Two(**options)


@pytest.mark.parametrize(
    "class_weight, y, message",
    [
        ({}, Y, "`class_weight` must be a dict from class to weight."),
        ([1, 2], Y, "`class_weight` must be a dict from class to weight."),
        ({"0": 1.0}, Y, "`class_weight` must be a dict from integer to number."),
        ({0.5: 1.0}, Y, "`class_weight` must be a dict from integer to number."),
        ({0: "heavy"}, Y, "`class_weight` must be a dict from integer to number."),
        ({0: float("nan")}, Y, "`class_weight` must be a dict from integer to number."),
        ({0: 1.0}, None, "Give targets `y`."),
        ({0: 1.0}, [Y, Y], "left out where there are several targets"),
        ({0: 1.0}, {"a": Y}, "left out where there are several targets"),
        ({0: 1.0}, Y + 0.5, "`y` must be whole numbers"),
        ({0: 1.0}, np.zeros((3, 2, 2), int), "`y` must be one class per sample"),
    ],
)
def test_class_weight(class_weight, y, message):
    refused(message, X, y, class_weight=class_weight)


def test_two_kinds_of_weights():
    refused("`class_weight` must be left out where samples have weights", X, Y, Y, class_weight={0: 1.0})
    refused(
        "`class_weight` must be left out where samples have weights", iter([(X, Y, Y)]), class_weight={0: 1.0}
    )


def test_class_weight_is_for_training():
    refused("`class_weight` must be given for training only.", X, Y, class_weight={0: 1.0}, training=False)


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.0, 2, "0.1", None, True, float("nan")])
def test_validation_split(fraction):
    with pytest.raises(ArgumentError, match="`validation_split` must be a number between 0 and 1"):
        split_validation(X, Y, validation_split=fraction)


@pytest.mark.parametrize("make, kind", [(batches, "a generator"), (Two, "a PyDataset"), (loader, "a Loader")])
def test_validation_split_of_batches(make, kind):
    with pytest.raises(ArgumentError, match=f"`validation_split` must be left out where `x` is {kind}"):
        split_validation(make(), validation_split=0.5)


@pytest.mark.parametrize("depth", [0, -1, 1.5, None, True])
def test_depth_of_reading_ahead(depth):
    with pytest.raises(ArgumentError, match="`depth` must be a positive integer"):
        prefetched(as_batches(X), depth)


def test_drop_last_of_less_than_one_batch():
    refused("`batch_size` must be at most the 3 samples. Got 5.", X, Y, batch_size=5, drop_last=True)
