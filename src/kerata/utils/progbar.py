"""A progress bar: a live line on a terminal or in a notebook, one plain line where nobody watches."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from kerata.core.errors import ArgumentError
from kerata.utils.screens import Screen, screen

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

Values = Iterable[tuple[str, Any]]

_clock = time.perf_counter
_NARROWEST_BAR = 8


class Progbar:
    """Shows how far a loop is, how long it takes, and the values it reports.

    On a terminal and in a notebook the line is redrawn in place; elsewhere (a file, a pipe, `verbose=2`) one
    line of text is printed at the end.

    Args:
        target: number of steps; None where it is not known.
        width: characters of the bar.
        verbose: 0 for silence, 1 for a bar, 2 for one line of text at the end.
        interval: least number of seconds between two drawings.
        stateful_metrics: names of values that are shown as they are; the others are averaged over the steps.
        stateless_metrics: names of values that are averaged over the steps; the others are shown as they are.
        unit_name: what a step is called.

    Raises:
        ArgumentError: for a target that is no count, or if both lists of metrics are given.

    Example:
        >>> bar = Progbar(3, verbose=2)
        >>> for step in range(3):
        ...     bar.add(1, values=[("loss", 1.0)])  # doctest: +ELLIPSIS
        3/3 - 0s - ...us/step - loss: 1.0000
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if target is not None and (
            isinstance(target, bool) or not hasattr(target, "__index__") or target < 0
        ):
            raise ArgumentError(
                "target", expected="a number of steps, or None if it is not known", got=target
            )
        if stateful_metrics and stateless_metrics:
            raise ArgumentError(
                "stateless_metrics",
                expected="left out where `stateful_metrics` is given",
                got=list(stateless_metrics),
                fix="The first lists the only averaged values, the second the only ones that are not.",
            )
        self.target, self.width, self.verbose = target, width, verbose
        self.interval, self.unit_name = interval, unit_name
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = set(stateless_metrics or ())
        self.label = ""
        self._start = _clock()
        self._first_step: tuple[int, float] | None = None
        self._seen = 0
        self._sums: dict[str, tuple[Any, float]] = {}  # name -> sum and weight; weight 0 for a value as it is
        self._screen: Screen | None = screen(verbose)
        self._next_draw = -math.inf if self._screen is not None and self._screen.live else math.inf

    def draw_later(self) -> None:
        """Puts the next drawing off by the interval: what is over at once is shown when it is over."""
        self._next_draw = max(self._next_draw, _clock() + self.interval)

    def is_due(self, current: int) -> bool:
        """Notes that step `current` is done, and says whether it is time to draw.

        It needs no values, so that they are read only when they are shown.
        """
        now = _clock()
        if self._first_step is None and current > 0:
            self._first_step = (current, now)
        return now >= self._next_draw

    def update(self, current: int, values: Values | None = None, finalize: bool | None = None) -> None:
        """Moves the bar.

        Args:
            current: index of the step that was just done, counted from 1.
            values: pairs of name and value.
            finalize: whether this is the end, which shows the last values as they are; None asks whether the
                target is reached.
        """
        if finalize is None:
            finalize = bool(self.target) and current >= (self.target or 0)
        self._collect(current, list(values or ()), finalize)
        due = self.is_due(current)
        self._seen = current
        if self._screen is None or not (due or finalize):
            return
        self._screen.draw(self, finalize)
        self.draw_later()

    def add(self, n: int, values: Values | None = None) -> None:
        """Moves the bar by `n` steps."""
        self.update(self._seen + n, values)

    def close(self) -> None:
        """Ends an unfinished bar: its line stays as it is, and what is printed next starts a new one."""
        if self._screen is not None:
            self._screen.close()

    def _collect(self, current: int, values: list[tuple[str, Any]], finalize: bool) -> None:
        for name, value in values:
            averaged = (
                name in self.stateless_metrics
                if self.stateless_metrics
                else name not in self.stateful_metrics
            )
            number = _number(value)
            if finalize or not averaged or not isinstance(number, float):
                self._sums[name] = (number, 0)
                continue
            weight = max(current - self._seen, 1)
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = ((total if count else 0.0) + number * weight, count + weight)

    # ---- what is shown ---------------------------------------------------------------------------
    def seconds_per_step(self) -> float:
        """Mean time of a step, without the first where there are others."""
        if not self._seen:
            return 0.0
        now = _clock()
        if self._is_pace_known():
            steps, since = self._first_step or (0, self._start)
            return (now - since) / (self._seen - steps)
        return (now - self._start) / self._seen

    def _is_pace_known(self) -> bool:
        # The first step compiles: from it, nothing can be said of the others.
        return self._first_step is not None and self._seen > self._first_step[0]

    def plain_line(self) -> str:
        """The line of text for files and logs."""
        count = f"{self._seen}/{self.target or 'Unknown'}"
        pace = f"{_pace(self.seconds_per_step())}/{self.unit_name}"
        values = [f"{name}: {value}" for name, value in self._shown()]
        parts = [self.label, count, f"{_clock() - self._start:.0f}s", pace, *values]
        return " - ".join(part for part in parts if part)

    def _shown(self) -> list[tuple[str, str]]:
        return [
            (n, _decimal(total / weight if weight else total)) for n, (total, weight) in self._sums.items()
        ]

    def rich_line(self, console: Console, finalize: bool) -> Text:
        """The line for people: label, bar, steps, time that is left or was needed, pace and values."""
        from rich.text import Text  # heavy: only where a line is shown

        line = Text(f"{self.label} " if self.label else "", style="", overflow="fold")
        line.stylize("bold")
        indent = " " * max(line.cell_len - 2, 0)
        progress = self._progress(finalize)
        values = [Text.assemble((f"  {name}: ", "dim"), value) for name, value in self._shown()]
        if self.target:
            needed = line.cell_len + self.width + progress.cell_len + sum(value.cell_len for value in values)
            # On a narrow terminal the bar gives way to the values.
            width = min(self.width, max(self.width - (needed - console.width), _NARROWEST_BAR))
            _append_bar(line, console, width, self._seen / self.target)
        line.append_text(progress)
        room = console.width - line.cell_len
        for value in values:
            if value.cell_len > room:
                line.append(f"\n{indent}")
                room = console.width - len(indent)
            line.append_text(value)
            room -= value.cell_len
        return line

    def _progress(self, finalize: bool) -> Text:
        from rich.text import Text  # heavy: only where a line is shown

        digits = len(str(self.target))
        steps = f" {self._seen:>{digits}}/{self.target}" if self.target else f"{self._seen} {self.unit_name}s"
        pace = self.seconds_per_step()
        parts = [(f" {_duration(_clock() - self._start)}", "dim")]
        if not finalize and self.target and self._is_pace_known():
            parts = [(f" {_duration((self.target - self._seen) * pace)} left", "cyan")]
        if finalize or self._is_pace_known():
            parts.append((f" {_pace(pace)}/{self.unit_name}", "dim"))
        return Text.assemble(steps, *parts)


