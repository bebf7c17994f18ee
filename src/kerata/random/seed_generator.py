"""Streams of random states, and the seeds of a process."""

from __future__ import annotations

import secrets
import threading
from typing import Any, Self

import numpy as np

from kerata import backends, ops
from kerata.core import primitives as p
from kerata.core import rules
from kerata.core.dispatch import is_tensor
from kerata.core.errors import ArgumentError
from kerata.core.naming import auto_name
from kerata.core.registry import register_builtin
from kerata.core.state import STATE, setting
from kerata.core.variable import Variable, update_all

from . import bits

Tensor = Any
_WORD = 0xFFFFFFFF


class _Process:
    """The seed of the process, how many seeds were drawn from it, and one stream for each engine.

    The engines' streams begin alike: what is drawn without a seed on one engine is drawn on another as well.
    """

    lock = threading.Lock()
    seed = secrets.randbits(32)
    drawn = 0
    streams: dict[str, SeedGenerator] = {}


def set_global_seed(seed: int) -> None:
    """Starts all streams that have no seed of their own again."""
    with _Process.lock:
        _Process.seed, _Process.drawn, _Process.streams = seed & _WORD, 0, {}


def draw_seed() -> int:
    """The next seed of the process: for initializers, shuffles and generators without a seed of their own."""
    with _Process.lock:
        _Process.drawn += 1
        return bits.mix(_Process.seed ^ bits.mix(_Process.drawn & _WORD))


def get_state() -> tuple[int, int]:
    """The seed of the process and how many seeds were drawn from it."""
    return _Process.seed, _Process.drawn


def set_state(state: tuple[int, int]) -> None:
    """Puts back what `get_state` gave; the engines' own streams go on."""
    with _Process.lock:
        _Process.seed, _Process.drawn = state


def pair_of(seed: Any) -> tuple[int, int]:
    """Seed and counter of an integer: below 2**32 the integer itself and 0.

    Both halves of a longer one are mixed into both words, without a loss: if the upper half were the counter, the
    streams of `5` and `5 + 2**32` would be one stream, shifted by one draw.
    """
    number = rules.integer_of(seed)
    if number is None or not 0 <= number < 1 << 64:
        raise ArgumentError(
            "seed",
            expected="an integer of 64 bits, 0 or more, a SeedGenerator or its state, or None",
            got=seed,
        )
    low, high = number & _WORD, number >> 32
    if high == 0:
        return low, 0
    first = bits.mix(low ^ bits.mix(high))
    return first, bits.mix(high ^ first)


@register_builtin("random")
class SeedGenerator:
    """A stream of random states: each `next` gives another one.

    The state is a variable of shape (2,) and dtype uint32: seed and counter. It is saved with the layer that holds the
    generator, so that training which is resumed, on whatever engine, draws on where it stopped.

    Args:
        seed: an integer, 0 or more; drawn from the stream that `kerata.utils.set_random_seed` starts if None.
        name: name of the generator.

    Raises:
        ArgumentError: `seed` is not such an integer.

    Example:
        >>> import kerata
        >>> a, b = kerata.random.SeedGenerator(1), kerata.random.SeedGenerator(1)
        >>> bool(kerata.ops.all(kerata.random.uniform((3,), seed=a) == kerata.random.uniform((3,), seed=b)))
        True
    """

    _kerata_variables = True
    _kerata_state_kind = "seed"

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        if kwargs:
            raise ArgumentError(next(iter(kwargs)), expected="absent: SeedGenerator takes seed and name")
        self._initial_seed = seed
        first = (draw_seed(), 0) if seed is None else pair_of(seed)
        self.name = name or auto_name("seed_generator")
        with setting(scope=None, abstract=0, name_scope=(*STATE.name_scope, self.name)):
            self.state = Variable(
                np.array(first, np.uint32),
                trainable=False,
                autocast=False,
                aggregation="none",
                name="seed_generator_state",
            )

    def next(self, ordered: bool = True) -> Tensor:
        """The current state, as a tensor; the counter advances. `ordered` is there for Keras's sake."""
        state = self.state.raw()
        self._advance(state)
        return state

    def take(self) -> tuple[int, int] | Tensor:
        """As `next`; where the state is known on the host, seed and counter as integers."""
        state = self.state.raw()
        engine = self.state.engine
        if STATE.abstract or STATE.tracing or not engine.draws_on_host() or not engine.is_concrete(state):
            self._advance(state)
            return state
        seed, counter = (int(v) for v in engine.to_numpy(state))
        new = engine.convert(np.array([seed, (counter + 1) & _WORD], np.uint32), "uint32")
        update_all((self.state,), (new,))
        return seed, counter

    def _advance(self, state: Tensor) -> None:
        if STATE.abstract and STATE.scope is None:  # a run that only asks for shapes changes nothing
            return
        # int32 wraps like uint32, and every engine can add it.
        one = ops.convert_to_tensor(np.array([0, 1], np.int32))
        self.state.assign(p.bitcast(p.add(p.bitcast(state, dtype="int32"), one), dtype="uint32"))

    @property
    def seed(self) -> int | None:
        """The seed that was given."""
        return self._initial_seed

    def get_config(self) -> dict[str, Any]:
        """The arguments that make such a stream again, as plain data."""
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A stream from what `get_config` gave."""
        return cls(**config)


def check_seed(seed: Any) -> None:
    """Refuses what is no seed, without a draw."""
    if seed is None or isinstance(seed, SeedGenerator):
        return
    _check_state(seed) if _is_state(seed) else pair_of(seed)


def _is_state(seed: Any) -> bool:
    return isinstance(seed, Variable) or (is_tensor(seed) and ops.shape(seed) != ())


def state_of(seed: Any) -> tuple[int, int] | Tensor:
    """The state for one draw, from whatever users give as `seed`: integers where it is known, else a tensor."""
    if isinstance(seed, SeedGenerator):
        return seed.take()
    if seed is None:
        return _stream().take()
    if _is_state(seed):
        return _state_tensor(seed)
    return pair_of(seed)


def _stream() -> SeedGenerator:
    """The stream of the current engine."""
    name = backends.current().name
    stream = _Process.streams.get(name)
    if stream is None:
        stream = SeedGenerator(_Process.seed, name="global_seed_generator")
        _Process.streams[name] = stream
    return stream


def _state_tensor(seed: Any) -> tuple[int, int] | Tensor:
    """The state that a user carries along, in a loop for example."""
    _check_state(seed)
    if isinstance(seed, np.ndarray):
        return int(seed[0]) & _WORD, int(seed[1]) & _WORD
    state = ops.convert_to_tensor(seed)
    if STATE.abstract:
        return state
    engine = backends.current()
    if not STATE.tracing and engine.draws_on_host() and engine.is_concrete(state):
        first, second = (int(v) & _WORD for v in engine.to_numpy(state))
        return first, second
    dtype = ops.dtype(state)
    if dtype in ("int64", "uint64"):
        return ops.cast(ops.bitwise_and(state, _WORD), "uint32")
    return p.bitcast(state, dtype="uint32") if dtype == "int32" else state


def _check_state(seed: Any) -> None:
    if tuple(ops.shape(seed)) != (2,) or ops.dtype(seed) not in ("uint32", "int32", "int64", "uint64"):
        raise ArgumentError(
            "seed", expected="a state: integers of shape (2,), a seed and a counter", got=seed
        )
