"""The words for people: one place builds every error sentence, so engines cannot differ.

Inner code says what is wrong (`ArgumentError`); the outermost public call adds where
(`error.at(path, inputs)`) and raises it again.
"""

from __future__ import annotations

import re
from typing import Any, Self

_UNSET: Any = object()


class KerataError(Exception):
    """Base class of every error that Kerata raises on purpose."""


class ArgumentError(KerataError, ValueError, TypeError):
    """An argument is not what a function, layer or model expects.

    It is both a `ValueError` and a `TypeError`, since users catch either.

    Example:
        >>> str(ArgumentError("rate", expected="a number in [0, 1]", got=1.5, fix="Use 0.2."))
        '`rate` must be a number in [0, 1]. Got 1.5. Use 0.2.'
    """

    def __init__(self, argument: str, *, expected: str, got: Any = _UNSET, fix: str | None = None) -> None:
        self.argument, self.expected, self.got, self.fix = argument, expected, got, fix
        self.path: str | None = None
        self.inputs: str | None = None
        super().__init__(argument)

    def at(self, path: str, inputs: str | None = None) -> Self:
        """Adds the place; the innermost place, which comes first, stays."""
        if self.path is None:
            self.path, self.inputs = path, inputs
        return self

    def __str__(self) -> str:
        place = f"{self.path}: " if self.path else ""
        parts = [f"{place}`{self.argument}` must be {_NUMBER.sub(_known, self.expected)}."]
        if self.got is not _UNSET:
            parts.append(f"Got {describe(self.got)}.")
        if self.fix:
            parts.append(self.fix)
        if self.inputs:
            parts.append(f"Inputs: {self.inputs}.")
        return " ".join(parts)


class UnknownValuesError(ArgumentError):
    """Values were asked for that are not known: of a symbolic tensor, or where an engine compiles or vectorises.

    A `kerata.function` in which it is raised runs uncompiled from then on.
    """

    @classmethod
    def native(cls) -> Self:
        """Where the engine itself said so."""
        return cls("fn", expected="a function that asks for no values while it is compiled or differentiated")


class NotAnArrayError(UnknownValuesError):
    """A symbolic tensor was given to a function that takes arrays: of NumPy, or of an engine that makes arrays of all."""


class BackendMismatchError(ArgumentError):
    """Tensors of two engines met in one call."""


class BackendNotInstalledError(KerataError, ImportError):
    """An engine was asked for that this Python does not have."""

    def __init__(self, name: str, requirement: str, reason: str | None = None) -> None:
        because = f" ({reason})" if reason else ""
        super().__init__(
            f'The engine "{name}" is not installed{because}. Install it with: pip install "{requirement}"'
        )


class StateError(KerataError, RuntimeError, ValueError):
    """A call came too early or too late: a model not built, not compiled, a graph disconnected."""


class RefusedFileError(KerataError, ValueError):
    """A file was refused while loading: it is damaged, unsafe, or not what it says it is.

    Example:
        >>> import kerata
        >>> try:
        ...     kerata.saving.deserialize_keras_object({"class_name": "Unknown", "config": {}})
        ... except kerata.saving.RefusedFileError:
        ...     print("refused")
        refused
    """

    def __init__(self, file: Any, place: str, reason: str) -> None:
        self.file, self.place, self.reason = str(file), place, reason
        text = f"{_short(self.file, 200)}: refused at {_short(place, 200)}: {reason}"
        super().__init__(_short(text, 990))


_NUMBER = re.compile(r"\b\d{10,}\b")


def _known(number: re.Match[str]) -> str:
    """A size, or None for what stands for an unknown one in an abstract run; see `rules.UNKNOWN`."""
    return "None" if int(number[0]) >= 1 << 33 else number[0]


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def describe(value: Any) -> str:
    """Short words for any value: tensors by shape and dtype, the rest by their `repr`."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is not None and dtype is not None and not isinstance(value, type):
        # Some print as "package.float32".
        name = getattr(dtype, "name", None) or str(dtype).rpartition(".")[2]
        sizes = tuple(None if type(d) is int and d >= 1 << 33 else d for d in shape)  # see `rules.UNKNOWN`
        return f"a tensor of shape {sizes} and dtype {name}"
    if isinstance(value, (list, tuple)) and any(hasattr(v, "dtype") for v in value):
        # Each engine prints its tensors in its own way.
        return _short(f"[{', '.join(map(describe, value))}]", 200)
    try:
        return _short(repr(value), 200)
    except Exception:  # a user's broken __repr__ must not hide the error it is part of
        return f"an object of class {type(value).__name__}"
