"""The callbacks of one loop, called together."""

from __future__ import annotations

from collections.abc import Callable
from sys import getrefcount
from typing import Any

from kerata.callbacks.callback import HOOKS, Callback, Logs, used_hooks
from kerata.callbacks.history import History
from kerata.callbacks.lazy_logs import as_logs, settle
from kerata.callbacks.progbar_logger import ProgbarLogger
from kerata.core.errors import ArgumentError


class CallbackList(Callback):
    """Calls the hooks of several callbacks in their order.

    For a loop that has to be fast, `wants_train_batch` (and `wants_train_batch_begin`, `wants_train_batch_end`,
    the same for `test` and `predict`) say whether anybody overrides such a hook. Where nobody does, the loop need
    not call it. They are right after `on_train_begin`, `on_test_begin` and `on_predict_begin`. Logs may be given
    as a callable, which is called only if a callback looks at its values.

    Args:
        callbacks: a callback, or a list of them (lists may be nested).
        add_history: whether to add a `History` if there is none.
        add_progbar: whether to add a `ProgbarLogger` if there is none.
        model: the model that the callbacks get.
        **params: what the callbacks get as `params`: `verbose`, `epochs`, `steps`.

    Raises:
        ArgumentError: for something that is no callback.

    Example:
        >>> from kerata.callbacks import LambdaCallback
        >>> calls = CallbackList([LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs))])
        >>> calls.wants_train_batch
        False
        >>> calls.on_epoch_end(0, {"loss": 1})
        0 {'loss': 1.0}
    """

    wants_train_batch_begin = wants_train_batch_end = wants_train_batch = False
    wants_test_batch_begin = wants_test_batch_end = wants_test_batch = False
    wants_predict_batch_begin = wants_predict_batch_end = wants_predict_batch = False

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        self.params: dict[str, Any] = {}
        self.callbacks: list[Any] = list(_flatten(callbacks))
        self._history = self._found_or_added(History, add_history)
        self._progbar = self._found_or_added(ProgbarLogger, add_progbar)
        self._hooks: dict[str, list[Callable[..., None]]] = {}
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)
        self._find_hooks()

    def _found_or_added(self, kind: type, add: bool) -> Any:
        for callback in self.callbacks:
            if isinstance(callback, kind):
                return callback
        if not add:
            return None
        self.callbacks.append(kind())
        return self.callbacks[-1]

    def _find_hooks(self) -> None:
        hooks: dict[str, list[Callable[..., None]]] = {hook: [] for hook in HOOKS}
        for callback in self.callbacks:
            for hook in used_hooks(callback).intersection(hooks):
                hooks[hook].append(getattr(callback, hook))
        self._hooks = hooks
        for phase in ("train", "test", "predict"):
            begin = bool(self._hooks[f"on_{phase}_batch_begin"])
            end = bool(self._hooks[f"on_{phase}_batch_end"])
            setattr(self, f"wants_{phase}_batch_begin", begin)
            setattr(self, f"wants_{phase}_batch_end", end)
            setattr(self, f"wants_{phase}_batch", begin or end)

    def idle_hooks(self) -> frozenset[str]:
        return frozenset(hook for hook, calls in self._hooks.items() if not calls)

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def close(self) -> None:
        """Ends what is drawn on the terminal. A loop calls it however it ends, also with an error."""
        if self._progbar is not None:
            self._progbar.close()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._begin("on_train_begin", logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._call("on_train_end", logs)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._call_at("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._call_at("on_epoch_end", epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._call_at("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._call_at("on_train_batch_end", batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._call_at("on_train_batch_begin", batch, logs)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._call_at("on_train_batch_end", batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._begin("on_test_begin", logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._call("on_test_end", logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._call_at("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._call_at("on_test_batch_end", batch, logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._begin("on_predict_begin", logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._call("on_predict_end", logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._call_at("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._call_at("on_predict_batch_end", batch, logs)

    def _begin(self, hook: str, logs: Any) -> None:
        self._call(hook, logs)
        self._find_hooks()  # a callback may decide at the beginning what it wants to hear of

    def _call(self, hook: str, given: Any) -> None:
        hooks = self._hooks[hook]
        if hooks:
            logs = as_logs(given)
            for call in hooks:
                call(logs)

    def _call_at(self, hook: str, index: int, given: Any) -> None:
        hooks = self._hooks[hook]
        if not hooks:
            return
        # One object for all: a learning rate that one callback notes is shown and recorded by the next.
        logs = as_logs(given)
        for call in hooks:
            call(index, logs)
        if logs is not given and getrefcount(logs) > _REFERENCES_OF_A_LOCAL:
            # Somebody keeps them. They must not be read later, when the loop has other values.
            settle(logs)


def _references_of_a_local() -> int:
    logs: dict[str, Any] = {}
    return getrefcount(logs)


_REFERENCES_OF_A_LOCAL = _references_of_a_local()


def _flatten(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    if isinstance(callbacks, (list, tuple)):
        return [one for item in callbacks for one in _flatten(item)]
    if isinstance(callbacks, type) or not all(
        hasattr(callbacks, name) for name in ("set_model", "set_params")
    ):
        raise ArgumentError(
            "callbacks",
            expected="a `Callback` or a list of them",
            got=callbacks,
            fix="Create it first: add parentheses." if isinstance(callbacks, type) else None,
        )
    return [callbacks]
