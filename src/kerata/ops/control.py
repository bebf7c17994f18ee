"""Control flow: branches, loops, scans and mapped functions, which compile and differentiate on every engine.

They take trees of tensors. On symbolic tensors a call becomes one node of the graph.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerata import backends
from kerata.core import checks, dispatch, dtypes, rules, tree
from kerata.core.declare import new_abstract, tensor_like
from kerata.core.dispatch import dtype_of, engine_of_type, is_tensor, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.graph import Operation
from kerata.core.naming import auto_name
from kerata.core.state import STATE, setting
from kerata.core.tensor import KerasTensor
from kerata.core.variable import Variable

from .core import cast, convert_to_tensor
from .creation import range_tensor
from .joining import concatenate, stack
from .logic import where
from .shaping import flip, reshape
from .splitting import cut

Tensor = Any
Tree = Any


# ---- where a call runs ---------------------------------------------------------------------------


class Transform(Operation):
    """A call of a control-flow function as a node of a graph."""

    def __init__(self, name: str, fn: Callable[..., Any]) -> None:
        super().__init__(auto_name(name))
        self.fn = fn

    def call(self, *args: Any) -> Any:
        return self.fn(*args)


def _leaves(*trees: Tree) -> list[Any]:
    return [leaf for t in trees for leaf in tree.flatten(t)]


def is_symbolic(leaves: Sequence[Any]) -> bool:
    """Whether a call makes a node of a graph."""
    return builtins.any(type(x) is KerasTensor and x.record_history for x in leaves)


def is_abstract(leaves: Sequence[Any]) -> bool:
    """Whether only shapes and dtypes are asked for."""
    return STATE.abstract > 0 or builtins.any(type(x) is KerasTensor for x in leaves)


def _engine(leaves: Sequence[Any]) -> Any:
    """The engine of the tensors among the leaves, else the default one."""
    for x in leaves:
        engine = x.engine if isinstance(x, Variable) else engine_of_type(type(x))
        if engine is not None:
            return engine
    return backends.current()


def _tensors(t: Tree, argument: str = "f") -> Tree:
    return tree.map_structure(lambda v: None if v is None else _tensor(v, argument), t)


def _tensor(value: Any, argument: str) -> Tensor:
    return convert_to_tensor(tensor_like(argument, value))


def _as_abstract(t: Tree) -> Tree:
    return tree.map_structure(dispatch.abstract, t)


def _same_kind(new: Any, old: Any, what: str) -> Any:
    """A tensor that takes the place of another: same shape, cast to its dtype."""
    new = _tensor(new, what)
    if tuple(shape_of(new)) != tuple(shape_of(old)):
        raise ArgumentError(
            what, expected=f"to keep the shape {tuple(shape_of(old))} of what it is given", got=new
        )
    return cast(new, dtype_of(old))


def _matching(new: Tree, old: Tree, what: str) -> list[Any]:
    flat_new, flat_old = tree.flatten(new), tree.flatten(old)
    if len(flat_new) != len(flat_old):
        raise ArgumentError(
            what, expected=f"to give {len(flat_old)} tensors, as many as it is given", got=f"{len(flat_new)}"
        )
    return [_same_kind(a, b, what) for a, b in zip(flat_new, flat_old, strict=True)]


def _callable(fn: Any, argument: str) -> Any:
    if not callable(fn):
        raise ArgumentError(argument, expected="a function", got=fn)
    return fn


# ---- branches ------------------------------------------------------------------------------------


def cond(pred: Any, true_fn: Callable[[], Tree], false_fn: Callable[[], Tree]) -> Tree:
    """The result of one of two functions.

    Args:
        pred: a bool scalar; numbers count as true where they are not 0.
        true_fn: function without arguments, for true.
        false_fn: function without arguments, for false; its result has the same structure, shapes and dtypes.

    Returns:
        The result of the chosen function. With a symbolic `pred` both run, and the results are chosen from.

    Example:
        >>> import kerata
        >>> float(kerata.ops.cond(True, lambda: 1.0, lambda: 2.0))
        1.0
    """
    _callable(true_fn, "true_fn"), _callable(false_fn, "false_fn")
    if isinstance(pred, (bool, int, float)):
        return true_fn() if pred else false_fn()
    pred = _tensor(pred, "pred")
    if builtins.any(rules.differ(d, 1) for d in shape_of(pred)):
        raise ArgumentError("pred", expected="a scalar", got=pred)
    pred = reshape(cast(pred, "bool"), ())
    if is_abstract([pred]):
        return tree.map_structure(
            lambda a, b: None if a is None else where(pred, a, _same_kind(b, a, "false_fn")),
            true_fn(),
            false_fn(),
        )
    engine = engine_of_type(type(pred)) or backends.current()
    if engine.is_concrete(pred):
        return true_fn() if bool(engine.to_numpy(pred)) else false_fn()
    with setting(engine=engine):
        return _both(engine, pred, true_fn, false_fn)


def _both(engine: Any, pred: Tensor, true_fn: Callable[[], Tree], false_fn: Callable[[], Tree]) -> Tree:
    """A condition whose value is unknown: the engine gets both functions, which give lists of tensors. Engines run the
    one for true first; the results of the other one must be like its results."""
    met: dict[str, Any] = {}

    def when_true() -> tuple[Any, ...]:
        met["out"] = out = _tensors(true_fn())
        met["flat"] = flat = [v for v in tree.flatten(out) if v is not None]
        return tuple(flat)

    def when_false() -> tuple[Any, ...]:
        found = [v for v in tree.flatten(false_fn()) if v is not None]
        return tuple(_matching(found, met["flat"], "false_fn"))

    found = engine.cond(pred, when_true, when_false)
    return _pack_outputs(met["out"], found if isinstance(found, (tuple, list)) else [found])


def switch(index: Any, branches: Sequence[Callable[..., Tree]], *operands: Any) -> Tree:
    """The result of one of several functions.

    Args:
        index: an integer scalar; out of range it becomes the nearest that is not.
        branches: the functions; their results have the same structure, shapes and dtypes.
        *operands: their arguments.

    Example:
        >>> import kerata
        >>> float(kerata.ops.switch(1, [lambda x: x, lambda x: x * 2], kerata.ops.ones(())))
        2.0
    """
    if not isinstance(branches, (list, tuple)) or not branches:
        raise ArgumentError("branches", expected="a list of at least one function", got=branches)
    last = len(branches) - 1
    if isinstance(index, int):
        return branches[min(max(index, 0), last)](*operands)
    index = _tensor(index, "index")

    def choose(i: int) -> Tree:
        if i == last:
            return branches[i](*operands)
        return cond(index <= i, lambda: branches[i](*operands), lambda: choose(i + 1))

    return choose(0)


# ---- loops ---------------------------------------------------------------------------------------


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Tree],
    loop_vars: Tree,
    maximum_iterations: int | None = None,
) -> Tree:
    """Repeats a function while a condition holds.

    Args:
        cond: function of the loop variables that gives a bool scalar.
        body: function of the loop variables that gives their next values, of the same shapes.
        loop_vars: a tuple or list of (trees of) tensors, or one.
        maximum_iterations: most repetitions.

    Returns:
        The last values, in the structure of `loop_vars`.

    Example:
        >>> import kerata
        >>> int(kerata.ops.while_loop(lambda i: i < 5, lambda i: i + 2, 0))
        6
    """
    _callable(cond, "cond"), _callable(body, "body")
    if is_symbolic(_leaves(loop_vars)):
        return Transform("while_loop", lambda v: while_loop(cond, body, v, maximum_iterations))(loop_vars)
    limit = None if maximum_iterations is None else checks.natural("maximum_iterations", maximum_iterations)
    many = isinstance(loop_vars, (tuple, list))
    state = tuple(loop_vars) if many else (loop_vars,)
    engine = _engine(_leaves(state))
    with setting(engine=engine):
        state = _tensors(state, "loop_vars")
        out = _while(engine, cond, body, state, limit)
    return (type(loop_vars)(out) if type(loop_vars) in (tuple, list) else out) if many else out[0]


def _while(engine: Any, cond: Any, body: Any, state: tuple[Any, ...], limit: int | None) -> Any:
    def step(*flat: Any) -> tuple[Any, ...]:
        out = body(*tree.pack_sequence_as(state, list(flat)))
        return tuple(_matching(out if isinstance(out, (tuple, list)) else (out,), flat, "body"))

    def goes_on(*flat: Any) -> Any:
        found = _tensor(cond(*tree.pack_sequence_as(state, list(flat))), "cond")
        if tuple(shape_of(found)) != ():
            raise ArgumentError("cond", expected="a function that gives a bool scalar", got=found)
        return cast(found, "bool")

    flat = tuple(tree.flatten(state))
    if is_abstract(flat):
        goes_on(*_as_abstract(flat))
        return tree.pack_sequence_as(state, list(step(*_as_abstract(flat))))
    return tree.pack_sequence_as(state, list(engine.while_loop(goes_on, step, flat, limit)))


def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Tree], Tree], init_val: Tree) -> Tree:
    """Repeats a function for each integer in `[lower, upper)`.

    Args:
        lower: first integer.
        upper: end, which is not reached.
        body_fun: `body_fun(i, value)` gives the next value, of the same shapes.
        init_val: first value, a tree of tensors.

    Example:
        >>> import kerata
        >>> int(kerata.ops.fori_loop(0, 4, lambda i, total: total + i, 0))
        6
    """
    _callable(body_fun, "body_fun")
    leaves = _leaves(lower, upper, init_val)
    if is_symbolic(leaves):
        return Transform("fori_loop", lambda a, b, v: fori_loop(a, b, body_fun, v))(lower, upper, init_val)
    engine = _engine(leaves)
    with setting(engine=engine):
        first, end = _bound(lower, "lower"), _bound(upper, "upper")
        if isinstance(first, int) and isinstance(end, int):  # so many steps as are known: a scan
            init, steps = _tensors(init_val, "init_val"), range_tensor(max(end - first, 0)) + first
            return _scan(
                engine, lambda v, i: (body_fun(i, v), None), init, steps, None, False, 1, "body_fun"
            )[0]
        start = cast(convert_to_tensor(first), "int32")
        _, value = while_loop(lambda i, _: i < end, lambda i, v: (i + 1, body_fun(i, v)), (start, init_val))
    return value


def _bound(value: Any, argument: str) -> Any:
    """An end of a range of integers: a Python integer, or an int32 scalar."""
    if not is_tensor(value):
        return checks.integer(argument, value)
    x = convert_to_tensor(value)
    if shape_of(x) != () or not dtypes.is_int(dtype_of(x)):
        raise ArgumentError(argument, expected="an integer", got=value)
    return cast(x, "int32")


# ---- scans and maps ------------------------------------------------------------------------------


def _length(flat: Sequence[Any], length: int | None, argument: str) -> Any:
    sizes = []
    for x in flat:
        if not shape_of(x):
            raise ArgumentError(argument, expected="tensors with at least one dimension", got=x)
        sizes.append(shape_of(x)[0])
    if length is not None:
        sizes.insert(0, length)
    if not sizes:
        raise ArgumentError("length", expected="given where `xs` is not", got=None)
    if builtins.any(rules.differ(n, sizes[0]) for n in sizes):
        raise ArgumentError(
            argument, expected=f"of one length along the first axis, {sizes[0]}", got=f"lengths {sizes}"
        )
    return sizes[0]


def _row(x: Any) -> KerasTensor:
    return new_abstract(tuple(shape_of(x)[1:]), dtype_of(x))


def scan(
    f: Callable[[Tree, Tree], tuple[Tree, Tree]],
    init: Tree,
    xs: Tree = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Tree, Tree]:
    """Runs a function along the first axis, carrying a state.

    Args:
        f: `f(carry, x)` gives the next carry, of the same shapes, and an output (or None).
        init: first carry, a tree of tensors.
        xs: a tree of tensors, whose slices along the first axis are the `x`; or None.
        length: how many steps, where `xs` is None.
        reverse: whether to begin at the end.
        unroll: how many steps to write out at a time: a hint.

    Returns:
        A pair: the last carry, and the outputs stacked along a new first axis.

    Example:
        >>> import kerata
        >>> total, sums = kerata.ops.scan(lambda c, x: (c + x, c + x), 0.0, kerata.ops.ones(3))
        >>> kerata.ops.convert_to_numpy(sums)
        array([1., 2., 3.], dtype=float32)
    """
    _callable(f, "f")
    length = None if length is None else checks.natural("length", length)
    unroll = unroll if isinstance(unroll, bool) else checks.natural("unroll", unroll)
    leaves = _leaves(init, xs)
    if is_symbolic(leaves):
        return Transform("scan", lambda i, x: scan(f, i, x, length, reverse, unroll))(init, xs)
    engine = _engine(leaves)
    with setting(engine=engine):
        init, xs = _tensors(init, "init"), None if xs is None else _tensors(xs, "xs")
        return _scan(engine, f, init, xs, length, bool(reverse), unroll)


def _scan(
    engine: Any, f: Any, init: Tree, xs: Tree, length: int | None, reverse: bool, unroll: Any, name: str = "f"
) -> tuple[Tree, Tree]:
    flat_init, flat_xs = tuple(tree.flatten(init)), tuple([] if xs is None else tree.flatten(xs))
    n = _length(flat_xs, length, "xs")
    shape_of_output: dict[str, Any] = {}

    def step(carry: tuple[Any, ...], x: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        item = None if xs is None else tree.pack_sequence_as(xs, list(x))
        pair = f(tree.pack_sequence_as(init, list(carry)), item)
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise ArgumentError("f", expected="a function that gives a carry and an output", got=pair)
        new, y = pair
        shape_of_output["y"] = y
        outputs = tuple(_tensor(v, name) for v in tree.flatten(y) if v is not None)
        return tuple(_matching(new, carry, name)), outputs

    if is_abstract((*flat_init, *flat_xs)) or (type(n) is int and n == 0):
        with setting(abstract=STATE.abstract + 1):
            carry, ys = step(tuple(_as_abstract(flat_init)), tuple(_row(x) for x in flat_xs))
        stacked = [new_abstract((n, *y.shape), y.dtype) for y in ys]
        if not is_abstract((*flat_init, *flat_xs)):
            carry, stacked = flat_init, [_empty(engine, y) for y in stacked]
    else:
        times = int(n) if unroll is True else max(int(unroll), 1)
        carry, stacked = engine.scan(step, flat_init, flat_xs, n, reverse, times)
    return tree.pack_sequence_as(init, list(carry)), _pack_outputs(shape_of_output["y"], stacked)


def _empty(engine: Any, y: KerasTensor) -> Tensor:
    return engine.convert(np.zeros(y.shape), y.dtype)


def _pack_outputs(y: Tree, stacked: Any) -> Tree:
    """The stacked outputs in the structure that the function gave; None where it gave None."""
    if y is None:
        return None
    values = iter(stacked or ())
    return tree.pack_sequence_as(y, [None if v is None else next(values) for v in tree.flatten(y)])


def map(f: Callable[[Tree], Tree], xs: Tree) -> Tree:
    """A function applied to each slice along the first axis, one after the other.

    Args:
        f: the function of one (tree of) slice.
        xs: a tree of tensors.

    Returns:
        The results stacked along a new first axis.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.map(lambda x: x * 2, kerata.ops.arange(3)))
        array([0, 2, 4], dtype=int32)
    """
    _callable(f, "f")
    return scan(lambda carry, x: (carry, f(x)), (), xs)[1]


def vectorized_map(function: Callable[[Tree], Tree], elements: Tree) -> Tree:
    """A function applied to all slices along the first axis at once.

    Args:
        function: the function of one (tree of) slice.
        elements: a tree of tensors.

    Returns:
        The results stacked along a new first axis.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.vectorized_map(lambda x: x * 2, kerata.ops.arange(3)))
        array([0, 2, 4], dtype=int32)
    """
    _callable(function, "function")
    leaves = _leaves(elements)
    if is_symbolic(leaves):
        return Transform("vectorized_map", lambda e: vectorized_map(function, e))(elements)
    engine = _engine(leaves)
    with setting(engine=engine):
        elements = _tensors(elements, "elements")
        n = _length(tree.flatten(elements), None, "elements")
        if is_abstract(tree.flatten(elements)):
            out = function(tree.map_structure(_row, elements))
            return tree.map_structure(lambda y: new_abstract((n, *shape_of(y)), dtype_of(y)), out)
        return engine.vectorized_map(lambda e: _tensors(function(e)), elements)


def associative_scan(
    f: Callable[[Tree, Tree], Tree], elems: Tree, reverse: bool = False, axis: int = 0
) -> Tree:
    """All prefixes of a tensor combined by an associative function, in logarithmically many steps.

    The algorithm is Blelloch's ("Prefix sums and their applications", 1990).

    Args:
        f: `f(a, b)` combines two trees elementwise along the axis.
        elems: a tree of tensors of one size along the axis.
        reverse: whether to combine suffixes.
        axis: the axis.

    Returns:
        A tree like `elems`.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.associative_scan(lambda a, b: a + b, kerata.ops.arange(1, 5)))
        array([ 1,  3,  6, 10], dtype=int32)
    """
    _callable(f, "f")
    leaves = _leaves(elems)
    if is_symbolic(leaves):
        return Transform("associative_scan", lambda e: associative_scan(f, e, reverse, axis))(elems)
    with setting(engine=_engine(leaves)):
        flat = [_tensor(x, "elems") for x in leaves]
        places = [rules.axis_index(axis, len(shape_of(x))) for x in flat]
        sizes = {shape_of(x)[i] for x, i in zip(flat, places, strict=True)}
        if len(sizes) != 1:
            raise ArgumentError(
                "elems", expected="tensors of one size along the axis", got=f"sizes {sorted(sizes)}"
            )

        def combine(a: list[Any], b: list[Any]) -> list[Any]:
            out = f(tree.pack_sequence_as(elems, a), tree.pack_sequence_as(elems, b))
            return [_tensor(x, "f") for x in tree.flatten(out)]

        if is_abstract(flat) and not rules.known(next(iter(sizes))):
            out = combine(flat, flat)
            return tree.pack_sequence_as(elems, out)
        turn = [flip_along(x, i) for x, i in zip(flat, places, strict=True)] if reverse else flat
        out = _prefixes(combine, turn, places)
        out = [flip_along(x, i) for x, i in zip(out, places, strict=True)] if reverse else out
    return tree.pack_sequence_as(elems, out)


def flip_along(x: Tensor, axis: int) -> Tensor:
    return flip(x, axis)


def _every(x: Tensor, axis: int, start: int, stop: int) -> Tensor:
    """Every second slice from `start` on, below `stop`."""
    return x[
        tuple(
            builtins.slice(start, stop, 2) if i == axis else builtins.slice(None)
            for i in range(len(shape_of(x)))
        )
    ]


def _prefixes(combine: Any, flat: list[Any], axes: list[int]) -> list[Any]:
    n = shape_of(flat[0])[axes[0]]
    if n < 2:
        return flat
    first = [_every(x, i, 0, n - 1) for x, i in zip(flat, axes, strict=True)]
    second = [_every(x, i, 1, n) for x, i in zip(flat, axes, strict=True)]
    odd = _prefixes(combine, combine(first, second), axes)
    heads = odd if n % 2 else [cut(x, i, 0, n // 2 - 1) for x, i in zip(odd, axes, strict=True)]
    even = [cut(x, i, 0, 1) for x, i in zip(flat, axes, strict=True)]
    if n > 2:
        later = combine(heads, [_every(x, i, 2, n) for x, i in zip(flat, axes, strict=True)])
        even = [concatenate([a, b], i) for a, b, i in zip(even, later, axes, strict=True)]
    return [_interleaved(a, b, i) for a, b, i in zip(even, odd, axes, strict=True)]


def _interleaved(even: Tensor, odd: Tensor, axis: int) -> Tensor:
    shape = shape_of(odd)
    m = shape[axis]
    pairs = stack([cut(even, axis, 0, m), odd], axis + 1)
    joined = reshape(pairs, (*shape[:axis], 2 * m, *shape[axis + 1 :]))
    if shape_of(even)[axis] == m:
        return joined
    return concatenate([joined, cut(even, axis, m, m + 1)], axis)


# ---- derivatives ---------------------------------------------------------------------------------


def custom_gradient(f: Callable[..., tuple[Tree, Callable[..., Any]]]) -> Callable[..., Tree]:
    """A function with a derivative of its own.

    Args:
        f: function of tensors that gives a pair: its outputs, and the function from their cotangents to those
            of the inputs.

    Returns:
        The function of the same tensors that gives the outputs alone.

    Example:
        >>> import kerata
        >>> @kerata.ops.custom_gradient
        ... def doubled(x):
        ...     return x * 2, lambda upstream: upstream * 2
        >>> float(doubled(kerata.ops.ones(())))
        2.0
    """
    _callable(f, "f")

    def call(*args: Any) -> Tree:
        leaves = _leaves(*args)
        if is_symbolic(leaves):
            return Transform("custom_gradient", call)(*args)
        if is_abstract(leaves):
            return f(*args)[0]
        engine = _engine(leaves)
        with setting(engine=engine):
            return engine.custom_gradient(f, tuple(_tensors(a, "args") for a in args))

    return call
