"""The examples in docstrings run, and give what they say."""

import ast
import doctest
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"
DOCUMENTED = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef


def examples() -> Iterator[object]:
    """Every docstring with an example, from the source: a decorator may hide it from `inspect`."""
    for file in sorted((SOURCE / "kerata").rglob("*.py")):
        module = ".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            text = ast.get_docstring(node) if isinstance(node, DOCUMENTED) else None
            if text and ">>> " in text:
                name = getattr(node, "name", "(module)")
                yield pytest.param(module, name, text, id=f"{module}:{name}")


@pytest.mark.parametrize("module, name, text", examples())
def test_example(module, name, text, tmp_path, monkeypatch):
    """It sees the names of its module, and may write into the current folder, which is an empty one."""
    monkeypatch.chdir(tmp_path)
    names = dict(vars(importlib.import_module(module)))
    example = doctest.DocTestParser().get_doctest(text, names, name, module, 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(example, out=report.append)
    assert "".join(report) == ""
    assert runner.tries > 0
