"""Lowers the learning rate when a value no longer improves."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from kerata.callbacks.callback import Logs
from kerata.callbacks.checks import count
from kerata.callbacks.learning_rate import learning_rate, set_learning_rate
from kerata.callbacks.monitor_callback import MonitorCallback, available
from kerata.core.errors import ArgumentError
from kerata.utils import io


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` when a value has not improved for `patience` epochs.

    The learning rate of each epoch is added to its logs.

    Args:
        monitor: name of the value that is watched.
        factor: what the learning rate is multiplied by; less than 1.
        patience: number of epochs without improvement before it is.
        verbose: 1 prints each new rate.
        mode: "min", "max", or "auto", which knows losses and Kerata's metrics.
        min_delta: the least change that counts as an improvement.
        cooldown: number of epochs after a change that are not judged.
        min_lr: the learning rate does not go below it.

    Raises:
        ArgumentError: for a factor of 1 or more, or if "auto" does not know the value (at the first epoch's end).

    Example:
        >>> import types
        >>> plateau = ReduceLROnPlateau("loss", factor=0.5, patience=1)
        >>> plateau.set_model(types.SimpleNamespace(optimizer=types.SimpleNamespace(learning_rate=0.5)))
        >>> for epoch, loss in enumerate([1.0, 1.0, 1.0]):
        ...     plateau.on_epoch_end(epoch, {"loss": loss})
        >>> plateau.model.optimizer.learning_rate
        0.125
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 0.0001,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        if not factor < 1.0:
            raise ArgumentError(
                "factor", expected="less than 1", got=factor, fix="It lowers the learning rate."
            )
        if kwargs:  # accepted for the sake of older code, but not silently
            warnings.warn(f"ReduceLROnPlateau ignores {', '.join(sorted(kwargs))}.", stacklevel=2)
        self.factor, self.min_lr, self.verbose = factor, min_lr, verbose
        self.patience, self.cooldown = count("patience", patience), count("cooldown", cooldown)
        self.wait = self.cooldown_counter = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.best = None
        self.wait = self.cooldown_counter = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = {} if logs is None else logs
        logs["learning_rate"] = rate = learning_rate(self.model)
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(
                f"Learning rate reduction is conditioned on metric `{self.monitor}` which is not available. "
                f"Available metrics are: {available(logs)}.",
                stacklevel=2,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best, self.wait = current, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch, rate)

    def in_cooldown(self) -> bool:
        """Whether epochs are not judged since the rate has just changed."""
        return self.cooldown_counter > 0

    def _reduce(self, epoch: int, rate: float) -> None:
        # The optimizer keeps the rate in float32, where it may lie a little above or below `min_lr`.
        if np.float32(rate) <= np.float32(self.min_lr):
            return
        rate = max(rate * self.factor, self.min_lr)
        set_learning_rate(self.model, rate)
        if self.verbose > 0:
            io.print_msg(f"Epoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {rate}.")
        self.cooldown_counter, self.wait = self.cooldown, 0
