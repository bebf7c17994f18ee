"""Scaled dot-product attention."""

from __future__ import annotations

import math
from typing import Any

from kerata.core import dtypes, rules
from kerata.core import primitives as p
from kerata.core.declare import op
from kerata.core.dispatch import dtype_of, shape_of
from kerata.core.errors import ArgumentError
from kerata.core.samples import T, rejects, sample, values

from .core import cast
from .creation import band_difference
from .elementwise import parameter, promote, to_real_float
from .softmax import softmax

TensorLike = Any
Tensor = Any


def _repeat_heads(x: Tensor, groups: int) -> Tensor:
    """Each head `groups` times: queries share keys and values in groups."""
    if groups == 1:
        return x
    b, t, h, d = shape_of(x)
    wide = p.broadcast_to(p.reshape(x, shape=(b, t, h, 1, d)), shape=(b, t, h, groups, d))
    return p.reshape(wide, shape=(b, t, h * groups, d))


def _check(query: Any, key: Any, value: Any) -> None:
    for x, name in ((query, "query"), (key, "key"), (value, "value")):
        if len(shape_of(x)) != 4:
            raise ArgumentError(name, expected="of shape (batch, length, heads, size)", got=x)
    q, k, v = shape_of(query), shape_of(key), shape_of(value)
    for i, what in ((0, "batch"), (3, "size")):
        if rules.differ(q[i], k[i]):
            raise ArgumentError("key", expected=f"of the {what} {q[i]} of `query`", got=key)
    if any(map(rules.differ, k[:3], v[:3])):
        raise ArgumentError("value", expected=f"of shape {(*k[:3], 'size')}, like `key`", got=value)
    if rules.differ(q[2], k[2]) and (k[2] == 0 or q[2] % k[2]):
        raise ArgumentError(
            "key", expected=f"with a number of heads that divides the {q[2]} of `query`", got=key
        )


def _allowed(mask: Any, is_causal: bool, logits: Tensor) -> Tensor | None:
    """Where a query may look, or None for everywhere."""
    allowed = None
    if is_causal:
        _, _, length, keys = shape_of(logits)
        allowed = p.reshape(p.le(band_difference(length, keys), 0), shape=(1, 1, length, keys))
    if mask is None:
        return allowed
    mask = cast(mask, "bool")
    if len(shape_of(mask)) > 4:
        raise ArgumentError(
            "mask", expected="of a shape that broadcasts to (batch, heads, length, keys)", got=mask
        )
    return mask if allowed is None else p.logical_and(allowed, mask)


def _check_broadcasts(x: Any, argument: str, shape: tuple[Any, ...]) -> None:
    have, want = tuple(shape_of(x)), tuple(shape)
    # From the last on; a missing size counts as 1, and so does any size that only the engine knows.
    pairs = zip(reversed(have), reversed(want), strict=False)
    if len(have) > len(want) or any(rules.differ(m, n) and rules.differ(m, 1) for m, n in pairs):
        raise ArgumentError(argument, expected=f"of a shape that broadcasts to {want}", got=x)


_Q, _K = T((2, 3, 4, 5)), T((2, 6, 4, 5))


