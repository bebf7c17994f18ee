"""Stops training when a value no longer improves."""

from __future__ import annotations

import warnings
from typing import Any

from kerata.callbacks.callback import Logs
from kerata.callbacks.checks import count
from kerata.callbacks.monitor_callback import MonitorCallback, available
from kerata.utils import io


class EarlyStopping(MonitorCallback):
    """Stops training when a value has not improved for `patience` epochs.

    Args:
        monitor: name of the value that is watched.
        min_delta: the least change that counts as an improvement.
        patience: number of epochs without improvement after which training stops.
        verbose: 1 prints when training stops and which weights are restored.
        mode: "min", "max", or "auto", which knows losses and Kerata's metrics.
        baseline: a value that has to be beaten before epochs are forgiven.
        restore_best_weights: whether the model gets the weights of its best epoch back at the end of training,
            however it ends; otherwise it keeps those of the last step.
        start_from_epoch: number of epochs at the start that are not judged.

    Attributes:
        best: the best value.
        best_epoch: its epoch, counted from 0.
        stopped_epoch: the epoch after which training was stopped; 0 if it was not.
        wait: number of epochs since the last improvement.

    Raises:
        ArgumentError: for a negative patience, or if "auto" does not know the value (at the first epoch's end).

    Example:
        >>> import types
        >>> stop = EarlyStopping("loss", patience=1)
        >>> stop.set_model(types.SimpleNamespace(stop_training=False)); stop.on_train_begin()
        >>> for epoch, loss in enumerate([1.0, 0.5, 0.7]):
        ...     stop.on_epoch_end(epoch, {"loss": loss})
        >>> stop.model.stop_training, stop.best, stop.stopped_epoch
        (True, 0.5, 2)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = count("patience", patience)
        self.verbose, self.baseline = verbose, baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = count("start_from_epoch", start_from_epoch)
        self.best_weights: list[Any] | None = None
        self.best_epoch = self.stopped_epoch = self.wait = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.best, self.best_weights = None, None
        self.best_epoch = self.stopped_epoch = self.wait = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._set_monitor_op()
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.stopped_epoch > 0 and self.verbose:
            io.print_msg(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is None:
            return
        if self.verbose:
            io.print_msg(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
        self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: Logs | None) -> Any:
        """The watched value; None, with a warning, if the logs do not have it."""
        logs = logs or {}
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"Early stopping conditioned on metric `{self.monitor}` which is not available. "
                f"Available metrics are: {available(logs)}",
                stacklevel=2,
            )
        return value
