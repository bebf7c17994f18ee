"""The portable generator, and its reference in NumPy.

All engines give the same random bits, because they are made of nothing but 32-bit multiply, add, xor, and and shift,
which wrap and round in the same way everywhere. This file is the definition; `stream.py` says the same with Kerata's
ops, for compiled code and accelerators.

**Layout.** A draw is a function of a state (seed, counter), two words of 32 bits, and of a place `i`, and of nothing
else: a longer draw begins with a shorter one, and a shape is filled in row-major order. The places of a draw are cut
into chunks of 1,024, and these into four lanes of 256. Word `i` is lane `(i >> 8) & 3` of the block that is numbered
`(i >> 10) * 256 + (i & 255)`. Neighbouring places are thus neighbouring blocks of one lane: everything is done on
contiguous arrays. A draw has at most 2**34 words.

**Keys.** Five words `k_j = mix(mix(seed + s_j) ^ counter)`, where `mix` is the hash triple32, a bijection, and the
`s_j` are digits of pi. So seeds 0, 1, 2 ... and counters 0, 1, 2 ... give unrelated keys.

**Block.** The number of the block is multiplied by the golden ratio and mixed (lowbias32, with keys between its
rounds); three multiplications spread the result over four lanes; and the lanes are mixed with each other by the
products of pcg4d. A lane is shifted into itself by `v + (v >> n)` with an arithmetic shift, where an xor would need a
mask after it. Eight and a half operations per word.

pcg4d itself, run on a counter in one of its lanes, fails SmallCrush; see `benchmarks/random_battery.md` for what this
generator passes. It is not meant for cryptography.

Sources: J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011 (counter-based generators);
M. Jarzynski and M. Olano, "Hash Functions for GPU Rendering", JCGT 9(3), 2020 (pcg4d); C. Wellons, "hash-prospector",
2018-2022 (triple32, lowbias32, found by search and placed in the public domain).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from . import kernel

LANE = 256  # places of a lane in a chunk
CHUNK = 4 * LANE
ROWS = 128  # chunks worked on at once: the temporaries, 1.3 MB, stay in the second-level cache
AHEAD = 16 * CHUNK  # draws up to this size are foreseen

SALTS = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822)
FAMILY_SALTS = (0x299F31D0, 0x082EFA98)
TRIPLE32 = ((17, 0xED5AD4BB), (11, 0xAC4C1B51), (15, 0x31848BAB), (14, 1))
GOLDEN = 0x9E3779B9
LOWBIAS32 = ((16, 0x21F0AAAD), (15, 0xD35A2D97), (15, 1))
SPREAD = (0xED5AD4BB, 0xAC4C1B51, 0x31848BAB)
FOLDS = (15, 17, 14)

_MASK = 0xFFFFFFFF
Array = np.ndarray
# Turns the words of four lanes into what is kept of them; may use the scratch space.
Finish = Callable[["Workspace"], tuple[Array, ...]]


def signed(x: int) -> int:
    """A 32-bit pattern as the int32 that has it."""
    x &= _MASK
    return x - (1 << 32) if x >> 31 else x


# Constants as arrays without axes: of a number, NumPy makes such an array at each call, in half a microsecond.


@lru_cache(maxsize=256)
def int32(value: int) -> Array:
    return np.array(value, np.int32)


@lru_cache(maxsize=256)
def uint32(value: int) -> Array:
    return np.array(value, np.uint32)


@lru_cache(maxsize=256)
def float32(value: float) -> Array:
    return np.array(value, np.float32)


def mix(x: int) -> int:
    """The hash triple32 of a 32-bit number."""
    for shift, factor in TRIPLE32:
        x = ((x ^ (x >> shift)) * factor) & _MASK
    return x


@lru_cache(maxsize=4096)
def _seed_words(seed: int) -> tuple[int, ...]:
    return tuple(mix((seed + salt) & _MASK) for salt in SALTS)


def keys(seed: int, counter: int) -> tuple[int, ...]:
    """The five key words of a state, as int32 values."""
    return tuple(signed(mix(word ^ counter)) for word in _seed_words(seed))


class Workspace:
    """Temporaries of a draw, reused from draw to draw: fresh memory costs more than the arithmetic."""

    def __init__(self, rows: int) -> None:
        shape = (rows, LANE)
        self._numbers = np.arange(rows * LANE, dtype=np.int32).reshape(shape) * np.int32(signed(GOLDEN))
        self._spare = [np.empty(shape, np.int32) for _ in range(10)]
        self.addresses = tuple(lane.ctypes.data for lane in self._spare[:4])  # of the four lanes
        self.take(rows)

    def take(self, rows: int) -> None:
        """Makes the views for a number of rows."""
        self.numbers = self._numbers[:rows]
        self.x, self.y, self.z, self.w, *self.scratch = (a[:rows] for a in self._spare)


_local = threading.local()


def _workspace(rows: int) -> Workspace:
    """This thread's, for one row or for many."""
    name = "one" if rows <= 1 else "many"
    space = _local.__dict__.get(name)
    if space is None:
        space = _local.__dict__[name] = Workspace(1 if rows <= 1 else ROWS)
    return space


