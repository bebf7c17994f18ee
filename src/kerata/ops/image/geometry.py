"""Images seen through a change of coordinates: affine and perspective."""

from __future__ import annotations

from typing import Any

from kerata.core import decompositions as d
from kerata.core import primitives as p
from kerata.core import rules
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values
from kerata.ops.core import cast
from kerata.ops.creation import range_tensor
from kerata.ops.elementwise import parameter, to_real_float
from kerata.ops.splitting import cut

from .common import data_format_of, image_axes, returned, working

TensorLike = Any
Tensor = Any
_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
_ORDERS = {"nearest": 0, "bilinear": 1}

# ---- sampling ------------------------------------------------------------------------------------


def _brought_inside(index: Tensor, n: Any, mode: str) -> Tensor:
    """Whole positions outside of [0, n) as positions inside."""
    if mode == "wrap":
        return p.remainder(index, n)
    if mode == "reflect":  # d c b a | a b c d | d c b a
        folded = p.remainder(index, 2 * n)
        return p.where(p.ge(folded, n), p.sub(2 * n - 1, folded), folded)
    if mode == "mirror":  # d c b | a b c d | c b a
        period = 2 * n - 2
        if type(n) is int and n == 1:
            return p.mul(index, 0)
        folded = p.remainder(index, period)
        return p.where(p.ge(folded, n), p.sub(period, folded), folded)
    return p.maximum(p.minimum(index, n - 1), 0)


def _picked(x: Tensor, corner: list[Tensor], rank: int, mode: str, fill_value: Any) -> Tensor:
    """Elements at whole positions in the first `rank` axes: (places, rest)."""
    shape = shape_of(x)
    outside = None
    columns = []
    for index, n in zip(corner, shape[:rank], strict=True):
        columns.append(p.reshape(_brought_inside(index, n, mode), shape=(*shape_of(index), 1)))
        beyond = p.logical_or(p.lt(index, 0), p.ge(index, n))
        outside = beyond if outside is None else p.logical_or(outside, beyond)
    found = p.gather_nd(x, p.concatenate(tuple(columns), axis=len(shape_of(corner[0]))))
    if mode != "constant":
        return found
    outside = p.reshape(outside, shape=(*shape_of(outside), *(1,) * (len(shape) - rank)))
    return p.where(outside, parameter(fill_value, found), found)


def sampled(x: Tensor, coordinates: list[Tensor], order: int, mode: str, fill_value: Any) -> Tensor:
    """Interpolated elements at real positions in the first axes, one coordinate for each: (places, rest)."""
    rank, rest = len(coordinates), len(shape_of(x)) - len(coordinates)
    if order == 0:
        nearest = [cast(p.floor(p.add(c, 0.5)), "int32") for c in coordinates]
        return _picked(x, nearest, rank, mode, fill_value)
    lower = [p.floor(c) for c in coordinates]
    fractions = [p.sub(c, low) for c, low in zip(coordinates, lower, strict=True)]
    bases = [cast(low, "int32") for low in lower]
    total = None
    for bits in range(2**rank):  # the corners of the cell that a position lies in
        corner, weight = [], None
        for i in range(rank):
            upper = bits >> i & 1
            corner.append(p.add(bases[i], 1) if upper else bases[i])
            share = fractions[i] if upper else p.sub(1, fractions[i])
            weight = share if weight is None else p.mul(weight, share)
        part = _picked(x, corner, rank, mode, fill_value)
        part = p.mul(part, cast(p.reshape(weight, shape=(*shape_of(weight), *(1,) * rest)), dtype_of(part)))
        total = part if total is None else p.add(total, part)
    return total


def mode_of(mode: Any, argument: str = "fill_mode") -> str:
    if mode not in _MODES:
        raise ArgumentError(argument, expected=f"one of {', '.join(map(repr, _MODES))}", got=mode)
    return str(mode)


def order_of(interpolation: Any) -> int:
    if interpolation not in _ORDERS:
        raise ArgumentError("interpolation", expected="'nearest' or 'bilinear'", got=interpolation)
    return _ORDERS[interpolation]


