"""The catalogue is whole: every public function of the peer's ops, with the same parameters, and enough samples of each."""

import inspect

import keras
import pytest

import kerata
from kerata import verify
from kerata.core import op_format

OPS = verify.declared()
FEWEST_SAMPLES_OF_AN_OP = 5
FEWEST_SAMPLES = 2500
SPACES = [
    "ops",
    "ops.numpy",
    "ops.nn",
    "ops.linalg",
    "ops.image",
    "random",
    "tree",
    "activations",
    "initializers",
    "regularizers",
    "constraints",
    "losses",
    "metrics",
]


def space_of(module, path):
    for part in path.split("."):
        module = getattr(module, part)
    return module


def public(module):
    """The public names of a module's functions and classes."""
    return [name for name in dir(module) if not name.startswith("_") and callable(getattr(module, name))]


def parameters(function):
    """(name, default) of each parameter, in order."""
    return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("path", SPACES)
def test_every_public_name_of_the_peer_is_here(path):
    theirs, ours = space_of(keras, path), space_of(kerata, path)
    assert [name for name in public(theirs) if not hasattr(ours, name)] == []


@pytest.mark.parametrize("path", ["ops", "ops.numpy", "ops.nn", "ops.linalg", "ops.image", "random", "tree"])
def test_functions_have_the_parameters_and_defaults_of_the_peer(path):
    theirs, ours = space_of(keras, path), space_of(kerata, path)
    differ = [
        f"{name}: {parameters(getattr(ours, name))} instead of {parameters(getattr(theirs, name))}"
        for name in public(theirs)
        if inspect.isfunction(getattr(theirs, name))
        and parameters(getattr(ours, name)) != parameters(getattr(theirs, name))
    ]
    assert differ == []


@pytest.mark.parametrize("name, argument", [("KerasTensor", (2,)), ("Variable", 0.0)])
def test_tensors_have_the_methods_and_operators_of_the_peer(name, argument):
    theirs, ours = getattr(keras, name), getattr(kerata, name)(argument)
    # What serves Python 2 or one engine of the peer, how objects are stored, and rows of unequal length.
    engines = {"__div__", "__rdiv__", "__jax_array__", "__tf_tensor__", "handle"}
    without = {*engines, "__dict__", "__annotations__", "ragged_rank", "row_splits_dtype"}
    wanted = [n for n in dir(theirs) if n.startswith("__") or not n.startswith("_")]
    assert [n for n in wanted if n not in without and not hasattr(ours, n)] == []


def test_every_op_of_the_peer_can_stand_in_a_file():
    """A Functional model that calls it can be saved: `_CALLS` has its line, or it is another op under a second name."""
    written = (
        {form.key for form in op_format.FORMS.values()} | set(op_format._ALIASES) | {"extract_patches_3d"}
    )
    theirs = {*public(keras.ops), *public(keras.ops.image)} & set(OPS)
    assert sorted(name for name in theirs if OPS[name].required and name not in written) == []


# ---- samples -----------------------------------------------------------------------------------------


def test_every_op_has_enough_samples():
    few = {name: len(op.samples) for name, op in OPS.items() if len(op.samples) < FEWEST_SAMPLES_OF_AN_OP}
    assert few == {}


def test_the_suite_has_enough_samples():
    assert sum(len(op.samples) for op in OPS.values()) >= FEWEST_SAMPLES


def test_every_op_that_can_refuse_has_invalid_samples():
    """An op of one tensor and nothing else takes whatever is a tensor."""
    silent = [
        name
        for name, op in OPS.items()
        if not op.rejects and list(op.signature.parameters) != list(op.tensors)
    ]
    assert silent == []


def test_every_wide_tolerance_has_a_reason():
    assert [name for name, tolerance in verify.wide_tolerances().items() if not tolerance.because] == []
