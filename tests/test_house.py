"""The house checks itself: tools, layering, and the rules that keep one engine from becoming special."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

import kerata
from kerata import backends

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "kerata"
FILES = sorted(SOURCE.rglob("*.py"))
TEST_FILES = sorted((ROOT / "tests").rglob("*.py"))
ENGINES = backends.REGISTRY
# What importing each of these would reveal: an engine asked for outside its own folder.
ENGINE_PACKAGES = {root: name for name, entry in ENGINES.items() for root in entry.roots}
ENGINE_PACKAGES |= {"optax": "jax", "flax": "jax"}
MOST_LINES_OF_AN_ENGINE = 2500


def run(*command: str) -> str:
    """What a command printed, if it went wrong."""
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=900, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def folder_of(file: Path) -> str:
    """The engine whose folder a file is in, or an empty string."""
    parts = file.relative_to(SOURCE).parts
    return parts[1] if parts[0] == "backends" and len(parts) > 2 else ""


def place(file: Path, node: ast.AST) -> str:
    return f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def nodes(files: list[Path]) -> Iterator[tuple[Path, ast.AST]]:
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
            yield file, node


def imported(node: ast.AST) -> list[str]:
    """Top-level packages that a statement or an `import_module("…")` names."""
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [(node.module or "").partition(".")[0]]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
        return [
            a.value.partition(".")[0]
            for a in node.args
            if isinstance(a, ast.Constant) and isinstance(a.value, str)
        ]
    return []


# ---- tools ------------------------------------------------------------------------------------------


def test_ruff_finds_nothing():
    assert run("-m", "ruff", "check", "--no-cache", ".") == ""


def test_ruff_would_format_nothing():
    assert run("-m", "ruff", "format", "--check", "--no-cache", ".") == ""


@pytest.mark.timeout(900)
def test_mypy_finds_nothing():
    assert run("-m", "mypy") == ""


def test_imports_point_downwards():
    """The layers of the house, as `[tool.importlinter]` in pyproject.toml states them."""
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    assert run("-c", command) == ""


def test_the_picture_of_the_house_is_the_contract():
    """docs/architecture.md shows the floors that pyproject.toml states, from top to bottom."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    stated = [floor.split(" : ") for floor in project["tool"]["importlinter"]["contracts"][0]["layers"]]
    picture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("```")[1]
    shown = [re.split(r"\s{2,}", line)[0].split() for line in picture.strip().splitlines()]
    assert shown == stated


# ---- engines ----------------------------------------------------------------------------------------


def test_only_an_engines_folder_imports_the_engine():
    wrong = [
        f"{place(file, node)} imports {package}"
        for file, node in nodes(FILES)
        for package in imported(node)
        if package in ENGINE_PACKAGES and folder_of(file) != ENGINE_PACKAGES[package]
    ]
    assert wrong == []


def test_nobody_imports_the_peer():
    """Keras is what results are compared with, never what they are made with."""
    assert [place(f, n) for f, n in nodes(FILES) if "keras" in imported(n)] == []


def test_nobody_outside_backends_asks_which_engine_runs():
    wrong = [
        place(file, node)
        for file, node in nodes([f for f in FILES if "backends" not in f.relative_to(SOURCE).parts])
        if isinstance(node, ast.Compare)
        for side in ast.walk(node)
        if isinstance(side, ast.Constant) and side.value in ENGINES
    ]
    assert wrong == []


@pytest.mark.parametrize("engine_folder", sorted(ENGINES))
def test_an_engine_stays_small(engine_folder):
    lines = sum(
        len(f.read_text(encoding="utf-8").splitlines())
        for f in (SOURCE / "backends" / engine_folder).rglob("*.py")
    )
    assert 0 < lines <= MOST_LINES_OF_AN_ENGINE


def test_importing_kerata_loads_no_engine_and_nothing_heavy():
    heavy = {"jax", "torch", "tensorflow", "keras", "h5py", "rich", "optree", "scipy", "pandas", "sklearn"}
    code = f"import sys, kerata; print(*sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_one_version():
    """pyproject.toml and the package say the same."""
    assert kerata.__version__ == metadata.version("kerata")


# ---- promises ---------------------------------------------------------------------------------------


def test_nothing_is_left_to_do():
    notes = re.compile(r"\b(TODO|FIXME|XXX)\b")
    wrong = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in FILES
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if notes.search(line)
    ]
    assert wrong == []


def test_nothing_is_left_out():
    wrong = [
        place(file, node)
        for file, node in nodes(FILES)
        if isinstance(node, ast.Raise)
        and node.exc is not None
        and "NotImplementedError" in ast.unparse(node.exc)
    ]
    assert wrong == []


def test_no_test_is_skipped_or_expected_to_fail():
    names = {"skip", "skipif", "xfail", "importorskip", "skipTest"}
    wrong = [place(f, n) for f, n in nodes(TEST_FILES) if isinstance(n, ast.Attribute) and n.attr in names]
    assert wrong == []


def test_no_exception_is_swallowed_unnamed():
    wrong = [
        place(file, node)
        for file, node in nodes(FILES)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and all(isinstance(statement, ast.Pass) for statement in node.body)
    ]
    assert wrong == []


def test_import_linter_sees_every_file():
    """A folder without `__init__.py` would be left out, with all that it imports."""
    import grimp

    assert len(grimp.build_graph("kerata", cache_dir=None).modules) == len(FILES)
