"""Classes and functions of the caller, by the names under which files may name them."""

import numpy as np
import pytest

import kerata
from kerata import saving


class Twice(kerata.Layer):
    def call(self, x):
        return kerata.ops.multiply(x, 2.0)


@pytest.fixture
def registered():
    """The table of registered objects, which is left as it was."""
    table = saving.get_custom_objects()
    before = dict(table)
    yield table
    table.clear()
    table.update(before)


def by_name(name):
    return saving.deserialize_keras_object(
        {"class_name": name, "config": {}, "module": None, "registered_name": name}
    )


def test_the_table_may_be_written_by_hand(registered):
    with pytest.raises(kerata.core.errors.RefusedFileError):
        by_name("Twice")
    registered["Twice"] = Twice
    assert type(by_name("Twice")) is Twice
    assert saving.get_registered_object("Twice") is Twice


def test_a_decorator_names_the_package(registered):
    named = saving.register_keras_serializable("mine", "Doubled")(Twice)
    assert named is Twice
    assert saving.get_registered_name(Twice) == "mine>Doubled"
    assert saving.get_registered_object("mine>Doubled") is Twice is registered["mine>Doubled"]
    assert saving.get_registered_object("mine>Tripled") is None
    assert saving.get_registered_name(np.ones) == "ones"


@pytest.mark.parametrize("scope", [saving.CustomObjectScope, saving.custom_object_scope])
def test_a_scope_ends(scope):
    with scope({"Twice": Twice}):
        assert saving.get_registered_object("Twice") is Twice
        with scope({"Twice": kerata.layers.ReLU}):  # the innermost counts
            assert saving.get_registered_object("Twice") is kerata.layers.ReLU
        assert type(by_name("Twice")) is Twice
    assert saving.get_registered_object("Twice") is None
