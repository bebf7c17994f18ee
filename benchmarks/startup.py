"""Import, first training step and peak memory, each in fresh processes.

python benchmarks/startup.py --engine jax [--repeats 3] [--without-keras]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

_IMPORT = {"jax": "import jax.numpy", "torch": "import torch", "tensorflow": "import tensorflow"}


def _child(kind: str, who: str, engine: str) -> None:
    start = time.perf_counter()
    if kind == "import":
        exec("import numpy" if who == "numpy" else _IMPORT[engine] if who == "by hand" else f"import {who}")
    else:
        import by_hand
        import workloads as w

        x, y = w.data("mlp")
        size = w.WORKLOADS["mlp"].batch
        if who == "by hand":
            by_hand.trainer(engine, "mlp")[0](x[:size], y[:size])
        else:
            w.model(w.api(who, engine), "mlp").fit(x[:size], y[:size], batch_size=size, verbose=0)
    seconds = time.perf_counter() - start
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    print(json.dumps({"seconds": seconds, "MiB": peak}))
    sys.stdout.flush()
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--engine", choices=tuple(_IMPORT), required=True, help="the engine of all contenders"
    )
    parser.add_argument(
        "--repeats", type=int, default=3, help="processes of each, after one that warms the caches"
    )
    parser.add_argument("--without-keras", action="store_true", help="leaves Keras out")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)  # how it calls itself
    options = parser.parse_args()
    if options.child:
        return _child(*options.child, options.engine)
    for kind in ("import", "first step"):
        others = ("kerata", "by hand") if options.without_keras else ("kerata", "keras", "by hand")
        for who in (*others, "numpy") if kind == "import" else others:
            runs = []
            for _ in range(options.repeats + 1):
                command = [sys.executable, __file__, "--engine", options.engine, "--child", kind, who]
                environment = {
                    **os.environ,
                    "KERATA_BACKEND": options.engine,
                    "KERAS_BACKEND": options.engine,
                }
                done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
                runs.append(json.loads(done.stdout.strip().splitlines()[-1]))
            seconds = statistics.median(r["seconds"] for r in runs[1:])  # the first one warmed the caches
            print(
                f"{options.engine} {kind}: {who} {seconds:.2f} s, peak {max(r['MiB'] for r in runs):.0f} MiB",
                flush=True,
            )


if __name__ == "__main__":
    main()
