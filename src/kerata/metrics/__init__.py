"""The metrics: classes that gather over batches, and functions of one batch."""

from typing import Any

from kerata.core import registry as _registry
from kerata.core.serialization import deserialize_kind as _deserialize
from kerata.core.serialization import serialize_keras_object as _serialize
from kerata.losses import binary_crossentropy as binary_crossentropy
from kerata.losses import binary_focal_crossentropy as binary_focal_crossentropy
from kerata.losses import categorical_crossentropy as categorical_crossentropy
from kerata.losses import categorical_focal_crossentropy as categorical_focal_crossentropy
from kerata.losses import categorical_hinge as categorical_hinge
from kerata.losses import hinge as hinge
from kerata.losses import huber as huber
from kerata.losses import kl_divergence as kl_divergence
from kerata.losses import log_cosh as log_cosh
from kerata.losses import mean_absolute_error as mean_absolute_error
from kerata.losses import mean_absolute_percentage_error as mean_absolute_percentage_error
from kerata.losses import mean_squared_error as mean_squared_error
from kerata.losses import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from kerata.losses import poisson as poisson
from kerata.losses import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from kerata.losses import squared_hinge as squared_hinge

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
from .auc import AUC as AUC
from .confusion import FalseNegatives as FalseNegatives
from .confusion import FalsePositives as FalsePositives
from .confusion import Precision as Precision
from .confusion import PrecisionAtRecall as PrecisionAtRecall
from .confusion import Recall as Recall
from .confusion import RecallAtPrecision as RecallAtPrecision
from .confusion import SensitivityAtSpecificity as SensitivityAtSpecificity
from .confusion import SpecificityAtSensitivity as SpecificityAtSensitivity
from .confusion import TrueNegatives as TrueNegatives
from .confusion import TruePositives as TruePositives
from .correlations import ConcordanceCorrelation as ConcordanceCorrelation
from .correlations import PearsonCorrelation as PearsonCorrelation
from .correlations import concordance_correlation as concordance_correlation
from .correlations import pearson_correlation as pearson_correlation
from .crossentropies import BinaryCrossentropy as BinaryCrossentropy
from .crossentropies import CategoricalCrossentropy as CategoricalCrossentropy
from .crossentropies import KLDivergence as KLDivergence
from .crossentropies import Poisson as Poisson
from .crossentropies import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
from .errors import CosineSimilarity as CosineSimilarity
from .errors import LogCoshError as LogCoshError
from .errors import MeanAbsoluteError as MeanAbsoluteError
from .errors import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from .errors import MeanSquaredError as MeanSquaredError
from .errors import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError
from .errors import RootMeanSquaredError as RootMeanSquaredError
from .f_score import F1Score as F1Score
from .f_score import FBetaScore as FBetaScore
from .hinges import CategoricalHinge as CategoricalHinge
from .hinges import Hinge as Hinge
from .hinges import SquaredHinge as SquaredHinge
from .iou import BinaryIoU as BinaryIoU
from .iou import IoU as IoU
from .iou import MeanIoU as MeanIoU
from .iou import OneHotIoU as OneHotIoU
from .iou import OneHotMeanIoU as OneHotMeanIoU
from .mean import Mean as Mean
from .mean_metric_wrapper import MeanMetricWrapper as MeanMetricWrapper
from .metric import Metric as Metric
from .r2_score import R2Score as R2Score
from .sum import Sum as Sum

__all__ = ["deserialize", "get", "serialize"]


def get(identifier: Any) -> Any:
    """A metric from a name, a config, a class, a function or an object.

    Args:
        identifier: a name, a config, a class, a function or an object.

    Raises:
        ArgumentError: no object of that kind has the name; the nearest names are told.

    Example:
        >>> import kerata
        >>> type(kerata.metrics.get('MeanSquaredError')).__name__
        'MeanSquaredError'
    """
    return _registry.get("metrics", identifier, argument="metric")


def serialize(metric: Any) -> Any:
    """A metric as plain data.

    Args:
        metric: the object.

    Returns:
        A dict with `class_name` and `config`, from which `deserialize` makes such an object again.

    Example:
        >>> import kerata
        >>> data = kerata.metrics.serialize(kerata.metrics.MeanSquaredError())
        >>> data["class_name"]
        'MeanSquaredError'
    """
    return _serialize(metric)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """A metric from its config.

    Args:
        config: what `serialize` gave, or a name.
        custom_objects: name -> class or function of yours that the config may name.

    Raises:
        ArgumentError: the config names what is in no table.

    Example:
        >>> import kerata
        >>> data = kerata.metrics.serialize(kerata.metrics.MeanSquaredError())
        >>> type(kerata.metrics.deserialize(data)).__name__
        'MeanSquaredError'
    """
    return _deserialize("metrics", config, custom_objects, argument="metric")
