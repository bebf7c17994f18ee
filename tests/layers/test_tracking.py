"""Lists and dicts of layers that change after they were assigned."""

import numpy as np
import pytest

import kerata
from kerata import layers


class Stack(kerata.Model):
    """A model whose layers are in a list and a dict, and which notes what it sees."""

    def __init__(self):
        super().__init__()
        self.blocks = [layers.Dense(2), layers.Dense(2)]
        self.heads = {"a": layers.Dense(1)}
        self.notes = []

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.heads["a"](x)


@pytest.fixture
def model(engine):
    model = Stack()
    model(np.ones((4, 2), "float32"))
    return model


def built():
    layer = layers.Dense(2)
    layer.build((None, 2))
    return layer


CHANGES = {
    "append": (lambda m, new: m.blocks.append(new), 4),
    "insert": (lambda m, new: m.blocks.insert(0, new), 4),
    "pop": (lambda m, new: m.blocks.pop(), 2),
    "del": (lambda m, new: m.blocks.__delitem__(0), 2),
    "clear": (lambda m, new: m.blocks.clear(), 1),
    "update": (lambda m, new: m.heads.update(b=new), 4),
    "dict pop": (lambda m, new: m.heads.pop("a"), 2),
}


@pytest.mark.parametrize("name", CHANGES)
def test_weights_follow_what_lists_and_dicts_hold(model, name):
    change, count = CHANGES[name]
    new = built()
    assert len(model.layers) == 3 and len(model.weights) == 6
    change(model, new)
    assert len(model.layers) == count
    assert len(model.weights) == len(model.trainable_variables) == 2 * count


def test_training_goes_on_with_the_layers_that_are_there(model):
    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    first = model.blocks.pop(0)
    before = first.get_weights()
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    np.testing.assert_array_equal(first.get_weights()[0], before[0])
    expected = (x @ model.blocks[0].kernel.numpy() + model.blocks[0].bias.numpy()) @ model.heads[
        "a"
    ].kernel.numpy()
    np.testing.assert_allclose(
        model.predict(x, verbose=0), expected + model.heads["a"].bias.numpy(), rtol=1e-5
    )


def test_notes_in_a_list_are_no_other_structure(model):
    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    model.compile("sgd", "mse")
    model.train_on_batch(x, y)
    step = model.make_train_function()
    for i in range(3):
        model.notes.append(i)
        model.train_on_batch(x, y)
    assert model.make_train_function() is step
