"""`kerata doctor`: what is installed, what works, and what to install for the rest."""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kerata import backends
from kerata.core.errors import KerataError

PROBE_SECONDS = 120


class Feature(NamedTuple):
    """Something that needs a package beyond the required ones."""

    title: str
    api: str | None  # the public name that needs the package, None where it is no function
    module: str
    package: str


# One row for each optional package, added together with the feature that needs it.
FEATURES = (
    Feature("learning curve of `kerata demo`", None, "matplotlib", "matplotlib"),
    Feature("training on data frames", "Model.fit", "pandas", "pandas"),
)


class Finding(NamedTuple):
    """What a look at one engine found. `problem` is None when the engine works."""

    name: str
    version: str = ""
    devices: tuple[str, ...] = ()
    problem: str | None = None


def add_parser(commands: Any) -> None:
    text = (
        "Show what is installed, which engine is the default and why, and what is missing for which feature."
    )
    parser = commands.add_parser("doctor", help="show engines, devices and what is missing", description=text)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, console: Console | None = None) -> int:
    """Prints the report. Returns 1 if an installed engine, or the default one, does not work."""
    console = console or Console()
    console.print(_about())
    with console.status("Trying the engines …"):
        findings = examine()
    console.print(_engines(findings))
    healthy = _print_default(console, findings)
    console.print(_features())
    return 0 if healthy and not any(finding.problem for finding in findings) else 1


def examine() -> list[Finding]:
    """Tries each installed engine in a process of its own: one that crashes or hangs is found, not suffered."""
    names = backends.installed()
    with ThreadPoolExecutor(len(names)) as pool:
        return list(pool.map(_examine, names))


def _examine(name: str) -> Finding:
    command = [sys.executable, "-m", "kerata.cli.probe", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Finding(name, problem=f"did not start within {PROBE_SECONDS} seconds")
    if done.returncode != 0:
        return Finding(name, problem=_reason(done))
    found = json.loads(done.stdout.splitlines()[-1])
    return Finding(name, found["version"], tuple(found["devices"]))


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """The last line of a traceback says what happened; a crash leaves none, or only warnings."""
    if done.returncode < 0:
        return f"crashed with signal {-done.returncode}"
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"ended with status {done.returncode}"


def _about() -> Table:
    table = _table("Kerata", "", "")
    table.add_row("Kerata", metadata.version("kerata"))
    table.add_row("Python", f"{platform.python_version()} ({sys.executable})")
    table.add_row("System", f"{platform.system()} {platform.release()}, {platform.machine()}")
    return table


def _engines(findings: list[Finding]) -> Table:
    table = _table("Engines", "engine", "version", "devices", "state")
    found = {finding.name: finding for finding in findings}
    for name in backends.known():
        finding = found.get(name)
        if finding is None:
            table.add_row(name, "", "", _install(backends.REGISTRY[name].requirement))
        elif finding.problem is not None:
            table.add_row(name, "", "", Text(finding.problem, style="red"))
        else:
            table.add_row(name, finding.version, ", ".join(finding.devices), Text("works", style="green"))
    return table


def _print_default(console: Console, findings: list[Finding]) -> bool:
    """Names the default engine and the reason. False where the choice cannot be followed."""
    try:
        name, reason = backends.default_choice()
    except KerataError as error:
        console.print(Text(f"Default engine: none. {error}", style="red"))
        return False
    console.print(Text.assemble("Default engine: ", (name, "bold"), f" ({reason})."))
    if any(finding.name == name for finding in findings):
        return True
    console.print(
        Text.assemble((f"{name} is not installed. ", "red"), _install(backends.REGISTRY[name].requirement))
    )
    return False


def _features() -> Table:
    table = _table("Optional features", "feature", "needs", "state")
    for feature in FEATURES:
        there = importlib.util.find_spec(feature.module) is not None
        state = Text(_version(feature.package), style="green") if there else _install(feature.package)
        table.add_row(feature.title, feature.package, state)
    return table


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # some distributors rename packages, or drop what pip knows of them
        return "installed"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", show_header=any(columns))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _install(requirement: str) -> Text:
    return Text(f'pip install "{requirement}"', style="yellow")
