"""TensorFlow's native routes of composed ops. Deleting this table leaves a slow and correct engine."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

from kerata.backends.tables import FastPaths, all_integers, routing
from kerata.core import config, rules
from kerata.core.constants import GELU_CUBIC, GELU_LINEAR
from kerata.core.declare import DECLARED
from kerata.core.state import STATE

from .derivatives import wanted
from .primitives import TABLE as PRIMITIVES
from .windows import if_finite, transposed

TABLE: FastPaths = {}


fast_path = routing(TABLE)


F32 = (tf.float32, tf.float64)


def _wide(x: Any) -> bool:
    return x.dtype in F32


_RELU = inspect.unwrap(tf.raw_ops.Relu)


@fast_path("relu", when=_wide)
def _(x: Any) -> Any:
    return _relu(x) if wanted() and not STATE.vectorising else _RELU(x)


@tf.custom_gradient
def _relu(x: Any) -> Any:
    y = _RELU(x)

    def back(g: Any) -> Any:
        """TensorFlow's kernel stops the cotangent of NaN, which the others hand on."""

        def by_sign() -> Any:
            return tf.where(y <= 0, tf.zeros((), g.dtype), g)

        if (y.shape.num_elements() or _LARGE) < _LARGE:
            return by_sign()
        return if_finite(y, lambda: tf.raw_ops.ReluGrad(gradients=g, features=y), by_sign)

    return y, back


TABLE["silu"] = (_wide, lambda x: tf.nn.silu(x))
TABLE["softplus"] = (_wide, lambda x: tf.math.softplus(x))


@fast_path("gelu", when=lambda x, approximate=True: approximate is True and x.dtype in F32)
def _(x: Any, approximate: bool = True) -> Any:
    if not wanted():
        return x * tf.sigmoid(x * (GELU_LINEAR + GELU_CUBIC * (x * x)))
    return _gelu(x)


@tf.custom_gradient
def _gelu(x: Any) -> Any:
    s = tf.sigmoid(x * (GELU_LINEAR + GELU_CUBIC * (x * x)))

    def back(g: Any) -> Any:
        rest = s * (1 - s) * x  # 0 for large numbers, whose square may be infinite
        return g * (s + (GELU_LINEAR * rest + 3 * GELU_CUBIC * (rest * x * x)))

    return x * s, back


def _one_axis(x: Any, axis: Any = -1) -> bool:
    return x.dtype in F32 and type(axis) is int and axis in (-1, len(x.shape) - 1) and len(x.shape) > 0


def _spread(y: Any) -> Any:
    """A softmax in which a NaN takes its whole row, as sums do; TensorFlow's gives 0 for the neighbours."""
    if tf.executing_eagerly() or (y.shape.num_elements() or 0) < _LARGE:
        return y + 0 * tf.reduce_sum(y, -1, keepdims=True)
    # The sum is cheap beside another pass over a large tensor, which is nearly always in vain.
    return if_finite(y, lambda: y, lambda: y + 0 * tf.reduce_sum(y, -1, keepdims=True))


_LARGE = 1 << 14


@fast_path("softmax", when=_one_axis)
def _(x: Any, axis: int = -1) -> Any:
    if not wanted():
        return _spread(tf.nn.softmax(x))
    return _softmax(x)


@tf.custom_gradient
def _softmax(x: Any) -> Any:
    y = _spread(tf.nn.softmax(x))
    return y, lambda g: y * (g - tf.reduce_sum(g * y, -1, keepdims=True))


@fast_path("log_softmax", when=_one_axis)
def _(x: Any, axis: int = -1) -> Any:
    return tf.nn.log_softmax(x)


def _matmul(x1: Any, x2: Any) -> Any:
    """Of matrices, without what `tf.linalg.matmul` looks at before."""
    return tf.raw_ops.MatMul(a=x1, b=x2)


def _linear_fits(x: Any, kernel: Any, bias: Any = None) -> bool:
    same = x.dtype in F32 and x.dtype == kernel.dtype and (bias is None or bias.dtype == x.dtype)
    return same and len(x.shape) == 2 and len(kernel.shape) == 2 and (bias is None or len(bias.shape) == 1)


