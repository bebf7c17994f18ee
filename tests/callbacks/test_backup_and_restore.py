"""A training that is interrupted at any moment goes on from a whole state."""

import json
import os

import pytest

from kerata.callbacks import BackupAndRestore
from kerata.core.errors import ArgumentError, RefusedFileError


class Crash(BaseException):
    """Nobody catches it."""


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "backup"


def files(folder):
    return sorted(os.listdir(folder)) if folder.exists() else []


def train(loop, folder, model, epochs=4, crash_in=None, **options):
    """Epoch e leaves the weight e + 1. Returns the epochs that ran, and the weight they began with."""
    ran = []
    backup = BackupAndRestore(folder, **options)
    model._initial_epoch = 0
    backup.set_model(model)
    backup.on_train_begin()
    restored = model.weight

    class Rest(type(backup)):
        """What comes after `on_train_begin`, where `fit` looks with which epoch to begin."""

        def on_train_begin(self, logs=None):
            return

        def on_epoch_begin(self, epoch, logs=None):
            ran.append(epoch)
            if epoch == crash_in:
                raise Crash
            super().on_epoch_begin(epoch)

    rest = Rest(folder, **options)
    loop.run(rest, [{"loss": 1.0}] * epochs, model=model, initial_epoch=model._initial_epoch)
    return ran, restored


def interrupted(loop, folder, model, crash_in=2, **options):
    with pytest.raises(Crash):
        train(loop, folder, model, crash_in=crash_in, **options)


def test_it_goes_on_with_the_epoch_that_was_interrupted(loop, folder, stub_model):
    interrupted(loop, folder, stub_model())
    assert files(folder) == ["latest.weights.h5", "training_metadata.json"]
    assert json.loads((folder / "training_metadata.json").read_text())["epoch"] == 2
    assert train(loop, folder, stub_model()) == ([2, 3], 2.0)
    assert files(folder) == []
    assert not folder.exists()


def test_without_a_backup_it_begins_at_the_beginning(loop, folder, stub_model):
    interrupted(loop, folder, stub_model(), crash_in=0)
    assert train(loop, folder, stub_model()) == ([0, 1, 2, 3], 0.0)


def test_a_backup_within_an_epoch_restarts_it(loop, folder, stub_model):
    interrupted(loop, folder, stub_model(), save_freq=2)  # after batches 2, 4 and 6; an epoch has 3
    metadata = json.loads((folder / "training_metadata.json").read_text())
    assert (metadata["epoch"], metadata["batch"]) == (1, 2)
    assert train(loop, folder, stub_model(), save_freq=2) == ([1, 2, 3], 2.0)


def test_the_backup_may_be_kept(loop, folder, stub_model):
    train(loop, folder, stub_model(), delete_checkpoint=False)
    assert files(folder) == ["latest.weights.h5", "training_metadata.json"]
    assert train(loop, folder, stub_model(), delete_checkpoint=False) == ([], 4.0)


def test_other_files_in_the_folder_stay(loop, folder, stub_model):
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    train(loop, folder, stub_model())
    assert files(folder) == ["mine.txt"]


def test_the_backup_before_the_latest(loop, folder, stub_model):
    interrupted(loop, folder, stub_model(), double_checkpoint=True)
    assert files(folder) == [
        "latest.weights.h5", "latest.weights.h5.bkp", "training_metadata.json", "training_metadata.json.bkp",
    ]  # fmt: skip
    (folder / "latest.weights.h5").write_text("damaged")
    with pytest.warns(UserWarning, match="the latest backup is damaged"):
        assert train(loop, folder, stub_model(), double_checkpoint=True) == ([1, 2, 3], 1.0)
    assert not folder.exists()


@pytest.mark.parametrize("name", ["latest.weights.h5", "training_metadata.json"])
@pytest.mark.parametrize("content", ["", "{}", "damaged", None])
def test_a_damaged_backup_is_refused(loop, folder, stub_model, name, content):
    interrupted(loop, folder, stub_model())
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(RefusedFileError, match="the backup is damaged"):
        train(loop, folder, stub_model())


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("moment", range(1, 8))
def test_a_crash_while_a_backup_is_written(loop, folder, stub_model, monkeypatch, double, moment):
    """Every step of the third backup in turn is the last thing that happens."""
    interrupted(loop, folder, stub_model(), double_checkpoint=double)  # backups of epochs 1 and 2
    model = stub_model()
    model.weight = 3.0
    backup = BackupAndRestore(folder, double_checkpoint=double)
    backup.set_model(model)
    steps = []

    def counted(function):
        def call(*args, **kwargs):
            steps.append(1)
            if len(steps) == moment:
                raise Crash
            return function(*args, **kwargs)

        return call

    monkeypatch.setattr(os, "replace", counted(os.replace))
    monkeypatch.setattr(os, "fsync", counted(os.fsync))
    monkeypatch.setattr(model, "save_weights", counted(model.save_weights))
    try:
        backup.on_epoch_end(2, {})
        crashed = False
    except Crash:
        crashed = True
    monkeypatch.undo()
    assert crashed or moment > (6 if double else 4)
    ran, restored = train(loop, folder, stub_model(), double_checkpoint=double, delete_checkpoint=False)
    # The state before or the state after, whole: epoch and weight belong together.
    assert (ran, restored) in (([2, 3], 2.0), ([3], 3.0))
    if not crashed:
        assert restored == 3.0


@pytest.mark.parametrize("wrong", ["", None])
def test_a_folder_is_needed(wrong):
    with pytest.raises(ArgumentError, match="`backup_dir` must be the name of a folder"):
        BackupAndRestore(wrong)


@pytest.mark.parametrize("wrong", ["x", 0, -1, 1.5, None, True])
def test_save_freq(wrong, folder):
    with pytest.raises(ArgumentError, match="`save_freq`"):
        BackupAndRestore(folder, save_freq=wrong)
