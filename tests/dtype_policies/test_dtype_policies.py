"""Dtype policies: names and dtypes as the peer has them, the default, maps, round trips."""

import keras
import numpy as np
import pytest

import kerata
from kerata import config, dtype_policies, mixed_precision, ops
from kerata.core.errors import ArgumentError

PEER = keras.dtype_policies
NAMES = [
    "float32",
    "float16",
    "bfloat16",
    "float64",
    "mixed_float16",
    "mixed_bfloat16",
    "uint8",
    "int64",
    "bool",
    "string",
]
QUANTIZED = [
    "int8_from_float32",
    "int4_from_mixed_bfloat16",
    "float8_from_mixed_float16",
    "gptq/4/128_from_float32",
    "gptq/8/-1_from_float32",
    "awq/4/64_from_mixed_bfloat16",
    "int4/128_from_float32",
    "int4/-1_from_float32",
]


@pytest.mark.parametrize("name", NAMES + QUANTIZED)
def test_same_as_peer(name):
    mine, theirs = dtype_policies.get(name), PEER.get(name)
    assert type(mine).__name__ == type(theirs).__name__ and repr(mine) == repr(theirs)
    for what in ("name", "compute_dtype", "variable_dtype", "quantization_mode"):
        assert getattr(mine, what) == getattr(theirs, what), what
    for what in ("mode", "weight_bits", "group_size", "block_size", "amax_history_length"):
        assert getattr(mine, what, None) == getattr(theirs, what, None), what
    assert mine.get_config() == theirs.get_config()
    assert dtype_policies.serialize(mine) == PEER.serialize(theirs)
    for back in (type(mine).from_config(mine.get_config()), dtype_policies.get(PEER.serialize(theirs))):
        assert back == mine and hash(back) == hash(mine)


@pytest.mark.parametrize(
    "bad",
    [
        "mixed_float32",
        "foo",
        "",
        3,
        [],
        "int8",
        "float8",
        "int8_from",
        "int8_from_foo",
        "int3_from_float32",
        "gptq_from_float32",
        "gptq/4_from_float32",
        "gptq/5/128_from_float32",
        "gptq/4/0_from_float32",
        "gptq/4/x_from_float32",
        "awq/8/128_from_float32",
        "int4/0_from_float32",
        "gptq/4/128/3_from_float32",
        {"class_name": "Dense", "config": {}},
        {"class_name": "L1", "config": {}},
        {"class_name": "DTypePolicy", "config": {"name": "foo"}},
    ],
    ids=str,
)
def test_refused(bad):
    with pytest.raises(ValueError):
        dtype_policies.get(bad)


def test_equality():
    policy = dtype_policies.DTypePolicy
    assert policy("float32") == policy("float32") != policy("float16")
    assert policy("float32") != "float32" and policy("float32") != dtype_policies.FloatDTypePolicy("float32")
    float8 = dtype_policies.QuantizedFloat8DTypePolicy
    assert float8("float8", "float32", 10).amax_history_length == 10
    assert float8("float8", "float32", 10) != float8("float8", "float32", 11)
    with pytest.raises(ArgumentError, match="amax_history_length"):
        float8("float8", "float32", "a")


def test_default_follows_floatx_until_one_is_set():
    assert (
        config.dtype_policy().name == dtype_policies.get(None).name == kerata.DTypePolicy().name == "float32"
    )
    config.set_floatx("float64")
    assert config.dtype_policy().name == "float64"
    config.set_dtype_policy("mixed_bfloat16")
    config.set_floatx("float16")
    assert config.dtype_policy().name == kerata.DTypePolicy().name == "mixed_bfloat16"
    config.set_dtype_policy(dtype_policies.DTypePolicy("float32"))
    assert config.dtype_policy().name == "float32" and config.floatx() == "float16"
    config.set_dtype_policy("int8_from_float32")
    assert dtype_policies.QuantizedDTypePolicy("int4").name == "int4_from_float32"
    for bad in (None, 3, "foo", np.float32):
        with pytest.raises(ArgumentError):
            config.set_dtype_policy(bad)
    assert config.dtype_policy().name == "int8_from_float32"


