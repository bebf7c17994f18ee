"""What making a model from a file may still cost. Elsewhere nothing is counted."""

from __future__ import annotations

from kerata.core.errors import ArgumentError
from kerata.core.state import STATE

NUMBERS = 64  # numbers in a table that cost as much as an abstract call of an op


def spend(calls: int = 1) -> None:
    """Counts abstract calls of ops, or what takes as long.

    Models inside models, each called twice, make twice as many calls with each level; a loop, or a table of numbers, is
    as long as a number in the file says.
    """
    if STATE.calls is None:
        return
    STATE.calls = left = STATE.calls - calls
    if left < 0:
        raise ArgumentError(
            "layers",
            expected="a graph whose size tells how much there is to do",
            got="models in models, called over and over, or large numbers among arguments",
        )
