"""Sets the learning rate of each epoch."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from kerata.callbacks.callback import Callback, Logs
from kerata.callbacks.learning_rate import learning_rate, set_learning_rate
from kerata.core.errors import ArgumentError
from kerata.utils import io


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch, and adds it to the epoch's logs.

    Args:
        schedule: `schedule(epoch, learning_rate)`, or `schedule(epoch)`, that gives the new rate as a float.
            Epochs are counted from 0.
        verbose: 1 prints each new rate.

    Raises:
        ArgumentError: if `schedule` cannot be called so, or gives anything but a float.

    Example:
        >>> import types
        >>> halve = LearningRateScheduler(lambda epoch, rate: rate / 2)
        >>> halve.set_model(types.SimpleNamespace(optimizer=types.SimpleNamespace(learning_rate=0.5)))
        >>> halve.on_epoch_begin(0); halve.model.optimizer.learning_rate
        0.25
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise ArgumentError("schedule", expected="a function of epoch and learning rate", got=schedule)
        self.schedule, self.verbose = schedule, verbose
        self._takes_rate = _takes_two(schedule)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        before = learning_rate(self.model)
        rate: Any = self.schedule(epoch, before) if self._takes_rate else self.schedule(epoch)
        if not isinstance(rate, (float, np.floating)) or math.isnan(rate):
            raise ArgumentError("schedule", expected="a function that gives a float", got=rate)
        set_learning_rate(self.model, float(rate))
        if self.verbose > 0:
            io.print_msg(f"Epoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["learning_rate"] = learning_rate(self.model)


def _takes_two(schedule: Callable[..., float]) -> bool:
    # Asked of the signature: trying and catching a TypeError would hide one that the function itself raises.
    try:
        signature = inspect.signature(schedule)
    except (TypeError, ValueError):  # some builtins have none
        return True
    for arguments in ((0, 0.1), (0,)):
        try:
            signature.bind(*arguments)
        except TypeError:
            continue
        return len(arguments) == 2
    raise ArgumentError("schedule", expected="a function of epoch and learning rate", got=schedule)
