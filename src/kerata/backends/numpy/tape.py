"""Reverse-mode differentiation: boxes that remember which primitive made them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerata.core import dtypes
from kerata.core import primitives as p
from kerata.core.declare import PRIMITIVES
from kerata.core.errors import ArgumentError
from kerata.core.tensor import OPS, install_operators

# Methods of arrays that are ops of the same name and arguments.
_METHODS = frozenset((
    "all", "any", "argmax", "argmin", "argsort", "clip", "cumprod", "cumsum", "diagonal", "dot", "max", "mean", "min", "prod",
    "ravel", "repeat", "round", "squeeze", "std", "sum", "swapaxes", "take", "trace", "var",
))  # fmt: skip


class Box:
    """A NumPy array (or the box of an outer tape) inside a function that is being differentiated."""

    __slots__ = ("_keras_mask", "level", "parents", "rule", "value")

    def __init__(self, value: Any, level: int, rule: Any = None, parents: Any = ()) -> None:
        self.value, self.level, self.rule, self.parents = value, level, rule, parents
        self._keras_mask: Any = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Any:
        return (OPS["getitem"](self, i) for i in range(len(self)))

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(unbox(self), dtype=dtype)

    def __array_ufunc__(self, function: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return _op_like(function, method)(*inputs, **options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _op_like(function)(*args, **kwargs)

    def __bool__(self) -> bool:
        return bool(unbox(self))

    def __float__(self) -> float:
        return float(unbox(self))

    def __int__(self) -> int:
        return int(unbox(self))

    def __repr__(self) -> str:
        return f"<differentiated {self.value!r}>"

    def reshape(self, *shape: Any) -> Any:
        return OPS["reshape"](self, shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)

    def astype(self, dtype: Any) -> Any:
        return OPS["cast"](self, dtype)

    @property
    def T(self) -> Any:
        return OPS["transpose"](self)

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            raise AttributeError(f"an array that is being differentiated has no attribute {name!r}")
        return functools.partial(OPS[name], self)


install_operators(Box)

_OTHER_NAMES = {"remainder": "mod", "concat": "concatenate", "permute_dims": "transpose", "pow": "power"}


def _op_like(function: Any, method: str = "__call__") -> Callable[..., Any]:
    """The op of the name of one of NumPy's functions: so it has a derivative, and arrays leave operators to boxes."""
    name = function.__name__
    op = OPS.get(_OTHER_NAMES.get(name, name)) if method == "__call__" else None
    if op is None:
        raise ArgumentError(
            "fn",
            expected="made of functions that have derivatives",
            got=f"numpy.{name}" + ("" if method == "__call__" else f".{method}"),
            fix="Use functions of kerata.ops, or the values: kerata.ops.convert_to_numpy(x).",
        )
    return op


_level = 0  # depth of tapes being recorded; the innermost has the highest number


def active() -> bool:
    return _level > 0


def unbox(x: Any) -> Any:
    """The array at the bottom."""
    while isinstance(x, Box):
        x = x.value
    return x


def release(x: Any) -> Any:
    """What was recorded on the tape that has just ended, as a value of the level outside."""
    return x.value if isinstance(x, Box) and x.level > _level else x


def _leaves(args: tuple[Any, ...]) -> list[Any]:
    out: list[Any] = []
    for a in args:
        if type(a) in (tuple, list):
            out.extend(a)
        else:
            out.append(a)
    return out


def _strip(a: Any, level: int) -> Any:
    if isinstance(a, Box) and a.level == level:
        return a.value
    if type(a) in (tuple, list):
        return type(a)(_strip(v, level) for v in a)
    return a


