"""Model: a layer that can be trained, saved and summarised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

from kerata.core import registry
from kerata.core.errors import ArgumentError, StateError
from kerata.core.registry import register_builtin
from kerata.core.serialization import deserialize_keras_object
from kerata.core.state import STATE
from kerata.core.tensor import KerasTensor
from kerata.layers.layer import Layer
from kerata.layers.shapes import has_tensor, map_shapes, shapes_of
from kerata.training.trainer import Trainer


def _is_functional(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return (
        len(args) >= 2
        or (len(args) == 1 and "outputs" in kwargs)
        or ("inputs" in kwargs and "outputs" in kwargs)
    )


@register_builtin("models")
class Model(Trainer, Layer):
    """A model: made from symbolic inputs and outputs, or a subclass with its own `call`.

    Args:
        inputs: symbolic tensor, or a structure of them (functional models).
        outputs: likewise.
        name: name of the model.

    Example:
        >>> import kerata
        >>> x = kerata.Input((3,))
        >>> model = kerata.Model(x, kerata.layers.Dense(1)(x))
        >>> model.count_params()
        4
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and _is_functional(args, kwargs):
            from .functional import Functional

            return Layer.__new__(Functional, *args, **kwargs)
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        Trainer.__init__(self)
        if _is_functional(args, kwargs):
            from .functional import make_functional

            make_functional(self, *args, **kwargs)
            return
        if args:
            raise ArgumentError("inputs", expected="given together with `outputs`", got=args)
        Layer.__init__(self, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        graph = self.__dict__.get("_graph")
        if graph is None:
            raise StateError(
                f"The model class {type(self).__name__} has no `call` method. Define `call(self, inputs)`, or make the "
                "model from symbolic inputs and outputs."
            )
        return graph(*args, **kwargs)

    def _has_call(self) -> bool:
        """Whether the model can be called: one that only holds others, as a GAN does, may have steps alone."""
        return type(self).call is not Model.call or self.__dict__.get("_graph") is not None

    # ---- layers ----------------------------------------------------------------------------------
    @property
    def layers(self) -> list[Layer]:
        """The layers directly in the model."""
        return self._layers

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer with a name, or at a place.

        Raises:
            ArgumentError: there is none.
        """
        if (name is None) == (index is None):
            raise ArgumentError("name", expected="given, or else `index`", got=(name, index))
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ArgumentError("index", expected=f"in [0, {len(self.layers)})", got=index)
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ArgumentError("name", expected=f"one of {[layer.name for layer in self.layers]}", got=name)

    def build(self, input_shape: Any) -> None:
        """Creates the variables by running `call` on symbolic inputs of that shape."""
        if self.built:
            return
        inputs = map_shapes(lambda s: KerasTensor(s, self.compute_dtype, record_history=False), input_shape)
        self.built = True
        try:
            self.compute_output_spec(inputs)
        except BaseException:
            self.built = False
            raise

    def _build_for(self, arguments: dict[str, Any]) -> None:
        if type(self).build is Model.build:  # its layers are built by the call that is under way
            self.__dict__["_path"] = "/".join((*STATE.name_scope, self.name))
            self.built = True
            self._build_shapes = _shapes_of(arguments)
            return
        super()._build_for(arguments)

    # ---- looking ---------------------------------------------------------------------------------
    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], None] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Prints the layers with output shapes and numbers of parameters."""
        from .summary import print_summary

        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    # ---- saving ----------------------------------------------------------------------------------
    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Writes architecture, weights, compile arguments and optimizer state to a `.keras` file."""
        _saving().save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None
    ) -> None:
        """Writes the weights to a `.weights.h5` file."""
        _saving().save_weights(self, filepath, overwrite=overwrite, max_shard_size=max_shard_size)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Reads the weights from a `.weights.h5` or `.keras` file; nothing changes if they do not fit."""
        _saving().load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON text."""
        import json

        from kerata.core.serialization import serialize_keras_object

        return json.dumps(serialize_keras_object(self), **kwargs)

    def get_config(self) -> dict[str, Any]:
        if type(self).__init__ is Model.__init__:
            return {"name": self.name, "trainable": self.trainable, "dtype": super().get_config()["dtype"]}
        return super().get_config()

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        from .functional import Functional, functional_from_config, is_functional_config

        with registry.custom_object_scope(custom_objects or {}):
            if is_functional_config(config) and (cls is Model or issubclass(cls, Functional)):
                return functional_from_config(Functional if cls is Model else cls, config)
            config = {
                k: deserialize_keras_object(v) if isinstance(v, dict) and "class_name" in v else v
                for k, v in config.items()
            }
            return cls(**config)


def _saving() -> Any:
    """Loading and saving stand above models, so that nothing here depends on file formats."""
    import importlib

    return importlib.import_module("kerata.saving")


def _shapes_of(arguments: dict[str, Any]) -> dict[str, Any]:

    return {
        f"{k}_shape" if k != "inputs" else "input_shape": shapes_of(v)
        for k, v in arguments.items()
        if has_tensor(v)
    }
