"""Model files made piece by piece, for tests of what a loader must refuse."""

import copy
import io
import json
import zipfile

import h5py
import numpy as np


def tensor(name, shape=(None, 4), node=0, output=0):
    config = {"shape": list(shape), "dtype": "float32", "keras_history": [name, node, output]}
    return {"class_name": "__keras_tensor__", "config": config}


def layer(class_name, name=None, module="keras.layers", **config):
    if name is not None:
        config["name"] = name
    return {"module": module, "class_name": class_name, "config": config, "registered_name": None}


def call(*args, **kwargs):
    return {"args": list(args), "kwargs": kwargs}


def inputs(name="x", shape=(None, 4)):
    entry = layer("InputLayer", name, batch_shape=list(shape), dtype="float32", sparse=False)
    return {**entry, "name": name, "inbound_nodes": []}


def node(entry, *calls):
    return {**entry, "name": entry["config"]["name"], "inbound_nodes": list(calls)}


def op(class_name, *args, module="keras.src.ops.numpy", name="op", config=(), **kwargs):
    entry = {
        "module": module,
        "class_name": class_name,
        "config": {"name": name, **dict(config)},
        "registered_name": class_name,
    }
    return node(entry, call(*args, **kwargs))


def graph(*layers, outputs=None):
    last = layers[-1]["name"]
    config = {
        "name": "model",
        "trainable": True,
        "layers": list(layers),
        "input_layers": [["x", 0, 0]],
        "output_layers": outputs or [[last, 0, 0]],
    }
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": config,
        "registered_name": "Functional",
    }


def stack(*layers, **more):
    config = {"name": "model", "trainable": True, "layers": list(layers), **more}
    return {"module": "keras", "class_name": "Sequential", "config": config, "registered_name": None}


INPUT = layer("InputLayer", "x", batch_shape=[None, 4], dtype="float32", sparse=False)
DENSE = layer("Dense", "dense", units=2)
PLAIN = stack(INPUT, DENSE)
PLAIN_ARRAYS = {
    "layers/dense/vars/0": np.ones((4, 2), "float32"),
    "layers/dense/vars/1": np.zeros(2, "float32"),
}
METADATA = {"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}


def plain():
    return copy.deepcopy(PLAIN)


def weights(arrays=PLAIN_ARRAYS):
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        for path, value in arrays.items():
            file[path] = value
    return data.getvalue()


def archive(config, arrays=PLAIN_ARRAYS, metadata=METADATA, compression=zipfile.ZIP_STORED, **members):
    """The bytes of a `.keras` file. `config` may be text; `arrays` may be the bytes of a weights file."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as z:
        z.writestr("metadata.json", json.dumps(metadata))
        z.writestr("config.json", config if isinstance(config, (str, bytes)) else json.dumps(config))
        z.writestr("model.weights.h5", arrays if isinstance(arrays, bytes) else weights(arrays))
        for name, content in members.items():
            z.writestr(name, content)
    return data.getvalue()


def lambda_code():
    """A lambda as Keras writes it: marshalled code. This one would leave a marker."""
    import base64
    import marshal

    def payload(x):
        open("marker", "w").close()
        return x

    code = base64.b64encode(marshal.dumps(payload.__code__)).decode()
    return {"class_name": "__lambda__", "config": {"code": code, "defaults": None, "closure": None}}
