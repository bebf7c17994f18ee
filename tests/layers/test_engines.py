"""Every layer of the table on every engine: weights, outputs, masks, derivatives, dtypes, shapes, configs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

import kerata
from kerata import backends, ops
from kerata.core import dtypes
from kerata.core.samples import Tolerance
from kerata.core.tensor import KerasTensor
from kerata.verify.compare import Plain, difference, plain

sys.path.insert(0, str(Path(__file__).parent))
import cases
import subjects

ALL = os.environ.get("KERATA_CONFORMANCE") == "all"
POLICY_ENGINES = backends.installed() if ALL else ["numpy", "torch"]
every = pytest.mark.parametrize("row", cases.CASES, ids=str)
SAME = Tolerance(0, 0)
CLOSE = Tolerance(1e-6, 1e-6)
# Moments in half precision are rounded after each step, or only at the end, as the engine's kernels please; and a
# compiler may keep more bits than it was asked for.
HALF = Tolerance(3e-2, 3e-2, because="rounding of intermediate values in half precision")


def told(got: list[Plain], expected: list[Plain], tolerance: Tolerance) -> str | None:
    """What differs; the absolute tolerance is a share of the largest value of each tensor."""
    if len(got) != len(expected):
        return f"{len(got)} tensors instead of {len(expected)}"
    for i, (a, b) in enumerate(zip(got, expected, strict=True)):
        size = float(np.nanmax(np.abs(b.values.astype("float64")), initial=0)) if b.values is not None else 0
        scaled = Tolerance(tolerance.rtol, tolerance.atol * max(size, 1), tolerance.because)
        text = difference([a], [b], scaled)
        if text:
            return f"{i}: {text}"
    return None


def tolerance(row: cases.Case, expected: list[Plain]) -> Tolerance:
    half = any(leaf.dtype in ("float16", "bfloat16") for leaf in expected)
    return HALF if half else CLOSE


def questions() -> list[tuple[cases.Case, str, str]]:
    """(row, engine, mode). Compiling each row takes longer than all other tests of layers: one row of each class is
    compiled, and all with KERATA_CONFORMANCE=all."""
    seen: set[str] = set()
    asked = []
    for row in cases.CASES:
        first = row.name.partition("(")[0] not in seen
        seen.add(row.name.partition("(")[0])
        for name in backends.installed():
            if ALL or name not in ("numpy", "jax"):
                asked.append((row, name, "eager"))
            if ALL or (first and name not in ("numpy", "torch")):  # these two run Python either way
                asked.append((row, name, "compiled"))
    return asked


@pytest.mark.parametrize(("row", "engine", "mode"), questions(), ids=str, indirect=["engine"])
def test_gives_what_the_reference_gives(row, engine, mode):
    got, expected = subjects.answer(row.name, engine, mode), subjects.answer(row.name, "numpy", "eager")
    assert difference(got.initial, expected.initial, SAME) is None
    assert difference(got.masks, expected.masks, SAME) is None
    for part in ("outputs", "gradients", "weights"):
        wanted = getattr(expected, part)
        assert told(getattr(got, part), wanted, tolerance(row, expected.outputs)) is None, part


def symbolic(row: cases.Case) -> tuple[list[Plain], list[Plain]]:
    """What a layer announces for its inputs, and what comes."""
    layer = row.make(kerata)
    tensors = [subjects.on_engine(a) for a in row.args]
    outputs = plain(layer(*tensors, **subjects.quiet(subjects.on_engine(row.kwargs))))
    fixed = [0] if not row.batch else []

    def announced(x: np.ndarray) -> KerasTensor:
        shape = [None if i in (0, *row.unknown) and i not in fixed else d for i, d in enumerate(x.shape)]
        return KerasTensor(shape, dtypes.standardize(x.dtype))

    fresh = row.make(kerata)
    if row.unknown:  # weights are made from known sizes
        fresh(*tensors, **subjects.quiet(subjects.on_engine(row.kwargs)))
    args, kwargs = cases.mapped(announced, row.args), cases.mapped(announced, row.kwargs)
    return plain(fresh(*args, **kwargs)), outputs


@every
def test_announces_the_shapes_and_dtypes_that_come(row):
    announced, outputs = symbolic(row)
    assert [a.dtype for a in announced] == [o.dtype for o in outputs]
    for a, o in zip(announced, outputs, strict=True):
        assert len(a.shape) == len(o.shape)
        assert all(n in (None, d) for n, d in zip(a.shape, o.shape, strict=True)), (a.shape, o.shape)


@every
def test_is_made_again_from_its_config(row):
    if row.name.startswith("Lambda"):  # a function travels with a file only if it is registered
        return
    layer = row.make(kerata)
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    layer(*row.args, **subjects.quiet(row.kwargs))
    again(*row.args, **subjects.quiet(row.kwargs))
    assert [(v.name, v.shape) for v in again.weights] == [(v.name, v.shape) for v in layer.weights]


@pytest.mark.parametrize("policy", ["float64", "bfloat16", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize(
    "row", [r for r in cases.CASES if "dtype=" not in r.name and "half" not in r.name], ids=str
)
@pytest.mark.parametrize("engine", POLICY_ENGINES, indirect=True)
def test_computes_in_the_dtypes_of_its_policy(row, policy, engine):
    kerata.config.set_dtype_policy(policy)
    expected = kerata.dtype_policies.DTypePolicy(policy)
    layer = row.make(kerata)
    outputs = cases.leaves(layer(*row.args, **row.kwargs))
    floats = [y for y in outputs if dtypes.is_float(ops.dtype(y))]
    assert {ops.dtype(y) for y in floats} <= {expected.compute_dtype}
    assert {v.dtype for v in layer.weights if dtypes.is_float(v.dtype)} <= {expected.variable_dtype}
    assert all(np.isfinite(ops.convert_to_numpy(y).astype("float64")).all() for y in floats)
