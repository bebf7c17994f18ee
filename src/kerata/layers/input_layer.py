"""The entrance of a Functional model."""

from __future__ import annotations

from typing import Any

from kerata.core import dtypes
from kerata.core.errors import ArgumentError
from kerata.core.graph import Node
from kerata.core.naming import auto_name
from kerata.core.registry import register_builtin
from kerata.core.tensor import KerasTensor

from .layer import Layer


@register_builtin("layers")
class InputLayer(Layer):
    """Holds one input of a model. `Input(...)` makes it and gives its symbolic tensor.

    Args:
        shape: shape without the batch axis; None for unknown sizes.
        batch_size: size of the batch axis, if fixed.
        dtype: dtype; `floatx` by default.
        batch_shape: shape with the batch axis, instead of `shape`.
        input_tensor: the symbolic tensor to use.
        optional: whether the input may be None.
        name: the name of the input.

    Example:
        >>> import kerata
        >>> kerata.Sequential([kerata.layers.InputLayer((3,)), kerata.layers.Dense(2)]).output_shape
        (None, 2)
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: KerasTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name or auto_name("input_layer"))
        if (shape is None) == (batch_shape is None) and input_tensor is None:
            raise ArgumentError("shape", expected="given, or else `batch_shape`", got=shape)
        if shape is not None:
            batch_shape = (batch_size, *_sizes(shape, "shape"))
        if input_tensor is not None:
            if not isinstance(input_tensor, KerasTensor):
                raise ArgumentError("input_tensor", expected="a symbolic tensor", got=input_tensor)
            batch_shape, dtype = input_tensor.shape, input_tensor.dtype
        self.batch_shape = tuple(_sizes(batch_shape, "batch_shape"))
        self.optional, self.sparse, self.ragged = optional, bool(sparse), bool(ragged)
        self._input_dtype = dtypes.standardize(dtype)
        self.built = True
        output = (
            input_tensor
            if input_tensor is not None
            else KerasTensor(self.batch_shape, self._input_dtype, name=self.name)
        )
        output.optional = optional
        Node(self, (), {}, output, is_input=True)

    @property
    def dtype(self) -> str:
        """Dtype of the input."""
        return self._input_dtype

    def call(self) -> None:
        """An input computes nothing."""
        return None

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": list(self.batch_shape), "dtype": self.dtype, "sparse": self.sparse, "ragged": self.ragged,
            "name": self.name, "optional": self.optional,
        }  # fmt: skip


def _sizes(shape: Any, argument: str) -> tuple[int | None, ...]:
    if isinstance(shape, int) or shape is None or not hasattr(shape, "__iter__"):
        raise ArgumentError(
            argument, expected="a tuple of integers or None", got=shape, fix=f"Write {argument}=({shape},)."
        )
    sizes = tuple(shape)
    for d in sizes:
        if d is not None and (isinstance(d, (bool, float, str)) or not hasattr(d, "__index__") or d < 0):
            raise ArgumentError(argument, expected="a tuple of integers or None", got=shape)
    return tuple(None if d is None else int(d) for d in sizes)


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> Any:
    """A symbolic tensor: where a Functional model begins.

    Args:
        shape: shape without the batch axis; None for unknown sizes.
        batch_size: size of the batch axis, if fixed.
        dtype: dtype; `floatx` by default.
        batch_shape: shape with the batch axis, instead of `shape`.
        name: the name of the input; data given as a dict finds it by this name.
        tensor: an existing symbolic tensor to use.
        optional: whether the input may be None.

    Example:
        >>> import kerata
        >>> kerata.Input((28, 28, 1)).shape
        (None, 28, 28, 1)
    """
    layer = InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name)
    return layer.output
