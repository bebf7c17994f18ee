"""Plain definitions of normalisation, activations, losses, attention and recurrence."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

Array = np.ndarray


# ---- normalisation ----


def _along(x: Array, axis: Any, v: Any) -> Any:
    """Numbers for some axes, in a shape that broadcasts to that of `x`."""
    axes = {int(i) % x.ndim for i in np.atleast_1d(axis)}
    return np.reshape(v, [d if i in axes else 1 for i, d in enumerate(x.shape)])


def _scaled(y: Array, axis: Any, scale: Any, offset: Any) -> Array:
    y = y if scale is None else y * _along(y, axis, scale)
    return y if offset is None else y + _along(y, axis, offset)


def batch_normalization(
    x: Array, mean: Array, variance: Array, axis: int, offset: Any = None, scale: Any = None, epsilon: float = 1e-3
) -> Array:  # fmt: skip
    y = (x - _along(x, axis, mean)) / np.sqrt(_along(x, axis, variance) + epsilon)
    return _scaled(y, axis, scale, offset)


def layer_normalization(
    x: Array, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None, rms_scaling: bool = False
) -> Array:  # fmt: skip
    axes = tuple(int(i) for i in np.atleast_1d(axis))
    centred = x - x.mean(axes, keepdims=True)
    size = np.sqrt((centred**2).mean(axes, keepdims=True) + (1e-7 if epsilon is None else epsilon))
    return x / size * _along(x, axis, gamma) if rms_scaling else _scaled(centred / size, axis, gamma, beta)


def rms_normalization(x: Array, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Array:
    axes = tuple(int(i) for i in np.atleast_1d(axis))
    y = x / np.sqrt((x**2).mean(axes, keepdims=True) + (1e-7 if epsilon is None else epsilon))
    return _scaled(y, axis, scale, None)


def moments(x: Array, axes: Any, keepdims: bool = False, synchronized: bool = False) -> tuple[Any, Any]:
    axes = None if axes is None else tuple(int(i) for i in np.atleast_1d(axes))
    return x.mean(axes, keepdims=keepdims), x.var(axes, keepdims=keepdims)


def normalize(x: Array, axis: Any = -1, order: Any = 2, epsilon: float | None = None) -> Array:
    x, axes = np.asarray(x, float), None if axis is None else tuple(int(i) for i in np.atleast_1d(axis))
    if order == np.inf:
        size = np.abs(x).max(axes, keepdims=True)
    else:
        size = (np.abs(x) ** order).sum(axes, keepdims=True) ** (1 / order)
    return x / np.maximum(size, 1e-7 if epsilon is None else epsilon)


# ---- activations ----


def _sigmoid(x: Array) -> Array:
    return np.exp(-np.logaddexp(0, -x))


def gelu(x: Array, approximate: bool = True) -> Array:
    from scipy.special import ndtr  # not required by Kerata: loaded when it is asked

    if not approximate:
        return x * ndtr(x)
    return x * _sigmoid(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))


def glu(x: Array, axis: int = -1) -> Array:
    first, second = np.split(x, 2, axis)
    return first * _sigmoid(second)


def squareplus(x: Array, b: float = 4) -> Array:
    root = np.sqrt(x**2 + b)
    # Both are the same number; one of them has its digits.
    return np.where(x < 0, b / (root - x), x + root) / 2


# ---- losses and attention ----


def psnr(x1: Array, x2: Array, max_val: float) -> Any:
    return 20 * np.log10(max_val) - 10 * np.log10(np.mean((x1 - x2) ** 2))


def binary_crossentropy(target: Array, output: Array, from_logits: bool = False) -> Array:
    if not from_logits:
        output = np.clip(output, 1e-7, 1 - 1e-7)
        return -target * np.log(output) - (1 - target) * np.log(1 - output)
    return target * np.logaddexp(0, -output) + (1 - target) * np.logaddexp(0, output)


def _log_probabilities(output: Array, from_logits: bool, axis: int) -> Array:
    if from_logits:
        return output - np.logaddexp.reduce(output, axis, keepdims=True)
    return np.log(np.clip(output / output.sum(axis, keepdims=True), 1e-7, 1 - 1e-7))


def categorical_crossentropy(
    target: Array, output: Array, from_logits: bool = False, axis: int = -1
) -> Array:
    return -(target * _log_probabilities(output, from_logits, axis)).sum(axis)


def sparse_categorical_crossentropy(
    target: Array, output: Array, from_logits: bool = False, axis: int = -1
) -> Array:
    target = np.asarray(target)
    if target.ndim == output.ndim:
        target = target[..., 0]
    logs = np.moveaxis(_log_probabilities(output, from_logits, axis), axis, -1)
    found = np.zeros(target.shape)
    for place, label in np.ndenumerate(target):
        if 0 <= label < logs.shape[-1]:  # a class that does not exist costs nothing
            found[place] = -logs[(*place, int(label))]
    return found


def dot_product_attention(
    query: Array, key: Array, value: Array, bias: Any = None, mask: Any = None, scale: float | None = None,
    is_causal: bool = False, flash_attention: Any = None, attn_logits_soft_cap: float | None = None,
) -> Array:  # fmt: skip
    groups = query.shape[2] // max(key.shape[2], 1)
    key, value = np.repeat(key, groups, 2), np.repeat(value, groups, 2)
    logits = np.einsum("bqhd,bkhd->bhqk", query, key)
    logits = logits * (1 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale)
    logits = logits if bias is None else logits + bias
    cap = attn_logits_soft_cap
    logits = logits if cap is None else cap * np.tanh(logits / cap)
    if is_causal:
        logits = np.where(np.tri(*logits.shape[-2:]) == 1, logits, -np.inf)
    if mask is not None:
        logits = np.where(mask, logits, -np.inf)
    if np.isneginf(logits).all(-1).any():
        raise np.linalg.LinAlgError("a query that sees no key")
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    return np.einsum("bhqk,bkhd->bqhd", weights / weights.sum(-1, keepdims=True), value)


def sparsemax(x: Array, axis: int = -1) -> Array:
    """By trying each size of the support, as the paper defines it."""

    def one(z: Array) -> Array:
        high = np.sort(z)[::-1]
        k = max(k for k in range(1, len(z) + 1) if 1 + k * high[k - 1] > high[:k].sum())
        return np.maximum(z - (high[:k].sum() - 1) / k, 0)

    return np.apply_along_axis(one, axis, x) if x.size else x


# ---- recurrence ----


def _steps(x: Array, state: tuple[Array, ...], mask: Any, go_backwards: bool, zero: bool, step: Any) -> Any:
    """One step of time after the other: outputs in the order of computation, then the last states."""
    mask = np.ones(x.shape[:2], bool) if mask is None else np.asarray(mask)
    outputs: list[Array] = []
    last = np.zeros_like(state[0])
    for t in reversed(range(x.shape[1])) if go_backwards else range(x.shape[1]):
        seen = mask[:, t, None]
        state = tuple(np.where(seen, new, old) for new, old in zip(step(x[:, t], *state), state, strict=True))
        last = np.where(seen, state[0], 0 if zero else last)
        outputs.append(last)
    return np.stack(outputs, 1), *state


def lstm(
    x: Array, h: Array, c: Array, kernel: Array, recurrent_kernel: Array, bias: Any = None, mask: Any = None,
    go_backwards: bool = False, zero_output_for_mask: bool = False,
) -> Any:  # fmt: skip
    def step(now: Array, h: Array, c: Array) -> tuple[Array, Array]:
        z = now @ kernel + h @ recurrent_kernel + (0 if bias is None else bias)
        enter, keep, new, leave = np.split(z, 4, 1)
        c = _sigmoid(keep) * c + _sigmoid(enter) * np.tanh(new)
        return _sigmoid(leave) * np.tanh(c), c

    return _steps(x, (h, c), mask, go_backwards, zero_output_for_mask, step)


def gru(
    x: Array, h: Array, kernel: Array, recurrent_kernel: Array, bias: Any = None, recurrent_bias: Any = None,
    mask: Any = None, go_backwards: bool = False, zero_output_for_mask: bool = False,
) -> Any:  # fmt: skip
    def step(now: Array, h: Array) -> tuple[Array]:
        given = np.split(now @ kernel + (0 if bias is None else bias), 3, 1)
        before = np.split(h @ recurrent_kernel + (0 if recurrent_bias is None else recurrent_bias), 3, 1)
        update, reset = _sigmoid(given[0] + before[0]), _sigmoid(given[1] + before[1])
        new = np.tanh(given[2] + reset * before[2])
        return (update * h + (1 - update) * new,)

    return _steps(x, (h,), mask, go_backwards, zero_output_for_mask, step)


# ---- alignments ----


def _labels(path: tuple[int, ...], blank: int, merge: bool = True) -> tuple[int, ...]:
    """What a path says: runs are one label, blanks are none."""
    kept = [c for i, c in enumerate(path) if not (merge and i and c == path[i - 1])]
    return tuple(c for c in kept if c != blank)


def ctc_loss(
    target: Array, output: Array, target_length: Array, output_length: Array, mask_index: int = 0
) -> Array:
    """By writing down every path."""
    found = []
    for labels, logits, n, steps in zip(target, output, target_length, output_length, strict=True):
        if logits.shape[1] ** int(steps) > 10_000:
            raise np.linalg.LinAlgError("too many paths to write down")
        logs = _log_probabilities(logits[:steps], True, -1)
        wanted = tuple(int(label) for label in labels[:n])
        paths = itertools.product(range(logits.shape[1]), repeat=int(steps))
        terms = [
            sum(logs[t, c] for t, c in enumerate(path))
            for path in paths
            if _labels(path, mask_index) == wanted
        ]
        if not terms:
            raise np.linalg.LinAlgError("a target that no path says")
        found.append(-np.logaddexp.reduce(terms))
    return np.array(found)


def ctc_decode(
    inputs: Array, sequence_lengths: Array, strategy: str = "greedy", beam_width: int = 100, top_paths: int = 1,
    merge_repeated: bool = True, mask_index: int = 0,
) -> tuple[Array, Array]:  # fmt: skip
    if strategy != "greedy":
        raise np.linalg.LinAlgError("a beam forgets what all paths remember")
    labels, scores = np.full((1, *inputs.shape[:2]), -1), np.zeros((len(inputs), 1))
    for i, (logits, steps) in enumerate(zip(inputs, sequence_lengths, strict=True)):
        path = tuple(int(c) for c in logits[:steps].argmax(-1))
        said = _labels(path, mask_index, merge_repeated)
        labels[0, i, : len(said)] = said
        scores[i] = -sum(logits[t, c] for t, c in enumerate(path))
    return labels, scores
