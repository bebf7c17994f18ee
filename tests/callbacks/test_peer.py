"""Keras's callbacks and Kerata's, driven with the same scripted logs, take the same decisions."""

import math

import keras as peer
import numpy as np
import pytest

from kerata import callbacks

VALUES = [3.0, 2.0, 1.9, 1.0, 2.0, 2.0, 2.0, 2.0, 0.9, 0.95]
FALLING = [10.0, 8.0, 6.0, 5.9, 5.85, 5.84, 5.84, 5.84, 5.84, 5.84, 5.84, 5.84]
WITH_NAN = [2.0, math.nan, 1.0, math.nan, math.nan, math.nan]
SERIES = {
    "values": VALUES,
    "falling": FALLING,
    "with nan": WITH_NAN,
    "only nan": [math.nan] * 4,
    "one": [1.0],
}

RANDOM = np.random.default_rng(1)
for _number in range(8):
    SERIES[f"random {_number}"] = RANDOM.normal(size=12).cumsum().round(1).tolist()


def pair(name, *args, **options):
    return getattr(peer.callbacks, name)(*args, **options), getattr(callbacks, name)(*args, **options)


def makes(kind, arguments):
    try:
        kind(*arguments)
    except (TypeError, ValueError):
        return False
    return True


def logs_of(values, name="val_loss"):
    return [{name: value} for value in values]


@pytest.mark.parametrize("series", SERIES.values(), ids=list(SERIES))
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patience": 2},
        {"patience": 2, "restore_best_weights": True},
        {"patience": 20, "restore_best_weights": True},
        {"patience": 1, "min_delta": 0.5, "restore_best_weights": True},
        {"patience": 1, "min_delta": -0.5},
        {"patience": 1, "mode": "max", "min_delta": 0.1, "restore_best_weights": True},
        {"patience": 2, "baseline": 0.5, "restore_best_weights": True},
        {"patience": 2, "baseline": 5.0},
        {"patience": 3, "baseline": 1.0, "mode": "max"},
        {"patience": 1, "start_from_epoch": 3, "restore_best_weights": True},
    ],
    ids=str,
)
def test_early_stopping(options, series, loop):
    outcomes = []
    for callback in pair("EarlyStopping", **options):
        model = loop.run(callback, logs_of(series))
        best = str(None if callback.best is None else float(callback.best))
        judged = (callback.stopped_epoch, callback.best_epoch, callback.wait, best)
        outcomes.append((loop.epoch, model.stop_training, model.weight, *judged))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("series", SERIES.values(), ids=list(SERIES))
@pytest.mark.parametrize(
    "options",
    [
        {"patience": 0},
        {"patience": 2},
        {"patience": 1, "cooldown": 2, "factor": 0.5},
        {"patience": 1, "min_lr": 0.05},
        {"patience": 1, "min_lr": 0.003, "factor": 0.2},
        {"patience": 1, "mode": "max"},
        {"patience": 2, "min_delta": 0.5},
    ],
    ids=str,
)
def test_reduce_lr_on_plateau(options, series, loop):
    outcomes = []
    for callback in pair("ReduceLROnPlateau", **options):
        logs = logs_of(series)
        model = loop.run(callback, logs)
        outcomes.append(
            (model.optimizer.rates, [epoch["learning_rate"] for epoch in logs], callback.in_cooldown())
        )
    assert outcomes[0] == outcomes[1]


SCHEDULES = {
    "epoch": lambda epoch: 0.5 / (epoch + 1),
    "epoch and rate": lambda epoch, rate: rate * 0.5,
    "NumPy float": lambda epoch, rate: np.float32(rate),
    "default": lambda epoch, rate=0.25: rate,
}


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=list(SCHEDULES))
def test_learning_rate_scheduler(schedule, loop):
    outcomes = []
    for callback in pair("LearningRateScheduler", schedule):
        logs = logs_of(VALUES)
        model = loop.run(callback, logs)
        outcomes.append((model.optimizer.rates, [epoch["learning_rate"] for epoch in logs]))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("value", [1, "a", None, True, [0.5]], ids=str)
def test_learning_rate_scheduler_refuses_what_the_peer_refuses(value, loop):
    for callback in pair("LearningRateScheduler", lambda epoch, rate: value):
        with pytest.raises(ValueError, match="float"):
            loop.run(callback, logs_of(VALUES))


