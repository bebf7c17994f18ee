"""The order of samples in an epoch: the same on every engine, machine and version of NumPy.

A permutation of n samples is the order that sorts n random 32-bit words, ties by index (two words are equal once in
2**32 pairs). The words are those of the portable generator for the state (key, epoch). The key is drawn once for each
call of `fit` from the stream that `kerata.utils.set_random_seed` seeds, so a run that is resumed at some epoch sees
the order that it would have seen.
"""

from __future__ import annotations

import numpy as np

from kerata.core.errors import ArgumentError
from kerata.random import host

_INDEX_BITS = np.uint64(32)
_INDEX_MASK = np.uint64(0xFFFFFFFF)


def key_of(seed: int | None) -> int:
    """The 32-bit key that a seed is; None draws one from the global stream."""
    if seed is None:
        return host.draw_seed()
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 1 << 32:
        raise ArgumentError("seed", expected="None or an integer of 32 bits, 0 or more", got=seed)
    return int(seed)


def permutation(count: int, key: int, epoch: int) -> np.ndarray:
    """The numbers 0 to `count - 1` in the order of this epoch, as `intp`."""
    words = host.words(count, key, epoch)
    if count >= 1 << 32:
        return np.argsort(words, kind="stable")
    # The index rides in the low half of the numbers that are sorted: what comes out is the stable argsort of the words,
    # in an eighth of its time (0.14 against 1.06 ms for 12,800 samples), since plain numbers sort with vector units.
    pairs = words.astype(np.uint64)
    pairs <<= _INDEX_BITS
    pairs |= np.arange(count, dtype=np.uint64)
    pairs.sort()
    pairs &= _INDEX_MASK
    return pairs.astype(np.intp)
