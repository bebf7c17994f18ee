"""The examples in docstrings run, and give what they say."""

import ast
import doctest
import importlib
import inspect
import re
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


# Switches, which an example would turn; an index of hooks; and a base that users reach through `Model`.
WITHOUT = re.compile(r"(en|dis)able_\w+|is_\w+_enabled|max_(epochs|steps_per_epoch)|ProgbarLogger|Functional")
SPACES = [
    "", "activations", "backend", "callbacks", "config", "constraints", "datasets", "dtype_policies", "initializers",
    "layers", "losses", "metrics", "models", "ops", "ops.image", "ops.linalg", "ops.nn", "optimizers",
    "optimizers.schedules", "random", "regularizers", "saving", "tree", "utils",
]  # fmt: skip


@pytest.mark.parametrize("space", SPACES)
def test_every_public_name_has_an_example(space):
    module = importlib.import_module(f"kerata.{space}" if space else "kerata")
    names = [name for name in dir(module) if not name.startswith("_") and not WITHOUT.fullmatch(name)]
    things = {name: getattr(module, name) for name in names}
    bare = [
        name
        for name, thing in things.items()
        if (inspect.isclass(thing) or inspect.isfunction(thing))
        and thing.__module__.startswith("kerata.")
        and ">>> " not in (thing.__doc__ or "")
    ]
    assert bare == []
