"""Random bits: a counter-based generator made of 32-bit multiply, add, xor and shift only.

All engines therefore give the same bits. The word at a place of a draw depends only on the state
(seed, counter) and the place. Source: pcg4d of Jarzynski and Olano, "Hash Functions for GPU
Rendering", JCGT 9(3), 2020; the seed and the counter are first mixed by the hash triple32 of
C. Wellons ("hash prospector"), so that small seeds give unrelated streams.
"""

from __future__ import annotations

import math
from typing import Any

from kerata import ops
from kerata.core import dispatch
from kerata.core import primitives as p
from kerata.core.declare import new_abstract
from kerata.core.state import STATE
from kerata.ops.creation import range_tensor

Tensor = Any
_MASK = 0xFFFFFFFF
_ROUNDS = ((17, 0xED5AD4BB), (11, 0xAC4C1B51), (15, 0x31848BAB))
_SALTS = (0x243F6A88, 0x85A308D3, 0x13198A2E)  # digits of pi
_FACTOR, _STEP = 1664525, 1013904223


def signed(x: int) -> int:
    """A 32-bit pattern as the int32 that has it."""
    x &= _MASK
    return x - (1 << 32) if x >> 31 else x


def _mix_int(x: int) -> int:
    for shift, factor in _ROUNDS:
        x = ((x ^ (x >> shift)) * factor) & _MASK
    return x ^ (x >> 14)


def _logical_shift(x: Tensor, n: int) -> Tensor:
    return p.bitwise_and(p.shift_right(x, n), (1 << (32 - n)) - 1)


def _mix(x: Tensor) -> Tensor:
    for shift, factor in _ROUNDS:
        x = p.mul(p.bitwise_xor(x, _logical_shift(x, shift)), signed(factor))
    return p.bitwise_xor(x, _logical_shift(x, 14))


def _keys(state: Tensor) -> list[Any]:
    """Three words of a state, as Python integers where its value is known, else as tensors."""
    engine = dispatch.engine_of(state)
    if not STATE.tracing and engine.is_concrete(state):
        seed, counter = (int(v) for v in engine.to_numpy(state))
        keys = [_mix_int(_mix_int((seed + salt) & _MASK) ^ counter) for salt in _SALTS]
        return [signed(k * _FACTOR + _STEP) for k in keys]
    words = p.bitcast(state, dtype="int32")
    seed, counter = (ops.get_item(words, i) for i in (0, 1))
    mixed = [_mix(p.bitwise_xor(_mix(p.add(seed, signed(salt))), counter)) for salt in _SALTS]
    return [p.add(p.mul(k, _FACTOR), _STEP) for k in mixed]


def _product(a: Any, b: Any) -> Any:
    return signed(a * b) if isinstance(a, int) and isinstance(b, int) else p.mul(a, b)


def random_bits(state: Tensor, shape: tuple[Any, ...]) -> Tensor:
    """Independent words of 32 random bits, as int32 of the given shape.

    Args:
        state: uint32 of shape (2,): seed and counter.
        shape: shape of the result.
    """
    if STATE.abstract:
        return new_abstract(tuple(shape), "int32")
    count: Any = math.prod(shape) if all(isinstance(d, int) for d in shape) else ops.prod(ops.stack(list(shape)))
    if isinstance(count, int) and count == 0:
        return ops.zeros(shape, "int32")
    y, z, w = _keys(state)
    x = range_tensor((count + 3) // 4)
    x = p.add(p.mul(x, _FACTOR), _STEP)
    x = p.add(x, _product(y, w))
    y = p.add(p.mul(x, z), y)
    z = p.add(p.mul(x, y), z)
    w = p.add(p.mul(y, z), w)
    x, y, z, w = (p.bitwise_xor(v, _logical_shift(v, 16)) for v in (x, y, z, w))
    x = p.add(x, p.mul(y, w))
    y = p.add(y, p.mul(z, x))
    z = p.add(z, p.mul(x, y))
    w = p.add(w, p.mul(y, z))
    words = p.concatenate((x, y, z, w), axis=0)
    if not isinstance(count, int) or count % 4:
        words = ops.get_item(words, slice(0, count))
    return ops.reshape(words, shape)
