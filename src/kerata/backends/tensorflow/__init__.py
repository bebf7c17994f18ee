"""TensorFlow: compiled steps are `tf.function`s over `tf.Variable`s."""

from kerata.backends.protocol import Engine


def load() -> Engine:
    """Makes the engine; called once, at its first use."""
    from .engine import TensorflowEngine  # loads TensorFlow

    return TensorflowEngine()
