"""Batches cut from arrays in memory (or mapped into it)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any, Literal

import numpy as np

from kerata.core.errors import ArgumentError

from . import shuffling
from .packing import Batch
from .source import PassSource
from .structure import Rows, bytes_per_sample, count_samples, rows_of, taken_from

Shuffle = bool | Literal["batch"]

DEFAULT_BATCH_SIZE = 32
# Small batches are gathered many at a time and handed out as views: 0.9 instead of 1.8 µs for 32 rows of 32 floats.
# Beyond this size the copies leave the cache and cost more than the calls that they save.
_GATHERED_BYTES = 128 * 1024


class ArraySource(PassSource):
    """Batches of nested structures of NumPy arrays.

    In the given order, batches are views of the arrays and cost no copy. Shuffled, each is a copy of its rows.
    `shuffle="batch"` keeps the rows of a batch together, as views, and shuffles the order of batches; a smaller last
    batch stays last.

    Raises:
        ArgumentError: if there are no samples, or arrays differ in length.
    """

    samples: int
    batch_size: int

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        batch_size: int | None = None,
        steps: int | None = None,
        shuffle: Shuffle = False,
        drop_last: bool = False,
        seed: int | None = None,
    ) -> None:
        self.samples = samples = count_samples(x, y, sample_weight)
        self.batch_size = size = _batch_size(samples, batch_size, steps)
        full, rest = divmod(samples, size)
        if drop_last and not full:
            raise ArgumentError("batch_size", expected=f"at most the {samples} samples", got=size)
        self._batches = full if drop_last or not rest else full + 1
        self._rows = full * size if drop_last else samples
        self._data = (x, y, sample_weight)
        self._shuffle, self._seed = shuffle, seed
        self._key: int | None = None
        super().__init__(steps, self._batches)

    @property
    def only_batch(self) -> Batch | None:
        if self._batches != 1 or not self._one_pass or self._shuffle is True:
            return None
        if all(part is None or type(part) is np.ndarray for part in self._data):
            return self._data
        return next(self._in_order())

    @property
    def first_batch(self) -> Batch:
        return next(self._in_order())

    def _pass(self, index: int) -> Iterator[Batch]:
        if self._shuffle is False:
            return self._in_order()
        return self._batches_shuffled(index) if self._shuffle == "batch" else self._rows_shuffled(index)

    def _order(self, count: int, index: int) -> np.ndarray:
        if self._key is None:
            self._key = shuffling.key_of(self._seed)
        return shuffling.permutation(count, self._key, index)

    def _in_order(self) -> Iterator[Batch]:
        return _cut(self._data, self.batch_size, self._rows)

    def _rows_shuffled(self, index: int) -> Iterator[Batch]:
        order = self._order(self.samples, index)[: self._rows]
        block = max(1, _GATHERED_BYTES // max(1, self.batch_size * bytes_per_sample(*self._data)))
        if block == 1:
            return _zipped(self._data, taken_from, lambda: _pieces(order, self.batch_size))
        return self._gathered(order, block)

    def _gathered(self, order: np.ndarray, block: int) -> Iterator[Batch]:
        """Batches as views of `block` batches that are gathered at once."""
        size, count = self.batch_size, self.batch_size * block
        pieces = _zipped(self._data, taken_from, lambda: _pieces(order, count))
        for start, gathered in zip(range(0, len(order), count), pieces):
            yield from _cut(gathered, size, min(count, len(order) - start))

    def _batches_shuffled(self, index: int) -> Iterator[Batch]:
        size = self.batch_size
        full, rest = divmod(self._rows, size)
        starts = (self._order(full, index) * size).tolist() + [full * size] * bool(rest)
        return _zipped(self._data, rows_of, lambda: (slice(start, start + size) for start in starts))


def _cut(data: Batch, size: int, rows: int) -> Iterator[Batch]:
    """The first `rows` rows in consecutive batches, as views."""
    stops = range(size, rows + size, size)
    return _zipped(data, rows_of, lambda: map(slice, range(0, rows, size), stops))


def _pieces(order: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (order[start : start + size] for start in range(0, len(order), size))


def _zipped(data: Batch, rows: Callable[[Any], Rows], pieces: Callable[[], Iterator[Any]]) -> Iterator[Batch]:
    """For each piece (a slice or an index array), its rows of `x`, `y` and `sample_weight`.

    The loop over batches runs inside `zip` and `map`, so that plain arrays cost no Python per batch.
    """
    x, y, weights = (repeat(None) if part is None else map(rows(part), pieces()) for part in data)
    return zip(x, y, weights)


def _batch_size(samples: int, batch_size: int | None, steps: int | None) -> int:
    """Rows in a batch; where only a number of steps is given, as many as fill that number."""
    if batch_size is not None:
        return batch_size
    return DEFAULT_BATCH_SIZE if steps is None else -(-samples // steps)
