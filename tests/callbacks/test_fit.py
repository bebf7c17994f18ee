"""Callbacks in the real loop, on every engine."""

import csv
import re

import numpy as np
import pytest

import kerata
from kerata import callbacks

ROWS, STEPS = 24, 3


@pytest.fixture
def data():
    random = np.random.default_rng(1)
    x = random.normal(size=(ROWS, 4)).astype("float32")
    return x, (x @ np.array([[1.0], [-2.0], [0.5], [0.0]])).astype("float32")


def make(optimizer="adam", loss="mse", **options):
    dense = [
        kerata.layers.Dense(units, kernel_initializer=kerata.initializers.GlorotUniform(seed=units))
        for units in (3, 1)
    ]
    model = kerata.Sequential([kerata.layers.Input((4,)), *dense])
    model.compile(optimizer, loss, **options)
    return model


def mae():
    def error(y_true, y_pred):
        return kerata.ops.mean(kerata.ops.absolute(kerata.ops.subtract(y_true, y_pred)), axis=-1)

    return kerata.metrics.MeanMetricWrapper(error, name="mae")


def fit(model, data, cbs=(), epochs=3, verbose=0, **options):
    options = {"validation_data": data, "shuffle": False, "batch_size": ROWS // STEPS, **options}
    return model.fit(*data, epochs=epochs, verbose=verbose, callbacks=list(cbs), **options).history


def weights(model):
    return np.concatenate([np.asarray(w).ravel() for w in model.get_weights()])


class Weights(callbacks.Callback):
    """Remembers the weights at the end of each epoch."""

    def on_train_begin(self, logs=None):
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(weights(self.model))


def test_history_and_the_order_of_calls(engine, data):
    calls = []

    class Recorder(callbacks.Callback):
        def __init__(self):
            super().__init__()
            for hook in callbacks.callback.HOOKS:
                setattr(self, hook, lambda *args, hook=hook: calls.append((hook, *args)))

    model = make(metrics=[mae()])
    history = fit(model, data, [Recorder()], epochs=2)
    assert sorted(history) == ["loss", "mae", "val_loss", "val_mae"]
    assert all(len(values) == 2 and type(values[0]) is float for values in history.values())
    assert model.history.history is history
    step = ["on_train_batch_begin", "on_train_batch_end"]
    check = ["on_test_batch_begin", "on_test_batch_end"]
    epoch = ["on_epoch_begin", *step * STEPS, "on_test_begin", *check * STEPS, "on_test_end", "on_epoch_end"]
    assert [call[0] for call in calls] == ["on_train_begin", *epoch * 2, "on_train_end"]
    assert [call[1] for call in calls if call[0] == "on_train_batch_end"] == [0, 1, 2] * 2
    ends = [call[2] for call in calls if call[0] == "on_epoch_end"]
    assert [end["val_loss"] for end in ends] == history["val_loss"]
    batches = [call[2] for call in calls if call[0] == "on_train_batch_end"]  # kept, and read after training
    assert [batches[2]["loss"], batches[5]["loss"]] == history["loss"]
    assert len({batch["loss"] for batch in batches}) == 6


def test_early_stopping_gives_the_best_weights_back(engine, data):
    x, y = data
    seen = Weights()
    stop = callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    model = make(kerata.optimizers.Adam(0.1))

    def worse(epoch):
        return 0.1 if epoch < 3 else -0.1  # uphill from the fourth epoch on

    history = fit(model, data, [seen, callbacks.LearningRateScheduler(worse), stop], epochs=20)
    assert stop.best_epoch == int(np.argmin(history["val_loss"])) == 2
    assert stop.stopped_epoch == 4
    assert len(history["loss"]) == 5
    np.testing.assert_array_equal(weights(model), seen.seen[2])
    assert model.evaluate(x, y, verbose=0) == pytest.approx(min(history["val_loss"]), rel=1e-5)


def test_learning_rates(engine, data):
    model = make(kerata.optimizers.Adam(0.1))
    plateau = callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1e9)
    history = fit(model, data, [plateau], epochs=4)
    np.testing.assert_allclose(history["learning_rate"], [0.1, 0.1, 0.05, 0.025], rtol=1e-6)
    history = fit(model, data, [callbacks.LearningRateScheduler(lambda epoch: 1 / (epoch + 2))], epochs=3)
    np.testing.assert_allclose(history["learning_rate"], [1 / 2, 1 / 3, 1 / 4], rtol=1e-6)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.25)


