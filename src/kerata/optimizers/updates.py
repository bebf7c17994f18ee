"""The updates of optimizers on lists of tensors, as ops: engines with fused kernels have fast paths.

Each takes the variables' values, gradients and slots, and gives the new values. A fast path may write
into the tensors that it is given and give those back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata import ops
from kerata.core.declare import op

TensorLike = Any
Tensor = Any
Tensors = list[Tensor]


def _mix(average: Tensor, new: Tensor, keep: float) -> Tensor:
    """`average + (new - average) * (1 - keep)`."""
    return ops.add(average, ops.multiply(ops.subtract(new, average), 1 - keep))


@op(name="optimizer_adam_update")
def adam_update(
    values: Sequence[TensorLike],
    gradients: Sequence[TensorLike],
    momentums: Sequence[TensorLike],
    velocities: Sequence[TensorLike],
    hats: Sequence[TensorLike],
    rate: TensorLike,
    step: TensorLike,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> tuple[Tensors, Tensors, Tensors, Tensors]:
    """Kingma and Ba (2014), end of section 2: both bias corrections in the rate. `hats`: AMSGrad."""
    t = ops.cast(step, "float32")
    scale = ops.divide(ops.sqrt(ops.subtract(1.0, ops.power(beta_2, t))), ops.subtract(1.0, ops.power(beta_1, t)))
    rate = ops.multiply(ops.cast(rate, "float32"), scale)
    new: tuple[Tensors, Tensors, Tensors, Tensors] = ([], [], [], [])
    for i, (x, g, m, v) in enumerate(zip(values, gradients, momentums, velocities, strict=True)):
        dtype = ops.dtype(x)
        g = ops.cast(g, dtype)
        m, v = _mix(m, g, beta_1), _mix(v, ops.square(g), beta_2)
        largest = ops.maximum(hats[i], v) if hats else v
        change = ops.divide(ops.multiply(m, ops.cast(rate, dtype)), ops.add(ops.sqrt(largest), epsilon))
        for column, value in zip(new, (ops.subtract(x, change), m, v, largest), strict=True):
            column.append(value)
    return new
