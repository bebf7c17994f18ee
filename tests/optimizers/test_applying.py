"""The ways to apply gradients, and what an optimizer of one's own is made of: values by closed forms."""

import numpy as np
import pytest

import kerata
from kerata import ops, optimizers
from kerata.core.errors import ArgumentError, StateError

FIRST, GRADIENT = np.array([1.0, -2.0, 0.5], "float32"), np.array([0.5, -1.0, 0.0], "float32")


def adam(value, gradient, steps, rate=0.1, b1=0.9, b2=0.999, epsilon=1e-7):
    """Kingma and Ba, algorithm 1, in the order of its end of section 2, in float64."""
    m = v = np.zeros_like(value, "float64")
    for t in range(1, steps + 1):
        m, v = b1 * m + (1 - b1) * gradient, b2 * v + (1 - b2) * gradient**2
        value = value - rate * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(v) + epsilon)
    return value


def numbers(tensors):
    return [ops.convert_to_numpy(t) for t in tensors]


def test_pairs_and_lists_are_the_same(engine):
    a, b, c = (kerata.Variable(FIRST) for _ in range(3))
    pairs, lists, built = (optimizers.Adam(0.1) for _ in range(3))
    built.build([c])
    for step in range(1, 4):
        assert int(pairs.apply_gradients([(ops.convert_to_tensor(GRADIENT), a)])) == step
        lists.apply([GRADIENT], [b])
        built.apply([GRADIENT])
    for v in (a, b, c):
        np.testing.assert_allclose(v.numpy(), adam(FIRST, GRADIENT, 3), rtol=1e-6)


def test_a_pure_function_of_the_state(engine):
    """Three compiled steps; the variables themselves stay as they were."""
    w = kerata.Variable(FIRST)
    optimizer = optimizers.Adam(0.1)
    with pytest.raises(StateError, match="build"):
        optimizer.stateless_apply([], [GRADIENT], [FIRST])
    optimizer.build([w])
    step = kerata.function(lambda own, grads, values: optimizer.stateless_apply(own, grads, values))
    values, own = [w.value], [v.value for v in optimizer.variables]
    for _ in range(3):
        values, own = step(own, [ops.convert_to_tensor(GRADIENT)], values)
    np.testing.assert_allclose(numbers(values)[0], adam(FIRST, GRADIENT, 3), rtol=1e-6)
    assert int(optimizer.iterations) == 0
    np.testing.assert_array_equal(w.numpy(), FIRST)
    with pytest.raises(ArgumentError, match="`trainable_variables`"):
        optimizer.stateless_apply(own, [GRADIENT], [])


class Momentum(optimizers.Optimizer):
    """v = m v + g; w = w - rate v, and a count of its own."""

    def build(self, variables):
        super().build(variables)
        self.velocities, self.weights = self.add_optimizer_variables(
            variables, ["velocity", "weight"], ["zeros", "ones"]
        )
        (self.extra,) = self.add_optimizer_variables(variables, "extra", initializer="ones")
        self.seen = self.add_variable((2,), "ones", "int32", name="seen")

    def update_step(self, gradient, variable, learning_rate):
        velocity = self.velocities[self._get_variable_index(variable)]
        self.assign(velocity, ops.add(ops.multiply(velocity, 0.5), gradient))
        self.assign_sub(variable, ops.multiply(learning_rate, velocity))
        self.assign_add(self.seen, ops.ones((2,), "int32"))


def test_an_optimizer_of_ones_own(engine):
    w = kerata.Variable(FIRST, name="w")
    optimizer = Momentum(0.1, name="mine")
    for _ in range(2):
        optimizer.apply([ops.convert_to_tensor(GRADIENT)], [w])
    np.testing.assert_allclose(w.numpy(), FIRST - 0.1 * (1 + 1.5) * GRADIENT, rtol=1e-6)
    np.testing.assert_array_equal(optimizer.seen.numpy(), [3, 3])
    assert [v.path for v in optimizer.variables[2:]] == [
        f"mine/{n}" for n in ("w_velocity", "w_weight", "w_extra", "seen")
    ]
    np.testing.assert_array_equal(optimizer.weights[0].numpy(), np.ones(3))
    assert optimizer.extra.dtype == "float32" and optimizer.extra.shape == (3,)


def test_averages_replace_the_variables_at_the_end(engine):
    """Polyak's averages: a(0) is the first value after a step, a = m a + (1 - m) w."""
    w, other = kerata.Variable(FIRST), kerata.Variable(FIRST)
    optimizer = optimizers.SGD(0.1, use_ema=True, ema_momentum=0.75)
    average, value = None, FIRST.astype("float64")
    for _ in range(4):
        optimizer.apply([GRADIENT, GRADIENT], [w, other])
        value = value - 0.1 * GRADIENT
        average = value if average is None else 0.75 * average + 0.25 * value
    np.testing.assert_allclose(w.numpy(), value, rtol=1e-6)
    optimizer.finalize_variable_values([w])
    np.testing.assert_allclose(w.numpy(), average, rtol=1e-6)
    np.testing.assert_allclose(other.numpy(), value, rtol=1e-6)


