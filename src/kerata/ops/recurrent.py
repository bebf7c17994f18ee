"""Recurrences over the time axis as ops, so that engines can fuse them; and the loop of any cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, engine_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, Tolerance, rejects, sample

from .arithmetic import add, multiply, subtract
from .control import scan
from .creation import zeros_like
from .exponential import sigmoid
from .joining import stack
from .linear import check_shape, linear
from .logic import where
from .product import matmul
from .recurrent_backward import gru_sequence, lstm_sequence
from .shaping import expand_dims, flip, transpose
from .splitting import split
from .subscript import get_item
from .trigonometry import tanh

TensorLike = Any
Tensor = Any
_LOOSE = Tolerance(
    rtol=2e-5, atol=1e-5, because="a recurrence of matrix products; engines add in different order"
)


def time_major(x: Tensor) -> Tensor:
    """Swaps the batch and the time axis."""
    n = len(shape_of(x))
    return transpose(x, (1, 0, *range(2, n)))


def _chosen(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """`new` where the step is not masked; the mask has one value for each sample."""
    for _ in range(len(shape_of(new)) - len(shape_of(mask))):
        mask = expand_dims(mask, -1)
    return where(mask, new, old)


def loop(
    step: Callable[[Any, Any], tuple[Tensor, Sequence[Tensor]]],
    xs: Any,
    states: Sequence[Tensor],
    *,
    first_output: Tensor,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    unroll: bool = False,
    length: int,
    zero_output_for_mask: bool = False,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Runs `step(x_t, states) -> (output, states)` along the first axis of `xs`.

    A masked step keeps the states and repeats the last output (or gives zeros).

    Returns:
        Last output, all outputs (time first), last states.
    """

    def body(carry: Any, x: Any) -> tuple[Any, Tensor]:
        old_states, last = carry
        x_t, m = x if mask is not None else (x, None)
        output, new_states = step(x_t, old_states)
        if m is not None:
            shown = zeros_like(output) if zero_output_for_mask else last
            kept = _chosen(m, output, last)
            new_states = [_chosen(m, n, o) for n, o in zip(new_states, old_states, strict=True)]
            return (list(new_states), kept), _chosen(m, output, shown)
        return (list(new_states), output), output

    elements = (xs, time_major(mask) if len(shape_of(mask)) > 1 else mask) if mask is not None else xs
    init = (list(states), first_output)
    if unroll:
        (final, last), outputs = _unrolled(body, init, elements, length, go_backwards)
    else:
        (final, last), outputs = scan(body, init, elements, length=length, reverse=go_backwards)
    if go_backwards:  # outputs in the order in which they were computed
        outputs = flip(outputs, axis=0)
    return last, outputs, list(final)


def _unrolled(body: Any, carry: Any, xs: Any, length: int, reverse: bool) -> tuple[Any, Tensor]:
    ys = []
    for i in range(length - 1, -1, -1) if reverse else range(length):
        x = tuple(get_item(v, i) for v in xs) if isinstance(xs, tuple) else get_item(xs, i)
        carry, y = body(carry, x)
        ys.append(y)
    return carry, stack(ys[::-1] if reverse else ys, axis=0)


def _check_gates(
    gates: int,
    x: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    states: dict[str, Tensor],
    **biases: Tensor,
) -> None:
    """Refuses sizes that do not belong together."""
    if len(shape_of(x)) != 3:
        raise ArgumentError("x", expected="of shape (batch, time, size)", got=x)
    if len(shape_of(states["h"])) != 2:
        raise ArgumentError("h", expected="of shape (batch, units)", got=states["h"])
    units = shape_of(states["h"])[-1]
    for name, state in states.items():
        check_shape(name, state, (shape_of(x)[0], units))
    for name, bias in biases.items():
        if bias is not None:
            check_shape(name, bias, (gates * units,))
    check_shape("kernel", kernel, (shape_of(x)[2], gates * units))
    check_shape("recurrent_kernel", recurrent_kernel, (units, gates * units))


def _goes_back(x: Tensor, *others: Tensor) -> bool:
    """Whether derivatives will be taken backward, so that it pays to keep what they need. Of no steps there are none."""
    alike = all(dtype_of(v) == dtype_of(x) for v in others) and dtype_of(x) in ("float32", "float64")
    return alike and shape_of(x)[0] != 0 and engine_of(x).goes_backward(x, *others)


