"""`kerata conformance`: asks every op on every engine of this machine for the same result."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from kerata import backends, verify
from kerata.core.errors import ArgumentError
from kerata.verify import Answer, Plan, Report
from kerata.verify.page import versions, write_page

from .quiet import native_messages_held

FAST_PATHS = {"on": (True,), "off": (False,), "both": (True, False)}
MOST_ROWS = 40  # of ops without a problem; the page shows all
MOST_SENTENCES = 5  # for one op on one engine


def add_parser(commands: Any) -> None:
    text = (
        "Run every op with every sample of its declaration on the engines of this machine, and compare values, compiled "
        "values, shapes, derivatives and refusals with the reference. The exit status is 1 if something disagrees."
    )
    parser = commands.add_parser("conformance", help="compare all ops on all engines", description=text)
    parser.add_argument("--engines", metavar="A,B", help="names of engines (default: all that are installed)")
    parser.add_argument(
        "--ops", nargs="+", default=[], metavar="NAME", help="ops, or patterns such as `conv*`"
    )
    parser.add_argument("--questions", metavar="A,B", help=f"some of {', '.join(verify.QUESTIONS)}")
    parser.add_argument("--fast-paths", choices=FAST_PATHS, default="on", help="engines' native routes")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with every case")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, console: Console | None = None) -> int:
    """Asks, and prints the matrix, what disagrees, and a summary.

    Returns:
        1 if something disagrees, else 0.
    """
    console = console or Console()
    with native_messages_held():
        report = _asked(_plan(options), console)
        facts = versions(report.plan.engines)
    console.print(_matrix(report))
    _print_problems(report, console)
    console.print(_summary(report, facts))
    if options.html:
        write_page(report, options.html)
        console.print(f"page: {escape(str(options.html))}", soft_wrap=True)
    return 1 if report.problems else 0


def _plan(options: argparse.Namespace) -> Plan:
    engines, questions = _engines(options.engines), _questions(options.questions)
    return Plan(engines, verify.select(options.ops), questions, FAST_PATHS[options.fast_paths])


def _engines(names: str | None) -> tuple[str, ...]:
    """The engines that were asked for; one that is not installed is refused with the pip command."""
    if names is None:
        return tuple(backends.installed())
    return tuple(backends.get(name.strip()).name for name in names.split(","))


def _questions(names: str | None) -> tuple[str, ...]:
    chosen = tuple(name.strip() for name in names.split(",")) if names else tuple(verify.QUESTIONS)
    for name in chosen:
        if name not in verify.QUESTIONS:
            raise ArgumentError("questions", expected=f"some of {', '.join(verify.QUESTIONS)}", got=name)
    return chosen


# ---- progress ----------------------------------------------------------------------------------------


def _asked(plan: Plan, console: Console) -> Report:
    """Asks everything, with a bar for each engine."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[op]}"),
        TextColumn("{task.fields[wrong]}", style="red"),
    )
    total = len(plan.ops) * len(plan.questions) * len(plan.fast_paths)
    with Progress(*columns, console=console) as progress:
        tasks = {e: progress.add_task(e, total=total, start=False, op="", wrong="") for e in plan.engines}
        wrong = dict.fromkeys(plan.engines, 0)

        def tell(answer: Answer) -> None:
            wrong[answer.engine] += len(answer.problems)
            _advance(progress, tasks[answer.engine], answer, wrong[answer.engine])

        return verify.run(plan, tell)


def _advance(progress: Progress, task: TaskID, answer: Answer, wrong: int) -> None:
    progress.start_task(task)
    done = progress.tasks[task].completed + 1 == progress.tasks[task].total
    words = f"{wrong} wrong" if wrong else ""
    progress.update(task, advance=1, op="" if done else answer.op, wrong=words)


# ---- tables ------------------------------------------------------------------------------------------


def _matrix(report: Report) -> Table:
    """Ops × engines: how many cases, and how many of them are wrong."""
    names = list(report.plan.ops)
    wrong = {answer.op for answer in report.wrong()}
    rows = names if len(names) <= MOST_ROWS else [name for name in names if name in wrong]
    table = Table(title="Cases of each op on each engine", title_justify="left", title_style="bold")
    table.add_column("op")
    for engine in report.plan.engines:
        table.add_column(engine, justify="right")
    for name in rows:
        table.add_row(name, *(_count(report.cell(name, engine)) for engine in report.plan.engines))
    table.add_section()
    if len(rows) < len(names):
        table.add_row(
            f"{len(names) - len(rows)} others",
            *[Text("all as expected", style="green")] * len(report.plan.engines),
        )
    table.add_row("all", *(_count(report.cell(None, engine)) for engine in report.plan.engines))
    return table


def _count(answers: list[Answer]) -> Text:
    cases = sum(len(answer.outcomes) for answer in answers)
    wrong = sum(len(answer.problems) for answer in answers)
    return Text(f"{wrong} of {cases} ✗", style="red") if wrong else Text(f"{cases} ✓", style="green")


def _print_problems(report: Report, console: Console) -> None:
    """The sentences, each once for all the engines where it is true."""
    engines: dict[tuple[str, ...], list[str]] = {}
    for answer in sorted(report.wrong(), key=lambda a: (a.op, a.question)):
        mode = "" if answer.fast_paths else ", without fast paths"
        key = (answer.op, f"{answer.question}{mode}", *map(str, answer.problems))
        engines.setdefault(key, []).append(answer.engine)
    for (op, question, *sentences), names in engines.items():
        console.print(Text(f"{op} on {', '.join(names)}: {question}", style="bold red"))
        for sentence in sentences[:MOST_SENTENCES]:
            console.print(Text(f"  {sentence}"), soft_wrap=True)
        if len(sentences) > MOST_SENTENCES:
            console.print(f"  and {len(sentences) - MOST_SENTENCES} more; --html shows them all")


def _summary(report: Report, facts: dict[str, str]) -> Table:
    table = Table(title="Summary", title_justify="left", title_style="bold", show_header=False)
    for name, value in facts.items():
        table.add_row(name, value)
    for name in backends.known():
        if not backends.is_installed(name):
            table.add_row(f"engine {name}", _install(backends.REGISTRY[name].requirement))
    table.add_section()
    plan = report.plan
    table.add_row(
        "asked",
        f"{_counted(len(plan.ops), 'op')} on {_counted(len(plan.engines), 'engine')}: {', '.join(plan.questions)}",
    )
    table.add_row("wide tolerances", _tolerances(plan))
    words = f"{report.cases} cases, {report.problems or 'none'} wrong, in {report.seconds:.1f} seconds"
    table.add_row("result", Text(words, style="red" if report.problems else "green"))
    return table


def _tolerances(plan: Plan) -> str:
    """How many ops may be farther from the reference than the usual tolerance allows, each for a stated reason."""
    return f"{len(verify.wide_tolerances().keys() & plan.ops.keys())} ops, each for a stated reason"


def _install(requirement: str) -> Text:
    return Text(f'not installed: pip install "{requirement}"', style="yellow")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