def blocks(space: Workspace, start: int, key: Sequence[int]) -> None:
    """Fills the four lanes of a workspace, by the kernel or by NumPy.

    Args:
        space: its `numbers` are those of the blocks, times GOLDEN.
        start: what is added to them: the first key word, and the number of the first block times GOLDEN.
        key: key words.
    """
    compiled = kernel.load()
    if compiled:
        compiled.words(space.x.size, start, key, space.addresses)
    else:
        array_blocks(space, start, key)


def array_blocks(space: Workspace, start: Any, key: Sequence[Any]) -> None:
    """The same by NumPy; key words may also be int32 arrays that broadcast (many states at once)."""
    x, y, z, w, t = space.x, space.y, space.z, space.w, space.scratch[0]
    start, *key = (np.asarray(word, np.int32) for word in (start, *key))
    np.add(space.numbers, start, out=x)
    for i, (shift, factor) in enumerate(LOWBIAS32):
        np.right_shift(x, int32(shift), out=t)
        np.bitwise_and(t, int32((1 << (32 - shift)) - 1), out=t)
        np.bitwise_xor(x, t, out=x)
        if factor != 1:
            np.multiply(x, int32(signed(factor)), out=x)
        if i == 0:
            np.add(x, key[1], out=x)
    for lane, factor, shift, k in zip((y, z, w), SPREAD, FOLDS, key[2:], strict=True):
        np.multiply(x, int32(signed(factor)), out=lane)
        np.add(lane, k, out=lane)
        np.right_shift(lane, int32(shift), out=t)
        np.add(lane, t, out=lane)
    for a, b, c in ((x, y, w), (y, z, x), (z, x, y), (w, y, z)):
        np.multiply(b, c, out=t)
        np.add(a, t, out=a)


