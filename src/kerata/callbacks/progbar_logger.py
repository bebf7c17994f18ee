"""Progress of training, evaluation and prediction, shown to the person who watches."""

from __future__ import annotations

from typing import Any

from kerata.callbacks.callback import Callback, Logs
from kerata.utils import io
from kerata.utils.progbar import Progbar
from kerata.utils.screens import is_live

_SECONDS_BETWEEN_DRAWINGS = 0.1
_BATCH_HOOKS = frozenset(("on_train_batch_end", "on_test_batch_end", "on_predict_batch_end"))


class ProgbarLogger(Callback):
    """Shows each epoch as a `Progbar`. `fit`, `evaluate` and `predict` add one unless `verbose=0`.

    Values are read from the device only when the bar is drawn, at most ten times a second. Where nothing is drawn
    before the end (`verbose=2`, a file, a pipe), batches are not even counted if their number is known.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.progbar: Progbar | None = None
        self.target: int | None = None
        self.verbose: int = 1
        self.epochs = 1
        self._called_in_fit = False

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        verbose = params.get("verbose", 1)
        self.verbose = 1 if verbose == "auto" else int(verbose)
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    def idle_hooks(self) -> frozenset[str]:
        if type(self) is not ProgbarLogger:
            return frozenset()
        if not self.verbose or (self.target and not is_live(self.verbose)):
            return _BATCH_HOOKS
        return frozenset({"on_test_batch_end"}) if self._called_in_fit else frozenset()

    def close(self) -> None:
        """Ends a bar that an error left unfinished."""
        if self.progbar is not None:
            self.progbar.close()
        self._called_in_fit = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._called_in_fit = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._called_in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        digits = len(str(self.epochs))
        label = f"Epoch {epoch + 1:>{digits}}/{self.epochs}"
        if self.verbose == 2:
            # Two lines, as Keras prints them.
            if self.epochs > 1:
                io.print_msg(f"Epoch {epoch + 1}/{self.epochs}")
            label = ""
        self._start(label)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._advance(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._finish(logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        if not self._called_in_fit:
            self._start("Evaluate" if self.verbose == 1 else "")

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if not self._called_in_fit:
            self._advance(batch, logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        if not self._called_in_fit:
            self._finish(logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._start("Predict" if self.verbose == 1 else "")

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        # What a batch predicts is no value to show.
        self._advance(batch, None)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._finish(None)

    def _start(self, label: str) -> None:
        before, self.seen = self.progbar, 0
        self.progbar = Progbar(self.target, verbose=self.verbose, interval=_SECONDS_BETWEEN_DRAWINGS)
        self.progbar.label = label
        if before is not None:
            before.close()
            self.progbar.draw_later()

    def _advance(self, batch: int, logs: Logs | None) -> None:
        self.seen = batch + 1
        if self.progbar is not None and self.progbar.is_due(self.seen):
            self._update(self.seen, logs, finalize=False)

    def _finish(self, logs: Logs | None) -> None:
        if not self.verbose or self.progbar is None:
            return
        # Not counted (see `uses`) means complete; what was counted may have stopped early.
        steps = self.seen or self.target or 0
        if not self.target:  # known from now on
            self.target = self.progbar.target = steps
        self._update(steps, logs, finalize=True)

    def _update(self, steps: int, logs: Logs | None, finalize: bool) -> None:
        assert self.progbar is not None
        values = list((logs or {}).items())
        # The loop reports averages already; they are not averaged once more.
        self.progbar.stateful_metrics.update(name for name, _ in values)
        self.progbar.update(steps, values, finalize)
