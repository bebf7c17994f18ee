"""What the training loop reads: epochs of batches, whatever they are made from."""

from __future__ import annotations

import abc
import warnings
from collections.abc import Iterator
from typing import Any

from .packing import Batch


class BatchSource(abc.ABC):
    """Batches `(x, y, sample_weight)`, epoch by epoch; None stands for targets or weights that are absent.

    Attributes:
        steps_per_epoch: batches in an epoch, or None where only the end of the data tells.
        samples: rows in the data, or None where they are not known.
        batch_size: rows in a batch (the last one may hold fewer), or None where the source decides.
        slow: whether code of the user makes the batches, so that reading ahead in a thread may pay (`prefetched`).
        exhausted: whether no further epoch can be read. Only an iterator ends so; a loop should stop then.
    """

    steps_per_epoch: int | None
    samples: int | None = None
    batch_size: int | None = None
    slow: bool = False
    exhausted: bool = False

    @property
    def only_batch(self) -> Batch | None:
        """The batch, where every epoch is one batch in the given order: nothing needs to be iterated then."""
        return None

    @property
    def first_batch(self) -> Batch | None:
        """A batch such as the first one, where looking at it reads nothing and changes nothing."""
        return None

    @abc.abstractmethod
    def epoch(self, index: int) -> Iterator[Batch]:
        """The batches of one epoch. `index` counts from 0 and chooses the order where the data are shuffled."""

    def rewind(self) -> None:
        """Lets the next epoch begin with the first batch, where the data can be gone through again."""

    def on_epoch_begin(self) -> None:
        """To be called before an epoch is read."""

    def on_epoch_end(self) -> None:
        """To be called after an epoch was read."""

    def close(self) -> None:
        """Ends the threads and processes that read ahead. The source can be read again afterwards."""

    def warn_dry(self, step: int = 0) -> None:
        """Warns that an epoch ends after so many steps, or cannot begin, for want of data."""
        told = f" after {step} of {self.steps_per_epoch} steps of an epoch" if self.steps_per_epoch else ""
        warnings.warn(
            f"The data ran out{told}. Provide enough batches for all steps of all epochs, or ask for fewer of them.",
            stacklevel=4,
        )


class PassSource(BatchSource):
    """A source that can go through its data again and again.

    An epoch is one such pass, unless `steps` asks for another number of batches: then a pass goes on where the last
    epoch stopped, and a new one starts when it has ended.
    """

    def __init__(self, steps: int | None, batches: int | None) -> None:
        self.steps_per_epoch = batches if steps is None else steps
        self._one_pass = steps is None or steps == batches
        self._running: Iterator[Batch] | None = None

    @abc.abstractmethod
    def _pass(self, index: int) -> Iterator[Batch]:
        """A new way through the data; `index` is the epoch in which it starts."""

    def epoch(self, index: int) -> Iterator[Batch]:
        if not self._one_pass:
            return self._some_steps(index)
        self._stop_pass()
        self._running = self._pass(index)
        return self._running

    def rewind(self) -> None:
        self._stop_pass()

    def close(self) -> None:
        self._stop_pass()

    def _stop_pass(self) -> None:
        stop: Any = getattr(self._running, "close", None)
        self._running = None
        if stop is not None:
            stop()

    def _some_steps(self, index: int) -> Iterator[Batch]:
        for step in range(self.steps_per_epoch or 0):
            batch = self._next(index, first=step == 0)
            if batch is None:
                self.warn_dry(step)
                return
            yield batch

    def _next(self, index: int, first: bool) -> Batch | None:
        """The next batch of the running pass. Between two epochs, a pass that has ended makes way for a new one."""
        batch = None if self._running is None else next(self._running, None)
        if batch is None and first:
            self._running = self._pass(index)
            batch = next(self._running, None)
        if batch is None:
            self._running = None
        return batch
