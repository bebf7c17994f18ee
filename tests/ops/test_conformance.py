"""Every op, as declared, on every engine: the same values, shapes, dtypes, derivatives and refusals."""

import os

import pytest

from kerata import backends, verify

OPS = verify.declared()
every_op = pytest.mark.parametrize("name", OPS)
# JAX and TensorFlow compile each of some thousand samples anew, which takes far longer than all other tests
# together: KERATA_CONFORMANCE=all runs the questions on every engine.
ENGINES = backends.installed() if os.environ.get("KERATA_CONFORMANCE") == "all" else ["numpy", "torch"]
on_engines = pytest.mark.parametrize("engine", ENGINES, indirect=True)


@every_op
@on_engines
def test_gives_the_values_of_the_reference(name, engine):
    assert verify.values(OPS[name], engine) == []


@every_op
@on_engines
def test_gives_the_same_when_compiled(name, engine):
    assert verify.compiled(OPS[name], engine) == []


@every_op
def test_knows_shapes_and_dtypes_without_values(name):
    assert verify.symbolic(OPS[name], "numpy") == []


@every_op
@on_engines
def test_has_the_derivatives_of_finite_differences(name, engine):
    assert verify.gradients(OPS[name], engine) == []


@every_op
@on_engines
def test_refuses_with_one_voice(name, engine):
    assert verify.refusals(OPS[name], engine) == []


def test_every_op_has_samples():
    assert [name for name, op in OPS.items() if not op.samples] == []