def draw(state: tuple[int, int], n: int, dtype: Any, finish: Finish) -> Array:
    """`n` values made from random words.

    Args:
        state: seed and counter.
        n: how many values.
        dtype: dtype of the values.
        finish: makes the four lanes of values from the words in a workspace, which it may overwrite.
    """
    chunks = -(-n // CHUNK)
    space = _workspace(chunks)
    if n <= AHEAD:
        _fill(space, state, n, max(chunks, 1))
        if n <= LANE:
            return finish(space)[0][0, :n].astype(dtype)
        lanes = finish(space)
        return np.concatenate(lanes, axis=1, dtype=dtype, casting="unsafe").reshape(-1)[:n]
    key = keys(*state)
    out = _aligned(chunks * CHUNK, dtype).reshape(chunks, 4, LANE)
    for start in range(0, chunks, ROWS):
        stop = min(start + ROWS, chunks)
        space.take(stop - start)
        blocks(space, signed(start * LANE * GOLDEN + key[0]), key)
        for lane, values in enumerate(finish(space)):
            out[start:stop, lane] = values
    return out.reshape(-1)[:n]


def _aligned(n: int, dtype: Any) -> Array:
    """Memory such as engines take over without a copy: it begins at a multiple of 64 bytes."""
    size = n * np.dtype(dtype).itemsize
    memory = np.empty(size + 64, np.uint8)
    first = -memory.ctypes.data % 64
    return memory[first : first + size].view(dtype)


# ---- short draws that follow each other -----------------------------------------------------------
#
# A call of NumPy costs a microsecond whatever it does, and a draw takes forty. Where a stream draws the same number of
# words again and again, as dropout does, the words of the next draws are made together with those of this one.


class _Ahead:
    """This thread's words of draws to come, by seed and number of words."""

    def __init__(self) -> None:
        self.last: dict[tuple[int, int], int] = {}  # the counter of the last draw
        # First counter, words (lane, draw, chunk, place).
        self.made: dict[tuple[int, int], tuple[int, Array]] = {}

    def find(self, state: tuple[int, int], n: int, chunks: int) -> Array | None:
        """The words of a draw, (lane, chunk, place), if it was foreseen or follows another one."""
        seed, counter = state
        place = seed, n
        made = self.made.get(place)
        if made is not None and 0 <= counter - made[0] < made[1].shape[1]:
            return made[1][:, counter - made[0]]
        follows = self.last.get(place) == counter - 1
        if len(self.last) >= _STREAMS:
            self.last.clear()
        self.last[place] = counter + (_FORESEEN // chunks) - 1 if follows else counter
        if not follows:
            return None
        if len(self.made) >= _STREAMS:
            self.made.clear()
        words = _many(seed, counter, _FORESEEN // chunks, chunks)
        self.made[place] = counter, words
        return words[:, 0]


_STREAMS, _FORESEEN = 32, 64  # streams, and chunks of each: 256 KiB


def _fill(space: Workspace, state: tuple[int, int], n: int, chunks: int) -> None:
    ahead = _local.__dict__.get("ahead")
    if ahead is None:
        ahead = _local.ahead = _Ahead()
    # May use the workspace. The kernel takes as long for a draw as for finding it.
    words = None if kernel.load() else ahead.find(state, n, chunks)
    space.take(chunks)
    if words is None:
        key = keys(*state)
        blocks(space, key[0], key)
    else:
        for lane, values in zip((space.x, space.y, space.z, space.w), words, strict=True):
            np.copyto(lane, values)


def _many(seed: int, counter: int, draws: int, chunks: int) -> Array:
    """Words of draws with counters from `counter` on: (lane, draw, chunk, place)."""
    counters = np.arange(draws, dtype=np.uint32) + np.uint32(counter)
    hashed = np.array(_seed_words(seed), np.uint32)[:, None] ^ counters
    for shift, factor in TRIPLE32:
        hashed = (hashed ^ (hashed >> np.uint32(shift))) * np.uint32(factor)
    key = [np.repeat(row, chunks)[:, None] for row in hashed.view(np.int32)]
    starts = np.tile(np.arange(chunks, dtype=np.int32) * np.int32(signed(LANE * GOLDEN)), draws)[:, None]
    space = _workspace(ROWS)
    space.take(draws * chunks)
    space.numbers = space.numbers[:1]
    array_blocks(space, key[0] + starts, key)
    return np.stack((space.x, space.y, space.z, space.w)).reshape(4, draws, chunks, LANE)


def _words(space: Workspace) -> tuple[Array, ...]:
    return space.x, space.y, space.z, space.w


def random_bits(state: tuple[int, int], n: int) -> Array:
    """`n` independent words of 32 random bits, as uint32.

    Example:
        >>> random_bits((0, 0), 3).dtype
        dtype('uint32')
    """
    return draw(state, n, np.int32, _words).view(np.uint32)
