"""Layers against Keras: with the same weights the same outputs; the same weights, configs, shapes and signatures."""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import kerata
from kerata import layers

sys.path.insert(0, str(Path(__file__).parent))
import cases

ROWS = [row for row in cases.CASES if row.peer]
every = pytest.mark.parametrize("row", ROWS, ids=str)


def quiet(row):
    """A first call must draw no random numbers."""
    return {**row.kwargs, "training": False} if "training" in row.kwargs else row.kwargs


def built(row):
    layer = row.make(kerata)
    layer(*row.args, **quiet(row))
    return layer


@every
def test_the_same_weights(row, peer):
    layer, facts = built(row), peer.cases[row.name]
    assert [v.name for v in layer.weights] == facts["names"]
    assert [list(v.shape) for v in layer.weights] == facts["shapes"]
    assert [v.trainable for v in layer.weights] == facts["trainable"]


@every
def test_the_same_outputs(row, peer):
    layer, facts = built(row), peer.cases[row.name]
    layer.set_weights(cases.first_weights(facts["names"], facts["shapes"]))
    for _ in range(row.calls):
        outputs = cases.leaves(layer(*row.args, **row.kwargs))
    assert [kerata.ops.dtype(y) for y in outputs] == facts["dtypes"]
    half = "bfloat16" in facts["dtypes"]
    for i, y in enumerate(outputs):
        ours = kerata.ops.convert_to_numpy(kerata.ops.cast(y, "float32"))
        theirs = peer.values[f"{row.name}|{i}"]
        np.testing.assert_allclose(ours, theirs, rtol=3e-2 if half else 2e-5, atol=3e-2 if half else 1e-5)


def settled(config):
    """A config without names, which count the layers of a process."""
    if isinstance(config, dict):
        return {k: settled(v) for k, v in config.items() if k not in ("name", "build_config")}
    return [settled(v) for v in config] if isinstance(config, list) else config


@pytest.mark.parametrize("row", [row for row in ROWS if not row.name.startswith("Lambda")], ids=str)
def test_the_same_config(row, peer):
    ours = json.loads(json.dumps(built(row).get_config()))
    assert settled(ours) == settled(peer.cases[row.name]["config"])


def unknown_batch(value):
    return [unknown_batch(v) for v in value] if isinstance(value, (list, tuple)) else (None, *value.shape[1:])


def as_lists(value):
    return [as_lists(v) for v in value] if isinstance(value, (list, tuple)) else value


@every
def test_the_same_output_shape(row, peer):
    wanted = peer.cases[row.name].get("output_shape")
    if wanted is None:  # Keras cannot tell
        return
    assert as_lists(row.make(kerata).compute_output_shape(*map(unknown_batch, row.args))) == wanted


def public_layers():
    return [n for n, v in vars(layers).items() if inspect.isclass(v) and not n.startswith("_")]


@pytest.mark.parametrize("name", public_layers())
def test_the_same_signature(name, peer):
    if name not in peer.signatures:
        return
    parameters = inspect.signature(getattr(layers, name)).parameters.values()
    named = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    ours = [[p.name, "" if p.default is p.empty else repr(p.default)] for p in named]
    assert ours == peer.signatures[name]