@fast_path("linear", when=_linear_fits)
def _(x: Any, kernel: Any, bias: Any = None) -> Any:
    y = _matmul(x, kernel)
    return y if bias is None else tf.raw_ops.BiasAdd(value=y, bias=bias)


def _classes_fit(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> bool:
    """Logits of rows, and a class for each."""
    return (
        from_logits and len(output.shape) == 2 and type(axis) is int and axis in (-1, 1) and output.dtype in F32 and tf.is_tensor(target)
        and target.dtype in (tf.int32, tf.int64) and len(target.shape) == 1 and target.shape == output.shape[:1]
    )  # fmt: skip


@fast_path("sparse_categorical_crossentropy", when=_classes_fit)
def _(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    classes = tf.cast(output.shape[-1], target.dtype)
    there = tf.logical_and(target >= 0, target < classes)
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.where(there, target, 0), output)
    return tf.where(there, loss, tf.zeros_like(loss))  # a class that does not exist gives 0


def _distributions_fit(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> bool:
    """Logits and targets of rows, in functions, where a derivative may be taken of many."""
    return (
        from_logits and output.dtype in F32 and target.dtype == output.dtype and target.shape == output.shape
        and len(output.shape) == 2 and type(axis) is int and axis in (-1, 1)
        and (output.shape.num_elements() or _LARGE) >= _LARGE and not tf.executing_eagerly() and wanted()
    )  # fmt: skip


@fast_path("categorical_crossentropy", when=_distributions_fit)
def _(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """TensorFlow's kernel has the derivative of targets that add up to 1."""
    total = tf.reduce_sum(target, -1)
    ones = tf.reduce_all(tf.abs(total - 1) <= 8 * np.finfo(output.dtype.as_numpy_dtype).eps)
    return tf.cond(
        ones,
        lambda: tf.nn.softmax_cross_entropy_with_logits(target, output),
        lambda: -tf.reduce_sum(target * tf.nn.log_softmax(output), -1),
    )


# ---- moments -----------------------------------------------------------------------------------------


def _moments_fit(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> bool:
    """In functions, where the derivative is worth its words in Python."""
    if x.dtype not in F32 or not x.shape.rank or tf.executing_eagerly() or not wanted():
        return False
    places = rules.axes_tuple(axes, x.shape.rank, "axes")
    return places != () and all(x.shape[i] != 0 for i in places)


@fast_path("moments", when=_moments_fit)
def _(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> tuple[Any, Any]:
    axes = rules.axes_tuple(axes, x.shape.rank)

    @tf.custom_gradient
    def run(x: Any) -> Any:
        mean = tf.reduce_mean(x, axes, keepdims=True)
        variance = tf.reduce_mean(tf.math.squared_difference(x, mean), axes, keepdims=True)

        def back(by_mean: Any, by_variance: Any) -> Any:
            """Distances to the mean add up to 0, so that nothing comes to the variance by way of the mean."""
            count = tf.cast(tf.reduce_prod(tf.gather(tf.shape(x, tf.int64), axes)), x.dtype)
            return by_mean / count + (by_variance * 2 / count) * (x - mean)

        return (mean, variance), back

    mean, variance = run(x)
    return (mean, variance) if keepdims else (tf.squeeze(mean, axes), tf.squeeze(variance, axes))


# ---- what is one function of TensorFlow: the shortest way from Python ------------------------------


@fast_path("matmul", when=lambda x1, x2: x1.dtype in F32 and x2.dtype == x1.dtype)
def _(x1: Any, x2: Any) -> Any:
    if x1.shape.rank == 2 and x2.shape.rank == 2:
        return _matmul(x1, x2)
    return PRIMITIVES["matmul"](x1, x2)


@functools.lru_cache(maxsize=1024)
def _constant(numbers: tuple[int, ...]) -> Any:
    return tf.constant(
        np.array(numbers, np.int32)
    )  # NumPy refuses what does not fit; TensorFlow would wrap it


def _numbers(numbers: tuple[int, ...]) -> Any:
    """Sizes or axes as an operation takes them: eagerly, most of its time would be their way into a tensor."""
    return _constant(numbers) if tf.executing_eagerly() else numbers


def _no_float8(x: Any) -> bool:
    """8-bit floats go the way that derivatives follow."""
    return x.dtype.size > 1 or not x.dtype.is_floating


@fast_path("transpose", when=lambda x, axes=None: axes is None and x.shape.rank is not None and _no_float8(x))
def _(x: Any, axes: Any = None) -> Any:
    return tf.raw_ops.Transpose(x=x, perm=_numbers(tuple(range(x.shape.rank))[::-1]))


def _sizes_fit(x: Any, newshape: Any) -> bool:
    """A -1 beside a 0 could be any number; TensorFlow would choose one."""
    plain = type(newshape) is tuple and all_integers(map(type, newshape))
    return plain and not (0 in newshape and -1 in newshape) and _no_float8(x)


@fast_path("reshape", when=_sizes_fit)
def _(x: Any, newshape: tuple[int, ...]) -> Any:
    try:
        return tf.raw_ops.Reshape(tensor=x, shape=_numbers(newshape))
    except OverflowError:
        rules.reshaped(tuple(x.shape), newshape)  # says it in words
        raise


def _one_or_all(x: Any, axis: Any) -> bool:
    return x.dtype in F32 and (type(axis) is int or (axis is None and x.shape.rank is not None))


@fast_path("sum", when=lambda x, axis=None, keepdims=False: _one_or_all(x, axis) and type(keepdims) is bool)
def _(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    axes = tuple(range(x.shape.rank)) if axis is None else (axis,)
    return tf.raw_ops.Sum(input=x, axis=_numbers(axes), keep_dims=keepdims)


# ---- images and Fourier transforms -----------------------------------------------------------------


def _exact(old: int, new: int) -> bool:
    """Whether the kernel's positions, which it computes in float32, are exact: the ratio has a power of two below."""
    return old % (new // (new & -new)) == 0 and max(old, new) < 1 << 15


def _resize_fits(
    images: Any, size: Any, interpolation: str = "bilinear", antialias: bool = False,
    crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False, fill_mode: str = "constant",
    fill_value: float = 0.0, data_format: str | None = None,
) -> bool:  # fmt: skip
    if images.dtype != tf.float32 or images.shape.rank not in (3, 4) or not images.shape.is_fully_defined():
        return False
    if interpolation != "bilinear" or crop_to_aspect_ratio or pad_to_aspect_ratio:
        return False
    if antialias and GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()):  # has no such kernel
        return False
    layout = config.image_data_format() if data_format is None else data_format
    if fill_mode != "constant" or layout != "channels_last" or type(size) is not tuple or len(size) != 2:
        return False
    if not all(type(n) is int and n > 0 for n in size) or 0 in images.shape:
        return False
    return all(map(_exact, images.shape[-3:-1], size))


@fast_path("resize", when=_resize_fits)
def _(
    images: Any, size: Any, interpolation: str = "bilinear", antialias: bool = False, *_: Any, **__: Any
) -> Any:
    def composed(x: Any) -> Any:
        return DECLARED["resize"].body(x, size, antialias=antialias, data_format="channels_last")

    def native(x: Any) -> Any:
        return tf.image.resize(x, size, antialias=antialias)

    # Linear: each is the derivative of the other. TensorFlow's second derivatives are wrong, or there are none.

    @tf.custom_gradient
    def forward(x: Any) -> Any:
        return native(x), backward

    @tf.custom_gradient
    def backward(g: Any) -> Any:
        return transposed(native, images, g), forward

    # The kernels take differences of neighbours, or read elements of weight 0.
    return if_finite(images, lambda: forward(images), lambda: composed(images))


@fast_path(
    "rfft",
    when=lambda x, fft_length=None: x.dtype in F32 and x.shape.rank and fft_length is None and x.shape[-1],
)
def _(x: Any, fft_length: int | None = None) -> tuple[Any, Any]:
    z = tf.signal.rfft(x)
    return tf.math.real(z), tf.math.imag(z)
