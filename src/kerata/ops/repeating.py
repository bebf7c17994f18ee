"""Tensors repeated, shifted, padded and made into grids; triangles and diagonals of matrices; copies and sizes."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from kerata.core import checks, dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import leaves_of, op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError, UnknownValuesError
from kerata.core.samples import T, rejects, sample, values

from .core import cast, convert_to_numpy, convert_to_tensor, create
from .creation import band_difference
from .elementwise import constant, parameter
from .reduction import flattened
from .splitting import cut

TensorLike = Any
Tensor = Any


def known_integers(value: Any, argument: str) -> np.ndarray:
    """Integers whose values are known: they decide shapes."""
    if rules.is_abstract(value) and dtypes.is_int(value.dtype):
        return np.full(value.shape, rules.COUNTED)
    try:
        # Sizes that stand for unknown ones are beyond 32 bits.
        plain = all(type(v) is int for v in leaves_of(value))
        array = np.asarray(value if plain and value != () else convert_to_numpy(value))
    except UnknownValuesError:
        raise UnknownValuesError(argument, expected="integers whose values are known", got=value) from None
    except Exception:  # no numbers at all
        array = np.asarray("unknown")
    if array.dtype.kind not in "iu" and array.shape != (0,):
        raise ArgumentError(argument, expected="integers whose values are known", got=value)
    return array


@op(
    samples=[
        sample(T((2, 3)), 2),
        sample(T((2, 3)), (2, 1)),
        sample(T((2, 3)), ()),
        sample(T((3,)), (2, 2)),
        sample(T((2, 3)), (2,)),
        sample(T((2,)), 0),
        sample(T((2, 3), "int8"), [0, 2]),
    ],
    rejects=[rejects(T((2,)), -1, argument="repeats"), rejects(T((2,)), 1.5, argument="repeats")],
    reference=np.tile,
)
def tile(x: TensorLike, repeats: Any) -> Tensor:
    """The whole tensor repeated along its axes.

    Args:
        x: any tensor.
        repeats: how often along each axis, counted from the last.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.tile([1, 2], 2))
        array([1, 2, 1, 2], dtype=int32)
    """
    counts = tuple(int(n) for n in known_integers(repeats, "repeats").reshape(-1))
    if builtins.any(n < 0 for n in counts):
        raise ArgumentError("repeats", expected="integers that are not negative", got=repeats)
    shape = shape_of(x)
    shape = (1,) * (len(counts) - len(shape)) + tuple(shape)
    counts = (1,) * (len(shape) - len(counts)) + counts
    spread = p.reshape(x, shape=tuple(d for size in shape for d in (1, size)))
    wide = p.broadcast_to(
        spread, shape=tuple(d for n, size in zip(counts, shape, strict=True) for d in (n, size))
    )
    return p.reshape(wide, shape=tuple(n * size for n, size in zip(counts, shape, strict=True)))


@op(
    samples=[
        sample(T((2, 3)), 2), sample(T((2, 3)), 2, axis=1), sample(T((3,)), [1, 0, 2]), sample(T((2, 3)), (2, 1), 0),
        sample(T((2,)), [3]), sample(T((2, 3), "bool"), [0, 3], 0), sample(T((0, 2)), 2, axis=0),
    ],
    rejects=[
        rejects(T((3,)), [1, 2], argument="repeats"), rejects(T((3,)), -1, argument="repeats"),
        rejects(T((3,)), 2, 1, argument="axis"),
    ],
    reference=np.repeat,
)  # fmt: skip
def repeat(x: TensorLike, repeats: Any, axis: int | None = None) -> Tensor:
    """Each element repeated along an axis.

    Args:
        x: any tensor.
        repeats: how often; one number for all, or one for each element along the axis.
        axis: the axis; None for all elements in one dimension.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.repeat([1, 2], 2))
        array([1, 1, 2, 2], dtype=int32)
    """
    counts = known_integers(repeats, "repeats").reshape(-1)
    if (counts < 0).any():
        raise ArgumentError("repeats", expected="integers that are not negative", got=repeats)
    x = flattened(x) if axis is None else x
    shape = shape_of(x)
    place = rules.axis_index(0 if axis is None else axis, len(shape))
    size = shape[place]
    if len(counts) == 1:
        n = int(counts[0])
        wide = p.reshape(x, shape=(*shape[: place + 1], 1, *shape[place + 1 :]))
        wide = p.broadcast_to(wide, shape=(*shape[: place + 1], n, *shape[place + 1 :]))
        return p.reshape(wide, shape=(*shape[:place], size * n, *shape[place + 1 :]))
    if rules.differ(len(counts), size):
        raise ArgumentError("repeats", expected=f"one number, or {size} of them", got=repeats)
    if builtins.any(not rules.known(int(n)) for n in counts):
        return p.broadcast_to(cut(x, place, 0, 1), shape=(*shape[:place], rules.COUNTED, *shape[place + 1 :]))
    return p.take(x, constant(np.repeat(np.arange(len(counts)), counts), "int32"), axis=place)


@op(
    samples=[
        sample(T((2, 3)), 1), sample(T((2, 3)), -2, axis=1), sample(T((2, 3)), (1, 2), axis=(0, 1)),
        sample(T((3,)), 7), sample(T((0,)), 1, 0), sample(T((2, 3)), 1, (0, 1)),
    ],
    rejects=[
        rejects(T((2, 3)), 1, 2, argument="axis"), rejects(T((2, 3)), (1, 2, 3), (0, 1), argument="shift"),
        rejects(T((2, 3)), 1, 1.5, argument="axis"),
    ],
    reference=np.roll,
)  # fmt: skip
def roll(x: TensorLike, shift: Any, axis: Any = None) -> Tensor:
    """The elements shifted along axes; those that leave at the end come in at the start.

    Args:
        x: any tensor.
        shift: how far; one number, or one for each axis.
        axis: axis or axes; None for all elements in one dimension.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.roll([1, 2, 3], 1))
        array([3, 1, 2], dtype=int32)
    """
    if axis is None:
        shape = shape_of(x)
        return p.reshape(roll(flattened(x), shift, 0), shape=shape)
    axes = list(axis) if isinstance(axis, (list, tuple)) else [axis]
    shifts = [int(n) for n in known_integers(shift, "shift").reshape(-1)]
    shifts = shifts * len(axes) if len(shifts) == 1 else shifts
    axes = axes * len(shifts) if len(axes) == 1 else axes
    if len(shifts) != len(axes):
        raise ArgumentError("shift", expected=f"one number, or {len(axes)} of them", got=shift)
    for a, by in zip(axes, shifts, strict=True):
        x = _rolled(x, by, rules.axis_index(a, len(shape_of(x))))
    return x


def _rolled(x: Tensor, by: int, axis: int) -> Tensor:
    size = shape_of(x)[axis]
    if by == 0 or (type(size) is int and size == 0):
        return x
    split = (-by) % size
    return p.concatenate((cut(x, axis, split, size), cut(x, axis, 0, split)), axis=axis)


# ---- padding -------------------------------------------------------------------------------------

_PADS = [
    sample(T((2, 3)), 1), sample(T((2, 3)), ((1, 0), (0, 2))), sample(T((2, 3)), (1, 2)),
    sample(T((3,)), ((2, 1),), constant_values=7.0),
    sample(T((3, 4)), ((1, 2), (2, 0)), mode="reflect"), sample(T((3, 4)), 2, "symmetric"),
    sample(T((3,), "int32"), 1), sample(T((3,), "bool"), 1),
    sample(T((2,)), 5, "reflect"), sample(T((2,)), 5, "symmetric"), sample(T((2, 3)), 1, "edge"),
    sample(T((3,)), 5, "wrap"), sample(T((0, 3)), 1),
]  # fmt: skip


def pad_pairs(pad_width: Any, ndim: int) -> tuple[tuple[int, int], ...]:
    """(before, after) for each axis, of the forms that NumPy takes."""
    widths = known_integers(pad_width, "pad_width")
    try:
        pairs = np.broadcast_to(widths, (ndim, 2))
    except ValueError:
        raise ArgumentError(
            "pad_width", expected=f"{ndim} pairs (before, after), one pair, or one number", got=pad_width
        ) from None
    if (pairs < 0).any():
        raise ArgumentError("pad_width", expected="not negative", got=pad_width)
    return tuple((int(a), int(b)) for a, b in pairs)


@op(
    samples=_PADS,
    rejects=[
        rejects(T((2, 3)), ((1, 2), (1, 2), (1, 2)), argument="pad_width"), rejects(T((2,)), -1, argument="pad_width"),
        rejects(T((2,)), 1, mode="mirror", argument="mode"),
        rejects(T((2,)), 1, mode="reflect", constant_values=0.0, argument="constant_values"),
        rejects(T((0,)), 1, mode="reflect", argument="x"),
        rejects(T((2,), "uint8"), 1, constant_values=-1, argument="constant_values"),
        rejects(T((2,)), 1, constant_values=(1, 2), argument="constant_values"),
    ],
    reference=np.pad,
)  # fmt: skip
def pad(x: TensorLike, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Tensor:
    """A tensor with a border.

    Args:
        x: any tensor.
        pad_width: `((before, after), ...)` for each axis, one such pair for all, or one number.
        mode: what the border holds: "constant", "reflect" (mirrored at the outermost element),
            "symmetric" (mirrored beyond it), "edge" (the outermost element) or "wrap".
        constant_values: the number of mode "constant"; 0 where not given.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.pad([1, 2], 1))
        array([0, 1, 2, 0], dtype=int32)
    """
    shape = shape_of(x)
    modes = ("constant", "reflect", "symmetric", "edge", "wrap")
    if mode not in modes:
        raise ArgumentError("mode", expected=f"one of {', '.join(map(repr, modes))}", got=mode)
    pairs = pad_pairs(pad_width, len(shape))
    if not shape:
        return x
    if mode == "constant":
        return bordered(x, pairs, _filler(constant_values, x))
    if constant_values is not None:
        raise ArgumentError(
            "constant_values", expected='given only with mode "constant"', got=constant_values
        )
    for axis, (before, after) in enumerate(pairs):
        if before or after:
            x = _mirrored(x, axis, before, after, mode)
    return x


def bordered(x: Tensor, pads: tuple[tuple[Any, Any], ...], value: Any) -> Tensor:
    """A border of one number, which may be a tensor: its derivative is not lost."""
    if not hasattr(value, "dtype"):
        return p.pad(x, pads=pads, value=value)
    inside = p.pad(p.broadcast_to(constant(True, "bool"), shape=shape_of(x)), pads=pads, value=False)
    return p.where(inside, p.pad(x, pads=pads, value=_filler(0, x)), value)


def _filler(value: Any, x: Tensor) -> Any:
    """A number that the dtype of `x` can hold."""
    name = dtype_of(x)
    value = 0 if value is None else value
    tensor = hasattr(value, "dtype") and not isinstance(value, (np.ndarray, np.generic))
    if tensor and dtypes.is_float(name) and shape_of(value) == ():
        return parameter(value, x)
    try:
        if not isinstance(value, (int, float, complex)):
            value = np.asarray(convert_to_numpy(value)).item()
        if name == "bool":
            return bool(value)
        if dtypes.is_complex(name):
            return complex(value)
        if dtypes.is_float(name):
            return float(value)
        limits, whole = dtypes.iinfo(name), int(value)
    except Exception:  # not one number, or infinite for integers: engines differ in how they say so
        whole = None
    if whole is None or not limits.min <= whole <= limits.max:
        raise ArgumentError("constant_values", expected=f"a number that {name} can hold", got=value)
    return whole


def _mirrored(x: Tensor, axis: int, before: int, after: int, mode: str) -> Tensor:
    n = shape_of(x)[axis]
    if rules.known(n) and n == 0:
        raise ArgumentError("x", expected="a tensor with at least one element along the padded axis", got=x)
    if mode == "edge":
        left, right = (_widened(cut(x, axis, a, a + 1), axis, k) for a, k in ((0, before), (n - 1, after)))
    else:
        inner = 1 if mode == "reflect" else 0
        if rules.known(n) and max(before, after) > n - inner:  # more than one image
            places = create(
                (before + n + after,), "int32", lambda e: e.convert(_images(n, before, after, mode), "int32")
            )
            return p.take(x, places, axis=axis)
        if mode == "wrap":
            left, right = cut(x, axis, n - before, n), cut(x, axis, 0, after)
        else:
            left = p.flip(cut(x, axis, inner, inner + before), axis=(axis,))
            right = p.flip(cut(x, axis, n - inner - after, n - inner), axis=(axis,))
    parts = [part for part, width in ((left, before), (x, 1), (right, after)) if width]
    return p.concatenate(tuple(parts), axis=axis)


def _images(n: int, before: int, after: int, mode: str) -> np.ndarray:
    """Places in `n` elements of those that they and their images are."""
    places: np.ndarray = np.pad(np.arange(n, dtype=np.int32), (before, after), mode)  # type: ignore[call-overload]
    return places


def _widened(x: Tensor, axis: int, size: int) -> Tensor:
    """A slice of size 1 repeated along its axis."""
    return p.broadcast_to(x, shape=tuple(size if i == axis else d for i, d in enumerate(shape_of(x))))


# ---- grids ---------------------------------------------------------------------------------------


@op(
    samples=[
        sample(T((2,)), T((3,))),
        sample(T((2,)), T((3,)), T((4,)), indexing="ij"),
        sample(T((2,))),
        sample(T((2,)), T(())),
        sample(T((0,)), T((2,), "int32")),
        sample(T((2,), "int32"), T((0,))),
    ],
    rejects=[rejects(T((2,)), indexing="yx", argument="indexing")],
    reference=np.meshgrid,
)
def meshgrid(*x: TensorLike, indexing: str = "xy") -> list[Tensor]:
    """The coordinates of a grid, one tensor for each axis.

    Args:
        *x: the coordinates along each axis, in one dimension.
        indexing: "xy" puts the first axis second, as for images; "ij" keeps the order.

    Returns:
        A list of tensors of the shape of the grid.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.meshgrid([1, 2], [3, 4, 5])[0])
        array([[1, 2],
               [1, 2],
               [1, 2]], dtype=int32)
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError("indexing", expected="'xy' or 'ij'", got=indexing)
    if len(x) > 64:
        raise ArgumentError(
            "x", expected="at most 64 tensors, as a tensor has at most 64 dimensions", got=f"{len(x)} of them"
        )
    flat = [flattened(v) for v in x]
    n = len(flat)
    order = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))
    sizes = tuple(shape_of(flat[i])[0] for i in order)
    grid = []
    for i, v in enumerate(flat):
        place = order.index(i)
        line = tuple(sizes[place] if j == place else 1 for j in range(n))
        grid.append(p.broadcast_to(p.reshape(v, shape=line), shape=sizes))
    return grid


