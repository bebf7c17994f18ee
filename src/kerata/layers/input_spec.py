"""What a layer accepts: rank, shape, dtype and sizes of axes of its inputs."""

from __future__ import annotations

from typing import Any

from kerata.core.dispatch import dtype_of, is_tensor, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.inference import known_sizes


def agrees(x: Any, *shapes: tuple[Any, ...]) -> bool:
    """Whether a tensor has one of the shapes, as far as sizes are known."""
    return any(agrees_with(tuple(shape_of(x)), want) for want in shapes)


def agrees_with(shape: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two shapes are the same, as far as sizes are known."""

    def same(a: Any, b: Any) -> bool:
        return a == b or not isinstance(a, int) or not isinstance(b, int)

    return len(shape) == len(other) and all(map(same, known_sizes(shape), known_sizes(tuple(other))))


class InputSpec:
    """Rank, shape, dtype and axis sizes that an input must have; checked at each new signature.

    Args:
        dtype: dtype, or None for any.
        shape: shape, None for any size.
        ndim: rank.
        max_ndim: largest rank.
        min_ndim: smallest rank.
        axes: sizes of single axes, such as {-1: 3}.
        allow_last_axis_squeeze: whether a missing or an extra last axis of size 1 is fine.
        name: the name of the input it is for.
        optional: whether the input may be None.

    Example:
        >>> InputSpec(ndim=2).ndim
        2
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype, self.name, self.optional = dtype, name, optional
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = {int(k): v for k, v in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze

    def check(self, x: Any, argument: str) -> None:
        """Raises an ArgumentError if `x` is not as specified."""
        if x is None and self.optional:
            return
        if not is_tensor(x):
            raise ArgumentError(argument, expected="a tensor", got=x)
        shape = shape_of(x)
        rank = len(shape)

        def refuse(expected: str) -> ArgumentError:
            return ArgumentError(argument, expected=expected, got=x)

        if self.ndim is not None and rank != self.ndim and not self.allow_last_axis_squeeze:
            raise refuse(f"of rank {self.ndim} (with the batch axis)")
        if self.max_ndim is not None and rank > self.max_ndim:
            raise refuse(f"of rank {self.max_ndim} at most")
        if self.min_ndim is not None and rank < self.min_ndim:
            raise refuse(f"of rank {self.min_ndim} at least (with the batch axis)")
        if self.dtype is not None and dtype_of(x) != self.dtype:
            raise refuse(f"of dtype {self.dtype}")
        for axis, size in self.axes.items():
            if size is not None and -rank <= axis < rank and shape[axis] not in (size, None):
                raise refuse(f"of size {size} along axis {axis}")
        if self.shape is not None and not self._fits(shape):
            raise refuse(f"of shape {self.shape}")

    def _fits(self, shape: tuple[Any, ...]) -> bool:
        want = self.shape or ()
        if len(shape) != len(want) and self.allow_last_axis_squeeze:
            if shape[-1:] == (1,) and len(shape) == len(want) + 1:
                shape = shape[:-1]
            elif want[-1:] == (1,) and len(want) == len(shape) + 1:
                want = want[:-1]
        return len(shape) == len(want) and all(
            a == b or a is None or b is None for a, b in zip(shape, want, strict=True)
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make such a spec again, as plain data."""
        return {
            "dtype": self.dtype, "shape": self.shape, "ndim": self.ndim, "max_ndim": self.max_ndim,
            "min_ndim": self.min_ndim, "axes": self.axes, "optional": self.optional,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """A spec from what `get_config` gave."""
        return cls(**config)
