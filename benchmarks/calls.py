"""Calls from Python on the tiny model: an eager op, `model(x)`, `train_on_batch`, `predict` on one batch.

python benchmarks/calls.py --engine torch [--rounds 9] [--without-keras]
"""

from __future__ import annotations

from typing import Any

import by_hand
import numpy as np
import workloads as w


def _native(engine: str) -> tuple[Any, Any]:
    """The engine's own `tensor(array)` and `add`."""
    if engine == "torch":
        import torch

        return torch.from_numpy, torch.add
    if engine == "jax":
        import jax.numpy as jnp

        return jnp.asarray, jnp.add
    import tensorflow as tf

    return tf.constant, tf.add


def main() -> None:
    options = w.asked(__doc__, rounds=9).parse_args()
    names = ("kerata",) if options.without_keras else ("kerata", "keras")
    apis = {name: w.api(name, options.engine) for name in names}
    tensor, add = _native(options.engine)
    one = tensor(np.ones(1, "float32"))
    calls = {name: lambda a=a: a.ops.add(one, one) for name, a in apis.items()}
    w.report(
        f"{options.engine} op",
        w.take_turns({**calls, "by hand": lambda: add(one, one)}, options.rounds, 2000),
        1e-6,
        "us",
    )

    x, y = (a[:32] for a in w.data("tiny"))
    models = {name: w.model(a, "tiny") for name, a in apis.items()}
    epoch, predict, call = by_hand.trainer(options.engine, "tiny")
    native = tensor(x)
    calls = {name: lambda m=m: m(native) for name, m in models.items()}  # eagerly, as by hand
    w.report(
        f"{options.engine} model(x)",
        w.take_turns({**calls, "by hand": lambda: call(native)}, options.rounds, 200),
        1e-6,
        "us",
    )
    calls = {name: lambda m=m: m.train_on_batch(x, y) for name, m in models.items()}
    w.report(
        f"{options.engine} train_on_batch",
        w.take_turns({**calls, "by hand": lambda: epoch(x, y)}, options.rounds, 50),
        1e-6,
        "us",
    )
    calls = {name: lambda m=m: m.predict(x, verbose=0) for name, m in models.items()}
    w.report(
        f"{options.engine} predict",
        w.take_turns({**calls, "by hand": lambda: predict(x)}, options.rounds, 20),
        1e-6,
        "us",
    )


if __name__ == "__main__":
    main()
