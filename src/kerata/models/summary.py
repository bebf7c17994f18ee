"""The table of a model's layers that `model.summary()` prints."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kerata.core import dtypes, tree
from kerata.core.errors import ArgumentError
from kerata.core.graph import Node
from kerata.core.tensor import KerasTensor
from kerata.core.variable import Variable
from kerata.layers.layer import Layer

_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Prints layers, output shapes and numbers of parameters.

    Args:
        model: the model.
        line_length: width of the table in characters; by its columns if None.
        positions: the share of the width at which each column ends, from 0 to 1.
        print_fn: gets the whole text once; it is printed if None.
        expand_nested: whether the layers of models inside are shown too.
        show_trainable: whether a column tells which layers are trained.
        layer_range: names (or regular expressions) of the first and the last layer to show.

    Raises:
        ArgumentError: a `line_length`, `positions` or `layer_range` that does not fit.
    """
    connected = not _is_chain(model)
    headers = [
        "Layer (type)",
        "Output Shape",
        "Param #",
        *["Connected to"] * connected,
        *["Trainable"] * show_trainable,
    ]
    shares = _shares(positions, connected, show_trainable, len(headers))
    if line_length is None:
        line_length = 80 + 20 * connected + 12 * show_trainable
    if not isinstance(line_length, int) or line_length < 8 * len(headers):
        raise ArgumentError(
            "line_length", expected=f"an integer, {8 * len(headers)} or more", got=line_length
        )
    rows = list(_rows(model, _Places(model), expand_nested, connected, show_trainable, layer_range))
    text = (
        _table(f'Model: "{model.name}"', headers, rows, shares, line_length)
        + "\n".join(_totals(model))
        + "\n"
    )
    if print_fn is None:
        print(text)
    else:
        print_fn(text)


def _is_chain(model: Any) -> bool:
    """Whether each layer has one input, the layer above it in the table."""
    graph = model.__dict__.get("_graph")
    if graph is None or hasattr(model, "_sequence"):
        return True
    nodes = graph._nodes
    if len(graph.inputs) > 1 or len({id(n.operation) for n in nodes}) < len(nodes):
        return False
    return all(len(n.parent_nodes) == 1 for n in nodes) and len(
        {id(n.parent_nodes[0]) for n in nodes}
    ) == len(nodes)


def _shares(positions: Sequence[float] | None, connected: bool, trainable: bool, columns: int) -> list[float]:
    """The width of each column as a share of the table's."""
    if positions is None:
        widths = [0.30, 0.22, 0.17, 0.31] if connected else [0.45, 0.34, 0.21]
        widths = [w * 0.86 for w in widths] + [0.14] if trainable else widths
        return [w / sum(widths) for w in widths]
    ends = [float(p) for p in positions]
    if len(ends) == columns and all(a < b for a, b in zip([0.0, *ends], ends, strict=False)):
        return [(b - a) / ends[-1] for a, b in zip([0.0, *ends], ends, strict=False)]
    raise ArgumentError(
        "positions", expected=f"{columns} growing numbers, one for each column", got=positions
    )


# ---- rows ----------------------------------------------------------------------------------------


class _Places:
    """Where the tensors of a graph come from."""

    def __init__(self, model: Any) -> None:
        graph = model.__dict__.get("_graph")
        inputs = [t.node for t in graph.inputs if t.node is not None] if graph is not None else []
        self.nodes: dict[int, list[Node]] = {}
        for node in [*inputs, *(graph._nodes if graph is not None else ())]:
            self.nodes.setdefault(id(node.operation), []).append(node)

    def shape(self, layer: Any) -> str:
        """The output shape(s) of a layer."""
        nodes = self.nodes.get(id(layer)) or getattr(layer, "_inbound_nodes", [])
        if nodes:
            return _worded(nodes[0].outputs)
        if not getattr(layer, "built", False):
            return "?"
        try:
            shapes = layer.compute_output_shape(*_input_shapes(layer))
        except (
            Exception
        ):  # a user's own layer may not know its shapes without data; the table has a sign for that
            return "?"
        return str(shapes)

    def sources(self, layer: Any) -> str:
        """The tensors that a layer is called on."""
        found = []
        for node in self.nodes.get(id(layer), ()):
            for t in node.inputs:
                if t.node is not None:
                    own = self.nodes.get(id(t.node.operation), [t.node])
                    number = next((i for i, n in enumerate(own) if n is t.node), 0)
                    found.append(f"{t.node.operation.name}[{number}][{t.output_index}]")
        return ",\n".join(found) or "-"


