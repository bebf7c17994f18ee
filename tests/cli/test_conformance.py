"""`kerata conformance`: the suite from the command line."""

import argparse
import json
import re

import pytest

from kerata import backends, cli
from kerata.cli import conformance
from kerata.core import declare
from kerata.core.errors import ArgumentError, BackendNotInstalledError


def options(**changed):
    given = {"engines": "numpy", "ops": ["exp"], "questions": None, "fast_paths": "on", "html": None}
    return argparse.Namespace(**{**given, **changed})


@pytest.fixture
def wrong_tan(monkeypatch):
    """An engine whose tangent is wrong by one part in a thousand."""
    engine = backends.get("numpy")
    impls = declare.PRIMITIVES["tan"].impls
    right = {kind: impl for kind, impl in impls.items() if kind is not declare.KerasTensor}
    primitive = engine.primitives["tan"]
    monkeypatch.setitem(engine.primitives, "tan", lambda x: primitive(x) * x.dtype.type(1.001))
    for kind in right:
        monkeypatch.delitem(impls, kind)
    yield
    for kind in set(impls) - {declare.KerasTensor}:
        del impls[kind]
    impls.update(right)


def test_agreement(console):
    assert conformance.run(options(ops=["exp", "soft*"]), console) == 0
    text = console.file.getvalue()
    for op in ("exp", "softmax", "softplus", "all"):
        assert re.search(rf"│ {op} .*\d+ ✓", text)
    assert "none wrong" in text and "wide tolerances" in text
    assert re.search(r"Kerata +│ \d", text) and re.search(r"engine numpy +│ \d", text)


def test_a_wrong_value_is_told_in_a_sentence(console, wrong_tan, tmp_path):
    page = tmp_path / "report.html"
    assert conformance.run(options(ops=["tan", "cos"], html=page), console) == 1
    text = console.file.getvalue()
    assert re.search(r"│ tan .*\d+ of \d+ ✗", text) and re.search(r"│ cos .*\d+ ✓", text)
    assert "tan on numpy: gradients" in text
    assert re.search(r"tan\(.*\): .* instead of ", text)
    found = data_of(page)
    assert found["totals"]["problems"] > 0
    assert {a[0] for a in found["answers"] if any(found["texts"][c[3]] for c in a[4])} == {"tan"}


def data_of(page):
    """What the page shows, from the page itself."""
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r"const report = (.*);\n", text)[1].replace("<\\/", "</"))


def test_the_page_is_whole_and_needs_nothing_else(console, tmp_path):
    page = tmp_path / "report.html"
    conformance.run(options(ops=["softmax", "lstm"], html=page), console)
    text, found = page.read_text(encoding="utf-8"), data_of(page)
    assert not re.search(r"(src|href)=|https?://|@import|url\(", text)
    assert list(found["ops"]) == ["lstm", "softmax"] and found["engines"] == ["numpy"]
    assert found["ops"]["lstm"]["tolerance"][3] and found["ops"]["lstm"]["tolerance"][2]
    assert found["totals"]["cases"] == sum(len(answer[4]) for answer in found["answers"]) > 50
    assert found["versions"]["Kerata"] and found["versions"]["engine numpy"]


def test_fast_paths_are_left_as_they_were(console):
    assert declare.fast_paths_on()
    assert conformance.run(options(fast_paths="both", questions="values"), console) == 0
    assert declare.fast_paths_on()


def test_all_installed_engines_are_the_default():
    assert conformance._engines(None) == tuple(backends.installed())


def test_an_engine_that_is_not_installed(monkeypatch, console):
    monkeypatch.setattr(backends, "is_installed", lambda name: name == "numpy")
    monkeypatch.setattr(backends, "_loaded", {"numpy": backends.get("numpy")})
    assert conformance.run(options(engines=None), console) == 0
    assert 'not installed: pip install "kerata[torch]"' in console.file.getvalue()
    with pytest.raises(BackendNotInstalledError, match=r"kerata\[torch\]"):
        conformance.run(options(engines="torch"), console)


@pytest.mark.parametrize(
    "changed, argument",
    [({"ops": ["expp"]}, "ops"), ({"engines": "theano"}, "backend"), ({"questions": "speed"}, "questions")],
)
def test_what_does_not_exist_is_refused(console, changed, argument):
    with pytest.raises(ArgumentError, match=f"`{argument}` must be"):
        conformance.run(options(**changed), console)


def test_the_command_line(capsys):
    assert (
        cli.main(["conformance", "--engines", "numpy", "--ops", "cosh", "--questions", "values,refusals"])
        == 0
    )
    assert "none wrong" in capsys.readouterr().out
