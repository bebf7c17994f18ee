"""Layers around layers: Bidirectional, TimeDistributed, SpectralNormalization."""

from __future__ import annotations

from typing import Any, Unpack

from kerata import ops
from kerata.core import checks, rules
from kerata.core.errors import ArgumentError
from kerata.core.registry import live_objects, register_builtin
from kerata.core.serialization import deserialize_keras_object, serialize_keras_object
from kerata.core.state import STATE
from kerata.core.tensor import KerasTensor

from .call_spec import call_spec
from .input_spec import InputSpec
from .layer import Layer, LayerOptions
from .normalization import BatchNormalization

Tensor = Any


@register_builtin("layers")
class Wrapper(Layer):
    """The base class of layers around a layer.

    Args:
        layer: the layer inside.

    Example:
        >>> import kerata, numpy as np
        >>> layer = kerata.layers.TimeDistributed(kerata.layers.Dense(4))
        >>> isinstance(layer, kerata.layers.Wrapper), type(layer.layer).__name__
        (True, 'Dense')
    """

    def __init__(self, layer: Layer, **options: Unpack[LayerOptions]) -> None:
        if not isinstance(layer, Layer):
            raise ArgumentError("layer", expected="an instance of kerata.layers.Layer", got=layer)
        super().__init__(**options)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer._build_for(
                {"inputs": KerasTensor(input_shape, self.layer.compute_dtype, record_history=False)}
            )
        self.built = True

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "layer": serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        return cls(
            deserialize_keras_object(config["layer"], custom_objects),
            **{k: _plain(v) for k, v in config.items() if k != "layer"},
        )


def _plain(value: Any) -> Any:
    return deserialize_keras_object(value) if isinstance(value, dict) and "class_name" in value else value


@register_builtin("layers")
class TimeDistributed(Wrapper):
    """Applies a layer to every time step.

    Args:
        layer: the layer; it sees (batch, …) for each step. All steps go through it in one call, but where it learns
            statistics of each call (`BatchNormalization`).

    Shapes:
        (batch, time, …) -> (batch, time, …). A mask of more than two axes goes to the layer: (batch, time, steps) as
        (batch · time, steps).

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.TimeDistributed(kerata.layers.Conv1D(4, 3))(np.ones((2, 5, 7, 3), "float32")).shape == (2, 5, 5, 4)
        True
    """

    def __init__(self, layer: Layer, **options: Unpack[LayerOptions]) -> None:
        super().__init__(layer, **options)
        self.supports_masking = True
        self.input_spec = InputSpec(min_ndim=3)

    def build(self, input_shape: Any = None) -> None:
        super().build((input_shape[0], *input_shape[2:]))

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:
        masks = {}
        if mask is not None and len(ops.shape(mask)) > 2 and call_spec(type(self.layer)).takes_mask:
            masks["mask"] = _merged(mask)
        if training and not masks and self._has_statistics() and rules.known(ops.shape(inputs)[1]):
            return ops.stack([self.layer(step) for step in ops.unstack(inputs, axis=1)], axis=1)
        return _parted(self.layer(_merged(inputs), **masks), inputs)

    def _has_statistics(self) -> bool:
        """Whether the layer learns from each call by itself, as batch normalisation does: then each step is one."""
        return any(isinstance(part, BatchNormalization) for part in self.layer._flatten_layers())

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        """That of the layer inside; where it ends there, a step counts of which anything counted."""
        if mask is None or len(ops.shape(mask)) == 2:
            return mask
        inner = (
            self.layer.compute_mask(_merged(inputs), _merged(mask)) if self.layer.supports_masking else None
        )
        if inner is None:
            return ops.any(mask, axis=tuple(range(2, len(ops.shape(mask)))))
        return _parted(inner, mask)


def _merged(x: Tensor) -> Tensor:
    """Batch and time as one axis."""
    shape = ops.shape(x)
    return ops.reshape(x, (shape[0] * shape[1], *shape[2:]))


def _parted(x: Tensor, like: Tensor) -> Tensor:
    return ops.reshape(x, (*ops.shape(like)[:2], *ops.shape(x)[1:]))


