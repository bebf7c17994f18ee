"""The TensorFlow engine: eager, or a `tf.function` over `tf.Variable`s."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.autograph.core import config as autograph_rules

from kerata.backends.numpy.primitives import TABLE as NUMPY
from kerata.backends.protocol import Engine
from kerata.core import dtypes, tree
from kerata.core.replay import replayable
from kerata.core.state import STATE, StateScope, setting
from kerata.core.variable import Variable

from . import derivatives, fast, fast_optimizers
from .lift import lifted
from .primitives import EAGER, EAGERLY, FLOATING, SATURATING, TABLE, native

Tensor = Any


class _Assigned(StateScope):
    """Variables are assigned at once; what is read in the same graph is what was assigned, with its derivatives.

    The body of a loop is another graph, which runs many times: there, variables speak for themselves.
    """

    __slots__ = ("graph",)

    def __init__(self) -> None:
        super().__init__()
        self.graph = _graph()

    def read(self, variable: Any) -> Any:
        return self.values.get(variable) if _graph() is self.graph else None

    def write(self, variable: Any, value: Any) -> None:
        variable.engine.write(variable, value)
        if _graph() is self.graph:
            self.values[variable] = value
        else:
            self.values.pop(variable, None)


def _graph() -> Any:
    return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()


_LARGE = 1 << 16  # bytes of an array of which a copy takes longer than a capsule


class TensorflowEngine(Engine):
    """Runs eagerly, or as a `tf.function`; weights are `tf.Variable`, so a `GradientTape` sees them."""

    name = "tensorflow"
    has_text = True

    def __init__(self) -> None:
        self.primitives = TABLE
        self.fast_paths = fast.TABLE
        symbolic = type(_symbolic())
        self.tensor_types = (EAGER, symbolic)

    def owns(self, kind: type) -> bool:
        return issubclass(kind, (tf.Tensor, tf.Variable))

    def floating_implementation(self, name: str, kind: type, dtype: str) -> Callable[..., Any]:
        if name in SATURATING and dtype in ("float16", "bfloat16"):
            return TABLE[name]
        table = EAGERLY if kind is EAGER else FLOATING
        return table.get(name) or FLOATING.get(name) or TABLE[name]

    def dtype_key(self, kind: type) -> Callable[[Tensor], Any]:
        return kind._datatype_enum if kind is EAGER else super().dtype_key(kind)

    # ---- tensors -----------------------------------------------------------------------------
    def convert(self, value: Any, dtype: str | None = None) -> Tensor:
        if tf.is_tensor(value):
            value = tf.convert_to_tensor(value)
            return value if dtype is None else TABLE["cast"](value, dtype)
        array = np.asarray(value)
        if dtype is not None and dtype != "string" and array.dtype != dtypes.numpy_dtype(dtype):
            array = NUMPY["cast"](array, dtype)
        return tf.convert_to_tensor(array)

    def wrap(self, values: np.ndarray) -> Tensor:
        """TensorFlow copies arrays, twice where they are not aligned. Its DLPack, which does not copy, must be given
        aligned ones."""
        if values.nbytes < _LARGE or values.ctypes.data % 64:
            return self.convert(values)
        return tf.experimental.dlpack.from_dlpack(values.__dlpack__())

    def to_numpy(self, x: Tensor) -> np.ndarray:
        return np.asarray(tf.convert_to_tensor(x).numpy())

    def dtype_of(self, x: Tensor) -> str:
        return x.dtype.name

    def shape_of(self, x: Tensor) -> tuple[Any, ...]:
        static = x.shape.as_list()
        if None not in static:
            return tuple(static)
        dynamic = tf.shape(x)  # inside a tf.function with unknown sizes
        return tuple(dynamic[i] if d is None else d for i, d in enumerate(static))

    def native_dtype(self, dtype: str) -> Any:
        return native(dtype)

    def is_concrete(self, x: Tensor) -> bool:
        return isinstance(x, EAGER)

    def draws_on_host(self) -> bool:
        return tf.executing_eagerly() and not tf.config.list_logical_devices("GPU")

    def goes_backward(self, *xs: Tensor) -> bool:
        return STATE.backward > 0

    def inference_scope(self) -> AbstractContextManager[Any]:
        return setting(recording=False)

    def seed(self, number: int) -> None:
        tf.random.set_seed(number)

    def version(self) -> str:
        return tf.__version__

    def devices(self) -> list[str]:
        return [d.name.split("physical_device:")[1].lower() for d in tf.config.list_physical_devices()]

    def device_scope(self, device: str | None) -> AbstractContextManager[Any]:
        return nullcontext() if device is None else tf.device(device)

    # ---- variables -----------------------------------------------------------------------------
    def new_variable(self, value: Tensor, trainable: bool, name: str) -> tf.Variable:
        return tf.Variable(value, trainable=trainable and value.dtype.is_floating)

    def read(self, container: tf.Variable) -> Tensor:
        return container.value()

    def variable_attribute(self, variable: Any, name: str) -> Any:
        """What a tape asks for: `tape.gradient(loss, model.trainable_variables)` takes the variables' handles."""
        if name == "_should_act_as_resource_variable":
            return True
        if name != "handle":
            raise AttributeError(name)
        if variable._container is None:
            variable.keep_promise()
        return variable._container.handle

    def write(self, variable: Any, value: Tensor) -> None:
        variable._container.assign(value)

    def update_in_place(self, update: str, columns: Any, gradients: Any, rest: tuple[Any, ...]) -> bool:
        kernel = fast_optimizers.TABLE.get(update)
        if kernel is None or any(v.dtype != "float32" for column in columns for v in column):
            return False
        if any(g.dtype.name != "float32" for g in gradients):
            return False
        kernel(gradients, [[v._container for v in column] for column in columns], *rest)
        return True

    def set_trainable(self, container: tf.Variable, trainable: bool) -> None:
        container._trainable = trainable

    def outside_trace(self) -> AbstractContextManager[Any]:
        return tf.init_scope()

    # ---- transforms ----------------------------------------------------------------------------
    def value_and_grad(
        self, fn: Callable[[], Any], variables: Sequence[Any], has_aux: bool
    ) -> tuple[Any, list[Any]]:
        scope = STATE.scope
        with setting(backward=STATE.backward + 1), tf.GradientTape(watch_accessed_variables=False) as tape:
            inner = _Assigned() if scope is None else scope
            sources = []
            for v in variables:
                itself = scope is None and not dtypes.is_float8(v.dtype)  # is what the tape watches
                source = v._container if itself else _watchable(v.raw())
                tape.watch(source)
                sources.append(source)
                if not itself:
                    inner.values[v] = TABLE["cast"](source, v.dtype)
            with nullcontext() if inner is scope else inner:
                out = fn()
            loss = _followable(out[0] if has_aux else out)
        slopes = zip(tape.gradient(loss, sources), variables, strict=True)
        return out, [g if g is None else TABLE["cast"](_dense(g), v.dtype) for g, v in slopes]

    def vjp(self, fn: Callable[..., Any], inputs: Sequence[Tensor]) -> tuple[Any, Callable[[Any], list[Any]]]:
        names = [x.dtype.name for x in inputs]
        inputs = [_watchable(x) for x in inputs]
        # A graph remembers what was computed. A tape that may be asked twice cannot go through branches with declared
        # derivatives there (TensorFlow 2.21).
        tape = tf.GradientTape(persistent=True) if tf.executing_eagerly() else None
        with setting(backward=STATE.backward + 1), tape or nullcontext():
            if tape is not None:
                tape.watch([x for x in inputs if x.dtype.is_floating or x.dtype.is_complex])
            out = fn(*map(TABLE["cast"], inputs, names))
            flat = [_followable(o) for o in tree.flatten(out)]

        def back(cotangents: Any) -> list[Any]:
            pairs = [
                (o, g)
                for o, g in zip(flat, tree.flatten(cotangents), strict=True)
                if o.dtype.is_floating or o.dtype.is_complex
            ]
            if not pairs:
                return [None] * len(inputs)
            outputs, given = [o for o, _ in pairs], [tf.cast(g, o.dtype) for o, g in pairs]
            if tape is None:
                grads = tf.gradients(outputs, inputs, given)
            else:
                grads = tape.gradient(outputs, inputs, output_gradients=given)
            found = zip(map(_dense, grads), names, strict=True)
            return [g if g is None else TABLE["cast"](g, name) for g, name in found]

        return out, back

    def function(self, fn: Callable[..., Any], options: Any) -> Callable[..., Any]:
        return lifted(self, fn, options.jit_compile is True)

    def stop_gradient(self, x: Tensor) -> Tensor:
        return tf.stop_gradient(x)

    def custom_gradient(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        @tf.custom_gradient
        def wrapped(*inner: Any) -> Any:
            outputs, grad_fn = fn(*inner)

            def back(*cotangents: Any) -> Any:
                grads = grad_fn(*cotangents)
                return list(grads) if isinstance(grads, (tuple, list)) else grads

            return outputs, back

        return wrapped(*args)

    def remat(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: tf.recompute_grad(replayable(fn))(*args, **kwargs)

    def cond(self, pred: Tensor, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
        if self.is_concrete(pred):
            return true_fn() if bool(pred) else false_fn()
        return tf.cond(pred, true_fn, false_fn)

    def while_loop(self, cond: Any, body: Any, state: tuple[Any, ...], limit: int | None) -> tuple[Any, ...]:
        return tuple(tf.while_loop(cond, lambda *s: tuple(body(*s)), state, maximum_iterations=limit))

    def scan(self, step: Any, init: Any, xs: Any, length: int, reverse: bool, unroll: int) -> tuple[Any, Any]:
        if tf.executing_eagerly() or (isinstance(length, int) and length <= unroll):
            return self._scan_in_python(step, init, xs, length, reverse)
        return self._scan_in_graph(step, init, xs, length, reverse)

    @staticmethod
    def _scan_in_python(step: Any, init: Any, xs: Any, length: int, reverse: bool) -> tuple[Any, Any]:
        carry, ys = init, []
        columns = [tf.unstack(x, num=length) for x in tree.flatten(xs)]
        for i in range(length - 1, -1, -1) if reverse else range(length):
            x = None if xs is None else tree.pack_sequence_as(xs, [c[i] for c in columns])
            carry, y = step(carry, x)
            ys.append(y)
        if reverse:
            ys.reverse()
        return carry, tree.map_structure(lambda *parts: tf.stack(parts), *ys) if ys else None

    @staticmethod
    def _scan_in_graph(step: Any, init: Any, xs: Any, length: int, reverse: bool) -> tuple[Any, Any]:
        flat_init = [tf.convert_to_tensor(v) for v in tree.flatten(init)]
        columns = [
            tf.TensorArray(x.dtype, length, element_shape=x.shape[1:]).unstack(x) for x in tree.flatten(xs)
        ]
        spec: dict[str, Any] = {}

        def one(i: Any, carry: list[Any]) -> tuple[list[Any], list[Any]]:
            x = None if xs is None else tree.pack_sequence_as(xs, [c.read(i) for c in columns])
            new, y = step(tree.pack_sequence_as(init, carry), x)
            spec["y"] = y
            return tree.flatten(new), tree.flatten(y)

        first = tf.constant(length - 1 if reverse else 0)
        probe = tf.function(lambda: one(first, flat_init)[1], autograph=False).get_concrete_function()
        outs = [tf.TensorArray(t.dtype, length, element_shape=t.shape) for t in probe.outputs]

        def body(count: Any, carry: list[Any], outs: list[Any]) -> Any:
            i = length - 1 - count if reverse else count
            new, ys = one(i, carry)
            return count + 1, new, [o.write(i, y) for o, y in zip(outs, ys, strict=True)]

        _, carry, outs = tf.while_loop(
            lambda c, *_: c < length, body, (tf.constant(0), flat_init, outs), maximum_iterations=length
        )
        ys = [o.stack() for o in outs]
        return tree.pack_sequence_as(init, list(carry)), tree.pack_sequence_as(spec["y"], ys)

    def vectorized_map(self, fn: Callable[[Any], Any], elements: Any) -> Any:
        """One after the other where loops or branches are inside: `tf.vectorized_map` has no derivatives of those."""
        one = tf.nest.map_structure(lambda x: tf.TensorSpec(x.shape[1:], x.dtype), elements)
        probe = tf.function(fn, autograph=False).get_concrete_function(one)
        if not any(op.type in _CONTROL for op in probe.graph.get_operations()):
            return (
                derivatives.vectorized(fn, elements)
                if derivatives.wanted()
                else tf.vectorized_map(fn, elements)
            )
        result = tf.nest.map_structure(lambda y: tf.TensorSpec(y.shape, y.dtype), probe.structured_outputs)
        return tf.map_fn(fn, elements, fn_output_signature=result)


# `tensor * variable` is TensorFlow's own operator: it asks how to make a tensor of the variable.
tf.register_tensor_conversion_function(Variable, lambda v, dtype=None, name=None, as_ref=False: v.value)

# AutoGraph rewrites the source of what a `tf.function` of the user's calls. Nothing here needs that, and closures and
# static methods do not survive it.
autograph_rules.CONVERSION_RULES = (
    autograph_rules.DoNotConvert("kerata"),
    *autograph_rules.CONVERSION_RULES,
)


_CONTROL = frozenset(("While", "StatelessWhile", "If", "StatelessIf", "Case", "StatelessCase"))


def _symbolic() -> Any:
    """A tensor as a traced function has them."""
    kept: list[Any] = []
    tf.function(lambda x: kept.append(x)).get_concrete_function(tf.TensorSpec(()))
    return kept[0]


def _watchable(x: Tensor) -> Tensor:
    """What a tape can watch in the place of `x`; it does not follow 8-bit floats."""
    return tf.cast(x, tf.float32) if dtypes.is_float8(x.dtype.name) else tf.identity(x)


def _followable(x: Tensor) -> Tensor:
    """What a tape has followed in the place of `x`."""
    return getattr(x, "_in_float32", x)


def _dense(g: Any) -> Any:
    """Gradients of gathers come as rows; optimizers take whole tensors."""
    return g if g is None else tf.convert_to_tensor(g)
