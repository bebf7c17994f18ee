"""Recurrent layers: the loop over time around any cell."""

from __future__ import annotations

from typing import Any, Unpack

from kerata import ops, random
from kerata.core import checks
from kerata.core.errors import ArgumentError, StateError
from kerata.core.registry import register_builtin
from kerata.core.serialization import deserialize_keras_object, serialize_keras_object
from kerata.core.tensor import KerasTensor
from kerata.core.variable import Variable
from kerata.ops.recurrent import loop, time_major

from .call_spec import call_spec
from .input_spec import InputSpec, agrees
from .layer import Layer, LayerOptions

Tensor = Any


@register_builtin("layers")
class StackedRNNCells(Layer):
    """Several cells, each on the output of the one before, as one cell.

    Args:
        cells: the cells.

    Example:
        >>> import kerata, numpy as np
        >>> cells = kerata.layers.StackedRNNCells([kerata.layers.GRUCell(4), kerata.layers.LSTMCell(2)])
        >>> kerata.layers.RNN(cells)(np.ones((2, 5, 3), "float32")).shape == (2, 2)
        True
    """

    def __init__(self, cells: Any, **options: Unpack[LayerOptions]) -> None:
        super().__init__(**options)
        for cell in cells:
            _check_cell("cells", cell)
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The state size of each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """Size of the last cell's output."""
        last = self.cells[-1]
        return getattr(last, "output_size", None) or _flat(last.state_size)[0]

    def build(self, input_shape: Any) -> None:
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell._build_for({"inputs": KerasTensor(input_shape, record_history=False)})
            size = getattr(cell, "output_size", None) or _flat(cell.state_size)[0]
            input_shape = (input_shape[0], size)
        self.built = True

    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """Zeros for each state of each cell."""
        return [s for cell in self.cells for s in _flat(_initial(cell, batch_size, self.compute_dtype))]

    def call(
        self, inputs: Tensor, states: Any, training: bool = False, **kwargs: Any
    ) -> tuple[Tensor, list[Tensor]]:
        states, new = list(_flat(states)), []
        for cell in self.cells:
            n = len(_flat(cell.state_size))
            inputs, after = _call_cell(cell, inputs, states[:n], training)
            states = states[n:]
            new += after
        return inputs, new

    def make_dropout_masks(self, inputs: Tensor, training: bool) -> None:
        """Draws the masks of all cells, for a whole sequence."""
        for cell in self.cells:
            if hasattr(cell, "make_dropout_masks"):
                cell.make_dropout_masks(inputs, training)
            inputs = ops.zeros(
                (ops.shape(inputs)[0], getattr(cell, "output_size", None) or _flat(cell.state_size)[0]),
                ops.dtype(inputs),
            )

    def drop_masks(self) -> None:
        """Forgets the masks of all cells."""
        for cell in self.cells:
            if hasattr(cell, "drop_masks"):
                cell.drop_masks()

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        return cls(
            [deserialize_keras_object(c, custom_objects) for c in config["cells"]],
            **{k: v for k, v in config.items() if k != "cells"},
        )


def _flat(x: Any) -> list[Any]:
    return [v for item in x for v in _flat(item)] if isinstance(x, (list, tuple)) else [x]


def _check_cell(argument: str, cell: Any) -> None:
    if not callable(getattr(cell, "call", None)) or not hasattr(cell, "state_size"):
        raise ArgumentError(argument, expected="a cell: an object with `call` and `state_size`", got=cell)


def _initial(cell: Any, batch_size: Any, dtype: str) -> Any:
    make = getattr(cell, "get_initial_state", None)
    if make is not None:
        return make(batch_size=batch_size)
    return [ops.zeros((batch_size, n), dtype) for n in _flat(cell.state_size)]


def _call_cell(cell: Any, x: Tensor, states: list[Tensor], training: bool) -> tuple[Tensor, list[Tensor]]:
    kwargs = {"training": training} if "training" in call_spec(type(cell)).keywords else {}
    output, after = cell(x, states, **kwargs) if isinstance(cell, Layer) else cell.call(x, states, **kwargs)
    return output, _flat(after)


class CarriedStates:
    """What a stateful layer carries from batch to batch: variables, but not weights."""

    _kerata_variables = True
    _kerata_state_kind = "seed"

    def __init__(self, variables: list[Variable]) -> None:
        self.variables = variables


