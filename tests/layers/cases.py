"""The layers that the tests ask about: one row for each layer and option. Kerata and Keras make them from the same rows."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """A layer and a call of it.

    Attributes:
        name: unique; begins with the layer's class.
        make: gives the layer, from the `kerata` or the `keras` module.
        args: positional arguments of the call; arrays in any structure.
        kwargs: keyword arguments of the call.
        unknown: axes whose sizes may be unknown in symbolic inputs, besides the batch axis.
        batch: whether the batch size may be unknown.
        peer: whether Keras must give the same values; not where it has no such layer, or draws other random numbers.
        calls: how often the layer is called; the last outputs count.
        smooth: whether finite differences say something about the gradient.
    """

    name: str
    make: Callable[[Any], Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    unknown: tuple[int, ...] = ()
    batch: bool = True
    peer: bool = True
    calls: int = 1
    smooth: bool = True

    def __str__(self) -> str:
        return self.name


def f(*shape: int) -> np.ndarray:
    """Floats away from zero and from each other, the same for the same shape."""
    random = np.random.default_rng(zlib.crc32(repr(shape).encode()))
    n = int(np.prod(shape))
    values = (random.permutation(n) - n // 2 + 0.37) / max(n // 2, 1)
    return (1.5 * values).reshape(shape).astype("float32")


def ints(high: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).integers(0, high, shape).astype("int32")


def late(batch: int, time: int) -> np.ndarray:
    """A mask of time steps: the first sample is short, the others have a hole."""
    mask = np.ones((batch, time), bool)
    mask[0, time // 2 + 1 :] = False
    mask[1:, 1] = False
    return mask


def first_weights(names: list[str], shapes: list[Any]) -> list[np.ndarray]:
    """Values for the weights of a layer: of both signs, positive for variances; nothing depends on initializers."""
    random = np.random.default_rng(7)
    values = [random.uniform(-0.6, 0.9, tuple(s)).astype("float32") for s in shapes]
    return [
        np.abs(v) + 0.1 if "variance" in n or "stddev" in n else v for n, v in zip(names, values, strict=True)
    ]


def mapped(fn: Callable[[Any], Any], value: Any) -> Any:
    """Maps over the arrays of a structure."""
    if isinstance(value, np.ndarray):
        return fn(value)
    if isinstance(value, (list, tuple)):
        return type(value)(mapped(fn, v) for v in value)
    if isinstance(value, dict):
        return {k: mapped(fn, v) for k, v in value.items()}
    return value


def mapped_variables(fn: Callable[[Any], Any], value: Any) -> Any:
    """Maps over the variables of a structure."""
    if isinstance(value, (list, tuple)):
        return type(value)(mapped_variables(fn, v) for v in value)
    if isinstance(value, dict):
        return {k: mapped_variables(fn, v) for k, v in value.items()}
    return fn(value) if hasattr(value, "assign") else value


def leaves(value: Any) -> list[Any]:
    """What a structure holds, in order, without None."""
    if isinstance(value, (list, tuple)):
        return [leaf for v in value for leaf in leaves(v)]
    return [] if value is None else [value]


def layer(name: str, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
    return lambda k: getattr(k.layers, name)(*args, **kwargs)


CASES: list[Case] = []
BY_NAME: dict[str, Case] = {}


def case(
    name: str, args: Any, *init: Any, call: Any = None, note: str = "", make: Any = None, **options: Any
) -> None:
    """Adds a row: the layer `name` of the arguments `init` and of those options that are not fields of a case."""
    fields = {k: options.pop(k) for k in ("unknown", "batch", "peer", "calls", "smooth") if k in options}
    shown = note or ",".join([*map(repr, init), *(f"{k}={v}" for k, v in options.items())])
    row = Case(
        f"{name}({shown})", make or layer(name, *init, **options), args if isinstance(args, tuple) else (args,),
        call or {}, **fields,
    )  # fmt: skip
    if row.name in BY_NAME:
        row = replace(row, name=f"{row.name}#{sum(c.name.startswith(row.name) for c in CASES)}")
    CASES.append(row)
    BY_NAME[row.name] = row


# ---- dense ---------------------------------------------------------------------------------------
case("Dense", f(3, 4), 5)
case("Dense", f(2, 3, 4), 5, activation="tanh", use_bias=False, unknown=(1,))
case("Dense", f(2, 3), 4, activation="softmax", kernel_regularizer="l2", activity_regularizer="l2")
case("Dense", f(2, 3), 4, dtype="mixed_bfloat16", smooth=False)
case("Dense", f(2, 3), 4, dtype="float64")
case("EinsumDense", f(2, 3, 4), "abc,cd->abd", (None, 5), bias_axes="d", unknown=(1,))
case("EinsumDense", f(2, 3, 4), "abc,cde->abde", (None, 2, 3), bias_axes="de", activation="tanh")
case("EinsumDense", f(2, 3, 4), "...x,xy->...y", 5, bias_axes="y", unknown=(1,))
case("EinsumDense", f(2, 3, 4), "abc,bcd->ad", 5)
case("EinsumDense", f(2, 3, 4), "ab...,bc->ac...", (5, 4), bias_axes="c", peer=False)
case("Dot", ([f(2, 5, 3), f(2, 5, 4)],), note="one unknown", unknown=(1,), make=lambda k: k.layers.Dot(1))
case("EinsumDense", f(2, 3, 4), "abc,bcd->abd", (3, 2), bias_axes="bd")
case("Embedding", ints(7, 2, 5), 7, 3, unknown=(1,))
case("Embedding", ints(7, 2, 5), 7, 3, mask_zero=True)
case("Embedding", f(2, 3) ** 2, 7, 3)
case("Embedding", ints(7, 2, 5), 7, 3, dtype="mixed_bfloat16", smooth=False)

# ---- activations ---------------------------------------------------------------------------------
case("Activation", f(2, 5), "gelu")
case("Activation", f(2, 5), "softmax")
case("Identity", f(2, 5), unknown=(1,))
case("ReLU", f(2, 5), smooth=False)
case("ReLU", f(2, 5), max_value=0.8, negative_slope=0.2, threshold=0.3, smooth=False)
case("LeakyReLU", f(2, 5), negative_slope=0.1, smooth=False)
case("ELU", f(2, 5), alpha=0.7)
case("PReLU", f(2, 3, 4), smooth=False)
case("PReLU", f(2, 3, 4), shared_axes=[1], unknown=(1,), smooth=False)
case("Softmax", f(2, 5), unknown=(1,))
case("Softmax", f(2, 3, 4), axis=(1, 2), note="axes")
case("Softmax", f(2, 5), call={"mask": late(2, 5)}, note="mask")
case("ActivityRegularization", f(2, 5), l1=0.1, l2=0.2)
case("Masking", np.where(late(2, 5)[..., None], f(2, 5, 3), 0).astype("float32"), unknown=(1,), smooth=False)
case("Masking", f(2, 5, 3), mask_value=0.5)
case("Lambda", f(2, 3), note="square", make=lambda k: k.layers.Lambda(k.ops.square))

# ---- shapes --------------------------------------------------------------------------------------
case("Flatten", f(2, 3, 4))
case("Flatten", f(2, 3, 4, 2), data_format="channels_first", unknown=(2,))
case("Flatten", f(3))
case("Reshape", f(2, 3, 4), (4, 3))
case("Reshape", f(2, 3, 4), (-1, 2), unknown=(1,))
case("Permute", f(2, 3, 4), (2, 1), unknown=(1,))
case("RepeatVector", f(2, 3), 4)
case("ZeroPadding1D", f(2, 3, 4), 2, unknown=(1,))
case("ZeroPadding1D", f(2, 3, 4), (1, 2))
case("ZeroPadding2D", f(2, 3, 4, 2), (1, 2), unknown=(1, 2))
case("ZeroPadding2D", f(2, 3, 4, 2), ((1, 0), (2, 3)), data_format="channels_first")
case("ZeroPadding3D", f(2, 2, 3, 2, 2), (1, 0, 2))
case("Cropping1D", f(2, 5, 3), (1, 2), unknown=(1,))
case("Cropping2D", f(2, 4, 5, 2), ((1, 0), (2, 1)))
case("Cropping2D", f(2, 2, 4, 5), 1, data_format="channels_first")
case("Cropping3D", f(2, 4, 3, 5, 2), 1)
case("UpSampling1D", f(2, 3, 2), 3, unknown=(1,))
case("UpSampling2D", f(2, 3, 2, 2), (2, 3), unknown=(1,))
case("UpSampling2D", f(2, 2, 3, 2), 2, data_format="channels_first")
case("UpSampling3D", f(2, 2, 3, 2, 1), 2)

# ---- merging -------------------------------------------------------------------------------------
PAIR = [f(2, 3), f(2, 3) ** 2]
for _name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"):
    case(_name, (PAIR,), note="two", unknown=(1,), smooth=_name not in ("Maximum", "Minimum"))
for _name in ("Add", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"):
    case(_name, ([f(2, 3)],), note="one")
case("Add", ([f(2, 3, 4), f(2, 3, 1), f(2, 1, 4)],), note="broadcast")
case("Average", ([f(2, 3), f(2, 3) ** 2, f(2, 3) + 1],), note="three")
case("Multiply", ([f(2, 4), f(2, 3, 4)],), note="ranks")
case("Concatenate", (PAIR,), note="last")
case("Concatenate", ([f(2, 3, 4), f(2, 2, 4)],), axis=1)
case("Dot", (PAIR,), 1)
case("Dot", (PAIR,), axes=-1, normalize=True)
case("Dot", ([f(2, 3, 4), f(2, 5, 4)],), axes=2)
case("Dot", ([f(2, 3, 4), f(2, 4, 5)],), axes=(2, 1))

# ---- convolutions --------------------------------------------------------------------------------
for _padding in ("valid", "same", "causal"):
    case("Conv1D", f(2, 7, 4), 3, 3, padding=_padding, unknown=(1,))
case("Conv1D", f(2, 7, 4), 4, 2, strides=2, padding="same", activation="tanh")
case("Conv1D", f(2, 7, 4), 4, 3, dilation_rate=2, padding="causal")
case("Conv1D", f(2, 4, 7), 3, 3, data_format="channels_first")
case("Conv1D", f(2, 7, 4), 4, 2, groups=2, use_bias=False)
case("Conv2D", f(2, 6, 5, 4), 3, 3, unknown=(1, 2))
case("Conv2D", f(2, 6, 5, 4), 3, (2, 3), strides=(2, 1), padding="same", activation="tanh", unknown=(1, 2))
case("Conv2D", f(2, 6, 5, 4), 3, 2, dilation_rate=(2, 1))
case("Conv2D", f(2, 4, 6, 5), 3, 3, data_format="channels_first", padding="same")
case("Conv2D", f(2, 6, 5, 4), 4, 2, groups=4)
case("Conv2D", f(2, 6, 5, 4), 3, 3, dtype="mixed_bfloat16", smooth=False)
case("Conv3D", f(1, 4, 3, 4, 2), 3, 2)
case("Conv3D", f(1, 4, 3, 4, 2), 2, 2, strides=2, padding="same")
case("Conv1DTranspose", f(2, 5, 3), 2, 3, strides=2, unknown=(1,))
case("Conv1DTranspose", f(2, 5, 3), 2, 3, strides=2, padding="same", output_padding=0)
case("Conv2DTranspose", f(2, 3, 4, 2), 3, 3, strides=2, padding="same", unknown=(1, 2))
case("Conv2DTranspose", f(2, 3, 4, 2), 3, (2, 3), strides=(2, 1), activation="tanh")
case("Conv2DTranspose", f(2, 2, 3, 4), 3, 2, data_format="channels_first")
case("Conv2DTranspose", f(2, 3, 4, 2), 3, 3, dilation_rate=2)
case("DepthwiseConv1D", f(2, 9, 3), 2, strides=2, dilation_rate=2)
case("DepthwiseConv2D", f(2, 7, 8, 2), 2, strides=2, dilation_rate=2, padding="same")
case("SeparableConv2D", f(2, 7, 8, 2), 3, 2, strides=2, dilation_rate=(2, 1))
case("Conv3DTranspose", f(1, 2, 3, 2, 2), 2, 2, strides=2)
case("DepthwiseConv1D", f(2, 7, 3), 3, depth_multiplier=2, padding="same", unknown=(1,))
case("DepthwiseConv2D", f(2, 6, 5, 3), 3, depth_multiplier=2)
case("DepthwiseConv2D", f(2, 6, 5, 3), 2, strides=2, padding="same", activation="tanh", use_bias=False)
case("DepthwiseConv2D", f(2, 3, 6, 5), 3, data_format="channels_first")
case("SeparableConv1D", f(2, 7, 3), 4, 3, padding="same")
case("SeparableConv2D", f(2, 6, 5, 3), 4, 3, depth_multiplier=2)
case("SeparableConv2D", f(2, 3, 6, 5), 4, 2, data_format="channels_first", activation="tanh")

# ---- pooling -------------------------------------------------------------------------------------
_INPUTS = {1: f(2, 6, 3), 2: f(2, 5, 6, 3), 3: f(1, 4, 5, 4, 2)}
for _rank, _x in _INPUTS.items():
    _axes = tuple(range(1, _rank + 1))
    for _mode in ("Max", "Average"):
        case(f"{_mode}Pooling{_rank}D", _x, 2, unknown=_axes, smooth=False)
        # Keras on PyTorch counts the padding in means; elsewhere it does not.
        case(f"{_mode}Pooling{_rank}D", _x, 3, strides=2, padding="same", smooth=False, peer=_mode == "Max")
        case(f"Global{_mode}Pooling{_rank}D", _x, unknown=_axes, smooth=_mode == "Average")
        case(f"Global{_mode}Pooling{_rank}D", _x, keepdims=True, data_format="channels_first", smooth=False)
        case(f"Adaptive{_mode}Pooling{_rank}D", _x, 2, smooth=False)
case("MaxPooling2D", f(2, 3, 5, 6), (2, 3), data_format="channels_first", smooth=False)
case("AveragePooling2D", f(2, 3, 5, 6), 2, strides=1, data_format="channels_first", padding="same")
case("AdaptiveAveragePooling2D", f(2, 3, 5, 6), (2, 3), data_format="channels_first")
case("GlobalAveragePooling1D", f(2, 5, 3), call={"mask": late(2, 5)}, note="mask")

# ---- normalisation -------------------------------------------------------------------------------
case("BatchNormalization", f(6, 3), unknown=())
case("BatchNormalization", f(6, 3), call={"training": True}, note="training")
case(
    "BatchNormalization",
    f(4, 3, 2),
    axis=1,
    center=False,
    scale=False,
    call={"training": True},
    note="axis=1, training",
)
case("BatchNormalization", f(2, 5, 3), call={"training": True, "mask": late(2, 5)}, note="mask")
case(
    "BatchNormalization",
    f(2, 5, 3),
    axis=1,
    call={"training": True, "mask": late(2, 5)},
    note="mask of channels",
)
case("BatchNormalization", f(2, 3, 4, 2), momentum=0.5, call={"training": True}, calls=2, unknown=(1, 2))
case(
    "BatchNormalization", f(6, 3), dtype="mixed_bfloat16", call={"training": True}, note="half", smooth=False
)
case("BatchNormalization", f(6, 3), renorm=True, renorm_clipping={"rmin": 0.5, "rmax": 2.0, "dmax": 1.0},
     call={"training": True}, note="renorm", smooth=False)  # fmt: skip
case("BatchNormalization", ints(9, 6, 3), call={"training": True}, note="integers")
case("BatchNormalization", ints(9, 6, 3) > 4, note="bool")
case("LayerNormalization", f(2, 2, 3, 3), axis=(-1, 1), note="axes as they are given")
case("LayerNormalization", f(2, 3, 4), unknown=(1,))
case("LayerNormalization", f(2, 3, 4), axis=[1, 2], epsilon=0.1, note="axes")
case("LayerNormalization", f(2, 3, 4), axis=1, center=False, peer=False)  # where Keras fails on PyTorch
case("LayerNormalization", f(2, 3, 4), rms_scaling=True)
case("LayerNormalization", f(2, 3, 4), rms_scaling=False, axis=-1)
case("LayerNormalization", f(2, 3, 4), dtype="mixed_bfloat16", smooth=False)
case("RMSNormalization", f(2, 3, 4), unknown=(1,))
case("RMSNormalization", f(2, 3, 4), axis=1, epsilon=0.01, peer=False)  # where Keras fails on PyTorch
case("UnitNormalization", f(2, 3, 4))
case("UnitNormalization", f(2, 3, 4), axis=[1, 2], note="axes")
case("GroupNormalization", f(2, 5, 4), 2, unknown=(1,))
case("GroupNormalization", f(2, 4, 5), -1, axis=1)
case("GroupNormalization", f(2, 3, 5, 4), 4, scale=False, epsilon=0.01)
case(
    "SpectralNormalization",
    f(2, 4),
    note="Dense",
    make=lambda k: k.layers.SpectralNormalization(k.layers.Dense(3)),
)
case("SpectralNormalization", f(2, 4), note="Dense, training", call={"training": True}, smooth=False,
     make=lambda k: k.layers.SpectralNormalization(k.layers.Dense(3), power_iterations=2))  # fmt: skip
case("SpectralNormalization", f(2, 5, 5, 3), note="Conv2D, training", call={"training": True}, smooth=False,
     make=lambda k: k.layers.SpectralNormalization(k.layers.Conv2D(2, 3)))  # fmt: skip

# ---- random --------------------------------------------------------------------------------------
for _name, _init, _x in (
    ("Dropout", (0.4,), f(6, 5)),
    ("GaussianDropout", (0.4,), f(6, 5)),
    ("GaussianNoise", (0.4,), f(6, 5)),
    ("AlphaDropout", (0.4,), f(6, 5)),
    ("SpatialDropout1D", (0.4,), f(2, 4, 5)),
    ("SpatialDropout2D", (0.4,), f(2, 3, 2, 5)),
    ("SpatialDropout3D", (0.4,), f(2, 2, 3, 2, 5)),
):
    case(_name, _x, *_init, seed=3)
    case(
        _name, _x, *_init, seed=3, call={"training": True}, note="training", peer=False, calls=2, smooth=False
    )
case("Dropout", f(2, 4, 5), 0.5, noise_shape=(None, 1, None), seed=1, call={"training": True}, note="noise_shape",
     peer=False, smooth=False)  # fmt: skip
case("Dropout", f(2, 5), 1.0, call={"training": True}, note="all")
case(
    "Dropout",
    f(2, 5),
    0.5,
    seed=1,
    dtype="mixed_bfloat16",
    call={"training": True},
    note="half",
    peer=False,
    smooth=False,
)
case("SpatialDropout2D", f(2, 5, 3, 2), 0.4, data_format="channels_first", seed=1, call={"training": True},
     note="channels_first", peer=False, smooth=False)  # fmt: skip

# ---- recurrent -----------------------------------------------------------------------------------
SEQUENCE = f(3, 5, 2)
for _name in ("SimpleRNN", "LSTM", "GRU"):
    case(_name, SEQUENCE, 3, unknown=(1,))
    case(_name, SEQUENCE, 3, return_sequences=True, return_state=True, unknown=(1,))
    case(_name, SEQUENCE, 3, go_backwards=True, return_sequences=True)
    case(_name, SEQUENCE, 3, return_sequences=True, return_state=True, call={"mask": late(3, 5)}, note="mask")
    case(_name, SEQUENCE, 3, return_sequences=True, zero_output_for_mask=True, go_backwards=True,
         call={"mask": late(3, 5)}, note="mask, zeros, backwards")  # fmt: skip
    case(_name, SEQUENCE, 3, unroll=True, use_bias=False, activation="sigmoid")
    case(_name, SEQUENCE, 3, stateful=True, batch=False, calls=2)
    case(_name, SEQUENCE, 3, dropout=0.3, recurrent_dropout=0.2, seed=1, call={"training": True}, note="dropout",
         peer=False, smooth=False)  # fmt: skip
case("SimpleRNN", SEQUENCE, 3, call={"initial_state": f(3, 3)}, note="initial_state")
case("LSTM", SEQUENCE, 3, call={"initial_state": [f(3, 3), f(3, 3) ** 2]}, note="initial_state")
case("LSTM", SEQUENCE, 3, unit_forget_bias=False, recurrent_activation="hard_sigmoid", smooth=False)
case("LSTM", SEQUENCE, 3, dtype="mixed_bfloat16", smooth=False)
case("GRU", SEQUENCE, 3, reset_after=False)
case(
    "GRU",
    SEQUENCE,
    3,
    reset_after=False,
    return_sequences=True,
    call={"mask": late(3, 5)},
    note="reset before, mask",
)
case("SimpleRNNCell", (f(2, 3), [f(2, 4)]), 4)
case("LSTMCell", (f(2, 3), [f(2, 4), f(2, 4) ** 2]), 4)
case("GRUCell", (f(2, 3), [f(2, 4)]), 4)
case(
    "RNN", SEQUENCE, note="LSTMCell", make=lambda k: k.layers.RNN(k.layers.LSTMCell(3), return_sequences=True)
)
case("RNN", SEQUENCE, note="stack, states", unknown=(1,),
     make=lambda k: k.layers.RNN([k.layers.GRUCell(3), k.layers.LSTMCell(2)], return_state=True))  # fmt: skip
case("StackedRNNCells", (f(2, 3), [f(2, 4), f(2, 2)]), note="two",
     make=lambda k: k.layers.StackedRNNCells([k.layers.SimpleRNNCell(4), k.layers.GRUCell(2)]))  # fmt: skip
for _mode in ("concat", "sum", "mul", "ave", None):
    case("Bidirectional", SEQUENCE, note=f"merge_mode={_mode}",
         make=lambda k, m=_mode: k.layers.Bidirectional(k.layers.GRU(3, return_sequences=True), merge_mode=m))  # fmt: skip
case("Bidirectional", SEQUENCE, note="states, mask", call={"mask": late(3, 5)},
     make=lambda k: k.layers.Bidirectional(k.layers.LSTM(3, return_sequences=True, return_state=True)))  # fmt: skip
case("Bidirectional", SEQUENCE, note="backward_layer", unknown=(1,),
     make=lambda k: k.layers.Bidirectional(k.layers.LSTM(3), backward_layer=k.layers.GRU(2, go_backwards=True)))  # fmt: skip
case("Bidirectional", SEQUENCE, note="last, mask", call={"mask": late(3, 5)},
     make=lambda k: k.layers.Bidirectional(k.layers.LSTM(3)))  # fmt: skip
case(
    "TimeDistributed",
    f(2, 3, 4),
    note="Dense",
    unknown=(1,),
    make=lambda k: k.layers.TimeDistributed(k.layers.Dense(2)),
)
case(
    "TimeDistributed",
    f(2, 3, 4, 4, 1),
    note="Conv2D",
    make=lambda k: k.layers.TimeDistributed(k.layers.Conv2D(2, 3)),
)
case("TimeDistributed", f(3, 2, 2), note="BatchNormalization", call={"training": True},
     make=lambda k: k.layers.TimeDistributed(k.layers.BatchNormalization()))  # fmt: skip
_WORDS = np.stack([late(2, 4), ~late(2, 4)], 1)
for _name, _inner in {
    "LSTM": lambda k: k.layers.LSTM(3),
    "pool": lambda k: k.layers.GlobalAveragePooling1D(),
}.items():
    case("TimeDistributed", f(2, 2, 4, 3), note=f"{_name}, mask", call={"mask": _WORDS},
         make=lambda k, inner=_inner: k.layers.TimeDistributed(inner(k)))  # fmt: skip

# ---- attention -----------------------------------------------------------------------------------
Q, V, K = f(2, 3, 4), f(2, 5, 4), f(2, 5, 4) ** 2
for _name in ("Attention", "AdditiveAttention"):
    case(_name, ([Q, V],), note="two", unknown=(1,))
    case(
        _name,
        ([Q, V, K],),
        note="three, scale, scores",
        use_scale=True,
        call={"return_attention_scores": True},
    )
    case(_name, ([V, V],), note="causal", call={"use_causal_mask": True})
    case(_name, ([Q, V],), note="masks", call={"mask": [late(2, 3), late(2, 5)]})
case("AdditiveAttention", ([Q, V],), use_scale=False)
case("Attention", ([Q, V],), score_mode="concat", use_scale=True)
case(
    "Attention",
    ([Q, V],),
    dropout=0.5,
    seed=1,
    call={"training": True},
    note="dropout",
    peer=False,
    smooth=False,
)
case("MultiHeadAttention", (Q, V), 2, 3)
case("MultiHeadAttention", (Q, V, K), 2, 3, value_dim=2, output_shape=5, unknown=(1,))
case("MultiHeadAttention", (V, V), 2, 3, use_bias=False, call={"use_causal_mask": True}, note="causal")
case("MultiHeadAttention", (Q, V), 2, 3, call={"return_attention_scores": True}, note="scores")
case("MultiHeadAttention", (Q, V), 2, 3, note="attention_mask",
     call={"attention_mask": np.tril(np.ones((2, 3, 5), bool))})  # fmt: skip
case("MultiHeadAttention", (V, V), 2, 3, note="value_mask", call={"value_mask": late(2, 5)})
# A query that may see nothing has no defined output: frameworks differ there.
case(
    "MultiHeadAttention",
    (V, V),
    2,
    3,
    note="masks",
    call={"query_mask": late(2, 5), "value_mask": late(2, 5)},
    peer=False,
)
case("MultiHeadAttention", (f(2, 3, 4, 2), f(2, 3, 4, 2)), 2, 3, attention_axes=(2,), note="axes")
case("MultiHeadAttention", (f(2, 3, 2, 2), f(2, 3, 2, 2)), 2, 3, attention_axes=(1, 2), note="two axes",
     call={"return_attention_scores": True})  # fmt: skip
case("MultiHeadAttention", (Q, V), 2, 3, output_shape=(2, 3))
case("MultiHeadAttention", (Q, V), 2, 3, use_gate=True)
case("MultiHeadAttention", (V, V), 2, 3, sliding_window=2)
case(
    "MultiHeadAttention",
    (Q, V),
    2,
    3,
    dropout=0.4,
    seed=1,
    call={"training": True},
    note="dropout",
    peer=False,
    smooth=False,
)
case("MultiHeadAttention", (Q, V), 2, 3, dtype="mixed_bfloat16", smooth=False)
case("GroupQueryAttention", (Q, V), 3, 4, 2, unknown=(1,))
case(
    "GroupQueryAttention",
    (V, V),
    3,
    4,
    2,
    call={"use_causal_mask": True, "return_attention_scores": True},
    note="causal",
)
case("GroupQueryAttention", (Q, V), 3, 4, 2, use_gate=True, use_bias=False)
