"""Shape and dtype rules, shared by the families of primitives. Integers in, integers out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from kerata.core.errors import ArgumentError
from kerata.core.state import STATE

Shape = tuple[int, ...]

# Sizes from here on stem from an unknown dimension: see `inference.infer`, which runs compositions with such sizes.
UNKNOWN = 1 << 33
COUNTED = 720_720 << 17  # one that only values tell


def known(size: Any) -> bool:
    """Whether a size is an integer that can be reasoned about: neither a scalar of an engine, nor one of the sizes
    that stand for unknown dimensions in an abstract run."""
    return type(size) is int and size < UNKNOWN


def is_stand_in(size: Any) -> bool:
    """Whether this is a number that stands for an unknown size, in an abstract run."""
    return type(size) is int and size >= UNKNOWN and STATE.abstract > 0


def is_abstract(value: Any) -> bool:
    """Whether this is a tensor of an abstract run, which has no values."""
    return STATE.abstract > 0 and getattr(value, "record_history", None) is False


def differ(a: Any, b: Any) -> bool:
    """Whether two sizes are certainly not the same."""
    return a is not b and known(a) and known(b) and a != b


def smaller(a: Any, b: Any) -> Any:
    """The smaller of two sizes; unknown where either is."""
    if type(a) is int and type(b) is int:
        return max(a, b) if max(a, b) >= UNKNOWN else min(a, b)
    return a if a is b else min(a, b)


@lru_cache(maxsize=65536)
def broadcast_two(a: Shape, b: Shape) -> Shape:
    """The shape that two shapes broadcast to, as in NumPy. An unknown size is taken to be the known one beside it."""
    if a == b:
        return a
    if len(a) < len(b):
        a = (1,) * (len(b) - len(a)) + a
    elif len(b) < len(a):
        b = (1,) * (len(a) - len(b)) + b
    out = []
    for m, n in zip(a, b, strict=True):
        if m != n and m != 1 and n != 1 and m < UNKNOWN and n < UNKNOWN:
            raise ArgumentError("x2", expected=f"of a shape that broadcasts with {a}", got=b)
        out.append(n if m == 1 else m if n == 1 else min(m, n))
    return tuple(out)


def broadcast(*shapes: Shape) -> Shape:
    out: Shape = ()
    for shape in shapes:
        out = broadcast_two(out, tuple(shape))
    return out


def integer_of(value: Any) -> int | None:
    """The integer of 64 bits that a value is, or None. Neither bools nor tensors with dimensions are, though some have
    `__index__`, nor is what only the engine knows, inside a traced function."""
    if type(value) is int:
        return value if -_LONGEST <= value < 2 * _LONGEST or STATE.abstract else None
    scalar = getattr(value, "shape", ()) == () and "bool" not in str(getattr(value, "dtype", ""))
    if isinstance(value, bool) or not scalar:
        return None
    try:
        return value.__index__()
    except Exception:  # each engine has a class of its own for a float, and for a value that is unknown
        return None


_LONGEST = 1 << 63  # products of sizes that stand for unknown ones are longer


def axis_index(axis: Any, ndim: int, argument: str = "axis") -> int:
    """A non-negative axis; negative ones count from the end."""
    index = integer_of(axis)
    if index is None:
        raise ArgumentError(argument, expected="an integer", got=axis)
    if not -ndim <= index < ndim:
        place = f"in [-{ndim}, {ndim})" if ndim else "absent, for the tensor has no dimensions"
        raise ArgumentError(argument, expected=f"an axis {place}", got=axis)
    return index + ndim if index < 0 else index


def axes_tuple(axis: Any, ndim: int, argument: str = "axis") -> Shape:
    """Sorted non-negative axes of None (all), an integer or a sequence of integers."""
    if axis is None:
        return tuple(range(ndim))
    return tuple(sorted(axes_in_order(axis, ndim, argument, "None, an integer or a tuple of integers")))


def axes_in_order(
    axis: Any, ndim: int, argument: str = "axis", expected: str = "an integer or a tuple of integers"
) -> list[int]:
    """Non-negative axes in the order given, without repeats."""
    given = axis if isinstance(axis, (list, tuple)) else (axis,)
    if given is not axis and integer_of(axis) is None:
        raise ArgumentError(argument, expected=expected, got=axis)
    found = [axis_index(a, ndim, argument) for a in given]
    if len(set(found)) != len(found):
        raise ArgumentError(argument, expected="without repeated axes", got=axis)
    return found


def reduced(shape: Shape, axes: Shape, keepdims: bool) -> Shape:
    if keepdims:
        return tuple(1 if i in axes else d for i, d in enumerate(shape))
    return tuple(d for i, d in enumerate(shape) if i not in axes)


def reshaped(shape: Shape, new_shape: Sequence[Any], argument: str = "newshape") -> Shape:
    """The full shape of a reshape, with a -1 filled in."""
    new = tuple(new_shape)
    size, rest = math.prod(shape), math.prod(d for d in new if d != -1)
    if new.count(-1) > 1 or any(d < -1 for d in new):
        raise ArgumentError(argument, expected="sizes with at most one -1", got=new)
    if -1 in new:
        if rest == 0 or (size % rest and (known(size) or not STATE.abstract)):
            raise ArgumentError(argument, expected=f"a shape of {size} elements (those of {shape})", got=new)
        new = tuple(size // rest if d == -1 else d for d in new)
    elif differ(rest, size) or (rest != size and not STATE.abstract):
        raise ArgumentError(argument, expected=f"a shape of {size} elements (those of {shape})", got=new)
    return new


def permutation(axes: Any, ndim: int, argument: str = "axes") -> Shape:
    if axes is None:
        return tuple(reversed(range(ndim)))
    if not isinstance(axes, Iterable) or getattr(axes, "shape", None) == ():
        raise ArgumentError(argument, expected=f"a permutation of the {ndim} axes", got=axes)
    perm = tuple(axis_index(a, ndim, argument) for a in axes)
    if sorted(perm) != list(range(ndim)):
        raise ArgumentError(argument, expected=f"a permutation of the {ndim} axes", got=axes)
    return perm


def concatenated(shapes: Sequence[Shape], axis: int, argument: str = "xs") -> Shape:
    first = shapes[0]
    for shape in shapes[1:]:
        if len(shape) != len(first) or any(
            differ(a, b) for i, (a, b) in enumerate(zip(shape, first, strict=True)) if i != axis
        ):
            raise ArgumentError(
                argument,
                expected=f"of equal shapes, except along axis {axis}",
                got=f"shapes {', '.join(map(str, shapes))}",
            )
    sizes = [next(filter(known, column), column[0]) for column in zip(*shapes, strict=True)]
    return (*sizes[:axis], sum(s[axis] for s in shapes), *sizes[axis + 1 :])


def matmul_shape(a: Shape, b: Shape) -> Shape:
    """NumPy's rule: 1-D operands are a row before and a column after."""
    if not a or not b:
        raise ArgumentError(
            "x1" if not a else "x2", expected="a tensor with at least one dimension", got="a scalar"
        )
    left, right = (1, *a) if len(a) == 1 else a, (*b, 1) if len(b) == 1 else b
    if differ(left[-1], right[-2]):
        raise ArgumentError(
            "x2",
            expected=f"of a shape whose {'first' if len(b) == 1 else 'second to last'} size is {left[-1]}, "
            f"the last size of `x1` {a}",
            got=f"shape {b}",
        )
    batch = broadcast_two(left[:-2], right[:-2])
    rows = () if len(a) == 1 else (left[-2],)
    columns = () if len(b) == 1 else (right[-1],)
    return (*batch, *rows, *columns)


