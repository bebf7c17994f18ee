"""Rows are whole, whatever happens before, between and after them."""

import csv

import pytest

from kerata.callbacks import CSVLogger


def rows(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))


def test_every_row_is_on_disk_before_training_goes_on(tmp_path):
    path = tmp_path / "log.csv"
    log = CSVLogger(path)
    log.on_train_begin()
    for epoch in range(3):
        log.on_epoch_end(epoch, {"loss": 0.5, "val_loss": 1.0})
        assert path.read_bytes().endswith(b"\r\n")
        assert len(rows(path)) == epoch + 2


@pytest.mark.parametrize("left", ["epoch,loss\n0,0.5", "epoch,loss\n0,0."])
def test_a_line_that_was_left_open_is_ended(tmp_path, left):
    path = tmp_path / "log.csv"
    path.write_text(left)
    log = CSVLogger(path, append=True)
    log.on_train_begin()
    log.on_epoch_end(1, {"loss": 0.25})
    assert rows(path) == [["epoch", "loss"], left.splitlines()[1].split(","), ["1", "0.25"]]


def test_what_is_added_stands_under_the_columns_of_the_file(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,val_loss,accuracy\n0,1.0,0.5\n")
    log = CSVLogger(path, append=True)
    log.on_train_begin()
    log.on_epoch_end(1, {"accuracy": 0.75, "loss": 3.0})
    assert rows(path)[-1] == ["1", "NA", "0.75"]


@pytest.mark.parametrize("exists", [False, True])
def test_adding_to_nothing_begins_a_file(tmp_path, exists):
    path = tmp_path / "log.csv"
    if exists:
        path.touch()
    log = CSVLogger(path, append=True)
    log.on_train_begin()
    log.on_epoch_end(0, {"loss": 1.0, "val_loss": 2.0})
    assert rows(path) == [["epoch", "loss", "val_loss"], ["0", "1.0", "2.0"]]


def test_a_second_training_replaces_the_file_and_its_columns(tmp_path):
    path = tmp_path / "new" / "log.csv"
    log = CSVLogger(path)
    for logs in ({"loss": 1.0, "val_loss": 2.0}, {"error": 3.0, "val_error": 4.0}):
        log.on_train_begin()
        log.on_epoch_end(0, logs)
        log.on_train_end()
    assert rows(path) == [["epoch", "error", "val_error"], ["0", "3.0", "4.0"]]
