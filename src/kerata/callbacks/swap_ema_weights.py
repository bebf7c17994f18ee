"""Evaluates with averaged weights, trains with the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import kerata
from kerata.callbacks.callback import Callback, Logs
from kerata.core.errors import ArgumentError


class SwapEMAWeights(Callback):
    """Puts the moving averages of the weights into the model while it is evaluated or predicts.

    The optimizer keeps the averages (`use_ema=True`). After evaluation the model has its own weights back.

    Args:
        swap_on_epoch: whether the averages are in the model from the end of an epoch to the beginning of the
            next, so that callbacks that come after this one (`ModelCheckpoint`) save them.

    Raises:
        ArgumentError: when a loop begins, if the optimizer keeps no averages.

    Example:
        >>> import kerata, numpy as np
        >>> x, y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
        >>> model = kerata.Sequential([kerata.layers.Dense(1)])
        >>> model.compile(kerata.optimizers.SGD(0.1, use_ema=True), "mse")
        >>> history = model.fit(x, y, verbose=0, validation_data=(x, y), callbacks=[kerata.callbacks.SwapEMAWeights()])
        >>> sorted(history.history)
        ['loss', 'val_loss']
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        # The model's own values while the averages are in it. The averages themselves are never touched: training
        # may end at any moment, and `fit` then takes them from the optimizer.
        self._kept: list[Any] | None = None
        self._swapped_for_test = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        _check(self.model)
        self._kept = None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._restore()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.swap_on_epoch:
            self._swap()

    def on_test_begin(self, logs: Logs | None = None) -> None:
        _check(self.model)
        self._swapped_for_test = self._swap()

    def on_test_end(self, logs: Logs | None = None) -> None:
        if self._swapped_for_test:
            self._restore()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self.on_test_begin(logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self.on_test_end(logs)

    def _swap(self) -> bool:
        """Puts the averages into the model; False if they are in it already, or not there yet."""
        pairs = list(_averages(self.model.optimizer))
        if self._kept is not None or not pairs:
            return False
        self._kept = [kerata.ops.copy(variable.value) for variable, _ in pairs]
        for variable, average in pairs:
            variable.assign(average.value)
        return True

    def _restore(self) -> None:
        if self._kept is None:
            return
        for (variable, _), value in zip(_averages(self.model.optimizer), self._kept, strict=True):
            variable.assign(value)
        self._kept = None


def _inner(optimizer: Any) -> Any:
    """The optimizer that keeps the averages, where another one is wrapped around it."""
    while hasattr(optimizer, "inner_optimizer"):
        optimizer = optimizer.inner_optimizer
    return optimizer


def _averages(optimizer: Any) -> Iterator[tuple[Any, Any]]:
    """Each variable with the one that holds its average; nothing before the first step."""
    optimizer = _inner(optimizer)
    yield from zip(optimizer._trainable_variables, optimizer._averages, strict=True)


def _check(model: Any) -> None:
    use_ema = getattr(_inner(getattr(model, "optimizer", None)), "use_ema", False)
    if not use_ema:
        raise ArgumentError(
            "use_ema",
            expected="True in the optimizer for `SwapEMAWeights`",
            got=use_ema,
            fix="Create the optimizer with `use_ema=True`.",
        )
