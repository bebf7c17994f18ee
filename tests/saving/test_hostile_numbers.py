"""Small files whose numbers ask for much: many parts, many axes, many steps, large constants. On every engine."""

import time

import crafted
import pytest
from crafted import INPUT, call, graph, inputs, layer, node, op, stack, tensor
from strangers import place, refuse, warm, write  # noqa: F401  # two are fixtures for every test here

import kerata

MANY = 2 * 10**9
X = tensor("x")


def array(values, dtype="float32"):
    return {"class_name": "__numpy__", "config": {"value": values, "dtype": dtype}}


def of_op(class_name, *args, module="numpy", shape=(None, 4), **config):
    return graph(inputs(shape=shape), op(class_name, *args, module=f"keras.src.ops.{module}", config=config))


def wide(class_name, module="numpy", **config):
    return of_op(class_name, tensor("x", (None, MANY)), module=module, shape=(None, MANY), **config)


# Without a tensor of the graph they would be computed while the file is read.
CONSTANTS = {
    "full": of_op("Full", 1.0, shape=[MANY, 8]),
    "arange": of_op("Arange", 0, MANY, 1),
    "linspace": of_op("Linspace", 0.0, 1.0, num=MANY),
    "outer": of_op("Outer", array([1.0] * 3000), array([1.0] * 3000)),
    "repeat": of_op("Repeat", array([1.0]), repeats=10**9),
    "scatter": of_op("Scatter", array([[0]], "int32"), array([1.0]), module="core", shape=[MANY]),
    "add": of_op("Add", 1, 2),
    "no arguments": of_op("Meshgrid"),
}


@pytest.mark.parametrize("case", CONSTANTS)
def test_operations_of_constants_are_not_computed(case):
    refuse(
        CONSTANTS[case] if case != "full" else graph(inputs(), op("Full", 1.0, config={"shape": [MANY, 8]})),
        "a tensor of the graph",
        {},
    )


COSTLY = {
    "split": (wide("Split", indices_or_sections=MANY), "at most 10000 parts"),
    "array_split": (of_op("ArraySplit", X, indices_or_sections=MANY, axis=1), "at most 10000 parts"),
    "unstack": (wide("Unstack", "core", axis=1), "at most 10000 parts"),
    "many splits": (
        graph(
            inputs(),
            *(op("ArraySplit", X, name=f"s{i}", config={"indices_or_sections": 5000}) for i in range(9)),
        ),
        "tensors",
    ),
    "difference": (wide("Diff", n=10**6), "at most 100"),
    "axes": (of_op("ExpandDims", X, axis=list(range(1, 100_000))), "at most 64 axes"),
    "shape": (of_op("Reshape", X, newshape=[1] * 100_000), "at most 64 axes"),
}


@pytest.mark.parametrize("case", COSTLY)
def test_numbers_of_parts_axes_and_steps_are_bounded(case):
    start = time.process_time()
    refuse(*COSTLY[case], {})
    assert time.process_time() - start < 5  # most of it is the machine's


FREE = {
    "adaptive pooling": stack(
        layer("InputLayer", "x", batch_shape=[None, MANY + 1, 3]),
        layer("AdaptiveAveragePooling1D", "p", output_size=17),
    ),
    "adaptive pooling of an unknown size": stack(
        layer("InputLayer", "x", batch_shape=[None, None, 3]),
        layer("AdaptiveMaxPooling1D", "p", output_size=17),
    ),
    "windows": wide("STFT", "math", sequence_length=10**9, sequence_stride=1, fft_length=10**9),
    "mirrored": of_op("Pad", X, pad_width=[[0, 0], [0, MANY]], mode="reflect"),
    "rounding": of_op("Round", X, decimals=MANY),
    "rounding to tens": of_op("Round", X, decimals=-MANY),
    "outer": of_op("Outer", X, array([1.0] * 3000)),
}


@pytest.mark.parametrize("case", FREE)
def test_symbolic_tensors_cost_nothing_however_large(case):
    path = write(crafted.archive(FREE[case], {}))
    start = time.process_time()
    assert kerata.saving.load_model(path).count_params() == 0
    assert time.process_time() - start < 3


@pytest.mark.parametrize("name", [5, None, ["a"], {}, True])
def test_names_of_operations_are_texts(name):
    entry = op("Add", X, 1)
    refuse(
        graph(inputs(), {**entry, "name": name, "config": {"name": name}}, outputs=[["x", 0, 0]]), "name", {}
    )


@pytest.mark.parametrize("history", [None, "abc", ["x"], [[], {}, None], ["x", 0.0, 0], ["x", 0, 0, 0], 3])
def test_histories_are_a_name_and_two_numbers(history):
    bad = {
        "class_name": "__keras_tensor__",
        "config": {"shape": [None, 4], "dtype": "float32", "keras_history": history},
    }
    refuse(graph(inputs(), op("Add", bad, 1)), "a name and two numbers", {})
    refuse(graph(inputs(), node(layer("ReLU", "r"), call(bad))), "a name and two numbers", {})


def test_slices_are_between_numbers():
    for config in (
        {},
        {"start": 0},
        {"start": 0, "stop": 1, "step": 0},
        {"start": "a", "stop": {}, "step": []},
        3,
    ):
        key = {"class_name": "__slice__", "config": config}
        refuse(of_op("GetItem", X, [key]), "slice|step", {})
    refuse(
        stack(INPUT, layer("Dense", "d", units={"class_name": "__slice__", "config": {"start": 0}})),
        "slice",
        {},
    )
