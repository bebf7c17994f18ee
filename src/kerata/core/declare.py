"""Declaring primitives and ops: one declaration drives dispatch, shapes, graphs and tests.

A *primitive* is what an engine implements. `primitive(...)` makes its `bind` function, which picks
the implementation by the class of the first tensor. Arguments of a primitive are already tensors
of one domain (an engine's, the NumPy tape's, or abstract), with equal dtypes where that matters.

An *op* is what a user calls. `@op(...)` wraps a body written with other ops and primitives. The
wrapper accepts anything tensor-like, finds the engine, runs the engine's fast path or the body, and
makes a graph node when an argument is symbolic.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from kerata import backends
from kerata.core import dispatch, dtypes, float8, rules
from kerata.core.budget import spend
from kerata.core.dispatch import ENGINE_OF, engine_of_type
from kerata.core.errors import ArgumentError, KerataError, NotAnArrayError
from kerata.core.samples import Reject, Sample, Tolerance
from kerata.core.state import STATE, setting
from kerata.core.tensor import OPS, KerasTensor
from kerata.core.variable import Variable

F = TypeVar("F", bound=Callable[..., Any])

# ---- primitives ----------------------------------------------------------------------------------


class Primitive:
    """The declaration of one primitive.

    Args:
        name: its name in every engine's table.
        rule: abstract values and parameters in, abstract value(s) out; raises ArgumentError.
        grad: `(g, out, *args, **params)` -> cotangent of each tensor argument (None: no path).
            Written with primitives, so that derivatives can be differentiated again.
    """

    def __init__(self, name: str, rule: Callable[..., Any], grad: Callable[..., Any] | None) -> None:
        self.name, self.rule, self.grad = name, rule, grad
        # Of two arguments: `grad` before sums over broadcast axes.
        self.pairwise: Callable[..., Any] | None = None
        self.impls: dict[type, Callable[..., Any]] = {KerasTensor: rule}

    def resolve(self, args: Iterable[Any]) -> Callable[..., Any]:
        """The implementation for these arguments; remembered by class where it can be."""
        kinds = [type(leaf) for arg in args for leaf in (arg if type(arg) in (tuple, list) else (arg,))]
        if KerasTensor in kinds:
            return self.rule
        for kind in kinds:
            engine = engine_of_type(kind)
            if engine is None and issubclass(kind, (np.ndarray, np.generic)):
                engine = backends.get("numpy")
            if engine is not None:
                self.impls[kind] = impl = engine.implementation(self.name, kind)
                return impl
        raise ArgumentError("x", expected="a tensor", got=args, fix=f"(primitive {self.name})")


PRIMITIVES: dict[str, Primitive] = {}


def primitive(
    name: str, rule: Callable[..., Any], grad: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    """Declares a primitive and gives the function that runs it."""
    declared = PRIMITIVES[name] = Primitive(name, rule, grad)
    impls, resolve = declared.impls, declared.resolve

    def bind(*args: Any, **params: Any) -> Any:
        if STATE.abstract:
            args = _all_abstract(args)
        return (impls.get(type(args[0])) or resolve(args))(*args, **params)

    bind.__name__ = bind.__qualname__ = name
    bind.primitive = declared  # type: ignore[attr-defined]
    return bind


def _all_abstract(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """In an abstract run, real tensors (constants, weights) beside abstract ones count as such."""
    leaves = [v for a in args for v in (a if type(a) in (tuple, list) else (a,))]
    if not any(type(v) is KerasTensor for v in leaves):
        return args
    plain = (int, float, bool, complex, KerasTensor)

    def one(v: Any) -> Any:
        return v if isinstance(v, plain) else dispatch.abstract(v)

    return tuple(type(a)(one(v) for v in a) if type(a) in (tuple, list) else one(a) for a in args)


def new_abstract(shape: tuple[Any, ...], dtype: str) -> KerasTensor:
    """An abstract value, without the checks of the public constructor."""
    x = object.__new__(KerasTensor)
    x._shape, x._dtype, x.record_history, x.node, x._keras_mask = shape, dtype, False, None, None
    x.name, x.sparse, x.ragged, x.optional, x.output_index = "abstract", False, False, False, 0
    return x


# ---- ops -----------------------------------------------------------------------------------------


_OPTIONS = frozenset((
    "name", "samples", "rejects", "tolerance", "reference", "weak", "scalars_stay", "precheck", "differentiable", "wide",
    "computes", "needs_values", "call", "in_graph",
))  # fmt: skip


class Op:
    """The declaration of one op; `function` is what users call."""

    def __init__(self, body: Callable[..., Any], options: dict[str, Any]) -> None:
        unknown = options.keys() - _OPTIONS
        if unknown:
            raise TypeError(f"op() got unexpected options: {', '.join(sorted(unknown))}")
        self.body = body
        self.name: str = options.get("name") or body.__name__
        self.samples: Sequence[Sample] = options.get("samples", ())
        self.rejects: Sequence[Reject] = options.get("rejects", ())
        self.tolerance: Tolerance = options.get("tolerance") or Tolerance()
        self.reference: Any = options.get("reference")  # NumPy-like function, or "scipy.special.erf"
        # Python scalars reach the body as they are, beside a tensor.
        self.weak: bool = options.get("weak", False)
        self.scalars_stay: bool = options.get("scalars_stay", False)  # numbers do so in any case
        # Called first, with the arguments as they were given: of numbers and lists, the values are known everywhere.
        self.precheck: Callable[..., None] | None = options.get("precheck")
        self.differentiable: bool = options.get("differentiable", True)
        # Whether float64 tells the right result for narrower dtypes: not where the result is about the dtype itself.
        self.wide: bool = options.get("wide", True)
        # Whether 8-bit floats are computed with in float32: not where the op makes, moves or names values only.
        self.computes: bool = options.get("computes", True)
        # Whether shapes depend on values, so that values must be known: such an op may refuse to be compiled.
        self.needs_values: bool = options.get("needs_values", False)
        # The arguments that a graph keeps, where a default depends on sizes: it is settled by what was announced.
        self.in_graph: Callable[..., tuple[Any, ...]] | None = options.get("in_graph")
        self.signature = inspect.signature(body)
        self.fast: dict[Any, tuple[Callable[..., bool] | None, Callable[..., Any]]] = {}
        # Class of a tensor -> what tells its dtype, and by that the function to call (`direct`).
        self.ways: dict[type, tuple[Callable[[Any], Any], dict[Any, Callable[..., Any] | None]]] = {}
        self.function: Callable[..., Any] = body
        self._inspect()

    def _inspect(self) -> None:
        """Which parameters are tensors: those annotated TensorLike, alone or in a structure."""
        # Name -> kinds of an argument that is no tensor, where they tell.
        self.plain: dict[str, frozenset[str]] = {}
        self.tensors: dict[str, bool] = {}  # name -> whether it is a structure of tensors
        self.required: set[str] = set()  # tensors that must be given
        self.positional: list[str | None] = []  # name of each positional parameter
        self.variadic: str | None = None
        for p in self.signature.parameters.values():
            note = str(p.annotation)
            kinds = frozenset(note.split(" | "))
            if kinds <= _KINDS.keys():
                self.plain[p.name] = kinds
            if p.kind is p.VAR_POSITIONAL:
                self.variadic = p.name
            elif p.kind is p.POSITIONAL_OR_KEYWORD:
                self.positional.append(p.name)
            if "TensorLike" in note:
                if p.default is p.empty and "None" not in note:
                    self.required.add(p.name)
                self.tensors[p.name] = any(word in note for word in ("Sequence[", "list[", "Tree["))

    def run(self, engine: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The engine's fast path where it holds, else the composition."""
        entry = self.fast.get(engine)
        if entry is not None:
            when, fast = entry
            if when is None or when(*args, **kwargs):
                return fast(*args, **kwargs)
        return self.compose(engine, args, kwargs)

    def compose(self, engine: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What the body gives on an engine."""
        if self.computes and float8.among(args, kwargs):
            return self._run_in_float32(engine, args, kwargs)
        chosen = STATE.engine
        if chosen is engine or (chosen is None and backends.default_choice()[0] == engine.name):
            return self.body(*args, **kwargs)
        with setting(engine=engine):
            return self.body(*args, **kwargs)

    def _run_in_float32(self, engine: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call with 8-bit floats: what the rules announce as such is rounded once, at the end."""
        slots = _tensor_slots(self, args, kwargs)
        if self.needs_values:
            names = (dispatch.dtype_of(v) for _, _, value in slots for v in leaves_of(value))
            announced: Any = next(name for name in names if name in float8.NAMES)
        else:
            announced = symbolic_call(self, args, kwargs, slots)
        args, kwargs = _convert(self, args, kwargs, slots, float8.widened)
        return float8.rounded(self.run(engine, args, kwargs), announced)

    def __repr__(self) -> str:
        return f"<op {self.name}>"


DECLARED: dict[str, Op] = {}
_fast_paths_on = True


def op(body: F | None = None, /, **options: Any) -> Any:
    """Declares an op: `@op(samples=[...], rejects=[...])` above its body."""
    if body is None:
        return lambda fn: op(fn, **options)
    declared = Op(body, options)
    fast_call = options.get("call")
    function = fast_call(declared) if fast_call else _general_call(declared)
    function = functools.update_wrapper(function, body)
    function.op = declared  # type: ignore[attr-defined]
    declared.function = function
    DECLARED[declared.name] = OPS_entry(declared.name, function)
    for engine in backends.loaded():
        attach_fast_path(declared, engine)
    return function


def OPS_entry(name: str, function: Any) -> Op:
    """Puts a function in the table by which operators and engines find ops."""
    OPS[name] = function
    return function.op


_FEW = 16  # longer lists of types and names are not worth remembering


def _general_call(declared: Op) -> Callable[..., Any]:
    slow, compose, fast_paths = functools.partial(slow_call, declared), declared.compose, declared.fast
    tensors = declared.tensors
    # Other tensor arguments may be given as scalars and tuples, which only the slow way converts.
    others = tuple(i for i, name in enumerate(declared.positional) if i and name in tensors)
    loose = frozenset(
        (tuple, str) if declared.weak or declared.scalars_stay else (tuple, str, int, float, bool)
    )
    many = len(declared.positional) if declared.variadic in tensors else 1 << 30

    # What else an annotation takes, such as NumPy's numbers, the slow way finds out.
    plain_names = {name: _plain_types(kinds) for name, kinds in declared.plain.items()}
    plain_places = tuple(
        (i, plain_names[name]) for i, name in enumerate(declared.positional) if name in plain_names
    )

    # What `checked` asks is answered by names and types alone: arguments whose like passed once pass again.
    passed: dict[tuple[type | str, ...], Any] = {}

    def call(*args: Any, **kwargs: Any) -> Any:
        types: tuple[type | str, ...] = tuple(map(type, args))
        if kwargs:
            types = (*types, *kwargs, *map(type, kwargs.values()))
        engine = passed.get(types)
        if engine is None:
            engine = checked(args, kwargs)
            if engine is None:
                return slow(args, kwargs)
            if len(types) <= _FEW:
                passed[types] = engine
        try:
            # As in `run`, a call of which would cost a tenth of the way; so would empty keywords.
            entry = fast_paths.get(engine)
            if entry is not None:
                when, fast = entry
                if kwargs:
                    if when is None or when(*args, **kwargs):
                        return fast(*args, **kwargs)
                elif when is None or when(*args):
                    return fast(*args)
            return compose(engine, args, kwargs)
        except KerataError:
            raise
        except Exception as error:
            raise explain(declared, error, args, kwargs) from None

    def checked(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The engine of the arguments, or None where some must be converted first."""
        engine = ENGINE_OF.get(type(args[0])) if args else None
        if engine is None:
            return None
        plain = engine.plain_types
        for a in args:
            if type(a) not in plain:
                return None
        for i, kinds in plain_places:
            if i < len(args) and type(args[i]) not in kinds:
                return None
        for i in others:
            if i < len(args) and type(args[i]) in loose:
                return None
        if len(args) > many and not loose.isdisjoint(map(type, args[many:])):
            return None
        for name, a in kwargs.items():
            if name in tensors:
                if type(a) not in plain or type(a) in loose:
                    return None
            elif name in plain_names and type(a) not in plain_names[name]:
                return None
        return engine

    return call


def slow_call(declared: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call with arrays, lists, scalars, variables or symbolic tensors among its arguments."""
    if declared.precheck is not None:
        declared.precheck(*args, **kwargs)
    slots = _tensor_slots(declared, args, kwargs)
    plain = _check_plain(declared, args, kwargs)
    engine, symbolic = _domain(declared, slots)
    if symbolic:
        return symbolic_call(declared, args, kwargs, slots)
    engine = engine or backends.current()
    args, kwargs = _convert(declared, args, kwargs, slots, lambda v: _native(v, engine))
    try:  # native routes take numbers alone
        return (declared.run if plain else declared.compose)(engine, args, kwargs)
    except NotAnArrayError as error:
        raise explain(declared, error, args, kwargs) from None
    except KerataError:
        raise
    except Exception as error:
        raise explain(declared, error, args, kwargs) from None


def _name_at(declared: Op, position: int) -> str | None:
    names = declared.positional
    return names[position] if position < len(names) else declared.variadic


def _tensor_slots(declared: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[tuple[Any, bool, Any]]:
    """(position or keyword, whether a structure, value) of each tensor argument that was given."""
    tensors = declared.tensors
    slots: list[tuple[Any, bool, Any]] = []
    for i, value in enumerate(args):
        name = _name_at(declared, i)
        if name in tensors and (value is not None or name in declared.required):
            slots.append((i, tensors[name], _no_text(name, value)))
    for name, value in kwargs.items():
        if name in tensors and (value is not None or name in declared.required):
            slots.append((name, tensors[name], _no_text(name, value)))
    return slots


_TEXT = (str, bytes)


def _no_text(name: str | None, value: Any) -> Any:
    """Refuses None, and strings, which some engines have tensors for and others have not."""
    kind = type(value)
    if kind is list or kind is tuple:
        text = any(
            isinstance(v, _TEXT) or (type(v) is np.ndarray and v.dtype.kind in "US") for v in leaves_of(value)
        )
    else:
        text = value is None or isinstance(value, _TEXT) or (kind is np.ndarray and value.dtype.kind in "US")
    if text:
        raise ArgumentError(str(name), expected="a tensor, or numbers that become one", got=value)
    return value


def tensor_like(argument: str, value: Any) -> Any:
    """What becomes a tensor, as it is; texts, None and other objects are refused, in words that name the argument."""
    try:
        dispatch.dtype_of(_no_text(argument, value))
    except ArgumentError as error:
        error.argument = argument
        raise
    return value


def leaves_of(value: Any) -> Iterable[Any]:
    """The leaves of lists, tuples and dicts, without a tree library: arguments are shallow."""
    if type(value) in (list, tuple):
        for v in value:
            yield from leaves_of(v)
    elif type(value) is dict:
        for v in value.values():
            yield from leaves_of(v)
    else:
        yield value


def _domain(declared: Op, slots: list[tuple[Any, bool, Any]]) -> tuple[Any, bool]:
    """The engine of the arguments (None: nothing says), and whether one of them is symbolic."""
    engine, symbolic = None, False
    for where, _, value in slots:
        for leaf in leaves_of(value):
            kind = type(leaf)
            if kind is KerasTensor or (STATE.abstract and (rules.is_stand_in(leaf) or _has_no_value(leaf))):
                symbolic = True
                continue
            found = leaf.engine if isinstance(leaf, Variable) else engine_of_type(kind)
            if found is None or found is engine:
                continue
            if engine is not None:
                name = where if isinstance(where, str) else _name_at(declared, where)
                raise dispatch.mismatch(str(name), found, engine)
            engine = found
    return engine, symbolic


def _has_no_value(leaf: Any) -> bool:
    """Whether this is a variable that the abstract run has assigned, or that has not been made yet."""
    if not isinstance(leaf, Variable):
        return False
    return leaf.promised or (STATE.scope is not None and type(STATE.scope.read(leaf)) is KerasTensor)


_SCALARS = (bool, int, float, complex)
_NUMBERS = (int, float, np.number)


def _native(value: Any, engine: Any) -> Any:
    if engine_of_type(type(value)) is engine:
        return value
    return dispatch.to_engine(value, engine)


def _convert(
    declared: Op, args: tuple[Any, ...], kwargs: dict[str, Any], slots: Any, convert: Callable[[Any], Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    keep_scalars = declared.weak and any(type(v) not in _SCALARS for _, _, v in slots)
    new_args, new_kwargs = list(args), dict(kwargs)
    for where, many, value in slots:
        if type(value) in _SCALARS and keep_scalars:
            continue
        if declared.scalars_stay and isinstance(value, _NUMBERS):
            continue
        new = _map(value, convert) if many else convert(value)
        if type(where) is int:
            new_args[where] = new
        else:
            new_kwargs[where] = new
    return tuple(new_args), new_kwargs


def _map(value: Any, convert: Callable[[Any], Any]) -> Any:
    """A sequence of tensor-like values converted one by one; a list in it is one value."""
    if type(value) in (list, tuple):
        return type(value)(None if v is None else convert(v) for v in value)
    return convert(value)


def symbolic_call(declared: Op, args: tuple[Any, ...], kwargs: dict[str, Any], slots: Any) -> Any:
    """Runs the body on abstract values; with history, makes a node of the graph."""
    from kerata.core import graph  # the graph of nodes stands on ops

    if STATE.calls is not None:
        spend()
    tensors = [leaf for _, _, v in slots for leaf in leaves_of(v) if type(leaf) is KerasTensor]
    if any(t.record_history for t in tensors):
        return graph.record_op(declared, args, kwargs)
    args, kwargs = _convert(declared, args, kwargs, slots, dispatch.abstract)
    with setting(abstract=STATE.abstract + 1):
        return declared.body(*args, **kwargs)


def explain(declared: Op, error: Exception, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Exception:
    """Kerata's own words for what an engine refused: the signature, the shape rules or the annotations know them."""
    try:
        declared.signature.bind(*args, **kwargs)
    except TypeError as told:
        return TypeError(f"{declared.name}() {told}")
    for ask in (_no_symbols, _no_text_tensors, _ask_rules, _check_plain):
        try:
            ask(declared, args, kwargs)
        except ArgumentError as told:
            return told
        except Exception:  # they know no better than the engine
            continue
    return error


def _no_symbols(declared: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """What is no tensor must have a value."""
    for name, value in (*zip(declared.positional, args, strict=False), *kwargs.items()):
        if name not in declared.tensors and isinstance(value, KerasTensor):
            raise ArgumentError(str(name), expected="known: no symbolic tensor", got=value)


def _no_text_tensors(declared: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Engines may have tensors of text, and may have some functions for them; ops compute with numbers."""
    for where, _, value in _tensor_slots(declared, args, kwargs):
        if any(dispatch.dtype_of(leaf) == "string" for leaf in leaves_of(value)):
            name = where if isinstance(where, str) else _name_at(declared, where)
            raise ArgumentError(str(name), expected="a tensor of numbers", got=value)


def _ask_rules(declared: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    slots = _tensor_slots(declared, args, kwargs)
    new_args, new_kwargs = _convert(declared, args, kwargs, slots, dispatch.abstract)
    with setting(abstract=STATE.abstract + 1):
        declared.body(*new_args, **new_kwargs)


def _is_number(value: Any) -> bool:
    """A number, or a tensor of one."""
    if isinstance(value, (bool, int, float, np.bool_, np.integer, np.floating)):
        return True
    return getattr(value, "shape", None) == () and not dtypes.is_complex(dispatch.dtype_of(value))


def _is_integer(value: Any) -> bool:
    """An integer of 64 bits, a bool, or a tensor of one integer."""
    if isinstance(value, int):
        return isinstance(value, bool) or rules.integer_of(value) is not None
    return _is_number(value) and dtypes.is_int(dispatch.dtype_of(value))


def _has_truth(value: Any) -> bool:
    """What Python's `if` takes: anything but tensors of several elements or none."""
    return all(size == 1 for size in getattr(value, "shape", ()))


# What an annotation takes.
_KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "None": ("None", lambda value: value is None),
    "bool": ("a bool", _has_truth),
    "int": ("an integer", _is_integer),
    "float": ("a number", _is_number),
    "str": ("text", lambda value: isinstance(value, str)),
}


def _plain_types(kinds: frozenset[str]) -> frozenset[type]:
    table: dict[str, tuple[type, ...]] = {
        "None": (type(None),), "int": (int, bool), "float": (float, int, bool), "str": (str,),
        "bool": (bool, int, type(None)),
    }  # fmt: skip
    return frozenset(kind for name in kinds for kind in table[name])


def _check_plain(declared: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether numbers are plain ones. All that is plain must be of the kind that annotations say."""
    tensors = False
    if not declared.plain:
        return True
    for name, value in (*zip(declared.positional, args, strict=False), *kwargs.items()):
        kinds = declared.plain.get(name)  # type: ignore[arg-type]
        if kinds is not None and not any(_KINDS[kind][1](value) for kind in kinds):
            words = " or ".join(
                _KINDS[kind][0] for kind in sorted(kinds, key=list(_KINDS).index, reverse=True)
            )
            raise ArgumentError(str(name), expected=words, got=value)
        tensors = tensors or (
            kinds is not None and hasattr(value, "dtype") and not isinstance(value, np.generic)
        )
    return not tensors


# ---- fast paths ----------------------------------------------------------------------------------


def attach_fast_path(declared: Op, engine: Any) -> None:
    """Gives an op the native route that the engine's folder registered for it."""
    if _fast_paths_on and declared.name in engine.fast_paths:
        declared.fast[engine] = engine.fast_paths[declared.name]


def admit(engine: Any) -> None:
    """Takes up an engine that has just loaded: its classes, dtypes and fast paths."""
    unset = [name for name in ("name", "tensor_types", "primitives") if not hasattr(engine, name)]
    if unset:
        raise KerataError(
            f"{type(engine).__name__} has no {' and no '.join(unset)}; see kerata.backends.protocol."
        )
    missing = sorted(set(PRIMITIVES) - set(engine.primitives))
    if missing:
        raise KerataError(f'The engine "{engine.name}" lacks the primitives {", ".join(missing)}.')
    engine.plain_types = frozenset((int, float, bool, str, type(None), tuple, *engine.tensor_types))
    for kind in engine.tensor_types:
        ENGINE_OF[kind] = engine
    float8.DTYPES.update(id(engine.native_dtype(name)) for name in float8.NAMES)
    for declared in DECLARED.values():
        attach_fast_path(declared, engine)


def fast_paths_on() -> bool:
    """Whether engines may take their native routes."""
    return _fast_paths_on


def set_fast_paths(on: bool) -> None:
    """Turns all fast paths off, which leaves slow and correct engines, or on again."""
    global _fast_paths_on
    _fast_paths_on = on
    for declared in DECLARED.values():
        declared.fast.clear()
        declared.ways.clear()
        for engine in backends.loaded():
            attach_fast_path(declared, engine)


# ---- families with a short way in ----------------------------------------------------------------

_FLOATING = frozenset(("float16", "bfloat16", "float32", "float64"))


def direct(name: str | None, arity: int) -> Callable[[Op], Callable[..., Any]]:
    """The way in for an elementwise op that is one function of the engine on equal floating dtypes.

    Dictionary look-ups and that function; everything else takes the general road.

    Args:
        name: the primitive, or None for the engine's fast path of the op, whose condition is about dtypes alone.
        arity: the number of tensors, one or two.
    """

    def make(declared: Op) -> Callable[..., Any]:
        ways, numbers = declared.ways, declared.weak
        general = _general_call(declared)

        def slow(*args: Any, **kwargs: Any) -> Any:
            if args:
                _remember_way(declared, name, arity, args[0])
            return slow_call(declared, args, kwargs) if name else general(*args, **kwargs)

        def unary(x: Any) -> Any:
            way = ways.get(type(x))
            if way is not None:
                native = way[1].get(way[0](x))
                if native is not None:
                    return native(x)
            return slow(x)

        def binary(x1: Any, x2: Any) -> Any:
            way = ways.get(type(x1))
            if way is not None:
                dtype = way[0](x1)
                native = way[1].get(dtype)
                if native is not None:
                    kind = type(x2)
                    other = ways.get(kind)
                    if other is not None:
                        if other[0](x2) == dtype and other[1].get(dtype) is native:
                            try:
                                return native(x1, x2)
                            except Exception as error:
                                raise explain(declared, error, (x1, x2), {}) from None
                    elif numbers and (kind is int or (kind is float and (x2 or math.copysign(1.0, x2) > 0))):
                        try:
                            return native(x1, x2)  # not -0.0, which engines may take for 0.0
                        except OverflowError:  # an integer of more than 64 bits
                            pass
            return slow(x1, x2)

        return unary if arity == 1 else binary

    return make


def _remember_way(declared: Op, name: str | None, arity: int, x: Any) -> None:
    """Notes the engine's function for tensors like `x`, if they are floating."""
    kind = type(x)
    engine = engine_of_type(kind)
    if engine is None:
        return
    key, natives = declared.ways.setdefault(kind, (engine.dtype_key(kind), {}))
    if key(x) in natives:
        return
    dtype, way = engine.dtype_of(x), None
    if dtype in _FLOATING and name is not None:
        way = engine.floating_implementation(name, kind, dtype)
    elif dtype in _FLOATING and engine in declared.fast:
        when, fast = declared.fast[engine]
        way = fast if when is None or when(*[x] * arity) else None
    natives[key(x)] = way
