"""`kerata.function` and `kerata.value_and_grad`: what is traced when, what is assigned, what comes back."""

import numpy as np
import pytest

import kerata
from kerata import ops
from kerata.core.errors import ArgumentError


def test_state_is_assigned_on_every_call(engine):
    total = kerata.Variable(np.zeros(2, "float32"))

    @kerata.function
    def add(x):
        total.assign_add(x)
        return ops.sum(total.value)

    assert [float(add(np.array([1.0, 2.0], "float32"))) for _ in range(3)] == [3, 6, 9]
    np.testing.assert_array_equal(total.numpy(), [3, 6])


def test_variables_as_arguments_can_be_assigned(engine):
    first, second = (kerata.Variable(np.full(2, n, "float32")) for n in (1, 2))

    @kerata.function
    def double(holder, x):
        holder["state"].assign_add(x)
        return ops.multiply(holder["state"], 2)

    for v in (first, second, first):
        before = v.numpy()
        got = double({"state": v}, np.ones(2, "float32"))
        np.testing.assert_array_equal(ops.convert_to_numpy(got), 2 * (before + 1))
    np.testing.assert_array_equal([first.numpy(), second.numpy()], [[3, 3], [3, 3]])


def test_a_value_read_before_a_step_stays(engine):
    v = kerata.Variable(np.zeros(2, "float32"), trainable=False)

    @kerata.function
    def step():
        v.assign_add(np.ones(2, "float32"))

    step()
    kept = v.value
    step()
    np.testing.assert_array_equal(ops.convert_to_numpy(kept), [1, 1])
    np.testing.assert_array_equal(v.numpy(), [2, 2])


def test_plain_values_and_structures_choose_the_trace(engine):
    @kerata.function
    def f(x, power=1, pair=None):
        y = ops.power(x["a"], power)
        return {"y": y, "n": power} if pair is None else (y, pair[0])

    x = {"a": np.array([3.0], "float32")}
    assert float(f(x)["y"][0]) == 3 and f(x, power=2)["n"] == 2 and float(f(x, power=2)["y"][0]) == 9
    y, other = f(x, pair=(np.ones(1, "float32"), 2))
    assert float(y[0]) == 3 and float(other[0]) == 1


def test_new_shapes_and_dtypes_work(engine):
    double = kerata.function(lambda x: ops.add(x, x))
    for x in (np.ones(2, "float32"), np.ones((3, 1), "float32"), np.ones(2, "int32"), np.ones(2, "float16")):
        y = ops.convert_to_numpy(double(x))
        assert y.dtype == x.dtype
        np.testing.assert_array_equal(y, x + x)


def test_a_function_in_a_function(engine):
    count = kerata.Variable(np.float32(0))

    @kerata.function
    def inner(x):
        count.assign_add(1.0)
        return ops.multiply(x, 2.0)

    @kerata.function
    def outer(x):
        return inner(inner(x))

    assert float(outer(np.float32(3.0))) == 12 and float(count) == 2


def test_a_branch_on_python_values_is_taken_anew(engine):
    @kerata.function
    def f(x, negate):
        return ops.negative(x) if negate else x

    one = np.ones(1, "float32")
    assert [float(f(one, flag)[0]) for flag in (True, False, True)] == [-1, 1, -1]


def test_an_error_leaves_the_state(engine):
    v = kerata.Variable(np.zeros(3, "float32"))

    @kerata.function
    def step(x):
        v.assign(ops.add(v.value, x))

    step(np.ones(3, "float32"))
    with pytest.raises(ArgumentError):
        step(np.ones((4, 2), "float32"))
    np.testing.assert_array_equal(v.numpy(), [1, 1, 1])
    step(np.ones(3, "float32"))
    np.testing.assert_array_equal(v.numpy(), [2, 2, 2])


# ---- gradients ----------------------------------------------------------------------------------------


def test_assignments_inside_take_effect(engine):
    w, seen = kerata.Variable(np.float32(3)), kerata.Variable(np.float32(0), trainable=False)

    def loss(x):
        seen.assign_add(x)
        return ops.multiply(ops.square(w.value), x), seen.value

    for run in (
        kerata.value_and_grad(loss, [w], has_aux=True),
        kerata.function(kerata.value_and_grad(loss, [w], has_aux=True)),
    ):
        seen.assign(0.0)
        (value, aux), (g,) = run(np.float32(2))
        assert (float(value), float(aux), float(g), float(seen)) == (18, 2, 12, 2)


