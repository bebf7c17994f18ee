"""What a config may say, checked as a whole before the first object is made from it.

The walk goes through the plain data without recursion and makes nothing. Every class and function must stand in a
fixed table (core/registry.py) or among the objects that the caller registered; the table is that of the field in which
it stands, so a metric cannot pass for an activation. Code is refused wherever it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from kerata.core import dtypes, registry
from kerata.core.errors import ArgumentError, RefusedFileError
from kerata.core.op_format import form_of, is_op
from kerata.core.serialization import kinds_of_field, narrowed
from kerata.saving.limits import DEFAULT, Limits

Kinds = tuple[str, ...]
# Where something stands: a text, or what it stands in and its key or number there. The text is made for an error only.
Place = str | tuple[Any, str | int]

_OPS: Kinds = ("ops",)  # calls of ops: no table, but a place where they may stand, which is a graph
_ANY: Kinds = (*registry.KINDS, *_OPS)
_PLAIN: Kinds = ()
_ROOTS = frozenset(("keras", "kerata", "builtins"))  # first parts of the module names that tables stand for
_DATA = frozenset(("__tuple__", "__slice__", "__ellipsis__", "__bytes__", "__numpy__", "__tensor__"))

# Fields whose text would be the path of a file, and layers that are a way to code of others.
_PATHS = ("vocabulary", "filepath", "path", "file", "url", "directory")
_OPENERS = {
    "TFSMLayer": "opens another model",
    "TorchModuleWrapper": "holds code of another package",
    "JaxLayer": "holds code of another package",
    "FlaxLayer": "holds code of another package",
}

# Memory that a made object takes, about: a layer with its plans, a call in a graph, anything else; and what is taken
# by objects that make as many things as a number in their config says.
_PER_LAYER, _PER_CALL, _PER_OBJECT = 8192, 4096, 1024
_COUNTS: dict[str, Callable[[int], int]] = {
    "num_thresholds": lambda n: 64 * n,
    "num_classes": lambda n: 64 * n + 4 * n * n,  # a list, and a square matrix
}


def _text(place: Place) -> str:
    """A place as text, the end of it where it is long."""
    parts: list[str] = []
    while not isinstance(place, str):
        place, key = place
        parts.append(f"[{key}]" if isinstance(key, int) else f".{str(key)[:80]}")
    return place + "".join(reversed(parts))


@dataclass(slots=True)
class Inspection:
    """One walk through one config.

    Args:
        file: the file, for error texts.
        custom_objects: what the caller lets the config name.
        safe_mode: whether code is refused.
        compiles: whether what the config says about training will be used.
        limits: how many layers there may be.
        allowance: bytes of memory that the made objects may take.
    """

    file: str
    custom_objects: Mapping[str, Any] | None = None
    safe_mode: bool = True
    compiles: bool = True
    limits: Limits = DEFAULT
    allowance: int | None = None
    layers: int = 0
    memory: int = 0
    objects: int = 0
    _stack: list[Iterator[tuple[Any, Place, Kinds]]] = field(default_factory=list)

    def check(self, config: Any, place: Place, kinds: Kinds = _ANY) -> None:
        """Walks through `config`, whose top object must be of one of `kinds`.

        Raises:
            RefusedFileError: for anything that no file may say.
        """
        self._push(iter(((config, place, kinds),)))
        while self._stack:
            item = next(self._stack[-1], None)
            if item is None:
                self._stack.pop()
            elif isinstance(item[0], dict):
                self._check_dict(*item)
            elif isinstance(item[0], list):
                self._check_list(*item)
        self._check_no_code(config, place)  # also where nobody looks

    def refuse(self, place: Place, reason: str) -> NoReturn:
        raise RefusedFileError(self.file, _text(place), reason)

    def _push(self, items: Iterator[tuple[Any, Place, Kinds]]) -> None:
        self._stack.append(items)

    def _check_list(self, value: list[Any], place: Place, kinds: Kinds) -> None:
        self._push((v, (place, i), kinds) for i, v in enumerate(value))

    def _charge(self, count: int, place: Place) -> None:
        self.memory += count
        if self.allowance is not None and self.memory > self.allowance:
            self.refuse(
                place, "the objects that it describes would take more memory than the file's size warrants"
            )

    # ---- objects -------------------------------------------------------------------------------
    def _check_dict(self, value: dict[str, Any], place: Place, kinds: Kinds) -> None:
        name = value.get("class_name")
        if name is None or ("config" not in value and name != "__tuple__"):
            self._push((v, (place, k), kinds) for k, v in value.items())
        elif not isinstance(name, str):
            self.refuse(place, "its `class_name` is not text")
        elif name in _DATA:
            self._check_data(name, value, place)
        elif name == "__lambda__":
            self._check_code(place)
        elif name.startswith("__"):
            self.refuse(place, f"an object called {name[:80]!r} cannot stand here")
        elif name == "function":
            self._check_function(value, place, kinds)
        else:
            self._check_object(value, place, kinds)

    def _check_code(self, place: Place) -> None:
        if self.safe_mode:
            self.refuse(
                place,
                "it holds the code of a Python lambda, which could do anything. Write a named function and register it "
                "with kerata.saving.register_keras_serializable; or pass `safe_mode=False` if you trust the file",
            )

    def _check_data(self, name: str, value: dict[str, Any], place: Place) -> None:
        if name == "__slice__":
            ends = value.get("config")
            if not isinstance(ends, dict) or set(ends) != {"start", "stop", "step"}:
                self.refuse(place, "it is not a slice")
        if name not in ("__numpy__", "__tensor__"):
            content = value.get("items") if name == "__tuple__" else value.get("config")
            self._push(iter(((content, place, _PLAIN),)))
            return
        config = value["config"]
        if not isinstance(config, dict) or set(config) != {"value", "dtype"}:
            self.refuse(place, "it is not an array")
        try:
            dtype = dtypes.standardize(config["dtype"])
        except ArgumentError:
            self.refuse(place, f"an array cannot have the dtype {str(config['dtype'])[:80]!r}")
        if dtype == "string":
            self.refuse(place, "an array in a config must be one of numbers")
        stack = [config["value"]]
        while stack:
            for item in stack.pop() if isinstance(stack[-1], list) else [stack.pop()]:
                if isinstance(item, list):
                    stack.append(item)
                elif not isinstance(item, (int, float)):
                    self.refuse(place, "an array holds something that is not a number")

    def _check_function(self, value: dict[str, Any], place: Place, kinds: Kinds) -> None:
        name = value["config"]
        if not isinstance(name, str):
            self.refuse(place, "the name of a function is not text")
        self._charge(_PER_OBJECT, place)
        found = self._find(name, value, place, kinds, registry.function)
        if isinstance(found, type) or not callable(found):
            self.refuse(place, f"{name[:80]!r} is no function")

    def _check_object(self, value: dict[str, Any], place: Place, kinds: Kinds) -> None:
        if is_op(value):
            self._check_op(value, place, kinds)
            return
        name, config = value["class_name"], value["config"]
        found = self._find(name, value, place, kinds)
        own = self._is_own(found)
        if not isinstance(found, type):
            self.refuse(place, f"{name[:80]!r} is no class")
        if not isinstance(config, dict):
            self.refuse(place, "its `config` is no object with fields")
        self._count(found, value, place)
        if own:
            self._check_closed(found, config, place)
        for key in ("build_config", "inbound_nodes"):
            self._check_plain(value.get(key), (place, key))
        compiling = value.get("compile_config")
        if isinstance(compiling, dict):
            inside = (place, "compile_config")
            if (
                self.compiles
            ):  # what a class of the caller's compiles with is its own affair, as its config is
                self._push((v, (inside, k), kinds_of_field(k) if own else _ANY) for k, v in compiling.items())
        inner, graph = (place, "config"), _OPS if "input_layers" in config else ()
        self._push(
            (
                v,
                (inner, k),
                (*(kinds_of_field(k) if own else _ANY), *(graph if k == "layers" else ())),
            )
            for k, v in config.items()
        )

    def _check_closed(self, found: type, config: dict[str, Any], place: Place) -> None:
        """A layer must not open what a file names, nor run what it holds."""
        if self.safe_mode and found.__name__ in _OPENERS:
            self.refuse(
                place,
                f"a {found.__name__} {_OPENERS[found.__name__]}; pass `safe_mode=False` if you trust it",
            )
        for key, cost in _COUNTS.items():
            if isinstance(config.get(key), int):
                self._charge(cost(abs(config[key])), ((place, "config"), key))
        for key in _PATHS:
            if isinstance(config.get(key), str):
                self.refuse(
                    ((place, "config"), key),
                    "it names a file, and a model file may not have another one read",
                )

    def _check_op(self, value: dict[str, Any], place: Place, kinds: Kinds) -> None:
        name = value["class_name"]
        if "ops" not in kinds or "inbound_nodes" not in value:
            self.refuse(place, f"the operation {name[:80]!r} can only stand in a graph")
        if form_of(value) is None:
            self.refuse(place, f"there is no operation {name[:80]!r} that a file may name")
        if not isinstance(value["config"], dict):
            self.refuse(place, "its `config` is no object with fields")
        self._count(None, value, place)
        self._check_plain(value["config"], (place, "config"))
        self._check_plain(value["inbound_nodes"], (place, "inbound_nodes"))

    def _count(self, found: Any, value: dict[str, Any], place: Place) -> None:
        nodes = value.get("inbound_nodes")
        calls = len(nodes) if isinstance(nodes, list) else 0
        self.objects += 1 + calls
        is_layer = found is None or hasattr(found, "add_weight")
        self.layers += is_layer
        if self.layers > self.limits.layers:
            self.refuse(place, f"there are more than {self.limits.layers} layers")
        self._charge((_PER_LAYER if is_layer else _PER_OBJECT) + _PER_CALL * calls, place)

    def _check_plain(self, value: Any, place: Place) -> None:
        """Plain data: numbers, texts, arrays, and the tensors of a graph; no objects and no functions."""
        stack = [value]
        while stack:
            item = stack.pop()
            if isinstance(item, list):
                stack.extend(item)
            elif isinstance(item, dict):
                name = item.get("class_name")
                if name is None or name == "__keras_tensor__":
                    stack.extend(item.values())
                elif name in _DATA:
                    self._check_data(name, item, place)
                elif name == "DTypePolicy":
                    continue
                else:
                    self.refuse(place, f"{str(name)[:80]!r} cannot stand among the arguments of a call")

    def _check_no_code(self, value: Any, place: Place) -> None:
        """The names in a part that nobody will use need not be known, but code has no place anywhere."""
        stack = [value] if self.safe_mode else []
        while stack:
            item = stack.pop()
            if isinstance(item, dict):
                if item.get("class_name") == "__lambda__":
                    self._check_code(place)
                stack.extend(item.values())
            elif isinstance(item, list):
                stack.extend(item)

    # ---- tables --------------------------------------------------------------------------------
    def _find(
        self,
        name: str,
        value: dict[str, Any],
        place: Place,
        kinds: Sequence[str],
        look_up: Callable[[str, str], Any] = registry.named,
    ) -> Any:
        """The class or function that an entry names: the caller's, or one of the tables of `kinds`."""
        registered, module = value.get("registered_name"), value.get("module")
        for text in (registered, module):
            if text is not None and not isinstance(text, str):
                self.refuse(place, "its module or registered name is not text")
        for key in (registered, name):
            if (
                key is not None
                and (found := registry.get_registered_object(key, self.custom_objects)) is not None
            ):
                return found
        if module is None or module.partition(".")[0] in _ROOTS:
            for kind in narrowed(module, tuple(kinds)):
                found = look_up(kind, name) if kind in registry.KINDS else None
                if found is not None:
                    return found
        if name == "<lambda>":
            self.refuse(
                place,
                "it was saved with a Python lambda, which has no name, and whose code no file holds. Define the function "
                "by name, register it with kerata.saving.register_keras_serializable, and save again",
            )
        among = "objects" if set(kinds) == set(_ANY) else " or ".join(kinds) or "plain data"
        self.refuse(
            place,
            f"{name[:80]!r} of the module {str(module)[:80]!r} is not known among {among}. If it is your own, "
            "pass it in `custom_objects` or register it with kerata.saving.register_keras_serializable",
        )

    def _is_own(self, found: Any) -> bool:
        return getattr(found, "__module__", "").partition(".")[0] == "kerata"
