"""Engines agree with NumPy and with themselves compiled; fast paths equal compositions; errors."""

import numpy as np
import pytest

import kerata
from kerata import ops
from kerata.core import declare
from kerata.core.errors import ArgumentError

OPTIMIZERS = kerata.optimizers
SHAPES = ((3, 4), (4,), ())
MAKERS = {
    "SGD": lambda: OPTIMIZERS.SGD(0.05),
    "momentum": lambda: OPTIMIZERS.SGD(0.05, momentum=0.9),
    "Nesterov": lambda: OPTIMIZERS.SGD(0.05, momentum=0.9, nesterov=True),
    "RMSprop": lambda: OPTIMIZERS.RMSprop(0.05),
    "centred": lambda: OPTIMIZERS.RMSprop(0.05, momentum=0.9, centered=True),
    "Adam": lambda: OPTIMIZERS.Adam(0.05),
    "AMSGrad": lambda: OPTIMIZERS.Adam(0.05, amsgrad=True),
    "AdamW": lambda: OPTIMIZERS.AdamW(0.05, weight_decay=0.1),
    "Adamax": lambda: OPTIMIZERS.Adamax(0.05),
    "Nadam": lambda: OPTIMIZERS.Nadam(0.05),
    "Adagrad": lambda: OPTIMIZERS.Adagrad(0.05),
    "Adadelta": lambda: OPTIMIZERS.Adadelta(0.5),
    "Ftrl": lambda: OPTIMIZERS.Ftrl(0.05, l1_regularization_strength=0.01),
    "Lion": lambda: OPTIMIZERS.Lion(0.05),
    "Lamb": lambda: OPTIMIZERS.Lamb(0.05),
    "Adafactor": lambda: OPTIMIZERS.Adafactor(0.05),
    "Muon": lambda: OPTIMIZERS.Muon(0.05),
    "ScheduleFreeAdamW": lambda: OPTIMIZERS.ScheduleFreeAdamW(0.05, warmup_steps=2),
    "clipnorm": lambda: OPTIMIZERS.Adam(0.05, clipnorm=0.5),
    "clipvalue": lambda: OPTIMIZERS.Adam(0.05, clipvalue=0.1),
    "global": lambda: OPTIMIZERS.SGD(0.05, global_clipnorm=0.5),
    "averages": lambda: OPTIMIZERS.SGD(0.05, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=2),
    "accumulated": lambda: OPTIMIZERS.Adam(0.05, gradient_accumulation_steps=2),
    "schedule": lambda: OPTIMIZERS.Adam(OPTIMIZERS.schedules.CosineDecay(0.1, 3)),
    "loss scale": lambda: OPTIMIZERS.LossScaleOptimizer(
        OPTIMIZERS.Adam(0.05), initial_scale=4.0, dynamic_growth_steps=2
    ),
}


def run(make, compiled=False, steps=5):
    random = np.random.default_rng(0)
    variables = [kerata.Variable(random.normal(size=s).astype("float32")) for s in SHAPES]
    optimizer = make()
    optimizer.build(variables)
    step = optimizer.apply
    if compiled:
        step = kerata.function(lambda g: optimizer.apply(g), variables=variables + optimizer.variables)
    for _ in range(steps):
        step([ops.convert_to_tensor(random.normal(size=v.shape).astype("float32")) for v in variables])
    return [v.numpy() for v in variables + optimizer.variables]


def same(found, expected, tolerance=2e-5):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", MAKERS)
def test_eager_and_compiled_equal_numpy(engine, name):
    """After ten steps; the values are of the size of 1."""
    with kerata.use_backend("numpy"):
        expected = run(MAKERS[name], steps=10)
    same(run(MAKERS[name], steps=10), expected, 2e-6)
    same(run(MAKERS[name], compiled=True, steps=10), expected, 2e-6)


