"""Functional models: graphs of layers with many inputs and outputs."""

from __future__ import annotations

from typing import Any

from kerata.core import dispatch, tree
from kerata.core.errors import ArgumentError
from kerata.core.graph import Function, Node, Operation, flat_tensors
from kerata.core.registry import register_builtin
from kerata.core.tensor import OPS, KerasTensor
from kerata.layers.input_layer import InputLayer
from kerata.layers.layer import Layer
from kerata.layers.shapes import mask_of, set_mask

from .model import Model

Tree = Any


@register_builtin("models")
class Functional(Model):
    """A model cut out of a graph of calls: `Model(inputs, outputs)` makes it.

    Args:
        inputs: symbolic tensor, or a list, tuple or dict of them.
        outputs: likewise.
        name: name of the model.
    """

    _keras_module = "keras.src.models.functional"  # it has no public name in Keras

    def __init__(self, inputs: Tree, outputs: Tree, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(inputs, outputs, name=name, **kwargs)

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs: the keys of a dict, sorted as in Keras, or the layers they come from."""
        names = self._output_names()
        return sorted(names) if isinstance(self.output, dict) else names

    def call(self, inputs: Tree, training: bool | None = None, mask: Tree = None) -> Tree:
        function: Function = self.__dict__["_graph"]
        values = match_inputs(function, inputs)
        if mask is not None:
            for x, m in zip(values, tree.flatten(mask), strict=False):
                if m is not None and mask_of(x) is None:
                    set_mask(x, m)
        return function.run(values, _call)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, flat."""
        return self.__dict__["_graph"].inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, flat."""
        return self.__dict__["_graph"].outputs

    @property
    def input(self) -> Tree:
        """The symbolic input(s) in their structure."""
        return self.__dict__["_graph"].input

    @property
    def output(self) -> Tree:
        return self.__dict__["_graph"].output

    @property
    def input_shape(self) -> Tree:
        return tree.map_structure(lambda t: t.shape, self.input)

    @property
    def output_shape(self) -> Tree:
        return tree.map_structure(lambda t: t.shape, self.output)

    @property
    def operations(self) -> list[Operation]:
        """Layers and op calls, in the order of their depth."""
        return self.__dict__["_functional_operations"]

    @property
    def layers(self) -> list[Layer]:
        return [op for op in self.operations if isinstance(op, Layer)]

    @property
    def _layers(self) -> list[Layer]:
        graph_layers = self.layers if "_functional_operations" in self.__dict__ else []
        known = {id(layer) for layer in graph_layers}
        return graph_layers + [layer for layer in super()._layers if id(layer) not in known]

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()  # the graph first, in whose order no object refers deeply into others
        return {"_graph": state.pop("_graph"), **state}

    def build(self, input_shape: Any) -> None:
        self.built = True

    def _build_for(self, arguments: dict[str, Any]) -> None:
        self.built = True

    _makes_masks = False

    def compute_mask(self, inputs: Tree, previous_mask: Tree) -> Tree:
        return None  # masks went with the tensors through the graph

    def get_build_config(self) -> dict[str, Any] | None:
        return None

    def get_config(self) -> dict[str, Any]:
        if type(self).__init__ is not Functional.__init__ and type(self) is not Functional:
            return Layer.get_config(self)
        from .functional_config import functional_config

        return functional_config(self)


def _call(operation: Operation, args: Any, kwargs: Any) -> Any:
    return operation(*args, **kwargs)


def make_functional(
    model: Model, inputs: Tree, outputs: Tree, name: str | None = None, **kwargs: Any
) -> None:
    """Initialises a model from symbolic inputs and outputs; also behind `super().__init__(inputs, outputs)`."""
    kwargs = {k: v for k, v in kwargs.items() if v is not None}
    Layer.__init__(model, name=name, **kwargs)
    for t in flat_tensors(inputs, "inputs"):
        if t.node is None or not t.node.is_input:
            if t.node is None:
                InputLayer(batch_shape=t.shape, dtype=t.dtype, input_tensor=t, name=t.name)
    function = Function(inputs, outputs, name=f"{model.name}_graph")
    _check_unique_names(function)
    model.__dict__["_graph"] = function
    model.__dict__["_functional_operations"] = by_depth(function)
    engines = {
        id(op.engine): op.engine
        for op in function.operations
        if isinstance(op, Layer) and not isinstance(op, InputLayer)
    }
    if len(engines) > 1:
        names = sorted(e.name for e in engines.values())
        raise ArgumentError(
            "outputs", expected="made by layers of one engine", got=names, fix="Move layers with to_backend."
        )
    if engines:
        model.__dict__["engine"] = next(iter(engines.values()))
    model.built = True
    model.supports_masking = True
    if not isinstance(model, Functional) and type(model).call is Model.call:
        _adopt(model)


def _adopt(model: Model) -> None:
    """A subclass that calls `super().__init__(inputs, outputs)` gets the methods of Functional."""
    cls = type(model)
    model.__class__ = type(
        cls.__name__, (cls, Functional), {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
    )


def _check_unique_names(function: Function) -> None:
    seen: dict[str, Operation] = {}
    for op in function.operations:
        other = seen.setdefault(op.name, op)
        if other is not op and isinstance(op, Layer) and isinstance(other, Layer):
            raise ArgumentError("name", expected="unique among the layers of a model", got=op.name)


def by_depth(function: Function) -> list[Operation]:
    """The operations, those farthest from the outputs first; equals in the order in which the outputs reach them."""
    depth: dict[int, int] = {}
    nodes: list[Node] = function._nodes
    for node in reversed(nodes):
        own = depth.setdefault(id(node), 0)
        for parent in node.parent_nodes:
            depth[id(parent)] = max(depth.get(id(parent), 0), own + 1)
    for t in function.inputs:
        if t.node is not None:
            depth.setdefault(id(t.node), 0)
    inputs = [t.node for t in function.inputs if t.node is not None]
    operation_depth: dict[int, int] = {}
    operations: dict[int, Operation] = {}
    for node in [*nodes, *inputs]:
        key = id(node.operation)
        operations[key] = node.operation
        operation_depth[key] = max(operation_depth.get(key, 0), depth[id(node)])
    first = {key: i for i, key in enumerate(_reached(function))}
    order = sorted(operations, key=lambda k: (-operation_depth[k], first.get(k, -1)))
    return [operations[k] for k in order]


def _reached(function: Function) -> list[int]:
    """Ids of operations in the order in which a walk back from the outputs first meets them."""
    known = {id(t.node) for t in function.inputs}
    met: dict[int, None] = {}
    done: set[int] = set()
    stack = [t.node for t in reversed(function.outputs) if t.node is not None]
    while stack:
        node = stack.pop()
        met.setdefault(id(node.operation))
        if id(node) in done or id(node) in known:
            continue
        done.add(id(node))
        stack.extend(reversed(node.parent_nodes))
    return list(met)


# ---- inputs --------------------------------------------------------------------------------------


def match_inputs(function: Function, inputs: Tree) -> list[Any]:
    """The given inputs in the order of the graph's: by structure, or by the names of the inputs."""
    expected = function.inputs
    if (
        len(expected) == 1
        and type(function.input) is KerasTensor
        and not isinstance(inputs, (list, tuple, dict))
    ):
        return [_fit(inputs, expected[0])]
    if _is_nested(function.input):
        values = _by_structure(function.input, inputs, "inputs")
    elif isinstance(inputs, dict):
        values = _by_name(function, inputs)
    else:
        values = tree.flatten(inputs)
    if len(values) != len(expected):
        names = [t.name for t in expected]
        raise ArgumentError(
            "inputs",
            expected=f"{len(expected)} tensors, for the inputs {names}",
            got=f"{len(values)} of them",
        )
    return [_fit(x, t) for x, t in zip(values, expected, strict=True)]


def _is_nested(structure: Tree) -> bool:
    """Whether a dict holds, or is held by, another structure: then names alone do not say what goes where."""
    if isinstance(structure, dict):
        return any(type(part) is not KerasTensor for part in structure.values())
    parts = structure if isinstance(structure, (list, tuple)) else ()
    return any(isinstance(part, dict) or _is_nested(part) for part in parts)


def _by_structure(structure: Tree, given: Any, place: str) -> list[Any]:
    """The leaves of what is given for a structure of inputs, in the order of the graph's inputs."""
    if type(structure) is KerasTensor:
        return [given]
    if isinstance(structure, dict):
        if not isinstance(given, dict) or not structure.keys() <= given.keys():
            raise ArgumentError(place, expected=f"a dict with the keys {list(structure)}", got=given)
        parts = [
            (structure[key], given[key], f"{place}[{key!r}]")
            for key in tree.flatten({k: k for k in structure})
        ]
    else:
        if not isinstance(given, (list, tuple)) or len(given) != len(structure):
            raise ArgumentError(place, expected=f"a list of {len(structure)} structures", got=given)
        parts = [(part, v, f"{place}[{i}]") for i, (part, v) in enumerate(zip(structure, given, strict=True))]
    return [leaf for part in parts for leaf in _by_structure(*part)]


def _by_name(function: Function, inputs: dict[str, Any]) -> list[Any]:
    names = [t.name for t in function.inputs]
    if isinstance(function.input, dict):
        keys = {id(t): k for k, t in function.input.items() if type(t) is KerasTensor}
        names = [keys.get(id(t), t.name) for t in function.inputs]
    missing = [n for n, t in zip(names, function.inputs, strict=True) if n not in inputs and not t.optional]
    if missing:
        raise ArgumentError(
            "inputs", expected=f"a dict with the keys {names}", got=f"a dict with the keys {sorted(inputs)}"
        )
    return [inputs.get(n) for n in names]


def _fit(x: Any, t: KerasTensor) -> Any:
    """Casts to the dtype of the input, and mends a missing or an extra last axis of size 1."""
    if x is None:
        if t.optional:
            return x
        raise ArgumentError("inputs", expected=f"a tensor for the input {t.name!r}", got=x)
    if dispatch.dtype_of(x) != t.dtype:
        mask = mask_of(x)
        x = OPS["cast"](x, t.dtype)
        if mask is not None:
            set_mask(x, mask)
    shape = x.shape
    rank, want = len(shape), len(t._shape)
    if rank != want:
        if rank == want + 1 and shape[-1] == 1:
            return OPS["squeeze"](x, -1)
        if rank == want - 1 and t._shape[-1] == 1:
            return OPS["expand_dims"](x, -1)
    elif all(a is None or a == b or b is None for a, b in zip(t._shape[1:], shape[1:], strict=True)):
        return x  # with any size of batch, as in Keras, whatever size the input was declared with
    raise ArgumentError("inputs", expected=f"of shape {t._shape} for the input {t.name!r}", got=x)


def is_functional_config(config: dict[str, Any]) -> bool:
    return all(key in config for key in ("name", "layers", "input_layers", "output_layers"))


def functional_from_config(cls: type, config: dict[str, Any]) -> Any:
    """A Functional model from its config."""
    from .functional_config import functional_from_config as build

    return build(cls, config)