def _in_order(steps: Tensor, go_backwards: bool) -> Tensor:
    return flip(steps, axis=0) if go_backwards else steps


@op(
    samples=[
        sample(T((2, 4, 3)), T((2, 5)), T((2, 5)), T((3, 20)), T((5, 20)), T((20,))),
        sample(T((2, 4, 3)), T((2, 5)), T((2, 5)), T((3, 20)), T((5, 20)), None, go_backwards=True),
        sample(T((1, 1, 2)), T((1, 3)), T((1, 3)), T((2, 12)), T((3, 12)), T((12,))),
        sample(
            T((2, 3, 2)),
            T((2, 2)),
            T((2, 2)),
            T((2, 8)),
            T((2, 8)),
            T((8,)),
            mask=[[True, True, False], [True, False, True]],
        ),
        sample(
            T((3, 2, 2), "float64"),
            T((3, 2), "float64"),
            T((3, 2), "float64"),
            T((2, 8), "float64"),
            T((2, 8), "float64"),
            T((8,), "float64"),
        ),
    ],
    tolerance=_LOOSE,
    rejects=[
        rejects(T((2, 4, 3)), T((2, 5)), T((2, 5)), T((3, 20)), T((5, 20)), T((0,)), argument="bias"),
        rejects(T((2, 4, 3)), T((2, 5)), T((1, 5)), T((3, 20)), T((5, 20)), argument="c"),
        rejects(T((2, 4, 3)), T(()), T((2, 5)), T((3, 20)), T((5, 20)), argument="h"),
        rejects(T((2, 4, 3)), T((2, 5)), T((2, 5)), T((3, 19)), T((5, 20)), argument="kernel"),
        rejects(T((2, 4, 3)), T((2, 5)), T((2, 5)), T((3, 20)), T((4, 20)), argument="recurrent_kernel"),
        rejects(T((2, 3)), T((2, 5)), T((2, 5)), T((3, 20)), T((5, 20)), argument="x"),
    ],
)
def lstm(
    x: TensorLike,
    h: TensorLike,
    c: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike = None,
    mask: TensorLike = None,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """A long short-term memory over sequences.

    Args:
        x: inputs (batch, time, size).
        h: first output (batch, units).
        c: first cell state (batch, units).
        kernel: (size, 4 * units), for the input gate, forget gate, candidate and output gate in this order.
        recurrent_kernel: (units, 4 * units).
        bias: (4 * units,), or None.
        mask: bool (batch, time); masked steps change nothing.
        go_backwards: whether time runs from the end.
        zero_output_for_mask: whether masked steps give zeros; the last output otherwise.

    Returns:
        All outputs (batch, time, units) in the order of computation, last output, last cell state.

    Source:
        Hochreiter and Schmidhuber 1997; Gers et al. 2000 for the forget gate.

    Example:
        >>> import kerata; from kerata.ops.recurrent import lstm
        >>> z = kerata.ops.zeros
        >>> lstm(z((2, 3, 1)), z((2, 4)), z((2, 4)), z((1, 16)), z((4, 16)))[0].shape == (2, 3, 4)
        True
    """
    _check_gates(4, x, kernel, recurrent_kernel, {"h": h, "c": c}, bias=bias)
    projected = linear(time_major(x), kernel, bias)  # one product for all steps
    if mask is None and _goes_back(projected, h, c, recurrent_kernel):
        outputs, h, c = lstm_sequence(_in_order(projected, go_backwards), h, c, recurrent_kernel)
        return time_major(outputs), h, c

    def step(z: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        h, c = states
        i, f, g, o = split(add(z, matmul(h, recurrent_kernel)), 4, axis=-1)
        c = add(multiply(sigmoid(f), c), multiply(sigmoid(i), tanh(g)))
        h = multiply(sigmoid(o), tanh(c))
        return h, [h, c]

    _, outputs, (h, c) = loop(
        step, projected, [h, c], first_output=zeros_like(h), mask=mask, go_backwards=go_backwards,
        length=shape_of(x)[1], zero_output_for_mask=zero_output_for_mask,
    )  # fmt: skip
    return time_major(outputs), h, c


@op(
    samples=[
        sample(T((2, 4, 3)), T((2, 5)), T((3, 15)), T((5, 15)), T((15,)), T((15,))),
        sample(T((2, 4, 3)), T((2, 5)), T((3, 15)), T((5, 15)), None, None, go_backwards=True),
        sample(
            T((2, 3, 2)),
            T((2, 2)),
            T((2, 6)),
            T((2, 6)),
            T((6,)),
            T((6,)),
            mask=[[True, True, False], [True, False, True]],
        ),
        sample(T((1, 1, 2)), T((1, 3)), T((2, 9)), T((3, 9)), T((9,)), T((9,))),
        sample(
            T((2, 3, 2), "float64"),
            T((2, 2), "float64"),
            T((2, 6), "float64"),
            T((2, 6), "float64"),
            T((6,), "float64"),
            T((6,), "float64"),
        ),
    ],
    tolerance=_LOOSE,
    rejects=[
        rejects(T((2, 4, 3)), T((2, 5)), T((3, 15)), T((5, 15)), T((14,)), argument="bias"),
        rejects(T((2, 4, 3)), T((2, 5)), T((3, 15)), T((5, 15)), None, T((0,)), argument="recurrent_bias"),
        rejects(T((2, 4, 3)), T((1, 5)), T((3, 15)), T((5, 15)), argument="h"),
        rejects(T((2, 4, 3)), T((2, 5)), T((3, 14)), T((5, 15)), argument="kernel"),
        rejects(T((2, 4, 3)), T((2, 5)), T((3, 15)), T((4, 15)), argument="recurrent_kernel"),
        rejects(T((2, 3)), T((2, 5)), T((3, 15)), T((5, 15)), argument="x"),
    ],
)
def gru(
    x: TensorLike,
    h: TensorLike,
    kernel: TensorLike,
    recurrent_kernel: TensorLike,
    bias: TensorLike = None,
    recurrent_bias: TensorLike = None,
    mask: TensorLike = None,
    go_backwards: bool = False,
    zero_output_for_mask: bool = False,
) -> tuple[Tensor, Tensor]:
    """A gated recurrent unit over sequences, the reset gate after the recurrent product.

    Args:
        x: inputs (batch, time, size).
        h: first output (batch, units).
        kernel: (size, 3 * units), for the update gate, reset gate and candidate in this order.
        recurrent_kernel: (units, 3 * units).
        bias: (3 * units,), or None.
        recurrent_bias: (3 * units,), or None.
        mask: bool (batch, time); masked steps change nothing.
        go_backwards: whether time runs from the end.
        zero_output_for_mask: whether masked steps give zeros; the last output otherwise.

    Returns:
        All outputs (batch, time, units) in the order of computation, and the last one.

    Source:
        Cho et al. 2014, in the variant of cuDNN.

    Example:
        >>> import kerata; from kerata.ops.recurrent import gru
        >>> z = kerata.ops.zeros
        >>> gru(z((2, 3, 1)), z((2, 4)), z((1, 12)), z((4, 12)))[0].shape == (2, 3, 4)
        True
    """
    _check_gates(3, x, kernel, recurrent_kernel, {"h": h}, bias=bias, recurrent_bias=recurrent_bias)
    projected = linear(time_major(x), kernel, bias)
    if mask is None and _goes_back(projected, h, recurrent_kernel):
        given = () if recurrent_bias is None else (recurrent_bias,)
        outputs, h = gru_sequence(_in_order(projected, go_backwards), h, recurrent_kernel, *given)
        return time_major(outputs), h

    def step(p: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        (h,) = states
        xz, xr, xh = split(p, 3, axis=-1)
        rz, rr, rh = split(linear(h, recurrent_kernel, recurrent_bias), 3, axis=-1)
        z, r = sigmoid(add(xz, rz)), sigmoid(add(xr, rr))
        candidate = tanh(add(xh, multiply(r, rh)))
        h = add(multiply(z, h), multiply(subtract(1.0, z), candidate))
        return h, [h]

    _, outputs, (state,) = loop(
        step, projected, [h], first_output=zeros_like(h), mask=mask, go_backwards=go_backwards,
        length=shape_of(x)[1], zero_output_for_mask=zero_output_for_mask,
    )  # fmt: skip
    return time_major(outputs), state
