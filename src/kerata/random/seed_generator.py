"""Streams of random states."""

from __future__ import annotations

import random as python_random
from typing import Any, Self

import numpy as np

from kerata import backends, ops
from kerata.core import primitives as p
from kerata.core.dispatch import is_tensor
from kerata.core.errors import ArgumentError
from kerata.core.registry import register_builtin
from kerata.core.state import STATE, setting
from kerata.core.variable import Variable

Tensor = Any


class _Global:
    """The process-wide seed, and how many seeds were drawn from it."""

    seed = python_random.SystemRandom().getrandbits(32)
    drawn = 0
    streams: dict[str, SeedGenerator] = {}


def set_global_seed(seed: int) -> None:
    """Starts all streams that have no seed of their own again."""
    _Global.seed, _Global.drawn, _Global.streams = seed & 0xFFFFFFFF, 0, {}


def draw_seed() -> int:
    """The next seed of the process-wide stream: for initializers, shuffles and generators without a seed."""
    from .bits import _mix_int

    _Global.drawn += 1
    return _mix_int((_Global.seed ^ _mix_int(_Global.drawn)) & 0xFFFFFFFF)


@register_builtin("random")
class SeedGenerator:
    """A stream of random states: each `next` gives another one.

    The state is a variable of shape (2,), dtype uint32: seed and counter. It is saved with a layer
    that holds the generator, and training that is resumed draws on where it stopped.

    Args:
        seed: an integer; drawn from the stream that `kerata.utils.set_random_seed` starts if None.
        name: name of the generator.

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
            raise ArgumentError(next(iter(kwargs)), expected="an argument of SeedGenerator", got=kwargs)
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0):
            raise ArgumentError("seed", expected="an integer, 0 or more, or None", got=seed)
        self.name = name
        self._initial_seed = seed
        first = draw_seed() if seed is None else int(seed)
        with setting(scope=None, abstract=0), backends.current().outside_trace():
            value = np.array([first & 0xFFFFFFFF, (first >> 32) & 0xFFFFFFFF], "uint32")
            self.state = Variable(value, dtype="uint32", trainable=False, autocast=False, name="seed_generator_state")

    def next(self, ordered: bool = True) -> Tensor:
        """The current state; the counter advances."""
        state = self.state.raw()
        if STATE.abstract:
            return state
        # int32 wraps like uint32, and every engine can add it.
        advanced = p.add(p.bitcast(state, dtype="int32"), ops.convert_to_tensor(np.array([0, 1], "int32")))
        self.state.assign(p.bitcast(advanced, dtype="uint32"))
        return state

    @property
    def seed(self) -> int | None:
        return self._initial_seed

    def get_config(self) -> dict[str, Any]:
        return {"seed": self._initial_seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config)


def state_of(seed: Any) -> Tensor:
    """The state for one draw, from whatever users give as `seed`."""
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is None:
        engine = backends.current()
        stream = _Global.streams.get(engine.name)
        if stream is None:
            stream = _Global.streams[engine.name] = SeedGenerator(_Global.seed, name="global")
        return stream.next()
    if is_tensor(seed):
        return ops.cast(seed, "uint32")
    if isinstance(seed, (bool, float, str)) or not hasattr(seed, "__index__") or seed.__index__() < 0:
        raise ArgumentError("seed", expected="an integer, 0 or more, a SeedGenerator or None", got=seed)
    number = seed.__index__()
    return ops.convert_to_tensor(np.array([number & 0xFFFFFFFF, (number >> 32) & 0xFFFFFFFF], "uint32"))
