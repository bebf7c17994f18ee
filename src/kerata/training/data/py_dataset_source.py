"""Reads a `PyDataset`: in the thread of the loop, or by workers that are some batches ahead."""

from __future__ import annotations

import itertools
import multiprocessing
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from kerata.core.errors import ArgumentError
from kerata.core.state import STATE, setting

from . import shuffling
from .iterables import batch_reader
from .packing import Batch
from .py_dataset import PyDataset
from .source import PassSource
from .weights import ClassWeights


class PyDatasetSource(PassSource):
    """Batches of a `PyDataset`. `shuffle` shuffles the order of batches; a data set without an end keeps its own."""

    def __init__(
        self,
        dataset: PyDataset,
        *,
        steps: int | None,
        shuffle: bool = False,
        seed: int | None = None,
        class_weight: ClassWeights | None = None,
    ) -> None:
        batches = dataset.num_batches
        if batches is None and steps is None:
            fix = "Say how many batches an epoch has: `steps_per_epoch` of `fit`, `steps` of `evaluate` and `predict`."
            raise ArgumentError(
                "x", expected="a PyDataset with an end where no number of steps is given", fix=fix
            )
        if batches is not None and batches < 1:
            raise ArgumentError("x", expected="a PyDataset with at least one batch", got=dataset)
        super().__init__(steps, batches)
        self._dataset, self._batches, self._class_weight = dataset, batches, class_weight
        self._shuffle, self._seed = shuffle, seed
        self._key: int | None = None
        self.slow = not _has_workers(dataset)

    def on_epoch_begin(self) -> None:
        self._dataset.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self._dataset.on_epoch_end()

    def _pass(self, index: int) -> Iterator[Batch]:
        read = batch_reader(self._class_weight)
        for item in _items(self._dataset, self._order(index)):
            yield read(item)

    def _order(self, index: int) -> Iterable[int]:
        # The number of batches may change from one epoch to the next.
        count = self._dataset.num_batches
        if count is None:
            return itertools.count()
        if not self._shuffle:
            return range(count)
        if self._key is None:
            self._key = shuffling.key_of(self._seed)
        return shuffling.permutation(count, self._key, index).tolist()


def _has_workers(dataset: PyDataset) -> bool:
    return dataset.workers > 1 or (dataset.workers > 0 and dataset.use_multiprocessing)


def _items(dataset: PyDataset, order: Iterable[int]) -> Iterator[Any]:
    if not _has_workers(dataset):
        return (dataset[index] for index in order)
    if dataset.use_multiprocessing:
        return _from_processes(dataset, order)
    return _from_threads(dataset, order)


def _from_threads(dataset: PyDataset, order: Iterable[int]) -> Iterator[Any]:
    engine = STATE.engine  # the default engine belongs to a thread

    def make(index: int) -> Any:
        with setting(engine=engine):
            return dataset[index]

    pool = ThreadPoolExecutor(dataset.workers, thread_name_prefix="kerata-data")
    return _ahead(pool, make, order, dataset.max_queue_size)


def _ahead(pool: Executor, make: Callable[[int], Any], order: Iterable[int], limit: int) -> Iterator[Any]:
    """Results in order, with up to `limit` of them under way. Closing the iterator cancels what has not begun."""
    indices = iter(order)
    jobs: deque[Future[Any]] = deque()
    try:
        jobs.extend(pool.submit(make, index) for index in itertools.islice(indices, limit))
        while jobs:
            item = jobs.popleft().result()
            jobs.extend(pool.submit(make, index) for index in itertools.islice(indices, 1))
            yield item
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


# --- Processes --------------------------------------------------------------------------------------------

_dataset: PyDataset | None = None  # in a worker process: its copy


def _keep(dataset: PyDataset) -> None:
    global _dataset
    _dataset = dataset


def _make(index: int) -> Any:
    assert _dataset is not None  # the pool ran `_keep` first
    return _dataset[index]


def _from_processes(dataset: PyDataset, order: Iterable[int]) -> Iterator[Any]:
    # A new pool for each pass: what `on_epoch_end` changed in the data set must reach the copies.
    context = multiprocessing.get_context()
    if context.get_start_method() != "fork":
        _check_picklable(dataset)
    pool = ProcessPoolExecutor(dataset.workers, mp_context=context, initializer=_keep, initargs=(dataset,))
    try:
        yield from _ahead(pool, _make, order, dataset.max_queue_size)
    except BrokenProcessPool:
        fix = (
            'Guard the start of the script with `if __name__ == "__main__":`, see whether memory suffices, or use '
            "threads (`use_multiprocessing=False`)."
        )
        raise ArgumentError(
            "x", expected="a PyDataset whose worker processes live on", got=dataset, fix=fix
        ) from None


def _check_picklable(dataset: PyDataset) -> None:
    try:
        pickle.dumps(dataset)
    except Exception as error:  # whatever the user's class raises
        fix = f"Pickling failed: {error}. Use threads (`use_multiprocessing=False`), or open files in the workers."
        raise ArgumentError(
            "x", expected="picklable to be sent to worker processes", got=dataset, fix=fix
        ) from error
