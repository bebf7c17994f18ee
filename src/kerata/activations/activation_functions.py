"""Activation functions by name. Most are ops; a few have parameters that only layers use."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core.registry import register_builtin

Tensor = Any


@register_builtin("activations")
def linear(x: Tensor) -> Tensor:
    """The input itself.

    Args:
        x: a tensor.

    Example:
        >>> import kerata
        >>> float(kerata.activations.linear(2.0))
        2.0
    """
    return x


@register_builtin("activations")
def exponential(x: Tensor) -> Tensor:
    """`e**x`.

    Args:
        x: numbers of any shape.

    Returns:
        A floating tensor of that shape.

    Example:
        >>> import kerata
        >>> float(kerata.activations.exponential(0.0))
        1.0
    """
    return ops.exp(x)


@register_builtin("activations")
def mish(x: Tensor) -> Tensor:
    """`x * tanh(softplus(x))`. Source: Misra 2019, "Mish: A Self Regularized Non-Monotonic Activation Function".

    Args:
        x: numbers of any shape.

    Returns:
        A floating tensor of that shape.

    Example:
        >>> import kerata
        >>> round(float(kerata.activations.mish(1.0)), 4)
        0.8651
    """
    return ops.multiply(x, ops.tanh(ops.softplus(x)))


@register_builtin("activations")
def gelu(x: Tensor, approximate: bool = False) -> Tensor:
    """The Gaussian error linear unit. Source: Hendrycks and Gimpel 2016.

    Args:
        x: numbers of any shape.
        approximate: whether the error function is approximated by a hyperbolic tangent.

    Returns:
        A floating tensor of that shape.

    Example:
        >>> import kerata
        >>> round(float(kerata.activations.gelu(1.0)), 4)
        0.8413
    """
    return ops.gelu(x, approximate)


@register_builtin("activations")
def relu(
    x: Tensor, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Tensor:
    """`x` above a threshold, `negative_slope * (x - threshold)` below; capped at `max_value`.

    Example:
        >>> import kerata
        >>> float(kerata.activations.relu(-2.0, negative_slope=0.5))
        -1.0
    """
    if negative_slope == 0.0 and max_value is None and threshold == 0.0:
        return ops.relu(x)
    x = ops.convert_to_tensor(x)
    below = ops.multiply(ops.subtract(x, threshold), negative_slope) if negative_slope else ops.zeros_like(x)
    above = x if max_value is None else ops.minimum(x, max_value)
    return ops.where(ops.greater_equal(x, threshold), above, below)


_OPS = (
    "celu", "elu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu",
    "log_sigmoid", "log_softmax", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink", "threshold",
)  # fmt: skip
for _name in _OPS:
    register_builtin("activations")(getattr(ops, _name))
