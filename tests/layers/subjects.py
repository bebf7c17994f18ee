"""What a layer of the table gives on an engine: everything that engines must agree about."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import cases
import numpy as np

import kerata
from kerata import backends, ops
from kerata.core import dtypes
from kerata.layers.layer import mask_of
from kerata.verify.compare import Plain, plain


class Answer(NamedTuple):
    """What a layer gave for one row, on one engine, in one mode."""

    initial: list[Plain]  # weights as they were built
    outputs: list[Plain]  # in inference, then in training
    masks: list[Plain]  # of those outputs
    gradients: list[Plain]  # of a weighted sum of all outputs: by the float inputs, then by the weights
    weights: list[Plain]  # after the calls: moving statistics and states


def eager(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


@cache
def answer(name: str, engine: str, mode: str = "eager") -> Answer:
    """The answer for a row; `mode` is "eager" or "compiled"."""
    row = cases.BY_NAME[name]
    with kerata.use_backend(engine):
        layer, initial = prepared(row)
        inputs, points = moving(row.args)
        lift = kerata.function if mode == "compiled" else eager
        by, extra = points + layer.trainable_weights, on_engine(row.kwargs)
        outputs, masks, gradients = lift(lambda: asked(layer, inputs, extra, by))()
        return Answer(initial, plain(outputs), plain(masks), plain(gradients), plain(values(layer)))


def prepared(row: cases.Case) -> tuple[Any, list[Plain]]:
    """A layer built by a call, with the weights of the table, and the weights that it was built with."""
    kerata.utils.set_random_seed(11)
    layer = row.make(kerata)
    layer(*row.args, **quiet(row.kwargs))
    if getattr(layer, "stateful", False):
        layer.reset_state()
    initial = plain(layer.get_weights())  # copies: the values may be written in place
    layer.set_weights(cases.first_weights([v.name for v in layer.weights], [v.shape for v in layer.weights]))
    return layer, initial


def quiet(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {**kwargs, "training": False}


def values(layer: Any) -> list[Any]:
    return [v.value for v in layer.weights]


def on_engine(value: Any) -> Any:
    return cases.mapped(lambda x: backends.current().convert(x, dtypes.standardize(x.dtype)), value)


def moving(args: Any) -> tuple[Any, list[kerata.Variable]]:
    """The arguments with variables in the places of floats, and those variables."""
    points: list[kerata.Variable] = []

    def one(x: np.ndarray) -> Any:
        if x.dtype != np.float32:
            return ops.convert_to_tensor(x)
        points.append(kerata.Variable(x, dtype="float32"))
        return points[-1]

    return cases.mapped(one, args), points


def asked(layer: Any, inputs: Any, extra: Any, by: list[kerata.Variable]) -> Any:
    """Outputs and masks in inference and in training, and derivatives."""

    def both() -> tuple[Any, Any]:
        outputs, masks = [], []
        for training in (False, True):
            read = cases.mapped_variables(lambda v: v.value, inputs)
            found = cases.leaves(layer(*read, **{**extra, "training": training}))
            outputs += found
            masks += [mask_of(y) for y in found]
        return weighted(outputs), (outputs, masks)

    (_, (outputs, masks)), gradients = kerata.value_and_grad(both, by, has_aux=True)()
    return outputs, masks, gradients


def weighted(outputs: list[Any]) -> Any:
    """A sum of all floats with weights of both signs: no derivative vanishes."""
    total: Any = 0.0
    for i, y in enumerate(outputs):
        if dtypes.is_float(ops.dtype(y)):
            rows = np.random.default_rng(i).uniform(-1, 1, tuple(y.shape)).astype("float32")
            total = ops.add(total, ops.sum(ops.multiply(ops.cast(y, "float32"), rows)))
    return total
