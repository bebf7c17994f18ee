"""What Keras makes of the cases, in a process of its own: `python peer_process.py values.npz facts.json`."""

import inspect
import json
import os
import sys

os.environ["KERAS_BACKEND"] = "torch"
sys.path.insert(0, os.path.dirname(__file__))

import cases
import keras
import numpy as np


def shown(value):
    """A config as plain data that can be compared."""
    return json.loads(json.dumps(value, default=str))


def shapes_of(args):
    return [cases.mapped(lambda x: None, a) if isinstance(a, dict) else _shape(a) for a in args]


def _shape(value):
    return [_shape(v) for v in value] if isinstance(value, (list, tuple)) else (None, *value.shape[1:])


def ask(row, values):
    """Runs a case; its outputs go to `values`, the rest is given."""
    layer = row.make(keras)
    tensors = cases.mapped(keras.ops.convert_to_tensor, row.args)
    extra = cases.mapped(keras.ops.convert_to_tensor, row.kwargs)
    if not layer.built:
        layer(*tensors, **extra)
        if getattr(layer, "stateful", False):  # the call that built it has left its states
            layer.reset_state()
    names = [v.name for v in layer.weights]
    shapes = [list(v.shape) for v in layer.weights]
    layer.set_weights(cases.first_weights(names, shapes))
    for _ in range(row.calls):
        outputs = cases.leaves(layer(*tensors, **extra))
    for i, y in enumerate(outputs):
        values[f"{row.name}|{i}"] = np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(y, "float32")))
    facts = {
        "outputs": len(outputs),
        "dtypes": [keras.backend.standardize_dtype(y.dtype) for y in outputs],
        "names": names,
        "shapes": shapes,
        "trainable": [bool(v.trainable) for v in layer.weights],
        "config": shown(layer.get_config()),
    }
    try:
        facts["output_shape"] = shown(layer.compute_output_shape(*shapes_of(row.args)))
    except Exception as error:
        facts["no_output_shape"] = repr(error)
    return facts


def signature(thing):
    """[name, default] of each named parameter."""
    parameters = inspect.signature(thing).parameters.values()
    named = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    return [[p.name, "" if p.default is p.empty else repr(p.default)] for p in named]


def main(values_path, facts_path):
    values, facts = {}, {}
    for row in cases.CASES:
        if not row.peer:
            continue
        try:
            facts[row.name] = ask(row, values)
        except Exception as error:
            facts[row.name] = {"error": f"{type(error).__name__}: {error}"}
    signatures = {n: signature(v) for n, v in vars(keras.layers).items() if inspect.isclass(v)}
    np.savez(values_path, **values)
    with open(facts_path, "w") as file:
        json.dump({"cases": facts, "signatures": signatures}, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
