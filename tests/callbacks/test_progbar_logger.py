"""What people see, on a file, a terminal and in a notebook."""

import logging
import os
import re
import subprocess
import sys
import types

import pytest

from kerata.callbacks import CallbackList
from kerata.core import config
from kerata.utils import io, progbar

VALUES = {"loss": 0.5, "accuracy": 1e-5}


class Clock:
    """Every look at it takes no time; the test moves it."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progbar, "_clock", clock)
    return clock


def fit(clock, verbose, steps=4, epochs=2, seconds=0.5, known=True, stop_at=None, seen=None):
    """What a loop of `fit` does with callbacks; values are counted in `seen` when they are read."""

    def read():
        if seen is not None:
            seen.append(1)
        return VALUES

    everything = CallbackList(
        add_progbar=True, verbose=verbose, epochs=epochs, steps=steps if known else None
    )
    everything.on_train_begin()
    for epoch in range(epochs):
        everything.on_epoch_begin(epoch)
        for step in range(steps if stop_at is None else stop_at):
            clock.now += seconds
            if everything.wants_train_batch_end:
                everything.on_train_batch_end(step, read)
        everything.on_test_begin()
        if everything.wants_test_batch_end:
            everything.on_test_batch_end(0, read)
        everything.on_test_end({"loss": 9.0})
        everything.on_epoch_end(epoch, {**VALUES, "val_loss": 2.0})
    everything.on_train_end()
    return everything


def test_silence(clock, capsys):
    seen = []
    everything = fit(clock, verbose=0, seen=seen)
    assert not everything.wants_train_batch
    assert (capsys.readouterr().out, seen) == ("", [])


def test_two_lines_an_epoch(clock, capsys):
    fit(clock, verbose=2)
    line = "4/4 - 2s - 500ms/step - accuracy: 1.0000e-05 - loss: 0.5000 - val_loss: 2.0000"
    assert capsys.readouterr().out.splitlines() == ["Epoch 1/2", line, "Epoch 2/2", line]


@pytest.mark.parametrize("verbose", [1, "auto"])
def test_one_line_an_epoch_where_nobody_watches(clock, capsys, verbose):
    seen = []
    everything = fit(clock, verbose=verbose, seen=seen)
    assert not everything.wants_train_batch  # the loop need not call, and nothing is read
    assert seen == []
    line = "4/4 - 2s - 500ms/step - accuracy: 1.0000e-05 - loss: 0.5000 - val_loss: 2.0000"
    assert capsys.readouterr().out.splitlines() == [f"Epoch 1/2 - {line}", f"Epoch 2/2 - {line}"]


def test_an_unknown_number_of_steps_is_counted(clock, capsys):
    seen = []
    fit(clock, verbose=2, known=False, seen=seen)
    assert seen == []
    assert capsys.readouterr().out.count("4/4 - 2s - 500ms/step") == 2


def test_evaluate_and_predict(clock, capsys):
    everything = CallbackList(add_progbar=True, verbose=1, steps=3)
    everything.on_test_begin()
    clock.now += 0.003
    everything.on_test_end({"loss": 0.25})
    everything.on_predict_begin()
    clock.now += 0.0003
    everything.on_predict_batch_end(0, {"outputs": [1, 2]})
    everything.on_predict_end({})
    assert capsys.readouterr().out.splitlines() == [
        "Evaluate - 3/3 - 0s - 1ms/step - loss: 0.2500",
        "Predict - 3/3 - 0s - 100us/step",
    ]


def test_the_log_instead_of_the_terminal(clock, capsys, caplog):
    config.disable_interactive_logging()
    try:
        with caplog.at_level(logging.INFO, "kerata"):
            fit(clock, verbose=1, epochs=1)
    finally:
        config.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    assert [record.message[:15] for record in caplog.records] == ["Epoch 1/1 - 4/4"]


# ---- a notebook --------------------------------------------------------------------------------------


@pytest.fixture
def notebook(monkeypatch):
    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    yield
    io.wipe_with(None)


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_a_notebook_rewrites_its_line(clock, capsys, notebook):
    fit(clock, verbose=1, epochs=1)
    frames = plain(capsys.readouterr().out).split("\r")[1:]
    assert [frame.strip() for frame in frames] == [
        "Epoch 1/1 ━━━━━━━━━━━━━━━━━━━━ 1/4 0.5s  accuracy: 1.0000e-05  loss: 0.5000",
        "Epoch 1/1 ━━━━━━━━━━━━━━━━━━━━ 2/4 1.0s left 500ms/step  accuracy: 1.0000e-05  loss: 0.5000",
        "Epoch 1/1 ━━━━━━━━━━━━━━━━━━━━ 3/4 0.5s left 500ms/step  accuracy: 1.0000e-05  loss: 0.5000",
        "Epoch 1/1 ━━━━━━━━━━━━━━━━━━━━ 4/4 0.0s left 500ms/step  accuracy: 1.0000e-05  loss: 0.5000",
        "Epoch 1/1 ━━━━━━━━━━━━━━━━━━━━ 4/4 2.0s 500ms/step  accuracy: 1.0000e-05  loss: 0.5000  val_loss: 2.0000",
    ]
    assert frames[-1].endswith("\n")
    for shorter, longer in zip(frames[1:], frames, strict=False):
        assert len(shorter) >= len(longer.rstrip())  # what stood there is overwritten


def test_it_draws_ten_times_a_second_and_reads_only_then(clock, notebook, capsys):
    seen = []
    fit(clock, verbose=1, epochs=1, steps=1000, seconds=0.002, seen=seen)  # two seconds
    assert 15 <= len(seen) <= 21


def test_short_epochs_are_shown_when_they_are_over(clock, notebook, capsys):
    seen = []
    fit(clock, verbose=1, epochs=5, steps=3, seconds=0.001, seen=seen)
    assert len(seen) == 1  # the first step of all
    assert plain(capsys.readouterr().out).count("\n") == 5


def test_the_first_step_does_not_count_for_the_pace(clock, notebook, capsys):
    everything = CallbackList(add_progbar=True, verbose=1, epochs=1, steps=10)
    everything.on_train_begin()
    everything.on_epoch_begin(0)
    for step, seconds in enumerate([30.0, 1.0, 1.0]):
        clock.now += seconds
        everything.on_train_batch_end(step, dict)
    assert "3/10 7.0s left 1s/step" in plain(capsys.readouterr().out)
    everything.close()


def test_a_message_gets_a_line_of_its_own(clock, notebook, capsys):
    everything = CallbackList(add_progbar=True, verbose=1, epochs=1, steps=2)
    everything.on_train_begin()
    everything.on_epoch_begin(0)
    clock.now += 1
    everything.on_train_batch_end(0, dict)
    capsys.readouterr()
    io.print_msg("Epoch 1: saving")
    assert re.fullmatch(r"\r +\rEpoch 1: saving\n", capsys.readouterr().out)
    everything.on_epoch_end(0, {})
    io.print_msg("next")
    assert capsys.readouterr().out.endswith("\nnext\n")


def test_training_that_stops_early_shows_how_far_it_came(clock, notebook, capsys):
    fit(clock, verbose=1, epochs=1, steps=4, stop_at=2)
    assert "2/4 1.0s 500ms/step" in plain(capsys.readouterr().out).splitlines()[-1]


def test_steps_without_a_known_end(clock, notebook, capsys):
    fit(clock, verbose=1, epochs=2, steps=3, known=False)
    out = plain(capsys.readouterr().out)
    assert "Epoch 1/2 2 steps 1.0s 500ms/step" in out
    assert re.search(r"Epoch 2/2 ━+ 2/3", out)  # the first epoch has told


# ---- a terminal --------------------------------------------------------------------------------------

SCRIPT = """
import sys, time, types
from kerata.callbacks import Callback, CallbackList

