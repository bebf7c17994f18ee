"""What layers refuse: with one class and one text on every engine, naming the layer and the argument."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.core.errors import ArgumentError, KerataError


def f(*shape: int) -> np.ndarray:
    return np.ones(shape, "float32")


# (class, arguments of the constructor, the argument that is refused)
CONSTRUCTORS: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("Dense", (0,), {}, "units"),
    ("Dense", (2.5,), {}, "units"),
    ("Dense", ("3",), {}, "units"),
    ("Dense", (3,), {"activation": "reluu"}, "activation"),
    ("Dense", (3,), {"kernel_initializer": "glorot"}, "initializer"),
    ("Dense", (3,), {"kernel_regularizer": "l3"}, "regularizer"),
    ("Dense", (3,), {"bias_constraint": "positive"}, "constraint"),
    ("Dense", (3,), {"unit": 3}, "unit"),
    ("Dense", (3,), {"dtype": "float31"}, "dtype"),
    ("Dense", (3,), {"name": 5}, "name"),
    ("EinsumDense", ("abc", 3), {}, "equation"),
    ("EinsumDense", ("ab,bc->ac", "3"), {}, "output_shape"),
    ("Embedding", (0, 3), {}, "input_dim"),
    ("Embedding", (7, -3), {}, "output_dim"),
    ("Activation", ("nothing",), {}, "activation"),
    ("ReLU", (), {"max_value": -1.0}, "max_value"),
    ("ReLU", (), {"negative_slope": "a"}, "negative_slope"),
    ("LeakyReLU", (), {"negative_slope": None}, "negative_slope"),
    ("ELU", (), {"alpha": "a"}, "alpha"),
    ("PReLU", (), {"shared_axes": "a"}, "shared_axes"),
    ("Softmax", (), {"axis": 1.5}, "axis"),
    ("ActivityRegularization", (), {"l1": -0.1}, "l1"),
    ("Masking", (), {"mask_value": "0"}, "mask_value"),
    ("Lambda", (3,), {}, "function"),
    ("Flatten", (), {"data_format": "last"}, "data_format"),
    ("Reshape", (3,), {}, "target_shape"),
    ("Reshape", ((-1, -1),), {}, "target_shape"),
    ("Permute", ((1, 3),), {}, "dims"),
    ("Permute", (2,), {}, "dims"),
    ("RepeatVector", (0,), {}, "n"),
    ("ZeroPadding1D", ((1, 2, 3),), {}, "padding"),
    ("ZeroPadding2D", (-1,), {}, "padding"),
    ("ZeroPadding3D", ((1, 1),), {}, "padding"),
    ("Cropping1D", ("1",), {}, "cropping"),
    ("Cropping2D", ((1, 1, 1),), {}, "cropping"),
    ("Cropping3D", (-2,), {}, "cropping"),
    ("UpSampling1D", (0,), {}, "size"),
    ("UpSampling2D", ((2,),), {}, "size"),
    ("UpSampling2D", (2,), {"interpolation": "cubic"}, "interpolation"),
    ("UpSampling3D", ((1, 2),), {}, "size"),
    ("Concatenate", ("a",), {}, "axis"),
    ("Dot", ("a",), {}, "axes"),
    ("Dot", ((1, 2, 3),), {}, "axes"),
    ("Conv1D", (0, 3), {}, "filters"),
    ("Conv1D", (4, 0), {}, "kernel_size"),
    ("Conv1D", (4, 3), {"padding": "full"}, "padding"),
    ("Conv1D", (4, 3), {"data_format": "first"}, "data_format"),
    ("Conv2D", (4, (3, 3, 3)), {}, "kernel_size"),
    ("Conv2D", (4, 3), {"strides": 0}, "strides"),
    ("Conv2D", (4, 3), {"strides": 2, "dilation_rate": 2}, "strides"),
    ("Conv2D", (4, 3), {"groups": 0}, "groups"),
    ("Conv2D", (4, 3), {"groups": 3}, "filters"),
    ("Conv2D", (4, 3), {"padding": "causal"}, "padding"),
    ("Conv2DTranspose", (4, 3), {"output_padding": -1}, "output_padding"),
    ("Conv2DTranspose", (4, 3), {"strides": (2, 1), "output_padding": 1}, "output_padding"),
    ("Conv3D", (4, 3), {"activation": 3}, "activation"),
    ("DepthwiseConv2D", (3,), {"depth_multiplier": 0}, "depth_multiplier"),
    ("SeparableConv2D", (4, 3), {"depth_multiplier": -1}, "depth_multiplier"),
    ("MaxPooling2D", (0,), {}, "pool_size"),
    ("MaxPooling2D", (2,), {"strides": (1, 0)}, "strides"),
    ("AveragePooling1D", (2,), {"padding": "causal"}, "padding"),
    ("GlobalMaxPooling1D", (), {"data_format": "x"}, "data_format"),
    ("AdaptiveAveragePooling2D", (0,), {}, "output_size"),
    ("BatchNormalization", (), {"momentum": "a"}, "momentum"),
    ("BatchNormalization", (), {"epsilon": -1.0}, "epsilon"),
    ("BatchNormalization", (), {"axis": [1, 2]}, "axis"),
    ("LayerNormalization", (), {"axis": "last"}, "axis"),
    ("LayerNormalization", (), {"epsilon": None}, "epsilon"),
    ("GroupNormalization", (0,), {}, "groups"),
    ("UnitNormalization", (), {"axis": 0.5}, "axis"),
    ("Dropout", (1.5,), {}, "rate"),
    ("Dropout", ("a",), {}, "rate"),
    ("Dropout", (0.5,), {"seed": "a"}, "seed"),
    ("Dropout", (0.5,), {"noise_shape": 3}, "noise_shape"),
    ("GaussianNoise", (-1.0,), {}, "stddev"),
    ("GaussianDropout", (float("nan"),), {}, "rate"),
    ("AlphaDropout", (-0.1,), {}, "rate"),
    ("SpatialDropout2D", (0.5,), {"data_format": "x"}, "data_format"),
    ("SimpleRNN", (0,), {}, "units"),
    ("LSTM", (3,), {"recurrent_dropout": 2}, "recurrent_dropout"),
    ("LSTM", (3,), {"recurrent_activation": "no"}, "activation"),
    ("GRU", (3,), {"use_cudnn": "yes"}, "use_cudnn"),
    ("RNN", (3,), {}, "cell"),
    ("StackedRNNCells", ([3],), {}, "cells"),
    ("Bidirectional", (3,), {}, "layer"),
    ("TimeDistributed", ("Dense",), {}, "layer"),
    ("SpectralNormalization", (None,), {}, "layer"),
    ("Attention", (), {"score_mode": "product"}, "score_mode"),
    ("Attention", (), {"dropout": 1.2}, "dropout"),
    ("MultiHeadAttention", (0, 3), {}, "num_heads"),
    ("MultiHeadAttention", (2, 3), {"value_dim": 0}, "value_dim"),
    ("MultiHeadAttention", (2, 3), {"attention_axes": "a"}, "attention_axes"),
    ("MultiHeadAttention", (2, 3), {"output_shape": "a"}, "output_shape"),
    ("GroupQueryAttention", (3, 4, 3), {}, "num_query_heads"),
]

# (class, arguments of the constructor, arguments of the call, the argument that is refused)
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[Any, ...], dict[str, Any], str]] = [
    ("Dense", (3,), {}, (f(4),), {}, "inputs"),
    ("Dense", (3,), {}, (kerata.KerasTensor((None, None)),), {}, "inputs"),
    ("EinsumDense", ("abc,cd->abd", (None, 2)), {}, (f(2, 3),), {}, "inputs"),
    ("EinsumDense", ("ab,bc->ac", 3), {"bias_axes": "x"}, (f(2, 3),), {}, "bias_axes"),
    ("Reshape", ((4, 2),), {}, (f(2, 3),), {}, "target_shape"),
    ("Reshape", ((4, -1),), {}, (f(2, 3),), {}, "target_shape"),
    ("Permute", ((2, 1),), {}, (f(2, 3),), {}, "inputs"),
    ("RepeatVector", (2,), {}, (f(2, 3, 4),), {}, "inputs"),
    ("ZeroPadding2D", (1,), {}, (f(2, 3, 4),), {}, "inputs"),
    ("Cropping1D", (2,), {}, (f(2, 4, 3),), {}, "cropping"),
    ("UpSampling2D", (2,), {}, (f(2, 4, 3),), {}, "inputs"),
    ("Add", (), {}, (f(2, 3),), {}, "inputs"),
    ("Subtract", (), {}, ([f(2, 3)],), {}, "inputs"),
    ("Add", (), {}, ([f(2, 3), f(2, 4)],), {}, "inputs"),
    ("Add", (), {}, ([f(2, 3), f(4, 3)],), {}, "inputs"),
    ("Subtract", (), {}, ([f(2, 3)] * 3,), {}, "inputs"),
    ("Concatenate", (), {}, ([f(2, 3), f(3, 3)],), {}, "inputs"),
    ("Concatenate", (3,), {}, ([f(2, 3), f(2, 3)],), {}, "axis"),
    ("Dot", (1,), {}, ([f(2, 3), f(2, 4)],), {}, "inputs"),
    ("Dot", (2,), {}, ([f(2, 3), f(2, 3)],), {}, "axes"),
    ("Conv1D", (4, 3), {}, (f(2, 3),), {}, "inputs"),
    ("Conv1D", (4, 5), {}, (f(2, 3, 2),), {}, "inputs"),
    ("Conv2D", (4, 3), {}, (f(2, 5, 5),), {}, "inputs"),
    ("Conv2D", (4, 3), {}, (f(2, 3, 5, 5, 1),), {}, "inputs"),
    ("Conv2D", (4, 3), {"groups": 2}, (f(2, 5, 5, 3),), {}, "inputs"),
    ("Conv2D", (4, 3), {}, (kerata.KerasTensor((None, 5, 5, None)),), {}, "inputs"),
    ("Conv2DTranspose", (4, 3), {}, (f(2, 5, 5),), {}, "inputs"),
    ("DepthwiseConv2D", (3,), {}, (f(2, 2, 2, 1),), {}, "inputs"),
    ("SeparableConv1D", (4, 3), {}, (f(2, 5),), {}, "inputs"),
    ("MaxPooling2D", (2,), {}, (f(2, 5, 5),), {}, "inputs"),
    ("MaxPooling1D", (4,), {}, (f(2, 3, 1),), {}, "inputs"),
    ("AveragePooling3D", (2,), {}, (f(2, 5, 5, 1),), {}, "inputs"),
    ("GlobalAveragePooling2D", (), {}, (f(2, 5),), {}, "inputs"),
    ("AdaptiveMaxPooling1D", (2,), {}, (f(2, 5),), {}, "inputs"),
    ("BatchNormalization", (), {"axis": 3}, (f(2, 5),), {}, "axis"),
    ("BatchNormalization", (), {}, (kerata.KerasTensor((None, None)),), {}, "inputs"),
    ("LayerNormalization", (), {"axis": 2}, (f(2, 5),), {}, "axis"),
    ("LayerNormalization", (), {}, (kerata.KerasTensor((None, None)),), {}, "inputs"),
    ("RMSNormalization", (), {"axis": -3}, (f(2, 5),), {}, "axis"),
    ("UnitNormalization", (), {"axis": 2}, (f(2, 5),), {}, "axis"),
    ("GroupNormalization", (3,), {}, (f(2, 5, 4),), {}, "groups"),
    ("PReLU", (), {"shared_axes": [3]}, (f(2, 5),), {}, "shared_axes"),
    ("Softmax", (), {"axis": 2}, (f(2, 5),), {}, "axis"),
    ("Softmax", (), {}, (f(2, 5),), {"mask": np.ones((2, 4), bool)}, "mask"),
    ("Dropout", (0.5,), {"noise_shape": (2, 1, 1)}, (f(2, 5),), {"training": True}, "noise_shape"),
    ("SpatialDropout1D", (0.5,), {}, (f(2, 5),), {}, "inputs"),
    ("LSTM", (3,), {}, (f(2, 5),), {}, "sequences"),
    ("LSTM", (3,), {}, (f(2, 5, 4),), {"initial_state": [f(2, 3)]}, "initial_state"),
    ("LSTM", (3,), {}, (f(2, 5, 4),), {"initial_state": [f(2, 3), f(2, 4)]}, "initial_state"),
    ("GRU", (3,), {}, (f(2, 5, 4),), {"initial_state": f(3, 3)}, "initial_state"),
    ("GRU", (3,), {}, (f(2, 5, 4),), {"mask": np.ones((2, 4), bool)}, "mask"),
    ("SimpleRNN", (3,), {}, (f(2, 5, 4),), {"mask": np.ones((2, 5, 4), bool)}, "mask"),
    ("SimpleRNN", (3,), {"stateful": True}, (kerata.KerasTensor((None, 5, 4)),), {}, "stateful"),
    ("SimpleRNN", (3,), {}, (kerata.KerasTensor((None, 5, None)),), {}, "sequences"),
    ("TimeDistributed", (layers.Identity(),), {}, (f(2, 5),), {}, "inputs"),
    ("Attention", (), {}, (f(2, 5, 4),), {}, "inputs"),
    ("Attention", (), {}, ([f(2, 5, 4)],), {}, "inputs"),
    ("Attention", (), {}, ([f(2, 5, 4), f(2, 3, 3)],), {}, "inputs"),
    ("Attention", (), {}, ([f(2, 5, 4), f(2, 3, 4)],), {"mask": [None, np.ones((2, 4), bool)]}, "mask"),
    ("AdditiveAttention", (), {}, ([f(2, 5, 4), f(2, 3, 3)],), {}, "inputs"),
    ("MultiHeadAttention", (2, 3), {}, (f(2, 5), f(2, 5)), {}, "query"),
    ("MultiHeadAttention", (2, 3), {}, (f(2, 5, 4), f(2, 3, 4), f(2, 4, 4)), {}, "key"),
    ("MultiHeadAttention", (2, 3), {}, (f(2, 5, 4), f(3, 5, 4)), {}, "value"),
    ("MultiHeadAttention", (2, 3), {}, (f(2, 5, 4), f(2, 3, 4)),
     {"attention_mask": np.ones((2, 3, 5), bool)}, "attention_mask"),
    ("MultiHeadAttention", (2, 3), {"attention_axes": (3,)}, (f(2, 5, 4), f(2, 5, 4)), {}, "attention_axes"),
    ("GroupQueryAttention", (3, 4, 2), {}, (f(2, 5, 4, 1), f(2, 5, 4, 1)), {}, "query"),
    ("Dense", (3,), {}, (["a", "b"],), {}, "inputs"),
    ("Dense", (3,), {}, (None,), {}, "inputs"),
]  # fmt: skip


def refusal(act: Any) -> KerataError:
    with pytest.raises(ArgumentError) as told:
        act()
    return told.value


def shown(row: Any) -> str:
    return f"{row[0]}-{row[-1]}"


@pytest.mark.parametrize("row", CONSTRUCTORS, ids=shown)
def test_constructors_refuse(row, engine):
    name, args, kwargs, argument = row
    assert refusal(lambda: getattr(layers, name)(*args, **kwargs)).argument == argument


def refused(row: Any) -> tuple[str, str]:
    """The argument and the text with which a fresh layer refuses a call; it is left as it was."""
    name, init, options, args, kwargs, _ = row
    layer = getattr(layers, name)(*init, **options, name="it")
    error = refusal(lambda: layer(*args, **kwargs))
    assert not [v for v in layer.weights if not layer.built]
    return error.argument, str(error)


@pytest.mark.parametrize("row", CALLS, ids=shown)
def test_calls_refuse_with_one_voice(row, engine):
    argument, text = refused(row)
    assert argument.partition("[")[0] == row[-1]
    assert text.startswith("it: ")
    with kerata.use_backend("numpy"):
        assert refused(row)[1] == text


ONE_TENSOR = [
    layers.Dense(4), layers.EinsumDense("ab,bc->ac", 3), layers.Conv1D(4, 2), layers.SeparableConv1D(2, 2), layers.LSTM(4),
    layers.Bidirectional(layers.LSTM(4)), layers.TimeDistributed(layers.Dense(2)), layers.LayerNormalization(),
    layers.BatchNormalization(), layers.GroupNormalization(1), layers.RMSNormalization(), layers.PReLU(),
    layers.SpectralNormalization(layers.Dense(2)),
]  # fmt: skip


@pytest.mark.parametrize("layer", ONE_TENSOR, ids=lambda layer: type(layer).__name__)
def test_structures_where_one_tensor_is_meant(layer, engine):
    for make in (lambda: f(2, 3, 2), lambda: kerata.Input((3, 2))):
        for inputs in ({"a": make()}, [make(), make()]):
            with pytest.raises(ArgumentError, match=layer.name):
                type(layer).from_config(layer.get_config())(inputs)


def test_queries_that_are_no_sequences(engine):
    for query in (None, {"a": f(2, 3, 2)}, np.float32(1)):
        with pytest.raises(ArgumentError, match="`query` must be"):
            layers.MultiHeadAttention(2, 4)(query, f(2, 3, 2))
