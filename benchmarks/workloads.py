"""The five models, in the Keras API and by hand in each engine, and the timer that takes turns."""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


class Workload(NamedTuple):
    batch: int
    steps: int
    shape: tuple[int, ...]


WORKLOADS = {
    "tiny": Workload(32, 300, (32,)),
    "mlp": Workload(128, 60, (784,)),
    "cnn": Workload(64, 20, (28, 28, 1)),
    "lstm": Workload(32, 20, (64, 32)),
    "transformer": Workload(32, 8, (64,)),
}
VOCABULARY, WIDTH, HEADS, HIDDEN, CLASSES, RATE = 1000, 128, 4, 512, 10, 1e-3


def asked(description: str | None, rounds: int = 0, keras: bool = True) -> argparse.ArgumentParser:
    """A parser of what the scripts for one engine have in common; `--help` shows what the script measures."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    engines = ("jax", "torch", "tensorflow")
    parser.add_argument("--engine", choices=engines, required=True, help="the engine of all contenders")
    if rounds:
        parser.add_argument("--rounds", type=int, default=rounds, help=f"turns of each contender ({rounds})")
    if keras:
        parser.add_argument("--without-keras", action="store_true", help="leaves Keras out")
    return parser


def data(name: str, steps: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and labels for one epoch, of as many steps as the workload has unless told."""
    w = WORKLOADS[name]
    rng, n = np.random.default_rng(0), w.batch * (steps or w.steps)
    if name == "transformer":
        x = rng.integers(0, VOCABULARY, (n, *w.shape)).astype("int32")
    else:
        x = rng.standard_normal((n, *w.shape), dtype="float32")
    return x, rng.integers(0, CLASSES, n).astype("int32")


def model(api: Any, name: str, jit_compile: bool | str = "auto") -> Any:
    """The model as a user of the Keras API writes it, compiled."""
    layers, w = api.layers, WORKLOADS[name]
    if name == "transformer":
        inputs = api.Input(w.shape, dtype="int32")
        h = layers.Embedding(VOCABULARY, WIDTH)(inputs)
        for _ in range(2):
            a = layers.LayerNormalization(epsilon=1e-6)(h)
            h = h + layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(a, a)
            a = layers.LayerNormalization(epsilon=1e-6)(h)
            h = h + layers.Dense(WIDTH)(layers.Dense(HIDDEN, activation="gelu")(a))
        m = api.Model(inputs, layers.Dense(CLASSES)(layers.GlobalAveragePooling1D()(h)))
    else:
        body = {
            "tiny": [layers.Dense(32, activation="relu")],
            "mlp": [layers.Dense(512, activation="relu"), layers.Dense(512, activation="relu")],
            "cnn": [
                layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
                layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2), layers.Flatten(),
            ],
            "lstm": [layers.LSTM(128)],
        }[name]  # fmt: skip
        m = api.Sequential([api.Input(w.shape), *body, layers.Dense(CLASSES)])
    loss = api.losses.SparseCategoricalCrossentropy(from_logits=True)
    m.compile(optimizer=api.optimizers.Adam(RATE), loss=loss, jit_compile=jit_compile)
    return m


def batches(x: np.ndarray, y: np.ndarray, size: int, rng: np.random.Generator) -> Any:
    """Shuffled batches, gathered as a data loader does."""
    order = rng.permutation(len(x))
    for i in range(0, len(x) - size + 1, size):
        chosen = order[i : i + size]
        yield x[chosen], y[chosen]


def api(name: str, engine: str) -> Any:
    """Kerata or Keras, on an engine."""
    if name == "keras":
        os.environ["KERAS_BACKEND"] = engine
        import keras

        return keras
    import kerata

    kerata.set_backend(engine)
    return kerata


def take_turns(
    contenders: dict[str, Callable[[], Any]],
    rounds: int,
    inner: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds per call of each contender, in turns."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for call in contenders.values():
        call()
    for _ in range(rounds):
        for name, call in contenders.items():
            start = clock()
            for _ in range(inner):
                call()
            times[name].append((clock() - start) / inner)
    return times


def report(title: str, times: dict[str, list[float]], unit: float, label: str) -> None:
    """One line: median and least time of each, and Kerata's ratio to each other one (by medians, by minima)."""
    own = times["kerata"]
    parts = []
    for name, t in times.items():
        text = f"{name} {statistics.median(t) / unit:.3g} (min {min(t) / unit:.3g}) {label}"
        if name != "kerata":
            text += f" x{statistics.median(own) / statistics.median(t):.2f} (min x{min(own) / min(t):.2f})"
        parts.append(text)
    print(f"{title}: " + "; ".join(parts), flush=True)