@pytest.mark.parametrize("name", MAKERS)
def test_fast_paths_equal_compositions(engine, name):
    fast = run(MAKERS[name])
    declare.set_fast_paths(False)
    try:
        slow = run(MAKERS[name])
    finally:
        declare.set_fast_paths(True)
    same(fast, slow)


def test_adam_is_the_formula_of_the_paper(engine):
    x, m, v = 1.0, 0.0, 0.0
    w, optimizer = kerata.Variable(np.float32(x)), OPTIMIZERS.Adam(0.1, 0.8, 0.95, 1e-3)
    for t, g in enumerate([2.0, -1.0, 0.5], 1):
        optimizer.apply([ops.convert_to_tensor(np.float32(g))], [w])
        m, v = 0.8 * m + 0.2 * g, 0.95 * v + 0.05 * g * g
        x -= 0.1 * np.sqrt(1 - 0.95**t) / (1 - 0.8**t) * m / (np.sqrt(v) + 1e-3)
    assert float(w) == pytest.approx(x, rel=1e-5)


@pytest.mark.parametrize("beta_1", [0.0, 0.5, 0.9, 1.0])
def test_schedule_free_adam_is_the_recursion_of_the_paper(engine, beta_1):
    """Defazio et al. 2024: z steps, x is the mean of all z, the gradients are taken at y between them."""
    x = z = y = 1.0
    v, rate, beta_2, epsilon = 0.0, 0.1, 0.95, 1e-3
    w = kerata.Variable(np.float64(y), dtype="float64")
    optimizer = OPTIMIZERS.ScheduleFreeAdamW(rate, beta_1, beta_2, epsilon, warmup_steps=2)
    for t, g in enumerate([2.0, -1.0, 0.5, 3.0], 1):
        optimizer.apply([ops.convert_to_tensor(np.float64(g))], [w])
        v = beta_2 * v + (1 - beta_2) * g * g
        z -= rate * min(t / 2, 1) * g / (np.sqrt(v / (1 - beta_2**t)) + epsilon)
        x += (z - x) / t
        y = (1 - beta_1) * z + beta_1 * x
        assert float(w) == pytest.approx(y, rel=1e-6)  # the rate and the step are float32


def test_gradients_of_any_memory_order(engine):
    """Fused kernels take dense memory for granted; a transposed gradient is none."""
    g = ops.transpose(ops.convert_to_tensor(np.arange(6, dtype="float32").reshape(3, 2) - 2.5))
    w = kerata.Variable(np.zeros((2, 3), "float32"))
    OPTIMIZERS.Adam(0.1).apply([g], [w])
    np.testing.assert_allclose(w.numpy(), -0.1 * np.sign(ops.convert_to_numpy(g)), rtol=1e-4)


def test_stateless_apply_changes_nothing(engine):
    w, g = kerata.Variable(np.ones(3, "float32")), ops.convert_to_tensor(np.ones(3, "float32"))
    optimizer = OPTIMIZERS.Adam(0.1)
    optimizer.build([w])
    given = [ops.convert_to_tensor(v.numpy()) for v in (w, *optimizer.variables)]
    before = [np.array(ops.convert_to_numpy(v)) for v in given]
    new, own = optimizer.stateless_apply(given[1:], [g], given[:1])
    np.testing.assert_allclose(ops.convert_to_numpy(new[0]), 0.9, rtol=1e-5)
    assert int(own[0]) == 1
    same([ops.convert_to_numpy(v) for v in given], before)
    assert (w.numpy() == 1).all() and int(optimizer.iterations) == 0


def test_a_step_that_is_not_finite_is_left_out(engine):
    w = kerata.Variable(np.ones(2, "float32"))
    optimizer = OPTIMIZERS.LossScaleOptimizer(OPTIMIZERS.SGD(0.1), initial_scale=8.0)
    optimizer.apply([ops.convert_to_tensor(np.array([np.inf, 1.0], "float32"))], [w])
    assert (w.numpy() == 1).all()
    assert float(optimizer.dynamic_scale) == 4.0 and int(optimizer.inner_optimizer.iterations) == 0
    optimizer.apply([ops.convert_to_tensor(np.array([4.0, 4.0], "float32"))], [w])
    np.testing.assert_allclose(w.numpy(), 0.9, rtol=1e-6)


