"""What monitoring callbacks do beyond the peer: names they know, bad arguments, values that are no numbers."""

import math
import re
import types

import pytest

from kerata import callbacks
from kerata.core.errors import ArgumentError, StateError


def stable(value):
    """A test's name without addresses: every worker must give the same."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))


def metric(name, direction):
    return types.SimpleNamespace(name=name, _direction=direction)


def run(loop, stub_model, monitor, values, metrics=()):
    stop = callbacks.EarlyStopping(monitor)
    model = stub_model()
    model.metrics = list(metrics)
    loop.run(stop, [{monitor: value} for value in values], model=model)
    return stop


@pytest.mark.parametrize(
    ("monitor", "metrics", "best"),
    [
        ("loss", [], 1.0),
        ("val_loss", [], 1.0),
        ("val_head_loss", [], 1.0),  # the loss of one output
        ("auc", [metric("auc", "up")], 2.0),
        ("val_auc", [metric("auc", "up")], 2.0),
        ("val_mae", [metric("mae", "down")], 1.0),
        ("val_head_auc", [metric("auc", "up")], 2.0),  # the metric of one output
        ("val_auc", [types.SimpleNamespace(name="compiled", metrics=[metric("auc", "up")])], 2.0),
        ("gain_loss", [metric("gain_loss", "up")], 2.0),  # what a metric says counts more than its name
    ],
)
def test_auto_mode(monitor, metrics, best, loop, stub_model):
    assert run(loop, stub_model, monitor, [1.0, 2.0] if best == 2.0 else [2.0, 1.0], metrics).best == best


@pytest.mark.parametrize("name", ["EarlyStopping", "ReduceLROnPlateau", "ModelCheckpoint"])
@pytest.mark.parametrize(
    "metrics", [[], [metric("score", None)], [metric("ore", "up")]], ids=["none", "own", "other"]
)
def test_auto_mode_does_not_guess(name, metrics, loop, stub_model, tmp_path):
    model = stub_model()
    model.metrics = metrics
    args, options = (
        ((tmp_path / "m.keras",), {"save_best_only": True}) if name == "ModelCheckpoint" else ((), {})
    )
    with pytest.raises(ArgumentError, match=f'"min" or "max" to monitor `score`.*{name} cannot tell'):
        loop.run(
            getattr(callbacks, name)(*args, monitor="score", **options), [{"score": 1.0}] * 2, model=model
        )


@pytest.mark.parametrize("name", ["EarlyStopping", "ModelCheckpoint"])
def test_a_first_value_that_is_no_number_is_beaten(name, loop, tmp_path):
    """Keras keeps NaN as the best value for ever, and a checkpoint is never written again."""
    values = [math.nan, math.nan, 2.0, 1.0]
    if name == "EarlyStopping":
        callback = callbacks.EarlyStopping(patience=5)
    else:
        callback = callbacks.ModelCheckpoint(tmp_path / "m{epoch}.keras", save_best_only=True)
    loop.run(callback, [{"val_loss": value} for value in values])
    assert callback.best == 1.0
    if name == "ModelCheckpoint":
        assert sorted(path.name for path in tmp_path.iterdir()) == ["m1.keras", "m3.keras", "m4.keras"]


def test_a_value_that_is_not_one_number_is_refused(loop, stub_model):
    with pytest.raises(ArgumentError, match="`monitor` must be the name of one number; `loss` is not"):
        run(loop, stub_model, "loss", [[0.5, 0.25]])


def test_a_checkpoint_without_its_value_saves_each_time_and_says_so(loop, tmp_path):
    checkpoint = callbacks.ModelCheckpoint(tmp_path / "m{epoch}.keras", save_best_only=True)
    with pytest.warns(UserWarning, match="only with val_loss available.*Available metrics are: loss"):
        loop.run(checkpoint, [{"loss": 1.0}] * 2)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_checkpoint_of_several_numbers_saves_each_time_and_says_so(loop, tmp_path):
    checkpoint = callbacks.ModelCheckpoint(tmp_path / "m{epoch}.keras", save_best_only=True)
    with pytest.warns(UserWarning, match="only when `monitor` is a scalar value"):
        loop.run(checkpoint, [{"val_loss": [1.0, 2.0]}])
    assert len(list(tmp_path.iterdir())) == 1


def test_a_name_in_the_path_that_is_not_there(loop, tmp_path):
    checkpoint = callbacks.ModelCheckpoint(tmp_path / "{epoch}-{nope}.keras")
    with pytest.raises(ArgumentError, match="`filepath` must be made of names among epoch, loss"):
        loop.run(checkpoint, [{"loss": 1.0}])


def test_a_path_without_names_reads_no_values(stub_model, tmp_path):
    checkpoint = callbacks.ModelCheckpoint(tmp_path / "m.keras", save_freq=1)
    checkpoint.set_model(stub_model())
    checkpoint.on_train_batch_end(0, callbacks.lazy_logs.LazyLogs(lambda: 1 / 0))
    assert (tmp_path / "m.keras").exists()


def test_several_batches_between_two_calls(loop):
    clock = callbacks.checks.BatchClock(4)
    assert [clock.is_time(batch) for batch in (1, 3, 5, 7, 1, 3)] == [False, True, False, True, False, True]
    clock = callbacks.checks.BatchClock(4)
    assert [clock.is_time(batch) for batch in (2, 5, 8, 2)] == [False, True, False, True]


BAD = {
    "EarlyStopping": [
        {"patience": -1}, {"patience": 1.5}, {"patience": None}, {"start_from_epoch": -1}, {"monitor": 3},
    ],
    "ReduceLROnPlateau": [{"factor": 1.0}, {"factor": 2}, {"patience": "x"}, {"cooldown": -1}],
    "ModelCheckpoint": [
        {"filepath": "m"}, {"filepath": "m.txt"}, {"filepath": "m.keras", "save_freq": 0},
        {"filepath": "m.keras", "save_freq": -1}, {"filepath": "m.keras", "save_weights_only": True},
    ],
    "LearningRateScheduler": [{"schedule": None}, {"schedule": lambda: 0.1}, {"schedule": lambda a, b, c: 0.1}],
    "LambdaCallback": [{"on_epoch_end": 3}, {"on_epoch_ends": print}],
    "CSVLogger": [{"filename": "x", "separator": ""}, {"filename": "x", "separator": None}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options"), [(n, o) for n, several in BAD.items() for o in several], ids=stable
)
def test_bad_arguments(name, options):
    with pytest.raises(ArgumentError) as caught:
        getattr(callbacks, name)(**options)
    assert caught.value.argument in options or caught.value.argument == "filepath"


def test_arguments_of_older_code_are_ignored_aloud():
    with pytest.warns(UserWarning, match="ReduceLROnPlateau ignores epsilon"):
        callbacks.ReduceLROnPlateau(epsilon=0.1)


def test_a_schedule_that_raises_a_type_error_shows_it(loop):
    def schedule(epoch, rate):
        raise TypeError("a bug of the user's")

    with pytest.raises(TypeError, match="a bug of the user's"):
        loop.run(callbacks.LearningRateScheduler(schedule), [{}])


def test_a_rate_that_is_no_number_is_refused(loop):
    with pytest.raises(ArgumentError, match="a function that gives a float"):
        loop.run(callbacks.LearningRateScheduler(lambda epoch: math.nan), [{}])


@pytest.mark.parametrize(
    "make", [lambda: callbacks.LearningRateScheduler(lambda epoch: 0.1), callbacks.ReduceLROnPlateau]
)
def test_a_model_without_an_optimizer(make, loop, stub_model):
    model = stub_model()
    model.optimizer = None
    with pytest.raises(StateError, match='no optimizer with a "learning_rate"'):
        loop.run(make(), [{"val_loss": 1.0}], model=model)
