"""The suite: every question of every op on every engine, on this machine and with these versions."""

from __future__ import annotations

import difflib
import fnmatch
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from kerata import backends
from kerata.core.declare import DECLARED, Op, fast_paths_on, set_fast_paths
from kerata.core.errors import ArgumentError
from kerata.core.samples import Tolerance

from .cases import declared
from .checks import QUESTIONS
from .outcome import Outcome

# What an engine compiled for one op serves the next ones, but it takes memory: gigabytes for the whole catalogue.
OPS_KEPT_COMPILED = 20


@dataclass(frozen=True)
class Plan:
    """What is asked.

    Args:
        engines: names of engines, all of them installed.
        ops: the ops by name.
        questions: names of `QUESTIONS`.
        fast_paths: whether engines may use their native routes; both to ask everything twice.
    """

    engines: tuple[str, ...]
    ops: dict[str, Op]
    questions: tuple[str, ...] = tuple(QUESTIONS)
    fast_paths: tuple[bool, ...] = (True,)


@dataclass(frozen=True)
class Answer:
    """What one question gave for one op on one engine."""

    op: str
    engine: str
    question: str
    fast_paths: bool
    outcomes: list[Outcome]

    @property
    def problems(self) -> list[Outcome]:
        """The cases that went wrong."""
        return [outcome for outcome in self.outcomes if outcome.problem is not None]


@dataclass
class Report:
    """All answers, and how long they took."""

    plan: Plan
    answers: list[Answer] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def cases(self) -> int:
        return sum(len(answer.outcomes) for answer in self.answers)

    @property
    def problems(self) -> int:
        return sum(len(answer.problems) for answer in self.answers)

    def cell(self, op: str | None, engine: str) -> list[Answer]:
        """The answers of one op, or of all, on one engine."""
        return [a for a in self.answers if a.engine == engine and op in (None, a.op)]

    def wrong(self) -> Iterator[Answer]:
        """The answers in which something went wrong."""
        return (answer for answer in self.answers if answer.problems)


def run(plan: Plan, tell: Callable[[Answer], None] = lambda answer: None) -> Report:
    """Asks everything; `tell` hears of each answer as it comes."""
    report, start, before = Report(plan), time.perf_counter(), fast_paths_on()
    try:
        for on in plan.fast_paths:
            set_fast_paths(on)
            for answer in _answers(plan, on):
                report.answers.append(answer)
                tell(answer)
    finally:
        set_fast_paths(before)
    report.seconds = time.perf_counter() - start
    return report


def _answers(plan: Plan, fast_paths: bool) -> Iterator[Answer]:
    for name in plan.engines:
        engine = backends.get(name)
        for i, (op, declaration) in enumerate(plan.ops.items(), start=1):
            for question in plan.questions:
                outcomes = QUESTIONS[question].ask(declaration, name)
                yield Answer(op, name, question, fast_paths, outcomes)
            if i % OPS_KEPT_COMPILED == 0:
                engine.forget_compiled()


def select(patterns: Sequence[str]) -> dict[str, Op]:
    """The ops that have one of the names, or match one of the patterns; all ops where none is given.

    Raises:
        ArgumentError: a pattern matches no op.
    """
    ops, chosen = declared(), set()
    for pattern in patterns or ["*"]:
        found = fnmatch.filter(ops, pattern)
        if not found:
            near = difflib.get_close_matches(pattern, ops, 3)
            hint = f"Near to it: {', '.join(near)}." if near else ""
            raise ArgumentError("ops", expected="names or patterns of ops", got=pattern, fix=hint)
        chosen.update(found)
    return {name: ops[name] for name in ops if name in chosen}


def is_wider(tolerance: Tolerance) -> bool:
    """Whether a tolerance allows more than the usual one, in value or near zero."""
    usual = Tolerance()
    return tolerance.rtol > usual.rtol or tolerance.atol > usual.atol


def wide_tolerances() -> dict[str, Tolerance]:
    """The tolerances that are wider than the usual one, by op. They should become fewer."""
    declared()
    return {name: op.tolerance for name, op in sorted(DECLARED.items()) if is_wider(op.tolerance)}
