"""The best route of each engine for the rows of `ops.py`, as an expert writes it; names are those of the rows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


def of(engine: str) -> SimpleNamespace:
    """`tensor(array)`, `prepared(row, tensors)`, `call(fn, tensors, wanted)`, `ROUTES` and `SMALL` of an engine.

    `call` gives a function that runs `fn`, with the gradients of the tensors at the places `wanted`.
    """
    return {"torch": _torch, "jax": _jax, "tensorflow": _tensorflow}[engine]()


def _torch() -> SimpleNamespace:
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(1)

    def images(x: Any) -> Any:
        """NHWC memory seen as NCHW: PyTorch's channels_last format."""
        return x.permute(0, 3, 1, 2)

    def back(x: Any) -> Any:
        return x.permute(0, 2, 3, 1)

    def weights(name: str, tensors: list[Any]) -> list[Any]:
        """Kernels as PyTorch keeps them: in its own order of axes, and contiguous."""
        if name.startswith(("conv", "depthwise")):
            x, kernel = tensors
            order = (-1, -2, *range(kernel.ndim - 2))
            if name == "depthwise 3x3":
                order = (2, 3, 0, 1)
            kernel = kernel.permute(order)
            memory = torch.channels_last if kernel.ndim == 4 else torch.contiguous_format
            return [x, kernel.contiguous(memory_format=memory)]
        return tensors

    def padded_pool(x: Any) -> Any:
        return back(F.max_pool2d(images(x), 3, 2, 1 if x.shape[1] % 2 else 0, ceil_mode=True))

    def attention(q: Any, k: Any, v: Any, mask: Any = None, causal: bool = False) -> Any:
        q, k, v = (t.transpose(1, 2) for t in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v, mask, is_causal=causal).transpose(1, 2)

    def normalized(x: Any, mean: Any, variance: Any, offset: Any, scale: Any) -> Any:
        return back(F.batch_norm(images(x), mean, variance, scale, offset, eps=1e-3))

    def resized(x: Any, size: int, mode: str, **options: Any) -> Any:
        return back(F.interpolate(images(x), (size, size), mode=mode, **options))

    def patches(x: Any) -> Any:
        b, h, w, c = x.shape
        blocks = x.reshape(b, h // 8, 8, w // 8, 8, c).transpose(2, 3)
        return blocks.reshape(b, h // 8, w // 8, 64 * c)

    def strided(x: Any, k: Any) -> Any:
        return back(F.conv2d(F.pad(images(x), (0, 1, 0, 1)), k, stride=2))

    def moments(x: Any) -> Any:
        variance, mean = torch.var_mean(x, (0, 1, 2), correction=0)
        return mean, variance

    routes = {
        "conv 3x3 same": lambda x, k: back(F.conv2d(images(x), k, padding=1)),
        "conv 3x3 stride 2": strided,
        "conv 1x1": lambda x, k: back(F.conv2d(images(x), k)),
        "conv 1d": lambda x, k: F.conv1d(x.transpose(1, 2), k, padding=1).transpose(1, 2),
        "depthwise 3x3": lambda x, k: back(F.conv2d(images(x), k, padding=1, groups=64)),
        "conv transpose": lambda x, k: back(F.conv_transpose2d(images(x), k, stride=2, padding=0))[
            :, :-1, :-1
        ],
        "max pool 2x2": lambda x: back(F.max_pool2d(images(x), 2)),
        "max pool 3x3 same": padded_pool,
        "average pool 2x2": lambda x: back(F.avg_pool2d(images(x), 2)),
        "attention": attention,
        "attention causal": lambda q, k, v: attention(q, k, v, causal=True),
        "attention mask": attention,
        "softmax": lambda x: torch.softmax(x, -1),
        "log softmax": lambda x: torch.log_softmax(x, -1),
        "relu": torch.relu,
        "gelu": lambda x: F.gelu(x, approximate="tanh"),
        "layer norm": lambda x, g, b: F.layer_norm(x, (256,), g, b, 1e-3),
        "rms norm": lambda x, g: F.rms_norm(x, (256,), g, 1e-3),
        "batch norm": normalized,
        "moments": moments,
        "resize up": lambda x: resized(x, 128, "bilinear"),
        "resize down": lambda x: resized(x, 64, "bilinear", antialias=True),
        "resize nearest": lambda x: resized(x, 128, "nearest-exact"),
        "extract patches": patches,
        "sparse crossentropy": lambda t, x: F.cross_entropy(x, t.long(), reduction="none"),
        "crossentropy": lambda t, x: F.cross_entropy(x, t, reduction="none"),
        "rfft": lambda x: torch.fft.rfft(x).real,
    }

    def call(fn: Any, tensors: list[Any], wanted: list[int]) -> Any:
        leaves = [
            t.detach().requires_grad_(i in wanted) if t.is_floating_point() else t
            for i, t in enumerate(tensors)
        ]

        def forward() -> None:
            with torch.no_grad():
                fn(*leaves)

        def both() -> Any:
            y = fn(*leaves)
            y = y if isinstance(y, tuple) else (y,)
            return torch.autograd.grad(y, [leaves[i] for i in wanted], [torch.ones_like(v) for v in y])

        return both if wanted else forward

    small = {
        "add": torch.add, "multiply": torch.mul, "maximum": torch.maximum, "matmul": torch.matmul, "exp": torch.exp,
        "tanh": torch.tanh, "sqrt": torch.sqrt, "relu": torch.relu, "sum": torch.sum, "reshape": torch.reshape,
        "transpose": torch.t,
    }  # fmt: skip
    return SimpleNamespace(tensor=torch.from_numpy, call=call, prepared=weights, ROUTES=routes, SMALL=small)


def _jax() -> SimpleNamespace:
    import jax
    import jax.numpy as jnp
    from jax import lax

    def conv(x: Any, k: Any, stride: int = 1, padding: str = "SAME", groups: int = 1) -> Any:
        names = ("NHWC", "HWIO", "NHWC") if x.ndim == 4 else ("NWC", "WIO", "NWC")
        strides = (stride,) * (x.ndim - 2)
        return lax.conv_general_dilated(
            x, k, strides, padding, dimension_numbers=names, feature_group_count=groups
        )

    def transposed(x: Any, k: Any) -> Any:
        return lax.conv_transpose(
            x, k, (2, 2), "SAME", dimension_numbers=("NHWC", "HWOI", "NHWC"), transpose_kernel=False
        )

    def pool(x: Any, start: float, join: Any, size: int, stride: int, padding: str = "VALID") -> Any:
        return lax.reduce_window(x, start, join, (1, size, size, 1), (1, stride, stride, 1), padding)

    def layer_norm(x: Any, g: Any, b: Any) -> Any:
        mean = x.mean(-1, keepdims=True)
        centred = x - mean
        return centred * lax.rsqrt(jnp.square(centred).mean(-1, keepdims=True) + 1e-3) * g + b

    def patches(x: Any) -> Any:
        b, h, w, c = x.shape
        blocks = x.reshape(b, h // 8, 8, w // 8, 8, c).swapaxes(2, 3)
        return blocks.reshape(b, h // 8, w // 8, 64 * c)

    def sparse(t: Any, x: Any) -> Any:
        return -jnp.take_along_axis(jax.nn.log_softmax(x), t[:, None], -1)[:, 0]

    def resized(x: Any, size: int, method: str, antialias: bool = False) -> Any:
        return jax.image.resize(x, (x.shape[0], size, size, x.shape[3]), method, antialias)

    attention = jax.nn.dot_product_attention
    routes = {
        "conv 3x3 same": conv,
        "conv 3x3 stride 2": lambda x, k: conv(x, k, 2),
        "conv 1x1": conv,
        "conv 1d": conv,
        "depthwise 3x3": lambda x, k: conv(x, k.reshape(3, 3, 1, 64), groups=64),
        "conv transpose": transposed,
        "max pool 2x2": lambda x: pool(x, -jnp.inf, lax.max, 2, 2),
        "max pool 3x3 same": lambda x: pool(x, -jnp.inf, lax.max, 3, 2, "SAME"),
        "average pool 2x2": lambda x: pool(x, 0.0, lax.add, 2, 2) / 4,
        "attention": attention,
        "attention causal": lambda q, k, v: attention(q, k, v, is_causal=True),
        "attention mask": lambda q, k, v, m: attention(q, k, v, mask=m),
        "softmax": jax.nn.softmax,
        "log softmax": jax.nn.log_softmax,
        "relu": jax.nn.relu,
        "gelu": jax.nn.gelu,
        "layer norm": layer_norm,
        "rms norm": lambda x, g: x * lax.rsqrt(jnp.square(x).mean(-1, keepdims=True) + 1e-3) * g,
        "batch norm": lambda x, m, v, b, s: (x - m) * (lax.rsqrt(v + 1e-3) * s) + b,
        "moments": lambda x: (x.mean((0, 1, 2)), x.var((0, 1, 2))),
        "resize up": lambda x: resized(x, 128, "bilinear"),
        "resize down": lambda x: resized(x, 64, "bilinear", True),
        "resize nearest": lambda x: resized(x, 128, "nearest"),
        "extract patches": patches,
        "sparse crossentropy": sparse,
        "crossentropy": lambda t, x: -(t * jax.nn.log_softmax(x)).sum(-1),
        "rfft": lambda x: jnp.fft.rfft(x).real,
    }

    def call(fn: Any, tensors: list[Any], wanted: list[int]) -> Any:
        def run(leaves: list[Any]) -> Any:
            def of_wanted(*values: Any) -> Any:
                full = list(leaves)
                for i, v in zip(wanted, values, strict=True):
                    full[i] = v
                return fn(*full)

            y, pull = jax.vjp(of_wanted, *(leaves[i] for i in wanted))
            return y, pull(jax.tree.map(jnp.ones_like, y))

        jitted = jax.jit(run if wanted else lambda leaves: fn(*leaves))
        return lambda: jax.block_until_ready(jitted(tensors))

    small = {
        "add": jnp.add, "multiply": jnp.multiply, "maximum": jnp.maximum, "matmul": jnp.matmul, "exp": jnp.exp,
        "tanh": jnp.tanh, "sqrt": jnp.sqrt, "relu": jax.nn.relu, "sum": jnp.sum, "reshape": jnp.reshape,
        "transpose": jnp.transpose,
    }  # fmt: skip
    return SimpleNamespace(
        tensor=jnp.asarray, call=call, prepared=lambda name, t: t, ROUTES=routes, SMALL=small
    )


def _tensorflow() -> SimpleNamespace:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)

    def attention(q: Any, k: Any, v: Any, mask: Any = None) -> Any:
        logits = tf.einsum("bqhd,bkhd->bhqk", q, k) / 8.0
        if mask is not None:
            logits = tf.where(mask, logits, -1e9)
        return tf.einsum("bhqk,bkhd->bqhd", tf.nn.softmax(logits), v)

    def causal(q: Any, k: Any, v: Any) -> Any:
        return attention(q, k, v, tf.linalg.band_part(tf.ones((128, 128), tf.bool), -1, 0))

    def layer_norm(x: Any, g: Any, b: Any) -> Any:
        mean, variance = tf.nn.moments(x, -1, keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, b, g, 1e-3)

    def rms_norm(x: Any, g: Any) -> Any:
        return x * tf.math.rsqrt(tf.reduce_mean(tf.square(x), -1, keepdims=True) + 1e-3) * g

    def transposed(x: Any, k: Any) -> Any:
        return tf.nn.conv2d_transpose(x, k, (8, 56, 56, 32), 2, "SAME")

    def resized(x: Any, size: int, method: str, antialias: bool = False) -> Any:
        return tf.image.resize(x, (size, size), method, antialias=antialias)

    def pool_with_nan(x: Any, size: int, padding: str) -> Any:
        """`max_pool2d` passes over NaN, which Kerata gives on every engine."""
        lost = tf.nn.max_pool2d(tf.cast(tf.math.is_nan(x), x.dtype), size, 2, padding)
        return tf.where(lost > 0, float("nan"), tf.nn.max_pool2d(x, size, 2, padding))

    def patches(x: Any) -> Any:
        b, h, w, c = x.shape
        blocks = tf.transpose(tf.reshape(x, (b, h // 8, 8, w // 8, 8, c)), (0, 1, 3, 2, 4, 5))
        return tf.reshape(blocks, (b, h // 8, w // 8, 64 * c))

    routes = {
        "conv 3x3 same": lambda x, k: tf.nn.conv2d(x, k, 1, "SAME"),
        "conv 3x3 stride 2": lambda x, k: tf.nn.conv2d(x, k, 2, "SAME"),
        "conv 1x1": lambda x, k: tf.nn.conv2d(x, k, 1, "VALID"),
        "conv 1d": lambda x, k: tf.nn.conv1d(x, k, 1, "SAME"),
        "depthwise 3x3": lambda x, k: tf.nn.depthwise_conv2d(x, k, (1, 1, 1, 1), "SAME"),
        "conv transpose": transposed,
        "max pool 2x2": lambda x: tf.nn.max_pool2d(x, 2, 2, "VALID"),
        "max pool 3x3 same": lambda x: tf.nn.max_pool2d(x, 3, 2, "SAME"),
        "max pool 2x2, NaN kept": lambda x: pool_with_nan(x, 2, "VALID"),
        "max pool 3x3 same, NaN kept": lambda x: pool_with_nan(x, 3, "SAME"),
        "average pool 2x2": lambda x: tf.nn.avg_pool2d(x, 2, 2, "VALID"),
        "attention": attention,
        "attention causal": causal,
        "attention mask": attention,
        "softmax": tf.nn.softmax,
        "softmax, NaN kept": lambda x: tf.exp(tf.nn.log_softmax(x)),  # `softmax` has 0 beside NaN
        "log softmax": tf.nn.log_softmax,
        "relu": tf.nn.relu,
        "gelu": lambda x: tf.nn.gelu(x, approximate=True),
        "layer norm": layer_norm,
        "rms norm": rms_norm,
        "batch norm": lambda x, m, v, b, s: tf.nn.batch_normalization(x, m, v, b, s, 1e-3),
        "moments": lambda x: tf.nn.moments(x, (0, 1, 2)),
        "resize up": lambda x: resized(x, 128, "bilinear"),
        "resize down": lambda x: resized(x, 64, "bilinear", True),
        "resize nearest": lambda x: resized(x, 128, "nearest"),
        "extract patches": patches,
        "sparse crossentropy": lambda t, x: tf.nn.sparse_softmax_cross_entropy_with_logits(t, x),
        "crossentropy": lambda t, x: tf.nn.softmax_cross_entropy_with_logits(t, x),
        # Its derivative holds for targets that add up to 1.
        "crossentropy, any targets": lambda t, x: -tf.reduce_sum(t * tf.nn.log_softmax(x), -1),
        "rfft": lambda x: tf.math.real(tf.signal.rfft(x)),
    }

    def call(fn: Any, tensors: list[Any], wanted: list[int]) -> Any:
        def run(*leaves: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch([leaves[i] for i in wanted])
                y = fn(*leaves)
            return y, tape.gradient(y, [leaves[i] for i in wanted])

        traced = tf.function(run if wanted else lambda *t: fn(*t), autograph=False)
        concrete = traced.get_concrete_function(*tensors)
        return lambda: concrete(*tensors)

    small = {
        "add": tf.add, "multiply": tf.multiply, "maximum": tf.maximum, "matmul": tf.matmul, "exp": tf.exp,
        "tanh": tf.tanh, "sqrt": tf.sqrt, "relu": tf.nn.relu, "sum": tf.reduce_sum, "reshape": tf.reshape,
        "transpose": tf.transpose,
    }  # fmt: skip
    return SimpleNamespace(
        tensor=tf.constant, call=call, prepared=lambda name, t: t, ROUTES=routes, SMALL=small
    )
