"""Beta values."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.core import primitives as p
from kerata.core.declare import new_abstract
from kerata.core.samples import T, Tolerance, rejects, sample
from kerata.core.state import STATE

from . import stream
from .arguments import float_dtype, sizes_of, work_dtype
from .declare import draw
from .gamma import log_gamma_values
from .rejection import check_parameter, parameter
from .seed_generator import state_of

Tensor = Any
TensorLike = Any


@draw(
    tolerance=Tolerance(),
    samples=[
        sample((300,), 0.5, 2.0, seed=11),
        sample((30,), 8.0, 3.0, seed=2**40),
        sample((30,), 0.01, 0.02, "float64", seed=3),
        sample((30,), 2, 3, "bfloat16", seed=3),
        sample((3, 2), T((2,), low=0.5, high=5.0), 2.0, seed=3),
    ],
    rejects=[
        rejects((2,), 0.0, 1.0, seed=3, argument="alpha"),
        rejects((2,), 1.0, -1.0, seed=3, argument="beta"),
        rejects((2,), 1.0, 1.0, "int32", seed=3, argument="dtype"),
    ],
)
def beta(shape: Any, alpha: TensorLike, beta: TensorLike, dtype: Any = None, seed: Any = None) -> Tensor:
    """Values with the beta distribution; engines agree to 1e-6.

    Args:
        shape: shape of the result.
        alpha: first parameter, above 0: a number, or a tensor that broadcasts to the shape. No derivative reaches it.
        beta: second parameter, likewise.
        dtype: a float dtype; `floatx()` if None.
        seed: an integer, a `SeedGenerator`, the state of one, or None for the global stream.

    Raises:
        ArgumentError: a parameter is a number that is not above 0, or does not broadcast.

    Source:
        `x / (x + y)` of two gamma values, from their logarithms.

    Example:
        >>> import kerata
        >>> x = kerata.random.beta((100,), 0.5, 2.0, seed=1)
        >>> bool(kerata.ops.all(x >= 0.0)) and bool(kerata.ops.all(x <= 1.0))
        True
    """
    sizes, name = sizes_of(shape), float_dtype(dtype)
    check_parameter(alpha, "alpha", sizes, lambda v: not v <= 0, "a number above 0")
    check_parameter(beta, "beta", sizes, lambda v: not v <= 0, "a number above 0")
    state = state_of(seed)
    if STATE.abstract:
        return new_abstract(sizes, name)

    def make(alpha: Any, beta: Any) -> Tensor:
        a, b = parameter(alpha, sizes), parameter(beta, sizes)
        first = stream.family(state)
        x = log_gamma_values(first, sizes, a, work_dtype(name))
        y = log_gamma_values(stream.family(first), sizes, b, work_dtype(name))
        return p.sigmoid(p.sub(x, y))

    return ops.cast(stream.by_reference(state, sizes, "float64", make, alpha, beta), name)
