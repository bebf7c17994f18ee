"""A lifted function as one graph, compiled by TorchInductor: `jit_compile=True`.

The function runs once on copies while PyTorch writes down each of its operations, derivatives and updates included.
What cannot be written down whole (an optimizer of `torch.optim`) is compiled in pieces by `torch.compile`. Recurrent
layers run as they are: the compiler does not know PyTorch's LSTM, and takes minutes for a loop that is written out.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from kerata.backends.lift import HERE, MoreVariables, Traced
from kerata.core import tree
from kerata.core.errors import KerataError, UnknownValuesError
from kerata.core.state import STATE, setting
from kerata.core.variable import Variable

Tensor = Any


_MOST_NODES = 3000  # TorchInductor takes about 10 ms for each


class _NotWorthIt(Exception):
    """The graph takes longer to compile than it will save."""


class Compiled(Traced):
    """One version: as one graph, or in another way where there cannot be one or it does not pay."""

    tensors = (torch.Tensor,)
    graph: Callable[..., Any] | None = None
    other: Callable[..., Any] | None = None  # another way than one graph

    @staticmethod
    def signature(tensor: Tensor) -> tuple[Any, ...]:
        mode = (_recorded(tensor), torch.is_grad_enabled())
        return type(tensor), tensor.shape, tensor.dtype, tensor.device, *mode

    def stand_in(self, variable: Variable) -> Tensor:
        return _copy(_settled(variable))

    def __call__(self, dynamic: list[Tensor]) -> Any:
        if self.graph is None and self.other is None:
            self._compile(dynamic)
        if self.graph is None:
            return self._otherwise(dynamic)
        with torch.no_grad():
            flat = self.graph(*map(_settled, self.variables), *(x.contiguous() for x in dynamic))
        count = len(flat) - len(self.changed)
        for v, value in zip(self.changed, flat[count:], strict=True):
            self.engine.write(v, value)
        return self.results(flat[:count])

    def _compile(self, dynamic: list[Tensor]) -> None:
        try:
            with _tracing(), _WithoutValues():
                self.graph = self._whole([_copy(x.contiguous()) for x in dynamic])
        except KerataError:  # the user's mistake, which no other way of compiling mends
            raise
        except _NotWorthIt:
            self.other = self.fn
        except Exception:
            self.other = _in_pieces(self.fn)

    def _whole(self, dynamic: list[Tensor]) -> Callable[..., Any]:
        import torch._inductor  # the compiler: seconds, and only for `jit_compile=True`
        from torch.fx.experimental.proxy_tensor import make_fx

        def flat(*tensors: Tensor) -> tuple[Tensor, ...]:
            count = len(self.variables)
            out, new = self.pure(tensors[:count], tensors[count:])
            if any(map(_recorded, out)):
                raise LookupError("results that may be differentiated outside")
            return *out, *new

        while True:
            values = [_copy(_settled(v)) for v in self.variables]
            try:
                written = make_fx(flat)(*values, *dynamic)
                break
            except MoreVariables:
                continue
        if len(written.graph.nodes) > _MOST_NODES or any("rnn" in str(n.target) for n in written.graph.nodes):
            raise _NotWorthIt
        constants = (getattr(written, n.target, None) for n in written.graph.nodes if n.op == "get_attr")
        if any(isinstance(c, torch.nn.Parameter) for c in constants):
            raise LookupError("parameters that are not Kerata's, which may be trained outside")
        with torch.no_grad():
            return torch._inductor.compile(written, [*map(_settled, self.variables), *dynamic])

    def _otherwise(self, dynamic: list[Tensor]) -> Any:
        fresh = iter(dynamic)
        leaves = [next(fresh) if s is HERE else s for s in self.static]
        args, kwargs = tree.pack_sequence_as(self.structure, leaves)
        return self.other(*args, **kwargs)  # type: ignore[misc]


def is_written(x: Tensor) -> bool:
    """Whether it is computed by the operations that are being written down."""
    from torch.fx.experimental.proxy_tensor import get_proxy_mode, get_proxy_slot

    mode = get_proxy_mode()
    return mode is not None and get_proxy_slot(x, mode.tracer, None) is not None


class _WithoutValues(TorchFunctionMode):
    """NumPy may not read what is written down: the compiled function would have these values for ever."""

    def __torch_function__(self, fn: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if fn in (torch.Tensor.numpy, torch.Tensor.__array__) and is_written(args[0]):
            raise UnknownValuesError.native()
        return fn(*args, **kwargs or {})


def _in_pieces(fn: Callable[..., Any]) -> Callable[..., Any]:
    compiled = torch.compile(fn)

    def call(*args: Any, **kwargs: Any) -> Any:
        with _tracing():
            return compiled(*args, **kwargs)

    return call


def _recorded(x: Tensor) -> bool:
    return x.requires_grad and torch.is_grad_enabled()


def _copy(x: Tensor) -> Tensor:
    """The trace computes with it, and may write into it."""
    return x.detach().clone().requires_grad_(x.requires_grad)


def _settled(variable: Variable) -> Tensor:
    """Its value in the memory order that was compiled for."""
    container = variable._container
    if container is None:
        container = variable.keep_promise()
    if not container.is_contiguous():
        container = variable._container = container.contiguous()
    return container


@contextmanager
def _tracing() -> Any:
    with setting(tracing=STATE.tracing + 1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the compiler's hints are not for the user of a model
        yield
