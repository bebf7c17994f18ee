"""The PyTorch engine: eager and in place; weights are `torch.nn.Parameter`s."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch.utils.checkpoint import checkpoint

from kerata.backends.lift import lifted
from kerata.backends.protocol import Engine
from kerata.core import dtypes, tree
from kerata.core.errors import ArgumentError
from kerata.core.replay import replayable
from kerata.core.state import STATE, StateScope

from . import fast, native
from .derivatives import wrapped
from .lift import Compiled, is_written
from .primitives import DTYPES, NAMES, TABLE, settle_vector_library

Tensor = Any


class TorchEngine(Engine):
    """Runs eagerly, in place; weights are `torch.nn.Parameter`, so PyTorch's own tools work on them."""

    name = "torch"
    tensor_types = (torch.Tensor, torch.nn.Parameter)
    compiles = False

    def __init__(self) -> None:
        settle_vector_library()
        self.primitives = TABLE
        self.fast_paths = fast.TABLE
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def floating_implementation(self, name: str, kind: type, dtype: str) -> Callable[..., Any]:
        fn = getattr(TABLE[name], "plain", TABLE[name])
        return fn if dtype.endswith("16") else getattr(fn, "otherwise", fn)

    # ---- tensors -----------------------------------------------------------------------------
    def convert(self, value: Any, dtype: str | None = None) -> Tensor:
        if isinstance(value, torch.Tensor):
            x = value
        else:
            x = _from_numpy(np.asarray(value))
        if dtype is not None and x.dtype != DTYPES[dtype]:
            x = TABLE["cast"](x, dtype)
        return x if x.device == self.device else x.to(self.device)

    def to_numpy(self, x: Tensor) -> np.ndarray:
        if x.dtype in _VIEWED:
            x = x.detach().cpu()
            return x.contiguous().view(_VIEWED[x.dtype]).numpy().view(dtypes.numpy_dtype(NAMES[x.dtype]))
        values = x.numpy(force=True)  # PyTorch may keep a conjugate, a negative or zeros as a mere flag
        return values.copy() if type(x) is torch.nn.Parameter else values  # which training writes into

    def take_over(self, x: Any, copy: bool) -> Tensor | None:
        """A copy of what other engines hold to be unchanging: PyTorch's tensors can be written. NumPy's arrays, which
        can, too, need no DLPack."""
        if isinstance(x, np.ndarray):
            return None
        try:
            shared = torch.from_dlpack(x)
        except Exception:  # no DLPack, or no such dtype or device: every library says so in its own way
            return None
        return shared.to(self.device, copy=True)

    def belongs_to_variable(self, x: Tensor) -> bool:
        return type(x) is torch.nn.Parameter

    def dtype_of(self, x: Tensor) -> str:
        return NAMES[x.dtype]

    def native_dtype(self, dtype: str) -> torch.dtype:
        return DTYPES[dtype]

    def is_concrete(self, x: Tensor) -> bool:
        return not wrapped(x) and not (STATE.compiling and is_written(x))

    def draws_on_host(self) -> bool:
        return self.device.type == "cpu" and not STATE.tracing

    def version(self) -> str:
        return torch.__version__

    def devices(self) -> list[str]:
        return ["cpu:0", *(f"gpu:{i}" for i in range(torch.cuda.device_count()))]

    def synchronize(self, x: Tensor) -> None:
        if x.device.type == "cuda":
            torch.cuda.synchronize(x.device)

    @contextlib.contextmanager
    def _on(self, device: torch.device) -> Any:
        old, self.device = self.device, device
        try:
            yield
        finally:
            self.device = old

    def device_scope(self, device: str | None) -> AbstractContextManager[Any]:
        if device is None:
            return contextlib.nullcontext()
        try:
            return self._on(torch.device(device.lower().replace("gpu", "cuda")))
        except RuntimeError:
            raise ArgumentError("device_name", expected=f"one of {self.devices()}", got=device) from None

    # ---- variables -----------------------------------------------------------------------------
    def new_variable(self, value: Tensor, trainable: bool, name: str) -> Tensor:
        value = value.detach().clone(memory_format=torch.contiguous_format)
        if trainable and (value.is_floating_point() or value.is_complex()):
            return torch.nn.Parameter(value)
        return value

    def read(self, container: Tensor) -> Tensor:
        return container

    def write(self, variable: Any, value: Tensor) -> None:
        self._put(variable, value, copy=True)

    def adopt(self, variable: Any, value: Tensor) -> None:
        self._put(variable, value, copy=False)

    def _put(self, variable: Any, value: Tensor, copy: bool) -> None:
        """A parameter is written in place: PyTorch's own optimizers hold that object. Anything else is
        replaced, so that a value read before stays what it was."""
        container = variable._container
        if value is container:  # a fused kernel has written into it already
            return
        if type(container) is torch.nn.Parameter:
            with torch.no_grad():
                container.copy_(value)
        else:
            value = value.detach()
            variable._container = value.clone() if copy else value

    def set_trainable(self, container: Tensor, trainable: bool) -> None:
        if type(container) is torch.nn.Parameter:
            container.requires_grad_(trainable)

    # ---- transforms ----------------------------------------------------------------------------
    def value_and_grad(
        self, fn: Callable[[], Any], variables: Sequence[Any], has_aux: bool
    ) -> tuple[Any, list[Any]]:
        scope = STATE.scope
        # What is assigned is written afterwards: until then it carries its derivatives, and no tensor that the
        # backward pass needs is written over.
        assigning = StateScope() if scope is None else None
        if scope is None:
            inputs = [v._container for v in variables]
            frozen = [x for x in inputs if not x.requires_grad]
            for x in frozen:
                x.requires_grad_(True)
        else:
            frozen = []
            inputs = [_fresh(v.raw(), STATE.backward > 0) for v in variables]
            for v, x in zip(variables, inputs, strict=True):
                scope.values[v] = x
        # a derivative inside another: its value and gradients are differentiated again
        nested = STATE.backward > 0
        STATE.backward += 1
        try:
            with _GradMode(True), assigning or _NOTHING:
                out = fn()
            loss = out[0] if has_aux else out
            grads: list[Any] = [None] * len(inputs)
            if loss.requires_grad:
                grads = list(torch.autograd.grad(loss, inputs, allow_unused=True, create_graph=nested))
        finally:
            STATE.backward -= 1
            for x in frozen:
                x.requires_grad_(False)
        for variable, value in assigning.assigned.items() if assigning is not None else ():
            variable.engine.write(variable, value)
        if nested:
            return out, grads
        loss = loss.detach()
        return ((loss, _detached(out[1])) if has_aux else loss), grads

    @staticmethod
    def _gradients(
        outputs: Sequence[Tensor], cotangents: Sequence[Any], inputs: Sequence[Tensor], deeper: bool = False
    ) -> list[Any]:
        pairs = [(o, g) for o, g in zip(outputs, cotangents) if o.requires_grad and g is not None]
        if not pairs:
            return [None] * len(inputs)
        reached, given = [o for o, _ in pairs], [g.to(o.dtype) for o, g in pairs]
        return list(torch.autograd.grad(reached, inputs, given, True, deeper, allow_unused=True))

    def vjp(self, fn: Callable[..., Any], inputs: Sequence[Tensor]) -> tuple[Any, Callable[[Any], list[Any]]]:
        # inside another derivative, perhaps by what `fn` reads
        nested = torch.is_grad_enabled() and (STATE.backward > 0 or any(x.requires_grad for x in inputs))
        inner = [_fresh(x, nested) if x.is_floating_point() or x.is_complex() else x for x in inputs]
        kept = [x for x in inner if x.requires_grad]
        with torch.enable_grad():
            out = fn(*inner)
        flat = tree.flatten(out)

        def back(cotangents: Any) -> list[Any]:
            given = tree.flatten(cotangents)
            deeper = nested or any(isinstance(g, torch.Tensor) and g.requires_grad for g in given)
            grads = iter(self._gradients(flat, given, kept, deeper))
            return [next(grads) if x.requires_grad else None for x in inner]

        return out if nested else _detached(out), back

    def function(self, fn: Callable[..., Any], options: Any) -> Callable[..., Any]:
        if options.jit_compile is not True:
            return self._on_tensors(fn)
        return lifted(Compiled, self, fn, options)

    def _on_tensors(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """The function of tensors where arrays are given, as functions of other engines are."""

        @functools.wraps(fn)
        def call(*args: Any, **kwargs: Any) -> Any:
            if kwargs or not _NOT_NESTED.issuperset(map(type, args)):
                args, kwargs = tree.map_structure(self._enter, (args, kwargs))
            else:
                args = tuple(self.convert(a) if type(a) is np.ndarray else a for a in args)
            return fn(*args, **kwargs)

        return call

    def _enter(self, x: Any) -> Any:
        return self.convert(x) if isinstance(x, (np.ndarray, np.generic)) else x

    def stop_gradient(self, x: Tensor) -> Tensor:
        return x.detach()

    def custom_gradient(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        return native.custom_gradient(fn, args)

    def remat(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            return checkpoint(replayable(fn), *args, use_reentrant=False, **kwargs)

        return call

    def cond(self, pred: Tensor, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
        if not wrapped(pred):
            return true_fn() if bool(pred) else false_fn()
        # Inside vectorized_map the condition differs from element to element: both sides, then a choice.
        return tree.map_structure(lambda a, b: torch.where(pred, a, b), true_fn(), false_fn())

    def while_loop(self, cond: Any, body: Any, state: tuple[Any, ...], limit: int | None) -> tuple[Any, ...]:
        count = 0
        while limit is None or count < limit:
            more = cond(*state)
            if not bool(_for_any_element(more)):
                break
            new = tuple(body(*state))
            # Inside vectorized_map, elements that are done stay what they are.
            state = tuple(torch.where(more, a, b) for a, b in zip(new, state)) if wrapped(more) else new
            count += 1
        return state

    def scan(self, step: Any, init: Any, xs: Any, length: int, reverse: bool, unroll: int) -> tuple[Any, Any]:
        carry, ys = init, []
        leaves = [x.unbind(0) for x in tree.flatten(xs)]
        order = range(length - 1, -1, -1) if reverse else range(length)
        for i in order:
            x = tree.pack_sequence_as(xs, [leaf[i] for leaf in leaves]) if xs is not None else None
            carry, y = step(carry, x)
            ys.append(y)
        if reverse:
            ys.reverse()
        if not ys:
            return carry, None
        return carry, tree.map_structure(lambda *parts: torch.stack(parts), *ys)

    def vectorized_map(self, fn: Callable[[Any], Any], elements: Any) -> Any:
        return torch.vmap(fn)(elements)

    def inference_scope(self) -> AbstractContextManager[Any]:
        return _GradMode(False)

    def seed(self, number: int) -> None:
        torch.manual_seed(number)

    def layer_attribute(self, layer: Any, name: str) -> Any:
        return native.layer_attribute(layer, name)


_NOT_NESTED = frozenset((np.ndarray, torch.Tensor, torch.nn.Parameter, type(None), int, float, bool, str))
_VIEWED = {torch.bfloat16: torch.int16, torch.float8_e4m3fn: torch.int8, torch.float8_e5m2: torch.int8}


class _GradMode:
    """`torch.enable_grad` or `torch.no_grad` in a third of its time, which short steps notice."""

    __slots__ = ("_before", "_wanted")

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted

    def __enter__(self) -> None:
        self._before = torch.is_grad_enabled()
        torch._C._set_grad_enabled(self._wanted)

    def __exit__(self, *_: object) -> None:
        torch._C._set_grad_enabled(self._before)


_NOTHING: Any = contextlib.nullcontext()
_SHARED = frozenset(map(np.dtype, ("float32", "float64", "int32", "int64", "uint8", "bool")))


def _from_numpy(array: np.ndarray) -> Tensor:
    if array.dtype in _SHARED and array.flags.c_contiguous and array.flags.writeable:
        return torch.from_numpy(array)  # the usual case, at once
    name = dtypes.standardize(array.dtype)
    target = DTYPES[name]
    if target in _VIEWED:
        bits = np.ascontiguousarray(array).view(np.int16 if array.dtype.itemsize == 2 else np.int8)
        return torch.from_numpy(bits.copy()).view(target).reshape(array.shape)  # a scalar became a row
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if any(s < 0 for s in array.strides):
        array = np.ascontiguousarray(array)
    if not array.flags.writeable:
        array = array.copy()  # PyTorch shares memory and does not know read-only
    return torch.from_numpy(array)


def _for_any_element(x: Tensor) -> Tensor:
    """Whether something holds for at least one element of those that `torch.vmap` runs at once."""
    while wrapped(x):
        x = torch._C._functorch.get_unwrapped(x)
    return x.any()


def _fresh(x: Tensor, nested: bool) -> Tensor:
    """An input to differentiate by: part of the outer graph in a nested derivative."""
    return x.view_as(x) if nested and x.requires_grad else x.detach().requires_grad_()


def _detached(x: Any) -> Any:
    """A structure with its tensors out of the graph; a tuple, as each step gives it, by the short way."""
    if isinstance(x, torch.Tensor):
        return x.detach()
    if type(x) is tuple:
        return tuple([_detached(v) for v in x])
    return tree.map_structure(_detached, x) if tree.is_nested(x) else x
