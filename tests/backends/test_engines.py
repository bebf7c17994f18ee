"""What every engine promises: switching, moving, refusing, and plug-ins."""

import importlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import kerata
from kerata import backends, ops
from kerata.core import declare
from kerata.core.errors import ArgumentError, BackendMismatchError, BackendNotInstalledError, KerataError
from kerata.ops.core import vjp

DTYPES = ("bool", "int8", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64")


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_come_back_as_they_went(engine, dtype):
    native = backends.get(engine)
    array = np.arange(6).reshape(2, 3).astype(kerata.core.dtypes.numpy_dtype(dtype))
    tensor = native.convert(array)
    assert native.dtype_of(tensor) == dtype and native.shape_of(tensor) == (2, 3)
    back = native.to_numpy(tensor)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_the_default_is_that_of_the_block(engine):
    assert kerata.backend.backend() == engine
    with kerata.use_backend("numpy"):
        assert kerata.backend.backend() == "numpy"
        assert isinstance(ops.ones(2), np.ndarray)
    assert kerata.backend.backend() == engine
    assert backends.get(engine).owns(type(ops.ones(2))) or engine == "numpy"


def test_threads_that_ask_at_once_get_one_engine(monkeypatch):
    engine, made = backends.get("numpy"), []

    def slowly():
        made.append(engine)
        time.sleep(0.05)
        return engine

    module = importlib.import_module(backends.REGISTRY["numpy"].module)
    monkeypatch.setattr(module, backends.REGISTRY["numpy"].load, slowly)
    monkeypatch.delitem(backends._loaded, "numpy")
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(backends.get, ["numpy"] * 4)) == {engine}
    assert len(made) == 1


@pytest.mark.parametrize(
    ("fn", "slope"),
    [
        (ops.maximum, [0.5, 1.0, 0.0]),
        (ops.minimum, [0.5, 0.0, 1.0]),
        (ops.arctan2, [-0.5, -2 / 13, -4 / 17]),
        (lambda c, x: ops.segment_prod(ops.multiply(c, x), np.int32([0, 0, 0]), 1), [24.0, 8.0, 24.0]),
    ],
    ids=["maximum", "minimum", "arctan2", "segment_prod"],
)
def test_a_derivative_does_not_depend_on_what_ran_before(engine, fn, slope):
    """The first tensor is a constant, which an engine may treat as it does outside derivatives."""
    c, x = (ops.convert_to_tensor(np.float32(v)) for v in ([1.0, 2.0, 4.0], [1.0, 3.0, 1.0]))
    before = ops.convert_to_numpy(fn(c, x))
    for _ in range(2):
        y, back = vjp(lambda v: fn(c, v), [x])
        np.testing.assert_array_equal(ops.convert_to_numpy(y), before)
        np.testing.assert_allclose(ops.convert_to_numpy(back(ops.ones_like(y))[0]), slope, rtol=1e-6)


def test_a_call_runs_on_the_engine_of_its_tensors(engine):
    x = ops.ones(3)
    with kerata.use_backend("numpy"):
        y = ops.add(x, np.arange(3, dtype="float32"))
    assert type(y) is type(x)
    np.testing.assert_array_equal(ops.convert_to_numpy(y), [1, 2, 3])


def test_tensors_of_two_engines(engine):
    if_not = "torch" if engine == "tensorflow" else "tensorflow"
    other = ops.ones(3)
    with kerata.use_backend(if_not):
        own = ops.ones(3)
    if engine == "numpy":  # arrays join whichever engine the others are on
        assert type(ops.add(own, other)) is type(own)
        return
    with pytest.raises(BackendMismatchError, match="to_backend"):
        ops.add(own, other)


def test_unknown_engines():
    for call in (kerata.set_backend, backends.get, lambda name: kerata.use_backend(name).__enter__()):
        with pytest.raises(ArgumentError, match="theano"):
            call("theano")


def test_an_engine_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(
        backends.REGISTRY,
        "absent",
        backends.Entry("kerata.backends.absent", "absent_engine", "kerata[absent]"),
    )
    assert "absent" in backends.known() and "absent" not in backends.installed()
    for call in (kerata.set_backend, backends.get):
        with pytest.raises(BackendNotInstalledError, match=r'pip install "kerata\[absent\]"'):
            call("absent")


def test_a_plug_in_joins_by_its_entry_point(monkeypatch):
    import importlib.metadata

    point = importlib.metadata.EntryPoint("plugged", "plugged_engine:Engine", "kerata.backends")
    monkeypatch.setattr(backends, "REGISTRY", dict(backends.REGISTRY))
    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda group: [point] if group == "kerata.backends" else []
    )
    backends._plugins.cache_clear()
    try:
        assert "plugged" in backends.known()
        assert backends.REGISTRY["plugged"].module == "plugged_engine"
    finally:
        backends._plugins.cache_clear()


def test_an_engine_that_lacks_something_is_told_by_name():
    class Half:
        name = "half"

    with pytest.raises(KerataError, match="Half has no tensor_types and no primitives"):
        declare.admit(Half())
    Half.tensor_types, Half.primitives = (list,), {}
    with pytest.raises(KerataError, match='"half" lacks the primitives abs, '):
        declare.admit(Half())


def test_importing_kerata_loads_no_engine():
    code = "import sys, kerata; print([n for n in ('jax', 'torch', 'tensorflow') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_op_on_tensors_of_another_engine_does_not_load_the_default_one():
    code = """
import sys, torch
from kerata import backend, ops
assert backend.backend() == "jax"
print(float(ops.logsumexp(torch.zeros(2))), "jax" in sys.modules)
"""
    env = {**os.environ, "KERATA_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.split() == ["0.6931471824645996", "False"]


_TRACED = {
    "jax": "import jax; traced, x = jax.jit, jax.numpy.ones(2)",
    "tensorflow": "import tensorflow as tf; traced, x = tf.function, tf.ones(2)",
}


@pytest.mark.parametrize("engine", sorted(_TRACED))
def test_an_engine_that_loads_while_a_function_is_traced_knows_concrete_tensors(engine):
    code = f"""
{_TRACED[engine]}
from kerata import backends, ops
traced(lambda x: ops.add(x, x))(x)
made = backends.get("{engine}")
print(isinstance(x, made.tensor_types), made.is_concrete(x), ops.convert_to_numpy(ops.add(x, x)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True True [2. 2.]"


def test_a_variable_moves(engine):
    v = kerata.Variable(np.arange(3, dtype="float32"), name="v")
    v.move(backends.get("numpy"))
    assert v.engine.name == "numpy" and isinstance(v.value, np.ndarray)
    v.move(backends.get(engine))
    np.testing.assert_array_equal(v.numpy(), [0, 1, 2])
    v.assign_add([1.0, 1.0, 1.0])
    np.testing.assert_array_equal(v.numpy(), [1, 2, 3])


def test_loading_pytorch_settles_the_kernels_of_its_vector_library():
    """One element, so that no second thread takes part in the first call of a function."""
    from torch.utils._python_dispatch import TorchDispatchMode

    from kerata.backends.torch import load

    first = {}

    class Record(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            if func.overloadpacket.__name__ in names:
                first.setdefault((func.overloadpacket.__name__, str(args[0].dtype)), args[0].numel())
            return func(*args, **(kwargs or {}))

    names = set(
        "acos asin atan cos erf erfc erfinv exp exp2 expm1 log log10 log1p log2 sin sqrt tan tanh".split()
    )
    with Record():
        load()
    assert first == {(name, f"torch.{dtype}"): 1 for name in names for dtype in ("float32", "float64")}
