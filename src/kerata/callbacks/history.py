"""The values of every epoch, as `fit` gives them back."""

from __future__ import annotations

from typing import Any

from kerata.callbacks.callback import Callback, Logs


class History(Callback):
    """Records the values of each epoch. `fit` adds one and returns it.

    Attributes:
        history: name -> list of one value per epoch.
        epoch: the epochs, counted from 0.

    Example:
        >>> history = History()
        >>> history.on_train_begin()
        >>> history.on_epoch_end(0, {"loss": 0.5}); history.on_epoch_end(1, {"loss": 0.25})
        >>> history.history, history.epoch
        ({'loss': [0.5, 0.25]}, [0, 1])
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        # The values stay, so that a second `fit` with the same object continues them.
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self.model is not None:
            self.model.history = self
