"""Checks of arguments that several callbacks take, and one clock that two of them share."""

from __future__ import annotations

from typing import Any

from kerata.core.errors import ArgumentError


def count(argument: str, value: Any, least: int = 0) -> int:
    """An integer of at least `least`."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise ArgumentError(argument, expected=f"an integer of {least} or more", got=value)
    return int(value)


def save_frequency(value: Any) -> Any:
    """ "epoch", or a number of batches."""
    if value == "epoch":
        return value
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
        raise ArgumentError("save_freq", expected='"epoch" or a positive number of batches', got=value)
    return int(value)


class BatchClock:
    """Says after every `period` batches, across epochs, that it is time.

    Several batches may pass between two calls, as in compiled loops of many steps.
    """

    def __init__(self, period: Any) -> None:
        self.period = period
        self.since_last, self.last_batch = 0, -1

    def is_time(self, batch: int) -> bool:
        """Notes that `batch` (counted from 0 in each epoch) is done."""
        if self.period == "epoch":
            return False
        new_epoch = batch <= self.last_batch
        self.since_last += batch + 1 if new_epoch else batch - self.last_batch
        self.last_batch = batch
        if self.since_last < self.period:
            return False
        self.since_last = 0
        return True
