"""A process that runs Keras, shared by the tests of one worker, and the files that it made."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # for the modules that tests and the peer's process share


class Peer:
    """Keras behind a pipe."""

    def __init__(self, folder):
        self.folder = folder
        self._made = {}
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "keras_peer.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )

    def ask(self, do, **order):
        self._process.stdin.write(json.dumps({"do": do, **order}) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("@"):
                answer = json.loads(line[1:])
                assert "error" not in answer, answer["error"]
                return answer["answer"]
        raise AssertionError("Keras's process has ended")

    def files(self, name):
        """Paths without endings of what Keras made for a model of the zoo."""
        if name not in self._made:
            # Once in dozens of runs Keras says of the model that it has just compiled that it was not compiled.
            self._made[name] = self._make(name) and self._make(name)
        assert self._made[name] is None, self._made[name]
        return self.folder / name

    def _make(self, name):
        """What went wrong, or None."""
        return self.ask("make", folder=str(self.folder), names=[name]).get(name)

    def close(self):
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture(scope="session")
def peer(tmp_path_factory):
    """Keras 3 itself."""
    process = Peer(tmp_path_factory.mktemp("keras"))
    yield process
    process.close()
