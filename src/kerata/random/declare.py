"""How a draw is declared: as an op, whose numbers reach its body as they are."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from kerata.core.declare import op
from kerata.core.samples import Tolerance

from .seed_generator import check_seed

SAME_BITS = Tolerance(rtol=0.0, atol=0.0)
TWO_ULP = Tolerance(rtol=2.4e-7, atol=0.0)


def draw(**options: Any) -> Any:
    """Declares a function of `kerata.random`: `@draw(samples=[...])` above its body.

    Numbers are told from tensors, for the bits of a draw between two numbers are computed in another way. What is drawn
    in float64 is not what is drawn in float32, so engines are compared in the dtype that was asked for.
    """

    def declare(body: Callable[..., Any]) -> Any:
        signature = inspect.signature(body)

        def check(
            *args: Any, **kwargs: Any
        ) -> None:  # a run for shapes draws nothing, so it would not meet the seed
            check_seed(signature.bind(*args, **kwargs).arguments.get("seed"))

        shared = {"differentiable": False, "wide": False, "scalars_stay": True, "tolerance": SAME_BITS}
        return op(body, **{"precheck": check, **shared, **options})

    return declare