def test_a_schedule_in_the_optimizer_is_not_overruled(engine, data):
    class Constant(kerata.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.1

    model = make(kerata.optimizers.Adam(Constant()))
    with pytest.raises(kerata.core.errors.KerataError, match="schedule"):
        fit(model, data, [callbacks.LearningRateScheduler(lambda epoch: 0.1)])


@pytest.mark.parametrize("weights_only", [False, True])
def test_checkpoints_hold_the_weights_of_their_epoch(engine, data, tmp_path, weights_only):
    name = "{epoch}.weights.h5" if weights_only else "{epoch}.keras"
    checkpoint = callbacks.ModelCheckpoint(tmp_path / name, save_weights_only=weights_only)
    seen = Weights()
    model = make()
    fit(model, data, [seen, checkpoint])
    assert len(list(tmp_path.iterdir())) == 3
    for epoch in range(3):
        path = tmp_path / name.format(epoch=epoch + 1)
        if weights_only:
            other = make()
            other.load_weights(path)
        else:
            other = kerata.saving.load_model(path)
        np.testing.assert_array_equal(weights(other), seen.seen[epoch])


def test_auto_mode_knows_the_metrics_of_the_model(engine, data):
    model = make(metrics=["mae", "cosine_similarity"])
    up, down = (
        callbacks.EarlyStopping("val_cosine_similarity", patience=9),
        callbacks.EarlyStopping("mae", patience=9),
    )
    history = fit(model, data, [up, down], epochs=4)
    assert up.best == max(history["val_cosine_similarity"])
    assert down.best == min(history["mae"])


@pytest.mark.parametrize("moment", [("epoch", 2, None), ("batch", 2, 1)], ids=str)
def test_an_interrupted_training_ends_as_if_it_had_not_been(engine, data, tmp_path, moment):
    kind, epoch, batch = moment

    class Interrupt(callbacks.Callback):
        def on_epoch_begin(self, at, logs=None):
            self.epoch = at
            if kind == "epoch" and at == epoch:
                raise KeyboardInterrupt

        def on_train_batch_begin(self, at, logs=None):
            if kind == "batch" and (self.epoch, at) == (epoch, batch):
                raise KeyboardInterrupt

    whole = make()
    expected = fit(whole, data, epochs=4)
    folder = tmp_path / "backup"
    with pytest.raises(KeyboardInterrupt):
        fit(make(), data, [callbacks.BackupAndRestore(folder), Interrupt()], epochs=4)
    model = make()
    history = fit(model, data, [callbacks.BackupAndRestore(folder)], epochs=4)
    assert model.history.epoch == [2, 3]
    np.testing.assert_allclose(history["loss"], expected["loss"][2:], rtol=1e-6)
    np.testing.assert_allclose(weights(model), weights(whole), rtol=1e-6)
    assert not folder.exists()


def test_the_table_holds_the_history(engine, data, tmp_path):
    path = tmp_path / "log.csv"
    history = fit(make(metrics=[mae()]), data, [callbacks.CSVLogger(path)])
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    for name, values in history.items():
        assert [float(row[name]) for row in rows] == values


def test_training_ends_where_the_loss_is_no_number(engine, data):
    seen = []
    model = make(kerata.optimizers.Adam(1e30))
    count = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    history = fit(model, data, [callbacks.TerminateOnNaN(), count], epochs=5, validation_data=None)
    assert len(history["loss"]) == 1
    assert len(seen) < STEPS + 1
    assert model.stop_training
    with pytest.raises(RuntimeError, match="NaN or Inf loss encountered at batch"):
        fit(make(kerata.optimizers.Adam(1e30)), data, [callbacks.TerminateOnNaN(raise_error=True)], epochs=5)


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_averages_are_evaluated_and_the_weights_trained(engine, data, swap_on_epoch):
    def train(*cbs):
        seen = Weights()
        model = make(kerata.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.5))
        return model, fit(model, data, [*cbs, seen], epochs=4), seen.seen

    plain, plain_history, own = train()
    model, history, seen = train(callbacks.SwapEMAWeights(swap_on_epoch))
    np.testing.assert_allclose(history["loss"], plain_history["loss"], rtol=1e-6)  # training is the same
    np.testing.assert_allclose(weights(model), weights(plain), rtol=1e-6)  # so is its end
    assert history["val_loss"][2] != pytest.approx(plain_history["val_loss"][2], rel=1e-3)
    # The last evaluation was of the averages, which `fit` leaves in the model.
    assert history["val_loss"][-1] == pytest.approx(model.evaluate(*data, verbose=0), rel=1e-5)
    if swap_on_epoch:
        np.testing.assert_allclose(seen[-1], weights(model), rtol=1e-6)
        assert np.abs(seen[2] - own[2]).max() > 1e-3
    else:
        np.testing.assert_allclose(seen, own, rtol=1e-6)


