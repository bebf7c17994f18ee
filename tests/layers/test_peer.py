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
    if getattr(layer, "stateful", False):  # the call that built it has left its states
        layer.reset_state()
    return layer


@every
def test_the_same_weights(row, peer):
    layer, facts = built(row), peer.of(row)
    assert [v.name for v in layer.weights] == facts["names"]
    assert [list(v.shape) for v in layer.weights] == facts["shapes"]
    assert [v.trainable for v in layer.weights] == facts["trainable"]


@every
def test_the_same_outputs(row, peer):
    layer, facts = built(row), peer.of(row)
    layer.set_weights(cases.first_weights(facts["names"], facts["shapes"]))
    for _ in range(row.calls):
        outputs = cases.leaves(layer(*row.args, **row.kwargs))
    assert [kerata.ops.dtype(y) for y in outputs] == facts["dtypes"]
    half = "bfloat16" in facts["dtypes"]
    for i, y in enumerate(outputs):
        ours = kerata.ops.convert_to_numpy(kerata.ops.cast(y, "float32"))
        theirs = peer.values[f"{row.name}|{i}"]
        np.testing.assert_allclose(ours, theirs, rtol=3e-2 if half else 2e-5, atol=3e-2 if half else 1e-5)


# What Keras leaves out of the configs of these layers, and so loses when it saves them; and what only Keras has.
ONLY_OURS = {"flash_attention", "use_cudnn", "seed", "trainable"}
ONLY_THEIRS = {"quantization_config"}


def settled(config):
    """A config without names, which count the layers of a process; dtypes by their names."""
    if not isinstance(config, dict):
        return [settled(v) for v in config] if isinstance(config, list) else config
    if config.get("class_name") == "DTypePolicy":
        return config["config"].get("name")
    return {k: settled(v) for k, v in config.items() if k not in ("name", "build_config", *ONLY_THEIRS)}


def shared(ours, theirs):
    """Our config without what only we tell."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return {k: shared(v, theirs.get(k)) for k, v in ours.items() if k in theirs or k not in ONLY_OURS}
    return ours


@pytest.mark.parametrize("row", [row for row in ROWS if not row.name.startswith("Lambda")], ids=str)
def test_the_same_config(row, peer):
    ours, theirs = (
        settled(json.loads(json.dumps(built(row).get_config()))),
        settled(peer.of(row)["config"]),
    )
    assert shared(ours, theirs) == theirs


def output_shape(row):
    """What a layer tells for shapes with an unknown batch, where it needs none."""

    def shape(value):
        if isinstance(value, (list, tuple)):
            return [shape(v) for v in value]
        return (None if row.batch else value.shape[0], *value.shape[1:])

    return row.make(kerata).compute_output_shape(*map(shape, row.args))


def is_shape(value):
    return all(d is None or isinstance(d, int) for d in value)


def agree(ours, theirs):
    """Whether shapes agree; a size that Keras does not know may be known."""
    if len(ours) != len(theirs):
        return False
    if is_shape(theirs):
        return all(b is None or a in (b, None) for a, b in zip(ours[1:], theirs[1:], strict=True))
    return all(agree(a, b) for a, b in zip(ours, theirs, strict=True))


@every
def test_the_same_output_shape(row, peer):
    wanted = peer.of(row).get("output_shape")
    if wanted is None:  # Keras cannot tell
        return
    got = output_shape(row)
    if row.name == "RNN(stack, states)":  # Keras calls it so, and tells another structure than it gives
        wanted = [wanted[0], [wanted[1]], wanted[2]]
    # Keras doubles the forward size, whatever the backward one is.
    if row.name == "Bidirectional(backward_layer)":
        wanted = [None, 5]
    assert agree(got, wanted), (got, wanted)


# Quantisation and low-rank adaptation wrap a layer; they do not live in it.
NOT_IN_LAYERS = {"lora_rank", "lora_alpha", "quantization_config", "gptq_unpacked_column_size"}
# Keras has `output_padding` behind `data_format` in this rank only.
OTHER_ORDER = {"Conv3DTranspose", "Convolution3DTranspose"}


def public_layers():
    return [n for n, v in vars(layers).items() if inspect.isclass(v) and not n.startswith("_")]


@pytest.mark.parametrize("name", public_layers())
def test_the_same_signature(name, peer):
    if name not in peer.signatures:
        return
    parameters = inspect.signature(getattr(layers, name)).parameters.values()
    named = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    ours = [[p.name, "" if p.default is p.empty else repr(p.default)] for p in named]
    theirs = [entry for entry in peer.signatures[name] if entry[0] not in NOT_IN_LAYERS]
    assert sorted(ours) == sorted(theirs)
    assert ours == theirs or name in OTHER_ORDER
