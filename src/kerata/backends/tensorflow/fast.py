"""TensorFlow's native routes of composed ops. Deleting this table leaves a slow and correct engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

TABLE: dict[str, tuple[Callable[..., bool] | None, Callable[..., Any]]] = {}


def fast_path(name: str, when: Callable[..., bool] | None = None) -> Callable[[Any], Any]:
    """Registers the native route of an op and the condition under which it holds."""

    def put(fn: Any) -> Any:
        TABLE[name] = (when, fn)
        return fn

    return put


F32 = (tf.float32, tf.float64)


def _wide(x: Any, *_: Any, **__: Any) -> bool:
    return x.dtype in F32


TABLE["relu"] = (_wide, lambda x: tf.nn.relu(x))
TABLE["silu"] = (_wide, lambda x: tf.nn.silu(x))
TABLE["softplus"] = (_wide, lambda x: tf.math.softplus(x))


def _one_axis(x: Any, axis: Any = -1) -> bool:
    return x.dtype in F32 and axis in (-1, len(x.shape) - 1) and len(x.shape) > 0


@fast_path("log_softmax", when=_one_axis)
def _(x: Any, axis: int = -1) -> Any:
    return tf.nn.log_softmax(x)


def _linear_fits(x: Any, kernel: Any, bias: Any = None) -> bool:
    same = x.dtype in F32 and x.dtype == kernel.dtype and (bias is None or bias.dtype == x.dtype)
    return same and len(x.shape) == 2 and len(kernel.shape) == 2 and (bias is None or len(bias.shape) == 1)


@fast_path("linear", when=_linear_fits)
def _(x: Any, kernel: Any, bias: Any = None) -> Any:
    y = tf.linalg.matmul(x, kernel)
    return y if bias is None else tf.nn.bias_add(y, bias)


def _classes_fit(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> bool:
    """Logits of rows, and a class for each."""
    return (
        from_logits and len(output.shape) == 2 and axis in (-1, 1) and output.dtype in F32 and tf.is_tensor(target)
        and target.dtype in (tf.int32, tf.int64) and len(target.shape) == 1 and target.shape == output.shape[:1]
    )  # fmt: skip


@fast_path("sparse_categorical_crossentropy", when=_classes_fit)
def _(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    classes = tf.cast(output.shape[-1], target.dtype)
    there = tf.logical_and(target >= 0, target < classes)
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.where(there, target, 0), output)
    return tf.where(there, loss, tf.zeros_like(loss))  # a class that does not exist gives 0
