"""`pad_sequences`: the peer's values, and refusals."""

import itertools

import numpy as np
import pytest

from kerata.core.errors import ArgumentError
from kerata.utils.sequences import pad_sequences

RAGGED = [[1], [2, 3], [4, 5, 6]]


def same(*args, **options):
    import keras

    theirs, ours = keras.utils.pad_sequences(*args, **options), pad_sequences(*args, **options)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "maxlen, padding, truncating", itertools.product([None, 1, 2, 3, 5], ["pre", "post"], ["pre", "post"])
)
def test_sides_and_lengths_as_the_peer(maxlen, padding, truncating):
    same(RAGGED, maxlen=maxlen, padding=padding, truncating=truncating)


@pytest.mark.parametrize(
    "options",
    [
        {"value": 9},
        {"dtype": "float32", "value": 0.5},
        {"dtype": np.int64, "value": -1},
        {"dtype": object, "value": "x"},
        {"dtype": "str", "value": "x"},
    ],
    ids=str,
)
def test_values_and_dtypes_as_the_peer(options):
    same(RAGGED, **options)


@pytest.mark.parametrize(
    "sequences",
    [
        [[]],
        [[], [1]],
        [[[1, 2], [3, 4]], [[5, 6]]],
        [[], [[1, 2]]],
        [np.array([1.7, 2])],
        [(1, 2), (3,)],
        ((1,), (2, 3)),
        np.arange(6).reshape(2, 3),
        [[1.9], [2.1, 3]],
    ],
    ids=str,
)
def test_sequences_as_the_peer(sequences):
    same(sequences)


def test_words():
    assert pad_sequences([["abc"], ["d", "e"]], dtype=object, value="-").tolist() == [
        ["-", "abc"],
        ["d", "e"],
    ]


@pytest.mark.parametrize(
    "sequences, options, message",
    [
        ([], {}, "`sequences` must be a list of at least one sequence."),
        (3, {}, "`sequences` must be a list of at least one sequence."),
        ("ab", {}, "`sequences` must be a list of at least one sequence."),
        ((s for s in RAGGED), {}, "`sequences` must be a list of at least one sequence."),
        ([1, 2], {}, "`sequences[0]` must be a sequence. Got 1."),
        ([[1], None], {}, "`sequences[1]` must be a sequence. Got None."),
        ([[1], {2}], {}, "`sequences[1]` must be a sequence."),
        ([[[1, 2]], [[5, 6, 7]]], {}, "`sequences[1]` must be a sequence of int32 arrays of shape (2,)."),
        ([[1], [[2]]], {}, "`sequences[1]` must be a sequence of int32 values."),
        ([["a"]], {}, "`sequences[0]` must be a sequence of int32 values."),
        ([["abc"]], {"dtype": "str", "value": "x"}, "text needs `dtype=object`"),
        ([[300]], {"dtype": "uint8"}, "`sequences[0]` must be a sequence of uint8 values."),
        (RAGGED, {"padding": "left"}, '`padding` must be "pre" or "post".'),
        (RAGGED, {"truncating": None}, '`truncating` must be "pre" or "post".'),
        (RAGGED, {"maxlen": 0}, "`maxlen` must be a positive integer or None."),
        (RAGGED, {"maxlen": 2.0}, "`maxlen` must be a positive integer or None."),
        (RAGGED, {"value": "x"}, "`value` must be a int32. Got 'x'. Text needs `dtype=object`."),
        (RAGGED, {"value": [1, 2]}, "`value` must be one value of dtype int32."),
        (RAGGED, {"dtype": "nonsense"}, "`dtype` must be a dtype of NumPy."),
    ],
)
def test_refusals(sequences, options, message):
    with pytest.raises(ArgumentError) as caught:
        pad_sequences(sequences, **options)
    assert message in str(caught.value)
