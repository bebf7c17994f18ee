"""Random bits as tensors: the generator of `bits.py` said with Kerata's primitives, and where a draw is made.

Outside compiled code, in host memory, the NumPy reference draws and the engine takes the array over. Everywhere else
(compiled, on an accelerator) the composition runs: on tensors of int32, whose arithmetic wraps like that of uint32.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from kerata import backends, ops
from kerata.core import dtypes
from kerata.core import primitives as p
from kerata.core.declare import new_abstract
from kerata.core.state import STATE, setting
from kerata.ops.creation import range_tensor

from . import bits
from .bits import CHUNK, LANE, signed

Tensor = Any
# The state of one draw: seed and counter where they are known, else a uint32 tensor of shape (2,).
State = tuple[int, int] | Tensor
Lanes = tuple[Tensor, Tensor, Tensor, Tensor]


def on_host(state: State) -> bool:
    """Whether NumPy makes this draw."""
    return type(state) is tuple and not STATE.abstract and backends.current().draws_on_host()


def known(state: State) -> State:
    """A state in a NumPy array as integers, so that NumPy makes the draw."""
    return (
        (int(state[0]) & 0xFFFFFFFF, int(state[1]) & 0xFFFFFFFF) if isinstance(state, np.ndarray) else state
    )


def size_of(shape: tuple[Any, ...]) -> Any:
    """Number of elements; inside a traced function with unknown sizes a scalar of the engine."""
    return math.prod(shape)


def take_over(values: np.ndarray, shape: tuple[Any, ...], dtype: str) -> Tensor:
    """A NumPy draw as a tensor of the current engine."""
    engine = backends.current()
    if dtype == dtypes.standardize(values.dtype):
        return engine.wrap(values.reshape(shape))
    return engine.convert(values.reshape(shape), dtype)


def by_reference(
    state: State, shape: tuple[Any, ...], dtype: str, make: Callable[..., Tensor], *values: Any
) -> Tensor:
    """`make(*values)`, by the NumPy engine where NumPy makes this draw; `make` is written with ops.

    Libraries' logarithms and exponentials then are NumPy's, and nothing is compiled for a draw made once.
    """
    engine = backends.current()
    if not on_host(state) or not all(is_known(v, engine) for v in values):
        return make(*values)
    arrays = [engine.to_numpy(v) if engine.owns(type(v)) else v for v in values]
    with setting(engine=backends.get("numpy")):
        drawn = make(*arrays)
    return take_over(np.asarray(drawn), shape, dtype)


def is_known(value: Any, engine: Any) -> bool:
    """Whether a parameter is a number, an array, or a tensor that can be read now."""
    if engine.owns(type(value)):
        return engine.is_concrete(value)
    return isinstance(value, (int, float, np.ndarray, np.generic, list, tuple))


def state_words(state: State) -> Tensor:
    """Seed and counter as an int32 tensor of shape (2,)."""
    if type(state) is tuple:
        return ops.convert_to_tensor(np.array([signed(v) for v in state], np.int32))
    return p.bitcast(state, dtype="int32")


def at(x: Tensor, i: int) -> Tensor:
    """Element `i` of a vector, as a vector of length one: it broadcasts with everything."""
    return p.slice(x, starts=(i,), limits=(i + 1,), strides=(1,))


def logical_shift(x: Tensor, n: int) -> Tensor:
    """Right shift that fills with zeros; on signed integers the engines' own fills with the sign."""
    return p.bitwise_and(p.shift_right(x, n), (1 << (32 - n)) - 1)


def _mix(x: Tensor) -> Tensor:
    for shift, factor in bits.TRIPLE32:
        x = p.bitwise_xor(x, logical_shift(x, shift))
        x = x if factor == 1 else p.mul(x, signed(factor))
    return x


def hashed(state: State, salts: tuple[int, ...]) -> Tensor:
    """One word for each salt, all unrelated; int32."""
    words = state_words(state)
    constants = ops.convert_to_tensor(np.array([signed(s) for s in salts], np.int32))
    return _mix(p.bitwise_xor(_mix(p.add(constants, at(words, 0))), at(words, 1)))


