"""The compiled kernel of draws in host memory, where there is one: `kernel.c`, which `hatch_build.py` compiles.

It gives the bits that NumPy gives, four to five times as fast. Without it NumPy draws.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

LIBRARY = Path(__file__).with_name("kernel.bin")  # no name of a Python module
_COUNT, _WORD, _ADDRESS = ctypes.c_int64, ctypes.c_uint32, ctypes.c_void_p
_MASK = 0xFFFFFFFF
# Of the state (0, 0): the key, the first word of each lane, and the bits of the normal values that these make.
_KEY = (1647766563, -131317010, -148672779, 126675522, -1278616429)
_FIRST_WORDS = (0xE33AAE64, 0xBB43272A, 0xDD59E772, 0x25109731)
_FIRST_VALUES = (0xBE9590F9, 0x3F26AAEC, 0x3E377326, 0xBF462B52)


class Kernel:
    """The functions of a library, on arrays of 32-bit words that are given by their addresses."""

    def __init__(self, path: Path) -> None:
        library = ctypes.CDLL(str(path))
        self._words, self._pairs = library.kerata_words, library.kerata_pairs
        self._words.argtypes = (_COUNT, *(_WORD,) * 5, *(_ADDRESS,) * 4)
        self._pairs.argtypes = (_COUNT, _ADDRESS, _ADDRESS)
        self._words.restype = self._pairs.restype = None

    def words(self, n: int, start: int, key: Sequence[int], lanes: Sequence[int]) -> None:
        """Fills four lanes with the words of `n` blocks; `start` and `key` as in `bits.blocks`."""
        self._words(n, start & _MASK, *(word & _MASK for word in key[1:]), *lanes)

    def pairs(self, n: int, lanes: Sequence[int]) -> None:
        """Turns the words of four lanes, two and two, into normal values in float32, in their place."""
        self._pairs(n, lanes[0], lanes[1])
        self._pairs(n, lanes[2], lanes[3])

    def is_right(self) -> bool:
        """Whether it gives what never changes: a library may be left from other sources, or built badly."""
        values = np.empty((4, 1), np.uint32)
        lanes = tuple(lane.ctypes.data for lane in values)
        self.words(1, _KEY[0], _KEY, lanes)
        words = tuple(values.ravel().tolist())
        self.pairs(1, lanes)
        return (words, tuple(values.ravel().tolist())) == (_FIRST_WORDS, _FIRST_VALUES)


@cache
def load() -> Kernel | None:
    """The kernel, if it was built for this machine."""
    try:
        kernel = Kernel(LIBRARY)
    except (OSError, AttributeError):  # no such file, of another machine, or without the functions
        return None
    return kernel if kernel.is_right() else None
