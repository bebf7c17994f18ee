"""Who is called, with what, and what a loop may leave out."""

import re
import sys
import types

import pytest

from kerata import callbacks
from kerata.callbacks import Callback, CallbackList, LambdaCallback
from kerata.callbacks.callback import HOOKS
from kerata.core.errors import ArgumentError


def stable(value):
    """A test's name without addresses: every worker must give the same."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))


BATCH_HOOKS = [hook for hook in HOOKS if "batch" in hook]


def wants(everything):
    return {hook for hook in BATCH_HOOKS if getattr(everything, "wants_" + hook.removeprefix("on_"))}


def test_nobody_wants_a_hook_that_nobody_overrides(tmp_path):
    quiet = [
        Callback(), callbacks.History(), callbacks.EarlyStopping(), callbacks.ReduceLROnPlateau(),
        callbacks.LearningRateScheduler(lambda epoch: 0.1), callbacks.CSVLogger(tmp_path / "log.csv"),
        callbacks.ModelCheckpoint("m.keras"), callbacks.BackupAndRestore(tmp_path), callbacks.SwapEMAWeights(),
        LambdaCallback(on_epoch_end=print),
    ]  # fmt: skip
    everything = CallbackList(quiet, add_history=True, add_progbar=True, verbose=0, epochs=1, steps=3)
    assert wants(everything) == set()
    assert not everything.wants_train_batch
    assert not everything.wants_test_batch
    assert not everything.wants_predict_batch


@pytest.mark.parametrize("hook", BATCH_HOOKS)
def test_each_hook_is_wanted_by_who_overrides_it(hook):
    by_class = type("ByClass", (Callback,), {hook: lambda self, batch, logs=None: None})()
    by_instance = Callback()
    setattr(by_instance, hook, print)
    phase = hook.split("_")[1]
    for callback in (by_class, by_instance, LambdaCallback(**{hook: print})):
        everything = CallbackList(callback)
        assert wants(everything) == {hook}
        assert getattr(everything, f"wants_{phase}_batch")
        assert wants(CallbackList(everything)) == {hook}


@pytest.mark.parametrize("end", ["begin", "end"])
def test_the_short_names_are_hooks_of_training(end):
    seen = []
    by_class = type(
        "Short", (Callback,), {f"on_batch_{end}": lambda self, batch, logs=None: seen.append(batch)}
    )()
    by_instance = Callback()
    setattr(by_instance, f"on_batch_{end}", lambda batch, logs: seen.append(batch))
    everything = CallbackList([by_class, by_instance])
    assert wants(everything) == {f"on_train_batch_{end}"}
    getattr(everything, f"on_train_batch_{end}")(1)
    getattr(everything, f"on_batch_{end}")(2)
    getattr(everything, f"on_test_batch_{end}")(3)
    assert seen == [1, 1, 2, 2]


@pytest.mark.parametrize("name", ["ModelCheckpoint", "BackupAndRestore"])
def test_batches_are_wanted_where_they_are_counted(name, tmp_path):
    kind, path = getattr(callbacks, name), str(tmp_path / "m.keras")
    assert wants(CallbackList(kind(path, save_freq=5))) == {"on_train_batch_end"}
    own = type("Own", (kind,), {"on_train_batch_end": lambda self, batch, logs=None: None})
    assert wants(CallbackList(own(path))) == {"on_train_batch_end"}


def test_a_callback_may_decide_when_training_begins():
    class Late(Callback):
        def on_train_begin(self, logs=None):
            self.on_train_batch_end = lambda batch, logs: seen.append(batch)

    seen = []
    everything = CallbackList(Late())
    assert not everything.wants_train_batch
    everything.on_train_begin()
    assert everything.wants_train_batch_end
    everything.on_train_batch_end(4)
    assert seen == [4]


def test_values_are_read_only_if_a_callback_looks():
    reads, counted, losses = [], [], []

    def read():
        reads.append(1)
        return {"loss": 0.5}

    everything = CallbackList(
        [LambdaCallback(on_train_batch_end=lambda batch, logs: counted.append(bool(logs or {})))]
    )
    everything.on_train_batch_end(0, read)
    assert (reads, counted) == ([], [True])
    everything = CallbackList(
        [LambdaCallback(on_train_batch_end=lambda batch, logs: losses.append(logs["loss"]))] * 2
    )
    everything.on_train_batch_end(0, read)
    assert (len(reads), losses) == (1, [0.5, 0.5])


def test_logs_that_somebody_keeps_are_those_of_their_batch():
    kept, unread = [], []
    state = {"loss": 0.0}
    everything = CallbackList(
        [
            LambdaCallback(on_train_batch_end=lambda batch, logs: unread.append(logs is None)),
            LambdaCallback(on_train_batch_end=lambda batch, logs: kept.append(logs)),
        ]
    )
    for batch in range(3):
        state["loss"] = float(batch)
        everything.on_train_batch_end(batch, lambda: state)
    assert kept == [{"loss": 0.0}, {"loss": 1.0}, {"loss": 2.0}]


def test_what_one_callback_notes_the_next_ones_see(stub_model):
    history = callbacks.History()
    everything = CallbackList(
        [callbacks.LearningRateScheduler(lambda epoch: 0.25), history], model=stub_model(), epochs=1
    )
    everything.on_train_begin()
    everything.on_epoch_begin(0)
    logs = {"loss": 1.0}
    everything.on_epoch_end(0, logs)
    assert history.history == {"loss": [1.0], "learning_rate": [0.25]}
    assert logs == {"loss": 1.0}  # the loop's own stay as they are


def test_model_params_and_history(stub_model):
    model, callback = stub_model(), Callback()
    everything = CallbackList(
        [[callback], ()], add_history=True, add_progbar=True, model=model, epochs=2, steps=None
    )
    assert [type(c).__name__ for c in everything.callbacks] == ["Callback", "History", "ProgbarLogger"]
    assert callback.model is everything.model is model
    assert callback.params == everything.params == {"epochs": 2, "steps": None}
    assert model.history is everything.callbacks[1]


def test_what_is_there_is_not_added_again():
    mine = [callbacks.ProgbarLogger(), callbacks.History()]
    everything = CallbackList(mine, add_history=True, add_progbar=True)
    assert everything.callbacks == mine


@pytest.mark.parametrize("wrong", [3, "x", Callback, [None, 3], object()], ids=stable)
def test_what_is_no_callback_is_refused(wrong):
    with pytest.raises(ArgumentError, match="`callbacks` must be a `Callback` or a list of them"):
        CallbackList(wrong)


def test_a_class_instead_of_an_object_is_explained():
    with pytest.raises(ArgumentError, match="add parentheses"):
        CallbackList([callbacks.History])


def test_callbacks_of_other_packages_are_called_at_the_hooks_they_have():
    seen = []
    other = types.SimpleNamespace(
        set_model=lambda model: seen.append("model"),
        set_params=lambda params: seen.append(params),
        on_epoch_end=lambda epoch, logs: seen.append((epoch, logs)),
    )
    everything = CallbackList(other, model=types.SimpleNamespace(), epochs=1)
    assert wants(everything) == set()
    everything.on_epoch_begin(0)
    everything.on_epoch_end(0, {"loss": 1})
    assert seen == ["model", {"epochs": 1}, (0, {"loss": 1.0})]


def test_a_callback_that_does_not_call_super_works(stub_model):
    class Bare(Callback):
        def __init__(self):
            self.seen = []

        def on_epoch_end(self, epoch, logs=None):
            self.seen.append((epoch, self.model is not None, self.params["epochs"]))

    bare = Bare()
    assert bare.model is None
    everything = CallbackList(bare, model=stub_model(), epochs=3)
    everything.on_epoch_end(0)
    assert bare.seen == [(0, True, 3)]


def test_a_batch_costs_little_where_nobody_looks():
    """No callback is asked, and no logs are computed."""
    everything = CallbackList(LambdaCallback(on_epoch_end=lambda epoch, logs: None))
    everything.on_train_begin()
    calls = []

    def record(frame, event, argument):
        if event == "call":
            calls.append(frame.f_code.co_name)

    sys.setprofile(record)
    everything.on_train_batch_end(0, lambda: pytest.fail("logs were computed"))
    sys.setprofile(None)
    assert len(calls) <= 2  # its own: no loop over callbacks
