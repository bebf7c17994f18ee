"""Reading ahead in a thread gives the same batches, ends with the epoch, and hands errors on."""

import threading
import time

import numpy as np
import pytest

from kerata import backends
from kerata.training.data import PyDataset, as_batches, prefetched


def slow(n, log=None):
    for i in range(n):
        if log is not None:
            log.append(i)
        yield np.full((1, 1), i)


def readers():
    return sum(thread.name == "kerata-prefetch" for thread in threading.enumerate())


def eventually(condition):
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


def numbers(source, epoch=0):
    return [int(x[0, 0]) for x, _, _ in source.epoch(epoch)]


def test_same_batches_in_the_same_order():
    x = np.arange(20.0).reshape(20, 1)
    plain, ahead = (as_batches(x, batch_size=3, shuffle=True, seed=1) for _ in range(2))
    ahead = prefetched(ahead, 3)
    assert (ahead.steps_per_epoch, ahead.samples, ahead.batch_size) == (7, 20, 3)
    for epoch in range(2):
        assert numbers(ahead, epoch) == numbers(plain, epoch)


def test_the_only_batch_is_handed_through():
    assert prefetched(as_batches(np.zeros((3, 1)))).only_batch[0].shape == (3, 1)


def test_it_reads_ahead_but_not_further_than_its_depth():
    log = []
    source = prefetched(as_batches(slow(50, log)), depth=3)
    epoch = source.epoch(0)
    next(epoch)
    assert eventually(lambda: len(log) == 5)  # one handed out, three wait, one is held until there is room
    time.sleep(0.05)
    assert len(log) == 5
    source.close()


def test_the_thread_ends_with_the_epoch_and_when_the_reader_stops():
    source = prefetched(as_batches(slow(50), steps=5))
    assert numbers(source, 0) == [0, 1, 2, 3, 4]
    assert readers() == 0
    next(source.epoch(1))
    assert readers() == 1
    source.close()
    assert readers() == 0


def test_errors_come_out_in_their_place():
    def broken():
        yield from slow(2)
        raise OSError("the disk is gone")

    epoch = prefetched(as_batches(broken())).epoch(0)
    assert [int(next(epoch)[0][0, 0]) for _ in range(2)] == [0, 1]
    with pytest.raises(OSError, match="the disk is gone"):
        next(epoch)


def test_a_generator_that_runs_dry_is_told():
    source = prefetched(as_batches(slow(3)))
    assert numbers(source) == [0, 1, 2] and source.exhausted


def test_hooks_are_called():
    class Logged(PyDataset):
        log = []
        __len__ = lambda self: 1  # noqa: E731
        __getitem__ = lambda self, index: np.zeros(1)  # noqa: E731
        on_epoch_begin = lambda self: self.log.append("begin")  # noqa: E731
        on_epoch_end = lambda self: self.log.append("end")  # noqa: E731

    source = prefetched(as_batches(Logged()))
    source.on_epoch_begin()
    source.on_epoch_end()
    assert Logged.log == ["begin", "end"]


def test_the_thread_runs_on_the_engine_of_the_reader():
    seen = []

    def engines():
        seen.append(backends.backend())
        yield np.zeros(1)

    with backends.use_backend("torch"):
        list(prefetched(as_batches(engines())).epoch(0))
    assert seen == ["torch"]


def test_the_next_batch_is_made_while_one_is_used():
    made = [threading.Event() for _ in range(5)]

    def waited_for():
        for event in made:
            event.set()
            yield np.zeros(1)

    for i, _ in enumerate(prefetched(as_batches(waited_for())).epoch(0)):
        assert all(event.wait(timeout=10) for event in made[i + 1 : i + 2])


def test_who_may_be_slow():
    assert as_batches(slow(1)).slow and not as_batches(np.zeros(3)).slow