def family(state: State) -> State:
    """The first of many states that belong to one draw: the rounds of a rejection. `member` gives the others."""
    if type(state) is tuple:
        first, second = (
            bits.mix(bits.mix((state[0] + s) & 0xFFFFFFFF) ^ state[1]) for s in bits.FAMILY_SALTS
        )
        return first, second
    return p.bitcast(hashed(state, bits.FAMILY_SALTS), dtype="uint32")


def member(first: State, i: Any) -> State:
    """The `i`-th state of a family, for an integer or an int32 scalar."""
    if type(first) is tuple and type(i) is int:
        return first[0], (first[1] + i) & 0xFFFFFFFF
    words = state_words(first)
    step = p.reshape(ops.cast(ops.convert_to_tensor(i), "int32"), shape=(1,))
    return p.bitcast(p.concatenate((at(words, 0), p.add(at(words, 1), step)), axis=0), dtype="uint32")


def _blocks(rows: Tensor, columns: int, state: State) -> Lanes:
    """The four words of each block; see `bits.blocks`. `rows` (n, 1) holds the number of the first block of each row."""
    if type(state) is tuple:
        key: Any = bits.keys(*state)
    else:
        words = hashed(state, bits.SALTS)
        key = [at(words, i) for i in range(5)]
    steps = np.arange(columns, dtype=np.int32)[None] * np.int32(signed(bits.GOLDEN))
    x = p.add(p.add(p.mul(rows, signed(bits.GOLDEN)), key[0]), ops.convert_to_tensor(steps))
    for i, (shift, factor) in enumerate(bits.LOWBIAS32):
        x = p.bitwise_xor(x, logical_shift(x, shift))
        x = x if factor == 1 else p.mul(x, signed(factor))
        x = p.add(x, key[1]) if i == 0 else x
    y, z, w = (
        _folded(p.add(p.mul(x, signed(factor)), k), shift)
        for factor, shift, k in zip(bits.SPREAD, bits.FOLDS, key[2:], strict=True)
    )
    x = p.add(x, p.mul(y, w))
    y = p.add(y, p.mul(z, x))
    z = p.add(z, p.mul(x, y))
    return x, y, z, p.add(w, p.mul(y, z))


def _folded(v: Tensor, shift: int) -> Tensor:
    return p.add(v, p.shift_right(v, shift))


def fits_one_lane(count: Any) -> bool:
    return type(count) is int and count <= LANE


def lanes(state: State, count: Any) -> Lanes:
    """The words of a draw of `count`, lane by lane: (chunks, 256), or (1, count) where one lane is enough."""
    if fits_one_lane(count):
        return _blocks(ops.convert_to_tensor(np.zeros((1, 1), np.int32)), count, state)
    chunks = (count + (CHUNK - 1)) // CHUNK
    return _blocks(p.mul(p.reshape(range_tensor(chunks), shape=(chunks, 1)), LANE), LANE, state)


def joined(four: Lanes, count: Any, shape: tuple[Any, ...]) -> Tensor:
    """Lanes of words or values as a tensor of the wanted shape."""
    if fits_one_lane(count):
        return p.reshape(four[0], shape=shape)
    # Side by side: XLA writes that out in large pieces, where stacking them element by element takes ten times as long.
    flat = p.reshape(p.concatenate(four, axis=1), shape=(ops.shape(four[0])[0] * CHUNK,))
    if type(count) is not int or count % CHUNK:
        flat = p.slice(flat, starts=(0,), limits=(count,), strides=(1,))
    return p.reshape(flat, shape=shape)


def random_bits(state: State, shape: tuple[Any, ...]) -> Tensor:
    """Independent words of 32 random bits, as an int32 tensor.

    Args:
        state: seed and counter.
        shape: shape of the result.
    """
    if STATE.abstract:
        return new_abstract(tuple(shape), "int32")
    count, state = size_of(shape), known(state)
    if on_host(state):
        return take_over(bits.random_bits(state, count).view(np.int32), shape, "int32")
    return joined(lanes(state, count), count, shape)
