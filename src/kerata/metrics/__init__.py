"""Metrics."""

from typing import Any

from kerata.core import registry as _registry
from kerata.core.serialization import deserialize_keras_object as _deserialize
from kerata.core.serialization import serialize_keras_object as serialize

from .mean import Mean as Mean
from .mean_metric_wrapper import MeanMetricWrapper as MeanMetricWrapper
from .metric import Metric as Metric

__all__ = ["deserialize", "get", "serialize"]


def get(identifier: Any) -> Any:
    """A metric from a name, a config, a class, a function or an object."""
    return _registry.get("metrics", identifier, argument="metric")


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """A metric from its config."""
    return _deserialize(config, custom_objects, kinds=("metrics",))
