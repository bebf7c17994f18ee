"""Saves the model, or its weights, while it trains."""

from __future__ import annotations

import os
import warnings
from typing import Any

from kerata.callbacks.callback import Logs, overrides
from kerata.callbacks.checks import BatchClock, save_frequency
from kerata.callbacks.monitor_callback import MonitorCallback, available, is_scalar
from kerata.core.errors import ArgumentError
from kerata.utils import io


class ModelCheckpoint(MonitorCallback):
    """Saves the model after epochs, or after a number of batches.

    A file is replaced at once when the new one is complete: a crash leaves the old one or the new one.

    Args:
        filepath: where to, ending in ".keras" (".h5" for the legacy format), or in ".weights.h5" with
            `save_weights_only`. `{epoch}`, `{batch}` (both counted from 1) and the names of the logs are filled
            in, as in "model-{epoch:02d}-{val_loss:.3f}.keras". Missing folders are made.
        monitor: name of the value that decides what is best.
        verbose: 1 prints what is saved and why.
        save_best_only: whether to save only when the value improves.
        save_weights_only: whether to save weights instead of the whole model.
        mode: "min", "max", or "auto", which knows losses and Kerata's metrics.
        save_freq: "epoch", or a number of batches, counted across epochs.
        initial_value_threshold: the value that has to be beaten before the first save.

    Raises:
        ArgumentError: for a path with another ending, a name in it that the logs do not have, or a `save_freq`
            that is no positive number.

    Example:
        >>> checkpoint = ModelCheckpoint("best.keras", save_best_only=True)
        >>> checkpoint.monitor
        'val_loss'
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose, self.save_best_only = verbose, save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_frequency(save_freq)
        self._clock = BatchClock(self.save_freq)
        self._epoch = 0
        endings = (".weights.h5",) if save_weights_only else (".keras", ".h5")
        if not self.filepath.endswith(endings):
            raise ArgumentError(
                "filepath",
                expected=f'a path that ends in "{endings[0]}"',
                got=self.filepath,
                fix="With `save_weights_only=True` it names a weights file." if save_weights_only else None,
            )

    def idle_hooks(self) -> frozenset[str]:
        idle = self.save_freq == "epoch" and not overrides(self, "on_train_batch_end", ModelCheckpoint)
        return frozenset({"on_train_batch_end"}) if idle else frozenset()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self._clock.is_time(batch):
            self._save(self._epoch, batch, {} if logs is None else logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, None, {} if logs is None else logs)

    def _save(self, epoch: int, batch: int | None, logs: Logs) -> None:
        path = self._path(epoch, batch, logs)
        reason = self._reason(epoch, logs)
        if reason is None:
            return
        if self.verbose > 0:
            io.print_msg(f"Epoch {epoch + 1}: {reason}saving model to {path}")
        if folder := os.path.dirname(path):
            os.makedirs(folder, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        if self.verbose > 0:
            io.print_msg(f"Epoch {epoch + 1}: finished saving model to {path}")

    def _reason(self, epoch: int, logs: Logs) -> str | None:
        """The beginning of the message, if there is a reason to save; else None."""
        if not self.save_best_only:
            return ""
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(
                f"Can save best model only with {self.monitor} available, so the model is saved each time. "
                f"Available metrics are: {available(logs)}.",
                stacklevel=4,
            )
            return ""
        if not is_scalar(current):
            warnings.warn(
                f"Can save best model only when `monitor` is a scalar value. Received: {current}. "
                "Falling back to `save_best_only=False`.",
                stacklevel=4,
            )
            return ""
        before = "None" if self.best is None else f"{self.best:.5f}"
        if not self._is_improvement(current, self.best):
            if self.verbose > 0:
                io.print_msg(f"Epoch {epoch + 1}: {self.monitor} did not improve from {before}")
            return None
        self.best = current
        return f"{self.monitor} improved from {before} to {current:.5f}, "

    def _path(self, epoch: int, batch: int | None, logs: Logs) -> str:
        if "{" not in self.filepath:
            return self.filepath  # and the logs are not read from the device
        names: dict[str, Any] = {"epoch": epoch + 1, **logs}
        if batch is not None:
            names["batch"] = batch + 1
        try:
            return self.filepath.format(**names)
        except (KeyError, IndexError, ValueError) as error:
            raise ArgumentError(
                "filepath",
                expected=f"made of names among {', '.join(names)}",
                got=self.filepath,
                fix=f"It cannot be filled in: {error}.",
            ) from None