# ---- triangles and diagonals ---------------------------------------------------------------------

_TRIANGLES = [
    sample(T((3, 3))),
    sample(T((2, 3)), 1),
    sample(T((2, 3, 2)), k=-1),
    sample(T((3, 3), "int32")),
    sample(T((3, 3), "bool")),
    sample(values([[1.0, float("nan")], [float("inf"), 2.0]]), gradient=False),
]


def _matrix(x: Any) -> tuple[Any, Any]:
    shape = shape_of(x)
    if len(shape) < 2:
        raise ArgumentError("x", expected="a tensor with at least two dimensions", got=x)
    return shape[-2], shape[-1]


def _offset(k: Any, argument: str = "k") -> int:
    return checks.integer(argument, k)


@op(
    samples=_TRIANGLES,
    rejects=[rejects(T((3,)), argument="x"), rejects(T((2, 2)), 0.5, argument="k")],
    reference=np.tril,
)
def tril(x: TensorLike, k: int = 0) -> Tensor:
    """Matrices with zeros above a diagonal.

    Args:
        x: a tensor with at least two dimensions.
        k: which diagonal: 0 the main one, positive ones above, negative ones below.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.tril([[1, 2], [3, 4]]))
        array([[1, 0],
               [3, 4]], dtype=int32)
    """
    rows, columns = _matrix(x)
    return p.where(p.le(band_difference(rows, columns), _offset(k)), x, _filler(0, x))


