"""Goes on with a training that was interrupted."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from typing import Any

from kerata.callbacks.callback import Callback, Logs, overrides
from kerata.callbacks.checks import BatchClock, save_frequency
from kerata.core.errors import ArgumentError, RefusedFileError

_WEIGHTS, _METADATA = "latest.weights.h5", "training_metadata.json"
_NEXT, _BEFORE = "next_", ".bkp"
_LONGEST_METADATA = 10_000  # characters; ours are a few hundred


class BackupAndRestore(Callback):
    """Saves the state of training, and begins with it when the same `fit` is started again.

    The state is that of the model, its optimizer and the number of the epoch. It is removed when training ends
    without an error. A backup in the middle of an epoch restarts that epoch with the weights of the backup.

    A crash at any moment, also while a backup is written, leaves a complete one: its parts are renamed when they
    are whole, and a checksum tells which belong together.

    Args:
        backup_dir: folder of the backup, for this training alone. It is made.
        save_freq: "epoch", or a number of batches, counted across epochs.
        double_checkpoint: whether the backup before the latest is kept, to go on from if the latest is damaged.
        delete_checkpoint: whether the backup is removed at the end of training.

    Raises:
        ArgumentError: for an empty folder name or a `save_freq` that is no positive number.
        RefusedFileError: when training begins, if a backup is there but damaged.

    Example:
        >>> import kerata, numpy as np
        >>> x, y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
        >>> model = kerata.Sequential([kerata.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> _ = model.fit(x, y, epochs=2, verbose=0, callbacks=[kerata.callbacks.BackupAndRestore("backup")])
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not backup_dir:
            raise ArgumentError("backup_dir", expected="the name of a folder", got=backup_dir)
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_frequency(save_freq)
        self.double_checkpoint, self.delete_checkpoint = double_checkpoint, delete_checkpoint
        self._clock = BatchClock(self.save_freq)
        self._epoch = 0

    def idle_hooks(self) -> frozenset[str]:
        idle = self.save_freq == "epoch" and not overrides(self, "on_train_batch_end", BackupAndRestore)
        return frozenset({"on_train_batch_end"}) if idle else frozenset()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        os.makedirs(self.backup_dir, exist_ok=True)
        self._clock = BatchClock(self.save_freq)
        epoch = self._load()
        if epoch is not None:
            self.model._initial_epoch = self._epoch = epoch

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self._clock.is_time(batch):
            self._save(self._epoch, batch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch + 1
        if self.save_freq == "epoch":
            self._save(epoch + 1, 0)

    def on_train_end(self, logs: Logs | None = None) -> None:
        if not self.delete_checkpoint:
            return
        for name in (*_forms(_WEIGHTS), *_forms(_METADATA)):
            if os.path.exists(self._in(name)):
                os.remove(self._in(name))
        if not os.listdir(self.backup_dir):  # somebody may keep files of his own there
            os.rmdir(self.backup_dir)

    def _in(self, name: str) -> str:
        return os.path.join(self.backup_dir, name)

    def _save(self, epoch: int, batch: int) -> None:
        self.model.save_weights(self._in(_NEXT + _WEIGHTS), overwrite=True)
        metadata = {"epoch": epoch, "batch": batch, "checksum": _checksum(self._in(_NEXT + _WEIGHTS))}
        _write_json(self._in(_NEXT + _METADATA), metadata)
        for name in (_WEIGHTS, _METADATA):
            if self.double_checkpoint and os.path.exists(self._in(name)):
                os.replace(self._in(name), self._in(name + _BEFORE))
        for name in (_WEIGHTS, _METADATA):
            os.replace(self._in(_NEXT + name), self._in(name))

    def _load(self) -> int | None:
        """Restores the newest state that is whole, and gives its epoch; None if there is no backup."""
        # A crash between two renames leaves parts under different names; checksums tell which belong together.
        epochs: dict[str, int] = {}
        for name in _forms(_METADATA):
            epochs.update(_read_json(self._in(name)))
        for name in _forms(_WEIGHTS):
            epoch = epochs.get(_checksum(self._in(name)))
            if epoch is None:
                continue
            if name.endswith(_BEFORE) and os.path.exists(self._in(_WEIGHTS)):
                warnings.warn(
                    f"{self.backup_dir}: the latest backup is damaged, so training goes on from the one before it.",
                    stacklevel=4,
                )
            self.model.load_weights(self._in(name))
            return epoch
        if any(os.path.exists(self._in(name)) for name in (_WEIGHTS, _METADATA)):
            raise RefusedFileError(
                self.backup_dir, _WEIGHTS, "the backup is damaged. Remove the folder to begin anew."
            )
        return None


def _forms(name: str) -> tuple[str, str, str]:
    """The names that a part can have, newest first."""
    return _NEXT + name, name, name + _BEFORE


def _checksum(path: str) -> str:
    """The checksum of a file; an empty string if there is none."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "blake2b").hexdigest()
    except FileNotFoundError:
        return ""


def _write_json(path: str, content: dict[str, Any]) -> None:
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())


def _read_json(path: str) -> dict[str, int]:
    """The checksum and the epoch of one backup; nothing if the file is missing or damaged."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.loads(file.read(_LONGEST_METADATA))
    except (FileNotFoundError, ValueError):
        return {}
    checksum = content.get("checksum") if isinstance(content, dict) else None
    epoch = content.get("epoch") if isinstance(content, dict) else None
    if not isinstance(checksum, str) or not isinstance(epoch, int) or epoch < 0:
        return {}
    return {checksum: epoch}
