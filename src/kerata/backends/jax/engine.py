"""The JAX engine: eager primitives are jitted one by one, functions as a whole with donated state."""

from __future__ import annotations

import contextlib
import functools
import inspect
import weakref
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from kerata.backends.lift import lifted
from kerata.backends.numpy.primitives import TABLE as NUMPY
from kerata.backends.protocol import Engine
from kerata.core import dtypes, tree
from kerata.core.errors import ArgumentError, UnknownValuesError
from kerata.core.state import STATE, StateScope, setting
from kerata.core.variable import Variable

from . import control, fast
from .lift import UNKNOWN, Jitted
from .primitives import INDEXED, TABLE, guarded, is_wide, narrowed

Array = Any
with jax.ensure_compile_time_eval():  # the engine may be loaded while a user's function is traced
    _concrete = type(jnp.zeros(()))


def _known(array: np.ndarray, target: np.dtype[Any]) -> Array:
    """A tensor of values in memory; integers, which may be sizes, are known while functions are traced, too."""
    if array.ndim or target.kind not in "iu":
        return jnp.asarray(array, dtype=target)
    with jax.ensure_compile_time_eval():
        return jnp.asarray(array, dtype=target)


class JaxEngine(Engine):
    """Runs jitted primitives eagerly; compiles steps as pure functions with donated state."""

    name = "jax"
    steps_take_state = True
    tensor_types = (_concrete,)

    def __init__(self) -> None:
        self.primitives = TABLE
        self.fast_paths = fast.TABLE
        self._eager: dict[str, Callable[..., Any]] = {}
        self._masks: dict[int, tuple[Any, Any]] = {}

    def owns(self, kind: type) -> bool:
        return issubclass(kind, (jax.Array, jax.core.Tracer))

    def implementation(self, name: str, kind: type) -> Callable[..., Any]:
        """Tracers get the plain function; arrays one that is compiled, which runs in half the time.

        Beside a tracer, an array gets the plain one too: what was compiled for arrays has other derivatives.
        """
        around = narrowed if name in INDEXED else lambda fn: fn
        plain = around(guarded(TABLE[name]))
        if not issubclass(kind, _concrete):
            return plain
        if name not in self._eager:
            compiled = around(guarded(self._compiled(name), _concrete, plain))
            self._eager[name] = TABLE["cast"] if name == "cast" else compiled
        return self._eager[name]

    def floating_implementation(self, name: str, kind: type, dtype: str) -> Callable[..., Any]:
        if kind is _concrete and dtype != "float64":
            return self._compiled(name)
        return self.implementation(name, kind)

    @functools.cache  # noqa: B019  # there is one engine
    def _compiled(self, name: str) -> Callable[..., Any]:
        static = [n for n in inspect.signature(TABLE[name]).parameters if n in _STATIC]
        return jax.jit(TABLE[name], static_argnames=static)

    # ---- tensors -----------------------------------------------------------------------------
    def convert(self, value: Any, dtype: str | None = None) -> Array:
        if isinstance(value, (jax.Array, jax.core.Tracer)):
            return value if dtype is None else TABLE["cast"](value, dtype)
        array = np.asarray(value)
        target = array.dtype if dtype is None else dtypes.numpy_dtype(dtype)
        if dtype is not None and dtypes.is_int(dtype) and array.dtype.kind == "f":
            array = NUMPY["cast"](array, dtype)
        if (
            target.itemsize >= 8
            and target.kind in "iufc"
            and target != np.complex64
            and not jax.config.jax_enable_x64
        ):
            with jax.enable_x64(True):
                return _known(array, target)
        return _known(array, target)

    def to_numpy(self, x: Array) -> np.ndarray:
        return np.asarray(_value(x))

    def take_over(self, x: Any, copy: bool) -> Array | None:
        """On the same memory where JAX can: it wants contiguous tensors, on an address that is a multiple of 64."""
        try:
            with contextlib.nullcontext() if jax.config.jax_enable_x64 else jax.enable_x64(True):
                return jnp.from_dlpack(x.detach() if hasattr(x, "detach") else x, copy=True if copy else None)
        except Exception:  # no DLPack, or no such dtype or device: every library says so in its own way
            return None

    def dtype_of(self, x: Array) -> str:
        return dtypes.standardize(x.dtype)

    def native_dtype(self, dtype: str) -> Any:
        return dtypes.numpy_dtype(dtype)

    def is_concrete(self, x: Array) -> bool:
        return not isinstance(_value(x), jax.core.Tracer)

    def goes_backward(self, *xs: Array) -> bool:
        return STATE.backward > 0

    def draws_on_host(self) -> bool:
        # What is made while something is being traced is a tracer, and JAX has no public question for it.
        return type(lax.full((), 0)) is _concrete and jax.default_backend() == "cpu"

    def mask_of(self, x: Array) -> Any:
        if isinstance(x, jax.core.Tracer):
            entry = self._masks.get(id(x))
            return None if entry is None else entry[1]
        return getattr(x, "_keras_mask", None)

    def set_mask(self, x: Array, mask: Any) -> None:
        """Tracers take no attributes: their masks are kept beside them, as long as they live."""
        if not isinstance(x, jax.core.Tracer):
            x._keras_mask = mask
            return
        key, masks = id(x), self._masks
        masks[key] = weakref.ref(x, lambda _: masks.pop(key, None)), mask

    def synchronize(self, x: Array) -> None:
        x.block_until_ready()

    def version(self) -> str:
        return jax.__version__

    def devices(self) -> list[str]:
        return [f"{d.platform}:{d.id}" for d in jax.devices()]

    def device_scope(self, device: str | None) -> AbstractContextManager[Any]:
        if device is None:
            return contextlib.nullcontext()
        platform, _, index = device.lower().partition(":")
        try:
            return jax.default_device(jax.devices({"cuda": "gpu"}.get(platform, platform))[int(index or 0)])
        except (RuntimeError, IndexError, ValueError):
            raise ArgumentError("device_name", expected=f"one of {self.devices()}", got=device) from None

    # ---- variables -----------------------------------------------------------------------------
    def new_variable(self, value: Array, trainable: bool, name: str) -> list[Any]:
        return [own(value)]

    def read(self, container: list[Any]) -> Array:
        return container[0]

    def write(self, variable: Any, value: Array) -> None:
        """A copy, for a compiled step may give the buffer away."""
        variable._container[0] = own(value)
        variable.exposed = False

    def adopt(self, variable: Any, value: Array) -> None:
        variable._container[0] = value
        # It may be the buffer of another variable: it is copied before it is given away.
        variable.exposed = True

    def own(self, value: Array) -> Array:
        """A buffer that nobody else holds."""
        return own(value)

    def outside_trace(self) -> AbstractContextManager[Any]:
        return jax.ensure_compile_time_eval()

    # ---- transforms ----------------------------------------------------------------------------
    def value_and_grad(
        self, fn: Callable[[], Any], variables: Sequence[Any], has_aux: bool
    ) -> tuple[Any, list[Any]]:
        assigned: list[Any] = []

        def pure(values: list[Any]) -> tuple[Any, Any]:
            with (
                setting(backward=STATE.backward + 1),
                StateScope(dict(zip(variables, values, strict=True))) as scope,
            ):
                out = fn()
            assigned[:] = list(scope.assigned)
            loss, aux = out if has_aux else (out, None)
            leaves = [v for v in tree.flatten(aux) if isinstance(v, (jax.Array, jax.core.Tracer))]
            kept["aux"] = aux
            return loss, (leaves, list(scope.assigned.values()))

        kept: dict[str, Any] = {}
        values = [v.raw() for v in variables]
        with self._precision(values):
            try:
                loss, back, (leaves, new) = jax.vjp(pure, values, has_aux=True)
            except UNKNOWN as error:  # `if loss > 0`
                raise UnknownValuesError.native() from error
        # The function may have become wide on the way.
        with self._precision([*values, loss, *jax.tree.leaves(back)]):
            (grads,) = back(TABLE["cast"](np.ones((), np.float32), dtypes.standardize(loss.dtype)))
        for variable, value in zip(assigned, new, strict=True):
            if STATE.scope is not None:
                STATE.scope.write(variable, value)
            else:
                self.write(variable, value)
        if not has_aux:
            return loss, grads
        fresh = iter(leaves)
        aux = tree.map_structure(
            lambda v: next(fresh) if isinstance(v, (jax.Array, jax.core.Tracer)) else v, kept["aux"]
        )
        return (loss, aux), grads

    @staticmethod
    def _precision(values: Any) -> AbstractContextManager[Any]:
        wide = any(is_wide(v) for v in values) and not jax.config.jax_enable_x64
        return jax.enable_x64(True) if wide else contextlib.nullcontext()

    def vjp(self, fn: Callable[..., Any], inputs: Sequence[Array]) -> tuple[Any, Callable[[Any], list[Any]]]:
        inexact = [i for i, x in enumerate(inputs) if jnp.issubdtype(x.dtype, jnp.inexact)]

        def part(*some: Any) -> Any:
            args = list(inputs)
            for i, x in zip(inexact, some, strict=True):
                args[i] = x
            with setting(backward=STATE.backward + 1):
                return fn(*args)

        with self._precision(inputs):
            out, back = jax.vjp(part, *(inputs[i] for i in inexact))

        def grads(cotangents: Any) -> list[Any]:
            found: list[Any] = [None] * len(inputs)
            cotangents = tree.map_structure(_tangent, out, cotangents)
            with self._precision(inputs):
                for i, g in zip(inexact, back(cotangents), strict=True):
                    found[i] = jnp.conj(g) if jnp.iscomplexobj(g) else g
            return found

        return out, grads

    def function(self, fn: Callable[..., Any], options: Any) -> Callable[..., Any]:
        return lifted(Jitted, self, fn, options)

    def forget_compiled(self) -> None:
        jax.clear_caches()  # each compiled function takes a megabyte and more, however small

    def stop_gradient(self, x: Array) -> Array:
        return lax.stop_gradient(x)

    def custom_gradient(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        @jax.custom_gradient
        def wrapped(*inner: Any) -> Any:
            outputs, grad_fn = fn(*inner)
            return outputs, lambda g: tuple(
                _listed(grad_fn(*g) if isinstance(outputs, (tuple, list)) else grad_fn(g))
            )

        return wrapped(*args)

    def remat(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return control.remat(fn)

    def cond(self, pred: Array, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
        if self.is_concrete(pred):
            return true_fn() if bool(_value(pred)) else false_fn()
        return control.cond(pred, true_fn, false_fn)

    def while_loop(self, cond: Any, body: Any, state: tuple[Any, ...], limit: int | None) -> tuple[Any, ...]:
        with self._precision(state):
            return control.while_loop(cond, body, state, limit)

    def scan(self, step: Any, init: Any, xs: Any, length: int, reverse: bool, unroll: int) -> tuple[Any, Any]:
        with self._precision((*init, *xs)):
            return control.scan(step, init, xs, length, reverse, unroll)

    def vectorized_map(self, fn: Callable[[Any], Any], elements: Any) -> Any:
        with self._precision(tree.flatten(elements)):
            return control.vectorized_map(fn, elements)


_STATIC = frozenset(
    ("axis", "keepdims", "shape", "axes", "pads", "value", "starts", "limits", "strides", "sizes", "mode", "k", "side",
     "equation", "dtype", "plan", "size", "lower", "full", "norm", "transpose", "unit_diagonal", "compute_uv", "inverse",
     "taps")
)  # fmt: skip


def own(value: Any) -> Array:
    """A buffer that nobody else holds."""
    if isinstance(value, jax.core.Tracer):
        return value
    if is_wide(value):
        with jax.enable_x64(True):
            return jnp.array(value, copy=True)
    return jnp.array(value, copy=True)


def _tangent(out: Any, g: Any) -> Any:
    """JAX wants float0 cotangents for integer outputs, and pairs complex ones without conjugation."""
    if not jnp.issubdtype(out.dtype, jnp.inexact):
        return np.zeros(out.shape, jax.dtypes.float0)
    g = jnp.asarray(g, out.dtype) if not is_wide(out) else TABLE["cast"](g, dtypes.standardize(out.dtype))
    return jnp.conj(g) if jnp.iscomplexobj(g) else g


def _value(x: Any) -> Any:
    """What a tensor is worth where a derivative is taken by it."""
    while isinstance(x, jax.core.Tracer) and hasattr(x, "primal"):
        x = x.primal
    return x


def _listed(x: Any) -> list[Any]:
    return list(x) if isinstance(x, (list, tuple)) else [x]


# A variable handed to `jax.jit`, as JAX's custom loops do with `model.trainable_variables`, is its value inside.
jax.tree_util.register_pytree_node(Variable, lambda v: ((v.value,), None), lambda _, values: values[0])
Variable.__jax_array__ = lambda self: self.value  # type: ignore[attr-defined]  # for functions of jax.numpy