@lru_cache(maxsize=4096)
def parse_einsum(equation: str, ranks: Shape) -> tuple[tuple[str, ...], str]:
    """Explicit operands' and result's letters, ellipses replaced by letters of their own."""
    text = equation.replace(" ", "")
    if not isinstance(equation, str) or text.count("->") > 1:
        raise ArgumentError("subscripts", expected="a string with at most one '->'", got=equation)
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ArgumentError(
            "subscripts", expected=f"with {len(ranks)} operands, as many as were given", got=equation
        )
    letters_only = text.replace("...", "").replace("->", "").replace(",", "")
    if letters_only and not (letters_only.isalpha() and letters_only.isascii()):
        raise ArgumentError("subscripts", expected="made of letters, ',', '...' and '->'", got=equation)
    spare = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in text]
    most = 0
    for term, rank in zip(terms, ranks, strict=True):
        letters = len(term.replace("...", ""))
        if ("..." not in term and letters != rank) or letters > rank:
            raise ArgumentError(
                "subscripts", expected=f"with {rank} letters for the operand of rank {rank}", got=equation
            )
        most = max(most, rank - letters if "..." in term else 0)
    ellipsis = "".join(spare[:most])

    def expand(term: str, count: int) -> str:
        return term.replace("...", ellipsis[most - count :] if count else "")

    full = tuple(expand(t, r - len(t.replace("...", ""))) for t, r in zip(terms, ranks, strict=True))
    if arrow:
        result = expand(right, most)
    else:
        counts: dict[str, int] = {}
        for c in "".join(terms).replace(".", ""):
            counts[c] = counts.get(c, 0) + 1
        result = ellipsis + "".join(sorted(c for c, n in counts.items() if n == 1))
    if any(c not in "".join(full) for c in result):
        raise ArgumentError("subscripts", expected="without new letters on the right of '->'", got=equation)
    if len(set(result)) != len(result):
        raise ArgumentError(
            "subscripts", expected="without repeated letters on the right of '->'", got=equation
        )
    if ellipsis and arrow and "..." not in right:
        raise ArgumentError("subscripts", expected="with '...' on the right of '->', too", got=equation)
    return full, result


