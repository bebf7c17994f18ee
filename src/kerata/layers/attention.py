"""Attention layers: dot-product and additive, with several heads, and with heads that share keys."""

from __future__ import annotations

import math
from typing import Any, Unpack

from kerata import ops, random
from kerata.core import checks, config
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin
from kerata.core.rules import axis_index
from kerata.random import SeedGenerator

from .activation_layers import Softmax
from .dropout import Dropout
from .einsum_dense import EinsumDense
from .input_spec import agrees_with
from .layer import Layer, LayerOptions

Tensor = Any


@register_builtin("layers")
class Attention(Layer):
    """Dot-product attention of Luong's kind, without weights of its own (but a scale, if wanted).

    Args:
        use_scale: whether a learned factor multiplies the scores.
        score_mode: "dot" (the dot product) or "concat" (the sum of tanh of the sums).
        dropout: fraction of the attention weights to drop.
        seed: an integer.

    Call:
        inputs: [query (batch, Tq, size), value (batch, Tv, size)] and perhaps key (batch, Tv, size).
        mask: [query mask, value mask], bool.
        return_attention_scores: whether the weights are given too.
        use_causal_mask: whether positions see only themselves and earlier ones.

    Shapes:
        [(batch, queries, size), (batch, keys, values), (batch, keys, size)] -> (batch, queries, values)

    Example:
        >>> import kerata, numpy as np
        >>> query, value = np.ones((2, 3, 4), "float32"), np.ones((2, 5, 4), "float32")
        >>> kerata.layers.Attention()([query, value]).shape == (2, 3, 4)
        True
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(**options)
        self.use_scale = bool(use_scale)
        self.score_mode = checks.option("score_mode", score_mode, ("dot", "concat"))
        self.dropout = checks.number("dropout", dropout, 0, 1)
        self.seed = seed
        self.supports_masking = True
        if dropout:
            self.seed_generator = SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        _check_inputs_shape(input_shape)
        self.scale = self.add_weight((), "ones", name="scale") if self.use_scale else None
        self.concat_score_weight = (
            self.add_weight((), "ones", name="concat_score_weight") if self.score_mode == "concat" else None
        )
        self.built = True

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        """A score for each pair of positions: (batch, Tq, Tv)."""
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
            return scores if self.scale is None else ops.multiply(scores, self.scale.value)
        both = ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3))
        if self.scale is not None:
            both = ops.multiply(both, self.scale.value)
        assert self.concat_score_weight is not None
        return ops.multiply(self.concat_score_weight.value, ops.sum(ops.tanh(both), axis=-1))

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        if not isinstance(inputs, (list, tuple)) or len(inputs) not in (2, 3):
            raise ArgumentError("inputs", expected="a list of query and value, and perhaps key", got=inputs)
        query, value = inputs[0], inputs[1]
        key = inputs[2] if len(inputs) == 3 else value
        query_mask, value_mask = (*mask, None, None)[:2] if isinstance(mask, (list, tuple)) else (None, None)
        _check_attended(query, value, key, query_mask, value_mask)
        scores = self.scores(query, key)
        allowed = _allowed(scores, value_mask, use_causal_mask)
        if allowed is not None:
            lowest = -65504.0 if ops.dtype(scores) == "float16" else -1e9
            scores = ops.subtract(
                scores, ops.multiply(ops.cast(ops.logical_not(allowed), ops.dtype(scores)), -lowest)
            )
        weights = ops.softmax(scores, axis=-1)
        if training and self.dropout:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        result = ops.matmul(weights, value)
        if query_mask is not None:
            result = ops.multiply(result, ops.expand_dims(ops.cast(query_mask, ops.dtype(result)), -1))
        return (result, weights) if return_attention_scores else result

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return mask[0] if isinstance(mask, (list, tuple)) else None


def _check_inputs_shape(shape: Any) -> None:
    if (
        not isinstance(shape, (list, tuple))
        or len(shape) not in (2, 3)
        or isinstance(shape[0], (int, type(None)))
    ):
        raise ArgumentError("inputs", expected="a list of query and value, and perhaps key", got=shape)


def _check_attended(query: Tensor, value: Tensor, key: Tensor, query_mask: Any, value_mask: Any) -> None:
    """Shapes of query, value and key that belong together, and of their masks."""
    q, v, k = (tuple(ops.shape(x)) for x in (query, value, key))
    fit = (
        len(q) == 3
        and agrees_with(k, (q[0], v[1] if len(v) == 3 else -1, q[2]))
        and agrees_with(v[:2], k[:2])
    )
    if not fit:
        raise ArgumentError(
            "inputs",
            expected="query (batch, Tq, size), value (batch, Tv, …) and key (batch, Tv, size)",
            got=f"shapes {q}, {v} and {k}",
        )
    for i, (mask, shape) in enumerate(((query_mask, q[:2]), (value_mask, v[:2]))):
        if mask is not None and not agrees_with(tuple(ops.shape(mask)), shape):
            raise ArgumentError(f"mask[{i}]", expected=f"of shape {shape}", got=mask)


def _allowed(scores: Tensor, value_mask: Tensor | None, causal: bool) -> Tensor | None:
    mask = None if value_mask is None else ops.expand_dims(ops.cast(value_mask, "bool"), -2)
    if not causal:
        return mask
    rows, columns = ops.shape(scores)[-2:]
    lower = ops.expand_dims(
        ops.greater_equal(ops.expand_dims(ops.arange(rows), -1), ops.expand_dims(ops.arange(columns), 0)), 0
    )
    return lower if mask is None else ops.logical_and(mask, lower)


@register_builtin("layers")
class AdditiveAttention(Attention):
    """Attention of Bahdanau's kind: scores are sums of tanh of query plus key.

    Args:
        use_scale: whether a learned vector weights the sum.
        dropout: fraction of the attention weights to drop.

    Shapes:
        [(batch, queries, size), (batch, keys, values), (batch, keys, size)] -> (batch, queries, values)

    Example:
        >>> import kerata, numpy as np
        >>> query, value = np.ones((2, 3, 4), "float32"), np.ones((2, 5, 4), "float32")
        >>> kerata.layers.AdditiveAttention()([query, value]).shape == (2, 3, 4)
        True
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **options: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **options)

    def build(self, input_shape: Any) -> None:
        _check_inputs_shape(input_shape)
        self.scale = (
            self.add_weight((input_shape[0][-1],), "glorot_uniform", name="scale") if self.use_scale else None
        )
        self.built = True

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        both = ops.tanh(ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3)))
        if self.scale is not None:
            both = ops.multiply(both, self.scale.value)
        return ops.sum(both, axis=-1)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.pop("score_mode", None)
        return config