class Talks(Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 1:
            print("a user's line")

everything = CallbackList([Talks()], add_progbar=True, model=types.SimpleNamespace(), verbose=1, epochs=1, steps=3)
everything.on_train_begin()
everything.on_epoch_begin(0)
for batch in range(3):
    time.sleep(0.11)
    everything.on_train_batch_end(batch, lambda: {"loss": 0.5, "accuracy": 0.25})
    if "error" in sys.argv and batch == 1:
        raise RuntimeError("training failed")
everything.on_epoch_end(0, {"loss": 0.5, "accuracy": 0.25, "val_accuracy": 0.75, "val_loss": 0.125})
print("after")
"""


def on_a_terminal(*arguments, columns=100):
    """What a program writes to a terminal."""
    import pty

    controller, terminal = pty.openpty()
    environment = {
        **os.environ,
        "TERM": "xterm-256color",
        "COLUMNS": str(columns),
        "LINES": "30",
        "PYTHONUTF8": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments],
        stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal, env=environment,
    )  # fmt: skip
    os.close(terminal)
    written = b""
    while True:
        try:
            piece = os.read(controller, 1 << 16)
        except OSError:  # how a pseudo-terminal says that the other side has closed it
            break
        if not piece:
            break
        written += piece
    os.close(controller)
    process.wait()
    return written.decode()


def screen_of(written, columns=100):
    """The lines that are left on the terminal: a small terminal of our own."""
    lines, row, column = [""], 0, 0
    for token in re.findall(r"\x1b\[[0-9;?]*[a-zA-Z]|.|\n", written, re.DOTALL):
        if token == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif token == "\r":
            column = 0
        elif token.startswith("\x1b"):
            count, kind = int(re.sub(r"\D", "", token) or 1), token[-1]
            if kind == "K":
                lines[row] = "" if token == "\x1b[2K" else lines[row][:column]
            elif kind == "A":
                row -= count
        else:
            lines[row] = lines[row][:column].ljust(column) + token + lines[row][column + 1 :]
            column += 1
    return [line.rstrip() for line in lines if line.strip()]


def test_a_terminal_shows_a_bar_and_what_others_print_above_it():
    written = on_a_terminal(columns=140)
    shown = screen_of(written)
    assert shown[0] == "a user's line"
    assert re.fullmatch(
        r"Epoch 1/1 ━{20} 3/3 0\.\ds 1\d\dms/step  accuracy: 0.2500  loss: 0.5000  "
        r"val_accuracy: 0.7500  val_loss: 0.1250",
        shown[1],
    )
    assert shown[2:] == ["after"]
    assert "left" in plain(written)  # it was drawn before the end
    assert "\x1b[?25l" not in written  # the cursor stays visible, whatever happens


def test_a_narrow_terminal_breaks_between_values():
    shown = screen_of(on_a_terminal(columns=70))
    assert re.fullmatch(r"Epoch 1/1 ━{8} 3/3 0\.\ds 1\d\dms/step  accuracy: 0.2500  loss: 0.5000", shown[1])
    assert shown[2] == "          val_accuracy: 0.7500  val_loss: 0.1250"


def test_an_error_leaves_a_terminal_in_order():
    written = on_a_terminal("error")
    shown = screen_of(written)
    assert "RuntimeError: training failed" in shown
    assert written.endswith("\n")


def test_the_bar_needs_nothing_until_it_is_shown():
    code = (
        "import sys, kerata.callbacks, kerata.utils.progbar; from kerata.callbacks import CallbackList;"
        "c = CallbackList(add_progbar=True, verbose=2, epochs=1, steps=1);"
        "c.on_train_begin(); c.on_epoch_begin(0); c.on_epoch_end(0, {'loss': 1.0});"
        "print(sorted({'rich', 'jax', 'torch', 'tensorflow', 'h5py', 'optree'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["1/1 - 0s - " + done.stdout.split(" - ")[2] + " - loss: 1.0000", "[]"]