def test_a_variable_without_influence_has_zeros(engine):
    used, idle = kerata.Variable(np.float32(3)), kerata.Variable(np.ones((2, 2), "float32"))
    _, (a, b) = kerata.value_and_grad(lambda: ops.square(used.value), [used, idle])()
    assert float(a) == 6
    np.testing.assert_array_equal(ops.convert_to_numpy(b), np.zeros((2, 2)))


def test_a_frozen_variable_has_a_gradient_when_asked(engine):
    v = kerata.Variable(np.float32(3), trainable=False)
    _, (g,) = kerata.value_and_grad(lambda: ops.square(v.value), [v])()
    assert float(g) == 6


def test_only_variables(engine):
    with pytest.raises(ArgumentError) as error:
        kerata.value_and_grad(lambda: 0.0, [np.ones(2)])
    assert error.value.argument == "variables"


def test_no_variables(engine):
    assert kerata.value_and_grad(lambda: 2.0, [])() == (2.0, [])


def test_stop_gradient_and_custom_gradient(engine):
    x = kerata.Variable(np.float32(3))
    _, (g,) = kerata.value_and_grad(lambda: ops.multiply(ops.stop_gradient(x.value), x.value), [x])()
    assert float(g) == 3

    @ops.custom_gradient
    def tenfold(a):
        return ops.square(a), lambda upstream: ops.multiply(upstream, 10.0)

    value, (g,) = kerata.value_and_grad(lambda: ops.multiply(tenfold(x.value), 2.0), [x])()
    assert (float(value), float(g)) == (18, 20)


def test_remat_changes_nothing(engine):
    x = kerata.Variable(np.array([0.5, 1.0], "float32"))
    f = kerata.remat(lambda a: ops.sum(ops.exp(ops.sin(a))))
    value, (g,) = kerata.value_and_grad(lambda: f(x.value), [x])()
    a = x.numpy()
    np.testing.assert_allclose(float(value), np.exp(np.sin(a)).sum(), rtol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(g), np.exp(np.sin(a)) * np.cos(a), rtol=1e-6)


def test_plain_values_of_other_classes_are_traced_apart(engine):
    fn = kerata.function(lambda x, k: x * 0 + {bool: 1, int: 2, float: 3}[type(k)])
    x = ops.ones(())
    assert [float(fn(x, k)) for k in (1, 1.0, True, 0, 0.0, False, 1)] == [2, 3, 1, 2, 3, 1, 2]


def test_arrays_keep_64_bits(engine):
    third = np.full(2, 1 / 3)
    got = kerata.function(lambda x: x * 2 + 1)(third)
    assert ops.dtype(got) == "float64"
    np.testing.assert_array_equal(ops.convert_to_numpy(got), third * 2 + 1)


def test_arrays_become_tensors(engine):
    """So that Python's operators work between arguments and variables on every engine."""
    weight = kerata.Variable(np.float32([2.0, 3.0]))

    @kerata.function
    def product(batch):
        loss, (slope,) = kerata.value_and_grad(lambda: kerata.ops.sum(batch["x"] * weight.value), [weight])()
        return loss, slope

    loss, slope = product({"x": np.float32([1.0, 10.0])})
    assert float(loss) == 32
    np.testing.assert_array_equal(kerata.ops.convert_to_numpy(slope), [1, 10])


@pytest.mark.parametrize(
    "name", ["jax", "torch", "tensorflow"]
)  # NumPy has no traces: its calls make the variable
def test_a_function_that_makes_variables_at_each_call_is_refused(name):
    """Not traced for ever."""
    with kerata.use_backend(name):
        step = kerata.function(lambda x: kerata.Variable(np.float32(1)).value * x, jit_compile=True)
        with pytest.raises(
            ValueError, match=r"makes its variables and layers once|created on the first call"
        ):
            step(ops.ones(2))


