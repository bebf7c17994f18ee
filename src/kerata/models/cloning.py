"""Copies of models with new weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from kerata.core import tree
from kerata.core.errors import ArgumentError
from kerata.core.graph import Function, OpCall, Operation, tensors_of
from kerata.core.registry import live_objects
from kerata.core.tensor import KerasTensor
from kerata.layers.input_layer import InputLayer
from kerata.layers.layer import Layer

from .functional import Functional
from .model import Model
from .sequential import Sequential


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """A model of the same layers, with weights of its own, which begin anew.

    Args:
        model: a model. One of a class with its own `call` is made again from its config.
        input_tensors: symbolic tensors to build on, instead of new inputs.
        clone_function: `(layer) -> layer`, what takes the place of each layer; its copy by default.
        call_function: `(layer, *args, **kwargs) -> outputs`, how each layer is called in a Functional model.
        recursive: whether the layers of inner models are cloned one by one too.

    Raises:
        ArgumentError: if an option is given that such a model does not have.

    Example:
        >>> import kerata
        >>> model = kerata.Sequential([kerata.Input((3,)), kerata.layers.Dense(2)])
        >>> kerata.models.clone_model(model).count_params()
        8
    """
    if kwargs:
        raise ArgumentError(
            next(iter(kwargs)), expected="an argument of clone_model", got=next(iter(kwargs.values()))
        )
    if not isinstance(model, Model):
        raise ArgumentError("model", expected="a model", got=model)
    for name, fn in (("clone_function", clone_function), ("call_function", call_function)):
        if fn is not None and not callable(fn):
            raise ArgumentError(name, expected="a function or None", got=fn)
    cloner = _Cloner(clone_function, call_function, recursive)
    copy: Any
    if isinstance(model, Sequential):
        if call_function is not None:
            raise ArgumentError("call_function", expected="None for a Sequential model", got=call_function)
        copy = cloner.sequential(model, input_tensors)
    elif isinstance(model, Functional):
        copy = cloner.functional(model, input_tensors)
    elif input_tensors is not None or clone_function is not None or call_function is not None:
        raise ArgumentError(
            "model",
            expected="a Sequential or Functional model for `clone_function`, `call_function` or `input_tensors`",
            got=model,
        )
    else:
        copy = _copy(model)
        shapes = model.get_build_config()
        if shapes:
            copy.build_from_config(shapes)
    with live_objects():
        config = model.get_compile_config()
        if config:
            copy.compile_from_config(config)
    return copy


class _Cloner:
    def __init__(
        self, clone: Callable[[Layer], Layer] | None, call: Callable[..., Any] | None, recursive: bool
    ) -> None:
        self._clone, self._call, self._recursive = clone or _copy, call or _plain_call, recursive

    def layer(self, layer: Layer) -> Layer:
        if self._recursive and isinstance(layer, Sequential):
            return self.sequential(layer, None)
        if self._recursive and isinstance(layer, Functional):
            return self.functional(layer, None)
        return self._clone(layer)

    def sequential(self, model: Sequential, input_tensors: Any) -> Sequential:
        layers = [self.layer(layer) for layer in model.layers]
        given = tree.flatten(input_tensors) if input_tensors is not None else []
        if len(given) > 1:
            raise ArgumentError(
                "input_tensors", expected="one tensor for a Sequential model", got=input_tensors
            )
        first = given[0] if given else _copy_of_input(model)
        return type(model)(
            [*([first] if first is not None else []), *layers], trainable=model.trainable, name=model.name
        )

    def functional(self, model: Functional, input_tensors: Any) -> Any:
        function: Function = model.__dict__["_graph"]
        made: dict[int, KerasTensor] = {}
        for old, new in zip(function.inputs, self._inputs(function, input_tensors), strict=True):
            made[id(old)] = new
        copies: dict[int, Operation] = {}
        for node in function._nodes:
            operation = copies.get(id(node.operation))
            if operation is None:
                operation = copies[id(node.operation)] = self._operation(node.operation)
            args, kwargs = (
                tree.map_structure(lambda x: made.get(id(x), x), part)
                for part in (list(node.args), dict(node.kwargs))
            )
            call = self._call if isinstance(operation, Layer) else _plain_call
            outputs = tensors_of(call(operation, *args, **kwargs))
            made.update(zip((id(t) for t in tensors_of(node.outputs)), outputs, strict=True))
        inputs, outputs = (
            tree.map_structure(lambda t: made[id(t)], part) for part in (function.input, function.output)
        )
        cls = type(model) if type(model).__init__ is Functional.__init__ else Functional
        return cls(inputs, outputs, trainable=model.trainable, name=model.name)

    def _operation(self, operation: Operation) -> Operation:
        return (
            OpCall(operation.op, operation.name)
            if isinstance(operation, OpCall)
            else self.layer(cast(Layer, operation))
        )

    def _inputs(self, function: Function, given: Any) -> list[KerasTensor]:
        if given is None:
            return [
                InputLayer(
                    batch_shape=t.shape, dtype=t.dtype, sparse=t.sparse, optional=t.optional, name=t.name
                ).output
                for t in function.inputs
            ]
        tensors = tree.flatten(given)
        if len(tensors) != len(function.inputs) or any(type(t) is not KerasTensor for t in tensors):
            raise ArgumentError(
                "input_tensors", expected=f"{len(function.inputs)} symbolic tensors", got=given
            )
        return tensors


def _copy(layer: Layer) -> Layer:
    with live_objects():
        return type(layer).from_config(layer.get_config())


def _plain_call(operation: Operation, *args: Any, **kwargs: Any) -> Any:
    return operation(*args, **kwargs)


def _copy_of_input(model: Sequential) -> Any:
    first = model._sequence[0] if model._sequence else None
    return _copy(first) if isinstance(first, InputLayer) else None
