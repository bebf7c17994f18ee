"""What tests of hostile files share: a watch on the process, and a load that must be refused and leave no trace."""

import os
import sys
import tempfile

import crafted
import numpy as np
import pytest
from crafted import graph, inputs, op, plain, tensor

import kerata
from kerata import ops
from kerata.saving import RefusedFileError


class Watch:
    """What the process opens, imports, runs and writes while a file is loaded."""

    EVENTS = ("open", "import", "exec", "compile", "os.system", "subprocess.Popen", "socket.connect", "os.mkdir",
              "os.listdir", "os.scandir", "os.remove", "os.rename", "marshal.loads", "pickle.find_class",
              "tempfile.mkstemp", "tempfile.mkdtemp", "urllib.Request", "ctypes.dlopen")  # fmt: skip

    def __init__(self):
        self.on, self.seen = False, []
        sys.addaudithook(self._hook)  # stays for the rest of the process; silent unless `on`

    def _hook(self, event, arguments):
        if self.on and event in self.EVENTS:
            self.seen.append((event, str(arguments[0]) if arguments else ""))


WATCH = Watch()


@pytest.fixture(autouse=True)
def place(tmp_path, tmp_path_factory, monkeypatch):
    """An empty working folder with a module in it that leaves a marker when it is imported; a folder of our own for
    temporary files, as other programs use the common one."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
    (tmp_path / "canary_module.py").write_text("open('marker', 'w').close()\ndef run(x): return x\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def write(data, name="model.keras"):
    with open(name, "wb") as file:
        file.write(data)
    return name


def snapshot():
    here = {name: os.stat(name).st_mtime_ns for name in sorted(os.listdir("."))}
    return here, sorted(os.listdir(tempfile.gettempdir())), dict(os.environ), list(sys.path), os.getcwd()


def refuse(config, reason, arrays=crafted.PLAIN_ARRAYS, load=None, **options):
    """The file is refused for that reason, and nothing else has happened."""
    data = config if isinstance(config, bytes) else crafted.archive(config, arrays)
    path = write(data)
    before = snapshot()
    WATCH.seen.clear()
    WATCH.on = True
    try:
        with pytest.raises(RefusedFileError, match=reason) as info:
            (load or kerata.saving.load_model)(path, **options)
    finally:
        WATCH.on = False
    opened = {what for event, what in WATCH.seen if event == "open"}
    assert opened <= {path}, opened
    assert not [seen for seen in WATCH.seen if seen[0] not in ("open", "import")], WATCH.seen
    assert not any("canary" in what for _, what in WATCH.seen)
    assert snapshot() == before
    text = str(info.value)
    assert isinstance(info.value, ValueError) and text.startswith(path) and len(text) < 1000
    return text


def warmed():
    """Loads a plain file once, so that what is imported at the first load is not taken for the file's doing."""
    arrays = {"optimizer/vars/0": np.int32(3), "optimizer/vars/1": np.float32(0.1), **crafted.PLAIN_ARRAYS}
    config = {**plain(), "compile_config": {"optimizer": "adam", "loss": "mse"}}
    model = kerata.saving.load_model(write(crafted.archive(config, arrays), "warm.keras"))
    assert int(model.optimizer.iterations.numpy()) == 3
    assert ops.convert_to_numpy(model(ops.ones((1, 4)))).tolist() == [[4.0, 4.0]]
    kerata.saving.load_model(
        write(crafted.archive(graph(inputs(), op("Add", tensor("x"), 1)), {}), "warm.keras")
    )
    os.remove("warm.keras")
    return model


@pytest.fixture(autouse=True)
def warm(engine, place):
    return warmed()