NO_SCALARS = {
    "nothing": lambda v: None,
    "text": lambda v: "x",
    "a dict": lambda v: {"loss": ops.sum(v.value)},
    "a pair": lambda v: (ops.sum(v.value), v.value),
    "a vector": lambda v: v.value,
    "a complex number": lambda v: ops.cast(ops.sum(v.value), "complex64"),
}


@pytest.mark.parametrize("name", NO_SCALARS)
def test_only_real_scalars_have_gradients(name, engine):
    v = kerata.Variable(np.ones(2, "float32"))
    with pytest.raises(ArgumentError, match="`fn` must be a function whose value is a"):
        kerata.value_and_grad(lambda: NO_SCALARS[name](v), [v])()


def test_a_pair_where_one_is_announced(engine):
    v = kerata.Variable(np.ones(2, "float32"))
    for out in (lambda: ops.sum(v.value), lambda: (ops.sum(v.value), 1, 2)):
        with pytest.raises(ArgumentError, match="gives a pair"):
            kerata.value_and_grad(out, [v], has_aux=True)()


def test_variables_given_twice_and_variables_of_integers(engine):
    v, n = kerata.Variable(np.ones(2, "float32")), kerata.Variable(np.array([1, 2]), dtype="int32")
    value, slopes = kerata.value_and_grad(
        lambda: ops.sum(ops.multiply(v.value, ops.cast(n.value, "float32"))), [v, n, v]
    )()
    assert float(value) == 3.0
    for slope, expected in zip(slopes, ([1, 2], [0, 0], [1, 2]), strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(slope), expected)
    assert kerata.backend.standardize_dtype(slopes[1].dtype) == "int32"
    _, (slope,) = kerata.value_and_grad(lambda: ops.sum(ops.cast(n.value, "float32")), [n])()
    np.testing.assert_array_equal(ops.convert_to_numpy(slope), [0, 0])


def test_results_that_are_no_tensors_stay_what_they_are(engine):
    f = kerata.function(lambda x, n: (x + 1, n, {"name": "a", "size": x.shape[0], "none": None}))
    for size in (2, 3, 2, 2):
        total, n, rest = f(ops.ones(size), 2.5)
        assert ops.is_tensor(total)
        assert (n, rest) == (2.5, {"name": "a", "size": size, "none": None})
    g = kerata.function(lambda x: (x, "b", 3))
    for _ in range(3):
        assert g(ops.ones(2))[1:] == ("b", 3)
    assert kerata.function(lambda x: x)("text") == "text"


@pytest.mark.filterwarnings("ignore:.*runs uncompiled:RuntimeWarning")
def test_the_length_of_a_tensor(engine):
    assert kerata.function(lambda x: x * len(x))(ops.ones(3)).shape == (3,)


def test_derivatives_along_directions_depend_on_what_is_read(engine):
    """By the closed form: of tanh(w t), the derivative by t is w / cosh(w t)**2."""
    w, x = kerata.Variable(np.float64(2.0), dtype="float64"), np.array([0.5, 1.0])
    one = ops.ones(2, "float64")

    def f(t):
        return ops.tanh(ops.multiply(w.value, t))

    slope = np.cosh(2 * x) ** -2
    expected = {
        "value": np.sum(x * slope),
        "jvp": np.sum(slope - 4 * x * np.tanh(2 * x) * slope),
        "vjp": np.sum(slope - 4 * x * np.tanh(2 * x) * slope),
    }
    t = ops.convert_to_tensor(x)
    found = {
        "value": lambda: ops.jvp(f, [t], [one])[0],
        "jvp": lambda: ops.jvp(f, [t], [one])[1],
        "vjp": lambda: ops.vjp(f, [t])[1](one)[0],
    }
    for name, run in found.items():
        _, (g,) = kerata.value_and_grad(lambda run=run: ops.sum(run()), [w])()
        np.testing.assert_allclose(ops.convert_to_numpy(g), expected[name], rtol=1e-10, err_msg=name)
    _, back = ops.vjp(f, [t])
    for _ in range(2):  # as for the rows of a Jacobian
        np.testing.assert_allclose(ops.convert_to_numpy(back(one)[0]), 2 * slope, rtol=1e-10)