def test_without_averages_nothing_is_replaced(engine):
    w = kerata.Variable(FIRST)
    optimizer = optimizers.SGD(0.1)
    optimizer.apply([GRADIENT], [w])
    optimizer.finalize_variable_values([w])
    np.testing.assert_allclose(w.numpy(), FIRST - 0.1 * GRADIENT, rtol=1e-6)


def test_losses_are_scaled(engine):
    loss = ops.convert_to_tensor(np.float32(3))
    assert float(optimizers.SGD().scale_loss(loss)) == 3
    scaled = optimizers.SGD(0.1, loss_scale_factor=8.0)
    assert float(scaled.scale_loss(loss)) == 24
    w = kerata.Variable(FIRST)
    scaled.apply([8 * GRADIENT], [w])  # and gradients are scaled back
    np.testing.assert_allclose(w.numpy(), FIRST - 0.1 * GRADIENT, rtol=1e-6)


def test_a_scale_that_finds_itself(engine):
    w = kerata.Variable(FIRST)
    optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(0.1, use_ema=True), 4.0, dynamic_growth_steps=2)
    optimizer.build([w])
    assert float(optimizer.scale_loss(ops.convert_to_tensor(np.float32(3)))) == 12
    grads = [ops.convert_to_tensor(g) for g in (GRADIENT, np.full(3, np.inf, "float32"))]
    assert bool(optimizer.check_finite(grads[:1])) and not bool(optimizer.check_finite(grads))
    for _ in range(2):
        optimizer.apply([ops.convert_to_tensor(4 * GRADIENT)])
    assert float(optimizer.dynamic_scale) == 8
    optimizer.finalize_variable_values([w])  # the averages of the inner optimizer
    average = 0.99 * (FIRST - 0.1 * GRADIENT) + 0.01 * (FIRST - 0.2 * GRADIENT)
    np.testing.assert_allclose(w.numpy(), average, rtol=1e-6)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4)])
def test_newton_and_schulz_change_singular_values_only(engine, shape):
    """Each step sends a singular value s to a s + b s**3 + c s**5 and keeps the vectors."""
    muon = optimizers.Muon(0.1, rms_rate=0.2)
    x = np.random.default_rng(2).normal(size=shape)
    u, s, v = np.linalg.svd(x, full_matrices=False)
    s = s / np.linalg.norm(s)
    for _ in range(4):
        s = muon.muon_a * s + muon.muon_b * s**3 + muon.muon_c * s**5
    found = muon.zeropower_via_newtonschulz5(ops.convert_to_tensor(x.astype("float32")), 4)
    np.testing.assert_allclose(ops.convert_to_numpy(found), u * s @ v, rtol=1e-4, atol=1e-5)
    adjusted = ops.convert_to_numpy(muon.lr_adjust(found))
    np.testing.assert_allclose(adjusted, 0.2 * max(shape) ** 0.5 * ops.convert_to_numpy(found), rtol=1e-6)


@pytest.mark.parametrize("name", ["Adam", "SGD", "AdamW", "Adafactor"])
@pytest.mark.parametrize("dtype", ["float64", "float16", "int32"])
def test_gradients_of_another_dtype(engine, name, dtype):
    def stepped(gradient):
        w = kerata.Variable(np.ones(2, "float32"))
        getattr(optimizers, name)(0.1).apply([gradient], [w])
        return w.numpy()

    np.testing.assert_array_equal(stepped(np.full(2, 3, dtype)), stepped(np.full(2, 3, "float32")))


@pytest.mark.parametrize("options", [{"clipnorm": 0.5}, {"global_clipnorm": 0.5}])
def test_norms_of_64_bits(engine, options):
    w = kerata.Variable(np.ones(2), dtype="float64")
    optimizers.SGD(1.0, **options).apply([np.array([1.0, 2.0])], [w])
    np.testing.assert_allclose(w.numpy(), 1 - np.array([0.5, 1.0]) / np.sqrt(5), rtol=1e-15)


NAMES = (
    "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "Muon", "Nadam", "RMSprop", "SGD",
    "ScheduleFreeAdamW",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_an_own_update_step_of_a_subclass(name, engine):
    """It sees each variable, and hands on to the rule of its parent."""
    parent = getattr(optimizers, name)
    seen = []

    class Doubled(parent):
        def update_step(self, gradient, variable, learning_rate):
            seen.append(variable)
            super().update_step(gradient * 2, variable, learning_rate)

    gradients = [GRADIENT, GRADIENT[:2]]
    own, plain = ([kerata.Variable(FIRST), kerata.Variable(FIRST[:2])] for _ in range(2))
    doubled, usual = Doubled(learning_rate=0.1), parent(learning_rate=0.1)
    for _ in range(3):
        doubled.apply([ops.convert_to_tensor(g) for g in gradients], own)
        usual.apply([ops.convert_to_tensor(2 * g) for g in gradients], plain)
    assert len(seen) == 6
    for a, b in zip(own, plain, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-7)
