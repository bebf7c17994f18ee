"""Moves of tensors and variables between engines: on the same memory where that is safe."""

import itertools

import numpy as np
import pytest

import kerata
from kerata import backends, ops
from kerata.core.variable import Variable

PAIRS = list(itertools.permutations(backends.installed(), 2))
DTYPES = [
    "bool",
    "int8",
    "uint8",
    "int32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]


def tensor(engine, array, dtype=None):
    with kerata.use_backend(engine):
        return ops.convert_to_tensor(array, dtype)


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3)])
def test_values_and_dtypes_survive(source, target, dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape) % 2
    x = tensor(source, array, dtype)
    moved = ops.to_backend(x, target)
    assert backends.get(target).owns(type(moved)) or isinstance(moved, np.ndarray)
    assert ops.dtype(moved) == dtype and ops.shape(moved) == shape
    np.testing.assert_array_equal(ops.convert_to_numpy(moved).astype("complex128"), array)


def aligned(n):
    """JAX takes over memory whose address is a multiple of 64."""
    raw = np.zeros(n * 4 + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + 4 * n].view(np.float32)


def test_numpy_and_torch_share_memory():
    array = aligned(8)
    there = ops.to_backend(array, "torch")
    array[0] = 5
    assert float(there[0]) == 5
    back = ops.to_backend(there, "numpy")
    there[1] = 7
    assert back[1] == 7


@pytest.mark.parametrize("source", ["numpy", "torch"])
def test_jax_takes_memory_over(source):
    array = aligned(8)
    x = ops.to_backend(array, source)
    there = ops.to_backend(x, "jax")
    assert there.unsafe_buffer_pointer() == array.ctypes.data
    back = ops.to_backend(there, "numpy")
    assert back.ctypes.data == array.ctypes.data and not back.flags.writeable


def test_nobody_can_write_into_a_tensor_of_jax():
    x = tensor("jax", np.zeros(8, "float32"))
    moved = ops.to_backend(x, "torch")
    moved += 1
    np.testing.assert_array_equal(ops.convert_to_numpy(x), np.zeros(8))


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("trainable", [True, False])
def test_a_moved_variable_has_memory_of_its_own(source, target, trainable):
    with kerata.use_backend(source):
        v = Variable(aligned(8), dtype="float32", trainable=trainable)
    before = v.value
    v.move(backends.get(target))
    write(before)
    np.testing.assert_array_equal(v.numpy(), np.zeros(8))
    held = v.value
    v.assign(np.ones(8, "float32"))
    write(ops.to_backend(held, "numpy"))
    np.testing.assert_array_equal(v.numpy(), np.ones(8))


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("trainable", [True, False])
def test_what_was_taken_from_a_variable_does_not_change_it(source, target, trainable):
    with kerata.use_backend(source):
        v = Variable(aligned(8), dtype="float32", trainable=trainable)
    write(ops.to_backend(v, target))
    if trainable:
        write(ops.to_backend(v.value, target))
    np.testing.assert_array_equal(v.numpy(), np.zeros(8))


def write(x):
    """Writes into a tensor, where its engine lets anybody do so."""
    try:
        if hasattr(x, "detach"):
            x = x.detach()
        x[...] = 9
    except (TypeError, ValueError):
        pass