@register_builtin("layers")
class Bidirectional(Wrapper):
    """Runs a recurrent layer forward and another backward, and merges the two.

    Args:
        layer: the forward layer.
        merge_mode: "concat", "sum", "mul", "ave", or None for a list of both outputs.
        weights: first weights of both.
        backward_layer: the backward layer; a copy of the other one with `go_backwards` turned if None.

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.Bidirectional(kerata.layers.LSTM(4))(np.ones((2, 5, 3), "float32")).shape == (2, 8)
        True
    """

    def __init__(
        self,
        layer: Layer,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Layer | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(layer, **options)
        self.merge_mode = checks.option("merge_mode", merge_mode, ("concat", "sum", "mul", "ave", None))
        _check_recurrent("layer", layer)
        self.forward_layer = _copied(layer, name=f"forward_{layer.name}")
        if backward_layer is None:
            backward_layer = _copied(
                layer, name=f"backward_{layer.name}", go_backwards=not layer.go_backwards
            )
        elif _check_recurrent("backward_layer", backward_layer).go_backwards == layer.go_backwards:
            raise ArgumentError(
                "backward_layer", expected="with another `go_backwards` than `layer`", got=backward_layer
            )
        else:
            backward_layer = _copied(backward_layer)
        self.backward_layer: Any = backward_layer
        for name in ("return_sequences", "return_state", "stateful"):
            if getattr(self.backward_layer, name) != getattr(layer, name):
                raise ArgumentError(
                    "backward_layer",
                    expected=f"with the same `{name}` as `layer`",
                    got=getattr(backward_layer, name),
                )
        del self.layer  # its two copies do the work, and hold the weights
        self.return_sequences, self.return_state, self.stateful = (
            layer.return_sequences,
            layer.return_state,
            layer.stateful,
        )
        self.supports_masking = True
        self.input_spec = layer.input_spec
        self._first_weights = weights

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:  # type: ignore[override]
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer._build_for(
                    {"sequences": KerasTensor(sequences_shape, self.compute_dtype, record_history=False)}
                )
            if self.return_sequences and hasattr(layer, "zero_output_for_mask"):
                # What one direction skips must not count in the merged outputs.
                layer.zero_output_for_mask = True
        self.built = True
        if self._first_weights is not None:
            self.set_weights(self._first_weights)

    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Tensor | None = None,
        training: bool | None = None,
    ) -> Any:
        first: list[dict[str, Any]] = [{}, {}]
        if initial_state is not None:
            half = len(initial_state) // 2
            first = [{"initial_state": initial_state[:half]}, {"initial_state": initial_state[half:]}]
        results = [
            layer(sequences, mask=mask, training=training, **extra)
            for layer, extra in zip((self.forward_layer, self.backward_layer), first, strict=True)
        ]
        states: list[Tensor] = []
        if self.return_state:
            states = [s for r in results for s in r[1:]]
            results = [r[0] for r in results]
        forward, backward = results
        if self.return_sequences:
            backward = ops.flip(backward, axis=1)
        merged = self._merged(forward, backward)
        if not self.return_state:
            return merged
        return (*merged, *states) if isinstance(merged, list) else (merged, *states)

    def _merged(self, forward: Tensor, backward: Tensor) -> Any:
        if self.merge_mode == "concat":
            return ops.concatenate([forward, backward], axis=-1)
        if self.merge_mode == "mul":
            return ops.multiply(forward, backward)
        if self.merge_mode is None:
            return [forward, backward]
        total = ops.add(forward, backward)
        return ops.multiply(total, 0.5) if self.merge_mode == "ave" else total

    def reset_state(self) -> None:
        """Puts the states of both directions back to zeros."""
        for layer in (self.forward_layer, self.backward_layer):
            layer.reset_state()

    reset_states = reset_state

    def compute_mask(self, _: Any, mask: Any) -> Any:
        mask = mask[0] if isinstance(mask, list) else mask
        output = mask if self.return_sequences else None
        return [output, output] if self.merge_mode is None else output

    def get_config(self) -> dict[str, Any]:
        config = Layer.get_config(self)
        config.pop("weights", None)
        config["layer"] = _renamed(
            serialize_keras_object(self.forward_layer), self.forward_layer.name.removeprefix("forward_")
        )
        config["backward_layer"] = serialize_keras_object(self.backward_layer)
        return config

    def _init_value(self, name: str) -> Any:
        if name == "layer":
            return self.forward_layer
        return None if name == "weights" else super()._init_value(name)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        backward = config.get("backward_layer")
        made = deserialize_keras_object(backward, custom_objects) if backward is not None else None
        rest = {k: _plain(v) for k, v in config.items() if k not in ("layer", "backward_layer")}
        return cls(deserialize_keras_object(config["layer"], custom_objects), backward_layer=made, **rest)


def _renamed(config: dict[str, Any], name: str) -> dict[str, Any]:
    return {**config, "config": {**config["config"], "name": name}, "build_config": None}


def _check_recurrent(argument: str, layer: Any) -> Any:
    if not all(
        hasattr(layer, name) for name in ("go_backwards", "return_sequences", "return_state", "stateful")
    ):
        raise ArgumentError(argument, expected="a recurrent layer, such as LSTM, GRU or RNN", got=layer)
    return layer


def _copied(layer: Layer, **changes: Any) -> Layer:
    """A layer of the same config but for `changes`, not built."""
    with live_objects():
        return type(layer).from_config({**layer.get_config(), **changes})


@register_builtin("layers")
class SpectralNormalization(Wrapper):
    """Divides the kernel of a layer by its largest singular value, in training.

    Args:
        layer: a layer with a `kernel` or `embeddings`.
        power_iterations: steps of the power iteration at each call.

    Source:
        Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks", algorithm 1.

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.SpectralNormalization(kerata.layers.Dense(4))(np.ones((2, 3), "float32")).shape == (2, 4)
        True
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **options: Unpack[LayerOptions]) -> None:
        super().__init__(layer, **options)
        self.power_iterations = checks.positive_int("power_iterations", power_iterations)

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        kernel = getattr(self.layer, "kernel", None)
        kernel = getattr(self.layer, "embeddings", None) if kernel is None else kernel
        if kernel is None:
            raise ArgumentError("layer", expected="a layer with a `kernel` or `embeddings`", got=self.layer)
        self.kernel = kernel
        self.vector_u = self.add_weight(
            (1, kernel.shape[-1]), "truncated_normal", trainable=False, name="vector_u"
        )

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if training:
            self.normalize_weights()
        return self.layer(inputs)

    def normalize_weights(self) -> None:
        """One round of the power iteration, and the division."""
        kernel = self.kernel.value
        matrix = ops.stop_gradient(ops.reshape(kernel, (-1, self.kernel.shape[-1])))
        u = self.vector_u.value
        for _ in range(1 if STATE.abstract else self.power_iterations):  # one tells all shapes
            v = ops.normalize(ops.matmul(u, ops.transpose(matrix)), axis=None)
            u = ops.normalize(ops.matmul(v, matrix), axis=None)
        sigma = ops.matmul(ops.matmul(v, matrix), ops.transpose(u))
        self.vector_u.assign(u)
        self.kernel.assign(ops.divide(kernel, ops.reshape(sigma, ())))
