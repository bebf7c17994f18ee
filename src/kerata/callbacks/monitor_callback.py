"""What callbacks that watch one value share."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kerata.callbacks.callback import Callback, Logs
from kerata.core.errors import ArgumentError

_MODES = ("auto", "min", "max")
_DIRECTIONS: dict[str, Callable[[Any, Any], Any]] = {"down": np.less, "up": np.greater}


class MonitorCallback(Callback):
    """Watches one value of the logs and knows whether it got better.

    Args:
        monitor: name of the value, such as "val_loss".
        mode: "min" if it should fall, "max" if it should rise. "auto" knows that losses fall and asks metrics.
        initial_value_threshold: the value that the first one has to beat; None if any is good.
        min_delta: the least change that counts.

    Attributes:
        best: the best value so far; None before the first.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        initial_value_threshold: float | None = None,
        min_delta: float = 0,
    ) -> None:
        super().__init__()
        if not isinstance(monitor, str):
            raise ArgumentError("monitor", expected='the name of a value, such as "val_loss"', got=monitor)
        if mode not in _MODES:
            warnings.warn(
                f"{type(self).__name__} mode '{mode}' is unknown, fallback to auto mode.", stacklevel=3
            )
            mode = "auto"
        self.monitor, self.mode = monitor, mode
        self.best = initial_value_threshold
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[[Any, Any], Any] | None = None

    def _set_monitor_op(self) -> None:
        """Settles whether less or more is better. Metrics exist only once the model has trained, so it is late."""
        if self.monitor_op is not None:
            return
        if self.mode == "auto":
            self.monitor_op = self._op_of_metric()
        else:
            self.monitor_op = np.less if self.mode == "min" else np.greater

    def _op_of_metric(self) -> Callable[[Any, Any], Any]:
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return np.less
        metrics = dict(_metrics(self.model))
        if name in metrics:
            direction = metrics[name]
        elif name.endswith("_loss"):
            return np.less
        else:  # a model of several outputs puts the output's name before the metric's
            direction = next((d for metric, d in metrics.items() if name.endswith(f"_{metric}")), None)
        if direction not in _DIRECTIONS:
            raise ArgumentError(
                "mode",
                expected=f'"min" or "max" to monitor `{self.monitor}`',
                got=self.mode,
                fix=f"{type(self).__name__} cannot tell whether it should fall or rise.",
            )
        return _DIRECTIONS[direction]

    def _is_improvement(self, value: Any, reference: Any) -> bool:
        self._set_monitor_op()
        assert self.monitor_op is not None
        if not is_scalar(value):
            raise ArgumentError(
                "monitor", expected=f"the name of one number; `{self.monitor}` is not", got=value
            )
        if reference is None:
            return True
        if math.isnan(reference):
            # Or nothing would ever be better than a first value that is not a number.
            return not math.isnan(value)
        change = -self.min_delta if self.monitor_op is np.greater else self.min_delta
        return bool(self.monitor_op(value + change, reference))


def _metrics(model: Any) -> Iterator[tuple[str, str | None]]:
    """Name and direction ("up", "down" or None) of all metrics, also of those that a container holds."""
    for metric in getattr(model, "metrics", None) or ():
        yield from _metrics(metric)
        yield getattr(metric, "name", ""), getattr(metric, "_direction", None)


def is_scalar(value: Any) -> bool:
    """Whether a value of the logs is one number."""
    return getattr(value, "shape", ()) == () and not isinstance(value, (str, list, tuple, dict))


def available(logs: Logs) -> str:
    """The names in the logs, for a text that says what could be monitored."""
    return ",".join(logs)
