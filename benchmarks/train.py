"""A training step inside `fit`: Kerata, Keras and the hand-written loop, in turns.

python benchmarks/train.py --engine jax [--workloads tiny,mlp] [--steps 20] [--rounds 5] [--without-keras] [--jit]

An epoch is timed as a whole and divided by its steps: with few of them (`--steps`) what `fit` does once weighs more.
"""

from __future__ import annotations

import functools
from typing import Any

import by_hand
import workloads as w


def main() -> None:
    parser = w.asked(__doc__, rounds=5)
    parser.add_argument("--workloads", default=",".join(w.WORKLOADS), help="some of: %(default)s")
    parser.add_argument("--steps", type=int, help="steps of an epoch; each workload has its own number")
    parser.add_argument("--jit", action="store_true", help="adds Kerata with `jit_compile=True`")
    options = parser.parse_args()
    for name in options.workloads.split(","):
        size, steps = w.WORKLOADS[name].batch, options.steps or w.WORKLOADS[name].steps
        x, y = w.data(name, steps)
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
