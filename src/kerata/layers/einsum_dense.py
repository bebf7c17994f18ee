"""The fully connected layer on any axes, by an einsum equation."""

from __future__ import annotations

import re
from typing import Any, Unpack

from kerata import ops
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin

from .activation_attribute import ActivationAttribute
from .layer import Layer, LayerOptions

Tensor = Any


@register_builtin("layers")
class EinsumDense(Layer):
    """`activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: such as "ab,bc->ac"; "..." stands for leading or trailing axes.
        output_shape: sizes of the outputs without the batch axis (and without those of "..."); None for sizes of the inputs.
        activation: name or function.
        bias_axes: letters of the outputs that the bias has; None for no bias.
        kernel_initializer: first value of the kernel.
        bias_initializer: first value of the bias.
        kernel_regularizer: penalty on the kernel.
        bias_regularizer: penalty on the bias.
        kernel_constraint: projection of the kernel.
        bias_constraint: projection of the bias.

    Example:
        >>> import kerata
        >>> kerata.layers.EinsumDense("abc,cd->abd", (None, 5), bias_axes="d")(kerata.Input((2, 3))).shape
        (None, 2, 5)
    """

    _tells_activity_regularizer = True

    activation = ActivationAttribute()

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        if not isinstance(equation, str) or not re.fullmatch(
            r"[A-Za-z.]+,[A-Za-z.]+->[A-Za-z.]+", equation.replace(" ", "")
        ):
            raise ArgumentError("equation", expected="a string such as 'ab,bc->ac'", got=equation)
        self.equation = equation
        self.partial_output_shape = _output_sizes(output_shape)
        self.activation = activation
        self.bias_axes = bias_axes
        self.keep_options("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        self.keep_options("bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        kernel, bias, _ = einsum_dense_shapes(
            self.equation, self.bias_axes, input_shape, self.partial_output_shape
        )
        self.kernel = self.add_named("kernel", kernel)
        self.bias = self.add_named("bias", bias) if bias is not None else None
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        y = ops.einsum(self.equation, inputs, self.kernel.value)
        if self.bias is not None:
            y = ops.add(y, self.bias.value)
        return self.activation(y)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config["output_shape"] = list(self.partial_output_shape)
        return config

    def _init_value(self, name: str) -> Any:
        return self.partial_output_shape if name == "output_shape" else super()._init_value(name)


def _output_sizes(value: Any) -> tuple[int | None, ...]:
    """The argument `output_shape`, checked."""
    sizes = value if isinstance(value, (list, tuple)) else (value,)
    if not all(d is None or (isinstance(d, int) and not isinstance(d, bool) and d > 0) for d in sizes):
        raise ArgumentError("output_shape", expected="a size or a tuple of sizes, None for any", got=value)
    return tuple(sizes)


def einsum_dense_shapes(
    equation: str, bias_axes: str | None, input_shape: Any, output_shape: Any
) -> tuple[tuple[int, ...], tuple[int, ...] | None, tuple[Any, ...]]:
    """Shapes of kernel, bias and outputs."""
    ins, kernel, outs = re.split(r",|->", equation.replace(" ", ""))
    left, right = ins.startswith("..."), ins.endswith("...")
    letters_in, letters_out = ins.replace("...", ""), outs.replace("...", "")
    extra = len(input_shape) - len(letters_in)
    if extra < 0 or (extra and not (left or right)):
        raise ArgumentError(
            "inputs",
            expected=f"of rank {len(letters_in)}, as {ins!r} says",
            got=f"shape {tuple(input_shape)}",
        )
    skipped = input_shape[:extra] if left else input_shape[len(letters_in) :]
    own = input_shape[extra:] if left else input_shape[: len(letters_in)]
    sizes = dict(zip(letters_in, own, strict=True))
    wanted = list(output_shape)
    if not left:
        wanted.insert(0, input_shape[0])
    if len(wanted) != len(letters_out):
        many = len(letters_out)  # the others belong to the ellipsis
        wanted = wanted[-many:] if left else wanted[:many]
    if len(wanted) != len(letters_out):
        raise ArgumentError(
            "output_shape",
            expected=f"with {len(letters_out)} sizes, those of {outs!r}",
            got=tuple(output_shape),
        )
    out_sizes = {}
    for letter, size in zip(letters_out, wanted, strict=True):
        if size is None:
            size = sizes.get(letter)
        elif letter in sizes and sizes[letter] not in (None, size):
            raise ArgumentError(
                "output_shape", expected=f"{sizes[letter]} for {letter!r}, its size in the inputs", got=size
            )
        out_sizes[letter] = size
    kernel_shape = []
    for letter in kernel:
        size = sizes.get(letter, out_sizes.get(letter))
        if size is None:
            raise ArgumentError(
                "equation", expected=f"such that the size of {letter!r} is known", got=equation
            )
        kernel_shape.append(size)
    bias_shape = None
    if bias_axes is not None:
        if not isinstance(bias_axes, str) or not bias_axes or any(c not in letters_out for c in bias_axes):
            raise ArgumentError("bias_axes", expected=f"letters of the outputs {outs!r}", got=bias_axes)
        first = min(letters_out.index(c) for c in bias_axes)
        bias_shape = tuple(out_sizes[c] if c in bias_axes else 1 for c in letters_out[first:])
        if right and not left:
            bias_shape += (1,) * extra
    full = (
        (*skipped, *(out_sizes[c] for c in letters_out))
        if left
        else (*(out_sizes[c] for c in letters_out), *skipped)
    )
    return tuple(kernel_shape), bias_shape, full
