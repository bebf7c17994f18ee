"""JAX's native routes of composed ops. Deleting this table leaves a slow and correct engine."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from kerata.backends.tables import FastPaths, routing

TABLE: FastPaths = {}


fast_path = routing(TABLE)


# ---- what is one function of JAX: the shortest way from Python -------------------------------------
# Only float32: with the user's x64 flag off, 64 bits need more care.

_FLOAT32 = np.dtype("float32")


def _matrices(x1: Any, x2: Any) -> bool:
    return x1.dtype == _FLOAT32 == x2.dtype and x1.ndim > 1 and x2.ndim > 1


TABLE["matmul"] = (_matrices, jnp.matmul)
TABLE["transpose"] = (
    lambda x, axes=None: axes is None and x.dtype == _FLOAT32,
    lambda x, axes=None: jnp.transpose(x),
)


@fast_path(
    "sum",
    when=lambda x, axis=None, keepdims=False: x.dtype == _FLOAT32 and (axis is None or type(axis) is int),
)
def _(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    return jnp.sum(x, axis, keepdims=bool(keepdims))


@fast_path(
    "rfft",
    when=lambda x, fft_length=None: x.dtype == _FLOAT32 and x.ndim and fft_length is None and x.shape[-1],
)
def _(x: Any, fft_length: int | None = None) -> tuple[Any, Any]:
    z = jnp.fft.rfft(x)
    return z.real, z.imag
