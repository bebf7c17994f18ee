"""A table of learned vectors, looked up by whole numbers."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import checks, dtypes
from kerata.core.registry import register_builtin

from .layer import Layer

Tensor = Any


@register_builtin("layers")
class Embedding(Layer):
    """A row of a table for each whole number.

    Args:
        input_dim: number of rows; inputs are in [0, input_dim).
        output_dim: size of a row.
        embeddings_initializer: first value of the table.
        embeddings_regularizer: penalty on it.
        embeddings_constraint: projection of it.
        mask_zero: whether zeros are masked for the layers that follow.
        weights: first table.

    Shapes:
        integers (batch, …) -> (batch, …, output_dim)

    Example:
        >>> import kerata
        >>> kerata.layers.Embedding(10, 4)(kerata.Input((7,), dtype="int32")).shape
        (None, 7, 4)
    """

    _tells_activity_regularizer = True

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        **options: Any,
    ) -> None:
        length = options.pop("input_length", None)
        if length is not None:
            options["input_shape"] = (length,)
        super().__init__(**options)
        self.autocast = False  # indices are not to be cast
        self.input_dim = checks.positive_int("input_dim", input_dim)
        self.output_dim = checks.positive_int("output_dim", output_dim)
        self.keep_options("embeddings", embeddings_initializer, embeddings_regularizer, embeddings_constraint)
        self.mask_zero = bool(mask_zero)
        self.supports_masking = self.mask_zero
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, (list, tuple)) else [weights])

    def build(self, input_shape: Any = None) -> None:
        if self.built:
            return
        self.embeddings = self.add_named("embeddings", (self.input_dim, self.output_dim))
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        if not dtypes.is_int(ops.dtype(inputs)):
            inputs = ops.cast(inputs, "int32")
        return ops.cast(ops.take(self.embeddings.value, inputs, axis=0), self.compute_dtype)

    def compute_mask(self, inputs: Tensor, mask: Any = None) -> Tensor | None:
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["weights"]
        return config