@pytest.mark.parametrize("series", [VALUES, FALLING, WITH_NAN, [1.0, 1.0]], ids=str)
@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("m.keras", {}),
        ("m-{epoch:02d}-{val_loss:.2f}.keras", {}),
        ("m.h5", {}),
        ("m-{epoch}.weights.h5", {"save_weights_only": True}),
        ("m-{epoch}.keras", {"save_best_only": True}),
        ("m-{epoch}.keras", {"save_best_only": True, "mode": "max"}),
        ("m-{epoch}.keras", {"save_best_only": True, "initial_value_threshold": 1.95}),
        ("m-{epoch}-{batch}-{loss:.1f}.keras", {"save_freq": 1}),
        ("m-{epoch}-{batch}-{loss:.1f}.keras", {"save_freq": 2}),
        ("m-{epoch}-{batch}.weights.h5", {"save_freq": 7, "save_weights_only": True}),
        ("m-{epoch}-{batch}.keras", {"save_freq": 2, "save_best_only": True, "monitor": "loss"}),
        ("new/folder/m-{epoch}.keras", {}),
    ],
    ids=str,
)
def test_model_checkpoint(path, options, series, loop, tmp_path, monkeypatch):
    outcomes = []
    for number, callback in enumerate(pair("ModelCheckpoint", path, **options)):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        model = loop.run(callback, logs_of(series))
        files = {
            str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*.*") if file.is_file()
        }
        outcomes.append((model.saved, files, str(callback.best)))
    assert outcomes[0][1] or "initial_value_threshold" in options or options.get("save_freq") == 7
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("m", {}),
        ("m.keras.zip", {}),
        ("m.keras", {"save_weights_only": True}),
        ("m.keras", {"save_freq": "x"}),
        ("m.keras", {"save_freq": 1.5}),
    ],
    ids=str,
)
def test_model_checkpoint_refuses_what_the_peer_refuses(path, options):
    for package in (peer.callbacks, callbacks):
        with pytest.raises(ValueError):
            package.ModelCheckpoint(path, **options)


CSV = {
    "training": [{"loss": 1.0, "acc": 0.5}, {"loss": 0.5, "acc": 0.6}],
    "validation": [{"loss": 1.0, "val_loss": 2.0}] * 2,
    "validation later": [{"loss": 1.0}, {"loss": 0.5, "val_loss": 0.3}],
    "missing and new": [{"val_z": 1.0, "loss": 1.0}, {"loss": 0.5}, {"loss": 0.5, "val_z": 1.0, "new": 4.0}],
    "kinds": [
        {
            "f": np.float32(1 / 3),
            "v": np.array([1, 2.0]),
            "s": "a,b",
            "n": None,
            "z": np.array(3.0),
            "l": [1, 2],
        }
    ],
    "nan": [{"loss": math.nan, "val_loss": math.inf}],
    "nothing": [{}, None],
}


@pytest.mark.parametrize("options", [{}, {"separator": ";"}, {"append": True}], ids=str)
@pytest.mark.parametrize("series", CSV.values(), ids=list(CSV))
def test_csv_logger(series, options, loop, tmp_path):
    contents = []
    for package in (peer.callbacks, callbacks):
        path = tmp_path / f"{len(contents)}.csv"
        for _ in range(2):  # the second run replaces or continues the file
            callback = package.CSVLogger(path, **options)
            loop.run(callback, [None if logs is None else dict(logs) for logs in series])
            if getattr(callback, "csv_file", None) is not None:
                callback.csv_file.close()
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]


@pytest.mark.parametrize("loss", [1.0, math.nan, math.inf, -math.inf, np.float32("nan"), None], ids=str)
def test_terminate_on_nan(loss, loop, capsys):
    outcomes = []
    for callback in pair("TerminateOnNaN"):
        model = loop.run(callback, logs_of(VALUES[:2]), batch_logs={"loss": loss})
        outcomes.append((model.stop_training, loop.epoch, capsys.readouterr().out))
    assert outcomes[0] == outcomes[1]


def test_terminate_on_nan_with_an_error(loop):
    texts = []
    for callback in pair("TerminateOnNaN", raise_error=True):
        with pytest.raises(RuntimeError) as caught:
            loop.run(callback, logs_of(VALUES), batch_logs={"loss": math.nan})
        texts.append(str(caught.value))
    assert texts[0] == texts[1]


def test_history(loop):
    series = [{"loss": 1.0, "v": 2.0}, {"loss": 0.5, "w": 1.0}, {}]
    outcomes = []
    for callback in pair("History"):
        loop.run(callback, series)
        loop.run(callback, series)  # goes on with the lists, starts anew with the epochs
        outcomes.append((callback.history, callback.epoch))
    assert outcomes[0] == outcomes[1]


