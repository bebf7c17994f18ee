"""Tensors of many axes, for which TensorFlow has few kernels: against NumPy's own functions."""

import numpy as np
import pytest

import kerata
from kerata import backends, ops

SHAPES = {rank: (2, 1, 2, 3, 1, 2, 1, 2, 2, 1)[:rank] for rank in (6, 10)}
CASES = {
    "add": (lambda x: ops.add(x, ops.get_item(x, 0)), lambda x: x + x[0]),
    "outer sum": (lambda x: ops.add(x, _crossed(x)), lambda x: x + _crossed(x)),
    "outer product": (lambda x: ops.multiply(x, _crossed(x)), lambda x: x * _crossed(x)),
    "outer choice": (lambda x: ops.where(_crossed(x) > 3, x, 0.0), lambda x: np.where(_crossed(x) > 3, x, 0.0)),
    "slice": (lambda x: ops.slice(x, _first(x), (1,) * len(x.shape)), lambda x: x[(slice(0, 1),) * x.ndim]),
    "strides": (lambda x: ops.get_item(x, _STRIDES), lambda x: x[_STRIDES]),
    "unary": (lambda x: ops.log10(ops.power(ops.abs(x) + 1, -0.5)), lambda x: -0.5 * np.log10(np.abs(x) + 1)),
    "where": (lambda x: ops.where(x > 0, x, 0.0), lambda x: np.where(x > 0, x, 0)),
    "sum": (lambda x: ops.sum(x, axis=(0, 2, 5)), lambda x: x.sum((0, 2, 5))),
    "argmax": (lambda x: ops.argmax(x, axis=3), lambda x: x.argmax(3)),
    "flip": (lambda x: ops.flip(x, axis=(0, 2)), lambda x: np.flip(x, (0, 2))),
    "transpose": (ops.transpose, np.transpose),
    "pad": (lambda x: ops.pad(x, [(1, 0)] * len(x.shape)), lambda x: np.pad(x, [(1, 0)] * x.ndim)),
    "reflect": (lambda x: ops.pad(x, _ends(x), mode="reflect"), lambda x: np.pad(x, _ends(x), "reflect")),
    "tile": (lambda x: ops.tile(x, (2,) * len(x.shape)), lambda x: np.tile(x, (2,) * x.ndim)),
    "broadcast_to": (lambda x: ops.broadcast_to(x, _wide(x)), lambda x: np.broadcast_to(x, _wide(x))),
    "take": (lambda x: ops.take(x, [1, 0], axis=2), lambda x: x.take([1, 0], 2)),
    "take_along_axis": (
        lambda x: ops.take_along_axis(x, np.ones((1,) * len(x.shape), "int32"), axis=3),
        lambda x: x[:, :, :, 1:2],
    ),
    "sort": (lambda x: ops.sort(x, axis=3), lambda x: np.sort(x, 3)),
    "slice_update": (lambda x: ops.slice_update(x, (0,) * len(x.shape), _zero(x)), lambda x: _without_first(x)),
    "scatter_update": (lambda x: ops.scatter_update(x, [[0] * len(x.shape)], [0.0]), lambda x: _without_first(x)),
    "get_item": (lambda x: ops.get_item(x, (..., None, 0)), lambda x: x[..., None, 0]),
    "roll": (lambda x: ops.roll(x, 1, axis=(0, 3)), lambda x: np.roll(x, 1, (0, 3))),
    "median": (lambda x: ops.median(x, axis=(0, 3)), lambda x: np.median(x, (0, 3))),
    "pad of bools": (lambda x: ops.pad(x > 0, [(1, 1)] * len(x.shape)), lambda x: np.pad(x > 0, [(1, 1)] * x.ndim)),
    "cumsum": (lambda x: ops.cumsum(x, axis=3), lambda x: np.cumsum(x, 3)),
}  # fmt: skip


_STRIDES = (slice(None, None, -1), slice(None), slice(None, None, 2))


def _ends(x):
    return [(d - 1, 0) for d in x.shape]


def _wide(x):
    return tuple(2 if d == 1 else d for d in x.shape)


def _first(x):
    return ops.convert_to_tensor(np.zeros(len(x.shape), "int32"))


def _crossed(x):
    """Numbers along the axes that `x` has one element of."""
    shape = [2 if d == 1 else 1 for d in x.shape]
    return np.arange(np.prod(shape), dtype="float32").reshape(shape)


def _zero(x):
    return np.zeros((1,) * len(x.shape), "float32")


def _without_first(x):
    found = x.copy()
    found.flat[0] = 0
    return found


@pytest.mark.parametrize("rank", SHAPES)
def test_values(engine, rank):
    x = np.random.default_rng(rank).standard_normal(SHAPES[rank]).astype("float32")
    given = ops.convert_to_tensor(x)

    def all_cases(x):
        return {name: call(x) for name, (call, _) in CASES.items()}

    for found in (all_cases(given), kerata.function(all_cases)(given)):
        for name, (_, formula) in CASES.items():
            result = ops.convert_to_numpy(found[name])
            np.testing.assert_allclose(result, formula(x), rtol=1e-6, atol=1e-6, err_msg=name)


def test_derivatives_by_what_a_sum_of_weights_gives(engine):
    """The ops above are linear between ties: the derivative along `x` itself is the value."""
    x = np.random.default_rng(1).standard_normal(SHAPES[10]).astype("float32")
    for name, (call, formula) in CASES.items():
        if name in ("argmax", "pad of bools", "outer sum", "unary"):
            continue
        expected = formula(x)
        weights = np.cos(np.arange(expected.size, dtype="float32")).reshape(expected.shape)
        _, back = backends.current().vjp(
            lambda x, call=call, weights=weights: ops.sum(ops.multiply(call(x), weights)),
            [ops.convert_to_tensor(x)],
        )
        (slope,) = back(ops.ones(()))
        along = np.vdot(ops.convert_to_numpy(slope).astype("float64"), x)
        assert along == pytest.approx(np.vdot(weights, expected), rel=1e-4, abs=1e-4), name
