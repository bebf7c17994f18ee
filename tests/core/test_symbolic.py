"""Methods of symbolic tensors and questions about tensors, as Keras answers them."""

import keras
import numpy as np
import pytest

import kerata

CALLS = {
    "squeeze": lambda x: x.squeeze(),
    "squeeze of an axis": lambda x: x.squeeze(1),
    "reshape": lambda x: x.reshape((-1, 2)),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("shape", [(3, 1, 4), (None, 1, 4), (2, 1, 1)])
def test_shapes_of_methods_as_in_keras(name, shape):
    ours, theirs = (CALLS[name](framework.KerasTensor(shape)) for framework in (kerata, keras))
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype


@pytest.mark.parametrize(
    "squeeze",
    [kerata.ops.squeeze, lambda x: kerata.ops.squeeze(axis=None, x=x), lambda x: x.squeeze()],
    ids=["function", "by name", "method"],
)
def test_an_unknown_size_that_turns_out_to_be_one_stays(engine, squeeze, tmp_path):
    x = kerata.Input((1, 3))
    model = kerata.Model(x, squeeze(x))
    model.save(tmp_path / "model.keras")
    for kept in (model, kerata.saving.load_model(tmp_path / "model.keras")):
        for batch in (1, 2):
            given = np.arange(3.0 * batch, dtype="float32").reshape(batch, 1, 3)
            np.testing.assert_array_equal(kerata.ops.convert_to_numpy(kept(given)), given[:, 0])


def test_what_a_variable_is(engine):
    v = kerata.Variable(1.0)
    assert kerata.backend.is_variable(v)
    assert not any(map(kerata.backend.is_variable, (v.value, 1.0, kerata.KerasTensor((1,)))))


def test_a_scope_takes_updates(engine):
    v = kerata.Variable(1.0)
    with kerata.StatelessScope() as scope:
        scope.add_update((v, kerata.ops.convert_to_tensor(3.0)))
        assert float(v.value) == 3
    assert float(scope.get_current_value(v)) == 3 and float(v) == 1
