"""The geometry of sliding windows: convolution, its transpose, and pooling, as integers only.

Each function takes shapes and arguments, checks everything, and gives a frozen plan, remembered from one call
to the next. No engine derives a padding, an output size or a number of groups a second time. The size of the
batch is in no plan, so that a last, shorter batch finds the plan of the others.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from math import gcd, prod
from typing import Any, TypeVar, cast

import numpy as np

from kerata.core.errors import ArgumentError
from kerata.core.geometry_checks import (
    Ints,
    Pads,
    input_sizes,
    kernel_sizes,
    named_padding,
    output_padding_of,
    output_sizes,
    pads_of,
    positive_integers,
)

Slices = tuple[slice, ...]
F = TypeVar("F", bound=Callable[..., Any])

_CACHED_PLANS = 4096


def remembered(function: F) -> F:
    """Keeps what follows from shapes and arguments. The first is the input's shape; its batch size is left out."""
    cached = functools.lru_cache(maxsize=_CACHED_PLANS)(function)

    @functools.wraps(function)
    def plan(x_shape: Sequence[int], *args: Any, **named: Any) -> Any:
        sizes = (None, *x_shape[1:])
        if not named and _all_plain(args):
            try:
                return cached(sizes, *args)
            except ArgumentError:
                raise
            except TypeError:  # sizes that only the engine knows cannot be looked up
                return function(sizes, *args)
        frozen = tuple(map(_frozen, args))
        look_up = all(map(_is_exact, (*frozen, *named.values())))
        return (cached if look_up else function)(sizes, *frozen, **named)

    return cast(F, plan)


_PLAIN = {int}
_SINGLE = frozenset((int, str, type(None)))


def _all_plain(values: Iterable[Any]) -> bool:
    """Whether a look-up is safe, of what is mostly given: 2.0 and True would find what was remembered for 2 and 1."""
    for value in values:
        if type(value) in _SINGLE:
            continue
        if not (isinstance(value, tuple) and _PLAIN.issuperset(map(type, value))):
            return False
    return True


def _is_exact(value: Any) -> bool:
    """Whether a look-up is safe, of anything."""
    return _all_plain((value,)) or (type(value) is tuple and all(map(_is_exact, value)))


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, (list, tuple)) else value


# ---- plans ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Windows:
    """What convolution and pooling share: windows that slide over the spatial dimensions of an input."""

    channels_last: bool
    in_size: Ints  # spatial sizes of the input
    out_size: Ints  # how many windows there are along each spatial dimension
    strides: Ints
    pads: Pads  # (before, after) of each spatial dimension
    extent: Ints  # how many positions of the padded input one window spans

    @cached_property
    def rank(self) -> int:
        """Number of spatial dimensions: 1, 2 or 3."""
        return len(self.in_size)

    @cached_property
    def _hash(self) -> int:
        return hash(tuple(getattr(self, field.name) for field in fields(self)))

    def __hash__(self) -> int:  # engines look plans up at each call
        return self._hash

    @cached_property
    def used_pads(self) -> Pads:
        """Pads after which the windows fit exactly; negative where the input's end lies in no window."""
        spans = ((m - 1) * s + e for m, s, e in zip(self.out_size, self.strides, self.extent))
        return tuple((low, span - n - low) for span, n, (low, _) in zip(spans, self.in_size, self.pads))

    @cached_property
    def unpadded(self) -> bool:
        """Whether no window reaches beyond the input."""
        return all(low <= 0 and high <= 0 for low, high in self.used_pads)

    @property
    def channel_axis(self) -> int:
        return self.rank + 1 if self.channels_last else 1

    @property
    def spatial_axes(self) -> Ints:
        first = 1 if self.channels_last else 2
        return tuple(range(first, first + self.rank))

    @cached_property
    def to_channels_last(self) -> Ints:
        """Permutation of the input's axes that puts the channels last."""
        return (0, *self.spatial_axes, self.channel_axis)

    @cached_property
    def from_channels_last(self) -> Ints:
        """The inverse of `to_channels_last`."""
        spatial = tuple(range(1, self.rank + 1))
        return (0, *spatial, self.rank + 1) if self.channels_last else (0, self.rank + 1, *spatial)

    @cached_property
    def to_channels_first(self) -> Ints:
        """Permutation of the input's axes that puts the channels before the spatial dimensions."""
        return (0, self.channel_axis, *self.spatial_axes)

    @cached_property
    def from_channels_first(self) -> Ints:
        """The inverse of `to_channels_first`."""
        spatial = tuple(range(2, self.rank + 2))
        return (0, *spatial, 1) if self.channels_last else (0, 1, *spatial)

    def _shape(self, batch: Any, spatial: Ints, channels: Any) -> tuple[Any, ...]:
        return (batch, *spatial, channels) if self.channels_last else (batch, channels, *spatial)


