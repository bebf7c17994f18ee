"""Batches that a user's class makes one by one, in order, by several threads or processes if asked."""

from __future__ import annotations

from typing import Any

from kerata.core.errors import ArgumentError


class PyDataset:
    """Base class of data sets that make each batch on demand: from files, from a database, with augmentation.

    Derive from it and define `__getitem__` (batch number to batch) and `__len__` (number of batches). A batch is `x`,
    `(x, y)` or `(x, y, sample_weight)`, each an array or a nested structure of arrays. `fit`, `evaluate` and `predict`
    take such an object as `x`. For data without an end define `num_batches = None` instead of `__len__`, and say
    how many batches an epoch has (`steps_per_epoch`); batch numbers then go on from epoch to epoch.

    Args:
        workers: how many threads or processes make batches ahead of time. With 1 and no processes, a batch is made
            when it is needed. The order of batches is kept in any case.
        use_multiprocessing: whether the workers are processes. They get a copy of the data set when a pass through
            it begins, and are started by the method that `multiprocessing.set_start_method` chooses; where that is
            not "fork", the data set must be picklable and the script must guard its start with
            `if __name__ == "__main__":`.
        max_queue_size: how many batches may be made ahead.

    Example:
        >>> import numpy as np
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         x = np.arange(4.0).reshape(4, 1) + 4 * index
        ...         return x, x**2
        >>> Squares(workers=2).num_batches
        3
    """

    # So that a subclass may leave out `super().__init__()`.
    _workers: int = 1
    _use_multiprocessing: bool = False
    _max_queue_size: int = 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    @property
    def workers(self) -> int:
        """How many threads or processes make batches."""
        return self._workers

    @workers.setter
    def workers(self, value: int) -> None:
        self._workers = _count("workers", value, least=0)

    @property
    def use_multiprocessing(self) -> bool:
        """Whether the workers are processes."""
        return self._use_multiprocessing

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        self._use_multiprocessing = bool(value)

    @property
    def max_queue_size(self) -> int:
        """How many batches may be made ahead."""
        return self._max_queue_size

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        self._max_queue_size = _count("max_queue_size", value, least=1)

    @property
    def num_batches(self) -> int | None:
        """Number of batches in the data set: `len(self)`. Define it as None for data without an end."""
        if not hasattr(type(self), "__len__"):
            name = type(self).__name__
            fix = f"Define `{name}.__len__`, or `num_batches = None` for data without an end."
            raise ArgumentError(
                "x", expected="a PyDataset that knows its number of batches", got=self, fix=fix
            )
        return len(self)  # type: ignore[arg-type]  # asked for one line above

    def __getitem__(self, index: int) -> Any:
        """Batch number `index`."""
        name = type(self).__name__
        raise ArgumentError(
            "x", expected="a PyDataset that makes batches", got=self, fix=f"Define `{name}.__getitem__`."
        )

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch; the place to reorder samples."""


def _count(argument: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ArgumentError(argument, expected=f"an integer of at least {least}", got=value)
    return value
