"""Signatures of layers that are one general class at several ranks."""

from __future__ import annotations

import inspect
from typing import Any

from .layer import Layer

_EMPTY = inspect.Parameter.empty


class Ranked(Layer):
    """A layer whose subclasses differ in `rank`, and in the defaults that they show.

    The general class states its parameters once. `ranked_defaults(rank)` says which defaults a rank
    has instead; they are what `inspect.signature`, and so the documentation, tells. A subclass that
    defines its own `__init__` has the signature of that.
    """

    rank = 2

    @classmethod
    def ranked_defaults(cls) -> dict[str, Any]:
        """Parameter -> default of this rank; `inspect.Parameter.empty` where there is none."""
        return {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = inspect.signature(cls.__init__)
        shown = {} if "__init__" in cls.__dict__ else cls.ranked_defaults()
        parameters = [
            p.replace(default=shown.get(p.name, p.default))
            for p in own.parameters.values()
            if p.name != "self"
        ]
        cls.__signature__ = own.replace(  # type: ignore[attr-defined]
            parameters=parameters, return_annotation=inspect.Signature.empty
        )


def same_for_each_axis(rank: int, value: Any, *names: str) -> dict[str, Any]:
    """Defaults that name `value` for each of several axes, and alone for one."""
    return dict.fromkeys(names, value if rank == 1 else (value,) * rank)
