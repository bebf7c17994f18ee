"""PyTorch's native routes of composed ops. Deleting this table leaves a slow and correct engine."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

from kerata.backends.tables import FastPaths, all_integers, routing
from kerata.core import rules

TABLE: FastPaths = {}
Tensor = Any


fast_path = routing(TABLE)


F32 = (torch.float32, torch.float64)


def _plain_axis(x: Tensor, axis: Any, keepdims: Any) -> bool:
    """An empty tuple is all axes for PyTorch, and a scalar has an axis; other kinds of numbers it does not take."""
    if type(keepdims) is not bool or (axis is not None and not x.ndim):
        return False
    return (
        axis is None
        or type(axis) is int
        or (type(axis) is tuple and axis != () and {int}.issuperset(map(type, axis)))
    )


@fast_path(
    "mean", when=lambda x, axis=None, keepdims=False: x.dtype in F32 and _plain_axis(x, axis, keepdims)
)
def _(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    return torch.mean(x, dim=axis, keepdim=keepdims)


def _floats(*xs: Any) -> bool:
    """All given tensors are of one wide floating dtype."""
    dtype = None
    for x in xs:
        if x is None or x.dtype is dtype:
            continue
        if dtype is not None or x.dtype not in F32:
            return False
        dtype = x.dtype
    return dtype is not None


def _linear_fits(x: Tensor, kernel: Tensor, bias: Tensor | None = None) -> bool:
    dtype, shape = x.dtype, kernel.shape
    if (
        dtype not in F32
        or kernel.dtype is not dtype
        or x.ndim < 2
        or len(shape) != 2
        or x.shape[-1] != shape[0]
    ):
        return False
    return bias is None or (bias.dtype is dtype and bias.shape == shape[1:])


@fast_path("linear", when=_linear_fits)
def _(x: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
    if bias is None:
        return torch.matmul(x, kernel)
    if x.ndim == 2:
        return torch.addmm(bias, x, kernel)
    return torch.addmm(bias, x.flatten(0, -2), kernel).view(*x.shape[:-1], kernel.shape[1])


FLOATS = (*F32, torch.float16, torch.bfloat16)  # these kernels compute half precision in float32

# ---- what is one function of PyTorch: the shortest way from Python ---------------------------------

TABLE["matmul"] = (lambda x1, x2: x1.dtype in F32 and x2.dtype is x1.dtype, torch.matmul)
TABLE["transpose"] = (lambda x, axes=None: axes is None and x.ndim == 2, lambda x, axes=None: x.t())


@fast_path("reshape", when=lambda x, newshape: type(newshape) is tuple and all_integers(map(type, newshape)))
def _(x: Tensor, newshape: tuple[int, ...]) -> Tensor:
    try:
        return torch.reshape(x, newshape)
    except RuntimeError:
        rules.reshaped(tuple(x.shape), newshape)  # says it in words
        raise


@fast_path(
    "sum",
    when=lambda x, axis=None, keepdims=False: (
        x.dtype in F32 and type(axis) is not tuple and _plain_axis(x, axis, keepdims)
    ),
)
def _(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    return torch.sum(x) if axis is None and not keepdims else torch.sum(x, axis, keepdims)


for _name, _fn in {
    "relu": torch.relu, "silu": F.silu, "selu": torch.selu, "relu6": F.relu6, "log_sigmoid": F.logsigmoid,
}.items():  # fmt: skip
    TABLE[_name] = (lambda x: x.dtype in FLOATS, _fn)
TABLE["softsign"] = (lambda x: x.dtype in F32, F.softsign)
TABLE["elu"] = (lambda x, alpha=1.0: x.dtype in FLOATS, lambda x, alpha=1.0: F.elu(x, float(alpha)))
TABLE["softplus"] = (lambda x: x.dtype in F32, lambda x: F.softplus(x, threshold=40))


class _Gelu(torch.autograd.Function):
    """PyTorch's exact kernel loses digits on the left and infinity, the slope of the approximate one is NaN at 1e20."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, approximate: str) -> Tensor:
        if approximate == "tanh":
            return F.gelu(x, approximate="tanh")
        return torch.mul(x, -math.sqrt(0.5)).erfc_().mul_(0.5).mul_(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, str], output: Tensor) -> None:
        x, ctx.approximate = inputs
        ctx.save_for_backward(x)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors  # beyond 100, the slope is 0 or 1; at infinity, NaN
        slope = torch.ops.aten.gelu_backward(g, x.clamp(-100, 100), approximate=ctx.approximate)
        return torch.add(slope, x, alpha=0), None


