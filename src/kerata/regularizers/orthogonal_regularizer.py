"""A penalty that turns the rows or columns of a matrix away from each other."""

from __future__ import annotations

from typing import Any, Literal

from kerata import ops
from kerata.core.dispatch import shape_of
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin
from kerata.regularizers.regularizer import Regularizer, strength


@register_builtin("regularizers", "orthogonal_regularizer")
class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean absolute cosine between different rows (or columns) of a matrix.

    Args:
        factor: strength, zero or more.
        mode: "rows" or "columns": which vectors become orthogonal.

    Raises:
        ArgumentError: if the tensor is not a matrix.

    Example:
        >>> float(OrthogonalRegularizer(1.0)([[1.0, 0.0], [0.0, 2.0]]))
        0.0
        >>> float(OrthogonalRegularizer(1.0)([[1.0, 0.0], [2.0, 0.0]]))
        1.0
    """

    def __init__(self, factor: float | None = 0.01, mode: Literal["rows", "columns"] = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ArgumentError("mode", expected='"rows" or "columns"', got=mode)
        self.factor, self.mode = strength("factor", factor, 0.01), mode

    def __call__(self, inputs: Any) -> Any:
        shape = shape_of(inputs)
        if len(shape) != 2:
            raise ArgumentError("inputs", expected="a matrix", got=f"a tensor of shape {tuple(shape)}")
        vectors = ops.normalize(inputs if self.mode == "rows" else ops.transpose(inputs), axis=1)
        cosines = ops.absolute(ops.matmul(vectors, ops.transpose(vectors)))
        count = shape_of(vectors)[0] or 1  # unknown only in a symbolic tensor, where no value is asked for
        pairs = max(count * (count - 1) // 2, 1)  # a single vector has nothing to be orthogonal to
        return ops.multiply(self.factor / pairs, ops.sum(ops.triu(cosines, 1)))

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor, "mode": self.mode}


orthogonal_regularizer = OrthogonalRegularizer  # the name that Keras code in snake case uses
