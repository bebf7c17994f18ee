"""`kerata demo`: trains a small network on handwritten digits, on one engine or on all of them side by side."""

from __future__ import annotations

import argparse
import importlib.util
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

import kerata as keras
from kerata import backends
from kerata.core.errors import ArgumentError
from kerata.datasets import digits

from .quiet import native_messages_held

SEED = 1
EPOCHS = 10
BATCH_SIZE = 32
EXPECTED_ACCURACY = 0.97  # on images that the model has not seen, after EPOCHS epochs
SAME_PREDICTIONS = 1e-4  # between engines; on the engine that wrote the file they are the same bits


@dataclass(frozen=True)
class Result:
    """What one engine made of the training."""

    engine: str
    model: Any
    history: dict[str, list[float]]
    accuracy: float
    seconds: float


def add_parser(commands: Any) -> None:
    text = (
        "Train a small convolutional network on 1,797 handwritten digits; write digits.keras; load it again."
    )
    parser = commands.add_parser("demo", help="train a small network on handwritten digits", description=text)
    parser.add_argument("--backend", metavar="NAME", help="an engine, or `all` to compare those installed")
    parser.add_argument(
        "--epochs", type=int, default=EPOCHS, help="passes over the data (default: %(default)s)"
    )
    parser.add_argument(
        "--output", type=Path, default=Path(), metavar="FOLDER", help="where files are written"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, console: Console | None = None) -> int:
    """Trains, compares, writes and loads.

    Returns:
        1 if a model missed the accuracy that it reaches in `EPOCHS` epochs, or predicts something else after
        it was loaded; otherwise 0.
    """
    console = console or Console()
    if options.epochs < 1:
        raise ArgumentError("epochs", expected="a positive integer", got=options.epochs)
    engines = _engines(options.backend)
    options.output.mkdir(parents=True, exist_ok=True)

    with native_messages_held():
        results = _train_all(engines, options.epochs, console)
    if len(results) > 1:
        console.print(_comparison(results))
    good = True
    for result in results:
        reached = result.accuracy >= EXPECTED_ACCURACY or options.epochs < EPOCHS
        console.print(f"{result.engine}: test accuracy {result.accuracy:.4f} {_mark(reached)}")
        good &= reached
    good &= _save_and_load(results, options.output / "digits.keras", console)
    _plot(results, options.output / "digits.png", console)
    return 0 if good else 1


def load_data() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The digits as float images in [0, 1] with a channel axis."""
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    x_train, x_test = (x[..., np.newaxis].astype("float32") / 16 for x in (x_train, x_test))
    return (x_train, y_train.astype("int32")), (x_test, y_test.astype("int32"))


def build_model() -> Any:
    """The network. Its seeds are set, so each engine starts from the same weights."""
    keras.utils.set_random_seed(SEED)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.4),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(3e-3),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def train(engine: str, epochs: int, callbacks: list[Any]) -> Result:
    """Trains the network on one engine and measures it on the images kept back."""
    (x_train, y_train), (x_test, y_test) = load_data()
    with keras.use_backend(engine):
        model = build_model()
        start = time.perf_counter()
        fitted = model.fit(
            x_train,
            y_train,
            batch_size=BATCH_SIZE,
            epochs=epochs,
            validation_split=0.1,
            callbacks=callbacks,
            verbose=0,
        )
        seconds = time.perf_counter() - start
        accuracy = model.evaluate(x_test, y_test, verbose=0, return_dict=True)["accuracy"]
    return Result(engine, model, fitted.history, float(accuracy), seconds)


class LiveProgress(keras.callbacks.Callback):
    """Moves the bar of one engine with each batch, and shows the numbers of its last epoch."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        super().__init__()
        self.progress, self.task = progress, task

    def on_train_begin(self, logs: Any = None) -> None:
        self.progress.start_task(self.task)
        self.progress.update(self.task, total=self.params["epochs"] * self.params["steps"])

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.progress.advance(self.task)  # without a look at `logs`, which would wait for the engine

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        numbers = f"loss {logs['loss']:.4f}, accuracy {logs['accuracy']:.4f}"
        self.progress.update(self.task, epoch=epoch + 1, numbers=numbers)


def _engines(choice: str | None) -> list[str]:
    if choice == "all":
        return backends.installed()
    return [backends.get(choice).name if choice else keras.backend.backend()]


def _train_all(engines: list[str], epochs: int, console: Console) -> list[Result]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn(f"epoch {{task.fields[epoch]}}/{epochs}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[numbers]}"),
    )
    with Progress(*columns, console=console) as progress:
        tasks = {e: progress.add_task(e, total=None, start=False, epoch=0, numbers="") for e in engines}
        return [train(engine, epochs, [LiveProgress(progress, task)]) for engine, task in tasks.items()]


def _comparison(results: list[Result]) -> Table:
    """Loss per epoch, accuracy and seconds of each engine; the last column is how far they lie apart."""
    table = Table(title="The same training on each engine: loss per epoch", title_justify="left")
    table.add_column("epoch")
    for result in results:
        table.add_column(result.engine, justify="right")
    table.add_column("largest\ndifference", justify="right")
    for epoch, losses in enumerate(zip(*(r.history["loss"] for r in results), strict=True), start=1):
        table.add_row(str(epoch), *(f"{v:.6f}" for v in losses), f"{_spread(losses):.1e}")
    table.add_section()
    accuracies = [r.accuracy for r in results]
    table.add_row("test accuracy", *(f"{v:.4f}" for v in accuracies), f"{_spread(accuracies):.1e}")
    table.add_row("seconds", *(f"{r.seconds:.1f}" for r in results), "")
    return table


def _spread(values: Any) -> float:
    return max(values) - min(values)


def _save_and_load(results: list[Result], path: Path, console: Console) -> bool:
    """Writes the first engine's model and loads it on every engine: do the predictions stay?"""
    _, (x_test, _) = load_data()
    writer = results[0]
    writer.model.save(path)
    expected = writer.model.predict(x_test, verbose=0)
    console.print(f"{writer.engine} wrote {escape(str(path))}", soft_wrap=True)
    good = True
    for result in results:
        with keras.use_backend(result.engine):
            predicted = keras.saving.load_model(path).predict(x_test, verbose=0)
        difference = float(np.max(np.abs(predicted - expected)))
        same = difference == 0 if result is writer else difference <= SAME_PREDICTIONS
        words = "equal predictions" if difference == 0 else f"predictions differ by at most {difference:.1e}"
        console.print(f"{result.engine} loaded it: {words} {_mark(same)}")
        good &= same
    return good


def _plot(results: list[Result], path: Path, console: Console) -> None:
    """Draws the learning curves, where Matplotlib is there to draw them."""
    if importlib.util.find_spec("matplotlib") is None:
        console.print('No picture of the learning curve: pip install "matplotlib" for one')
        return
    from matplotlib.figure import Figure  # without pyplot: no window system is asked for
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8, 4), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for number, result in enumerate(results):
            epochs = range(1, len(result.history[name]) + 1)
            # Engines agree, so their curves lie on each other: the earlier are drawn wider than the later.
            style = {"color": f"C{number}", "linewidth": 2 * (len(results) - number) - 1, "marker": "."}
            axes.plot(epochs, result.history[name], "-", label=f"{result.engine}, training", **style)
            axes.plot(
                epochs, result.history[f"val_{name}"], "--", label=f"{result.engine}, validation", **style
            )
        axes.set(title=name, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=120)
    console.print(f"learning curve: {escape(str(path))}", soft_wrap=True)


def _mark(good: bool) -> str:
    return "[green]✓[/green]" if good else "[red]✗[/red]"