# ---- words and numbers ---------------------------------------------------------------------------------


def _number(value: Any) -> Any:
    """A float where the value is a number or an array of numbers (its mean), else the value."""
    if value is None or isinstance(value, str):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        pass
    try:
        return float(np.mean(np.asarray(value, "float64")))
    except (TypeError, ValueError):
        return value


def _decimal(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4f}" if value == 0 or abs(value) > 1e-3 else f"{value:.4e}"


def _pace(seconds: float) -> str:
    if seconds == 0 or seconds >= 1:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def _duration(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if minutes else f"{rest}s"


def _append_bar(line: Text, console: Console, width: int, fraction: float) -> None:
    fraction = min(max(fraction, 0.0), 1.0)
    if not (console.encoding or "").lower().startswith("utf"):
        done = int(width * fraction)
        line.append("[" + "=" * done + "." * (width - done) + "]")
        return
    halves = int(2 * width * fraction)
    done, half = halves // 2, halves % 2
    # Named colours are those of the terminal's own theme.
    line.append("━" * done + "╸" * half, style="green" if fraction == 1 else "cyan")
    # Without colours, a grey rest could not be told from what is done.
    colours = console.color_system is not None and not console.no_color
    line.append(("━" if colours else " ") * (width - done - half), style="bright_black")
