"""The updates of optimizers on lists of tensors, as ops: engines with fused kernels have fast paths.

Each takes the variables' values, their gradients and slots, and gives the new values and slots. A fast
path may write into the tensors that it is given and give the same lists back; under a scope, where the
tensors may be somebody's, the composition runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerata import ops
from kerata.core.declare import Op, explain, op, slow_call
from kerata.core.dispatch import ENGINE_OF
from kerata.core.errors import KerataError
from kerata.core.state import STATE

TensorLike = Any
Tensor = Any
Tensors = Sequence[TensorLike]


def _in_place(declared: Op) -> Callable[..., Any]:
    """The way in: one look at the first tensor, and straight to the engine."""
    run, body = declared.run, declared.body

    def call(first: Any, *rest: Any) -> Any:
        engine = ENGINE_OF.get(type(first[0] if type(first) is list and first else first))
        if engine is None:
            return slow_call(declared, (first, *rest), {})
        if STATE.scope is not None or STATE.engine is not engine:
            return body(first, *rest)
        try:
            return run(engine, (first, *rest), {})
        except KerataError:
            raise
        except Exception as error:
            raise explain(declared, error, (first, *rest), {}) from None

    return call


def update_op(body: Callable[..., Any]) -> Callable[..., Any]:
    """Declares an update, `optimizer_<name>`."""
    return op(body, name=f"optimizer_{body.__name__}", call=_in_place)


def columns(rows: list[tuple[Tensor, ...]]) -> list[list[Tensor]]:
    """The rows that were computed for each variable, as a list for each kind of tensor."""
    return [list(column) for column in zip(*rows, strict=True)]


def mix(average: Tensor, new: Tensor, keep: Any) -> Tensor:
    """`keep * average + (1 - keep) * new`, exact where both are equal."""
    return ops.add(average, ops.multiply(ops.subtract(new, average), 1 - keep))


def like(scalar: Tensor, x: Tensor) -> Tensor:
    """A scalar in the dtype of a tensor."""
    return ops.cast(scalar, ops.dtype(x))


@update_op
def next_step(iterations: TensorLike) -> Tensor:
    """`iterations + 1`."""
    return ops.add(iterations, 1)


@update_op
def count(iterations: TensorLike) -> Tensor:
    """`iterations + 1` as float32, for powers of it."""
    return ops.add(ops.cast(iterations, "float32"), 1.0)


@update_op
def decay(values: Tensors, rate: TensorLike, amount: float) -> list[Tensor]:
    """`values * (1 - rate * amount)`: Loshchilov and Hutter (2019), decoupled from the gradient."""
    factor = ops.subtract(1.0, ops.multiply(rate, amount))
    return [ops.multiply(x, like(factor, x)) for x in values]


@update_op
def average(averages: Tensors, values: Tensors, keep: TensorLike) -> list[Tensor]:
    """`keep * averages + (1 - keep) * values`."""
    return [
        ops.add(ops.multiply(a, like(keep, a)), ops.multiply(x, like(ops.subtract(1.0, keep), x)))
        for a, x in zip(averages, values, strict=True)
    ]


@update_op
def limit_norms(gradients: Tensors, limit: float) -> list[Tensor]:
    """Each gradient shortened to a norm of at most `limit`."""
    return [_limited(g, ops.sqrt(_squares([g])), limit) for g in gradients]


@update_op
def limit_global_norm(gradients: Tensors, limit: float) -> list[Tensor]:
    """All gradients shortened by one factor, to a common norm of at most `limit`."""
    norm = ops.sqrt(_squares(gradients))
    return [_limited(g, norm, limit) for g in gradients]


def _squares(gradients: Tensors) -> Tensor:
    """In 32 bits at least."""
    wide = [g if ops.dtype(g) == "float64" else ops.cast(g, "float32") for g in gradients]
    total = ops.sum(ops.square(wide[0]))
    for g in wide[1:]:
        total = ops.add(total, ops.sum(ops.square(g)))
    return total


def _limited(g: Tensor, norm: Tensor, limit: float) -> Tensor:
    return ops.multiply(g, like(ops.divide(limit, ops.maximum(norm, limit)), g))


@update_op
def adam(
    values: Tensors, gradients: Tensors, momentums: Tensors, velocities: Tensors, rate: TensorLike, step: TensorLike,
    beta_1: float, beta_2: float, epsilon: float,
) -> list[list[Tensor]]:  # fmt: skip
    """Kingma and Ba (2014), end of section 2: both bias corrections are in the rate."""
    step, beta_1, beta_2 = in_precision(values, step, beta_1, beta_2)
    rate = ops.multiply(rate, _bias_correction(step, beta_1, beta_2))
    rows = []
    for x, g, m, v in zip(values, gradients, momentums, velocities, strict=True):
        g = like(g, x)
        m, v = mix(m, g, beta_1), mix(v, ops.square(g), beta_2)
        rows.append((_adam_step(x, m, v, rate, epsilon), m, v))
    return columns(rows)


@update_op
def amsgrad(
    values: Tensors, gradients: Tensors, momentums: Tensors, velocities: Tensors, hats: Tensors, rate: TensorLike,
    step: TensorLike, beta_1: float, beta_2: float, epsilon: float,
) -> list[list[Tensor]]:  # fmt: skip
    """Reddi, Kale and Kumar (2018): Adam with the largest average of squares so far."""
    step, beta_1, beta_2 = in_precision(values, step, beta_1, beta_2)
    rate = ops.multiply(rate, _bias_correction(step, beta_1, beta_2))
    rows = []
    for x, g, m, v, hat in zip(values, gradients, momentums, velocities, hats, strict=True):
        g = like(g, x)
        m, v = mix(m, g, beta_1), mix(v, ops.square(g), beta_2)
        hat = ops.maximum(hat, v)
        rows.append((_adam_step(x, m, hat, rate, epsilon), m, v, hat))
    return columns(rows)


def _bias_correction(step: Tensor, beta_1: float, beta_2: float) -> Tensor:
    return ops.divide(ops.sqrt(lost(beta_2, step)), lost(beta_1, step))


def lost(beta: float, step: Tensor) -> Tensor:
    """`1 - beta**step` without the power, whose rounding is a thousand times larger beside 1 - 0.999."""
    if beta == 0:
        return ops.ones_like(step)
    return ops.negative(ops.expm1(ops.multiply(step, math.log(beta))))


def in_precision(values: Tensors, step: Tensor, *betas: float) -> tuple[Any, ...]:
    """The number of the step and the betas in the precision of the variables, of which 32 bits are the least.

    What is mixed in, 1 - beta, and the correction of the bias then belong to one beta. For 0.999 that of 32 bits is
    a hundred thousandth away from what 64 bits would have.
    """
    if ops.dtype(values[0]) == "float64":
        return ops.cast(step, "float64"), *betas
    return step, *(float(np.float32(beta)) for beta in betas)


def _adam_step(x: Tensor, m: Tensor, v: Tensor, rate: Tensor, epsilon: float) -> Tensor:
    return ops.subtract(x, ops.divide(ops.multiply(m, like(rate, x)), ops.add(ops.sqrt(v), epsilon)))


@update_op
def sgd(values: Tensors, gradients: Tensors, rate: TensorLike) -> list[list[Tensor]]:
    """`x - rate * g`."""
    return [
        [
            ops.subtract(x, ops.multiply(like(g, x), like(rate, x)))
            for x, g in zip(values, gradients, strict=True)
        ]
    ]


@update_op
def sgd_momentum(
    values: Tensors, gradients: Tensors, momentums: Tensors, rate: TensorLike, momentum: float, nesterov: bool
) -> list[list[Tensor]]:
    """`m = momentum * m - rate * g`; then `x + m`, or with Nesterov `x + momentum * m - rate * g`."""
    rows = []
    for x, g, m in zip(values, gradients, momentums, strict=True):
        push = ops.multiply(like(g, x), like(rate, x))
        m = ops.subtract(ops.multiply(m, momentum), push)
        ahead = ops.subtract(ops.multiply(m, momentum), push) if nesterov else m
        rows.append((ops.add(x, ahead), m))
    return columns(rows)


@update_op
def rmsprop(
    values: Tensors, gradients: Tensors, velocities: Tensors, momentums: Tensors, means: Tensors, rate: TensorLike,
    rho: float, momentum: float, epsilon: float,
) -> list[list[Tensor]]:  # fmt: skip
    """Tieleman and Hinton (2012); centred (Graves, 2013) if there are `means`, with momentum if there are `momentums`."""
    new: list[list[Tensor]] = [[], [], [], []]
    for i, (x, g, v) in enumerate(zip(values, gradients, velocities, strict=True)):
        g = like(g, x)
        v = mix(v, ops.square(g), rho)
        size = v
        if means:
            mean = mix(means[i], g, rho)
            size = ops.subtract(v, ops.square(mean))
            new[3].append(mean)
        push = ops.divide(ops.multiply(g, like(rate, x)), ops.sqrt(ops.add(size, epsilon)))
        if momentums:
            push = ops.add(ops.multiply(momentums[i], momentum), push)
            new[2].append(push)
        new[0].append(ops.subtract(x, push))
        new[1].append(v)
    return new