def einsum_shape(equation: str, shapes: Sequence[Shape]) -> Shape:
    terms, result = parse_einsum(equation, tuple(len(s) for s in shapes))
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, size in zip(term, shape, strict=True):
            met = sizes.get(letter, 1)
            if differ(met, size) and met != 1 and size != 1:
                raise ArgumentError(
                    "operands",
                    expected=f"of one size for each letter of {equation!r}",
                    got=f"shapes {list(shapes)}",
                )
            sizes[letter] = size if met == 1 else met if size == 1 else min(met, size)
    return tuple(sizes[c] for c in result)


def sliced(shape: Shape, starts: Shape, limits: Shape, strides: Shape) -> Shape:
    return tuple(
        max(0, -(-(stop - start) // step)) for start, stop, step in zip(starts, limits, strides, strict=True)
    )


def as_shape(shape: Any, argument: str = "shape") -> tuple[Any, ...]:
    """A tuple of sizes; an integer is one size. Engine scalars (unknown sizes) stay."""
    size = integer_of(shape)
    if size is not None:
        return (size,)
    if is_abstract(shape) and shape.shape == ():
        return (COUNTED,)
    scalar = getattr(shape, "shape", None) == ()
    if scalar or not isinstance(shape, Iterable) or isinstance(shape, (dict, set, str)):
        raise ArgumentError(argument, expected="a tuple of integers", got=shape)
    return tuple(d if type(d) is int and d < _LONGEST else _size(d, argument) for d in shape)


def sizes(shape: Any, argument: str = "shape") -> tuple[Any, ...]:
    """A tuple of sizes, none of which is negative."""
    found = as_shape(shape, argument)
    if any(type(d) is int and d < 0 for d in found):
        raise ArgumentError(argument, expected="sizes that are not negative", got=shape)
    return found


def known_shape(shape: Any, argument: str = "shape") -> tuple[int, ...]:
    """A tuple of sizes, all of which are known."""
    sizes = as_shape(shape, argument)
    if any(type(d) is not int or d < 0 for d in sizes):
        raise ArgumentError(argument, expected="integers that are not negative", got=shape)
    return sizes


def _size(d: Any, argument: str) -> Any:
    if d is None:
        fix = "Unknown sizes of a symbolic tensor are None: one of them may be -1 in `reshape`, and in a layer's `call` all are numbers."
        raise ArgumentError(argument, expected="a tuple of integers", got=d, fix=fix)
    index = integer_of(d)
    if index is not None:
        return index
    plain = isinstance(d, (int, float, complex, str, bytes, tuple, list, dict, set, type))
    if plain or getattr(d, "shape", ()) != () or "int" not in str(getattr(d, "dtype", "int")):
        raise ArgumentError(argument, expected="a tuple of integers", got=d)
    # Computed from sizes; or known to the engine alone, in a traced function.
    return COUNTED if is_abstract(d) else d
