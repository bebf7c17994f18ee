"""Checks of arguments that several callbacks take, and one clock that two of them share."""

from __future__ import annotations

from typing import Any

from kerata.core import checks


def count(argument: str, value: Any, least: int = 0) -> int:
    """An integer of at least `least`."""
    return checks.at_least(argument, value, least)


def save_frequency(value: Any) -> Any:
    """ "epoch", or a number of batches."""
    if value == "epoch":
        return value
    return checks.at_least("save_freq", value, 1, '"epoch" or a positive number of batches')


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
