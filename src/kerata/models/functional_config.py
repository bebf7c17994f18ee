"""Graphs of layers and op calls as plain data and back, in the form of Keras 3.

A graph is a list of its operations. Each has the list of its calls (`inbound_nodes`); a tensor among the arguments of a
call is told by its history: name of the operation that made it, number of the call, number of the output.
"""

from __future__ import annotations

import abc
from typing import Any

from kerata.core.errors import ArgumentError
from kerata.core.graph import Node, OpCall, Operation, tensors_of
from kerata.core.op_format import MOST_PARTS, describe_call, form_of, is_op, make_call
from kerata.core.serialization import deserialize_keras_object, serialize_keras_object
from kerata.core.tensor import KerasTensor
from kerata.layers.layer import Layer

Key = tuple[str, int, int]  # name of an operation, number of the call, number of the output
Places = dict[int, list[Any]]  # id of a symbolic tensor -> its history in this graph


# ---- writing -------------------------------------------------------------------------------------------------


def functional_config(model: Any) -> dict[str, Any]:
    """The graph of a Functional model as plain data."""
    function = model.__dict__["_graph"]
    calls: dict[int, list[Node]] = {}
    for node in [*(t.node for t in function.inputs if t.node is not None), *function._nodes]:
        own = calls.setdefault(id(node.operation), [])
        if not any(other is node for other in own):
            own.append(node)
    for own in calls.values():
        own.sort(key=lambda node: node.index)
    names = _names(model.operations)
    places: Places = {}
    for operation in model.operations:
        for number, node in enumerate(calls[id(operation)]):
            for i, tensor in enumerate(tensors_of(node.outputs)):
                places[id(tensor)] = [names[id(operation)], number, i]
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": [_entry(op, names[id(op)], calls[id(op)], places) for op in model.operations],
        "input_layers": _structure(function.input, places),
        "output_layers": _structure(function.output, places),
    }


def _names(operations: list[Operation]) -> dict[int, str]:
    """Names of the operations. Layers keep theirs; calls of ops that were made apart may bear the same name."""
    taken = {op.name for op in operations if isinstance(op, Layer)}
    names = {}
    for op in operations:
        name, count = op.name, 0
        while not isinstance(op, Layer) and name in taken:
            count += 1
            name = f"{op.name}_{count}"
        taken.add(name)
        names[id(op)] = name
    return names


def _entry(operation: Operation, name: str, nodes: list[Node], places: Places) -> dict[str, Any]:
    nodes = [node for node in nodes if not node.is_input]
    if isinstance(operation, OpCall):
        (node,) = nodes  # each call of an op is an operation of its own
        entry, args, kwargs = describe_call(operation.op, node.args, node.kwargs, name)
        entry["config"] = _plain(entry["config"], places)
        inbound = [{"args": [_plain(a, places) for a in args], "kwargs": _plain(kwargs, places)}]
        return {**entry, "name": name, "inbound_nodes": inbound}
    inbound = [
        {"args": [_plain(a, places) for a in node.args], "kwargs": _plain(dict(node.kwargs), places)}
        for node in nodes
    ]
    return {**serialize_keras_object(operation), "name": name, "inbound_nodes": inbound}


def _plain(value: Any, places: Places) -> Any:
    """An argument as plain data, its symbolic tensors by their history."""
    if type(value) is KerasTensor:
        config = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": places[id(value)]}
        return {"class_name": "__keras_tensor__", "config": config}
    if isinstance(value, (list, tuple)):
        return [_plain(v, places) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v, places) for k, v in value.items()}
    return serialize_keras_object(value)


def _structure(value: Any, places: Places) -> Any:
    if type(value) is KerasTensor:
        return places[id(value)]
    if isinstance(value, dict):
        return {k: _structure(v, places) for k, v in value.items()}
    return [_structure(v, places) for v in value]


# ---- reading -------------------------------------------------------------------------------------------------


def functional_from_config(cls: type, config: dict[str, Any]) -> Any:
    """A Functional model from what `functional_config` gave.

    Raises:
        ArgumentError: if a call needs a tensor that no call makes.
    """
    graph = _Graph(config["layers"])
    graph.run()
    inputs = graph.structure(config["input_layers"], "input_layers")
    outputs = graph.structure(config["output_layers"], "output_layers")
    options = {key: config[key] for key in ("name", "trainable") if config.get(key) is not None}
    return cls(inputs, outputs, **options)


