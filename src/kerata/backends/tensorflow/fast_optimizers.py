"""TensorFlow's kernels for the updates of optimizers, which write into the variables, of 32 bits all.

Without them an update is a dozen small ops for each variable, and each is a node that the executor has to schedule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

Columns = Sequence[Sequence[tf.Variable]]


def _adam(
    gradients: Sequence[tf.Tensor], columns: Columns, rate: tf.Tensor, step: tf.Tensor, beta_1: float, beta_2: float,
    epsilon: float,
) -> None:  # fmt: skip
    """The corrections of the bias are in the rate; those of the kernel would be rounded a thousand times more."""
    rate = rate * tf.sqrt(_lost(beta_2, step)) / _lost(beta_1, step)
    for gradient, variable, momentum, velocity in zip(gradients, *columns, strict=True):
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle, m=momentum.handle, v=velocity.handle, beta1_power=0.0, beta2_power=0.0, lr=rate,
            beta1=beta_1, beta2=beta_2, epsilon=epsilon, grad=gradient,
        )  # fmt: skip


def _lost(beta: float, step: tf.Tensor) -> tf.Tensor:
    """`1 - beta**step` of beta in 32 bits, as in `optimizers.updates.lost`."""
    return -tf.math.expm1(step * math.log(float(np.float32(beta)))) if beta else tf.ones_like(step)


def _sgd(gradients: Sequence[tf.Tensor], columns: Columns, rate: tf.Tensor) -> None:
    for gradient, variable in zip(gradients, *columns, strict=True):
        tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=rate, delta=gradient)


TABLE: dict[str, Callable[..., None]] = {"optimizer_adam": _adam, "optimizer_sgd": _sgd}
