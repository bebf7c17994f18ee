"""The NumPy engine: needs nothing beside NumPy, runs directly, and trains."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerata.backends.protocol import Engine
from kerata.core import dtypes, tree
from kerata.core.state import StateScope
from kerata.core.tensor import OPS

from . import fast, tape
from .primitives import TABLE
from .tape import Box


class NumpyEngine(Engine):
    """Runs primitives with NumPy; differentiates with a tape of boxes."""

    name = "numpy"
    tensor_types: tuple[type, ...] = (Box,)
    compiles = False
    box = Box  # the class of the tape's values; an engine that is built on this one has its own

    def __init__(self) -> None:
        self.primitives = TABLE
        self.fast_paths = fast.TABLE
        self._masks: dict[int, tuple[Any, Any]] = {}

    def implementation(self, name: str, kind: type) -> Callable[..., Any]:
        raw = self.primitives[name]

        def call(*args: Any, **params: Any) -> Any:
            if tape.active():
                return tape.run(name, raw, args, params)
            return raw(*args, **params)

        return call

    # ---- tensors -----------------------------------------------------------------------------
    def convert(self, value: Any, dtype: str | None = None) -> np.ndarray:
        array = np.asarray(value)
        if dtype is not None and array.dtype.kind not in "biuUSO" and dtypes.is_int(dtype):
            return TABLE["cast"](array, dtype)  # within the limits, where NumPy wraps
        return array if dtype is None else np.asarray(array, dtypes.numpy_dtype(dtype))

    def to_numpy(self, x: Any) -> np.ndarray:
        return np.asarray(tape.unbox(x))

    def dtype_of(self, x: Any) -> str:
        return dtypes.standardize(x.dtype)

    def native_dtype(self, dtype: str) -> Any:
        return dtypes.numpy_dtype(dtype)

    def draws_on_host(self) -> bool:
        return True

    def version(self) -> str:
        return np.__version__

    def mask_of(self, x: Any) -> Any:
        if isinstance(x, Box):
            return x._keras_mask
        entry = self._masks.get(id(x))
        return entry[1] if entry is not None and entry[0]() is x else None

    def set_mask(self, x: Any, mask: Any) -> None:
        """NumPy arrays take no attributes: a table by identity, cleared as they die."""
        if isinstance(x, Box):
            x._keras_mask = mask
            return
        key = id(x)
        if mask is None:
            self._masks.pop(key, None)
        else:
            self._masks[key] = (weakref.ref(x, lambda _: self._masks.pop(key, None)), mask)

    # ---- variables -----------------------------------------------------------------------------
    def new_variable(self, value: Any, trainable: bool, name: str) -> list[Any]:
        return [_fixed(np.array(tape.unbox(value)))]

    def read(self, container: list[Any]) -> Any:
        return container[0]

    def write(self, variable: Any, value: Any) -> None:
        variable._container[0] = _fixed(np.array(tape.unbox(value)))

    def adopt(self, variable: Any, value: Any) -> None:
        variable._container[0] = _fixed(tape.unbox(value))

    # ---- transforms ----------------------------------------------------------------------------
    def value_and_grad(
        self, fn: Callable[[], Any], variables: Sequence[Any], has_aux: bool
    ) -> tuple[Any, list[Any]]:
        scope = StateScope()
        kept: dict[str, Any] = {}

        def pure(*values: Any) -> list[Any]:
            scope.values.update(zip(variables, values, strict=True))
            with scope:
                out = fn()
            loss, kept["aux"] = out if has_aux else (out, None)
            return [loss]

        (loss,), back = tape.vjp(pure, [v.raw() for v in variables], self.box)
        grads = back([np.ones_like(tape.unbox(loss))])
        for variable, value in scope.assigned.items():
            variable.assign(tape.release(value))
        aux = tree.map_structure(tape.release, kept["aux"]) if has_aux else None
        return ((loss, aux) if has_aux else loss), grads

    def vjp(self, fn: Callable[..., Any], inputs: Sequence[Any]) -> tuple[Any, Callable[[Any], list[Any]]]:
        spec: dict[str, Any] = {}

        def flat(*args: Any) -> list[Any]:
            out = fn(*args)
            spec["out"] = out
            return tree.flatten(out)

        outputs, back = tape.vjp(flat, inputs, self.box)
        packed = tree.pack_sequence_as(spec["out"], outputs)
        return packed, lambda g: back(tree.flatten(g))

    def function(self, fn: Callable[..., Any], options: Any) -> Callable[..., Any]:
        return fn

    def stop_gradient(self, x: Any) -> Any:
        return tape.unbox(x)

    def goes_backward(self, *xs: Any) -> bool:
        return any(isinstance(x, tape.Box) for x in xs)

    def custom_gradient(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        return tape.custom(fn, args)

    def remat(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return fn  # a speed-for-memory trade that NumPy's tape has no use for at its sizes

    def cond(self, pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
        return true_fn() if bool(tape.unbox(pred)) else false_fn()

    def while_loop(self, cond: Any, body: Any, state: tuple[Any, ...], limit: int | None) -> tuple[Any, ...]:
        count = 0
        while (limit is None or count < limit) and bool(tape.unbox(cond(*state))):
            state = tuple(body(*state))
            count += 1
        return state

    def scan(self, step: Any, init: Any, xs: Any, length: int, reverse: bool, unroll: int) -> tuple[Any, Any]:
        carry, ys = init, []
        order = range(length - 1, -1, -1) if reverse else range(length)
        for i in order:
            carry, y = step(carry, tree.map_structure(lambda x, i=i: x[i], xs))
            ys.append(y)
        if reverse:
            ys.reverse()
        if not ys:
            return carry, None
        return carry, tree.map_structure(lambda *parts: OPS["stack"](list(parts)), *ys)

    def vectorized_map(self, fn: Callable[[Any], Any], elements: Any) -> Any:
        """Each element finds the variables as they were: all of them draw with the same seed, as where they run at once."""
        results = []
        assigned: dict[Any, Any] = {}
        count = len(tree.flatten(elements)[0])
        if count == 0:  # what one element would give, of which there are none
            one = tree.map_structure(lambda x: np.zeros(x.shape[1:], x.dtype), elements)
            with StateScope():
                return tree.map_structure(lambda y: np.zeros((0, *np.shape(y)), y.dtype), fn(one))
        for i in range(count):
            with StateScope() as scope:
                results.append(fn(tree.map_structure(lambda x, i=i: x[i], elements)))
            assigned = scope.assigned
        for variable, value in assigned.items():
            variable.assign(value)
        return tree.map_structure(lambda *parts: OPS["stack"](list(parts)), *results)


def _fixed(array: Any) -> Any:
    """The value of a variable, which changes by assignment only: whoever reads it cannot write into it."""
    if type(array) is np.ndarray:
        array.flags.writeable = False
    return array
