"""What an engine is: the methods that its folder implements, with what they must do.

Tensors in the signatures are the engine's own. `primitives` maps each name of
`kerata.core.primitives` to a native function; what is missing is reported when the engine loads.
"""

from __future__ import annotations

import abc
import operator
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import Any

import numpy as np

Tensor = Any


class Engine(abc.ABC):
    """One engine. Subclasses live in `backends/<name>/engine.py`."""

    name: str
    tensor_types: tuple[type, ...]  # classes of its tensors that are met most; `owns` tells all
    primitives: dict[str, Callable[..., Any]]
    # Native routes for ops: when each holds (None: always), and the function. Without them an engine is slow and correct.
    fast_paths: Mapping[str, tuple[Callable[..., bool] | None, Callable[..., Any]]] = MappingProxyType({})
    # Classes of arguments that ops take as they are; made of `tensor_types` when the engine is admitted.
    plain_types: frozenset[type]
    has_text: bool = False  # whether it has tensors of text
    steps_take_state: bool = False  # whether training steps of one's own are `(state, data)` by habit
    compiles: bool = True  # whether `function` gains anything from compiling by default

    def __reduce__(self) -> Any:
        """There is one of each in a process: copies and pickles mean that one."""
        from kerata import backends  # which makes engines of this class

        return backends.get, (self.name,)

    def implementation(self, name: str, kind: type) -> Callable[..., Any]:
        """The function of a primitive for tensors of class `kind` (tracers may want another one)."""
        return self.primitives[name]

    def floating_implementation(self, name: str, kind: type, dtype: str) -> Callable[..., Any]:
        """The same, for tensors of that class and floating dtype, and numbers: what is for others may be left out."""
        return self.implementation(name, kind)

    def dtype_key(self, kind: type) -> Callable[[Tensor], Any]:
        """A function that tells the dtype of a tensor of class `kind`, in whatever is the shortest way from Python."""
        return operator.attrgetter("dtype")

    # ---- tensors -----------------------------------------------------------------------------
    @abc.abstractmethod
    def convert(self, value: Any, dtype: str | None = None) -> Tensor:
        """A native tensor of a NumPy array, scalar or native tensor; 64 bits when asked for."""

    @abc.abstractmethod
    def to_numpy(self, x: Tensor) -> np.ndarray:
        """A NumPy array (bfloat16 and float8 as ml_dtypes). May share memory; do not write to it."""

    def belongs_to_variable(self, x: Tensor) -> bool:
        """Whether a variable changes when somebody writes into this tensor."""
        return False

    def take_over(self, x: Any, copy: bool) -> Tensor | None:
        """A native tensor of another engine's, by DLPack: on the same memory, or, with `copy` and where what is on that
        memory must not change, on memory of its own. None where that is not possible: the values then go through NumPy.
        """
        return None

    def wrap(self, values: np.ndarray) -> Tensor:
        """A native tensor of an array that nobody else has: on the same memory where that is possible."""
        return self.convert(values)

    @abc.abstractmethod
    def dtype_of(self, x: Tensor) -> str:
        """Kerata's name of the dtype."""

    def shape_of(self, x: Tensor) -> tuple[Any, ...]:
        """Integers; inside a native function with unknown sizes, scalars of the engine."""
        return tuple(x.shape)

    @abc.abstractmethod
    def native_dtype(self, dtype: str) -> Any:
        """The engine's dtype object."""

    def owns(self, kind: type) -> bool:
        """Whether a class is one of this engine's tensors (tracers included)."""
        return issubclass(kind, self.tensor_types)

    def is_concrete(self, x: Tensor) -> bool:
        """Whether the value can be read now: not inside a compiled or vectorised function."""
        return True

    def goes_backward(self, *xs: Tensor) -> bool:
        """Whether what is computed from these tensors now will be differentiated backward, as far as the engine knows: an op with
        a derivative of its own then uses it. Such a derivative goes backward only."""
        return False

    def draws_on_host(self) -> bool:
        """Whether values are made at once and in host memory: nothing is being traced, no accelerator is in use.
        Random numbers are then drawn by NumPy and taken over."""
        return False

    def synchronize(self, x: Tensor) -> None:
        """Waits until the value is computed."""

    def mask_of(self, x: Tensor) -> Any:
        return getattr(x, "_keras_mask", None)

    def set_mask(self, x: Tensor, mask: Any) -> None:
        x._keras_mask = mask

    # ---- variables -----------------------------------------------------------------------------
    @abc.abstractmethod
    def new_variable(self, value: Tensor, trainable: bool, name: str) -> Any:
        """The engine's container of a variable's value (may be the tensor itself)."""

    @abc.abstractmethod
    def read(self, container: Any) -> Tensor:
        """The value in a container."""

    @abc.abstractmethod
    def write(self, variable: Any, value: Tensor) -> None:
        """Puts a copy of a value of the right shape and dtype into `variable._container`."""

    def adopt(self, variable: Any, value: Tensor) -> None:
        """Like `write`, for a value that nobody else will change: it need not be copied."""
        self.write(variable, value)

    def update_in_place(
        self,
        update: str,
        columns: Sequence[Sequence[Any]],
        gradients: Sequence[Tensor],
        rest: tuple[Any, ...],
    ) -> bool:
        """Runs an update of `optimizers/updates.py` on the containers themselves, where the engine has a kernel for it.

        Args:
            update: name of the op, such as "optimizer_adam".
            columns: the variables, and for each kind of slot their slots.
            gradients: a gradient for each variable.
            rest: the other arguments of the op.

        Returns:
            Whether it did.
        """
        return False

    def set_trainable(self, container: Any, trainable: bool) -> None:
        """Called when `Variable.trainable` changes."""

    def outside_trace(self) -> AbstractContextManager[Any]:
        """Inside it, values are real even while a function is being traced (for making weights)."""
        return nullcontext()

    # ---- transforms ----------------------------------------------------------------------------
    @abc.abstractmethod
    def value_and_grad(
        self, fn: Callable[[], Any], variables: Sequence[Any], has_aux: bool
    ) -> tuple[Any, list[Tensor | None]]:
        """Runs `fn` (a closure that reads variables; returns a scalar, or (scalar, aux)) and gives
        its result and the gradients. What `fn` assigns takes effect."""

    @abc.abstractmethod
    def vjp(self, fn: Callable[..., Any], inputs: Sequence[Tensor]) -> tuple[Any, Callable[[Any], list[Any]]]:
        """`fn(*inputs)` (a tree of tensors) and the function from cotangents to input cotangents
        (None where there is no path)."""

    @abc.abstractmethod
    def function(self, fn: Callable[..., Any], options: Any) -> Callable[..., Any]:
        """Lifts a Python function that reads and assigns variables into a compiled one.
        `options` is a `kerata.core.function.Options`."""

    @abc.abstractmethod
    def stop_gradient(self, x: Tensor) -> Tensor: ...

    @abc.abstractmethod
    def custom_gradient(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """`fn(*args)` gives (outputs, grad_fn); `grad_fn(*cotangents)` gives input cotangents."""

    @abc.abstractmethod
    def remat(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """The same function; the backward pass computes its inner values again."""

    @abc.abstractmethod
    def cond(self, pred: Tensor, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any: ...

    @abc.abstractmethod
    def while_loop(
        self, cond: Callable[..., Any], body: Callable[..., Any], state: tuple[Any, ...], limit: int | None
    ) -> tuple[Any, ...]:
        """`state` is a flat tuple of tensors; `body(*state)` gives such a tuple."""

    @abc.abstractmethod
    def scan(
        self,
        step: Callable[[Any, Any], tuple[Any, Any]],
        init: Any,
        xs: Any,
        length: int,
        reverse: bool,
        unroll: int,
    ) -> tuple[Any, Any]:
        """`step(carry, x)` gives (carry, y); trees of tensors; ys are stacked along the first axis."""

    @abc.abstractmethod
    def vectorized_map(self, fn: Callable[[Any], Any], elements: Any) -> Any: ...

    def inference_scope(self) -> AbstractContextManager[Any]:
        """Inside it, nothing is recorded for derivatives."""
        return nullcontext()

    def seed(self, number: int) -> None:
        """Seeds the engine's own generators, which Kerata does not draw from but a user's code may."""

    def forget_compiled(self) -> None:
        """Frees the memory of what was compiled; it is compiled again where it is needed."""

    # ---- devices -------------------------------------------------------------------------------
    def version(self) -> str:
        """Version of the engine's package."""
        return ""

    def devices(self) -> list[str]:
        """Names such as "cpu:0", "gpu:0"."""
        return ["cpu:0"]

    def device_scope(self, device: str | None) -> AbstractContextManager[Any]:
        return nullcontext()

    # ---- native habits -------------------------------------------------------------------------
    def variable_attribute(self, variable: Any, name: str) -> Any:
        """An attribute that tools of this engine ask a variable for (`handle` on TensorFlow)."""
        raise AttributeError(name)

    def layer_attribute(self, layer: Any, name: str) -> Any:
        """An attribute that users of this engine expect of a layer (`parameters` on PyTorch)."""
        raise AttributeError(name)
