"""Questions asked of every layer and every option, on every engine: the cases stand in cases.py."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

import numpy as np
import pytest

import kerata
from kerata import backends, ops
from kerata.core import config
from kerata.core.samples import Tolerance
from kerata.verify.compare import difference, plain

sys.path.insert(0, str(Path(__file__).parent))
import cases

every = pytest.mark.parametrize("row", cases.CASES, ids=str)
# Sums of some dozens of terms, and fused kernels that round in another order.
CLOSE = Tolerance(rtol=2e-5, atol=5e-6)
GRADIENTS = Tolerance(rtol=1e-4, atol=2e-5)
GROUP = 12


def tensors(value):
    """A structure of arrays on the current engine."""
    return cases.mapped(ops.convert_to_tensor, value)


def with_weights(layer):
    names = [v.name for v in layer.weights]
    layer.set_weights(cases.first_weights(names, [v.shape for v in layer.weights]))
    return layer


def quiet(row):
    """The keyword arguments of a case, without training: a first call must draw no random numbers."""
    return {**row.kwargs, "training": False} if "training" in row.kwargs else row.kwargs


def made(row):
    """The layer of a case, built, with weights that do not depend on initializers and seeds as at first."""
    layer = row.make(kerata)
    if not layer.built:
        layer(*tensors(row.args), **tensors(quiet(row)))
    return with_weights(layer)


def called(row, layer):
    for _ in range(row.calls):
        outputs = layer(*tensors(row.args), **tensors(row.kwargs))
    return outputs


@functools.cache
def reference(name):
    """What the NumPy engine gives."""
    row = cases.BY_NAME[name]
    with kerata.use_backend("numpy"):
        return plain(called(row, made(row)))


@every
def test_the_same_values_on_every_engine(row, engine):
    assert difference(plain(called(row, made(row))), reference(row.name), CLOSE) is None


def symbolic(row, unknown):
    """The arguments of a case as symbolic tensors with some sizes unknown."""

    def one(x):
        shape = [None if (i == 0 and row.batch) or i in unknown else d for i, d in enumerate(x.shape)]
        return kerata.KerasTensor(shape, x.dtype.name)

    return cases.mapped(one, row.args), cases.mapped(one, row.kwargs)


@pytest.mark.parametrize("unknown", [False, True], ids=["batch", "axes"])
@every
def test_symbolic_shapes_and_dtypes(row, unknown):
    if unknown and not row.unknown:
        unknown = False  # the same as the other question
    args, kwargs = symbolic(row, row.unknown if unknown else ())
    layer = row.make(kerata)
    outputs = cases.leaves(layer(*args, **kwargs))
    eager = reference(row.name)
    assert [y.dtype for y in outputs] == [y.dtype for y in eager]
    for got, expected in zip(outputs, eager, strict=True):
        assert len(got.shape) == len(expected.shape)
        known = got.shape if unknown or not row.batch else got.shape[1:]
        want = expected.shape if unknown or not row.batch else expected.shape[1:]
        if unknown:
            assert all(a in (None, b) for a, b in zip(known, want, strict=True))
        elif row.args and not isinstance(row.args[0], tuple):
            assert tuple(known) == tuple(want)
    # A layer that was built from a symbolic input computes what one that was built from a tensor does.
    assert difference(plain(called(row, with_weights(layer))), eager, CLOSE) is None


def groups():
    return [cases.CASES[i : i + GROUP] for i in range(0, len(cases.CASES), GROUP)]


@pytest.mark.parametrize("rows", groups(), ids=lambda rows: f"{rows[0]}…{rows[-1]}")
def test_compiled_is_eager(rows, engine):
    """Several layers in one compiled function, since each compilation takes a while."""
    layers = [made(row) for row in rows]
    inputs = [(tensors(row.args), {k: v for k, v in tensors(row.kwargs).items() if not isinstance(v, bool)}) for row in rows]
    options = [{k: v for k, v in row.kwargs.items() if isinstance(v, bool)} for row in rows]

    @kerata.function
    def run(inputs):
        return [
            [layer(*args, **kwargs, **extra) for _ in range(row.calls)][-1]
            for row, layer, (args, kwargs), extra in zip(rows, layers, inputs, options, strict=True)
        ]

    outputs = run(inputs)
    for row, got in zip(rows, outputs, strict=True):
        assert difference(plain(got), reference(row.name), CLOSE) is None, row.name


@every
def test_round_trip_of_the_config(row):
    layer = row.make(kerata)
    if not row.name.startswith("Lambda"):
        again = type(layer).from_config(layer.get_config())
    else:
        again = layer
    assert again.get_config() == layer.get_config()
    again(*tensors(row.args), **tensors(quiet(row)))
    assert difference(plain(called(row, with_weights(again))), reference(row.name), CLOSE) is None


def loss_of(outputs):
    """A number that weighs every float of the outputs differently."""
    total = ops.convert_to_tensor(np.float32(0))
    for y in cases.leaves(outputs):
        if "float" in ops.dtype(y):
            weights = np.cos(np.arange(np.prod(ops.shape(y)), dtype="float64")).reshape(ops.shape(y))
            total = ops.add(total, ops.sum(ops.multiply(ops.cast(y, config.floatx()), weights.astype(config.floatx()))))
    return total


def gradients(row):
    """The loss as a function of the variables, the variables (weights and float inputs), and its gradients."""
    layer = made(row)
    held = []

    def hold(x):
        if x.dtype.kind != "f":
            return ops.convert_to_tensor(x)
        held.append(kerata.Variable(x.astype(config.floatx())))
        return held[-1]

    args = cases.mapped(hold, row.args)
    kwargs = tensors(row.kwargs)

    def read(value):
        if isinstance(value, (list, tuple)):
            return type(value)(read(v) for v in value)
        return value.value if isinstance(value, kerata.Variable) else value

    def fn():
        return loss_of(layer(*read(args), **kwargs))

    variables = [*layer.trainable_weights, *held]
    return fn, variables, kerata.value_and_grad(fn, variables)()[1]


@functools.cache
def reference_gradients(name):
    with kerata.use_backend("numpy"):
        return plain(gradients(cases.BY_NAME[name])[2])


@every
def test_the_same_gradients_on_every_engine(row, engine):
    if row.calls == 1:
        assert difference(plain(gradients(row)[2]), reference_gradients(row.name), GRADIENTS) is None


@pytest.mark.parametrize("row", [c for c in cases.CASES if c.smooth and c.calls == 1], ids=str)
def test_gradients_are_slopes(row):
    """Along a random direction, against a central difference in 64 bits."""
    config.set_floatx("float64")
    fn, variables, grads = gradients(row)
    if not variables:
        return
    random = np.random.default_rng(1)
    start = [v.numpy() for v in variables]
    way = [random.normal(size=s.shape) for s in start]

    def at(step):
        for v, s, d in zip(variables, start, way, strict=True):
            v.assign(s + step * d)
        return float(fn())

    slope = (at(1e-5) - at(-1e-5)) / 2e-5
    told = sum(float(np.sum(d * ops.convert_to_numpy(g))) for d, g in zip(way, grads, strict=True))
    assert told == pytest.approx(slope, rel=1e-5, abs=1e-6)


def one_of_each():
    """The first case of each layer."""
    return {row.name.partition("(")[0]: row for row in reversed(cases.CASES)}.values()


@pytest.mark.parametrize("row", one_of_each(), ids=str)
def test_a_layer_stays_on_its_engine_and_moves_on_demand(row, engine):
    with kerata.use_backend(engine):
        layer = row.make(kerata)
    other = "numpy" if engine != "numpy" else "torch"
    with kerata.use_backend(other):  # neither building nor calling asks what the default is
        layer(*row.args, **quiet(row))
        with_weights(layer)
        assert {v.engine.name for v, _ in layer._walk()} <= {engine}
        for _ in range(row.calls):
            outputs = layer(*row.args, **row.kwargs)
        assert difference(plain(outputs), reference(row.name), CLOSE) is None
        assert all(backends.get(engine).owns(type(y)) for y in cases.leaves(outputs))
    layer.to_backend(other)
    assert {v.engine.name for v, _ in layer._walk()} <= {other}
    with kerata.use_backend(engine):
        outputs = layer(*row.args, **quiet(row))
    assert all(backends.get(other).owns(type(y)) for y in cases.leaves(outputs))
