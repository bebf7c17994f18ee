"""JAX's native routes of composed ops. Deleting this table leaves a slow and correct engine."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from kerata.backends.tables import FastPaths, routing
from kerata.core.constants import GELU_CUBIC, GELU_LINEAR

TABLE: FastPaths = {}


fast_path = routing(TABLE)


# ---- what is one function of JAX: the shortest way from Python -------------------------------------
# Only float32: with the user's x64 flag off, 64 bits need more care.

_FLOAT32 = np.dtype("float32")


_inline = functools.partial(jax.jit, inline=True)  # no call of its own within a traced function

TABLE["relu"] = (lambda x: x.dtype is _FLOAT32, _inline(lambda x: jnp.where(x <= 0, 0, x)))
TABLE["transpose"] = (
    lambda x, axes=None: axes is None and x.dtype is _FLOAT32,
    _inline(lambda x, axes=None: x.T),
)
TABLE["matmul"] = (
    lambda x1, x2: x1.dtype is _FLOAT32 is x2.dtype,
    # Without options, of which `jnp.matmul` looks at each.
    _inline(lambda x1, x2: jnp.matmul(x1, x2)),
)


@fast_path(
    "sum",
    when=lambda x, axis=None, keepdims=False: (
        x.dtype is _FLOAT32 and (axis is None or type(axis) is int) and type(keepdims) is bool
    ),
)
@functools.partial(_inline, static_argnums=(1, 2))
def _(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    return jnp.sum(x, axis, keepdims=keepdims)


@fast_path(
    "rfft",
    when=lambda x, fft_length=None: x.dtype == _FLOAT32 and x.ndim and fft_length is None and x.shape[-1],
)
def _(x: Any, fft_length: int | None = None) -> tuple[Any, Any]:
    z = jnp.fft.rfft(x)
    return z.real, z.imag


# ---- what XLA computes in fewer passes when it is written otherwise ----------------------------------


@jax.custom_jvp
def _sigmoid(z: Any) -> Any:
    """Half of `2 / (1 + exp(-z))`: XLA keeps that quotient for all who use it, but repeats `1 / (1 + exp(-z))`."""
    return 0.5 * (2 / (1 + jnp.exp(-z)))


@_sigmoid.defjvp
def _(at: Any, by: Any) -> Any:
    s = _sigmoid(*at)
    return s, s * (1 - s) * by[0]


@jax.custom_jvp
def _gelu(x: Any) -> Any:
    return x / (1 + jnp.exp(-x * (GELU_LINEAR + GELU_CUBIC * (x * x))))


@_gelu.defjvp
def _(at: Any, by: Any) -> Any:
    (x,) = at
    square = x * x
    s = _sigmoid(x * (GELU_LINEAR + GELU_CUBIC * square))
    # From the left: where s or 1 - s is 0, all is, if the square is finite.
    slope = s + s * (1 - s) * x * (GELU_LINEAR + 3 * GELU_CUBIC * jnp.minimum(square, 1e30))
    return x * s, slope * by[0]


_gelu_in_one = jax.jit(_gelu)  # eagerly, one call


@fast_path("gelu", when=lambda x, approximate=True: approximate is True and x.dtype == _FLOAT32)
def _(x: Any, approximate: bool = True) -> Any:
    return _gelu_in_one(x)
