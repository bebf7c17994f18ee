"""The recurrent layers with a name: SimpleRNN, LSTM, GRU, and their cells."""

from __future__ import annotations

from typing import Any, Unpack

from kerata import activations, ops
from kerata.core import checks
from kerata.core.errors import ArgumentError
from kerata.core.naming import to_snake_case
from kerata.core.registry import register_builtin
from kerata.core.signature import init_parameters
from kerata.ops import recurrent
from kerata.ops.linear import linear

from .activation_attribute import ActivationAttribute
from .layer import LayerOptions
from .rnn import RNN, DropoutCell, check_sequence_rank, require_states

Tensor = Any


class _GatedCell(DropoutCell):
    """A cell with `gates` blocks of columns in its kernels."""

    gates = 1
    activation = ActivationAttribute()

    def keep(
        self,
        units: int,
        activation: Any,
        use_bias: bool,
        kernel: tuple[Any, ...],
        recurrent: tuple[Any, ...],
        bias: tuple[Any, ...],
    ) -> None:
        self.units = checks.positive_int("units", units)
        self.activation = activation
        self.use_bias = bool(use_bias)
        self.keep_options("kernel", *kernel)
        self.keep_options("recurrent", *recurrent)
        self.keep_options("bias", *bias)
        self.state_size: Any = self.units
        self.output_size = self.units

    def build(self, input_shape: Any) -> None:
        width = self.units * self.gates
        self.kernel = self.add_named("kernel", (input_shape[-1], width))
        self.recurrent_kernel = self.add_weight(
            (self.units, width), self.recurrent_initializer, regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint, name="recurrent_kernel",
        )  # fmt: skip
        self.bias = self._add_bias(width) if self.use_bias else None
        self.built = True

    def _add_bias(self, width: int) -> Any:
        return self.add_named("bias", (width,))

    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """Zeros."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [ops.zeros((batch_size, n), self.compute_dtype) for n in sizes]

    def _bias(self) -> Tensor | None:
        return None if self.bias is None else self.bias.value


@register_builtin("layers")
class SimpleRNNCell(_GatedCell):
    """One step of a fully connected recurrence: `activation(x @ kernel + h @ recurrent_kernel + bias)`.

    Args:
        units: size of the output.
        activation: name or function.
        use_bias: whether a bias is added.
        kernel_initializer, recurrent_initializer, bias_initializer: first values.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties.
        kernel_constraint, recurrent_constraint, bias_constraint: projections.
        dropout: fraction of the inputs to drop.
        recurrent_dropout: fraction of the states to drop.
        seed: an integer.

    Shapes:
        (batch, size), [(batch, units)] -> (batch, units), the new states

    Example:
        >>> import kerata, numpy as np
        >>> x, state = np.ones((2, 3), "float32"), np.zeros((2, 4), "float32")
        >>> output, states = kerata.layers.SimpleRNNCell(4)(x, [state])
        >>> output.shape == states[0].shape == (2, 4)
        True
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.keep(
            units, activation, use_bias, (kernel_initializer, kernel_regularizer, kernel_constraint),
            (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            (bias_initializer, bias_regularizer, bias_constraint),
        )  # fmt: skip
        self.keep_dropout(dropout, recurrent_dropout, seed)

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> tuple[Tensor, list[Tensor]]:
        (h,) = require_states(states)
        inputs, h = self.dropped(inputs, h, training)
        z = linear(inputs, self.kernel.value, self._bias())
        h = self.activation(ops.add(z, ops.matmul(h, self.recurrent_kernel.value)))
        return h, [h]


@register_builtin("layers")
class LSTMCell(_GatedCell):
    """One step of a long short-term memory. Source: Hochreiter and Schmidhuber 1997.

    Args:
        units: size of the output.
        activation: function of the candidate and of the cell state.
        recurrent_activation: function of the gates.
        use_bias: whether a bias is added.
        kernel_initializer, recurrent_initializer, bias_initializer: first values.
        unit_forget_bias: whether the bias of the forget gate begins at 1 (Jozefowicz et al. 2015).
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties.
        kernel_constraint, recurrent_constraint, bias_constraint: projections.
        dropout: fraction of the inputs to drop.
        recurrent_dropout: fraction of the states to drop.
        seed: an integer.

    Shapes:
        (batch, size), two of (batch, units) -> (batch, units), the new states

    Example:
        >>> import kerata, numpy as np
        >>> cell = kerata.layers.LSTMCell(4)
        >>> output, states = cell(np.ones((2, 3), "float32"), cell.get_initial_state(2))
        >>> output.shape == (2, 4), len(states)
        (True, 2)
    """

    gates = 4
    recurrent_activation = ActivationAttribute()

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.keep(
            units, activation, use_bias, (kernel_initializer, kernel_regularizer, kernel_constraint),
            (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            (bias_initializer, bias_regularizer, bias_constraint),
        )  # fmt: skip
        self.recurrent_activation = recurrent_activation
        self.unit_forget_bias = bool(unit_forget_bias)
        self.state_size = [self.units, self.units]
        self.keep_dropout(dropout, recurrent_dropout, seed)

    def _add_bias(self, width: int) -> Any:
        def first(shape: Any, dtype: Any = None) -> Tensor:
            n = self.units
            parts = [
                self.bias_initializer((n,), dtype=dtype),
                ops.ones((n,), dtype),
                self.bias_initializer((2 * n,), dtype=dtype),
            ]
            return ops.concatenate(parts)

        return self.add_weight(
            (width,), first if self.unit_forget_bias else self.bias_initializer, regularizer=self.bias_regularizer,
            constraint=self.bias_constraint, name="bias",
        )  # fmt: skip

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> tuple[Tensor, list[Tensor]]:
        h, c = require_states(states)
        inputs, h = self.dropped(inputs, h, training)
        z = ops.add(
            linear(inputs, self.kernel.value, self._bias()), ops.matmul(h, self.recurrent_kernel.value)
        )
        i, f, g, o = ops.split(z, 4, axis=-1)
        gate = self.recurrent_activation
        c = ops.add(ops.multiply(gate(f), c), ops.multiply(gate(i), self.activation(g)))
        h = ops.multiply(gate(o), self.activation(c))
        return h, [h, c]


@register_builtin("layers")
class GRUCell(_GatedCell):
    """One step of a gated recurrent unit. Source: Cho et al. 2014.

    Args:
        units: size of the output.
        activation: function of the candidate.
        recurrent_activation: function of the gates.
        use_bias: whether a bias is added.
        kernel_initializer, recurrent_initializer, bias_initializer: first values.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties.
        kernel_constraint, recurrent_constraint, bias_constraint: projections.
        dropout: fraction of the inputs to drop.
        recurrent_dropout: fraction of the states to drop.
        reset_after: whether the reset gate comes after the recurrent product (cuDNN) or before (the paper).
        seed: an integer.

    Shapes:
        (batch, size), [(batch, units)] -> (batch, units), the new states

    Example:
        >>> import kerata, numpy as np
        >>> cell = kerata.layers.GRUCell(4)
        >>> output, states = cell(np.ones((2, 3), "float32"), cell.get_initial_state(2))
        >>> output.shape == (2, 4), len(states)
        (True, 1)
    """

    gates = 3
    recurrent_activation = ActivationAttribute()

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.keep(
            units, activation, use_bias, (kernel_initializer, kernel_regularizer, kernel_constraint),
            (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            (bias_initializer, bias_regularizer, bias_constraint),
        )  # fmt: skip
        self.recurrent_activation = recurrent_activation
        self.reset_after = bool(reset_after)
        self.keep_dropout(dropout, recurrent_dropout, seed)

    def _add_bias(self, width: int) -> Any:
        return self.add_named("bias", (2, width) if self.reset_after else (width,))

    def biases(self) -> tuple[Tensor | None, Tensor | None]:
        """The bias of the inputs and that of the states."""
        bias = self._bias()
        if bias is None or not self.reset_after:
            return bias, None
        return ops.get_item(bias, 0), ops.get_item(bias, 1)

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> tuple[Tensor, list[Tensor]]:
        (old,) = require_states(states)
        inputs, h = self.dropped(inputs, old, training)
        bias, recurrent_bias = self.biases()
        xz, xr, xh = ops.split(linear(inputs, self.kernel.value, bias), 3, axis=-1)
        gate, kernel = self.recurrent_activation, self.recurrent_kernel.value
        if self.reset_after:
            rz, rr, rh = ops.split(linear(h, kernel, recurrent_bias), 3, axis=-1)
            z, r = gate(ops.add(xz, rz)), gate(ops.add(xr, rr))
            candidate = self.activation(ops.add(xh, ops.multiply(r, rh)))
        else:
            kz, kr, kh = ops.split(kernel, 3, axis=-1)
            z, r = gate(ops.add(xz, ops.matmul(h, kz))), gate(ops.add(xr, ops.matmul(h, kr)))
            candidate = self.activation(ops.add(xh, ops.matmul(ops.multiply(r, h), kh)))
        new = ops.add(ops.multiply(z, old), ops.multiply(ops.subtract(1.0, z), candidate))
        return new, [new]


# A penalty on outputs is one on the layer's, not on those of each step.
_OF_THE_LAYER = frozenset(("name", "trainable", "dtype", "autocast", "activity_regularizer"))


class _NamedRNN(RNN):
    """A recurrent layer that makes its own cell from its arguments."""

    cell_class: type[_GatedCell]
    _tells_activity_regularizer = True

    def _own_cell(self, arguments: dict[str, Any]) -> Any:
        names = init_parameters(self.cell_class)
        chosen = {k: v for k, v in arguments.items() if k in names and k not in _OF_THE_LAYER}
        options = arguments["options"]
        shared = {"dtype": options.get("dtype"), "trainable": options.get("trainable", True)}
        return self.cell_class(**chosen, **shared, name=to_snake_case(self.cell_class.__name__))

    def __getattr__(self, name: str) -> Any:
        cell = self.__dict__.get("cell")
        if cell is not None and name in init_parameters(type(cell)):
            return getattr(cell, name)
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        cell = self.__dict__.get("cell")
        if cell is not None and name not in _OF_THE_LAYER and name in init_parameters(type(cell)):
            setattr(cell, name, value)
        else:
            super().__setattr__(name, value)

    def _init_value(self, name: str) -> Any:
        return (
            getattr(self.cell, name)
            if hasattr(self.cell, name) and name not in ("name", "dtype", "trainable")
            else super()._init_value(name)
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["cell"]  # its settings stand in the config one by one
        return config

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        if sequences_shape[-1] is None:
            raise ArgumentError(
                "sequences", expected="of a known size along the last axis", got=f"shape {tuple(sequences_shape)}",
                fix="Give that size in the Input.",
            )  # fmt: skip
        super().build(sequences_shape, initial_state_shape)

    def _plain(self, training: bool) -> bool:
        """Whether the fused recurrence computes what the cell does."""
        cell: Any = self.cell
        dropping = training and (cell.dropout or cell.recurrent_dropout)
        return not dropping and not self.unroll and cell.activation is activations.tanh

    def _keep_rnn(self, arguments: dict[str, Any], activity_regularizer: Any = None) -> None:
        options = dict(arguments["options"])
        zeros = options.pop("zero_output_for_mask", False)
        keys = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll")
        super().__init__(
            self._own_cell(arguments), **{k: arguments[k] for k in keys}, zero_output_for_mask=zeros,
            activity_regularizer=activity_regularizer, **options,
        )  # fmt: skip
        self.input_spec = check_sequence_rank()


@register_builtin("layers")
class SimpleRNN(_NamedRNN):
    """A fully connected recurrence whose output is fed back.

    Args:
        units: size of the output.
        activation: name or function.
        return_sequences: whether all outputs are given, or the last one only.
        return_state: whether the last state is given too.
        go_backwards: whether time runs from the end.
        stateful: whether the states of a batch are the first states of the next.
        unroll: whether the loop is unrolled.
        use_bias, kernel_initializer, … seed: as for `SimpleRNNCell`.

    Shapes:
        (batch, time, size) -> (batch, units), or (batch, time, units) with `return_sequences`

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.SimpleRNN(4)(np.ones((2, 5, 3), "float32")).shape == (2, 4)
        True
    """

    cell_class = SimpleRNNCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        self._keep_rnn({k: v for k, v in locals().items() if k != "self"}, activity_regularizer)


@register_builtin("layers")
class LSTM(_NamedRNN):
    """A long short-term memory. Source: Hochreiter and Schmidhuber 1997.

    With tanh, sigmoid and no dropout it runs on the engine's fused kernels where there are any.

    Args:
        units: size of the output.
        activation: function of the candidate and of the cell state.
        recurrent_activation: function of the gates.
        unit_forget_bias: whether the bias of the forget gate begins at 1.
        return_sequences: whether all outputs are given, or the last one only.
        return_state: whether the last output and cell state are given too.
        go_backwards: whether time runs from the end.
        stateful: whether the states of a batch are the first states of the next.
        unroll: whether the loop is unrolled.
        use_cudnn: kept for compatibility; the engine chooses.
        use_bias, kernel_initializer, … seed: as for `LSTMCell`.

    Example:
        >>> import kerata
        >>> kerata.layers.LSTM(4)(kerata.Input((7, 3))).shape
        (None, 4)
    """

    cell_class = LSTMCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: Any = "auto",
        **options: Any,
    ) -> None:
        self._keep_rnn({k: v for k, v in locals().items() if k != "self"}, activity_regularizer)
        self.use_cudnn = checks.option("use_cudnn", use_cudnn, ("auto", True, False))

    def run(self, sequences: Tensor, states: list[Tensor], mask: Tensor | None, training: bool) -> Any:
        cell: Any = self.cell
        if not self._plain(training) or cell.recurrent_activation is not activations.sigmoid:
            return super().run(sequences, states, mask, training)
        outputs, h, c = recurrent.lstm(
            sequences, *states, cell.kernel.value, cell.recurrent_kernel.value, cell._bias(), mask,
            self.go_backwards, self.zero_output_for_mask,
        )  # fmt: skip
        return h, outputs, [h, c]


@register_builtin("layers")
class GRU(_NamedRNN):
    """A gated recurrent unit. Source: Cho et al. 2014.

    With tanh, sigmoid, `reset_after` and no dropout it runs on the engine's fused kernels where there are any.

    Args:
        units: size of the output.
        activation: function of the candidate.
        recurrent_activation: function of the gates.
        return_sequences: whether all outputs are given, or the last one only.
        return_state: whether the last state is given too.
        go_backwards: whether time runs from the end.
        stateful: whether the states of a batch are the first states of the next.
        unroll: whether the loop is unrolled.
        reset_after: whether the reset gate comes after the recurrent product.
        use_cudnn: kept for compatibility; the engine chooses.
        use_bias, kernel_initializer, … seed: as for `GRUCell`.

    Shapes:
        (batch, time, size) -> (batch, units), or (batch, time, units) with `return_sequences`

    Example:
        >>> import kerata, numpy as np
        >>> kerata.layers.GRU(4, return_sequences=True)(np.ones((2, 5, 3), "float32")).shape == (2, 5, 4)
        True
    """

    cell_class = GRUCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: Any = "auto",
        **options: Any,
    ) -> None:
        self._keep_rnn({k: v for k, v in locals().items() if k != "self"}, activity_regularizer)
        self.use_cudnn = checks.option("use_cudnn", use_cudnn, ("auto", True, False))

    def run(self, sequences: Tensor, states: list[Tensor], mask: Tensor | None, training: bool) -> Any:
        cell: Any = self.cell
        if (
            not self._plain(training)
            or cell.recurrent_activation is not activations.sigmoid
            or not cell.reset_after
        ):
            return super().run(sequences, states, mask, training)
        outputs, h = recurrent.gru(
            sequences, *states, cell.kernel.value, cell.recurrent_kernel.value, *cell.biases(), mask,
            self.go_backwards, self.zero_output_for_mask,
        )  # fmt: skip
        return h, outputs, [h]
