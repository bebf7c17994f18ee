"""`Variable`: what it holds, what it takes, what scopes make of it."""

import numpy as np
import pytest

import kerata
from kerata import ops
from kerata.core.errors import ArgumentError


def test_values_and_dtypes(engine):
    v = kerata.Variable(np.ones((2, 3)), dtype="float32", name="v")
    assert (v.shape, v.dtype, v.name, v.path, v.ndim, len(v)) == ((2, 3), "float32", "v", "v", 2, 2)
    made = kerata.Variable(
        "zeros" and (lambda shape, dtype: ops.zeros(shape, dtype)), shape=(4,), dtype="float16"
    )
    assert made.numpy().dtype == np.float16 and made.shape == (4,)


def test_assigning(engine):
    v = kerata.Variable(np.zeros(3, "float32"))
    v.assign([1, 2, 3])
    v.assign_add(np.ones(3))
    v.assign_sub(1.5 * np.ones(3))
    np.testing.assert_array_equal(v.numpy(), [0.5, 1.5, 2.5])
    assert v.numpy().dtype == np.float32


def test_a_copy_is_a_copy(engine):
    array = np.zeros(3, "float32")
    v = kerata.Variable(array)
    array[:] = 7
    copy = v.numpy()
    copy[:] = 9
    np.testing.assert_array_equal(v.numpy(), np.zeros(3))
    w = kerata.Variable(v)
    w.assign([1.0, 1.0, 1.0])
    np.testing.assert_array_equal(v.numpy(), np.zeros(3))


def test_operators(engine):
    v = kerata.Variable(np.array([1.0, 2.0], "float32"))
    for found, expected in (
        (v + 1.0, [2, 3]),
        (2.0 * v, [2, 4]),
        (1.0 - v, [0, -1]),
        (v**2, [1, 4]),
        (v[1:], [2]),
    ):
        np.testing.assert_array_equal(ops.convert_to_numpy(found), expected)


def test_wrong_shapes(engine):
    v = kerata.Variable(np.zeros(3, "float32"), name="v")
    with pytest.raises(ArgumentError) as error:
        v.assign(np.zeros(4))
    assert str(error.value).startswith("`value` must be a tensor of shape (3,), the shape of the variable v.")
    np.testing.assert_array_equal(v.numpy(), np.zeros(3))


@pytest.mark.parametrize(
    "options",
    [{"name": "a/b"}, {"aggregation": "median"}, {"shape": (2,)}, {"dtype": "float33"}],
    ids=lambda o: next(iter(o)),
)
def test_wrong_arguments(engine, options):
    with pytest.raises(ArgumentError):
        kerata.Variable(np.zeros(3, "float32"), **options)


def test_name_scopes(engine):
    with kerata.name_scope("outer"), kerata.name_scope("inner"):
        assert kerata.Variable(np.zeros(1), name="v").path == "outer/inner/v"


def test_a_stateless_scope_keeps_what_is_assigned(engine):
    v = kerata.Variable(np.float32(1))
    with kerata.StatelessScope([(v, np.float32(5))]) as scope:
        v.assign(v + 1.0)
        with kerata.StatelessScope() as inner:
            v.assign(v * 2.0)
        assert float(inner.get_current_value(v)) == 12
    assert float(scope.get_current_value(v)) == 6 and float(v) == 1


def test_a_stateless_scope_collects_losses_where_asked(engine):
    class Total(kerata.Layer):
        def call(self, x):
            self.add_loss(7 * ops.sum(x))
            return x

    x = ops.ones((1, 2))
    for collect in (True, False):
        inner, outer = Total(), kerata.Sequential([Total(), kerata.layers.ActivityRegularization(l2=1.0)])
        for _ in range(2):  # the second call takes the short way
            with kerata.StatelessScope(collect_losses=collect) as scope:
                inner(x), outer(x)
            # 7 of two ones each, and the mean over the batch of the sum of squares.
            assert [float(loss) for loss in scope.losses] == ([14, 14, 2] if collect else [])


def test_a_value_that_depends_on_nothing_has_zero_gradients(engine):
    v = kerata.Variable([1.0, 2.0])
    for value in (3.0, 3, np.float32(3)):
        found, (gradient,) = kerata.value_and_grad(lambda value=value: value, [v])()
        assert float(found) == 3 and ops.is_tensor(found)
        np.testing.assert_array_equal(ops.convert_to_numpy(gradient), [0, 0])
    scalar = kerata.Variable(5.0)
    found, (gradient,) = kerata.value_and_grad(lambda: scalar, [scalar])()
    assert (float(found), float(gradient)) == (5, 1)


def test_arrays_of_a_weight_stay_what_they_were(engine):
    weight = kerata.Variable(np.ones(2, "float32"))
    arrays = [
        ops.convert_to_numpy(weight),
        ops.convert_to_numpy(weight.value),
        weight.numpy(),
        np.asarray(weight),
    ]
    weight.assign(np.zeros(2, "float32"))
    for array in arrays:
        np.testing.assert_array_equal(array, 1)