def test_lambda_callback(loop):
    calls = []
    for package in (peer.callbacks, callbacks):
        seen = []
        hooks = {
            name: lambda *args, seen=seen, name=name, **kwargs: seen.append((name, *args))
            for name in (
                "on_epoch_begin",
                "on_epoch_end",
                "on_train_begin",
                "on_train_end",
                "on_train_batch_end",
            )
        }
        loop.run(package.LambdaCallback(**hooks, on_test_end=print), logs_of(VALUES[:2]))
        calls.append(seen)
    assert len(calls[0]) == 12
    assert calls[0] == calls[1]


@pytest.mark.parametrize(
    ("name", "options"),
    [("EarlyStopping", {"monitor": "nope"}), ("ReduceLROnPlateau", {"monitor": "nope"})],
)
def test_a_missing_value_is_named_with_those_that_are_there(name, options, loop):
    texts = []
    for callback in pair(name, **options, mode="min"):
        with pytest.warns(UserWarning, match="`nope` which is not available") as caught:
            loop.run(callback, [{"a": 1.0, "b": 2.0}])
        texts.append(str(caught[0].message))
    assert texts[0] == texts[1]


@pytest.mark.parametrize("name", ["EarlyStopping", "ReduceLROnPlateau", "ModelCheckpoint"])
def test_an_unknown_mode_falls_back_to_auto(name):
    args = ("m.keras",) if name == "ModelCheckpoint" else ()
    for package in (peer.callbacks, callbacks):
        with pytest.warns(UserWarning, match=f"{name} mode 'x' is unknown, fallback to auto mode"):
            assert getattr(package, name)(*args, mode="x").mode == "auto"


def words(text):
    """The lines of a text, without the empty ones that Keras prints before its messages."""
    return [line for line in text.splitlines() if line]


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("EarlyStopping", (), {"patience": 2, "restore_best_weights": True}),
        ("EarlyStopping", (), {"patience": 20, "restore_best_weights": True}),
        ("ReduceLROnPlateau", (), {"patience": 1}),
        ("LearningRateScheduler", (lambda epoch, rate: 0.25,), {}),
        ("ModelCheckpoint", ("m.keras",), {}),
        ("ModelCheckpoint", ("m.keras",), {"save_best_only": True}),
    ],
)
def test_the_same_messages(name, args, options, loop, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = []
    for callback in pair(name, *args, **options, verbose=1):
        loop.run(callback, logs_of(VALUES))
        texts.append(words(capsys.readouterr().out))
    assert texts[0]
    assert texts[0] == texts[1]


def test_the_same_order_of_callbacks_and_calls(stub_model):
    outcomes = []
    for package in (peer.callbacks, callbacks):
        seen = []

        class Recorder(package.Callback):
            def __init__(self, label, seen=seen):
                super().__init__()
                for hook in callbacks.callback.HOOKS:
                    setattr(self, hook, lambda *args, hook=hook, **kwargs: seen.append((label, hook, *args)))

        everything = package.CallbackList(
            [Recorder("first"), Recorder("second")], add_history=True, add_progbar=True,
            model=stub_model(), epochs=2, verbose=0, steps=3,
        )  # fmt: skip
        seen.append([type(callback).__name__ for callback in everything.callbacks])
        everything.on_train_begin()
        everything.on_epoch_begin(0)
        everything.on_test_begin()
        everything.on_test_end({"z": np.float32(0.5), "loss": 1})
        everything.on_epoch_end(0, {"z": np.array(0.25), "loss": 1, "s": "text"})
        everything.on_train_end({"loss": np.int64(2)})
        outcomes.append(repr(seen))
    assert outcomes[0] == outcomes[1]


# Name of each metric -> arguments that it needs.
METRICS = {
    name: next(args for args in ((), (0.5,), (2,), (2, [0])) if makes(getattr(peer.metrics, name), args))
    for name in sorted(dir(peer.metrics))
    if isinstance(getattr(peer.metrics, name), type) and name not in ("Metric", "MeanMetricWrapper")
}


@pytest.mark.parametrize("metric", METRICS)
def test_auto_mode_asks_the_metric(metric, loop, stub_model):
    """Kerata's metrics know the direction that Keras's know."""
    import kerata

    model, arguments = stub_model(), METRICS[metric]
    model.metrics = [getattr(kerata.metrics, metric)(*arguments, name="m")]
    theirs = getattr(getattr(peer.metrics, metric)(*arguments, name="m"), "_direction", None)
    stop = callbacks.EarlyStopping("val_m")
    if theirs is None:
        with pytest.raises(ValueError, match="cannot tell whether it should fall or rise"):
            loop.run(stop, logs_of([1.0, 2.0], "val_m"), model=model)
        return
    loop.run(stop, logs_of([1.0, 2.0], "val_m"), model=model)
    assert stop.best == (2.0 if theirs == "up" else 1.0)