class _Heads(Layer):
    """What the two kinds of multi-head attention share: options, masks, the causal mask."""

    _tells_activity_regularizer = True
    _gate_dense: EinsumDense

    def keep(
        self, dropout: float, use_bias: bool, flash_attention: Any, sliding_window: Any, seed: Any, use_gate: bool,
        weights: dict[str, Any],
    ) -> None:  # fmt: skip
        self.dropout = checks.number("dropout", dropout, 0, 1)
        self.use_bias, self.use_gate, self.seed = bool(use_bias), bool(use_gate), seed
        self.sliding_window = (
            None if sliding_window is None else checks.positive_int("sliding_window", sliding_window)
        )
        self._flash_attention = (
            flash_attention if flash_attention is not None else config.is_flash_attention_enabled()
        )
        self.flash_attention = flash_attention
        self.supports_masking = True
        for name in ("kernel", "bias"):
            self.keep_options(
                name,
                weights[f"{name}_initializer"],
                weights[f"{name}_regularizer"],
                weights[f"{name}_constraint"],
            )

    def dense(self, equation: str, output_shape: Any, bias_axes: str | None, name: str) -> EinsumDense:
        """A projection with this layer's options."""
        projection = EinsumDense(
            equation, output_shape, bias_axes=bias_axes if self.use_bias else None, name=name, dtype=self.dtype_policy,
            kernel_initializer=_fresh(self.kernel_initializer), bias_initializer=_fresh(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer, bias_regularizer=self.bias_regularizer,
            kernel_constraint=self.kernel_constraint, bias_constraint=self.bias_constraint,
        )  # fmt: skip
        projection.supports_masking = True  # the masks of its inputs are this layer's business
        return projection

    def combined_mask(
        self,
        query: Tensor,
        value: Tensor,
        query_mask: Any,
        value_mask: Any,
        key_mask: Any,
        attention_mask: Any,
        causal: bool,
    ) -> Tensor | None:
        """One bool mask (batch, Tq, Tv) of all that limits who sees whom; None if nothing does."""
        parts = []
        if query_mask is not None:
            parts.append(ops.expand_dims(ops.cast(query_mask, "bool"), -1))
        for mask in (value_mask, key_mask):
            if mask is not None:
                parts.append(ops.expand_dims(ops.cast(mask, "bool"), -2))
        if causal or self.sliding_window is not None:
            rows = ops.expand_dims(ops.arange(ops.shape(query)[1]), -1)
            columns = ops.expand_dims(ops.arange(ops.shape(value)[1]), 0)
            if causal:
                parts.append(ops.expand_dims(ops.greater_equal(rows, columns), 0))
            if self.sliding_window is not None:
                near = ops.less(ops.absolute(ops.subtract(rows, columns)), self.sliding_window)
                parts.append(ops.expand_dims(near, 0))
        if attention_mask is not None:
            wanted = (ops.shape(query)[1], ops.shape(value)[1])
            if len(ops.shape(query)) == 3 and not _spreads(ops.shape(attention_mask)[-2:], wanted):
                raise ArgumentError(
                    "attention_mask",
                    expected=f"of shape (batch, Tq, Tv) with Tq, Tv = {wanted}",
                    got=attention_mask,
                )
            parts.append(ops.cast(attention_mask, "bool"))
        if not parts:
            return None
        total = parts[0]
        for part in parts[1:]:
            while len(ops.shape(part)) > len(ops.shape(total)):
                total = ops.expand_dims(total, 1)
            while len(ops.shape(part)) < len(ops.shape(total)):
                part = ops.expand_dims(part, 1)
            total = ops.logical_and(total, part)
        return total


def _spreads(shape: Any, wanted: tuple[Any, ...]) -> bool:
    """Whether sizes are the wanted ones, or 1."""
    return agrees_with(tuple(w if d == 1 else d for d, w in zip(shape, wanted, strict=False)), wanted)


def _fresh(initializer: Any) -> Any:
    """A copy that draws other values: several projections must not begin equal."""
    if not hasattr(initializer, "get_config") or getattr(initializer, "seed", 0) is not None:
        return initializer
    return type(initializer).from_config(initializer.get_config())


@register_builtin("layers")
class MultiHeadAttention(_Heads):
    """Attention in several heads. Source: Vaswani et al. 2017, "Attention Is All You Need".

    Args:
        num_heads: number of heads.
        key_dim: size of a head's queries and keys.
        value_dim: size of a head's values; `key_dim` if None.
        dropout: fraction of the attention weights to drop.
        use_bias: whether the projections have biases.
        output_shape: size(s) of the outputs; those of the queries if None.
        attention_axes: axes that attend; all but batch and features if None.
        sliding_window: how far positions see, or None.
        flash_attention: whether the engine's fused kernels are asked for.
        kernel_initializer, bias_initializer, … bias_constraint: options of the projections.
        use_gate: whether a sigmoid of a projection of the query multiplies the result.
        seed: an integer.

    Call:
        query: (batch, Tq, size).
        value: (batch, Tv, size).
        key: (batch, Tv, size); the values if None.
        attention_mask: bool (batch, Tq, Tv), True where a query sees a key.
        return_attention_scores: whether the weights (batch, heads, Tq, Tv) are given too.
        use_causal_mask: whether positions see only themselves and earlier ones.

    Example:
        >>> import kerata
        >>> x = kerata.Input((7, 16))
        >>> kerata.layers.MultiHeadAttention(2, 8)(x, x).shape
        (None, 7, 16)
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        arguments = dict(locals())
        super().__init__(activity_regularizer=activity_regularizer, **options)
        self.num_heads = checks.positive_int("num_heads", num_heads)
        self.key_dim = checks.positive_int("key_dim", key_dim)
        self.value_dim = self.key_dim if value_dim is None else checks.positive_int("value_dim", value_dim)
        self._output_shape = None if output_shape is None else checks.int_list("output_shape", output_shape)
        self.attention_axes = (
            None if attention_axes is None else checks.int_list("attention_axes", attention_axes)
        )
        self.keep(dropout, use_bias, flash_attention, sliding_window, seed, use_gate, arguments)

    @property
    def query_dense(self) -> EinsumDense:
        """The projection of the queries; model files hold the projections under these names."""
        return self._query_dense

    @property
    def key_dense(self) -> EinsumDense:
        """The projection of the keys."""
        return self._key_dense

    @property
    def value_dense(self) -> EinsumDense:
        """The projection of the values."""
        return self._value_dense

    @property
    def output_dense(self) -> EinsumDense:
        """The projection of the result."""
        return self._output_dense

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        rank = len(query_shape)
        axes = self.attention_axes or tuple(range(1, rank - 2 + 1))
        self._axes = tuple(axis_index(a, rank, "attention_axes") for a in axes)
        if not all(0 < a < rank - 1 for a in self._axes):
            raise ArgumentError(
                "attention_axes", expected=f"axes between the first and the last of {rank}", got=axes
            )
        self.attention_axes = axes
        free = "abcdefgijlmnopqrstuvwxyz"[: rank - 1]
        heads, size = self.num_heads, query_shape[-1]
        into, bias = f"{free}y,yhk->{free}hk", "hk"
        for name, dim, shape in (
            ("query", self.key_dim, query_shape),
            ("key", self.key_dim, key_shape),
            *([("gate", self.value_dim, query_shape)] if self.use_gate else []),
            ("value", self.value_dim, value_shape),
        ):
            dense = self.dense(into, (*(None,) * (rank - 2), heads, dim), bias, name)
            dense.build(tuple(shape))
            setattr(self, f"_{name}_dense", dense)
        self._softmax = Softmax(axis=tuple(range(-len(self._axes), 0)), dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, dtype=self.dtype_policy, seed=self.seed)
        outputs = self._output_shape or (size,)
        letters = "yz"[: len(outputs)] if len(outputs) < 3 else "yzABCDEF"[: len(outputs)]
        equation = f"{free}hk,hk{letters}->{free}{letters}"
        self._output_dense = self.dense(
            equation, (*(None,) * (rank - 2), *outputs), letters, "attention_output"
        )
        self._output_dense.build((*query_shape[:-1], heads, self.value_dim))
        self.built = True

    def call(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        key = value if key is None else key
        _check_sizes(query, value, key)
        mask = self.combined_mask(
            query, value, query_mask, value_mask, key_mask, attention_mask, use_causal_mask
        )
        q, k, v = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        plain = self._axes == (1,) and len(ops.shape(query)) == 3
        if (
            plain
            and not return_attention_scores
            and not (training and self.dropout)
            and len(ops.shape(v)) == 4
        ):
            if mask is not None and len(ops.shape(mask)) == 3:
                mask = ops.expand_dims(mask, 1)
            result, weights = (
                ops.dot_product_attention(
                    q,
                    k,
                    v,
                    mask=mask,
                    scale=1 / math.sqrt(self.key_dim),
                    flash_attention=self._flash_attention,
                ),
                None,
            )
        else:
            result, weights = self._attend(q, k, v, mask, bool(training))
        if self.use_gate:
            result = ops.multiply(result, ops.sigmoid(self._gate_dense(query)))
        outputs = self._output_dense(result)
        return (outputs, weights) if return_attention_scores else outputs

    def _attend(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, training: bool
    ) -> tuple[Tensor, Tensor]:
        """Attention along any axes, with the weights: Vaswani et al. 2017, equation 1."""
        rank = len(ops.shape(q))
        letters = "abcdefghijklmnopqrstuvwxyz"
        target = letters[:rank]  # batch axes, attention axes, heads, size
        source = list(target)
        for n, axis in enumerate(self._axes):
            source[axis] = letters[rank + n]
        batch = [target[i] for i in range(rank - 1) if i not in self._axes]  # heads included
        rows, columns = [target[a] for a in self._axes], [source[a] for a in self._axes]
        scores = "".join([*batch, *rows, *columns])
        q = ops.multiply(q, 1.0 / math.sqrt(self.key_dim))
        weights = ops.einsum(f"{''.join(source)},{target}->{scores}", k, q)
        if mask is not None:
            extra = len(ops.shape(weights)) - len(ops.shape(mask))
            for _ in range(extra):
                mask = ops.expand_dims(mask, -2 * len(self._axes) - 1)
        weights = self._softmax(weights, mask=mask)
        dropped = self._dropout_layer(weights, training=training) if self.dropout else weights
        result = ops.einsum(f"{scores},{''.join(source)}->{target}", dropped, v)
        return result, weights

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask[0] if isinstance(previous_mask, (list, tuple)) else previous_mask

    def _init_value(self, name: str) -> Any:
        return self._output_shape if name == "output_shape" else super()._init_value(name)


def _check_sizes(query: Tensor, value: Tensor, key: Tensor) -> None:
    q, v, k = (ops.shape(x) for x in (query, value, key))
    if len(q) < 3 or len(v) != len(q) or len(k) != len(q):
        raise ArgumentError(
            "query", expected="of rank 3 or more, like value and key: (batch, time, size)", got=query
        )
    for argument, x, sizes in (("value", value, v), ("key", key, k)):
        if not agrees_with(tuple(sizes[:1]), tuple(q[:1])):
            raise ArgumentError(argument, expected=f"of the batch size of `query`, {q[0]}", got=x)
    if not agrees_with(tuple(k[1:-1]), tuple(v[1:-1])):
        raise ArgumentError("key", expected=f"of as many positions as `value` {tuple(v)}", got=key)


@register_builtin("layers")
class GroupedQueryAttention(_Heads):
    """Attention in which groups of query heads share keys and values. Source: Ainslie et al. 2023.

    Args:
        head_dim: size of a head.
        num_query_heads: number of query heads.
        num_key_value_heads: number of key and value heads; a divisor of the former.
        dropout: fraction of the attention weights to drop.
        use_bias: whether the projections have biases.
        sliding_window: how far positions see, or None.
        flash_attention: whether the engine's fused kernels are asked for.
        kernel_initializer, bias_initializer, … bias_constraint: options of the projections.
        use_gate: whether a sigmoid of a projection of the query multiplies the result.
        seed: an integer.

    Call:
        as for `MultiHeadAttention`.

    Shapes:
        (batch, queries, size), (batch, keys, size) -> (batch, queries, size)

    Example:
        >>> import kerata, numpy as np
        >>> query, value = np.ones((2, 3, 8), "float32"), np.ones((2, 5, 8), "float32")
        >>> layer = kerata.layers.GroupQueryAttention(head_dim=4, num_query_heads=4, num_key_value_heads=2)
        >>> layer(query, value).shape == (2, 3, 8)
        True
    """

    _keras_name = "GroupQueryAttention"  # the public name, which files bear

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        arguments = dict(locals())
        super().__init__(activity_regularizer=activity_regularizer, **options)
        self.head_dim = checks.positive_int("head_dim", head_dim)
        self.num_query_heads = checks.positive_int("num_query_heads", num_query_heads)
        self.num_key_value_heads = checks.positive_int("num_key_value_heads", num_key_value_heads)
        if self.num_query_heads % self.num_key_value_heads:
            raise ArgumentError(
                "num_query_heads",
                expected=f"a multiple of num_key_value_heads ({num_key_value_heads})",
                got=num_query_heads,
            )
        self.num_repeats = self.num_query_heads // self.num_key_value_heads
        self.keep(dropout, use_bias, flash_attention, sliding_window, seed, use_gate, arguments)

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        if len(query_shape) != 3:
            raise ArgumentError(
                "query", expected="of rank 3: (batch, time, size)", got=f"shape {tuple(query_shape)}"
            )
        for name, heads, shape in (
            ("query", self.num_query_heads, query_shape),
            ("key", self.num_key_value_heads, key_shape),
            *([("gate", self.num_query_heads, query_shape)] if self.use_gate else []),
            ("value", self.num_key_value_heads, value_shape),
        ):
            dense = self.dense("bqm,muh->bquh", (None, heads, self.head_dim), "uh", name)
            dense.build(tuple(shape))
            setattr(self, f"_{name}_dense", dense)
        self._softmax = Softmax(axis=-1, dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, dtype=self.dtype_policy, seed=self.seed)
        self._output_dense = self.dense("bquh,uhm->bqm", (None, query_shape[-1]), "m", "attention_output")
        self._output_dense.build((query_shape[0], query_shape[1], self.num_query_heads, self.head_dim))
        self.built = True

    def call(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        key = value if key is None else key
        _check_sizes(query, value, key)
        mask = self.combined_mask(
            query, value, query_mask, value_mask, key_mask, attention_mask, use_causal_mask
        )
        if mask is not None and len(ops.shape(mask)) == 3:
            mask = ops.expand_dims(mask, 1)
        q, k, v = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        k, v = (ops.repeat(x, self.num_repeats, axis=2) for x in (k, v))
        weights = None
        if not return_attention_scores and not (training and self.dropout):
            result = ops.dot_product_attention(
                q, k, v, mask=mask, scale=1 / math.sqrt(self.head_dim), flash_attention=self._flash_attention
            )
        else:
            scores = ops.einsum("bquh,bkuh->buqk", ops.multiply(q, 1 / math.sqrt(self.head_dim)), k)
            weights = self._softmax(scores, mask=mask)
            dropped = self._dropout_layer(weights, training=training) if self.dropout else weights
            result = ops.einsum("buqk,bkuh->bquh", dropped, v)
        if self.use_gate:
            result = ops.multiply(result, ops.sigmoid(self._gate_dense(query)))
        outputs = self._output_dense(result)
        return (outputs, weights) if return_attention_scores else outputs

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask[0] if isinstance(previous_mask, (list, tuple)) else previous_mask


GroupQueryAttention = register_builtin("layers", "GroupQueryAttention")(GroupedQueryAttention)
