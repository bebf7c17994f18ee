"""Reading ahead in a thread, for sources whose batches take time to make."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from typing import Any

from kerata.core.errors import ArgumentError
from kerata.core.state import STATE, setting

from .packing import Batch
from .source import BatchSource

_END = object()
_POLL_S = 0.1  # how often a thread that waits for room looks whether anybody still reads


def prefetched(source: BatchSource, depth: int = 2) -> BatchSource:
    """`source`, read up to `depth` batches ahead by a thread of its own.

    Order is kept, errors come out where the batch would have, and the thread ends with the epoch, or when the reader
    stops early. Pays where a batch takes longer to make than to train on (`source.slow` says which may); cutting
    arrays is faster without.

    Raises:
        ArgumentError: if `depth` is no positive integer.
    """
    if isinstance(depth, bool) or not isinstance(depth, int) or depth < 1:
        raise ArgumentError("depth", expected="a positive integer", got=depth)
    return PrefetchedSource(source, depth)


class PrefetchedSource(BatchSource):
    """A source that reads another one in a thread."""

    def __init__(self, source: BatchSource, depth: int) -> None:
        self._source, self._depth = source, depth
        self.steps_per_epoch, self.samples, self.batch_size = (
            source.steps_per_epoch,
            source.samples,
            source.batch_size,
        )
        self._running: Generator[Batch, None, None] | None = None

    @property
    def only_batch(self) -> Batch | None:
        return self._source.only_batch

    @property
    def first_batch(self) -> Batch | None:
        return self._source.first_batch

    def on_epoch_begin(self) -> None:
        self._source.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self._source.on_epoch_end()

    def epoch(self, index: int) -> Iterator[Batch]:
        self._stop()
        self._running = self._read(index)
        return self._running

    def rewind(self) -> None:
        self._stop()
        self._source.rewind()

    def close(self) -> None:
        self._stop()
        self._source.close()

    def _stop(self) -> None:
        if self._running is not None:
            self._running.close()
            self._running = None

    def _read(self, index: int) -> Generator[Batch, None, None]:
        ahead: queue.Queue[Any] = queue.Queue(self._depth)
        stop = threading.Event()
        job = (self._source, index, ahead, stop, STATE.engine)
        thread = threading.Thread(target=_read_ahead, args=job, name="kerata-prefetch", daemon=True)
        thread.start()
        try:
            while (item := ahead.get()) is not _END:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            stop.set()
            thread.join()
            self.exhausted = self._source.exhausted


def _read_ahead(
    source: BatchSource, index: int, ahead: queue.Queue[Any], stop: threading.Event, engine: Any
) -> None:
    with setting(engine=engine):  # the default engine belongs to a thread
        try:
            for batch in source.epoch(index):
                if not _put(ahead, batch, stop):
                    return
            _put(ahead, _END, stop)
        except BaseException as error:  # raised again where the batch was waited for
            _put(ahead, error, stop)


def _put(ahead: queue.Queue[Any], item: Any, stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            ahead.put(item, timeout=_POLL_S)
            return True
        except queue.Full:
            continue
    return False
