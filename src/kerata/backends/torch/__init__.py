"""PyTorch: eager by default, `torch.compile` on request."""

from kerata.backends.protocol import Engine


def load() -> Engine:
    """Makes the engine; called once, at its first use."""
    from .engine import TorchEngine  # loads PyTorch

    return TorchEngine()
