"""JSON from strangers: what is ambiguous, endless or too costly is refused before it is parsed."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np

from kerata.core.errors import RefusedFileError
from kerata.saving.limits import DEFAULT, Limits

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)

_PIECE = 1 << 18

# Bytes of memory that parsed values take, on the safe side (measured on CPython 3.11 with 64 bits).
_PER_CONTAINER, _PER_ITEM, _PER_KEY, _PER_STRING = 72, 40, 80, 56


def loads(
    data: bytes | str,
    *,
    file: str,
    place: str,
    limits: Limits = DEFAULT,
    allow_nan: bool = False,
    allowance: int | None = None,
) -> Any:
    """Parses a JSON text, strictly.

    Args:
        data: the text; bytes must be UTF-8 without a mark at the start.
        file: the file it came from, for error texts.
        place: where in that file, for error texts.
        limits: size, depth and digits that are allowed.
        allow_nan: whether `NaN` and `Infinity` may stand where a number may (Keras writes them for floats).
        allowance: bytes of memory that the values may take; by default twice the text and the spare bytes.

    Raises:
        RefusedFileError: for anything that is not plain JSON within the limits. Never a `RecursionError`.

    Example:
        >>> loads(b'{"units": 3}', file="model.keras", place="config.json")
        {'units': 3}
    """

    def refuse(reason: str, where: str = "") -> Any:
        raise RefusedFileError(file, place + where, reason)

    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if len(raw) > limits.config_bytes:
        refuse(f"it has {len(raw)} bytes; at most {limits.config_bytes} are allowed")
    _check_structure(
        raw, limits, 2 * len(raw) + limits.spare_bytes if allowance is None else allowance, refuse
    )
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        refuse("it is not UTF-8", f", byte {error.start}")
    if _SURROGATE.search(text):
        _check_surrogates(text, refuse)
    decoder = json.JSONDecoder(
        object_pairs_hook=lambda pairs: _object(pairs, refuse),
        parse_float=lambda number: _float(number, limits.digits, refuse),
        parse_int=lambda number: _int(number, limits.digits, refuse),
        parse_constant=float if allow_nan else lambda name: refuse(f"{name} is not allowed here"),
    )
    try:
        return decoder.decode(text)
    except json.JSONDecodeError as error:
        line, column, message = error.lineno, error.colno, error.msg
    except RecursionError:  # the caller's own stack was nearly full
        return refuse("it is nested too deeply for the stack that is left")
    return refuse(f"it is not JSON: {message}", f", line {line}, column {column}")


def _check_structure(raw: bytes, limits: Limits, allowance: int, refuse: Any) -> None:
    """Depth and the memory that the values will take, from the text alone, in linear time and constant space."""
    depth = deepest = containers = items = keys = quotes = widest = 0
    escaped = inside = False
    for start in range(0, len(raw), _PIECE):
        letters = np.frombuffer(raw, np.uint8, min(_PIECE, len(raw) - start), start)
        real, escaped = _unescaped_quotes(letters, escaped)
        in_string = (np.cumsum(real) + inside) & 1 == 1
        quotes += int(real.sum())
        inside = bool(in_string[-1])
        bare = letters[~in_string & ~real]
        opened, closed = (bare == 0x5B) | (bare == 0x7B), (bare == 0x5D) | (bare == 0x7D)
        levels = np.cumsum(opened.astype(np.int32) - closed) + depth
        deepest, depth = max(deepest, int(levels.max(initial=0))), int(levels[-1]) if len(levels) else depth
        containers += int(opened.sum())
        items += int((bare == 0x2C).sum())
        keys += int((bare == 0x3A).sum())
        widest = max(widest, int(letters.max()))
    if inside:
        refuse("a string does not end")
    if deepest > limits.depth:
        refuse(f"it is nested {deepest} deep; at most {limits.depth} is allowed")
    # One letter beyond Latin-1 doubles what every letter of its string takes, one beyond U+FFFF doubles it again.
    width = 4 if widest >= 0xF0 else 2 if widest >= 0xC4 else 1
    needed = containers * _PER_CONTAINER + items * _PER_ITEM + keys * _PER_KEY
    needed += quotes // 2 * _PER_STRING + 2 * width * len(raw)
    if needed > allowance:
        refuse(f"its values would take about {needed} bytes of memory; its size warrants {allowance}")


def _unescaped_quotes(letters: np.ndarray, escaped: bool) -> tuple[np.ndarray, bool]:
    """Which bytes are quotes that begin or end a string, and whether the byte after these is escaped.

    A byte is escaped if an odd number of backslashes stands directly before it; `escaped` says so of the first.
    """
    places = np.arange(len(letters), dtype=np.int32)
    # Backslashes before the first byte: one if it is escaped, none otherwise.
    last_other = np.maximum.accumulate(np.where(letters != 0x5C, places, -1 - int(escaped)))
    before = np.concatenate(([-1 - int(escaped)], last_other[:-1]))
    run = places - 1 - before
    return (letters == 0x22) & (run & 1 == 0), bool((len(letters) - 1 - last_other[-1]) & 1)


def _check_surrogates(text: str, refuse: Any) -> None:
    """Refuses halves of pairs: such a string can be parsed, but never be written or printed again."""
    high = -1  # where a high surrogate ended that still waits for its low one
    for match in _ESCAPE.finditer(text):
        code = int(match[1], 16) if match[1] else 0
        low = 0xDC00 <= code <= 0xDFFF
        if low != (high == match.start()) and (low or high >= 0):
            refuse("a \\u escape is half of a surrogate pair")
        high = match.end() if 0xD800 <= code <= 0xDBFF else -1
    if high >= 0:
        refuse("a \\u escape is half of a surrogate pair")


def _object(pairs: list[tuple[str, Any]], refuse: Any) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        refuse(f"the key {twice[:80]!r} stands twice in one object")
    return found


def _int(number: str, digits: int, refuse: Any) -> int:
    _check_digits(number, digits, refuse)
    return int(number)


def _float(number: str, digits: int, refuse: Any) -> float:
    _check_digits(number, digits, refuse)
    value = float(number)
    if math.isinf(value):
        refuse(f"the number {number[:40]} is too large")
    return value


def _check_digits(number: str, digits: int, refuse: Any) -> None:
    if len(number) > digits:
        refuse(f"a number has {len(number)} characters; at most {digits} are allowed")
