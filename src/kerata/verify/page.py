"""The report as one self-contained HTML page: a grid of ops and engines, with every case behind its cell."""

from __future__ import annotations

import json
import platform
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Any

from kerata import backends
from kerata.core.declare import Op

from .cases import cases_of, reference_of
from .checks import QUESTIONS
from .outcome import Outcome, numbers, shown
from .suite import Answer, Report, is_wider

_MARK = "/*REPORT*/null"


def write_page(report: Report, path: Path) -> None:
    """Writes the page; it needs no other file and no network."""
    template = (files(__package__) / "page.html").read_text(encoding="utf-8")
    # "</" could end the script that holds the data.
    data = json.dumps(_data(report), separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    path.write_text(template.replace(_MARK, data), encoding="utf-8")


def versions(engines: tuple[str, ...]) -> dict[str, str]:
    """What took part: Kerata, Python, the system, the sources of values, and the engines with their devices."""
    found = {
        "Kerata": metadata.version("kerata"),
        "Python": platform.python_version(),
        "System": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "NumPy": metadata.version("numpy"),
        "SciPy": _version("scipy"),
    }
    for name in engines:
        engine = backends.get(name)
        found[f"engine {name}"] = f"{engine.version()} on {', '.join(engine.devices())}"
    return found


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed: ops are compared with NumPy alone"


class _Texts:
    """Texts by number, for most of them occur once for each engine."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def place(self, text: str) -> int:
        return self.places.setdefault(text, len(self.places))


def _data(report: Report) -> dict[str, Any]:
    plan, texts = report.plan, _Texts()
    return {
        "engines": list(plan.engines),
        "questions": {name: QUESTIONS[name].__doc__ for name in plan.questions},
        "versions": versions(plan.engines),
        "totals": {
            "ops": len(plan.ops),
            "cases": report.cases,
            "problems": report.problems,
            "seconds": round(report.seconds, 1),
        },
        "ops": {name: _declaration(op, texts) for name, op in plan.ops.items()},
        "answers": [_answer(answer, texts) for answer in report.answers],
        "texts": list(texts.places),
    }


def _declaration(op: Op, texts: _Texts) -> dict[str, Any]:
    """What the page tells of an op: its first sentence, tolerance, and the tensors of its samples."""
    summary = (op.body.__doc__ or "").strip().partition("\n")[0].replace("`", "")
    tolerance = op.tolerance
    inputs = {
        texts.place(str(case)): texts.place(text)
        for case in cases_of(op)
        if (text := _inputs(case.arguments()))
    }
    return {
        "summary": summary,
        "reference": _source(op),
        "tolerance": [tolerance.rtol, tolerance.atol, tolerance.because, is_wider(tolerance)],
        "inputs": inputs,
    }


def _source(op: Op) -> str:
    """What the reference of an op is."""
    if op.reference is None:
        return "its plain definition" if reference_of(op) is not None else ""
    if isinstance(op.reference, str):
        return op.reference
    name = op.reference.__name__
    return f"a function {name}" if name == "<lambda>" else f"numpy.{name}"


def _inputs(arguments: tuple[Any, Any]) -> str:
    """The values of the arrays among the arguments."""
    args, kwargs = arguments
    named = [*((str(i), v) for i, v in enumerate(args, start=1)), *kwargs.items()]
    return "; ".join(f"{name}: {numbers(v)}" for name, v in named if hasattr(v, "dtype"))[:400]


def _answer(answer: Answer, texts: _Texts) -> list[Any]:
    cases = [_case(outcome, texts) for outcome in answer.outcomes]
    return [answer.op, answer.engine, answer.question, answer.fast_paths, cases]


def _case(outcome: Outcome, texts: _Texts) -> list[Any]:
    words = [outcome.case, shown(outcome.got), shown(outcome.expected), outcome.problem or ""]
    return [*map(texts.place, words), round(outcome.share, 3)]
