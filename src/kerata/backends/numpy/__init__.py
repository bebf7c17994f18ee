"""The embedded engine: NumPy, with reverse-mode differentiation over the primitives' derivative rules."""

from kerata.backends.protocol import Engine


def load() -> Engine:
    """Makes the engine; called once, at its first use."""
    from .engine import NumpyEngine  # as every engine, at its first use

    return NumpyEngine()
