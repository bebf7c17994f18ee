"""A training step inside `fit`: Kerata, Keras and the hand-written loop, in turns.

python benchmarks/train.py --engine jax [--workloads tiny,mlp] [--rounds 5] [--without-keras] [--jit]

`--jit` adds Kerata with `jit_compile=True` to the contenders.
"""

from __future__ import annotations

import argparse
import functools
from typing import Any

import by_hand
import workloads as w


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("jax", "torch", "tensorflow"), required=True)
    parser.add_argument("--workloads", default=",".join(w.WORKLOADS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-keras", action="store_true")
    parser.add_argument("--jit", action="store_true")
    options = parser.parse_args()
    for name in options.workloads.split(","):
        x, y = w.data(name)
        size, steps = w.WORKLOADS[name].batch, w.WORKLOADS[name].steps
        contenders: dict[str, Any] = {}
        for other in ("kerata",) if options.without_keras else ("kerata", "keras"):
            model = w.model(w.api(other, options.engine), name)
            contenders[other] = functools.partial(model.fit, x, y, batch_size=size, epochs=1, verbose=0)
        if options.jit:
            model = w.model(w.api("kerata", options.engine), name, jit_compile=True)
            contenders["kerata, jit_compile"] = functools.partial(
                model.fit, x, y, batch_size=size, epochs=1, verbose=0
            )
        epoch, *_ = by_hand.trainer(options.engine, name)
        contenders["by hand"] = functools.partial(epoch, x, y)
        times = w.take_turns(contenders, options.rounds)
        w.report(
            f"{options.engine} {name} step", {k: [t / steps for t in v] for k, v in times.items()}, 1e-3, "ms"
        )


if __name__ == "__main__":
    main()
