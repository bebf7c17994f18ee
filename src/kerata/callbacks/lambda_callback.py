"""A callback made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kerata.callbacks.callback import Callback
from kerata.core.errors import ArgumentError


class LambdaCallback(Callback):
    """Calls your functions at the hooks of the same names.

    Args:
        on_epoch_begin: called with `(epoch, logs)`.
        on_epoch_end: called with `(epoch, logs)`.
        on_train_begin: called with `(logs)`.
        on_train_end: called with `(logs)`.
        on_train_batch_begin: called with `(batch, logs)`.
        on_train_batch_end: called with `(batch, logs)`.
        **kwargs: functions for the other hooks of `Callback`; anything else becomes an attribute.

    Raises:
        ArgumentError: for a hook that does not exist or is no function.

    Example:
        >>> shout = LambdaCallback(on_epoch_end=lambda epoch, logs: print(f"epoch {epoch}: {logs['loss']}"))
        >>> shout.on_epoch_end(2, {"loss": 0.5})
        epoch 2: 0.5
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        named = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        given = {name: function for name, function in {**named, **kwargs}.items() if function is not None}
        for name, function in given.items():
            if name.startswith("on_") and not hasattr(Callback, name):
                raise ArgumentError(name, expected="the name of a hook of `Callback`", got=function)
            if name.startswith("on_") and not callable(function):
                raise ArgumentError(name, expected="a function", got=function)
        self.__dict__.update(given)
