"""Optimizers against Keras: the same variables after five steps, the same state in the same order."""

import keras
import numpy as np
import pytest

import kerata
import kerata.ops

SHAPES = {"kernel": (3, 4), "bias": (4,), "scale": (), "filters": (2, 2, 3)}
CASES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("RMSprop", {"learning_rate": 0.05}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
    ("Adam", {"learning_rate": 0.05}),
    ("Adam", {"learning_rate": 0.05, "amsgrad": True}),
    ("AdamW", {"learning_rate": 0.05, "weight_decay": 0.1}),
    ("Adamax", {"learning_rate": 0.05}),
    ("Nadam", {"learning_rate": 0.05}),
    ("Adagrad", {"learning_rate": 0.05}),
    ("Adadelta", {"learning_rate": 1.0}),
    ("Ftrl", {"learning_rate": 0.05}),
    ("Ftrl", dict(learning_rate=0.05, l1_regularization_strength=0.02, l2_regularization_strength=0.01,
                  l2_shrinkage_regularization_strength=0.03, beta=0.1)),
    ("Lion", {"learning_rate": 0.05}),
    ("Lamb", {"learning_rate": 0.05}),
    ("Adafactor", {"learning_rate": 0.05}),
    ("Adafactor", {"learning_rate": 0.05, "relative_step": False, "clip_threshold": 0.5}),
    ("Adam", {"learning_rate": 0.05, "clipnorm": 0.5}),
    ("Adam", {"learning_rate": 0.05, "clipvalue": 0.1}),
    ("SGD", {"learning_rate": 0.05, "global_clipnorm": 0.5}),
    ("SGD", {"learning_rate": 0.05, "weight_decay": 0.1}),
    ("Adam", {"learning_rate": 0.05, "use_ema": True, "ema_momentum": 0.8}),
    ("Adam", {"learning_rate": 0.05, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 2}),
    ("Adam", {"learning_rate": 0.05, "gradient_accumulation_steps": 2}),
    ("SGD", {"learning_rate": 0.05, "gradient_accumulation_steps": 2, "clipnorm": 0.5, "weight_decay": 0.1}),
    ("SGD", {"learning_rate": 0.05, "gradient_accumulation_steps": 2, "use_ema": True, "ema_overwrite_frequency": 2}),
    ("Adam", {"learning_rate": 0.05, "loss_scale_factor": 8.0}),
    ("Adam", {"learning_rate": ("ExponentialDecay", 0.1, 2, 0.5)}),
    ("SGD", {"learning_rate": ("ExponentialDecay", 0.1, 1, 0.5), "gradient_accumulation_steps": 2}),
    ("Muon", {"learning_rate": 0.05}),
    ("Muon", {"learning_rate": 0.05, "nesterov": False, "adam_lr_ratio": 0.5, "rms_rate": None}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.05}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.05, "warmup_steps": 3, "weight_decay": 0.1}),
]  # fmt: skip


def run(framework, name, options, steps=5):
    """Values of the variables, and (name, value) of the optimizer's own, after some steps."""
    options = dict(options)
    rate = options.get("learning_rate")
    if isinstance(rate, tuple):
        options["learning_rate"] = getattr(framework.optimizers.schedules, rate[0])(*rate[1:])
    random = np.random.default_rng(0)
    variables = [
        framework.Variable(random.normal(size=s).astype("float32"), name=n) for n, s in SHAPES.items()
    ]
    optimizer = getattr(framework.optimizers, name)(**options)
    for _ in range(steps):
        grads = [
            framework.ops.convert_to_tensor(random.normal(size=v.shape).astype("float32")) for v in variables
        ]
        optimizer.apply(grads, variables)
    own = [(v.name, framework.ops.convert_to_numpy(v.value)) for v in optimizer.variables]
    return [framework.ops.convert_to_numpy(v.value) for v in variables], own, optimizer.get_config()


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_five_steps_as_in_keras(name, options):
    steps = (
        1 if name == "ScheduleFreeAdamW" else 5
    )  # on TensorFlow, Keras's leaves beta_1 out of account; see below
    values, own, config = run(kerata, name, options, steps)
    peer_values, peer_own, peer_config = run(keras, name, options, steps)
    for a, b in zip(values, peer_values, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-5)
    assert [n for n, _ in own if not n.startswith("variable")] == [
        n for n, _ in peer_own if not n.startswith("variable")
    ]
    for (label, a), (_, b) in zip(own, peer_own, strict=True):
        assert (a.shape, a.dtype.kind) == (b.shape, b.dtype.kind), label
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-5, err_msg=label)
    for changing in ("name", "learning_rate"):  # counted by process; a float32 and a float
        del config[changing], peer_config[changing]
    assert config == peer_config


FREE = {  # what Keras 3.15.1 gives on NumPy and on JAX, printed with five digits
    (0.9, None, 0): (0.9, 0.845, 0.85706, 0.81594, 0.78751),
    (0.5, None, 0): (0.9, 0.825, 0.86177, 0.77906, 0.74448),
    (0.9, 0.1, 0): (0.9, 0.8405, 0.84846, 0.80312, 0.77083),
    (0.9, 0.1, 3): (0.96667, 0.92517, 0.93767, 0.89436, 0.86309),
}


@pytest.mark.parametrize(("settings", "expected"), FREE.items(), ids=str)
def test_schedule_free_as_in_keras_on_its_other_backends(engine, settings, expected):
    beta_1, weight_decay, warmup_steps = settings
    w = kerata.Variable(np.float32([1.0, 2.0]))
    optimizer = kerata.optimizers.ScheduleFreeAdamW(
        0.1, beta_1, weight_decay=weight_decay, warmup_steps=warmup_steps
    )
    for g, y in zip((0.5, 0.5, -0.3, 0.7, 0.2), expected, strict=True):
        optimizer.apply([kerata.ops.convert_to_tensor(np.float32([g, -g]))], [w])
        assert w.numpy()[0] == pytest.approx(y, abs=1e-5)
