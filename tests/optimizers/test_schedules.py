"""Learning-rate schedules against Keras, step by step, on every engine and compiled."""

import keras
import numpy as np
import pytest

import kerata
from kerata import ops

CASES = [
    ("ExponentialDecay", (0.1, 7, 0.5), {}),
    ("ExponentialDecay", (0.1, 7, 0.5), {"staircase": True}),
    ("InverseTimeDecay", (0.1, 3, 0.5), {}),
    ("InverseTimeDecay", (0.1, 3, 0.5), {"staircase": True}),
    ("PiecewiseConstantDecay", ([3, 6], [1.0, 0.5, 0.2]), {}),
    ("PolynomialDecay", (0.1, 5, 0.01, 2.0), {}),
    ("PolynomialDecay", (0.1, 5, 0.01, 2.0), {"cycle": True}),
    ("CosineDecay", (0.1, 7, 0.1), {}),
    ("CosineDecay", (0.0, 7, 0.1), {"warmup_target": 0.3, "warmup_steps": 4}),
    ("CosineDecay", (0.0, 7, 0.1), {"warmup_target": 0.3}),
    ("CosineDecayRestarts", (0.1, 3, 2.0, 0.7, 0.1), {}),
    ("CosineDecayRestarts", (0.1, 3, 1.0, 0.7, 0.1), {}),
]


@pytest.mark.parametrize(("name", "args", "options"), CASES, ids=str)
def test_as_in_keras(engine, name, args, options):
    ours = getattr(kerata.optimizers.schedules, name)(*args, **options)
    peer = getattr(keras.optimizers.schedules, name)(*args, **options)
    compiled = kerata.function(lambda step: ours(step))
    for step in range(13):
        expected = float(peer(step))
        assert float(ours(step)) == pytest.approx(expected, rel=1e-5, abs=1e-7)
        assert float(compiled(ops.convert_to_tensor(np.int32(step)))) == pytest.approx(
            expected, rel=1e-5, abs=1e-7
        )
    assert ours.get_config() == peer.get_config()
    again = kerata.optimizers.schedules.deserialize(kerata.optimizers.schedules.serialize(ours))
    assert again.get_config() == ours.get_config()
