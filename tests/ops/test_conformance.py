"""Every op, as declared, on every engine: the same values, shapes, dtypes, derivatives and refusals."""

import pytest

from kerata import backends, verify
from kerata.core.declare import set_fast_paths

OPS = verify.declared()
every_op = pytest.mark.parametrize("name", OPS)
# The engine is the outer parameter: what it has compiled for one op serves the next.
on_every_engine = pytest.mark.parametrize("engine", backends.installed(), indirect=True)


@every_op
@on_every_engine
def test_gives_the_values_of_the_reference(name, engine):
    """JAX compiles each op for each shape, which takes most of the time of all tests: here every third sample runs on it
    op by op. Compiled, all do; `kerata conformance` asks both of all."""
    assert verify.values(OPS[name], engine, every=3 if engine == "jax" else 1) == []


@every_op
@on_every_engine
def test_gives_the_same_when_compiled(name, engine):
    assert verify.compiled(OPS[name], engine) == []


@every_op
def test_knows_shapes_and_dtypes_without_values(name):
    assert verify.symbolic(OPS[name], "numpy") == []


@every_op
@on_every_engine
def test_has_the_derivatives_of_finite_differences(name, engine):
    assert verify.gradients(OPS[name], engine) == []


@every_op
@on_every_engine
def test_refuses_with_one_voice(name, engine):
    assert verify.refusals(OPS[name], engine) == []


@pytest.fixture
def slow_and_correct():
    """No engine takes a native route."""
    set_fast_paths(False)
    yield
    set_fast_paths(True)


@every_op
@on_every_engine
def test_gives_the_same_without_its_fast_path(name, engine, slow_and_correct):
    """Deleting an engine's fast paths leaves a slow, correct engine."""
    if name in backends.get(engine).fast_paths:
        assert verify.values(OPS[name], engine) == []
