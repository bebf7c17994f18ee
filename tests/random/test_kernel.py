"""The compiled kernel gives the bits that NumPy gives, and is there where it can be compiled."""

import os
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from kerata.random import bits, gaussian, kernel

MASK = 0xFFFFFFFF
EDGES = np.array([0, 1, 2, 127, 2**30, 2**31 - 1, 2**31, 2**31 + 1, MASK - 1, MASK], np.uint32)


def lanes(space):
    return [lane.copy() for lane in (space.x, space.y, space.z, space.w)]


@pytest.fixture
def compiled():
    found = kernel.load()
    if found is None:
        # A machine without a compiler has no kernel to test; what NumPy draws there is tested by `test_bits.py`.
        assert not _has_compiler(), "there is a C compiler now: install Kerata again (pip install -e .)"
        return None
    return found


def _has_compiler():
    command, *_ = shlex.split(os.environ.get("CC", "cc"))
    return os.name == "posix" and shutil.which(command) is not None


@pytest.mark.parametrize("state", [(0, 0), (7, 3), (MASK, MASK), (2**31, 1)])
@pytest.mark.parametrize("chunks", [1, 3, 128])
def test_words_are_those_of_numpy(compiled, state, chunks):
    key, space = bits.keys(*state), bits.Workspace(chunks)
    for first in (0, 5, 2**24 - 1):
        start = bits.signed(first * bits.LANE * bits.GOLDEN + key[0])
        bits.array_blocks(space, start, key)
        expected = lanes(space)
        for lane in (space.x, space.y, space.z, space.w):
            lane[:] = 0
        bits.blocks(space, start, key)
        np.testing.assert_array_equal(lanes(space), expected)


def test_normal_values_are_those_of_numpy(compiled, monkeypatch):
    """Of half a million pairs of words, and of those at the ends of what words can be."""

    def values(words):
        space = bits.Workspace(128)
        space.take(words.shape[1])
        for lane, given in zip((space.x, space.y, space.z, space.w), words.view(np.int32), strict=True):
            lane[:] = given
        return np.stack(gaussian._pairs(space)).copy()

    ends = np.stack(np.meshgrid(EDGES, EDGES, EDGES[:3], EDGES[:3]))
    ends = np.resize(ends.reshape(4, -1), (4, 4, bits.LANE))
    several = [ends, *(bits.random_bits((3, i), 4 * 128 * bits.LANE).reshape(4, 128, -1) for i in range(4))]
    found = [values(words) for words in several]
    monkeypatch.setattr(kernel, "load", lambda: None)
    for mine, words in zip(found, several, strict=True):
        assert np.isfinite(mine).all()
        np.testing.assert_array_equal(mine.view(np.uint32), values(words).view(np.uint32))


def test_a_library_that_is_missing_or_wrong_is_not_used(compiled, monkeypatch, tmp_path):
    load = kernel.load.__wrapped__
    text = tmp_path / "text.so"
    text.write_text("no library")
    for path in (tmp_path / "missing.so", text, Path(np._core._multiarray_umath.__file__)):
        with monkeypatch.context() as patch:
            patch.setattr(kernel, "LIBRARY", path)
            assert load() is None
    monkeypatch.setattr(kernel, "_FIRST_WORDS", (0, 0, 0, 0))
    assert load() is None
