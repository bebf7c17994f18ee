"""The base class of callbacks: what is called when, and with what."""

from __future__ import annotations

import functools
from collections.abc import MutableMapping
from typing import Any

Logs = MutableMapping[str, Any]

# A batch hook of training falls back on the short name that it had before evaluation and prediction had hooks.
_ALIASES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


class Callback:
    """Something that is called at the beginnings and ends of training, evaluation and prediction.

    Override the hooks that you need; a hook that nobody overrides costs nothing. `logs` holds the values that
    the loop reports. In a batch hook it is read from the device only when you look into it, so a callback that
    counts batches does not slow training down.

    Attributes:
        params: what the loop runs with: `verbose`, `epochs`, `steps`.
        model: the model, once the loop has begun.

    Example:
        >>> class Collect(Callback):
        ...     def on_train_begin(self, logs=None):
        ...         self.losses = []
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         self.losses.append(logs["loss"])
        >>> collect = Collect()
        >>> collect.on_train_begin(); collect.on_epoch_end(0, {"loss": 0.5}); collect.losses
        [0.5]
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] | None = None
        self._model: Any = None

    def set_params(self, params: dict[str, Any]) -> None:
        """Takes what the loop runs with."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Takes the model that the loop runs."""
        self._model = model

    @property
    def model(self) -> Any:
        """The model that the loop runs; None before."""
        # Read with a default: a subclass may not call `super().__init__()`.
        return getattr(self, "_model", None)

    def idle_hooks(self) -> frozenset[str]:
        """Hooks that the class has, but that need not be called with the present settings.

        It is asked at each beginning, not for each call, and lets the loop be fast.
        """
        return frozenset()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called after the last epoch, with its logs."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called before an epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called after an epoch and its validation, whose values have names that begin with `val_`."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a training step, counted from 0 in each epoch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a training step, with the averages of the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of `on_train_batch_end`."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called before evaluation, also that of a validation inside training."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called after evaluation, with its values."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before an evaluation step."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after an evaluation step, with the averages so far."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called before prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called after prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a prediction step."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a prediction step, with its `outputs`."""


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_") and name not in _ALIASES.values())
_NAMES = frozenset((*HOOKS, *_ALIASES.values()))


def used_hooks(callback: Any) -> frozenset[str]:
    """The hooks that a callback wants to be called at: those of its class, and those set on the object itself."""
    kind: Any = type(callback)
    names = _hooks_of_class(kind)
    own = _NAMES & getattr(callback, "__dict__", {}).keys()
    if own:
        names = names | own | {hook for hook, alias in _ALIASES.items() if alias in own}
    # A callback of another package has no base class of ours: it is called at all hooks that it has.
    idle = callback.idle_hooks() if isinstance(callback, Callback) else ()
    return names.difference(idle) if idle else names


@functools.cache
def _hooks_of_class(kind: type) -> frozenset[str]:
    own = {name for name in _NAMES if getattr(kind, name, None) not in (None, getattr(Callback, name))}
    return frozenset(own | {hook for hook, alias in _ALIASES.items() if alias in own})


def overrides(callback: Callback, hook: str, base: type[Callback]) -> bool:
    """Whether a callback has another `hook` than its class `base`."""
    return hook in callback.__dict__ or getattr(type(callback), hook) is not getattr(base, hook)