def run(name: str, raw: Callable[..., Any], args: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """Runs a primitive on boxes and remembers how to go back."""
    leaves = _leaves(args)
    level = max((a.level for a in leaves if isinstance(a, Box)), default=0)
    if level == 0:
        return raw(*args, **params)
    inner = tuple(_strip(a, level) for a in args)
    out = run(name, raw, inner, params)
    declared = PRIMITIVES[name]
    if declared.grad is None:
        return out
    parents = tuple(a if isinstance(a, Box) and a.level == level else None for a in leaves)
    kind = _kind(parents)

    def rule(g: Any) -> list[Any]:
        assert declared.grad is not None
        return _leaves(tuple(declared.grad(g, out, *inner, **params)))

    if type(out) is tuple:
        return _several(out, level, rule, parents)
    return kind(out, level, rule, parents) if _differentiable(out) else out


def _kind(boxes: Any) -> type[Box]:
    """The class of the boxes: engines that are built on this one have their own."""
    return next(type(b) for b in boxes if b is not None)


def _several(out: tuple[Any, ...], level: int, rule: Any, parents: Any) -> tuple[Any, ...]:
    """A primitive with several results: one hub collects their cotangents."""
    kind = _kind(parents)
    hub = kind(out, level, rule, parents)
    return tuple(
        kind(v, level, _pick(i, out), (hub,)) if _differentiable(v) else v for i, v in enumerate(out)
    )


def _pick(index: int, out: tuple[Any, ...]) -> Callable[[Any], list[Any]]:
    def rule(g: Any) -> list[Any]:
        return [tuple(g if i == index else p.zeros_of(v) for i, v in enumerate(out))]

    return rule


def _differentiable(x: Any) -> bool:
    return unbox(x).dtype.kind in "fcV"  # V: bfloat16 and float8


def vjp(
    fn: Callable[..., Any], inputs: Sequence[Any], kind: type[Box] = Box
) -> tuple[Any, Callable[[list[Any]], list[Any]]]:
    """`fn(*inputs)` gives a list of outputs; the second result maps their cotangents to the inputs'."""
    global _level
    _level += 1
    level = _level
    boxes = [kind(x, level) for x in inputs]
    try:
        outputs = fn(*boxes)
    finally:
        _level -= 1
    stripped = [_strip(o, level) for o in outputs]

    def back(cotangents: list[Any]) -> list[Any]:
        return _backward(outputs, cotangents, boxes, level)

    return stripped, back


def _backward(
    outputs: Sequence[Any], cotangents: Sequence[Any], inputs: Sequence[Box], level: int
) -> list[Any]:
    pending: dict[int, Any] = {}
    for out, g in zip(outputs, cotangents, strict=True):
        if isinstance(out, Box) and out.level == level and g is not None:
            _accumulate(pending, out, g)
    order = _topological([o for o in outputs if isinstance(o, Box) and o.level == level])
    kept = {id(b) for b in inputs}
    for box in order:
        g = pending.get(id(box)) if id(box) in kept else pending.pop(id(box), None)
        if g is None or box.rule is None:
            continue
        for parent, part in zip(box.parents, box.rule(g), strict=True):
            if parent is not None and part is not None:
                _accumulate(pending, parent, part)
    return [pending.get(id(b)) for b in inputs]


def _accumulate(pending: dict[int, Any], box: Box, g: Any) -> None:
    have = pending.get(id(box))
    if have is None:
        pending[id(box)] = g
    elif type(g) is tuple:
        pending[id(box)] = tuple(p.add(a, b) for a, b in zip(have, g, strict=True))
    else:
        pending[id(box)] = p.add(have, g)


def _topological(roots: list[Box]) -> list[Box]:
    """Every box before those it was made of. Iterative: long recurrences are deep."""
    order: list[Box] = []
    seen: set[int] = set()
    stack: list[tuple[Box, bool]] = [(r, False) for r in roots]
    while stack:
        box, done = stack.pop()
        if done:
            order.append(box)
            continue
        if id(box) in seen:
            continue
        seen.add(id(box))
        stack.append((box, True))
        stack.extend((q, False) for q in box.parents if q is not None and id(q) not in seen)
    return order[::-1]


def zeros_like(x: Any) -> Any:
    array = unbox(x)
    return np.zeros(array.shape, array.dtype)


def floating(x: Any) -> bool:
    return dtypes.is_float(unbox(x).dtype) or dtypes.is_complex(unbox(x).dtype)


def custom(fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """`fn(*args)` gives (outputs, grad_fn): its own backward rule instead of the recorded one."""
    level = max((a.level for a in args if isinstance(a, Box)), default=0)
    if level == 0:
        return fn(*args)[0]
    outputs, grad_fn = fn(*(_strip(a, level) for a in args))
    parents = tuple(a if isinstance(a, Box) and a.level == level else None for a in args)

    def rule(g: Any) -> list[Any]:
        cotangents = grad_fn(*g) if type(g) is tuple else grad_fn(g)
        found = cotangents if isinstance(cotangents, (tuple, list)) else [cotangents]
        return [_array(c) for c in found]

    if isinstance(outputs, (tuple, list)):
        return type(outputs)(_several(tuple(map(_array, outputs)), level, rule, parents))
    return _kind(parents)(_array(outputs), level, rule, parents)


def _array(x: Any) -> Any:
    """NumPy's operators give scalars of a class of their own, which count as Python's: users' functions hold such."""
    return np.asarray(x) if isinstance(x, np.generic) else x
