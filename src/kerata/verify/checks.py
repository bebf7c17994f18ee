"""The questions: each is asked of an op on an engine, and gives an outcome for each case."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

import kerata
from kerata.core import declare
from kerata.core.declare import Op
from kerata.core.errors import ArgumentError
from kerata.core.samples import Reject, Tolerance

from .cases import Case, cases_of, replaced, tensors_of
from .compare import Plain, plain
from .outcome import Outcome, judged, raised, worst
from .slopes import Slope

# Finite differences of fourth order in float64: their own error is below these.
_SLOPES = Tolerance(rtol=1e-5, atol=1e-7, because="finite differences have an error of their own")


class Question:
    """A question of every op. Called, it gives only what is wrong, as sentences."""

    def __init__(self, ask: Callable[[Op, str], list[Outcome]]) -> None:
        self.name, self.ask, self.__doc__ = ask.__name__, ask, ask.__doc__

    def __call__(self, op: Op, engine: str, every: int = 1) -> list[str]:
        """With `every` = n, of each n-th sample."""
        if every > 1:
            op = copy.copy(op)
            op.samples = op.samples[::every]
        return [str(outcome) for outcome in self.ask(op, engine) if outcome.problem]


def _each(cases: Iterable[Any], ask: Callable[..., Outcome], *found: list[Any]) -> list[Outcome]:
    """The outcomes of all cases; `found` holds what is known of each."""
    return [_guarded(ask, *known) for known in zip(cases, *found, strict=True)]


def _guarded(ask: Callable[..., Outcome], case: Any, *known: Any) -> Outcome:
    """An error of an engine is the outcome of that case, and no reason to ask no further."""
    try:
        return ask(case, *known)
    except Exception as error:
        return raised(case, error)


# ---- values ----------------------------------------------------------------------------------------


@Question
def values(op: Op, engine: str) -> list[Outcome]:
    """Dtypes and shapes as on the NumPy engine; values as in float64, there and by the op's own reference."""
    return _each(cases_of(op), lambda case: _as_expected(case, case.run(engine)))


@Question
def compiled(op: Op, engine: str) -> list[Outcome]:
    """The same of what all samples give inside one compiled function."""
    cases = list(cases_of(op))

    def alone(case: Case) -> Outcome:
        return _as_expected(case, _compiled(op, [case.on(engine)], engine)[0])

    if op.needs_values:  # one that runs uncompiled must not take the others along
        return _each(cases, alone)
    try:
        results = _compiled(op, [case.on(engine) for case in cases], engine)
    except Exception:  # which case it was is found by compiling each by itself
        return _each(cases, alone)
    return _each(cases, _as_expected, results)


def _as_expected(case: Case, got: list[Plain]) -> Outcome:
    op, here = case.op, case.run("numpy")
    if not op.wide:
        return judged(case, got, here, op.tolerance)
    kinds = judged(case, _without_values(got), _without_values(here), op.tolerance)
    expected = [case.wide(), case.reference()]
    told = [judged(case, got, e, op.tolerance, check_dtype=False) for e in expected if e is not None]
    return worst([kinds, *told])


def _without_values(leaves: list[Plain]) -> list[Plain]:
    return [Plain(leaf.dtype, leaf.shape, None) for leaf in leaves]


def _compiled(op: Op, given: list[Any], engine: str) -> list[list[Plain]]:
    """Results of all calls, from one function of all their tensors."""

    def run(tensors: list[list[Any]]) -> list[Any]:
        out = []
        for (args, kwargs), leaves in zip(given, tensors, strict=True):
            new_args, new_kwargs = replaced(op, args, kwargs, leaves)
            out.append(op.function(*new_args, **new_kwargs))
        return out

    with kerata.use_backend(engine):
        tensors = [tensors_of(op, args, kwargs) for args, kwargs in given]
        return [plain(out) for out in _as_function(run)(tensors)]


def _as_function(run: Callable[..., Any]) -> Callable[..., Any]:
    compiled = kerata.function(run)

    def call(tensors: list[Any]) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # that what needs values runs uncompiled
            return compiled(tensors)

    return call


# ---- shapes ----------------------------------------------------------------------------------------


@Question
def symbolic(op: Op, engine: str) -> list[Outcome]:
    """Symbolic shapes and dtypes are those of the results, also where the first size is unknown."""

    def ask(case: Case) -> Outcome:
        try:
            known = case.symbolic(engine)
        except ArgumentError:
            if op.needs_values:
                return Outcome(str(case))
            raise
        result = case.run(engine)
        if op.needs_values:  # sizes that only values tell are announced as None
            known = [
                Plain(a.dtype, _filled(a.shape, r.shape), None) for a, r in zip(known, result, strict=True)
            ]
        return worst([judged(case, known, result, op.tolerance), _unknown(case, known, engine)])

    return _each(cases_of(op), ask)


