"""Where a progress line is shown: on a terminal, in a notebook, or as plain text at its end."""

from __future__ import annotations

import atexit
import os
import sys
from typing import TYPE_CHECKING, Any, Protocol

from kerata.core import config
from kerata.utils import io

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


class Line(Protocol):
    """What is shown: a `Progbar`."""

    def plain_line(self) -> str: ...

    def rich_line(self, console: Console, finalize: bool) -> Text: ...


class Screen(Protocol):
    """Where it is shown."""

    live: bool  # whether it draws before the end

    def draw(self, bar: Line, finalize: bool) -> None: ...

    def close(self) -> None: ...


def is_live(verbose: int) -> bool:
    """Whether a bar of this verbosity would draw anything before its end."""
    interactive = verbose not in (0, 2) and config.is_interactive_logging_enabled()
    return interactive and (_in_notebook() or _on_terminal())


def screen(verbose: int) -> Screen | None:
    if not verbose:
        return None
    if not is_live(verbose):
        return _Plain()
    return _Notebook() if _in_notebook() else _Terminal()


def _on_terminal() -> bool:
    isatty = getattr(sys.stdout, "isatty", None)
    return bool(isatty and isatty()) and os.environ.get("TERM") not in ("dumb", "unknown")


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


class _Plain:
    live = False

    def draw(self, bar: Line, finalize: bool) -> None:
        io.print_msg(bar.plain_line())

    def close(self) -> None:
        return


class _Notebook:
    """Rewrites one line of the cell's output, which needs nothing but a carriage return and colours."""

    live = True

    def __init__(self) -> None:
        from rich.console import Console  # heavy: only where a line is shown

        self.console = Console(force_terminal=True, force_jupyter=False, color_system="standard", width=1000)
        self.length = 0

    def draw(self, bar: Line, finalize: bool) -> None:
        line = bar.rich_line(self.console, finalize)
        with self.console.capture() as captured:
            self.console.print(line, end="", soft_wrap=True, highlight=False)
        padding = " " * (self.length - line.cell_len)
        sys.stdout.write(f"\r{captured.get()}{padding}" + ("\n" if finalize else ""))
        sys.stdout.flush()
        self.length = 0 if finalize else line.cell_len
        io.wipe_with(None if finalize else self.wipe)

    def wipe(self) -> None:
        sys.stdout.write("\r" + " " * self.length + "\r")
        self.length = 0
        io.wipe_with(None)

    def close(self) -> None:
        if self.length:
            sys.stdout.write("\n")
            self.length = 0
        io.wipe_with(None)


class _Terminal:
    """A line that stays at the bottom; what others print meanwhile appears above it."""

    live = True

    def __init__(self) -> None:
        self.console = _console()
        self.display: Any = None

    def draw(self, bar: Line, finalize: bool) -> None:
        line = bar.rich_line(self.console, finalize)
        if finalize and self.display is None:
            self.console.print(line, soft_wrap=True, highlight=False)
            return
        if self.display is None:
            self._open(line)
        self.display.update(line, refresh=True)
        if finalize:
            self.close()

    def _open(self, line: Text) -> None:
        global _open_terminal
        from rich.live import Live  # heavy: only on a terminal

        # Two lines cannot both be the last: that of an outer loop, or one that an error left, is ended first.
        if _open_terminal is not None:
            _open_terminal.close()
        self.display = Live(line, console=self.console, auto_refresh=False, vertical_overflow="visible")
        self.display.start()
        _open_terminal = self

    def close(self) -> None:
        global _open_terminal
        if self.display is not None:
            self.display.stop()
            self.display = None
        if _open_terminal is self:
            _open_terminal = None


_open_terminal: _Terminal | None = None
_shared_console: Console | None = None


def _console() -> Console:
    """The console of all bars: it asks for the terminal's abilities once, and leaves the cursor visible."""
    global _shared_console
    if _shared_console is None:
        from rich.console import Console  # heavy: only where a line is shown

        class VisibleCursor(Console):
            def show_cursor(self, show: bool = True) -> bool:
                return False  # a loop that ends with an error must not leave a terminal without a cursor

        _shared_console = VisibleCursor()
        atexit.register(_close_open_terminal)
    return _shared_console


def _close_open_terminal() -> None:
    if _open_terminal is not None:
        _open_terminal.close()