@op(
    samples=_TRIANGLES,
    rejects=[rejects(T((3,)), argument="x"), rejects(T((2, 2)), 0.5, argument="k")],
    reference=np.triu,
)
def triu(x: TensorLike, k: int = 0) -> Tensor:
    """Matrices with zeros below a diagonal.

    Args:
        x: a tensor with at least two dimensions.
        k: which diagonal: 0 the main one, positive ones above, negative ones below.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.triu([[1, 2], [3, 4]]))
        array([[1, 2],
               [0, 4]], dtype=int32)
    """
    rows, columns = _matrix(x)
    return p.where(p.ge(band_difference(rows, columns), _offset(k)), x, _filler(0, x))


def _diagonal(x: Tensor, offset: int, axis1: int, axis2: int) -> Tensor:
    """The diagonal, which is every (columns + 1)-th element of the matrix laid out in one line."""
    shape = shape_of(x)
    n = len(shape)
    if n < 2:
        raise ArgumentError("x", expected="a tensor with at least two dimensions", got=x)
    a, b = rules.axis_index(axis1, n, "axis1"), rules.axis_index(axis2, n, "axis2")
    if a == b:
        raise ArgumentError("axis2", expected="another axis than `axis1`", got=axis2)
    rest = tuple(i for i in range(n) if i not in (a, b))
    rows, columns, batch = shape[a], shape[b], tuple(shape[i] for i in rest)
    flat = p.reshape(p.transpose(x, axes=(*rest, a, b)), shape=(*batch, rows * columns))
    length = max(0, rules.smaller(rows + min(offset, 0), columns - max(offset, 0)))
    start = offset if offset >= 0 else -offset * columns
    if length == 0:
        start = 0
    stop = start + (length - 1) * (columns + 1) + 1 if length else 0
    strides = (1,) * len(batch) + (columns + 1,)
    return p.slice(flat, starts=(0,) * len(batch) + (start,), limits=(*batch, stop), strides=strides)


