"""Crossentropies and divergences as metrics."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core.registry import register_builtin
from kerata.losses.binary_crossentropy import binary_crossentropy
from kerata.losses.categorical_crossentropy import categorical_crossentropy
from kerata.losses.kl_divergence import kl_divergence
from kerata.losses.loss import fit_weight, numbers
from kerata.losses.poisson import poisson
from kerata.losses.sparse_categorical_crossentropy import sparse_categorical_crossentropy

from .mean_metric_wrapper import MeanMetricWrapper


@register_builtin("metrics", "binary_crossentropy", "bce", "BCE")
class BinaryCrossentropy(MeanMetricWrapper):
    """The mean crossentropy of two outcomes.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.
        from_logits: whether predictions are logits.
        label_smoothing: how far targets are drawn to the uniform distribution, in [0, 1].

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.BinaryCrossentropy()([[1.0, 0.0]], [[0.5, 0.5]])), 4)
        0.6931
    """

    _direction = "down"

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )


@register_builtin("metrics", "categorical_crossentropy")
class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean crossentropy of classes, targets as probabilities.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.
        from_logits: whether predictions are logits.
        label_smoothing: how far targets are drawn to the uniform distribution, in [0, 1].
        axis: the axis of the classes.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.CategoricalCrossentropy()([[1.0, 0.0]], [[0.5, 0.5]])), 4)
        0.6931
    """

    _direction = "down"

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


@register_builtin("metrics", "sparse_categorical_crossentropy")
class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean crossentropy of classes, targets as integers.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.
        from_logits: whether predictions are logits.
        ignore_class: a class whose samples take no part.
        axis: the axis of the classes.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]])), 4)
        0.6931
    """

    _direction = "down"

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        ignored = self._fn_kwargs["ignore_class"]
        if ignored is not None:
            y_true, y_pred = numbers("y_true", y_true), numbers("y_pred", y_pred)
            kept = ops.cast(ops.not_equal(y_true, ignored), self.dtype)
            if len(ops.shape(kept)) == len(ops.shape(y_pred)):
                kept = ops.squeeze(kept, -1)
            given = (
                None
                if sample_weight is None
                else fit_weight(numbers("sample_weight", sample_weight, self.dtype), kept)
            )
            sample_weight = kept if given is None else ops.multiply(given, kept)
        super().update_state(y_true, y_pred, sample_weight)


@register_builtin("metrics", "kl_divergence", "kld", "KLD")
class KLDivergence(MeanMetricWrapper):
    """The mean Kullback-Leibler divergence.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.KLDivergence()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
        0.6931
    """

    _direction = "down"

    def __init__(self, name: str = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(kl_divergence, name, dtype)


@register_builtin("metrics", "poisson")
class Poisson(MeanMetricWrapper):
    """The mean of `y_pred - y_true * log(y_pred)`.

    Args:
        name: name of the metric.
        dtype: dtype of the computation.

    Example:
        >>> import kerata
        >>> round(float(kerata.metrics.Poisson()([[1.0, 2.0]], [[1.0, 1.0]])), 4)
        1.0
    """

    _direction = "down"

    def __init__(self, name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(poisson, name, dtype)
