"""Names for layers and variables: `Conv2D` becomes conv2d, then conv2d_1, conv2d_2 ..."""

from __future__ import annotations

import re
import threading

_NOT_WORD = re.compile(r"\W+")
_BEFORE_WORD = re.compile(r"(.)([A-Z][a-z]+)")  # "HTTPServer" -> "HTTP_Server"
_AFTER_LOWER = re.compile(r"([a-z])([A-Z])")  # "multiHead" -> "multi_Head"

_lock = threading.Lock()
_counts: dict[str, int] = {}


def to_snake_case(name: str) -> str:
    """`name` in snake case, as Keras names layers after their class.

    Example:
        >>> to_snake_case("MultiHeadAttention"), to_snake_case("Conv2D"), to_snake_case("LSTM")
        ('multi_head_attention', 'conv2d', 'lstm')
    """
    name = _NOT_WORD.sub("", name)
    name = _BEFORE_WORD.sub(r"\1_\2", name)
    return _AFTER_LOWER.sub(r"\1_\2", name).lower()


def auto_name(prefix: str) -> str:
    """The next free name for a class or kind called `prefix`, in snake case: dense, dense_1, dense_2 ..."""
    return unique_name(to_snake_case(prefix))


def unique_name(name: str) -> str:
    """`name` at its first use, then `name_1`, `name_2` ... until `reset_names`."""
    with _lock:
        count = _counts.get(name, 0)
        _counts[name] = count + 1
    return f"{name}_{count}" if count else name


def get_uid(prefix: str = "") -> int:
    """The next number for names that begin with `prefix`: 1, 2, 3 ...

    Example:
        >>> get_uid("block"), get_uid("block")
        (1, 2)
    """
    with _lock:
        _counts[prefix] = count = _counts.get(prefix, 0) + 1
    return count


def counters() -> dict[str, int]:
    """How often each name was given."""
    with _lock:
        return dict(_counts)


def set_counters(counts: dict[str, int]) -> None:
    """Goes back to what `counters` gave."""
    with _lock:
        _counts.clear()
        _counts.update(counts)


def reset_names() -> None:
    """Starts all counters again, as `clear_session` does."""
    with _lock:
        _counts.clear()