@fast_path("gelu", when=lambda x, approximate=True: x.dtype in (FLOATS if approximate else F32))
def _(x: Tensor, approximate: bool = True) -> Tensor:
    return _Gelu.apply(x, "tanh" if approximate else "none")


@fast_path("leaky_relu", when=lambda x, negative_slope=0.2: x.dtype in FLOATS)
def _(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    return F.leaky_relu(x, float(negative_slope))


def _one_axis(x: Tensor, axis: Any = -1) -> bool:
    return x.dtype in F32 and type(axis) is int and -x.ndim <= axis < x.ndim


@fast_path("softmax", when=_one_axis)
def _(x: Tensor, axis: int = -1) -> Tensor:
    return torch.softmax(x, axis)


@fast_path("log_softmax", when=_one_axis)
def _(x: Tensor, axis: int = -1) -> Tensor:
    return torch.log_softmax(x, axis)


# ---- recurrences: PyTorch's own kernels take the gates in Keras's order for the LSTM ----------------


def _recurrence_fits(x: Tensor, *rest: Any, mask: Any = None, go_backwards: bool = False, **_: Any) -> bool:
    tensors = [t for t in rest if isinstance(t, torch.Tensor)]
    return mask is None and x.ndim == 3 and 0 not in x.shape and _floats(x, *tensors)


def _gates_fit(
    gates: int, x: Tensor, states: tuple[Tensor, ...], kernel: Tensor, recurrent_kernel: Tensor, *biases: Tensor | None
) -> bool:  # fmt: skip
    """PyTorch's kernels read beyond weights and states where these are too small."""
    units = kernel.shape[-1] // gates
    return (
        kernel.shape == (x.shape[2], gates * units) and recurrent_kernel.shape == (units, gates * units)
        and all(h.shape == (x.shape[0], units) for h in states)
        and all(bias is None or bias.shape == (gates * units,) for bias in biases)
    )  # fmt: skip


def _lstm_fits(
    x: Tensor, h: Tensor, c: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Any = None, mask: Any = None,
    go_backwards: bool = False, zero_output_for_mask: bool = False,
) -> bool:  # fmt: skip
    return _recurrence_fits(x, h, c, kernel, recurrent_kernel, bias, mask=mask) and _gates_fit(
        4, x, (h, c), kernel, recurrent_kernel, bias
    )


@fast_path("lstm", when=_lstm_fits)
def _(
    x: Tensor, h: Tensor, c: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Any = None, mask: Any = None,
    go_backwards: bool = False, zero_output_for_mask: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    weights = [kernel.t(), recurrent_kernel.t()]
    if bias is not None:
        weights += [bias, torch.zeros_like(bias)]
    x = x.flip(1) if go_backwards else x
    outputs, h, c = torch.lstm(x, [h[None], c[None]], weights, bias is not None, 1, 0.0, False, False, True)
    return outputs, h[0], c[0]


def _gru_fits(
    x: Tensor, h: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Any = None, recurrent_bias: Any = None,
    mask: Any = None, go_backwards: bool = False, zero_output_for_mask: bool = False,
) -> bool:  # fmt: skip
    return _recurrence_fits(x, h, kernel, recurrent_kernel, bias, recurrent_bias, mask=mask) and _gates_fit(
        3, x, (h,), kernel, recurrent_kernel, bias, recurrent_bias
    )


def _reset_first(columns: Tensor) -> Tensor:
    """Keras has the update gate first, PyTorch the reset gate."""
    z, r, n = columns.chunk(3, -1)
    return torch.cat([r, z, n], -1)


@fast_path("gru", when=_gru_fits)
def _(
    x: Tensor, h: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Any = None, recurrent_bias: Any = None,
    mask: Any = None, go_backwards: bool = False, zero_output_for_mask: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    weights = [_reset_first(kernel).t(), _reset_first(recurrent_kernel).t()]
    biased = bias is not None or recurrent_bias is not None
    if biased:
        zeros = torch.zeros(kernel.shape[-1], dtype=kernel.dtype, device=kernel.device)
        weights += [_reset_first(zeros if b is None else b) for b in (bias, recurrent_bias)]
    x = x.flip(1) if go_backwards else x
    outputs, h = torch.gru(x, h[None], weights, biased, 1, 0.0, False, False, True)
    return outputs, h[0]


from . import fast_losses as fast_losses  # noqa: E402  # these fill the table
from . import fast_nn as fast_nn  # noqa: E402
from . import fast_optimizers as fast_optimizers  # noqa: E402
