"""JAX: compiled steps are pure jitted functions with donated state."""

from kerata.backends.protocol import Engine


def load() -> Engine:
    """Makes the engine; called once, at its first use."""
    from .engine import JaxEngine  # loads JAX

    return JaxEngine()