def test_an_optimizer_of_ones_own(engine):
    class Signs(OPTIMIZERS.Optimizer):
        def build(self, variables):
            super().build(variables)
            self.count = [self.add_variable_from_reference(v, "count") for v in variables]

        def update_step(self, gradient, variable, learning_rate):
            count = self.count[self._get_variable_index(variable)]
            self.assign_add(count, ops.ones_like(gradient))
            self.assign_sub(variable, ops.multiply(ops.sign(gradient), learning_rate))

    w = kerata.Variable(np.zeros(2, "float32"))
    optimizer = Signs(0.5)
    for _ in range(2):
        optimizer.apply([ops.convert_to_tensor(np.array([3.0, -2.0], "float32"))], [w])
    np.testing.assert_allclose(w.numpy(), [-1.0, 1.0])
    np.testing.assert_allclose(optimizer.variables[-1].numpy(), 2.0)


def test_constraints_hold_after_each_step(engine):
    w = kerata.Variable(np.array([0.1, 1.0], "float32"))
    w.constraint = kerata.constraints.NonNeg()
    OPTIMIZERS.SGD(1.0).apply([ops.convert_to_tensor(np.array([0.5, 0.5], "float32"))], [w])
    np.testing.assert_allclose(w.numpy(), [0.0, 0.5])


def test_variables_may_be_left_out_of_weight_decay():
    a, b = (
        kerata.Variable(np.ones(2, "float32"), name="a"),
        kerata.Variable(np.ones(2, "float32"), name="bias"),
    )
    optimizer = OPTIMIZERS.SGD(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply([np.zeros(2, "float32")] * 2, [a, b])
    np.testing.assert_allclose(a.numpy(), 0.95)
    np.testing.assert_allclose(b.numpy(), 1.0)


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: OPTIMIZERS.Adam(beta_1=1.5), "beta_1"),
        (lambda: OPTIMIZERS.Adam(clipnorm=1.0, clipvalue=1.0), "clipnorm"),
        (lambda: OPTIMIZERS.Adam(decay=0.1), "decay"),
        (lambda: OPTIMIZERS.Adam("fast"), "learning_rate"),
        (lambda: OPTIMIZERS.Adam(gradient_accumulation_steps=1), "gradient_accumulation_steps"),
        (lambda: OPTIMIZERS.AdamW(weight_decay=None), "weight_decay"),
        (lambda: OPTIMIZERS.LossScaleOptimizer("adam"), "inner_optimizer"),
        (lambda: OPTIMIZERS.get("adamm"), "optimizer"),
        (
            lambda: OPTIMIZERS.Adam().apply(
                [np.ones(3, "float32")], [kerata.Variable(np.ones(2, "float32"))]
            ),
            "grads",
        ),
        (lambda: OPTIMIZERS.Adam().apply([], [kerata.Variable(np.ones(2, "float32"))]), "grads"),
        (lambda: OPTIMIZERS.schedules.ExponentialDecay(0.1, 0, 0.5), "decay_steps"),
        (lambda: OPTIMIZERS.schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]), "values"),
    ],
)
def test_bad_arguments(engine, make, argument):
    with pytest.raises(ArgumentError) as told:
        make()
    assert told.value.argument == argument


@pytest.mark.parametrize("name", MAKERS)
def test_config_round_trip(name):
    optimizer = MAKERS[name]()
    config = OPTIMIZERS.serialize(optimizer)
    again = OPTIMIZERS.deserialize(config)
    assert type(again) is type(optimizer)
    assert OPTIMIZERS.serialize(again) == config