_DIAGONALS = [
    sample(T((3, 3))), sample(T((2, 4)), 1), sample(T((4, 2)), -2), sample(T((2, 3, 4)), 0, 0, 2),
    sample(T((2, 3)), 5), sample(T((3, 3), "int8")),
]  # fmt: skip
_DIAGONAL_REJECTS = [
    rejects(T((3,)), argument="x"),
    rejects(T((2, 2)), 0, 0, 0, argument="axis2"),
    rejects(T((2, 2)), axis1=3, argument="axis1"),
]


@op(samples=_DIAGONALS, rejects=_DIAGONAL_REJECTS, reference=np.diagonal)
def diagonal(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The elements on a diagonal of two axes, along a new last axis.

    Args:
        x: a tensor with at least two dimensions.
        offset: which diagonal: 0 the main one, positive ones above, negative ones below.
        axis1: axis of the rows.
        axis2: axis of the columns.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.diagonal([[1, 2], [3, 4]]))
        array([1, 4], dtype=int32)
    """
    return _diagonal(x, _offset(offset, "offset"), axis1, axis2)


@op(samples=_DIAGONALS, rejects=_DIAGONAL_REJECTS, reference=np.trace)
def trace(x: TensorLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of the elements on a diagonal of two axes.

    Args:
        x: a tensor with at least two dimensions. Small integers and bool are added as int32 (uint32).
        offset: which diagonal: 0 the main one, positive ones above, negative ones below.
        axis1: axis of the rows.
        axis2: axis of the columns.

    Example:
        >>> import kerata
        >>> int(kerata.ops.trace([[1, 2], [3, 4]]))
        5
    """
    line = _diagonal(x, _offset(offset, "offset"), axis1, axis2)
    return p.sum(cast(line, dtypes.sum_dtype(dtype_of(x))), axis=(len(shape_of(line)) - 1,), keepdims=False)


