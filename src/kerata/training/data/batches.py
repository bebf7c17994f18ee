"""The one door: whatever users hand to `fit`, `evaluate` and `predict` becomes a source of batches."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from kerata.core import config, dispatch
from kerata.core.errors import ArgumentError

from .arrays import ArraySource, Shuffle
from .iterables import IterableSource, IteratorSource, both_weights, engine_batches
from .py_dataset import PyDataset
from .py_dataset_source import PyDatasetSource
from .source import BatchSource
from .structure import arrays_of
from .weights import ClassWeights, as_float_weights


def as_batches(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    steps: int | None = None,
    shuffle: Shuffle = False,
    class_weight: Mapping[int, float] | None = None,
    drop_last: bool = False,
    seed: int | None = None,
    training: bool = True,
) -> BatchSource:
    """Batches of data of any kind. Nothing is read before the first epoch, and wrong arguments are found here.

    Args:
        x: inputs: an array, a data frame, a tensor, a list of numbers, or dicts, lists and tuples of them; or
            something that gives batches by itself: a generator, a `PyDataset`, a DataLoader, a `tf.data.Dataset`, any
            object that can be iterated anew for each epoch. Of arrays, floats of any width become `floatx()`; of
            batches, only float64 does. Integers and bool keep their dtype. Tensors that come in batches stay where they
            are if they are of the default engine; everything else arrives as NumPy arrays.
        y: targets, as `x`; only with arrays.
        sample_weight: weights, one per sample or as the loss takes them; only with arrays.
        batch_size: rows in a batch; only with arrays. By default 32, or what gives `steps` batches.
        steps: batches in an epoch. By default one pass through the data.
        shuffle: whether arrays are shuffled anew for each epoch, or "batch" to shuffle only the order of batches. A
            `PyDataset` shuffles its batches; other sources keep their order.
        class_weight: weight of each class of the targets, instead of `sample_weight`.
        drop_last: whether to leave out a last batch that is not full; only with arrays.
        seed: seed of the order. By default drawn from the stream that `kerata.utils.set_random_seed` seeds.
        training: whether the data are for training; `class_weight` is for training only.

    Raises:
        ArgumentError: names the argument, or the place in a nested structure, that is wrong.

    Example:
        >>> import numpy as np
        >>> source = as_batches(np.arange(5.0), np.arange(5), batch_size=2)
        >>> source.steps_per_epoch, [x.tolist() for x, y, sample_weight in source.epoch(0)]
        (3, [[0.0, 1.0], [2.0, 3.0], [4.0]])
    """
    if isinstance(x, BatchSource):
        return x
    _check_count("batch_size", batch_size)
    _check_count("steps", steps)
    if not isinstance(shuffle, (bool, np.bool_)) and shuffle != "batch":
        raise ArgumentError("shuffle", expected='True, False or "batch"', got=shuffle)
    weights = None
    if class_weight is not None:
        if not training:
            raise ArgumentError("class_weight", expected="given for training only", got=class_weight)
        if sample_weight is not None:
            raise both_weights()
        weights = ClassWeights(class_weight)
    kind = kind_of_batches(x)
    if kind is not None:
        _refuse(kind, y=y, sample_weight=sample_weight, batch_size=batch_size, drop_last=drop_last or None)
        source = _source_of_batches(x, steps, bool(shuffle), seed, weights)
        most = _bound(source)
        return source if most is None else _source_of_batches(x, most, bool(shuffle), seed, weights)
    x, y = arrays_of(x, "x"), arrays_of(y, "y")
    if weights is not None:
        sample_weight = weights.of(y)
    elif sample_weight is not None:
        sample_weight = as_float_weights(arrays_of(sample_weight, "sample_weight"))
    make = functools.partial(
        ArraySource, x, y, sample_weight, shuffle=shuffle, drop_last=drop_last, seed=seed
    )
    arrays = make(batch_size=batch_size, steps=steps)
    most = _bound(arrays)
    return arrays if most is None else make(batch_size=arrays.batch_size, steps=most)


def _bound(source: BatchSource) -> int | None:
    """The bound of `set_max_steps_per_epoch`, where it is lower than what the source has."""
    most, steps = config.max_steps_per_epoch(), source.steps_per_epoch
    return most if most is not None and (steps is None or steps > most) else None


def kind_of_batches(x: Any) -> str | None:
    """What to call `x` if it gives batches by itself; None if it is data to be cut into batches."""
    kind = type(x)
    if kind in _ARRAYS or isinstance(x, (np.ndarray, Mapping, list, tuple, str, bytes)):
        return None
    if isinstance(x, PyDataset):
        return "a PyDataset"
    if hasattr(x, "__array__") or hasattr(x, "iloc") or dispatch.is_tensor(x):
        return None
    if isinstance(x, Iterator):
        return "a generator" if hasattr(x, "send") else "an iterator"
    if hasattr(kind, "__iter__") or engine_batches(x) is not None:
        return f"a {kind.__name__}"
    return None


_ARRAYS: set[type] = {np.ndarray, type(None), int, float, bool, complex}


def _source_of_batches(
    x: Any, steps: int | None, shuffle: bool, seed: int | None, weights: ClassWeights | None
) -> BatchSource:
    if isinstance(x, PyDataset):
        return PyDatasetSource(x, steps=steps, shuffle=shuffle, seed=seed, class_weight=weights)
    if isinstance(x, Iterator):
        return IteratorSource(x, steps=steps, class_weight=weights)
    return IterableSource(x, steps=steps, class_weight=weights)


def _refuse(kind: str, **given: Any) -> None:
    for argument, value in given.items():
        if value is not None:
            fix = "The batches hold targets and weights, as `(x, y)` or `(x, y, sample_weight)`, and have their size."
            raise ArgumentError(argument, expected=f"left out where `x` is {kind}", got=value, fix=fix)


def _check_count(argument: str, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ArgumentError(argument, expected="a positive integer or None", got=value)
