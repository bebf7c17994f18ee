"""What a load leaves as it was: settings of the process that making objects could change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kerata.core import config, dtype_policy, naming
from kerata.random import host


@contextmanager
def untouched() -> Iterator[None]:
    """Puts float type, epsilon, image format, policy and the stream of seeds back to what they were before; after a
    refusal, the counters of names as well."""
    floatx, epsilon, image_format = config.floatx(), config.epsilon(), config.image_data_format()
    policy, seeds, names = dtype_policy._global, host.get_state(), naming.counters()
    try:
        yield
    except BaseException:
        naming.set_counters(names)
        raise
    finally:
        if config.floatx() != floatx:
            config.set_floatx(floatx)
        config.set_epsilon(epsilon)
        config.set_image_data_format(image_format)
        dtype_policy._global = policy
        host.set_state(seeds)