def _placed_on_diagonal(x: Tensor, k: int) -> Tensor:
    """A matrix with a vector on a diagonal: each element, then as many zeros as a row and a step are long."""
    n = shape_of(x)[0]
    size = n + abs(k)
    row = p.pad(p.reshape(x, shape=(n, 1)), pads=((0, 0), (0, size)), value=_filler(0, x))
    flat = p.reshape(row, shape=(n * (size + 1),))
    lead = k if k >= 0 else -k * size
    total = size * size
    flat = p.pad(flat, pads=((lead, abs(k) * (size + 1)),), value=_filler(0, x))
    return p.reshape(cut(flat, 0, 0, total), shape=(size, size))


@op(
    samples=[
        sample(T((3,))), sample(T((3,)), 1), sample(T((2,)), -2), sample(T((3, 4))), sample(T((3, 4)), 1),
        sample(T((2,), "int32")), sample(T((2,), "bool")),
    ],
    rejects=[rejects(T((2, 2, 2)), argument="x"), rejects(T((2,)), 0.5, argument="k")],
    reference=np.diag,
)  # fmt: skip
def diag(x: TensorLike, k: int = 0) -> Tensor:
    """A vector on a diagonal of a matrix of zeros, or the diagonal of a matrix.

    Args:
        x: a tensor with one or two dimensions.
        k: which diagonal: 0 the main one, positive ones above, negative ones below.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.diag([1, 2]))
        array([[1, 0],
               [0, 2]], dtype=int32)
    """
    n = len(shape_of(x))
    if n not in (1, 2):
        raise ArgumentError("x", expected="a tensor with one or two dimensions", got=x)
    return _placed_on_diagonal(x, _offset(k)) if n == 1 else _diagonal(x, _offset(k), 0, 1)