def _unknown(case: Case, known: list[Plain], engine: str) -> Outcome:
    """What is announced for an unknown first size must leave room for the shapes with the known one."""
    try:
        announced = case.symbolic(engine, unknown=True)
    except ArgumentError:  # another argument may fix the size
        return Outcome(str(case))
    filled = [Plain(a.dtype, _filled(a.shape, k.shape), None) for a, k in zip(announced, known, strict=False)]
    return judged(case, filled + announced[len(filled) :], known, case.op.tolerance)


def _filled(announced: tuple[Any, ...], known: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(announced) != len(known):
        return announced
    return tuple(k if a is None else a for a, k in zip(announced, known, strict=True))


# ---- derivatives -----------------------------------------------------------------------------------


@Question
def gradients(op: Op, engine: str) -> list[Outcome]:
    """Derivatives in float64 are the finite differences of the NumPy engine."""
    told, slopes = [], []
    for case in cases_of(op):
        if op.differentiable and case.sample.gradient:
            try:
                slopes.append(Slope(case))
            except Exception as error:
                told.append(raised(case, error))
    slopes = [slope for slope in slopes if slope.places and slope.weights]
    return told + (_same_slopes(op, slopes, engine) if slopes else [])


def _same_slopes(op: Op, slopes: list[Slope], engine: str) -> list[Outcome]:
    def alone(slope: Slope) -> Outcome:
        return _sloping(slope, _gradients([slope], engine)[0])

    if op.needs_values:
        return _each(slopes, alone)
    try:
        found = _gradients(slopes, engine)
    except Exception:  # which case it was is found by asking each by itself
        return _each(slopes, alone)
    return _each(slopes, _sloping, found)


def _gradients(slopes: list[Slope], engine: str) -> list[list[Any]]:
    """The engine's derivatives, from one compiled function: compiling each op of each sample takes much longer."""

    def run(tensors: list[Any]) -> list[Any]:
        return [slope.gradients(*pair) for slope, pair in zip(slopes, tensors, strict=True)]

    with kerata.use_backend(engine):
        given = [slope.tensors(engine) for slope in slopes]
        return _as_function(run)(given)


def _sloping(slope: Slope, gradients: list[Any]) -> Outcome:
    return judged(slope.case, _numbers(slope.along(gradients)), _numbers(slope.differences()), _SLOPES)


def _numbers(numbers: list[float]) -> list[Plain]:
    return [Plain("float32", (), np.asarray(v)) for v in numbers]


# ---- refusals --------------------------------------------------------------------------------------


@Question
def refusals(op: Op, engine: str) -> list[Outcome]:
    """Wrong arguments are refused with an `ArgumentError` that names them, in the words of the NumPy engine.

    So is a text in the place of each tensor, whatever the op.
    """

    def ask(reject: Reject) -> Outcome:
        got, expected = (_refusal(op, reject, name) for name in (engine, "numpy"))
        call = reject.call(op.name)
        if not got.startswith(f"`{reject.argument}` must be "):
            return Outcome(call, f"{got!r} does not name `{reject.argument}`", got, expected)
        return Outcome(call, None if got == expected else f"{got!r} instead of {expected!r}", got, expected)

    return [ask(reject) for reject in (*op.rejects, *_texts(op))]


def _texts(op: Op) -> Iterator[Reject]:
    """The op's first sample with a text in the place of a tensor, for each of its tensors."""
    sample = op.samples[0]
    args, kwargs = sample.arguments(op.name)
    for where, _, _ in declare._tensor_slots(op, args, kwargs):
        if isinstance(where, str):
            yield Reject(sample.args, {**sample.kwargs, where: "text"}, where)
        else:
            changed = (*sample.args[:where], "text", *sample.args[where + 1 :])
            yield Reject(changed, sample.kwargs, str(declare._name_at(op, where)))


def _refusal(op: Op, reject: Reject, engine: str) -> str:
    with kerata.use_backend(engine):
        args, kwargs = reject.arguments(op.name)
        try:
            op.function(*args, **kwargs)
        except ArgumentError as error:
            return str(error)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return "accepted"


QUESTIONS: dict[str, Question] = {q.name: q for q in (values, compiled, symbolic, gradients, refusals)}
