"""Logs are read at the first look, once, and are a dict to everybody."""

import copy
import json
import pickle

import numpy as np
import pytest

import kerata
from kerata.callbacks.lazy_logs import LazyLogs, as_logs

VALUES = {"loss": 1, "auc": np.float32(0.5)}
READ = {"auc": 0.5, "loss": 1.0}


class Source:
    def __init__(self):
        self.reads = 0

    def __call__(self):
        self.reads += 1
        return VALUES


LOOKS = {
    "item": lambda logs: logs["loss"] == 1.0,
    "get": lambda logs: logs.get("loss") == 1.0,
    "get nothing": lambda logs: logs.get("unread") is None,
    "in": lambda logs: "loss" in logs and "unread" not in logs,
    "len": lambda logs: len(logs) == 2,
    "iteration": lambda logs: list(logs) == ["auc", "loss"],
    "reversed": lambda logs: list(reversed(logs)) == ["loss", "auc"],
    "items": lambda logs: dict(logs.items()) == READ,
    "keys": lambda logs: list(logs.keys()) == ["auc", "loss"],
    "values": lambda logs: sum(logs.values()) == 1.5,
    "equality": lambda logs: logs == READ,
    "equality from the right": lambda logs: READ == logs,
    "inequality": lambda logs: not logs != READ,
    "repr": lambda logs: repr(logs) == repr(READ),
    "str": lambda logs: f"{logs}" == repr(READ),
    "dict": lambda logs: dict(logs) == READ,
    "unpacked": lambda logs: {**logs} == READ,
    "arguments": lambda logs: dict(**logs) == READ,
    "update of another": lambda logs: (other := {}, other.update(logs)) and other == READ,
    "copy": lambda logs: logs.copy() == READ,
    "copy.copy": lambda logs: copy.copy(logs) == READ,
    "copy.deepcopy": lambda logs: copy.deepcopy(logs) == READ,
    "pickle": lambda logs: pickle.loads(pickle.dumps(logs)) == READ,
    "json": lambda logs: json.loads(json.dumps(logs)) == READ,
    "or": lambda logs: logs | {"a": 2} == {**READ, "a": 2},
    "or from the right": lambda logs: {"a": 2} | logs == {**READ, "a": 2},
    "set": lambda logs: (logs.__setitem__("a", 2), dict(logs) == {**READ, "a": 2})[1],
    "set default": lambda logs: logs.setdefault("loss", 7.0) == 1.0,
    "update": lambda logs: (logs.update(a=2), dict(logs) == {**READ, "a": 2})[1],
    "delete": lambda logs: (logs.__delitem__("loss"), dict(logs) == {"auc": 0.5})[1],
    "pop": lambda logs: logs.pop("loss") == 1.0,
    "popitem": lambda logs: logs.popitem() == ("loss", 1.0),
    "or default": lambda logs: (logs or {})["loss"] == 1.0,
    "format": lambda logs: "{loss:.2f}".format(**logs) == "1.00",
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=list(LOOKS))
def test_every_look_reads_once(look):
    source = Source()
    logs = LazyLogs(source)
    assert source.reads == 0
    assert look(logs)
    assert source.reads == 1
    len(logs)
    assert source.reads == 1


def test_asking_whether_there_are_logs_reads_nothing():
    source = Source()
    logs = LazyLogs(source)
    assert logs
    assert (logs or {}) is logs
    assert isinstance(logs, dict)
    assert source.reads == 0
    logs.clear()
    assert not logs


def test_an_error_while_reading_is_the_readers():
    def broken():
        raise RuntimeError("device lost")

    with pytest.raises(RuntimeError, match="device lost"):
        LazyLogs(broken)["loss"]


def test_scalars_become_floats(engine):
    tensor = kerata.ops.convert_to_tensor(0.25)
    logs = LazyLogs(lambda: {"t": tensor, "i": 3, "b": True, "n": np.int64(2), "z": np.array(0.5)})
    assert dict(logs) == {"b": 1.0, "i": 3.0, "n": 2.0, "t": 0.25, "z": 0.5}
    assert {type(value) for value in logs.values()} == {float}


def test_what_is_no_scalar_stays():
    row = np.ones(2)
    logs = as_logs({"row": row, "text": "a", "none": None, "list": [1, 2]})
    assert logs == {"list": [1, 2], "none": None, "row": row, "text": "a"}
    assert logs["row"] is row


def test_what_a_loop_may_give():
    source = Source()
    lazy = as_logs(source)
    assert isinstance(lazy, LazyLogs)
    assert as_logs(lazy) is lazy
    assert source.reads == 0
    assert as_logs(None) == {}
