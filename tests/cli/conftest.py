"""Consoles that are read by tests instead of people."""

import io

import pytest
from rich.console import Console


@pytest.fixture
def console() -> Console:
    """A wide console without colours; `console.file.getvalue()` is what it printed."""
    return Console(file=io.StringIO(), width=200)
