"""`model.summary()`: what stands in the table, told by the peer's table of the same model."""

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.core.errors import ArgumentError


def text_of(model, **options):
    found = []
    model.summary(print_fn=found.append, **options)
    assert len(found) == 1
    return found[0]


def cells(text):
    """The words in the cells, row by row; what a cell broke over lines is joined."""
    rows, current = [], None
    for line in text.splitlines():
        if line[:1] in "│┃":
            parts = [p.strip() for p in line.strip("│┃").replace("┃", "│").split("│")]
            current = parts if current is None else [a + b for a, b in zip(current, parts, strict=True)]
        elif current is not None:
            rows.append([c.replace(" ", "") for c in current])
            current = None
    return rows


def branched(keras):
    """A model with two branches, a shared layer and two outputs, in Kerata or in the peer."""
    a, b = keras.Input((4,), name="first"), keras.Input((4,), name="second")
    shared = keras.layers.Dense(3, name="shared")
    x, y = shared(a), shared(b)
    both = keras.layers.Add(name="sum")([x, y])
    left = keras.layers.Dense(1, name="left")(both)
    right = keras.layers.BatchNormalization(name="right")(y)
    return keras.Model([a, b], [left, right], name="branched")


def nested(keras):
    inside = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(2, name="q"),
            keras.layers.Dense(2, trainable=False, name="r"),
        ],
        name="inside",
    )
    x = keras.Input((3,), name="x")
    return keras.Model(x, keras.layers.Dense(1, name="z")(inside(x)), name="outside")


@pytest.mark.parametrize("make", [branched, nested])
@pytest.mark.parametrize(
    "options", [{}, {"expand_nested": True, "show_trainable": True}], ids=["plain", "all"]
)
def test_the_cells_are_those_of_the_peer(make, options, monkeypatch):
    import keras

    monkeypatch.setenv("COLUMNS", "200")  # the peer cuts its table to the terminal

    ours, theirs = (
        text_of(make(kerata), line_length=130, **options),
        text_of(make(keras), line_length=130, **options),
    )
    assert cells(ours) == cells(theirs)
    totals = [line for line in theirs.splitlines() if "params" in line]
    assert [line for line in ours.splitlines() if "params" in line] == totals


def test_line_length_is_the_width():
    for width in (60, 100):
        lines = text_of(nested(kerata), line_length=width).splitlines()
        assert {len(line) for line in lines if line[:1] in "│┏┡├└┃"} == {width}


def test_it_prints_by_default(capsys):
    nested(kerata).summary()
    assert 'Model: "outside"' in capsys.readouterr().out


def test_a_model_that_is_not_built():
    rows = cells(text_of(kerata.Sequential([layers.Dense(2)])))
    assert rows[1] == ["dense(Dense)", "?", "0(unbuilt)"]


def test_a_subclass_after_its_first_call():
    class Net(kerata.Model):
        def __init__(self):
            super().__init__()
            self.inner = layers.Dense(2)

        def call(self, x):
            return self.inner(x)

    model = Net()
    model(np.ones((5, 3), "float32"))
    assert cells(text_of(model))[1] == ["dense(Dense)", "(5,2)", "8"]


def test_the_optimizer_counts():
    model = nested(kerata)
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((2, 3)), np.ones((2, 1)))
    # Two moments of each of the 11 trained values, the iterations and the learning rate.
    assert "Optimizer params: 24 " in text_of(model) and "Total params: 41 " in text_of(model)


def test_a_range_of_layers():
    rows = cells(text_of(nested(kerata), layer_range=("inside", "z")))
    assert [row[0] for row in rows[1:]] == ["inside(Sequential)", "z(Dense)"]


def test_names_are_no_markup():
    model = kerata.Sequential([kerata.Input((2,)), layers.Dense(1, name="[red]x[/red]")])
    assert "[red]x[/red]" in text_of(model)


@pytest.mark.parametrize(
    "options, argument",
    [
        ({"line_length": 3}, "line_length"),
        ({"line_length": "wide"}, "line_length"),
        ({"positions": [0.5, 0.2, 1]}, "positions"),
        ({"positions": [0.5]}, "positions"),
        ({"layer_range": ("nowhere", "z")}, "layer_range"),
        ({"layer_range": ("z",)}, "layer_range"),
    ],
)
def test_it_refuses(options, argument):
    with pytest.raises(ArgumentError) as error:
        nested(kerata).summary(**options)
    assert error.value.argument == argument