_PLACES = values([[0.4, -0.6, 3.3, 1.1, 2.6], [0.3, 1.2, 5.2, 1.4, -7.3]])


@op(
    samples=[
        *(sample(T((4, 4)), _PLACES, 1, fill_mode=mode, fill_value=-1.0) for mode in _MODES),
        *(sample(T((4, 4)), _PLACES, 0, mode) for mode in _MODES),
        sample(T((2, 3, 4)), T((3, 2, 2), low=0.1, high=1.9), 1),
        sample(T((5,), "uint8", high=255), T((1, 3), low=0.1, high=3.9), 1, gradient=False),
    ],
    rejects=[
        rejects(T((4, 4)), T((3, 2)), 1, argument="coordinates"), rejects(T((4, 4)), T((2, 2)), 3, argument="order"),
        rejects(T((4, 4)), T((2, 2)), 1, "edge", argument="fill_mode"),
        rejects(T((0, 4)), T((2, 2)), 1, argument="inputs"),
    ],
)  # fmt: skip
def map_coordinates(
    inputs: TensorLike,
    coordinates: TensorLike,
    order: int,
    fill_mode: str = "constant",
    fill_value: float = 0,
) -> Tensor:
    """Elements at real positions.

    Args:
        inputs: any tensor of real numbers.
        coordinates: positions, of shape `(dimensions, ...)`: one for each dimension of `inputs`.
        order: 0 for the nearest element, 1 for linear interpolation.
        fill_mode: what lies outside: "constant", "nearest" (the outermost element), "wrap", "mirror" (mirrored at the
            outermost element) or "reflect" (mirrored beyond it).
        fill_value: the value of "constant".

    Returns:
        A tensor of the shape of `coordinates` without the first axis; integers are rounded.

    Example:
        >>> import kerata
        >>> kerata.ops.convert_to_numpy(kerata.ops.image.map_coordinates([0.0, 10.0], [[0.5]], 1))
        array([5.], dtype=float32)
    """
    shape = shape_of(inputs)
    if not shape_of(coordinates) or shape_of(coordinates)[0] != len(shape):
        raise ArgumentError(
            "coordinates", expected=f"of shape ({len(shape)}, ...), one for each dimension", got=coordinates
        )
    if isinstance(order, bool) or order not in (0, 1):
        raise ArgumentError("order", expected="0 or 1", got=order)
    if 0 in [size for size in shape if rules.known(size)]:
        raise ArgumentError("inputs", expected="a tensor with elements", got=inputs)
    mode = mode_of(fill_mode)
    x, name = working(inputs, "inputs")
    places = cast(to_real_float(coordinates, "coordinates"), dtype_of(x))
    columns = [p.reshape(cut(places, 0, i, i + 1), shape=shape_of(places)[1:]) for i in range(len(shape))]
    return returned(sampled(x, columns, order, mode, fill_value), name)


# ---- affine and projective -----------------------------------------------------------------------


def as_batch(images: Any, data_format: Any) -> tuple[Tensor, str, bool]:
    """A batch with the channels last, the dtype of the result, and whether it was one image."""
    axes = image_axes(images, data_format)
    x, name = working(images)
    single = len(shape_of(x)) == 3
    if axes.channels < axes.height:
        order = (1, 2, 0) if single else (0, 2, 3, 1)
        x = p.transpose(x, axes=order)
    return (p.reshape(x, shape=(1, *shape_of(x))) if single else x), name, single


def as_given(x: Tensor, name: str, single: bool, data_format: Any) -> Tensor:
    if data_format_of(data_format) == "channels_first":
        x = p.transpose(x, axes=(0, 3, 1, 2))
    return returned(p.reshape(x, shape=shape_of(x)[1:]) if single else x, name)