@op(
    samples=[
        sample(T((2, 2))),
        sample(T((3,)), 1),
        sample(T(())),
        sample(T((2, 2), "int32"), -2),
        sample(T((0,))),
        sample(T((0,)), -1),
    ],
    rejects=[rejects(T((2,)), 0.5, argument="k")],
    reference=np.diagflat,
)
def diagflat(x: TensorLike, k: int = 0) -> Tensor:
    """All elements on a diagonal of a matrix of zeros.

    Args:
        x: any tensor.
        k: which diagonal: 0 the main one, positive ones above, negative ones below.

    Example:
        >>> import kerata
        >>> kerata.ops.diagflat([[1, 2], [3, 4]]).shape == (4, 4)
        True
    """
    return _placed_on_diagonal(flattened(x), _offset(k))


# ---- the tensor itself ---------------------------------------------------------------------------


@op(
    samples=[
        sample(T((2, 3))),
        sample(T(())),
        sample(T((2,), "bool")),
        sample(T((0, 2), "int32")),
        sample(T((2,), "complex64")),
        sample(T((0, 2), "uint8")),
    ],
    reference=np.copy,
)
def copy(x: TensorLike) -> Tensor:
    """The same elements in memory of their own.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.copy([1, 2]))
        array([1, 2], dtype=int32)
    """
    shape = shape_of(x)
    return p.reshape(p.concatenate((x if shape else p.reshape(x, shape=(1,)),), axis=0), shape=shape)


def array(x: TensorLike, dtype: Any = None) -> Tensor:
    """Another name of `convert_to_tensor`.

    Example:
        >>> import kerata
        >>> kerata.ops.array([1, 2]).shape == (2,)
        True
    """
    return convert_to_tensor(x, dtype)


def ndim(x: TensorLike) -> int:
    """The number of dimensions.

    Example:
        >>> import kerata
        >>> kerata.ops.ndim([[1, 2]])
        2
    """
    return len(shape_of(x))


def size(x: TensorLike) -> Any:
    """The number of elements: an integer; an int32 scalar tensor where only the engine knows it.

    Example:
        >>> import kerata
        >>> kerata.ops.size([[1, 2], [3, 4]])
        4
    """
    count = 1
    for d in shape_of(x):
        if type(d) is not int:
            return _count_elements(x)
        count *= d
    return count


@op(
    name="size_of",
    samples=[
        sample(T((2, 3))),
        sample(T((0, 3))),
        sample(T(())),
        sample(T((2, 2, 2), "bool")),
        sample(T((1,), "int32")),
    ],
    reference=np.size,
)
def _count_elements(x: TensorLike) -> Tensor:
    return p.sum(
        cast(p.eq(p.ne(x, x), p.ne(x, x)), "int32"), axis=tuple(range(len(shape_of(x)))), keepdims=False
    )
