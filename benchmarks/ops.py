"""Single ops beside the engine's best native route, forward and with the gradient; and what an eager op costs in Python.

python benchmarks/ops.py --engine torch [--rounds 15] [--only conv,softmax] [--composed]

One thread for everybody; contenders take turns and the least time of each counts. JAX is jitted, TensorFlow runs in a
`tf.function`, PyTorch is eager. Ratios above 1 say how many times longer Kerata takes. `--composed` turns the fast
paths off, which shows what they are worth. Where an engine's function gives other values than the op ("NaN kept") or
holds for some arguments only ("any targets"), a second row has the native route to the same values.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import one_thread  # noqa: F401  # isort: skip  # before NumPy and the engines

import native_ops
import numpy as np
import workloads as w

import kerata
from kerata import ops
from kerata.core.declare import set_fast_paths


class Row(NamedTuple):
    """An op at a size: the shapes of its arguments, alone or after what they are, and how Kerata is called.

    Arguments of which nothing is said are random numbers, and have a gradient.
    """

    name: str
    shapes: tuple[Any, ...]
    call: Callable[..., Any]


_IMAGES, _KERNEL = (8, 28, 28, 64), (3, 3, 64, 64)
_HEADS = (4, 128, 8, 64)

ROWS = [
    Row("conv 3x3 same", (_IMAGES, _KERNEL), lambda x, k: ops.conv(x, k, padding="same")),
    Row("conv 3x3 stride 2", (_IMAGES, _KERNEL), lambda x, k: ops.conv(x, k, 2, "same")),
    Row("conv 1x1", (_IMAGES, (1, 1, 64, 64)), lambda x, k: ops.conv(x, k)),
    Row("conv 1d", ((8, 512, 64), (3, 64, 64)), lambda x, k: ops.conv(x, k, padding="same")),
    Row("depthwise 3x3", (_IMAGES, (3, 3, 64, 1)), lambda x, k: ops.depthwise_conv(x, k, padding="same")),
    Row("conv transpose", (_IMAGES, (3, 3, 32, 64)), lambda x, k: ops.conv_transpose(x, k, 2, "same")),
    Row("max pool 2x2", ((16, 56, 56, 32),), lambda x: ops.max_pool(x, 2)),
    Row("max pool 3x3 same", ((16, 56, 56, 32),), lambda x: ops.max_pool(x, 3, 2, "same")),
    Row("max pool 2x2, NaN kept", ((16, 56, 56, 32),), lambda x: ops.max_pool(x, 2)),
    Row("max pool 3x3 same, NaN kept", ((16, 56, 56, 32),), lambda x: ops.max_pool(x, 3, 2, "same")),
    Row("average pool 2x2", ((16, 56, 56, 32),), lambda x: ops.average_pool(x, 2)),
    Row("attention", (_HEADS, _HEADS, _HEADS), lambda q, k, v: ops.dot_product_attention(q, k, v)),
    Row("attention causal", (_HEADS, _HEADS, _HEADS), lambda q, k, v: ops.dot_product_attention(q, k, v, is_causal=True)),
    Row(
        "attention mask",
        (_HEADS, _HEADS, _HEADS, ("mask", (4, 1, 128, 128))),
        lambda q, k, v, m: ops.dot_product_attention(q, k, v, mask=m),
    ),
    Row("softmax", ((1024, 1024),), lambda x: ops.softmax(x)),
    Row("softmax, NaN kept", ((1024, 1024),), lambda x: ops.softmax(x)),
    Row("log softmax", ((1024, 1024),), lambda x: ops.log_softmax(x)),
    Row("relu", ((1024, 1024),), lambda x: ops.relu(x)),
    Row("gelu", ((1024, 1024),), lambda x: ops.gelu(x)),
    Row("layer norm", ((4096, 256), (256,), (256,)), lambda x, g, b: ops.layer_normalization(x, g, b, epsilon=1e-3)),
    Row("rms norm", ((4096, 256), (256,)), lambda x, g: ops.rms_normalization(x, g, epsilon=1e-3)),
    Row(
        "batch norm",
        ((16, 28, 28, 64), ("positive", (64,)), ("positive", (64,)), (64,), (64,)),
        lambda x, m, v, b, s: ops.batch_normalization(x, m, v, -1, b, s),
    ),
    Row("moments", ((16, 28, 28, 64),), lambda x: ops.moments(x, (0, 1, 2))),
    Row("resize up", ((8, 64, 64, 3),), lambda x: ops.image.resize(x, (128, 128))),
    Row("resize down", ((8, 128, 128, 3),), lambda x: ops.image.resize(x, (64, 64), antialias=True)),
    Row("resize nearest", ((8, 64, 64, 3),), lambda x: ops.image.resize(x, (128, 128), "nearest")),
    Row("extract patches", ((16, 64, 64, 3),), lambda x: ops.image.extract_patches(x, 8)),
    Row(
        "sparse crossentropy",
        (("labels", (1024,)), (1024, 1000)),
        lambda t, x: ops.sparse_categorical_crossentropy(t, x, from_logits=True),
    ),
    Row(
        "crossentropy",
        (("probabilities", (1024, 1000)), (1024, 1000)),
        lambda t, x: ops.categorical_crossentropy(t, x, from_logits=True),
    ),
    Row(
        "crossentropy, any targets",
        (("positive", (1024, 1000)), (1024, 1000)),
        lambda t, x: ops.categorical_crossentropy(t, x, from_logits=True),
    ),
    Row("rfft", ((256, 1024),), lambda x: ops.rfft(x)[0]),
]  # fmt: skip


def _arguments(row: Row) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    made = []
    for given in row.shapes:
        kind, shape = given if isinstance(given[0], str) else ("normal", given)
        if kind == "mask":
            made.append(rng.random(shape) < 0.9)
        elif kind == "labels":
            made.append(rng.integers(0, 1000, shape).astype("int32"))
        else:
            values = rng.standard_normal(shape).astype("float32")
            if kind != "normal":
                values = np.abs(values)
            if kind == "probabilities":
                values /= values.sum(-1, keepdims=True)
            made.append(values)
    return made


def _least(calls: dict[str, Callable[[], Any]], rounds: int, inner: int) -> list[float]:
    """The least processor time of a call of each contender, in seconds: other work on the machine does not count."""
    times = w.take_turns(calls, rounds, inner, clock=time.process_time)
    return [min(t) for t in times.values()]


def measure(row: Row, native: Any, rounds: int) -> list[str]:
    """A line of the table."""
    tensors = [native.tensor(a) for a in _arguments(row)]
    prepared = native.prepared(row.name, tensors)
    wanted = [i for i, given in enumerate(row.shapes) if not isinstance(given[0], str)]
    cells = [row.name]
    for places in ([], wanted):
        calls = {
            "kerata": native.call(row.call, tensors, places),
            "native": native.call(native.ROUTES[row.name], prepared, places),
        }
        ours, theirs = _least(calls, rounds, 1)
        ours, theirs = _least(calls, rounds, max(1, int(0.02 / max(theirs, 1e-6))))
        cells += [f"{ours * 1e3:.2f}", f"{ours / theirs:.2f}"]
    return cells


# ---- what Python adds ------------------------------------------------------------------------------

_SMALL = (
    "add",
    "multiply",
    "maximum",
    "matmul",
    "exp",
    "tanh",
    "sqrt",
    "relu",
    "sum",
    "reshape",
    "transpose",
)


def overhead(name: str, native: Any, rounds: int) -> list[str]:
    """Microseconds of the engine's own function and of Kerata's, on 2 x 2 tensors."""
    x = native.tensor(np.full((2, 2), 0.5, "float32"))
    extra: tuple[Any, ...] = {"reshape": ((4,),)}.get(name, (x,) if name in _SMALL[:4] else ())
    ours, theirs = getattr(ops, name), native.SMALL[name]
    calls = {"kerata": lambda: ours(x, *extra), "native": lambda: theirs(x, *extra)}
    a, b = (t * 1e6 for t in _least(calls, rounds, 2000))
    return [name, f"{b:.2f}", f"{a:.2f}", f"{a - b:+.2f}"]


def _table(head: tuple[str, ...], lines: Iterable[list[str]]) -> int:
    """Prints lines as they are measured, under their heads; gives their number."""
    count = 0
    for count, line in enumerate(lines, start=1):
        for row in ([*head], line) if count == 1 else (line,):
            cells = (cell.ljust(20) if i == 0 else cell.rjust(len(head[i])) for i, cell in enumerate(row))
            print("  ".join(cells), flush=True)
    return count


def main() -> None:
    parser = w.asked(__doc__, rounds=15, keras=False)
    parser.add_argument("--only", default="", help="parts of names, by commas")
    parser.add_argument("--composed", action="store_true", help="turns the fast paths off")
    options = parser.parse_args()
    kerata.set_backend(options.engine)
    native = native_ops.of(options.engine)
    set_fast_paths(not options.composed)
    chosen = [part for part in options.only.split(",") if part]

    def wanted(name: str) -> bool:
        return not chosen or any(part in name for part in chosen)

    found = _table(
        ("op", "forward ms", "x native", "with gradient ms", "x native"),
        (
            measure(row, native, options.rounds)
            for row in ROWS
            if wanted(row.name) and row.name in native.ROUTES
        ),
    )
    found += _table(
        ("eager, 2 x 2", "native us", "kerata us", "difference"),
        (overhead(name, native, options.rounds) for name in _SMALL if wanted(name)),
    )
    if not found:
        known = ", ".join([*(row.name for row in ROWS), *_SMALL])
        parser.error(f"no op has {options.only!r} in its name; there are {known}")


if __name__ == "__main__":
    main()
