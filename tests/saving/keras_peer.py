"""Keras in a process of its own, told what to do by lines of JSON: `python keras_peer.py`, for the peer tests."""

import json
import os
import sys

os.environ["KERAS_BACKEND"] = "torch"
sys.path.insert(0, os.path.dirname(__file__))


def flat(outputs, prefix="o"):
    import numpy as np

    if isinstance(outputs, dict):
        return {k: v for key in sorted(outputs) for k, v in flat(outputs[key], f"{prefix}.{key}").items()}
    if isinstance(outputs, (list, tuple)):
        return {k: v for i, part in enumerate(outputs) for k, v in flat(part, f"{prefix}.{i}").items()}
    return {prefix: np.asarray(outputs).astype("float32")}


def predict(model, x, path):
    import numpy as np

    if x is not None:
        np.savez(path, **flat(model.predict(x, verbose=0)))


def make(folder, names):
    """Makes, saves and runs the models of the zoo; gives what went wrong with each."""
    import keras
    import zoo

    errors = {}
    for name in names:
        try:
            keras.utils.set_random_seed(1)
            model, x = zoo.MODELS[name](keras)
            model.save(f"{folder}/{name}.keras")
            if x is not None:
                model.save_weights(f"{folder}/{name}.weights.h5")
            predict(model, x, f"{folder}/{name}.npz")
        except Exception as error:
            errors[name] = repr(error)
    return errors


def load(path, name, out):
    """Loads a file and runs the model on the inputs of the zoo; gives the state of the optimizer too."""
    import keras
    import numpy as np
    import zoo

    zoo.custom(keras)
    if name == "own_model":
        zoo.own_model(keras)
    model = keras.saving.load_model(path)
    predict(model, zoo.MODELS[name](keras)[1], out)
    if model.optimizer is not None:
        np.savez(
            f"{out}.state.npz", **{str(i): np.asarray(v) for i, v in enumerate(model.optimizer.variables)}
        )
    return [v.path for v in model.variables]


def main():
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = {"answer": globals()[order.pop("do")](**order)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print("@" + json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
