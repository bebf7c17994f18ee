"""Native messages are held back, and only those."""

import os
import sys

import pytest

from kerata.cli.quiet import native_messages_held


def test_native_messages_are_not_shown_and_python_ones_are(capfd):
    with native_messages_held():
        os.write(2, b"chatter\n")
        print("a warning", file=sys.stderr)
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "a warning\nafter\n"


def test_native_messages_are_shown_when_it_fails(capfd):
    with pytest.raises(ValueError, match="no"), native_messages_held():
        os.write(2, b"the reason\n")
        raise ValueError("no")
    assert capfd.readouterr().err == "the reason\n"


def test_no_descriptor_is_left_open():
    before = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else []
    for _ in range(5):
        with native_messages_held():
            pass
    assert len(os.listdir("/proc/self/fd") if before else []) == len(before)
