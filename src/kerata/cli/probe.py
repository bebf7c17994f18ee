"""`python -m kerata.cli.probe NAME`: loads one engine, computes with it, and describes it as a line of JSON.

`kerata doctor` runs it in a process of its own for each engine.
"""

from __future__ import annotations

import json
import sys

from kerata import backends, ops


def describe(name: str) -> dict[str, object]:
    """Version and devices of an engine that has just added two numbers."""
    with backends.use_backend(name) as engine:
        total = ops.convert_to_numpy(ops.add(ops.convert_to_tensor(1.0), ops.convert_to_tensor(2.0)))
    if total != 3.0:
        raise RuntimeError(f"1 + 2 gave {total}")
    return {"version": engine.version(), "devices": engine.devices()}


if __name__ == "__main__":
    print(json.dumps(describe(sys.argv[1])))
