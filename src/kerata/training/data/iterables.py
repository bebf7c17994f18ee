"""Batches that something else makes: generators, and objects that can be iterated anew for each epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kerata import backends
from kerata.core.errors import ArgumentError

from .packing import Batch, unpack_x_y_sample_weight
from .source import BatchSource, PassSource
from .structure import arrays_of
from .weights import ClassWeights, as_float_weights

Reader = Callable[[Any], Batch]


def batch_reader(class_weight: ClassWeights | None = None) -> Reader:
    """A function that makes a batch of what a source gave: `x`, `(x, y)` or `(x, y, sample_weight)`.

    Leaves become NumPy arrays, float64 becomes `floatx()`. Tensors of the engine that is the default now stay where
    they are.
    """
    keep = backends.backend()

    def read(item: Any) -> Batch:
        x, y, weights = unpack_x_y_sample_weight(item)
        x = arrays_of(x, "x", keep, narrow=True)
        y = arrays_of(y, "y", keep, narrow=True)
        if weights is not None:
            weights = as_float_weights(arrays_of(weights, "sample_weight", keep, narrow=True))
        return (x, y, weights) if class_weight is None else (x, y, _weighed(class_weight, y, weights))

    return read


def _weighed(class_weight: ClassWeights, y: Any, weights: Any) -> Any:
    if weights is not None:
        raise both_weights()
    return class_weight.of(y)


def both_weights() -> ArgumentError:
    return ArgumentError(
        "class_weight",
        expected="left out where samples have weights of their own",
        fix="Multiply the weights of the classes into `sample_weight`.",
    )


class IteratorSource(BatchSource):
    """Batches of a generator, or of any iterator, which can be read only once.

    Nothing is read before the first epoch. Epochs without `steps` end with the iterator.
    """

    slow = True

    def __init__(
        self, batches: Iterator[Any], *, steps: int | None, class_weight: ClassWeights | None = None
    ) -> None:
        self.steps_per_epoch = steps
        self._batches, self._class_weight = batches, class_weight
        self._started = False

    def epoch(self, index: int) -> Iterator[Batch]:
        read = batch_reader(self._class_weight)
        step = 0
        while step != self.steps_per_epoch and not self.exhausted:
            try:
                item = next(self._batches)
            except StopIteration:
                self.exhausted = True
                break
            step, self._started = step + 1, True
            yield read(item)
        self._check(step)

    def _check(self, step: int) -> None:
        if not self._started:
            raise ArgumentError(
                "x", expected="a generator that yields at least one batch", got="an empty one"
            )
        if step == 0 or (self.steps_per_epoch is not None and step < self.steps_per_epoch):
            self.warn_dry(step)


class IterableSource(PassSource):
    """Batches of an object that is iterated anew for each pass, such as a DataLoader or a `tf.data.Dataset`.

    What an engine knows better to iterate, its method `batches_of(obj)` gives an iterator for.
    """

    slow = True

    def __init__(
        self, batches: Iterable[Any], *, steps: int | None, class_weight: ClassWeights | None = None
    ) -> None:
        super().__init__(steps, length_of(batches))
        self._batches, self._class_weight = batches, class_weight

    def _pass(self, index: int) -> Iterator[Batch]:
        read = batch_reader(self._class_weight)
        empty = True
        native = engine_batches(self._batches)
        for item in self._batches if native is None else native:
            empty = False
            yield read(item)
        if empty:
            raise ArgumentError("x", expected="data with at least one batch", got=self._batches)


def length_of(batches: Any) -> int | None:
    """How many batches there are, or None where the object does not know or goes on for ever."""
    try:
        count = len(batches)
    except (TypeError, NotImplementedError, AttributeError):
        return None
    return count


def engine_batches(batches: Any) -> Iterator[Any] | None:
    """An iterator made by the default engine, if it has one for this kind of object."""
    hook = getattr(backends.current(), "batches_of", None)
    return None if hook is None else hook(batches)
