"""Objects as plain data and back, in Keras 3's JSON form. What may come back: core/registry.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kerata.core import dispatch, dtypes, registry
from kerata.core.errors import ArgumentError
from kerata.core.signature import init_parameters
from kerata.core.tensor import OPS, KerasTensor
from kerata.core.variable import Variable

# The module names that Keras 3 writes for each kind.
MODULES = {
    "activations": "keras.activations",
    "constraints": "keras.constraints",
    "initializers": "keras.initializers",
    "layers": "keras.layers",
    "losses": "keras.losses",
    "metrics": "keras.metrics",
    "models": "keras",
    "optimizers": "keras.optimizers",
    "policies": "keras",
    "random": "keras.random",
    "regularizers": "keras.regularizers",
    "schedules": "keras.optimizers.schedules",
}
_PLAIN = (str, int, float, bool, type(None))

# What may stand in a field, by its name or by how its name ends. A field that is not here holds plain data.
_LAYERS: tuple[str, ...] = ("layers", "models")
_LOSSES: tuple[str, ...] = ("losses", "metrics")
_BY_NAME: dict[str, tuple[str, ...]] = {
    "activation": ("activations", *_LAYERS),
    "backward_layer": _LAYERS,
    "cell": _LAYERS,
    "cells": _LAYERS,
    "default_policy": ("policies",),
    "dtype": ("policies",),
    "fn": _LOSSES,
    "forward_layer": _LAYERS,
    "function": ("activations", *_LOSSES),
    "initializer": ("initializers",),
    "inner_optimizer": ("optimizers",),
    "layer": _LAYERS,
    "layers": _LAYERS,
    "learning_rate": ("schedules",),
    "loss": _LOSSES,
    "metrics": _LOSSES,
    "optimizer": ("optimizers",),
    "policy_map": ("policies",),
    "quantization_config": ("quantizers",),
    "seed": ("random",),
    "seed_generator": ("random",),
    "transforms": _LAYERS,
    "weighted_metrics": _LOSSES,
}
_BY_ENDING: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("_activation", ("activations", *_LAYERS)),
    ("_initializer", ("initializers",)),
    ("_regularizer", ("regularizers",)),
    ("_constraint", ("constraints",)),
    ("_layer", _LAYERS),
    ("_dtype", ("policies",)),
    ("_optimizer", ("optimizers",)),
    ("_quantizer", ("quantizers",)),
    ("_seed", ("random",)),
)


def serialize_keras_object(obj: Any) -> Any:
    """Plain data (JSON) for an object: a layer, a model, a loss, a function of the tables, numbers …

    Raises:
        ArgumentError: the object has no `get_config`.

    Example:
        >>> import kerata
        >>> kerata.utils.serialize_keras_object(kerata.layers.Dense(2))["config"]["units"]
        2
    """
    if type(obj) in _PLAIN:
        return obj
    if isinstance(obj, np.generic):
        return obj.item()
    if type(obj) is list:
        return [serialize_keras_object(v) for v in obj]
    if isinstance(obj, tuple):
        return tuple(serialize_keras_object(v) for v in obj)  # a list in JSON, as Keras writes it
    if isinstance(obj, dict):
        return {k: serialize_keras_object(v) for k, v in obj.items()}
    if isinstance(obj, slice):
        parts = [serialize_keras_object(v) for v in (obj.start, obj.stop, obj.step)]
        return {"class_name": "__slice__", "config": {"start": parts[0], "stop": parts[1], "step": parts[2]}}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, KerasTensor):
        return _serialize_symbolic(obj)
    if isinstance(obj, (np.ndarray, Variable)) or dispatch.is_tensor(obj):
        return _serialize_array(obj)
    if hasattr(obj, "get_config") and not isinstance(obj, type):
        return serialize_instance(obj)
    if callable(obj) and hasattr(obj, "__name__"):
        return serialize_function(obj)
    raise ArgumentError(
        "obj",
        expected="an object with a `get_config` method, or plain data",
        got=obj,
        fix="Define `get_config` in its class.",
    )


def _serialize_array(x: Any) -> dict[str, Any]:
    array = OPS["convert_to_numpy"](x)
    if isinstance(x, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": array.tolist(), "dtype": array.dtype.name}}
    return {"class_name": "__tensor__", "config": {"value": array.tolist(), "dtype": dispatch.dtype_of(x)}}


def _serialize_symbolic(x: KerasTensor) -> dict[str, Any]:
    history = [x.node.operation.name, x.node.index, x.output_index] if x.node is not None else None
    config: dict[str, Any] = {"shape": list(x.shape), "dtype": x.dtype, "keras_history": history}
    return {"class_name": "__keras_tensor__", "config": config}


def serialize_instance(obj: Any) -> dict[str, Any]:
    """{"module", "class_name", "config", "registered_name"}, and the build config of a built layer."""
    cls = type(obj)
    kind = registry.kind_of(obj)
    module = cls.__dict__.get("_keras_module") or (MODULES[kind] if kind else cls.__module__)
    registered = None if kind else registry.name_in_configs(cls)
    data = {
        "module": module,
        "class_name": cls.__dict__.get("_keras_name", cls.__name__),
        "config": obj.get_config() if kind else serialize_keras_object(obj.get_config()),
        "registered_name": registered,
    }
    build_config = obj.get_build_config() if hasattr(obj, "get_build_config") else None
    if build_config:
        data["build_config"] = serialize_keras_object(build_config)
    compile_config = obj.get_compile_config() if hasattr(obj, "get_compile_config") and obj.compiled else None
    if compile_config:
        data["compile_config"] = serialize_keras_object(compile_config)
    return data


def serialize_function(fn: Any) -> Any:
    """A function by its name: one of the tables', or one that the caller registered."""
    name: str = fn.__name__
    if registry.table("activations").get(name) is fn:
        return name
    registered = registry.name_in_configs(fn)
    return {
        "module": "builtins",
        "class_name": "function",
        "config": fn.__name__,
        "registered_name": registered,
    }


