"""Ends training when the loss is no longer a number."""

from __future__ import annotations

import numpy as np

from kerata.callbacks.callback import Callback, Logs
from kerata.core.errors import KerataError
from kerata.utils import io


class NonFiniteLossError(KerataError, RuntimeError):
    """The loss became NaN or infinite."""


class TerminateOnNaN(Callback):
    """Stops training at the first batch after which the loss is NaN or infinite.

    It reads the loss after every batch, so the host waits for the device each time.

    Args:
        raise_error: whether training ends with an error instead of just stopping.

    Raises:
        NonFiniteLossError: (a `RuntimeError`) if asked for.

    Example:
        >>> import types
        >>> guard = TerminateOnNaN()
        >>> guard.set_model(types.SimpleNamespace(stop_training=False))
        >>> guard.on_batch_end(7, {"loss": float("nan")})
        Batch 7: Invalid loss, terminating training
        >>> guard.model.stop_training
        True
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = None if logs is None else logs.get("loss")
        if loss is None or np.all(np.isfinite(loss)):
            return
        if self.raise_error:
            raise NonFiniteLossError(
                f"NaN or Inf loss encountered at batch {batch}. Loss value: {loss}. "
                "Terminating training immediately."
            )
        io.print_msg(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
