"""Metrics."""

from typing import Any

from kerata.core import registry as _registry
from kerata.core.serialization import deserialize_keras_object as _deserialize
from kerata.core.serialization import serialize_keras_object as _serialize

from .accuracies import Accuracy as Accuracy
from .accuracies import BinaryAccuracy as BinaryAccuracy
from .accuracies import CategoricalAccuracy as CategoricalAccuracy
from .accuracies import SparseCategoricalAccuracy as SparseCategoricalAccuracy
from .accuracies import SparseTopKCategoricalAccuracy as SparseTopKCategoricalAccuracy
from .accuracies import TopKCategoricalAccuracy as TopKCategoricalAccuracy
from .accuracies import binary_accuracy as binary_accuracy
from .accuracies import categorical_accuracy as categorical_accuracy
from .accuracies import sparse_categorical_accuracy as sparse_categorical_accuracy
from .accuracies import sparse_top_k_categorical_accuracy as sparse_top_k_categorical_accuracy
from .accuracies import top_k_categorical_accuracy as top_k_categorical_accuracy
from .mean import Mean as Mean
from .mean_metric_wrapper import MeanMetricWrapper as MeanMetricWrapper
from .metric import Metric as Metric
from .sum import Sum as Sum

__all__ = ["deserialize", "get", "serialize"]


def get(identifier: Any) -> Any:
    """A metric from a name, a config, a class, a function or an object."""
    return _registry.get("metrics", identifier, argument="metric")


def serialize(metric: Any) -> Any:
    """A metric as plain data."""
    return _serialize(metric)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """A metric from its config."""
    return _deserialize(config, custom_objects, kinds=("metrics",))