@dataclass(frozen=True)
class ConvPlan(_Windows):
    """A convolution (as in all of deep learning, a cross-correlation) and both of its derivatives.

    The kernel has shape `(*kernel_size, in_channels // groups, out_channels)`, whatever the data format. A
    transposed convolution is `conv_input_grad` of such a plan, so its input has the plan's `out_shape`.
    """

    kernel_size: Ints
    dilation: Ints
    groups: int
    in_channels: int
    out_channels: int

    __hash__ = _Windows.__hash__

    @cached_property
    def kernel_shape(self) -> Ints:
        return (*self.kernel_size, self.in_channels // self.groups, self.out_channels)

    def in_shape(self, batch: Any) -> tuple[Any, ...]:
        return self._shape(batch, self.in_size, self.in_channels)

    def out_shape(self, batch: Any) -> tuple[Any, ...]:
        return self._shape(batch, self.out_size, self.out_channels)

    @cached_property
    def input_grad_pads(self) -> Pads:
        """Pads of the gradient by the input: a convolution of the gradient, with `strides - 1` zeros between
        its elements, by the turned kernel (Dumoulin & Visin 2016, section 4)."""
        return tuple((e - 1 - low, e - 1 - high) for e, (low, high) in zip(self.extent, self.used_pads))

    @property
    def depthwise(self) -> bool:
        """Whether each input channel is convolved alone."""
        return self.groups == self.in_channels and self.groups > 1

    @cached_property
    def of_one_group(self) -> ConvPlan:
        """The plan of a single group of channels."""
        channels, filters = self.in_channels // self.groups, self.out_channels // self.groups
        return replace(self, groups=1, in_channels=channels, out_channels=filters)


@dataclass(frozen=True)
class PoolPlan(_Windows):
    """Pooling over windows of `pool_size`."""

    __hash__ = _Windows.__hash__

    @property
    def pool_size(self) -> Ints:
        return self.extent

    def in_shape(self, batch: Any, channels: Any) -> tuple[Any, ...]:
        return self._shape(batch, self.in_size, channels)

    def out_shape(self, batch: Any, channels: Any) -> tuple[Any, ...]:
        return self._shape(batch, self.out_size, channels)

    @cached_property
    def counts(self) -> np.ndarray:
        """Number of input elements in each window, padding left out; broadcasts against the output."""
        total = np.ones((), np.int64)
        for n, m, s, e, (low, _) in zip(self.in_size, self.out_size, self.strides, self.extent, self.pads):
            starts = np.arange(m) * s - low
            total = total[..., None] * (np.minimum(starts + e, n) - np.maximum(starts, 0))
        return total[..., None] if self.channels_last else total

    @property
    def size(self) -> int:
        """Number of elements in a window, padding counted."""
        return prod(self.pool_size)

    def taps_along(self, axis: int) -> Iterator[tuple[slice, slice]]:
        """For each place in a window along one spatial dimension: the input elements that are there, and the
        windows that they are in. Where a place would lie in the padding, that window is left out."""
        n, m, stride, low = self.in_size[axis], self.out_size[axis], self.strides[axis], self.pads[axis][0]
        for tap in range(self.pool_size[axis]):
            first, last = max(0, -((tap - low) // stride)), min(m, (n - 1 - tap + low) // stride + 1)
            if first < last:
                start = first * stride + tap - low
                yield slice(start, start + (last - first - 1) * stride + 1, stride), slice(first, last)

    @cached_property
    def taps(self) -> tuple[tuple[Slices, Slices], ...]:
        """The same for the places of whole windows, in row-major order, as indices of all axes."""
        along = itertools.product(*(list(self.taps_along(axis)) for axis in range(self.rank)))
        lead = (slice(None),) * self.spatial_axes[0]
        return tuple(tuple((*lead, *side) for side in zip(*pairs)) for pairs in along)  # type: ignore[misc]

    @cached_property
    def disjoint(self) -> bool:
        """Whether the windows are exact tiles: no overlap, no gap, no padding."""
        return self.strides == self.pool_size and not any(map(any, self.used_pads))


@dataclass(frozen=True, eq=False)
class AdaptivePlan:
    """Pooling to a given output size, as `pool` over an input whose elements are repeated first.

    Window i of a dimension covers `floor(i n / m)` up to `ceil((i + 1) n / m)`. Windows may overlap and differ in
    length, so `layouts` lays them side by side, all as long as the longest.
    """

    pool: PoolPlan
    layouts: tuple[Layout | None, ...]  # of each spatial dimension; None: it is laid out already


@dataclass(frozen=True, eq=False)
class Layout:
    """How `size` elements are laid out in `windows` of one `width` for adaptive pooling.

    The vectors are made when they are asked for: an abstract run, whose sizes may be unknown, needs none of them.
    """

    size: int
    windows: int
    width: int  # of the longest window
    uneven: bool  # whether some windows are shorter

    @property
    def indices(self) -> np.ndarray:
        """Input position of each element."""
        return np.minimum(self._positions(), self.size - 1).ravel().astype(np.int32)

    @property
    def filled(self) -> np.ndarray:
        """Which elements only fill up a shorter window."""
        return (self._positions() >= self._ends()[1][:, None]).ravel()

    @property
    def shares(self) -> np.ndarray:
        """Longest length / length, of each window."""
        starts, stops = self._ends()
        return self.width / (stops - starts)

    def _ends(self) -> tuple[np.ndarray, np.ndarray]:
        i = np.arange(self.windows)
        return i * self.size // self.windows, -(-(i + 1) * self.size // self.windows)

    def _positions(self) -> np.ndarray:
        return self._ends()[0][:, None] + np.arange(self.width)


# ---- making them ---------------------------------------------------------------------------------


@remembered
def conv_plan(
    x_shape: Sequence[int],
    kernel_shape: Sequence[int],
    strides: int | Sequence[int] = 1,
    padding: str | Sequence[Sequence[int]] = "valid",
    data_format: str = "channels_last",
    dilation: int | Sequence[int] = 1,
    kernel_name: str = "kernel",
) -> ConvPlan:
    """Plans a convolution over 1 to 3 spatial dimensions.

    Args:
        x_shape: `(batch, *spatial, channels)`, or `(batch, channels, *spatial)` for "channels_first".
        kernel_shape: `(*kernel_size, channels // groups, filters)`; the number of groups follows from it.
        strides: one integer, or one for each spatial dimension.
        padding: "valid" (none), "same" (`ceil(size / stride)` outputs; of an odd amount of padding the larger
            half comes at the end), "causal" (one dimension: all of it comes before), or for each spatial
            dimension a pair of non-negative integers `(before, after)`.
        data_format: "channels_last" or "channels_first".
        dilation: distance between the input elements that a kernel touches.
        kernel_name: what errors call the kernel.

    Raises:
        ArgumentError: if anything does not fit, or if the output would be empty.

    Example:
        >>> plan = conv_plan((8, 32, 32, 3), (3, 3, 3, 16), strides=2, padding="same")
        >>> plan.pads, plan.out_shape(8), plan.groups
        (((0, 1), (0, 1)), (8, 16, 16, 16), 1)
    """
    in_size, channels, channels_last = input_sizes(x_shape, data_format)
    kernel = kernel_sizes(kernel_shape, len(in_size), kernel_name)
    kernel_size, per_group, filters = kernel[:-2], kernel[-2], kernel[-1]
    if channels % per_group:
        raise ArgumentError(
            kernel_name,
            expected=f"of a shape whose next-to-last size divides the {channels} channels of `inputs`",
            got=kernel,
            fix="A kernel has the shape (*kernel_size, input channels // groups, filters).",
        )
    if filters % (groups := channels // per_group):
        raise ArgumentError(
            kernel_name,
            expected=f"of a shape whose last size, the filters, is a multiple of the {groups} groups",
            got=kernel,
        )
    steps = positive_integers("strides", strides, len(in_size))
    holes = positive_integers("dilation_rate", dilation, len(in_size))
    extent = tuple((k - 1) * d + 1 for k, d in zip(kernel_size, holes))
    pads = pads_of(padding, in_size, extent, steps)
    out_size = output_sizes(in_size, extent, steps, pads, kernel_name)
    windows = (channels_last, in_size, out_size, _taken(steps, out_size), pads, extent)
    return ConvPlan(*windows, kernel_size, holes, groups, channels, filters)


def _taken(steps: Ints, outputs: Ints) -> Ints:
    """No step is taken to a single output. With it, oneDNN's values of one channel are wrong (TensorFlow 2.21, PyTorch
    2.13)."""
    return tuple(1 if n == 1 else step for step, n in zip(steps, outputs))


@remembered
def depthwise_plan(
    x_shape: Sequence[int],
    kernel_shape: Sequence[int],
    strides: int | Sequence[int] = 1,
    padding: str | Sequence[Sequence[int]] = "valid",
    data_format: str = "channels_last",
    dilation: int | Sequence[int] = 1,
    kernel_name: str = "kernel",
) -> ConvPlan:
    """Plans a depthwise convolution: the plan of the grouped one whose kernel is the given one, reshaped.

    Args:
        kernel_shape: `(*kernel_size, channels, depth_multiplier)`, to be reshaped to `plan.kernel_shape`.

    The other arguments, and the errors, are those of `conv_plan`.

    Example:
        >>> depthwise_plan((8, 32, 32, 3), (5, 5, 3, 2)).kernel_shape
        (5, 5, 1, 6)
    """
    in_size, channels, _ = input_sizes(x_shape, data_format)
    *kernel_size, given, multiplier = kernel_sizes(kernel_shape, len(in_size), kernel_name)
    if given != channels:
        raise ArgumentError(
            kernel_name,
            expected=f"of a shape whose next-to-last size is the {channels} channels of `inputs`",
            got=tuple(kernel_shape),
            fix="A depthwise kernel has the shape (*kernel_size, input channels, depth_multiplier).",
        )
    grouped = (*kernel_size, 1, channels * multiplier)
    return conv_plan(x_shape, grouped, strides, padding, data_format, dilation, kernel_name)


@remembered
def pointwise_plan(
    x_shape: Sequence[int], kernel_shape: Sequence[int], data_format: str, kernel_name: str
) -> ConvPlan:
    """Plans the second half of a separable convolution: a kernel of size 1 over all channels.

    Example:
        >>> pointwise_plan((8, 32, 32, 6), (1, 1, 6, 4), "channels_last", "pointwise_kernel").out_shape(8)
        (8, 32, 32, 4)
    """
    in_size, channels, _ = input_sizes(x_shape, data_format)
    *kernel_size, given, _ = kernel_sizes(kernel_shape, len(in_size), kernel_name)
    if given != channels or prod(kernel_size) != 1:
        ones = ", ".join("1" * len(in_size))
        raise ArgumentError(
            kernel_name,
            expected=f"of shape ({ones}, {channels}, filters), for the {channels} channels of the depthwise step",
            got=tuple(kernel_shape),
        )
    return conv_plan(x_shape, kernel_shape, 1, "valid", data_format, 1, kernel_name)


@remembered
def conv_transpose_plan(
    x_shape: Sequence[int],
    kernel_shape: Sequence[int],
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    output_padding: int | Sequence[int | None] | None = None,
    data_format: str = "channels_last",
    dilation: int | Sequence[int] = 1,
) -> ConvPlan:
    """Plans a transposed convolution, as the convolution whose gradient by its input it is.

    With n inputs, stride s and a kernel that spans e positions, the whole sum of shifted kernels has
    `(n - 1) s + e` elements. Without `output_padding`, "valid" gives `n s + max(e - s, 0)` of them and "same"
    gives `n s`; with it, "valid" gives `(n - 1) s + e + output_padding`, and "same" less by `2 (e // 2)`. What
    is cut is cut evenly from both ends, the odd element from the end; what is missing is zeros at the end. So
    does Keras 3.15 on each of its engines (found by running it).

    Args:
        x_shape: as in `conv_plan`.
        kernel_shape: `(*kernel_size, filters, channels)`.
        strides: as in `conv_plan`.
        padding: "valid" or "same".
        output_padding: None, an integer, or an integer or None for each spatial dimension.
        data_format: as in `conv_plan`.
        dilation: as in `conv_plan`.

    Returns:
        The plan of the forward convolution: its `in_shape` is the transpose's output.

    Raises:
        ArgumentError: if anything does not fit, or if the output would be empty.

    Example:
        >>> plan = conv_transpose_plan((8, 16, 16, 4), (3, 3, 2, 4), strides=2, padding="same")
        >>> plan.in_shape(8), plan.out_shape(8)
        ((8, 32, 32, 2), (8, 16, 16, 4))
    """
    size, channels, channels_last = input_sizes(x_shape, data_format)
    rank = len(size)
    *kernel_size, filters, given = kernel_sizes(kernel_shape, rank, "kernel")
    if given != channels:
        raise ArgumentError(
            "kernel",
            expected=f"of a shape whose last size is the {channels} channels of `inputs`",
            got=tuple(kernel_shape),
            fix="A transposed kernel has the shape (*kernel_size, filters, input channels).",
        )
    steps = positive_integers("strides", strides, rank)
    holes = positive_integers("dilation_rate", dilation, rank)
    extra = output_padding_of(output_padding, rank)
    same = named_padding(padding, ("valid", "same")) == "same"
    extent = tuple((k - 1) * d + 1 for k, d in zip(kernel_size, holes))
    whole = tuple((n - 1) * s + e for n, s, e in zip(size, steps, extent))
    out_size = tuple(_transposed_size(*each, same) for each in zip(size, steps, extent, extra))
    if min(out_size) < 1:
        raise ArgumentError("inputs", expected="of a spatial size that gives an output", got=size)
    lows = tuple(max(w - m, 0) // 2 if same else 0 for w, m in zip(whole, out_size))
    pads = tuple((low, _tail(w - m - low, s)) for low, w, m, s in zip(lows, whole, out_size, steps))
    windows = (channels_last, out_size, size, _taken(steps, size), pads, extent)
    return ConvPlan(*windows, tuple(kernel_size), holes, 1, filters, channels)


def _transposed_size(n: int, stride: int, extent: int, extra: int | None, same: bool) -> int:
    if extra is None:
        return n * stride if same else n * stride + max(extent - stride, 0)
    return (n - 1) * stride + extent + extra - (2 * (extent // 2) if same else 0)


def _tail(excess: int, stride: int) -> int:
    """The padding behind the forward convolution's input. Fewer than `stride` elements at its end that lie in no
    window do no harm; of more, another window would be made, so a negative padding takes them off."""
    return 0 if -stride < excess < 0 else excess


@remembered
def pool_plan(
    x_shape: Sequence[int],
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str = "channels_last",
) -> PoolPlan:
    """Plans max or average pooling over 1 to 3 spatial dimensions.

    Args:
        x_shape: as in `conv_plan`.
        pool_size: one integer, or one for each spatial dimension.
        strides: likewise; `pool_size` if None.
        padding: "valid" or "same". Padding is no element of a window: it is never the maximum, and averages
            do not count it.
        data_format: as in `conv_plan`.

    Raises:
        ArgumentError: if anything does not fit, or if the output would be empty.

    Example:
        >>> plan = pool_plan((8, 5, 3), 2, padding="same")
        >>> plan.out_shape(8, 3), plan.counts.tolist()
        ((8, 3, 3), [[2], [2], [1]])
    """
    in_size, _, channels_last = input_sizes(x_shape, data_format, empty_channels=True)
    window = positive_integers("pool_size", pool_size, len(in_size))
    steps = window if strides is None else positive_integers("strides", strides, len(in_size))
    named_padding(padding, ("valid", "same"))
    pads = pads_of(padding, in_size, window, steps)
    out_size = output_sizes(in_size, window, steps, pads, "pool_size")
    return PoolPlan(channels_last, in_size, out_size, steps, pads, window)


@remembered
def adaptive_pool_plan(
    x_shape: Sequence[int], output_size: int | Sequence[int], data_format: str = "channels_last"
) -> AdaptivePlan:
    """Plans pooling to `output_size`: one integer, or one for each spatial dimension.

    Example:
        >>> plan = adaptive_pool_plan((8, 7, 3), 3)
        >>> plan.layouts[0].indices.tolist(), plan.pool.pool_size
        ([0, 1, 2, 2, 3, 4, 4, 5, 6], (3,))
    """
    in_size, channels, channels_last = input_sizes(x_shape, data_format, empty_channels=True)
    out_size = positive_integers("output_size", output_size, len(in_size))
    widths, layouts = zip(*map(_layout, in_size, out_size))
    laid_out = tuple(m * w for m, w in zip(out_size, widths))
    shape = (None, *laid_out, channels) if channels_last else (None, channels, *laid_out)
    return AdaptivePlan(pool_plan(shape, widths, widths, "valid", data_format), layouts)


def _layout(n: int, m: int) -> tuple[int, Layout | None]:
    """(length of the longest window, its layout) of n elements in m windows."""
    whole, rest = divmod(n, m)
    if not rest:
        return whole, None
    # Window i begins a fraction i * rest mod m of an element late, which are the multiples of gcd(rest, m): it takes
    # in one element more than the whole ones, or two where rest and fraction together reach beyond an element.
    uneven = rest != gcd(rest, m)
    width = whole + 1 + uneven
    return width, Layout(n, m, width, uneven)
