"""TensorFlow's kernels for the updates of optimizers, which write into the variables.

Without them an update is a dozen small ops for each variable, and each is a node that the executor has to schedule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

Tensor = Any


def _adam(
    row: Sequence[tf.Variable], gradient: Tensor, rate: Tensor, step: Tensor, beta_1: float, beta_2: float,
    epsilon: float,
) -> None:  # fmt: skip
    variable, momentum, velocity = row
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle, m=momentum.handle, v=velocity.handle, beta1_power=tf.math.pow(beta_1, step),
        beta2_power=tf.math.pow(beta_2, step), lr=rate, beta1=beta_1, beta2=beta_2, epsilon=epsilon, grad=gradient,
    )  # fmt: skip


def _sgd(row: Sequence[tf.Variable], gradient: Tensor, rate: Tensor) -> None:
    (variable,) = row
    tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=rate, delta=gradient)


TABLE: dict[str, Callable[..., None]] = {"optimizer_adam": _adam, "optimizer_sgd": _sgd}