def serialize_argument(value: Any) -> Any:
    """Plain data for an argument of a layer: an activation of Kerata's own is its bare name, as Keras writes it."""
    name = getattr(value, "__name__", None)
    if name is not None and not isinstance(value, type) and registry.table("activations").get(name) is value:
        return name
    return serialize_keras_object(value)


def deserialize_kind(
    kind: str, config: Any, custom_objects: Mapping[str, Any] | None, *, argument: str
) -> Any:
    """An object of one table from its config or its name."""
    if isinstance(config, str):
        with registry.custom_object_scope(custom_objects):
            return registry.get(kind, config, argument=argument)
    return deserialize_keras_object(config, custom_objects, kinds=(kind,))


def deserialize_keras_object(
    config: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    *,
    kinds: Sequence[str] | None = None,
) -> Any:
    """The object that plain data describes.

    Args:
        config: what `serialize_keras_object` gave.
        custom_objects: name -> class or function that the data may name beside Kerata's own.
        safe_mode: handed down to everything inside.
        kinds: the tables that the object may come from; all by default.

    Raises:
        ArgumentError: it names what is in no table, or what a class does not take.

    Example:
        >>> import kerata
        >>> data = kerata.utils.serialize_keras_object(kerata.layers.Dense(2))
        >>> kerata.utils.deserialize_keras_object(data).units
        2
    """
    if type(config) in _PLAIN:
        return config
    if isinstance(config, (list, tuple)):
        return [deserialize_keras_object(v, custom_objects, safe_mode, kinds=kinds) for v in config]
    if callable(config):  # made already
        return config
    if not isinstance(config, dict):
        raise ArgumentError("config", expected="plain data", got=config)
    if "class_name" not in config or ("config" not in config and config["class_name"] != "__tuple__"):
        return {
            k: deserialize_keras_object(v, custom_objects, safe_mode, kinds=kinds) for k, v in config.items()
        }
    try:
        return _deserialize_object(
            config, custom_objects, safe_mode, registry.KINDS if kinds is None else tuple(kinds)
        )
    except RecursionError:
        raise ArgumentError("config", expected="data that is not nested too deeply to be made") from None


