"""What Keras makes of the cases: asked once for the same cases, by whichever worker comes first."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / ".pytest_cache" / "keras_layers"


class Peer(NamedTuple):
    """Outputs by case, and everything else that was asked."""

    values: dict[str, np.ndarray]
    cases: dict[str, Any]
    signatures: dict[str, Any]

    def of(self, row: Any) -> dict[str, Any]:
        """What Keras made of a case."""
        facts = self.cases[row.name]
        if "error" in facts:
            pytest.fail(
                f"Keras does not run the case {row.name}: {facts['error']}\n"
                "If Keras has no such layer, or fails there, say peer=False in its row of tests/layers/cases.py.",
                pytrace=False,
            )
        return facts


@pytest.fixture(scope="session")
def peer() -> Peer:
    """Keras 3 itself, in a process of its own."""
    sources = b"".join((HERE / name).read_bytes() for name in ("cases.py", "peer_process.py"))
    key = hashlib.sha256(sources + version("keras").encode()).hexdigest()[:16]
    folder = CACHE / key
    if not folder.exists():
        draft = CACHE / f"{key}.{os.getpid()}"
        draft.mkdir(parents=True)
        paths = [str(draft / "values.npz"), str(draft / "facts.json")]
        asked = subprocess.run(
            [sys.executable, str(HERE / "peer_process.py"), *paths],
            capture_output=True,
            text=True,
            check=False,
        )
        assert asked.returncode == 0, asked.stderr[-2000:]
        try:
            draft.rename(folder)
        except OSError:  # another worker was first
            pass
    facts = json.loads((folder / "facts.json").read_text())
    with np.load(folder / "values.npz") as values:
        return Peer(dict(values), facts["cases"], facts["signatures"])
