"""Runs public statistical batteries on Kerata's random words: TestU01 (SmallCrush, Crush, BigCrush ...) and dieharder.

The words come from `kerata.random.bits`, the reference that all engines equal bit by bit, through a pipe.

    python benchmarks/random_battery.py smallcrush                       # one long stream
    python benchmarks/random_battery.py crush --reverse                  # its lowest bits first
    python benchmarks/random_battery.py smallcrush --stream seeds        # 64 words each of seeds 0, 1, 2 ...
    python benchmarks/random_battery.py smallcrush --stream counters --words 1
    python benchmarks/random_battery.py dieharder

TestU01 looks at the highest bits first and at the lowest hardly at all: `--reverse` turns each word round. Streams of
seeds and counters are interleaved: the first words of one state, then of the next. On Debian: `apt-get install
dieharder`, and libtestu01-0-dev (component non-free) with gcc. Results are in `random_battery.md`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kerata.random import bits

Words = Iterator[np.ndarray]
_TESTU01 = ("smallcrush", "crush", "bigcrush", "rabbit", "alphabit")


def long_stream(seed: int) -> Words:
    """The words of the draws (seed, 0), (seed, 1) ..., each of 2**34 words."""
    for counter in range(1 << 32):
        key = bits.keys(seed, counter)
        space = bits.Workspace(bits.ROWS)
        for chunk in range(0, 1 << 24, bits.ROWS):
            bits.blocks(space, bits.signed(chunk * bits.LANE * bits.GOLDEN + key[0]), key)
            yield np.stack([space.x, space.y, space.z, space.w], axis=1).reshape(-1)


def _mix(x: np.ndarray) -> np.ndarray:
    for shift, factor in bits.TRIPLE32:
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    return x


def many_keys(seeds: np.ndarray, counters: np.ndarray) -> list[np.ndarray]:
    """`bits.keys` for many states at once."""
    salts = [np.uint32(s) for s in bits.SALTS]
    return [_mix(_mix(seeds + salt) ^ counters).view(np.int32)[:, None] for salt in salts]


def many_states(by_seed: bool, fixed: int, words: int) -> Words:
    """The first words of states whose seed (or counter) is 0, 1, 2 ..."""
    columns = min(words, bits.LANE)  # no more of a lane than is wanted
    rows = (1 << 18) // columns
    space = bits.Workspace(1)
    space.numbers = space.numbers[:, :columns]
    space.x, space.y, space.z, space.w, *space.scratch = (
        np.empty((rows, columns), np.int32) for _ in range(5)
    )
    for start in range(0, 1 << 32, rows):
        moving = np.arange(start, start + rows, dtype=np.uint32)
        still = np.full(rows, fixed, np.uint32)
        key = many_keys(moving, still) if by_seed else many_keys(still, moving)
        bits.array_blocks(space, key[0], key)
        lanes = np.concatenate([space.x, space.y, space.z, space.w][: -(-words // bits.LANE)], axis=1)
        yield np.ascontiguousarray(lanes[:, :words]).reshape(-1)


def reversed_bits(x: np.ndarray) -> np.ndarray:
    """Each word with its lowest bit first."""
    x = x.view(np.uint32)
    for shift, mask in ((1, 0x55555555), (2, 0x33333333), (4, 0x0F0F0F0F)):
        x = ((x >> np.uint32(shift)) & np.uint32(mask)) | ((x & np.uint32(mask)) << np.uint32(shift))
    return x.byteswap()


def command(battery: str, folder: str) -> list[str]:
    """The program that reads the words; ends with a sentence where it cannot be had."""
    if battery == "dieharder":
        return [_program("dieharder", "apt-get install dieharder"), "-a", "-g", "200"]
    source, program = Path(__file__).with_suffix(".c"), str(Path(folder) / "battery")
    libraries = ["-ltestu01", "-ltestu01probdist", "-ltestu01mylib", "-lm"]
    compiler = [_program("gcc", "apt-get install gcc"), "-O2", str(source), "-o", program, *libraries]
    made = subprocess.run(compiler, capture_output=True, text=True, check=False)
    if made.returncode:
        sys.exit(f"{battery} needs TestU01 (on Debian libtestu01-0-dev, component non-free).\n{made.stderr}")
    return [program, battery]


def _program(name: str, install: str) -> str:
    return shutil.which(name) or sys.exit(f"{name} is not there (on Debian: {install}).")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "battery", choices=[*_TESTU01, "dieharder", "raw"], help="raw: the words themselves, to the output"
    )
    parser.add_argument(
        "--stream", choices=["long", "seeds", "counters"], default="long", help="which words (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="the seed, or the counter of a stream of seeds")
    parser.add_argument("--words", type=int, default=64, help="words of each state, up to 1024")
    parser.add_argument("--reverse", action="store_true", help="lowest bits first")
    options = parser.parse_args()
    if options.stream == "long":
        words = long_stream(options.seed)
    else:
        words = many_states(options.stream == "seeds", options.seed, options.words)
    if options.reverse:
        words = map(reversed_bits, words)
    with tempfile.TemporaryDirectory() as folder:
        reader = None
        if options.battery != "raw":
            reader = subprocess.Popen(command(options.battery, folder), stdin=subprocess.PIPE)
        sink = sys.stdout.buffer if reader is None else reader.stdin
        try:
            for part in words:
                sink.write(part.tobytes())
        except BrokenPipeError:  # the battery has seen enough
            pass
        if reader is not None:
            reader.wait()


if __name__ == "__main__":
    main()
