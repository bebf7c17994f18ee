"""The questions: each gives what is wrong with an op on an engine, as sentences; none where all is well."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import kerata
from kerata.core.declare import Op
from kerata.core.errors import ArgumentError
from kerata.core.samples import Reject, Tolerance

from .cases import Case, cases_of, replaced, tensors_of
from .compare import Plain, difference, plain
from .slopes import Slope

# Finite differences of fourth order in float64: their own error is below these.
_SLOPES = Tolerance(rtol=1e-5, atol=1e-7)


def _each(cases: Iterable[Case], ask: Callable[[Case], str | None]) -> list[str]:
    told = ((case, ask(case)) for case in cases)
    return [f"{case}: {text}" for case, text in told if text]


def _without_values(leaves: list[Plain]) -> list[Plain]:
    return [Plain(leaf.dtype, leaf.shape, None) for leaf in leaves]


def values(op: Op, engine: str) -> list[str]:
    """Dtypes and shapes as on the NumPy engine; values as in float64, there and by the op's own reference."""

    def ask(case: Case) -> str | None:
        got = case.run(engine)
        if not op.wide:
            return difference(got, case.run("numpy"), op.tolerance)
        kinds = difference(_without_values(got), _without_values(case.run("numpy")), op.tolerance)
        reference = case.reference()
        return (
            kinds
            or difference(got, case.wide(), op.tolerance, check_dtype=False)
            or (None if reference is None else difference(got, reference, op.tolerance, check_dtype=False))
        )

    return _each(cases_of(op), ask)


def compiled(op: Op, engine: str) -> list[str]:
    """What all samples give inside one compiled function is what they give eagerly."""
    cases = list(cases_of(op))
    with kerata.use_backend(engine):
        given = [case.on(engine) for case in cases]
        results = _compiled(op, given)
        eager = [plain(op.function(*args, **kwargs)) for args, kwargs in given]
    told = []
    for case, got, expected in zip(cases, results, eager, strict=True):
        text = None if got is None else difference(got, expected, op.tolerance)
        if text:
            told.append(f"{case}: {text}")
    return told


def _compiled(op: Op, given: list[Any]) -> list[list[Plain] | None]:
    """Results of all calls, from one function of all their tensors. None where values must be known."""
    refused: set[int] = set()

    @kerata.function
    def run(tensors: list[list[Any]]) -> list[Any]:
        out = []
        for i, ((args, kwargs), leaves) in enumerate(zip(given, tensors, strict=True)):
            try:
                new_args, new_kwargs = replaced(op, args, kwargs, leaves)
                out.append(op.function(*new_args, **new_kwargs))
            except ArgumentError:
                if not op.needs_values:
                    raise
                refused.add(i)
                out.append(())
        return out

    tensors = [tensors_of(op, args, kwargs) for args, kwargs in given]
    return [None if i in refused else plain(out) for i, out in enumerate(run(tensors))]


def symbolic(op: Op, engine: str) -> list[str]:
    """Symbolic shapes and dtypes are those of the results."""

    def ask(case: Case) -> str | None:
        try:
            return difference(case.symbolic(), case.run(engine), op.tolerance)
        except ArgumentError:
            if op.needs_values:
                return None
            raise

    return _each(cases_of(op), ask)


def gradients(op: Op, engine: str) -> list[str]:
    """Derivatives in float64 are the finite differences of the NumPy engine."""
    slopes = [Slope(case) for case in cases_of(op) if op.differentiable and case.sample.gradient]
    slopes = [slope for slope in slopes if slope.places and slope.weights]
    with kerata.use_backend(engine):
        given = [slope.tensors(engine) for slope in slopes]

        def run(tensors: list[Any]) -> list[Any]:
            return [slope.gradients(*pair) for slope, pair in zip(slopes, tensors, strict=True)]

        # One compiled function for all samples: compiling each op of each by itself takes much longer.
        found = (run if op.needs_values else kerata.function(run))(given) if slopes else []
    told = []
    for slope, grads in zip(slopes, found, strict=True):
        text = difference(_numbers(slope.along(grads)), _numbers(slope.differences()), _SLOPES)
        if text:
            told.append(f"{slope.case}: {text}")
    return told


def _numbers(numbers: list[float]) -> list[Plain]:
    return [Plain("float32", (), np.asarray(v)) for v in numbers]


def refusals(op: Op, engine: str) -> list[str]:
    """Wrong arguments are refused with an `ArgumentError` that names them, in the words of the NumPy engine."""
    told = []
    for reject in op.rejects:
        text, expected = (_refusal(op, reject, name) for name in (engine, "numpy"))
        if text != expected or not text.startswith(f"`{reject.argument}` must be "):
            told.append(f"{reject}: {text!r} instead of {expected!r}")
    return told


def _refusal(op: Op, reject: Reject, engine: str) -> str:
    with kerata.use_backend(engine):
        args, kwargs = reject.arguments(op.name)
        try:
            op.function(*args, **kwargs)
        except ArgumentError as error:
            return str(error)
    return "accepted"