def _projected(x: Tensor, transform: Tensor, order: int, mode: str, fill_value: Any) -> Tensor:
    """Images at ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k), k = c0 x + c1 y + 1; `transform` is (batch, 8)."""
    b, h, w, _ = shape_of(x)
    name = "float64"  # where a position lies between two pixels must not depend on the order of sums
    transform = cast(transform, name)
    across = p.reshape(range_tensor(w, name), shape=(1, 1, w))
    down = p.reshape(range_tensor(h, name), shape=(1, h, 1))
    a0, a1, a2, b0, b1, b2, c0, c1 = (
        p.reshape(cut(transform, 1, i, i + 1), shape=(shape_of(transform)[0], 1, 1)) for i in range(8)
    )
    scale = p.add(p.add(p.mul(c0, across), p.mul(c1, down)), 1)
    columns = p.div(p.add(p.add(p.mul(a0, across), p.mul(a1, down)), a2), scale)
    rows = p.div(p.add(p.add(p.mul(b0, across), p.mul(b1, down)), b2), scale)
    whole = (b, h, w)
    numbers = p.broadcast_to(p.reshape(range_tensor(b, name), shape=(b, 1, 1)), shape=whole)
    coordinates = [numbers, p.broadcast_to(rows, shape=whole), p.broadcast_to(columns, shape=whole)]
    return sampled_of_batch(x, coordinates, order, mode, fill_value)


def sampled_of_batch(x: Tensor, coordinates: list[Tensor], order: int, mode: str, fill_value: Any) -> Tensor:
    """As `sampled`, where the first coordinate is the number of the image: nothing is interpolated along it."""
    b, h, w, c = shape_of(x)
    number, rows, columns = coordinates
    # Images side by side in one tall image would meet at their borders, so positions are brought inside first.
    flat = p.reshape(x, shape=(b * h * w, c))
    offset = p.mul(cast(number, "int32"), h * w)

    def pick(row: Tensor, column: Tensor) -> Tensor:
        inside_row, inside_column = _brought_inside(row, h, mode), _brought_inside(column, w, mode)
        found = p.take(flat, p.add(p.add(offset, p.mul(inside_row, w)), inside_column), axis=0)
        if mode != "constant":
            return found
        beyond = p.logical_or(
            p.logical_or(p.lt(row, 0), p.ge(row, h)), p.logical_or(p.lt(column, 0), p.ge(column, w))
        )
        return p.where(p.reshape(beyond, shape=(*shape_of(beyond), 1)), parameter(fill_value, found), found)

    if order == 0:
        return pick(*(cast(p.floor(p.add(v, 0.5)), "int32") for v in (rows, columns)))
    top, left = p.floor(rows), p.floor(columns)
    down, across = (
        cast(p.reshape(p.sub(place, whole), shape=(*shape_of(place), 1)), dtype_of(x))
        for place, whole in ((rows, top), (columns, left))
    )
    i, j = cast(top, "int32"), cast(left, "int32")
    upper = p.add(p.mul(pick(i, j), p.sub(1, across)), p.mul(pick(i, p.add(j, 1)), across))
    lower = p.add(
        p.mul(pick(p.add(i, 1), j), p.sub(1, across)), p.mul(pick(p.add(i, 1), p.add(j, 1)), across)
    )
    return p.add(p.mul(upper, p.sub(1, down)), p.mul(lower, down))


def displaced(x: Tensor, distances: Tensor, order: int, mode: str, fill_value: Any) -> Tensor:
    """Images (batch, height, width, channels) whose pixels are taken from places that far away, down and to the right.

    `distances` has the shape (batch, height, width, 2).
    """
    b, h, w, _ = shape_of(x)
    kind, whole = dtype_of(x), (b, h, w)
    numbers = p.broadcast_to(p.reshape(range_tensor(b, kind), shape=(b, 1, 1)), shape=whole)
    down, right = (p.reshape(cut(distances, 3, i, i + 1), shape=whole) for i in (0, 1))
    rows = p.add(p.reshape(range_tensor(h, kind), shape=(1, h, 1)), down)
    columns = p.add(p.reshape(range_tensor(w, kind), shape=(1, 1, w)), right)
    return sampled_of_batch(x, [numbers, rows, columns], order, mode, fill_value)