def _input_shapes(layer: Any) -> Iterable[Any]:
    config = layer.get_build_config() or {}
    return list(config.get("shapes_dict", config).values())


def _worded(outputs: Any) -> str:
    shapes = [str(t.shape) for t in tree.flatten(outputs) if isinstance(t, KerasTensor)]
    return shapes[0] if len(shapes) == 1 else f"[{', '.join(shapes)}]"


def _rows(
    model: Any,
    places: _Places,
    expand: bool,
    connected: bool,
    trainable: bool,
    layer_range: Any,
    level: int = 0,
) -> Iterable[list[str]]:
    layers = getattr(model, "operations", None) if model.__dict__.get("_graph") is not None else None
    shown = _between([*(layers if layers and not hasattr(model, "_sequence") else model.layers)], layer_range)
    for layer in shown:
        name = f"{'   ' * level}{'└ ' * bool(level)}{layer.name} ({type(layer).__name__})"
        if not isinstance(layer, Layer):
            name = f"{'   ' * level}{'└ ' * bool(level)}{layer.name} ({getattr(layer, 'op', type(layer).__name__)})"
        row = [name, places.shape(layer), _count(layer)]
        if connected:
            row.append(places.sources(layer))
        if trainable:
            row.append(_sign(layer))
        yield row
        if expand and hasattr(layer, "layers") and hasattr(layer, "summary"):
            yield from _rows(layer, _Places(layer), expand, connected, trainable, None, level + 1)


def _between(layers: list[Any], layer_range: Sequence[str] | None) -> list[Any]:
    if layer_range is None:
        return layers
    if len(layer_range) != 2:
        raise ArgumentError(
            "layer_range", expected="a pair of names, of the first and the last layer", got=layer_range
        )
    matches = [
        [i for i, layer in enumerate(layers) if re.match(pattern, layer.name)] for pattern in layer_range
    ]
    if not all(matches):
        raise ArgumentError(
            "layer_range", expected=f"names among {[layer.name for layer in layers]}", got=layer_range
        )
    first, last = min(matches[0]), max(matches[1])
    return layers[min(first, last) : max(first, last) + 1]


def _count(layer: Any) -> str:
    if not isinstance(layer, Layer):
        return "0"
    return f"{_parameters(layer.weights):,}" + ("" if layer.built else " (unbuilt)")


def _sign(layer: Any) -> str:
    weights = getattr(layer, "weights", ())
    if not weights:
        return "-"
    return "Y" if layer.trainable else "N"


# ---- totals --------------------------------------------------------------------------------------


def _parameters(variables: Iterable[Variable]) -> int:
    total = 0
    for v in variables:
        size = 1
        for d in v.shape:
            size *= d
        total += size
    return total


def _bytes(variables: Iterable[Variable]) -> str:
    size = float(sum(_parameters([v]) * dtypes.itemsize(v.dtype) for v in variables))
    unit = 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.2f} {_UNITS[unit]}"


def _totals(model: Any) -> list[str]:
    trained, fixed = model.trainable_weights, model.non_trainable_weights
    optimizer = getattr(model, "optimizer", None)
    extra = list(optimizer.variables) if optimizer is not None and optimizer.built else []
    groups = [("Total", [*trained, *fixed, *extra]), ("Trainable", trained), ("Non-trainable", fixed)]
    if extra:
        groups.append(("Optimizer", extra))
    return [f" {label} params: {_parameters(group):,} ({_bytes(group)})" for label, group in groups]


# ---- drawing -------------------------------------------------------------------------------------


def _table(title: str, headers: list[str], rows: list[list[str]], shares: list[float], width: int) -> str:
    """The table as text, exactly `width` characters wide, whatever the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    inner = width - 3 * len(headers) - 1
    widths = [max(3, int(inner * share)) for share in shares]
    widths[0] += max(0, inner - sum(widths))
    table = Table(show_lines=True, width=width)
    for header, w in zip(headers, widths, strict=True):
        table.add_column(header, width=w, justify="right" if header == "Param #" else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # a name may hold what rich takes for markup
    console = Console(
        width=width, file=io.StringIO(), color_system=None, force_terminal=False, legacy_windows=False
    )
    console.print(Text(title))
    console.print(table)
    return console.file.getvalue()  # type: ignore[attr-defined]
