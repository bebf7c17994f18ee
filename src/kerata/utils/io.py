"""Messages to the person who watches: on the terminal, or in the log where interactive logging is off."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from kerata.core import config

_logger = logging.getLogger("kerata")

# Set while a progress line stands unfinished on the output: wipes it, so that a message gets a line of its own.
_wipe: Callable[[], None] | None = None


def wipe_with(wipe: Callable[[], None] | None) -> None:
    """Says how to clear the unfinished line on the output; None when there is none any more."""
    global _wipe
    _wipe = wipe


def print_msg(message: str, line_break: bool = True) -> None:
    """Prints a message, or logs it at level INFO of the logger "kerata" where interactive logging is disabled.

    Args:
        message: the text.
        line_break: whether a line break follows it.

    Example:
        >>> print_msg("Epoch 3: early stopping")
        Epoch 3: early stopping
    """
    if not config.is_interactive_logging_enabled():
        _logger.info(message)
        return
    if _wipe is not None:
        _wipe()
    sys.stdout.write(message + "\n" if line_break else message)
    sys.stdout.flush()