@register_builtin("layers")
class RNN(Layer):
    """Runs a cell along the time axis.

    Args:
        cell: an object with `call(inputs, states) -> (output, states)`, `state_size`, and perhaps
            `output_size` and `get_initial_state(batch_size)`; or a list of such cells.
        return_sequences: whether all outputs are given, or the last one only.
        return_state: whether the last states are given too.
        go_backwards: whether time runs from the end.
        stateful: whether the states of a batch are the first states of the next.
        unroll: whether the loop is unrolled.
        zero_output_for_mask: whether masked steps give zeros; the output before otherwise.

    Call:
        sequences: (batch, time, …).
        initial_state: first states.
        mask: bool (batch, time).

    Example:
        >>> import kerata
        >>> kerata.layers.RNN(kerata.layers.LSTMCell(4), return_sequences=True)(kerata.Input((7, 3))).shape
        (None, 7, 4)
    """

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        _check_cell("cell", cell)
        self.cell = cell
        self.return_sequences, self.return_state = bool(return_sequences), bool(return_state)
        self.go_backwards, self.stateful, self.unroll = bool(go_backwards), bool(stateful), bool(unroll)
        self.zero_output_for_mask = bool(zero_output_for_mask)
        self.supports_masking = True
        self.input_spec = None
        self._carried: CarriedStates | None = None

    @property
    def states(self) -> list[Variable] | None:
        """The states of a stateful layer that is built."""
        return None if self._carried is None else self._carried.variables

    @property
    def state_size(self) -> Any:
        """Size of the cell's state, or a list of sizes."""
        return self.cell.state_size

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        step_shape = (sequences_shape[0], *sequences_shape[2:])
        if self.stateful and sequences_shape[0] is None:
            raise ArgumentError(
                "stateful", expected="used with a fixed batch size", got=f"inputs of shape {tuple(sequences_shape)}",
                fix="Give the Input a batch_size.",
            )  # fmt: skip
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell._build_for({"inputs": KerasTensor(step_shape, record_history=False)})
        if self.stateful and self.states is None:
            zeros = _flat(_initial(self.cell, sequences_shape[0], self.compute_dtype))
            self._carried = CarriedStates([Variable(z, trainable=False, name="rnn_state") for z in zeros])
        self.built = True

    def get_initial_state(self, batch_size: Any) -> list[Tensor]:
        """Zeros for each state of the cell."""
        return _flat(_initial(self.cell, batch_size, self.compute_dtype))

    def reset_state(self) -> None:
        """Puts the states of a stateful layer back to zeros."""
        for v in self.states or ():
            v.assign(ops.zeros(v.shape, v.dtype))

    reset_states = reset_state

    def call(
        self, sequences: Tensor, initial_state: Any = None, mask: Tensor | None = None, training: bool = False
    ) -> Any:
        shape = tuple(ops.shape(sequences))
        if len(shape) < 3:
            raise ArgumentError("sequences", expected="of rank 3 or more: (batch, time, …)", got=sequences)
        if isinstance(mask, (list, tuple)):
            mask = mask[0]
        if mask is not None and not agrees(mask, shape[:2], (*shape[:2], 1)):
            raise ArgumentError("mask", expected=f"of shape {tuple(shape[:2])}: (batch, time)", got=mask)
        states = self._first_states(sequences, initial_state)
        last, outputs, states = self.run(sequences, states, mask, training)
        if self.stateful:
            for v, s in zip(self.states or (), states, strict=True):
                v.assign(s)
        steps = shape[1]
        if mask is not None and not self.return_sequences and (not isinstance(steps, int) or steps):
            last = ops.get_item(outputs, (slice(None), -1))  # what a masked step shows, not what it keeps
        result = outputs if self.return_sequences else last
        result = ops.cast(result, self.compute_dtype)
        return (result, *self._by_cell(states)) if self.return_state else result

    def _by_cell(self, states: list[Tensor]) -> list[Any]:
        """The states as they are given: one list for each cell of a stack."""
        if not isinstance(self.cell, StackedRNNCells):
            return states
        rest = iter(states)
        return [[next(rest) for _ in _flat(size)] for size in self.cell.state_size]

    def _first_states(self, sequences: Tensor, initial_state: Any) -> list[Tensor]:
        if initial_state is not None:
            given = _flat(initial_state)
            sizes = _flat(self.cell.state_size)
            wanted = len(sizes)
            if len(given) != wanted:
                raise ArgumentError(
                    "initial_state",
                    expected=f"{wanted} tensors, the states of the cell",
                    got=f"{len(given)} of them",
                )
            batch = ops.shape(sequences)[0]
            for state, size in zip(given, sizes, strict=True):
                if isinstance(size, int) and not agrees(state, (batch, size)):
                    raise ArgumentError("initial_state", expected=f"of shape {(batch, size)}", got=state)
            return [ops.cast(s, self.compute_dtype) for s in given]
        if self.stateful:
            return [v.value for v in self.states or ()]
        return self.get_initial_state(ops.shape(sequences)[0])

    def run(
        self, sequences: Tensor, states: list[Tensor], mask: Tensor | None, training: bool
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Last output, all outputs (batch first) and last states."""
        cell, shape = self.cell, ops.shape(sequences)
        if self.unroll and not isinstance(shape[1], int):
            raise ArgumentError("unroll", expected="used with a known number of time steps", got=sequences)
        xs = time_major(sequences)
        first = ops.zeros((shape[0], *_output_shape(cell)), self.compute_dtype)
        has_masks = hasattr(cell, "make_dropout_masks")
        if has_masks:
            cell.make_dropout_masks(ops.get_item(xs, 0), training)
        try:
            last, outputs, states = loop(
                lambda x, s: _call_cell(cell, x, s, training), xs, states, first_output=first, mask=mask,
                go_backwards=self.go_backwards, unroll=self.unroll, length=shape[1],
                zero_output_for_mask=self.zero_output_for_mask,
            )  # fmt: skip
        finally:
            if has_masks:
                cell.drop_masks()
        return last, time_major(outputs), states

    def compute_mask(self, _: Any, mask: Any) -> Any:
        mask = _flat(mask)[0] if mask is not None else None
        output = mask if self.return_sequences else None
        return [output, *[None] * len(_flat(self.cell.state_size))] if self.return_state else output

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if "cell" in config:
            config["cell"] = serialize_keras_object(self.cell)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        if "cell" in config:
            config = {**config, "cell": deserialize_keras_object(config["cell"], custom_objects)}
        return super().from_config(config)


def _output_shape(cell: Any) -> tuple[int, ...]:
    size = getattr(cell, "output_size", None)
    size = _flat(cell.state_size)[0] if size is None else size
    return tuple(size) if isinstance(size, (list, tuple)) else (size,)


class DropoutCell(Layer):
    """A cell with one dropout mask for the inputs and one for the states of a whole sequence."""

    dropout: float
    recurrent_dropout: float

    def keep_dropout(self, dropout: float, recurrent_dropout: float, seed: Any) -> None:
        """Checks and keeps the fractions, and makes the seed where there are any."""
        self.dropout = checks.number("dropout", dropout, 0, 1)
        self.recurrent_dropout = checks.number("recurrent_dropout", recurrent_dropout, 0, 1)
        self.seed = seed
        if dropout or recurrent_dropout:
            self.seed_generator = random.SeedGenerator(seed)
        self.drop_masks()

    def drop_masks(self) -> None:
        """Forgets the masks of a sequence."""
        self.__dict__["_input_mask"] = self.__dict__["_state_mask"] = None

    def make_dropout_masks(self, inputs: Tensor, training: bool) -> None:
        """Draws the masks of a sequence from the inputs of one step."""
        if not training:
            return
        units = _flat(self.state_size)[0]
        if self.dropout:
            self.__dict__["_input_mask"] = self._drawn(ops.shape(inputs), ops.dtype(inputs), self.dropout)
        if self.recurrent_dropout:
            shape = (ops.shape(inputs)[0], units)
            self.__dict__["_state_mask"] = self._drawn(shape, ops.dtype(inputs), self.recurrent_dropout)

    def _drawn(self, shape: Any, dtype: str, rate: float) -> Tensor:
        return random.dropout(ops.ones(shape, dtype), rate, seed=self.seed_generator)

    def dropped(self, inputs: Tensor, state: Tensor, training: bool) -> tuple[Tensor, Tensor]:
        """Inputs and state of one step with the masks applied."""
        if not training:
            return inputs, state
        own = self.__dict__["_input_mask"] is None and self.__dict__["_state_mask"] is None
        if own:  # the cell is called by itself
            self.make_dropout_masks(inputs, training)
        input_mask, state_mask = self.__dict__["_input_mask"], self.__dict__["_state_mask"]
        if own:
            self.drop_masks()
        inputs = inputs if input_mask is None else ops.multiply(inputs, input_mask)
        return inputs, state if state_mask is None else ops.multiply(state, state_mask)


def check_sequence_rank() -> InputSpec:
    """What the built-in recurrent layers take."""
    return InputSpec(ndim=3)


def require_states(states: Any) -> list[Any]:
    """The states of a cell as a list."""
    if states is None:
        raise StateError(
            "A recurrent cell needs its states. Pass `cell.get_initial_state(batch_size)` at the first step."
        )
    return _flat(states)
