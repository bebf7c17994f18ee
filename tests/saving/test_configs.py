"""The config of every class that Keras 3 can write, made into Kerata's object and written again."""

import json
import operator

import pytest

import kerata

# Options that Kerata's classes have beyond Keras's configs, and those that differ on purpose, by class.
EXTRA = {"use_cudnn", "flash_attention", "autocast"}


@pytest.fixture(scope="module")
def configs(peer):
    """Area -> name of a class -> what Keras's `serialize_keras_object` gives, and the arguments of the class."""
    return peer.ask("configs")


def without_names(value):
    """A config without what says nothing: names that count objects, ids of shared ones, options that are off."""
    if isinstance(value, dict):
        skipped = {"name", "shared_object_id", "module", "registered_name", "build_config", *EXTRA}
        return {k: without_names(v) for k, v in value.items() if k not in skipped and v is not None}
    return [without_names(v) for v in value] if isinstance(value, (list, tuple)) else value


def close(a, b):
    if isinstance(a, float) and isinstance(b, (int, float)):
        return abs(a - b) <= 1e-6 * max(abs(a), abs(b))
    if isinstance(a, dict) and isinstance(b, dict):
        return set(a) == set(b) and all(close(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(close(x, y) for x, y in zip(a, b))
    return a == b


# Not made for themselves.
BASES = ("Constraint", "Initializer", "Layer", "Loss", "Metric", "Optimizer", "Regularizer", "Quantizer", "Wrapper",
         "QuantizationConfig", "LearningRateSchedule", "InputSpec")  # fmt: skip
AREAS = ["constraints", "dtype_policies", "initializers", "layers", "losses", "metrics", "optimizers",
         "optimizers.schedules", "quantizers", "random", "regularizers"]  # fmt: skip


@pytest.mark.parametrize("area", [area for area in AREAS if hasattr(kerata, area.partition(".")[0])])
def test_configs_of_keras(area, configs):
    problems, public = [], operator.attrgetter(area)(kerata)
    for name, (config, accepted) in configs[area].items():
        if name in BASES or not hasattr(public, name):
            continue
        try:
            made = kerata.saving.deserialize_keras_object(config)
        except ValueError as error:
            problems.append(f"{name}: {error}")
            continue
        if type(made).__name__ != name and type(made).__dict__.get("_keras_name") != name:
            problems.append(f"{name}: became a {type(made).__name__}")
            continue
        again = json.loads(json.dumps(kerata.saving.serialize_keras_object(made)))
        wanted, got = (without_names(c["config"]) for c in (config, again))
        for key in sorted({*wanted, *got}):
            if key not in got or key not in wanted or not close(wanted[key], got[key]):
                ours, theirs = got.get(key), wanted.get(key)
                if {str(ours), str(theirs)} == {"None", "False"} or (theirs is None and key in accepted):
                    continue
                problems.append(f"{name}.{key}: {str(ours)[:80]}, in Keras {str(theirs)[:80]}")
    assert not problems, "\n".join(problems)
    assert len(configs[area]) > 0
