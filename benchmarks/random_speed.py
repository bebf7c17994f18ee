"""Random draws of a million elements beside the engines' own: initial values, and dropout with its gradient.

python benchmarks/random_speed.py [--engines jax,torch] [--rounds 15] [--size 1000000]

Contenders take turns. The measure is processor time, the least of all rounds, which a busy machine disturbs less than
the clock; engines have one thread. "eager" draws are made at once, as initializers make them; "compiled" ones are part
of a compiled function, as in a training step; by hand, NumPy and PyTorch are always eager.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import one_thread  # noqa: F401  # isort: skip  # before NumPy and the engines

import numpy as np
import workloads as w

import kerata
from kerata import ops, random

Calls = dict[str, Callable[[], Any]]
_RATE, _LIMIT = 0.3, 0.05


def _by_hand_numpy(n: int) -> Calls:
    rng = np.random.default_rng(0)
    x = np.ones(n, "float32")

    def dropout() -> Any:
        kept = rng.random(n, dtype=np.float32) >= _RATE
        return np.where(kept, x * np.float32(1 / (1 - _RATE)), 0), np.where(
            kept, np.float32(1 / (1 - _RATE)), 0
        )

    return {
        "uniform": lambda: rng.random(n, dtype=np.float32),
        "initial uniform": lambda: (
            (rng.random(n, dtype=np.float32) - np.float32(0.5)) * np.float32(2 * _LIMIT)
        ),
        "normal": lambda: rng.standard_normal(n, dtype=np.float32),
        "dropout": dropout,
    }


def _by_hand_torch(n: int) -> Calls:
    import torch

    torch.set_num_threads(1)
    x = torch.ones(n, requires_grad=True)
    g = torch.ones(n)
    return {
        "uniform": lambda: torch.empty(n).uniform_(),
        "initial uniform": lambda: torch.empty(n).uniform_(-_LIMIT, _LIMIT),
        "normal": lambda: torch.empty(n).normal_(),
        "truncated_normal": lambda: torch.nn.init.trunc_normal_(torch.empty(n)),
        "dropout": lambda: torch.autograd.grad(torch.nn.functional.dropout(x, _RATE), x, g),
    }


def _by_hand_jax(n: int) -> dict[str, Calls]:
    import jax
    import jax.numpy as jnp

    key, x = jax.random.key(0), jnp.ones(n)

    def dropped(x: Any, key: Any) -> Any:
        return jnp.where(jax.random.bernoulli(key, 1 - _RATE, x.shape), x / (1 - _RATE), 0.0)

    def both(x: Any, key: Any) -> Any:
        y, back = jax.vjp(lambda x: dropped(x, key), x)
        return y, back(x)[0]

    draws = {
        "uniform": lambda key: jax.random.uniform(key, (n,)),
        "initial uniform": lambda key: jax.random.uniform(key, (n,), minval=-_LIMIT, maxval=_LIMIT),
        "normal": lambda key: jax.random.normal(key, (n,)),
        "truncated_normal": lambda key: jax.random.truncated_normal(key, -2.0, 2.0, (n,)),
        "dropout": lambda key: both(x, key),
    }

    def finished(draw: Callable[[Any], Any]) -> Callable[[], Any]:
        return lambda: jax.block_until_ready(draw(key))

    return {name: {"eager": finished(d), "compiled": finished(jax.jit(d))} for name, d in draws.items()}


def _by_hand_tensorflow(n: int) -> dict[str, Calls]:
    import tensorflow as tf

    x, seed = tf.ones(n), tf.constant([0, 0])

    def dropout(seed: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.nn.experimental.stateless_dropout(x, _RATE, seed=seed)
        return y, tape.gradient(y, x)

    def old_dropout(seed: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.nn.dropout(x, _RATE)
        return y, tape.gradient(y, x)

    draws = {
        "uniform": lambda seed: tf.random.stateless_uniform((n,), seed),
        "initial uniform": lambda seed: tf.random.stateless_uniform((n,), seed, -_LIMIT, _LIMIT),
        "normal": lambda seed: tf.random.stateless_normal((n,), seed),
        "truncated_normal": lambda seed: tf.random.stateless_truncated_normal((n,), seed),
        "dropout": dropout,
        "dropout (stateful)": old_dropout,
    }
    compiled = {name: tf.function(draw, autograph=False) for name, draw in draws.items()}
    return {
        name: {
            "eager": lambda name=name: draws[name](seed),
            "compiled": lambda name=name: compiled[name](seed),
        }
        for name in draws
    }


_BY_HAND: dict[str, Callable[[int], dict[str, Any]]] = {
    "numpy": _by_hand_numpy,
    "torch": _by_hand_torch,
    "jax": _by_hand_jax,
    "tensorflow": _by_hand_tensorflow,
}


def _kerata(n: int) -> dict[str, Calls]:
    """Each draw from a stream, eagerly and compiled."""
    engine, stream, ones = kerata.backends.current(), random.SeedGenerator(1), ops.ones(n)

    def dropout() -> Any:
        y, back = engine.vjp(lambda x: random.dropout(x, _RATE, seed=stream), [ones])
        return y, back(ones)[0]

    draws: Calls = {
        "uniform": lambda: random.uniform((n,), seed=stream),
        "initial uniform": lambda: random.uniform((n,), -_LIMIT, _LIMIT, seed=stream),
        "normal": lambda: random.normal((n,), seed=stream),
        "truncated_normal": lambda: random.truncated_normal((n,), seed=stream),
        "dropout": dropout,
    }

    def finished(draw: Callable[[], Any]) -> Callable[[], Any]:
        def call() -> None:
            result = draw()
            engine.synchronize(result[-1] if isinstance(result, tuple) else result)

        return call

    return {
        name: {"eager": finished(draw), "compiled": finished(kerata.function(draw))}
        for name, draw in draws.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", default=",".join(_BY_HAND), help="some of: %(default)s")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each contender (%(default)s)")
    parser.add_argument("--size", type=int, default=1_000_000, help="elements of a draw (%(default)s)")
    options = parser.parse_args()
    for name in options.engines.split(","):
        with kerata.use_backend(name):
            by_hand, ours = _BY_HAND[name](options.size), _kerata(options.size)
            for draw, native in by_hand.items():
                mine = ours[draw.removesuffix(" (stateful)")]
                hand = native if isinstance(native, dict) else dict.fromkeys(mine, native)
                calls = mine | {f"{way} by hand": call for way, call in hand.items()}
                turns = w.take_turns(calls, options.rounds, clock=time.process_time)
                times = {who: min(seconds) * 1e3 for who, seconds in turns.items()}
                pairs = ((way, times[way], times[f"{way} by hand"]) for way in mine)
                told = (
                    f"{way} {ours:.2f} ms, by hand {theirs:.2f} (x{ours / theirs:.2f})"
                    for way, ours, theirs in pairs
                )
                print(f"{name} {draw}: {'; '.join(told)}", flush=True)


if __name__ == "__main__":
    main()
