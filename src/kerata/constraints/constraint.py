"""What all constraints share."""

from __future__ import annotations

from typing import Any, Self


class Constraint:
    """Maps a weight to the nearest one that is allowed; optimizers apply it after each update.

    To write one, override `__call__` and, if the constructor takes arguments, `get_config`. A plain function from
    weight to weight will do as well.

    Example:
        >>> import kerata
        >>> class NonNegative(kerata.constraints.Constraint):
        ...     def __call__(self, w):
        ...         return kerata.ops.maximum(w, 0.0)
        >>> kerata.ops.convert_to_numpy(NonNegative()([-1.0, 2.0]))
        array([0., 2.], dtype=float32)
    """

    def __call__(self, w: Any) -> Any:
        """The allowed weight for `w`, of the same shape and dtype. This class allows every weight."""
        return w

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor, ready for JSON."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A constraint from what `get_config` gave."""
        return cls(**config)
