"""Keras in a process of its own, told what to do by lines of JSON: `python keras_peer.py`, for the peer tests."""

import json
import os
import sys

if __name__ == "__main__":  # tests import a function of this file, and have a backend of their own
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
            if id(model) in zoo.TARGETS:
                zoo.train(model, x)
                model.save_weights(f"{folder}/{name}.more.weights.h5")
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
    if getattr(model, "optimizer", None) is not None:
        np.savez(
            f"{out}.state.npz", **{str(i): np.asarray(v) for i, v in enumerate(model.optimizer.variables)}
        )
    return [v.path for v in model.variables]


def arguments(keras):
    """Arguments for classes that cannot be made without any."""
    layers = keras.layers
    dense, lstm = layers.Dense(2), layers.LSTM(2)
    sized = ("Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "SeparableConv1D",
             "SeparableConv2D", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")  # fmt: skip
    found = dict.fromkeys(sized, (2, 3))
    found |= dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), (3,))
    found |= dict.fromkeys([f"AdaptiveAveragePooling{i}D" for i in (1, 2, 3)], (2,))
    found |= dict.fromkeys([f"AdaptiveMaxPooling{i}D" for i in (1, 2, 3)], (2,))
    found |= dict.fromkeys(("Dropout", "GaussianDropout", "AlphaDropout", "GaussianNoise", "SpatialDropout1D",
                            "SpatialDropout2D", "SpatialDropout3D"), (0.25,))  # fmt: skip
    found |= dict.fromkeys(
        ("GRU", "GRUCell", "LSTM", "LSTMCell", "SimpleRNN", "SimpleRNNCell", "Dense"), (3,)
    )
    found |= dict.fromkeys(("CenterCrop", "RandomCrop", "Resizing"), (4, 5))
    found |= dict.fromkeys(("RandomBrightness", "RandomContrast", "RandomGaussianBlur", "RandomRotation", "RandomShear",
                            "RandomZoom", "RandomSharpness", "RandomHue", "RandomSaturation", "RandomPosterization",
                            "RandomColorDegeneration"), (0.25,))  # fmt: skip
    return found | {
        "Activation": ("relu",), "Bidirectional": (lstm,), "CategoryEncoding": (3,), "Discretization": ([0.0, 1.0],),
        "Dot": (1,), "EinsumDense": ("ab,bc->ac", 3), "Embedding": (5, 3), "GroupQueryAttention": (4, 2, 1),
        "HashedCrossing": (3,), "Hashing": (3,), "InputLayer": ((3,),), "MaxNumBoundingBoxes": (3,),
        "MultiHeadAttention": (2, 3), "Permute": ((2, 1),), "Pipeline": ([layers.Rescaling(0.5)],), "RNN": (layers.LSTMCell(2),),
        "RandomColorJitter": (0.2,), "RandomPosterization": (4,), "RandomRotation": (0.2,), "RandomTranslation": (0.2, 0.3),
        "RepeatVector": (3,), "Rescaling": (0.5,), "Reshape": ((2, -1),), "ReversibleEmbedding": (5, 3),
        "SpectralNormalization": (dense,), "StackedRNNCells": ([layers.GRUCell(2)],), "TimeDistributed": (dense,),
        "Wrapper": (dense,), "MeanIoU": (3,), "IoU": (3, [0]), "OneHotIoU": (3, [0]), "BinaryIoU": (),
        "PrecisionAtRecall": (0.5,), "RecallAtPrecision": (0.5,), "SensitivityAtSpecificity": (0.5,),
        "SpecificityAtSensitivity": (0.5,), "MeanRelativeError": ([1.0, 2.0],), "R2Score": (),
        "MeanMetricWrapper": (keras.losses.mean_squared_error,), "ExponentialDecay": (0.1, 3, 0.5),
        "InverseTimeDecay": (0.1, 3, 0.5), "CosineDecay": (0.1, 3), "CosineDecayRestarts": (0.1, 3),
        "PolynomialDecay": (0.1, 3), "PiecewiseConstantDecay": ([1, 2], [0.1, 0.2, 0.3]),
        "LossScaleOptimizer": (keras.optimizers.SGD(),), "DTypePolicy": ("mixed_float16",), "QuantizedDTypePolicy": ("int8", "float32"),
        "QuantizedFloat8DTypePolicy": ("float8", "float32"), "GPTQDTypePolicy": ("gptq/4/128", "float32"),
        "AWQDTypePolicy": ("awq/4/128", "float32"), "Int4DTypePolicy": ("int4/128", "float32"),
        "SeedGenerator": (3,), "RandomErasing": (), "VarianceScaling": (2.0, "fan_out", "normal"), "Solarization": (),
    }  # fmt: skip


def configs():
    """Area -> name of a class -> the config of an object of it, and the names of the arguments that make it."""
    import inspect

    import keras

    given, found = arguments(keras), {}
    for area in ("constraints", "dtype_policies", "initializers", "layers", "losses", "metrics", "optimizers",
                 "optimizers.schedules", "quantizers", "random", "regularizers"):  # fmt: skip
        module = keras
        for part in area.split("."):
            module = getattr(module, part)
        found[area] = {}
        for name in dir(module):
            cls = getattr(module, name)
            if not inspect.isclass(cls) or not hasattr(cls, "from_config") or name[0].islower():
                continue
            try:
                config = keras.saving.serialize_keras_object(cls(*given.get(name, ())))
                accepted = list(inspect.signature(cls.__init__).parameters)
                found[area][config["class_name"]] = [json.loads(json.dumps(config)), accepted]
            except Exception:  # base classes, and those that need what is not installed
                continue
    return found


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
