"""Writes the values of every epoch to a file."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from typing import Any

from kerata.callbacks.callback import Callback, Logs
from kerata.core import checks
from kerata.core.errors import ArgumentError


class CSVLogger(Callback):
    """Writes a row of values for each epoch to a CSV file.

    The columns are `epoch` and the names of the first epoch's values, with a `val_` column beside each if there
    was no validation yet. A missing value is written as `NA`, a list as "[1, 2]". Every row is on disk, whole,
    before training goes on.

    Args:
        filename: the file. Missing folders are made.
        separator: what stands between two values.
        append: whether rows are added to a file that exists, under its columns; otherwise it is replaced.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "log.csv")
        >>> log = CSVLogger(path)
        >>> log.on_train_begin(); log.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.75}); log.on_train_end()
        >>> print(open(path).read().strip())
        epoch,loss,val_loss
        0,0.5,0.75
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        super().__init__()
        if not isinstance(separator, str) or len(separator) != 1:
            raise ArgumentError("separator", expected="one character", got=separator)
        self.sep, self.append = separator, append
        self.filename = checks.path("filename", filename)
        self.keys: list[str] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if folder := os.path.dirname(self.filename):
            os.makedirs(folder, exist_ok=True)
        self.keys = None
        if self.append:
            self._continue_file()
        else:
            self._write("", mode="w")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        text = ""
        if self.keys is None:
            self.keys = _columns(logs)
            text = self._row(["epoch", *self.keys])
        self._write(text + self._row([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)]))

    def _continue_file(self) -> None:
        """Takes over the columns of the file, and ends a last line that a crash or an editor left open."""
        try:
            with open(self.filename, newline="", encoding="utf-8") as file:
                first = next(csv.reader(file, delimiter=self.sep), [])
            with open(self.filename, "rb") as file:
                file.seek(max(os.path.getsize(self.filename) - 1, 0))
                last = file.read()
        except FileNotFoundError:
            return
        if last not in (b"", b"\n"):
            self._write("\r\n")
        if first:
            self.keys = first[1:]

    def _row(self, cells: Iterable[Any]) -> str:
        buffer = io.StringIO()
        csv.writer(buffer, delimiter=self.sep).writerow(cells)
        return buffer.getvalue()

    def _write(self, text: str, mode: str = "a") -> None:
        # Opened for each row, and written by one call: no half row, and nothing left open by an error.
        with open(self.filename, mode, newline="", encoding="utf-8") as file:
            file.write(text)


def _columns(logs: Logs) -> list[str]:
    names = sorted(logs)
    if any(name.startswith("val_") for name in names):
        return names
    # Validation may come at a later epoch (`validation_freq`), when the header stands already.
    return names + [f"val_{name}" for name in names]


def _cell(value: Any) -> Any:
    if isinstance(value, str) or not hasattr(value, "__iter__") or getattr(value, "shape", None) == ():
        return value
    return f'"[{", ".join(map(str, value))}]"'
