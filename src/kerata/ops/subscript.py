"""What `x[key]` means: integers, slices, None, Ellipsis, integer tensors and boolean masks, as in NumPy."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from kerata.core import dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import leaves_of, new_abstract, op
from kerata.core.dispatch import dtype_of, engine_of, is_tensor, shape_of
from kerata.core.errors import ArgumentError, UnknownValuesError
from kerata.core.samples import T, rejects, sample, values
from kerata.core.tensor import OPS, KerasTensor
from kerata.core.variable import Variable

from .core import cast, convert_to_numpy
from .elementwise import constant, here

TensorLike = Any
Tensor = Any


def known_values(x: Any, argument: str, why: str) -> np.ndarray:
    """The values of a tensor that decide a shape."""
    if isinstance(x, Variable):
        x = x.value
    if (
        x is None
        or isinstance(x, KerasTensor)
        or not (isinstance(x, np.ndarray) or engine_of(x).is_concrete(x))
    ):
        raise UnknownValuesError(argument, expected=f"a tensor whose values are known, for {why}", got=x)
    return np.asarray(convert_to_numpy(x))


# ---- indices in range ----------------------------------------------------------------------------


def index_tensor(indices: Any, argument: str = "indices") -> Tensor:
    """Integers as int32, or int64 where they have as many bits. Other dtypes are refused."""
    name = dtype_of(indices)
    if name == "bool" or not dtypes.is_int(name):
        raise ArgumentError(
            argument, expected="integers", got=indices, fix='Cast them with ops.cast(x, "int32").'
        )
    return cast(indices, "int64" if name in ("int64", "uint64", "uint32") else "int32")


def check_known_indices(argument: str, indices: Any, size: Any) -> None:
    """Refuses Python integers, alone or in lists, that are out of range: they are known before anything runs, on
    every engine, eager and compiled. Of tensors, reading the values would mean to wait for them."""
    if not rules.known(size):
        return
    for i in leaves_of(indices):
        if type(i) is int and not -size <= i < size:
            raise ArgumentError(argument, expected=f"in [-{size}, {size})", got=i)


def check_not_empty(argument: str, size: Any, indices: Any) -> None:
    """Refuses to take something from an axis without elements."""
    if rules.known(size) and size == 0 and 0 not in shape_of(indices):
        raise ArgumentError(argument, expected="without indices along an axis of size 0", got=indices)


def in_range(indices: Tensor, size: Any) -> Tensor:
    """Negative indices count from the end; what is out of range becomes the nearest that is not."""
    last = size - 1 if type(size) is int else cast(size, dtype_of(indices)) - 1
    size = size if type(size) is int else cast(size, dtype_of(indices))
    wrapped = p.where(p.lt(indices, 0), p.add(indices, size), indices)
    return p.maximum(p.minimum(wrapped, last), 0)


# ---- parsing a key -------------------------------------------------------------------------------


def _is_index_array(item: Any) -> bool:
    return isinstance(item, (list, np.ndarray, KerasTensor, Variable)) or is_tensor(item)


def _items(key: Any, ndim: int) -> list[Any]:
    """One item for each dimension (masks stand for several), plus the `None`s; Ellipsis filled in."""
    items = list(key) if isinstance(key, tuple) else [key]
    items = [_standard(item) for item in items]
    taken = builtins.sum(_rank_of(item) for item in items)
    if builtins.sum(item is Ellipsis for item in items) > 1:
        raise ArgumentError("key", expected="with at most one Ellipsis", got=key)
    if taken > ndim:
        raise ArgumentError("key", expected=f"at most {ndim} indices, one for each dimension", got=key)
    rest = [slice(None)] * (ndim - taken)
    if builtins.any(item is Ellipsis for item in items):
        place = next(i for i, item in enumerate(items) if item is Ellipsis)
        return [*items[:place], *rest, *items[place + 1 :]]
    return [*items, *rest]


def _standard(item: Any) -> Any:
    if item is None or item is Ellipsis or isinstance(item, (slice, int)):
        return constant(item, "bool") if isinstance(item, bool) else item
    if isinstance(item, np.integer) or (hasattr(item, "__index__") and not _is_index_array(item)):
        return int(item)
    if not _is_index_array(item):
        raise ArgumentError(
            "key", expected="integers, slices, None, Ellipsis or tensors of integers or bools", got=item
        )
    return item


def _rank_of(item: Any) -> int:
    """How many dimensions of the tensor an item stands for."""
    if item is None or item is Ellipsis:
        return 0
    if _is_index_array(item) and dtype_of(item) == "bool":
        return len(shape_of(item))
    return 1


def slice_bounds(item: slice, size: Any) -> tuple[Any, Any, int]:
    """(start, stop, step) with 0 <= start <= stop <= size for positive steps; as `range` for negative ones."""
    step = 1 if item.step is None else _index(item.step)
    if step == 0:
        raise ArgumentError("key", expected="slices whose step is not 0", got=item)
    start, stop = _index(item.start), _index(item.stop)
    if type(size) is int and not rules.known(size):  # how much a part takes depends on the size
        start = stop = None
    if type(size) is int:
        return slice(start, stop, step).indices(size)
    if step < 0:
        raise ArgumentError("key", expected="slices forward along a dimension of unknown size", got=item)
    start = start or 0
    start = start + size if start < 0 else start
    if stop is None:
        return start, size, step
    return start, stop + size if stop < 0 else stop, step


def _index(value: Any) -> Any:
    """An integer of what a slice holds."""
    if value is None or type(value) is int:
        return value
    try:
        return value.__index__()
    except Exception:  # a tensor whose value is unknown: engines differ in how they say so
        raise ArgumentError(
            "key", expected="slices between integers", got=value, fix="Use ops.slice."
        ) from None


# ---- basic and advanced --------------------------------------------------------------------------


def _cut_basic(x: Tensor, items: list[Any]) -> tuple[Tensor, list[Any]]:
    """Applies slices, and integers as slices of size 1; gives what remains to be done for each axis."""
    shape = shape_of(x)
    starts, limits, strides, turned = [0] * len(shape), list(shape), [1] * len(shape), []
    left: list[Any] = []
    axis = 0
    for item in items:
        if item is None:
            left.append(None)
            continue
        if isinstance(item, slice):
            start, stop, step = slice_bounds(item, shape[axis])
            if step < 0:  # the same elements forward, then turned over
                count = len(range(start, stop, step))
                start, stop, step = start + (count - 1) * step, start + 1, -step
                start, stop = (start, stop) if count else (0, 0)
                turned.append(axis)
            if type(start) is int and type(stop) is int:
                stop = max(stop, start)
            starts[axis], limits[axis], strides[axis] = start, stop, step
        elif isinstance(item, int):
            size = shape[axis]
            if rules.known(size) and not -size <= item < size:
                raise ArgumentError(
                    "key", expected=f"an index in [-{size}, {size}) for axis {axis}", got=item
                )
            place = item + size if item < 0 else item
            starts[axis], limits[axis] = place, place + 1
        left.append(item)
        axis += _rank_of(item)
    if not _whole(starts, limits, strides, shape):
        x = p.slice(x, starts=tuple(starts), limits=tuple(limits), strides=tuple(strides))
    return (p.flip(x, axis=tuple(turned)) if turned else x), left


def _whole(starts: Any, limits: Any, strides: Any, shape: Any) -> bool:
    """Whether a slice takes everything. `is`: sizes that only the engine knows have no plain equality."""
    return all(
        type(a) is int and a == 0 and (b is d or (type(b) is int and type(d) is int and b == d)) and c == 1
        for a, b, c, d in zip(starts, limits, strides, shape, strict=True)
    )


def _basic(x: Tensor, items: list[Any]) -> Tensor:
    x, left = _cut_basic(x, items)
    sizes = iter(shape_of(x))
    out = []
    for item in left:
        if item is None:
            out.append(1)
            continue
        size = next(sizes)
        if not isinstance(item, int):
            out.append(size)
    return x if all(isinstance(item, slice) for item in left) else p.reshape(x, shape=tuple(out))


def _advanced(x: Tensor, items: list[Any]) -> Tensor:
    """Integer tensors: their axes go first, one gather reads all, and the result goes where NumPy puts it."""
    x, left = _cut_basic(x, items)
    arrays: list[tuple[int, Tensor]] = []  # axis of x, indices
    order: list[Any] = []  # for each axis of the result: "new", "index" (the gathered ones) or an axis of x
    axis = 0
    for item in left:
        if item is None:
            order.append("new")
        elif isinstance(item, slice):
            order.append(axis)
            axis += 1
        elif isinstance(item, int):  # beside tensors, an integer is a tensor too; it has been cut to size 1
            arrays.append((axis, constant(0, "int32")))
            order.append("index")
            axis += 1
        else:
            for indices in _index_arrays(item, shape_of(x)[axis : axis + _rank_of(item)]):
                check_not_empty("key", shape_of(x)[axis], indices)
                arrays.append((axis, in_range(indices, shape_of(x)[axis])))
                order.append("index")
                axis += 1
    gathered, kept = _gather(x, arrays)
    return _arranged(gathered, order, len(shape_of(gathered)) - len(kept), kept)


def _index_arrays(item: Any, sizes: tuple[Any, ...]) -> list[Tensor]:
    if isinstance(item, list):  # its values are known everywhere
        check_known_indices("key", item, sizes[0])
        item = np.asarray(item, None if item else np.int32)
    if dtype_of(item) != "bool":
        return [index_tensor(here(item), "key")]
    if not shape_of(item):
        raise ArgumentError("key", expected="masks with at least one dimension", got=item)
    if builtins.any(rules.differ(d, n) for d, n in zip(sizes, shape_of(item), strict=True)):
        raise ArgumentError("key", expected=f"a mask of shape {tuple(sizes)}", got=item)
    if isinstance(item, KerasTensor):
        return [new_abstract((rules.COUNTED,), "int32") for _ in sizes]
    mask = known_values(item, "key", "the number of elements that a mask takes")
    return [constant(places, "int32") for places in np.nonzero(mask)]


def _gather(x: Tensor, arrays: list[tuple[int, Tensor]]) -> tuple[Tensor, list[int]]:
    shape = shape_of(x)
    axes = [a for a, _ in arrays]
    kept = [i for i in range(len(shape)) if i not in axes]
    if len(arrays) == 1:
        taken = p.take(p.transpose(x, axes=(axes[0], *kept)), arrays[0][1], axis=0)
        return taken, kept
    names = {dtype_of(v) for _, v in arrays}
    wide = "int64" if "int64" in names else "int32"
    try:
        common = rules.broadcast(*(tuple(shape_of(v)) for _, v in arrays))
    except ArgumentError:
        raise ArgumentError(
            "key",
            expected="index tensors whose shapes broadcast",
            got=f"shapes {', '.join(str(tuple(shape_of(v))) for _, v in arrays)}",
        ) from None
    columns = [p.reshape(p.broadcast_to(cast(v, wide), shape=common), shape=(*common, 1)) for _, v in arrays]
    indices = p.concatenate(tuple(columns), axis=len(common))
    return p.gather_nd(p.transpose(x, axes=(*axes, *kept)), indices), kept


def _arranged(x: Tensor, order: list[Any], depth: int, kept: list[int]) -> Tensor:
    """The gathered axes in the place of neighbouring index tensors, else first; then the new axes."""
    places = [i for i, o in enumerate(order) if o == "index"]
    adjacent = places[-1] - places[0] + 1 == len(places)
    rest = [o for o in order if o != "index"]
    at = builtins.sum(o != "index" for o in order[: places[0]]) if adjacent else 0
    sources = [*rest[:at], *[("index", j) for j in range(depth)], *rest[at:]]
    shape = shape_of(x)
    perm = [o[1] if isinstance(o, tuple) else depth + kept.index(o) for o in sources if o != "new"]
    if perm != list(range(len(shape))):
        x = p.transpose(x, axes=tuple(perm))
    if "new" not in rest:
        return x
    sizes = iter(shape_of(x))
    return p.reshape(x, shape=tuple(1 if o == "new" else next(sizes) for o in sources))


@op(
    samples=[
        sample(T((3, 4)), 1), sample(T((3, 4)), -1), sample(T((3, 4)), (slice(None), 2)),
        sample(T((3, 4)), (slice(0, 3, 2), slice(3, 0, -2))),
        sample(T((3, 4)), (Ellipsis, None, 0)), sample(T((3, 4)), None),
        sample(T((2, 3, 4)), (Ellipsis, slice(1, None))), sample(T((3, 4)), slice(2, 1)),
        sample(T((3, 4)), [0, 2, -1]), sample(T((3, 4)), values(0, 1, dtype="int64")), sample(T((3, 4)), (slice(None), [1, 1])),
        sample(T((2, 3, 4)), ([0, 1], slice(None), [1, 2])), sample(T((2, 3, 4)), (slice(None), [[0], [1]], [1, 2])),
        sample(T((2, 3, 4)), (0, slice(None), [1, 2])),
        sample(T((3,)), np.array([True, False, True])), sample(T((2, 3)), np.array([[True, False, True], [False, True, False]])),
        sample(T((2, 3)), (slice(None), np.array([True, False, True]))),
        sample(T((3, 4)), (None, [0, 1], None, slice(None, None, -1))), sample(T((3,)), ()),
    ],
    rejects=[
        rejects(T((3,)), 3, argument="key"), rejects(T((3,)), (0, 0), argument="key"), rejects(T((3,)), 1.5, argument="key"),
        rejects(T((3,)), slice(None, None, 0), argument="key"), rejects(T((3,)), (Ellipsis, Ellipsis), argument="key"),
        rejects(T((3,)), [0.5], argument="key"), rejects(T((3,)), np.array([True, False]), argument="key"),
        rejects(T((3,)), "a", argument="key"),
    ],
    reference=lambda x, key: x[key],
)  # fmt: skip
def get_item(x: TensorLike, key: Any) -> Tensor:
    """`x[key]`, with NumPy's meaning.

    Args:
        x: any tensor.
        key: integers, slices, None, Ellipsis, tensors of integers, boolean masks, or a tuple of them.
            Negative indices count from the end. Integers out of range, alone or in lists, are refused; integers
            out of range in tensors become the nearest that are not. Masks must have known values.

    Returns:
        A tensor of the dtype of `x`.

    Raises:
        ArgumentError: the key does not fit.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.get_item([1, 2, 3, 4], slice(None, None, 2)))
        array([1, 3], dtype=int32)
    """
    if isinstance(key, (bool, np.bool_)):
        new = p.reshape(x, shape=(1, *shape_of(x)))
        return new if key else _basic(new, _items(slice(0), len(shape_of(new))))
    items = _items(key, len(shape_of(x)))
    return (_advanced if builtins.any(_is_index_array(item) for item in items) else _basic)(x, items)


OPS["getitem"] = get_item
