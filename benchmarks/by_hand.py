"""The same models as an expert writes them: jitted JAX with optax and donation, PyTorch with fused Adam, tf.function."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from workloads import CLASSES, HEADS, HIDDEN, RATE, VOCABULARY, WIDTH, WORKLOADS, batches

Trainer = tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]


def trainer(engine: str, name: str) -> Trainer:
    """`(epoch(x, y), predict(x), call(x))` for an engine and a workload: of arrays, and eagerly of a native tensor."""
    return {"torch": _torch, "jax": _jax, "tensorflow": _tensorflow}[engine](name)


def _torch(name: str) -> Trainer:
    import torch
    import torch.nn.functional as F
    from torch import nn

    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.out = nn.LSTM(32, 128, batch_first=True), nn.Linear(128, CLASSES)

        def forward(self, x: Any) -> Any:
            return self.out(self.lstm(x)[0][:, -1])

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.n1, self.n2 = nn.LayerNorm(WIDTH, eps=1e-6), nn.LayerNorm(WIDTH, eps=1e-6)
            self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
            self.up, self.down = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, WIDTH)

        def forward(self, h: Any) -> Any:
            n, t, _ = h.shape
            q, k, v = self.qkv(self.n1(h)).view(n, t, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
            a = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, WIDTH)
            h = h + self.proj(a)
            return h + self.down(F.gelu(self.up(self.n2(h))))

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.blocks = nn.Embedding(VOCABULARY, WIDTH), nn.Sequential(Block(), Block())
            self.out = nn.Linear(WIDTH, CLASSES)

        def forward(self, x: Any) -> Any:
            return self.out(self.blocks(self.table(x)).mean(1))

    model: Any = {
        "tiny": lambda: nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, CLASSES)),
        "mlp": lambda: nn.Sequential(
            nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, CLASSES)
        ),
        "cnn": lambda: nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(1600, CLASSES),
        ),
        "lstm": Recurrent,
        "transformer": Encoder,
    }[name]()  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), RATE, eps=1e-7, fused=True)
    rng = np.random.default_rng(1)

    def enter(x: np.ndarray) -> Any:
        t = torch.from_numpy(x)
        return t.permute(0, 3, 1, 2) if name == "cnn" else t

    def epoch(x: np.ndarray, y: np.ndarray) -> float:
        total = torch.zeros(())
        for xb, yb in batches(x, y, WORKLOADS[name].batch, rng):
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(model(enter(xb)), torch.from_numpy(yb).long())
            loss.backward()
            optimizer.step()
            total += loss.detach()
        return float(total)

    def predict(x: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return model(enter(x)).numpy()

    return epoch, predict, model


def _initial(name: str) -> tuple[dict[str, np.ndarray], Any]:
    """First weights for the engines without modules of their own."""
    rng = np.random.default_rng(1)

    def w(*shape: int) -> np.ndarray:
        fan = float(np.prod(shape[:-1])) + shape[-1]
        return (rng.standard_normal(shape) * (2.0 / fan) ** 0.5).astype("float32")

    def z(n: int, value: float = 0.0) -> np.ndarray:
        return np.full(n, value, "float32")

    sizes = {"tiny": (32, 32, CLASSES), "mlp": (784, 512, 512, CLASSES)}.get(name)
    if sizes:
        return {
            f"{k}{i}": v
            for i, (a, b) in enumerate(itertools.pairwise(sizes))
            for k, v in (("w", w(a, b)), ("b", z(b)))
        }, sizes
    if name == "cnn":
        return {
            "w0": w(3, 3, 1, 32),
            "b0": z(32),
            "w1": w(3, 3, 32, 64),
            "b1": z(64),
            "w2": w(1600, CLASSES),
            "b2": z(CLASSES),
        }, None
    if name == "lstm":
        return {"k": w(32, 512), "r": w(128, 512), "b": z(512), "w": w(128, CLASSES), "c": z(CLASSES)}, None
    p = {"table": w(VOCABULARY, WIDTH), "w": w(WIDTH, CLASSES), "b": z(CLASSES)}
    for i in range(2):
        p |= {f"g1{i}": z(WIDTH, 1), f"s1{i}": z(WIDTH), f"g2{i}": z(WIDTH, 1), f"s2{i}": z(WIDTH)}
        p |= {
            f"qkv{i}": w(WIDTH, 3 * WIDTH),
            f"bq{i}": z(3 * WIDTH),
            f"o{i}": w(WIDTH, WIDTH),
            f"bo{i}": z(WIDTH),
        }
        p |= {f"u{i}": w(WIDTH, HIDDEN), f"bu{i}": z(HIDDEN), f"d{i}": w(HIDDEN, WIDTH), f"bd{i}": z(WIDTH)}
    return p, None


def _jax(name: str) -> Trainer:
    import functools

    import jax
    import jax.numpy as jnp
    import optax

    params, sizes = _initial(name)

    def norm(h: Any, g: Any, s: Any) -> Any:
        m = h.mean(-1, keepdims=True)
        return (h - m) * jax.lax.rsqrt(jnp.square(h - m).mean(-1, keepdims=True) + 1e-6) * g + s

    def forward(p: Any, x: Any) -> Any:
        if sizes:
            for i in range(len(sizes) - 2):
                x = jax.nn.relu(x @ p[f"w{i}"] + p[f"b{i}"])
            return x @ p[f"w{len(sizes) - 2}"] + p[f"b{len(sizes) - 2}"]
        if name == "cnn":
            for i in range(2):
                x = jax.lax.conv_general_dilated(
                    x, p[f"w{i}"], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
                )
                x = jax.nn.relu(x + p[f"b{i}"])
                x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
            return x.reshape(len(x), -1) @ p["w2"] + p["b2"]
        if name == "lstm":
            z = x @ p["k"] + p["b"]

            def step(carry: Any, zt: Any) -> Any:
                h, c = carry
                i, f, g, o = jnp.split(zt + h @ p["r"], 4, -1)
                c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
                return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

            zero = jnp.zeros((len(x), 128))
            (h, _), _ = jax.lax.scan(step, (zero, zero), z.swapaxes(0, 1))
            return h @ p["w"] + p["c"]
        h = p["table"][x]
        for i in range(2):
            n, t, _ = h.shape
            q, k, v = jnp.split(norm(h, p[f"g1{i}"], p[f"s1{i}"]) @ p[f"qkv{i}"] + p[f"bq{i}"], 3, -1)
            q, k, v = (a.reshape(n, t, HEADS, -1) for a in (q, k, v))
            h = h + jax.nn.dot_product_attention(q, k, v).reshape(n, t, WIDTH) @ p[f"o{i}"] + p[f"bo{i}"]
            a = jax.nn.gelu(norm(h, p[f"g2{i}"], p[f"s2{i}"]) @ p[f"u{i}"] + p[f"bu{i}"], approximate=False)
            h = h + a @ p[f"d{i}"] + p[f"bd{i}"]
        return h.mean(1) @ p["w"] + p["b"]

    optimizer = optax.adam(RATE, eps=1e-7)

    def loss(p: Any, x: Any, y: Any) -> Any:
        return optax.softmax_cross_entropy_with_integer_labels(forward(p, x), y).mean()

    @functools.partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(p: Any, state: Any, total: Any, x: Any, y: Any) -> Any:
        value, grads = jax.value_and_grad(loss)(p, x, y)
        updates, state = optimizer.update(grads, state)
        return optax.apply_updates(p, updates), state, total + value

    held: dict[str, Any] = {"p": jax.tree.map(jnp.asarray, params)}
    held["s"] = optimizer.init(held["p"])
    rng = np.random.default_rng(1)
    run = jax.jit(forward)

    def epoch(x: np.ndarray, y: np.ndarray) -> float:
        total = jnp.zeros(())
        for xb, yb in batches(x, y, WORKLOADS[name].batch, rng):
            held["p"], held["s"], total = step(held["p"], held["s"], total, xb, yb)
        return float(total)

    return epoch, lambda x: np.asarray(run(held["p"], x)), lambda x: forward(held["p"], x)


def _tensorflow(name: str) -> Trainer:
    import tensorflow as tf

    params, sizes = _initial(name)
    p = {k: tf.Variable(v) for k, v in params.items()}
    variables = list(p.values())
    moments = [(tf.Variable(tf.zeros_like(v)), tf.Variable(tf.zeros_like(v))) for v in variables]
    count = tf.Variable(0.0)

    def norm(h: Any, g: Any, s: Any) -> Any:
        mean, variance = tf.nn.moments(h, -1, keepdims=True)
        return (h - mean) * tf.math.rsqrt(variance + 1e-6) * g + s

    def forward(x: Any) -> Any:
        if sizes:
            for i in range(len(sizes) - 2):
                x = tf.nn.relu(x @ p[f"w{i}"] + p[f"b{i}"])
            return x @ p[f"w{len(sizes) - 2}"] + p[f"b{len(sizes) - 2}"]
        if name == "cnn":
            for i in range(2):
                x = tf.nn.relu(tf.nn.conv2d(x, p[f"w{i}"], 1, "VALID") + p[f"b{i}"])
                x = tf.nn.max_pool2d(x, 2, 2, "VALID")
            return tf.reshape(x, (tf.shape(x)[0], 1600)) @ p["w2"] + p["b2"]
        if name == "lstm":
            z = tf.transpose(tf.tensordot(x, p["k"], 1) + p["b"], (1, 0, 2))
            h = c = tf.zeros((tf.shape(x)[0], 128))
            for t in tf.range(64):
                i, f, g, o = tf.split(z[t] + h @ p["r"], 4, -1)
                c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
                h = tf.sigmoid(o) * tf.tanh(c)
            return h @ p["w"] + p["c"]
        h = tf.gather(p["table"], x)
        for i in range(2):
            n, t = tf.shape(h)[0], tf.shape(h)[1]
            qkv = tf.tensordot(norm(h, p[f"g1{i}"], p[f"s1{i}"]), p[f"qkv{i}"], 1) + p[f"bq{i}"]
            q, k, v = (
                tf.transpose(tf.reshape(a, (n, t, HEADS, WIDTH // HEADS)), (0, 2, 1, 3))
                for a in tf.split(qkv, 3, -1)
            )
            scores = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) / (WIDTH // HEADS) ** 0.5)
            a = tf.reshape(tf.transpose(scores @ v, (0, 2, 1, 3)), (n, t, WIDTH))
            h = h + tf.tensordot(a, p[f"o{i}"], 1) + p[f"bo{i}"]
            a = tf.nn.gelu(tf.tensordot(norm(h, p[f"g2{i}"], p[f"s2{i}"]), p[f"u{i}"], 1) + p[f"bu{i}"])
            h = h + tf.tensordot(a, p[f"d{i}"], 1) + p[f"bd{i}"]
        return tf.reduce_mean(h, 1) @ p["w"] + p["b"]

    @tf.function
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, forward(x)))
        count.assign_add(1.0)
        rate = RATE * tf.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        for v, (m, s), g in zip(variables, moments, tape.gradient(loss, variables), strict=True):
            g = tf.convert_to_tensor(g)
            m.assign_add((g - m) * 0.1)
            s.assign_add((g * g - s) * 0.001)
            v.assign_sub(rate * m / (tf.sqrt(s) + 1e-7))
        return loss

    rng = np.random.default_rng(1)
    run = tf.function(forward)

    def epoch(x: np.ndarray, y: np.ndarray) -> float:
        total: Any = 0.0
        for xb, yb in batches(x, y, WORKLOADS[name].batch, rng):
            total += step(xb, yb)
        return float(total)

    return epoch, lambda x: run(x).numpy(), forward