def test_averages_need_an_optimizer_that_keeps_them(engine, data):
    with pytest.raises(ValueError, match="use_ema=True"):
        fit(make(), data, [callbacks.SwapEMAWeights()])
    with pytest.raises(ValueError, match="use_ema=True"):
        make().evaluate(*data, verbose=0, callbacks=[callbacks.SwapEMAWeights()])


def test_what_is_printed_is_what_was_measured(engine, data, capsys):
    history = fit(make(metrics=[mae()]), data, epochs=2, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert [lines[0], lines[2]] == ["Epoch 1/2", "Epoch 2/2"]
    for epoch, line in enumerate(lines[1::2]):
        assert re.match(r"3/3 - \d+s - \d+m?u?s/step - ", line)
        shown = dict(re.findall(r"(\w+): (\S+)", line))
        assert {name: float(value) for name, value in shown.items()} == {
            name: pytest.approx(values[epoch], abs=1e-4) for name, values in history.items()
        }


def test_evaluate_and_predict_call_callbacks(engine, data):
    x, y = data
    calls = []
    count = callbacks.LambdaCallback(
        on_test_batch_end=lambda batch, logs: calls.append(("test", batch, logs["loss"])),
        on_predict_batch_end=lambda batch, logs: calls.append(("predict", batch, len(logs["outputs"]))),
    )
    model = make()
    loss = model.evaluate(x, y, batch_size=8, verbose=0, callbacks=[count])
    model.predict(x, batch_size=8, verbose=0, callbacks=[count])
    assert [call[:2] for call in calls] == [(kind, i) for kind in ("test", "predict") for i in range(3)]
    assert calls[2][2] == pytest.approx(loss)
    assert [call[2] for call in calls[3:]] == [8, 8, 8]


def test_hooks_of_batches_under_their_short_names(engine, data):
    """`on_batch_begin` and `on_batch_end` are those of training, and of nothing else."""

    class Steps(callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.seen = []

        def on_batch_begin(self, batch, logs=None):
            self.seen.append(("begin", batch))

        def on_batch_end(self, batch, logs=None):
            self.seen.append(("end", batch, "loss" in logs))

        def on_predict_batch_begin(self, batch, logs=None):
            self.seen.append(("predict", batch))

    steps, model = Steps(), make()
    fit(model, data, [steps], epochs=1)
    assert steps.seen == [event for i in range(STEPS) for event in (("begin", i), ("end", i, True))]
    steps.seen.clear()
    model.predict(data[0], batch_size=ROWS // 2, verbose=0, callbacks=[steps])
    assert steps.seen == [("predict", 0), ("predict", 1)]


def test_early_stopping_tells_the_value_that_it_watches():
    stopping = callbacks.EarlyStopping("val_loss")
    assert stopping.get_monitor_value({"loss": 2.0, "val_loss": 1.5}) == 1.5
    with pytest.warns(UserWarning, match="val_loss"):
        assert stopping.get_monitor_value({"loss": 2.0}) is None