_IMAGES = T((2, 4, 5, 2))
_TRANSFORM = values(1.0, 0.2, 0.43, 0.1, 1.0, -0.51, 0.0, 0.0)


@op(
    samples=[
        sample(_IMAGES, _TRANSFORM),
        *(sample(_IMAGES, _TRANSFORM, fill_mode=mode, fill_value=-1.0) for mode in _MODES),
        sample(_IMAGES, _TRANSFORM, "nearest"),
        sample(T((4, 4, 1)), values(1.0, 0.0, 0.2, 0.0, 1.0, 0.3, 0.11, 0.07)),
        sample(_IMAGES, T((2, 8), low=0.1, high=0.3)),
        sample(T((2, 1, 4, 4)), _TRANSFORM, data_format="channels_first"),
        sample(T((4, 4, 1), "uint8", high=255), _TRANSFORM, gradient=False),
    ],
    rejects=[
        rejects(T((4, 4)), _TRANSFORM, argument="images"), rejects(_IMAGES, T((6,)), argument="transform"),
        rejects(_IMAGES, T((3, 8)), argument="transform"),
        rejects(_IMAGES, _TRANSFORM, "cubic", argument="interpolation"),
        rejects(_IMAGES, _TRANSFORM, fill_mode="edge", argument="fill_mode"),
    ],
)  # fmt: skip
def affine_transform(
    images: TensorLike, transform: TensorLike, interpolation: str = "bilinear", fill_mode: str = "constant",
    fill_value: float = 0, data_format: str | None = None,
) -> Tensor:  # fmt: skip
    """Images through an affine (or projective) change of coordinates.

    The pixel `(x, y)` of the result is taken from `((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)`, where
    `k = c0 x + c1 y + 1`.

    Args:
        images: an image, or a batch.
        transform: `(a0, a1, a2, b0, b1, b2, c0, c1)`, for all images or for each.
        interpolation: "nearest" or "bilinear".
        fill_mode: what lies outside: "constant", "nearest", "wrap", "mirror" or "reflect".
        fill_value: the value of "constant".
        data_format: "channels_last" or "channels_first"; the configured one where not given.

    Returns:
        Images of the same shape and dtype; integers are rounded.

    Example:
        >>> import kerata
        >>> x = kerata.ops.reshape(kerata.ops.arange(4.0), (2, 2, 1))
        >>> moved = kerata.ops.image.affine_transform(x, [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0])
        >>> kerata.ops.convert_to_numpy(moved[:, :, 0])
        array([[1., 0.],
               [3., 0.]], dtype=float32)
    """
    order, mode = order_of(interpolation), mode_of(fill_mode)
    x, name, single = as_batch(images, data_format)
    numbers = to_real_float(transform, "transform")
    have = shape_of(numbers)
    if len(have) not in (1, 2) or rules.differ(have[-1], 8) or not _one_or(have[:-1], shape_of(x)[0]):
        raise ArgumentError("transform", expected=f"of shape (8,) or ({shape_of(x)[0]}, 8)", got=transform)
    numbers = p.reshape(numbers, shape=(1, 8)) if len(have) == 1 else numbers
    return as_given(_projected(x, numbers, order, mode, fill_value), name, single, data_format)


def _one_or(sizes: tuple[Any, ...], batch: Any) -> bool:
    """Whether there is one for all images, or one for each."""
    return not sizes or not rules.differ(sizes[0], 1) or not rules.differ(sizes[0], batch)


