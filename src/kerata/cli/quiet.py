"""Keeps the chatter of engines' native code out of what a command shows."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def native_messages_held() -> Iterator[None]:
    """Holds back what native code writes to standard error, and shows it if the block fails.

    TensorFlow 2.21 reports at its start that oneDNN is on, whatever `TF_CPP_MIN_LOG_LEVEL` says, into the middle
    of a progress bar. Warnings of Python code are shown as ever.
    """
    sys.stderr.flush()
    outside, stderr = os.dup(2), sys.stderr
    with tempfile.TemporaryFile() as held, os.fdopen(outside, "wb", buffering=0, closefd=True) as original:
        os.dup2(held.fileno(), 2)
        if _descriptor(stderr) == 2:
            sys.stderr = open(outside, "w", buffering=1, encoding=stderr.encoding, closefd=False)
        try:
            yield
        except BaseException:
            held.seek(0)
            shutil.copyfileobj(held, original)
            raise
        finally:
            sys.stderr.flush()
            os.dup2(outside, 2)
            sys.stderr = stderr


def _descriptor(stream: object) -> int | None:
    try:
        return stream.fileno()  # type: ignore[attr-defined]
    except (AttributeError, OSError):  # replaced by something that is no file, as in a notebook or a test
        return None
