"""The primitives of sliding windows: convolution, pooling and their derivatives.

They belong to the closed set of `kerata.core.primitives`. Each takes a plan of `kerata.core.geometry`, has operands
of equal dtype, and gives that dtype. The three of convolution are each other's derivatives, as are those of max
pooling and of average pooling, so derivatives of any order stay among them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kerata.core.declare import new_abstract, primitive
from kerata.core.geometry import ConvPlan, PoolPlan

Tensor = Any
Pair = tuple[Tensor, Tensor]
Bind = Callable[..., Any]


# ---- convolution ---------------------------------------------------------------------------------
# `x` has the plan's `in_shape`, `g` its `out_shape`, `kernel` its `kernel_shape`. Sums of
# integers are exact up to 2^53 on every engine.


def _conv_rule(x: Tensor, kernel: Tensor, *, plan: ConvPlan) -> Tensor:
    return new_abstract(plan.out_shape(x._shape[0]), x._dtype)


def _input_rule(g: Tensor, kernel: Tensor, *, plan: ConvPlan) -> Tensor:
    return new_abstract(plan.in_shape(g._shape[0]), g._dtype)


def _kernel_rule(x: Tensor, g: Tensor, *, plan: ConvPlan) -> Tensor:
    return new_abstract(plan.kernel_shape, x._dtype)


def _conv_derivative(g: Tensor, y: Tensor, x: Tensor, kernel: Tensor, *, plan: ConvPlan) -> Pair:
    return conv_input_grad(g, kernel, plan=plan), conv_kernel_grad(x, g, plan=plan)


def _input_derivative(h: Tensor, y: Tensor, g: Tensor, kernel: Tensor, *, plan: ConvPlan) -> Pair:
    return conv(h, kernel, plan=plan), conv_kernel_grad(h, g, plan=plan)


def _kernel_derivative(h: Tensor, y: Tensor, x: Tensor, g: Tensor, *, plan: ConvPlan) -> Pair:
    return conv_input_grad(g, h, plan=plan), conv(x, h, plan=plan)


conv: Bind = primitive("conv", _conv_rule, _conv_derivative)
# Also the transposed convolution.
conv_input_grad: Bind = primitive("conv_input_grad", _input_rule, _input_derivative)
conv_kernel_grad: Bind = primitive("conv_kernel_grad", _kernel_rule, _kernel_derivative)


# ---- pooling -------------------------------------------------------------------------------------
# Padding is no element of a window: it is never the largest, and averages do not count it.


def _pool_rule(x: Tensor, *, plan: PoolPlan) -> Tensor:
    return new_abstract(plan.out_shape(x._shape[0], x._shape[plan.channel_axis]), x._dtype)


def _unpool_rule(g: Tensor, *, plan: PoolPlan) -> Tensor:
    return new_abstract(plan.in_shape(g._shape[0], g._shape[plan.channel_axis]), g._dtype)


# NaN is the largest. Of equals, the first in row-major order has the derivative; of several NaN, one of them.
# It takes any numbers, and bool.
max_pool: Bind = primitive("max_pool", _pool_rule, lambda g, y, x, *, plan: (max_pool_grad(g, x, plan=plan),))
# Puts each element of `g` where the largest element of its window in `x` is, and zeros elsewhere.
max_pool_grad: Bind = primitive(
    "max_pool_grad",
    lambda g, x, *, plan: new_abstract(x._shape, g._dtype),
    lambda h, y, g, x, *, plan: (max_pool_take(h, x, plan=plan), None),
)
# Takes from `h`, which is shaped like `x`, the elements where the largest of each window in `x` are.
max_pool_take: Bind = primitive(
    "max_pool_take",
    lambda h, x, *, plan: _pool_rule(h, plan=plan),
    lambda g, y, h, x, *, plan: (max_pool_grad(g, x, plan=plan), None),
)
avg_pool: Bind = primitive("avg_pool", _pool_rule, lambda g, y, x, *, plan: (avg_pool_grad(g, plan=plan),))
avg_pool_grad: Bind = primitive(
    "avg_pool_grad", _unpool_rule, lambda h, y, g, *, plan: (avg_pool(h, plan=plan),)
)
