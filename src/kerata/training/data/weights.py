"""Weights of samples: those that users give, and those that follow from the classes of the targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kerata.core import dispatch, dtypes, tree
from kerata.core.errors import ArgumentError

from .structure import Structure


def as_float_weights(sample_weight: Structure) -> Structure:
    """Weights as floats: integers and bool, such as a mask, become `floatx()`."""
    return tree.map_structure(_as_floats, sample_weight, none_is_leaf=False)


def _as_floats(weights: Any) -> Any:
    if not isinstance(weights, np.ndarray) or weights.dtype.kind not in "iubc":
        return weights
    if weights.dtype.kind == "c":
        raise ArgumentError("sample_weight", expected="real numbers", got=weights)
    return weights.astype(_floatx())


def _floatx() -> np.dtype[Any]:
    return dtypes.numpy_dtype(dtypes.default_float())


class ClassWeights:
    """The weight of each sample, from the class that is its target.

    A class that has no weight weighs 1.

    Args:
        class_weight: a dict from class (an integer) to weight.

    Raises:
        ArgumentError: if it is no such dict.
    """

    def __init__(self, class_weight: Any) -> None:
        if not isinstance(class_weight, Mapping) or not class_weight:
            raise ArgumentError("class_weight", expected="a dict from class to weight", got=class_weight)
        if not all(_is_integer(label) and _is_real(weight) for label, weight in class_weight.items()):
            raise ArgumentError(
                "class_weight", expected="a dict from integer to number", got=dict(class_weight)
            )
        pairs = sorted((int(label), float(weight)) for label, weight in class_weight.items())
        self._labels = np.array([label for label, _ in pairs], dtype=np.int64)
        self._weights = np.array([weight for _, weight in pairs], dtype=_floatx())

    def of(self, y: Any, path: str = "y") -> np.ndarray:
        """Weights of shape `(samples,)` for targets that hold one class per sample.

        Args:
            y: classes of shape `(samples,)` or `(samples, 1)`, or one-hot rows of shape `(samples, classes)`.
        """
        labels = _labels(y, path)
        at = np.searchsorted(self._labels, labels).clip(max=len(self._labels) - 1)
        return np.where(self._labels[at] == labels, self._weights[at], self._weights.dtype.type(1))


def _is_integer(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and value == value // 1


def _is_real(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and value == value


def _labels(y: Any, path: str) -> np.ndarray:
    if y is None:
        raise ArgumentError(
            "class_weight", expected="left out where there are no targets", fix="Give targets `y`."
        )
    if isinstance(y, (dict, list, tuple)):
        fix = "Weigh the samples of each output with `sample_weight`."
        raise ArgumentError("class_weight", expected="left out where there are several targets", fix=fix)
    labels = _on_host(y)
    if labels.ndim > 2:
        fix = "Weigh samples or positions with `sample_weight`."
        raise ArgumentError(
            path, expected="one class per sample where `class_weight` is given", got=y, fix=fix
        )
    if labels.ndim == 2:
        labels = labels.argmax(axis=1) if labels.shape[1] > 1 else labels.reshape(-1)
    if labels.dtype.kind in "iub":
        return labels
    if not np.array_equal(labels, np.trunc(labels)):
        raise ArgumentError(
            path, expected="whole numbers, one class per sample, where `class_weight` is given", got=y
        )
    return labels.astype(np.int64)


def _on_host(y: Any) -> np.ndarray:
    engine = dispatch.engine_of_type(type(y))
    return np.asarray(y if engine is None else engine.to_numpy(y))
