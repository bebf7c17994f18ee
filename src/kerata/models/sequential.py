"""Sequential: a stack of layers, each with one input and one output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

from kerata.core import checks
from kerata.core.errors import ArgumentError, StateError
from kerata.core.graph import Function
from kerata.core.registry import register_builtin
from kerata.core.serialization import deserialize_keras_object, serialize_keras_object
from kerata.core.tensor import KerasTensor
from kerata.core.variable import structure_changed
from kerata.layers.input_layer import InputLayer
from kerata.layers.layer import Layer

from .functional import match_inputs
from .model import Model


@register_builtin("models")
class Sequential(Model):
    """A stack of layers.

    Args:
        layers: the layers, the first one on the inputs. An `Input` in front fixes the input shape, so
            that the weights exist before the first call.
        trainable: whether optimizers change the weights.
        name: name of the model.

    Example:
        >>> import kerata
        >>> model = kerata.Sequential([kerata.Input((3,)), kerata.layers.Dense(2)])
        >>> model.output_shape
        (None, 2)
    """

    def __init__(
        self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None
    ) -> None:
        super().__init__(trainable=trainable, name=name)
        self._sequence: list[Layer] = []
        self._names: set[str] = set()
        self.__dict__["_graph"] = None
        self.__dict__["_implied_input"] = None
        given = (
            [layers]
            if isinstance(layers, Layer)
            else checks.several("layers", layers or (), "a list of layers")
        )
        for layer in given:
            self.add(layer, rebuild=False)
        self._rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Puts a layer on top.

        Raises:
            ArgumentError: it is not a layer, or its name is taken.
        """
        if not self._sequence and isinstance(getattr(layer, "_input_shape_arg", None), tuple):
            self.add(InputLayer(batch_shape=layer._input_shape_arg), rebuild=False)
        if isinstance(layer, KerasTensor):
            if layer.node is None or not layer.node.is_input:
                raise ArgumentError("layer", expected="a layer or an Input", got=layer)
            layer = layer.node.operation
        if not isinstance(layer, Layer):
            if not callable(layer) or isinstance(layer, type):
                raise ArgumentError("layer", expected="an instance of kerata.layers.Layer", got=layer)
            layer = _as_layer(layer)
        if isinstance(layer, InputLayer) and self._sequence:
            raise ArgumentError("layer", expected="an Input only in the first place", got=layer)
        if layer.name in self._names:
            raise ArgumentError("name", expected="unique among the layers of a model", got=layer.name)
        self._names.add(layer.name)
        self._sequence.append(layer)
        if rebuild:
            self._rebuild()

    def pop(self, rebuild: bool = True) -> Layer:
        """Takes the top layer off and gives it."""
        if not self._sequence:
            raise StateError(f"The model {self.name!r} has no layers to pop.")
        layer = self._sequence.pop()
        structure_changed()
        self._names.discard(layer.name)
        self.built = False
        if not self._sequence:
            self.__dict__["_implied_input"] = None
        if rebuild:
            self._rebuild()
        return layer

    def _rebuild(self) -> None:
        """Makes the graph again, where the input shape is known."""
        self.__dict__["_graph"] = None
        self._plans.clear()
        self.built = False
        self._forget_compiled()
        first = self._sequence[0] if self._sequence else None
        implied: InputLayer | None = self.__dict__["_implied_input"]
        graph = first.__dict__.get("_graph") if isinstance(first, Model) else None
        if graph is not None and implied is None and type(graph.input) is KerasTensor:
            implied = self._input_layer(graph.input.shape)  # a model that is built knows what it takes
        if isinstance(first, InputLayer) and len(self._sequence) > 1:
            self.build(first.batch_shape)
        elif first is not None and implied is not None:
            self.build(implied.batch_shape)

    def build(self, input_shape: Any = None) -> None:
        """Creates the variables for an input shape."""
        if not self._sequence:
            raise StateError(f"The model {self.name!r} has no layers. Add some before it is built.")
        x = inputs = self._input_layer(input_shape).output
        for layer in self._sequence:
            if isinstance(layer, InputLayer):
                continue
            x = _called_once(layer, x)
            if not isinstance(x, KerasTensor):
                self.built = True  # a layer with several outputs: a plain chain of calls, without a graph
                return
        self.__dict__["_graph"] = Function(inputs, x, name=f"{self.name}_graph")
        self.built = True

    def _input_layer(self, shape: Any) -> InputLayer:
        """The Input in front, or one for the data that came."""
        first, implied = self._sequence[0], self.__dict__["_implied_input"]
        if isinstance(first, InputLayer):
            return first
        if implied is None or implied.batch_shape != tuple(shape) or implied.dtype != first.input_dtype:
            implied = InputLayer(batch_shape=shape, dtype=first.input_dtype)
            self.__dict__["_implied_input"] = implied
        return implied

    def build_from_config(self, config: dict[str, Any]) -> None:
        shape = config.get("input_shape") if config else None
        if isinstance(shape, (list, tuple)) and all(d is None or isinstance(d, int) for d in shape):
            config = {**config, "input_shape": self._any_batch(shape)}
        super().build_from_config(config)

    def _any_batch(self, shape: Any) -> tuple[int | None, ...]:
        """The shape for batches of any size, but where layers keep a state for each place in a batch."""
        if any(getattr(layer, "stateful", False) for layer in self._sequence):
            return tuple(shape)
        return (None, *shape[1:])

    def _build_for(self, arguments: dict[str, Any]) -> None:
        from kerata.core.inference import known_sizes

        x = next(iter(arguments.values()))
        from kerata.core.dispatch import is_tensor, shape_of

        if is_tensor(x) and not isinstance(x, (list, dict)):
            shape = known_sizes(tuple(shape_of(x)))
            self.build((None, *shape[1:]))
            self._build_shapes = {"input_shape": (None, *shape[1:])}
        else:
            self.built = True

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        graph: Function | None = self.__dict__["_graph"]
        if graph is not None:
            try:
                values = match_inputs(graph, inputs)
            except ArgumentError:
                if isinstance(self._sequence[0], InputLayer):
                    raise
                values = [inputs]  # other sizes than at the first call: the layers decide
            x = values[0]
        else:
            x = inputs
        for layer in self._sequence:
            if not isinstance(layer, InputLayer):
                x = layer(x)
        return x

    def _short_way(self, x: Any, training: Any, takes_training: bool) -> Callable[[Any], Any]:
        graph, layers = self.__dict__["_graph"], self.layers
        if type(self).call is not Sequential.call or not _fits_as_it_is(graph, x):
            return super()._short_way(x, training, takes_training)

        def run(x: Any) -> Any:
            for layer in layers:
                x = layer(x)
            return x

        return run

    _makes_masks = False

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return None  # masks went with the tensors through the layers

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the InputLayer."""
        layers = self._sequence
        return layers[1:] if layers and isinstance(layers[0], InputLayer) else layers[:]

    def _function(self) -> Function:
        graph = self.__dict__.get("_graph")
        if graph is None:
            raise StateError(
                f"The model {self.name!r} has no known input shape yet. Begin it with an Input, or call it on data."
            )
        return graph

    @property
    def inputs(self) -> list[KerasTensor]:
        return self._function().inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        return self._function().outputs

    @property
    def input(self) -> Any:
        """The symbolic input: where the model is a layer of another one, that of its first call there."""
        return super().input if self._inbound_nodes else self._function().input

    @property
    def output(self) -> Any:
        """The symbolic output: where the model is a layer of another one, that of its first call there."""
        return super().output if self._inbound_nodes else self._function().output

    @property
    def input_shape(self) -> Any:
        return self._function().inputs[0].shape

    @property
    def output_shape(self) -> Any:
        return self._function().outputs[0].shape

    @property
    def input_dtype(self) -> str:
        return self._sequence[0].input_dtype if self._sequence else self.compute_dtype

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
            "layers": [serialize_keras_object(layer) for layer in self._sequence],
        }
        graph = self.__dict__.get("_graph")
        if graph is not None:
            config["build_input_shape"] = list(graph.inputs[0].shape)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        from kerata.core.registry import custom_object_scope

        with custom_object_scope(custom_objects or {}):
            model = cls(name=config.get("name"))
            for layer in config.get("layers", ()):
                model.add(deserialize_keras_object(layer), rebuild=False)
            model._rebuild()
            shape = config.get("build_input_shape")
            if not model.built and shape and all(d is None or isinstance(d, int) for d in shape):
                model.build(model._any_batch(shape))
            model._trainable = config.get("trainable") is not False  # of the layers, each knows it itself
        return model


def _as_layer(fn: Any) -> Layer:
    from kerata.layers import Lambda

    return Lambda(fn)


def _called_once(layer: Layer, x: KerasTensor) -> Any:
    """The outputs of a layer on `x`, from an earlier call where there is one, so that each layer keeps one output."""
    for node in layer._inbound_nodes:
        if len(node.args) == 1 and node.args[0] is x and not node.kwargs:
            return node.outputs
    return layer(x)


def _fits_as_it_is(graph: Function | None, x: Any) -> bool:
    """Whether the graph takes an input without a cast or another rank."""
    try:
        return graph is not None and match_inputs(graph, x)[0] is x
    except ArgumentError:
        return False
