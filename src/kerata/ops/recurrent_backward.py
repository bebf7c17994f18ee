"""The LSTM and the GRU over whole sequences, with derivatives that are derived by hand.

The gates of each step are kept on the way forward. On the way back, all factors that do not depend on the cotangents
are computed for all steps at once, and the derivative of the recurrent kernel is one product after the loop; an
engine's own derivative of the loop computes and adds one for each step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kerata.core.dispatch import shape_of

from .arithmetic import add, multiply, subtract
from .control import custom_gradient, scan
from .exponential import sigmoid
from .joining import concatenate
from .linear import linear
from .product import matmul
from .reduction import sum
from .shaping import expand_dims, reshape, transpose
from .splitting import split
from .subscript import get_item
from .trigonometry import tanh

Tensor = Any
Gradients = Callable[..., tuple[Tensor, ...]]


def _before(first: Tensor, states: Tensor) -> Tensor:
    """The state that each step started from, of the states (time, batch, units) that the steps led to."""
    return concatenate([expand_dims(first, 0), get_item(states, slice(None, -1))], axis=0)


def _slope_of_sigmoid(y: Tensor) -> Tensor:
    return multiply(y, subtract(1.0, y))


def _slope_of_tanh(y: Tensor) -> Tensor:
    return subtract(1.0, multiply(y, y))


def _of_kernel(states: Tensor, gates: Tensor) -> Tensor:
    """The derivative of the recurrent kernel: the sum over all steps and samples, as one product."""
    rows, columns = (reshape(x, (-1, shape_of(x)[-1])) for x in (states, gates))
    return matmul(transpose(rows), columns)


@custom_gradient
def lstm_sequence(z: Tensor, h0: Tensor, c0: Tensor, kernel: Tensor) -> tuple[Any, Gradients]:
    """Outputs (time, batch, units), last output and last cell state.

    Args:
        z: the products of the inputs, with bias: (time, batch, 4 * units).
        h0: first output (batch, units).
        c0: first cell state (batch, units).
        kernel: the recurrent kernel (units, 4 * units).
    """

    def step(carry: list[Tensor], z_t: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        h, c = carry
        i, f, g, o = split(add(z_t, matmul(h, kernel)), 4, axis=-1)
        i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
        c = add(multiply(f, c), multiply(i, g))
        t = tanh(c)
        h = multiply(o, t)
        return [h, c], [h, c, i, f, g, o, t]

    (h, c), (hs, cs, i, f, g, o, t) = scan(step, [h0, c0], z)

    def gradients(d_hs: Tensor, d_h: Tensor, d_c: Tensor) -> tuple[Tensor, ...]:
        h_to_c = multiply(o, _slope_of_tanh(t))
        factors = concatenate(
            [
                multiply(g, _slope_of_sigmoid(i)),
                multiply(_before(c0, cs), _slope_of_sigmoid(f)),
                multiply(i, _slope_of_tanh(g)),
                multiply(t, _slope_of_sigmoid(o)),
            ],
            axis=-1,
        )
        turned = transpose(kernel)

        def back(carry: list[Tensor], row: list[Tensor]) -> tuple[list[Tensor], Tensor]:
            d_h, d_c = carry
            d_out, through, factor, forget = row
            d_h = add(d_h, d_out)
            d_c = add(d_c, multiply(d_h, through))
            d_z = multiply(concatenate([d_c, d_c, d_c, d_h], axis=-1), factor)
            return [matmul(d_z, turned), multiply(d_c, forget)], d_z

        (d_h0, d_c0), d_z = scan(back, [d_h, d_c], [d_hs, h_to_c, factors, f], reverse=True)
        return d_z, d_h0, d_c0, _of_kernel(_before(h0, hs), d_z)

    return (hs, h, c), gradients


@custom_gradient
def gru_sequence(
    z: Tensor, h0: Tensor, kernel: Tensor, *bias: Tensor
) -> tuple[tuple[Tensor, Tensor], Gradients]:
    """Outputs (time, batch, units) and the last one, the reset gate after the recurrent product.

    Args:
        z: the products of the inputs, with bias: (time, batch, 3 * units).
        h0: first output (batch, units).
        kernel: the recurrent kernel (units, 3 * units).
        bias: the recurrent bias (3 * units,), if there is one.
    """

    def step(h: Tensor, z_t: Tensor) -> tuple[Tensor, list[Tensor]]:
        xu, xr, xn = split(z_t, 3, axis=-1)
        hu, hr, hn = split(linear(h, kernel, *bias), 3, axis=-1)
        u, r = sigmoid(add(xu, hu)), sigmoid(add(xr, hr))
        n = tanh(add(xn, multiply(r, hn)))
        h = add(multiply(u, h), multiply(subtract(1.0, u), n))
        return h, [h, u, r, n, hn]

    h, (hs, u, r, n, hn) = scan(step, h0, z)

    def gradients(d_hs: Tensor, d_h: Tensor) -> tuple[Tensor, ...]:
        before = _before(h0, hs)
        of_u = multiply(subtract(before, n), _slope_of_sigmoid(u))
        of_n = multiply(subtract(1.0, u), _slope_of_tanh(n))
        of_r = multiply(multiply(of_n, hn), _slope_of_sigmoid(r))
        factors = concatenate([of_u, of_r, multiply(of_n, r)], axis=-1)
        turned = transpose(kernel)

        def back(d_h: Tensor, row: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
            d_out, factor, kept = row
            d_h = add(d_h, d_out)
            d_gates = multiply(concatenate([d_h, d_h, d_h], axis=-1), factor)
            return add(multiply(d_h, kept), matmul(d_gates, turned)), [d_h, d_gates]

        d_h0, (d_all, d_gates) = scan(back, d_h, [d_hs, factors, u], reverse=True)
        d_z = concatenate([multiply(d_all, of_u), multiply(d_all, of_r), multiply(d_all, of_n)], axis=-1)
        d_bias = [sum(d_gates, axis=(0, 1)) for _ in bias]
        return d_z, d_h0, _of_kernel(before, d_gates), *d_bias

    return (hs, h), gradients