@op(
    samples=[
        sample(_Q, _K, _K, mask=values([[[[1] * 6, [0] * 6, [1, 0, 0, 1, 0, 0]]]], dtype="bool")),
        sample(_Q, _K, _K, mask=T((2, 4, 3, 6), "bool"), is_causal=True),
        sample(_Q, T((2, 6, 1, 5)), T((2, 6, 1, 5)), mask=T((1, 1, 1, 6), "bool")),
        sample(_K, _Q, _Q, is_causal=True),
        sample(T((2, 3, 4, 5), low=-90.0, high=90.0), T((2, 6, 4, 5), low=-90.0, high=90.0), _K, gradient=False,
    ),
        sample(_Q, _K, _K), sample(_Q, T((2, 6, 2, 5)), T((2, 6, 2, 5))), sample(_Q, _Q, _Q, is_causal=True),
        sample(_Q, _K, _K, T((1, 4, 3, 6))),
        sample(_Q, _K, _K, mask=T((2, 1, 3, 6), "bool")), sample(_Q, _K, T((2, 6, 4, 7)), scale=0.3),
        sample(_Q, _K, _K, attn_logits_soft_cap=2.0),
        sample(_Q, _K, _K, is_causal=True, mask=T((6,), "bool")),
        sample(T((2, 3, 0, 5)), T((2, 6, 0, 5)), T((2, 6, 0, 5))),
        sample(T((2, 3, 2, 0)), T((2, 4, 2, 0)), T((2, 4, 2, 3))),
        sample(T((2, 3, 4, 5), "float16"), T((2, 6, 4, 5), "float16"), T((2, 6, 4, 5), "float16"), gradient=False),
    ],
    rejects=[
        rejects(T((2, 3, 4)), _K, _K, argument="query"),
        rejects(_Q, T((2, 6, 3, 5)), T((2, 6, 3, 5)), argument="key"),
        rejects(_Q, T((2, 6, 4, 6)), _K, argument="key"),
        rejects(_Q, _K, T((2, 5, 4, 5)), argument="value"),
        rejects(_Q, _K, _K, mask=T((2, 2, 3, 6), "bool"), argument="mask"),
        rejects(_Q, _K, _K, T((3, 5)), argument="bias"),
    ],
)  # fmt: skip
def dot_product_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    bias: TensorLike = None,
    mask: TensorLike = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """`softmax(query @ key.T * scale + bias) @ value` for each head (Vaswani et al., arXiv:1706.03762).

    Args:
        query: floats of shape `(batch, length, heads, size)`.
        key: of shape `(batch, keys, key_heads, size)`, where `key_heads` divides `heads`: groups of heads share them.
        value: of shape `(batch, keys, key_heads, value_size)`.
        bias: added to the logits; broadcasts to `(batch, heads, length, keys)`.
        mask: true where a query may look; broadcasts to `(batch, heads, length, keys)`. A query that may look
            nowhere gives the mean of the values.
        scale: factor of the logits; `1 / sqrt(size)` where not given.
        is_causal: whether a query may look only at keys that are not after it.
        flash_attention: whether to ask the engine for its fused kernel; the result is the same.
        attn_logits_soft_cap: bounds logits smoothly, with `cap * tanh(logits / cap)`.

    Returns:
        A tensor of shape `(batch, length, heads, value_size)`.

    Example:
        >>> import kerata
        >>> x = kerata.ops.ones((1, 2, 1, 4))
        >>> kerata.ops.dot_product_attention(x, x, x).shape == (1, 2, 1, 4)
        True
    """
    _check(query, key, value)
    query, key, value = promote(
        to_real_float(query, "query"), to_real_float(key, "key"), to_real_float(value, "value")
    )
    name = dtype_of(query)
    *_, heads, size = shape_of(query)
    groups = heads // (shape_of(key)[2] or 1)
    key, value = _repeat_heads(key, groups), _repeat_heads(value, groups)
    q, k, v = (p.transpose(x, axes=(0, 2, 1, 3)) for x in (query, key, value))
    # Logits and their softmax in float32: half precision has no room for the differences between them.
    wide = "float32" if dtypes.itemsize(name) < 4 else name
    logits = cast(p.matmul(q, p.transpose(k, axes=(0, 1, 3, 2))), wide)
    logits = p.mul(logits, 1 / math.sqrt(size or 1) if scale is None else parameter(scale, logits))
    if bias is not None:
        _check_broadcasts(bias, "bias", shape_of(logits))
        logits = p.add(logits, cast(bias, wide))
    if attn_logits_soft_cap is not None:
        cap = parameter(attn_logits_soft_cap, logits)
        logits = p.mul(p.tanh(p.div(logits, cap)), cap)
    if mask is not None:
        _check_broadcasts(mask, "mask", shape_of(logits))
    allowed = _allowed(mask, is_causal, logits)
    if allowed is not None:  # a large number, not infinity: a row of nothing but infinities would be NaN
        logits = p.where(allowed, logits, -0.7 * float(dtypes.finfo(wide).max))
    weights = cast(softmax(logits, -1), name)
    return p.transpose(p.matmul(weights, v), axes=(0, 2, 1, 3))
