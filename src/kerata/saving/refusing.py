"""One class of error for whatever goes wrong while objects are made from data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kerata.core import registry
from kerata.core.errors import RefusedFileError

CONFIG_PLACE = "config.json"


@contextmanager
def refusing(name: str, custom: bool, place: str = CONFIG_PLACE) -> Iterator[None]:
    """Whatever goes wrong inside is told as the refusal of the file.

    Where the caller's own classes may take part the first error stays visible behind it; it may be theirs.
    """
    try:
        yield
    except (RefusedFileError, OSError):
        raise
    except RecursionError:
        raise RefusedFileError(name, place, "it is nested too deeply to be made") from None
    except MemoryError:
        raise RefusedFileError(name, place, "there is not enough memory for it") from None
    except Exception as error:
        reason = f"no such object can be made ({type(error).__name__}: {error})"
        shown = custom or bool(registry.get_custom_objects())
        raise RefusedFileError(name, place, reason) from (error if shown else None)
