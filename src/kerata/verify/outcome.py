"""What a question found: one outcome for each case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kerata.core.samples import Tolerance

from .compare import Plain, difference, share_of_tolerance

_LONGEST = 400  # characters of a shown value


@dataclass(frozen=True)
class Outcome:
    """What one case gave.

    Args:
        case: the call, as text.
        problem: what is wrong, as a sentence; None where nothing is.
        got: what came: tensors, or words.
        expected: what should have come, likewise.
        share: the largest deviation as a share of what the tolerance allows, 0 for equal results.
    """

    case: str
    problem: str | None = None
    got: list[Plain] | str = ""
    expected: list[Plain] | str = ""
    share: float = 0.0

    def __str__(self) -> str:
        return f"{self.case}: {self.problem or 'as expected'}"


def judged(
    case: object, got: list[Plain], expected: list[Plain], tolerance: Tolerance, check_dtype: bool = True
) -> Outcome:
    """The outcome of one comparison."""
    problem = difference(got, expected, tolerance, check_dtype)
    share = share_of_tolerance(got, expected, tolerance) if problem is None else 0.0
    return Outcome(str(case), problem, got, expected, share)


def raised(case: object, error: Exception) -> Outcome:
    """The outcome of a case that ended in an error."""
    words = " ".join(str(error).split())
    return Outcome(str(case), f"raises {type(error).__name__}: {words}"[:_LONGEST], type(error).__name__)


def worst(outcomes: list[Outcome]) -> Outcome:
    """Of several comparisons of one case: the first that went wrong, else the one that came closest to it."""
    wrong = (outcome for outcome in outcomes if outcome.problem is not None)
    return next(wrong, None) or max(outcomes, key=lambda outcome: (outcome.share, _has_values(outcome)))


def _has_values(outcome: Outcome) -> bool:
    return any(leaf.values is not None for leaf in outcome.expected if isinstance(leaf, Plain))


def shown(results: list[Plain] | str) -> str:
    """Results as text: dtype, shape and values."""
    return results if isinstance(results, str) else "; ".join(map(_shown, results))[:_LONGEST]


def _shown(leaf: Plain) -> str:
    words = f"{leaf.dtype} {leaf.shape}"
    return words if leaf.values is None else f"{words} {numbers(leaf.values)}"


def numbers(values: Any) -> str:
    """The values of an array on one line, the middle of long ones left out."""
    text = np.array2string(np.asarray(values), threshold=24, edgeitems=3, precision=6, separator=", ")
    return " ".join(text.split())
