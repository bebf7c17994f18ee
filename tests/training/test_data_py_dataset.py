"""`PyDataset`: order, hooks, threads, processes, errors."""

import multiprocessing
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

from kerata import backends
from kerata.core.errors import ArgumentError
from kerata.training.data import PyDataset, as_batches


class Numbers(PyDataset):
    """Batch `i` holds `i`; later batches are made faster, so that workers finish out of order."""

    def __init__(self, n=6, **options):
        super().__init__(**options)
        self.n, self.offset, self.log = n, 0, []

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        time.sleep(0.002 * (index % 3 == 0))
        return np.full((2, 1), index + self.offset), np.full(2, threading.get_ident() % 2**31)

    def on_epoch_begin(self):
        self.log.append("begin")

    def on_epoch_end(self):
        self.log.append("end")
        self.offset += 100


class Broken(Numbers):
    def __getitem__(self, index):
        if index == 2:
            raise OSError("picture 2 is damaged")
        return super().__getitem__(index)


class Endless(Numbers):
    num_batches = None


class NoInit(PyDataset):
    def __init__(self):
        pass

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return np.full((2, 1), index)


WORKERS = [
    {},
    {"workers": 0},
    {"workers": 3},
    {"workers": 2, "max_queue_size": 1},
    {"workers": 2, "use_multiprocessing": True},
]


def numbers(source, epoch=0):
    source.on_epoch_begin()
    read = [int(x[0, 0]) for x, *_ in source.epoch(epoch)]
    source.on_epoch_end()
    return read


@pytest.mark.parametrize("options", WORKERS, ids=str)
def test_order_is_kept_and_changes_between_epochs_are_seen(options):
    dataset = Numbers(**options)
    source = as_batches(dataset)
    assert (source.steps_per_epoch, source.batch_size) == (6, None)
    assert numbers(source, 0) == [0, 1, 2, 3, 4, 5]
    assert numbers(source, 1) == [100, 101, 102, 103, 104, 105]
    assert dataset.log == ["begin", "end", "begin", "end"]
    source.close()


@pytest.mark.parametrize("options", WORKERS, ids=str)
def test_errors_come_out_in_their_place(options):
    epoch = as_batches(Broken(**options)).epoch(0)
    assert [int(next(epoch)[0][0, 0]) for _ in range(2)] == [0, 1]
    with pytest.raises(OSError, match="picture 2 is damaged"):
        next(epoch)


@pytest.mark.parametrize("options", WORKERS, ids=str)
def test_stopping_early_leaves_no_worker(options):
    source = as_batches(Numbers(50, **options))
    next(source.epoch(0))
    source.close()
    assert not multiprocessing.active_children()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("kerata-data")]
    assert numbers(source, 1)[:3] == [0, 1, 2]


def test_threads_make_the_batches_unless_there_is_one_worker():
    here = threading.get_ident() % 2**31
    made = {w: {int(y[0]) for _, y, _ in as_batches(Numbers(12, workers=w)).epoch(0)} for w in (1, 2)}
    assert made[1] == {here} and here not in made[2]


def test_no_more_is_made_ahead_than_the_queue_holds():
    class Counting(Numbers):
        made = 0

        def __getitem__(self, index):
            Counting.made += 1
            return super().__getitem__(index)

    source = as_batches(Counting(30, workers=2, max_queue_size=3))
    epoch = source.epoch(0)
    next(epoch)
    deadline = time.monotonic() + 10
    while Counting.made < 4 and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.05)
    assert Counting.made == 4  # the one that was handed out, and three ahead
    source.close()


def test_workers_run_on_the_engine_of_the_loop():
    class Engines(Numbers):
        def __getitem__(self, index):
            return np.full((1, 1), backends.backend() == "torch")

    with backends.use_backend("torch"):
        assert all(x.all() for x, _, _ in as_batches(Engines(workers=2)).epoch(0))


def test_shuffling_shuffles_the_order_of_batches():
    source = as_batches(Numbers(20, workers=2), shuffle=True, seed=5)
    first = [int(x[0, 0]) for x, _, _ in source.epoch(0)]
    second = [int(x[0, 0]) for x, _, _ in source.epoch(1)]
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second and first != sorted(first)
    again = as_batches(Numbers(20), shuffle=True, seed=5)
    assert [int(x[0, 0]) for x, _, _ in again.epoch(0)] == first


def test_steps_go_on_through_the_dataset():
    source = as_batches(Numbers(4, workers=2), steps=3)
    assert [int(x[0, 0]) for x, _, _ in source.epoch(0)] == [0, 1, 2]
    with pytest.warns(UserWarning, match="ran out after 1 of 3 steps"):
        assert [int(x[0, 0]) for x, _, _ in source.epoch(1)] == [3]
    assert [int(x[0, 0]) for x, _, _ in source.epoch(2)] == [0, 1, 2]
    source.close()


@pytest.mark.parametrize("options", WORKERS, ids=str)
def test_a_dataset_without_an_end_counts_on(options):
    source = as_batches(Endless(**options), steps=3, shuffle=True)
    assert [[int(x[0, 0]) for x, _, _ in source.epoch(e)] for e in range(2)] == [[0, 1, 2], [3, 4, 5]]
    source.close()


def test_a_subclass_may_forget_super():
    dataset = NoInit()
    assert (dataset.workers, dataset.use_multiprocessing, dataset.max_queue_size) == (1, False, 10)
    assert numbers(as_batches(dataset)) == [0, 1]


def test_settings_can_be_changed():
    dataset = Numbers()
    dataset.workers, dataset.use_multiprocessing, dataset.max_queue_size = 3, True, 4
    assert (dataset.workers, dataset.use_multiprocessing, dataset.max_queue_size) == (3, True, 4)
    with pytest.raises(ArgumentError):
        dataset.workers = -1


def test_a_worker_process_that_dies():
    class Dies(Numbers):
        def __getitem__(self, index):
            import os

            os._exit(1)

    with pytest.raises(ArgumentError, match="`x` must be a PyDataset whose worker processes live on"):
        list(as_batches(Dies(workers=1, use_multiprocessing=True)).epoch(0))


SPAWNED = """
    import multiprocessing, threading
    import numpy as np
    from kerata.training.data import PyDataset, as_batches

    class Numbers(PyDataset):
        def __len__(self):
            return 3
        def __getitem__(self, index):
            return np.full((1, 1), index)

    class Locked(Numbers):
        def __init__(self, **options):
            super().__init__(**options)
            self.lock = threading.Lock()

    if __name__ == "__main__":
        multiprocessing.set_start_method("spawn")
        print([int(x[0, 0]) for x, _, _ in as_batches(Numbers(use_multiprocessing=True)).epoch(0)])
        try:
            list(as_batches(Locked(use_multiprocessing=True)).epoch(0))
        except ValueError as error:
            print(error)
"""


def test_processes_that_are_spawned(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SPAWNED))
    run = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=120, check=True
    )
    read, refused = run.stdout.splitlines()
    assert read == "[0, 1, 2]"
    assert "`x` must be picklable to be sent to worker processes." in refused and "lock" in refused