def test_names_of_mixed_precision():
    assert mixed_precision.Policy is mixed_precision.DTypePolicy is dtype_policies.DTypePolicy
    mixed_precision.set_global_policy("mixed_float16")
    assert (
        mixed_precision.global_policy().compute_dtype
        == mixed_precision.dtype_policy().compute_dtype
        == "float16"
    )
    mixed_precision.set_dtype_policy("float32")


def test_convert_input(engine):
    policy = dtype_policies.DTypePolicy("mixed_float16")
    x = ops.ones((2,))
    assert ops.convert_to_numpy(policy.convert_input(x, True, "float16")).dtype == "float16"
    assert policy.convert_input(x, False, "float16") is x and policy.convert_input(x, True, "float32") is x
    whole = ops.ones((2,), dtype="int32")
    assert policy.convert_input(whole, True, "float16") is whole
    made = policy.convert_input(np.ones(2, "float32"), True, "float16")
    assert ops.is_tensor(made) and ops.convert_to_numpy(made).dtype == "float16"
    assert policy.convert_input(1.5, True, "float16") == 1.5 and policy.convert_input(
        [1.0], True, "float16"
    ) == [1.0]
    assert policy.convert_input(kerata.KerasTensor((2,)), True, "float16").dtype == "float16"


def policies_by_path():
    return dtype_policies.DTypePolicyMap(
        "float16",
        {
            "a/b": dtype_policies.DTypePolicy("mixed_bfloat16"),
            "c/.*": dtype_policies.get("int8_from_float32"),
        },
    )


def test_map_looks_paths_up():
    found = policies_by_path()
    assert found["a/b"].name == "mixed_bfloat16" and found["c/d/e"].name == "int8_from_float32"
    for path in ("x/a/b", "a/b/c", "b", ""):
        assert found[path].name == found.get(path).name == "float16"
    assert (found.name, found.compute_dtype, found.variable_dtype) == ("map_float16", "float16", "float16")
    assert found.quantization_mode is None and len(found) == 2 and list(found) == ["a/b", "c/.*"]
    assert "a/b" in found and "c/d" not in found and found and bool(dtype_policies.DTypePolicyMap())
    found["c/d"] = "float64"
    assert found["c/d"].name == "float64"  # the path itself comes before patterns
    found[".*/e"] = "float64"
    with pytest.raises(ArgumentError, match="one key matches"):
        found["c/e"]


def test_map_changes():
    found = policies_by_path()
    assert found.setdefault("z").name == "float16" and found.pop("z").name == "float16"
    with pytest.raises(KeyError):
        found.pop("z")
    with pytest.raises(KeyError):
        del found["c/d"]
    del found["a/b"]
    assert found["a/b"].name == "float16"
    found.update({"q": "float32"})
    assert found["q"].name == "float32"
    for key, policy in (("q", "float32"), ("r", 3), ("r", "foo"), (3, "float32"), ("(", "float32")):
        with pytest.raises(ArgumentError):
            found[key] = policy


@pytest.mark.parametrize(
    "bad", [(3,), ({"a": "float16"},), ("float16", 3), ("float16", {"a": 3}), ("foo",)], ids=str
)
def test_map_refuses(bad):
    with pytest.raises(ArgumentError):
        dtype_policies.DTypePolicyMap(*bad)


def test_map_round_trips():
    found = policies_by_path()
    stored = dtype_policies.serialize(found)
    peer = PEER.DTypePolicyMap(
        "float16", {"a/b": PEER.DTypePolicy("mixed_bfloat16"), "c/.*": PEER.get("int8_from_float32")}
    )
    assert stored == PEER.serialize(peer)
    for back in (dtype_policies.deserialize(stored), type(found).from_config(found.get_config())):
        assert back == found and back["c/d"].quantization_mode == "int8"
    empty = dtype_policies.DTypePolicyMap()
    assert empty.get_config() == {"default_policy": None, "policy_map": {}} and empty.name == "map_float32"


@pytest.mark.parametrize("key", ["(a+)+b", "(a|a)*", ".*.*.*x", "a{9999}" * 3, "(", 3, "a" * 20_000])
def test_map_from_a_file_takes_no_pattern_that_could_take_forever(key):
    with pytest.raises(ArgumentError):
        dtype_policies.DTypePolicyMap.from_config({"default_policy": None, "policy_map": {key: "float32"}})
