"""Symbolic tensors: shape and dtype without values.

With history they are the edges of a Functional model's graph. Without, and with integer shapes,
they are the abstract values on which compositions run to learn output shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata.core import dtypes
from kerata.core.budget import spend
from kerata.core.errors import ArgumentError, NotAnArrayError, UnknownValuesError
from kerata.core.naming import auto_name

OPS: dict[str, Any] = {}  # public name of an op -> the callable; filled by `kerata.core.declare`


_MOST_DIMENSIONS, _LARGEST = 64, 1 << 62  # as NumPy and the integers of engines have it


def _check_sizes(shape: tuple[Any, ...]) -> None:
    if len(shape) > _MOST_DIMENSIONS or any(type(d) is int and d > _LARGEST for d in shape):
        raise ArgumentError(
            "shape",
            expected=f"of at most {_MOST_DIMENSIONS} sizes, each of at most {_LARGEST}",
            got=shape if len(shape) <= _MOST_DIMENSIONS else f"{len(shape)} sizes",
        )


class KerasTensor:
    """A tensor with a shape and a dtype, and no values.

    Args:
        shape: sizes; None where unknown.
        dtype: name of the dtype.
        record_history: whether ops on it become nodes of a graph.
        name: name, made up where none is given.

    Example:
        >>> import kerata
        >>> x = kerata.KerasTensor((None, 3))
        >>> (x * 2.0 + 1.0).shape
        (None, 3)
    """

    __slots__ = (
        "__weakref__", "_dtype", "_keras_mask", "_shape", "name", "node", "optional", "output_index",
        "ragged", "record_history", "sparse",
    )  # fmt: skip

    def __init__(
        self,
        shape: Sequence[int | None],
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._shape = tuple(shape) if type(shape) is not tuple else shape
        _check_sizes(self._shape)
        self._dtype = dtypes.standardize(dtype)
        self.sparse, self.ragged = bool(sparse), bool(ragged)
        self.record_history = record_history
        self.node: Any = None
        self.output_index = 0
        self.optional = False
        self._keras_mask: Any = None
        self.name = name or (auto_name("keras_tensor") if record_history else "abstract")

    @property
    def shape(self) -> tuple[Any, ...]:
        """Sizes of the axes; None where unknown."""
        return self._shape

    @property
    def dtype(self) -> str:
        """Name of the dtype."""
        return self._dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._shape)

    def reshape(self, newshape: Sequence[int]) -> Any:
        """The elements in another shape, as `ops.reshape` gives them."""
        return OPS["reshape"](self, newshape)

    def squeeze(self, axis: Any = None) -> Any:
        """Without axes of size 1, as `ops.squeeze` gives it."""
        return OPS["squeeze"](self, axis)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self._shape}, dtype={self._dtype}, name={self.name}>"

    def __len__(self) -> int:
        if not self._shape or self._shape[0] is None:
            raise NotAnArrayError(
                "x", expected="a tensor whose first dimension is known to take its length", got=self
            )
        return self._shape[0]

    def _no_value(self, use: str, kind: type[UnknownValuesError] = UnknownValuesError) -> UnknownValuesError:
        return kind(
            "x",
            expected=f"a tensor with values to be used {use}",
            got=self,
            fix="A symbolic tensor has no values. Use kerata.ops functions on it, kerata.ops.cond for a condition, "
            "or a Layer whose `call` does the computation.",
        )

    def __bool__(self) -> bool:
        raise self._no_value("as a condition")

    def __iter__(self) -> Any:
        if not self._shape or self._shape[0] is None:
            raise self._no_value("in a loop")
        spend(self._shape[0])
        return (OPS["getitem"](self, i) for i in range(self._shape[0]))

    __array_priority__ = 1000  # arrays beside it leave operators to it

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise self._no_value("as a NumPy array", NotAnArrayError)

    def __float__(self) -> float:
        raise self._no_value("as a number")

    def __int__(self) -> int:
        raise self._no_value("as a number")

    def __index__(self) -> int:
        raise self._no_value("as an index")

    def __hash__(self) -> int:
        return id(self)


def _binary(op: str, flip: bool = False) -> Any:
    if flip:
        return lambda self, other: OPS[op](other, self)
    return lambda self, other: OPS[op](self, other)


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor.

    Example:
        >>> import kerata
        >>> kerata.utils.is_keras_tensor(kerata.Input((3,))), kerata.utils.is_keras_tensor(1.0)
        (True, False)
    """
    return isinstance(x, KerasTensor)


def install_operators(cls: type) -> None:
    """Gives a class Python's operators, each through the op of that name."""
    both = {
        "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide", "floordiv": "floor_divide",
        "mod": "mod", "pow": "power", "matmul": "matmul", "and": "logical_or_bitwise_and",
        "or": "logical_or_bitwise_or", "xor": "logical_or_bitwise_xor",
    }  # fmt: skip
    for name, op in both.items():
        setattr(cls, f"__{name}__", _binary(op))
        setattr(cls, f"__r{name}__", _binary(op, flip=True))
    compare = {
        "eq": "equal",
        "ne": "not_equal",
        "lt": "less",
        "le": "less_equal",
        "gt": "greater",
        "ge": "greater_equal",
    }
    for name, op in compare.items():
        setattr(cls, f"__{name}__", _binary(op))
    for name, op in {"neg": "negative", "abs": "absolute", "invert": "logical_or_bitwise_not"}.items():
        setattr(cls, f"__{name}__", lambda self, op=op: OPS[op](self))
    others: dict[str, Any] = {
        "__pos__": lambda self: self,
        "__getitem__": lambda self, key: OPS["getitem"](self, key),
        "__round__": lambda self, ndigits=0: OPS["round"](self, ndigits or 0),
        "__hash__": lambda self: id(self),
    }
    for name, method in others.items():
        setattr(cls, name, method)


install_operators(KerasTensor)
