"""The graph of a Functional model: operations, the nodes of their calls, and functions cut out of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, Self

from kerata.core import tree
from kerata.core.declare import DECLARED, Op, leaves_of
from kerata.core.errors import ArgumentError, StateError
from kerata.core.inference import infer, infer_call
from kerata.core.naming import auto_name, to_snake_case
from kerata.core.serialization import deserialize_fields, serialize_argument
from kerata.core.signature import init_parameters
from kerata.core.tensor import KerasTensor

Tree = Any


class Operation:
    """What a node of a graph calls: a layer, or a call of an op with its parameters.

    Args:
        name: unique in a model; made from the class name where none is given.

    Example:
        >>> import kerata
        >>> isinstance(kerata.layers.Dense(2), kerata.Operation)
        True
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        object.__setattr__(self, "_init_config", (args, kwargs))
        return self

    def __init__(self, name: str | None = None) -> None:
        if name is not None and not isinstance(name, str):
            raise ArgumentError("name", expected="a string", got=name)
        self.name = name or auto_name(to_snake_case(type(self).__name__))
        self._inbound_nodes: list[Node] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any(type(leaf) is KerasTensor for leaf in leaves_of([args, kwargs])):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The computation; subclasses define it."""
        raise StateError(
            f"The class {type(self).__name__} has no `call` method. Define `call(self, inputs)`."
        )

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Makes a node of the graph and gives its symbolic outputs."""
        outputs = self.compute_output_spec(*args, **kwargs)
        return record(self, args, kwargs, outputs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Abstract outputs for symbolic inputs."""
        return infer_call(self.call, args, kwargs)

    def _has_call(self) -> bool:
        """Whether its class says what it computes."""
        return type(self).call is not Operation.call

    # ---- configs -------------------------------------------------------------------------------
    def get_config(self) -> dict[str, Any]:
        """The arguments that make it again."""
        names = [name for name in init_parameters(type(self)) if name != "name"]
        return {"name": self.name, **{name: serialize_argument(self._init_value(name)) for name in names}}

    def _init_value(self, name: str) -> Any:
        """The value of an argument of `__init__`: the attribute of that name, or what was given."""
        if hasattr(self, name):
            return getattr(self, name)
        args, kwargs = self.__dict__["_init_config"]
        if name in kwargs:
            return kwargs[name]
        names = init_parameters(type(self))
        if name in names[: len(args)]:
            return args[names.index(name)]
        default = inspect.signature(type(self).__init__).parameters.get(name)
        if default is not None and default.default is not default.empty:
            return default.default
        raise StateError(
            f"Define `get_config` in {type(self).__name__}: the value of its argument {name!r} is not known."
        )

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """One from what `get_config` gave."""
        return cls(**deserialize_fields(cls, config))

    # ---- the tensors of its first call ---------------------------------------------------------
    def _first_node(self) -> Node:
        if not self._inbound_nodes:
            raise StateError(
                f"The layer {self.name!r} has not been called on symbolic tensors, so it has no input and no output."
            )
        return self._inbound_nodes[0]

    @property
    def input(self) -> Any:
        """Symbolic input(s) of its first call."""
        args = self._first_node().args
        return args[0] if len(args) == 1 else list(args)

    @property
    def output(self) -> Any:
        """Symbolic output(s) of its first call."""
        return self._first_node().outputs


class Node:
    """One call of an operation on symbolic tensors."""

    __slots__ = ("args", "inputs", "is_input", "kwargs", "operation", "outputs")

    def __init__(
        self, operation: Operation, args: Any, kwargs: Any, outputs: Any, is_input: bool = False
    ) -> None:
        self.operation, self.args, self.kwargs, self.outputs = operation, args, kwargs, outputs
        self.inputs: list[KerasTensor] = [t for t in leaves_of([args, kwargs]) if type(t) is KerasTensor]
        self.is_input = is_input
        for i, t in enumerate(tensors_of(outputs)):
            t.node, t.output_index = self, i
        operation._inbound_nodes.append(self)

    @property
    def index(self) -> int:
        """Position among the calls of its operation."""
        return next(i for i, n in enumerate(self.operation._inbound_nodes) if n is self)

    @property
    def input_tensors(self) -> list[KerasTensor]:
        return self.inputs

    @property
    def output_tensors(self) -> list[KerasTensor]:
        return tensors_of(self.outputs)

    @property
    def parent_nodes(self) -> list[Node]:
        return [t.node for t in self.inputs if t.node is not None]


def tensors_of(structure: Any) -> list[KerasTensor]:
    return [t for t in tree.flatten(structure) if type(t) is KerasTensor]


def record(operation: Operation, args: Any, kwargs: Any, outputs: Any) -> Any:
    """Gives abstract outputs a history: they become edges of the graph."""

    def with_history(x: Any) -> Any:
        if type(x) is not KerasTensor:
            return x
        new = KerasTensor(x.shape, x.dtype, sparse=x.sparse)
        new._keras_mask = x._keras_mask
        return new

    outputs = tree.map_structure(with_history, outputs)
    Node(operation, args, kwargs, outputs)
    return outputs


class OpCall(Operation):
    """A call of an op as a node: `op` with its arguments, tensors by place."""

    def __init__(self, op: str, name: str | None = None) -> None:
        if op not in DECLARED:
            raise ArgumentError("op", expected="the name of one of Kerata's ops", got=op)
        self.op = op
        super().__init__(name or auto_name(op))

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return DECLARED[self.op].function(*args, **kwargs)


def record_op(declared: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The node of an op that was called on symbolic tensors."""
    outputs = infer(declared.function, args, kwargs)  # first, so that a refused call leaves no trace
    if declared.in_graph is not None:
        args, kwargs = declared.in_graph(*args, **kwargs), {}
    return record(OpCall(declared.name), args, kwargs, outputs)


# ---- functions -----------------------------------------------------------------------------------


def topological(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> list[Node]:
    """The nodes between inputs and outputs, each after those that it needs. Iterative: graphs are deep."""
    known = {id(t) for t in inputs}
    order: list[Node] = []
    state: dict[int, int] = {}  # id of a node -> 1 being visited, 2 done
    stack: list[tuple[Node, bool]] = []
    for t in reversed(outputs):
        if id(t) not in known:
            stack.append((_node_of(t, inputs), False))
    while stack:
        node, done = stack.pop()
        if done:
            state[id(node)] = 2
            order.append(node)
            continue
        if id(node) in state:
            continue
        state[id(node)] = 1
        stack.append((node, True))
        for t in reversed(node.inputs):
            if id(t) not in known:
                parent = _node_of(t, inputs)
                if id(parent) not in state:
                    stack.append((parent, False))
    return order


def _node_of(t: KerasTensor, inputs: list[KerasTensor]) -> Node:
    if t.node is None or t.node.is_input:
        raise ArgumentError(
            "inputs",
            expected="all the inputs that the outputs depend on",
            got=[i.name for i in inputs],
            fix=f"The tensor {t.name!r} of shape {t.shape} is needed and not among them.",
        )
    return t.node


class Function(Operation):
    """A function cut out of a graph: from input tensors to output tensors.

    It runs a flat list of calls; no recursion, whatever the depth of the graph.

    Args:
        inputs: symbolic tensor or a structure of them.
        outputs: likewise.

    Example:
        >>> import kerata
        >>> x = kerata.KerasTensor((None, 2))
        >>> f = kerata.Function(x, kerata.ops.exp(x))
        >>> f(kerata.ops.zeros((1, 2))).shape == (1, 2)
        True
    """

    def __init__(self, inputs: Tree, outputs: Tree, name: str | None = None) -> None:
        super().__init__(name)
        self._inputs_struct, self._outputs_struct = inputs, outputs
        self._inputs, self._outputs = flat_tensors(inputs, "inputs"), flat_tensors(outputs, "outputs")
        self._nodes = topological(self._inputs, self._outputs)
        self._plan = _plan(self._inputs, self._outputs, self._nodes)

    def __getstate__(self) -> dict[str, Any]:
        """The nodes first, each after those that it needs: copies and pickles then go no deeper than one node."""
        state = dict(self.__dict__)
        return {"_inputs": state.pop("_inputs"), "_nodes": state.pop("_nodes"), **state}

    @property
    def operations(self) -> list[Operation]:
        """The operations in the order of their first call."""
        found: dict[int, Operation] = {}
        for t in self._inputs:
            if t.node is not None:
                found.setdefault(id(t.node.operation), t.node.operation)
        for node in self._nodes:
            found.setdefault(id(node.operation), node.operation)
        return list(found.values())

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, in the structure in which they were given."""
        return self._inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, in the structure in which they were given."""
        return self._outputs

    @property
    def input(self) -> Tree:
        return self._inputs_struct

    @property
    def output(self) -> Tree:
        return self._outputs_struct

    def call(self, inputs: Tree) -> Tree:
        return self.run(tree.flatten(inputs), _call_plainly)

    def run(self, values: list[Any], call: Callable[[Operation, Any, Any], Any]) -> Tree:
        """Runs the list of calls; `call(operation, args, kwargs)` makes each of them."""
        cells: list[Any] = [None] * self._plan.cells
        cells[: len(values)] = values
        for step in self._plan.steps:
            step.run(cells, call)
        outputs = [cells[i] for i in self._plan.outputs]
        return tree.pack_sequence_as(self._outputs_struct, outputs)


def _call_plainly(operation: Operation, args: Any, kwargs: Any) -> Any:
    return operation(*args, **kwargs)


def flat_tensors(structure: Tree, argument: str) -> list[KerasTensor]:
    """The tensors of a structure, all of which must be symbolic."""
    leaves = tree.flatten(structure)
    for leaf in leaves:
        if type(leaf) is not KerasTensor:
            raise ArgumentError(
                argument,
                expected="a symbolic tensor, or a structure of them",
                got=leaf,
                fix="Start from kerata.Input(shape=...) and call layers on it.",
            )
    if not leaves:
        raise ArgumentError(argument, expected="at least one symbolic tensor", got=structure)
    return leaves


class _Step:
    """One call of a plan: which cells go in, which cells come out."""

    __slots__ = ("args", "kwargs", "operation", "out", "single", "sources")

    def __init__(self, node: Node, cell_of: dict[int, int]) -> None:
        self.operation = node.operation
        self.args = [_slots(a, cell_of) for a in node.args]
        self.kwargs = {k: _slots(v, cell_of) for k, v in node.kwargs.items()}
        self.out = [
            (i, cell_of[id(t)]) for i, t in enumerate(tree.flatten(node.outputs)) if type(t) is KerasTensor
        ]
        self.single = type(node.outputs) is KerasTensor
        # The common call: one tensor in, one out, nothing else.
        self.sources = (
            self.args[0][1] if len(self.args) == 1 and not self.kwargs and self.args[0][0] is _CELL else None
        )

    def run(self, cells: list[Any], call: Callable[[Operation, Any, Any], Any]) -> None:
        if self.sources is not None:
            result = call(self.operation, (cells[self.sources],), {})
        else:
            args = tuple(_fill(a, cells) for a in self.args)
            result = call(self.operation, args, {k: _fill(v, cells) for k, v in self.kwargs.items()})
        if self.single:
            cells[self.out[0][1]] = result
            return
        leaves = tree.flatten(result)  # what is no tensor (None, say) stays out
        for i, place in self.out:
            cells[place] = leaves[i]


_CELL, _VALUE, _LIST, _TUPLE, _DICT = range(5)


def _slots(value: Any, cell_of: dict[int, int]) -> Any:
    """An argument with its tensors replaced by their cells."""
    if type(value) is KerasTensor:
        return _CELL, cell_of[id(value)]
    if isinstance(value, (list, tuple)) and any(type(v) is KerasTensor for v in leaves_of(list(value))):
        return (_LIST if isinstance(value, list) else _TUPLE), [_slots(v, cell_of) for v in value]
    if isinstance(value, dict) and any(type(v) is KerasTensor for v in leaves_of(dict(value))):
        return _DICT, {k: _slots(v, cell_of) for k, v in value.items()}
    return _VALUE, value


def _fill(slot: Any, cells: list[Any]) -> Any:
    kind, value = slot
    if kind == _CELL:
        return cells[value]
    if kind == _VALUE:
        return value
    if kind == _DICT:
        return {k: _fill(v, cells) for k, v in value.items()}
    filled = [_fill(v, cells) for v in value]
    return filled if kind == _LIST else tuple(filled)


class _Plan:
    __slots__ = ("cells", "outputs", "steps")

    def __init__(self, cells: int, steps: list[_Step], outputs: list[int]) -> None:
        self.cells, self.steps, self.outputs = cells, steps, outputs


def _plan(inputs: list[KerasTensor], outputs: list[KerasTensor], nodes: Iterable[Node]) -> _Plan:
    cell_of: dict[int, int] = {}
    for t in inputs:
        cell_of[id(t)] = len(cell_of)
    steps = []
    for node in nodes:
        for t in tensors_of(node.outputs):
            cell_of.setdefault(id(t), len(cell_of))
        steps.append(_Step(node, cell_of))
    return _Plan(len(cell_of), steps, [cell_of[id(t)] for t in outputs])
