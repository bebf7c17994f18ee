"""What every test shares: the installed engines, one thread each, and nothing of the user's own configuration."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent

# Before any engine is imported. The workers of pytest-xdist share the cores, so an engine of many threads only
# waits for itself. Whoever wants the tests on an accelerator sets JAX_PLATFORMS and CUDA_VISIBLE_DEVICES.
for _name, _value in {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    # Without the newer emitters XLA compiles small functions in half the time, to code that gives the same bits.
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false --xla_cpu_use_fusion_emitters=false",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    # Most of JAX's time in small tests is compilation; the workers share it, and the next run finds it.
    "JAX_COMPILATION_CACHE_DIR": str(ROOT / ".pytest_cache" / "jax"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    "JAX_PLATFORMS": "cpu",
    "CUDA_VISIBLE_DEVICES": "",
    "MPLBACKEND": "Agg",
}.items():
    os.environ.setdefault(_name, _value)
# These are not the user's to choose: a result must not depend on a configuration file or a default engine.
# The peer runs on TensorFlow, where it computes eagerly and keeps 64 bits.
os.environ["KERATA_BACKEND"] = "numpy"
os.environ["KERAS_BACKEND"] = "tensorflow"
_home = tempfile.TemporaryDirectory(prefix="kerata-tests-")  # removed when the interpreter ends
os.environ["KERATA_HOME"] = os.environ["KERAS_HOME"] = _home.name

import pytest

import kerata
from kerata import backends
from kerata.core import config, dtype_policy, naming

ENGINES = backends.installed()
REQUIRED_ENGINES = {"numpy", "jax", "torch", "tensorflow"}


def pytest_configure(config: pytest.Config) -> None:
    """In CI, engines that are absent are a failure, not a reason to test less."""
    missing = REQUIRED_ENGINES.difference(ENGINES)
    if missing and os.environ.get("CI", "").lower() in ("1", "true"):
        raise pytest.UsageError(f"engines not installed: {', '.join(sorted(missing))}")


collect_ignore = ["slow"]  # minutes; they run when they are named: pytest tests/slow


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of each installed engine in turn, which is the default inside the test."""
    with kerata.use_backend(request.param):
        yield request.param


@pytest.fixture(autouse=True)
def session() -> Iterator[None]:
    """Each test begins with fresh names and leaves the process-wide settings as it found them."""
    naming.reset_names()
    floatx, epsilon, data_format = config.floatx(), config.epsilon(), config.image_data_format()
    policy = dtype_policy._global  # None, which `set_dtype_policy` cannot restore, follows floatx
    yield
    config.set_floatx(floatx)
    config.set_epsilon(epsilon)
    config.set_image_data_format(data_format)
    dtype_policy._global = policy


_tests = itertools.count(1)


@pytest.fixture(autouse=True)
def memory() -> Iterator[None]:
    """What engines compile for small tests adds up to gigabytes; the cache on disk brings back what is needed again."""
    yield
    if next(_tests) % 50 == 0:
        for engine in backends.loaded():
            engine.forget_compiled()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Exceptions are counted: how many ops are allowed to be farther from the reference than others, and samples."""
    from kerata import verify  # loads all ops, which a run of other tests need not have

    ops, wide = verify.declared(), verify.wide_tolerances()
    samples = sum(len(op.samples) + len(op.rejects) for op in ops.values())
    terminalreporter.write_line(
        f"conformance: {len(ops)} ops, {samples} samples; {len(wide)} wide tolerances: {', '.join(wide) or 'none'}"
    )
