"""Shapes and dtypes of what a function gives for symbolic tensors, found by abstract runs of it.

Where a user's function needs tensors of its engine, they are found by runs of it on small tensors of zeros.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from kerata import backends
from kerata.core import dispatch, dtypes, rules, tree
from kerata.core.declare import leaves_of, new_abstract
from kerata.core.errors import ArgumentError, KerataError, NotAnArrayError
from kerata.core.state import STATE, StateScope, setting
from kerata.core.tensor import KerasTensor

# Two sizes that any reasonable reshape divides: lcm(1..16) times 2^20, and its double; far above any
# real size, so that a size derived from them is recognised (`known_sizes`). A dimension of the result
# that differs between the two runs depends on an unknown dimension; one that is as large, on values.
_SIZES = (720_720 << 20, 1_441_440 << 20)

# What stands for an unknown size of real tensors, in the first axis and in others.
_REAL_SIZES = ((2, 32), (3, 64))
_MOST = 1 << 26  # elements of such a tensor


def infer(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What `fn` gives for symbolic tensors, as abstract values with None where unknown.

    Variables are not changed by the run.
    """
    unknown = any(type(t) is KerasTensor and None in t._shape for t in leaves_of([args, kwargs]))
    results = []
    for size in _SIZES if unknown else _SIZES[:1]:
        new_args, new_kwargs = (_map_symbolic(a, size) for a in (args, kwargs))
        with setting(abstract=STATE.abstract + 1), StateScope():
            results.append(fn(*new_args, **new_kwargs))
    return _merge(results[0], results[-1]) if unknown or _counts(results[0]) else results[0]


def infer_call(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], engine: Any = None
) -> Any:
    """`infer` for a function of a user's, which may call functions of its engine that take no abstract tensors."""
    try:
        return infer(fn, args, kwargs)
    except Exception as error:
        if isinstance(error, KerataError) and not isinstance(error, NotAnArrayError):
            raise
        if any(_elements(t) > _MOST for t in leaves_of([args, kwargs]) if type(t) is KerasTensor):
            raise
    return _infer_by_zeros(fn, args, kwargs, engine or backends.current())


def _infer_by_zeros(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], engine: Any
) -> Any:
    unknown = any(type(t) is KerasTensor and None in known_sizes(t._shape) for t in leaves_of([args, kwargs]))
    results = []
    for sizes in _REAL_SIZES if unknown else _REAL_SIZES[:1]:

        def zeros(t: Any, sizes: tuple[int, int] = sizes) -> Any:
            return _zeros(t, sizes, engine) if type(t) is KerasTensor else t

        with setting(abstract=0, scope=None), StateScope(), engine.outside_trace(), np.errstate(all="ignore"):
            result = fn(*tree.map_structure(zeros, list(args)), **tree.map_structure(zeros, kwargs))
        results.append(tree.map_structure(_announced, result))
    return _merge(results[0], results[-1])


def _elements(t: KerasTensor) -> int:
    return math.prod(max(_REAL_SIZES[1]) if d is None or d >= rules.UNKNOWN else d for d in t._shape)


def _zeros(t: KerasTensor, sizes: tuple[int, int], engine: Any) -> Any:
    shape: Any = tuple(d if rules.known(d) else sizes[axis > 0] for axis, d in enumerate(t._shape))
    x = engine.convert(np.zeros(shape, dtypes.numpy_dtype(t._dtype)), t._dtype)
    if t._keras_mask is not None:
        mask = _zeros(t._keras_mask, sizes, engine)
        engine.set_mask(x, engine.convert(np.ones(dispatch.shape_of(mask), bool), "bool"))
    return x


def _announced(value: Any) -> Any:
    """An abstract tensor in the place of a real one."""
    if not dispatch.is_tensor(value) or type(value) is KerasTensor:
        return value
    new = new_abstract(tuple(dispatch.shape_of(value)), dispatch.dtype_of(value))
    mask = dispatch.engine_of(value).mask_of(value)
    new._keras_mask = None if mask is None else _announced(mask)
    return new


def _counts(result: Any) -> bool:
    """Whether a size in the result depends on values."""
    shapes = (t._shape for t in leaves_of(result) if type(t) is KerasTensor)
    return any(type(d) is int and d >= rules.UNKNOWN for shape in shapes for d in shape)


def _map_symbolic(value: Any, size: int) -> Any:
    if type(value) is KerasTensor:
        shape = tuple(size if d is None else d for d in value._shape)
        new = new_abstract(shape, value._dtype)
        mask = value._keras_mask
        new._keras_mask = mask if mask is None else _map_symbolic(mask, size)
        return new
    if isinstance(value, (list, tuple)):
        mapped = [_map_symbolic(v, size) for v in value]
        return type(value)(*mapped) if hasattr(value, "_fields") else type(value)(mapped)
    if isinstance(value, dict):
        return {k: _map_symbolic(v, size) for k, v in value.items()}
    return value


def _merge(first: Any, second: Any) -> Any:
    if type(first) is KerasTensor:
        if len(first._shape) != len(second._shape):
            raise ArgumentError("x", expected="such that the rank of the result is known", got=first)
        sizes = known_sizes(first._shape)
        shape = tuple(a if a == b else None for a, b in zip(sizes, second._shape, strict=True))
        if shape == first._shape:
            return first
        merged = new_abstract(shape, first._dtype)
        if first._keras_mask is not None:
            merged._keras_mask = _merge(first._keras_mask, second._keras_mask)
        return merged
    if isinstance(first, (list, tuple)):
        mapped = [_merge(a, b) for a, b in zip(first, second, strict=True)]
        return type(first)(*mapped) if hasattr(first, "_fields") else type(first)(mapped)
    if isinstance(first, dict):
        return {k: _merge(v, second[k]) for k, v in first.items()}
    return first if not isinstance(first, int) or first == second else None


def known_sizes(shape: tuple[Any, ...]) -> tuple[Any, ...]:
    """A shape met inside an abstract run, with None for sizes that stem from unknown ones."""
    return tuple(None if type(d) is int and d >= rules.UNKNOWN else d for d in shape)