def _between(start: Tensor, end: Tensor) -> Tensor:
    """The eight numbers of the projective transform that takes `end` points to `start` points."""
    b = shape_of(start)[0]
    x, y, u, v = (
        p.reshape(cut(points, 2, i, i + 1), shape=(b, 4, 1))
        for points, i in ((end, 0), (end, 1), (start, 0), (start, 1))
    )
    one, zero = p.add(p.mul(x, 0), 1), p.mul(x, 0)
    first = p.concatenate((x, y, one, zero, zero, zero, p.neg(p.mul(x, u)), p.neg(p.mul(y, u))), axis=2)
    second = p.concatenate((zero, zero, zero, x, y, one, p.neg(p.mul(x, v)), p.neg(p.mul(y, v))), axis=2)
    solved = d.solve(p.concatenate((first, second), axis=1), p.concatenate((u, v), axis=1))
    return p.reshape(solved, shape=(b, 8))


_START = values([[[0.0, 0.0], [0.0, 3.0], [3.0, 0.0], [3.0, 3.0]]])
_END = values([[[0.1, 1.0], [1.0, 3.1], [3.0, 0.2], [3.1, 3.0]]])


@op(
    samples=[
        sample(T((2, 4, 4, 1)), _START[0], _END),
        sample(T((4, 4, 1), "uint8", high=255), _START[0], _END[0], gradient=False,
    ),
        sample(T((1, 4, 4, 1)), _START, _END),
        sample(T((4, 4, 2)), _START[0], _END[0], "nearest", fill_value=-1.0, gradient=False),
        sample(T((1, 1, 4, 5)), _START, _END, data_format="channels_first"),
        sample(T((2, 4, 4, 1)), _START.repeat(2, 0), _END.repeat(2, 0)),
    sample(
            T((4, 4, 1), "float64"),
            values([[0.0, 0.0], [0.0, 3.0], [3.0, 0.0], [3.0, 3.0]]),
            values([[0.1, 1.0], [1.0, 3.1], [3.0, 0.2], [3.1, 3.0]]),
            "nearest",
            1.0,
        ),
    ],
    rejects=[
        rejects(T((1, 4, 4, 1)), T((1, 3, 2)), _END, argument="start_points"),
        rejects(T((1, 4, 4, 1)), _START, T((4, 3)), argument="end_points"),
        rejects(T((1, 4, 4, 1)), _START, _END, "cubic", argument="interpolation"),
    ],
)  # fmt: skip
def perspective_transform(
    images: TensorLike, start_points: TensorLike, end_points: TensorLike, interpolation: str = "bilinear",
    fill_value: float = 0, data_format: str | None = None,
) -> Tensor:  # fmt: skip
    """Images seen in the perspective that takes four points to four others.

    Args:
        images: an image, or a batch.
        start_points: four points `(x, y)`, of shape `(4, 2)`, or for each image.
        end_points: where they go.
        interpolation: "nearest" or "bilinear".
        fill_value: what lies outside.
        data_format: "channels_last" or "channels_first"; the configured one where not given.

    Returns:
        Images of the same shape and dtype; integers are rounded.

    Example:
        >>> import kerata
        >>> x, corners = kerata.ops.ones((4, 4, 1)), [[0.0, 0.0], [0.0, 3.0], [3.0, 0.0], [3.0, 3.0]]
        >>> kerata.ops.image.perspective_transform(x, corners, corners).shape == (4, 4, 1)
        True
    """
    order = order_of(interpolation)
    x, name, single = as_batch(images, data_format)
    points = []
    for given, argument in ((start_points, "start_points"), (end_points, "end_points")):
        v = cast(to_real_float(given, argument), "float64")  # eight equations, some nearly the same
        have = shape_of(v)
        if (
            len(have) not in (2, 3)
            or any(map(rules.differ, have[-2:], (4, 2)))
            or not _one_or(have[:-2], shape_of(x)[0])
        ):
            raise ArgumentError(argument, expected=f"of shape (4, 2) or ({shape_of(x)[0]}, 4, 2)", got=given)
        v = p.reshape(v, shape=(1, 4, 2)) if len(have) == 2 else v
        points.append(p.broadcast_to(v, shape=(shape_of(x)[0], 4, 2)))
    transform = _between(points[0], points[1])
    return as_given(_projected(x, transform, order, "constant", fill_value), name, single, data_format)
