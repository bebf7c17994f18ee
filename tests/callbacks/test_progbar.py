"""`kerata.utils.Progbar` in loops that people write themselves; its numbers are those of the peer."""

import re
import sys
import types

import keras as peer
import numpy as np
import pytest

from kerata.core.errors import ArgumentError
from kerata.utils import io, progbar
from kerata.utils.progbar import Progbar

ONE = [(i, [("a", float(i)), ("b", 10.0 * i)]) for i in range(1, 6)]
UPDATES = {
    "every step": ONE,
    "jumps": [(2, [("a", 1.0)]), (3, [("a", 4.0)]), (5, [("a", 9.0)])],
    "the same step again": [(1,), (1, [("a", 1e-4)]), (5, [("a", 9.99e-4)])],
    "late values": [(1,), (2, [("a", 2.0)]), (4, [("b", -3.5e-7)]), (5, [("a", 123456.0)])],
    "kinds": [
        (1, [("a", np.float32(0.1)), ("b", 5)]),
        (3, [("a", np.array([1.0, 2.0]))]),
        (5, [("a", True)]),
    ],
    "nothing": [(1,), (5,)],
}


def values_of(text):
    return re.findall(r"(\w+): (\S+)", re.sub(r"\x1b\[[0-9;]*m|\x08", "", text))


@pytest.fixture
def notebook(monkeypatch):
    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    yield
    io.wipe_with(None)


@pytest.mark.parametrize("updates", UPDATES.values(), ids=list(UPDATES))
@pytest.mark.parametrize(
    "options", [{}, {"stateful_metrics": ["a"]}, {"stateless_metrics": ["a"]}, {"width": 30}], ids=str
)
def test_the_values_of_every_drawing(updates, options, notebook, capsys):
    shown = []
    for package in (peer.utils.Progbar, Progbar):
        bar = package(5, interval=0, **options)
        for update in updates:
            bar.update(*update)
        frames = capsys.readouterr().out.split("\r")[1:]
        shown.append([values_of(frame) for frame in frames])
    assert len(shown[0]) == len(updates)
    assert shown[0] == shown[1]


TIMES = [1e-5, 4e-4, 1e-3, 0.0123, 0.5, 0.9996, 1.0, 1.4, 15.0, 61.0, 3700.0]


@pytest.mark.parametrize("times", [*([t] * 5 for t in TIMES), [10.0, 1.0, 1.0], [10.0]], ids=str)
def test_the_line_of_text(times, monkeypatch, capsys):
    import time

    lines = []
    now = [1000.0]
    for package in (peer.utils.Progbar, Progbar):
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda: now[0])
            patch.setattr(progbar, "_clock", lambda: now[0])
            bar = package(len(times), verbose=2)
            for step, seconds in enumerate(times):
                now[0] += seconds
                bar.update(step + 1, [("loss", 0.5)])
        lines.append(capsys.readouterr().out)
    assert lines[0].endswith("/step - loss: 0.5000\n")
    assert lines[0] == lines[1]


def test_add_and_unit(capsys):
    bar = Progbar(5, verbose=2, unit_name="sample")
    bar.add(2, [("a", 3.0)])
    assert capsys.readouterr().out == ""
    bar.add(3, [("a", 8.0)])
    assert re.fullmatch(r"5/5 - 0s - \d+us/sample - a: 8.0000\n", capsys.readouterr().out)


def test_silence(capsys):
    Progbar(1, verbose=0).update(1, [("a", 1.0)])
    assert capsys.readouterr().out == ""


def test_what_is_no_number_is_shown_as_it_is(capsys):
    bar = Progbar(2, verbose=2)
    bar.update(1, [("a", None), ("b", "text")])
    bar.update(2, [("a", "now"), ("c", {"d": 1})])
    assert capsys.readouterr().out.endswith(" - a: now - b: text - c: {'d': 1}\n")


def test_zero_is_written_plainly(capsys):
    Progbar(1, verbose=2).update(1, [("accuracy", 0.0)])
    assert capsys.readouterr().out.endswith("accuracy: 0.0000\n")


def test_a_bar_without_a_target_ends_when_it_is_told(capsys):
    bar = Progbar(None, verbose=2)
    for step in range(1, 4):
        bar.update(step)
    assert capsys.readouterr().out == ""
    bar.update(3, finalize=True)
    assert capsys.readouterr().out.startswith("3/Unknown - 0s - ")


@pytest.mark.parametrize("target", [-1, 1.5, "x", True])
def test_target(target):
    with pytest.raises(ArgumentError, match="`target` must be a number of steps"):
        Progbar(target)


def test_both_lists_of_metrics():
    with pytest.raises(ArgumentError, match="`stateless_metrics` must be left out"):
        Progbar(1, stateful_metrics=["a"], stateless_metrics=["b"])