class _Graph:
    """Makes the operations of a graph and calls them, each call as soon as its inputs are there.

    Calls wait in lists under the tensor that they need next, so the work is linear in the number of calls.
    """

    def __init__(self, entries: Any) -> None:
        if not isinstance(entries, list):
            raise ArgumentError("layers", expected="a list of operations", got=entries)
        self.tensors: dict[Key, KerasTensor] = {}
        self._calls: list[_Call] = []
        names: set[str] = set()
        for entry in entries:
            name = entry.get("name") or entry["config"]["name"]
            if not isinstance(name, str) or name in names:
                raise ArgumentError("name", expected="unique among the operations of a model", got=name)
            names.add(name)
            self._add(entry, name)

    def _add(self, entry: dict[str, Any], name: str) -> None:
        nodes = entry.get("inbound_nodes") or []
        if is_op(entry):
            for number, node in enumerate(nodes):
                self._calls.append(_OpCall(entry, name, number, node))
            return
        layer = deserialize_keras_object(
            {k: v for k, v in entry.items() if k not in ("name", "inbound_nodes")}, kinds=("layers", "models")
        )
        if not isinstance(layer, Operation):
            raise ArgumentError("layers", expected="made of layers and operations", got=layer)
        if not nodes and layer._inbound_nodes:  # an InputLayer
            self._keep(name, 0, layer._inbound_nodes[0].outputs)
        for number, node in enumerate(nodes):
            self._calls.append(_LayerCall(layer, name, number, node))

    def _keep(self, name: str, number: int, outputs: Any) -> list[Key]:
        made = {(name, number, i): tensor for i, tensor in enumerate(tensors_of(outputs))}
        self.tensors.update(made)
        return list(made)

    def run(self) -> None:
        waiting: dict[Key, list[_Call]] = {}
        ready = list(reversed(self._calls))
        most = MOST_PARTS + 8 * len(self._calls)  # few calls must not describe any number of tensors
        while ready:
            call = ready.pop()
            missing = call.missing(self.tensors)
            if missing is not None:
                waiting.setdefault(missing, []).append(call)
                continue
            for key in self._keep(call.name, call.number, call.make(self.tensors)):
                ready.extend(reversed(waiting.pop(key, ())))
            if len(self.tensors) > most:
                raise ArgumentError(
                    "layers", expected=f"calls that give at most {most} tensors", got=call.name
                )
        if waiting:
            name, number, output = next(iter(waiting))
            raise ArgumentError(
                "layers",
                expected="without calls that wait for each other",
                got=f"a call that needs {name}[{number}][{output}]",
            )

    def structure(self, value: Any, argument: str) -> Any:
        """Tensors in the structure of their histories."""
        if isinstance(value, dict):
            return {k: self.structure(v, argument) for k, v in value.items()}
        if not isinstance(value, list):
            raise ArgumentError(argument, expected="histories of tensors", got=value)
        if len(value) == 3 and isinstance(value[0], str):
            return self.tensor(value, argument)
        return [self.structure(v, argument) for v in value]

    def tensor(self, history: list[Any], argument: str) -> KerasTensor:
        try:
            return self.tensors[history[0], history[1], history[2]]
        except (KeyError, TypeError):
            raise ArgumentError(argument, expected="outputs of calls in the graph", got=history) from None


class _Call(abc.ABC):
    """One call that is to be made."""

    def __init__(self, name: str, number: int, node: Any) -> None:
        self.name, self.number = name, number
        fields = (node.get("args"), node.get("kwargs")) if isinstance(node, dict) else (None, None)
        if not isinstance(fields[0], list) or not isinstance(fields[1], dict):
            raise ArgumentError("inbound_nodes", expected="calls with `args` and `kwargs`", got=node)
        self.args: list[Any] = fields[0]
        self.kwargs: dict[str, Any] = fields[1]
        self._needs = list(_histories([self.args, self.kwargs]))

    def _check_needs(self, called: str, node: Any) -> None:
        """Of numbers alone it would be computed here and now, with results as large as its own numbers say."""
        if not self._needs:
            raise ArgumentError(
                "args", expected=f"given a tensor of the graph by each call of {called}", got=node
            )

    def missing(self, tensors: dict[Key, KerasTensor]) -> Key | None:
        """A tensor that is needed and not there yet."""
        while self._needs:
            if self._needs[-1] not in tensors:
                return self._needs[-1]
            self._needs.pop()
        return None

    @abc.abstractmethod
    def make(self, tensors: dict[Key, KerasTensor]) -> Any:
        """Makes the call and gives its symbolic outputs."""


class _LayerCall(_Call):
    def __init__(self, layer: Operation, name: str, number: int, node: Any) -> None:
        super().__init__(name, number, node)
        self._layer = layer
        self._check_needs(f"layer {name!r}", node)

    def make(self, tensors: dict[Key, KerasTensor]) -> Any:
        args = [_fill(a, tensors) for a in self.args]
        return self._layer(*args, **{k: _fill(v, tensors) for k, v in self.kwargs.items()})


class _OpCall(_Call):
    def __init__(self, entry: dict[str, Any], name: str, number: int, node: Any) -> None:
        super().__init__(name, number, node)
        form = form_of(entry)
        if form is None:
            raise ArgumentError(
                "class_name",
                expected="the class of an operation that a file may name",
                got=entry["class_name"],
            )
        self._form, self._config = form, entry["config"]
        self._needs += _histories(self._config)
        self._check_needs(form.class_name, node)

    def make(self, tensors: dict[Key, KerasTensor]) -> Any:
        args = [_fill(a, tensors) for a in self.args]
        config = {k: _fill(v, tensors) for k, v in self._config.items()}
        kwargs = {k: _fill(v, tensors) for k, v in self.kwargs.items()}
        return make_call(self._form, self.name, config, args, kwargs)


def _histories(value: Any) -> Any:
    """Histories of the tensors among arguments."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, dict):
            if item.get("class_name") == "__keras_tensor__":
                yield _key(item["config"])
            else:
                stack.extend(item.values())


def _key(config: Any) -> Key:
    """The history that a tensor among arguments has."""
    match config:
        case {"keras_history": [str(name), int(number), int(output)]}:
            return name, number, output
    raise ArgumentError("keras_history", expected="a name and two numbers", got=config)


def _fill(value: Any, tensors: dict[Key, KerasTensor]) -> Any:
    """An argument from plain data."""
    if isinstance(value, list):
        return [_fill(v, tensors) for v in value]
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return tensors[_key(value["config"])]
        if "class_name" in value:
            return deserialize_keras_object(value, kinds=("policies",))
        return {k: _fill(v, tensors) for k, v in value.items()}
    return value