def _deserialize_object(
    config: dict[str, Any], custom_objects: Any, safe_mode: bool, kinds: tuple[str, ...]
) -> Any:
    name: Any = config["class_name"]
    inner: Any = config.get("config")
    if name == "__tuple__":
        return tuple(
            deserialize_keras_object(v, custom_objects, safe_mode, kinds=kinds) for v in config["items"]
        )
    if name == "__slice__":
        return slice(inner["start"], inner["stop"], inner["step"])
    if name == "__ellipsis__":
        return Ellipsis
    if name in ("__numpy__", "__tensor__"):
        array = np.asarray(inner["value"], dtypes.numpy_dtype(dtypes.standardize(inner["dtype"])))
        return array if name == "__numpy__" else dispatch.to_engine(array, dispatch.backends.current())
    kinds = narrowed(config.get("module"), kinds)
    if name == "function":
        return find_object(inner, config.get("registered_name"), custom_objects, kinds, registry.function)
    cls = find_object(name, config.get("registered_name"), custom_objects, kinds)
    if not isinstance(cls, type):
        raise ArgumentError("class_name", expected="the name of a class", got=name)
    if registry.kind_of(cls) and isinstance(inner, dict):
        # An option that other versions have and this one has not is no hindrance where it is off; but "trainable", which
        # every layer and model has, means much there.
        known = {*init_parameters(cls), "trainable"}
        inner = {key: value for key, value in inner.items() if key in known or value not in (None, False)}
    obj = cls.from_config(inner)  # type: ignore[attr-defined]
    build_config = config.get("build_config")
    if build_config and hasattr(obj, "build_from_config"):
        obj.build_from_config(build_config)
    return obj


def kinds_of_field(name: str) -> tuple[str, ...]:
    """The tables from which an object in the field of that name may come; none for a field of plain data."""
    found = _BY_NAME.get(name)
    if found is not None:
        return found
    return next((kinds for ending, kinds in _BY_ENDING if name.endswith(ending)), ())


def deserialize_fields(cls: type, config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a class in its config, each object among them from the tables of its own field.

    The classes of callers may have any object in any field.
    """
    own = registry.kind_of(cls) is not None
    return {
        name: deserialize_keras_object(value, kinds=kinds_of_field(name) if own else None)
        if (isinstance(value, dict) and "class_name" in value) or (not own and _holds_objects(value))
        else value
        for name, value in config.items()
    }


def _holds_objects(value: Any) -> bool:
    """Whether there are configs of objects in a list or dictionary."""
    if isinstance(value, dict):
        return "class_name" in value or any(map(_holds_objects, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_holds_objects, value))


_KIND_OF_PART = {
    **{kind: kind for kind in registry.KINDS},
    "dtype_policies": "policies",
}


def narrowed(module: Any, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `kinds` that a module name such as "keras.metrics" stands for.

    Classes of different kinds may bear one name (a loss and a metric, say); the module, which is only compared and
    never imported, tells them apart. A module that stands for none of all kinds leaves `kinds` as they are.
    """
    if not isinstance(module, str):
        return kinds
    # ReLU with options, a step of a graph: the layer is the same.
    if module.startswith("keras.src.activations"):
        return tuple(k for k in kinds if k == "layers")
    kind = next((_KIND_OF_PART[p] for p in reversed(module.split(".")) if p in _KIND_OF_PART), None)
    return kinds if kind is None else tuple(k for k in kinds if k == kind)


def find_object(
    name: Any,
    registered: Any,
    custom_objects: Any,
    kinds: Sequence[str],
    look_up: Callable[[str, str], Any] = registry.named,
) -> Any:
    """A class or function by name, in the caller's tables first, then in those of `kinds`."""
    for key in (registered, name):
        if isinstance(key, str):
            found = registry.get_registered_object(key, custom_objects)
            if found is not None:
                return found
    for kind in kinds:
        found = look_up(kind, name) if isinstance(name, str) and kind in registry.KINDS else None
        if found is not None:
            return found
    raise ArgumentError(
        "class_name",
        expected="the name of a class or function of Kerata, or of one that you registered",
        got=name,
        fix="Pass it in `custom_objects`, or register it with kerata.saving.register_keras_serializable.",
    )
